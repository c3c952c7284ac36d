// SPDX-License-Identifier: GPL-2.0
/*
 * How requests reach an adjunct, and answers their callers. Batches wait in the file, by class;
 * whoever has the file's lock puts what goes next into the shared part (alone, or with others
 * that wait: the slot's policy), and sees that time is donated until its own has been served.
 * After each donation it copies out all answers that are there, and their callers go. What is
 * left in the shared part then is the next one's to have served. Callers have the lock in the
 * order in which they came: however urgent others are, nobody waits for ever.
 *
 * All here sleeps, with adjunct_file.lock held, unless it says otherwise.
 */
#include <linux/freezer.h>
#include <linux/mm.h>
#include <linux/sched/signal.h>
#include <asm/barrier.h>

#include "adjunct_batch.h"
#include "adjunct_donor.h"
#include "adjunct_file.h"
#include "adjunct_policy.h"
#include "adjunct_ring.h"
#include "channel.h"

#define ADJUNCT_WAIT	(HZ / 10)	/* for a device or a thread, before looking around */

/* ------------------------------------------------------------- what goes next */

/* Among those of its class it is the last. */
static void adjunct_wait(struct adjunct_file *f, struct lpar_batch *b)
{
	struct lpar_batch *other;

	lockdep_assert_held(&f->waiting_lock);
	list_for_each_entry_reverse(other, &f->waiting, node) {
		if (other->cls <= b->cls)
			break;
	}
	list_add(&b->node, &other->node);
}

/**
 * lpar_adjunct_line_up - a caller waits for its turn, and its batch to be given to the adjunct
 * @f: open
 * @b: taken; lpar_adjunct_step_out() follows before its caller lets it go
 *
 * Nothing is held. The caller is behind all who came before; lpar_batch.turn is woken when
 * lpar_batch.first becomes true.
 */
void lpar_adjunct_line_up(struct adjunct_file *f, struct lpar_batch *b)
{
	spin_lock(&f->waiting_lock);
	b->first = list_empty(&f->callers);
	list_add_tail(&b->caller, &f->callers);
	if (!b->given)
		adjunct_wait(f, b);
	spin_unlock(&f->waiting_lock);
}

/**
 * lpar_adjunct_step_out - the caller waits no more, whatever has become of its batch
 * @f: open
 * @b: lined up
 *
 * Nothing is held. The next one's turn, if it was this one's.
 */
void lpar_adjunct_step_out(struct adjunct_file *f, struct lpar_batch *b)
{
	struct lpar_batch *next;

	spin_lock(&f->waiting_lock);
	if (!b->given)
		list_del_init(&b->node);
	list_del(&b->caller);
	next = list_first_entry_or_null(&f->callers, struct lpar_batch, caller);
	if (next && !next->first) {
		WRITE_ONCE(next->first, true);
		/* with the lock held: it cannot step out, and go */
		wake_up(&next->turn);
	}
	spin_unlock(&f->waiting_lock);
}

/**
 * lpar_adjunct_submit - a batch waits to be given to the adjunct, and no caller for it
 * @f: has an adjunct, and nothing submitted
 * @b: taken; its one reference goes with it
 *
 * It is in nobody's way, and goes with what callers ask; or by lpar_adjunct_serve_submitted().
 */
void lpar_adjunct_submit(struct adjunct_file *f, struct lpar_batch *b)
{
	f->submitted = b;
	spin_lock(&f->waiting_lock);
	adjunct_wait(f, b);
	spin_unlock(&f->waiting_lock);
}

/* What was submitted is nobody's any more: it is collected, or has no adjunct. May be none. */
struct lpar_batch *lpar_adjunct_unsubmit(struct adjunct_file *f)
{
	struct lpar_batch *b = f->submitted;

	if (!b)
		return NULL;
	f->submitted = NULL;
	spin_lock(&f->waiting_lock);
	if (!b->given)
		list_del_init(&b->node);
	spin_unlock(&f->waiting_lock);
	return b;
}

