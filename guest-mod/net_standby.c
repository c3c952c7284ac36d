// SPDX-License-Identifier: GPL-2.0
/*
 * A NIC that stands by for a VF with the same address (seed 002): the kernel's failover
 * framework makes a third network device, which the system uses in place of both
 * (Documentation/networking/net_failover.rst). While it uses the VF, the host is told
 * that the NIC is aside (LPAR_CAP_STANDBY).
 */
#include <linux/etherdevice.h>
#include <linux/rtnetlink.h>
#include <net/net_failover.h>

#include "net.h"

/**
 * lpar_net_standby_upper - the device of both
 * @net: may be no standby
 *
 * Context: under rtnl.
 * Return: NULL: there is none.
 */
struct net_device *lpar_net_standby_upper(struct lpar_net *net)
{
	struct net_device *upper = netdev_master_upper_dev_get(net->netdev);

	return upper && netif_is_failover(upper) ? upper : NULL;
}

/*
 * Does the system use its VF? Then others reach it there, and what came here would be
 * thrown away (net_failover_handle_frame()). Takes rtnl, so that the failover device has
 * done with the event. Return: the failover device, to be put; NULL: there is none.
 */
static struct net_device *standby_primary(struct lpar_net *net, bool *used)
{
	struct net_device *upper, *primary;
	struct net_failover_info *info;

	*used = false;
	if (!net->failover)
		return NULL;
	rtnl_lock();
	upper = lpar_net_standby_upper(net);
	if (upper) {
		info = netdev_priv(upper);
		primary = rtnl_dereference(info->primary_dev);
		*used = primary && netif_running(primary) && netif_carrier_ok(primary);
		dev_hold(upper);
	}
	rtnl_unlock();
	return upper;
}

/**
 * lpar_net_standby_tell - tell the host which of both is used, if that has changed
 * @net: may be no standby
 *
 * Sleeps; takes rtnl. @net->mode_work alone.
 */
void lpar_net_standby_tell(struct lpar_net *net)
{
	struct net_device *upper;
	bool used;

	upper = standby_primary(net, &used);
	if (used != net->aside && !lpar_net_set(net, LPAR_CAP_STANDBY, used)) {
		net->aside = used;
		/* so that switches learn where it is now */
		if (upper)
			netdev_notify_peers(upper);
	}
	dev_put(upper);
}

/* The VF has come or gone, or its link has. Under rtnl. */
static int standby_event(struct notifier_block *nb, unsigned long event, void *data)
{
	struct net_device *netdev = netdev_notifier_info_to_dev(data);
	struct lpar_net *net = container_of(nb, struct lpar_net, notifier);

	switch (event) {
	case NETDEV_UP:
	case NETDEV_DOWN:
	case NETDEV_CHANGE:
	case NETDEV_CHANGEUPPER:
		if (netdev != net->netdev &&
		    ether_addr_equal(netdev->dev_addr, net->netdev->dev_addr))
			schedule_work(&net->mode_work);
		break;
	}
	return NOTIFY_DONE;
}

/**
 * lpar_net_standby_begin - make the device of both, if the host says that there is a VF
 * @net: with its capabilities; not registered yet
 *
 * Without that it is a network card like others. Sleeps; takes rtnl.
 */
void lpar_net_standby_begin(struct lpar_net *net)
{
	struct failover *failover;
	struct net_device *upper;

	if (!net->caps.standby)
		return;
	if (!IS_REACHABLE(CONFIG_NET_FAILOVER)) {
		netdev_warn(net->netdev, "a standby, but this kernel has no net_failover\n");
		return;
	}
	failover = net_failover_create(net->netdev);
	if (IS_ERR(failover)) {
		netdev_warn(net->netdev, "no standby: %ld\n", PTR_ERR(failover));
		return;
	}
	net->failover = failover;
	rtnl_lock();
	upper = rtnl_dereference(failover->failover_dev);
	upper->dev_port = net->netdev->dev_port;
	/* or it gives both its own */
	if (dev_set_mtu(upper, net->netdev->mtu))
		netdev_warn(upper, "its MTU stays %u\n", upper->mtu);
	rtnl_unlock();
	net->notifier.notifier_call = standby_event;
	if (register_netdevice_notifier(&net->notifier)) {
		net->notifier.notifier_call = NULL;
		netdev_warn(upper, "nobody tells the host when the VF is in use\n");
	}
}

/**
 * lpar_net_standby_end - the opposite of lpar_net_standby_begin()
 * @net: not registered any more; its mode_work may still be about to run
 *
 * Sleeps; takes rtnl.
 */
void lpar_net_standby_end(struct lpar_net *net)
{
	if (net->notifier.notifier_call)
		unregister_netdevice_notifier(&net->notifier);
	net->notifier.notifier_call = NULL;
	if (IS_REACHABLE(CONFIG_NET_FAILOVER) && net->failover)
		net_failover_destroy(net->failover);
	net->failover = NULL;
}

/**
 * lpar_net_phys_port_name - ndo_get_phys_port_name: udev's name for a standby differs
 * @netdev: a NIC's
 * @name:   result: "sby", as virtio_net's
 * @len:    of @name
 *
 * Return: 0 or -EOPNOTSUPP.
 */
int lpar_net_phys_port_name(struct net_device *netdev, char *name, size_t len)
{
	struct lpar_net *net = netdev_priv(netdev);

	if (!net->caps.standby)
		return -EOPNOTSUPP;
	return snprintf(name, len, "sby") < len ? 0 : -EOPNOTSUPP;
}
