// SPDX-License-Identifier: GPL-2.0
/*
 * Rings: submissions out, completions in.
 *
 * Nothing is taken from shared memory but what the host alone writes there, each
 * value once, and it is checked against private indices. A host that breaks the
 * rules has broken its device, not this kernel.
 */
#include <linux/interrupt.h>
#include <linux/netdevice.h>
#include <linux/sched.h>
#include <asm/barrier.h>

#include "blk.h"
#include "queue.h"

/* From cq_head to an event that does not come. */
#define RING_NEVER	(1u << 31)

/*
 * A NIC's indices change without the lock. Who has changed one takes the lock
 * afterwards, so that the last of them decides by both.
 */
static u32 ring_published(const struct lpar_queue *q)
{
	return READ_ONCE(q->sq_tail) - READ_ONCE(q->cq_head);
}

/**
 * lpar_ring_inflight - how many requests or frames it has, those that are held back included
 * @q: the queue
 *
 * Any context; without its lock a guess.
 */
u32 lpar_ring_inflight(const struct lpar_queue *q)
{
	return ring_published(q) + lpar_order_waiting(&q->order);
}

/*
 * Submitted and not rung for: a disk's are staged, a NIC's in the ring. A host may
 * complete even those.
 */
static u32 ring_held(const struct lpar_queue *q)
{
	return min(READ_ONCE(q->sq_tail) - q->sq_rung, ring_published(q)) +
	       lpar_order_waiting(&q->order);
}

/**
 * lpar_ring_show - have the host see what has been written
 * @q: the queue; the one who writes submissions calls this
 *
 * Any context.
 */
void lpar_ring_show(struct lpar_queue *q)
{
	/*
	 * Order the entries, their segments and our own account of them before the index
	 * that publishes them. Pairs with the host's acquire load of sq_tail.
	 */
	virt_store_release(&q->ctrl->sq_tail, cpu_to_le32(q->sq_tail));
	/*
	 * Who rings counts as rung for what the host saw before, and no more: it may come
	 * between a NIC's index and this. Pairs with ring_rung_locked().
	 */
	smp_store_release(&q->sq_shown, q->sq_tail);
}

/* In place, each field once: nobody reads it before the index says so. */
static void ring_write_locked(struct lpar_queue *q, struct lpar_request *req)
{
	struct request *rq = blk_mq_rq_from_pdu(req);
	u32 slot = q->sq_tail & (q->depth - 1);
	struct lpar_blk_sqe *sqe = &q->sq[slot];
	bool flush = req->op == LPAR_BLK_FLUSH;
	u32 i;

	lockdep_assert_held(&q->lock);
	sqe->op = req->op;
	sqe->flags = req->flags;
	sqe->id = cpu_to_le16(rq->tag);
	sqe->nsegs = cpu_to_le16(req->nsegs);
	sqe->reserved = 0;
	sqe->sector = cpu_to_le64(flush ? 0 : blk_rq_pos(rq));
	sqe->nsectors = cpu_to_le32(flush ? 0 : req->bytes >> LPAR_SECTOR_SHIFT);
	sqe->reserved2 = 0;
	sqe->reserved3 = 0;
	if (req->nsegs > LPAR_SQE_SEGS)
		memcpy(q->table + slot * q->segs, req->segs,
		       req->nsegs * sizeof(*req->segs));
	for (i = 0; i < LPAR_SQE_SEGS; i++)
		sqe->seg[i] = i < req->nsegs && req->nsegs <= LPAR_SQE_SEGS ?
			      req->segs[i] : (struct lpar_seg){};
}

/* There are more than the host has a batch of them to take: it says when. */
static u32 ring_room_locked(struct lpar_queue *q)
{
	u32 taken = le32_to_cpu(READ_ONCE(q->ctrl->sq_head));

	lockdep_assert_held(&q->lock);
	return lpar_order_room(q->donate.batch, q->sq_tail - taken,
			       ring_published(q));
}

