/* SPDX-License-Identifier: GPL-2.0 */
/* What the administrator says about when queues donate. */
#ifndef LPAR_GUEST_POLICY_H
#define LPAR_GUEST_POLICY_H

#include <linux/moduleparam.h>
#include <linux/types.h>

#include "donate.h"

#define LPAR_POLICY_HOLD_MAX	50000	/* microseconds */

struct attribute_group;
struct lpar_disk;
struct lpar_queue;

extern const struct kernel_param_ops lpar_policy_param_ops;

const char *lpar_policy_name(enum lpar_donate_policy policy);
int lpar_policy_match(const char *text);
void lpar_policy_default(struct lpar_queue *q);
void lpar_policy_net(u32 *batch, u32 *hold_us, u32 *quantum);
void lpar_policy_quantum(struct lpar_queue *q, u32 us);
void lpar_policy_apply_locked(struct lpar_queue *q);
int lpar_policy_add(struct lpar_disk *disk, const struct attribute_group *first);
void lpar_policy_free(struct lpar_disk *disk);
void lpar_policy_stop(struct lpar_queue *q);

#endif
