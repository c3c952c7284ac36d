// SPDX-License-Identifier: GPL-2.0
/*
 * The DMA operations that an adapter has while it is wrapped. They turn a tag into
 * the I/O address of a client's window (seed 004, fig. 7, steps 732-734) and pass
 * everything else on.
 *
 * How what is not a tag is passed on depends on the kernel, see compat.h: either
 * the original operations are called, or the public DMA API on an *alias*, a bare
 * device that was never added to a bus and carries the adapter's IOMMU group, so
 * that dma-iommu treats both as one. The wrappers never sleep but in alloc.
 */
#include <linux/rcupdate.h>
#include <linux/slab.h>
#include <linux/wait_bit.h>

#include "adapter.h"
#include "compat.h"
#include "tag.h"
#include "wrap.h"

LPAR_COMPAT_DMA_MEMBERS(wrap_map, wrap_unmap)

/* NULL while the operations are being given back: no tag is in flight then. */
static struct lpar_adapter *of_dev(struct device *dev)
{
	const struct dma_map_ops *ops = READ_ONCE(dev->dma_ops);

	if (unlikely(!ops || !LPAR_COMPAT_DMA_IS(ops, wrap_map)))
		return NULL;
	return container_of((struct dma_map_ops *)ops, struct lpar_adapter, ops);
}

/* Where all else goes on to: which device, and by which operations, if not by the DMA API. */
#if LPAR_DMA_ALIAS
#define TO(a, dev)	((a) ? (a)->alias : (dev))

static const struct dma_map_ops *by(struct lpar_adapter *a)
{
	return NULL;
}
#else
#define TO(a, dev)	(dev)

static const struct dma_map_ops *by(struct lpar_adapter *a)
{
	return a ? a->orig : NULL;
}
#endif

/* What stays mapped there, whoever unmaps it: a client's window, or the pool. */
static void *stays(struct lpar_adapter *a, dma_addr_t io)
{
	return a ? xa_load(&a->io, io >> LPAR_WINDOW_SHIFT) : NULL;
}

static dma_addr_t wrap_map(struct device *dev, phys_addr_t phys, size_t size,
			   enum dma_data_direction dir, unsigned long attrs)
{
	struct lpar_adapter *a = of_dev(dev);
	unsigned long pfn = PHYS_PFN(phys);
	dma_addr_t io;

	if (a && lpar_tag_is(pfn)) {
		io = lpar_tag_lookup(pfn, a);
		if (unlikely(io == DMA_MAPPING_ERROR)) {
			this_cpu_inc(a->counts->refused);
			return io;
		}
		this_cpu_inc(a->counts->tag_maps);
		return io + offset_in_page(phys);
	}
	if (a && lpar_pool_has(&a->pool, pfn) && dir == DMA_TO_DEVICE &&
	    offset_in_page(phys) + size <= PAGE_SIZE) {
		this_cpu_inc(a->counts->pool_maps);
		return a->pool.io + PFN_PHYS(pfn - a->pool.pfn) + offset_in_page(phys);
	}
	if (a)
		this_cpu_inc(a->counts->forwarded);
	return lpar_compat_dma_map(by(a), TO(a, dev), phys, size, dir, attrs);
}

static void wrap_unmap(struct device *dev, dma_addr_t io, size_t size,
		       enum dma_data_direction dir, unsigned long attrs)
{
	struct lpar_adapter *a = of_dev(dev);
	void *what = stays(a, io);

	if (what) {
		if (what != &a->pool)
			this_cpu_inc(a->counts->tag_unmaps);
		return;
	}
	lpar_compat_dma_unmap(by(a), TO(a, dev), io, size, dir, attrs);
}

static int wrap_map_sg(struct device *dev, struct scatterlist *sgl, int n,
		       enum dma_data_direction dir, unsigned long attrs)
{
	struct lpar_adapter *a = of_dev(dev);
	struct scatterlist *sg;
	unsigned int tags = 0;
	int i, ret;

	if (a)
		for_each_sg(sgl, sg, n, i)
			tags += lpar_tag_is(page_to_pfn(sg_page(sg)));
	if (!tags) {
		if (a)
			this_cpu_inc(a->counts->forwarded);
		ret = by(a) ? by(a)->map_sg(dev, sgl, n, dir, attrs) :
			      dma_map_sg_attrs(TO(a, dev), sgl, n, dir, attrs);
		return ret ?: -ENOMEM;
	}

	/* A request is all tags or has none: nothing merges the two. */
	for_each_sg(sgl, sg, n, i) {
		unsigned long pfn = page_to_pfn(sg_page(sg)) +
				    (sg->offset >> PAGE_SHIFT);
		dma_addr_t io = lpar_tag_is(pfn) ? lpar_tag_lookup(pfn, a) :
						   DMA_MAPPING_ERROR;

		if (unlikely(io == DMA_MAPPING_ERROR)) {
			this_cpu_inc(a->counts->refused);
			return -EIO;
		}
		sg_dma_address(sg) = io + offset_in_page(sg->offset);
		sg_dma_len(sg) = sg->length;
	}
	this_cpu_add(a->counts->tag_maps, n);
	return n;
}

