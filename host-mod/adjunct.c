// SPDX-License-Identifier: GPL-2.0
/*
 * Adjuncts that are images: isolated services on donated memory and time (seed 003,
 * figs. 4B, 6). The VMM builds a tiny second VM of its own process for each; what is
 * done here is what it could not do itself: bound the time by a quantum and count it.
 */
#include <linux/dcache.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/hrtimer.h>
#include <linux/kvm.h>
#include <linux/magic.h>
#include <linux/sched/clock.h>
#include <linux/sched/signal.h>
#include <linux/sysfs.h>
#include <linux/uaccess.h>

#include "adjunct.h"
#include "compat.h"
#include "dispatch.h"
#include "image.h"
#include "partition.h"
#include "stopwatch.h"
#include "trace.h"

/* ------------------------------------------------------------- the quantum */

/* Ends a thread's KVM_RUN; on its stack. */
struct limit {
	struct hrtimer timer;
	struct task_struct *task;
	bool fired;
};

/*
 * KVM looks for TIF_NOTIFY_SIGNAL before each entry, and ends with -EINTR. Where the
 * thread is in the guest on another CPU, kick_process() gets it out; on this one the
 * timer's interrupt has. The flag is cleared on the thread's way to user space, and
 * only there: others may have set it too (task work of io_uring).
 */
static enum hrtimer_restart limit_fires(struct hrtimer *timer)
{
	struct limit *a = container_of(timer, struct limit, timer);

	WRITE_ONCE(a->fired, true);
	set_tsk_thread_flag(a->task, TIF_NOTIFY_SIGNAL);
	kick_process(a->task);
	return HRTIMER_NORESTART;
}

static void limit_start(struct limit *a, u64 ns)
{
	a->task = current;
	a->fired = false;
	lpar_compat_hrtimer_on_stack(&a->timer, limit_fires, CLOCK_MONOTONIC,
				     HRTIMER_MODE_REL_HARD);
	hrtimer_start(&a->timer, ns_to_ktime(ns), HRTIMER_MODE_REL_HARD);
}

/* Return: whether it has gone off. */
static bool limit_stop(struct limit *a)
{
	hrtimer_cancel(&a->timer);
	destroy_hrtimer_on_stack(&a->timer);
	return a->fired;
}

/*
 * A vCPU's file, to be fput(). Its operations are KVM's own and not exported, but only
 * the kernel makes files of the anonymous inode, and nobody but KVM calls them so. The
 * VMM could call KVM_RUN on it as well, so a wrong guess gives it nothing new.
 */
static struct file *vcpu_get(int fd)
{
	static const char name[] = "kvm-vcpu:";
	struct file *file = fget(fd);

	if (!file)
		return ERR_PTR(-EBADF);
	/* the name of an anonymous file does not change */
	if (file_inode(file)->i_sb->s_magic != ANON_INODE_FS_MAGIC ||
	    strncmp(file->f_path.dentry->d_name.name, name, sizeof(name) - 1) ||
	    !file->f_op->unlocked_ioctl) {
		fput(file);
		return ERR_PTR(-EINVAL);
	}
	return file;
}

/* Why a run ended. @ret: of KVM_RUN. */
static enum lpar_reason run_reason(long ret, bool fired)
{
	if (!ret)
		return LPAR_REASON_EMPTY;
	if (ret != -EINTR)
		return LPAR_REASON_FAULT;
	return fired ? LPAR_REASON_EXPIRED : LPAR_REASON_YIELD;
}

/* The client has been told that an adjunct wants to run. */
static void count_pa_busy(struct lpar_adjunct *slot)
{
	atomic64_inc(&slot->pa_busy);
	lpar_trace(pa_busy, slot->partition->id, LPAR_ADJUNCT_IMAGE | slot->index, 0);
}

static void count_run(struct lpar_adjunct *slot, enum lpar_reason reason, u64 ns)
{
	atomic64_inc(&slot->dispatches);
	atomic64_add(ns, &slot->donated_ns);
	if (reason == LPAR_REASON_EXPIRED)
		atomic64_inc(&slot->expiries);
	if (reason == LPAR_REASON_EXPIRED || reason == LPAR_REASON_YIELD)
		count_pa_busy(slot);
}

/**
 * lpar_adjunct_run - donate the calling thread's time to an adjunct, for a quantum
 * @c: the client
 * @run: what the VMM asks for; @reason and @ran_ns are filled in
 *
 * Seed 003, figs. 16 and 17. It is called from user space, so in no other KVM_RUN:
 * nested in one, from task work, it would break that one's FPU and VMCS state.
 *
 * Context: a thread of the VMM that is registered as a vCPU's; no lock is held; sleeps.
 * Return: 0; -EPERM, -ENOENT, -EBADF, -EINVAL as LPAR_ADJUNCT_DISPATCH says, or what
 * KVM_RUN does but for -EINTR.
 */
