// SPDX-License-Identifier: GPL-2.0
/*
 * Donations to adjuncts: on the caller's time, or on that of a thread which the slot has, so
 * that the guest's scheduler weighs the service by that thread's priority and affinity and not
 * by those of its callers (seed 003, claims 8-10).
 *
 * The thread makes one donation at a time, and knows nothing of what is donated for: it holds
 * no lock that a caller waits for. So a thread that does not get its CPU keeps nobody from
 * giving up: who asked takes the wish back.
 */
#include <linux/kthread.h>
#include <linux/sched.h>

#include "adjunct_donor.h"
#include "adjunct_file.h"

/**
 * lpar_donor_donate - have the adjunct run on this CPU, for a quantum at most
 * @f: has an adjunct
 *
 * Sleeps not. What others of this guest run behind it is not the adjunct's, so nobody is
 * switched to meanwhile.
 *
 * Return: what it had, jiffies.
 */
unsigned long lpar_donor_donate(struct adjunct_file *f)
{
	unsigned long since;

	preempt_disable();
	since = jiffies;
	lpar_adjunct_write(f, LPAR_ADJUNCT_COMMAND, LPAR_ADJUNCT_RUN);
	since = jiffies - since;
	preempt_enable();
	return since;
}

static void donor_serve(struct lpar_donor *donor)
{
	struct adjunct_file *f;
	unsigned long given;

	spin_lock(&donor->lock);
	f = donor->file;
	if (donor->state != LPAR_DONOR_ASKED) {
		spin_unlock(&donor->lock);
		return;
	}
	WRITE_ONCE(donor->state, LPAR_DONOR_RUNNING);
	/* Who waits for that to end waits for a quantum, not for this thread to get its CPU; for
	 * that, too, where spinlocks sleep. */
	if (!IS_ENABLED(CONFIG_PREEMPT_RT))
		preempt_disable();
	spin_unlock(&donor->lock);
	given = lpar_donor_donate(f);
	spin_lock(&donor->lock);
	donor->given = given;
	WRITE_ONCE(donor->state, LPAR_DONOR_OVER);
	/* With the lock held: the file stays until somebody has had it. */
	wake_up(&f->wait);
	spin_unlock(&donor->lock);
	if (!IS_ENABLED(CONFIG_PREEMPT_RT))
		preempt_enable();
}

static int donor_run(void *data)
{
	struct lpar_donor *donor = data;

	for (;;) {
		/* The state before the question; pairs with wake_up_process(). */
		set_current_state(TASK_IDLE);
		if (kthread_should_stop())
			break;
		if (READ_ONCE(donor->state) != LPAR_DONOR_ASKED) {
			schedule();
			continue;
		}
		__set_current_state(TASK_RUNNING);
		donor_serve(donor);
		cond_resched();
	}
	__set_current_state(TASK_RUNNING);
	return 0;
}

/* @donor: zeroed. Any context. */
void lpar_donor_init(struct lpar_donor *donor)
{
	spin_lock_init(&donor->lock);
}

/**
 * lpar_donor_start - have the thread, if it is not there
 * @donor:  of the slot
 * @node:   of memory that the device is near to
 * @device: number of the device's node
 * @slot:   number of the slot
 *
 * May sleep; one at a time.
 *
 * Return: 0 or a negative errno.
 */
int lpar_donor_start(struct lpar_donor *donor, int node, int device, u32 slot)
{
	struct task_struct *thread;

	if (donor->thread)
		return 0;
	thread = kthread_create_on_node(donor_run, donor, node, "lpar/adj%d/%u", device, slot);
	if (IS_ERR(thread))
		return PTR_ERR(thread);
	WRITE_ONCE(donor->thread, thread);
	wake_up_process(thread);
	return 0;
}

/**
 * lpar_donor_stop - end the thread, if there is one
 * @donor: idle; nobody starts it any more
 *
 * Sleeps until the thread has run: where work of a higher priority keeps it from its CPU,
 * that is later.
 */
void lpar_donor_stop(struct lpar_donor *donor)
{
	if (donor->thread)
		kthread_stop(donor->thread);
	donor->thread = NULL;
}

/**
 * lpar_donor_ask - have the thread donate: idle => asked
 * @donor: its thread has been started; else than idle, nothing changes
 * @f:     has an adjunct in the slot; its @wait is woken when the donation is over
 *
 * Context: the file's lock is held.
 */
void lpar_donor_ask(struct lpar_donor *donor, struct adjunct_file *f)
{
	spin_lock(&donor->lock);
	if (donor->state == LPAR_DONOR_IDLE) {
		donor->file = f;
		WRITE_ONCE(donor->state, LPAR_DONOR_ASKED);
	}
	spin_unlock(&donor->lock);
	wake_up_process(donor->thread);
}

/**
 * lpar_donor_over - take notice of a donation: over => idle
 * @donor: in any state
 * @given: result: what the adjunct had, jiffies
 *
 * Context: the file's lock is held.
 *
 * Return: false when there is none to take notice of; nothing has changed then.
 */
bool lpar_donor_over(struct lpar_donor *donor, unsigned long *given)
{
	bool over;

	/* mostly there is no thread; only this caller makes it idle */
	if (READ_ONCE(donor->state) != LPAR_DONOR_OVER)
		return false;
	spin_lock(&donor->lock);
	over = donor->state == LPAR_DONOR_OVER;
	if (over) {
		*given = donor->given;
		donor->file = NULL;
		WRITE_ONCE(donor->state, LPAR_DONOR_IDLE);
	}
	spin_unlock(&donor->lock);
	return over;
}

/* Locked. The wish is taken back; who polls may have something to decide again. */
static void donor_forget(struct lpar_donor *donor)
{
	if (donor->state != LPAR_DONOR_ASKED)
		return;
	WRITE_ONCE(donor->state, LPAR_DONOR_IDLE);
	wake_up(&donor->file->wait);
	donor->file = NULL;
}

/**
 * lpar_donor_withdraw - no donation is wanted any more: => idle or over
 * @donor: in any state
 *
 * Sleeps, for the rest of a quantum when the adjunct runs; the file's lock is held. Whoever
 * has asked may go afterwards, when it has taken notice: the thread, and who made it refuse, are
 * done with the file.
 *
 * Return: true when it is idle; else a donation is over, to be taken notice of.
 */
bool lpar_donor_withdraw(struct lpar_donor *donor)
{
	struct adjunct_file *f;
	bool idle;

	spin_lock(&donor->lock);
	f = donor->file;
	donor_forget(donor);
	idle = donor->state == LPAR_DONOR_IDLE;
	spin_unlock(&donor->lock);
	if (idle)
		return true;
	/* It runs, or is over; only this caller makes it idle from here. */
	wait_event(f->wait, !lpar_donor_busy(donor));
	return false;
}

/**
 * lpar_donor_refuse - the thread is not to donate any more: asked => idle
 * @donor: in any state
 *
 * Who has asked is woken, and sees to it otherwise. Any context that is a task's.
 */
void lpar_donor_refuse(struct lpar_donor *donor)
{
	spin_lock(&donor->lock);
	donor_forget(donor);
	spin_unlock(&donor->lock);
}
