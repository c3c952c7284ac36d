// SPDX-License-Identifier: GPL-2.0
/*
 * Policies: defaults by module parameters, sysfs files of each disk and each of its
 * queues, and the threads that donate for those that are to be weighed against
 * other work by this guest's own scheduler (seed 003).
 */
#include <linux/kthread.h>
#include <linux/moduleparam.h>
#include <linux/slab.h>

#include "blk.h"
#include "disk.h"
#include "policy.h"
#include "queue.h"

static unsigned int donate_batch = 32;
module_param(donate_batch, uint, 0644);
MODULE_PARM_DESC(donate_batch, "Requests that one doorbell is for, at most; donate*/batch of a disk");

static unsigned int donate_us = 200;
module_param(donate_us, uint, 0644);
MODULE_PARM_DESC(donate_us, "Shortest time that a request is held back, microseconds (at most 50000)");

static unsigned int quantum_us;
module_param(quantum_us, uint, 0644);
MODULE_PARM_DESC(quantum_us, "Longest service for one doorbell, microseconds (0: the host's limit); donate*/quantum_us of a disk, donate/quantum_us of a netdev");

static unsigned int poll_us = 100;
module_param(poll_us, uint, 0644);
MODULE_PARM_DESC(poll_us, "Longest time that a doorbell of a polled queue has the host look for completions in the adapter, microseconds (0: not at all); donate*/poll_us of a disk");

static const char * const policy_names[] = {
	[LPAR_DONATE_BATCH]	= "batch",
	[LPAR_DONATE_INLINE]	= "inline",
	[LPAR_DONATE_THREAD]	= "thread",
};

/**
 * lpar_policy_name - as it is called in files and parameters
 * @policy: one
 *
 * Any context.
 */
const char *lpar_policy_name(enum lpar_donate_policy policy)
{
	return policy_names[policy];
}

/**
 * lpar_policy_match - the opposite of lpar_policy_name()
 * @text: a line feed may follow
 *
 * Any context.
 *
 * Return: enum lpar_donate_policy, or -EINVAL.
 */
int lpar_policy_match(const char *text)
{
	return sysfs_match_string(policy_names, text);
}

static enum lpar_donate_policy donate = LPAR_DONATE_BATCH;

static int policy_param_set(const char *value, const struct kernel_param *kp)
{
	int policy = lpar_policy_match(value);

	if (policy < 0)
		return policy;
	*(enum lpar_donate_policy *)kp->arg = policy;
	return 0;
}

static int policy_param_get(char *buffer, const struct kernel_param *kp)
{
	return sysfs_emit(buffer, "%s\n", policy_names[*(enum lpar_donate_policy *)kp->arg]);
}

/* Of a parameter that is an enum lpar_donate_policy. */
const struct kernel_param_ops lpar_policy_param_ops = {
	.set = policy_param_set,
	.get = policy_param_get,
};

module_param_cb(donate, &lpar_policy_param_ops, &donate, 0644);
MODULE_PARM_DESC(donate, "When queues made from now on ring: batch, inline, or thread (disks; NICs: batch, and see threaded of the netdev); donate*/policy of a disk");

/**
 * lpar_policy_default - what the module parameters say
 * @q: new
 *
 * One whose thread is missing starts with the batch policy: lpar_policy_add().
 *
 * Any context.
 */
void lpar_policy_default(struct lpar_queue *q)
{
	q->policy = donate == LPAR_DONATE_THREAD ? LPAR_DONATE_BATCH : donate;
	q->batch = clamp(donate_batch, 1u, q->depth);
	q->hold_us = donate_us;
	q->quantum_us = quantum_us;
	q->poll_us = poll_us;
}

/**
 * lpar_policy_net - what the module parameters say for a new NIC
 * @batch:   most frames that one doorbell is for
 * @hold_us: shortest time that a frame is held back
 * @quantum: longest service for each doorbell, microseconds; 0: the host's limit
 *
 * Any context.
 */
void lpar_policy_net(u32 *batch, u32 *hold_us, u32 *quantum)
{
	*quantum = quantum_us;
	*batch = clamp(donate_batch, 1u, LPAR_QUEUE_DEPTH_MAX + 0u);
	*hold_us = min(donate_us, LPAR_POLICY_HOLD_MAX + 0u);
}

