// SPDX-License-Identifier: GPL-2.0
/*
 * Stations: whose frames of which addresses and VLANs are, and what the device of a
 * NIC's port is told for it, so that they come in. RTNL protects all of it.
 */
#include <linux/etherdevice.h>
#include <linux/if_vlan.h>
#include <linux/once.h>
#include <linux/rtnetlink.h>
#include <linux/siphash.h>
#include <linux/slab.h>

#include "ipsec.h"
#include "port.h"
#include "station.h"

/* ------------------------------------------------------------------ switching */

/* Are frames of a VLAN for a station? An adapter that is promiscuous does not filter them,
 * either. Any context. */
bool lpar_station_sees(const struct lpar_nic *nic, u16 vlan)
{
	if (!lpar_core_sees(nic->vlan, nic->trusted, vlan))
		return false;
	return nic->vlan == vlan || vlan > LPAR_VLAN_MAX || !READ_ONCE(nic->filters) ||
	       READ_ONCE(nic->promisc) || test_bit(vlan, nic->vlans);
}

/* Where a station's address is in port->by_address. Clients choose addresses: which of them come
 * to the same place is nobody's to know, and one address may be in each VLAN. */
static u32 place(u16 own, u64 mac)
{
	static hsiphash_key_t key;

	net_get_random_once(&key, sizeof(key));
	return hsiphash_3u32(mac, mac >> 32, own, &key);
}

/* lpar_station_find() among the stations that have been put into the VLAN @own. */
static struct lpar_nic *find_in(struct lpar_port *port, u16 own, u16 vlan, u64 mac, bool sends)
{
	struct lpar_address *a;
	struct lpar_nic *nic;

	hash_for_each_possible_rcu(port->by_address, a, hash, place(own, mac),
				   lockdep_rtnl_is_held()) {
		nic = a->nic;
		if (nic->vlan != own || a->mac != mac ||
		    (sends && mac != READ_ONCE(nic->address)))
			continue;
		if (sends ? lpar_core_sees(own, nic->trusted, vlan) : lpar_station_sees(nic, vlan))
			return nic;
	}
	return NULL;
}

/**
 * lpar_station_find - whose is an address?
 * @port:  where
 * @vlan:  of the frame that has it; 0: none; or LPAR_VLAN_OTHER
 * @mac:   the address
 * @sends: whose own it is to send with, in whatever VLAN he receives. A further one may
 *         be another machine's as well, as that of a virtual router is
 *
 * A station that is in that VLAN alone comes before one that is in all of them.
 *
 * Context: any; RCU or RTNL is held.
 * Return: it, or NULL.
 */
struct lpar_nic *lpar_station_find(struct lpar_port *port, u16 vlan, u64 mac, bool sends)
{
	struct lpar_nic *nic = NULL;

	if (vlan && vlan <= LPAR_VLAN_MAX)
		nic = find_in(port, vlan, vlan, mac, sends);
	return nic ?: find_in(port, 0, vlan, mac, sends);
}

/* A frame that a client sends in a VLAN: for whom is it? RCU is held. */
void lpar_station_route(struct lpar_port *port, struct lpar_nic *from, const u8 *dest,
		     u16 vlan, struct lpar_route *r)
{
	struct net_device *dev = rcu_dereference(port->dev);

	*r = (struct lpar_route){};
	if (is_multicast_ether_addr(dest)) {
		r->wire = true;
		/* a station's VLAN is not the host's */
		r->host = !from->vlan;
		r->all = true;
		return;
	}
	r->station = lpar_station_find(port, vlan, lpar_core_mac(dest), false);
	if (r->station == from)
		r->station = NULL;
	else if (!r->station)
		r->host = !from->vlan && dev && ether_addr_equal(dest, dev->dev_addr);
	r->wire = !r->station && !r->host;
}

/* ------------------------------------------------------ what the device is told */

/* Has a station this address in this VLAN, be it there or aside? RTNL is held. */
bool lpar_station_reserved(const struct lpar_port *port, u16 vlan, u64 mac)
{
	struct lpar_nic *nic;

	list_for_each_entry(nic, &port->stations, stations)
		if (nic->vlan == vlan && lpar_station_has_mac(nic, mac))
			return true;
	return false;
}