/*
 * Put what is staged into the ring, the most urgent first. There is always a slot:
 * a queue has as many tags as slots, and a tag is in use until its completion is
 * consumed.
 */
static void ring_publish_locked(struct lpar_queue *q)
{
	struct lpar_request *req;
	u32 room;

	lockdep_assert_held(&q->lock);
	if (!lpar_order_waiting(&q->order))
		return;
	for (room = ring_room_locked(q); room; room--) {
		req = list_first_entry(&q->staged[lpar_order_take(&q->order)],
				       struct lpar_request, node);
		list_del(&req->node);
		ring_write_locked(q, req);
		q->reqs[blk_mq_rq_from_pdu(req)->tag] = req;
		q->sq_tail++;
		if (!lpar_order_waiting(&q->order))
			break;
	}
	q->backlog = lpar_order_waiting(&q->order);
	lpar_ring_show(q);
}

/* The caller rings when it has let go of the lock. */
static void ring_rung_locked(struct lpar_queue *q, u64 now)
{
	lockdep_assert_held(&q->lock);
	lpar_donate_rung(&q->donate, lpar_ring_inflight(q), ring_held(q), now);
	ring_publish_locked(q);
	/* Before the doorbell. Pairs with lpar_ring_show(). */
	q->sq_rung = smp_load_acquire(&q->sq_shown);
	/* of what found no room */
	q->held_since = now;
	q->prompt = false;
	q->doorbells++;
	if (q->napi)
		lpar_donate_watch(&q->donate, q->sq_rung, now);
}

/* It is time to ring. True: the caller does, as above; false: the queue's thread. */
static bool ring_leave_locked(struct lpar_queue *q, u64 now)
{
	lockdep_assert_held(&q->lock);
	if (q->policy != LPAR_DONATE_THREAD) {
		ring_rung_locked(q, now);
		return true;
	}
	if (!q->due) {
		q->due = true;
		wake_up_process(q->thread);
	}
	return false;
}

/*
 * The same for who gives a NIC frames: where its NAPI has threads (threaded in sysfs),
 * those ring, when they run.
 */
static bool ring_leave_napi_locked(struct lpar_queue *q, u64 now)
{
	lockdep_assert_held(&q->lock);
	if (!q->napi || !test_bit(NAPI_STATE_THREADED, &q->napi->state))
		return ring_leave_locked(q, now);
	q->due = true;
	napi_schedule(q->napi);
	return false;
}

/* What found no room has it now. */
static bool ring_resumes_locked(struct lpar_queue *q)
{
	lockdep_assert_held(&q->lock);
	return q->backlog && ring_room_locked(q) && !lpar_device_broken(q->dev);
}

/* Without the lock: this vCPU may be away for a quantum. */
static void ring_now(struct lpar_queue *q)
{
	unsigned long flags;
	bool again;

	do {
		lpar_device_ring(q->dev, q->number);
		lpar_donate_served(&q->donate, ktime_get_ns());
		if (!READ_ONCE(q->backlog))
			return;
		spin_lock_irqsave(&q->lock, flags);
		again = ring_resumes_locked(q) &&
			ring_leave_locked(q, ktime_get_ns());
		spin_unlock_irqrestore(&q->lock, flags);
	} while (again);
}

/**
 * lpar_ring_serve - donate for who left it to the queue's thread
 * @q: a disk's queue; called by its thread
 *
 * May sleep.
 */
void lpar_ring_serve(struct lpar_queue *q)
{
	bool ring;

	spin_lock_irq(&q->lock);
	ring = q->due && lpar_ring_inflight(q) && !lpar_device_broken(q->dev);
	q->due = false;
	q->serving = ring;
	if (ring)
		ring_rung_locked(q, ktime_get_ns());
	spin_unlock_irq(&q->lock);
	if (!ring)
		return;

	lpar_device_ring(q->dev, q->number);
	lpar_donate_served(&q->donate, ktime_get_ns());
	spin_lock_irq(&q->lock);
	q->serving = false;
	if (ring_resumes_locked(q))
		q->due = true;
	spin_unlock_irq(&q->lock);
}