/**
 * lpar_adjunct_turn_away - what waits will not be given to the adjunct, nor to the next one
 * @f: its adjunct has ended
 *
 * Who waits for it finds that when he comes to the file. lpar_adjuncts.life or @f's lock is
 * held as for lpar_adjunct_destroy().
 */
void lpar_adjunct_turn_away(struct adjunct_file *f)
{
	struct lpar_batch *b, *next;

	spin_lock(&f->waiting_lock);
	list_for_each_entry_safe(b, next, &f->waiting, node) {
		b->given = true;
		list_del_init(&b->node);
	}
	spin_unlock(&f->waiting_lock);
}

/* From now on it is of the shared part's, which has a reference of its own. */
static void adjunct_choose(struct adjunct_file *f, struct lpar_batch *b)
{
	lockdep_assert_held(&f->waiting_lock);
	refcount_inc(&b->refs);
	b->given = true;
	list_move_tail(&b->node, &f->ring);
}

/* Requests before @head are served: it begins with that one. */
static void adjunct_advance(struct adjunct_file *f, u32 head)
{
	f->head = head;
	f->given = 0;
	f->late = lpar_channel_patience();
}

/* The shared part is empty => it has all of f->ring. */
static void adjunct_put(struct adjunct_file *f)
{
	struct lpar_batch *b;
	u32 offset = 0;

	lockdep_assert_held(&f->lock);
	f->start = f->tail;
	adjunct_advance(f, f->start);
	list_for_each_entry(b, &f->ring, node) {
		lpar_adjunct_batch_put(b, f->shared, offset, &f->tail);
		offset += b->bytes;
	}
	lpar_adjunct_batch_publish(f->shared, f->tail);
}

/*
 * @b, which waits, goes now, and with it those that wait, too, the most urgent first: as many
 * as the slot's policy has go at once. An empty shared part => it has them.
 */
static void adjunct_gather(struct adjunct_file *f, struct lpar_batch *b)
{
	u32 most = lpar_adjunct_policy_batch(f->group, f->slot);
	struct lpar_adjunct_fill fill = { b->count, b->bytes };
	struct lpar_batch *other, *next;

	spin_lock(&f->waiting_lock);
	list_for_each_entry_safe(other, next, &f->waiting, node) {
		if (other == b || lpar_adjunct_fit(&fill, other->count, other->bytes, most))
			adjunct_choose(f, other);
	}
	spin_unlock(&f->waiting_lock);
	adjunct_put(f);
}

/* It is in the shared part no more. */
static void adjunct_let_go(struct lpar_batch *b)
{
	list_del_init(&b->node);
	lpar_adjunct_batch_drop(b);
}

/* The shared part is empty: what had been in it is served, or never will be. */
void lpar_adjunct_take_back(struct adjunct_file *f)
{
	struct lpar_batch *b, *next;

	list_for_each_entry_safe(b, next, &f->ring, node)
		adjunct_let_go(b);
}

/* A new adjunct has served nothing. */
void lpar_adjunct_begin(struct adjunct_file *f)
{
	f->tail = 0;
	adjunct_advance(f, 0);
}

/* poll() says what has become true. */
void lpar_adjunct_tell(struct adjunct_file *f)
{
	__poll_t events = 0;

	lockdep_assert_held(&f->lock);
	if (f->slot < 0 || f->info.dead)
		events = EPOLLERR;
	else if (!f->submitted)
		events = EPOLLOUT | EPOLLWRNORM;
	else if (f->submitted->done)
		events = EPOLLIN | EPOLLRDNORM;
	else
		events = EPOLLPRI;
	WRITE_ONCE(f->events, events);
	wake_up_interruptible(&f->wait);
}

/* It is not run again: alive => dead. What it had been given has no answer. */
static void adjunct_die(struct adjunct_file *f)
{
	lockdep_assert_held(&f->lock);
	f->info.dead = 1;
	lpar_adjunct_take_back(f);
	lpar_adjunct_tell(f);
}

/* ------------------------------------------------------------------ donations */

