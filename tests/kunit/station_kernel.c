// SPDX-License-Identifier: GPL-2.0
/*
 * The filter and switching tables of a port, on a network device of the suite's own:
 * whose is a frame, and what is the device told? Runs in a kernel alone.
 */
#include <kunit/test.h>
#include <linux/etherdevice.h>

#include "../../host-mod/station.c"

#define NICS	6
#define OWN	0x02a000000001ull	/* the host's address */
#define MAC(n)	(0x02b000000000ull + (n))
#define OTHER	LPAR_VLAN_OTHER

/* What is put on a port has SAs as well; they are ipsec.c's. */
void lpar_ipsec_end(struct lpar_nic *nic)
{
}

/* A device that tells what it was told. */
struct device_priv {
	DECLARE_BITMAP(vlans, LPAR_VLAN_MAX + 1);
};

struct tables {
	struct net_device *dev;
	struct lpar_port *port;
	struct lpar_nic *nic[NICS];
};

static netdev_tx_t device_xmit(struct sk_buff *skb, struct net_device *dev)
{
	kfree_skb(skb);
	return NETDEV_TX_OK;
}

static int device_vlan_add(struct net_device *dev, __be16 proto, u16 vlan)
{
	struct device_priv *priv = netdev_priv(dev);

	__set_bit(vlan, priv->vlans);
	return 0;
}

static int device_vlan_kill(struct net_device *dev, __be16 proto, u16 vlan)
{
	struct device_priv *priv = netdev_priv(dev);

	__clear_bit(vlan, priv->vlans);
	return 0;
}

static void device_rx_mode(struct net_device *dev)
{
}

static const struct net_device_ops device_ops = {
	.ndo_start_xmit = device_xmit,
	.ndo_set_rx_mode = device_rx_mode,
	.ndo_vlan_rx_add_vid = device_vlan_add,
	.ndo_vlan_rx_kill_vid = device_vlan_kill,
};

static int tables_init(struct kunit *test)
{
	struct tables *t = kunit_kzalloc(test, sizeof(*t), GFP_KERNEL);
	u8 mac[ETH_ALEN];
	unsigned int i;
	int ret;

	if (!t)
		return -ENOMEM;
	t->port = kunit_kzalloc(test, sizeof(*t->port), GFP_KERNEL);
	if (!t->port)
		return -ENOMEM;
	for (i = 0; i < NICS; i++) {
		t->nic[i] = kunit_kzalloc(test, sizeof(*t->nic[i]), GFP_KERNEL);
		if (!t->nic[i])
			return -ENOMEM;
	}
	t->dev = alloc_etherdev(sizeof(struct device_priv));
	if (!t->dev)
		return -ENOMEM;
	lpar_core_mac_bytes(OWN, mac);
	eth_hw_addr_set(t->dev, mac);
	t->dev->netdev_ops = &device_ops;
	t->dev->features |= NETIF_F_HW_VLAN_CTAG_FILTER;
	t->dev->priv_flags |= IFF_UNICAST_FLT;
	ret = register_netdev(t->dev);
	if (ret) {
		free_netdev(t->dev);
		return ret;
	}
	INIT_LIST_HEAD(&t->port->stations);
	INIT_LIST_HEAD(&t->port->watchers);
	hash_init(t->port->by_address);
	rcu_assign_pointer(t->port->dev, t->dev);
	test->priv = t;
	return 0;
}

/* Put a NIC on the port, as lpar_port_join() does. RTNL is held. */
static int join(struct tables *t, unsigned int i, u64 mac, u16 vlan, bool trusted)
{
	struct lpar_nic *nic = t->nic[i];
	int ret;

	nic->address = mac;
	nic->vlan = vlan;
	nic->trusted = trusted;
	INIT_LIST_HEAD(&nic->addresses);
	if (lpar_station_taken(t->port, nic, mac, t->dev))
		return -EADDRINUSE;
	ret = lpar_station_admit(t->port, nic, t->dev);
	if (ret)
		return ret;
	list_add_tail_rcu(&nic->stations, &t->port->stations);
	rcu_assign_pointer(nic->port, t->port);
	return 0;
}

static void leave(struct tables *t, unsigned int i)
{
	struct lpar_nic *nic = t->nic[i];

	if (!rcu_access_pointer(nic->port))
		return;
	list_del_rcu(&nic->stations);
	RCU_INIT_POINTER(nic->port, NULL);
	lpar_station_forget(t->port, nic, t->dev);
	lpar_station_drop_addresses(nic);
	synchronize_net();
	memset(nic, 0, sizeof(*nic));
}

