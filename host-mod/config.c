// SPDX-License-Identifier: GPL-2.0
/*
 * configfs: what the administrator wants, under /sys/kernel/config/lpar.
 *
 *	adjuncts/IMAGE/…	see image.c
 *	partitions/NAME/{memory_limit,quantum_limit_us,adjuncts,own_images}
 *	partitions/NAME/{owner,role,qmp}
 *	partitions/NAME/disks/DISK/{device,start,size,read_only,queues,serial,mode}
 *	partitions/NAME/disks/DISK/{enable,status}
 *	partitions/NAME/nics/NIC/…	see config_nic.c
 *	partitions/NAME/{vfs/VF,policy}/…	see config_vf.c
 *
 * A disk's attributes are a wish until 1 is written to enable; while it is enabled
 * they cannot be changed (-EBUSY), and status says what became of the wish.
 */
#include <linux/configfs.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/user_namespace.h>

#include "config.h"
#include "disk.h"
#include "image.h"
#include "partition.h"

static struct lpar_disk *to_disk(struct config_item *item)
{
	return container_of(to_config_group(item), struct lpar_disk, fn.group);
}

struct lpar_partition *lpar_config_partition(struct config_item *item)
{
	return container_of(to_config_group(item), struct lpar_partition, group);
}

/* ------------------------------------------------------------------- disks */

/* Copy one line. Return: its length, or -EINVAL if it does not fit or is odd. */
ssize_t lpar_config_line(char *to, size_t size, const char *page, size_t count)
{
	size_t n = strcspn(page, "\n"), i;

	if (n >= size || n > count || (n < count && count > n + 1))
		return -EINVAL;
	for (i = 0; i < n; i++)
		if (page[i] < ' ' || page[i] > '~')
			return -EINVAL;
	memcpy(to, page, n);
	to[n] = 0;
	return count;
}

/* The wish changes only while it is not in force. */
#define DISK_STORE(name, expr)						\
static ssize_t disk_##name##_store(struct config_item *item,		\
				   const char *page, size_t count)	\
{									\
	struct lpar_disk *d = to_disk(item);				\
	ssize_t ret = -EBUSY;						\
									\
	mutex_lock(&d->fn.partition->config);				\
	if (!d->fn.enabled)						\
		ret = (expr);						\
	mutex_unlock(&d->fn.partition->config);				\
	return ret < 0 ? ret : count;					\
}

#define DISK_SHOW(name, fmt, value)					\
static ssize_t disk_##name##_show(struct config_item *item, char *page)	\
{									\
	struct lpar_disk *d = to_disk(item);				\
	ssize_t ret;							\
									\
	mutex_lock(&d->fn.partition->config);				\
	ret = sysfs_emit(page, fmt "\n", value);			\
	mutex_unlock(&d->fn.partition->config);				\
	return ret;							\
}

DISK_SHOW(device, "%s", d->device)
DISK_STORE(device, lpar_config_line(d->device, sizeof(d->device), page, count))
CONFIGFS_ATTR(disk_, device);

DISK_SHOW(start, "%llu", d->start)
DISK_STORE(start, kstrtou64(page, 0, &d->start))
CONFIGFS_ATTR(disk_, start);

DISK_SHOW(size, "%llu", d->size)
DISK_STORE(size, kstrtou64(page, 0, &d->size))
CONFIGFS_ATTR(disk_, size);

DISK_SHOW(read_only, "%d", d->read_only)
DISK_STORE(read_only, kstrtobool(page, &d->read_only))
CONFIGFS_ATTR(disk_, read_only);

static int store_queues(struct lpar_disk *d, const char *page)
{
	u32 n;
	int ret = kstrtou32(page, 0, &n);

	if (!ret && n >= LPAR_DOORBELLS_MAX)
		ret = -ERANGE;
	if (!ret)
		d->queues = n;
	return ret;
}

DISK_SHOW(queues, "%u", d->queues)
DISK_STORE(queues, store_queues(d, page))
CONFIGFS_ATTR(disk_, queues);

DISK_SHOW(serial, "%s", d->serial)
DISK_STORE(serial, lpar_config_line(d->serial, sizeof(d->serial), page, count))
CONFIGFS_ATTR(disk_, serial);

static const char *const wishes[] = {
	[LPAR_WISH_AUTO] = "auto",
	[LPAR_WISH_TAG] = "tag",
	[LPAR_WISH_PAGE] = "page",
	[LPAR_WISH_COPY] = "copy",
};

