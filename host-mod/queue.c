// SPDX-License-Identifier: GPL-2.0
/*
 * Queues: shared rings, private indices. The client's memory is pinned and mapped,
 * so that a completion can be written in an interrupt.
 */
#include <linux/mm.h>
#include <linux/sched/clock.h>
#include <linux/slab.h>

#include "blk.h"
#include "compat.h"
#include "dispatch.h"
#include "errand.h"
#include "memory.h"
#include "net.h"
#include "queue.h"
#include "trace.h"

/* How soon to try again when the adapter was full of others' requests. */
#define RETRY_MS	1
/* How soon completions are looked for that the adapter does not interrupt for, when
 * the client does not donate for it. */
#define LATE_MS		10

/* --------------------------------------------------------- towards the client */

static void count_runnable(struct lpar_queue *q)
{
	q->stats.runnable++;
	lpar_trace(runnable, q->client->partition->id, q->fn->id, q->index);
}

static void raise_locked(struct lpar_queue *q, u32 set)
{
	lockdep_assert_held(&q->lock);
	q->state |= set;
	WRITE_ONCE(q->ctrl->state, cpu_to_le32(q->state));
	q->stats.interrupts++;
	lpar_client_signal(q->client, q->vector);
	if (set & LPAR_QUEUE_PA_BUSY) {
		q->stats.pa_busy++;
		lpar_trace(pa_busy, q->client->partition->id, q->fn->id, q->index);
	}
	if (set & LPAR_QUEUE_RUNNABLE)
		count_runnable(q);
}

/* Tell the client to donate again, with LPAR_QUEUE_* bits. Any context. */
void lpar_queue_raise(struct lpar_queue *q, u32 set)
{
	unsigned long flags;

	spin_lock_irqsave(&q->lock, flags);
	raise_locked(q, set);
	spin_unlock_irqrestore(&q->lock, flags);
}

/* A donation has come: what asked for it is answered. The server only. */
void lpar_queue_clear(struct lpar_queue *q)
{
	u32 state = READ_ONCE(q->state);
	unsigned long flags;

	if (state == lpar_core_answered(state, q->polls))
		return;
	spin_lock_irqsave(&q->lock, flags);
	q->state = lpar_core_answered(q->state, q->polls);
	WRITE_ONCE(q->ctrl->state, cpu_to_le32(q->state));
	spin_unlock_irqrestore(&q->lock, flags);
}

/*
 * Something came by itself, and the client can donate for it: RUNNABLE, with an
 * interrupt if it waits for one (a client that polls looks at the state). Any context.
 */
void lpar_queue_arrived(struct lpar_queue *q)
{
	unsigned long flags;

	spin_lock_irqsave(&q->lock, flags);
	if (!(q->state & LPAR_QUEUE_RUNNABLE)) {
		q->state |= LPAR_QUEUE_RUNNABLE;
		WRITE_ONCE(q->ctrl->state, cpu_to_le32(q->state));
		count_runnable(q);
		/* the state before the question; pairs with the client's barrier
		 * between writing cq_event and its last look */
		smp_mb();
		if (le32_to_cpu(READ_ONCE(q->ctrl->cq_event)) == q->cq_tail) {
			q->stats.interrupts++;
			lpar_client_signal(q->client, q->vector);
		}
	}
	spin_unlock_irqrestore(&q->lock, flags);
}

/* Nothing more is taken now: say so when it might be. The server only. */
void lpar_queue_stall(struct lpar_queue *q)
{
	unsigned long pause = q->pause ?: msecs_to_jiffies(RETRY_MS);
	unsigned long flags;

	spin_lock_irqsave(&q->lock, flags);
	if (!q->pause && lpar_core_in_flight(q->sq_head, q->cq_tail))
		q->stalled = true;
	else
		mod_timer(&q->retry, jiffies + pause);
	spin_unlock_irqrestore(&q->lock, flags);
	q->pause = 0;
}

static void retry(struct timer_list *t)
{
	struct lpar_queue *q = container_of(t, struct lpar_queue, retry);

	lpar_queue_raise(q, LPAR_QUEUE_RUNNABLE);
}

/* The client does not look for what it has in the adapter: its host does. */
static void late(struct timer_list *t)
{
	struct lpar_queue *q = container_of(t, struct lpar_queue, late);

	/* pairs with lpar_queue_polled() */
	smp_mb();
	if (!atomic_read(&q->polled))
		return;
	if (!xchg(&q->looked, false))
		lpar_dispatch_keep(q);
	mod_timer(t, jiffies + msecs_to_jiffies(LATE_MS));
}

/* A request is about to be submitted that the adapter does not interrupt for. It ends
 * whatever the client does. The server only. */