/* Is somebody in want of the file, or of the caller? */
static int adjunct_may_go_on(struct adjunct_file *f, unsigned long start)
{
	if (fatal_signal_pending(current))
		return -EINTR;
	if (atomic_read(&f->ending))
		return -ECANCELED;
	if (READ_ONCE(f->group->stopped) || lpar_device_broken(f->group->dev))
		return -ENODEV;
	/* It goes on when the task has thawed. */
	if (signal_pending(current) && freezing(current))
		return -ERESTARTSYS;
	if (f->timeout && time_after(jiffies, start + f->timeout))
		return -ETIMEDOUT;
	return 0;
}

/*
 * A service that is stuck would go unnoticed where the program waits for it for ever. Only
 * what the adjunct has had counts: a caller that others keep from the CPU is well.
 */
static void adjunct_report_late(struct adjunct_file *f)
{
	const struct lpar_batch *b = list_first_entry_or_null(&f->ring, struct lpar_batch, node);

	lockdep_assert_held(&f->lock);
	if (f->given <= f->late)
		return;
	/* whoever donates: it is the first one's request that is being served */
	dev_warn_ratelimited(&f->group->dev->pdev->dev,
			     "adjunct %d has served %s[%d] for %u s without an answer\n", f->slot,
			     b ? b->comm : current->comm, b ? b->pid : task_pid_nr(current),
			     jiffies_to_msecs(f->given) / 1000);
	f->late = 2 * f->given;
}

/* The next donation's, which the administrator may have changed. */
static void adjunct_set_quantum(struct adjunct_file *f)
{
	u32 quantum = lpar_adjunct_policy_quantum(f->group, f->slot, f->wanted_us);

	if (quantum == f->quantum_us)
		return;
	f->quantum_us = quantum;
	lpar_adjunct_write(f, LPAR_ADJUNCT_QUANTUM, quantum);
}

/* PA BUSY: go on now or after other work (seed 003, claims 8-10). */
static void adjunct_give_way(const struct adjunct_file *f)
{
	if (lpar_adjunct_policy_afterwards(f->group, f->slot, f->policy))
		schedule_timeout_killable(1);
	else
		cond_resched();
}

/*
 * Does the device want the adjunct to run? Also true once for a quantum's end that is told
 * late. Nothing need be held.
 */
bool lpar_adjunct_interrupted(const struct adjunct_file *f)
{
	return READ_ONCE(f->device) && (READ_ONCE(f->owed) ||
		atomic64_read(&f->interrupts) != READ_ONCE(f->seen));
}

/*
 * It has yielded before all was served. With a device, it waits for that: time is given
 * when the interrupt has come, or now and then, should one be lost. A device or a host that
 * never stops interrupting leaves the CPU to others, too.
 */
static void adjunct_wait_for_device(struct adjunct_file *f)
{
	long left;

	if (!f->device || lpar_adjunct_interrupted(f)) {
		adjunct_give_way(f);
		return;
	}
	left = wait_event_killable_timeout(f->wait, lpar_adjunct_interrupted(f), ADJUNCT_WAIT);
	if (left >= 0)
		f->given += ADJUNCT_WAIT - left;
}

/* The adjunct had @given jiffies. Has it heard of all interrupts? Those that follow count. */
static void adjunct_donated(struct adjunct_file *f, unsigned long given)
{
	f->info.runs++;
	f->given += given;
	if (!f->device)
		return;
	WRITE_ONCE(f->seen, atomic64_read(&f->interrupts));
	WRITE_ONCE(f->owed, lpar_adjunct_read(f, LPAR_ADJUNCT_FLAGS) & LPAR_ADJUNCT_INTERRUPT);
	/* who polls may have looked in between */
	if (f->owed)
		wake_up(&f->wait);
}

/* How the donation ended: @status is that of RUN, or LPAR_OK where nobody has asked. */
static void adjunct_ended(struct adjunct_file *f, u32 status)
{
	bool busy = status == LPAR_BUSY;

	f->info.busy += busy;
	lpar_adjunct_policy_count(f->group, f->slot, busy);
}

