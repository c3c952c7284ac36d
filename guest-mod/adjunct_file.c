// SPDX-License-Identifier: GPL-2.0
/*
 * Adjuncts: services in memory and on time that this guest donates, and out of its reach
 * (seed 003, figs. 4B and 6). The uapi is include/lpar/adjunct_dev.h.
 *
 * One open file is one adjunct in one slot of the device. Whoever calls donates: the RUN
 * command does not return to this vCPU before the adjunct has yielded, or the quantum has
 * ended. So the caller's own priority, affinity and cgroup are what the guest's scheduler
 * weighs the service by. At most one batch is in the shared part: it is copied there by
 * its caller and, once served, copied out by whoever donated last.
 *
 * Neither adjunct nor host is trusted. Indices and answers are read once and compared
 * with what is remembered here (adjunct_ring.c); data is copied once and not looked at.
 *
 * Lock order: lpar_adjuncts.life → adjunct_file.lock → lpar_adjuncts.lock. No user memory
 * is touched under any of them: who does not serve a page fault holds up nobody.
 */
#include <linux/delay.h>
#include <linux/freezer.h>
#include <linux/interrupt.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <asm/barrier.h>

#include "adjunct_batch.h"
#include "adjunct_file.h"
#include "adjunct_policy.h"
#include "adjunct_ring.h"
#include "channel.h"

#define ADJUNCT_DESTROY_MS	5000	/* until a slot that is not let go of is given up */
#define ADJUNCT_WAIT		(HZ / 10)	/* for a device, between two donations */

/* ---------------------------------------------------------------- registers */

static u32 adjunct_read(const struct adjunct_file *f, unsigned int reg)
{
	return ioread32(f->group->dev->regs + LPAR_REG_ADJUNCT(f->slot) + reg);
}

static void adjunct_write(const struct adjunct_file *f, unsigned int reg, u32 value)
{
	iowrite32(value, f->group->dev->regs + LPAR_REG_ADJUNCT(f->slot) + reg);
}

/* The command has been carried out when the register write is over. */
static u32 adjunct_command(const struct adjunct_file *f, enum lpar_adjunct_command command)
{
	adjunct_write(f, LPAR_ADJUNCT_COMMAND, command);
	return adjunct_read(f, LPAR_ADJUNCT_STATUS);
}

static irqreturn_t adjunct_irq(int irq, void *data)
{
	struct adjunct_file *f = data;

	atomic64_inc(&f->interrupts);
	/* poll(), and who waits for the device */
	wake_up(&f->wait);
	return IRQ_HANDLED;
}

/* ---------------------------------------------------------------- donations */

/* Requests before @head are served: it begins with that one. */
static void adjunct_advance(struct adjunct_file *f, u32 head)
{
	f->head = head;
	f->given = 0;
	f->late = lpar_channel_patience();
}

static void adjunct_give(struct adjunct_file *f, struct lpar_batch *b)
{
	lockdep_assert_held(&f->lock);
	adjunct_advance(f, f->tail);
	lpar_adjunct_batch_put(b, f->shared, &f->tail);
	f->ring = b;
}

/* poll() says what has become true. */
static void adjunct_tell(struct adjunct_file *f)
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

/* The shared part is empty. */
static void adjunct_take_back(struct adjunct_file *f)
{
	lpar_adjunct_batch_drop(f->ring);
	f->ring = NULL;
}

/* It is not run again: alive => dead. What it had been given has no answer. */
static void adjunct_die(struct adjunct_file *f)
{
	lockdep_assert_held(&f->lock);
	f->info.dead = 1;
	adjunct_take_back(f);
	adjunct_tell(f);
}

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
	lockdep_assert_held(&f->lock);
	if (f->given <= f->late)
		return;
	dev_warn_ratelimited(&f->group->dev->pdev->dev,
			     "adjunct %d has served %s[%d] for %u s without an answer\n", f->slot,
			     current->comm, task_pid_nr(current), jiffies_to_msecs(f->given) / 1000);
	f->late = 2 * f->given;
}

