// SPDX-License-Identifier: GPL-2.0
/*
 * Dispatch: a doorbell becomes service on the CPU time of whoever rang (seed 003).
 *
 * KVM turns the client's port write into an eventfd signal in the vCPU's own
 * thread. The wake function finds the thread among those that registered and
 * leaves task work, which KVM runs before it re-enters the guest: process
 * context, the VMM's memory, charged to the VM's cgroup by the scheduler itself.
 * What anybody else rings is served by a thread of the client's, which is in the
 * control groups of the VMM and counted as not donated.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/blkdev.h>
#include <linux/cgroup.h>
#include <linux/delay.h>
#include <linux/kthread.h>
#include <linux/module.h>
#include <linux/poll.h>
#include <linux/preempt.h>
#include <linux/sched/clock.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>

#include "blk.h"
#include "channel.h"
#include "compat.h"
#include "disk.h"
#include "dispatch.h"
#include "errand.h"
#include "net.h"
#include "queue.h"
#include "stopwatch.h"
#include "trace.h"

bool lpar_dispatch_task_work;

/* Where queues are looked after for the host's sake. */
static struct workqueue_struct *keepers;

static int (*add_task_work)(struct task_struct *task, struct callback_head *work,
			    enum task_work_notify_mode mode);

/* ---------------------------------------------------------------- serving */

/* The client broke the protocol: its queue is done for, it alone is harmed. */
static enum lpar_reason broken(struct lpar_queue *q, const char *what)
{
	if (lpar_core_serves(READ_ONCE(q->state))) {
		lpar_partition_say(q->client->partition, warn,
				   "%s: queue %u: %s; not served any more\n",
				   lpar_partition_name(q->client->partition), q->index, what);
		lpar_queue_raise(q, LPAR_QUEUE_BROKEN);
	}
	return LPAR_REASON_FAULT;
}

/* What a function can take, as it was when the dispatch began. */
union limits {
	struct lpar_disk_limits disk;
	struct lpar_nic_limits nic;
};

union submission {
	struct lpar_blk_sqe blk;
	struct lpar_net_sqe net;
};

static void look(struct lpar_queue *q, union limits *lim)
{
	if (q->nic) {
		lpar_nic_limits(lpar_nic_of(q->fn), &lim->nic);
		return;
	}
	lpar_disk_limits(lpar_disk_of(q->fn), &lim->disk);
	lpar_disk_check_format(lpar_disk_of(q->fn), &lim->disk);
}

static enum lpar_take take(struct lpar_queue *q, const union limits *lim,
			   const union submission *sqe)
{
	if (!q->nic)
		return lpar_blk_start(q, &lim->disk, &sqe->blk);
	return lpar_net_take(q, &lim->nic, &sqe->net);
}

static enum lpar_reason serve(struct lpar_queue *q,
			      const struct lpar_quantum *quantum)
{
	struct lpar_queue_ctrl *ctrl = q->ctrl;
	union submission sqe;
	union limits lim;
	enum lpar_reason reason;
	u32 cq_head, cq_tail;
	long left;
	int room;
	u64 now;

	if (!lpar_core_serves(READ_ONCE(q->state)) || READ_ONCE(q->users.dead))
		return LPAR_REASON_FAULT;
	look(q, &lim);
	q->polls = !q->nic && lpar_blk_polls(q);
	lpar_queue_clear(q);

	for (;;) {
		/* pairs with the client's store-release behind the entries */
		left = lpar_ring_ahead(le32_to_cpu(smp_load_acquire(&ctrl->sq_tail)),
				       q->sq_head, q->depth);
		if (left <= 0)
			break;
		while (left--) {
			cq_head = le32_to_cpu(READ_ONCE(ctrl->cq_head));
			cq_tail = READ_ONCE(q->cq_tail);
			room = lpar_core_room(q->sq_head, cq_tail, cq_head,
					      q->depth);
			if (room < 0)
				return broken(q, "impossible completion index");
			/* the client owes us room: it rings when there is */
			if (!room)
				return LPAR_REASON_EMPTY;

			lpar_copy_once(&sqe, &q->sq[q->sq_head & (q->depth - 1)],
				       sizeof(sqe));
			switch (take(q, &lim, &sqe)) {
			case LPAR_TAKE_DONE:
				break;
			case LPAR_TAKE_FULL:
				return LPAR_REASON_FULL;
			case LPAR_TAKE_IDLE:
				return LPAR_REASON_EMPTY;
			}
			q->sq_head++;
			WRITE_ONCE(ctrl->sq_head, cpu_to_le32(q->sq_head));
			now = local_clock();
			reason = lpar_core_pause(quantum, now,
						 signal_pending(current));
			if (reason != LPAR_REASON_EMPTY)
				return reason;
			/* a refused request gives nobody else the chance */
			cond_resched();
		}
	}
	return left ? broken(q, "impossible submission index") :
		      LPAR_REASON_EMPTY;
}

