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
 */
struct lpar_disk {
	struct config_group group;
	struct lpar_partition *partition;
	char device[256];
	u64 start;			/* bytes */
	u64 size;			/* bytes; 0: to the end */
	bool read_only;
	u32 queues;
	char serial[21];
	enum lpar_wish wish;
	bool enabled;
	char status[LPAR_WHY_MAX + 80];

	struct list_head link;		/* in partition->disks */
	struct list_head range;		/* in backing->disks */
	struct lpar_backing *backing;
	struct block_device *bdev;
	sector_t first;			/* of the range */
	enum lpar_mode mode;
	struct lpar_adapter *adapter;	/* in tag mode */
	int place;			/* of it, in the client's table */
	bool nowait;			/* submitting never waits */
	u32 id;
	u32 generation;
	struct lpar_disk_state __rcu *state;
	unsigned int queues_live;	/* of the client; under partition->lock */
	bool dead;			/* taken away under a client */

	struct delayed_work poll;	/* the device's limits may change */
	struct lpar_node *node;
	struct lpar_node *queues_node;
	struct lpar_node *stats_node;
	struct lpar_stats past;		/* of queues that are gone */
	spinlock_t queues_lock;
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

/* Has the device been removed under us? partition->lock is held. */
static inline bool lpar_disk_gone(struct lpar_disk *d)
{
	return (d->adapter && READ_ONCE(d->adapter->dying)) ||
	       !bdev_nr_sectors(d->bdev);
}

static inline const char *lpar_disk_name(struct lpar_disk *d)
{
	return config_item_name(&d->group.cg_item);
}

#endif
