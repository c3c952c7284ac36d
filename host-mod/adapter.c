// SPDX-License-Identifier: GPL-2.0
/*
 * Adapters: PCI functions that keep their own, unmodified driver while their DMA
 * operations are wrapped (wrap.c): their life, and the windows that are mapped for
 * them (seed 004, fig. 7).
 *
 * Locks: create_lock > the device's lock > adapter->sem > list_lock, maps_lock.
 * The bus notifier comes with the device's lock held. See docs/locking.md.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/iommu.h>
#include <linux/list.h>
#include <linux/module.h>
#include <linux/slab.h>

#include "adapter.h"
#include "tag.h"
#include "wrap.h"

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
	/* another driver may have come since it was looked at */
	if (dev->driver && !to_pci_driver(dev->driver)->driver_managed_dma && a->domain &&
	    a->domain->type & __IOMMU_DOMAIN_DMA_API)
		ret = lpar_wrap(a, dev);
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
			lpar_unwrap(a, dev);
			pr_info("%s: DMA operations given back\n",
				pci_name(a->pdev));
		}
		up_write(&a->sem);
		/* while the driver stays that it names */
		if (a->kobj.state_in_sysfs)
			kobject_del(&a->kobj);
		device_unlock(dev);
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
			cond_resched();
		}
		lpar_pool_drain(a);
		iommu_flush_iotlb_all(a->domain);
		a->wrapped = false;
		lpar_unwrap(a, &a->pdev->dev);
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
	else
		lpar_wrap_keep(a, dev);
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
