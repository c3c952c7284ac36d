// SPDX-License-Identifier: GPL-2.0
/*
 * Ports: the clients' stations on a host's network device, and the switch between
 * them, the host and the wire. What arrives is taken where the device hands it to
 * the stack (rx_handler), what the host sends where it hands it to the device
 * (netfilter's egress hook): in softirq only the owner is found and the frame is
 * queued; it is copied on the CPU time that the client donates.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/etherdevice.h>
#include <linux/if_vlan.h>
#include <linux/rtnetlink.h>
#include <linux/slab.h>

#include "compat.h"
#include "net.h"
#include "port.h"

/* Stations that a frame for many is given to at once, in softirq; and frames that wait
 * where there are more. */
#define AT_ONCE		16
#define WAITING		256

static LIST_HEAD(ports);	/* under RTNL */

/* Tells clients of changes, one at a time: each takes RTNL. */
static struct workqueue_struct *changes;

/* Are frames of a VLAN for a station? An adapter that is promiscuous does not filter them,
 * either. */
static bool sees(const struct lpar_nic *nic, u16 vlan)
{
	if (!lpar_core_sees(nic->vlan, nic->trusted, vlan))
		return false;
	return nic->vlan == vlan || vlan > LPAR_VLAN_MAX || !READ_ONCE(nic->filters) ||
	       READ_ONCE(nic->promisc) || test_bit(vlan, nic->vlans);
}

/*
 * Whose is an address in a VLAN? One that is in that VLAN alone comes before one that
 * is in all of them. @sends: who sends with it, in whatever VLAN it receives.
 */
static struct lpar_nic *find(struct lpar_port *port, u16 vlan, u64 mac, bool sends)
{
	struct lpar_nic *nic, *trunk = NULL;
	struct lpar_address *a;

	hash_for_each_possible_rcu(port->by_address, a, hash, mac,
				   lockdep_rtnl_is_held()) {
		if (a->mac != mac)
			continue;
		nic = a->nic;
		if (nic->vlan == vlan)
			return nic;
		if (sends ? lpar_core_sees(nic->vlan, nic->trusted, vlan) :
			    sees(nic, vlan))
			trunk = nic;
	}
	return trunk;
}

/* Has a station this address in this VLAN, be it there or aside? RTNL is held. */
static bool reserved(const struct lpar_port *port, u16 vlan, u64 mac)
{
	struct lpar_nic *nic;

	list_for_each_entry(nic, &port->stations, stations)
		if (nic->vlan == vlan && lpar_port_has_mac(nic, mac))
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
		if (lpar_port_has_mac(nic, mac))
			return false;
	return true;
}

/* Is there another station with this one's VLAN and an address? Or the host? RTNL is
 * held. */
static bool taken(struct lpar_port *port, const struct lpar_nic *nic, u64 mac,
		  struct net_device *dev)
{
	return reserved(port, nic->vlan, mac) || (!nic->vlan && is_host(port, dev, mac));
}

/* The VLAN of a frame that has its Ethernet header, be its tag there or beside it. */
static u16 vlan_of(const struct sk_buff *skb)
{
	u16 type = ntohs(eth_hdr(skb)->h_proto);
	const __be16 *tci;
	__be16 copy;

	if (skb_vlan_tag_present(skb))
		return lpar_core_vlan(ntohs(skb->vlan_proto), skb_vlan_tag_get(skb));
	if (!eth_type_vlan(htons(type)))
		return 0;
	tci = skb_header_pointer(skb, skb_mac_offset(skb) + ETH_HLEN, sizeof(copy),
				 &copy);
	return tci ? lpar_core_vlan(type, ntohs(*tci)) : LPAR_VLAN_OTHER;
}

/* ------------------------------------------------------------------ switching */

