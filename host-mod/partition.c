// SPDX-License-Identifier: GPL-2.0
/* Partitions: their state in sysfs, and what joins them to their client. */
#include <linux/debugfs.h>
#include <linux/seq_file.h>
#include <linux/slab.h>

#include "function.h"
#include "partition.h"
#include "window.h"

static struct kobject *partitions_dir;
static struct dentry *debug_dir;
static atomic_t last_id;
static LIST_HEAD(partitions);
static DEFINE_MUTEX(partitions_lock);
/* The one with LPAR_ROLE_MANAGEMENT, or NULL: changed by who finds it so */
static struct lpar_partition *management;

/* Say that the functions or what they can do have changed. p->lock is held. */
void lpar_partition_event_locked(struct lpar_partition *p)
{
	lockdep_assert_held(&p->lock);
	if (p->client)
		lpar_client_signal(p->client, LPAR_VECTOR_EVENT);
}

static void read_stats(void *owner, struct lpar_stats *sum)
{
	struct lpar_partition *p = owner;
	struct lpar_fn *fn;

	mutex_lock(&p->lock);
	lpar_stats_add(sum, &p->past);
	list_for_each_entry(fn, &p->functions, link)
		lpar_fn_stats(fn, sum);
	list_for_each_entry(fn, &p->leaving, link)
		lpar_fn_stats(fn, sum);
	mutex_unlock(&p->lock);
	lpar_adjunct_stats(p, sum);
}

/* @expr sees the partition p and its client c, which may be NULL. */
#define SHOW(name, expr)						\
static ssize_t name##_show(struct kobject *kobj, struct kobj_attribute *attr, \
			   char *buf)					\
{									\
	struct lpar_partition *p = lpar_node_owner(kobj);		\
	struct lpar_client *c __maybe_unused;				\
	s64 value;							\
									\
	mutex_lock(&p->lock);						\
	c = p->client;							\
	value = (expr);							\
	mutex_unlock(&p->lock);						\
	return sysfs_emit(buf, "%lld\n", value);			\
}									\
static struct kobj_attribute attr_##name = __ATTR_RO(name)

SHOW(id, p->id);
SHOW(attached, c ? 1 : 0);
SHOW(pid, c ? c->pid : 0);
SHOW(memory_limit, p->memory_limit);
SHOW(pinned_bytes, atomic64_read(&p->pinned));
SHOW(windows, c ? atomic64_read(&c->windows_live) : 0);
SHOW(queues, c ? atomic_read(&c->queues_live) : 0);
SHOW(vcpus, c ? c->n_vcpus : 0);
SHOW(doorbells, atomic64_read(&p->doorbells) +
		(c ? lpar_client_doorbells(c) : 0));

SHOW(calls, atomic64_read(&p->calls));
SHOW(call_ns, atomic64_read(&p->call_ns));

static struct attribute *partition_attrs[] = {
	&attr_id.attr,
	&attr_attached.attr,	 &attr_pid.attr,     &attr_memory_limit.attr,
	&attr_pinned_bytes.attr, &attr_windows.attr, &attr_queues.attr,
	&attr_vcpus.attr,	 &attr_doorbells.attr, &attr_calls.attr,
	&attr_call_ns.attr,	 NULL,
};
ATTRIBUTE_GROUPS(partition);

/**
 * lpar_partition_set_role - say what a partition may do
 * @p: without a client, or it is refused
 * @role: there is one LPAR_ROLE_MANAGEMENT at most
 *
 * Context: @p->config is held.
 * Return: 0, -EBUSY.
 */
int lpar_partition_set_role(struct lpar_partition *p, enum lpar_role role)
{
	struct lpar_partition *other = READ_ONCE(management);
	int ret;

	lockdep_assert_held(&p->config);
	ret = lpar_core_role(role, p->client, other && other != p);
	if (ret || role == p->role)
		return ret;
	if (role == LPAR_ROLE_CLIENT)
		WRITE_ONCE(management, NULL);
	else if (cmpxchg(&management, NULL, p))
		return -EBUSY;	/* another one was faster */
	p->role = role;
	return 0;
}

