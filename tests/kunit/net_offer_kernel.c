// SPDX-License-Identifier: GPL-2.0
/*
 * Renegotiation: what a NIC offers the guest's stack when its adapter offers something
 * else than before. Runs in a kernel alone.
 */
#include <kunit/test.h>
#include <linux/etherdevice.h>
#include <linux/rtnetlink.h>

#include "../../guest-mod/net_offer.c"

/* All that an adapter can offer, but for IPsec: to register with that takes operations for it. */
static const struct lpar_nic_caps all = {
	.mtu_min = 100,
	.mtu_max = 9000,
	.segments = 17,
	.tso4 = 60000,
	.tso6 = 50000,
	.uso = 40000,
	.tso_segments = 44,
	.tx_csum = true,
	.tx_csum4 = true,
	.tx_csum6 = true,
	.tx_vlan = true,
	.rx_csum = true,
	.rx_vlan = true,
	.vlan_filter = true,
};

#define ALL	(NETIF_F_SG | NETIF_F_HW_CSUM | NETIF_F_TSO | NETIF_F_TSO6 | NETIF_F_GSO_UDP_L4 | \
		 NETIF_F_HW_VLAN_CTAG_TX | NETIF_F_HW_VLAN_CTAG_RX | NETIF_F_RXCSUM | \
		 NETIF_F_HW_VLAN_CTAG_FILTER)

static netdev_tx_t offer_xmit(struct sk_buff *skb, struct net_device *dev)
{
	kfree_skb(skb);
	return NETDEV_TX_OK;
}

static int offer_vlan(struct net_device *dev, __be16 proto, u16 vlan)
{
	return 0;
}

static const struct net_device_ops offer_ops = {
	.ndo_start_xmit = offer_xmit,
	.ndo_vlan_rx_add_vid = offer_vlan,
	.ndo_vlan_rx_kill_vid = offer_vlan,
	.ndo_fix_features = lpar_net_fix_features,
};

static int offer_init(struct kunit *test)
{
	struct net_device *dev = alloc_etherdev(sizeof(struct lpar_net));
	struct lpar_net *net;
	int err;

	if (!dev)
		return -ENOMEM;
	net = netdev_priv(dev);
	net->netdev = dev;
	dev->netdev_ops = &offer_ops;
	eth_hw_addr_random(dev);
	lpar_net_offer(net, &all);
	dev->features |= net->features;
	err = register_netdev(dev);
	if (err) {
		free_netdev(dev);
		return err;
	}
	test->priv = net;
	return 0;
}

static void offer_exit(struct kunit *test)
{
	struct lpar_net *net = test->priv;

	if (!net)
		return;
	unregister_netdev(net->netdev);
	free_netdev(net->netdev);
}

/* The adapter offers something else. RTNL is held. Return: what is in force of it. */
static netdev_features_t offer(struct lpar_net *net, const struct lpar_nic_caps *caps)
{
	lpar_net_offer(net, caps);
	netdev_update_features(net->netdev);
	return net->netdev->features & NET_FEATURES;
}

/* Each record alone: what goes with it, and with what depends on that, and comes back. */
static void offer_each(struct kunit *test)
{
	struct lpar_net *net = test->priv;
	static const struct {
		size_t at, size;
		u32 value;
		netdev_features_t gone;
	} rows[] = {
#define ROW(field, value, gone) \
		{ offsetof(struct lpar_nic_caps, field), sizeof(all.field), value, gone }
		ROW(tso4, 0, NETIF_F_TSO),
		ROW(tso6, 0, NETIF_F_TSO6),
		ROW(uso, 0, NETIF_F_GSO_UDP_L4),
		ROW(tx_vlan, 0, NETIF_F_HW_VLAN_CTAG_TX),
		ROW(rx_csum, 0, NETIF_F_RXCSUM),
		ROW(rx_vlan, 0, NETIF_F_HW_VLAN_CTAG_RX),
		ROW(vlan_filter, 0, NETIF_F_HW_VLAN_CTAG_FILTER),
#undef ROW
	};
	struct net_device *dev = net->netdev;
	struct lpar_nic_caps caps;
	unsigned int i;

	rtnl_lock();
	KUNIT_EXPECT_EQ(test, dev->features & NET_FEATURES, ALL);
	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		caps = all;
		memcpy((u8 *)&caps + rows[i].at, &rows[i].value, rows[i].size);
		KUNIT_EXPECT_EQ_MSG(test, offer(net, &caps), ALL & ~rows[i].gone, "row %u", i);
		KUNIT_EXPECT_EQ_MSG(test, dev->hw_features & rows[i].gone, 0ull, "row %u", i);
		KUNIT_EXPECT_EQ_MSG(test, offer(net, &all), ALL, "row %u, back", i);
	}
	/* without gathering there is nothing to segment: the stack sees to it */
	caps = all;
	caps.segments = 1;
	caps.uso = 0;
	KUNIT_EXPECT_EQ(test, offer(net, &caps), ALL & ~(NETIF_F_SG | NETIF_F_TSO | NETIF_F_TSO6 |
							 NETIF_F_GSO_UDP_L4));
	KUNIT_EXPECT_EQ(test, offer(net, &all), ALL);
	/* of checksums either all or those that are named */
	caps = all;
	caps.tx_csum = false;
	KUNIT_EXPECT_EQ(test, offer(net, &caps),
			(ALL & ~NETIF_F_HW_CSUM) | NETIF_F_IP_CSUM | NETIF_F_IPV6_CSUM);
	caps.tx_csum6 = false;
	KUNIT_EXPECT_EQ(test, offer(net, &caps) & (NETIF_F_CSUM_MASK | NETIF_F_TSO6),
			NETIF_F_IP_CSUM);
	caps.tx_csum4 = false;
	KUNIT_EXPECT_EQ(test, offer(net, &caps) & (NETIF_F_CSUM_MASK | NETIF_F_ALL_TSO), 0ull);
	KUNIT_EXPECT_EQ(test, offer(net, &all), ALL);
	KUNIT_EXPECT_EQ(test, dev->vlan_features & NET_FEATURES,
			ALL & ~(NETIF_F_HW_VLAN_CTAG_TX | NETIF_F_HW_VLAN_CTAG_RX |
				NETIF_F_HW_VLAN_CTAG_FILTER));
	caps = all;
	caps.sas = 5;
	lpar_net_offer(net, &caps);
	KUNIT_EXPECT_EQ(test, net->features, ALL | NETIF_F_HW_ESP);
	KUNIT_EXPECT_EQ(test, dev->vlan_features & NETIF_F_HW_ESP, 0ull);
	KUNIT_EXPECT_EQ(test, offer(net, &all), ALL);
	rtnl_unlock();
}