/* A frame that a client sends in a VLAN: for whom is it? RCU is held. */
void lpar_port_route(struct lpar_port *port, struct lpar_nic *from, const u8 *dest,
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
	r->station = find(port, vlan, lpar_core_mac(dest), false);
	if (r->station == from)
		r->station = NULL;
	else if (!r->station)
		r->host = !from->vlan && dev && ether_addr_equal(dest, dev->dev_addr);
	r->wire = !r->station && !r->host;
}

/* Give copies of a frame to all stations in its VLAN but its sender's. RCU is held. */
void lpar_port_spread(struct lpar_port *port, struct lpar_nic *from,
		      struct sk_buff *skb)
{
	bool group = is_multicast_ether_addr(eth_hdr(skb)->h_dest);
	struct lpar_nic *nic;
	u16 vlan;

	/* most frames are for one: there may be a thousand stations */
	if (!group && !READ_ONCE(port->promisc))
		return;
	vlan = vlan_of(skb);
	list_for_each_entry_rcu(nic, &port->stations, stations) {
		struct sk_buff *copy;

		if (nic == from || READ_ONCE(nic->aside) ||
		    !(group || READ_ONCE(nic->promisc)) || !sees(nic, vlan))
			continue;
		copy = skb_clone(skb, GFP_ATOMIC);
		if (copy)
			lpar_net_arrive(nic, copy);
		else
			atomic64_inc(&nic->dropped);
	}
}

/* Whom a waiting frame is not for; may be gone, and is only compared. */
#define EXCEPT(skb)	(*(struct lpar_nic **)(skb)->cb)

static void spread_waiting(struct work_struct *work)
{
	struct lpar_port *port = container_of(work, struct lpar_port, spread);
	struct sk_buff *skb;

	while ((skb = skb_dequeue(&port->waiting))) {
		rcu_read_lock();
		lpar_port_spread(port, EXCEPT(skb), skb);
		rcu_read_unlock();
		consume_skb(skb);
		cond_resched();
	}
}

/* lpar_port_spread() for a softirq, which may be anybody's: it is short. */
static void spread(struct lpar_port *port, struct lpar_nic *except,
		   struct sk_buff *skb)
{
	struct sk_buff *copy;

	if (READ_ONCE(port->refs) <= AT_ONCE) {
		lpar_port_spread(port, except, skb);
		return;
	}
	if (!is_multicast_ether_addr(eth_hdr(skb)->h_dest) &&
	    !READ_ONCE(port->promisc))
		return;
	copy = skb_queue_len_lockless(&port->waiting) < WAITING ?
	       skb_clone(skb, GFP_ATOMIC) : NULL;
	if (!copy || !lpar_net_detach(copy)) {
		kfree_skb(copy);
		/* all stations lose it: the port counts */
		dev_core_stats_rx_dropped_inc(skb->dev);
		return;
	}
	/* once, not for each copy of it */
	skb_get_hash(copy);
	EXCEPT(copy) = except;
	skb_queue_tail(&port->waiting, copy);
	queue_work(system_unbound_wq, &port->spread);
}

/*
 * A client's frame on its way to the device or to the host passes our own hooks there,
 * which must not switch it again, whatever its source address. Softirqs are off while
 * it does, so there is one for each CPU. Another port's hook, on the way of a stacked
 * device, does switch it.
 */
struct passing {
	const struct sk_buff *skb;
	const struct lpar_port *port;
};

static DEFINE_PER_CPU(struct passing, sending);
static DEFINE_PER_CPU(struct passing, giving);

/* Is it one that passes? Whoever has preemption on has a frame of his own. */
static bool passes(struct passing __percpu *passing, const struct lpar_port *port,
		   const struct sk_buff *skb)
{
	struct passing *p = raw_cpu_ptr(passing);

	if (p->skb != skb || p->port != port)
		return false;
	/* its memory may be another frame's before the call returns */
	p->skb = NULL;
	return true;
}

/* To the device, the stack's way. RCU is held; not in interrupts. Consumes @skb. */
void lpar_port_send(struct lpar_port *port, struct sk_buff *skb)
{
	local_bh_disable();
	*this_cpu_ptr(&sending) = (struct passing){ skb, port };
	dev_queue_xmit(skb);
	__this_cpu_write(sending.skb, NULL);
	local_bh_enable();
}

