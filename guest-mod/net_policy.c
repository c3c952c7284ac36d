// SPDX-License-Identifier: GPL-2.0
/*
 * What this guest's administrator says about a NIC's donations, where no tool of the network
 * stack has a word for it (seed 003, claims 8-10):
 *
 *	/sys/class/net/NAME/donate/quantum_us
 *
 * The rest is said by ethtool -C (how many frames one doorbell is for, and how long the first
 * one waits for others) and by the netdev's threaded (who donates for received frames).
 */
#include <linux/capability.h>
#include <linux/netdevice.h>
#include <linux/rtnetlink.h>
#include <linux/sysfs.h>

#include "net.h"
#include "policy.h"

static ssize_t quantum_us_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	struct lpar_net *net = netdev_priv(to_net_dev(dev));

	return sysfs_emit(buf, "%u\n", READ_ONCE(net->quantum_us));
}

static ssize_t quantum_us_store(struct device *dev, struct device_attribute *attr,
				const char *buf, size_t count)
{
	struct net_device *netdev = to_net_dev(dev);
	struct lpar_net *net = netdev_priv(netdev);
	u32 us, i;
	int err;

	/* As of the stack's own files: they go with the device into a container. */
	if (!ns_capable(dev_net(netdev)->user_ns, CAP_NET_ADMIN))
		return -EPERM;
	err = kstrtou32(buf, 0, &us);
	if (err)
		return err;
	if (us > net->dev->channel.quantum_us)
		return -ERANGE;
	/* Who has it may be waiting for this file to go. */
	if (!rtnl_trylock())
		return restart_syscall();
	WRITE_ONCE(net->quantum_us, us);
	for (i = 0; i < net->nr_tx; i++)
		if (net->tx[i].q)
			lpar_policy_quantum(net->tx[i].q, us);
	for (i = 0; i < net->nr_rx; i++)
		if (net->rx[i].q)
			lpar_policy_quantum(net->rx[i].q, us);
	rtnl_unlock();
	return count;
}

static DEVICE_ATTR_RW(quantum_us);

static struct attribute *policy_attrs[] = {
	&dev_attr_quantum_us.attr,
	NULL
};

static const struct attribute_group policy_group = {
	.name = "donate",
	.attrs = policy_attrs,
};

/**
 * lpar_net_policy_init - what the module parameters say, and the files to change it
 * @net: new, not registered
 *
 * Any context.
 */
void lpar_net_policy_init(struct lpar_net *net)
{
	lpar_policy_net(&net->tx_frames, &net->tx_usecs, &net->quantum_us);
	net->netdev->sysfs_groups[0] = &policy_group;
}