/**
 * lpar_ring_waits - do requests or frames wait for the queue's thread?
 * @q: the queue
 *
 * Any context.
 *
 * Return: whether it is this guest that has not come to it.
 */
bool lpar_ring_waits(struct lpar_queue *q)
{
	return READ_ONCE(q->due) || READ_ONCE(q->serving);
}

/* Is the end of others the time to ring for what a NIC holds? Then nothing is to be timed. */
static bool ring_awaits_locked(struct lpar_queue *q)
{
	lockdep_assert_held(&q->lock);
	return q->napi && ring_held(q) < lpar_ring_inflight(q);
}

/* Until when what is held may wait, ns. */
static u64 ring_until_locked(const struct lpar_queue *q)
{
	lockdep_assert_held(&q->lock);
	return q->held_since + lpar_donate_hold(&q->donate, q->prompt);
}

/* The timer was set for what may wait longer than what is held now; nobody sets it anew. */
static bool ring_late_locked(struct lpar_queue *q)
{
	lockdep_assert_held(&q->lock);
	return q->prompt && q->timing && !ring_awaits_locked(q) &&
	       (u64)hrtimer_get_expires_ns(&q->timer) > ring_until_locked(q);
}

/*
 * What is held has its timer. @fresh: one of them has just come; @last: and no more follow at
 * once, else whoever has them comes back. To set it is as dear as a doorbell: none stops it.
 */
static void ring_hold_locked(struct lpar_queue *q, bool fresh, bool last)
{
	lockdep_assert_held(&q->lock);
	if (fresh && ring_held(q) == 1)
		q->held_since = ktime_get_ns();
	if (!last || q->timing || ring_awaits_locked(q))
		return;
	q->timing = true;
	hrtimer_start(&q->timer, ns_to_ktime(ring_until_locked(q)), HRTIMER_MODE_ABS_SOFT);
}

/**
 * lpar_ring_timer - requests may have been held for long enough
 * @timer: lpar_queue.timer
 *
 * Softirq.
 *
 * Return: HRTIMER_RESTART while what is held may wait on, else HRTIMER_NORESTART.
 */
enum hrtimer_restart lpar_ring_timer(struct hrtimer *timer)
{
	struct lpar_queue *q = container_of(timer, struct lpar_queue, timer);
	u64 now = ktime_get_ns(), until;
	unsigned long flags;
	bool ring = false;

	spin_lock_irqsave(&q->lock, flags);
	if (ring_held(q) && !ring_awaits_locked(q) && !lpar_device_broken(q->dev)) {
		/* Those it was started for may be rung for, and others held. */
		until = ring_until_locked(q);
		if (now < until) {
			hrtimer_set_expires(timer, ns_to_ktime(until));
			spin_unlock_irqrestore(&q->lock, flags);
			return HRTIMER_RESTART;
		}
		lpar_donate_expired(&q->donate, lpar_ring_inflight(q),
				    ring_held(q));
		ring = ring_leave_napi_locked(q, now);
	}
	q->timing = false;
	spin_unlock_irqrestore(&q->lock, flags);

	if (ring)
		ring_now(q);
	return HRTIMER_NORESTART;
}

/* -------------------------------------------------------- submission */

/**
 * lpar_ring_submit - take a request over, and ring where it is time
 * @q:    the queue
 * @req:  resolved; the queue's when this returns true
 * @last: the block layer has no more at hand
 *
 * Any context.
 *
 * Return: false when the device is broken or the queue closed; the request is
 * still the caller's.
 */
