// SPDX-License-Identifier: GPL-2.0
/*
 * /dev/lpar-iovN: asking the host for what only it can do to VFs (seed 002); see
 * include/lpar/iov.h. No state of a request outlasts the ioctl that makes it.
 */
#include <linux/freezer.h>
#include <linux/fs.h>
#include <linux/idr.h>
#include <linux/kref.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/rwsem.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <linux/wait.h>

#include <lpar/iov.h>
#include "channel.h"
#include "disk.h"
#include "mailbox.h"

/**
 * struct lpar_mailboxes - the character device of one lpar device; outlives that
 * @refs:   the device's and that of each open file
 * @sem:    read: a call uses @dev; write: the device goes. Not held while somebody
 *          waits for an answer: who waits may be frozen
 * @dev:    valid until @dead, under @sem
 * @dead:   set once; ioctls that wait give up
 * @wait:   who waits for an answer, or for @manage
 * @events: counts the host's events
 * @manage: bit 0: there is a conversation: one at a time, as the host has it
 * @misc:   the character device
 * @name:   its name
 * @index:  in it
 */
struct lpar_mailboxes {
	struct kref refs;
	struct rw_semaphore sem;	/* dev */
	struct lpar_device *dev;
	bool dead;
	wait_queue_head_t wait;
	atomic_t events;
	unsigned long manage;
	struct miscdevice misc;
	char name[24];
	int index;
};

static DEFINE_IDA(mailbox_ida);

static void mailbox_free(struct kref *refs)
{
	kfree(container_of(refs, struct lpar_mailboxes, refs));
}

/* ------------------------------------------------------------------- calls */

/* Not while the device is stopped: nobody would answer. */
static int mailbox_call_locked(struct lpar_mailboxes *m, enum lpar_op op,
			       const u64 arg[5], const void *in, u32 in_len,
			       struct lpar_result *result, void *data)
{
	lockdep_assert_held(&m->dev->disks_lock);
	return m->dev->stopped ? -EAGAIN :
	       lpar_channel_exchange(m->dev, op, arg, in, in_len, result, data);
}

static int mailbox_call(struct lpar_mailboxes *m, enum lpar_op op, const u64 arg[5],
			const void *in, u32 in_len, struct lpar_result *result,
			void *data)
{
	int err = -ENODEV;

	down_read(&m->sem);
	if (m->dead)
		goto out;
	err = -EINTR;
	if (mutex_lock_interruptible(&m->dev->disks_lock))
		goto out;
	err = mailbox_call_locked(m, op, arg, in, in_len, result, data);
	mutex_unlock(&m->dev->disks_lock);
out:
	up_read(&m->sem);
	return err;
}

/* Also after a signal, which is when it is needed. */
static void mailbox_forget(struct lpar_mailboxes *m, u64 number)
{
	u64 arg[5] = { number, LPAR_FORGET };
	struct lpar_result result;

	down_read(&m->sem);
	if (!m->dead) {
		mutex_lock(&m->dev->disks_lock);
		mailbox_call_locked(m, LPAR_OP_ANSWER, arg, NULL, 0, &result, NULL);
		mutex_unlock(&m->dev->disks_lock);
	}
	up_read(&m->sem);
}

/*
 * Until the host has an answer to request @number: @result and @data have the first part
 * of it. On an error the request is forgotten.
 */
static int mailbox_wait(struct lpar_mailboxes *m, u64 number, u32 seconds,
			struct lpar_result *result, void *data)
{
	unsigned long end = jiffies + seconds * HZ;
	u64 arg[5] = { number };
	int err, events;

