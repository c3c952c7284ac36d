// SPDX-License-Identifier: GPL-2.0
/*
 * What takes a lock of the whole host's. A client's thread must not: its control group stops it
 * wherever it is, in the kernel and with a lock in hand, too, until the next period of its quota.
 */
#include <linux/workqueue.h>

#include "errand.h"

/* Of their own: who else wants a worker must not wait behind these. Nor must what takes no time
 * wait behind the many that wait for RTNL: a workqueue has 256 workers. */
static struct workqueue_struct *errands, *turns;

/* One has its turn, see choice.c. Others wait for it there, since one errand may take several
 * turns, and all others one in between. */
#define TURN_WORKERS	16

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

static int have_done(struct workqueue_struct *wq, int (*run)(void *arg), void *arg)
{
	struct errand e = { .run = run, .arg = arg };

	INIT_WORK_ONSTACK(&e.work, errand_work);
	queue_work(wq, &e.work);
	flush_work(&e.work);
	destroy_work_on_stack(&e.work);
	return e.ret;
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
	return have_done(errands, run, arg);
}

/**
 * lpar_errand_in_turn - the same with what takes turns (choice.c)
 * @run: as above; waits for its turns itself
 * @arg: as above
 *
 * Context, return: as above.
 */
int lpar_errand_in_turn(int (*run)(void *arg), void *arg)
{
	return have_done(turns, run, arg);
}

int lpar_errand_init(void)
{
	errands = alloc_workqueue("lpar-errands", WQ_UNBOUND, 0);
	turns = alloc_workqueue("lpar-turns", WQ_UNBOUND, TURN_WORKERS);
	if (errands && turns)
		return 0;
	lpar_errand_exit();
	return -ENOMEM;
}

/* No client is left. */
void lpar_errand_exit(void)
{
	if (turns)
		destroy_workqueue(turns);
	if (errands)
		destroy_workqueue(errands);
}