/* What the device was told: addresses, VLANs, promiscuity. RTNL is held. */
static bool told_mac(struct tables *t, u64 mac)
{
	struct netdev_hw_addr *ha;

	netdev_for_each_uc_addr(ha, t->dev)
		if (lpar_core_mac(ha->addr) == mac)
			return true;
	return false;
}

static bool told_vlan(struct tables *t, u16 vlan)
{
	struct device_priv *priv = netdev_priv(t->dev);

	return test_bit(vlan, priv->vlans);
}

/* Nothing of a station stays with the device when all have left. */
static void tables_exit(struct kunit *test)
{
	struct tables *t = test->priv;
	unsigned int i;

	/* the init of this one failed */
	if (!t)
		return;
	rtnl_lock();
	for (i = 0; i < NICS; i++)
		leave(t, i);
	KUNIT_EXPECT_EQ(test, netdev_uc_count(t->dev), 0);
	KUNIT_EXPECT_EQ(test, t->dev->promiscuity, 0u);
	for (i = 1; i <= LPAR_VLAN_MAX; i++)
		KUNIT_EXPECT_FALSE_MSG(test, told_vlan(t, i), "VLAN %u", i);
	KUNIT_EXPECT_TRUE(test, hash_empty(t->port->by_address));
	rtnl_unlock();
	unregister_netdev(t->dev);
	free_netdev(t->dev);
}

static int whose(struct tables *t, u16 vlan, u64 mac, bool sends)
{
	struct lpar_nic *nic = lpar_station_find(t->port, vlan, mac, sends);
	int i;

	for (i = 0; i < NICS; i++)
		if (nic && nic == t->nic[i])
			return i;
	return nic ? NICS : -1;
}

/* Four stations, and each address in each kind of VLAN: whose is it? */
static void station_find(struct kunit *test)
{
	static const u16 vlans[] = { 0, 5, 6, OTHER };
	static const struct {
		u64 mac;
		int whose[ARRAY_SIZE(vlans)];
	} rows[] = {
		{ MAC(1), { 0, 1, -1, -1 } },	/* of one without a VLAN, and of one in 5 */
		{ MAC(2), { 2, 3, 2, 2 } },	/* of a trusted one, but in 5 another's */
		{ MAC(3), { -1, -1, -1, -1 } },
		{ OWN, { -1, -1, -1, -1 } },
	};
	struct tables *t = test->priv;
	unsigned int i, v;

	rtnl_lock();
	KUNIT_EXPECT_EQ(test, join(t, 0, MAC(1), 0, false), 0);
	KUNIT_EXPECT_EQ(test, join(t, 1, MAC(1), 5, false), 0);
	KUNIT_EXPECT_EQ(test, join(t, 2, MAC(2), 0, true), 0);
	KUNIT_EXPECT_EQ(test, join(t, 3, MAC(2), 5, false), 0);
	for (i = 0; i < ARRAY_SIZE(rows); i++)
		for (v = 0; v < ARRAY_SIZE(vlans); v++) {
			KUNIT_EXPECT_EQ_MSG(test, whose(t, vlans[v], rows[i].mac, false),
					    rows[i].whose[v], "row %u, VLAN %u", i, vlans[v]);
			KUNIT_EXPECT_EQ_MSG(test, whose(t, vlans[v], rows[i].mac, true),
					    rows[i].whose[v], "row %u, VLAN %u, sends", i,
					    vlans[v]);
		}
	/* the host's, and one of the same VLAN's, are had already */
	KUNIT_EXPECT_EQ(test, join(t, 4, OWN, 0, false), -EADDRINUSE);
	KUNIT_EXPECT_EQ(test, join(t, 4, MAC(2), 0, false), -EADDRINUSE);
	KUNIT_EXPECT_EQ(test, join(t, 4, MAC(2), 5, true), -EADDRINUSE);
	/* whoever leaves takes his own along, and no more */
	leave(t, 3);
	KUNIT_EXPECT_EQ(test, whose(t, 5, MAC(2), false), 2);
	KUNIT_EXPECT_EQ(test, told_mac(t, MAC(2)), true);
	leave(t, 2);
	KUNIT_EXPECT_EQ(test, whose(t, 5, MAC(2), false), -1);
	KUNIT_EXPECT_EQ(test, told_mac(t, MAC(2)), false);
	KUNIT_EXPECT_EQ(test, whose(t, 5, MAC(1), false), 1);
	rtnl_unlock();
}

