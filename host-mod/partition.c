// SPDX-License-Identifier: GPL-2.0
/* Partitions: their state in sysfs, and what joins them to their client. */
#include <linux/slab.h>

#include "disk.h"
#include "partition.h"

static struct kobject *partitions_dir;

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
	struct lpar_disk *d;

	mutex_lock(&p->lock);
	lpar_stats_add(sum, &p->past);
	list_for_each_entry(d, &p->disks, link)
		lpar_disk_stats(d, sum);
	mutex_unlock(&p->lock);
}

/* @expr sees the partition p and its client c, which may be NULL. */
#define SHOW(name, expr)						\
static ssize_t name##_show(struct kobject *kobj, struct kobj_attribute *attr, \
			   char *buf)					\
{									\
	struct lpar_partition *p = lpar_node_owner(kobj);		\
	struct lpar_client *c;						\
	s64 value;							\
									\
	mutex_lock(&p->lock);						\
	c = p->client;							\
	value = (expr);							\
	mutex_unlock(&p->lock);						\
	return sysfs_emit(buf, "%lld\n", value);			\
}									\
static struct kobj_attribute attr_##name = __ATTR_RO(name)

SHOW(attached, c ? 1 : 0);
SHOW(pid, c ? c->pid : 0);
SHOW(memory_limit, p->memory_limit + 0 * !c);
SHOW(pinned_bytes, atomic64_read(&p->pinned) + 0 * !c);
SHOW(windows, c ? atomic64_read(&c->windows_live) : 0);
SHOW(queues, c ? atomic_read(&c->queues_live) : 0);
SHOW(vcpus, c ? c->n_vcpus : 0);
SHOW(doorbells, atomic64_read(&p->doorbells) +
		(c ? atomic64_read(&c->doorbells) : 0));

static struct attribute *partition_attrs[] = {
	&attr_attached.attr,	 &attr_pid.attr,     &attr_memory_limit.attr,
	&attr_pinned_bytes.attr, &attr_windows.attr, &attr_queues.attr,
	&attr_vcpus.attr,	 &attr_doorbells.attr, NULL,
};
ATTRIBUTE_GROUPS(partition);

/* May sleep. Return: 0 or an error, and then nothing is left. */
int lpar_partition_setup(struct lpar_partition *p)
{
	mutex_init(&p->config);
	mutex_init(&p->lock);
	INIT_LIST_HEAD(&p->disks);
	p->memory_limit = LPAR_MEMORY_DEFAULT;
	p->quantum_us = LPAR_QUANTUM_DEFAULT_US;
	p->owner = GLOBAL_ROOT_UID;
	p->node = lpar_node_create(partitions_dir, lpar_partition_name(p),
				   partition_groups, p);
	if (IS_ERR(p->node))
		return PTR_ERR(p->node);
	p->disks_node = lpar_node_create(&p->node->kobj, "disks", NULL, p);
	p->stats_node = lpar_node_stats(p->node, p, read_stats);
	if (IS_ERR(p->disks_node) || IS_ERR(p->stats_node)) {
		lpar_partition_teardown(p);
		return -ENOMEM;
	}
	return 0;
}

/* All its disks and its client are gone. */
void lpar_partition_teardown(struct lpar_partition *p)
{
	lpar_node_remove(p->stats_node);
	lpar_node_remove(p->disks_node);
	lpar_node_remove(p->node);
}

int lpar_partition_init(struct kobject *parent)
{
	partitions_dir = kobject_create_and_add("partitions", parent);
	return partitions_dir ? 0 : -ENOMEM;
}

void lpar_partition_exit(void)
{
	kobject_put(partitions_dir);
}
