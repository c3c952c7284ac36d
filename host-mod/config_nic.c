// SPDX-License-Identifier: GPL-2.0
/*
 * configfs: the NICs of a partition.
 *
 *	partitions/NAME/nics/NIC/{adapter,mac,vlan,max_rate,queues,trust,mode,primary}
 *	partitions/NAME/nics/NIC/{enable,status}
 *
 * As with disks: attributes are a wish until 1 is written to enable.
 */
#include <linux/configfs.h>
#include <linux/etherdevice.h>
#include <linux/module.h>
#include <linux/slab.h>

#include "compat.h"
#include "config.h"
#include "nic.h"

static struct lpar_nic *to_nic(struct config_item *item)
{
	return container_of(to_config_group(item), struct lpar_nic, fn.group);
}

/* The wish changes only while it is not in force. */
#define NIC_STORE(name, expr)						\
static ssize_t nic_##name##_store(struct config_item *item,		\
				  const char *page, size_t count)	\
{									\
	struct lpar_nic *nic = to_nic(item);				\
	ssize_t ret = -EBUSY;						\
									\
	mutex_lock(&nic->fn.partition->config);				\
	if (!nic->fn.enabled)						\
		ret = (expr);						\
	mutex_unlock(&nic->fn.partition->config);			\
	return ret < 0 ? ret : count;					\
}

#define NIC_SHOW(name, fmt, value)					\
static ssize_t nic_##name##_show(struct config_item *item, char *page)	\
{									\
	struct lpar_nic *nic = to_nic(item);				\
	ssize_t ret;							\
									\
	mutex_lock(&nic->fn.partition->config);				\
	ret = sysfs_emit(page, fmt "\n", value);			\
	mutex_unlock(&nic->fn.partition->config);			\
	return ret;							\
}

NIC_SHOW(adapter, "%s", nic->ifname)
NIC_STORE(adapter, lpar_config_line(nic->ifname, sizeof(nic->ifname), page, count))
CONFIGFS_ATTR(nic_, adapter);

static int store_mac(struct lpar_nic *nic, const char *page)
{
	u8 mac[ETH_ALEN];

	/* empty: made when it is enabled */
	if (page[0] == '\n' || !page[0]) {
		nic->mac = 0;
		return 0;
	}
	if (!mac_pton(page, mac) || !lpar_core_mac_ok(lpar_core_mac(mac)))
		return -EINVAL;
	nic->mac = lpar_core_mac(mac);
	return 0;
}

static ssize_t nic_mac_show(struct config_item *item, char *page)
{
	struct lpar_nic *nic = to_nic(item);
	u8 mac[ETH_ALEN];
	bool set;

	mutex_lock(&nic->fn.partition->config);
	set = nic->mac;
	lpar_core_mac_bytes(nic->mac, mac);
	mutex_unlock(&nic->fn.partition->config);
	return set ? sysfs_emit(page, "%pM\n", mac) : sysfs_emit(page, "\n");
}

NIC_STORE(mac, store_mac(nic, page))
CONFIGFS_ATTR(nic_, mac);

static int store_vlan(struct lpar_nic *nic, const char *page)
{
	u16 n;
	int ret = kstrtou16(page, 0, &n);

	if (!ret && n > LPAR_VLAN_MAX)
		ret = -ERANGE;
	if (!ret)
		nic->vlan = n;
	return ret;
}

NIC_SHOW(vlan, "%u", nic->vlan)
NIC_STORE(vlan, store_vlan(nic, page))
CONFIGFS_ATTR(nic_, vlan);

NIC_SHOW(max_rate, "%u", nic->rate)
NIC_STORE(max_rate, kstrtou32(page, 0, &nic->rate))
CONFIGFS_ATTR(nic_, max_rate);

static int store_queues(struct lpar_nic *nic, const char *page)
{
	u32 n;
	int ret = kstrtou32(page, 0, &n);

	if (!ret && n > LPAR_NIC_QUEUES)
		ret = -ERANGE;
	if (!ret)
		nic->queues = n;
	return ret;
}