static void count_polled(struct lpar_queue *q, u32 found)
{
	unsigned long flags;

	if (!found)
		return;
	spin_lock_irqsave(&q->lock, flags);
	q->stats.polled += found;
	spin_unlock_irqrestore(&q->lock, flags);
}

/*
 * Completions that the adapter does not interrupt for. What has just been submitted is
 * looked for once: the client goes on. A donation that @brought nothing is there for
 * this alone, and looks until there is one, as long as the client wants.
 */
static void look_out(struct lpar_queue *q, bool brought,
		     const struct lpar_quantum *quantum)
{
	u32 poll_us = le32_to_cpu(READ_ONCE(q->ctrl->poll_us)), before;
	struct lpar_quantum wait;
	u64 now;

	wait = lpar_core_quantum(local_clock(), poll_us,
				 READ_ONCE(q->client->partition->quantum_us));
	while (atomic_read(&q->polled)) {
		before = READ_ONCE(q->cq_tail);
		lpar_blk_poll(q);
		WRITE_ONCE(q->looked, true);
		before = READ_ONCE(q->cq_tail) - before;
		count_polled(q, before);
		now = local_clock();
		if (before || brought || !poll_us || test_bit(LPAR_Q_KICKED, &q->flags) ||
		    lpar_core_expired(&wait, now) ||
		    lpar_core_pause(quantum, now, signal_pending(current)) !=
			    LPAR_REASON_EMPTY)
			break;
		cpu_relax();
		cond_resched();
	}
}

/* What the end means for the client. */
static void settle(struct lpar_queue *q, enum lpar_reason reason)
{
	q->stats.dispatches++;
	if (reason == LPAR_REASON_EMPTY) {
		/* frames without buffers: the client is to come with some */
		if (lpar_net_waits(q))
			lpar_queue_arrived(q);
		return;
	}
	if (reason == LPAR_REASON_EXPIRED)
		q->stats.quantum_expiries++;
	switch (lpar_core_next(reason, le32_to_cpu(READ_ONCE(q->ctrl->sq_tail)) !=
				       q->sq_head)) {
	case LPAR_NEXT_BUSY:
		/* the client decides when to go on */
		lpar_queue_raise(q, LPAR_QUEUE_PA_BUSY);
		break;
	case LPAR_NEXT_STALL:
		q->stats.full++;
		lpar_queue_stall(q);
		break;
	default:
		if (lpar_core_serves(READ_ONCE(q->state)) && lpar_net_waits(q))
			lpar_queue_arrived(q);
		break;
	}
}

static unsigned short plug_ios(const struct lpar_queue *q)
{
	long ahead;

	if (q->nic)
		return 1;
	ahead = lpar_ring_ahead(le32_to_cpu(READ_ONCE(q->ctrl->sq_tail)),
				q->sq_head, q->depth);
	return lpar_core_plug(ahead, bdev_get_queue(lpar_disk_of(q->fn)->bdev)->nr_requests);
}