void lpar_queue_polled(struct lpar_queue *q)
{
	atomic_inc(&q->polled);
	/* the request before the question; pairs with late() */
	smp_mb__after_atomic();
	if (!timer_pending(&q->late))
		mod_timer(&q->late, jiffies + msecs_to_jiffies(LATE_MS));
}

/**
 * lpar_queue_complete - end a request: exactly once for each that was taken
 * @q: the queue; the caller is a user of it
 * @id: the client's number of the request
 * @status: what it ends with
 * @bytes: that were transferred
 * @began: local_clock() at the start of undonated work, or 0 for donated work
 * @op: for tracing: LPAR_BLK_*, or 0
 * @taken: for tracing: local_clock() when it was taken, or 0
 *
 * There is room: the server takes a request only while the requests taken and the
 * completions not yet consumed fit into the ring.
 *
 * Context: any.
 */
void lpar_queue_complete(struct lpar_queue *q, u16 id, enum lpar_status status,
			 u32 bytes, u64 began, u8 op, u64 taken)
{
	struct lpar_cqe cqe = {
		.id = cpu_to_le16(id),
		.status = cpu_to_le16(status),
		.bytes = q->role == LPAR_ROLE_RECEIVE ? cpu_to_le32(bytes) : 0,
	};
	unsigned long flags;
	u64 ns = 0, latency = 0, now;
	u32 event;

	spin_lock_irqsave(&q->lock, flags);
	q->cq[q->cq_tail & (q->depth - 1)] = cqe;
	/* the entry before the index; pairs with the client's load-acquire */
	smp_store_release(&q->ctrl->cq_tail, cpu_to_le32(++q->cq_tail));
	q->stats.requests++;
	q->stats.bytes += bytes;
	q->stats.errors += status != LPAR_OK;

	/* the index before the question; pairs with the client's barrier between
	 * writing cq_event and its last look at cq_tail */
	smp_mb();
	event = le32_to_cpu(READ_ONCE(q->ctrl->cq_event));
	switch (lpar_core_signal(q->stalled, event, q->cq_tail)) {
	case LPAR_SIGNAL_NONE:
		break;
	case LPAR_SIGNAL_DONE:
		raise_locked(q, 0);
		break;
	case LPAR_SIGNAL_RUNNABLE:
		q->stalled = false;
		raise_locked(q, LPAR_QUEUE_RUNNABLE);
		break;
	}
	if (began || taken) {
		now = local_clock();
		ns = began ? now - began : 0;
		latency = taken ? now - taken : 0;
	}
	q->stats.undonated_completion_ns += ns;
	lpar_trace(completion, q->client->partition->id, q->fn->id, q->index, id,
		   op, status, bytes, latency, ns);
	spin_unlock_irqrestore(&q->lock, flags);
}

/* ----------------------------------------------------------------- life cycle */

/* Add a queue's counters. Any context. */
void lpar_queue_stats(struct lpar_queue *q, struct lpar_stats *sum)
{
	lpar_stats_add(sum, &q->stats);
	sum->doorbells += atomic64_read(&q->rings);
}

static void read_stats(void *owner, struct lpar_stats *sum)
{
	lpar_queue_stats(owner, sum);
}

static void queue_free(struct lpar_queue *q)
{
	if (q->nic)
		lpar_net_queue_free(q);
	else
		lpar_blk_queue_free(q);
	kvfree(q->seg_copy);
	lpar_memory_unmap(q->client, &q->area);
	kfree_rcu(q, rcu);
}

/* Workers are charged to nobody: what they do for a partition's queues is a ninth of the time
 * at most. */
#define SHOW_SHARE	8
#define SHOW_MOST_NS	(NSEC_PER_SEC / 20)	/* for one, who else may have had the locks */

/* The client's lock is held, by the caller or by whoever waits for this worker. */
static void pay(struct lpar_queue *q, u64 began)
{
	struct lpar_partition *p = q->client->partition;
	u64 now = ktime_get_ns();

	p->shown_until = max(p->shown_until, now) +
			 min_t(u64, (now - began) * SHOW_SHARE, SHOW_MOST_NS);
}

/* The next queue comes when that is paid for. c->lock is held; sleeps. Return: false: killed. */
static bool wait_paid(struct lpar_client *c)
{
	u64 wait = lpar_core_rate_wait(c->partition->shown_until, ktime_get_ns());

	if (wait)
		schedule_timeout_killable(nsecs_to_jiffies(wait) + 1);
	return !fatal_signal_pending(current);
}

/* May a function have another queue? c->lock is held. @nic, @waits: what it is like. Return: 0,
 * -ENOENT, -EINVAL, -EDQUOT. */
