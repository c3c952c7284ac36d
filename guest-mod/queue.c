// SPDX-License-Identifier: GPL-2.0
/*
 * Queues: submissions out, completions in.
 *
 * Nothing is taken from shared memory but what the host alone writes there, each
 * value once, and it is checked against private indices. A host that breaks the
 * rules has broken its device, not this kernel.
 */
#include <linux/delay.h>
#include <linux/interrupt.h>
#include <linux/moduleparam.h>
#include <linux/slab.h>
#include <asm/barrier.h>

#include "blk.h"
#include "channel.h"
#include "queue.h"

static unsigned int donate_batch = 16;
module_param(donate_batch, uint, 0644);
MODULE_PARM_DESC(donate_batch, "Requests that one doorbell is for, at most");

static unsigned int donate_us = 200;
module_param(donate_us, uint, 0644);
MODULE_PARM_DESC(donate_us, "Shortest time that a request is held back, microseconds");

static unsigned int quantum_us;
module_param(quantum_us, uint, 0644);
MODULE_PARM_DESC(quantum_us, "Longest service for one doorbell, microseconds (0: the host's limit)");

static const char * const queue_policies[] = {
	[LPAR_DONATE_BATCH]	= "batch",
	[LPAR_DONATE_INLINE]	= "inline",
};

static enum lpar_donate_policy donate = LPAR_DONATE_BATCH;

static int queue_policy_set(const char *value, const struct kernel_param *kp)
{
	int policy = sysfs_match_string(queue_policies, value);

	if (policy < 0)
		return policy;
	donate = policy;
	return 0;
}

static int queue_policy_get(char *buffer, const struct kernel_param *kp)
{
	return sysfs_emit(buffer, "%s\n", queue_policies[donate]);
}

static const struct kernel_param_ops queue_policy_ops = {
	.set = queue_policy_set,
	.get = queue_policy_get,
};

module_param_cb(donate, &queue_policy_ops, NULL, 0644);
MODULE_PARM_DESC(donate, "When queues made from now on ring: batch or inline");

#define QUEUE_DESTROY_MS	10000	/* for requests that the adapter still has */

static u32 queue_inflight(const struct lpar_queue *q)
{
	return q->sq_tail - q->cq_head;
}

/* Submitted and not rung for. A host may complete even those. */
static u32 queue_held(const struct lpar_queue *q)
{
	return min(q->sq_tail - q->sq_rung, queue_inflight(q));
}

/* The caller rings when it has let go of the lock. */
static void queue_rung_locked(struct lpar_queue *q, u64 now)
{
	lockdep_assert_held(&q->lock);
	lpar_donate_rung(&q->donate, queue_inflight(q), queue_held(q), now);
	q->sq_rung = q->sq_tail;
	q->doorbells++;
}

/* Without the lock: this vCPU may be away for a quantum. */
static void queue_ring(struct lpar_queue *q)
{
	lpar_device_ring(q->dev, q->number);
	lpar_donate_served(&q->donate, ktime_get_ns());
}

/* What is held has its timer. */
static void queue_hold_locked(struct lpar_queue *q)
{
	u64 hold = lpar_donate_hold(&q->donate);

	lockdep_assert_held(&q->lock);
	if (queue_held(q) == 1)
		q->held_since = ktime_get_ns();
	if (q->timing)
		return;
	/* A doorbell does not stop it: that would cost as much as the doorbell. */
	q->timing = true;
	hrtimer_start(&q->timer, ns_to_ktime(hold), HRTIMER_MODE_REL_SOFT);
}

static enum hrtimer_restart queue_timer(struct hrtimer *timer)
{
	struct lpar_queue *q = container_of(timer, struct lpar_queue, timer);
	u64 now = ktime_get_ns(), until;
	unsigned long flags;
	bool ring = false;

	spin_lock_irqsave(&q->lock, flags);
	if (queue_held(q) && !lpar_device_broken(q->dev)) {
		/* Those it was started for may be rung for, and others held. */
		until = q->held_since + lpar_donate_hold(&q->donate);
		if (now < until) {
			hrtimer_forward_now(timer, ns_to_ktime(until - now));
			spin_unlock_irqrestore(&q->lock, flags);
			return HRTIMER_RESTART;
		}
		lpar_donate_expired(&q->donate, queue_inflight(q),
				    queue_held(q));
		queue_rung_locked(q, now);
		ring = true;
	}
	q->timing = false;
	spin_unlock_irqrestore(&q->lock, flags);