/* A wish in one word. */
const char *lpar_config_wish(enum lpar_wish wish)
{
	return wishes[wish];
}

/* The wish that a word stands for. Return: 0, -EINVAL. */
int lpar_config_store_wish(enum lpar_wish *wish, const char *page)
{
	int i = sysfs_match_string(wishes, page);

	if (i < 0)
		return i;
	*wish = i;
	return 0;
}

DISK_SHOW(mode, "%s", wishes[d->wish])
DISK_STORE(mode, lpar_config_store_wish(&d->wish, page))
CONFIGFS_ATTR(disk_, mode);

DISK_SHOW(enable, "%d", d->fn.enabled)
static ssize_t disk_enable_store(struct config_item *item, const char *page,
				 size_t count)
{
	struct lpar_disk *d = to_disk(item);
	bool on;
	int ret = kstrtobool(page, &on);

	if (ret)
		return ret;
	mutex_lock(&d->fn.partition->config);
	if (on != d->fn.enabled)
		ret = on ? lpar_disk_enable(d) : lpar_disk_disable(d, false);
	mutex_unlock(&d->fn.partition->config);
	return ret ?: count;
}
CONFIGFS_ATTR(disk_, enable);

DISK_SHOW(status, "%s", d->fn.status)
CONFIGFS_ATTR_RO(disk_, status);

static struct configfs_attribute *disk_attrs[] = {
	&disk_attr_device, &disk_attr_start,  &disk_attr_size,
	&disk_attr_read_only, &disk_attr_queues, &disk_attr_serial,
	&disk_attr_mode,   &disk_attr_enable, &disk_attr_status,
	NULL,
};

static void disk_release(struct config_item *item)
{
	kfree(to_disk(item));
}

static struct configfs_item_operations disk_ops = { .release = disk_release };

static const struct config_item_type item_type = {
	.ct_item_ops = &disk_ops,
	.ct_attrs = disk_attrs,
	.ct_owner = THIS_MODULE,
};

/* ------------------------------------------------------- a partition's disks */

static struct config_group *disks_make(struct config_group *group,
				       const char *name)
{
	struct lpar_disk *d;

	if (strlen(name) >= LPAR_NAME_MAX)
		return ERR_PTR(-ENAMETOOLONG);
	d = kzalloc(sizeof(*d), GFP_KERNEL);
	if (!d)
		return ERR_PTR(-ENOMEM);
	config_group_init_type_name(&d->fn.group, name, &item_type);
	lpar_disk_setup(d, lpar_config_partition(group->cg_item.ci_parent));
	return &d->fn.group;
}

/* configfs does not let us refuse: a disk in use goes as a pulled one would. */
static void disks_drop(struct config_group *group, struct config_item *item)
{
	struct lpar_disk *d = to_disk(item);

	mutex_lock(&d->fn.partition->config);
	if (d->fn.enabled)
		lpar_disk_disable(d, true);
	mutex_unlock(&d->fn.partition->config);
	config_item_put(item);
}

static struct configfs_group_operations disks_ops = {
	.make_group = disks_make,
	.drop_item = disks_drop,
};

static const struct config_item_type disks_type = {
	.ct_group_ops = &disks_ops,
	.ct_owner = THIS_MODULE,
};

/* ---------------------------------------------------------------- partitions */

static ssize_t partition_memory_limit_show(struct config_item *item, char *page)
{
	return sysfs_emit(page, "%llu\n", lpar_config_partition(item)->memory_limit);
}

static ssize_t partition_memory_limit_store(struct config_item *item,
					    const char *page, size_t count)
{
	struct lpar_partition *p = lpar_config_partition(item);
	u64 bytes;
	int ret = kstrtou64(page, 0, &bytes);

	if (ret)
		return ret;
	if (bytes > S64_MAX)
		return -ERANGE;
	mutex_lock(&p->config);
	ret = p->client ? -EBUSY : 0;
	if (!ret)
		p->memory_limit = bytes;
	mutex_unlock(&p->config);
	return ret ?: count;
}
CONFIGFS_ATTR(partition_, memory_limit);

static ssize_t partition_quantum_limit_us_show(struct config_item *item,
					       char *page)
{
	return sysfs_emit(page, "%u\n", lpar_config_partition(item)->quantum_us);
}

