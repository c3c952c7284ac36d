/* SPDX-License-Identifier: GPL-2.0 */
#ifndef LPAR_HOST_DISK_H
#define LPAR_HOST_DISK_H

#include <linux/blkdev.h>
#include <linux/configfs.h>
#include <linux/list.h>
#include <linux/workqueue.h>

#include "adapter.h"
#include "partition.h"

struct lpar_backing;

/* What the administrator wants; auto decides by itself. */
enum lpar_wish {
	LPAR_WISH_AUTO,
	LPAR_WISH_TAG,
	LPAR_WISH_PAGE,
	LPAR_WISH_COPY,
};

/* How a block device would be shared, and why so. */
struct lpar_verdict {
	enum lpar_mode mode;
	struct pci_dev *pdev;		/* the adapter it is on; referenced */
	char reason[LPAR_WHY_MAX + 64];
};

/* A disk's limits as clients are told; replaced as a whole. */
struct lpar_disk_state {
	struct lpar_disk_limits lim;
	struct rcu_head rcu;
};

/**
 * struct lpar_disk - a range of a host block device, as a function of a partition
 *
 * The upper part is the administrator's wish, under partition->config and
 * constant while enabled; the lower one is what enabling it made of it.
 *
 * @group:       its configfs item, whose release frees the structure
 * @partition:   whose disk it is
 * @device:      path of the block device
 * @start:       of the range on the device, bytes
 * @size:        of the range, bytes; 0: to the end
 * @read_only:   refuse writes
 * @queues:      most queues of the client on it; 0: as many as there are doorbells
 * @serial:      what the client sees; empty: made when it is enabled
 * @wish:        the mode asked for
 * @enabled:     the lower part is valid; under partition->config
 * @status:      what became of the wish, in words
 * @link:        in partition->disks
 * @range:       in the disks of @backing; under backings_lock
 * @backing:     the open block device, shared by all disks on it
 * @bdev:        the same, for bios
 * @first:       sector of the device at which the disk begins
 * @mode:        in force
 * @adapter:     in tag mode, referenced; else NULL
 * @place:       of @adapter in lpar_client.adapter
 * @workers:     @backing's: where queues' workers run
 * @nowait:      submitting never waits, so vCPU threads may do it
 * @id:          the function's number; not used again by the partition
 * @generation:  goes up when what the client is told changes; partition->lock
 * @state:       limits in force; replaced under partition->lock, read under RCU
 * @queues_live: of the client; under partition->lock
 * @dead:        taken away under a client, or formatted anew: requests end with
 *               LPAR_GONE
 * @poll:        compares the device's limits once a second
 * @node:        folder in sysfs
 * @queues_node: its folder "queues"
 * @stats_node:  its folder "stats"
 * @past:        counters of queues that are gone; under @queues_lock
 * @queues_lock: protects @queue_list and @past
 * @queue_list:  lpar_queue.link of the queues on it
 */
struct lpar_disk {
	struct config_group group;
	struct lpar_partition *partition;
	char device[256];
	u64 start;
	u64 size;
	bool read_only;
	u32 queues;
	char serial[21];
	enum lpar_wish wish;
	bool enabled;
	char status[LPAR_WHY_MAX + 80];

	struct list_head link;
	struct list_head range;
	struct lpar_backing *backing;
	struct block_device *bdev;
	sector_t first;
	enum lpar_mode mode;
	struct lpar_adapter *adapter;
	int place;
	struct workqueue_struct *workers;
	bool nowait;
	u32 id;
	u32 generation;
	struct lpar_disk_state __rcu *state;
	unsigned int queues_live;
	bool dead;

	struct delayed_work poll;
	struct lpar_node *node;
	struct lpar_node *queues_node;
	struct lpar_node *stats_node;
	struct lpar_stats past;
	spinlock_t queues_lock;		/* past, queue_list */
	struct list_head queue_list;
};

void lpar_disk_setup(struct lpar_disk *d, struct lpar_partition *p);
int lpar_disk_enable(struct lpar_disk *d);
int lpar_disk_disable(struct lpar_disk *d, bool force);
void lpar_disk_stats(struct lpar_disk *d, struct lpar_stats *sum);
void lpar_disk_limits(struct lpar_disk *d, struct lpar_disk_limits *lim);
struct lpar_disk *lpar_disk_find(struct lpar_partition *p, u32 id);
int lpar_disk_probe(struct lpar_probe *probe);
const char *lpar_disk_mode(enum lpar_mode mode);
void lpar_disk_check_format(struct lpar_disk *d, struct lpar_disk_limits *lim);

/* Has the device been removed under us, or become another one?
 * partition->lock is held. */
static inline bool lpar_disk_gone(struct lpar_disk *d)
{
	return READ_ONCE(d->dead) || (d->adapter && READ_ONCE(d->adapter->dying)) ||
	       !bdev_nr_sectors(d->bdev);
}

static inline const char *lpar_disk_name(struct lpar_disk *d)
{
	return config_item_name(&d->group.cg_item);
}

#endif
