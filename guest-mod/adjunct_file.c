// SPDX-License-Identifier: GPL-2.0
/*
 * Adjuncts: services in memory and on time that this guest donates, and out of its reach
 * (seed 003, figs. 4B and 6). The uapi is include/lpar/adjunct_dev.h.
 *
 * One open file is one adjunct in one slot of the device. Whoever calls donates, or the slot's
 * thread does (adjunct_donor.c): the RUN command does not return to this vCPU before the adjunct
 * has yielded, or the quantum has ended. So the donor's priority, affinity and cgroup are what
 * the guest's scheduler weighs the service by. How requests are served is in adjunct_serve.c;
 * here is what programs ask for, and how an adjunct comes and goes.
 *
 * Neither adjunct nor host is trusted. Indices and answers are read once and compared
 * with what is remembered here (adjunct_ring.c); data is copied once and not looked at.
 *
 * Lock order: lpar_adjuncts.life → adjunct_file.lock → lpar_adjuncts.lock; and below
 * adjunct_file.lock either of adjunct_file.waiting_lock and lpar_donor.lock. No user memory
 * is touched under any of them: who does not serve a page fault holds up nobody.
 */
#include <linux/delay.h>
#include <linux/freezer.h>
#include <linux/interrupt.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <asm/barrier.h>

#include "adjunct_batch.h"
#include "adjunct_donor.h"
#include "adjunct_file.h"
#include "adjunct_policy.h"
#include "adjunct_ring.h"
#include "channel.h"

#define ADJUNCT_DESTROY_MS	5000	/* until a slot that is not let go of is given up */

/* The command has been carried out when the register write is over. */
static u32 adjunct_command(const struct adjunct_file *f, enum lpar_adjunct_command command)
{
	lpar_adjunct_write(f, LPAR_ADJUNCT_COMMAND, command);
	return lpar_adjunct_read(f, LPAR_ADJUNCT_STATUS);
}

