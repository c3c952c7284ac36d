// SPDX-License-Identifier: GPL-2.0
/*
 * Disks: ranges of host block devices. A device is opened once, exclusively, for
 * all disks that lie on it; their ranges must not overlap. Whether tags may be
 * used is decided here, from what is on the way of the data.
 *
 * Locks: partition->config > client->lock; partition->config > backings_lock >
 * partition->lock. See docs/locking.md.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/blk-integrity.h>
#include <linux/blkdev.h>
#include <linux/jhash.h>
#include <linux/major.h>
#include <linux/module.h>
#include <linux/pci.h>
#include <linux/slab.h>

#include "compat.h"
#include "disk.h"
#include "queue.h"
#include "tag.h"
#include "window.h"

#define POLL_INTERVAL	HZ

static bool allow_unsafe_dma;
module_param(allow_unsafe_dma, bool, 0444);
MODULE_PARM_DESC(allow_unsafe_dma,
		 "share NVMe disks that no IOMMU translates for, in page mode");

/*
 * Drivers whose path was read and never looks at the data: nothing between
 * submit_bio() and the mapping touches the pages.
 *
 * nvme (drivers/nvme/host/pci.c, core.c; 6.1 and 6.12): nvme_map_data() maps one
 * vector by dma_map_bvec() and more by blk_rq_map_sg() and dma_map_sgtable();
 * PRPs and SGLs are made of the DMA addresses. Only integrity reads data, and is
 * excluded below. Test: tests/boot/disk-*, with the emulator as the oracle.
 */
static const char *const qualified[] = { "nvme", NULL };

/* A block device that is open for us. */
struct lpar_backing {
	struct list_head link;
	struct list_head disks;		/* ranges in use */
	struct lpar_bdev bdev;
	dev_t dev;
	bool writable;
	unsigned int refs;
};

static LIST_HEAD(backings);
static DEFINE_MUTEX(backings_lock);

/* ---------------------------------------------------------- mode and limits */

/* Whoever has a disk open keeps the disk, but what it stands on only as long as it is live.
 * Sleeps. */
static struct pci_dev *pci_above(struct gendisk *disk)
{
	struct pci_dev *pdev = NULL;
	struct device *dev;

	mutex_lock(&disk->open_mutex);
	dev = disk_live(disk) ? disk_to_dev(disk)->parent : NULL;
	for (; dev && !pdev; dev = dev->parent)
		if (dev_is_pci(dev))
			pdev = pci_dev_get(to_pci_dev(dev));
	mutex_unlock(&disk->open_mutex);
	return pdev;
}

/* Is the device its qualified adapter's own queue? */
static bool tags_possible(struct block_device *bdev, struct lpar_verdict *v)
{
	struct gendisk *disk = bdev->bd_disk;

	/* multipath is device mapper, but its queue is blk-mq's */
	if (!queue_is_mq(disk->queue) || str_has_prefix(disk->disk_name, "dm-")) {
		snprintf(v->reason, sizeof(v->reason),
			 "%s is stacked on other devices (device mapper, RAID, multipath): its path may touch or move the data",
			 disk->disk_name);
		return false;
	}
	if (!v->pdev) {
		snprintf(v->reason, sizeof(v->reason),
			 "%s has no PCI adapter right below it", disk->disk_name);
		return false;
	}
	if (!lpar_fn_qualified(&v->pdev->dev, qualified)) {
		snprintf(v->reason, sizeof(v->reason),
			 "driver %s is not on the qualification list",
			 dev_driver_string(&v->pdev->dev));
		return false;
	}
	return true;
}

/* Real pages, whatever the adapter; v->reason says why. Return: 0, -EPERM. */
static int without_tags(enum lpar_wish wish, struct lpar_verdict *v)
{
	if (wish == LPAR_WISH_TAG)
		return -EPERM;
	v->mode = wish == LPAR_WISH_COPY ? LPAR_MODE_COPY : LPAR_MODE_PAGE;
	if (wish == LPAR_WISH_COPY)
		strscpy(v->reason, "asked for", sizeof(v->reason));
	return 0;
}