/* A trusted station chooses VLANs: they are let in, others are not seen. */
static void station_vlans(struct kunit *test)
{
	struct tables *t = test->priv;
	struct lpar_nic *nic = t->nic[0];

	rtnl_lock();
	KUNIT_EXPECT_EQ(test, join(t, 0, MAC(1), 0, true), 0);
	KUNIT_EXPECT_EQ(test, join(t, 1, MAC(2), 7, false), 0);
	KUNIT_EXPECT_EQ(test, told_vlan(t, 7), true);
	/* until it chooses, all come in */
	KUNIT_EXPECT_EQ(test, t->dev->promiscuity, 1u);
	KUNIT_EXPECT_EQ(test, lpar_station_vlan(nic, 6, true), 0);
	KUNIT_EXPECT_EQ(test, lpar_station_vlan(nic, 6, true), 0);
	KUNIT_EXPECT_EQ(test, told_vlan(t, 6), true);
	KUNIT_EXPECT_EQ(test, lpar_station_filter_vlans(nic, true), 0);
	KUNIT_EXPECT_EQ(test, t->dev->promiscuity, 0u);
	KUNIT_EXPECT_EQ(test, whose(t, 0, MAC(1), false), 0);
	KUNIT_EXPECT_EQ(test, whose(t, 6, MAC(1), false), 0);
	KUNIT_EXPECT_EQ(test, whose(t, 8, MAC(1), false), -1);
	/* what it may send in does not change with that, so its reflection is known */
	KUNIT_EXPECT_EQ(test, whose(t, 8, MAC(1), true), 0);
	KUNIT_EXPECT_EQ(test, whose(t, OTHER, MAC(1), false), 0);
	/* a promiscuous one sees them all again */
	KUNIT_EXPECT_EQ(test, lpar_station_promisc(nic, true), 0);
	KUNIT_EXPECT_EQ(test, lpar_station_promisc(nic, true), 0);
	KUNIT_EXPECT_EQ(test, t->dev->promiscuity, 1u);
	KUNIT_EXPECT_EQ(test, t->port->promisc, 1u);
	KUNIT_EXPECT_TRUE(test, list_is_singular(&t->port->watchers));
	KUNIT_EXPECT_EQ(test, whose(t, 8, MAC(1), false), 0);
	KUNIT_EXPECT_EQ(test, lpar_station_promisc(nic, false), 0);
	KUNIT_EXPECT_EQ(test, t->port->promisc, 0u);
	KUNIT_EXPECT_TRUE(test, list_empty(&t->port->watchers));
	KUNIT_EXPECT_EQ(test, whose(t, 8, MAC(1), false), -1);
	/* a VLAN that goes; the one of another station is let in by itself */
	KUNIT_EXPECT_EQ(test, lpar_station_vlan(nic, 7, true), 0);
	KUNIT_EXPECT_EQ(test, lpar_station_vlan(nic, 7, false), 0);
	KUNIT_EXPECT_EQ(test, told_vlan(t, 7), true);
	KUNIT_EXPECT_EQ(test, lpar_station_vlan(nic, 6, false), 0);
	KUNIT_EXPECT_EQ(test, told_vlan(t, 6), false);
	KUNIT_EXPECT_EQ(test, whose(t, 6, MAC(1), false), -1);
	/* and all again */
	KUNIT_EXPECT_EQ(test, lpar_station_filter_vlans(nic, false), 0);
	KUNIT_EXPECT_EQ(test, t->dev->promiscuity, 1u);
	KUNIT_EXPECT_EQ(test, whose(t, 8, MAC(1), false), 0);
	rtnl_unlock();
}

