// SPDX-License-Identifier: GPL-2.0
/* What a NIC offers the stack, of what its adapter offers: features and limits. */
#include "compat.h"
#include "net.h"

static netdev_features_t net_features(const struct lpar_nic_caps *caps)
{
	netdev_features_t features = 0;

	if (caps->segments > 1)
		features |= NETIF_F_SG;
	if (caps->tx_csum) {
		features |= NETIF_F_HW_CSUM;
	} else {
		if (caps->tx_csum4)
			features |= NETIF_F_IP_CSUM;
		if (caps->tx_csum6)
			features |= NETIF_F_IPV6_CSUM;
	}
	if (caps->tso4)
		features |= NETIF_F_TSO;
	if (caps->tso6)
		features |= NETIF_F_TSO6;
	if (caps->uso)
		features |= NETIF_F_GSO_UDP_L4;
	if (caps->tx_vlan)
		features |= NETIF_F_HW_VLAN_CTAG_TX;
	if (caps->rx_csum)
		features |= NETIF_F_RXCSUM;
	if (caps->rx_vlan)
		features |= NETIF_F_HW_VLAN_CTAG_RX;
	if (caps->vlan_filter)
		features |= NETIF_F_HW_VLAN_CTAG_FILTER;
	if (caps->sas)
		features |= NETIF_F_HW_ESP;
	return features;
}

#define NET_FEATURES	(NETIF_F_SG | NETIF_F_CSUM_MASK | NETIF_F_TSO | NETIF_F_TSO6 | \
			 NETIF_F_GSO_UDP_L4 | NETIF_F_HW_VLAN_CTAG_TX | \
			 NETIF_F_RXCSUM | NETIF_F_HW_VLAN_CTAG_RX | \
			 NETIF_F_HW_VLAN_CTAG_FILTER | NETIF_F_HW_ESP)

/*
 * How much the stack leaves to the adapter to cut. The kernel lowers what it makes with
 * that and does not raise it again: we do, unless somebody has chosen less.
 */
static void net_tso_limits(struct net_device *netdev, const struct lpar_nic_caps *caps)
{
	u32 bytes = GSO_LEGACY_MAX_SIZE - 1, segs = max(caps->tso_segments, 2u);
	bool all = netdev->gso_max_size == netdev->tso_max_size;
	bool all_segs = netdev->gso_max_segs == netdev->tso_max_segs;

	if (caps->tso4)
		bytes = min(bytes, caps->tso4);
	if (caps->tso6)
		bytes = min(bytes, caps->tso6);
	if (caps->uso)
		bytes = min(bytes, caps->uso);
	/* the longest frame; of what the stack calls so it makes none */
	bytes++;
	netif_set_tso_max_size(netdev, bytes);
	netif_set_tso_max_segs(netdev, segs);
	if (all)
		lpar_compat_gso_max_size(netdev, bytes);
	if (all_segs)
		WRITE_ONCE(netdev->gso_max_segs, netdev->tso_max_segs);
}

/**
 * lpar_net_offer - offer the stack what the adapter offers now (seed 001, fig. 6)
 * @net:  not yet registered, or under rtnl; then netdev_update_features() follows
 * @caps: what it offers
 *
 * What the guest's administrator has turned off stays off, also when it has been gone
 * meanwhile; what is new is turned on. Its limits are the stack's. Never sleeps.
 */
void lpar_net_offer(struct lpar_net *net, const struct lpar_nic_caps *caps)
{
	struct net_device *netdev = net->netdev;

	net->caps = *caps;
	WRITE_ONCE(net->segs_max, caps->segments);
	net->features = net_features(caps);
	/* A tag that the adapter removed is not put back: that cannot be turned off. */
	netdev->hw_features = (netdev->hw_features & ~NET_FEATURES) |
			      (net->features & ~NETIF_F_HW_VLAN_CTAG_RX);
	netdev->vlan_features = net->features & ~(NETIF_F_HW_VLAN_CTAG_TX |
						  NETIF_F_HW_VLAN_CTAG_RX |
						  NETIF_F_HW_VLAN_CTAG_FILTER |
						  NETIF_F_HW_ESP);
	/* What is new is wanted until somebody says otherwise, also when it comes back. */
	netdev->wanted_features |= net->features &
				   (~net->offered | NETIF_F_HW_VLAN_CTAG_RX);
	net->offered |= net->features;
	netdev->min_mtu = caps->mtu_min;
	netdev->max_mtu = caps->mtu_max;
	net_tso_limits(netdev, caps);
}

/**
 * lpar_net_fix_features - .ndo_fix_features
 * @netdev:   the NIC
 * @features: that the stack would turn on
 *
 * Under rtnl, or before the NIC is registered.
 *
 * Return: those of them that the adapter offers, and no more what it does not any more.
 */
netdev_features_t lpar_net_fix_features(struct net_device *netdev, netdev_features_t features)
{
	struct lpar_net *net = netdev_priv(netdev);

	return features & (net->features | ~(netdev_features_t)NET_FEATURES);
}
