// SPDX-License-Identifier: GPL-2.0
/*
 * What takes a lock of the whole host's. A client's thread must not: its control group stops it
 * wherever it is, in the kernel and with a lock in hand, too, until the next period of its quota.
 */
#include <linux/workqueue.h>

#include "errand.h"

/* Of its own: many may wait for RTNL, and who else wants a worker must not wait behind them. */
static struct workqueue_struct *errands;

struct errand {
	struct work_struct work;
	int (*run)(void *arg);
	void *arg;
	int ret;
};

static void errand_work(struct work_struct *work)
{
	struct errand *e = container_of(work, struct errand, work);

	e->ret = e->run(e->arg);
}

/**
 * lpar_errand - have something done by a worker that no control group holds up
 * @run: is called once
 * @arg: is given to it
 *
 * Context: may sleep. What the caller holds stays held, and is not the worker's: lockdep
 * sees the order of both nevertheless.
 * Return: what @run returned.
 */
int lpar_errand(int (*run)(void *arg), void *arg)
{
	struct errand e = { .run = run, .arg = arg };

	INIT_WORK_ONSTACK(&e.work, errand_work);
	queue_work(errands, &e.work);
	flush_work(&e.work);
	destroy_work_on_stack(&e.work);
	return e.ret;
}

int lpar_errand_init(void)
{
	errands = alloc_workqueue("lpar-errands", WQ_UNBOUND, 0);
	return errands ? 0 : -ENOMEM;
}

/* No client is left. */
void lpar_errand_exit(void)
{
	destroy_workqueue(errands);
}