bool lpar_ring_submit(struct lpar_queue *q, struct lpar_request *req, bool last)
{
	unsigned long flags;
	bool ring;
	u64 now;

	spin_lock_irqsave(&q->lock, flags);
	if (lpar_device_broken(q->dev) || q->closed) {
		spin_unlock_irqrestore(&q->lock, flags);
		return false;
	}
	list_add_tail(&req->node, &q->staged[req->cls]);
	lpar_order_add(&q->order, req->cls);
	q->requests++;

	ring = lpar_donate_submitted(&q->donate, lpar_ring_inflight(q), ring_held(q),
				     last, req->urgent);
	if (ring) {
		now = ktime_get_ns();
		ring = ring_leave_locked(q, now);
		if (ring && !q->sample && req->nsegs &&
		    q->reqs[blk_mq_rq_from_pdu(req)->tag] == req) {
			q->sample = req;
			q->sample_at = now;
		}
	} else {
		ring_hold_locked(q, true, last);
	}
	spin_unlock_irqrestore(&q->lock, flags);

	if (ring)
		ring_now(q);
	return true;
}

/*
 * Ring for what is held where it is time. @fresh: the last of it has just come; @prompt: and
 * is not to wait for as long as others may.
 */
static void ring_offer(struct lpar_queue *q, bool last, bool urgent, bool fresh, bool prompt)
{
	unsigned long flags;
	bool ring = false;

	spin_lock_irqsave(&q->lock, flags);
	if (ring_held(q) && !lpar_device_broken(q->dev)) {
		/* Those before may have been taken without a doorbell. */
		q->prompt = prompt || (q->prompt && !(fresh && ring_held(q) == 1));
		urgent |= ring_late_locked(q);
		ring = lpar_donate_submitted(&q->donate, lpar_ring_inflight(q),
					     ring_held(q), last, urgent);
		if (ring && fresh)
			ring = ring_leave_napi_locked(q, ktime_get_ns());
		else if (ring)
			ring = ring_leave_locked(q, ktime_get_ns());
		else
			ring_hold_locked(q, fresh, last);
	}
	spin_unlock_irqrestore(&q->lock, flags);

	if (ring)
		ring_now(q);
}

/**
 * lpar_ring_commit - the submitter has no more at hand after all
 * @q: the queue
 *
 * Any context.
 */
void lpar_ring_commit(struct lpar_queue *q)
{
	ring_offer(q, true, false, false, false);
}

/**
 * lpar_ring_frame - a frame was put into a NIC's queue: ring where it is time
 * @q:      the queue
 * @last:   no more follow at once
 * @urgent: none can follow before some have ended
 * @prompt: it is held for the shortest time at most, however long frames take
 *
 * Any context. Where another one rings meanwhile, nothing is left to ring for.
 */
void lpar_ring_frame(struct lpar_queue *q, bool last, bool urgent, bool prompt)
{
	ring_offer(q, last, urgent, true, prompt);
}

/**
 * lpar_ring_nudge - ring whether it seems necessary or not
 * @q: the queue
 *
 * Any context.
 */
void lpar_ring_nudge(struct lpar_queue *q)
{
	unsigned long flags;
	bool ring;

	spin_lock_irqsave(&q->lock, flags);
	ring = lpar_ring_inflight(q) && !lpar_device_broken(q->dev);
	if (ring)
		ring = ring_leave_locked(q, ktime_get_ns());
	spin_unlock_irqrestore(&q->lock, flags);

	if (ring)
		ring_now(q);
}

/* -------------------------------------------------------- completion */

/* Consume the completion at cq_head. False: it breaks the rules. */
static bool ring_consume_locked(struct lpar_queue *q, struct list_head *done)
{
	u32 slot = q->cq_head & (q->depth - 1);
	struct lpar_request *req;
	union {
		u64 word;
		struct lpar_cqe cqe;
	} copy;
	u32 id;

	lockdep_assert_held(&q->lock);
	BUILD_BUG_ON(sizeof(copy) != sizeof(u64));
	copy.word = READ_ONCE(*(u64 *)&q->cq[slot]);
	id = le16_to_cpu(copy.cqe.id);
	req = id < q->depth ? q->reqs[id] : NULL;
	if (!req || copy.cqe.bytes) {
		lpar_main_break(q->dev, "queue %u: a completion for %u, which is not on its way",
				q->number, id);
		return false;
	}
	q->reqs[id] = NULL;
	q->cq_head++;
	if (q->sample == req) {
		q->sample = NULL;
		lpar_donate_measured(&q->donate, ktime_get_ns() - q->sample_at);
	}
	req->result = le16_to_cpu(copy.cqe.status);
	list_add_tail(&req->node, done);
	return true;
}