/* The next donation's, which the administrator may have changed. */
static void adjunct_set_quantum(struct adjunct_file *f)
{
	u32 quantum = lpar_adjunct_policy_quantum(f->group, f->slot, f->wanted_us);

	if (quantum == f->quantum_us)
		return;
	f->quantum_us = quantum;
	adjunct_write(f, LPAR_ADJUNCT_QUANTUM, quantum);
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
 * late.
 */
static bool adjunct_interrupted(const struct adjunct_file *f)
{
	return READ_ONCE(f->device) && (READ_ONCE(f->owed) ||
		atomic64_read(&f->interrupts) != READ_ONCE(f->seen));
}

/* After a donation: has the adjunct heard of all interrupts? Those that follow count. */
static void adjunct_look(struct adjunct_file *f)
{
	if (!f->device)
		return;
	WRITE_ONCE(f->seen, atomic64_read(&f->interrupts));
	WRITE_ONCE(f->owed, adjunct_read(f, LPAR_ADJUNCT_FLAGS) & LPAR_ADJUNCT_INTERRUPT);
}

/*
 * It has yielded before all was served. With a device, it waits for that: time is given
 * when the interrupt has come, or now and then, should one be lost. A device or a host that
 * never stops interrupting leaves the CPU to others, too.
 */
static void adjunct_wait(struct adjunct_file *f)
{
	long left;

	if (!f->device || adjunct_interrupted(f)) {
		adjunct_give_way(f);
		return;
	}
	left = wait_event_killable_timeout(f->wait, adjunct_interrupted(f), ADJUNCT_WAIT);
	if (left >= 0)
		f->given += ADJUNCT_WAIT - left;
}

static void adjunct_donate(struct adjunct_file *f)
{
	unsigned long since;

	f->info.runs++;
	adjunct_set_quantum(f);
	/* What others of this guest run behind it is not the adjunct's. */
	preempt_disable();
	since = jiffies;
	adjunct_write(f, LPAR_ADJUNCT_COMMAND, LPAR_ADJUNCT_RUN);
	f->given += jiffies - since;
	preempt_enable();
	adjunct_look(f);
}

/* Has what is waited for come: f->ring's answers or, without one, being ready? */
static int adjunct_done(struct adjunct_file *f, u32 *state)
{
	struct lpar_adjunct_control *control = f->shared;
	u32 head, served;

	if (!f->ring) {
		*state = adjunct_read(f, LPAR_ADJUNCT_STATE);
		return *state == LPAR_ADJUNCT_READY;
	}
	/* Order the index before the answers. Pairs with the adjunct's release store. */
	head = le32_to_cpu(virt_load_acquire(&control->head));
	if (!lpar_adjunct_served(f->ring->start, f->ring->count, head, &served))
		return -EPROTO;
	if (head != f->head)
		adjunct_advance(f, head);
	if (served == f->ring->count)
		return 1;
	*state = adjunct_read(f, LPAR_ADJUNCT_STATE);
	return 0;
}

/*
 * Donate until f->ring has been served or, without one, until the adjunct is ready.
 * @once: one quantum at most, and -EAGAIN behind it. Sleeps. A donation keeps this vCPU
 * away for a quantum; between two of them others run.
 */
static int adjunct_run(struct adjunct_file *f, bool once)
{
	unsigned long start = jiffies;
	enum lpar_adjunct_next next;
	u32 state = 0, status;
	int err;

	lockdep_assert_held(&f->lock);
	for (;;) {
		err = adjunct_may_go_on(f, start);
		if (err)
			return err;
		adjunct_donate(f);
		/* Mostly the answer is there, and another exit for the status is saved. */
		err = adjunct_done(f, &state);
		if (err > 0) {
			lpar_adjunct_policy_count(f->group, f->slot, false);
			return 0;
		}
		status = adjunct_read(f, LPAR_ADJUNCT_STATUS);
		lpar_adjunct_policy_count(f->group, f->slot, status == LPAR_BUSY);
		adjunct_report_late(f);
		next = err < 0 ? LPAR_ADJUNCT_NEXT_BROKEN :
				 lpar_adjunct_after_run(status, state, false);
		switch (next) {
		case LPAR_ADJUNCT_NEXT_BUSY:
			f->info.busy++;
			if (once)
				return -EAGAIN;
			adjunct_give_way(f);
			break;
		case LPAR_ADJUNCT_NEXT_AGAIN:
			if (once)
				return -EAGAIN;
			adjunct_wait(f);
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

/* Have f->ring served, and take the answers: the shared part is empty then. */
static int adjunct_serve(struct adjunct_file *f, bool once)
{
	struct lpar_batch *b = f->ring;
	int err;

	err = adjunct_run(f, once);
	if (err)
		return err;
	err = lpar_adjunct_batch_collect(b, f->shared);
	if (err) {
		dev_err_ratelimited(&f->group->dev->pdev->dev,
				    "adjunct %d breaks the rules: more output than room\n", f->slot);
		adjunct_die(f);
		return err;
	}
	if (b == f->submitted)
		adjunct_tell(f);
	adjunct_take_back(f);
	return 0;
}

/* ------------------------------------------------------ creation and its end */

/* LOADED, READY or DEAD => EMPTY. */
static bool adjunct_end(struct adjunct_file *f)
{
	unsigned long end = jiffies + msecs_to_jiffies(ADJUNCT_DESTROY_MS);
	u32 status;

	for (;;) {
		status = adjunct_command(f, LPAR_ADJUNCT_DESTROY);
		/* all ones: it has been pulled out */
		if (status == LPAR_OK || status == ~0u)
			return true;
		if (status != LPAR_BUSY || time_after(jiffies, end))
			return false;
		usleep_range(1000, 2000);
	}
}

/**
 * lpar_adjunct_destroy - give the slot back with all that is in it
 * @f: may have none
 *
 * The memory is the guest's again, scrubbed by the host; what the client itself wrote is
 * scrubbed here. A slot that the host does not let go of is not used again. Sleeps, with
 * lpar_adjuncts.life held, and adjunct_file.lock or @life for writing.
 */
void lpar_adjunct_destroy(struct adjunct_file *f)
{
	struct lpar_adjuncts *group = f->group;
	bool ended;

	if (f->slot < 0)
		return;
	ended = adjunct_end(f);
	if (f->irq) {
		adjunct_write(f, LPAR_ADJUNCT_VECTOR, 0);
		pci_free_irq(group->dev->pdev, group->vector + f->slot, f);
	}
	f->irq = false;
	if (ended)
		memset(f->shared, 0, LPAR_ADJUNCT_SHARED);
	else
		dev_err(&group->dev->pdev->dev, "adjunct %d is not let go of\n", f->slot);
	memunmap(f->shared);
	f->shared = NULL;
	if (ended) {
		mutex_lock(&group->lock);
		clear_bit(f->slot, group->used);
		mutex_unlock(&group->lock);
	}
	f->slot = -1;
	adjunct_take_back(f);
	lpar_adjunct_batch_drop(f->submitted);
	f->submitted = NULL;
}

static int adjunct_get_slot(struct adjunct_file *f)
{
	struct lpar_adjuncts *group = f->group;
	resource_size_t at = pci_resource_start(group->dev->pdev, LPAR_BAR_ADJUNCT);
	u32 slot;

	mutex_lock(&group->lock);
	slot = find_first_zero_bit(group->used, group->slots);
	if (slot < group->slots)
		set_bit(slot, group->used);
	mutex_unlock(&group->lock);
	if (slot >= group->slots)
		return -ENOSPC;

	f->shared = memremap(at + slot * LPAR_ADJUNCT_SLOT, LPAR_ADJUNCT_SHARED, MEMREMAP_WB);
	if (!f->shared) {
		mutex_lock(&group->lock);
		clear_bit(slot, group->used);
		mutex_unlock(&group->lock);
		return -ENOMEM;
	}
	f->slot = slot;
	return 0;
}

/* Without a vector the host raises none; nobody depends on it. */
static void adjunct_get_irq(struct adjunct_file *f)
{
	struct lpar_adjuncts *group = f->group;
	u32 vector = group->vector + f->slot;

	if (f->slot < group->vectors)
		f->irq = !pci_request_irq(group->dev->pdev, vector, adjunct_irq, NULL, f,
					  "lpar-adjunct%d@%s", f->slot,
					  pci_name(group->dev->pdev));
	adjunct_write(f, LPAR_ADJUNCT_VECTOR, f->irq ? vector : 0);
}

/* Tell the device what image it is about. Return: 0, -EIO. */
static int adjunct_name(struct adjunct_file *f, const char *image)
{
	struct lpar_adjunct_control *control = f->shared;

	/* An earlier kernel may have left one (kexec, crash). */
	if (adjunct_read(f, LPAR_ADJUNCT_STATE) != LPAR_ADJUNCT_EMPTY && !adjunct_end(f))
		return -EIO;
	memset(f->shared, 0, LPAR_ADJUNCT_SHARED);
	memcpy(control->image, image, sizeof(control->image));
	return 0;
}

/*
 * CREATE. @own: an image of the client's, or NULL: it is put where the device looks for
 * it, in the first of the pages to be donated. They are its own memory until then.
 */
static int adjunct_start(struct adjunct_file *f, const void *own, size_t bytes)
{
	struct pci_dev *pdev = f->group->dev->pdev;
	resource_size_t at = pci_resource_start(pdev, LPAR_BAR_ADJUNCT) +
			     f->slot * LPAR_ADJUNCT_SLOT + LPAR_ADJUNCT_SHARED;
	void *pages = NULL;
	int err;

	if (own) {
		pages = memremap(at, bytes, MEMREMAP_WB);
		if (!pages)
			return -ENOMEM;
		memcpy(pages, own, bytes);
	}
	err = lpar_adjunct_errno(adjunct_command(f, LPAR_ADJUNCT_CREATE));
	if (pages) {
		if (err)
			memset(pages, 0, bytes);
		memunmap(pages);
	}
	return err;
}

/* EMPTY => LOADED => READY (seed 003, fig. 6). */
static int adjunct_load(struct adjunct_file *f, const struct lpar_adjunct_create *create,
			const void *own)
{
	int err;

	err = adjunct_name(f, create->image);
	if (err)
		return err;
	adjunct_write(f, LPAR_ADJUNCT_PAGES, create->pages);
	adjunct_write(f, LPAR_ADJUNCT_QUANTUM, f->quantum_us);
	adjunct_write(f, LPAR_ADJUNCT_DONATE, create->device);
	adjunct_get_irq(f);
	err = adjunct_start(f, own, create->own_bytes);
	if (err)
		return err;
	return adjunct_run(f, false);
}

/* Is there such an image? EMPTY stays EMPTY. */
static int adjunct_ask(struct adjunct_file *f, struct lpar_adjunct_query *query)
{
	int err;

	err = adjunct_name(f, query->image);
	if (err)
		return err;
	err = lpar_adjunct_errno(adjunct_command(f, LPAR_ADJUNCT_QUERY));
	if (err)
		return err;
	/* not used here: the program may believe it */
	query->pages = adjunct_read(f, LPAR_ADJUNCT_PAGES);
	query->flags = adjunct_read(f, LPAR_ADJUNCT_FLAGS) & LPAR_ADJUNCT_SHARES;
	return 0;
}

/* ------------------------------------------------------------------- ioctls */

static void file_leave(struct adjunct_file *f)
{
	mutex_unlock(&f->lock);
	up_read(&f->group->life);
}

static struct lpar_adjunct_life file_life(const struct adjunct_file *f)
{
	struct lpar_adjuncts *group = f->group;

	return (struct lpar_adjunct_life){
		.gone = READ_ONCE(f->hangup) || group->gone || lpar_device_broken(group->dev),
		.stopped = group->stopped,
		.has = f->slot >= 0,
		.dead = f->info.dead,
	};
}

/* The file's turn: behind all who came first. */
static int file_enter(struct adjunct_file *f, enum lpar_adjunct_want want)
{
	struct lpar_adjunct_life life;
	int err;

	err = down_read_killable(&f->group->life);
	if (err)
		return err;
	err = mutex_lock_killable(&f->lock);
	if (err) {
		up_read(&f->group->life);
		return err;
	}
	life = file_life(f);
	err = lpar_adjunct_admit(&life, want);
	if (err)
		file_leave(f);
	return err;
}

static int file_create_own(struct adjunct_file *f, const struct lpar_adjunct_create *create,
			   const void *own)
{
	int err;

	err = file_enter(f, LPAR_ADJUNCT_WANT_NEW);
	if (err)
		return err;
	err = adjunct_get_slot(f);
	if (err)
		goto out;
	memset(&f->info, 0, sizeof(f->info));
	atomic64_set(&f->interrupts, 0);
	f->info.slot = f->slot;
	WRITE_ONCE(f->device, create->device != 0);
	WRITE_ONCE(f->seen, 0);
	WRITE_ONCE(f->owed, false);
	f->policy = create->policy;
	f->wanted_us = create->quantum_us;
	f->quantum_us = 0;
	f->timeout = create->timeout_ms ? msecs_to_jiffies(create->timeout_ms) : 0;
	f->tail = 0;
	adjunct_advance(f, 0);
	err = adjunct_load(f, create, own);
	if (err)
		lpar_adjunct_destroy(f);
	adjunct_tell(f);
out:
	file_leave(f);
	return err;
}

static long file_create(struct adjunct_file *f, const void __user *arg)
{
	struct lpar_adjunct_create create;
	void *own = NULL;
	int err;

	if (copy_from_user(&create, arg, sizeof(create)))
		return -EFAULT;
	err = lpar_adjunct_check_create(&create);
	if (err)
		return err;
	if (create.own_bytes) {
		own = vmemdup_user(u64_to_user_ptr(create.own), create.own_bytes);
		if (IS_ERR(own))
			return PTR_ERR(own);
	}
	err = file_create_own(f, &create, own);
	kvfree(own);
	return err;
}

static long file_query(struct adjunct_file *f, void __user *arg)
{
	struct lpar_adjunct_query query;
	int err;

	if (copy_from_user(&query, arg, sizeof(query)))
		return -EFAULT;
	err = lpar_adjunct_check_query(&query);
	if (err)
		return err;
	err = file_enter(f, LPAR_ADJUNCT_WANT_NEW);
	if (err)
		return err;
	err = adjunct_get_slot(f);
	if (!err) {
		err = adjunct_ask(f, &query);
		lpar_adjunct_destroy(f);
	}
	file_leave(f);
	if (err)
		return err;
	return copy_to_user(arg, &query, sizeof(query)) ? -EFAULT : 0;
}

/*
 * Serve @b, and whatever was before it. @given: the adjunct has it already, and what is not
 * served when this fails stays there.
 */
static int file_serve_now(struct adjunct_file *f, struct lpar_batch *b, bool *given)
{
	int err = file_enter(f, LPAR_ADJUNCT_WANT_SERVE);

	if (err)
		return err;
	if (!*given) {
		/* of SUBMIT, or left by a caller that has gone */
		err = f->ring ? adjunct_serve(f, false) : 0;
		if (err)
			goto out;
		adjunct_give(f, b);
		*given = true;
	}
	/* else it ended with the adjunct, and there is another one */
	err = f->ring == b ? adjunct_serve(f, false) : -ECANCELED;
out:
	file_leave(f);
	return err;
}

/*
 * A task that is to freeze leaves the file to others, but not the call: made again, it would
 * be served twice.
 */
static int file_serve(struct adjunct_file *f, struct lpar_batch *b)
{
	bool given = false;
	int err;

	do {
		err = file_serve_now(f, b, &given);
		if (err == -ERESTARTSYS)
			try_to_freeze();
		/* Others may have had it served. Pairs with lpar_adjunct_batch_collect(). */
		if (err && smp_load_acquire(&b->done))
			err = 0;
	} while (err == -ERESTARTSYS);
	if (err)
		lpar_adjunct_batch_drop(b);
	return err;
}

/* CALL and BATCH. */
static long file_batch(struct adjunct_file *f, struct lpar_batch *b)
{
	int err;

	if (IS_ERR(b))
		return PTR_ERR(b);
	err = file_serve(f, b);
	return err ?: lpar_adjunct_batch_give(b);
}

static long file_submit(struct adjunct_file *f, struct lpar_batch *b)
{
	int err;

	if (IS_ERR(b))
		return PTR_ERR(b);
	err = file_enter(f, LPAR_ADJUNCT_WANT_SERVE);
	if (err) {
		lpar_adjunct_batch_drop(b);
		return err;
	}
	if (f->submitted)
		err = -EBUSY;
	else if (f->ring)
		err = adjunct_serve(f, true);
	if (err) {
		lpar_adjunct_batch_drop(b);
		goto out;
	}
	adjunct_give(f, b);
	f->submitted = b;
	err = adjunct_serve(f, true);
	/* It is the adjunct's from now on; only its end makes an error of it. */
	if (!f->info.dead)
		err = 0;
	adjunct_tell(f);
out:
	file_leave(f);
	return err;
}

/*
 * Nothing was submitted, but the device may have interrupted: one quantum for that.
 * Return: -ENODATA, or what is worse.
 */
static int file_serve_interrupt(struct adjunct_file *f)
{
	struct lpar_adjunct_life life = file_life(f);
	int err = lpar_adjunct_admit(&life, LPAR_ADJUNCT_WANT_SERVE);

	if (err)
		return err;
	if (!adjunct_interrupted(f))
		return -ENODATA;
	err = adjunct_run(f, true);
	/* it is not through with it yet: its time goes on with the next call */
	if (!err && adjunct_read(f, LPAR_ADJUNCT_STATUS) == LPAR_BUSY) {
		f->info.busy++;
		WRITE_ONCE(f->owed, true);
	}
	return !err || err == -EAGAIN ? -ENODATA : err;
}

static long file_poll(struct adjunct_file *f)
{
	struct lpar_batch *b;
	int err;

	err = file_enter(f, LPAR_ADJUNCT_WANT_ANY);
	if (err)
		return err;
	b = f->submitted;
	if (!b)
		err = file_serve_interrupt(f);
	else if (!b->done && f->info.dead)
		err = -EOWNERDEAD;
	else if (!b->done)
		err = adjunct_serve(f, true);
	if (!err)
		f->submitted = NULL;
	if (f->slot >= 0)
		adjunct_tell(f);
	file_leave(f);
	return err ?: lpar_adjunct_batch_give(b);
}

static long file_report(struct adjunct_file *f, void __user *arg)
{
	struct lpar_adjunct_state_info info;
	int err;

	err = file_enter(f, LPAR_ADJUNCT_WANT_ANY);
	if (err)
		return err;
	info = f->info;
	info.interrupts = atomic64_read(&f->interrupts);
	file_leave(f);
	return copy_to_user(arg, &info, sizeof(info)) ? -EFAULT : 0;
}

static long file_device(struct adjunct_file *f, void __user *arg)
{
	struct lpar_adjunct_device device;
	const u8 __iomem *regs;
	int err;

	if (copy_from_user(&device, arg, sizeof(device)))
		return -EFAULT;
	if (memchr_inv(device.reserved, 0, sizeof(device.reserved)))
		return -EINVAL;
	err = file_enter(f, LPAR_ADJUNCT_WANT_ANY);
	if (err)
		return err;
	regs = f->group->dev->regs;
	/* the program may believe what follows: it is not used here */
	if (device.index >= min_t(u32, ioread32(regs + LPAR_REG_DEVICES), LPAR_DEVICES_MAX)) {
		err = -ENXIO;
	} else {
		regs += LPAR_REG_DEVICE(device.index);
		device.id = ioread32(regs + LPAR_DEVICE_ID);
		device.pci_class = ioread32(regs + LPAR_DEVICE_CLASS);
		device.bytes = ioread32(regs + LPAR_DEVICE_BYTES);
		device.flags = ioread32(regs + LPAR_DEVICE_FLAGS);
	}
	file_leave(f);
	if (err)
		return err;
	return copy_to_user(arg, &device, sizeof(device)) ? -EFAULT : 0;
}

static long file_destroy(struct adjunct_file *f)
{
	int err;

	/* Whoever runs the adjunct leaves at the end of the quantum. */
	atomic_inc(&f->ending);
	err = file_enter(f, LPAR_ADJUNCT_WANT_END);
	atomic_dec(&f->ending);
	if (err)
		return err;
	lpar_adjunct_destroy(f);
	adjunct_tell(f);
	file_leave(f);
	return 0;
}

static long file_ioctl(struct file *file, unsigned int command, unsigned long arg)
{
	struct adjunct_file *f = file->private_data;
	void __user *p = (void __user *)arg;

	switch (command) {
	case LPAR_ADJUNCT_IOC_CREATE:
		return file_create(f, p);
	case LPAR_ADJUNCT_IOC_CALL:
		return file_batch(f, lpar_adjunct_batch_take(p, 1));
	case LPAR_ADJUNCT_IOC_BATCH:
		return file_batch(f, lpar_adjunct_batch_take_array(p));
	case LPAR_ADJUNCT_IOC_SUBMIT:
		return file_submit(f, lpar_adjunct_batch_take_array(p));
	case LPAR_ADJUNCT_IOC_POLL:
		return file_poll(f);
	case LPAR_ADJUNCT_IOC_REPORT:
		return file_report(f, p);
	case LPAR_ADJUNCT_IOC_DESTROY:
		return file_destroy(f);
	case LPAR_ADJUNCT_IOC_QUERY:
		return file_query(f, p);
	case LPAR_ADJUNCT_IOC_DEVICE:
		return file_device(f, p);
	default:
		return -ENOTTY;
	}
}

/* Takes no lock: a call may hold them for long. */
static __poll_t file_events(struct file *file, poll_table *table)
{
	struct adjunct_file *f = file->private_data;
	__poll_t events;

	poll_wait(file, &f->wait, table);
	events = READ_ONCE(f->events) | (READ_ONCE(f->hangup) ? EPOLLHUP : 0);
	return adjunct_interrupted(f) ? events | EPOLLPRI : events;
}

static int file_open(struct inode *inode, struct file *file)
{
	/* The node's lock is held: it is still there. */
	struct lpar_adjuncts *group = container_of(file->private_data,
						   struct lpar_adjuncts, misc);
	struct adjunct_file *f;

	f = kzalloc(sizeof(*f), GFP_KERNEL_ACCOUNT);
	if (!f)
		return -ENOMEM;
	kref_get(&group->ref);
	f->group = group;
	f->slot = -1;
	f->events = EPOLLERR;
	init_waitqueue_head(&f->wait);
	mutex_init(&f->lock);
	mutex_lock(&group->lock);
	list_add_tail(&f->node, &group->files);
	mutex_unlock(&group->lock);
	file->private_data = f;
	return nonseekable_open(inode, file);
}

/* No ioctl and no poll() is under way. Also how a killed program ends its adjunct. */
static int file_release(struct inode *inode, struct file *file)
{
	struct adjunct_file *f = file->private_data;
	struct lpar_adjuncts *group = f->group;

	down_read(&group->life);
	mutex_lock(&f->lock);
	lpar_adjunct_destroy(f);
	mutex_unlock(&f->lock);
	mutex_lock(&group->lock);
	list_del(&f->node);
	mutex_unlock(&group->lock);
	up_read(&group->life);
	kref_put(&group->ref, lpar_adjuncts_free);
	kfree(f);
	return 0;
}

const struct file_operations lpar_adjunct_fops = {
	.owner		= THIS_MODULE,
	.open		= file_open,
	.release	= file_release,
	.unlocked_ioctl	= file_ioctl,
	.compat_ioctl	= compat_ptr_ioctl,
	.poll		= file_events,
	.llseek		= noop_llseek,
};