NIC_SHOW(queues, "%u", nic->queues)
NIC_STORE(queues, store_queues(nic, page))
CONFIGFS_ATTR(nic_, queues);

NIC_SHOW(trust, "%d", nic->trusted)
NIC_STORE(trust, kstrtobool(page, &nic->trusted))
CONFIGFS_ATTR(nic_, trust);

NIC_SHOW(mode, "%s", lpar_config_wish(nic->wish))
NIC_STORE(mode, lpar_config_store_wish(&nic->wish, page))
CONFIGFS_ATTR(nic_, mode);

static ssize_t store_primary(struct lpar_nic *nic, const char *page, size_t count)
{
	char text[LPAR_PCI_ADDRESS];
	ssize_t ret = lpar_config_line(text, sizeof(text), page, count);

	if (ret < 0)
		return ret;
	if (text[0] && !lpar_config_pci_address(text))
		return -EINVAL;
	strscpy(nic->primary, text, sizeof(nic->primary));
	return count;
}

NIC_SHOW(primary, "%s", nic->primary)
NIC_STORE(primary, store_primary(nic, page, count))
CONFIGFS_ATTR(nic_, primary);

NIC_SHOW(enable, "%d", nic->fn.enabled)
static ssize_t nic_enable_store(struct config_item *item, const char *page,
				size_t count)
{
	struct lpar_nic *nic = to_nic(item);
	bool on;
	int ret = kstrtobool(page, &on);

	if (ret)
		return ret;
	mutex_lock(&nic->fn.partition->config);
	if (on != nic->fn.enabled)
		ret = on ? lpar_nic_enable(nic) : lpar_nic_disable(nic, false);
	mutex_unlock(&nic->fn.partition->config);
	return ret ?: count;
}
CONFIGFS_ATTR(nic_, enable);

NIC_SHOW(status, "%s", nic->fn.status)
CONFIGFS_ATTR_RO(nic_, status);

static struct configfs_attribute *nic_attrs[] = {
	&nic_attr_adapter, &nic_attr_mac,   &nic_attr_vlan, &nic_attr_max_rate,
	&nic_attr_queues,  &nic_attr_trust, &nic_attr_mode, &nic_attr_primary,
	&nic_attr_enable,  &nic_attr_status, NULL,
};

static void nic_release(struct config_item *item)
{
	kfree(to_nic(item));
}

static struct configfs_item_operations nic_ops = { .release = nic_release };

static const struct config_item_type nic_type = {
	.ct_item_ops = &nic_ops,
	.ct_attrs = nic_attrs,
	.ct_owner = THIS_MODULE,
};

static struct config_group *nics_make(struct config_group *group,
				      const char *name)
{
	struct lpar_nic *nic;

	if (strlen(name) >= LPAR_NAME_MAX)
		return ERR_PTR(-ENAMETOOLONG);
	nic = kzalloc(sizeof(*nic), GFP_KERNEL);
	if (!nic)
		return ERR_PTR(-ENOMEM);
	config_group_init_type_name(&nic->fn.group, name, &nic_type);
	lpar_nic_setup(nic, lpar_config_partition(group->cg_item.ci_parent));
	return &nic->fn.group;
}

/* configfs does not let us refuse: a NIC in use goes as a pulled one would. */
static void nics_drop(struct config_group *group, struct config_item *item)
{
	struct lpar_nic *nic = to_nic(item);

	mutex_lock(&nic->fn.partition->config);
	if (nic->fn.enabled)
		lpar_nic_disable(nic, true);
	mutex_unlock(&nic->fn.partition->config);
	config_item_put(item);
}

static struct configfs_group_operations nics_ops = {
	.make_group = nics_make,
	.drop_item = nics_drop,
};

const struct config_item_type lpar_config_nics = {
	.ct_group_ops = &nics_ops,
	.ct_owner = THIS_MODULE,
};
