/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Capability records of a NIC, parsed and checked: pure, also built into KUnit and
 * user-space fuzzers.
 */
#ifndef LPAR_GUEST_NET_CAPS_H
#define LPAR_GUEST_NET_CAPS_H

#include <linux/types.h>

#ifndef __KERNEL__
#include <stdbool.h>
#endif

#include <lpar/wire.h>

/**
 * struct lpar_nic_caps - what a NIC can do, in values that were found plausible
 * @name:         the NIC's name in the partition, printable, may be empty
 * @mac:          a unicast address, not zero
 * @mac_free:     another one may be chosen
 * @mtu:          now, @mtu_min … @mtu_max
 * @mtu_min:      at least 68
 * @mtu_max:      at most 65535
 * @tx_queues:    at least 1
 * @rx_queues:    at least 1
 * @depth:        a power of two, LPAR_QUEUE_DEPTH_MIN … LPAR_QUEUE_DEPTH_MAX
 * @depth_most:   what may be asked for, likewise
 * @segments:     of a frame to send, 1 … LPAR_QUEUE_SEGS_MAX; 1: no scatter-gather
 * @speed:        Mbit/s; 0: unknown
 * @tso4:         most bytes of a frame to segment; 0: not offered
 * @tso6:         likewise
 * @uso:          likewise
 * @tso_segments: that one may become, at least 2 where any is offered
 * @port_vlan:    frames are of this VLAN, untagged; 0: none
 * @link:         up
 * @full_duplex:  not half
 * @tx_csum:      of any protocol
 * @tx_csum4:     TCP and UDP over IPv4
 * @tx_csum6:     TCP and UDP over IPv6
 * @tx_vlan:      inserts a tag
 * @rx_csum:      checks received ones
 * @rx_vlan:      removes a tag
 * @rx_merged:    gives frames that are yet to be segmented
 * @promisc_free: may be chosen
 * @allmulti_free: may be chosen
 * @vlan_filter:  may be told which VLANs are wanted
 * @macs:         further addresses that it can be given
 * @sas:          SAs (ESP) that the adapter can be given; 0: no offload
 * @standby:      a VF with the same address is to be preferred
 */
struct lpar_nic_caps {
	char name[LPAR_TEXT_MAX + 1];
	__u8 mac[6];
	bool mac_free;
	__u32 mtu;
	__u32 mtu_min;
	__u32 mtu_max;
	__u32 tx_queues;
	__u32 rx_queues;
	__u32 depth;
	__u32 depth_most;
	__u32 segments;
	__u32 speed;
	__u32 tso4;
	__u32 tso6;
	__u32 uso;
	__u32 tso_segments;
	__u32 port_vlan;
	__u32 macs;
	__u32 sas;
	bool link;
	bool full_duplex;
	bool tx_csum;
	bool tx_csum4;
	bool tx_csum6;
	bool tx_vlan;
	bool rx_csum;
	bool rx_vlan;
	bool rx_merged;
	bool promisc_free;
	bool allmulti_free;
	bool vlan_filter;
	bool standby;
};

int lpar_nic_caps_parse(const void *data, __u32 len, struct lpar_nic_caps *caps,
			const char **why);

#endif
