/* SPDX-License-Identifier: GPL-2.0 */
#ifndef LPAR_HOST_STOPWATCH_H
#define LPAR_HOST_STOPWATCH_H

#include <linux/preempt.h>
#include <linux/types.h>

/**
 * struct lpar_stopwatch - CPU time of a thread, without that which preemption gave
 * to others; on its stack
 * @notifier: tells of preemption
 * @start:    ns, by local_clock()
 * @end:      likewise, once it has been stopped
 * @out:      when preempted
 * @lost:     ns so far
 */
struct lpar_stopwatch {
	struct preempt_notifier notifier;
	u64 start;
	u64 end;
	u64 out;
	u64 lost;
};

void lpar_stopwatch_start(struct lpar_stopwatch *s);
u64 lpar_stopwatch_stop(struct lpar_stopwatch *s);

#endif
