// SPDX-License-Identifier: GPL-2.0
/*
 * A disk's life: queues, tags, the gendisk, changes, the end.
 */
#include <linux/idr.h>
#include <linux/moduleparam.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>

#include "blk.h"
#include "channel.h"
#include "disk.h"
#include "net.h"
#include "policy.h"
#include "window.h"

static unsigned int queue_depth;
module_param(queue_depth, uint, 0644);
MODULE_PARM_DESC(queue_depth, "Most requests on one queue (0: as the host proposes)");

static unsigned int poll_queues;
module_param(poll_queues, uint, 0644);
MODULE_PARM_DESC(poll_queues, "Queues of each new disk without an interrupt, for polled I/O: one for each CPU at most; one at least has an interrupt");

#define DISK_PART_BITS	4	/* minors of one disk */
#define DISK_LOOK	(HZ / 50)	/* between looks for what nobody looks for any more */

static int disk_major;
static DEFINE_IDA(disk_ida);

/* ------------------------------------------------------------- sysfs */

static struct lpar_disk *disk_from(struct device *dev)
{
	return dev_to_disk(dev)->private_data;
}

static ssize_t serial_show(struct device *dev, struct device_attribute *attr,
			   char *buf)
{
	return sysfs_emit(buf, "%s\n", disk_from(dev)->caps.serial);
}

static ssize_t doorbells_show(struct device *dev, struct device_attribute *attr,
			      char *buf)
{
	struct lpar_disk *disk = disk_from(dev);
	u64 sum = 0;
	u32 i;

	for (i = 0; i < disk->nr_queues; i++)
		sum += READ_ONCE(disk->queues[i]->doorbells);
	return sysfs_emit(buf, "%llu\n", sum);
}

static ssize_t requests_show(struct device *dev, struct device_attribute *attr,
			     char *buf)
{
	struct lpar_disk *disk = disk_from(dev);
	u64 sum = 0;
	u32 i;

	for (i = 0; i < disk->nr_queues; i++)
		sum += READ_ONCE(disk->queues[i]->requests);
	return sysfs_emit(buf, "%llu\n", sum);
}

static ssize_t windows_mapped_show(struct device *dev,
				   struct device_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%u\n",
			  READ_ONCE(disk_from(dev)->dev->windows.count));
}

static DEVICE_ATTR_RO(serial);
static DEVICE_ATTR_RO(doorbells);
static DEVICE_ATTR_RO(requests);
static DEVICE_ATTR_RO(windows_mapped);

static struct attribute *disk_attrs[] = {
	&dev_attr_serial.attr,
	&dev_attr_doorbells.attr,
	&dev_attr_requests.attr,
	&dev_attr_windows_mapped.attr,
	NULL,
};

static const struct attribute_group disk_group = {
	.attrs = disk_attrs,
};

/* ---------------------------------------------------------- lifetime */

static void disk_free(struct gendisk *gendisk)
{
	struct lpar_disk *disk = gendisk->private_data;

	ida_free(&disk_ida, disk->index);
	lpar_policy_free(disk);
	kfree(disk);
}

static const struct block_device_operations disk_fops = {
	.owner		= THIS_MODULE,
	.free_disk	= disk_free,
};

/* lpda, …, lpdz, lpdaa, … */
static void disk_name(char name[DISK_NAME_LEN], unsigned int index)
{
	char *at = name + DISK_NAME_LEN;
	unsigned int left = index + 1;

	*--at = '\0';
	do {
		*--at = 'a' + (left - 1) % 26;
		left = (left - 1) / 26;
	} while (left);
	memmove(name + 3, at, name + DISK_NAME_LEN - at);
	memcpy(name, "lpd", 3);
}

static int disk_query(struct lpar_device *dev, u32 function,
		      struct lpar_caps *caps, u32 *generation)
{
	const char *why = NULL;
	void *data;
	u32 len;
	int err;

	data = lpar_function_records(dev, function, &len, generation);
	if (IS_ERR(data))
		return PTR_ERR(data);
	err = lpar_caps_parse(data, len, caps, &why);
	if (err)
		lpar_function_refuse(dev, function, why);
	kfree(data);
	return err;
}

static void disk_free_queues(struct lpar_disk *disk)
{
	u32 number, i;

	for (i = 0; i < disk->nr_queues; i++) {
		number = disk->queues[i]->number;
		lpar_queue_destroy(disk->queues[i]);
		lpar_queue_irq_put(disk->queues[i]);
		lpar_queue_free(disk->queues[i]);
		lpar_queue_number_put(disk->dev, number);
	}
	disk->nr_queues = 0;
}