/*
 * How to share a block device. Return: 0 and a verdict; -EPERM: unsafe;
 * -EOPNOTSUPP: not possible; the reason says why in each case.
 */
static int decide(struct block_device *bdev, enum lpar_wish wish,
		  struct lpar_verdict *v)
{
	char why[LPAR_WHY_MAX];
	int ret;

	v->mode = LPAR_MODE_NONE;
	v->pdev = pci_above(bdev->bd_disk);
	if (bdev_is_zoned(bdev)) {
		snprintf(v->reason, sizeof(v->reason),
			 "zoned devices cannot be shared");
		return -EOPNOTSUPP;
	}
	if (!tags_possible(bdev, v))
		return without_tags(wish, v);
	ret = lpar_adapter_check(v->pdev, why);
	if (ret == -EPERM && (wish == LPAR_WISH_TAG || !allow_unsafe_dma)) {
		snprintf(v->reason, sizeof(v->reason),
			 "%s; or load with allow_unsafe_dma=1, for page mode",
			 why);
		return ret;
	}
	if (bdev_get_integrity(bdev)) {
		snprintf(v->reason, sizeof(v->reason),
			 "%s is formatted with protection information, which the CPU computes from the data",
			 bdev->bd_disk->disk_name);
		return without_tags(wish, v);
	}
	if (wish == LPAR_WISH_PAGE || wish == LPAR_WISH_COPY) {
		v->mode = wish == LPAR_WISH_PAGE ? LPAR_MODE_PAGE :
						   LPAR_MODE_COPY;
		strscpy(v->reason, "asked for", sizeof(v->reason));
		return 0;
	}
	if (!ret) {
		v->mode = LPAR_MODE_TAG;
		snprintf(v->reason, sizeof(v->reason),
			 "driver %s is qualified and the IOMMU translates for %s",
			 dev_driver_string(&v->pdev->dev), pci_name(v->pdev));
		return 0;
	}
	strscpy(v->reason, why, sizeof(v->reason));
	if (wish == LPAR_WISH_TAG)
		return ret;
	v->mode = LPAR_MODE_PAGE;
	return 0;
}