static int queue_may(struct lpar_client *c, u32 function, u32 role, bool *nic, bool *waits)
{
	struct lpar_partition *p = c->partition;
	struct lpar_fn *fn;
	int ret = 0;

	mutex_lock(&p->lock);
	fn = lpar_fn_find(p, function);
	*nic = fn && fn->type == LPAR_FUNCTION_NIC;
	*waits = fn && !READ_ONCE(fn->nowait);
	if (!fn || fn->type == LPAR_FUNCTION_MAILBOX)
		ret = -ENOENT;
	else if (!*nic && role != LPAR_ROLE_REQUESTS)
		ret = -EINVAL;
	else if (!fn->dead && (fn->queues_live >= fn->queues_max ||
			       (role == LPAR_ROLE_RECEIVE &&
				lpar_nic_of(fn)->receivers == LPAR_NIC_QUEUES)))
		ret = -EDQUOT;
	mutex_unlock(&p->lock);
	return ret;
}

/* What is different for disks and NICs. c->lock is held; may sleep. */
static int queue_alloc(struct lpar_queue *q, u32 function)
{
	u64 began = ktime_get_ns();
	bool nic, waits;
	int ret;

	/* it is looked at again when the queue is published */
	ret = queue_may(q->client, function, q->role, &nic, &waits);
	if (ret)
		return ret;
	/* a number is not used again, so neither is what it is */
	q->thread = lpar_dispatch_thread(q->client, waits ? q->index : 0);
	pay(q, began);
	if (IS_ERR(q->thread))
		return PTR_ERR(q->thread);
	/* from here on queue_free() takes it for that */
	q->nic = nic;
	return nic ? lpar_net_queue_init(q) : lpar_blk_queue_init(q);
}

/* Its folder in sysfs, whose locks are the whole host's: by lpar_errand(). Not shown when memory
 * is short; it works all the same. */
static int show(void *arg)
{
	u64 began = ktime_get_ns();
	struct lpar_queue *q = arg;
	char name[12];

	snprintf(name, sizeof(name), "%u", q->index);
	q->node = lpar_node_create(&q->fn->queues_node->kobj, name, NULL, q);
	if (!IS_ERR(q->node))
		q->stats_node = lpar_node_stats(q->node, q, read_stats);
	pay(q, began);
	return 0;
}

/* The opposite. */
static int hide(void *arg)
{
	u64 began = ktime_get_ns();
	struct lpar_queue *q = arg;

	lpar_node_remove(q->stats_node);
	lpar_node_remove(q->node);
	pay(q, began);
	return 0;
}

/**
 * lpar_queue_create - a client's queue on one of its functions
 * @c: the client; its lock is held, and dropped while pages are pinned
 * @function: its number
 * @index: the queue's number, which is its doorbell's, 1 … LPAR_DOORBELLS_MAX - 1
 * @gpa: guest address of its memory, page-aligned
 * @shape: depth | segments << 16
 * @vector: interrupt, 1 … LPAR_DOORBELLS_MAX, | enum lpar_queue_role << 16
 *
 * Context: a thread of the VMM; may sleep.
 * Return: LPAR_OK, or what the call ends with; see docs/protocol.md.
 */