/* Is an address the host's: the device's own, or of something above it? What it filters
 * for stations is not. RTNL is held. */
static bool is_host(struct lpar_port *port, struct net_device *dev, u64 mac)
{
	struct netdev_hw_addr *ha;
	struct lpar_nic *nic;
	bool found = false;

	if (mac == lpar_core_mac(dev->dev_addr))
		return true;
	netif_addr_lock_bh(dev);
	netdev_for_each_uc_addr(ha, dev)
		found = found || lpar_core_mac(ha->addr) == mac;
	netif_addr_unlock_bh(dev);
	if (!found)
		return false;
	list_for_each_entry(nic, &port->stations, stations)
		if (lpar_station_has_mac(nic, mac))
			return false;
	return true;
}

/* Is there another station with this one's VLAN and an address? Or the host? RTNL is
 * held. */
bool lpar_station_taken(struct lpar_port *port, const struct lpar_nic *nic, u64 mac,
			struct net_device *dev)
{
	return lpar_station_reserved(port, nic->vlan, mac) || (!nic->vlan && is_host(port, dev, mac));
}

/* What its port is on. RTNL is held. Return: NULL: it is gone. */
static struct net_device *nic_dev(struct lpar_nic *nic)
{
	struct lpar_port *port = lpar_nic_port(nic);

	ASSERT_RTNL();
	return port ? lpar_port_dev(port) : NULL;
}

static int filter(struct net_device *dev, u64 mac, bool add)
{
	u8 bytes[ETH_ALEN];

	lpar_core_mac_bytes(mac, bytes);
	return add ? dev_uc_add(dev, bytes) : dev_uc_del(dev, bytes);
}

/* Until a client in all VLANs says which it uses, a promiscuous adapter lets all of them
 * in. */
static int let_all_in(struct lpar_nic *nic, struct net_device *dev)
{
	int ret;

	if (!lpar_nic_tags(nic) || !((dev->features | dev->hw_features) &
				     NETIF_F_HW_VLAN_CTAG_FILTER))
		return 0;
	ret = dev_set_promiscuity(dev, 1);
	nic->trunk = !ret;
	return ret;
}

static void filter_again(struct lpar_nic *nic, struct net_device *dev)
{
	if (nic->trunk)
		dev_set_promiscuity(dev, -1);
	nic->trunk = false;
}

/* Frames for an address go to a NIC; while it is aside, when it is not any more. RTNL is
 * held. Return: 0, -ENOMEM, of the device. */
static int add_address(struct lpar_port *port, struct lpar_nic *nic,
		       struct net_device *dev, u64 mac)
{
	struct lpar_address *a = kzalloc(sizeof(*a), GFP_KERNEL);
	int ret;

	if (!a)
		return -ENOMEM;
	a->nic = nic;
	a->mac = mac;
	if (!nic->aside) {
		ret = filter(dev, mac, true);
		if (ret) {
			kfree(a);
			return ret;
		}
		hash_add_rcu(port->by_address, &a->hash, place(nic->vlan, mac));
	}
	list_add_tail_rcu(&a->link, &nic->addresses);
	return 0;
}

static struct lpar_address *find_address(struct lpar_nic *nic, u64 mac)
{
	struct lpar_address *a;

	list_for_each_entry_rcu(a, &nic->addresses, link, lockdep_rtnl_is_held())
		if (a->mac == mac)
			return a;
	return NULL;
}

/* RTNL is held. @dev: NULL: it has forgotten it. */
static void drop_address(struct lpar_nic *nic, struct net_device *dev,
			 struct lpar_address *a)
{
	hash_del_rcu(&a->hash);
	if (dev && !nic->aside)
		filter(dev, a->mac, false);
	list_del_rcu(&a->link);
	kfree_rcu(a, rcu);
}

/* The device's filters let a NIC's address and VLAN in. */
int lpar_station_admit(struct lpar_port *port, struct lpar_nic *nic,
		       struct net_device *dev)
{
	int ret = nic->vlan ? vlan_vid_add(dev, htons(ETH_P_8021Q), nic->vlan) :
			      let_all_in(nic, dev);

	if (ret)
		return ret;
	ret = add_address(port, nic, dev, nic->address);
	if (!ret)
		return 0;
	if (nic->vlan)
		vlan_vid_del(dev, htons(ETH_P_8021Q), nic->vlan);
	filter_again(nic, dev);
	return ret;
}

