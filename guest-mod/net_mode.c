// SPDX-License-Identifier: GPL-2.0
/*
 * Which frames the host is to give a NIC: modes, addresses, VLANs. The stack says what it
 * wants where calls to the host may not sleep, or would keep rtnl, so a work item tells
 * it.
 */
#include "channel.h"
#include "net.h"

/* Is it of no use to tell the host anything more? Then somebody may wait for us. */
static bool net_goes(const struct lpar_net *net)
{
	return !netif_device_present(net->netdev) ||
	       READ_ONCE(net->netdev->reg_state) >= NETREG_UNREGISTERING;
}

/* Begin or end filtering; what was let in ends with it. */
static void net_tell_filter(struct lpar_net *net, bool on)
{
	if (lpar_net_set(net, LPAR_CAP_VLAN_FILTER, on))
		return;
	net->filtered = on;
	if (!on)
		bitmap_zero(net->let_in, VLAN_N_VID);
}

/*
 * Tell the host which VLANs are wanted, before it filters others. A VLAN that goes while
 * the NIC is detached stays: its frames come for nothing. Each call takes a while: who
 * wants something else goes first.
 */
static void net_tell_vlans(struct lpar_net *net)
{
	bool filter = READ_ONCE(net->filter), in;
	unsigned int vlan;
	int err;

	if (!filter)
		net->unfiltered = false;
	if (!filter || net->unfiltered) {
		if (net->filtered || !bitmap_empty(net->let_in, VLAN_N_VID))
			net_tell_filter(net, false);
		return;
	}
	for (vlan = 1; vlan < VLAN_N_VID; vlan++) {
		in = test_bit(vlan, net->vlans);
		if (in == test_bit(vlan, net->let_in))
			continue;
		err = lpar_net_set(net, LPAR_CAP_VLANS, vlan | (in ? 0 : LPAR_VLAN_OUT));
		if (!err)
			change_bit(vlan, net->let_in);
		if (net_goes(net))
			return;
		if (err && in) {
			if (net_ratelimit())
				netdev_warn(net->netdev, "VLAN %u is not let in: %d; all are\n",
					    vlan, err);
			net->unfiltered = true;
			net_tell_filter(net, false);
			return;
		}
		if (work_pending(&net->mode_work))
			return;
	}
	if (!net->filtered)
		net_tell_filter(net, true);
}

/* The addresses that the stack wants besides the NIC's own. Return: how many; of those
 * beyond @most, just that they are. */
static u32 net_wanted_macs(struct net_device *netdev, u64 *own, u64 *macs, u32 most)
{
	struct netdev_hw_addr *ha;
	u32 n = 0;

	netif_addr_lock_bh(netdev);
	*own = ether_addr_to_u64(netdev->dev_addr);
	netdev_for_each_uc_addr(ha, netdev) {
		if (ether_addr_to_u64(ha->addr) == *own)
			continue;
		if (n < most)
			macs[n] = ether_addr_to_u64(ha->addr);
		n++;
	}
	netif_addr_unlock_bh(netdev);
	return n;
}

static bool net_has_mac(const u64 *macs, u32 n, u64 mac)
{
	while (n)
		if (macs[--n] == mac)
			return true;
	return false;
}

/* Is there something to be told first, or nobody to tell it to? The work looks anew. */
static bool net_told_enough(struct lpar_net *net)
{
	return net_goes(net) || work_pending(&net->mode_work);
}

/*
 * Tell the host which addresses are wanted: first what goes, to make room. Return: all of
 * them are the NIC's now; else it has to see everybody's frames for the others.
 */
static bool net_tell_macs(struct lpar_net *net)
{
	u32 most = min_t(u32, net->caps.macs, LPAR_NET_MACS), n, i;
	u64 want[LPAR_NET_MACS], own;
	bool all;
	int err;

	n = net_wanted_macs(net->netdev, &own, want, most);
	all = n <= most;
	n = min(n, most);
	for (i = net->nr_macs; i-- && !net_told_enough(net);) {
		if (net_has_mac(want, n, net->macs[i]))
			continue;
		/* What has become the NIC's own is no further one any more. */
		if (net->macs[i] == own ||
		    !lpar_net_set(net, LPAR_CAP_MACS, net->macs[i] | LPAR_MAC_OUT))
			net->macs[i] = net->macs[--net->nr_macs];
	}
	for (i = 0; i < n && !net_told_enough(net); i++) {
		if (net_has_mac(net->macs, net->nr_macs, want[i]))
			continue;
		err = net->nr_macs < LPAR_NET_MACS ?
		      lpar_net_set(net, LPAR_CAP_MACS, want[i]) : -ENOSPC;
		if (!err) {
			net->macs[net->nr_macs++] = want[i];
			continue;
		}
		all = false;
		if (net_ratelimit())
			netdev_warn(net->netdev, "it does not get the address %012llx: %d\n",
				    want[i], err);
	}
	return all;
}