static u32 disk_depth(const struct lpar_caps *caps)
{
	u32 depth;

	if (!queue_depth)
		return caps->depth;
	depth = clamp_t(u32, queue_depth, LPAR_QUEUE_DEPTH_MIN, caps->depth_most);
	return rounddown_pow_of_two(depth);
}

/* All queues of a disk have one depth: what there is memory for. */
static int disk_alloc_queues(struct lpar_disk *disk, u32 nr)
{
	u32 depth = disk_depth(&disk->caps), number;
	struct lpar_device *dev = disk->dev;
	struct lpar_queue *q;

again:
	while (disk->nr_queues < nr) {
		number = lpar_queue_number_get(dev);
		if (!number)
			return -ENOSPC;
		q = lpar_queue_alloc(dev, number, depth, disk->caps.segments);
		if (!q) {
			lpar_queue_number_put(dev, number);
			goto err_depth;
		}
		disk->queues[disk->nr_queues++] = q;
	}
	return 0;

err_depth:
	disk_free_queues(disk);
	if (depth == LPAR_QUEUE_DEPTH_MIN)
		return -ENOMEM;
	depth /= 2;
	goto again;
}

static int disk_create_queues(struct lpar_disk *disk)
{
	struct blk_mq_queue_map *map = &disk->tags.map[HCTX_TYPE_DEFAULT];
	cpumask_var_t cpus;
	unsigned int cpu;
	int err = 0;
	u32 i;

	if (!zalloc_cpumask_var(&cpus, GFP_KERNEL))
		return -ENOMEM;
	for (i = 0; i < disk->nr_queues && !err; i++) {
		disk->queues[i]->polled = i >= disk->nr_queues - disk->nr_polled;
		cpumask_clear(cpus);
		for_each_possible_cpu(cpu) {
			if (map->mq_map[cpu] == i)
				cpumask_set_cpu(cpu, cpus);
		}
		if (!disk->queues[i]->polled)
			err = lpar_queue_irq_get(disk->queues[i], cpus,
						 lpar_queue_irq);
		if (!err)
			err = lpar_queue_create(disk->queues[i], disk->function);
	}
	free_cpumask_var(cpus);
	return err;
}

static void disk_set_size(struct lpar_disk *disk, const struct lpar_caps *caps)
{
	set_capacity_and_notify(disk->gendisk, caps->sectors);
	set_disk_ro(disk->gendisk, caps->read_only);
}

static int disk_alloc_gendisk(struct lpar_disk *disk)
{
	struct queue_limits lim = {};
	struct gendisk *gendisk;

	lpar_limits_fill(&lim, &disk->caps);
	gendisk = blk_mq_alloc_disk(&disk->tags, &lim, disk);
	if (IS_ERR(gendisk))
		return PTR_ERR(gendisk);
	gendisk->major = disk_major;
	gendisk->first_minor = disk->index << DISK_PART_BITS;
	gendisk->minors = 1 << DISK_PART_BITS;
	gendisk->fops = &disk_fops;
	gendisk->private_data = disk;
	disk_name(gendisk->disk_name, disk->index);
	disk->gendisk = gendisk;
	disk_set_size(disk, &disk->caps);
	return 0;
}

static int disk_alloc_tags(struct lpar_disk *disk)
{
	struct blk_mq_tag_set *tags = &disk->tags;

	tags->ops = &lpar_blk_ops;
	tags->nr_hw_queues = disk->nr_queues;
	tags->nr_maps = disk->nr_polled ? HCTX_MAX_TYPES : 1;
	tags->queue_depth = disk->queues[0]->depth;
	tags->numa_node = dev_to_node(&disk->dev->pdev->dev);
	tags->flags = BLK_MQ_F_SHOULD_MERGE;
	/* Where no head moves, what order there is to make is made on the host.
	 * The administrator may still choose a scheduler. */
	if (!disk->caps.rotational)
		tags->flags |= BLK_MQ_F_NO_SCHED_BY_DEFAULT;
	tags->cmd_size = lpar_blk_pdu_size(disk->caps.segments);
	tags->driver_data = disk;
	return blk_mq_alloc_tag_set(tags);
}

/**
 * lpar_disk_add - a disk for a function that has none
 * @dev:      the device
 * @function: id
 * @share:    how many queues it may have
 *
 * Sleeps, with disks_lock held.
 *
 * Return: 0 or a negative errno.
 */
