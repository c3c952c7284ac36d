// SPDX-License-Identifier: GPL-2.0
/*
 * Functions: what the disks and NICs of a partition have in common. Their number,
 * their queues and counters, and how they come and go under a client.
 *
 * Locks: partition->config > client->lock > partition->lock; see docs/locking.md.
 */
#include <linux/slab.h>

#include "disk.h"
#include "function.h"
#include "queue.h"
#include "tag.h"
#include "window.h"

/* The mode in one word. */
const char *lpar_fn_mode(enum lpar_mode mode)
{
	static const char *const words[] = {
		[LPAR_MODE_NONE] = "none", [LPAR_MODE_TAG] = "tag",
		[LPAR_MODE_PAGE] = "page", [LPAR_MODE_COPY] = "copy",
	};

	return words[mode];
}

/* Wish only; called when the configfs item is made. */
void lpar_fn_setup(struct lpar_fn *fn, struct lpar_partition *p,
		   enum lpar_function_type type)
{
	fn->partition = p;
	fn->type = type;
	INIT_LIST_HEAD(&fn->queue_list);
	spin_lock_init(&fn->queues_lock);
	strscpy(fn->status, "disabled", sizeof(fn->status));
}

/* Say in its status why it was refused. partition->config is held. Return: @error. */
int lpar_fn_fail(struct lpar_fn *fn, int error, const char *fmt, ...)
{
	va_list args;
	int n;

	n = scnprintf(fn->status, sizeof(fn->status), "refused: ");
	va_start(args, fmt);
	vscnprintf(fn->status + n, sizeof(fn->status) - n, fmt, args);
	va_end(args);
	return error;
}

/* ------------------------------------------------------------------ adapters */

/* Is the driver of a device on a list that ends with NULL? Any context. */
bool lpar_fn_qualified(struct device *dev, const char *const *drivers)
{
	const char *name = dev_driver_string(dev);

	for (; *drivers; drivers++)
		if (!strcmp(name, *drivers))
			return true;
	return false;
}

/**
 * lpar_fn_take_adapter - tag mode: wrap the adapter, and have tags promised
 * @fn: not enabled; its adapter is NULL, and stays so on an error
 * @pdev: the adapter
 *
 * Context: partition->config is held, RTNL is not; sleeps until all tasks have been
 * elsewhere.
 * Return: 0, or an error, which its status explains.
 */
int lpar_fn_take_adapter(struct lpar_fn *fn, struct pci_dev *pdev)
{
	struct lpar_adapter *a = lpar_adapter_get(pdev);
	int ret;

	if (IS_ERR(a))
		return lpar_fn_fail(fn, PTR_ERR(a), "the DMA operations of %s cannot be wrapped (%ld)",
				    pci_name(pdev), PTR_ERR(a));
	ret = lpar_tag_promise(&fn->partition->tags);
	if (ret) {
		lpar_adapter_put(a);
		return lpar_fn_fail(fn, ret, "all memory tags are promised to other%s: load lpar_host with a larger tag_mib than %lu, %lu for each disk or NIC",
				    fn->type == LPAR_FUNCTION_DISK ? " disks" : "s",
				    lpar_tag_pages >> (20 - PAGE_SHIFT), LPAR_TAG_FLOOR_MIB);
	}
	fn->adapter = a;
	return 0;
}

/* The opposite; nothing to do without one. May sleep, RTNL is not held. */
void lpar_fn_give_adapter(struct lpar_fn *fn)
{
	if (!fn->adapter)
		return;
	lpar_tag_release(&fn->partition->tags);
	lpar_adapter_put(fn->adapter);
	fn->adapter = NULL;
}

/* ------------------------------------------------------------------ counters */

static void read_stats(void *owner, struct lpar_stats *sum)
{
	lpar_fn_stats(owner, sum);
}

/* Counters of a function: of its queues, and of those that it had. May sleep. */
void lpar_fn_stats(struct lpar_fn *fn, struct lpar_stats *sum)
{
	struct lpar_queue *q;

	spin_lock(&fn->queues_lock);
	lpar_stats_add(sum, &fn->past);
	list_for_each_entry(q, &fn->queue_list, link)
		lpar_queue_stats(q, sum);
	spin_unlock(&fn->queues_lock);
}