/* To the host, as if it had arrived on the device. RCU is held; not in interrupts.
 * Consumes @skb. */
void lpar_port_give(struct lpar_port *port, struct sk_buff *skb)
{
	local_bh_disable();
	*this_cpu_ptr(&giving) = (struct passing){ skb, port };
	/* at once: RPS would take it to another CPU */
	netif_receive_skb_core(skb);
	__this_cpu_write(giving.skb, NULL);
	local_bh_enable();
}

/* From the wire. Softirq, RCU is held. */
static rx_handler_result_t port_receive(struct sk_buff **pskb)
{
	struct sk_buff *skb = *pskb;
	struct lpar_port *port = rcu_dereference(skb->dev->rx_handler_data);
	struct lpar_nic *nic;
	bool group;
	u16 vlan;

	if (unlikely(skb->pkt_type == PACKET_LOOPBACK) || passes(&giving, port, skb))
		return RX_HANDLER_PASS;
	vlan = vlan_of(skb);
	/* a client's frame that a wire reflects */
	if (find(port, vlan, lpar_core_mac(eth_hdr(skb)->h_source), true))
		return RX_HANDLER_PASS;
	group = is_multicast_ether_addr(eth_hdr(skb)->h_dest);
	nic = group ? NULL : find(port, vlan, lpar_core_mac(eth_hdr(skb)->h_dest), false);
	if (!nic && !group && !READ_ONCE(port->promisc))
		return RX_HANDLER_PASS;

	skb = skb_share_check(skb, GFP_ATOMIC);
	if (!skb)
		return RX_HANDLER_CONSUMED;
	*pskb = skb;
	skb_push(skb, ETH_HLEN);
	spread(port, nic, skb);
	if (nic) {
		lpar_net_arrive(nic, skb);
		return RX_HANDLER_CONSUMED;
	}
	skb_pull(skb, ETH_HLEN);
	return RX_HANDLER_PASS;
}

/* From the host's own stack. RCU is held, softirqs may be on. */
static __maybe_unused unsigned int port_egress(void *priv, struct sk_buff *skb,
				const struct nf_hook_state *state)
{
	struct lpar_port *port = priv;
	struct lpar_nic *nic;
	u16 vlan;

	/* a client's frame in page mode: switched already */
	if (passes(&sending, port, skb))
		return NF_ACCEPT;
	skb_reset_mac_header(skb);
	if (unlikely(!pskb_may_pull(skb, ETH_HLEN)))
		return NF_ACCEPT;
	vlan = vlan_of(skb);
	nic = is_multicast_ether_addr(eth_hdr(skb)->h_dest) ? NULL :
	      find(port, vlan, lpar_core_mac(eth_hdr(skb)->h_dest), false);
	spread(port, nic, skb);
	if (!nic)
		return NF_ACCEPT;
	/* a generator of traffic sends the same one again */
	skb = skb_share_check(skb, GFP_ATOMIC);
	if (skb)
		lpar_net_arrive(nic, skb);
	return NF_STOLEN;
}

/* ----------------------------------------------------------------- life cycle */

static int hook(struct lpar_port *port, struct net_device *dev)
{
#ifdef CONFIG_NETFILTER_EGRESS
	port->egress = (struct nf_hook_ops){
		.hook = port_egress,
		.dev = dev,
		.priv = port,
		.pf = NFPROTO_NETDEV,
		.hooknum = NF_NETDEV_EGRESS,
		.priority = INT_MAX,	/* after the host's own rules */
	};
	return nf_register_net_hook(dev_net(dev), &port->egress);
#else
	return -EOPNOTSUPP;
#endif
}

