// SPDX-License-Identifier: GPL-2.0
/*
 * What this guest's administrator says about the adjuncts in a device's slots, whatever
 * the programs that use them want (seed 003, claims 8-10): who donates, and for how many
 * requests at once; for how long one donation may be, and who goes first when that has ended
 * the service. Beside it, what was donated.
 *
 *	/sys/class/misc/lpar-adjunct/adjunctN/{policy,batch,thread,quantum_us,on_expiry,runs,busy}
 */
#include <linux/moduleparam.h>
#include <linux/mutex.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/sysfs.h>

#include "adjunct_donor.h"
#include "adjunct_file.h"
#include "adjunct_policy.h"
#include "donate.h"
#include "policy.h"

static enum lpar_donate_policy adjunct_donate = LPAR_DONATE_BATCH;
module_param_cb(adjunct_donate, &lpar_policy_param_ops, &adjunct_donate, 0644);
MODULE_PARM_DESC(adjunct_donate, "Who donates to adjuncts of devices found from now on: batch or inline (who calls), or thread; adjunct*/policy of lpar-adjunct");

static unsigned int adjunct_batch = LPAR_ADJUNCT_DEPTH;
module_param(adjunct_batch, uint, 0644);
MODULE_PARM_DESC(adjunct_batch, "Requests of several callers that an adjunct is given at once, at most; adjunct*/batch of lpar-adjunct");

static unsigned int adjunct_quantum_us;
module_param(adjunct_quantum_us, uint, 0644);
MODULE_PARM_DESC(adjunct_quantum_us, "Longest donation to an adjunct, microseconds (0: what its program says); adjunct*/quantum_us of lpar-adjunct");

/* Beyond enum lpar_adjunct_policy: the program decides. */
#define EXPIRY_PROGRAM	(LPAR_ADJUNCT_AFTERWARDS + 1)

static const char * const expiry_names[] = {
	[LPAR_ADJUNCT_AT_ONCE]		= "at_once",
	[LPAR_ADJUNCT_AFTERWARDS]	= "afterwards",
	[EXPIRY_PROGRAM]		= "program",
};

/* The files; their attributes are at these places. */
enum {
	FILE_POLICY,
	FILE_BATCH,
	FILE_THREAD,
	FILE_QUANTUM,
	FILE_EXPIRY,
	FILE_RUNS,
	FILE_BUSY,
	FILES,
};

/**
 * struct lpar_slot_policy - of one slot
 * @adjuncts:   the device's slots
 * @slot:       which one it is
 * @lock:       held to change @policy: its thread is there before
 * @policy:     who donates
 * @batch:      requests at once, 1 … LPAR_ADJUNCT_DEPTH
 * @donor:      the slot's thread
 * @quantum_us: longest donation; 0: no limit of its own
 * @on_expiry:  enum lpar_adjunct_policy, or EXPIRY_PROGRAM
 * @runs:       donations
 * @busy:       of them, ended by the quantum
 * @attr:       its files
 * @attrs:      they, NULL-terminated
 * @group:      its folder
 * @name:       of that
 */
struct lpar_slot_policy {
	struct lpar_adjuncts *adjuncts;
	u32 slot;
	struct mutex lock;
	enum lpar_donate_policy policy;
	u32 batch;
	struct lpar_donor donor;
	u32 quantum_us;
	u32 on_expiry;
	atomic64_t runs;
	atomic64_t busy;
	struct device_attribute attr[FILES];
	struct attribute *attrs[FILES + 1];
	struct attribute_group group;
	char name[16];
};

#define to_policy(attribute, file) container_of(attribute, struct lpar_slot_policy, attr[file])

/* While there are files there is a device. */
static int policy_set(struct lpar_slot_policy *p, enum lpar_donate_policy policy)
{
	const struct lpar_device *dev = p->adjuncts->dev;
	int err = 0;

	mutex_lock(&p->lock);
	if (policy == LPAR_DONATE_THREAD)
		err = lpar_donor_start(&p->donor, dev_to_node(&dev->pdev->dev), p->adjuncts->id,
				       p->slot);
	if (!err)
		WRITE_ONCE(p->policy, policy);
	mutex_unlock(&p->lock);
	if (!err && policy != LPAR_DONATE_THREAD)
		lpar_donor_refuse(&p->donor);
	return err;
}

static ssize_t policy_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%s\n",
			  lpar_policy_name(READ_ONCE(to_policy(attr, FILE_POLICY)->policy)));
}

