/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A port: a host's network device that NICs share with the host's own stack, and
 * the switch between them. RTNL protects all ports.
 */
#ifndef LPAR_HOST_PORT_H
#define LPAR_HOST_PORT_H

#include <linux/hashtable.h>
#include <linux/netfilter.h>
#include <linux/rtnetlink.h>
#include <linux/skbuff.h>

#include "nic.h"

/**
 * struct lpar_port - see above
 * @link:       in the list of all ports
 * @refs:       NICs on it; under RTNL, read anywhere
 * @dev:        the device; NULL when it is going. Read under RCU
 * @tracker:    of the reference to it
 * @egress:     hook for what the host sends
 * @ends_late:  see lpar_nic_ends_late(); under RTNL, read anywhere
 * @stations:   lpar_nic.stations of all of them
 * @watchers:   lpar_nic.watches of those that see all frames
 * @waiting:    frames for many of them, when those are too many for a softirq
 * @spread:     gives them out
 * @promisc:    how many of them see all frames; under RTNL, read anywhere
 * @rcu:        frees it
 * @by_address: lpar_address.hash, read under RCU
 * @by_vlan:    lpar_nic.in_vlan of all of them, likewise; one list for each VLAN, so that
 *              others' length does not matter in softirq
 */
struct lpar_port {
	struct list_head link;
	unsigned int refs;
	struct net_device __rcu *dev;
	netdevice_tracker tracker;
	struct nf_hook_ops egress;
	bool hooked;
	bool ends_late;
	struct list_head stations;
	struct list_head watchers;
	struct sk_buff_head waiting;
	struct work_struct spread;
	unsigned int promisc;
	struct rcu_head rcu;	/* kfree_rcu() wants it in the first page */
	DECLARE_HASHTABLE(by_address, 10);
	struct hlist_head by_vlan[LPAR_VLAN_MAX + 1];
};

/* RTNL is held. */
static inline struct net_device *lpar_port_dev(struct lpar_port *port)
{
	return rcu_dereference_protected(port->dev, lockdep_rtnl_is_held());
}

static inline struct lpar_port *lpar_nic_port(struct lpar_nic *nic)
{
	return rcu_dereference_protected(nic->port, lockdep_rtnl_is_held());
}

extern unsigned int lpar_port_nics;

bool lpar_port_taken(struct net_device *dev);
int lpar_port_join(struct lpar_nic *nic, struct net_device *dev);
void lpar_port_leave(struct lpar_nic *nic);
void lpar_port_tell(struct lpar_nic *nic);
struct net_device *lpar_port_host_vlan(struct net_device *dev, u16 vlan);

void lpar_port_spread(struct lpar_port *port, struct lpar_nic *from,
		      struct sk_buff *skb);

void lpar_port_send(struct lpar_port *port, struct sk_buff *skb);
void lpar_port_decrypted(struct sk_buff *skb);
void lpar_port_give(struct lpar_port *port, struct sk_buff *skb);

int lpar_port_init(void);
void lpar_port_exit(void);

#endif