int lpar_disk_add(struct lpar_device *dev, u32 function, u32 share)
{
	struct lpar_disk *disk;
	struct lpar_caps caps;
	u32 generation, most, polled, nr;
	int err;

	lockdep_assert_held(&dev->disks_lock);
	err = disk_query(dev, function, &caps, &generation);
	if (err)
		return err;

	most = min(caps.queues, share);
	/* more than one for each CPU cannot be mapped */
	polled = min3(poll_queues, most - 1, num_possible_cpus());
	nr = min(num_online_cpus(), most - polled) + polled;
	disk = kzalloc(struct_size(disk, queues, nr), GFP_KERNEL);
	if (!disk)
		return -ENOMEM;
	disk->dev = dev;
	mutex_init(&disk->policy_lock);
	disk->function = function;
	disk->generation = generation;
	disk->caps = caps;
	disk->nr_polled = polled;

	disk->index = ida_alloc_max(&disk_ida, MINORMASK >> DISK_PART_BITS,
				    GFP_KERNEL);
	if (disk->index < 0) {
		err = disk->index;
		goto err_free;
	}
	err = disk_alloc_queues(disk, nr);
	if (err)
		goto err_free_queues;
	err = disk_alloc_tags(disk);
	if (err)
		goto err_free_queues;
	err = disk_create_queues(disk);
	if (err)
		goto err_free_tags;
	err = disk_alloc_gendisk(disk);
	if (err)
		goto err_free_tags;

	err = lpar_policy_add(disk, &disk_group);
	if (err)
		goto err_put;

	/* It may be used, and read for partitions, before this returns. */
	list_add_tail(&disk->node, &dev->disks);
	err = device_add_disk(&dev->pdev->dev, disk->gendisk, disk->groups);
	if (err)
		goto err_del;
	dev_info(&dev->pdev->dev, "%s: function %u, %llu sectors, %u x %u requests%s%s\n",
		 disk->gendisk->disk_name, function, caps.sectors, nr,
		 disk->tags.queue_depth, caps.name[0] ? ", " : "", caps.name);
	return 0;

err_del:
	list_del(&disk->node);
err_put:
	/* Never added, so free_disk is not called. */
	put_disk(disk->gendisk);
err_free_tags:
	disk_free_queues(disk);
	blk_mq_free_tag_set(&disk->tags);
	goto err_free_index;
err_free_queues:
	disk_free_queues(disk);
err_free_index:
	ida_free(&disk_ida, disk->index);
err_free:
	lpar_policy_free(disk);
	kfree(disk);
	return err;
}

/**
 * lpar_disk_remove - the opposite of lpar_disk_add()
 * @disk: gone after this, though it may be open
 * @dead: its function is not there any more, so writing back is no use
 *
 * Sleeps, with disks_lock held.
 */
void lpar_disk_remove(struct lpar_disk *disk, bool dead)
{
	struct lpar_device *dev = disk->dev;
	u32 i;

	lockdep_assert_held(&dev->disks_lock);
	dev_info(&dev->pdev->dev, "%s: removed\n", disk->gendisk->disk_name);
	if (dead) {
		WRITE_ONCE(disk->dead, true);
		/* First, since file systems wait for it when they are told. */
		for (i = 0; i < disk->nr_queues; i++)
			lpar_queue_abandon(disk->queues[i]);
		lpar_window_kick(dev);
		blk_mark_disk_dead(disk->gendisk);
		set_capacity(disk->gendisk, 0);
	}
	/* Waits for the requests that the host has; they end or time out. */
	del_gendisk(disk->gendisk);
	list_del(&disk->node);
	disk_free_queues(disk);
	blk_mq_free_tag_set(&disk->tags);
	put_disk(disk->gendisk);
}

/* ------------------------------------------------------------ changes */

static void disk_log_changes(struct lpar_disk *disk, const struct lpar_caps *to)
{
	const struct lpar_caps *from = &disk->caps;
	const char *name = disk->gendisk->disk_name;
	struct device *dev = &disk->dev->pdev->dev;

	if (from->sectors != to->sectors)
		dev_info_ratelimited(dev, "%s: capacity %llu, was %llu sectors\n", name,
				     to->sectors, from->sectors);
	if (from->write_cache != to->write_cache || from->fua != to->fua)
		dev_info_ratelimited(dev, "%s: write cache %d, FUA %d\n", name,
				     to->write_cache, to->fua);
	if (from->read_only != to->read_only)
		dev_info_ratelimited(dev, "%s: read-only %d\n", name, to->read_only);
	if (from->discard_sectors != to->discard_sectors)
		dev_info_ratelimited(dev, "%s: discard %u, was %u sectors\n", name,
				     to->discard_sectors, from->discard_sectors);
	if (from->max_sectors != to->max_sectors || from->segments != to->segments)
		dev_info_ratelimited(dev, "%s: requests of %u sectors in %u segments\n",
				     name, to->max_sectors, to->segments);
}

