// SPDX-License-Identifier: GPL-2.0
/*
 * The net server. A client's frame to send becomes an skb: headers and the first
 * payload bytes are copied and looked at, the rest is tags (or the pinned pages
 * themselves) that only the adapter reads; it goes to the host's own, unmodified
 * driver (net_tx.c). A received frame waits in a bounded queue until the client
 * donates, and is copied once, into the client's buffer, on that time (net_rx.c;
 * seeds 000 and 001). Here is what both need.
 */
#include <linux/jiffies.h>
#include <linux/ktime.h>
#include <linux/slab.h>

#include "net_frame.h"

/* A submission that is refused ends at once. */
enum lpar_take lpar_net_refuse(struct lpar_queue *q, u16 id, enum lpar_status st)
{
	q->stats.refused++;
	lpar_queue_complete(q, id, st, 0, 0, 0, 0);
	return LPAR_TAKE_DONE;
}

/* Private copies of the segments of a submission. Return: LPAR_OK or why not. */
enum lpar_status lpar_net_decode(struct lpar_queue *q,
				 const struct lpar_net_sqe *sqe,
				 const struct lpar_nic_limits *lim, bool receive,
				 struct lpar_net_frame *fr)
{
	u16 nsegs = le16_to_cpu(sqe->nsegs);

	fr->segs = sqe->seg;
	fr->f.id = le16_to_cpu(sqe->id);
	if (READ_ONCE(q->fn->dead))
		return LPAR_GONE;
	if (nsegs > LPAR_SQE_SEGS) {
		if (nsegs > q->segs || nsegs > LPAR_NET_WINDOWS)
			return LPAR_INVAL;
		lpar_copy_once(q->seg_copy,
			       &q->seg_table[(q->sq_head & (q->depth - 1)) *
					     q->segs],
			       nsegs * sizeof(*q->seg_copy));
		fr->segs = q->seg_copy;
	}
	return lpar_core_frame(sqe, fr->segs, lim, receive, &fr->f);
}

/*
 * The windows of the segments that hold the first @bytes, in their order. @tags: one
 * that the adapter does not reach, since it was mapped before the NIC came, is as good
 * as none: the client maps it anew. Return: LPAR_OK or why not.
 */
enum lpar_status lpar_net_windows(struct lpar_queue *q, struct lpar_net_frame *fr,
				  u32 bytes, bool tags)
{
	struct lpar_net_req *r = fr->req;
	u64 last = U64_MAX;
	u32 at = 0;
	u16 i;

	for (i = 0; i < fr->f.nsegs && at < bytes; i++) {
		u64 addr = le64_to_cpu(fr->segs[i].addr);
		u32 len = le32_to_cpu(fr->segs[i].len);
		struct lpar_window *w;

		if (addr >> LPAR_WINDOW_SHIFT != last) {
			w = lpar_window_get(q->client, addr);
			if (!w)
				return LPAR_NOWINDOW;
			r->wins[r->nwins++] = w;
			last = addr >> LPAR_WINDOW_SHIFT;
			if (tags && lpar_fn_block(q->fn, w) < 0)
				return LPAR_NOWINDOW;
		}
		w = r->wins[r->nwins - 1];
		if (!lpar_window_covers(w, addr & (LPAR_WINDOW_SIZE - 1), len))
			return LPAR_FAULT;
		at += len;
	}
	return LPAR_OK;
}

/* Walk [from, from + len) of a frame, a piece of one segment at a time. Return: false
 * when @visit ended it. */
bool lpar_net_walk(const struct lpar_net_frame *fr, u32 from, u32 len,
		   lpar_net_visit visit, void *arg)
{
	u64 last = U64_MAX;
	int win = -1;
	u16 i;

	for (i = 0; i < fr->f.nsegs && len; i++) {
		u64 addr = le64_to_cpu(fr->segs[i].addr);
		u32 n = le32_to_cpu(fr->segs[i].len);

		if (addr >> LPAR_WINDOW_SHIFT != last) {
			last = addr >> LPAR_WINDOW_SHIFT;
			win++;
		}
		if (from >= n) {
			from -= n;
			continue;
		}
		n = min(n - from, len);
		if (!visit(fr->req->wins[win],
			   (addr & (LPAR_WINDOW_SIZE - 1)) + from, n, arg))
			return false;
		from = 0;
		len -= n;
	}
	return true;
}

