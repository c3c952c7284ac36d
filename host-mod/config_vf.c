// SPDX-License-Identifier: GPL-2.0
/*
 * configfs: the mailboxes of a partition's VFs, and what becomes of what is asked there.
 *
 *	partitions/NAME/vfs/PCI-ADDRESS/{kind,enable,status}
 *	partitions/NAME/vfs/PCI-ADDRESS/{mac,vlan,mtu,rate,queues}
 *	partitions/NAME/policy/{mac,vlan,mtu,rate,queues,attach,detach,reset}
 *
 * lparctl iov makes a mailbox when it assigns a VF, and says in its second line of
 * attributes what the VF has, as a number: the client is told. A policy may be changed at
 * any time, and holds for what is asked from then on.
 */
#include <linux/configfs.h>
#include <linux/module.h>
#include <linux/slab.h>

#include "config.h"
#include "mailbox.h"

static struct lpar_mailbox *to_mailbox(struct config_item *item)
{
	return container_of(to_config_group(item), struct lpar_mailbox, fn.group);
}

/* -------------------------------------------------------------- mailboxes */

static const char *const kinds[] = {
	[0] = "none",
	[LPAR_VF_NIC] = "nic",
	[LPAR_VF_NVME] = "nvme",
};

static ssize_t vf_kind_show(struct config_item *item, char *page)
{
	return sysfs_emit(page, "%s\n", kinds[READ_ONCE(to_mailbox(item)->kind)]);
}

static ssize_t vf_kind_store(struct config_item *item, const char *page, size_t count)
{
	struct lpar_mailbox *m = to_mailbox(item);
	int kind = sysfs_match_string(kinds, page);
	int ret = -EBUSY;

	if (kind < 0)
		return kind;
	mutex_lock(&m->fn.partition->config);
	if (!m->fn.enabled) {
		WRITE_ONCE(m->kind, kind);
		ret = count;
	}
	mutex_unlock(&m->fn.partition->config);
	return ret;
}
CONFIGFS_ATTR(vf_, kind);

static ssize_t vf_enable_show(struct config_item *item, char *page)
{
	return sysfs_emit(page, "%d\n", READ_ONCE(to_mailbox(item)->fn.enabled));
}

static ssize_t vf_enable_store(struct config_item *item, const char *page, size_t count)
{
	struct lpar_mailbox *m = to_mailbox(item);
	bool on;
	int ret = kstrtobool(page, &on);

	if (ret)
		return ret;
	mutex_lock(&m->fn.partition->config);
	if (on && !m->fn.enabled)
		ret = lpar_mailbox_enable(m);
	else if (!on && m->fn.enabled)
		lpar_mailbox_disable(m);
	mutex_unlock(&m->fn.partition->config);
	return ret ?: count;
}
CONFIGFS_ATTR(vf_, enable);

static ssize_t vf_status_show(struct config_item *item, char *page)
{
	struct lpar_mailbox *m = to_mailbox(item);
	ssize_t ret;

	mutex_lock(&m->fn.partition->config);
	ret = sysfs_emit(page, "%s\n", m->fn.status);
	mutex_unlock(&m->fn.partition->config);
	return ret;
}
CONFIGFS_ATTR_RO(vf_, status);

/* Empty: not known */
static ssize_t now_show(struct config_item *item, char *page, u32 ask)
{
	struct lpar_mailbox *m = to_mailbox(item);
	struct lpar_partition *p = m->fn.partition;
	bool known;
	u64 value;

	mutex_lock(&p->lock);
	known = m->known & 1u << ask;
	value = m->now[ask];
	mutex_unlock(&p->lock);
	return known ? sysfs_emit(page, "%llu\n", value) : sysfs_emit(page, "\n");
}

static ssize_t now_store(struct config_item *item, const char *page, size_t count,
			 u32 ask)
{
	struct lpar_mailbox *m = to_mailbox(item);
	struct lpar_partition *p = m->fn.partition;
	u64 value;
	int ret = kstrtou64(page, 0, &value);

	if (ret)
		return ret;
	mutex_lock(&p->config);
	mutex_lock(&p->lock);
	m->now[ask] = value;
	m->known |= 1u << ask;
	if (m->fn.enabled)
		lpar_fn_changed_locked(&m->fn);
	mutex_unlock(&p->lock);
	mutex_unlock(&p->config);
	return count;
}

#define VF_NOW(name, ask)						\
static ssize_t vf_##name##_show(struct config_item *item, char *page)	\
{									\
	return now_show(item, page, ask);				\
}									\
									\
static ssize_t vf_##name##_store(struct config_item *item,		\
				 const char *page, size_t count)	\
{									\
	return now_store(item, page, count, ask);			\
}									\
CONFIGFS_ATTR(vf_, name)

VF_NOW(mac, LPAR_ASK_MAC);
VF_NOW(vlan, LPAR_ASK_VLAN);
VF_NOW(mtu, LPAR_ASK_MTU);
VF_NOW(rate, LPAR_ASK_RATE);
VF_NOW(queues, LPAR_ASK_QUEUES);