/* Its folder in sysfs, below @parent. May sleep. Return: 0 or an error. */
int lpar_fn_show(struct lpar_fn *fn, struct lpar_node *parent,
		 const struct attribute_group **groups)
{
	fn->node = lpar_node_create(&parent->kobj, lpar_fn_name(fn), groups, fn);
	if (IS_ERR(fn->node))
		return PTR_ERR(fn->node);
	fn->stats_node = lpar_node_stats(fn->node, fn, read_stats);
	fn->queues_node = lpar_node_create(&fn->node->kobj, "queues", NULL, fn);
	if (IS_ERR(fn->queues_node)) {
		lpar_node_remove(fn->stats_node);
		lpar_node_remove(fn->node);
		return PTR_ERR(fn->queues_node);
	}
	return 0;
}

/* The opposite of lpar_fn_show(). */
void lpar_fn_hide(struct lpar_fn *fn)
{
	lpar_node_remove(fn->queues_node);
	lpar_node_remove(fn->stats_node);
	lpar_node_remove(fn->node);
}

/* ---------------------------------------------------------------- life cycle */

/* The partition's function with this number, or NULL. partition->lock is held. */
struct lpar_fn *lpar_fn_find(struct lpar_partition *p, u32 id)
{
	struct lpar_fn *fn;

	lockdep_assert_held(&p->lock);
	list_for_each_entry(fn, &p->functions, link)
		if (fn->id == id)
			return fn;
	return NULL;
}

/* Has what it stands for been removed under us, or become another thing?
 * partition->lock is held. */
bool lpar_fn_gone(struct lpar_fn *fn)
{
	if (READ_ONCE(fn->dead) || (fn->adapter && READ_ONCE(fn->adapter->dying)))
		return true;
	return fn->type == LPAR_FUNCTION_DISK && lpar_disk_gone(lpar_disk_of(fn));
}

/* What the client is told has changed. partition->lock is held. */
void lpar_fn_changed_locked(struct lpar_fn *fn)
{
	fn->generation++;
	lpar_partition_event_locked(fn->partition);
}

/**
 * lpar_fn_publish - the client sees it from now on
 * @fn: complete
 *
 * State: disabled => enabled.
 *
 * Context: partition->config is held; may sleep.
 */
void lpar_fn_publish(struct lpar_fn *fn)
{
	struct lpar_partition *p = fn->partition;

	lockdep_assert_held(&p->config);
	fn->place = 0;
	fn->dead = false;
	fn->queues_live = 0;
	memset(&fn->past, 0, sizeof(fn->past));
	mutex_lock(&p->lock);
	fn->id = ++p->last_id;
	fn->generation = 1;
	list_add_tail(&fn->link, &p->functions);
	fn->enabled = true;
	lpar_partition_event_locked(p);
	mutex_unlock(&p->lock);
}

static bool adapter_shared(struct lpar_fn *fn)
{
	struct lpar_fn *other;

	list_for_each_entry(other, &fn->partition->functions, link)
		if (other != fn && other->adapter == fn->adapter)
			return true;
	return false;
}

/**
 * lpar_fn_withdraw - the client does not have it any more
 * @fn: enabled
 * @force: also when the client uses it: its requests are waited for, later ones
 *         end with LPAR_GONE
 *
 * State: enabled => leaving. Its counters go on being part of the partition's
 * until lpar_fn_forget().
 *
 * Context: partition->config is held; sleeps as long as the adapter needs.
 * Return: 0; -EBUSY: the client has queues on it, and nothing has happened.
 */
int lpar_fn_withdraw(struct lpar_fn *fn, bool force)
{
	struct lpar_partition *p = fn->partition;
	struct lpar_client *c = p->client;
	bool shared = false, busy;

	lockdep_assert_held(&p->config);
	if (c)
		mutex_lock(&c->lock);
	mutex_lock(&p->lock);
	busy = fn->queues_live && !force;
	if (!busy) {
		WRITE_ONCE(fn->dead, true);
		list_move(&fn->link, &p->leaving);
		shared = fn->adapter && adapter_shared(fn);
		lpar_partition_event_locked(p);
	}
	mutex_unlock(&p->lock);
	if (!busy && c) {
		lpar_queue_destroy_all(c, fn, false);
		if (fn->adapter && !shared)
			lpar_window_drop_adapter(c, fn->adapter);
	}
	if (c)
		mutex_unlock(&c->lock);
	return busy ? -EBUSY : 0;
}

/* leaving => disabled: its counters become the partition's. May sleep. */
void lpar_fn_forget(struct lpar_fn *fn)
{
	struct lpar_partition *p = fn->partition;

	mutex_lock(&p->lock);
	list_del(&fn->link);
	lpar_stats_add(&p->past, &fn->past);
	fn->enabled = false;
	mutex_unlock(&p->lock);
	strscpy(fn->status, "disabled", sizeof(fn->status));
}