static void policy_write_quantum(struct lpar_queue *q)
{
	WRITE_ONCE(q->ctrl->quantum_us,
		   cpu_to_le32(lpar_donate_quantum(q->quantum_us,
						   q->dev->channel.quantum_us)));
}

/**
 * lpar_policy_quantum - how long may the queue be served for each doorbell?
 * @q:  made
 * @us: microseconds; 0: the host's limit
 *
 * Any context, interrupts on. It holds from the next doorbell on.
 */
void lpar_policy_quantum(struct lpar_queue *q, u32 us)
{
	spin_lock_irq(&q->lock);
	q->quantum_us = us;
	policy_write_quantum(q);
	spin_unlock_irq(&q->lock);
}

/**
 * lpar_policy_apply_locked - start anew with what is wanted of the queue
 * @q: its lock is held
 *
 * What is held stays so: the caller rings, where there can be any.
 *
 * Any context.
 */
void lpar_policy_apply_locked(struct lpar_queue *q)
{
	lockdep_assert_held(&q->lock);
	lpar_donate_init(&q->donate, q->policy, q->batch, q->hold_us);
	policy_write_quantum(q);
	WRITE_ONCE(q->ctrl->poll_us, cpu_to_le32(q->polled ? q->poll_us : 0));
}

/* ------------------------------------------------------------- the thread */

static int policy_run(void *data)
{
	struct lpar_queue *q = data;

	for (;;) {
		/* The state before the question; pairs with wake_up_process(). */
		set_current_state(TASK_IDLE);
		if (kthread_should_stop())
			break;
		if (!READ_ONCE(q->due)) {
			schedule();
			continue;
		}
		__set_current_state(TASK_RUNNING);
		lpar_ring_serve(q);
		cond_resched();
	}
	__set_current_state(TASK_RUNNING);
	return 0;
}

/* Once made it stays, with the priority and the CPUs that it has been given. */
static int policy_start(struct lpar_disk *disk, u32 index)
{
	struct lpar_queue *q = disk->queues[index];
	struct task_struct *thread;

	lockdep_assert_held(&disk->policy_lock);
	if (q->thread)
		return 0;
	thread = kthread_create_on_node(policy_run, q,
					dev_to_node(&disk->dev->pdev->dev),
					"lpar/%s/%u", disk->gendisk->disk_name,
					index);
	if (IS_ERR(thread))
		return PTR_ERR(thread);
	q->thread = thread;
	wake_up_process(thread);
	return 0;
}

/**
 * lpar_policy_stop - end the queue's thread
 * @q: without requests and without a timer; nobody changes its policy any more
 *
 * Sleeps until the thread has run: where work of a higher priority keeps it from its
 * CPU, that is later.
 */
void lpar_policy_stop(struct lpar_queue *q)
{
	if (q->thread)
		kthread_stop(q->thread);
	q->thread = NULL;
}

static int policy_set(struct lpar_disk *disk, u32 index,
		      enum lpar_donate_policy policy)
{
	struct lpar_queue *q = disk->queues[index];
	int err;

	lockdep_assert_held(&disk->policy_lock);
	if (policy == LPAR_DONATE_THREAD) {
		err = policy_start(disk, index);
		if (err)
			return err;
	}
	spin_lock_irq(&q->lock);
	q->policy = policy;
	q->due = false;
	lpar_policy_apply_locked(q);
	spin_unlock_irq(&q->lock);
	/* Those that waited for what the old policy would have done. */
	lpar_ring_nudge(q);
	return 0;
}

static void policy_set_number(struct lpar_queue *q, u32 *field, u32 value)
{
	spin_lock_irq(&q->lock);
	*field = value;
	lpar_policy_apply_locked(q);
	spin_unlock_irq(&q->lock);
	lpar_ring_nudge(q);
}

/* ------------------------------------------------------------------ sysfs */

/* Of one queue, or of all of a disk's. */
struct lpar_policy_folder {
	struct lpar_disk *disk;
	u32 first;
	u32 end;
	char name[20];
	struct device_attribute policy;
	struct device_attribute batch;
	struct device_attribute quantum;
	struct device_attribute thread;
	struct device_attribute doorbells;
	struct device_attribute requests;
	struct device_attribute polled;
	struct device_attribute poll;
	struct attribute *attrs[9];
	struct attribute_group group;
};