/* What the guest's administrator has turned off stays off, whatever comes and goes. */
static void offer_off(struct kunit *test)
{
	struct lpar_net *net = test->priv;
	struct net_device *dev = net->netdev;
	struct lpar_nic_caps none = all;

	none.tso4 = 0;
	none.tso6 = 0;
	rtnl_lock();
	/* as ethtool -K tso off does */
	dev->wanted_features &= ~NETIF_F_TSO;
	netdev_update_features(dev);
	KUNIT_EXPECT_EQ(test, offer(net, &all), ALL & ~NETIF_F_TSO);
	KUNIT_EXPECT_EQ(test, offer(net, &none), ALL & ~(NETIF_F_TSO | NETIF_F_TSO6));
	KUNIT_EXPECT_EQ(test, offer(net, &all), ALL & ~NETIF_F_TSO);
	dev->wanted_features |= NETIF_F_TSO;
	netdev_update_features(dev);
	KUNIT_EXPECT_EQ(test, dev->features & NET_FEATURES, ALL);
	/* turned on where there is none: comes when there is one */
	offer(net, &none);
	KUNIT_EXPECT_EQ(test, dev->hw_features & (NETIF_F_TSO | NETIF_F_TSO6), 0ull);
	KUNIT_EXPECT_EQ(test, offer(net, &all), ALL);
	rtnl_unlock();
}

/* How much is left to the adapter to cut follows it, unless somebody has chosen less. */
static void offer_gso(struct kunit *test)
{
	struct lpar_net *net = test->priv;
	struct net_device *dev = net->netdev;
	struct lpar_nic_caps less = all;

	less.tso4 = 30000;
	less.tso_segments = 20;
	rtnl_lock();
	/* the least of what it can of each kind; the kernel's limit is what is too long */
	KUNIT_EXPECT_EQ(test, dev->gso_max_size, 40001u);
	KUNIT_EXPECT_EQ(test, (u32)dev->gso_max_segs, 44u);
	offer(net, &less);
	KUNIT_EXPECT_EQ(test, dev->gso_max_size, 30001u);
	KUNIT_EXPECT_EQ(test, (u32)dev->gso_max_segs, 20u);
	offer(net, &all);
	KUNIT_EXPECT_EQ(test, dev->gso_max_size, 40001u);
	KUNIT_EXPECT_EQ(test, (u32)dev->gso_max_segs, 44u);
	/* as ip link set gso_max_size and gso_max_segs do */
	WRITE_ONCE(dev->gso_max_size, 35000);
	WRITE_ONCE(dev->gso_max_segs, 30);
	offer(net, &less);
	KUNIT_EXPECT_EQ(test, dev->gso_max_size, 30001u);
	KUNIT_EXPECT_EQ(test, (u32)dev->gso_max_segs, 20u);
	rtnl_unlock();
}

static void offer_mtu(struct kunit *test)
{
	struct lpar_net *net = test->priv;
	struct net_device *dev = net->netdev;
	struct lpar_nic_caps less = all;

	less.mtu_min = 200;
	less.mtu_max = 3000;
	rtnl_lock();
	KUNIT_EXPECT_EQ(test, dev_set_mtu(dev, 9001), -EINVAL);
	KUNIT_EXPECT_EQ(test, dev_set_mtu(dev, 9000), 0);
	offer(net, &less);
	KUNIT_EXPECT_EQ(test, dev_set_mtu(dev, 3001), -EINVAL);
	KUNIT_EXPECT_EQ(test, dev_set_mtu(dev, 199), -EINVAL);
	KUNIT_EXPECT_EQ(test, dev_set_mtu(dev, 3000), 0);
	KUNIT_EXPECT_EQ(test, net->segs_max, 17u);
	rtnl_unlock();
}

static struct kunit_case offer_cases[] = {
	KUNIT_CASE(offer_each),
	KUNIT_CASE(offer_off),
	KUNIT_CASE(offer_gso),
	KUNIT_CASE(offer_mtu),
	{}
};

static struct kunit_suite offer_suite = {
	.name = "lpar_net_offer",
	.init = offer_init,
	.exit = offer_exit,
	.test_cases = offer_cases,
};
kunit_test_suite(offer_suite);