static ssize_t partition_quantum_limit_us_store(struct config_item *item,
						const char *page, size_t count)
{
	struct lpar_partition *p = lpar_config_partition(item);
	u32 us;
	int ret = kstrtou32(page, 0, &us);

	if (ret)
		return ret;
	if (us < LPAR_QUANTUM_MIN_US || us > LPAR_QUANTUM_MAX_US)
		return -ERANGE;
	mutex_lock(&p->config);
	ret = p->client ? -EBUSY : 0;
	if (!ret)
		p->quantum_us = us;
	mutex_unlock(&p->config);
	return ret ?: count;
}
CONFIGFS_ATTR(partition_, quantum_limit_us);

static ssize_t partition_adjuncts_show(struct config_item *item, char *page)
{
	return sysfs_emit(page, "%u\n", lpar_config_partition(item)->adjuncts);
}

static ssize_t partition_adjuncts_store(struct config_item *item, const char *page,
					size_t count)
{
	struct lpar_partition *p = lpar_config_partition(item);
	u32 n;
	int ret = kstrtou32(page, 0, &n);

	if (ret)
		return ret;
	if (n > LPAR_ADJUNCTS_MAX)
		return -ERANGE;
	mutex_lock(&p->config);
	ret = p->client ? -EBUSY : lpar_adjunct_resize(p, n);
	mutex_unlock(&p->config);
	return ret ?: count;
}
CONFIGFS_ATTR(partition_, adjuncts);

static ssize_t partition_own_images_show(struct config_item *item, char *page)
{
	return sysfs_emit(page, "%d\n", lpar_config_partition(item)->own_images);
}

static ssize_t partition_own_images_store(struct config_item *item,
					  const char *page, size_t count)
{
	struct lpar_partition *p = lpar_config_partition(item);
	bool on;
	int ret = kstrtobool(page, &on);

	if (ret)
		return ret;
	mutex_lock(&p->config);
	ret = p->client ? -EBUSY : 0;
	if (!ret)
		p->own_images = on;
	mutex_unlock(&p->config);
	return ret ?: count;
}
CONFIGFS_ATTR(partition_, own_images);

static ssize_t partition_owner_show(struct config_item *item, char *page)
{
	return sysfs_emit(page, "%u\n",
			  from_kuid_munged(current_user_ns(),
					   lpar_config_partition(item)->owner));
}

static ssize_t partition_owner_store(struct config_item *item, const char *page,
				     size_t count)
{
	struct lpar_partition *p = lpar_config_partition(item);
	kuid_t owner;
	uid_t uid;
	int ret = kstrtouint(page, 0, &uid);

	if (ret)
		return ret;
	owner = make_kuid(current_user_ns(), uid);
	if (!uid_valid(owner))
		return -EINVAL;
	mutex_lock(&p->config);
	ret = p->client ? -EBUSY : 0;
	if (!ret)
		p->owner = owner;
	mutex_unlock(&p->config);
	return ret ?: count;
}
CONFIGFS_ATTR(partition_, owner);

static const char *const roles[] = {
	[LPAR_ROLE_CLIENT] = "client",
	[LPAR_ROLE_MANAGEMENT] = "management",
};

static ssize_t partition_role_show(struct config_item *item, char *page)
{
	return sysfs_emit(page, "%s\n", roles[lpar_config_partition(item)->role]);
}

static ssize_t partition_role_store(struct config_item *item, const char *page,
				    size_t count)
{
	struct lpar_partition *p = lpar_config_partition(item);
	int role = sysfs_match_string(roles, page);
	int ret;

	if (role < 0)
		return role;
	mutex_lock(&p->config);
	ret = lpar_partition_set_role(p, role);
	mutex_unlock(&p->config);
	return ret ?: count;
}
CONFIGFS_ATTR(partition_, role);

static ssize_t partition_qmp_show(struct config_item *item, char *page)
{
	struct lpar_partition *p = lpar_config_partition(item);
	ssize_t len;

	mutex_lock(&p->config);
	len = sysfs_emit(page, "%s\n", p->qmp);
	mutex_unlock(&p->config);
	return len;
}

static ssize_t partition_qmp_store(struct config_item *item, const char *page,
				   size_t count)
{
	struct lpar_partition *p = lpar_config_partition(item);
	size_t len = strcspn(page, "\n");

	if (len >= sizeof(p->qmp))
		return -ENAMETOOLONG;
	if (len && page[0] != '/')
		return -EINVAL;
	mutex_lock(&p->config);
	memcpy(p->qmp, page, len);
	p->qmp[len] = '\0';
	mutex_unlock(&p->config);
	return count;
}
CONFIGFS_ATTR(partition_, qmp);