/* What the device and our way to it can take, for a range of it. */
static void get_limits(struct block_device *bdev, enum lpar_mode mode,
		       sector_t first, sector_t sectors, bool read_only,
		       u32 queues, struct lpar_disk_limits *lim)
{
	struct request_queue *q = bdev_get_queue(bdev);
	u32 segments = min_t(u32, queue_max_segments(q), LPAR_QUEUE_SEGS_MAX);
	u64 transfer = (u64)queue_max_sectors(q) << SECTOR_SHIFT;
	sector_t size = bdev_nr_sectors(bdev);

	memset(lim, 0, sizeof(*lim));
	lim->sectors = first < size ? size - first : 0;
	if (sectors)
		lim->sectors = min(lim->sectors, (u64)sectors);
	lim->logical_block = bdev_logical_block_size(bdev);
	lim->physical_block = bdev_physical_block_size(bdev);
	lim->io_min = bdev_io_min(bdev);
	lim->io_opt = max(bdev_io_opt(bdev), 0);
	if (mode != LPAR_MODE_TAG) {
		/* every page may be a segment of its own, and no bio of ours may
		 * need a split: what a segment touches is its length in pages,
		 * and two for where it starts and ends */
		segments = clamp_t(u32, segments / 3, 1, BIO_MAX_VECS / 3);
		transfer = min_t(u64, transfer, (u64)segments << PAGE_SHIFT);
	}
	/* a request that starts between physical blocks is cut at one */
	if (lim->physical_block > lim->logical_block &&
	    transfer > 2 * lim->physical_block)
		transfer -= lim->physical_block - lim->logical_block;
	lim->segments = segments;
	lim->max_transfer = min_t(u64, transfer, SZ_64M) &
			    ~(lim->logical_block - 1);
	lim->segment_size = min_t(u32, queue_max_segment_size(q),
				  LPAR_WINDOW_SIZE) & ~(lim->logical_block - 1);
	lim->virt_boundary = queue_virt_boundary(q);
	/* segments are whole blocks, so a buffer must start like one: or the one
	 * that crosses a page would be cut in the middle of a block */
	lim->dma_alignment = bdev_dma_alignment(bdev) |
			     (lim->logical_block - 1);
	/* what does not cross 2 GiB does not cross a power of two above it */
	lim->chunk = min_t(u64, (u64)q->limits.chunk_sectors << SECTOR_SHIFT,
			   SZ_2G);
	lim->queues = queues ?: LPAR_DOORBELLS_MAX - 1;
	lim->read_only = read_only || bdev_read_only(bdev);
	lim->write_cache = bdev_write_cache(bdev);
	lim->fua = lim->write_cache && bdev_fua(bdev);
	lim->rotational = lpar_compat_rotational(bdev);
	lim->stable_writes = bdev_stable_writes(bdev);
	if (!lim->read_only) {
		lim->discard = (u64)bdev_max_discard_sectors(bdev)
			       << SECTOR_SHIFT;
		lim->write_zeroes = (u64)bdev_write_zeroes_sectors(bdev)
				    << SECTOR_SHIFT;
		/* lengths are 32-bit numbers of sectors, and whole blocks */
		lim->discard = min_t(u64, lim->discard, SZ_2G) &
			       ~((u64)lim->logical_block - 1);
		lim->write_zeroes = min_t(u64, lim->write_zeroes, SZ_2G) &
				    ~((u64)lim->logical_block - 1);
		lim->discard_grain = bdev_discard_granularity(bdev);
		lim->discard_align = bdev_discard_alignment(bdev);
	}
}

/* A consistent copy of the limits in force. Any context. */
void lpar_disk_limits(struct lpar_disk *d, struct lpar_disk_limits *lim)
{
	rcu_read_lock();
	*lim = rcu_dereference(d->state)->lim;
	rcu_read_unlock();
}

/* Write its capability records; see lpar_core_records(). partition->lock is held. */
int lpar_disk_records(struct lpar_disk *d, void *data, size_t size)
{
	struct lpar_disk_limits lim;

	lpar_disk_limits(d, &lim);
	return lpar_core_records(data, size, &lim, lpar_disk_name(d), d->serial);
}

/* partition->lock is held. */
static int set_limits(struct lpar_disk *d, const struct lpar_disk_limits *lim)
{
	struct lpar_disk_state *s = kzalloc(sizeof(*s), GFP_KERNEL), *old;

	if (!s)
		return -ENOMEM;
	s->lim = *lim;
	old = rcu_replace_pointer(d->state, s, true);
	if (old)
		kfree_rcu(old, rcu);
	return 0;
}

/* md says so too, but its raid5 loses a discard that must not wait. */
static bool submit_never_waits(struct block_device *bdev)
{
	return bdev_nowait(bdev) && bdev->bd_disk->major != MD_MAJOR;
}

/**
 * lpar_disk_check_format - is the device still formatted as it was?
 * @d: an enabled disk
 * @lim: a copy of its limits; a new block size is put into it
 *
 * A tool may format an NVMe that is open ("nvme format --force"). With protection
 * information the CPU would read tags, and on larger blocks the disk's range may
 * not lie any more: such a disk is dead until it is enabled again. What is just
 * being submitted ends as the adapter says.
 *
 * A volume may get a table while it is open ("lvcreate -s") with which it waits in a
 * submission: from the next ring on a thread serves it.
 *
 * Context: any, no lock; at the beginning of each dispatch, and of each poll.
 */