/**
 * lpar_ring_ask - have the host interrupt for the next completion, or for none
 * @q: its lock is held
 *
 * Any context.
 */
void lpar_ring_ask(struct lpar_queue *q)
{
	lockdep_assert_held(&q->lock);
	/* None is the one farthest away: the host may just be comparing this with the
	 * completion that has been consumed last. */
	WRITE_ONCE(q->ctrl->cq_event, cpu_to_le32(q->cq_head + (q->polled ? RING_NEVER : 0)));
}

/* Consume all there is, then ask for the next interrupt. */
static bool ring_reap_locked(struct lpar_queue *q, struct list_head *done)
{
	struct lpar_queue_ctrl *ctrl = q->ctrl;
	u32 tail;

	lockdep_assert_held(&q->lock);
	/*
	 * Order the index before the entries that it publishes. Pairs with the
	 * host's release store of cq_tail.
	 */
	tail = le32_to_cpu(virt_load_acquire(&ctrl->cq_tail));
	do {
		if (tail - q->cq_head > ring_published(q)) {
			lpar_main_break(q->dev, "queue %u: %u completions of %u requests",
					q->number, tail - q->cq_head,
					ring_published(q));
			return false;
		}
		while (q->cq_head != tail) {
			if (!ring_consume_locked(q, done))
				return false;
		}
		/* Order our reads of the entries before giving them back. */
		virt_store_release(&ctrl->cq_head, cpu_to_le32(q->cq_head));
		lpar_ring_ask(q);
		/*
		 * Order the request for an interrupt before looking again. Pairs
		 * with the host's full barrier between cq_tail and cq_event: one
		 * of the two sees the other's store.
		 */
		virt_mb();
		/* The same pairing as above. */
		tail = le32_to_cpu(virt_load_acquire(&ctrl->cq_tail));
	} while (tail != q->cq_head);
	return true;
}

/* Does the host want the CPU again, or is it time for what is held? */
static bool ring_wants_locked(struct lpar_queue *q, bool reaped)
{
	u32 taken = le32_to_cpu(READ_ONCE(q->ctrl->sq_head));
	u32 state = le32_to_cpu(READ_ONCE(q->ctrl->state));
	bool ring = false;

	lockdep_assert_held(&q->lock);
	/*
	 * The host counts a submission as taken when it has done with it, which may
	 * end before: another CPU of ours has put the next one in its place then.
	 */
	if (q->sq_tail - taken > q->depth + 1) {
		lpar_main_break(q->dev, "queue %u: %u submissions taken of %u",
				q->number, taken, q->sq_tail);
		return false;
	}
	if (state & LPAR_QUEUE_BROKEN) {
		lpar_main_break(q->dev, "the host gave up on queue %u", q->number);
		return false;
	}
	/* A service that was under way may have taken what was not rung for. */
	if ((s32)(taken - q->sq_rung) > 0)
		q->sq_rung = taken;

	/* Of other queues lpar_queue_irq() counts it: this may be just one more look. */
	if (q->polled && state & (LPAR_QUEUE_PA_BUSY | LPAR_QUEUE_RUNNABLE))
		WRITE_ONCE(q->asked, q->asked + 1);
	if (state & LPAR_QUEUE_PA_BUSY)
		ring = taken != q->sq_tail;
	if (state & LPAR_QUEUE_RUNNABLE)
		ring = ring || lpar_ring_inflight(q);
	if (ring_resumes_locked(q))
		ring = true;
	/* Who polls waits: for what is held as well, and for the adapter. */
	if (q->polled && ring_held(q) && !q->backlog)
		ring = true;
	if (q->polled && q->poll_us && !reaped && ring_published(q) &&
	    state & LPAR_QUEUE_POLLS)
		ring = true;
	if (reaped && ring_held(q) == lpar_ring_inflight(q) &&
	    lpar_donate_dry(&q->donate, ring_held(q), ktime_get_ns()))
		ring = true;
	return ring;
}