static void wrap_unmap_sg(struct device *dev, struct scatterlist *sgl, int n,
			  enum dma_data_direction dir, unsigned long attrs)
{
	struct lpar_adapter *a = of_dev(dev);

	if (a && lpar_tag_is(page_to_pfn(sg_page(sgl)))) {
		this_cpu_add(a->counts->tag_unmaps, n);
		return;
	}
	if (by(a))
		by(a)->unmap_sg(dev, sgl, n, dir, attrs);
	else
		dma_unmap_sg_attrs(TO(a, dev), sgl, n, dir, attrs);
}

#if LPAR_DMA_ALIAS
/* The operation has no device argument; every dma-iommu device says the same. */
static size_t opt_mapping_size;

/*
 * Who may sleep in an alias: a grace period of RCU tasks ends without them, and the
 * alias must not. Before the count nothing sleeps, and after it neither.
 */
static atomic_t sleepers;

static struct device *sleeper_enter(struct device *dev)
{
	atomic_inc(&sleepers);
	return TO(of_dev(dev), dev);
}

static void sleeper_leave(void)
{
	if (atomic_dec_and_test(&sleepers))
		wake_up_var(&sleepers);
}

static void *wrap_alloc(struct device *dev, size_t size, dma_addr_t *io,
			gfp_t gfp, unsigned long attrs)
{
	void *ret = dma_alloc_attrs(sleeper_enter(dev), size, io, gfp, attrs);

	sleeper_leave();
	return ret;
}

static void wrap_free(struct device *dev, size_t size, void *addr, dma_addr_t io,
		      unsigned long attrs)
{
	dma_free_attrs(sleeper_enter(dev), size, addr, io, attrs);
	sleeper_leave();
}

static struct page *wrap_alloc_pages(struct device *dev, size_t size,
				     dma_addr_t *io, enum dma_data_direction dir,
				     gfp_t gfp)
{
	struct page *ret = dma_alloc_pages(sleeper_enter(dev), size, io, dir, gfp);

	sleeper_leave();
	return ret;
}

static void wrap_free_pages(struct device *dev, size_t size, struct page *page,
			    dma_addr_t io, enum dma_data_direction dir)
{
	dma_free_pages(sleeper_enter(dev), size, page, io, dir);
	sleeper_leave();
}

static int wrap_mmap(struct device *dev, struct vm_area_struct *vma, void *addr,
		     dma_addr_t io, size_t size, unsigned long attrs)
{
	int ret = dma_mmap_attrs(sleeper_enter(dev), vma, addr, io, size, attrs);

	sleeper_leave();
	return ret;
}

static int wrap_get_sgtable(struct device *dev, struct sg_table *sgt, void *addr,
			    dma_addr_t io, size_t size, unsigned long attrs)
{
	int ret = dma_get_sgtable_attrs(sleeper_enter(dev), sgt, addr, io, size,
					attrs);

	sleeper_leave();
	return ret;
}

static void wrap_sync_single_for_cpu(struct device *dev, dma_addr_t io,
				     size_t size, enum dma_data_direction dir)
{
	struct lpar_adapter *a = of_dev(dev);

	if (!stays(a, io))
		dma_sync_single_for_cpu(TO(a, dev), io, size, dir);
}

static void wrap_sync_single_for_device(struct device *dev, dma_addr_t io,
					size_t size, enum dma_data_direction dir)
{
	struct lpar_adapter *a = of_dev(dev);

	if (!stays(a, io))
		dma_sync_single_for_device(TO(a, dev), io, size, dir);
}

static void wrap_sync_sg_for_cpu(struct device *dev, struct scatterlist *sgl,
				 int n, enum dma_data_direction dir)
{
	struct lpar_adapter *a = of_dev(dev);

	if (!a || !lpar_tag_is(page_to_pfn(sg_page(sgl))))
		dma_sync_sg_for_cpu(TO(a, dev), sgl, n, dir);
}

static void wrap_sync_sg_for_device(struct device *dev, struct scatterlist *sgl,
				    int n, enum dma_data_direction dir)
{
	struct lpar_adapter *a = of_dev(dev);

	if (!a || !lpar_tag_is(page_to_pfn(sg_page(sgl))))
		dma_sync_sg_for_device(TO(a, dev), sgl, n, dir);
}

static size_t wrap_max_mapping_size(struct device *dev)
{
	return dma_max_mapping_size(TO(of_dev(dev), dev));
}

static size_t wrap_opt_mapping_size(void)
{
	return opt_mapping_size;
}

static unsigned long wrap_get_merge_boundary(struct device *dev)
{
	return dma_get_merge_boundary(TO(of_dev(dev), dev));
}