static void port_close(struct lpar_port *port, struct net_device *dev)
{
	ASSERT_RTNL();
	if (port->hooked)
		nf_unregister_net_hook(dev_net(dev), &port->egress);
	port->hooked = false;
	netdev_rx_handler_unregister(dev);
	dev_set_allmulti(dev, -1);
	RCU_INIT_POINTER(port->dev, NULL);
	/* nor does a hook put frames there any more, or a client reach another one */
	synchronize_net();
	cancel_work_sync(&port->spread);
	skb_queue_purge(&port->waiting);
	netdev_put(dev, &port->tracker);
}

static struct lpar_port *port_open(struct net_device *dev)
{
	struct lpar_port *port = kzalloc(sizeof(*port), GFP_KERNEL);
	int ret;

	ASSERT_RTNL();
	if (!port)
		return ERR_PTR(-ENOMEM);
	INIT_LIST_HEAD(&port->stations);
	skb_queue_head_init(&port->waiting);
	INIT_WORK(&port->spread, spread_waiting);
	hash_init(port->by_address);
	ret = netdev_rx_handler_register(dev, port_receive, port);
	if (ret)
		goto err_free;
	/* a neighbour solicitation is multicast */
	ret = dev_set_allmulti(dev, 1);
	if (ret)
		goto err_handler;
	ret = hook(port, dev);
	port->hooked = !ret;
	if (ret)
		pr_warn("%s: the host cannot reach clients on it: no egress hook (%d)\n",
			dev->name, ret);
	/* what is merged in hardware cannot be told apart again */
	dev_disable_lro(dev);
	netdev_hold(dev, &port->tracker, GFP_KERNEL);
	rcu_assign_pointer(port->dev, dev);
	list_add(&port->link, &ports);
	return port;

err_handler:
	netdev_rx_handler_unregister(dev);
err_free:
	kfree(port);
	return ERR_PTR(ret);
}

static struct net_device *port_dev(struct lpar_port *port)
{
	return rcu_dereference_protected(port->dev, lockdep_rtnl_is_held());
}

static struct lpar_port *nic_port(struct lpar_nic *nic)
{
	return rcu_dereference_protected(nic->port, lockdep_rtnl_is_held());
}

/* What its port is on. RTNL is held. Return: NULL: it is gone. */
static struct net_device *nic_dev(struct lpar_nic *nic)
{
	struct lpar_port *port = nic_port(nic);

	ASSERT_RTNL();
	return port ? port_dev(port) : NULL;
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
		hash_add_rcu(port->by_address, &a->hash, mac);
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
static int admit(struct lpar_port *port, struct lpar_nic *nic, struct net_device *dev)
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

/* All VLANs are let in that the device lets in. */
static void forget_vlans(struct lpar_nic *nic, struct net_device *dev)
{
	unsigned int vlan;

	WRITE_ONCE(nic->filters, false);
	for_each_set_bit(vlan, nic->vlans, LPAR_VLAN_MAX + 1) {
		clear_bit(vlan, nic->vlans);
		vlan_vid_del(dev, htons(ETH_P_8021Q), vlan);
	}
}

/* Take back what the device was told for a NIC. */
static void forget(struct lpar_port *port, struct lpar_nic *nic,
		   struct net_device *dev)
{
	struct lpar_address *a;