static ssize_t policy_show(struct device *dev, struct device_attribute *attr,
			   char *buf)
{
	struct lpar_policy_folder *f = container_of(attr, struct lpar_policy_folder, policy);
	enum lpar_donate_policy policy = f->disk->queues[f->first]->policy;
	u32 i;

	for (i = f->first + 1; i < f->end; i++) {
		if (READ_ONCE(f->disk->queues[i]->policy) != policy)
			return sysfs_emit(buf, "mixed\n");
	}
	return sysfs_emit(buf, "%s\n", policy_names[policy]);
}

static ssize_t policy_store(struct device *dev, struct device_attribute *attr,
			    const char *buf, size_t count)
{
	struct lpar_policy_folder *f = container_of(attr, struct lpar_policy_folder, policy);
	int policy = lpar_policy_match(buf), err = 0;
	u32 i;

	if (policy < 0)
		return policy;
	mutex_lock(&f->disk->policy_lock);
	for (i = f->first; i < f->end && !err; i++)
		err = policy_set(f->disk, i, policy);
	mutex_unlock(&f->disk->policy_lock);
	return err ?: count;
}

/* The number at @offset in struct lpar_queue, of the folder's queues. */
static u32 *number_of(struct lpar_policy_folder *f, u32 i, size_t offset)
{
	return (void *)f->disk->queues[i] + offset;
}

static ssize_t number_show(struct lpar_policy_folder *f, size_t offset, char *buf)
{
	u32 number = READ_ONCE(*number_of(f, f->first, offset)), i;

	for (i = f->first + 1; i < f->end; i++) {
		if (READ_ONCE(*number_of(f, i, offset)) != number)
			return sysfs_emit(buf, "mixed\n");
	}
	return sysfs_emit(buf, "%u\n", number);
}

static ssize_t number_store(struct lpar_policy_folder *f, size_t offset, u32 min, u32 max,
			    const char *buf, size_t count)
{
	u32 number, i;
	int err;

	err = kstrtou32(buf, 0, &number);
	if (err)
		return err;
	if (number < min || number > max)
		return -ERANGE;
	mutex_lock(&f->disk->policy_lock);
	for (i = f->first; i < f->end; i++)
		policy_set_number(f->disk->queues[i], number_of(f, i, offset), number);
	mutex_unlock(&f->disk->policy_lock);
	return count;
}

static ssize_t batch_show(struct device *dev, struct device_attribute *attr,
			  char *buf)
{
	return number_show(container_of(attr, struct lpar_policy_folder, batch),
			   offsetof(struct lpar_queue, batch), buf);
}

static ssize_t batch_store(struct device *dev, struct device_attribute *attr,
			   const char *buf, size_t count)
{
	struct lpar_policy_folder *f = container_of(attr, struct lpar_policy_folder, batch);

	return number_store(f, offsetof(struct lpar_queue, batch), 1,
			    f->disk->queues[f->first]->depth, buf, count);
}

static ssize_t quantum_us_show(struct device *dev, struct device_attribute *attr,
			       char *buf)
{
	return number_show(container_of(attr, struct lpar_policy_folder, quantum),
			   offsetof(struct lpar_queue, quantum_us), buf);
}

static ssize_t quantum_us_store(struct device *dev, struct device_attribute *attr,
				const char *buf, size_t count)
{
	struct lpar_policy_folder *f = container_of(attr, struct lpar_policy_folder, quantum);

	return number_store(f, offsetof(struct lpar_queue, quantum_us), 0,
			    f->disk->dev->channel.quantum_us, buf, count);
}

static ssize_t thread_show(struct device *dev, struct device_attribute *attr,
			   char *buf)
{
	struct lpar_policy_folder *f = container_of(attr, struct lpar_policy_folder, thread);
	struct task_struct *thread = READ_ONCE(f->disk->queues[f->first]->thread);

	return sysfs_emit(buf, "%d\n", thread ? task_pid_vnr(thread) : 0);
}

static ssize_t doorbells_show(struct device *dev, struct device_attribute *attr,
			      char *buf)
{
	struct lpar_policy_folder *f = container_of(attr, struct lpar_policy_folder, doorbells);

	return sysfs_emit(buf, "%llu\n",
			  READ_ONCE(f->disk->queues[f->first]->doorbells));
}

static ssize_t requests_show(struct device *dev, struct device_attribute *attr,
			     char *buf)
{
	struct lpar_policy_folder *f = container_of(attr, struct lpar_policy_folder, requests);

	return sysfs_emit(buf, "%llu\n",
			  READ_ONCE(f->disk->queues[f->first]->requests));
}