	if (ring)
		queue_ring(q);
	return HRTIMER_NORESTART;
}

/* -------------------------------------------------------- submission */

static void queue_write_locked(struct lpar_queue *q, struct lpar_request *req)
{
	struct request *rq = blk_mq_rq_from_pdu(req);
	u32 slot = q->sq_tail & (q->depth - 1);
	struct lpar_blk_sqe sqe = {
		.op = req->op,
		.flags = req->flags,
		.id = cpu_to_le16(rq->tag),
		.nsegs = cpu_to_le16(req->nsegs),
	};

	lockdep_assert_held(&q->lock);
	if (req->op != LPAR_BLK_FLUSH) {
		sqe.sector = cpu_to_le64(blk_rq_pos(rq));
		sqe.nsectors = cpu_to_le32(blk_rq_sectors(rq));
	}
	if (req->nsegs <= LPAR_SQE_SEGS)
		memcpy(sqe.seg, req->segs, req->nsegs * sizeof(*req->segs));
	else
		memcpy(q->table + slot * q->segs, req->segs,
		       req->nsegs * sizeof(*req->segs));
	q->sq[slot] = sqe;
}

/**
 * lpar_queue_submit - put a request into the ring, and ring where it is time
 * @q:    the queue
 * @req:  resolved; the queue's when this returns true
 * @last: the block layer has no more at hand
 *
 * Any context. There is always a slot: a queue has as many tags as slots, and a
 * tag is in use until its completion is consumed.
 *
 * Return: false when the device is broken; the request is still the caller's.
 */
bool lpar_queue_submit(struct lpar_queue *q, struct lpar_request *req, bool last)
{
	bool urgent = req->urgent, data = req->nsegs;
	int tag = blk_mq_rq_from_pdu(req)->tag;
	unsigned long flags;
	bool ring;
	u64 now;

	spin_lock_irqsave(&q->lock, flags);
	if (lpar_device_broken(q->dev)) {
		spin_unlock_irqrestore(&q->lock, flags);
		return false;
	}
	queue_write_locked(q, req);
	q->reqs[tag] = req;
	q->sq_tail++;
	q->requests++;
	/*
	 * Order the entry and its segments before the index that publishes them.
	 * Pairs with the host's acquire load of sq_tail.
	 */
	virt_store_release(&q->ctrl->sq_tail, cpu_to_le32(q->sq_tail));

	ring = lpar_donate_submitted(&q->donate, queue_inflight(q),
				     queue_held(q), last, urgent);
	if (ring) {
		now = ktime_get_ns();
		queue_rung_locked(q, now);
		if (data && !q->sample) {
			q->sample = req;
			q->sample_at = now;
		}
	} else {
		queue_hold_locked(q);
	}
	spin_unlock_irqrestore(&q->lock, flags);

	if (ring)
		queue_ring(q);
	return true;
}

/**
 * lpar_queue_commit - the block layer has no more at hand after all
 * @q: the queue
 *
 * Any context.
 */
void lpar_queue_commit(struct lpar_queue *q)
{
	unsigned long flags;
	bool ring = false;

	spin_lock_irqsave(&q->lock, flags);
	if (queue_held(q) && !lpar_device_broken(q->dev))
		ring = lpar_donate_submitted(&q->donate, queue_inflight(q),
					     queue_held(q), true, false);
	if (ring)
		queue_rung_locked(q, ktime_get_ns());
	spin_unlock_irqrestore(&q->lock, flags);

	if (ring)
		queue_ring(q);
}

/**
 * lpar_queue_nudge - ring whether it seems necessary or not
 * @q: the queue
 *
 * Any context.
 */
void lpar_queue_nudge(struct lpar_queue *q)
{
	unsigned long flags;
	bool ring;

	spin_lock_irqsave(&q->lock, flags);
	ring = queue_inflight(q) && !lpar_device_broken(q->dev);
	if (ring)
		queue_rung_locked(q, ktime_get_ns());
	spin_unlock_irqrestore(&q->lock, flags);

	if (ring)
		queue_ring(q);
}

/* -------------------------------------------------------- completion */

