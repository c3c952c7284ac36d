/* SPDX-License-Identifier: GPL-2.0 */
#ifndef LPAR_HOST_QUEUE_H
#define LPAR_HOST_QUEUE_H

#include <linux/bio.h>
#include <linux/kthread.h>
#include <linux/llist.h>
#include <linux/skbuff.h>
#include <linux/timer.h>
#include <linux/workqueue.h>

#include "client.h"
#include "function.h"
#include "stats.h"
#include "users.h"

#define LPAR_REQ_INLINE		8

/* Where a request's submission has got to; see lpar_blk_start(). */
enum lpar_phase {
	LPAR_PHASE_SUBMITTING,
	LPAR_PHASE_SUBMITTED,
	LPAR_PHASE_AGAIN,	/* the adapter took no more */
};

/* What has become of a submission. */
enum lpar_take {
	LPAR_TAKE_DONE,		/* taken: it ends, or has ended, by a completion */
	LPAR_TAKE_FULL,		/* no room in the adapter or the NIC's rate: it stays */
	LPAR_TAKE_IDLE,		/* nothing to do for it yet: it stays */
};

/**
 * struct lpar_req - a request in the host's block layer
 * @bio:          what the host's driver gets
 * @queue:        whose
 * @free:         in queue->free or queue->freed
 * @taken:        for tracing: when it was taken, or 0
 * @bytes:        to be transferred
 * @id:           the client's number of it
 * @nwins:        of @wins
 * @op:           LPAR_BLK_*
 * @polled:       the adapter does not interrupt for it
 * @phase:        enum lpar_phase
 * @big:          of a large request: room for @wins, the vectors and @guest
 * @guest:        in copy mode, the guest's page for each of the bio's
 * @wins:         windows that it uses
 * @inline_wins:  @wins of a small request
 * @inline_bvecs: the bio's vectors of a small request
 */
struct lpar_req {
	struct bio bio;
	struct lpar_queue *queue;
	struct llist_node free;
	u64 taken;
	u32 bytes;
	u16 id;
	u16 nwins;
	u8 op;
	bool polled;
	int phase;
	void *big;
	struct page **guest;
	struct lpar_window **wins;
	struct lpar_window *inline_wins[LPAR_REQ_INLINE];
	struct bio_vec inline_bvecs[LPAR_REQ_INLINE];
};

/**
 * struct lpar_queue - one submission and completion queue of a client
 * @users:        dispatchers, pending work, requests in the adapter, and the client.
 *                A user may touch all of it; lpar_queue_destroy_all() waits for the last
 * @client:       whose
 * @fn:           what it is for
 * @nic:          @fn is a NIC
 * @role:         enum lpar_queue_role
 * @index:        its number
 * @vector:       its interrupt
 * @depth:        slots, a power of two
 * @segs:         segments of each slot
 * @area:         its memory, pinned and mapped
 * @ctrl:         shared indices, the start of @area
 * @sq:           shared submissions
 * @cq:           shared completions
 * @seg_table:    shared segments
 * @flags:        LPAR_Q_SERVING: being served; LPAR_Q_KICKED: rung meanwhile
 * @server:       the thread that serves
 * @polls:        the client has the adapter looked at; the server's
 * @sq_head:      submissions taken; the server's, like the next two
 * @seg_copy:     private copy of one request's segments
 * @pause:        jiffies after which there is room; 0: not known
 * @free:         requests that can be taken; refilled from @freed
 * @freed:        requests that have ended, by completions
 * @reqs:         a disk's: all requests, @depth of them
 * @polled:       of those, in the adapter and not interrupted for
 * @looked:       the client's time was used to look for them lately
 * @late:         looks for them where that was not so
 * @frames:       likewise, of a NIC that sends
 * @backlog:      received frames that wait for the client
 * @backlog_bytes: of memory that they and those in @waiting take; under its lock
 * @waiting:      those that were taken from there, by skb->next; the server's
 * @reserve:      memory of one large request, so that one can always go on
 * @reserve_used: bit 0: it is in use
 * @big_size:     bytes of @reserve
 * @lock:         protects the next four and the completions' counters; taken in
 *                hard interrupts
 * @cq_tail:      completions written
 * @state:        LPAR_QUEUE_*: what ctrl->state is set to
 * @stalled:      say RUNNABLE at the next completion
 * @retry:        say it soon, when no completion is to come
 * @stats:        counters; see stats.h for who writes which
 * @link:         in fn->queue_list
 * @node:         folder in sysfs
 * @stats_node:   its folder "stats"
 * @thread:       of the client's: serves what strangers rang
 * @served:       its work, with a user of the queue
 * @kept:         work for the host's sake, likewise
 * @rcu:          frees it after readers of client->queue
 */