/* ---------------------------------------------------------------- tracing */

/* One dispatch, as long as somebody wants to know. */
struct trace {
	u32 sq_head;	/* when it began */
	u64 switch_in;
	u64 switch_out;	/* since the last request had been submitted */
};

/* When the thread began to wait for service; only kept while it is wanted. */
static void trace_wait(struct lpar_vcpu *v)
{
	v->rung_at = trace_lpar_dispatch_end_enabled() ? local_clock() : 0;
}

static void trace_begin(struct trace *t, struct lpar_queue *q, struct lpar_vcpu *v,
			const struct lpar_quantum *quantum, u64 start)
{
	long ahead = lpar_ring_ahead(le32_to_cpu(READ_ONCE(q->ctrl->sq_tail)),
				     q->sq_head, q->depth);

	lpar_trace(dispatch_begin, q->client->partition->id, q->fn->id, q->index,
		   v ? (s32)v->index : LPAR_VCPU_NONE,
		   max(ahead, 0l), quantum->limit);
	t->switch_in = v && v->rung_at ? start - v->rung_at : 0;
}

static void trace_end(struct trace *t, struct lpar_queue *q, struct lpar_vcpu *v,
		      const struct lpar_quantum *quantum, u64 ns,
		      enum lpar_reason reason, u64 end)
{
	lpar_trace(dispatch_end, q->client->partition->id, q->fn->id, q->index,
		   v ? (s32)v->index : LPAR_VCPU_NONE,
		   q->sq_head - t->sq_head, quantum->limit, ns,
		   t->switch_in, t->switch_out, reason);
	if (v)
		v->rung_at = end;
}

/*
 * Serve a queue, alone: who comes while it is being served leaves a note instead
 * (seed 003, fig. 10, steps 1035-1040). Ends with an empty queue and no note, or
 * with the quantum.
 */
static void dispatch_queue(struct lpar_queue *q, struct lpar_vcpu *v)
{
	struct lpar_quantum quantum;
	struct trace trace = {};
	enum lpar_reason reason;
	struct lpar_stopwatch watch;
	struct blk_plug plug;
	enum lpar_next next;
	u64 ns, now, served;
	u32 sq_head;

	atomic64_inc(&q->rings);
	quantum = lpar_core_quantum(local_clock(),
				    le32_to_cpu(READ_ONCE(q->ctrl->quantum_us)),
				    READ_ONCE(q->client->partition->quantum_us));
	set_bit(LPAR_Q_KICKED, &q->flags);
	do {
		/* the note before the question, and below the answer before the
		 * next look at the note */
		smp_mb__after_atomic();
		if (test_and_set_bit_lock(LPAR_Q_SERVING, &q->flags))
			return;
		clear_bit(LPAR_Q_KICKED, &q->flags);
		smp_mb__after_atomic();

		sq_head = q->sq_head;
		trace.sq_head = sq_head;
		WRITE_ONCE(q->server, current);
		lpar_stopwatch_start(&watch);
		if (trace_lpar_dispatch_begin_enabled())
			trace_begin(&trace, q, v, &quantum, watch.start);
		blk_start_plug(&plug);
		/* The block layer's requests for as many as there are, at
		 * once. It takes back what is left when the plug ends or we
		 * sleep. */
		plug.nr_ios = plug_ios(q);
		reason = serve(q, &quantum);
		blk_finish_plug(&plug);
		if (atomic_read(&q->polled))
			look_out(q, !v || q->sq_head != sq_head, &quantum);
		served = trace_lpar_dispatch_end_enabled() ? local_clock() : 0;
		settle(q, reason);
		ns = lpar_stopwatch_stop(&watch);
		trace.switch_out = served ? watch.end - served : 0;
		if (trace_lpar_dispatch_end_enabled())
			trace_end(&trace, q, v, &quantum, ns, reason, watch.end);
		if (v)
			q->stats.donated_ns += ns;
		else
			q->stats.undonated_worker_ns += ns;

		WRITE_ONCE(q->server, NULL);
		clear_bit_unlock(LPAR_Q_SERVING, &q->flags);
		smp_mb__after_atomic();
		/* a keeper may have found us here */
		if (unlikely(q->nic && READ_ONCE(q->fn->dead) && lpar_net_waits(q)))
			lpar_dispatch_keep(q);

		next = lpar_core_next(reason, test_bit(LPAR_Q_KICKED, &q->flags));
		if (next != LPAR_NEXT_SERVE)
			break;
		/* others may ring an empty queue again and again: they get no
		 * more of us either */
		now = local_clock();
		reason = lpar_core_pause(&quantum, now, signal_pending(current));
		if (reason != LPAR_REASON_EMPTY)
			next = lpar_core_next(reason, test_bit(LPAR_Q_KICKED,
							       &q->flags));
	} while (next == LPAR_NEXT_SERVE);

	/* Somebody rang after settle() had seen an empty ring, and we do not go
	 * on: without this their request would wait for the next ring. */
	if (next == LPAR_NEXT_BUSY)
		lpar_queue_raise(q, LPAR_QUEUE_PA_BUSY);
}