/* Consume the completion at cq_head. False: it breaks the rules. */
static bool queue_consume_locked(struct lpar_queue *q, struct list_head *done)
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
	if (!req || copy.cqe.reserved) {
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

/* Consume all there is, then ask for the next interrupt. */
static bool queue_reap_locked(struct lpar_queue *q, struct list_head *done)
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
		if (tail - q->cq_head > queue_inflight(q)) {
			lpar_main_break(q->dev, "queue %u: %u completions of %u requests",
					q->number, tail - q->cq_head,
					queue_inflight(q));
			return false;
		}
		while (q->cq_head != tail) {
			if (!queue_consume_locked(q, done))
				return false;
		}
		/* Order our reads of the entries before giving them back. */
		virt_store_release(&ctrl->cq_head, cpu_to_le32(q->cq_head));
		WRITE_ONCE(ctrl->cq_event, cpu_to_le32(q->cq_head));
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
static bool queue_wants_locked(struct lpar_queue *q, bool reaped)
{
	u32 taken = le32_to_cpu(READ_ONCE(q->ctrl->sq_head));
	u32 state = le32_to_cpu(READ_ONCE(q->ctrl->state));
	bool ring = false;

	lockdep_assert_held(&q->lock);
	if (q->sq_tail - taken > q->depth) {
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

	if (state & LPAR_QUEUE_PA_BUSY)
		ring = taken != q->sq_tail;
	if (state & LPAR_QUEUE_RUNNABLE)
		ring = ring || queue_inflight(q);
	if (reaped && queue_held(q) == queue_inflight(q) &&
	    lpar_donate_dry(&q->donate, queue_held(q), ktime_get_ns()))
		ring = true;
	return ring;
}

/**
 * lpar_queue_poll - take completions, and donate again where that is wanted
 * @q: the queue
 *
 * Any context; from its interrupt.
 */
void lpar_queue_poll(struct lpar_queue *q)
{
	bool ring = false;
	unsigned long flags;
	LIST_HEAD(done);

	spin_lock_irqsave(&q->lock, flags);
	if (!lpar_device_broken(q->dev) && queue_reap_locked(q, &done))
		ring = queue_wants_locked(q, !list_empty(&done));
	if (ring)
		queue_rung_locked(q, ktime_get_ns());
	spin_unlock_irqrestore(&q->lock, flags);

	if (ring)
		queue_ring(q);
	lpar_blk_finish(q->dev, &done);
}

static irqreturn_t queue_irq(int irq, void *data)
{
	lpar_queue_poll(data);
	return IRQ_HANDLED;
}

/**
 * lpar_queue_sweep - take every request that the host has
 * @q:    of a device that is broken and whose reset was acknowledged
 * @done: where to put them
 *
 * Any context.
 */
void lpar_queue_sweep(struct lpar_queue *q, struct list_head *done)
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
	q->sample = NULL;
	spin_unlock_irqrestore(&q->lock, flags);
}

/* ---------------------------------------------------------- lifetime */

/**
 * lpar_queue_alloc - a queue and its memory; the host is not told yet
 * @dev:    the device
 * @number: a doorbell that is not in use
 * @depth:  slots, a power of two
 * @segs:   segments for each slot
 *
 * May sleep. Return: the queue or NULL.
 */
struct lpar_queue *lpar_queue_alloc(struct lpar_device *dev, u32 number,
				    u32 depth, u32 segs)
{
	struct lpar_queue *q = kzalloc(sizeof(*q), GFP_KERNEL);
	void *memory;

	if (!q)
		return NULL;
	q->reqs = kcalloc(depth, sizeof(*q->reqs), GFP_KERNEL);
	if (!q->reqs)
		goto err_free;
	memory = alloc_pages_exact(lpar_queue_bytes(depth, segs),
				   GFP_KERNEL | __GFP_ZERO | __GFP_NOWARN);
	if (!memory)
		goto err_free_reqs;

	q->dev = dev;
	q->number = number;
	q->depth = depth;
	q->segs = segs;
	q->ctrl = memory;
	q->sq = memory + lpar_queue_sq_offset();
	q->cq = memory + lpar_queue_cq_offset(depth);
	q->table = memory + lpar_queue_segs_offset(depth);
	spin_lock_init(&q->lock);
	hrtimer_setup(&q->timer, queue_timer, CLOCK_MONOTONIC,
		      HRTIMER_MODE_REL_SOFT);
	return q;

err_free_reqs:
	kfree(q->reqs);
err_free:
	kfree(q);
	return NULL;
}

/**
 * lpar_queue_free - the opposite of lpar_queue_alloc()
 * @q: without requests and without an interrupt
 *
 * May sleep. Memory that the host may still write to is not given back.
 */
void lpar_queue_free(struct lpar_queue *q)
{
	hrtimer_cancel(&q->timer);
	if (!q->created || q->dev->quiet)
		free_pages_exact(q->ctrl, lpar_queue_bytes(q->depth, q->segs));
	else
		dev_err(&q->dev->pdev->dev, "queue %u: no answer to the reset: leaving its memory\n",
			q->number);
	kfree(q->reqs);
	kfree(q);
}

/**
 * lpar_queue_create - tell the host
 * @q:        from lpar_queue_alloc(), or destroyed
 * @function: that it is for
 *
 * Sleeps. Return: 0 or a negative errno.
 */
int lpar_queue_create(struct lpar_queue *q, u32 function)
{
	struct lpar_device *dev = q->dev;
	u64 arg[5] = {
		function, q->number, virt_to_phys(q->ctrl),
		q->depth | q->segs << 16,
		1 + (q->number - 1) % (dev->vectors - 1),
	};
	struct lpar_result result;
	int err;

	/* All at once: a shared interrupt may have the handler look already. */
	spin_lock_irq(&q->lock);
	memset(q->ctrl, 0, sizeof(*q->ctrl));
	q->ctrl->quantum_us = cpu_to_le32(quantum_us);
	q->sq_tail = 0;
	q->sq_rung = 0;
	q->cq_head = 0;
	lpar_donate_init(&q->donate, donate, min(donate_batch, q->depth), donate_us);
	spin_unlock_irq(&q->lock);

	err = lpar_channel_call(dev, LPAR_OP_QUEUE_CREATE, arg, &result, NULL);
	if (err)
		return err;
	if (result.status != LPAR_OK) {
		dev_err(&dev->pdev->dev, "queue %u: the host refused %u x %u: status %u\n",
			q->number, q->depth, q->segs, result.status);
		return lpar_channel_errno(result.status);
	}
	q->function = function;
	q->created = true;
	spin_lock_irq(&dev->queues_lock);
	dev->queues[q->number] = q;
	spin_unlock_irq(&dev->queues_lock);
	return 0;
}

/**
 * lpar_queue_destroy - the opposite of lpar_queue_create()
 * @q: created or not, without requests
 *
 * Sleeps; not on lpar_device.wq. Where the host does not let go of the queue the
 * device is reset.
 */
void lpar_queue_destroy(struct lpar_queue *q)
{
	unsigned long end = jiffies + msecs_to_jiffies(QUEUE_DESTROY_MS);
	struct lpar_device *dev = q->dev;
	u64 arg[5] = { q->number };
	struct lpar_result result;

	if (!q->created)
		return;
	while (!lpar_channel_call(dev, LPAR_OP_QUEUE_DESTROY, arg, &result, NULL)) {
		/* A function that vanished may have taken its queues along. */
		if (result.status == LPAR_OK || result.status == LPAR_NOENT) {
			q->created = false;
			break;
		}
		if (result.status != LPAR_BUSY || time_after(jiffies, end)) {
			lpar_main_break(dev, "queue %u is not let go of: status %u",
					q->number, result.status);
			break;
		}
		usleep_range(1000, 2000);
	}
	if (lpar_device_broken(dev))
		flush_delayed_work(&dev->reset_work);

	spin_lock_irq(&dev->queues_lock);
	if (dev->queues[q->number] == q)
		dev->queues[q->number] = NULL;
	spin_unlock_irq(&dev->queues_lock);
}

/**
 * lpar_queue_irq_get - take the queue's interrupt into use
 * @q:    before lpar_queue_create()
 * @cpus: those that submit here
 *
 * May sleep. Return: 0 or a negative errno.
 */
int lpar_queue_irq_get(struct lpar_queue *q, const struct cpumask *cpus)
{
	struct pci_dev *pdev = q->dev->pdev;
	u32 vector = 1 + (q->number - 1) % (q->dev->vectors - 1);
	int err;

	err = pci_request_irq(pdev, vector, queue_irq, NULL, q, "lpar-q%u@%s",
			      q->number, pci_name(pdev));
	if (err)
		return err;
	q->irq = pci_irq_vector(pdev, vector);
	/* A wish: it fails where none of them is online. */
	irq_set_affinity(q->irq, cpus);
	return 0;
}

/**
 * lpar_queue_irq_put - the opposite of lpar_queue_irq_get()
 * @q: with an interrupt or without; the handler does not run after this
 *
 * May sleep.
 */
void lpar_queue_irq_put(struct lpar_queue *q)
{
	u32 vector = 1 + (q->number - 1) % (q->dev->vectors - 1);

	if (q->irq > 0)
		pci_free_irq(q->dev->pdev, vector, q);
	q->irq = 0;
}