struct lpar_queue {
	struct lpar_users users;
	struct lpar_client *client;
	struct lpar_fn *fn;
	bool nic;
	enum lpar_queue_role role;
	unsigned int index;
	unsigned int vector;
	u32 depth;
	u32 segs;

	struct lpar_area area;
	struct lpar_queue_ctrl *ctrl;
	const struct lpar_blk_sqe *sq;
	struct lpar_cqe *cq;
	const struct lpar_seg *seg_table;

	/* Owned by whoever holds LPAR_Q_SERVING. */
	unsigned long flags;
#define LPAR_Q_SERVING	0
#define LPAR_Q_KICKED	1
	struct task_struct *server;
	bool polls;
	u32 sq_head;
	struct lpar_seg *seg_copy;
	unsigned long pause;
	struct llist_node *free;

	struct llist_head freed;
	struct lpar_req *reqs;
	atomic_t polled;
	bool looked;
	struct timer_list late;
	struct lpar_net_req *frames;
	struct sk_buff_head backlog;
	unsigned int backlog_bytes;
	struct sk_buff *waiting;
	void *reserve;
	unsigned long reserve_used;
	size_t big_size;

	/* Completions may come in hard interrupts. Protects the next four. */
	spinlock_t lock;
	u32 cq_tail;
	u32 state;
	bool stalled;
	struct timer_list retry;

	struct lpar_stats stats;
	atomic64_t rings;		/* doorbells; rung from anywhere */
	struct list_head link;		/* fn->queue_list */
	struct lpar_node *node;
	struct lpar_node *stats_node;
	struct kthread_worker *thread;
	struct kthread_work served;
	struct work_struct kept;
	struct rcu_head rcu;
};

enum lpar_status lpar_queue_create(struct lpar_client *c, u64 function, u64 index,
				   u64 gpa, u64 shape, u64 vector);
enum lpar_status lpar_queue_close(struct lpar_client *c, u64 index);
int lpar_queue_destroy_all(struct lpar_client *c, struct lpar_fn *only,
			   bool killable);
struct lpar_queue *lpar_queue_get(struct lpar_client *c, unsigned int index);

void lpar_queue_complete(struct lpar_queue *q, u16 id, enum lpar_status status,
			 u32 bytes, u64 began, u8 op, u64 taken);
void lpar_queue_raise(struct lpar_queue *q, u32 set);
void lpar_queue_arrived(struct lpar_queue *q);
void lpar_queue_stall(struct lpar_queue *q);
void lpar_queue_polled(struct lpar_queue *q);
void lpar_queue_clear(struct lpar_queue *q);
void lpar_queue_stats(struct lpar_queue *q, struct lpar_stats *sum);

/* Is this a thread that serves the queue, on time that is accounted as that? */
static inline bool lpar_queue_serves(struct lpar_queue *q)
{
	return in_task() && READ_ONCE(q->server) == current;
}

static inline void lpar_queue_put(struct lpar_queue *q)
{
	lpar_users_put(&q->users);
}

/* Copy what the client can write, once; the copy is what is looked at. */
static inline void lpar_copy_once(void *to, const void *from, size_t n)
{
	memcpy(to, from, n);
	barrier();	/* no compiler reads from again for to */
}

#endif