static const struct dma_map_ops alias_ops = {
	LPAR_COMPAT_DMA_OPS(wrap_map, wrap_unmap),
	.map_sg = wrap_map_sg,
	.unmap_sg = wrap_unmap_sg,
	.alloc = wrap_alloc,
	.free = wrap_free,
	.alloc_pages_op = wrap_alloc_pages,
	.free_pages = wrap_free_pages,
	.mmap = wrap_mmap,
	.get_sgtable = wrap_get_sgtable,
	.sync_single_for_cpu = wrap_sync_single_for_cpu,
	.sync_single_for_device = wrap_sync_single_for_device,
	.sync_sg_for_cpu = wrap_sync_sg_for_cpu,
	.sync_sg_for_device = wrap_sync_sg_for_device,
	.max_mapping_size = wrap_max_mapping_size,
	.opt_mapping_size = wrap_opt_mapping_size,
	.get_merge_boundary = wrap_get_merge_boundary,
};

static void alias_release(struct device *dev)
{
	kfree(dev);
}

static struct device *alias_create(struct device *dev)
{
	struct device *alias = kzalloc(sizeof(*alias), GFP_KERNEL);

	if (!alias)
		return NULL;
	device_initialize(alias);
	alias->release = alias_release;
	if (dev_set_name(alias, "lpar-%s", dev_name(dev))) {
		put_device(alias);
		return NULL;
	}
	/* the mask itself is shared: a driver that sets it sets both */
	alias->dma_mask = dev->dma_mask;
	alias->coherent_dma_mask = dev->coherent_dma_mask;
	alias->bus_dma_limit = dev->bus_dma_limit;
	alias->dma_parms = dev->dma_parms;
	alias->iommu = dev->iommu;
	alias->iommu_group = dev->iommu_group;
	set_dev_node(alias, dev_to_node(dev));
	lpar_compat_dma_iommu_set(alias, true);
	return alias;
}

/*
 * State: plain => both set => wrapped. dma_ops first: the mapping functions look
 * at dma_iommu first, so while both are set the old way is taken, and none ever
 * finds neither, which would pass by the IOMMU. They do not sleep, so after the
 * grace period all callers see dma_ops. dma_iommu may be a bitfield: device lock.
 */
int lpar_wrap(struct lpar_adapter *a, struct device *dev)
{
	device_lock_assert(dev);
	if (dev->dma_ops || !lpar_compat_dma_iommu(dev))
		return -EBUSY;
	a->alias = alias_create(dev);
	if (!a->alias)
		return -ENOMEM;
	opt_mapping_size = dma_opt_mapping_size(dev);
	a->ops = alias_ops;
	WRITE_ONCE(dev->dma_ops, &a->ops);
	synchronize_rcu_tasks();
	lpar_compat_dma_iommu_set(dev, false);
	return 0;
}

/* Whose the alias is when the bus looks: one that has its DMA managed. */
static struct pci_driver keeper;

/*
 * The driver core lets go of the group's domain when the driver's remove has ended, before it
 * says so to us. Then a write to the group's "type" would free it; so it is held once more,
 * by the way that the driver core itself goes.
 */
void lpar_wrap_keep(struct lpar_adapter *a, struct device *dev)
{
	device_lock_assert(dev);
	if (!to_pci_driver(dev->driver)->driver_managed_dma)
		a->kept = !dev->bus->dma_configure(dev);
}

/* The driver has gone, so it is the alias, of the same group, that lets go. */
static void let_go(struct lpar_adapter *a, struct device *dev)
{
	if (!a->kept)
		return;
	a->alias->driver = &keeper.driver;
	dev->bus->dma_cleanup(a->alias);
	a->alias->driver = NULL;
	a->kept = false;
}

/* State: wrapped => both set => plain. No tag is in flight. */
void lpar_unwrap(struct lpar_adapter *a, struct device *dev)
{
	device_lock_assert(dev);
	lpar_compat_dma_iommu_set(dev, true);
	synchronize_rcu_tasks();
	wait_var_event(&sleepers, !atomic_read(&sleepers));
	WRITE_ONCE(dev->dma_ops, NULL);
	synchronize_rcu_tasks();
	let_go(a, dev);
	put_device(a->alias);
	a->alias = NULL;
}
#else
/* State: plain => wrapped. One pointer; what was mapped with the original is
 * passed on to it when it is unmapped. */
int lpar_wrap(struct lpar_adapter *a, struct device *dev)
{
	device_lock_assert(dev);
	if (!dev->dma_ops)
		return -EBUSY;
	a->orig = dev->dma_ops;
	a->ops = *a->orig;
	LPAR_COMPAT_DMA_SET(&a->ops, wrap_map, wrap_unmap);
	a->ops.map_sg = wrap_map_sg;
	a->ops.unmap_sg = wrap_unmap_sg;
	WRITE_ONCE(dev->dma_ops, &a->ops);
	return 0;
}

/* The group's type is changed under the device's lock, so the domain stays. */
void lpar_wrap_keep(struct lpar_adapter *a, struct device *dev)
{
}

void lpar_unwrap(struct lpar_adapter *a, struct device *dev)
{
	device_lock_assert(dev);
	WRITE_ONCE(dev->dma_ops, a->orig);
	synchronize_rcu_tasks();
}
#endif
