// SPDX-License-Identifier: GPL-2.0
/*
 * The shared part of an adjunct as its client uses it. The ring is empty whenever something
 * is put into it, so that has all of the data area, and its requests the slots from the tail
 * on. Adjunct and host can write all of it at any time: what comes back is
 * compared with what the client itself remembers, and never used for more.
 */
#ifdef __KERNEL__
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/string.h>
#else
#include <errno.h>
#include <string.h>
#endif

#include "adjunct_ring.h"

static_assert(LPAR_ADJUNCT_ROOM == LPAR_ADJUNCT_SHARED - LPAR_ADJUNCT_DATA, "uapi and wire");
static_assert(LPAR_ADJUNCT_BATCH_MAX == LPAR_ADJUNCT_DEPTH, "uapi and wire");
static_assert(LPAR_ADJUNCT_IMAGE_MAX == LPAR_TEXT_MAX, "uapi and wire");
static_assert(LPAR_ADJUNCT_SHARES == LPAR_ADJUNCT_GLOBAL, "uapi and wire");

/* One name, one spelling: nothing behind its end. Return: its length, or -EINVAL. */
static int ring_name(const char name[LPAR_ADJUNCT_IMAGE_MAX])
{
	size_t len = strnlen(name, LPAR_ADJUNCT_IMAGE_MAX), i;

	if (len == LPAR_ADJUNCT_IMAGE_MAX)
		return -EINVAL;
	for (i = len; i < LPAR_ADJUNCT_IMAGE_MAX; i++) {
		if (name[i])
			return -EINVAL;
	}
	return len;
}

/**
 * lpar_adjunct_check_create - can a program's wish be passed on?
 * @create: a private copy
 *
 * Whether there is such an image, and how much it needs, is the host's to say.
 *
 * Return: 0 or -EINVAL.
 */
int lpar_adjunct_check_create(const struct lpar_adjunct_create *create)
{
	int len = ring_name(create->image);

	if (len < 0 || create->device > LPAR_DEVICES_MAX)
		return -EINVAL;
	if (!create->pages || create->pages > LPAR_ADJUNCT_PAGES_MAX)
		return -EINVAL;
	/* named, or brought along */
	if (!len != !!create->own_bytes || !create->own != !create->own_bytes)
		return -EINVAL;
	if (create->own_bytes > create->pages << 12)
		return -EINVAL;
	if (create->policy > LPAR_ADJUNCT_AFTERWARDS)
		return -EINVAL;
	return 0;
}

/**
 * lpar_adjunct_admit - may a program have that now? (seed 003, fig. 6)
 * @life: where its file is
 * @want: what it asks for
 *
 * Return: 0; -ENODEV: the device has gone; -EAGAIN: it comes back; -EEXIST: there is an
 * adjunct already; -ENOTCONN: there is none; -EOWNERDEAD: it has died.
 */
int lpar_adjunct_admit(const struct lpar_adjunct_life *life, enum lpar_adjunct_want want)
{
	if (life->gone)
		return -ENODEV;
	if (life->stopped)
		return -EAGAIN;
	switch (want) {
	case LPAR_ADJUNCT_WANT_NEW:
		return life->has ? -EEXIST : 0;
	case LPAR_ADJUNCT_WANT_SERVE:
		if (!life->has)
			return -ENOTCONN;
		return life->dead ? -EOWNERDEAD : 0;
	case LPAR_ADJUNCT_WANT_END:
		return life->has ? 0 : -ENOTCONN;
	default:
		return 0;
	}
}

/**
 * lpar_adjunct_check_query - can a program's question be passed on?
 * @query: a private copy
 *
 * Return: 0 or -EINVAL.
 */
int lpar_adjunct_check_query(const struct lpar_adjunct_query *query)
{
	if (ring_name(query->image) < 0)
		return -EINVAL;
	if (query->pages || query->flags || query->reserved[0] || query->reserved[1])
		return -EINVAL;
	return 0;
}

/* @at: where the next one may begin; moved behind it. False: there is no room. */
static bool ring_place(__u32 *at, __u32 len, __u32 *place)
{
	if (len > LPAR_ADJUNCT_SHARED - *at)
		return false;
	*place = *at;
	*at += (len + LPAR_ADJUNCT_ALIGN - 1) / LPAR_ADJUNCT_ALIGN * LPAR_ADJUNCT_ALIGN;
	return true;
}