int lpar_adjunct_run(struct lpar_client *c, struct lpar_adjunct_run *run)
{
	struct lpar_partition *p = c->partition;
	struct lpar_vcpu *v = lpar_dispatch_self(c);
	struct lpar_stopwatch watch;
	struct lpar_quantum quantum;
	enum lpar_reason reason;
	struct lpar_adjunct *slot;
	struct limit limit;
	struct file *file;
	long ret;

	if (!v)
		return -EPERM;
	if (run->slot >= p->adjuncts)
		return -ENOENT;
	slot = &p->adjunct[run->slot];
	file = vcpu_get(run->vcpu);
	if (IS_ERR(file))
		return PTR_ERR(file);

	/* what the adjunct's VM rings is no ring of the client's */
	v->serving = true;
	quantum = lpar_core_quantum(local_clock(), run->quantum_us,
				    READ_ONCE(p->quantum_us));
	lpar_stopwatch_start(&watch);
	lpar_trace(dispatch_begin, p->id, LPAR_ADJUNCT_IMAGE | slot->index, 0,
		   v->index, 0, quantum.limit);
	limit_start(&limit, quantum.limit);
	ret = file->f_op->unlocked_ioctl(file, KVM_RUN, 0);
	reason = run_reason(ret, limit_stop(&limit));
	run->ran_ns = lpar_stopwatch_stop(&watch);
	lpar_trace(dispatch_end, p->id, LPAR_ADJUNCT_IMAGE | slot->index, 0, v->index,
		   0, quantum.limit, run->ran_ns, 0, 0, reason);
	v->serving = false;
	fput(file);
	count_run(slot, reason, run->ran_ns);
	run->reason = reason;
	return reason == LPAR_REASON_FAULT ? ret : 0;
}

/* An image of the client's own: the VMM has its bytes. */
static int own_image(const struct lpar_partition *p, struct lpar_image_get *get)
{
	if (!p->own_images)
		return -EPERM;
	get->bytes = 0;
	return 0;
}

/**
 * lpar_adjunct_image - an approved image's bytes for a VMM
 * @c: the client
 * @get: what it asks for; @bytes and @sha256 are filled in
 * @text: a file of its text, if that is wanted and shared; not changed otherwise
 *
 * Context: a thread of the VMM; no lock is held: copying may wait for the VMM.
 * Return: as LPAR_IMAGE_GET says, or -EFAULT.
 */
int lpar_adjunct_image(struct lpar_client *c, struct lpar_image_get *get,
		       struct file **text)
{
	struct lpar_blob *blob;
	struct file *file;
	bool global;
	int ret = 0;

	if (strnlen(get->name, sizeof(get->name)) == sizeof(get->name))
		return -EINVAL;
	if (!c->partition->adjuncts)
		return -EDQUOT;
	if (!get->name[0])
		return own_image(c->partition, get);
	blob = lpar_image_find(get->name, &global);
	if (!blob)
		return -ENOENT;
	if (get->bytes < blob->bytes)
		ret = -ENOSPC;
	else if (copy_to_user(u64_to_user_ptr(get->data), blob->data, blob->bytes))
		ret = -EFAULT;
	get->bytes = blob->bytes;
	memcpy(get->sha256, blob->sha256, sizeof(get->sha256));
	if (!ret && global && (get->flags & LPAR_IMAGE_TEXT)) {
		file = lpar_image_text(blob);
		if (IS_ERR(file))
			ret = PTR_ERR(file);
		else
			*text = file;
	}
	lpar_image_put(blob);
	return ret;
}

/**
 * lpar_adjunct_tell - the VMM says what has become of an adjunct
 * @c: the client
 * @tell: that
 *
 * Nothing here depends on it: it is shown.
 *
 * Context: a thread of the VMM; takes the partition's lock.
 * Return: 0, -EINVAL, -ENOENT.
 */
int lpar_adjunct_tell(struct lpar_client *c, const struct lpar_adjunct_tell *tell)
{
	struct lpar_partition *p = c->partition;
	struct lpar_adjunct *slot;

	if (!lpar_core_told(tell->state, tell->name))
		return -EINVAL;
	if (tell->slot >= p->adjuncts)
		return -ENOENT;
	slot = &p->adjunct[tell->slot];
	mutex_lock(&p->lock);
	if (tell->state == LPAR_ADJUNCT_DEAD && slot->state != LPAR_ADJUNCT_DEAD)
		atomic64_inc(&slot->deaths);
	slot->state = tell->state;
	strscpy(slot->image, tell->name, sizeof(slot->image));
	mutex_unlock(&p->lock);
	return 0;
}

/**
 * lpar_adjunct_post - the VMM has raised PA BUSY for the interrupt of an adjunct's device
 * @c: the client
 * @index: the adjunct's slot
 *
 * Seed 003, fig. 7.
 *
 * Context: a thread of the VMM; no lock is held.
 * Return: 0 or -ENOENT.
 */
int lpar_adjunct_post(struct lpar_client *c, u32 index)
{
	struct lpar_partition *p = c->partition;

	if (index >= p->adjuncts)
		return -ENOENT;
	count_pa_busy(&p->adjunct[index]);
	return 0;
}