static void dispatch_call(struct lpar_client *c, struct lpar_vcpu *v)
{
	struct lpar_partition *p = c->partition;
	u64 ns, switch_in = 0;
	struct lpar_stopwatch watch;
	bool served;

	lpar_stopwatch_start(&watch);
	lpar_trace(dispatch_begin, p->id, LPAR_ADJUNCT_MANAGER, LPAR_DOORBELL_CALL,
		   v->index, 1, 0);
	if (v->rung_at)
		switch_in = watch.start - v->rung_at;
	served = lpar_channel_serve(c);
	ns = lpar_stopwatch_stop(&watch);
	lpar_trace(dispatch_end, p->id, LPAR_ADJUNCT_MANAGER, LPAR_DOORBELL_CALL,
		   v->index, served, 0, ns, switch_in, 0,
		   LPAR_REASON_EMPTY);
	trace_wait(v);
	if (served)
		atomic64_inc(&p->calls);
	atomic64_add(ns, &p->call_ns);
}

/* In the client's thread, with a user of the queue. */
static void thread_work(struct kthread_work *work)
{
	struct lpar_queue *q = container_of(work, struct lpar_queue, served);

	dispatch_queue(q, NULL);
	lpar_queue_put(q);
	/* who never rests would hold up all that wait for tasks, adapters among them */
	cond_resched_tasks_rcu_qs();
}

/* Drop what a server had taken from a dead NIC's backlog: it may never come again. */
static void drop_dead(struct lpar_queue *q)
{
	/* one that is at it asks for us when it ends: it may be throttled, and others
	 * wait for keepers */
	if (test_and_set_bit_lock(LPAR_Q_SERVING, &q->flags))
		return;
	lpar_net_drop_waiting(q);
	clear_bit_unlock(LPAR_Q_SERVING, &q->flags);
	smp_mb__after_atomic();
	/* a note that was left meanwhile is not for us */
	if (test_bit(LPAR_Q_KICKED, &q->flags))
		lpar_dispatch_by_thread(q);
}

/*
 * In a kernel thread that no cgroup throttles, with a user of the queue. To look for
 * completions it need not be the server, who may be throttled.
 */
static void keeper_work(struct work_struct *work)
{
	struct lpar_queue *q = container_of(work, struct lpar_queue, kept);
	u32 before = READ_ONCE(q->cq_tail);

	if (atomic_read(&q->polled)) {
		lpar_blk_poll(q);
		count_polled(q, READ_ONCE(q->cq_tail) - before);
	}
	if (q->nic && READ_ONCE(q->fn->dead))
		drop_dead(q);
	lpar_queue_put(q);
}