enum lpar_status lpar_queue_create(struct lpar_client *c, u64 function, u64 index,
				   u64 gpa, u64 shape, u64 vector)
{
	u64 role = vector >> 16;
	struct lpar_queue_shape s;
	struct lpar_queue *q;
	struct lpar_fn *fn;
	bool nic, waits;
	int ret;

	lockdep_assert_held(&c->lock);
	vector = (u16)vector;
	if (!index || index >= LPAR_DOORBELLS_MAX || !vector ||
	    vector >= ARRAY_SIZE(c->vector) || role > LPAR_ROLE_RECEIVE ||
	    function > U32_MAX ||
	    !lpar_core_shape(shape, &s))
		return LPAR_INVAL;
	if (rcu_access_pointer(c->queue[index]))
		return LPAR_STATE;
	if (!wait_paid(c))
		return LPAR_BUSY;
	/* before its memory is pinned and mapped: then it is looked at again */
	ret = queue_may(c, function, role, &nic, &waits);
	if (ret)
		return lpar_core_status(ret);

	q = kzalloc(sizeof(*q), GFP_KERNEL_ACCOUNT);
	if (!q)
		return LPAR_NOMEM;
	lpar_users_init(&q->users);
	q->client = c;
	q->index = index;
	q->vector = vector;
	q->role = role;
	q->depth = s.depth;
	q->segs = s.segs;
	spin_lock_init(&q->lock);
	timer_setup(&q->retry, retry, 0);
	timer_setup(&q->late, late, 0);
	lpar_dispatch_queue_init(q);
	ret = lpar_memory_map(c, gpa,
			      PAGE_ALIGN(lpar_queue_bytes(s.depth, s.segs)),
			      &q->area);
	if (ret)
		goto err_free;
	ret = queue_alloc(q, function);
	if (ret)
		goto err_free;
	/* the lock was dropped: another call may have made the same queue */
	ret = -EAGAIN;
	if (rcu_access_pointer(c->queue[index]))
		goto err_free;
	q->ctrl = q->area.addr;
	q->sq = q->area.addr + lpar_queue_sq_offset();
	q->cq = q->area.addr + lpar_queue_cq_offset(s.depth);
	q->seg_table = q->area.addr + lpar_queue_segs_offset(s.depth);
	memset(q->ctrl, 0, sizeof(*q->ctrl));

	mutex_lock(&c->partition->lock);
	fn = lpar_fn_find(c->partition, function);
	q->fn = fn;
	if (!fn || fn->dead || fn->queues_live >= fn->queues_max ||
	    (q->nic && !lpar_net_queue_add(q))) {
		mutex_unlock(&c->partition->lock);
		queue_free(q);
		return fn && !fn->dead ? LPAR_QUOTA : LPAR_NOENT;
	}
	fn->queues_live++;
	spin_lock(&fn->queues_lock);
	list_add(&q->link, &fn->queue_list);
	spin_unlock(&fn->queues_lock);
	mutex_unlock(&c->partition->lock);

	lpar_errand(show, q);
	atomic_inc(&c->queues_live);
	rcu_assign_pointer(c->queue[index], q);
	return LPAR_OK;

err_free:
	queue_free(q);
	return lpar_core_status(ret);
}

/* Unpublished and without users: nothing of it is in the adapter. */
static void queue_end(struct lpar_client *c, struct lpar_queue *q)
{
	struct lpar_fn *fn = q->fn;

	lpar_compat_timer_sync(&q->retry);
	lpar_compat_timer_sync(&q->late);
	spin_lock(&fn->queues_lock);
	list_del(&q->link);
	lpar_queue_stats(q, &fn->past);
	spin_unlock(&fn->queues_lock);
	lpar_errand(hide, q);
	mutex_lock(&c->partition->lock);
	if (q->nic)
		lpar_net_queue_del(q);
	fn->queues_live--;
	mutex_unlock(&c->partition->lock);
	atomic_dec(&c->queues_live);
	queue_free(q);
}

/* The client gives a queue back. c->lock is held; may sleep, never long. */
enum lpar_status lpar_queue_close(struct lpar_client *c, u64 index)
{
	struct lpar_queue *q;

	lockdep_assert_held(&c->lock);
	if (!index || index >= LPAR_DOORBELLS_MAX)
		return LPAR_INVAL;
	q = rcu_dereference_protected(c->queue[index], lockdep_is_held(&c->lock));
	if (!q)
		return LPAR_NOENT;
	/* never waits for the adapter on a vCPU */
	if (!lpar_users_kill_idle(&q->users))
		return LPAR_BUSY;
	RCU_INIT_POINTER(c->queue[index], NULL);
	queue_end(c, q);
	return LPAR_OK;
}

/**
 * lpar_queue_destroy_all - end a client's queues and what they have in the adapter
 * @c: the client
 * @only: just those of this function; NULL: all
 * @killable: give up with -EINTR when the caller is killed; what is left then is
 *            unusable and goes with the next call
 *
 * Context: c->lock is held; sleeps until the adapter has finished.
 * Return: 0, -EINTR.
 */
int lpar_queue_destroy_all(struct lpar_client *c, struct lpar_fn *only,
			   bool killable)
{
	struct lpar_queue *q;
	unsigned int i;

	lockdep_assert_held(&c->lock);
	for (i = 1; i < LPAR_DOORBELLS_MAX; i++) {
		q = rcu_dereference_protected(c->queue[i],
					      lockdep_is_held(&c->lock));
		if (!q || (only && q->fn != only))
			continue;
		if (!READ_ONCE(q->users.dead))
			lpar_users_kill(&q->users);
		if (!killable)
			lpar_users_wait(&q->users);
		else if (lpar_users_wait_killable(&q->users))
			return -EINTR;
		RCU_INIT_POINTER(c->queue[i], NULL);
		queue_end(c, q);
	}
	return 0;
}

/* Any context. Return: the queue with a user more, or NULL. */
struct lpar_queue *lpar_queue_get(struct lpar_client *c, unsigned int index)
{
	struct lpar_queue *q;

	rcu_read_lock();
	q = rcu_dereference(c->queue[index]);
	if (q && !lpar_users_tryget(&q->users))
		q = NULL;
	rcu_read_unlock();
	return q;
}
