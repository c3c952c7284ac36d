// SPDX-License-Identifier: GPL-2.0
/*
 * lpar_revoke_probe: have an adapter DMA to an I/O address of our choice, as a
 * driver or an adapter with a stale address would. The tests of strict revocation
 * (G6, A3) load it twice: while a window is mapped the read arrives in it, and
 * after the window has been revoked the IOMMU has to fault, naming the adapter and
 * this address.
 *
 * One page of ours is read into. The adapter's map_page and unmap_page operations
 * are probed, so that mapping it returns the given address and unmapping it does
 * nothing; everything else goes where it always goes. A copy of the operations
 * would not do: lpar_host finds its adapter by where dev->dma_ops points to.
 *
 * Loading fails with -EAGAIN when all is done (nothing stays to be unloaded) and
 * with another error when it could not be done. `status` in the log is the read's.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/bio.h>
#include <linux/dma-map-ops.h>
#include <linux/kallsyms.h>
#include <linux/kprobes.h>
#include <linux/module.h>
#include <linux/pci.h>

#include "compat.h"

static char *pci = "0000:01:00.0";
module_param(pci, charp, 0444);
MODULE_PARM_DESC(pci, "the adapter");

static char *disk = "/dev/nvme0n1";
module_param(disk, charp, 0444);
MODULE_PARM_DESC(disk, "a disk on it, of which 4 KiB are read");

static unsigned long long io;
module_param(io, ullong, 0444);
MODULE_PARM_DESC(io, "I/O address that they are read to; page-aligned");

static unsigned long long sector;
module_param(sector, ullong, 0444);
MODULE_PARM_DESC(sector, "first sector read");

static struct page *magic;
static struct device *adapter;
static atomic_t mapped, unmapped;

/* Where a probed function's work is replaced: this returns to its caller. */
static noinline notrace void return_at_once(void)
{
}

/* dma_addr_t map_page(dev, page, offset, size, dir, attrs), or map_phys(dev, phys, size, dir, attrs) */
static int map_page(struct kprobe *p, struct pt_regs *regs)
{
	if ((void *)regs->di != adapter || regs->si != compat_dma_memory(magic))
		return 0;
	atomic_inc(&mapped);
	regs->ax = io;
	regs->ip = (unsigned long)return_at_once;
	return 1;
}

/* void unmap_page(dev, dma_addr, size, dir, attrs) */
static int unmap_page(struct kprobe *p, struct pt_regs *regs)
{
	/* ours is the only mapping of just this page */
	if ((void *)regs->di != adapter || regs->si != io ||
	    atomic_read(&mapped) == atomic_read(&unmapped))
		return 0;
	atomic_inc(&unmapped);
	regs->ip = (unsigned long)return_at_once;
	return 1;
}

static struct kprobe map_probe = { .pre_handler = map_page };
static struct kprobe unmap_probe = { .pre_handler = unmap_page };

/* Are these lpar_host's wrappers? */
static bool wrapped(const struct dma_map_ops *ops)
{
	char name[KSYM_SYMBOL_LEN];

	if (!ops || !ops->compat_dma_map || !ops->compat_dma_unmap)
		return false;
	sprint_symbol(name, (unsigned long)ops->compat_dma_map);
	return strstr(name, "[lpar_host]");
}

static int read_to_io(struct block_device *bdev)
{
	struct bio_vec vec;
	struct bio bio;
	int ret;

	/* once: neither retried nor merged with anybody's */
	bio_init(&bio, bdev, &vec, 1, REQ_OP_READ | REQ_SYNC | REQ_NOMERGE |
		 REQ_FAILFAST_DEV | REQ_FAILFAST_TRANSPORT | REQ_FAILFAST_DRIVER);
	bio.bi_iter.bi_sector = sector;
	__bio_add_page(&bio, magic, PAGE_SIZE, 0);
	ret = submit_bio_wait(&bio);
	bio_uninit(&bio);
	return ret;
}

static int probed_read(const struct dma_map_ops *ops)
{
	compat_bdev_t b = compat_bdev_open(disk);
	int ret, status;

	if (IS_ERR(b))
		return PTR_ERR(b);
	map_probe.addr = (void *)ops->compat_dma_map;
	unmap_probe.addr = (void *)ops->compat_dma_unmap;
	ret = register_kprobe(&map_probe);
	if (ret)
		goto out;
	ret = register_kprobe(&unmap_probe);
	if (ret)
		goto out_map;
	status = read_to_io(compat_bdev(b));
	unregister_kprobe(&unmap_probe);
	ret = -EAGAIN;
	if (!atomic_read(&mapped)) {
		pr_err("the read did not come by %s\n", pci);
		ret = -ENXIO;
	}
	pr_info("read of sector %llu to I/O address %#llx: status %d, mapped %d, unmapped %d\n",
		sector, io, status, atomic_read(&mapped), atomic_read(&unmapped));
out_map:
	unregister_kprobe(&map_probe);
out:
	compat_bdev_close(b);
	return ret;
}

static int __init probe_init(void)
{
	unsigned int domain, bus, slot, fn;
	const struct dma_map_ops *ops;
	struct pci_dev *pdev;
	int ret = -ENODEV;

	if (sscanf(pci, "%x:%x:%x.%x", &domain, &bus, &slot, &fn) != 4 || !io ||
	    !PAGE_ALIGNED(io))
		return -EINVAL;
	pdev = pci_get_domain_bus_and_slot(domain, bus, PCI_DEVFN(slot, fn));
	if (!pdev)
		return -ENODEV;
	adapter = &pdev->dev;
	magic = alloc_page(GFP_KERNEL | __GFP_ZERO);
	if (!magic) {
		ret = -ENOMEM;
		goto out;
	}
	ops = READ_ONCE(adapter->dma_ops);
	if (wrapped(ops)) {
		ret = probed_read(ops);
	} else {
		pr_err("the DMA operations of %s are not lpar_host's\n", pci);
	}
	__free_page(magic);
out:
	pci_dev_put(pdev);
	return ret;
}
module_init(probe_init);

MODULE_DESCRIPTION("Tests: DMA of an adapter to a given I/O address");
MODULE_LICENSE("GPL");
