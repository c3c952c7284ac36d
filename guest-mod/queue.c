// SPDX-License-Identifier: GPL-2.0
/*
 * Queues: memory, interrupt, and what the host is told of them. What goes through
 * them is in ring.c.
 */
#include <linux/delay.h>
#include <linux/interrupt.h>
#include <linux/slab.h>

#include "blk.h"
#include "channel.h"
#include "policy.h"
#include "queue.h"

/* For requests that the adapter still has: its driver gives one up after a time-out
 * and an abort, a minute for NVMe, and other adapters' disks go on meanwhile. */
#define QUEUE_DESTROY_MS	120000
#define QUEUE_CREATE_MS		1000	/* for a host whose view of memory changes */

/**
 * lpar_queue_irq - a disk's queue has interrupted
 * @irq:  not looked at
 * @data: the queue
 *
 * Return: IRQ_HANDLED.
 */
irqreturn_t lpar_queue_irq(int irq, void *data)
{
	struct lpar_queue *q = data;
	u32 state = le32_to_cpu(READ_ONCE(q->ctrl->state));

	if (state & (LPAR_QUEUE_PA_BUSY | LPAR_QUEUE_RUNNABLE))
		WRITE_ONCE(q->asked, q->asked + 1);
	lpar_ring_poll(q);
	return IRQ_HANDLED;
}

/**
 * lpar_queue_number_get - take a number, and with it a doorbell
 * @dev: the device
 *
 * Return: the lowest that nobody has, or 0.
 */
u32 lpar_queue_number_get(struct lpar_device *dev)
{
	u32 number;

	lockdep_assert_held(&dev->disks_lock);
	for (number = 1; number <= dev->channel.queues; number++) {
		if (!test_and_set_bit(number, dev->numbers))
			return number;
	}
	return 0;
}

/**
 * lpar_queue_number_put - the opposite of lpar_queue_number_get()
 * @dev:    the device
 * @number: of no queue any more
 */
void lpar_queue_number_put(struct lpar_device *dev, u32 number)
{
	lockdep_assert_held(&dev->disks_lock);
	clear_bit(number, dev->numbers);
}

/**
 * lpar_queue_alloc - a queue and its memory; the host is not told yet
 * @dev:    the device
 * @number: a doorbell that is not in use
 * @depth:  slots, a power of two
 * @segs:   segments for each slot
 *
 * May sleep.
 *
 * Return: the queue or NULL.
 */