/**
 * lpar_ring_taken - does the host have requests that it has not ended?
 * @q: the queue
 *
 * Any context. The host may say what it likes; nothing is believed but that it waits.
 */
bool lpar_ring_taken(struct lpar_queue *q)
{
	u32 taken = le32_to_cpu(READ_ONCE(q->ctrl->sq_head));

	return (s32)(taken - READ_ONCE(q->cq_head)) > 0;
}

/**
 * lpar_ring_progress - a number that changes when the host does something for a queue
 * @q: the queue
 *
 * It has ended requests, or said that it can go on (an adapter that is full of others'
 * requests: it says so again and again). Any context.
 */
u32 lpar_ring_progress(struct lpar_queue *q)
{
	return READ_ONCE(q->cq_head) + READ_ONCE(q->asked);
}

/**
 * lpar_ring_again - completions may have been taken: donate again where it is time
 * @q:      a NIC's queue; called by its NAPI
 * @wanted: by the host, or in any case
 * @reaped: some were
 *
 * Any context.
 */
void lpar_ring_again(struct lpar_queue *q, bool wanted, bool reaped)
{
	unsigned long flags;
	bool ring;

	spin_lock_irqsave(&q->lock, flags);
	ring = (wanted && lpar_ring_inflight(q)) || (q->due && ring_held(q));
	q->due = false;
	if (reaped)
		lpar_donate_ended(&q->donate, q->cq_head, ktime_get_ns());
	if (reaped && ring_held(q) == lpar_ring_inflight(q) &&
	    lpar_donate_dry(&q->donate, ring_held(q), ktime_get_ns()))
		ring = true;
	ring = ring && !lpar_device_broken(q->dev);
	if (ring)
		ring = ring_leave_locked(q, ktime_get_ns());
	spin_unlock_irqrestore(&q->lock, flags);

	if (ring)
		ring_now(q);
}

/**
 * lpar_ring_poll - take completions, and donate again where that is wanted
 * @q: the queue
 *
 * Any context; from its interrupt, or by who waits.
 *
 * Return: how many were taken.
 */
int lpar_ring_poll(struct lpar_queue *q)
{
	bool ring = false;
	unsigned long flags;
	LIST_HEAD(done);
	u32 before;
	int taken;

	spin_lock_irqsave(&q->lock, flags);
	before = q->cq_head;
	if (!lpar_device_broken(q->dev) && ring_reap_locked(q, &done))
		ring = ring_wants_locked(q, !list_empty(&done));
	taken = q->cq_head - before;
	if (ring)
		ring = ring_leave_locked(q, ktime_get_ns());
	spin_unlock_irqrestore(&q->lock, flags);

	if (ring)
		ring_now(q);
	lpar_blk_finish(q->dev, &done);
	return taken;
}

/**
 * lpar_ring_sweep - take every request that the queue has
 * @q:    that the host has let go of: by a reset, or one queue alone
 * @done: where to put them
 *
 * Any context.
 */
void lpar_ring_sweep(struct lpar_queue *q, struct list_head *done)
{
	unsigned long flags;
	u32 i;

	spin_lock_irqsave(&q->lock, flags);
	for (i = 0; i < q->depth; i++) {
		if (!q->reqs[i])
			continue;
		list_add_tail(&q->reqs[i]->node, done);
		q->reqs[i] = NULL;
	}
	for (i = 0; i < LPAR_CLASSES; i++)
		list_splice_tail_init(&q->staged[i], done);
	q->order = (struct lpar_order){};
	q->backlog = false;
	q->sample = NULL;
	spin_unlock_irqrestore(&q->lock, flags);
}