static ssize_t polled_show(struct device *dev, struct device_attribute *attr,
			   char *buf)
{
	struct lpar_policy_folder *f = container_of(attr, struct lpar_policy_folder, polled);

	return sysfs_emit(buf, "%d\n", f->disk->queues[f->first]->polled);
}

static ssize_t poll_us_show(struct device *dev, struct device_attribute *attr,
			    char *buf)
{
	return number_show(container_of(attr, struct lpar_policy_folder, poll),
			   offsetof(struct lpar_queue, poll_us), buf);
}

static ssize_t poll_us_store(struct device *dev, struct device_attribute *attr,
			     const char *buf, size_t count)
{
	struct lpar_policy_folder *f = container_of(attr, struct lpar_policy_folder, poll);

	return number_store(f, offsetof(struct lpar_queue, poll_us), 0,
			    f->disk->dev->channel.quantum_us, buf, count);
}

static void policy_folder_init(struct lpar_policy_folder *f, struct lpar_disk *disk,
			       u32 first, u32 end, bool one)
{
	const struct device_attribute policy = __ATTR_RW(policy);
	const struct device_attribute batch = __ATTR_RW(batch);
	const struct device_attribute quantum = __ATTR_RW(quantum_us);
	const struct device_attribute thread = __ATTR_RO(thread);
	const struct device_attribute doorbells = __ATTR_RO(doorbells);
	const struct device_attribute requests = __ATTR_RO(requests);
	const struct device_attribute polled = __ATTR_RO(polled);
	const struct device_attribute poll = __ATTR_RW(poll_us);
	u32 i, n = 0;

	f->disk = disk;
	f->first = first;
	f->end = end;
	f->policy = policy;
	f->batch = batch;
	f->quantum = quantum;
	f->thread = thread;
	f->doorbells = doorbells;
	f->requests = requests;
	f->polled = polled;
	f->poll = poll;
	f->attrs[n++] = &f->policy.attr;
	f->attrs[n++] = &f->batch.attr;
	f->attrs[n++] = &f->quantum.attr;
	if (one) {
		f->attrs[n++] = &f->thread.attr;
		f->attrs[n++] = &f->doorbells.attr;
		f->attrs[n++] = &f->requests.attr;
		f->attrs[n++] = &f->polled.attr;
		if (disk->queues[first]->polled)
			f->attrs[n++] = &f->poll.attr;
	}
	for (i = 0; i < n; i++)
		sysfs_attr_init(f->attrs[i]);
	f->group.name = f->name;
	f->group.attrs = f->attrs;
}

/**
 * lpar_policy_add - a new disk's files, and its threads where those are the default
 * @disk:  with its queues and a name; lpar_disk.groups is for device_add_disk()
 * @first: the group of the disk's other files
 *
 * May sleep. lpar_policy_free() in any case.
 *
 * Return: 0 or a negative errno.
 */
int lpar_policy_add(struct lpar_disk *disk, const struct attribute_group *first)
{
	struct lpar_policy_folder *f;
	int err = 0;
	u32 i;

	disk->policies = kcalloc(disk->nr_queues + 1, sizeof(*disk->policies),
				 GFP_KERNEL);
	disk->groups = kcalloc(disk->nr_queues + 3, sizeof(*disk->groups),
			       GFP_KERNEL);
	if (!disk->policies || !disk->groups)
		return -ENOMEM;
	disk->groups[0] = first;
	for (i = 0; i <= disk->nr_queues; i++) {
		f = &disk->policies[i];
		if (i)
			snprintf(f->name, sizeof(f->name), "donate%u", i - 1);
		else
			strscpy(f->name, "donate", sizeof(f->name));
		policy_folder_init(f, disk, i ? i - 1 : 0,
				   i ? i : disk->nr_queues, i);
		disk->groups[1 + i] = &f->group;
	}
	if (donate != LPAR_DONATE_THREAD)
		return 0;
	mutex_lock(&disk->policy_lock);
	for (i = 0; i < disk->nr_queues && !err; i++)
		err = policy_set(disk, i, LPAR_DONATE_THREAD);
	mutex_unlock(&disk->policy_lock);
	return err;
}

/**
 * lpar_policy_free - the opposite of lpar_policy_add()
 * @disk: its files are gone
 *
 * Any context.
 */
void lpar_policy_free(struct lpar_disk *disk)
{
	kfree(disk->groups);
	kfree(disk->policies);
}