	for (;;) {
		events = atomic_read(&m->events);
		err = mailbox_call(m, LPAR_OP_ANSWER, arg, NULL, 0, result, data);
		if (!err && result->status == LPAR_OK)
			return 0;
		if (!err && result->status == LPAR_NOENT)
			return -ECANCELED;
		if (!err && result->status != LPAR_BUSY)
			err = -EPROTO;
		if (err == -EAGAIN)	/* the system is about to sleep */
			err = 0;
		if (!err && seconds && time_after_eq(jiffies, end))
			err = -ETIMEDOUT;
		if (err)
			break;
		/* an event may be lost with the host's VMM: look now and then */
		if (wait_event_freezable_timeout(m->wait,
						 events != atomic_read(&m->events) ||
						 READ_ONCE(m->dead), HZ) < 0) {
			err = -EINTR;
			break;
		}
	}
	mailbox_forget(m, number);
	return err;
}

/* ------------------------------------------------------------------ ioctls */

/* m->sem is held. */
static int mailbox_next_locked(struct lpar_mailboxes *m, struct lpar_iov_mailbox *box)
{
	u32 len, generation, id, best = 0;
	struct lpar_function *functions;
	int count, i;
	void *data;

	if (m->dead)
		return -ENODEV;
	functions = kmalloc(LPAR_CHANNEL_DATA, GFP_KERNEL);
	if (!functions)
		return -ENOMEM;
	if (mutex_lock_interruptible(&m->dev->disks_lock)) {
		kfree(functions);
		return -EINTR;
	}
	count = m->dev->stopped ? -EAGAIN : lpar_function_list(m->dev, functions);
	for (i = 0; i < count; i++) {
		id = le32_to_cpu(functions[i].id);
		if (le16_to_cpu(functions[i].type) == LPAR_FUNCTION_MAILBOX &&
		    id > box->function && (!best || id < best))
			best = id;
	}
	data = count < 0 ? ERR_PTR(count) : !best ? ERR_PTR(-ENOENT) :
	       lpar_function_records(m->dev, best, &len, &generation);
	mutex_unlock(&m->dev->disks_lock);
	kfree(functions);
	if (IS_ERR(data))
		return PTR_ERR(data);
	box->function = best;
	box->bytes = min_t(u32, len, sizeof(box->data));
	memset(box->data, 0, sizeof(box->data));
	memcpy(box->data, data, box->bytes);
	kfree(data);
	return 0;
}

static int mailbox_next(struct lpar_mailboxes *m, struct lpar_iov_mailbox *box)
{
	int err;

	if (box->flags)
		return -EINVAL;
	down_read(&m->sem);
	err = mailbox_next_locked(m, box);
	up_read(&m->sem);
	return err;
}

static int mailbox_ask(struct lpar_mailboxes *m, struct lpar_iov_ask *ask)
{
	u64 arg[5] = { ask->function, ask->ask, ask->value };
	struct lpar_result result;
	void *data;
	u64 number;
	int err;

	if (ask->flags || ask->reserved || ask->seconds > INT_MAX / HZ)
		return -EINVAL;
	data = kmalloc(LPAR_CHANNEL_DATA, GFP_KERNEL);
	if (!data)
		return -ENOMEM;
	err = mailbox_call(m, LPAR_OP_ASK, arg, NULL, 0, &result, data);
	if (err)
		goto out;
	ask->status = result.status;
	if (result.status == LPAR_OK) {
		number = result.ret[0];
		err = mailbox_wait(m, number, ask->seconds, &result, data);
		if (err)
			goto out;
		mailbox_forget(m, number);
		ask->status = min_t(u64, result.ret[0], U32_MAX);
	}
	ask->bytes = min_t(u32, result.out_len, sizeof(ask->text));
	memset(ask->text, 0, sizeof(ask->text));
	memcpy(ask->text, data, ask->bytes);
out:
	kfree(data);
	return err;
}