/* What the thread was asked for is no longer wanted. Return: it has donated meanwhile. */
static bool adjunct_settle(struct adjunct_file *f)
{
	struct lpar_donor *donor = lpar_adjunct_policy_donor(f->group, f->slot);
	unsigned long given;

	if (lpar_donor_withdraw(donor) || !lpar_donor_over(donor, &given))
		return false;
	adjunct_donated(f, given);
	adjunct_ended(f, lpar_adjunct_read(f, LPAR_ADJUNCT_STATUS));
	return true;
}

/*
 * One donation, by the caller or by the slot's thread: what that was asked for before is one.
 * @once: the thread is not waited for. Return: 0; -EAGAIN: the thread has been asked, and
 * wakes who polls; or why it was given up.
 */
static int adjunct_donate(struct adjunct_file *f, bool once, unsigned long start)
{
	struct lpar_donor *donor = lpar_adjunct_policy_donor(f->group, f->slot);
	unsigned long given;
	int err;

	adjunct_set_quantum(f);
	while (!lpar_donor_over(donor, &given)) {
		if (!lpar_adjunct_policy_threaded(f->group, f->slot)) {
			if (!lpar_donor_idle(donor) && !lpar_donor_withdraw(donor))
				continue;
			given = lpar_donor_donate(f);
			break;
		}
		lpar_donor_ask(donor, f);
		if (once)
			return -EAGAIN;
		err = adjunct_may_go_on(f, start);
		if (err) {
			if (lpar_donor_withdraw(donor))
				return err;
			continue;
		}
		wait_event_killable_timeout(f->wait, !lpar_donor_busy(donor), ADJUNCT_WAIT);
	}
	adjunct_donated(f, given);
	return 0;
}

/* Take the answers of those that have been served whole: @served requests from the start on. */
static int adjunct_collect(struct adjunct_file *f, u32 served)
{
	struct lpar_batch *b, *next;
	int err;

	list_for_each_entry_safe(b, next, &f->ring, node) {
		if (b->start + b->count - f->start > served)
			break;
		err = lpar_adjunct_batch_collect(b, f->shared);
		if (err)
			return err;
		if (b == f->submitted)
			lpar_adjunct_tell(f);
		wake_up(&b->turn);
		adjunct_let_go(b);
	}
	return 0;
}

/*
 * Have all answers come or, where there is nothing to answer, is it ready? Return: 1, 0, or
 * -EPROTO: no adjunct can be at such an index, or an answer is longer than there was room for.
 */
static int adjunct_done(struct adjunct_file *f, u32 *state)
{
	struct lpar_adjunct_control *control = f->shared;
	u32 head, served;

	if (list_empty(&f->ring)) {
		*state = lpar_adjunct_read(f, LPAR_ADJUNCT_STATE);
		return *state == LPAR_ADJUNCT_READY;
	}
	/* Order the index before the answers. Pairs with the adjunct's release store. */
	head = le32_to_cpu(virt_load_acquire(&control->head));
	if (!lpar_adjunct_served(f->start, f->tail - f->start, head, &served))
		return -EPROTO;
	if (served < f->head - f->start)
		return -EPROTO;
	if (adjunct_collect(f, served))
		return -EPROTO;
	if (head != f->head)
		adjunct_advance(f, head);
	if (list_empty(&f->ring))
		return 1;
	*state = lpar_adjunct_read(f, LPAR_ADJUNCT_STATE);
	return 0;
}

/**
 * lpar_adjunct_run - donate until what the adjunct was given has been served
 * @f:    has an adjunct; one that has been given nothing is to become ready
 * @own:  the end of this is enough; NULL: that of all
 * @once: one quantum at most, and the slot's thread is not waited for: -EAGAIN
 *
 * A donation keeps this vCPU away for a quantum; between two of them others run.
 *
 * Return: 0; -EAGAIN; -EINTR, -ECANCELED, -ENODEV, -ERESTARTSYS, -ETIMEDOUT: somebody is in want
 * of the file or the caller, and the adjunct keeps what it was given; -ENOMEM, likewise; or
 * -EOWNERDEAD, -ENODEV, -EPROTO: it is not run again.
 */
