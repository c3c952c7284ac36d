// SPDX-License-Identifier: GPL-2.0
/*
 * Ports: the clients' stations on a host's network device, and the switch between
 * them, the host and the wire. What arrives is taken where the device hands it to
 * the stack (rx_handler), what the host sends where it hands it to the device
 * (netfilter's egress hook): in softirq only the owner is found and the frame is
 * queued; it is copied on the CPU time that the client donates.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/delay.h>
#include <linux/etherdevice.h>
#include <linux/if_vlan.h>
#include <linux/rtnetlink.h>
#include <linux/slab.h>

#include "compat.h"
#include "ipsec.h"
#include "net.h"
#include "port.h"
#include "station.h"

/* Stations that a frame for many is given to at once, in softirq; and frames that wait
 * where there are more. */
#define AT_ONCE		16
#define WAITING		256

static LIST_HEAD(ports);	/* under RTNL */
unsigned int lpar_port_nics;	/* on all of them; under RTNL, read anywhere */

/* Tells clients of changes, one at a time: each takes RTNL. */
static struct workqueue_struct *changes;

/* Have a NIC's client told what has changed. Any context. */
void lpar_port_tell(struct lpar_nic *nic)
{
	queue_work(changes, &nic->change);
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

/* A copy of a frame, if its VLAN is for a station. RCU is held. */
static void give_copy(struct lpar_nic *nic, u16 vlan, struct sk_buff *skb)
{
	struct sk_buff *copy;

	if (READ_ONCE(nic->aside) || !lpar_station_sees(nic, vlan))
		return;
	/* those of bridges, and what switches tell each other, are for whoever is trusted
	 * to be one */
	if (is_link_local_ether_addr(eth_hdr(skb)->h_dest) && !nic->trusted)
		return;
	/* nobody pays for copies that nobody takes */
	if (!READ_ONCE(nic->receivers)) {
		atomic64_inc(&nic->dropped);
		return;
	}
	copy = skb_clone(skb, GFP_ATOMIC);
	if (copy)
		lpar_net_arrive(nic, copy);
	else
		atomic64_inc(&nic->dropped);
}

/* Is a frame's VLAN one that stations can be put into? */
static bool in_one(u16 vlan)
{
	return vlan && vlan <= LPAR_VLAN_MAX;
}

/* To all stations that were put into a VLAN, or into none, but @from. RCU is held. */
static void give_copies(struct lpar_port *port, u16 in, struct lpar_nic *from, u16 vlan,
			struct sk_buff *skb)
{
	struct lpar_nic *nic;

	hlist_for_each_entry_rcu(nic, &port->by_vlan[in], in_vlan)
		if (nic != from)
			give_copy(nic, vlan, skb);
}

/* Give copies of a frame to all whom it is for but @from: of a group's to all stations, of
 * others to those that see all. RCU is held. */
void lpar_port_spread(struct lpar_port *port, struct lpar_nic *from,
		      struct sk_buff *skb)
{
	u16 vlan = vlan_of(skb);
	struct lpar_nic *nic;

	if (!is_multicast_ether_addr(eth_hdr(skb)->h_dest)) {
		list_for_each_entry_rcu(nic, &port->watchers, watches)
			if (nic != from)
				give_copy(nic, vlan, skb);
		return;
	}
	give_copies(port, 0, from, vlan, skb);
	/* so that stations in other VLANs cost it nothing */
	if (in_one(vlan))
		give_copies(port, vlan, from, vlan, skb);
}

/* Whom a waiting frame is not for; may be gone, and is only compared. */
#define EXCEPT(skb)	(*(struct lpar_nic **)(skb)->cb)

/* Nobody is charged for it, and a client can make the host send to many: it rests three times as
 * long behind each frame, so that it takes a quarter of a CPU. */
#define SPREAD_REST		3
#define SPREAD_REST_MOST_NS	(NSEC_PER_SEC / 100)

static void spread_waiting(struct work_struct *work)
{
	struct lpar_port *port = container_of(work, struct lpar_port, spread);
	struct sk_buff *skb;
	u64 ns;

	while ((skb = skb_dequeue(&port->waiting))) {
		ns = ktime_get_ns();
		rcu_read_lock();
		lpar_port_spread(port, EXCEPT(skb), skb);
		rcu_read_unlock();
		consume_skb(skb);
		ns = (ktime_get_ns() - ns) * SPREAD_REST;
		fsleep(min_t(u64, ns, SPREAD_REST_MOST_NS) / NSEC_PER_USEC);
		/* a short rest is none for others */
		cond_resched();
	}
}

/* How many were put into a VLAN, or into none; those that are too many are not all counted.
 * RCU is held. */
static unsigned int stations_in(struct lpar_port *port, u16 in)
{
	struct lpar_nic *nic;
	unsigned int n = 0;

	hlist_for_each_entry_rcu(nic, &port->by_vlan[in], in_vlan)
		if (++n > AT_ONCE)
			break;
	return n;
}

/* lpar_port_spread() for a softirq, which may be anybody's: it is short. RCU is held. */
static void spread(struct lpar_port *port, struct lpar_nic *except,
		   struct sk_buff *skb)
{
	unsigned int most = READ_ONCE(port->promisc);
	struct sk_buff *copy;
	u16 vlan;

	if (is_multicast_ether_addr(eth_hdr(skb)->h_dest)) {
		vlan = vlan_of(skb);
		most = stations_in(port, 0) + (in_one(vlan) ? stations_in(port, vlan) : 0);
	}

	/* of the host's TLS, which the adapter encrypts, nobody sees the plain text */
	if (!most || lpar_compat_decrypted(skb))
		return;
	if (most <= AT_ONCE) {
		lpar_port_spread(port, except, skb);
		return;
	}
	/* to one each refuses it: see lpar_ipsec_received() */
	if (xfrm_offload(skb))
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

/* Is it one that passes? @skb: NULL: the only one that can be on this way. Whoever has
 * preemption on has a frame of his own. */
static bool passes(struct passing __percpu *passing, const struct lpar_port *port,
		   const struct sk_buff *skb)
{
	struct passing *p = raw_cpu_ptr(passing);

	if (!p->skb || (skb && p->skb != skb) || p->port != port)
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

	/* which an XDP program of the device may have had copied */
	if (unlikely(skb->pkt_type == PACKET_LOOPBACK) || passes(&giving, port, NULL))
		return RX_HANDLER_PASS;
	vlan = vlan_of(skb);
	/* a client's frame that a wire reflects */
	if (lpar_station_find(port, vlan, lpar_core_mac(eth_hdr(skb)->h_source), true))
		return RX_HANDLER_PASS;
	group = is_multicast_ether_addr(eth_hdr(skb)->h_dest);
	nic = group ? NULL :
	      lpar_station_find(port, vlan, lpar_core_mac(eth_hdr(skb)->h_dest), false);
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

/*
 * From the wire, and GRO has taken it for the host's IPsec: a frame for a client, or for
 * nobody. Softirq, RCU is held. Consumes @skb, which begins with its Ethernet header.
 */
void lpar_port_decrypted(struct sk_buff *skb)
{
	struct lpar_nic *nic = NULL;
	struct lpar_port *port;

	if (rcu_access_pointer(skb->dev->rx_handler) == port_receive) {
		port = rcu_dereference(skb->dev->rx_handler_data);
		nic = lpar_station_find(port, vlan_of(skb),
					lpar_core_mac(eth_hdr(skb)->h_dest), false);
	}
	if (nic)
		lpar_net_arrive(nic, skb);
	else
		kfree_skb(skb);
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
	      lpar_station_find(port, vlan, lpar_core_mac(eth_hdr(skb)->h_dest), false);
	spread(port, nic, skb);
	if (!nic)
		return NF_ACCEPT;
	/* a generator of traffic sends the same one again */
	skb = skb_share_check(skb, GFP_ATOMIC);
	if (skb && lpar_compat_decrypted(skb))
		kfree_skb(skb);
	else if (skb)
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
	skb_queue_purge(&port->waiting);
	cancel_work_sync(&port->spread);
	netdev_put(dev, &port->tracker);
}

static struct lpar_port *port_open(struct net_device *dev)
{
	struct lpar_port *port = kvzalloc(sizeof(*port), GFP_KERNEL);
	int ret;

	ASSERT_RTNL();
	if (!port)
		return ERR_PTR(-ENOMEM);
	INIT_LIST_HEAD(&port->stations);
	INIT_LIST_HEAD(&port->watchers);
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
	port->ends_late = lpar_nic_ends_late(dev);
	netdev_hold(dev, &port->tracker, GFP_KERNEL);
	rcu_assign_pointer(port->dev, dev);
	list_add(&port->link, &ports);
	return port;

err_handler:
	netdev_rx_handler_unregister(dev);
err_free:
	kvfree(port);
	return ERR_PTR(ret);
}

/* Are its frames somebody else's: a bridge's, a bond's, macvlans'? RTNL is held. */
bool lpar_port_taken(struct net_device *dev)
{
	ASSERT_RTNL();
	return netdev_is_rx_handler_busy(dev) &&
	       rtnl_dereference(dev->rx_handler) != port_receive;
}

/**
 * lpar_port_join - put a NIC on a device
 * @nic: with its address; on no port
 * @dev: the device, not lpar_port_taken()
 *
 * Context: RTNL is held; may sleep.
 * Return: 0; -EADDRINUSE: another station of the same VLAN, or the host, has the
 * address; of the device.
 */
int lpar_port_join(struct lpar_nic *nic, struct net_device *dev)
{
	struct lpar_port *port;
	int ret;

	ASSERT_RTNL();
	list_for_each_entry(port, &ports, link)
		if (lpar_port_dev(port) == dev)
			goto found;
	port = port_open(dev);
	if (IS_ERR(port))
		return PTR_ERR(port);
found:
	ret = -EADDRINUSE;
	if (lpar_station_taken(port, nic, nic->address, dev))
		goto err;
	ret = lpar_station_admit(port, nic, dev);
	if (ret)
		goto err;
	lpar_ipsec_begin(nic, dev);
	WRITE_ONCE(port->refs, port->refs + 1);
	WRITE_ONCE(lpar_port_nics, lpar_port_nics + 1);
	list_add_tail(&nic->stations, &port->stations);
	hlist_add_head_rcu(&nic->in_vlan, &port->by_vlan[nic->vlan]);
	rcu_assign_pointer(nic->port, port);
	return 0;

err:
	if (!port->refs) {
		list_del(&port->link);
		port_close(port, dev);
		kvfree_rcu(port, rcu);
	}
	return ret;
}

/* Take it off its port. RTNL is held; sleeps until no softirq looks at it. */
void lpar_port_leave(struct lpar_nic *nic)
{
	struct lpar_port *port = lpar_nic_port(nic);
	struct net_device *dev;

	ASSERT_RTNL();
	dev = lpar_port_dev(port);
	list_del(&nic->stations);
	hlist_del_rcu(&nic->in_vlan);
	RCU_INIT_POINTER(nic->port, NULL);
	if (dev)
		lpar_station_forget(port, nic, dev);
	lpar_station_drop_addresses(nic);
	WRITE_ONCE(port->refs, port->refs - 1);
	WRITE_ONCE(lpar_port_nics, lpar_port_nics - 1);
	if (!port->refs) {
		list_del(&port->link);
		if (dev)
			port_close(port, dev);
		kvfree_rcu(port, rcu);
	}
	synchronize_net();
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
	if (!lpar_station_reserved(port, 0, lpar_core_mac(info->dev_addr)))
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
		if (lpar_port_dev(port) == dev)
			goto found;
	return NOTIFY_DONE;

found:
	/* its driver chooses that while it is set up, and is sent to before we are told */
	if (event == NETDEV_PRE_UP)
		WRITE_ONCE(port->ends_late, true);
	else if (event == NETDEV_UP)
		WRITE_ONCE(port->ends_late, lpar_nic_ends_late(dev));
	switch (event) {
	case NETDEV_PRE_CHANGEADDR:
		return address_wanted(port, data);
	case NETDEV_PRE_TYPE_CHANGE:
		pr_warn("%s: stays an Ethernet device while clients have NICs on it\n", dev->name);
		return notifier_from_errno(-EBUSY);
	case NETDEV_PRECHANGEUPPER:
		return vlan_wanted(port, data);
	case NETDEV_UNREGISTER:
		list_for_each_entry(nic, &port->stations, stations) {
			WRITE_ONCE(nic->fn.dead, true);
			lpar_station_forget(port, nic, dev);
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
			lpar_port_tell(nic);
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
