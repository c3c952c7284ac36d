// SPDX-License-Identifier: GPL-2.0
/*
 * Adapters: PCI functions that keep their own, unmodified driver while their DMA
 * operations are wrapped. The wrapper turns a tag into the I/O address of a
 * client's window (seed 004, fig. 7, steps 732-734) and passes everything else on.
 *
 * How what is not a tag is passed on depends on the kernel, see compat.h: either
 * the original operations are called, or the public DMA API on an *alias*, a bare
 * device that was never added to a bus and carries the adapter's IOMMU group, so
 * that dma-iommu treats both as one. The wrappers never sleep but in alloc.
 *
 * Locks: create_lock > the device's lock > adapter->sem > list_lock, maps_lock.
 * The bus notifier comes with the device's lock held. See docs/locking.md.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/iommu.h>
#include <linux/list.h>
#include <linux/module.h>
#include <linux/rcupdate.h>
#include <linux/slab.h>
#include <linux/wait_bit.h>

#include "adapter.h"
#include "compat.h"
#include "tag.h"

/* What an adapter that can address 4 GiB or less has for windows: half of that. The rest
 * is for the host's own I/O. */
static u64 limit_of(struct device *dev)
{
	u64 mask = dma_get_mask(dev);

	return mask <= DMA_BIT_MASK(32) ? (mask >> 1) + 1 : U64_MAX;
}

static LIST_HEAD(adapters);		/* link, refs and dying; under list_lock */
static DEFINE_SPINLOCK(list_lock);
static DEFINE_MUTEX(create_lock);	/* one adapter is made or ended at a time */
static struct kobject *adapters_dir;

/* ----------------------------------------------------------- the wrapper */

static dma_addr_t wrap_map_page(struct device *dev, struct page *page,
				unsigned long offset, size_t size,
				enum dma_data_direction dir, unsigned long attrs);

/* NULL while the operations are being given back: no tag is in flight then. */
static struct lpar_adapter *of_dev(struct device *dev)
{
	const struct dma_map_ops *ops = READ_ONCE(dev->dma_ops);

	if (unlikely(!ops || ops->map_page != wrap_map_page))
		return NULL;
	return container_of((struct dma_map_ops *)ops, struct lpar_adapter, ops);
}

