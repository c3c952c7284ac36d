/* SPDX-License-Identifier: GPL-2.0 */
#ifndef LPAR_HOST_DISK_H
#define LPAR_HOST_DISK_H

#include <linux/blkdev.h>
#include <linux/list.h>
#include <linux/workqueue.h>

#include "function.h"

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
 * @fn:          what it has in common with other functions
 * @device:      path of the block device
 * @start:       of the range on the device, bytes
 * @size:        of the range, bytes; 0: to the end
 * @read_only:   refuse writes
 * @queues:      most queues of the client on it; 0: as many as there are doorbells
 * @serial:      what the client sees; empty: made when it is enabled
 * @wish:        the mode asked for
 * @range:       in the disks of @backing; under backings_lock
 * @backing:     the open block device, shared by all disks on it
 * @bdev:        the same, for bios
 * @first:       sector of the device at which the disk begins
 * @state:       limits in force; replaced under partition->lock, read under RCU
 * @poll:        compares the device's limits once a second
 */
struct lpar_disk {
	struct lpar_fn fn;
	char device[256];
	u64 start;
	u64 size;
	bool read_only;
	u32 queues;
	char serial[21];
	enum lpar_wish wish;

	struct list_head range;
	struct lpar_backing *backing;
	struct block_device *bdev;
	sector_t first;
	struct lpar_disk_state __rcu *state;
	struct delayed_work poll;
};

void lpar_disk_setup(struct lpar_disk *d, struct lpar_partition *p);
int lpar_disk_enable(struct lpar_disk *d);
int lpar_disk_disable(struct lpar_disk *d, bool force);
void lpar_disk_limits(struct lpar_disk *d, struct lpar_disk_limits *lim);
int lpar_disk_records(struct lpar_disk *d, void *data, size_t size);
int lpar_disk_probe(struct lpar_probe *probe);
void lpar_disk_settle(struct lpar_disk *d);
void lpar_disks_settle(struct lpar_partition *p);
void lpar_disk_check_format(struct lpar_disk *d, struct lpar_disk_limits *lim);

static inline struct lpar_disk *lpar_disk_of(struct lpar_fn *fn)
{
	return container_of(fn, struct lpar_disk, fn);
}

/* Has the device been removed under us? lpar_fn_gone() asks. */
static inline bool lpar_disk_gone(struct lpar_disk *d)
{
	return !bdev_nr_sectors(d->bdev);
}

static inline const char *lpar_disk_name(struct lpar_disk *d)
{
	return lpar_fn_name(&d->fn);
}

#endif