static void net_mode_work(struct work_struct *work)
{
	struct lpar_net *net = container_of(work, struct lpar_net, mode_work);
	unsigned int want = READ_ONCE(net->netdev->flags), change;

	if (net_goes(net))
		return;
	lpar_net_standby_tell(net);
	if (!net_tell_macs(net))
		want |= IFF_PROMISC;
	if (net_told_enough(net))
		return;
	change = want ^ net->modes;
	if (change & IFF_PROMISC && net->caps.promisc_free &&
	    !lpar_net_set(net, LPAR_CAP_PROMISC, !!(want & IFF_PROMISC)))
		net->modes ^= IFF_PROMISC;
	if (change & IFF_ALLMULTI && net->caps.allmulti_free &&
	    !lpar_net_set(net, LPAR_CAP_ALLMULTI, !!(want & IFF_ALLMULTI)))
		net->modes ^= IFF_ALLMULTI;
	net_tell_vlans(net);
}

/**
 * lpar_net_set_rx_mode - .ndo_set_rx_mode, and when its own address has changed
 * @netdev: the NIC
 *
 * Any context.
 */
void lpar_net_set_rx_mode(struct net_device *netdev)
{
	struct lpar_net *net = netdev_priv(netdev);

	/* Under a spinlock, and calls sleep. */
	schedule_work(&net->mode_work);
}

/**
 * lpar_net_vlan_add - .ndo_vlan_rx_add_vid
 * @netdev: the NIC
 * @proto:  ETH_P_8021Q
 * @vlan:   wanted; 0 always is
 *
 * Under rtnl.
 *
 * Return: 0; where the host refuses it, all are let in.
 */
int lpar_net_vlan_add(struct net_device *netdev, __be16 proto, u16 vlan)
{
	struct lpar_net *net = netdev_priv(netdev);

	set_bit(vlan, net->vlans);
	schedule_work(&net->mode_work);
	return 0;
}

/**
 * lpar_net_vlan_kill - .ndo_vlan_rx_kill_vid
 * @netdev: the NIC
 * @proto:  ETH_P_8021Q
 * @vlan:   not wanted any more
 *
 * Under rtnl.
 *
 * Return: 0.
 */
int lpar_net_vlan_kill(struct net_device *netdev, __be16 proto, u16 vlan)
{
	struct lpar_net *net = netdev_priv(netdev);

	clear_bit(vlan, net->vlans);
	schedule_work(&net->mode_work);
	return 0;
}

/**
 * lpar_net_set_features - .ndo_set_features
 * @netdev:   the NIC
 * @features: in force after this
 *
 * Under rtnl, or before the NIC is registered.
 *
 * Return: 0.
 */
int lpar_net_set_features(struct net_device *netdev, netdev_features_t features)
{
	struct lpar_net *net = netdev_priv(netdev);
	bool filter = features & NETIF_F_HW_VLAN_CTAG_FILTER;

	if (filter != net->filter) {
		WRITE_ONCE(net->filter, filter);
		schedule_work(&net->mode_work);
	}
	return 0;
}

/**
 * lpar_net_mode_init - once for each NIC
 * @net: with its first features, not yet registered
 */
void lpar_net_mode_init(struct lpar_net *net)
{
	INIT_WORK(&net->mode_work, net_mode_work);
	/* Else the stack makes it promiscuous for a second address. And its own may
	 * change while it is up. */
	net->netdev->priv_flags |= IFF_UNICAST_FLT | IFF_LIVE_ADDR_CHANGE;
	/* a frame of many pieces is made one, which must not be somebody else's, too */
	net->netdev->priv_flags &= ~IFF_TX_SKB_SHARING;
	net->filter = net->features & NETIF_F_HW_VLAN_CTAG_FILTER;
}

/**
 * lpar_net_mode_forgotten - the host has forgotten what it was told
 * @net: @net->mode_work does not run
 */
void lpar_net_mode_forgotten(struct lpar_net *net)
{
	net->modes = 0;
	net->aside = false;
	net->filtered = false;
	net->unfiltered = false;
	bitmap_zero(net->let_in, VLAN_N_VID);
	net->nr_macs = 0;
}
