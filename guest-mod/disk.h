/* SPDX-License-Identifier: GPL-2.0 */
/* The partition's disks: which there are, and what they are like. */
#ifndef LPAR_GUEST_DISK_H
#define LPAR_GUEST_DISK_H

#include "caps.h"
#include "compat.h"
#include "device.h"

struct lpar_policy_folder;

/**
 * struct lpar_disk - a function of type LPAR_FUNCTION_DISK
 *
 * Freed with the gendisk, whose last user may be later than the device's end.
 *
 * @node:       lpar_device.disks
 * @dev:        the device; valid until the disk is deleted
 * @gendisk:    the disk that the guest sees
 * @tags:       its tag set
 * @function:   id
 * @generation: of @caps
 * @caps:       in force
 * @index:      of the name and the minors
 * @dead:       fail every request at once; to be removed
 * @policy_lock: one change of policies at a time
 * @policies:   their folders in sysfs
 * @groups:     all of its files
 * @nr_queues:  of @queues
 * @nr_polled:  the last of these are polled
 * @queues:     one for each hardware context
 */
struct lpar_disk {
	struct list_head node;
	struct lpar_device *dev;
	struct gendisk *gendisk;
	struct blk_mq_tag_set tags;
	u32 function;
	u32 generation;
	struct lpar_caps caps;
	int index;
	bool dead;
	struct mutex policy_lock;	/* queues[].policy, .batch, .quantum_us, .thread */
	struct lpar_policy_folder *policies;
	const struct attribute_group **groups;
	u32 nr_queues;
	u32 nr_polled;
	struct lpar_queue *queues[];
};

int lpar_disk_register(void);
void lpar_disk_unregister(void);
int lpar_disk_add(struct lpar_device *dev, u32 function, u32 share);
int lpar_disk_refresh(struct lpar_disk *disk);
void lpar_disk_remove(struct lpar_disk *disk, bool dead);
void lpar_disk_remove_all(struct lpar_device *dev);
int lpar_disk_stop_all(struct lpar_device *dev);
void lpar_disk_start_all(struct lpar_device *dev);

/* function.c */
int lpar_function_rescan(struct lpar_device *dev);
int lpar_function_list(struct lpar_device *dev, struct lpar_function *functions);
int lpar_function_again(const struct lpar_function *functions, u32 count,
			enum lpar_function_type type, u32 *number,
			int (*is_it)(void *arg, u32 number), void *arg);
void *lpar_function_records(struct lpar_device *dev, u32 function, u32 *len,
			    u32 *generation);
void lpar_function_refuse(struct lpar_device *dev, u32 function, const char *why);

/* limits.c */
void lpar_limits_fill(struct queue_limits *lim, const struct lpar_caps *caps);
bool lpar_limits_differ(const struct lpar_caps *a, const struct lpar_caps *b);

#endif