void lpar_disk_check_format(struct lpar_disk *d, struct lpar_disk_limits *lim)
{
	u32 block = bdev_logical_block_size(d->bdev);
	bool protected = d->fn.mode == LPAR_MODE_TAG && bdev_get_integrity(d->bdev);
	u64 ends = get_start_sect(d->bdev) | d->first | d->size >> SECTOR_SHIFT;

	if (unlikely(READ_ONCE(d->fn.nowait) && !submit_never_waits(d->bdev)))
		WRITE_ONCE(d->fn.nowait, false);
	if (likely(block == lim->logical_block && !protected))
		return;
	lim->logical_block = block;
	lim->dma_alignment |= block - 1;
	if (!protected && !(ends & ((block >> SECTOR_SHIFT) - 1)))
		return;
	if (xchg(&d->fn.dead, true))
		return;
	pr_warn("%s/%s: %s was formatted with %s: disable and enable the disk\n",
		lpar_partition_name(d->fn.partition), lpar_disk_name(d), d->device,
		protected ? "protection information" : "larger blocks");
	/* which tells the client */
	mod_delayed_work(system_wq, &d->poll, 0);
}

/* Neither size nor features announce a change to who holds the device open. */
static void poll(struct work_struct *work)
{
	struct lpar_disk *d = container_of(work, struct lpar_disk, poll.work);
	struct lpar_disk_limits now, old;

	if (READ_ONCE(d->fn.dead)) {
		mutex_lock(&d->fn.partition->lock);
		lpar_partition_event_locked(d->fn.partition);
		mutex_unlock(&d->fn.partition->lock);
		return;
	}
	lpar_disk_limits(d, &old);
	lpar_disk_check_format(d, &old);
	get_limits(d->bdev, d->fn.mode, d->first, d->size >> SECTOR_SHIFT,
		   d->read_only, d->queues, &now);
	mutex_lock(&d->fn.partition->lock);
	lpar_disk_limits(d, &old);
	if (memcmp(&now, &old, sizeof(now)) && !set_limits(d, &now)) {
		pr_info("%s/%s: capabilities changed, %llu sectors\n",
			lpar_partition_name(d->fn.partition), lpar_disk_name(d),
			now.sectors);
		lpar_fn_changed_locked(&d->fn);
	}
	mutex_unlock(&d->fn.partition->lock);
	schedule_delayed_work(&d->poll, POLL_INTERVAL);
}

/* -------------------------------------------------------------- the device */

#define fail(d, ...) lpar_fn_fail(&(d)->fn, __VA_ARGS__)

/* Open the device, or join those who have it open already. */
static int backing_get(struct lpar_disk *d)
{
	struct lpar_backing *b;
	dev_t dev;
	int ret;

	lockdep_assert_held(&backings_lock);
	ret = lookup_bdev(d->device, &dev);
	if (ret)
		return fail(d, ret, ret == -ENOTBLK ? "%s is no block device" :
						      "%s does not exist",
			    d->device);
	list_for_each_entry(b, &backings, link)
		if (b->dev == dev) {
			if (!b->writable && !d->read_only)
				return fail(d, -EROFS, "%s is open read-only for another disk",
					    d->device);
			b->refs++;
			d->backing = b;
			return 0;
		}

	b = kzalloc(sizeof(*b), GFP_KERNEL);
	if (!b)
		return -ENOMEM;
	INIT_LIST_HEAD(&b->disks);
	b->dev = dev;
	b->refs = 1;
	b->writable = true;
	ret = lpar_compat_open(&b->bdev, d->device, true, b);
	if ((ret == -EACCES || ret == -EROFS) && d->read_only) {
		b->writable = false;
		ret = lpar_compat_open(&b->bdev, d->device, false, b);
	}
	if (ret) {
		kfree(b);
		if (ret == -EBUSY)
			return fail(d, ret, "%s is in use (mounted, swap, LVM, RAID, or one of its partitions is): 'lsblk %s' names the holder",
				    d->device, d->device);
		if (ret == -EACCES || ret == -EROFS)
			return fail(d, ret, "%s is read-only: set read_only",
				    d->device);
		return fail(d, ret, "%s cannot be opened (%d)", d->device, ret);
	}
	/* the path may lead elsewhere by now */
	if (lpar_compat_bdev(&b->bdev)->bd_dev != dev) {
		lpar_compat_close(&b->bdev);
		kfree(b);
		return fail(d, -EAGAIN, "%s has just become another device",
			    d->device);
	}
	list_add(&b->link, &backings);
	d->backing = b;
	return 0;
}