static struct configfs_attribute *vf_attrs[] = {
	&vf_attr_kind, &vf_attr_enable, &vf_attr_status, &vf_attr_mac,
	&vf_attr_vlan, &vf_attr_mtu,	&vf_attr_rate,	 &vf_attr_queues,
	NULL,
};

static void vf_release(struct config_item *item)
{
	kfree(to_mailbox(item));
}

static struct configfs_item_operations vf_ops = { .release = vf_release };

static const struct config_item_type vf_type = {
	.ct_item_ops = &vf_ops,
	.ct_attrs = vf_attrs,
	.ct_owner = THIS_MODULE,
};

/**
 * lpar_config_pci_address - does a text name a function as the PCI core does?
 * @text: anything
 *
 * Clients and the management side take it for what it says. Any context.
 */
bool lpar_config_pci_address(const char *text)
{
	unsigned int domain, bus, slot, function;
	char canonical[LPAR_PCI_ADDRESS];

	if (sscanf(text, "%x:%x:%x.%x", &domain, &bus, &slot, &function) != 4)
		return false;
	snprintf(canonical, sizeof(canonical), "%04x:%02x:%02x.%x", domain, bus, slot,
		 function);
	return !strcmp(canonical, text);
}

static struct config_group *vfs_make(struct config_group *group, const char *name)
{
	struct lpar_mailbox *m;

	if (!lpar_config_pci_address(name))
		return ERR_PTR(-EINVAL);
	m = kzalloc(sizeof(*m), GFP_KERNEL);
	if (!m)
		return ERR_PTR(-ENOMEM);
	config_group_init_type_name(&m->fn.group, name, &vf_type);
	lpar_mailbox_setup(m, lpar_config_partition(group->cg_item.ci_parent));
	return &m->fn.group;
}

/* Requests that wait are dropped with it. */
static void vfs_drop(struct config_group *group, struct config_item *item)
{
	struct lpar_mailbox *m = to_mailbox(item);

	mutex_lock(&m->fn.partition->config);
	if (m->fn.enabled)
		lpar_mailbox_disable(m);
	mutex_unlock(&m->fn.partition->config);
	config_item_put(item);
}

static struct configfs_group_operations vfs_ops = {
	.make_group = vfs_make,
	.drop_item = vfs_drop,
};

const struct config_item_type lpar_config_vfs = {
	.ct_group_ops = &vfs_ops,
	.ct_owner = THIS_MODULE,
};

/* ------------------------------------------------------------------ policy */

static ssize_t rule_show(struct config_item *item, char *page, u32 ask)
{
	struct lpar_partition *p = lpar_config_partition(item->ci_parent);
	char text[LPAR_RULE_TEXT];

	mutex_lock(&p->lock);
	lpar_core_rule_text(text, sizeof(text), ask, &p->policy.rule[ask]);
	mutex_unlock(&p->lock);
	return sysfs_emit(page, "%s\n", text);
}

/* The clients' records change with it. */
static ssize_t rule_store(struct config_item *item, const char *page, size_t count,
			  u32 ask)
{
	struct lpar_partition *p = lpar_config_partition(item->ci_parent);
	struct lpar_rule rule;
	struct lpar_fn *fn;

	if (!lpar_core_rule_parse(page, ask, &rule))
		return -EINVAL;
	mutex_lock(&p->lock);
	p->policy.rule[ask] = rule;
	list_for_each_entry(fn, &p->functions, link)
		if (fn->type == LPAR_FUNCTION_MAILBOX)
			lpar_fn_changed_locked(fn);
	mutex_unlock(&p->lock);
	return count;
}

#define RULE(name, ask)							\
static ssize_t policy_##name##_show(struct config_item *item, char *page) \
{									\
	return rule_show(item, page, ask);				\
}									\
									\
static ssize_t policy_##name##_store(struct config_item *item,		\
				     const char *page, size_t count)	\
{									\
	return rule_store(item, page, count, ask);			\
}									\
CONFIGFS_ATTR(policy_, name)

RULE(mac, LPAR_ASK_MAC);
RULE(vlan, LPAR_ASK_VLAN);
RULE(mtu, LPAR_ASK_MTU);
RULE(rate, LPAR_ASK_RATE);
RULE(queues, LPAR_ASK_QUEUES);
RULE(attach, LPAR_ASK_ATTACH);
RULE(detach, LPAR_ASK_DETACH);
RULE(reset, LPAR_ASK_RESET);

static struct configfs_attribute *policy_attrs[] = {
	&policy_attr_mac,    &policy_attr_vlan,	  &policy_attr_mtu,
	&policy_attr_rate,   &policy_attr_queues, &policy_attr_attach,
	&policy_attr_detach, &policy_attr_reset,  NULL,
};

const struct config_item_type lpar_config_policy = {
	.ct_attrs = policy_attrs,
	.ct_owner = THIS_MODULE,
};