/* Forget VLANs that it asked for, so many. Return: whether some are left. */
static bool forget_vlans(struct lpar_nic *nic, struct net_device *dev, unsigned int most)
{
	unsigned int vlan;

	for_each_set_bit(vlan, nic->vlans, LPAR_VLAN_MAX + 1) {
		if (!most--)
			return true;
		clear_bit(vlan, nic->vlans);
		vlan_vid_del(dev, htons(ETH_P_8021Q), vlan);
		cond_resched();
	}
	return false;
}

/* So many are taken from the adapter at once; others want RTNL, too. */
#define FORGET_VLANS	64

/* It sees no VLANs that it asked for any more. RTNL is held. Return: whether there are more. */
bool lpar_station_forget_vlans(struct lpar_nic *nic)
{
	struct net_device *dev = nic_dev(nic);

	return dev && forget_vlans(nic, dev, FORGET_VLANS);
}

/* All VLANs are let in that the device lets in. */
static void unfilter(struct lpar_nic *nic, struct net_device *dev)
{
	WRITE_ONCE(nic->filters, false);
	forget_vlans(nic, dev, LPAR_VLAN_MAX + 1);
}

/* Take back what the device was told for a NIC. */
void lpar_station_forget(struct lpar_port *port, struct lpar_nic *nic,
			 struct net_device *dev)
{
	struct lpar_address *a;

	lpar_ipsec_end(nic);
	if (!nic->aside)
		list_for_each_entry(a, &nic->addresses, link)
			filter(dev, a->mac, false);
	if (nic->vlan)
		vlan_vid_del(dev, htons(ETH_P_8021Q), nic->vlan);
	filter_again(nic, dev);
	unfilter(nic, dev);
	if (!nic->promisc)
		return;
	dev_set_promiscuity(dev, -1);
	/* it is not on this port again before a grace period has passed */
	list_del_rcu(&nic->watches);
	WRITE_ONCE(nic->promisc, false);
	WRITE_ONCE(port->promisc, port->promisc - 1);
}

/* Another address of its own. RTNL is held. Return: 0, -EADDRINUSE, -ENODEV, … */
int lpar_station_address(struct lpar_nic *nic, u64 mac)
{
	struct lpar_port *port = lpar_nic_port(nic);
	struct net_device *dev = nic_dev(nic);
	int ret;

	if (!dev)
		return -ENODEV;
	if (mac == nic->address)
		return 0;
	if (find_address(nic, mac)) {
		/* a further one until now */
		nic->macs--;
	} else {
		if (lpar_station_taken(port, nic, mac, dev))
			return -EADDRINUSE;
		ret = add_address(port, nic, dev, mac);
		if (ret)
			return ret;
	}
	drop_address(nic, dev, find_address(nic, nic->address));
	WRITE_ONCE(nic->address, mac);
	return 0;
}

/* Is an address its own, or a further one of it? RTNL or RCU. */
bool lpar_station_has_mac(struct lpar_nic *nic, u64 mac)
{
	return find_address(nic, mac);
}

/*
 * A further address, or no more. RTNL is held. Return: 0; -EADDRINUSE: another station's
 * or the host's, or not to be taken from it; -EDQUOT: it has as many as it can have;
 * -ENODEV, -ENOMEM, of the device.
 */
int lpar_station_mac(struct lpar_nic *nic, u64 mac, bool in)
{
	struct lpar_port *port = lpar_nic_port(nic);
	struct net_device *dev = nic_dev(nic);
	struct lpar_address *a;
	int ret;

	if (!dev)
		return -ENODEV;
	a = find_address(nic, mac);
	if (!a == !in)
		return 0;
	if (mac == nic->address)
		return -EADDRINUSE;
	if (!in) {
		drop_address(nic, dev, a);
		nic->macs--;
		return 0;
	}
	if (lpar_station_taken(port, nic, mac, dev))
		return -EADDRINUSE;
	if (nic->macs == LPAR_NIC_MACS)
		return -EDQUOT;
	ret = add_address(port, nic, dev, mac);
	if (!ret)
		nic->macs++;
	return ret;
}