static ssize_t policy_store(struct device *dev, struct device_attribute *attr,
			    const char *buf, size_t count)
{
	int policy = lpar_policy_match(buf), err;

	if (policy < 0)
		return policy;
	err = policy_set(to_policy(attr, FILE_POLICY), policy);
	return err ?: count;
}

/* Return: 0, -EINVAL, or -ERANGE. */
static int policy_number(const char *buf, u32 min, u32 max, u32 *value)
{
	int err = kstrtou32(buf, 0, value);

	if (err)
		return err;
	return *value < min || *value > max ? -ERANGE : 0;
}

static ssize_t batch_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%u\n", READ_ONCE(to_policy(attr, FILE_BATCH)->batch));
}

static ssize_t batch_store(struct device *dev, struct device_attribute *attr,
			   const char *buf, size_t count)
{
	u32 value;
	int err;

	err = policy_number(buf, 1, LPAR_ADJUNCT_DEPTH, &value);
	if (err)
		return err;
	WRITE_ONCE(to_policy(attr, FILE_BATCH)->batch, value);
	return count;
}

static ssize_t thread_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	struct task_struct *thread = READ_ONCE(to_policy(attr, FILE_THREAD)->donor.thread);

	return sysfs_emit(buf, "%d\n", thread ? task_pid_vnr(thread) : 0);
}

static ssize_t quantum_us_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%u\n", READ_ONCE(to_policy(attr, FILE_QUANTUM)->quantum_us));
}

static ssize_t quantum_us_store(struct device *dev, struct device_attribute *attr,
				const char *buf, size_t count)
{
	struct lpar_slot_policy *p = to_policy(attr, FILE_QUANTUM);
	u32 value;
	int err;

	err = policy_number(buf, 0, p->adjuncts->dev->channel.quantum_us, &value);
	if (err)
		return err;
	WRITE_ONCE(p->quantum_us, value);
	return count;
}

static ssize_t on_expiry_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%s\n",
			  expiry_names[READ_ONCE(to_policy(attr, FILE_EXPIRY)->on_expiry)]);
}

static ssize_t on_expiry_store(struct device *dev, struct device_attribute *attr,
			       const char *buf, size_t count)
{
	int expiry = sysfs_match_string(expiry_names, buf);

	if (expiry < 0)
		return expiry;
	WRITE_ONCE(to_policy(attr, FILE_EXPIRY)->on_expiry, expiry);
	return count;
}

static ssize_t runs_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%lld\n", atomic64_read(&to_policy(attr, FILE_RUNS)->runs));
}

static ssize_t busy_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%lld\n", atomic64_read(&to_policy(attr, FILE_BUSY)->busy));
}

static void policy_init(struct lpar_slot_policy *p, struct lpar_adjuncts *adjuncts, u32 slot)
{
	const struct device_attribute files[FILES] = {
		[FILE_POLICY] = __ATTR_RW(policy),
		[FILE_BATCH] = __ATTR_RW(batch),
		[FILE_THREAD] = __ATTR_RO(thread),
		[FILE_QUANTUM] = __ATTR_RW(quantum_us),
		[FILE_EXPIRY] = __ATTR_RW(on_expiry),
		[FILE_RUNS] = __ATTR_RO(runs),
		[FILE_BUSY] = __ATTR_RO(busy),
	};
	unsigned int i;

	p->adjuncts = adjuncts;
	p->slot = slot;
	mutex_init(&p->lock);
	lpar_donor_init(&p->donor);
	p->policy = LPAR_DONATE_INLINE;
	p->batch = clamp_t(u32, adjunct_batch, 1, LPAR_ADJUNCT_DEPTH);
	p->quantum_us = adjunct_quantum_us;
	p->on_expiry = EXPIRY_PROGRAM;
	for (i = 0; i < FILES; i++) {
		p->attr[i] = files[i];
		sysfs_attr_init(&p->attr[i].attr);
		p->attrs[i] = &p->attr[i].attr;
	}
	snprintf(p->name, sizeof(p->name), "adjunct%u", slot);
	p->group.name = p->name;
	p->group.attrs = p->attrs;
}

/**
 * lpar_adjunct_policy_add - the slots' policies, and their files with the node
 * @group: with its slots counted, and its number; its node has not been registered
 *
 * May sleep. lpar_adjunct_policy_stop() and lpar_adjunct_policy_free() in any case.
 *
 * Return: 0 or a negative errno.
 */