static irqreturn_t adjunct_irq(int irq, void *data)
{
	struct adjunct_file *f = data;

	atomic64_inc(&f->interrupts);
	/* poll(), and who waits for the device */
	wake_up(&f->wait);
	return IRQ_HANDLED;
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
	lpar_adjunct_quiet(f);
	ended = adjunct_end(f);
	if (f->irq) {
		lpar_adjunct_write(f, LPAR_ADJUNCT_VECTOR, 0);
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
	WRITE_ONCE(f->slot, -1);
	lpar_adjunct_take_back(f);
	lpar_adjunct_turn_away(f);
	lpar_adjunct_batch_drop(lpar_adjunct_unsubmit(f));
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
	WRITE_ONCE(f->slot, slot);
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
	lpar_adjunct_write(f, LPAR_ADJUNCT_VECTOR, f->irq ? vector : 0);
}

/* Tell the device what image it is about. Return: 0, -EIO. */
static int adjunct_name(struct adjunct_file *f, const char *image)
{
	struct lpar_adjunct_control *control = f->shared;

	/* An earlier kernel may have left one (kexec, crash). */
	if (lpar_adjunct_read(f, LPAR_ADJUNCT_STATE) != LPAR_ADJUNCT_EMPTY && !adjunct_end(f))
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
	lpar_adjunct_write(f, LPAR_ADJUNCT_PAGES, create->pages);
	lpar_adjunct_write(f, LPAR_ADJUNCT_QUANTUM, f->quantum_us);
	lpar_adjunct_write(f, LPAR_ADJUNCT_DONATE, create->device);
	adjunct_get_irq(f);
	err = adjunct_start(f, own, create->own_bytes);
	if (err)
		return err;
	return lpar_adjunct_run(f, NULL, false);
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
	query->pages = lpar_adjunct_read(f, LPAR_ADJUNCT_PAGES);
	query->flags = lpar_adjunct_read(f, LPAR_ADJUNCT_FLAGS) & LPAR_ADJUNCT_SHARES;
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
	WRITE_ONCE(f->timeout, create->timeout_ms ? msecs_to_jiffies(create->timeout_ms) : 0);
	lpar_adjunct_begin(f);
	err = adjunct_load(f, create, own);
	if (err)
		lpar_adjunct_destroy(f);
	lpar_adjunct_tell(f);
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
	/* It may wait long for its turn: on the program's account. */
	if (create.own_bytes) {
		own = kvmalloc(create.own_bytes, GFP_KERNEL_ACCOUNT);
		if (!own)
			return -ENOMEM;
	}
	if (own && copy_from_user(own, u64_to_user_ptr(create.own), create.own_bytes))
		err = -EFAULT;
	else
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

/* How long may @b still take? Jiffies, at least one: it may be its turn. */
static long file_patience(const struct adjunct_file *f, const struct lpar_batch *b)
{
	unsigned long timeout = READ_ONCE(f->timeout), end = b->began + timeout;

	if (!timeout)
		return MAX_SCHEDULE_TIMEOUT;
	return time_before(jiffies, end) ? end - jiffies : 1;
}

/* When it is @b's turn, unless its answers have come before. */
static int file_serve_now(struct adjunct_file *f, struct lpar_batch *b)
{
	long left;
	int err;

	/* Pairs with lpar_adjunct_batch_collect(), and with lpar_adjunct_step_out(). */
	left = wait_event_killable_timeout(b->turn,
					   smp_load_acquire(&b->done) || READ_ONCE(b->first),
					   file_patience(f, b));
	if (left <= 0)
		return left ? -EINTR : -ETIMEDOUT;
	if (smp_load_acquire(&b->done))
		return 0;
	err = file_enter(f, LPAR_ADJUNCT_WANT_SERVE);
	if (err)
		return err;
	err = lpar_adjunct_serve_for(f, b);
	file_leave(f);
	return err;
}

/*
 * Serve @b. A task that is to freeze leaves the file to others, but not the call: made again,
 * it would be served twice.
 */
static int file_serve(struct adjunct_file *f, struct lpar_batch *b)
{
	int err;

	do {
		lpar_adjunct_line_up(f, b);
		err = file_serve_now(f, b);
		lpar_adjunct_step_out(f, b);
		if (err == -ERESTARTSYS)
			try_to_freeze();
		/* Others may have had it served. Pairs with lpar_adjunct_batch_collect(). */
		if (err && smp_load_acquire(&b->done))
			err = 0;
		/* the adjunct that it was meant for has ended, and may have served it in part */
		if (err == -ENOTCONN && b->given)
			err = -ECANCELED;
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
	if (f->submitted) {
		lpar_adjunct_batch_drop(b);
		err = -EBUSY;
		goto out;
	}
	lpar_adjunct_submit(f, b);
	err = lpar_adjunct_serve_submitted(f);
	/* It is the adjunct's from now on; only its end makes an error of it. */
	if (!f->info.dead)
		err = 0;
	lpar_adjunct_tell(f);
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
	if (!lpar_adjunct_interrupted(f))
		return -ENODATA;
	err = lpar_adjunct_run(f, NULL, true);
	/* it is not through with it yet: its time goes on with the next call */
	if (!err && lpar_adjunct_read(f, LPAR_ADJUNCT_STATUS) == LPAR_BUSY) {
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
		err = lpar_adjunct_serve_submitted(f);
	if (!err)
		lpar_adjunct_unsubmit(f);
	if (f->slot >= 0)
		lpar_adjunct_tell(f);
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
	lpar_adjunct_tell(f);
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
	int slot;

	poll_wait(file, &f->wait, table);
	slot = READ_ONCE(f->slot);
	events = READ_ONCE(f->events) | (READ_ONCE(f->hangup) ? EPOLLHUP : 0);
	if (lpar_adjunct_interrupted(f))
		events |= EPOLLPRI;
	/* The slot's thread is about to donate: there is nothing to decide before it has. */
	if (slot >= 0 && lpar_donor_busy(lpar_adjunct_policy_donor(f->group, slot)))
		events &= ~EPOLLPRI;
	return events;
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
	spin_lock_init(&f->waiting_lock);
	INIT_LIST_HEAD(&f->callers);
	INIT_LIST_HEAD(&f->waiting);
	INIT_LIST_HEAD(&f->ring);
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
