/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Which request goes first, and how many at once: pure, only counts are known here.
 */
#ifndef LPAR_GUEST_ORDER_H
#define LPAR_GUEST_ORDER_H

#include <linux/types.h>

#ifndef __KERNEL__
#include <stdbool.h>
#endif

/**
 * enum lpar_class - how urgent a request is; a smaller number goes first
 * @LPAR_CLASS_SYNC:       somebody waits for it
 * @LPAR_CLASS_NORMAL:     nobody waits yet
 * @LPAR_CLASS_BACKGROUND: when there is nothing else to do
 * @LPAR_CLASSES:          how many there are
 */
enum lpar_class {
	LPAR_CLASS_SYNC,
	LPAR_CLASS_NORMAL,
	LPAR_CLASS_BACKGROUND,
	LPAR_CLASSES,
};

/**
 * struct lpar_order - requests that wait to be put into the ring
 * @waiting: of each class
 * @passed:  requests of more urgent classes that have gone since one of this did
 */
struct lpar_order {
	__u32 waiting[LPAR_CLASSES];
	__u32 passed[LPAR_CLASSES];
};

static inline __u32 lpar_order_waiting(const struct lpar_order *o)
{
	return o->waiting[LPAR_CLASS_SYNC] + o->waiting[LPAR_CLASS_NORMAL] +
	       o->waiting[LPAR_CLASS_BACKGROUND];
}

void lpar_order_add(struct lpar_order *o, enum lpar_class cls);
enum lpar_class lpar_order_take(struct lpar_order *o);
__u32 lpar_order_room(__u32 batch, __u32 untaken, __u32 published);

#endif