/* Further addresses, another one of its own, and the end of them. */
static void station_macs(struct kunit *test)
{
	struct tables *t = test->priv;
	struct lpar_nic *nic = t->nic[0];
	unsigned int i;

	rtnl_lock();
	KUNIT_EXPECT_EQ(test, join(t, 0, MAC(1), 0, true), 0);
	KUNIT_EXPECT_EQ(test, join(t, 1, MAC(2), 0, false), 0);
	KUNIT_EXPECT_EQ(test, lpar_station_mac(nic, MAC(2), true), -EADDRINUSE);
	KUNIT_EXPECT_EQ(test, lpar_station_mac(nic, OWN, true), -EADDRINUSE);
	KUNIT_EXPECT_EQ(test, lpar_station_mac(nic, MAC(1), false), -EADDRINUSE);
	KUNIT_EXPECT_EQ(test, lpar_station_mac(nic, MAC(3), false), 0);
	for (i = 0; i < LPAR_NIC_MACS; i++)
		KUNIT_EXPECT_EQ(test, lpar_station_mac(nic, MAC(100 + i), true), 0);
	KUNIT_EXPECT_EQ(test, lpar_station_mac(nic, MAC(100), true), 0);
	KUNIT_EXPECT_EQ(test, lpar_station_mac(nic, MAC(3), true), -EDQUOT);
	KUNIT_EXPECT_EQ(test, told_mac(t, MAC(3)), false);
	KUNIT_EXPECT_EQ(test, whose(t, 9, MAC(100), false), 0);
	/* which the wire may have as well, in whose frames it is to be seen */
	KUNIT_EXPECT_EQ(test, whose(t, 9, MAC(100), true), -1);
	/* another one's cannot be its own; a further one can, and makes room */
	KUNIT_EXPECT_EQ(test, lpar_station_address(nic, MAC(2)), -EADDRINUSE);
	KUNIT_EXPECT_EQ(test, lpar_station_address(nic, MAC(100)), 0);
	KUNIT_EXPECT_EQ(test, told_mac(t, MAC(1)), false);
	KUNIT_EXPECT_EQ(test, whose(t, 0, MAC(1), false), -1);
	KUNIT_EXPECT_EQ(test, whose(t, 0, MAC(100), false), 0);
	KUNIT_EXPECT_EQ(test, lpar_station_mac(nic, MAC(3), true), 0);
	KUNIT_EXPECT_EQ(test, lpar_station_mac(nic, MAC(4), true), -EDQUOT);
	KUNIT_EXPECT_EQ(test, lpar_station_mac(nic, MAC(3), false), 0);
	KUNIT_EXPECT_EQ(test, lpar_station_address(nic, MAC(5)), 0);
	KUNIT_EXPECT_EQ(test, told_mac(t, MAC(100)), false);
	KUNIT_EXPECT_EQ(test, told_mac(t, MAC(5)), true);
	lpar_station_forget_macs(nic);
	KUNIT_EXPECT_EQ(test, netdev_uc_count(t->dev), 2);
	KUNIT_EXPECT_EQ(test, whose(t, 0, MAC(101), false), -1);
	KUNIT_EXPECT_EQ(test, whose(t, 0, MAC(5), false), 0);
	/* the host takes one that nobody has, and then nobody can */
	KUNIT_EXPECT_EQ(test, lpar_station_reserved(t->port, 0, MAC(5)), true);
	KUNIT_EXPECT_EQ(test, lpar_station_reserved(t->port, 3, MAC(5)), false);
	KUNIT_EXPECT_EQ(test, lpar_station_reserved(t->port, 0, MAC(6)), false);
	rtnl_unlock();
}

/* While its client is reached by a VF, its addresses are on the wire, and stay its own. */
static void station_aside(struct kunit *test)
{
	struct tables *t = test->priv;
	struct lpar_nic *nic = t->nic[0];

	rtnl_lock();
	KUNIT_EXPECT_EQ(test, join(t, 0, MAC(1), 0, true), 0);
	KUNIT_EXPECT_EQ(test, lpar_station_mac(nic, MAC(2), true), 0);
	KUNIT_EXPECT_EQ(test, lpar_station_aside(nic, true), 0);
	KUNIT_EXPECT_EQ(test, lpar_station_aside(nic, true), 0);
	KUNIT_EXPECT_EQ(test, netdev_uc_count(t->dev), 0);
	KUNIT_EXPECT_EQ(test, whose(t, 0, MAC(1), false), -1);
	KUNIT_EXPECT_EQ(test, whose(t, 0, MAC(2), true), -1);
	KUNIT_EXPECT_EQ(test, lpar_station_reserved(t->port, 0, MAC(1)), true);
	KUNIT_EXPECT_EQ(test, join(t, 1, MAC(2), 0, false), -EADDRINUSE);
	/* what it chooses meanwhile is in force when it is back */
	KUNIT_EXPECT_EQ(test, lpar_station_mac(nic, MAC(3), true), 0);
	KUNIT_EXPECT_EQ(test, lpar_station_mac(nic, MAC(2), false), 0);
	KUNIT_EXPECT_EQ(test, netdev_uc_count(t->dev), 0);
	KUNIT_EXPECT_EQ(test, whose(t, 0, MAC(3), false), -1);
	KUNIT_EXPECT_EQ(test, lpar_station_aside(nic, false), 0);
	KUNIT_EXPECT_EQ(test, whose(t, 0, MAC(1), false), 0);
	KUNIT_EXPECT_EQ(test, whose(t, 0, MAC(2), false), -1);
	KUNIT_EXPECT_EQ(test, whose(t, 0, MAC(3), false), 0);
	KUNIT_EXPECT_EQ(test, netdev_uc_count(t->dev), 2);
	/* and it may leave from there */
	KUNIT_EXPECT_EQ(test, lpar_station_aside(nic, true), 0);
	rtnl_unlock();
}