#if LPAR_DMA_ALIAS
#define TO(a, dev)		((a) ? (a)->alias : (dev))
#define FORWARD(a, dev, op, api, ...) api(TO(a, dev), ##__VA_ARGS__)
#else
#define FORWARD(a, dev, op, api, ...)					\
	((a) ? (a)->orig->op(dev, ##__VA_ARGS__) : api(dev, ##__VA_ARGS__))
#endif

/* What stays mapped there, whoever unmaps it: a client's window, or the pool. */
static void *stays(struct lpar_adapter *a, dma_addr_t io)
{
	return a ? xa_load(&a->io, io >> LPAR_WINDOW_SHIFT) : NULL;
}

static dma_addr_t wrap_map_page(struct device *dev, struct page *page,
				unsigned long offset, size_t size,
				enum dma_data_direction dir, unsigned long attrs)
{
	struct lpar_adapter *a = of_dev(dev);
	unsigned long pfn = page_to_pfn(page) + (offset >> PAGE_SHIFT);
	dma_addr_t io;

	if (a && lpar_tag_is(pfn)) {
		io = lpar_tag_lookup(pfn, a);
		if (unlikely(io == DMA_MAPPING_ERROR)) {
			this_cpu_inc(a->counts->refused);
			return io;
		}
		this_cpu_inc(a->counts->tag_maps);
		return io + offset_in_page(offset);
	}
	if (a && lpar_pool_has(&a->pool, pfn) && dir == DMA_TO_DEVICE &&
	    offset_in_page(offset) + size <= PAGE_SIZE) {
		this_cpu_inc(a->counts->pool_maps);
		return a->pool.io + PFN_PHYS(pfn - a->pool.pfn) + offset_in_page(offset);
	}
	if (a)
		this_cpu_inc(a->counts->forwarded);
	return FORWARD(a, dev, map_page, dma_map_page_attrs, page, offset, size,
		       dir, attrs);
}

static void wrap_unmap_page(struct device *dev, dma_addr_t io, size_t size,
			    enum dma_data_direction dir, unsigned long attrs)
{
	struct lpar_adapter *a = of_dev(dev);
	void *what = stays(a, io);

	if (what) {
		if (what != &a->pool)
			this_cpu_inc(a->counts->tag_unmaps);
		return;
	}
	FORWARD(a, dev, unmap_page, dma_unmap_page_attrs, io, size, dir, attrs);
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
		ret = FORWARD(a, dev, map_sg, dma_map_sg_attrs, sgl, n, dir,
			      attrs);
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
	FORWARD(a, dev, unmap_sg, dma_unmap_sg_attrs, sgl, n, dir, attrs);
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

static dma_addr_t wrap_map_resource(struct device *dev, phys_addr_t phys,
				    size_t size, enum dma_data_direction dir,
				    unsigned long attrs)
{
	return dma_map_resource(TO(of_dev(dev), dev), phys, size, dir, attrs);
}

static void wrap_unmap_resource(struct device *dev, dma_addr_t io, size_t size,
				enum dma_data_direction dir, unsigned long attrs)
{
	dma_unmap_resource(TO(of_dev(dev), dev), io, size, dir, attrs);
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
	.map_page = wrap_map_page,
	.unmap_page = wrap_unmap_page,
	.map_sg = wrap_map_sg,
	.unmap_sg = wrap_unmap_sg,
	.alloc = wrap_alloc,
	.free = wrap_free,
	.alloc_pages_op = wrap_alloc_pages,
	.free_pages = wrap_free_pages,
	.mmap = wrap_mmap,
	.get_sgtable = wrap_get_sgtable,
	.map_resource = wrap_map_resource,
	.unmap_resource = wrap_unmap_resource,
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
	alias->dma_iommu = true;
	return alias;
}

/*
 * State: plain => both set => wrapped. dma_ops first: the mapping functions look
 * at dma_iommu first, so while both are set the old way is taken, and none ever
 * finds neither, which would pass by the IOMMU. They do not sleep, so after the
 * grace period all callers see dma_ops. dma_iommu is a bitfield: device lock.
 */
static int swap_in(struct lpar_adapter *a, struct device *dev)
{
	device_lock_assert(dev);
	if (dev->dma_ops || !dev->dma_iommu)
		return -EBUSY;
	a->alias = alias_create(dev);
	if (!a->alias)
		return -ENOMEM;
	opt_mapping_size = dma_opt_mapping_size(dev);
	a->ops = alias_ops;
	WRITE_ONCE(dev->dma_ops, &a->ops);
	synchronize_rcu_tasks();
	dev->dma_iommu = false;
	return 0;
}

/* State: wrapped => both set => plain. No tag is in flight. */
static void swap_out(struct lpar_adapter *a, struct device *dev)
{
	device_lock_assert(dev);
	dev->dma_iommu = true;
	synchronize_rcu_tasks();
	wait_var_event(&sleepers, !atomic_read(&sleepers));
	WRITE_ONCE(dev->dma_ops, NULL);
	synchronize_rcu_tasks();
	put_device(a->alias);
	a->alias = NULL;
}
#else
/* State: plain => wrapped. One pointer; what was mapped with the original is
 * passed on to it when it is unmapped. */
static int swap_in(struct lpar_adapter *a, struct device *dev)
{
	device_lock_assert(dev);
	if (!dev->dma_ops)
		return -EBUSY;
	a->orig = dev->dma_ops;
	a->ops = *a->orig;
	a->ops.map_page = wrap_map_page;
	a->ops.unmap_page = wrap_unmap_page;
	a->ops.map_sg = wrap_map_sg;
	a->ops.unmap_sg = wrap_unmap_sg;
	WRITE_ONCE(dev->dma_ops, &a->ops);
	return 0;
}

static void swap_out(struct lpar_adapter *a, struct device *dev)
{
	device_lock_assert(dev);
	WRITE_ONCE(dev->dma_ops, a->orig);
	synchronize_rcu_tasks();
}
#endif

/* --------------------------------------------------------------- windows */

/**
 * lpar_adapter_map - map a window's pages and have tags stand for them
 * @a: the adapter
 * @pages: LPAR_TAG_BLOCK_PAGES of them, pinned
 * @share: the partition's of the tag range; outlives the mapping
 * @map: out: filled in on success; the caller's to keep until it is unmapped
 *
 * Context: may sleep; takes @a->sem for reading.
 * Return: 0, -ENODEV (the device is going), -EDQUOT (a 32-bit adapter's share is
 * used up), -ENOSPC (no tags left), -ENOMEM, -EIO (the IOMMU did not give one
 * aligned extent), or what mapping the pages gave.
 */
int lpar_adapter_map(struct lpar_adapter *a, struct page **pages,
		     struct lpar_tag_share *share, struct lpar_map *map)
{
	struct device *dev = &a->pdev->dev;
	unsigned int seg = min_t(unsigned int, dma_get_max_seg_size(dev),
				 LPAR_WINDOW_SIZE);
	struct scatterlist *sg;
	dma_addr_t next;
	int i, ret;

	down_read(&a->sem);
	ret = -ENODEV;
	if (a->dying)
		goto err_unlock;

	spin_lock(&a->maps_lock);
	ret = a->mapped + LPAR_WINDOW_SIZE > a->limit ? -EDQUOT : 0;
	if (!ret)
		a->mapped += LPAR_WINDOW_SIZE;
	spin_unlock(&a->maps_lock);
	if (ret)
		goto err_unlock;

	ret = sg_alloc_table_from_pages_segment(&map->sgt, pages,
						LPAR_TAG_BLOCK_PAGES, 0,
						LPAR_WINDOW_SIZE, seg,
						GFP_KERNEL_ACCOUNT);
	if (ret)
		goto err_unreserve;
	ret = dma_map_sgtable(dev, &map->sgt, DMA_BIDIRECTIONAL,
			      DMA_ATTR_SKIP_CPU_SYNC);
	if (ret)
		goto err_free_table;

	/* One extent, aligned: lookup is a base and an offset, and an I/O address
	 * tells by itself whether it belongs to a window. */
	ret = -EIO;
	map->io = sg_dma_address(map->sgt.sgl);
	next = map->io;
	for_each_sgtable_dma_sg(&map->sgt, sg, i) {
		if (sg_dma_address(sg) != next)
			goto err_unmap;
		next += sg_dma_len(sg);
	}
	if (next != map->io + LPAR_WINDOW_SIZE ||
	    !IS_ALIGNED(map->io, LPAR_WINDOW_SIZE))
		goto err_unmap;

	map->share = share;
	map->block = lpar_tag_alloc(share, a, map->io);
	ret = map->block;
	if (ret < 0)
		goto err_unmap;
	ret = xa_err(xa_store(&a->io, map->io >> LPAR_WINDOW_SHIFT, map,
			      GFP_KERNEL));
	if (ret)
		goto err_free_tags;
	map->adapter = a;
	map->gone = false;
	spin_lock(&a->maps_lock);
	list_add(&map->link, &a->maps);
	spin_unlock(&a->maps_lock);
	up_read(&a->sem);
	return 0;

err_free_tags:
	lpar_tag_free(share, map->block);
err_unmap:
	dma_unmap_sgtable(dev, &map->sgt, DMA_BIDIRECTIONAL,
			  DMA_ATTR_SKIP_CPU_SYNC);
	/* nobody was told the address: no need to flush before the unpin */
err_free_table:
	sg_free_table(&map->sgt);
err_unreserve:
	spin_lock(&a->maps_lock);
	a->mapped -= LPAR_WINDOW_SIZE;
	spin_unlock(&a->maps_lock);
err_unlock:
	up_read(&a->sem);
	return ret;
}

/* a->sem is held, for reading by the map's owner or for writing. */
static void unmap_locked(struct lpar_adapter *a, struct lpar_map *map)
{
	lockdep_assert_held(&a->sem);
	/* before the I/O address is free to be the host's */
	xa_erase(&a->io, map->io >> LPAR_WINDOW_SHIFT);
	lpar_tag_free(map->share, map->block);
	dma_unmap_sgtable(&a->pdev->dev, &map->sgt, DMA_BIDIRECTIONAL,
			  DMA_ATTR_SKIP_CPU_SYNC);
	sg_free_table(&map->sgt);
	spin_lock(&a->maps_lock);
	list_del(&map->link);
	a->mapped -= LPAR_WINDOW_SIZE;
	spin_unlock(&a->maps_lock);
}

/**
 * lpar_adapter_unmap - the first half of revoking a window
 * @map: from lpar_adapter_map(); not freed
 *
 * No request of this adapter uses the window. The adapter may still reach the
 * pages until lpar_adapter_flush(); only then they may be unpinned.
 *
 * Context: may sleep; takes the adapter's sem for reading.
 */
void lpar_adapter_unmap(struct lpar_map *map)
{
	struct lpar_adapter *a = map->adapter;

	down_read(&a->sem);
	if (!map->gone)
		unmap_locked(a, map);
	up_read(&a->sem);
}

/* Make the IOMMU forget what was unmapped, whatever the host's policy: in lazy
 * mode, Debian's default, it would go on translating for milliseconds. */
void lpar_adapter_flush(struct lpar_adapter *a)
{
	down_read(&a->sem);
	if (a->wrapped)
		iommu_flush_iotlb_all(a->domain);
	up_read(&a->sem);
}

/* ------------------------------------------------------------- life cycle */

/**
 * lpar_adapter_check - can this adapter's DMA be redirected at all?
 * @pdev: the PCI function
 * @why: out, LPAR_WHY_MAX bytes: the reason and the way out when it cannot
 *
 * Context: any that may call iommu_get_domain_for_dev(); takes no lock.
 * Return: 0; -EPERM: no IOMMU protects the host; -EOPNOTSUPP: something else
 */
int lpar_adapter_check(struct pci_dev *pdev, char *why)
{
	struct iommu_domain *domain = iommu_get_domain_for_dev(&pdev->dev);
	struct iommu_group *group;

	if (!domain) {
		snprintf(why, LPAR_WHY_MAX,
			 "no IOMMU translates for %s: enable VT-d or AMD-Vi in the firmware, and on Intel boot with intel_iommu=on",
			 pci_name(pdev));
		return -EPERM;
	}
	if (domain->type == IOMMU_DOMAIN_IDENTITY) {
		group = iommu_group_get(&pdev->dev);
		snprintf(why, LPAR_WHY_MAX,
			 "the IOMMU passes %s through untranslated: unbind its driver, write DMA to /sys/kernel/iommu_groups/%d/type and bind it again, or boot with iommu.passthrough=0",
			 pci_name(pdev), group ? iommu_group_id(group) : -1);
		iommu_group_put(group);
		return -EPERM;
	}
	if (!(domain->type & __IOMMU_DOMAIN_DMA_API) || pdev->untrusted) {
		snprintf(why, LPAR_WHY_MAX, "the kernel's DMA layer does not manage %s plainly (%s)",
			 pci_name(pdev),
			 pdev->untrusted ? "untrusted port" : "foreign domain");
		return -EOPNOTSUPP;
	}
	return 0;
}

#define COUNT_SHOW(name)						\
static ssize_t name##_show(struct kobject *kobj, struct kobj_attribute *attr,	\
			   char *buf)					\
{									\
	struct lpar_adapter *a = container_of(kobj, struct lpar_adapter, kobj); \
	u64 sum = 0;							\
	int cpu;							\
									\
	for_each_possible_cpu(cpu)					\
		sum += per_cpu_ptr(a->counts, cpu)->name;		\
	return sysfs_emit(buf, "%llu\n", sum);				\
}									\
static struct kobj_attribute attr_##name = __ATTR_RO(name)

COUNT_SHOW(tag_maps);
COUNT_SHOW(tag_unmaps);
COUNT_SHOW(pool_maps);
COUNT_SHOW(forwarded);
COUNT_SHOW(refused);

static ssize_t driver_show(struct kobject *kobj, struct kobj_attribute *attr,
			   char *buf)
{
	struct lpar_adapter *a = container_of(kobj, struct lpar_adapter, kobj);
	struct device_driver *drv = READ_ONCE(a->pdev->dev.driver);

	return sysfs_emit(buf, "%s\n", drv ? drv->name : "");
}
static struct kobj_attribute attr_driver = __ATTR_RO(driver);

static ssize_t disks_show(struct kobject *kobj, struct kobj_attribute *attr,
			  char *buf)
{
	struct lpar_adapter *a = container_of(kobj, struct lpar_adapter, kobj);

	return sysfs_emit(buf, "%u\n", READ_ONCE(a->refs));
}
static struct kobj_attribute attr_disks = __ATTR_RO(disks);

static ssize_t windows_show(struct kobject *kobj, struct kobj_attribute *attr,
			    char *buf)
{
	struct lpar_adapter *a = container_of(kobj, struct lpar_adapter, kobj);

	return sysfs_emit(buf, "%llu\n",
			  READ_ONCE(a->mapped) >> LPAR_WINDOW_SHIFT);
}
static struct kobj_attribute attr_windows = __ATTR_RO(windows);

static ssize_t state_show(struct kobject *kobj, struct kobj_attribute *attr,
			  char *buf)
{
	struct lpar_adapter *a = container_of(kobj, struct lpar_adapter, kobj);

	return sysfs_emit(buf, "%s\n", READ_ONCE(a->dying) ? "dead" : "live");
}
static struct kobj_attribute attr_state = __ATTR_RO(state);

static struct attribute *adapter_attrs[] = {
	&attr_driver.attr,   &attr_disks.attr,	    &attr_windows.attr,
	&attr_state.attr,    &attr_tag_maps.attr,   &attr_tag_unmaps.attr,
	&attr_pool_maps.attr, &attr_forwarded.attr, &attr_refused.attr, NULL,
};
ATTRIBUTE_GROUPS(adapter);

static void adapter_release(struct kobject *kobj)
{
	struct lpar_adapter *a = container_of(kobj, struct lpar_adapter, kobj);

	free_percpu(a->counts);
	xa_destroy(&a->io);
	pci_dev_put(a->pdev);
	kfree(a);
}

static const struct kobj_type adapter_type = {
	.release = adapter_release,
	.sysfs_ops = &kobj_sysfs_ops,
	.default_groups = adapter_groups,
};

static struct lpar_adapter *find(struct device *dev)
{
	struct lpar_adapter *a;

	lockdep_assert_held(&list_lock);
	list_for_each_entry(a, &adapters, link)
		if (&a->pdev->dev == dev && !a->dying)
			return a;
	return NULL;
}

static struct lpar_adapter *create(struct pci_dev *pdev)
{
	struct lpar_adapter *a = kzalloc(sizeof(*a), GFP_KERNEL);
	struct device *dev = &pdev->dev;
	int ret = -ENOMEM;

	lockdep_assert_held(&create_lock);
	if (!a)
		return ERR_PTR(-ENOMEM);
	a->refs = 1;
	a->pdev = pci_dev_get(pdev);
	xa_init(&a->io);
	init_rwsem(&a->sem);
	INIT_LIST_HEAD(&a->maps);
	spin_lock_init(&a->maps_lock);
	kobject_init(&a->kobj, &adapter_type);
	a->counts = alloc_percpu(struct lpar_adapter_counts);
	if (!a->counts)
		goto err_put;

	/* no driver comes or goes, and with it the domain */
	device_lock(dev);
	a->limit = limit_of(dev);
	a->domain = iommu_get_domain_for_dev(dev);
	ret = -ENODEV;
	if (dev->driver && a->domain)
		ret = swap_in(a, dev);
	if (!ret) {
		a->wrapped = true;
		spin_lock(&list_lock);
		list_add(&a->link, &adapters);
		spin_unlock(&list_lock);
		/* before an unbind, which takes it away */
		if (kobject_add(&a->kobj, adapters_dir, "%s", pci_name(pdev)))
			pr_notice("%s: not shown in sysfs\n", pci_name(pdev));
	}
	device_unlock(dev);
	if (ret)
		goto err_put;

	pr_info("%s: DMA operations wrapped, driver %s stays\n", pci_name(pdev),
		dev_driver_string(dev));
	return a;

err_put:
	kobject_put(&a->kobj);
	return ERR_PTR(ret);
}

/**
 * lpar_adapter_get - have a PCI function's DMA operations wrapped
 * @pdev: the function; lpar_adapter_check() has nothing against it
 *
 * Context: may sleep; takes create_lock and the device's lock.
 * Return: the adapter, to be given to lpar_adapter_put(); or an ERR_PTR: -ENODEV
 * (its driver has gone), -EBUSY (somebody else wrapped it), -ENOMEM.
 */
struct lpar_adapter *lpar_adapter_get(struct pci_dev *pdev)
{
	struct lpar_adapter *a;

	mutex_lock(&create_lock);
	spin_lock(&list_lock);
	a = find(&pdev->dev);
	if (a)
		a->refs++;
	spin_unlock(&list_lock);
	if (!a)
		a = create(pdev);
	mutex_unlock(&create_lock);
	return a;
}

/* Drop a reference; the last one gives the DMA operations back. May sleep. All
 * windows that the caller had mapped are unmapped. */
void lpar_adapter_put(struct lpar_adapter *a)
{
	struct device *dev = &a->pdev->dev;
	bool last;

	mutex_lock(&create_lock);
	spin_lock(&list_lock);
	last = !--a->refs;
	spin_unlock(&list_lock);
	if (last) {
		device_lock(dev);
		down_write(&a->sem);
		spin_lock(&list_lock);
		list_del(&a->link);
		spin_unlock(&list_lock);
		if (a->wrapped) {
			lpar_pool_drain(a);
			a->wrapped = false;
			swap_out(a, dev);
			pr_info("%s: DMA operations given back\n",
				pci_name(a->pdev));
		}
		up_write(&a->sem);
		device_unlock(dev);
		if (a->kobj.state_in_sysfs)
			kobject_del(&a->kobj);
		kobject_put(&a->kobj);
	}
	mutex_unlock(&create_lock);
}

/* The driver is being unbound; its device is quiet. The device lock is held. */
static void detach(struct lpar_adapter *a)
{
	struct lpar_map *map, *next;

	down_write(&a->sem);
	if (a->wrapped) {
		list_for_each_entry_safe(map, next, &a->maps, link) {
			unmap_locked(a, map);
			map->gone = true;
		}
		lpar_pool_drain(a);
		iommu_flush_iotlb_all(a->domain);
		a->wrapped = false;
		swap_out(a, &a->pdev->dev);
	}
	up_write(&a->sem);
	/* its successor will have the same name */
	if (a->kobj.state_in_sysfs)
		kobject_del(&a->kobj);
	pr_info("%s: driver unbound, DMA operations given back\n",
		pci_name(a->pdev));
}

/*
 * UNBIND comes before the driver's remove, which still ends requests that carry
 * tags; UNBOUND after it, when none is left.
 */
static int notify(struct notifier_block *nb, unsigned long event, void *data)
{
	struct device *dev = data;
	struct lpar_adapter *a;

	if (event != BUS_NOTIFY_UNBIND_DRIVER &&
	    event != BUS_NOTIFY_UNBOUND_DRIVER)
		return NOTIFY_DONE;

	spin_lock(&list_lock);
	list_for_each_entry(a, &adapters, link)
		if (&a->pdev->dev == dev && a->wrapped)
			break;
	if (list_entry_is_head(a, &adapters, link)) {
		spin_unlock(&list_lock);
		return NOTIFY_DONE;
	}
	WRITE_ONCE(a->dying, true);
	spin_unlock(&list_lock);
	/* a stays: whoever puts the last reference needs the device lock first */
	if (event == BUS_NOTIFY_UNBOUND_DRIVER)
		detach(a);
	return NOTIFY_OK;
}

/* Before dma-debug looks for what a driver has left: windows and the pool are ours. */
static struct notifier_block pci_notifier = { .notifier_call = notify, .priority = 1 };

int lpar_adapter_init(struct kobject *parent)
{
	int ret;

	adapters_dir = kobject_create_and_add("adapters", parent);
	if (!adapters_dir)
		return -ENOMEM;
	ret = bus_register_notifier(&pci_bus_type, &pci_notifier);
	if (ret)
		kobject_put(adapters_dir);
	return ret;
}

/* All functions are gone, so all adapters are. */
void lpar_adapter_exit(void)
{
	bus_unregister_notifier(&pci_bus_type, &pci_notifier);
	kobject_put(adapters_dir);
}
