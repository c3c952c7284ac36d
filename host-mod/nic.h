/* SPDX-License-Identifier: GPL-2.0 */
#ifndef LPAR_HOST_NIC_H
#define LPAR_HOST_NIC_H

#include <linux/llist.h>
#include <linux/netdevice.h>

#include "core_nic.h"
#include "disk.h"
#include "function.h"

struct lpar_port;
struct lpar_queue;

/* Receive queues of one NIC. */
#define LPAR_NIC_QUEUES		16

/**
 * struct lpar_address - one that frames for a NIC have
 * @hash: in port->by_address unless the NIC is aside; under RTNL, read under RCU
 * @link: in nic->addresses, likewise
 * @nic:  whose it is
 * @mac:  the first byte is bits 40-47
 * @rcu:  frees it
 */
struct lpar_address {
	struct hlist_node hash;
	struct list_head link;
	struct lpar_nic *nic;
	u64 mac;
	struct rcu_head rcu;
};

/* A NIC's limits as clients are told; replaced as a whole. */
struct lpar_nic_state {
	struct lpar_nic_limits lim;
	struct rcu_head rcu;
};

/**
 * struct lpar_nic - a station on a host's network port, as a function of a partition
 *
 * The upper part is the administrator's wish, under partition->config and
 * constant while enabled; the lower one is what enabling it made of it.
 *
 * @fn:         what it has in common with other functions
 * @ifname:     the host's network device
 * @mac:        its address; 0: made when it is enabled
 * @queues:     most queues of the client for each direction; 0: by itself
 * @trusted:    see struct lpar_nic_limits
 * @vlan:       the VLAN that it is in, 1 … LPAR_VLAN_MAX; 0: none
 * @rate:       most that it sends, Mbit/s; 0: no limit
 * @wish:       the mode asked for
 * @primary:    PCI address of the VF that the client prefers to it; may be empty. For
 *              tools: the client finds that by its address
 * @port:       what it is on, until the device goes; under RTNL, read under RCU
 * @base:       the address that it was enabled with
 * @first:      of the adapter's queues for sending: where its own begin
 * @chosen:     the client has chosen addresses, promiscuity, VLANs, to be aside, or SAs;
 *              changes under the client's lock
 * @address:    its own, in force; under RTNL, read anywhere
 * @addresses:  that frames for it have: this and at most LPAR_NIC_MACS that its client
 *              has chosen; under RTNL, read under RCU
 * @macs:       of the latter, how many; under RTNL
 * @promisc:    sees all frames of the wire and the host; under RTNL, read anywhere
 * @aside:      the client is to be reached by @primary; under RTNL, read anywhere
 * @trunk:      its device was told not to filter VLANs; under RTNL
 * @filters:    of all VLANs it sees @vlans alone; under RTNL, read anywhere
 * @vlans:      that the client has let in, and its device with them; likewise
 * @sa_dev:     what its SAs are given to, until the device goes; ipsec.c's, as are
 * @sas:        SAs that its client has
 * @nr_sas:     how many; read anywhere
 * @stations:   in port->stations; under RTNL
 * @in_vlan:    in port->by_vlan by @vlan; under RTNL, read under RCU
 * @watches:    in port->watchers while @promisc, likewise
 * @receive:    the client's receive queues, read under RCU; under partition->lock
 * @receivers:  used entries of @receive, likewise
 * @state:      limits in force; replaced under partition->lock, read under RCU
 * @dropped:    frames that found no room, no receive queue, or too small a buffer, or
 *              have a VLAN tag
 * @foreign:    frames to send that had a foreign address or VLAN
 * @paid:       until when what it has sent takes at @rate, see lpar_core_rate_pay()
 * @paused:     times that sending had to wait for that
 * @late:       frames whose end waits for their driver; net_tx.c's
 * @end_late:   ends them
 * @change:     tells the client what has changed
 */
struct lpar_nic {
	struct lpar_fn fn;
	char ifname[IFNAMSIZ];
	u64 mac;
	u32 queues;
	bool trusted;
	u16 vlan;
	u32 rate;
	enum lpar_wish wish;
	char primary[LPAR_PCI_ADDRESS];

	struct lpar_port __rcu *port;
	u64 base;
	unsigned int first;
	bool chosen;
	u64 address;
	struct list_head addresses;
	unsigned int macs;
	bool promisc;
	bool aside;
	bool trunk;
	bool filters;
	DECLARE_BITMAP(vlans, LPAR_VLAN_MAX + 1);
	struct net_device *sa_dev;
	struct list_head sas;
	unsigned int nr_sas;
	struct list_head stations;
	struct hlist_node in_vlan;
	struct list_head watches;
	struct lpar_queue __rcu *receive[LPAR_NIC_QUEUES];
	unsigned int receivers;
	struct lpar_nic_state __rcu *state;
	atomic64_t dropped;
	atomic64_t foreign;
	atomic64_t paid;
	atomic64_t paused;
	struct llist_head late;
	struct work_struct end_late;
	struct work_struct change;
};

static inline struct lpar_nic *lpar_nic_of(struct lpar_fn *fn)
{
	return container_of(fn, struct lpar_nic, fn);
}

/* May it send and receive frames that have tags? */
static inline bool lpar_nic_tags(const struct lpar_nic *nic)
{
	return nic->trusted && !nic->vlan;
}

void lpar_nic_setup(struct lpar_nic *nic, struct lpar_partition *p);
int lpar_nic_enable(struct lpar_nic *nic);
int lpar_nic_disable(struct lpar_nic *nic, bool force);
int lpar_nic_records(struct lpar_nic *nic, void *data, size_t size);
void lpar_nic_limits(struct lpar_nic *nic, struct lpar_nic_limits *lim);
bool lpar_nic_refresh(struct lpar_nic *nic);
int lpar_nic_probe(struct lpar_probe *probe);
bool lpar_nic_ends_late(struct net_device *dev);

#endif