/* Hand @text over. Return: 0 or an error; *status: what the host says to it. */
static int mailbox_send(struct lpar_mailboxes *m, const u8 *text, u32 bytes, u64 *number,
			u32 *status)
{
	struct lpar_result result = {};
	u32 at, n;
	int err;

	for (at = 0; at < bytes; at += n) {
		u64 arg[5] = { at, bytes };

		n = min_t(u32, bytes - at, LPAR_CHANNEL_DATA);
		err = mailbox_call(m, LPAR_OP_MANAGE, arg, text + at, n, &result, NULL);
		if (err)
			return err;
		if (result.status != LPAR_OK)
			break;
	}
	*status = result.status;
	*number = result.ret[0];
	return 0;
}

/* The answer from its first part on. @data: room for a call's. */
static int mailbox_fetch(struct lpar_mailboxes *m, u64 number,
			 const struct lpar_result *first, void *data,
			 struct lpar_iov_manage *manage)
{
	u64 total = first->ret[1];
	struct lpar_result result = *first;
	u64 arg[5] = { number };
	u8 __user *to = u64_to_user_ptr(manage->answer);
	u32 at, n;
	int err;

	if (total > LPAR_MANAGE_TEXT)
		return -EPROTO;
	for (at = 0;; ) {
		n = min_t(u32, result.out_len, total - at);
		if (at < manage->room &&
		    copy_to_user(to + at, data, min(n, manage->room - at)))
			return -EFAULT;
		at += n;
		if (at == total)
			break;
		if (!n)
			return -EPROTO;
		arg[1] = at;
		err = mailbox_call(m, LPAR_OP_ANSWER, arg, NULL, 0, &result, data);
		if (err)
			return err;
		if (result.status != LPAR_OK)
			return result.status == LPAR_NOENT ? -ECANCELED : -EPROTO;
	}
	manage->bytes = total;
	manage->status = min_t(u64, first->ret[0], U32_MAX);
	return 0;
}

/* Return: it need not be waited any more. */
static bool mailbox_manage_try(struct lpar_mailboxes *m, bool *ours)
{
	*ours = !test_and_set_bit_lock(0, &m->manage);
	return *ours || READ_ONCE(m->dead);
}

/* Until nobody else has a conversation. */
static int mailbox_manage_begin(struct lpar_mailboxes *m)
{
	bool ours = false;

	if (wait_event_freezable(m->wait, mailbox_manage_try(m, &ours)))
		return -EINTR;
	return ours ? 0 : -ENODEV;
}

static void mailbox_manage_end(struct lpar_mailboxes *m)
{
	clear_bit_unlock(0, &m->manage);
	wake_up_all(&m->wait);
}

static int mailbox_manage(struct lpar_mailboxes *m, struct lpar_iov_manage *manage)
{
	struct lpar_result result;
	void *data, *text;
	u64 number;
	int err;

	if (manage->flags || manage->reserved || !manage->bytes ||
	    manage->bytes > LPAR_MANAGE_TEXT)
		return -EINVAL;
	text = vmemdup_user(u64_to_user_ptr(manage->text), manage->bytes);
	if (IS_ERR(text))
		return PTR_ERR(text);
	err = -ENOMEM;
	data = kmalloc(LPAR_CHANNEL_DATA, GFP_KERNEL);
	if (!data)
		goto out_text;
	err = mailbox_manage_begin(m);
	if (err)
		goto out_data;
	err = mailbox_send(m, text, manage->bytes, &number, &manage->status);
	manage->bytes = 0;
	if (err || manage->status != LPAR_OK)
		goto out_end;
	err = mailbox_wait(m, number, 0, &result, data);
	if (!err) {
		err = mailbox_fetch(m, number, &result, data, manage);
		mailbox_forget(m, number);
	}
out_end:
	mailbox_manage_end(m);
out_data:
	kfree(data);
out_text:
	kvfree(text);
	return err;
}

static int mailbox_run(struct lpar_mailboxes *m, unsigned int cmd, void *arg)
{
	return cmd == LPAR_IOV_NEXT ? mailbox_next(m, arg) :
	       cmd == LPAR_IOV_ASK ? mailbox_ask(m, arg) :
				     mailbox_manage(m, arg);
}

