// SPDX-License-Identifier: GPL-2.0
/*
 * What this guest's administrator says about the adjuncts in a device's slots, whatever
 * the programs that use them want (seed 003, claims 8-10): for how long one donation may
 * be, and who goes first when that has ended the service. Beside it, what was donated.
 *
 *	/sys/class/misc/lpar-adjunct/adjunctN/{quantum_us,policy,runs,busy}
 */
#include <linux/moduleparam.h>
#include <linux/slab.h>
#include <linux/sysfs.h>

#include "adjunct_file.h"
#include "adjunct_policy.h"
#include "donate.h"

static unsigned int adjunct_quantum_us;
module_param(adjunct_quantum_us, uint, 0644);
MODULE_PARM_DESC(adjunct_quantum_us, "Longest donation to an adjunct, microseconds (0: what its program says); adjunct*/quantum_us of lpar-adjunct");

/* Beyond enum lpar_adjunct_policy: the program decides. */
#define POLICY_PROGRAM	(LPAR_ADJUNCT_AFTERWARDS + 1)

static const char * const policy_names[] = {
	[LPAR_ADJUNCT_AT_ONCE]		= "at_once",
	[LPAR_ADJUNCT_AFTERWARDS]	= "afterwards",
	[POLICY_PROGRAM]		= "program",
};

/**
 * struct lpar_slot_policy - of one slot
 * @quantum_us: longest donation; 0: no limit of its own
 * @policy:     enum lpar_adjunct_policy, or POLICY_PROGRAM
 * @runs:       donations
 * @busy:       of them, ended by the quantum
 * @attr:       its files
 * @attrs:      they, NULL-terminated
 * @group:      its folder
 * @name:       of that
 */
struct lpar_slot_policy {
	u32 quantum_us;
	u32 policy;
	atomic64_t runs;
	atomic64_t busy;
	struct device_attribute attr[4];
	struct attribute *attrs[5];
	struct attribute_group group;
	char name[16];
};

/* The files' attributes are at these places. */
enum { FILE_QUANTUM, FILE_POLICY, FILE_RUNS, FILE_BUSY };

#define to_policy(attribute, file) container_of(attribute, struct lpar_slot_policy, attr[file])

static ssize_t quantum_us_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%u\n", READ_ONCE(to_policy(attr, FILE_QUANTUM)->quantum_us));
}

static ssize_t quantum_us_store(struct device *dev, struct device_attribute *attr,
				const char *buf, size_t count)
{
	u32 value;
	int err;

	err = kstrtou32(buf, 0, &value);
	if (err)
		return err;
	WRITE_ONCE(to_policy(attr, FILE_QUANTUM)->quantum_us, value);
	return count;
}

static ssize_t policy_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%s\n", policy_names[READ_ONCE(to_policy(attr, FILE_POLICY)->policy)]);
}

static ssize_t policy_store(struct device *dev, struct device_attribute *attr,
			    const char *buf, size_t count)
{
	int policy = sysfs_match_string(policy_names, buf);

	if (policy < 0)
		return policy;
	WRITE_ONCE(to_policy(attr, FILE_POLICY)->policy, policy);
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

static void policy_init(struct lpar_slot_policy *p, u32 slot)
{
	const struct device_attribute files[] = {
		[FILE_QUANTUM] = __ATTR_RW(quantum_us),
		[FILE_POLICY] = __ATTR_RW(policy),
		[FILE_RUNS] = __ATTR_RO(runs),
		[FILE_BUSY] = __ATTR_RO(busy),
	};
	unsigned int i;

	p->quantum_us = adjunct_quantum_us;
	p->policy = POLICY_PROGRAM;
	for (i = 0; i < ARRAY_SIZE(files); i++) {
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
 * @group: with its slots counted; its node has not been registered
 *
 * May sleep.
 *
 * Return: 0 or -ENOMEM.
 */
int lpar_adjunct_policy_add(struct lpar_adjuncts *group)
{
	u32 i;

	group->policies = kcalloc(group->slots, sizeof(*group->policies), GFP_KERNEL);
	group->groups = kcalloc(group->slots + 1, sizeof(*group->groups), GFP_KERNEL);
	if (!group->policies || !group->groups)
		return -ENOMEM; /* lpar_adjunct_policy_free() follows */
	for (i = 0; i < group->slots; i++) {
		policy_init(&group->policies[i], i);
		group->groups[i] = &group->policies[i].group;
	}
	group->misc.groups = group->groups;
	return 0;
}

/**
 * lpar_adjunct_policy_free - the opposite, also after it has failed
 * @group: its node is gone, and no file is open
 *
 * Any context.
 */
void lpar_adjunct_policy_free(struct lpar_adjuncts *group)
{
	kfree(group->policies);
	kfree(group->groups);
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
	u32 policy = READ_ONCE(group->policies[slot].policy);

	return (policy == POLICY_PROGRAM ? wanted : policy) == LPAR_ADJUNCT_AFTERWARDS;
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