static void backing_put(struct lpar_disk *d)
{
	struct lpar_backing *b = d->backing;

	lockdep_assert_held(&backings_lock);
	d->backing = NULL;
	if (--b->refs)
		return;
	list_del(&b->link);
	lpar_compat_close(&b->bdev);
	kfree(b);
}

/* The wished range lies on the device, on whole blocks, and is nobody else's. */
static int check_range(struct lpar_disk *d)
{
	struct block_device *bdev = lpar_compat_bdev(&d->backing->bdev);
	u64 bytes = bdev_nr_bytes(bdev);
	u64 unit = max_t(u64, bdev_logical_block_size(bdev),
			 (u64)bdev_get_queue(bdev)->limits.chunk_sectors
				 << SECTOR_SHIFT);
	u64 size = d->size ?: (d->start < bytes ? bytes - d->start : 0);
	/* chunks count from the start of the whole disk */
	u64 base = (u64)get_start_sect(bdev) << SECTOR_SHIFT;
	struct lpar_disk *other;
	u64 odd;

	div64_u64_rem(base + d->start, unit, &odd);
	if (odd || size & (bdev_logical_block_size(bdev) - 1))
		return fail(d, -EINVAL, "start (at byte %llu of the whole disk) must be a multiple of %llu there and size one of %u",
			    base + d->start, unit, bdev_logical_block_size(bdev));
	if (!size || d->start > bytes || size > bytes - d->start)
		return fail(d, -ERANGE, "the range ends beyond the %llu bytes of %s",
			    bytes, d->device);
	list_for_each_entry(other, &d->backing->disks, range) {
		/* one that goes to the end may grow */
		u64 end = other->size ?: U64_MAX - other->start;

		if (d->read_only && other->read_only)
			continue;
		if (lpar_core_overlap(d->start,
				      d->size ?: U64_MAX - d->start,
				      other->start, end))
			return fail(d, -EBUSY, "the range overlaps disk %s of partition %s",
				    lpar_disk_name(other),
				    lpar_partition_name(other->fn.partition));
	}
	return 0;
}

/* ------------------------------------------------------------------- sysfs */

/* The folder's owner is the function that the disk begins with. */
static struct lpar_disk *owner_disk(struct kobject *kobj)
{
	return lpar_disk_of(lpar_node_owner(kobj));
}

#define SHOW(name, fmt, ...)						\
static ssize_t name##_show(struct kobject *kobj, struct kobj_attribute *attr, \
			   char *buf)					\
{									\
	struct lpar_disk *d = owner_disk(kobj);			\
									\
	return sysfs_emit(buf, fmt "\n", __VA_ARGS__);			\
}									\
static struct kobj_attribute attr_##name = __ATTR_RO(name)

SHOW(device, "%s", d->device);
SHOW(mode, "%s", lpar_fn_mode(d->fn.mode));
SHOW(reason, "%s", strchr(d->fn.status, ' ') ? strchr(d->fn.status, ' ') + 1 : "");
SHOW(adapter, "%s", d->fn.adapter ? pci_name(d->fn.adapter->pdev) : "");
SHOW(id, "%u", d->fn.id);
SHOW(generation, "%u", READ_ONCE(d->fn.generation));
SHOW(start, "%llu", d->start);
SHOW(state, "%s", lpar_fn_gone(&d->fn) ? "dead" : "live");