/* Before anybody may ask for the queue's service. */
void lpar_dispatch_queue_init(struct lpar_queue *q)
{
	kthread_init_work(&q->served, thread_work);
	INIT_WORK(&q->kept, keeper_work);
}

/* Have a queue served by its client's thread. Any context; the caller is a user of
 * the queue. */
void lpar_dispatch_by_thread(struct lpar_queue *q)
{
	/* work that is pending holds a user, and will see what there is */
	if (lpar_users_tryget(&q->users) && !kthread_queue_work(q->thread, &q->served))
		lpar_queue_put(q);
}

/* Have completions looked for, and a dead NIC's frames dropped, for the host's sake:
 * also of a queue that is dead, and when its client gets no CPU. Any context; the
 * caller is a user of the queue, or one is sure to be left. */
void lpar_dispatch_keep(struct lpar_queue *q)
{
	if (lpar_users_tryget_dead(&q->users) && !queue_work(keepers, &q->kept))
		lpar_queue_put(q);
}

struct attachment {
	struct task_struct *like;
	struct task_struct *task;
};

static int attach(void *arg)
{
	struct attachment *it = arg;

	return cgroup_attach_task_all(it->like, it->task);
}

/**
 * lpar_dispatch_thread - a thread that serves on the account of the client's VMM
 * @c: the client
 * @index: 0, or the number of a queue that needs a thread of its own, since what its
 *         device makes it wait for is not to be in the others' way
 *
 * It is made when it is first asked for and ends with the client: to change control
 * groups holds up forks on the whole host, which a guest must not be able to repeat.
 * It is in the control groups of the thread that attached.
 *
 * Context: c->lock is held, or nobody else has @c; may sleep.
 * Return: the thread, or an ERR_PTR().
 */
struct kthread_worker *lpar_dispatch_thread(struct lpar_client *c, unsigned int index)
{
	struct attachment it = { .like = c->thread[0] ? c->thread[0]->task : current };
	struct kthread_worker *thread = c->thread[index];
	int ret;

	if (thread)
		return thread;
	thread = lpar_compat_worker("lpar-%s/%u", lpar_partition_name(c->partition), index);
	if (IS_ERR(thread))
		return thread;
	it.task = thread->task;
	ret = lpar_errand(attach, &it);
	if (ret) {
		kthread_destroy_worker(thread);
		return ERR_PTR(ret);
	}
	c->thread[index] = thread;
	return thread;
}

/* Calls are dropped: they pin memory, and only a thread that can be killed may
 * wait for that. Any context. */
static void leave_to_thread(struct lpar_client *c, unsigned int index)
{
	struct lpar_queue *q = lpar_queue_get(c, index);

	if (!q)
		return;
	lpar_dispatch_by_thread(q);
	lpar_queue_put(q);
}

/* On the time of a vCPU's thread. */
static void dispatch(struct lpar_client *c, unsigned int index, struct lpar_vcpu *v)
{
	struct lpar_queue *q = NULL;

	if (index != LPAR_DOORBELL_CALL)
		q = lpar_queue_get(c, index);
	switch (lpar_core_route(index, q, q && READ_ONCE(q->fn->nowait))) {
	case LPAR_SERVER_NONE:
		break;
	case LPAR_SERVER_HERE:
		if (q)
			dispatch_queue(q, v);
		else
			dispatch_call(c, v);
		break;
	case LPAR_SERVER_THREAD:
		leave_to_thread(c, index);
		break;
	}
	if (q)
		lpar_queue_put(q);
}

/* -------------------------------------------------------------- who rang */

static struct lpar_vcpu *find_vcpu(struct lpar_client *c, struct task_struct *t)
{
	struct lpar_vcpu *v;

	hash_for_each_possible_rcu(c->vcpus, v, node, (unsigned long)t)
		if (v->task == t)
			return v;
	return NULL;
}

/* The calling thread, if it is registered as a vCPU's, or NULL; lives as long as both the
 * thread and the client. */