/* ------------------------------------------------------------------- sysfs */

#define COUNTER(name)							\
static ssize_t name##_show(struct kobject *kobj, struct kobj_attribute *attr, \
			   char *buf)					\
{									\
	struct lpar_adjunct *slot = lpar_node_owner(kobj);			\
									\
	return sysfs_emit(buf, "%lld\n", atomic64_read(&slot->name));	\
}									\
static struct kobj_attribute attr_##name = __ATTR_RO(name)

COUNTER(dispatches);
COUNTER(donated_ns);
COUNTER(expiries);
COUNTER(pa_busy);
COUNTER(deaths);

static ssize_t id_show(struct kobject *kobj, struct kobj_attribute *attr, char *buf)
{
	struct lpar_adjunct *slot = lpar_node_owner(kobj);

	return sysfs_emit(buf, "%u\n", LPAR_ADJUNCT_IMAGE | slot->index);
}
static struct kobj_attribute attr_id = __ATTR_RO(id);

static ssize_t state_show(struct kobject *kobj, struct kobj_attribute *attr,
			  char *buf)
{
	static const char *const names[] = {
		[LPAR_ADJUNCT_EMPTY] = "empty",
		[LPAR_ADJUNCT_LOADED] = "loaded",
		[LPAR_ADJUNCT_READY] = "ready",
		[LPAR_ADJUNCT_DEAD] = "dead",
	};
	struct lpar_adjunct *slot = lpar_node_owner(kobj);

	return sysfs_emit(buf, "%s\n", names[READ_ONCE(slot->state)]);
}
static struct kobj_attribute attr_state = __ATTR_RO(state);

static ssize_t image_show(struct kobject *kobj, struct kobj_attribute *attr,
			  char *buf)
{
	struct lpar_adjunct *slot = lpar_node_owner(kobj);
	ssize_t ret;

	mutex_lock(&slot->partition->lock);
	ret = sysfs_emit(buf, "%s\n", slot->image);
	mutex_unlock(&slot->partition->lock);
	return ret;
}
static struct kobj_attribute attr_image = __ATTR_RO(image);

static struct attribute *slot_attrs[] = {
	&attr_id.attr,	       &attr_state.attr,      &attr_image.attr,
	&attr_dispatches.attr, &attr_donated_ns.attr, &attr_expiries.attr,
	&attr_pa_busy.attr,    &attr_deaths.attr,     NULL,
};
ATTRIBUTE_GROUPS(slot);

/* -------------------------------------------------------------- life cycle */

/* With the partition. */
void lpar_adjunct_setup(struct lpar_partition *p)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(p->adjunct); i++) {
		p->adjunct[i].partition = p;
		p->adjunct[i].index = i;
	}
}

/**
 * lpar_adjunct_resize - say how many adjuncts a partition may have
 * @p: the partition; without client
 * @n: so many; 0 when the partition goes
 *
 * Context: p->config is held, or nobody else knows @p any more; may sleep.
 * Return: 0; -ENOMEM, and then it is as it was.
 */
int lpar_adjunct_resize(struct lpar_partition *p, unsigned int n)
{
	unsigned int before = p->adjuncts;
	struct lpar_node *node;
	char name[12];

	while (p->adjuncts > n) {
		p->adjuncts--;
		lpar_node_remove(p->adjunct[p->adjuncts].node);
		p->adjunct[p->adjuncts].node = NULL;
	}
	while (p->adjuncts < n) {
		snprintf(name, sizeof(name), "%u", p->adjuncts);
		node = lpar_node_create(&p->adjuncts_node->kobj, name, slot_groups,
					&p->adjunct[p->adjuncts]);
		if (IS_ERR(node)) {
			lpar_adjunct_resize(p, before);
			return PTR_ERR(node);
		}
		p->adjunct[p->adjuncts].node = node;
		p->adjuncts++;
	}
	return 0;
}

/* The client has gone, and with it its VMs. p->lock is held. */
void lpar_adjunct_forget(struct lpar_partition *p)
{
	unsigned int i;

	lockdep_assert_held(&p->lock);
	for (i = 0; i < ARRAY_SIZE(p->adjunct); i++) {
		p->adjunct[i].state = LPAR_ADJUNCT_EMPTY;
		memset(p->adjunct[i].image, 0, sizeof(p->adjunct[i].image));
	}
}

/* Add the counters of all a partition's adjuncts. Any context. */
void lpar_adjunct_stats(struct lpar_partition *p, struct lpar_stats *sum)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(p->adjunct); i++) {
		const struct lpar_adjunct *slot = &p->adjunct[i];

		sum->dispatches += atomic64_read(&slot->dispatches);
		sum->donated_ns += atomic64_read(&slot->donated_ns);
		sum->quantum_expiries += atomic64_read(&slot->expiries);
		sum->pa_busy += atomic64_read(&slot->pa_busy);
	}
}