static ssize_t sectors_show(struct kobject *kobj, struct kobj_attribute *attr,
			    char *buf)
{
	struct lpar_disk_limits lim;

	lpar_disk_limits(owner_disk(kobj), &lim);
	return sysfs_emit(buf, "%llu\n", lim.sectors);
}
static struct kobj_attribute attr_sectors = __ATTR_RO(sectors);

static struct attribute *disk_attrs[] = {
	&attr_device.attr, &attr_mode.attr,	  &attr_reason.attr,
	&attr_adapter.attr, &attr_id.attr,	  &attr_generation.attr,
	&attr_start.attr,  &attr_state.attr,	  &attr_sectors.attr,
	NULL,
};
ATTRIBUTE_GROUPS(disk);

/* -------------------------------------------------------------- life cycle */

/* A serial of the names when none is given: unique even where they are long. */
static void set_serial(struct lpar_disk *d)
{
	const char *p = lpar_partition_name(d->fn.partition);
	const char *n = lpar_disk_name(d);

	if (snprintf(d->serial, sizeof(d->serial), "%s-%s", p, n) >=
	    (int)sizeof(d->serial))
		snprintf(d->serial, sizeof(d->serial), "%.11s-%08x", p,
			 jhash(n, strlen(n), jhash(p, strlen(p), 0)));
}

/**
 * lpar_disk_enable - make the wish real
 * @d: a disabled disk
 *
 * State: disabled => enabled. On an error nothing has changed but d->fn.status,
 * which says why.
 *
 * Context: partition->config is held; may sleep.
 * Return: 0 or a negative errno; see docs/operations.md.
 */
int lpar_disk_enable(struct lpar_disk *d)
{
	struct lpar_partition *p = d->fn.partition;
	struct lpar_verdict v = {};
	struct lpar_disk_limits lim;
	int ret;

	lockdep_assert_held(&p->config);
	if (!d->device[0])
		return fail(d, -EINVAL, "no device set");
	mutex_lock(&backings_lock);
	ret = backing_get(d);
	if (ret)
		goto err_unlock;
	d->bdev = lpar_compat_bdev(&d->backing->bdev);
	ret = check_range(d);
	if (ret)
		goto err_backing;
	ret = decide(d->bdev, d->wish, &v);
	if (ret) {
		ret = fail(d, ret, "%s", v.reason);
		goto err_pdev;
	}
	d->fn.mode = v.mode;
	d->fn.adapter = NULL;
	if (v.mode == LPAR_MODE_TAG) {
		ret = lpar_fn_take_adapter(&d->fn, v.pdev);
		if (ret)
			goto err_pdev;
	}
	d->first = d->start >> SECTOR_SHIFT;
	d->fn.nowait = submit_never_waits(d->bdev);
	get_limits(d->bdev, d->fn.mode, d->first, d->size >> SECTOR_SHIFT,
		   d->read_only, d->queues, &lim);
	d->fn.queues_max = lim.queues;
	mutex_lock(&p->lock);
	ret = set_limits(d, &lim);
	mutex_unlock(&p->lock);
	if (ret)
		goto err_adapter;
	snprintf(d->fn.status, sizeof(d->fn.status), "%s: %s",
		 lpar_fn_mode(d->fn.mode), v.reason);
	ret = lpar_fn_show(&d->fn, p->disks_node, disk_groups);
	if (ret)
		goto err_state;
	if (!d->serial[0])
		set_serial(d);

	list_add(&d->range, &d->backing->disks);
	mutex_unlock(&backings_lock);
	pci_dev_put(v.pdev);
	lpar_disk_settle(d);
	lpar_fn_publish(&d->fn);
	schedule_delayed_work(&d->poll, POLL_INTERVAL);
	return 0;

err_state:
	kfree(rcu_replace_pointer(d->state, NULL, true));
err_adapter:
	lpar_fn_give_adapter(&d->fn);
err_pdev:
	pci_dev_put(v.pdev);
err_backing:
	backing_put(d);
err_unlock:
	mutex_unlock(&backings_lock);
	return ret;
}