static long mailbox_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	struct lpar_mailboxes *m = container_of(file->private_data,
						struct lpar_mailboxes, misc);
	size_t size = _IOC_SIZE(cmd);
	u32 *copy;
	int err;

	if (cmd != LPAR_IOV_NEXT && cmd != LPAR_IOV_ASK && cmd != LPAR_IOV_MANAGE)
		return -ENOTTY;
	copy = memdup_user((void __user *)arg, size);
	if (IS_ERR(copy))
		return PTR_ERR(copy);
	err = *copy == size ? mailbox_run(m, cmd, copy) : -EINVAL;
	if (!err && copy_to_user((void __user *)arg, copy, size))
		err = -EFAULT;
	kfree(copy);
	return err;
}

static int mailbox_open(struct inode *inode, struct file *file)
{
	struct lpar_mailboxes *m = container_of(file->private_data,
						struct lpar_mailboxes, misc);

	/* misc_deregister() waits for us, and only then the device's goes */
	kref_get(&m->refs);
	return 0;
}

static int mailbox_release(struct inode *inode, struct file *file)
{
	struct lpar_mailboxes *m = container_of(file->private_data,
						struct lpar_mailboxes, misc);

	kref_put(&m->refs, mailbox_free);
	return 0;
}

static const struct file_operations mailbox_fops = {
	.owner = THIS_MODULE,
	.open = mailbox_open,
	.release = mailbox_release,
	.unlocked_ioctl = mailbox_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
	.llseek = noop_llseek,
};

/**
 * lpar_mailbox_register - make the character device
 * @dev: working
 *
 * Context: may sleep.
 * Return: 0 or a negative errno.
 */
int lpar_mailbox_register(struct lpar_device *dev)
{
	struct lpar_mailboxes *m = kzalloc(sizeof(*m), GFP_KERNEL);
	int err;

	if (!m)
		return -ENOMEM;
	kref_init(&m->refs);
	init_rwsem(&m->sem);
	m->dev = dev;
	init_waitqueue_head(&m->wait);
	m->index = ida_alloc(&mailbox_ida, GFP_KERNEL);
	if (m->index < 0) {
		err = m->index;
		goto err_free;
	}
	snprintf(m->name, sizeof(m->name), "lpar-iov%d", m->index);
	m->misc = (struct miscdevice){
		.minor = MISC_DYNAMIC_MINOR,
		.name = m->name,
		.fops = &mailbox_fops,
		.parent = &dev->pdev->dev,
		.mode = 0600,
	};
	err = misc_register(&m->misc);
	if (err)
		goto err_index;
	/* pairs with lpar_mailbox_event() */
	smp_store_release(&dev->mailboxes, m);
	return 0;

err_index:
	ida_free(&mailbox_ida, m->index);
err_free:
	kfree(m);
	return err;
}

/**
 * lpar_mailbox_unregister - the device goes: nobody calls through it afterwards
 * @dev: its channel still works, or is broken; no event comes any more
 *
 * Context: sleeps until the calls that are being made have ended.
 */
void lpar_mailbox_unregister(struct lpar_device *dev)
{
	struct lpar_mailboxes *m = dev->mailboxes;

	if (!m)
		return;
	dev->mailboxes = NULL;
	misc_deregister(&m->misc);
	WRITE_ONCE(m->dead, true);
	wake_up_all(&m->wait);
	down_write(&m->sem);
	m->dev = NULL;
	up_write(&m->sem);
	ida_free(&mailbox_ida, m->index);
	kref_put(&m->refs, mailbox_free);
}

/* The host says that something has changed: perhaps an answer is there. Any context. */
void lpar_mailbox_event(struct lpar_device *dev)
{
	struct lpar_mailboxes *m = smp_load_acquire(&dev->mailboxes);

	if (!m)
		return;
	atomic_inc(&m->events);
	wake_up_all(&m->wait);
}
