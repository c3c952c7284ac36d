// SPDX-License-Identifier: GPL-2.0
/*
 * Classes: urgent requests are served first.
 *
 * The host serves a ring in its order, so what is in the ring cannot be overtaken
 * any more. Hence requests wait outside of it until they are rung for, a batch at
 * most is in the ring and not taken yet, and who waits goes by class. That needs
 * nothing of the host. No class waits for ever: one that has been passed over by
 * ORDER_PATIENCE others has one of its own go first.
 */
#include "order.h"

#define ORDER_PATIENCE	16

/**
 * lpar_order_add - a request waits
 * @o:   the queue's order
 * @cls: of the request
 */
void lpar_order_add(struct lpar_order *o, enum lpar_class cls)
{
	o->waiting[cls]++;
}

/**
 * lpar_order_take - a request goes
 * @o: the queue's order; at least one waits
 *
 * Return: its class.
 */
enum lpar_class lpar_order_take(struct lpar_order *o)
{
	int cls, other;

	/* What does not wait is not passed over. */
	for (cls = LPAR_CLASSES - 1; cls > 0; cls--) {
		if (o->passed[cls] >= ORDER_PATIENCE)
			break;
	}
	if (!cls) {
		while (cls < LPAR_CLASSES - 1 && !o->waiting[cls])
			cls++;
	}
	o->waiting[cls]--;
	o->passed[cls] = 0;
	for (other = cls + 1; other < LPAR_CLASSES; other++) {
		if (o->waiting[other])
			o->passed[other]++;
	}
	return cls;
}

/**
 * lpar_order_room - how many more requests may be put into the ring
 * @batch:     at most so many are to be in the ring and not taken by the host
 * @untaken:   those that are, as the host says; it may lag
 * @published: in the ring or with the adapter, as we know
 *
 * Where this is none, at least one is published, so that a completion comes.
 *
 * Return: requests.
 */
__u32 lpar_order_room(__u32 batch, __u32 untaken, __u32 published)
{
	if (untaken > published)
		untaken = published;
	return untaken < batch ? batch - untaken : 0;
}
