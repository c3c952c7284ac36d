/* SPDX-License-Identifier: GPL-2.0 */
#ifndef LPAR_HOST_FUNCTION_H
#define LPAR_HOST_FUNCTION_H

#include <linux/configfs.h>
#include <linux/list.h>
#include <linux/workqueue.h>

#include "adapter.h"
#include "partition.h"
#include "window.h"

#define LPAR_PCI_ADDRESS	24	/* "0000:00:00.0" and its NUL, domains of 32 bits */

/* How the adapter reaches the client's data; shown in words. */
const char *lpar_fn_mode(enum lpar_mode mode);

/**
 * struct lpar_fn - a function of a partition: what its disks, NICs and mailboxes have in common
 *
 * Embedded in struct lpar_disk, struct lpar_nic and struct lpar_mailbox, which hold the
 * administrator's wish. The lower part is what enabling it made of the wish.
 *
 * @group:       its configfs item, whose release frees the function
 * @partition:   whose it is
 * @type:        LPAR_FUNCTION_*
 * @enabled:     the lower part is valid; under partition->config
 * @status:      what became of the wish, in words
 * @link:        in partition->functions, or ->leaving
 * @mode:        in force
 * @adapter:     in tag mode, referenced; else NULL
 * @place:       of @adapter in lpar_client.adapter
 * @nowait:      serving its queues never waits, so vCPU threads may do it
 * @id:          its number; not used again by the partition
 * @generation:  goes up when what the client is told changes; partition->lock
 * @queues_max:  that the client may have on it; under partition->lock
 * @queues_live: that it has; likewise
 * @dead:        taken away under a client: requests end with LPAR_GONE
 * @node:        folder in sysfs
 * @queues_node: its folder "queues"
 * @stats_node:  its folder "stats"
 * @past:        counters of queues that are gone; under @queues_lock
 * @queues_lock: protects @queue_list and @past
 * @queue_list:  lpar_queue.link of the queues on it
 */
struct lpar_fn {
	struct config_group group;
	struct lpar_partition *partition;
	enum lpar_function_type type;
	bool enabled;
	char status[LPAR_WHY_MAX + 80];

	struct list_head link;
	enum lpar_mode mode;
	struct lpar_adapter *adapter;
	int place;
	bool nowait;
	u32 id;
	u32 generation;
	u32 queues_max;
	u32 queues_live;
	bool dead;

	struct lpar_node *node;
	struct lpar_node *queues_node;
	struct lpar_node *stats_node;
	struct lpar_stats past;
	spinlock_t queues_lock;		/* past, queue_list */
	struct list_head queue_list;
};

void lpar_fn_setup(struct lpar_fn *fn, struct lpar_partition *p,
		   enum lpar_function_type type);
__printf(3, 4)
int lpar_fn_fail(struct lpar_fn *fn, int error, const char *fmt, ...);
bool lpar_fn_qualified(struct device *dev, const char *const *drivers);
int lpar_fn_take_adapter(struct lpar_fn *fn, struct pci_dev *pdev);
void lpar_fn_give_adapter(struct lpar_fn *fn);
int lpar_fn_show(struct lpar_fn *fn, struct lpar_node *parent,
		 const struct attribute_group **groups);
void lpar_fn_hide(struct lpar_fn *fn);
void lpar_fn_publish(struct lpar_fn *fn);
int lpar_fn_withdraw(struct lpar_fn *fn, bool force);
void lpar_fn_forget(struct lpar_fn *fn);
void lpar_fn_changed_locked(struct lpar_fn *fn);
bool lpar_fn_gone(struct lpar_fn *fn);
struct lpar_fn *lpar_fn_find(struct lpar_partition *p, u32 id);
void lpar_fn_stats(struct lpar_fn *fn, struct lpar_stats *sum);

/**
 * lpar_fn_block - the tags that stand for a window before the function's adapter
 * @fn: a function in tag mode, with a queue
 * @w: a window that the caller uses
 *
 * The function's place may be that of another adapter, whose last function is just
 * going: hence the read side. A mapping for the function's own adapter stays as
 * long as the function has a queue.
 *
 * Context: any.
 * Return: the block, or -1.
 */
static inline int lpar_fn_block(const struct lpar_fn *fn, struct lpar_window *w)
{
	struct lpar_map *m;
	int block = -1;

	rcu_read_lock();
	/* pairs with smp_store_release in map_adapter() */
	m = smp_load_acquire(&w->map[READ_ONCE(fn->place)]);
	if (m && m->adapter == fn->adapter)
		block = m->block;
	rcu_read_unlock();
	return block;
}

static inline const char *lpar_fn_name(struct lpar_fn *fn)
{
	return config_item_name(&fn->group.cg_item);
}

#endif
