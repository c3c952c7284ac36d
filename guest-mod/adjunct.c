// SPDX-License-Identifier: GPL-2.0
/*
 * Adjuncts: services in memory and on time that this guest donates, and out of its reach
 * (seed 003, figs. 4B and 6). Here: a device's slots, and the node that is opened to use
 * one (adjunct_file.c).
 */
#include <linux/idr.h>
#include <linux/interrupt.h>
#include <linux/slab.h>

#include "adjunct.h"
#include "adjunct_file.h"
#include "adjunct_policy.h"

static DEFINE_IDA(adjunct_ids);

/**
 * lpar_adjuncts_free - nobody uses them any more
 * @ref: lpar_adjuncts.ref
 *
 * Any context.
 */
void lpar_adjuncts_free(struct kref *ref)
{
	struct lpar_adjuncts *group = container_of(ref, struct lpar_adjuncts, ref);

	lpar_adjunct_policy_free(group);
	kfree(group);
}

/**
 * lpar_adjunct_slots - how many adjuncts a device has room for
 * @dev: with its registers mapped
 *
 * Return: 0 … LPAR_ADJUNCTS_MAX.
 */
u32 lpar_adjunct_slots(const struct lpar_device *dev)
{
	resource_size_t room = pci_resource_len(dev->pdev, LPAR_BAR_ADJUNCT);
	u32 slots = ioread32(dev->regs + LPAR_REG_ADJUNCTS);

	if (!(pci_resource_flags(dev->pdev, LPAR_BAR_ADJUNCT) & IORESOURCE_MEM))
		return 0;
	return min3((u64)slots, (u64)room / LPAR_ADJUNCT_SLOT, (u64)LPAR_ADJUNCTS_MAX);
}

/**
 * lpar_adjunct_add - make the node, if the device has slots
 * @dev:          that answers
 * @first_vector: MSI-X vector of slot 0
 * @vectors:      how many there are for slots
 *
 * May sleep.
 *
 * Return: 0 or a negative errno.
 */
int lpar_adjunct_add(struct lpar_device *dev, u32 first_vector, u32 vectors)
{
	struct lpar_adjuncts *group;
	int err;

	if (!lpar_adjunct_slots(dev))
		return 0;
	group = kzalloc(sizeof(*group), GFP_KERNEL);
	if (!group)
		return -ENOMEM;
	kref_init(&group->ref);
	group->dev = dev;
	group->slots = lpar_adjunct_slots(dev);
	group->vector = first_vector;
	group->vectors = vectors;
	init_rwsem(&group->life);
	mutex_init(&group->lock);
	INIT_LIST_HEAD(&group->files);
	err = ida_alloc(&adjunct_ids, GFP_KERNEL);
	if (err < 0)
		goto err_put;
	group->id = err;
	err = lpar_adjunct_policy_add(group);
	if (err)
		goto err_stop;
	/* The first one, mostly the only one, has no number. */
	if (group->id)
		snprintf(group->name, sizeof(group->name), "lpar-adjunct%d", group->id);
	else
		strscpy(group->name, "lpar-adjunct", sizeof(group->name));
	group->misc.minor = MISC_DYNAMIC_MINOR;
	group->misc.name = group->name;
	group->misc.fops = &lpar_adjunct_fops;
	group->misc.parent = &dev->pdev->dev;
	group->misc.mode = 0600;
	err = misc_register(&group->misc);
	if (err)
		goto err_stop;
	dev->adjuncts = group;
	return 0;

err_stop:
	lpar_adjunct_policy_stop(group);
	ida_free(&adjunct_ids, group->id);
err_put:
	kref_put(&group->ref, lpar_adjuncts_free);
	return err;
}

static void adjuncts_hang_up(struct lpar_adjuncts *group)
{
	struct adjunct_file *f;

	mutex_lock(&group->lock);
	list_for_each_entry(f, &group->files, node) {
		WRITE_ONCE(f->hangup, true);
		wake_up_interruptible(&f->wait);
	}
	mutex_unlock(&group->lock);
}

/* All files lose their adjuncts; nobody uses the device when this returns. */
static void adjuncts_end_locked(struct lpar_adjuncts *group)
{
	struct adjunct_file *f, *found;

	lockdep_assert_held_write(&group->life);
	adjuncts_hang_up(group);
	for (;;) {
		mutex_lock(&group->lock);
		found = NULL;
		list_for_each_entry(f, &group->files, node) {
			if (f->slot >= 0)
				found = f;
		}
		mutex_unlock(&group->lock);
		if (!found)
			break;
		/* It stays: files come without @life, but do not go. */
		lpar_adjunct_destroy(found);
	}
}

/**
 * lpar_adjunct_stop - end all adjuncts: running => stopped
 * @dev: suspended, or about to be reset
 *
 * Sleeps, for as long as the donations that are under way: a quantum.
 */
void lpar_adjunct_stop(struct lpar_device *dev)
{
	struct lpar_adjuncts *group = dev->adjuncts;

	if (!group)
		return;
	/* Whoever holds @life looks at it between two donations. */
	WRITE_ONCE(group->stopped, true);
	down_write(&group->life);
	adjuncts_end_locked(group);
	up_write(&group->life);
}

/**
 * lpar_adjunct_start - new adjuncts may be made: stopped => running
 * @dev: that answers again
 *
 * May sleep.
 */
void lpar_adjunct_start(struct lpar_device *dev)
{
	struct lpar_adjuncts *group = dev->adjuncts;

	if (!group)
		return;
	down_write(&group->life);
	WRITE_ONCE(group->stopped, false);
	up_write(&group->life);
}

/**
 * lpar_adjunct_broken - nothing more is to be expected of the host
 * @dev: lpar_device_broken()
 *
 * Wakes those who poll. Calls find out by themselves. Sleeps.
 */
void lpar_adjunct_broken(struct lpar_device *dev)
{
	if (dev->adjuncts)
		adjuncts_hang_up(dev->adjuncts);
}

/**
 * lpar_adjunct_remove - no program reaches the device any more
 * @dev: its interrupts are still there; files may stay open
 *
 * Sleeps, for as long as the donations that are under way: a quantum; and until the slots'
 * threads have had their CPUs once more.
 */
void lpar_adjunct_remove(struct lpar_device *dev)
{
	struct lpar_adjuncts *group = dev->adjuncts;

	if (!group)
		return;
	misc_deregister(&group->misc);
	WRITE_ONCE(group->stopped, true);
	down_write(&group->life);
	adjuncts_end_locked(group);
	group->gone = true;
	group->dev = NULL;
	up_write(&group->life);
	lpar_adjunct_policy_stop(group);
}

/**
 * lpar_adjunct_free - the opposite of lpar_adjunct_add()
 * @dev: after lpar_adjunct_remove(), and lpar_adjunct_broken() is not called any more
 *
 * May sleep.
 */
void lpar_adjunct_free(struct lpar_device *dev)
{
	struct lpar_adjuncts *group = dev->adjuncts;

	if (!group)
		return;
	dev->adjuncts = NULL;
	ida_free(&adjunct_ids, group->id);
	kref_put(&group->ref, lpar_adjuncts_free);
}