	if (!nic->aside)
		list_for_each_entry(a, &nic->addresses, link)
			filter(dev, a->mac, false);
	if (nic->vlan)
		vlan_vid_del(dev, htons(ETH_P_8021Q), nic->vlan);
	filter_again(nic, dev);
	forget_vlans(nic, dev);
	if (!nic->promisc)
		return;
	dev_set_promiscuity(dev, -1);
	WRITE_ONCE(nic->promisc, false);
	WRITE_ONCE(port->promisc, port->promisc - 1);
}

/**
 * lpar_port_join - put a NIC on a device
 * @nic: with its address; on no port
 * @dev: the device
 *
 * Context: RTNL is held; may sleep.
 * Return: 0; -EBUSY: the device is in a bridge, bond or macvlan; -EADDRINUSE:
 * another station of the same VLAN, or the host, has the address.
 */
int lpar_port_join(struct lpar_nic *nic, struct net_device *dev)
{
	struct lpar_port *port;
	int ret;

	ASSERT_RTNL();
	list_for_each_entry(port, &ports, link)
		if (port_dev(port) == dev)
			goto found;
	port = port_open(dev);
	if (IS_ERR(port))
		return PTR_ERR(port);
found:
	ret = -EADDRINUSE;
	if (taken(port, nic, nic->address, dev))
		goto err;
	ret = admit(port, nic, dev);
	if (ret)
		goto err;
	WRITE_ONCE(port->refs, port->refs + 1);
	list_add_tail_rcu(&nic->stations, &port->stations);
	rcu_assign_pointer(nic->port, port);
	return 0;

err:
	if (!port->refs) {
		list_del(&port->link);
		port_close(port, dev);
		kfree_rcu(port, rcu);
	}
	return ret;
}

/* Take it off its port. RTNL is held; sleeps until no softirq looks at it. */
void lpar_port_leave(struct lpar_nic *nic)
{
	struct lpar_port *port = nic_port(nic);
	struct lpar_address *a, *next;
	struct net_device *dev;

	ASSERT_RTNL();
	dev = port_dev(port);
	list_del_rcu(&nic->stations);
	RCU_INIT_POINTER(nic->port, NULL);
	if (dev)
		forget(port, nic, dev);
	list_for_each_entry_safe(a, next, &nic->addresses, link)
		drop_address(nic, NULL, a);
	nic->macs = 0;
	WRITE_ONCE(port->refs, port->refs - 1);
	if (!port->refs) {
		list_del(&port->link);
		if (dev)
			port_close(port, dev);
		kfree_rcu(port, rcu);
	}
	synchronize_net();
}

/* Another address of its own. RTNL is held. Return: 0, -EADDRINUSE, -ENODEV, … */
int lpar_port_address(struct lpar_nic *nic, u64 mac)
{
	struct lpar_port *port = nic_port(nic);
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
		if (taken(port, nic, mac, dev))
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
bool lpar_port_has_mac(struct lpar_nic *nic, u64 mac)
{
	return find_address(nic, mac);
}

/*
 * A further address, or no more. RTNL is held. Return: 0; -EADDRINUSE: another station's
 * or the host's, or not to be taken from it; -EDQUOT: it has as many as it can have;
 * -ENODEV, -ENOMEM, of the device.
 */
int lpar_port_mac(struct lpar_nic *nic, u64 mac, bool in)
{
	struct lpar_port *port = nic_port(nic);
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
	if (taken(port, nic, mac, dev))
		return -EADDRINUSE;
	if (nic->macs == LPAR_NIC_MACS)
		return -EDQUOT;
	ret = add_address(port, nic, dev, mac);
	if (!ret)
		nic->macs++;
	return ret;
}

/* It has no further addresses. RTNL is held. */
void lpar_port_forget_macs(struct lpar_nic *nic)
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
int lpar_port_aside(struct lpar_nic *nic, bool aside)
{
	struct lpar_port *port = nic_port(nic);
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
		hash_add_rcu(port->by_address, &a->hash, a->mac);
	WRITE_ONCE(nic->aside, false);
	return 0;

err:
	list_for_each_entry_continue_reverse(a, &nic->addresses, link)
		filter(dev, a->mac, false);
	return ret;
}

/* Let it see all frames, or no more. RTNL is held. Return: 0, -ENODEV, … */
int lpar_port_promisc(struct lpar_nic *nic, bool on)
{
	struct lpar_port *port = nic_port(nic);
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
	return 0;
}

/* Let it see no VLANs but those of lpar_port_vlan(); or all again, and none of those.
 * RTNL is held. Return: 0, -ENODEV, of the device. */
int lpar_port_filter_vlans(struct lpar_nic *nic, bool on)
{
	struct net_device *dev = nic_dev(nic);

	if (!dev)
		return -ENODEV;
	if (!on) {
		forget_vlans(nic, dev);
		return nic->trunk ? 0 : let_all_in(nic, dev);
	}
	WRITE_ONCE(nic->filters, true);
	filter_again(nic, dev);
	return 0;
}

/* Let it see a VLAN, or no more. RTNL is held. Return: 0, -ENODEV, of the device. */
int lpar_port_vlan(struct lpar_nic *nic, u16 vlan, bool in)
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

/* What the host uses a VLAN of a device with, or NULL. RTNL is held. */
struct net_device *lpar_port_host_vlan(struct net_device *dev, u16 vlan)
{
	struct net_device *upper;

	ASSERT_RTNL();
	rcu_read_lock();
	upper = __vlan_find_dev_deep_rcu(dev, htons(ETH_P_8021Q), vlan);
	rcu_read_unlock();
	return upper;
}

/* The host wants another address. RTNL is held. Return: for the notifier's caller. */
static int address_wanted(struct lpar_port *port,
			  const struct netdev_notifier_pre_changeaddr_info *info)
{
	if (!reserved(port, 0, lpar_core_mac(info->dev_addr)))
		return NOTIFY_DONE;
	NL_SET_ERR_MSG_MOD(netdev_notifier_info_to_extack(&info->info),
			   "a client's NIC has this address");
	return notifier_from_errno(-EADDRINUSE);
}

/* The host wants a VLAN of its own. RTNL is held. Return: for the notifier's caller. */
static int vlan_wanted(struct lpar_port *port,
		       const struct netdev_notifier_changeupper_info *info)
{
	struct net_device *upper = info->upper_dev;
	struct lpar_nic *nic;

	if (!info->linking || !is_vlan_dev(upper) ||
	    vlan_dev_vlan_proto(upper) != htons(ETH_P_8021Q))
		return NOTIFY_DONE;
	list_for_each_entry(nic, &port->stations, stations)
		if (nic->vlan && nic->vlan == vlan_dev_vlan_id(upper)) {
			NL_SET_ERR_MSG_MOD(netdev_notifier_info_to_extack(&info->info),
					   "a client's NIC is in this VLAN");
			return notifier_from_errno(-EBUSY);
		}
	return NOTIFY_DONE;
}

/* A device has changed, or goes. RTNL is held. */
static int port_event(struct notifier_block *nb, unsigned long event, void *data)
{
	struct net_device *dev = netdev_notifier_info_to_dev(data);
	struct lpar_port *port;
	struct lpar_nic *nic;

	list_for_each_entry(port, &ports, link)
		if (port_dev(port) == dev)
			goto found;
	return NOTIFY_DONE;

found:
	switch (event) {
	case NETDEV_PRE_CHANGEADDR:
		return address_wanted(port, data);
	case NETDEV_PRECHANGEUPPER:
		return vlan_wanted(port, data);
	case NETDEV_UNREGISTER:
		list_for_each_entry(nic, &port->stations, stations) {
			WRITE_ONCE(nic->fn.dead, true);
			forget(port, nic, dev);
		}
		port_close(port, dev);
		list_for_each_entry(nic, &port->stations, stations)
			lpar_net_purge(nic);
		fallthrough;
	case NETDEV_UP:
	case NETDEV_DOWN:
	case NETDEV_CHANGE:
	case NETDEV_CHANGEMTU:
	case NETDEV_FEAT_CHANGE:
		list_for_each_entry(nic, &port->stations, stations)
			queue_work(changes, &nic->change);
		break;
	}
	return NOTIFY_DONE;
}

static struct notifier_block notifier = { .notifier_call = port_event };

int lpar_port_init(void)
{
	int ret;

	changes = alloc_workqueue("lpar-ports", WQ_UNBOUND, 1);
	if (!changes)
		return -ENOMEM;
	ret = register_netdevice_notifier(&notifier);
	if (ret)
		destroy_workqueue(changes);
	return ret;
}

void lpar_port_exit(void)
{
	unregister_netdevice_notifier(&notifier);
	destroy_workqueue(changes);
}