static struct configfs_attribute *partition_attrs[] = {
	&partition_attr_memory_limit,
	&partition_attr_quantum_limit_us,
	&partition_attr_adjuncts,
	&partition_attr_own_images,
	&partition_attr_owner,
	&partition_attr_role,
	&partition_attr_qmp,
	NULL,
};

static void partition_release(struct config_item *item)
{
	kfree(lpar_config_partition(item));
}

static struct configfs_item_operations partition_ops = {
	.release = partition_release,
};

static const struct config_item_type partition_type = {
	.ct_item_ops = &partition_ops,
	.ct_attrs = partition_attrs,
	.ct_owner = THIS_MODULE,
};

static struct config_group *partitions_make(struct config_group *group,
					    const char *name)
{
	struct lpar_partition *p;
	int ret;

	if (strlen(name) >= LPAR_NAME_MAX)
		return ERR_PTR(-ENAMETOOLONG);
	p = kzalloc(sizeof(*p), GFP_KERNEL);
	if (!p)
		return ERR_PTR(-ENOMEM);
	config_group_init_type_name(&p->group, name, &partition_type);
	config_group_init_type_name(&p->disks_group, "disks", &disks_type);
	config_group_init_type_name(&p->nics_group, "nics", &lpar_config_nics);
	config_group_init_type_name(&p->vfs_group, "vfs", &lpar_config_vfs);
	config_group_init_type_name(&p->policy_group, "policy", &lpar_config_policy);
	ret = lpar_partition_setup(p);
	if (ret) {
		config_item_put(&p->group.cg_item);
		return ERR_PTR(ret);
	}
	configfs_add_default_group(&p->disks_group, &p->group);
	configfs_add_default_group(&p->nics_group, &p->group);
	configfs_add_default_group(&p->vfs_group, &p->group);
	configfs_add_default_group(&p->policy_group, &p->group);
	return &p->group;
}

/* No client: an attached one depends on the item. No disks and NICs: their items go
 * first. */
static void partitions_drop(struct config_group *group, struct config_item *item)
{
	lpar_partition_teardown(lpar_config_partition(item));
	config_item_put(item);
}

static struct configfs_group_operations partitions_ops = {
	.make_group = partitions_make,
	.drop_item = partitions_drop,
};

static const struct config_item_type partitions_type = {
	.ct_group_ops = &partitions_ops,
	.ct_owner = THIS_MODULE,
};

static struct config_group partitions_group;
static struct config_group images_group;

static const struct config_item_type root_type = { .ct_owner = THIS_MODULE };

static struct configfs_subsystem subsys = {
	.su_group = {
		.cg_item = {
			.ci_namebuf = "lpar",
			.ci_type = &root_type,
		},
	},
};

/**
 * lpar_config_get - a partition by its name, kept until lpar_config_put()
 * @name: as its folder in configfs is called
 *
 * configfs refuses to remove it meanwhile.
 *
 * Context: may sleep; not from configfs callbacks.
 * Return: it, or ERR_PTR(-ENOENT).
 */
struct lpar_partition *lpar_config_get(const char *name)
{
	struct config_item *item;
	int ret = -ENOENT;

	mutex_lock(&subsys.su_mutex);
	item = config_group_find_item(&partitions_group, name);
	mutex_unlock(&subsys.su_mutex);
	if (!item)
		return ERR_PTR(-ENOENT);
	ret = configfs_depend_item(&subsys, item);
	if (ret) {
		config_item_put(item);
		return ERR_PTR(-ENOENT);
	}
	return lpar_config_partition(item);
}

void lpar_config_put(struct lpar_partition *p)
{
	configfs_undepend_item(&p->group.cg_item);
	config_item_put(&p->group.cg_item);
}

int lpar_config_init(void)
{
	config_group_init(&subsys.su_group);
	mutex_init(&subsys.su_mutex);
	config_group_init_type_name(&partitions_group, "partitions",
				    &partitions_type);
	configfs_add_default_group(&partitions_group, &subsys.su_group);
	config_group_init_type_name(&images_group, "adjuncts", &lpar_image_type);
	configfs_add_default_group(&images_group, &subsys.su_group);
	return configfs_register_subsystem(&subsys);
}

void lpar_config_exit(void)
{
	configfs_unregister_subsystem(&subsys);
}