int lpar_adjunct_policy_add(struct lpar_adjuncts *group)
{
	enum lpar_donate_policy policy = READ_ONCE(adjunct_donate);
	int err = 0;
	u32 i;

	group->policies = kcalloc(group->slots, sizeof(*group->policies), GFP_KERNEL);
	group->groups = kcalloc(group->slots + 1, sizeof(*group->groups), GFP_KERNEL);
	if (!group->policies || !group->groups)
		return -ENOMEM;
	for (i = 0; i < group->slots; i++) {
		policy_init(&group->policies[i], group, i);
		group->groups[i] = &group->policies[i].group;
	}
	for (i = 0; i < group->slots && !err; i++)
		err = policy_set(&group->policies[i], policy);
	group->misc.groups = group->groups;
	return err;
}

/**
 * lpar_adjunct_policy_stop - the slots' threads are no more
 * @group: without files of its node's, and without adjuncts; may have no policies
 *
 * Sleeps: lpar_donor_stop().
 */
void lpar_adjunct_policy_stop(struct lpar_adjuncts *group)
{
	u32 i;

	for (i = 0; group->policies && i < group->slots; i++)
		lpar_donor_stop(&group->policies[i].donor);
}

/**
 * lpar_adjunct_policy_free - the opposite of lpar_adjunct_policy_add(), also after it has failed
 * @group: its node is gone, no file is open, and no thread is left
 *
 * Any context.
 */
void lpar_adjunct_policy_free(struct lpar_adjuncts *group)
{
	kfree(group->policies);
	kfree(group->groups);
}

/**
 * lpar_adjunct_policy_threaded - is it the slot's thread that donates?
 * @group: a device's slots
 * @slot:  one of them
 *
 * Any context. When it is, the thread is there.
 */
bool lpar_adjunct_policy_threaded(const struct lpar_adjuncts *group, u32 slot)
{
	return READ_ONCE(group->policies[slot].policy) == LPAR_DONATE_THREAD;
}

/**
 * lpar_adjunct_policy_donor - the slot's thread, or where it would be
 * @group: a device's slots
 * @slot:  one of them
 *
 * Any context.
 */
struct lpar_donor *lpar_adjunct_policy_donor(const struct lpar_adjuncts *group, u32 slot)
{
	return &group->policies[slot].donor;
}

/**
 * lpar_adjunct_policy_batch - how many requests of several callers may go at once?
 * @group: a device's slots
 * @slot:  one of them
 *
 * Any context.
 *
 * Return: 1: none but the caller's own.
 */
u32 lpar_adjunct_policy_batch(const struct lpar_adjuncts *group, u32 slot)
{
	const struct lpar_slot_policy *p = &group->policies[slot];

	return READ_ONCE(p->policy) == LPAR_DONATE_INLINE ? 1 : READ_ONCE(p->batch);
}

/**
 * lpar_adjunct_policy_quantum - how long may a donation be?
 * @group:  a device's slots
 * @slot:   one of them
 * @wanted: by the program, microseconds; 0: as long as it may be
 *
 * The device has not gone. Any context.
 *
 * Return: what the host is told, microseconds; 0: its limit.
 */
u32 lpar_adjunct_policy_quantum(const struct lpar_adjuncts *group, u32 slot, u32 wanted)
{
	u32 most = READ_ONCE(group->policies[slot].quantum_us);

	if (most && (!wanted || most < wanted))
		wanted = most;
	return lpar_donate_quantum(wanted, group->dev->channel.quantum_us);
}

/**
 * lpar_adjunct_policy_afterwards - do others go first when a quantum has ended?
 * @group:  a device's slots
 * @slot:   one of them
 * @wanted: enum lpar_adjunct_policy, by the program
 *
 * Any context.
 */
bool lpar_adjunct_policy_afterwards(const struct lpar_adjuncts *group, u32 slot, u32 wanted)
{
	u32 expiry = READ_ONCE(group->policies[slot].on_expiry);

	return (expiry == EXPIRY_PROGRAM ? wanted : expiry) == LPAR_ADJUNCT_AFTERWARDS;
}

/**
 * lpar_adjunct_policy_count - a donation is over
 * @group: a device's slots
 * @slot:  one of them
 * @busy:  the quantum has ended it
 *
 * Any context.
 */
void lpar_adjunct_policy_count(struct lpar_adjuncts *group, u32 slot, bool busy)
{
	atomic64_inc(&group->policies[slot].runs);
	if (busy)
		atomic64_inc(&group->policies[slot].busy);
}