/* To whom: a station, wire, host, all. */
static void station_route(struct kunit *test)
{
	static const struct {
		int from;
		u16 vlan;
		u64 to;
		int station;
		bool wire, host, all;
	} rows[] = {
		{ 0, 0, MAC(2), 1, false, false, false },
		{ 0, 0, MAC(3), 2, false, false, false },	/* a trusted one */
		{ 0, 0, MAC(4), -1, true, false, false },	/* in another VLAN */
		{ 0, 0, MAC(9), -1, true, false, false },
		{ 0, 0, MAC(1), -1, true, false, false },	/* itself */
		{ 0, 0, OWN, -1, false, true, false },
		{ 0, 0, 0xffffffffffff, -1, true, true, true },
		{ 0, 0, 0x333300000001, -1, true, true, true },
		{ 2, 5, MAC(4), 3, false, false, false },	/* a trusted one's with a tag */
		{ 2, 6, MAC(4), -1, true, false, false },
		{ 2, OTHER, MAC(2), -1, true, false, false },
		{ 2, 5, OWN, -1, false, true, false },		/* the host looks itself */
		{ 3, 5, MAC(5), 4, false, false, false },
		{ 3, 5, MAC(3), 2, false, false, false },
		{ 3, 5, MAC(1), -1, true, false, false },
		{ 3, 5, OWN, -1, true, false, false },		/* not in its VLAN */
		{ 3, 5, 0xffffffffffff, -1, true, false, true },
	};
	struct tables *t = test->priv;
	struct lpar_route r;
	u8 dest[ETH_ALEN];
	unsigned int i;

	rtnl_lock();
	KUNIT_EXPECT_EQ(test, join(t, 0, MAC(1), 0, false), 0);
	KUNIT_EXPECT_EQ(test, join(t, 1, MAC(2), 0, false), 0);
	KUNIT_EXPECT_EQ(test, join(t, 2, MAC(3), 0, true), 0);
	KUNIT_EXPECT_EQ(test, join(t, 3, MAC(4), 5, false), 0);
	KUNIT_EXPECT_EQ(test, join(t, 4, MAC(5), 5, false), 0);
	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		lpar_core_mac_bytes(rows[i].to, dest);
		rcu_read_lock();
		lpar_station_route(t->port, t->nic[rows[i].from], dest, rows[i].vlan, &r);
		rcu_read_unlock();
		KUNIT_EXPECT_PTR_EQ_MSG(test, r.station,
					rows[i].station < 0 ? NULL : t->nic[rows[i].station],
					"row %u", i);
		KUNIT_EXPECT_EQ_MSG(test, r.wire, rows[i].wire, "row %u", i);
		KUNIT_EXPECT_EQ_MSG(test, r.host, rows[i].host, "row %u", i);
		KUNIT_EXPECT_EQ_MSG(test, r.all, rows[i].all, "row %u", i);
	}
	/* a port whose device is going has no host */
	RCU_INIT_POINTER(t->port->dev, NULL);
	lpar_core_mac_bytes(OWN, dest);
	rcu_read_lock();
	lpar_station_route(t->port, t->nic[0], dest, 0, &r);
	rcu_read_unlock();
	KUNIT_EXPECT_EQ(test, r.host, false);
	rcu_assign_pointer(t->port->dev, t->dev);
	rtnl_unlock();
}

static struct kunit_case station_cases[] = {
	KUNIT_CASE(station_find),
	KUNIT_CASE(station_vlans),
	KUNIT_CASE(station_macs),
	KUNIT_CASE(station_aside),
	KUNIT_CASE(station_route),
	{}
};

static struct kunit_suite station_suite = {
	.name = "lpar_station",
	.init = tables_init,
	.exit = tables_exit,
	.test_cases = station_cases,
};
kunit_test_suite(station_suite);