/*
 * Wait for all requests, those that end when somebody looks for them as well: whoever would
 * have looked is frozen already. False: the host ends no reset, and so they do not end; new
 * ones are kept out all the same.
 */
static bool disk_freeze(struct lpar_disk *disk)
{
	struct request_queue *queue = disk->gendisk->queue;
	u32 i;

	blk_freeze_queue_start(queue);
	while (blk_mq_freeze_queue_wait_timeout(queue, DISK_LOOK) <= 0) {
		if (READ_ONCE(disk->dev->deaf))
			return false;
		for (i = 0; i < disk->nr_queues; i++)
			if (disk->queues[i]->polled)
				lpar_ring_poll(disk->queues[i]);
	}
	return true;
}

/**
 * lpar_disk_refresh - take changed capabilities over
 * @disk: nothing is on its way while its limits change
 *
 * Sleeps, with disks_lock held.
 *
 * Return: 0 or a negative errno; -ESTALE when it takes a new disk.
 */
int lpar_disk_refresh(struct lpar_disk *disk)
{
	struct request_queue *queue = disk->gendisk->queue;
	struct lpar_device *dev = disk->dev;
	struct queue_limits lim;
	struct lpar_caps caps;
	u32 generation;
	int err;

	lockdep_assert_held(&dev->disks_lock);
	err = disk_query(dev, disk->function, &caps, &generation);
	if (err)
		return err;
	/* Users of a disk do not bear a new block size. */
	if (caps.logical_block != disk->caps.logical_block)
		return -ESTALE;
	/* The rings were made for so many. */
	caps.segments = min(caps.segments, disk->queues[0]->segs);

	if (lpar_limits_differ(&caps, &disk->caps)) {
		lim = queue_limits_start_update(queue);
		lpar_limits_fill(&lim, &caps);
		/* which waits as well, but looks for none */
		if (disk_freeze(disk)) {
			err = queue_limits_commit_update_frozen(queue, &lim);
		} else {
			queue_limits_cancel_update(queue);
			err = -ETIMEDOUT;
		}
		lpar_compat_unfreeze(queue);
		if (err)
			return err;
	}
	disk_log_changes(disk, &caps);
	disk_set_size(disk, &caps);
	/* The name and the serial number are those that it was added with. */
	memcpy(caps.name, disk->caps.name, sizeof(caps.name));
	memcpy(caps.serial, disk->caps.serial, sizeof(caps.serial));
	disk->caps = caps;
	disk->generation = generation;
	return 0;
}

/**
 * lpar_disk_stop_all - let nothing new out, wait for what is on its way; NICs as well
 * @dev: the device; the channel may be reset after this
 *
 * Sleeps, takes disks_lock. Requests wait until lpar_disk_start_all().
 *
 * Return: 0, or -ETIMEDOUT when the host ends neither what it has nor a reset.
 */
int lpar_disk_stop_all(struct lpar_device *dev)
{
	struct lpar_disk *disk;
	int err = 0;
	u32 i;

	mutex_lock(&dev->disks_lock);
	dev->stopped = true;
	lpar_net_stop_all(dev);
	list_for_each_entry(disk, &dev->disks, node) {
		if (!disk_freeze(disk))
			err = -ETIMEDOUT;
		blk_mq_quiesce_queue(disk->gendisk->queue);
		lpar_compat_unfreeze(disk->gendisk->queue);
		for (i = 0; i < disk->nr_queues; i++)
			lpar_queue_destroy(disk->queues[i]);
	}
	mutex_unlock(&dev->disks_lock);
	return err;
}

struct disk_search {
	struct lpar_disk *disk;
	const char *what;	/* tells the one with its number from it */
};

/* Asks the host. Return: 0, -ESTALE: it is another one; or a negative errno. */
static int disk_is(void *arg, u32 number)
{
	struct disk_search *search = arg;
	struct lpar_disk *disk = search->disk;
	struct lpar_caps caps;
	const char *what;
	u32 generation;
	int err;

	err = disk_query(disk->dev, number, &caps, &generation);
	if (err)
		return err;
	what = lpar_caps_foreign(&disk->caps, &caps);
	if (number == disk->function)
		search->what = what;
	if (what)
		return -ESTALE;
	/* Have the rest looked at, too: generations of two hosts do not compare. */
	disk->generation = generation - 1;
	return 0;
}