struct lpar_queue *lpar_queue_alloc(struct lpar_device *dev, u32 number,
				    u32 depth, u32 segs)
{
	struct lpar_queue *q = kzalloc(sizeof(*q), GFP_KERNEL);
	void *memory;
	u32 i;

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
	for (i = 0; i < LPAR_CLASSES; i++)
		INIT_LIST_HEAD(&q->staged[i]);
	lpar_policy_default(q);
	hrtimer_setup(&q->timer, lpar_ring_timer, CLOCK_MONOTONIC,
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
	struct lpar_device *dev = q->dev;

	spin_lock_irq(&dev->queues_lock);
	if (dev->queues[q->number] == q)
		dev->queues[q->number] = NULL;
	spin_unlock_irq(&dev->queues_lock);
	if (q->polled)
		synchronize_rcu();	/* lpar_queue_reap(), which uses no others */

	hrtimer_cancel(&q->timer);
	lpar_policy_stop(q);
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
 * Sleeps.
 *
 * Return: 0 or a negative errno.
 */
int lpar_queue_create(struct lpar_queue *q, u32 function)
{
	struct lpar_device *dev = q->dev;
	u64 arg[5] = {
		function, q->number, virt_to_phys(q->ctrl),
		q->depth | q->segs << 16,
		(1 + (q->number - 1) % (dev->vectors - 1)) | (u64)q->role << 16,
	};
	struct lpar_result result;
	unsigned long end;
	int err;

	/* All at once: a shared interrupt may have the handler look already. */
	spin_lock_irq(&q->lock);
	memset(q->ctrl, 0, sizeof(*q->ctrl));
	q->sq_tail = 0;
	q->sq_shown = 0;
	q->sq_rung = 0;
	q->cq_head = 0;
	spin_unlock_irq(&q->lock);

	q->function = function;
	spin_lock_irq(&dev->queues_lock);
	dev->queues[q->number] = q;
	spin_unlock_irq(&dev->queues_lock);

	/* Without an answer the host may have taken the memory all the same. */
	q->created = true;
	end = jiffies + msecs_to_jiffies(QUEUE_CREATE_MS);
	for (;;) {
		err = lpar_channel_call(dev, LPAR_OP_QUEUE_CREATE, arg, &result, NULL);
		if (err)
			return err;
		if (result.status != LPAR_BUSY || time_after(jiffies, end))
			break;
		usleep_range(1000, 2000);
	}
	if (result.status != LPAR_OK) {
		q->created = false;
		dev_err(&dev->pdev->dev, "queue %u: the host refused %u x %u: status %u\n",
			q->number, q->depth, q->segs, result.status);
		return lpar_channel_errno(result.status);
	}
	/* Not before: the host clears the page. */
	spin_lock_irq(&q->lock);
	lpar_ring_ask(q);
	lpar_policy_apply_locked(q);
	spin_unlock_irq(&q->lock);
	return 0;
}

/**
 * lpar_queue_destroy - the opposite of lpar_queue_create()
 * @q: created or not, without requests
 *
 * Sleeps; not on lpar_device.wq. Where the host does not let go of the queue the
 * device is reset. A host that does not end that is waited for with the first queue.
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
}

/**
 * lpar_queue_abandon - end what a queue has, because its function is gone
 * @q: created or not; takes no requests after this
 *
 * open => closed. Sleeps; not on lpar_device.wq. The host served what it had
 * taken before it let the queue go; it never will take the rest.
 */
void lpar_queue_abandon(struct lpar_queue *q)
{
	struct lpar_device *dev = q->dev;
	struct lpar_request *req, *next;
	LIST_HEAD(done);

	spin_lock_irq(&q->lock);
	q->closed = true;
	spin_unlock_irq(&q->lock);
	lpar_queue_destroy(q);

	/* Of a broken device main_reset_work() ends them, when that is safe. */
	lpar_ring_poll(q);
	if (lpar_device_broken(dev))
		return;
	lpar_ring_sweep(q, &done);
	list_for_each_entry_safe(req, next, &done, node) {
		list_del(&req->node);
		lpar_blk_end(dev, req, BLK_STS_IOERR);
	}
}

/**
 * lpar_queue_reap - take the completions that nobody may look for
 * @dev: the device
 *
 * Who has submitted polled requests may be stopped, or look for others first. May sleep.
 *
 * Return: whether to look again: there are polled queues. One that has no request may have one
 * that has its windows and is on its way there.
 */
bool lpar_queue_reap(struct lpar_device *dev)
{
	struct lpar_queue *q;
	bool more = false;
	u32 i;

	for (i = 1; i < ARRAY_SIZE(dev->queues); i++) {
		rcu_read_lock();
		/* a polled one outlives the look; others are looked at under the lock alone */
		spin_lock_irq(&dev->queues_lock);
		q = dev->queues[i];
		more |= q && q->polled;
		if (q && !(q->polled && lpar_ring_inflight(q)))
			q = NULL;
		spin_unlock_irq(&dev->queues_lock);
		if (q)
			lpar_ring_poll(q);
		rcu_read_unlock();
		cond_resched();
	}
	return more;
}

/**
 * lpar_queue_irq_get - take the queue's interrupt into use
 * @q:       before lpar_queue_create()
 * @cpus:    those that submit here
 * @handler: gets @q
 *
 * May sleep.
 *
 * Return: 0 or a negative errno.
 */
int lpar_queue_irq_get(struct lpar_queue *q, const struct cpumask *cpus,
		       irq_handler_t handler)
{
	struct pci_dev *pdev = q->dev->pdev;
	u32 vector = 1 + (q->number - 1) % (q->dev->vectors - 1);
	int err;

	err = pci_request_irq(pdev, vector, handler, NULL, q, "lpar-q%u@%s",
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
