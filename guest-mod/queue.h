/* SPDX-License-Identifier: GPL-2.0 */
/* One submission and one completion ring, shared with the host. */
#ifndef LPAR_GUEST_QUEUE_H
#define LPAR_GUEST_QUEUE_H

#include <linux/cpumask.h>
#include <linux/hrtimer.h>
#include <linux/interrupt.h>

#include "device.h"
#include "donate.h"
#include "order.h"

struct lpar_request;
struct napi_struct;
struct request;
struct task_struct;

/**
 * struct lpar_queue - the guest's side of a queue
 * @dev:      the device
 * @number:   of its doorbell, 1 … lpar_channel.queues
 * @function: that it was created for
 * @depth:    slots, a power of two
 * @segs:     segments for each slot
 * @role:     what the host is told it is for
 * @irq:      Linux interrupt number, 0 without one
 * @polled:   a disk's, without an interrupt: who submits looks for the completion
 * @napi:     of a NIC's queue, else NULL: looks at the queue in place of
 *            lpar_ring_poll(), and when a broken device has become quiet
 * @ctrl:     shared indices (the start of the queue's memory)
 * @sq:       shared submissions
 * @cq:       shared completions
 * @table:    shared segments
 * @created:  the host knows it
 * @lock:     protects all below; also orders a submission with the sweep of a
 *            broken device
 * @policy:   who rings, and when
 * @batch:    most requests that are in the ring and not taken by the host
 * @hold_us:  shortest time that something is held back
 * @quantum_us: longest service of a doorbell; 0: the host's limit
 * @poll_us:  of a polled queue: how long a doorbell may have the host look for
 *            completions in the adapter; 0: it is left to the adapter's interrupts
 * @closed:   nothing is submitted any more
 * @reqs:     by id: the request that the host has, the one owner of it
 * @staged:   a disk's: requests that are held, of each class; they are not in the ring
 * @order:    how many those are, and which is next
 * @backlog:  some of @staged have been rung for and found no room
 * @thread:   rings with LPAR_DONATE_THREAD; once there, it stays
 * @due:      it is to ring, or the thread of a NIC's NAPI
 * @serving:  it does
 * @sq_tail:  submissions written
 * @sq_shown: of those, what the host has been shown
 * @sq_rung:  of those, rung for (or seen to be taken)
 * @cq_head:  completions consumed
 * @asked:    interrupts of the host's that wanted the CPU again; looks that found so, of
 *            a polled queue
 * @donate:   when to ring
 * @timer:    bounds how long requests are held
 * @timing:   @timer is running
 * @prompt:   one of the held frames is held for the shortest time only
 * @held_since: when the first of the held requests was submitted, or the doorbell last rung, ns
 * @sample:   the request whose latency is being measured
 * @sample_at: when its doorbell was rung, ns
 * @doorbells: rung
 * @requests: submitted
 */
struct lpar_queue {
	struct lpar_device *dev;
	u32 number;
	u32 function;
	u32 depth;
	u32 segs;
	enum lpar_queue_role role;
	int irq;
	bool polled;
	struct napi_struct *napi;
	struct lpar_queue_ctrl *ctrl;
	struct lpar_blk_sqe *sq;
	struct lpar_cqe *cq;
	struct lpar_seg *table;
	bool created;

	spinlock_t lock;	/* all below */
	enum lpar_donate_policy policy;
	u32 batch;
	u32 hold_us;
	u32 quantum_us;
	u32 poll_us;
	bool closed;
	struct lpar_request **reqs;
	struct list_head staged[LPAR_CLASSES];
	struct lpar_order order;
	bool backlog;
	struct task_struct *thread;
	bool due;
	bool serving;
	u32 sq_tail;
	u32 sq_shown;
	u32 sq_rung;
	u32 cq_head;
	u32 asked;
	struct lpar_donate donate;
	struct hrtimer timer;
	bool timing;
	bool prompt;
	u64 held_since;
	struct lpar_request *sample;
	u64 sample_at;
	u64 doorbells;
	u64 requests;
};

struct lpar_queue *lpar_queue_alloc(struct lpar_device *dev, u32 number,
				    u32 depth, u32 segs);
void lpar_queue_free(struct lpar_queue *q);
int lpar_queue_create(struct lpar_queue *q, u32 function);
void lpar_queue_destroy(struct lpar_queue *q);
void lpar_queue_abandon(struct lpar_queue *q);
int lpar_queue_irq_get(struct lpar_queue *q, const struct cpumask *cpus,
		       irq_handler_t handler);
irqreturn_t lpar_queue_irq(int irq, void *data);
u32 lpar_queue_number_get(struct lpar_device *dev);
void lpar_queue_number_put(struct lpar_device *dev, u32 number);
void lpar_queue_irq_put(struct lpar_queue *q);
bool lpar_queue_reap(struct lpar_device *dev);

/* ring.c */
void lpar_ring_show(struct lpar_queue *q);
bool lpar_ring_submit(struct lpar_queue *q, struct lpar_request *req, bool last);
void lpar_ring_commit(struct lpar_queue *q);
void lpar_ring_frame(struct lpar_queue *q, bool last, bool urgent, bool prompt);
void lpar_ring_again(struct lpar_queue *q, bool wanted, bool reaped);
u32 lpar_ring_inflight(const struct lpar_queue *q);
int lpar_ring_poll(struct lpar_queue *q);
void lpar_ring_ask(struct lpar_queue *q);
void lpar_ring_nudge(struct lpar_queue *q);
bool lpar_ring_taken(struct lpar_queue *q);
u32 lpar_ring_progress(struct lpar_queue *q);
void lpar_ring_serve(struct lpar_queue *q);
bool lpar_ring_waits(struct lpar_queue *q);
enum hrtimer_restart lpar_ring_timer(struct hrtimer *timer);
void lpar_ring_sweep(struct lpar_queue *q, struct list_head *done);

#endif