struct lpar_vcpu *lpar_dispatch_self(struct lpar_client *c)
{
	struct lpar_vcpu *v;

	rcu_read_lock();
	v = find_vcpu(c, current);
	rcu_read_unlock();
	return v;
}

/* In the vCPU's thread, before it re-enters the guest; holds the file. */
static void task_work(struct callback_head *work)
{
	struct lpar_vcpu *v = container_of(work, struct lpar_vcpu, work);
	struct lpar_client *c = v->client;
	unsigned int i;

	/* from here on a ring queues the work anew */
	WRITE_ONCE(v->queued, false);
	smp_mb();
	/* a thread that has left the address space serves nobody */
	if (current->mm == c->mm) {
		v->serving = true;
		for_each_set_bit(i, v->rung, LPAR_DOORBELLS_MAX)
			if (test_and_clear_bit(i, v->rung))
				dispatch(c, i, v);
		v->serving = false;
	}
	fput(c->file);
}

/* Who raises an interrupt on this CPU, with interrupts off. */
static DEFINE_PER_CPU(struct task_struct *, signaller);

/* The eventfd's lock is held and interrupts are off: leave a note, no more. */
static int wake(wait_queue_entry_t *wait, unsigned int mode, int sync, void *key)
{
	struct lpar_bell *bell = container_of(wait, struct lpar_bell, wait);
	struct lpar_client *c = bell->client;
	unsigned int index = bell - c->bell;
	struct lpar_vcpu *v = NULL;

	/* An interrupt of ours, of whatever client, is no guest's ring: else services
	 * could ring for each other, and their thread never come to an end. */
	if (!(key_to_poll(key) & EPOLLIN) || this_cpu_read(signaller) == current)
		return 0;
	atomic64_inc(&bell->rings);

	rcu_read_lock();
	if (in_task())
		v = find_vcpu(c, current);
	switch (lpar_core_ring(v, v && v->serving, add_task_work)) {
	case LPAR_SERVER_NONE:
		break;
	case LPAR_SERVER_HERE:
		set_bit(index, v->rung);
		/* Only this thread queues its own work, so a plain flag does.
		 * The work holds the file: release does not run before it. */
		if (!READ_ONCE(v->queued) && lpar_compat_file_tryget(c->file)) {
			WRITE_ONCE(v->queued, true);
			trace_wait(v);
			if (add_task_work(current, &v->work, TWA_RESUME)) {
				/* exiting: its rings go with it. The caller of
				 * the eventfd holds the VM, hence not the last */
				WRITE_ONCE(v->queued, false);
				fput(c->file);
			}
		}
		break;
	case LPAR_SERVER_THREAD:
		leave_to_thread(c, index);
		break;
	}
	rcu_read_unlock();
	return 0;
}

/**
 * lpar_dispatch_ring - a doorbell that came by the VMM's ioctl
 * @c: the client
 * @index: LPAR_DOORBELL_CALL or the number of a queue
 *
 * The calling thread's time is donated when it is a vCPU's; otherwise the client's
 * thread serves.
 *
 * Context: a thread of the VMM; may sleep.
 * Return: 0, -EINVAL.
 */
int lpar_dispatch_ring(struct lpar_client *c, unsigned int index)
{
	struct lpar_vcpu *v;

	if (index >= LPAR_DOORBELLS_MAX)
		return -EINVAL;
	atomic64_inc(&c->bell[index].rings);
	v = lpar_dispatch_self(c);
	switch (lpar_core_ring(v, v && v->serving, true)) {
	case LPAR_SERVER_NONE:
		break;
	case LPAR_SERVER_HERE:
		v->serving = true;
		trace_wait(v);
		dispatch(c, index, v);
		v->serving = false;
		break;
	case LPAR_SERVER_THREAD:
		leave_to_thread(c, index);
		break;
	}
	return 0;
}

/* ------------------------------------------------------------ connections */