/**
 * lpar_adjunct_plan - where a batch's data goes
 * @calls:  private copies
 * @count:  how many, not validated
 * @places: result, one for each; offsets in the shared part, none of them overlap
 * @bytes:  result: of the data area, from its start on, in use
 *
 * Return: 0, -EINVAL or -E2BIG; nothing in @bytes then.
 */
int lpar_adjunct_plan(const struct lpar_adjunct_call *calls, __u32 count,
		      struct lpar_adjunct_place *places, __u32 *bytes)
{
	__u32 at = LPAR_ADJUNCT_DATA, i;

	if (!count || count > LPAR_ADJUNCT_DEPTH)
		return -EINVAL;
	for (i = 0; i < count; i++) {
		if (calls[i].reserved)
			return -EINVAL;
		if (!ring_place(&at, calls[i].in_len, &places[i].in) ||
		    !ring_place(&at, calls[i].out_len, &places[i].out))
			return -E2BIG;
	}
	*bytes = at - LPAR_ADJUNCT_DATA;
	return 0;
}

/**
 * lpar_adjunct_fit - may another batch go with those that go already?
 * @fill:  what the shared part is to have; it has more when this returns true
 * @count: requests of the batch
 * @bytes: of its data: lpar_adjunct_plan()
 * @most:  requests that may go together
 *
 * Return: true if it goes.
 */
bool lpar_adjunct_fit(struct lpar_adjunct_fill *fill, __u32 count, __u32 bytes, __u32 most)
{
	if (most > LPAR_ADJUNCT_DEPTH)
		most = LPAR_ADJUNCT_DEPTH;
	if (fill->count >= most || count > most - fill->count)
		return false;
	if (fill->bytes > LPAR_ADJUNCT_ROOM || bytes > LPAR_ADJUNCT_ROOM - fill->bytes)
		return false;
	fill->count += count;
	fill->bytes += bytes;
	return true;
}

/**
 * lpar_adjunct_served - how many have been served?
 * @start:  index of its first request
 * @count:  how many requests it has
 * @head:   as the adjunct says, read once
 * @served: result, at most @count
 *
 * Return: false for an index that no adjunct can be at.
 */
bool lpar_adjunct_served(__u32 start, __u32 count, __u32 head, __u32 *served)
{
	/* before the start is a long way behind the end */
	if (head - start > count)
		return false;
	*served = head - start;
	return true;
}

/**
 * lpar_adjunct_after_run - what follows a donation
 * @status: enum lpar_status of RUN, not validated
 * @state:  enum lpar_adjunct_state behind it, not validated
 * @done:   what was waited for has come
 *
 * Return: what to do.
 */
enum lpar_adjunct_next lpar_adjunct_after_run(__u32 status, __u32 state, bool done)
{
	/* Who has died after the answer has answered; the next call finds out. */
	if (done)
		return LPAR_ADJUNCT_NEXT_DONE;
	if (state == LPAR_ADJUNCT_DEAD)
		return LPAR_ADJUNCT_NEXT_DEAD;
	if (state == LPAR_ADJUNCT_EMPTY || state > LPAR_ADJUNCT_DEAD)
		return LPAR_ADJUNCT_NEXT_GONE;
	switch (status) {
	case LPAR_OK:
		return LPAR_ADJUNCT_NEXT_AGAIN;
	case LPAR_BUSY:
		return LPAR_ADJUNCT_NEXT_BUSY;
	case LPAR_NOMEM:
		return LPAR_ADJUNCT_NEXT_NOMEM;
	/* It cannot run on another vCPU: one file, one donation. */
	default:
		return LPAR_ADJUNCT_NEXT_BROKEN;
	}
}

/**
 * lpar_adjunct_errno - why there is no adjunct
 * @status: enum lpar_status of CREATE or QUERY, not validated
 *
 * Return: 0 or a negative errno.
 */
int lpar_adjunct_errno(__u32 status)
{
	switch (status) {
	case LPAR_OK:
		return 0;
	case LPAR_INVAL:
		return -EINVAL;
	case LPAR_NOENT:
		return -ENOENT;
	case LPAR_PERM:
		return -EPERM;
	case LPAR_QUOTA:
		return -EDQUOT;
	case LPAR_NOMEM:
		return -ENOMEM;
	case LPAR_BUSY:
		return -EBUSY;
	case LPAR_NOSYS:
	case LPAR_NOTSUPP:
		return -EOPNOTSUPP;
	case LPAR_GONE:
		return -ENODEV;
	default:
		return -EIO;
	}
}
