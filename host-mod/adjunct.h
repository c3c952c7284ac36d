/* SPDX-License-Identifier: GPL-2.0 */
#ifndef LPAR_HOST_ADJUNCT_H
#define LPAR_HOST_ADJUNCT_H

#include <linux/atomic.h>
#include <linux/types.h>

#include <lpar/adjunct.h>
#include <lpar/control.h>

struct file;
struct lpar_client;
struct lpar_node;
struct lpar_partition;
struct lpar_stats;

/**
 * struct lpar_adjunct - where a partition may have an adjunct that is an image
 *
 * Lives as long as the partition; the counters stay when clients go.
 *
 * @partition:  whose
 * @index:      its number
 * @node:       its folder in sysfs, when the partition may have so many, or NULL
 * @state:      as the VMM says; under lpar_partition.lock
 * @image:      likewise: its name
 * @dispatches: times that it ran
 * @donated_ns: CPU time of vCPU threads, net of preemption
 * @expiries:   quanta that ended
 * @pa_busy:    times that it was stopped, and is to be run again
 * @deaths:     times that it was killed, as the VMM says
 */
struct lpar_adjunct {
	struct lpar_partition *partition;
	unsigned int index;
	struct lpar_node *node;
	enum lpar_adjunct_state state;
	char image[LPAR_NAME_MAX];
	atomic64_t dispatches;
	atomic64_t donated_ns;
	atomic64_t expiries;
	atomic64_t pa_busy;
	atomic64_t deaths;
};

int lpar_adjunct_run(struct lpar_client *c, struct lpar_adjunct_run *run);
int lpar_adjunct_image(struct lpar_client *c, struct lpar_image_get *get,
		       struct file **text);
int lpar_adjunct_tell(struct lpar_client *c, const struct lpar_adjunct_tell *tell);
int lpar_adjunct_post(struct lpar_client *c, u32 index);

void lpar_adjunct_setup(struct lpar_partition *p);
int lpar_adjunct_resize(struct lpar_partition *p, unsigned int n);
void lpar_adjunct_forget(struct lpar_partition *p);
void lpar_adjunct_stats(struct lpar_partition *p, struct lpar_stats *sum);

#endif