/* Forget the threads that have ended: vCPUs are plugged and unplugged. One that has an exit
 * state has done its last task work, and rings no more. c->lock is held. */
static void forget_ended(struct lpar_client *c)
{
	struct hlist_node *next;
	struct lpar_vcpu *v;
	int bkt;

	hash_for_each_safe(c->vcpus, bkt, next, v, node) {
		if (!READ_ONCE(v->task->exit_state))
			continue;
		hash_del_rcu(&v->node);
		put_task_struct(v->task);
		kfree_rcu(v, rcu);
		c->n_vcpus--;
	}
}

/* Register the calling thread. c->lock is held. Return: 0, -ENOSPC, -ENOMEM. */
int lpar_dispatch_vcpu(struct lpar_client *c)
{
	struct lpar_vcpu *v;

	lockdep_assert_held(&c->lock);
	if (lpar_dispatch_self(c))
		return 0;
	forget_ended(c);
	if (c->n_vcpus == LPAR_CLIENT_VCPUS)
		return -ENOSPC;
	v = kzalloc(sizeof(*v), GFP_KERNEL_ACCOUNT);
	if (!v)
		return -ENOMEM;
	v->task = get_task_struct(current);
	v->client = c;
	v->index = c->vcpus_made++;
	init_task_work(&v->work, task_work);
	hash_add_rcu(c->vcpus, &v->node, (unsigned long)v->task);
	c->n_vcpus++;
	return 0;
}

struct bell_table {
	poll_table pt;
	struct lpar_bell *bell;
	bool added;
};

static void bell_queue(struct file *file, wait_queue_head_t *head, poll_table *pt)
{
	struct bell_table *t = container_of(pt, struct bell_table, pt);

	/* an eventfd has one queue */
	if (!t->added)
		add_wait_queue(head, &t->bell->wait);
	t->added = true;
}

static void bell_disconnect(struct lpar_bell *bell)
{
	__u64 count;

	if (!bell->ctx)
		return;
	/* takes the eventfd's lock: no waker runs when it returns */
	eventfd_ctx_remove_wait_queue(bell->ctx, &bell->wait, &count);
	eventfd_ctx_put(bell->ctx);
	bell->ctx = NULL;
}

/* Connect a doorbell to an eventfd; fd -1 disconnects. c->lock is held. Return: 0,
 * -EINVAL, -EBADF, -EOPNOTSUPP (no LPAR_FEATURE_TASK_WORK). */
int lpar_dispatch_bell(struct lpar_client *c, unsigned int index, int fd)
{
	struct bell_table t = {};
	struct lpar_bell *bell;
	struct file *file;
	int ret = 0;

	lockdep_assert_held(&c->lock);
	if (index >= LPAR_DOORBELLS_MAX || fd < -1)
		return -EINVAL;
	if (!add_task_work)
		return -EOPNOTSUPP;
	bell = &c->bell[index];
	bell_disconnect(bell);
	if (fd == -1)
		return 0;
	file = eventfd_fget(fd);
	if (IS_ERR(file))
		return PTR_ERR(file);
	bell->ctx = eventfd_ctx_fileget(file);
	if (IS_ERR(bell->ctx)) {
		ret = PTR_ERR(bell->ctx);
		bell->ctx = NULL;
		goto out;
	}
	bell->client = c;
	init_waitqueue_func_entry(&bell->wait, wake);
	init_poll_funcptr(&t.pt, bell_queue);
	t.bell = bell;
	vfs_poll(file, &t.pt);
out:
	fput(file);
	return ret;
}

