// SPDX-License-Identifier: GPL-2.0
/* State in sysfs: folders, and a file for each counter in /sys/kernel/lpar/…/stats. */
#include <linux/err.h>
#include <linux/slab.h>
#include <linux/sysfs.h>

#include "stats.h"

void lpar_stats_add(struct lpar_stats *sum, const struct lpar_stats *s)
{
#define X(name) sum->name += READ_ONCE(s->name);
	LPAR_STATS(X)
#undef X
}

#define X(name)								\
static ssize_t name##_show(struct kobject *kobj, struct kobj_attribute *attr, \
			   char *buf)					\
{									\
	struct lpar_node *node = container_of(kobj, struct lpar_node, kobj); \
	struct lpar_stats sum = {};					\
									\
	node->read(node->owner, &sum);					\
	return sysfs_emit(buf, "%llu\n", sum.name);			\
}									\
static struct kobj_attribute attr_##name = __ATTR_RO(name);
LPAR_STATS(X)
#undef X

static struct attribute *stats_attrs[] = {
#define X(name) &attr_##name.attr,
	LPAR_STATS(X)
#undef X
	NULL,
};
ATTRIBUTE_GROUPS(stats);

static void node_release(struct kobject *kobj)
{
	kfree(container_of(kobj, struct lpar_node, kobj));
}

static const struct kobj_type node_type = {
	.release = node_release,
	.sysfs_ops = &kobj_sysfs_ops,
};

static struct lpar_node *node_create(struct kobject *parent, const char *name,
				     const struct attribute_group **groups,
				     void *owner,
				     void (*read)(void *owner,
						  struct lpar_stats *sum))
{
	struct lpar_node *node = kzalloc(sizeof(*node), GFP_KERNEL);
	int ret;

	if (!node)
		return ERR_PTR(-ENOMEM);
	node->owner = owner;
	node->read = read;
	ret = kobject_init_and_add(&node->kobj, &node_type, parent, "%s", name);
	if (!ret && groups)
		ret = sysfs_create_groups(&node->kobj, groups);
	if (ret) {
		lpar_node_remove(node);
		return ERR_PTR(ret);
	}
	return node;
}

/* May sleep. Return: the folder, or an ERR_PTR. */
struct lpar_node *lpar_node_create(struct kobject *parent, const char *name,
				   const struct attribute_group **groups,
				   void *owner)
{
	return node_create(parent, name, groups, owner, NULL);
}

/* The folder "stats" of another one. May sleep. */
struct lpar_node *lpar_node_stats(struct lpar_node *parent, void *owner,
				  void (*read)(void *owner,
					       struct lpar_stats *sum))
{
	return node_create(&parent->kobj, "stats", stats_groups, owner, read);
}

/* Returns when nobody reads its files any more. NULL and errors are ignored. */
void lpar_node_remove(struct lpar_node *node)
{
	if (IS_ERR_OR_NULL(node))
		return;
	kobject_del(&node->kobj);
	kobject_put(&node->kobj);
}
