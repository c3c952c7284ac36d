// SPDX-License-Identifier: GPL-2.0
/* How much CPU time a thread has used: what is donated is counted by it. */
#include <linux/kernel.h>
#include <linux/minmax.h>
#include <linux/module.h>
#include <linux/sched/clock.h>

#include "stopwatch.h"

static unsigned int skew_percent;
module_param(skew_percent, uint, 0600);
MODULE_PARM_DESC(skew_percent, "for tests: count so many per cent more CPU time than was used (default 0)");

/*
 * The scheduler charges a thread from the moment that it has chosen it, not from that
 * when the notifiers are called: until then the one before it is put away, address
 * spaces are switched, and interrupts that had to wait are served. So its own times of
 * both moments are taken, where it keeps them; they are of local_clock()'s clock.
 */
static u64 left_at(void)
{
#ifdef CONFIG_SCHED_INFO
	/* it could go on: it has been waiting for a CPU since */
	if (current->sched_info.last_queued)
		return current->sched_info.last_queued;
#endif
	return local_clock();
}

static u64 came_at(u64 left)
{
#ifdef CONFIG_SCHED_INFO
	if (current->sched_info.last_arrival >= left)
		return current->sched_info.last_arrival;
#endif
	return max(local_clock(), left);
}

static void sched_in(struct preempt_notifier *n, int cpu)
{
	struct lpar_stopwatch *s = container_of(n, struct lpar_stopwatch, notifier);

	s->lost += came_at(s->out) - s->out;
}

static void sched_out(struct preempt_notifier *n, struct task_struct *next)
{
	struct lpar_stopwatch *s = container_of(n, struct lpar_stopwatch, notifier);

	/* not while it was not being counted */
	s->out = max(left_at(), s->start);
}

static struct preempt_ops stopwatch_ops = {
	.sched_in = sched_in,
	.sched_out = sched_out,
};

/* Count the calling thread's time from now on. Needs preempt_notifier_inc(). */
void lpar_stopwatch_start(struct lpar_stopwatch *s)
{
	preempt_notifier_init(&s->notifier, &stopwatch_ops);
	preempt_disable();
	preempt_notifier_register(&s->notifier);
	s->lost = 0;
	s->start = local_clock();
	preempt_enable();
}

/* The same thread. Return: ns that it ran. */
u64 lpar_stopwatch_stop(struct lpar_stopwatch *s)
{
	u64 ns;

	preempt_disable();
	preempt_notifier_unregister(&s->notifier);
	s->end = local_clock();
	ns = s->end - s->start - s->lost;
	preempt_enable();
	return ns + ns / 100 * READ_ONCE(skew_percent);
}