/* May sleep. Return: 0 or an error, and then nothing is left. */
int lpar_partition_setup(struct lpar_partition *p)
{
	mutex_init(&p->config);
	mutex_init(&p->lock);
	INIT_LIST_HEAD(&p->functions);
	INIT_LIST_HEAD(&p->leaving);
	p->id = atomic_inc_return(&last_id);
	p->memory_limit = LPAR_MEMORY_DEFAULT;
	p->quantum_us = LPAR_QUANTUM_DEFAULT_US;
	p->owner = GLOBAL_ROOT_UID;
	ratelimit_state_init(&p->says, LPAR_PARTITION_SAYS_PERIOD, LPAR_PARTITION_SAYS_MAX);
	lpar_adjunct_setup(p);
	p->node = lpar_node_create(partitions_dir, lpar_partition_name(p),
				   partition_groups, p);
	if (IS_ERR(p->node))
		return PTR_ERR(p->node);
	p->disks_node = lpar_node_create(&p->node->kobj, "disks", NULL, p);
	p->nics_node = lpar_node_create(&p->node->kobj, "nics", NULL, p);
	p->adjuncts_node = lpar_node_create(&p->node->kobj, "adjuncts", NULL, p);
	p->vfs_node = lpar_node_create(&p->node->kobj, "vfs", NULL, p);
	p->stats_node = lpar_node_stats(p->node, p, read_stats);
	if (IS_ERR(p->disks_node) || IS_ERR(p->nics_node) ||
	    IS_ERR(p->adjuncts_node) || IS_ERR(p->vfs_node) || IS_ERR(p->stats_node)) {
		lpar_node_remove(p->stats_node);
		lpar_node_remove(p->vfs_node);
		lpar_node_remove(p->adjuncts_node);
		lpar_node_remove(p->nics_node);
		lpar_node_remove(p->disks_node);
		lpar_node_remove(p->node);
		return -ENOMEM;
	}
	mutex_lock(&partitions_lock);
	list_add_tail(&p->link, &partitions);
	mutex_unlock(&partitions_lock);
	return 0;
}

/* All its functions and its client are gone. */
void lpar_partition_teardown(struct lpar_partition *p)
{
	mutex_lock(&partitions_lock);
	list_del(&p->link);
	mutex_unlock(&partitions_lock);
	if (p->role == LPAR_ROLE_MANAGEMENT)
		WRITE_ONCE(management, NULL);
	lpar_adjunct_resize(p, 0);
	lpar_node_remove(p->stats_node);
	lpar_node_remove(p->vfs_node);
	lpar_node_remove(p->adjuncts_node);
	lpar_node_remove(p->nics_node);
	lpar_node_remove(p->disks_node);
	lpar_node_remove(p->node);
}

/* debugfs, lpar/windows: partition, guest address, slot, adapter, I/O address, tag. */
static int windows_list_show(struct seq_file *s, void *data)
{
	struct lpar_partition *p;

	mutex_lock(&partitions_lock);
	list_for_each_entry(p, &partitions, link) {
		mutex_lock(&p->config);
		if (p->client) {
			mutex_lock(&p->client->lock);
			lpar_window_show(p->client, s);
			mutex_unlock(&p->client->lock);
		}
		mutex_unlock(&p->config);
	}
	mutex_unlock(&partitions_lock);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(windows_list);

int lpar_partition_init(struct kobject *parent)
{
	partitions_dir = kobject_create_and_add("partitions", parent);
	if (!partitions_dir)
		return -ENOMEM;
	debug_dir = debugfs_create_dir("lpar", NULL);
	debugfs_create_file("windows", 0400, debug_dir, NULL, &windows_list_fops);
	return 0;
}

void lpar_partition_exit(void)
{
	debugfs_remove(debug_dir);
	kobject_put(partitions_dir);
}