/*
 * Which function is the disk that its users know, and may write to? While the guest
 * slept, or was an image in a file, the host may have come to mean another one by the
 * same number. Nothing has been told of the queues yet.
 */
static int disk_recognise(struct lpar_disk *disk, const struct lpar_function *functions,
			  u32 count)
{
	struct disk_search search = { .disk = disk };
	struct device *dev = &disk->dev->pdev->dev;
	u32 number = disk->function;
	int err;

	err = lpar_function_again(functions, count, LPAR_FUNCTION_DISK, &number, disk_is,
				  &search);
	if (err == -ESTALE)
		dev_err(dev, "%s: another disk has taken its place (%s): its requests fail\n",
			disk->gendisk->disk_name, search.what);
	if (number != disk->function)
		dev_info(dev, "%s: function %u, was %u\n", disk->gendisk->disk_name, number,
			 disk->function);
	disk->function = number;
	return err;
}

static int disk_start(struct lpar_disk *disk, const struct lpar_function *functions, u32 count)
{
	int err;
	u32 i;

	err = disk_recognise(disk, functions, count);
	for (i = 0; i < disk->nr_queues && !err; i++)
		err = lpar_queue_create(disk->queues[i], disk->function);
	return err;
}

/**
 * lpar_disk_start_all - the opposite of lpar_disk_stop_all()
 * @dev: with its channel open again, or broken: then what waited fails. Nothing
 *       happens to one that was not stopped
 *
 * A disk that does not start, or is not there any more, is dead from here on: what
 * waited for it fails, and the next look at the functions removes it.
 *
 * Sleeps, takes disks_lock.
 */
void lpar_disk_start_all(struct lpar_device *dev)
{
	struct lpar_function *functions;
	struct lpar_disk *disk;
	unsigned int noio;
	int count = 0;

	mutex_lock(&dev->disks_lock);
	if (!dev->stopped)
		goto out;
	/* No memory is to be had by writing to a disk that waits for this. */
	noio = memalloc_noio_save();
	functions = kmalloc(LPAR_CHANNEL_DATA, GFP_KERNEL);
	if (functions && !lpar_device_broken(dev))
		count = max(lpar_function_list(dev, functions), 0);
	list_for_each_entry(disk, &dev->disks, node) {
		if (!disk->dead && !lpar_device_broken(dev) &&
		    disk_start(disk, functions, count))
			WRITE_ONCE(disk->dead, true);
		blk_mq_unquiesce_queue(disk->gendisk->queue);
	}
	/* before anybody makes requests that an adapter it is on now would refuse */
	list_for_each_entry(disk, &dev->disks, node)
		if (!disk->dead && !lpar_device_broken(dev) &&
		    lpar_disk_refresh(disk) == -ESTALE)
			WRITE_ONCE(disk->dead, true);
	memalloc_noio_restore(noio);
	lpar_net_start_all(dev, functions, count);
	kfree(functions);
	dev->stopped = false;
out:
	mutex_unlock(&dev->disks_lock);
}

/**
 * lpar_disk_remove_all - the device is going away
 * @dev: working (dirty data is written back) or broken (it fails)
 *
 * Sleeps, takes disks_lock.
 */
void lpar_disk_remove_all(struct lpar_device *dev)
{
	struct lpar_disk *disk, *next;

	if (lpar_device_broken(dev))
		flush_delayed_work(&dev->reset_work);
	if (dev->stopped)
		lpar_disk_start_all(dev);
	mutex_lock(&dev->disks_lock);
	list_for_each_entry_safe(disk, next, &dev->disks, node)
		lpar_disk_remove(disk, lpar_device_broken(dev));
	lpar_net_remove_all(dev);
	mutex_unlock(&dev->disks_lock);
}

/**
 * lpar_disk_register - once for the module
 *
 * Return: 0 or a negative errno.
 */
int lpar_disk_register(void)
{
	BUILD_BUG_ON(PAGE_SIZE != 4096);	/* caps.c and the wire say so */

	disk_major = register_blkdev(0, "lpd");
	return min(disk_major, 0);
}

/**
 * lpar_disk_unregister - the opposite of lpar_disk_register()
 */
void lpar_disk_unregister(void)
{
	unregister_blkdev(disk_major, "lpd");
	ida_destroy(&disk_ida);
}
