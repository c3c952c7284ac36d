// SPDX-License-Identifier: GPL-2.0
/*
 * lpar_mask: a PCI function that can address only so many bits (32, unless told
 * otherwise) while this is loaded. To be loaded before lpar_host wraps it.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/dma-mapping.h>
#include <linux/module.h>
#include <linux/pci.h>

static char *pci = "0000:01:00.0";
module_param(pci, charp, 0444);
MODULE_PARM_DESC(pci, "the function");

static unsigned int bits = 32;
module_param(bits, uint, 0444);
MODULE_PARM_DESC(bits, "of its addresses");

static struct pci_dev *pdev;
static u64 before;

static int set_mask(u64 mask)
{
	int ret;

	device_lock(&pdev->dev);
	ret = dma_set_mask(&pdev->dev, mask);
	device_unlock(&pdev->dev);
	return ret;
}

static int __init mask_init(void)
{
	unsigned int domain, bus, slot, fn;
	int ret;

	if (sscanf(pci, "%x:%x:%x.%x", &domain, &bus, &slot, &fn) != 4 || !bits ||
	    bits > 64)
		return -EINVAL;
	pdev = pci_get_domain_bus_and_slot(domain, bus, PCI_DEVFN(slot, fn));
	if (!pdev)
		return -ENODEV;
	before = dma_get_mask(&pdev->dev);
	ret = set_mask(DMA_BIT_MASK(bits));
	if (ret) {
		pci_dev_put(pdev);
		return ret;
	}
	pr_info("%s: mask %#llx, was %#llx\n", pci_name(pdev),
		dma_get_mask(&pdev->dev), before);
	return 0;
}
module_init(mask_init);

static void __exit mask_exit(void)
{
	set_mask(before);
	pci_dev_put(pdev);
}
module_exit(mask_exit);

MODULE_DESCRIPTION("Tests: limit a PCI function's DMA mask");
MODULE_LICENSE("GPL");