int lpar_adjunct_run(struct adjunct_file *f, const struct lpar_batch *own, bool once)
{
	unsigned long start = own && !once ? own->began : jiffies;
	enum lpar_adjunct_next next;
	u32 state = 0, status;
	int err;

	lockdep_assert_held(&f->lock);
	/* What was asked for earlier may have come before what it is to serve. */
	if (!once && !lpar_donor_idle(lpar_adjunct_policy_donor(f->group, f->slot)) &&
	    adjunct_settle(f) && (adjunct_done(f, &state) > 0 || (own && own->done)))
		return 0;
	for (;;) {
		err = adjunct_may_go_on(f, start);
		if (err)
			return err;
		err = adjunct_donate(f, once, start);
		if (err)
			return err;
		/* Mostly the answer is there, and another exit for the status is saved. */
		err = adjunct_done(f, &state);
		if (err > 0) {
			adjunct_ended(f, LPAR_OK);
			return 0;
		}
		status = lpar_adjunct_read(f, LPAR_ADJUNCT_STATUS);
		adjunct_ended(f, status);
		/* The others see to theirs. */
		if (!err && own && own->done)
			return 0;
		adjunct_report_late(f);
		next = err < 0 ? LPAR_ADJUNCT_NEXT_BROKEN :
				 lpar_adjunct_after_run(status, state, false);
		switch (next) {
		case LPAR_ADJUNCT_NEXT_BUSY:
			if (once)
				return -EAGAIN;
			adjunct_give_way(f);
			break;
		case LPAR_ADJUNCT_NEXT_AGAIN:
			if (once)
				return -EAGAIN;
			adjunct_wait_for_device(f);
			break;
		case LPAR_ADJUNCT_NEXT_NOMEM:
			return -ENOMEM;
		case LPAR_ADJUNCT_NEXT_DEAD:
			lpar_adjunct_batch_report(&f->info, f->shared);
			adjunct_die(f);
			return -EOWNERDEAD;
		case LPAR_ADJUNCT_NEXT_GONE:
			WRITE_ONCE(f->hangup, true);
			adjunct_die(f);
			return -ENODEV;
		default:
			dev_err_ratelimited(&f->group->dev->pdev->dev,
					    "adjunct %d breaks the rules: status %u, state %u\n",
					    f->slot, status, state);
			adjunct_die(f);
			return -EPROTO;
		}
	}
}

/**
 * lpar_adjunct_serve_for - have a batch served, and whatever goes before it
 * @f: has an adjunct
 * @b: waits, or waited until the adjunct was given it or ended
 *
 * Return: 0: it is done; -ECANCELED: its adjunct has ended, and there is another one; else
 * as of lpar_adjunct_run(), and what the adjunct was given stays there.
 */
int lpar_adjunct_serve_for(struct adjunct_file *f, struct lpar_batch *b)
{
	int err = 0;

	while (!err && !b->done) {
		if (b->given && list_empty(&b->node))
			return -ECANCELED;
		if (list_empty(&f->ring)) {
			/* who is about to give up gives the adjunct nothing */
			err = adjunct_may_go_on(f, b->began);
			if (err)
				return err;
			adjunct_gather(f, b);
		}
		err = lpar_adjunct_run(f, b, false);
	}
	return err;
}

/**
 * lpar_adjunct_serve_submitted - have what was submitted served: a quantum of it
 * @f: has an adjunct, and something submitted that is not done
 *
 * Return: 0: it is done; -EAGAIN: not yet; else as of lpar_adjunct_run().
 */
int lpar_adjunct_serve_submitted(struct adjunct_file *f)
{
	struct lpar_batch *b = f->submitted;
	int err;

	if (list_empty(&f->ring))
		adjunct_gather(f, b);
	err = lpar_adjunct_run(f, b, true);
	return err || b->done ? err : -EAGAIN;
}

/**
 * lpar_adjunct_quiet - nobody donates to the adjunct any more
 * @f: has one
 *
 * With lpar_adjuncts.life held for writing @f's lock need not be. The rest of a quantum.
 */
void lpar_adjunct_quiet(struct adjunct_file *f)
{
	adjunct_settle(f);
}