/* It has no further addresses. RTNL is held. */
void lpar_station_forget_macs(struct lpar_nic *nic)
{
	struct net_device *dev = nic_dev(nic);
	struct lpar_address *a, *next;

	list_for_each_entry_safe(a, next, &nic->addresses, link)
		if (a->mac != nic->address)
			drop_address(nic, dev, a);
	nic->macs = 0;
}

/*
 * Its client is to be reached by its VF, or by it again. While it is aside, its addresses
 * are anybody's on the wire: neither the host nor other stations find it here, and what
 * comes from there is no reflection of what it sent. Nobody else gets them.
 * RTNL is held; sleeps. Return: 0, -ENODEV, of the device.
 */
int lpar_station_aside(struct lpar_nic *nic, bool aside)
{
	struct lpar_port *port = lpar_nic_port(nic);
	struct net_device *dev = nic_dev(nic);
	struct lpar_address *a;
	int ret;

	if (!dev)
		return -ENODEV;
	if (nic->aside == aside)
		return 0;
	if (aside) {
		list_for_each_entry(a, &nic->addresses, link) {
			hash_del_rcu(&a->hash);
			filter(dev, a->mac, false);
		}
		/* a reader that is still in a chain would follow one into another */
		synchronize_net();
		WRITE_ONCE(nic->aside, true);
		return 0;
	}
	list_for_each_entry(a, &nic->addresses, link) {
		ret = filter(dev, a->mac, true);
		if (ret)
			goto err;
	}
	list_for_each_entry(a, &nic->addresses, link)
		hash_add_rcu(port->by_address, &a->hash, place(nic->vlan, a->mac));
	WRITE_ONCE(nic->aside, false);
	return 0;

err:
	list_for_each_entry_continue_reverse(a, &nic->addresses, link)
		filter(dev, a->mac, false);
	return ret;
}

/* Let it see all frames, or no more. RTNL is held; sleeps. Return: 0, -ENODEV, … */
int lpar_station_promisc(struct lpar_nic *nic, bool on)
{
	struct lpar_port *port = lpar_nic_port(nic);
	struct net_device *dev = nic_dev(nic);
	int ret;

	if (!dev)
		return -ENODEV;
	if (nic->promisc == on)
		return 0;
	ret = dev_set_promiscuity(dev, on ? 1 : -1);
	if (ret)
		return ret;
	WRITE_ONCE(nic->promisc, on);
	WRITE_ONCE(port->promisc, port->promisc + (on ? 1 : -1));
	if (on) {
		list_add_tail_rcu(&nic->watches, &port->watchers);
		return 0;
	}
	list_del_rcu(&nic->watches);
	/* a reader would go astray when it is put there again */
	synchronize_net();
	return 0;
}

/* Let it see no VLANs but those of lpar_station_vlan(); or all again, and none of those.
 * RTNL is held. Return: 0, -ENODEV, of the device. */
int lpar_station_filter_vlans(struct lpar_nic *nic, bool on)
{
	struct net_device *dev = nic_dev(nic);

	if (!dev)
		return -ENODEV;
	if (!on) {
		unfilter(nic, dev);
		return nic->trunk ? 0 : let_all_in(nic, dev);
	}
	WRITE_ONCE(nic->filters, true);
	filter_again(nic, dev);
	return 0;
}

/* Let it see a VLAN, or no more. RTNL is held. Return: 0, -ENODEV, of the device. */
int lpar_station_vlan(struct lpar_nic *nic, u16 vlan, bool in)
{
	struct net_device *dev = nic_dev(nic);
	int ret;

	if (!dev)
		return -ENODEV;
	if (test_bit(vlan, nic->vlans) == in)
		return 0;
	if (in) {
		ret = vlan_vid_add(dev, htons(ETH_P_8021Q), vlan);
		if (!ret)
			set_bit(vlan, nic->vlans);
		/* so it says while it is being reset */
		return ret == -ENODEV ? -EBUSY : ret;
	}
	clear_bit(vlan, nic->vlans);
	vlan_vid_del(dev, htons(ETH_P_8021Q), vlan);
	return 0;
}

/* It is on no port any more. RTNL is held. */
void lpar_station_drop_addresses(struct lpar_nic *nic)
{
	struct lpar_address *a, *next;

	list_for_each_entry_safe(a, next, &nic->addresses, link)
		drop_address(nic, NULL, a);
	nic->macs = 0;
}