/**
 * lpar_disk_settle - what the host has of it in memory is what is on it
 * @d: enabled, and nobody's requests are on their way
 *
 * As long as it is shared it stays open, and so the kernel does not do this when a program
 * of the host closes the device. Requests of clients go round the host's page cache.
 *
 * Context: partition->config is held; sleeps as long as the device needs.
 */
void lpar_disk_settle(struct lpar_disk *d)
{
	/* an error is the device's, and the kernel has told */
	sync_blockdev(d->bdev);
	invalidate_bdev(d->bdev);
}

/* Likewise all of a partition's: its client comes or has gone. partition->config is held. */
void lpar_disks_settle(struct lpar_partition *p)
{
	struct lpar_fn *fn;

	lockdep_assert_held(&p->config);
	list_for_each_entry(fn, &p->functions, link)
		if (fn->type == LPAR_FUNCTION_DISK)
			lpar_disk_settle(lpar_disk_of(fn));
}

/**
 * lpar_disk_disable - give the device back
 * @d: an enabled disk
 * @force: also when the client uses it: its requests are waited for, later ones
 *         end with LPAR_GONE
 *
 * State: enabled => disabled.
 *
 * Context: partition->config is held; sleeps as long as the adapter needs.
 * Return: 0; -EBUSY: the client has queues on it.
 */
int lpar_disk_disable(struct lpar_disk *d, bool force)
{
	struct lpar_disk_state *old;
	int ret;

	ret = lpar_fn_withdraw(&d->fn, force);
	if (ret)
		return ret;
	cancel_delayed_work_sync(&d->poll);
	lpar_disk_settle(d);
	lpar_fn_hide(&d->fn);
	lpar_fn_give_adapter(&d->fn);
	old = rcu_replace_pointer(d->state, NULL, true);
	kfree_rcu(old, rcu);
	mutex_lock(&backings_lock);
	list_del(&d->range);
	backing_put(d);
	mutex_unlock(&backings_lock);
	lpar_fn_forget(&d->fn);
	return 0;
}

/* Wish only; called when the configfs item is made. */
void lpar_disk_setup(struct lpar_disk *d, struct lpar_partition *p)
{
	lpar_fn_setup(&d->fn, p, LPAR_FUNCTION_DISK);
	INIT_DELAYED_WORK(&d->poll, poll);
}

/**
 * lpar_disk_probe - what would become of a block device, see LPAR_PROBE
 * @probe: in: path; out: everything else
 *
 * Opens it for reading, not exclusively.
 *
 * Context: may sleep.
 * Return: 0, or why the device could not be opened; whether it can be shared
 * stands in @probe.
 */
int lpar_disk_probe(struct lpar_probe *probe)
{
	struct lpar_verdict v = {};
	struct lpar_disk_limits lim;
	struct block_device *bdev;
	struct lpar_bdev handle;
	int ret;

	ret = lpar_compat_open(&handle, probe->path, false, NULL);
	if (ret)
		return ret;
	bdev = lpar_compat_bdev(&handle);
	if (decide(bdev, LPAR_WISH_AUTO, &v))
		v.mode = LPAR_MODE_NONE;
	probe->mode = v.mode;
	strscpy(probe->reason, v.reason, sizeof(probe->reason));
	if (v.pdev) {
		strscpy(probe->adapter, pci_name(v.pdev), sizeof(probe->adapter));
		strscpy(probe->driver, dev_driver_string(&v.pdev->dev),
			sizeof(probe->driver));
	}
	pci_dev_put(v.pdev);
	get_limits(bdev, v.mode, 0, 0, false, 0, &lim);
	ret = lpar_core_records(probe->data, sizeof(probe->data), &lim,
				bdev->bd_disk->disk_name, "");
	probe->records = max(ret, 0);
	lpar_compat_close(&handle);
	return 0;
}
