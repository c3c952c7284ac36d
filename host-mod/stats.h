/* SPDX-License-Identifier: GPL-2.0 */
#ifndef LPAR_HOST_STATS_H
#define LPAR_HOST_STATS_H

#include <linux/kobject.h>
#include <linux/types.h>

/*
 * What is counted. A queue's counters have two writers that exclude themselves
 * (the dispatcher; who holds the queue's lock), so they are plain
 * words; functions and partitions show sums.
 */
#define LPAR_STATS(X)							\
	/* by the dispatcher */						\
	X(dispatches)		/* times the queue was served */	\
	X(donated_ns)		/* of vCPU threads, net of preemption */ \
	X(undonated_worker_ns)	/* of threads that are no vCPUs */	\
	X(quantum_expiries)						\
	X(full)			/* the adapter took no more */		\
	X(tag_maps)		/* segments handed to the adapter as tags */ \
	X(page_maps)		/* pages handed to it to be mapped */	\
	X(bytes_copied)		/* by the CPU: of disks in copy mode only */		\
	X(refused)		/* requests that broke a rule */	\
	X(doorbells)		/* rung for this queue */		\
	/* by completions and interrupts, under the queue's lock */		\
	X(requests)							\
	X(bytes)							\
	X(errors)		/* ended with other than LPAR_OK */	\
	X(interrupts)		/* raised */				\
	X(pa_busy)		/* of these: said PA BUSY */		\
	X(runnable)		/* times that it was said */		\
	X(polled)		/* completions found by looking for them */ \
	X(undonated_completion_ns)	/* of interrupt and softirq */

struct lpar_stats {
#define X(name) u64 name;
	LPAR_STATS(X)
#undef X
};

void lpar_stats_add(struct lpar_stats *sum, const struct lpar_stats *s);

/**
 * struct lpar_node - a folder in sysfs, read-only
 * @kobj:  the folder
 * @owner: what its files show; lives until lpar_node_remove()
 * @read:  sums up the owner's counters, for the folder "stats"
 */
struct lpar_node {
	struct kobject kobj;
	void *owner;
	void (*read)(void *owner, struct lpar_stats *sum);
};

struct lpar_node *lpar_node_create(struct kobject *parent, const char *name,
				   const struct attribute_group **groups,
				   void *owner);
struct lpar_node *lpar_node_stats(struct lpar_node *parent, void *owner,
				  void (*read)(void *owner,
					       struct lpar_stats *sum));
void lpar_node_remove(struct lpar_node *node);

static inline void *lpar_node_owner(struct kobject *kobj)
{
	return container_of(kobj, struct lpar_node, kobj)->owner;
}

#endif