/* Connect an interrupt vector to an eventfd; fd -1 disconnects. c->lock is held. */
int lpar_dispatch_vector(struct lpar_client *c, unsigned int index, int fd)
{
	struct eventfd_ctx *ctx = NULL, *old;
	struct lpar_vector *v;
	unsigned long flags;

	lockdep_assert_held(&c->lock);
	if (index >= ARRAY_SIZE(c->vector) || fd < -1)
		return -EINVAL;
	if (fd != -1) {
		ctx = eventfd_ctx_fdget(fd);
		if (IS_ERR(ctx))
			return PTR_ERR(ctx);
	}
	v = &c->vector[index];
	spin_lock_irqsave(&v->lock, flags);
	old = v->ctx;
	v->ctx = ctx;
	spin_unlock_irqrestore(&v->lock, flags);
	if (old)
		eventfd_ctx_put(old);
	return 0;
}

/* Raise an interrupt in the client. Any context. */
void lpar_client_signal(struct lpar_client *c, unsigned int vector)
{
	struct lpar_vector *v = &c->vector[vector];
	unsigned long flags;

	spin_lock_irqsave(&v->lock, flags);
	if (v->ctx) {
		this_cpu_write(signaller, current);
		lpar_compat_signal(v->ctx);
		this_cpu_write(signaller, NULL);
	}
	spin_unlock_irqrestore(&v->lock, flags);
}

/* ------------------------------------------------------------- life cycle */

/* Nobody else has @c. May sleep. Return: 0 or a negative errno; lpar_dispatch_free()
 * frees in both cases. */
int lpar_dispatch_setup(struct lpar_client *c)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(c->vector); i++)
		spin_lock_init(&c->vector[i].lock);
	hash_init(c->vcpus);
	return PTR_ERR_OR_ZERO(lpar_dispatch_thread(c, 0));
}

/* From the file's release: no task work is queued, no ioctl runs. After it nobody
 * rings; what threads were left and what is in the adapter goes on. */
void lpar_dispatch_teardown(struct lpar_client *c)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(c->bell); i++)
		bell_disconnect(&c->bell[i]);
}

/* The second half: no completion comes any more. Frees what they signalled. */
void lpar_dispatch_free(struct lpar_client *c)
{
	struct hlist_node *next;
	struct lpar_vcpu *v;
	unsigned int i;
	int bkt;

	/* no queue is left: at most the end of what served one */
	for (i = 0; i < ARRAY_SIZE(c->thread); i++)
		if (c->thread[i])
			kthread_destroy_worker(c->thread[i]);
	for (i = 0; i < ARRAY_SIZE(c->vector); i++)
		if (c->vector[i].ctx)
			eventfd_ctx_put(c->vector[i].ctx);
	hash_for_each_safe(c->vcpus, bkt, next, v, node) {
		hash_del_rcu(&v->node);
		put_task_struct(v->task);
		kfree(v);
	}
}

/**
 * lpar_dispatch_init - choose the transport
 * @transport: auto, task_work or ioctl
 * Return: 0; -EINVAL; -ENOMEM; -EOPNOTSUPP: this kernel does not export task_work_add
 */
int lpar_dispatch_init(const char *transport)
{
	bool want = sysfs_streq(transport, "task_work");

	if (!want && !sysfs_streq(transport, "auto") &&
	    !sysfs_streq(transport, "ioctl")) {
		pr_err("transport=%s: auto, task_work or ioctl\n", transport);
		return -EINVAL;
	}
	keepers = alloc_workqueue("lpar", WQ_UNBOUND, 0);
	if (!keepers)
		return -ENOMEM;
	/* exported by Debian's kernels, not by every kernel */
	if (!sysfs_streq(transport, "ioctl"))
		add_task_work = symbol_get(task_work_add);
	if (want && !add_task_work) {
		pr_err("transport=task_work: this kernel does not export task_work_add; use ioctl\n");
		destroy_workqueue(keepers);
		return -EOPNOTSUPP;
	}
	lpar_dispatch_task_work = add_task_work;
	preempt_notifier_inc();
	return 0;
}

void lpar_dispatch_exit(void)
{
	preempt_notifier_dec();
	if (add_task_work)
		symbol_put(task_work_add);
	destroy_workqueue(keepers);
}