/* --------------------------------------------------------------------- rate */

static void pay(struct lpar_nic *nic, u32 bytes)
{
	s64 old = atomic64_read(&nic->paid), new;

	/* queues share the rate, and are served at the same time */
	do {
		new = lpar_core_rate_pay(old, ktime_get_ns(), nic->rate, bytes);
	} while (!atomic64_try_cmpxchg(&nic->paid, &old, new));
}

/**
 * lpar_net_take - take one frame or buffer of a client
 * @q: the queue that it stands in
 * @lim: the NIC's limits, as they were when the dispatch began
 * @sqe: a private copy
 *
 * What is over the NIC's rate stays where it is; the client is told when to go on.
 * What is refused counts as if it had been sent.
 *
 * Context: the queue's server only (LPAR_Q_SERVING is held); may sleep.
 * Return: see lpar_net_send() and lpar_net_receive().
 */
enum lpar_take lpar_net_take(struct lpar_queue *q,
			     const struct lpar_nic_limits *lim,
			     const struct lpar_net_sqe *sqe)
{
	struct lpar_nic *nic = lpar_net_nic(q);
	enum lpar_take ret;
	u64 wait;

	if (q->role == LPAR_ROLE_RECEIVE)
		return lpar_net_receive(q, lim, sqe);
	/* a NIC that is gone ends its frames */
	if (!nic->rate || READ_ONCE(nic->fn.dead))
		return lpar_net_send(q, lim, sqe);
	wait = lpar_core_rate_wait(atomic64_read(&nic->paid), ktime_get_ns());
	if (wait) {
		atomic64_inc(&nic->paused);
		q->pause = nsecs_to_jiffies(wait) + 1;
		return LPAR_TAKE_FULL;
	}
	ret = lpar_net_send(q, lim, sqe);
	if (ret == LPAR_TAKE_DONE)
		pay(nic, lpar_core_wire_bytes(sqe));
	return ret;
}

/* ------------------------------------------------------------------- queues */

/* Its own memory. May sleep. Return: 0, -ENOMEM. */
int lpar_net_queue_init(struct lpar_queue *q)
{
	u32 i;

	skb_queue_head_init(&q->backlog);
	q->seg_copy = kvcalloc(q->segs, sizeof(*q->seg_copy), GFP_KERNEL_ACCOUNT);
	if (!q->seg_copy)
		return -ENOMEM;
	if (q->role != LPAR_ROLE_REQUESTS)
		return 0;
	q->frames = kvcalloc(q->depth, sizeof(*q->frames), GFP_KERNEL_ACCOUNT);
	if (!q->frames)
		return -ENOMEM;
	for (i = 0; i < q->depth; i++) {
		q->frames[i].queue = q;
		q->frames[i].free.next = q->free;
		q->free = &q->frames[i].free;
	}
	return 0;
}

/* Nobody uses it any more: what waited is lost. */
void lpar_net_queue_free(struct lpar_queue *q)
{
	if (q->role == LPAR_ROLE_RECEIVE) {
		skb_queue_purge(&q->backlog);
		kfree_skb_list(q->waiting);
	}
	kvfree(q->frames);
}

/* Let it receive. partition->lock is held. Return: false: there are too many. */
bool lpar_net_queue_add(struct lpar_queue *q)
{
	struct lpar_nic *nic = lpar_net_nic(q);

	if (q->role != LPAR_ROLE_RECEIVE)
		return true;
	if (nic->receivers == LPAR_NIC_QUEUES)
		return false;
	rcu_assign_pointer(nic->receive[nic->receivers], q);
	WRITE_ONCE(nic->receivers, nic->receivers + 1);
	return true;
}

/* The opposite; it has no users any more. partition->lock is held. */
void lpar_net_queue_del(struct lpar_queue *q)
{
	struct lpar_nic *nic = lpar_net_nic(q);
	unsigned int i, last;

	for (i = 0; i < nic->receivers; i++) {
		if (rcu_access_pointer(nic->receive[i]) != q)
			continue;
		last = nic->receivers - 1;
		WRITE_ONCE(nic->receivers, last);
		rcu_assign_pointer(nic->receive[i],
				   rcu_access_pointer(nic->receive[last]));
		RCU_INIT_POINTER(nic->receive[last], NULL);
		break;
	}
}
