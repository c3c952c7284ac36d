// SPDX-License-Identifier: GPL-2.0
/*
 * A NIC's capability records: bounds first, then whether the values make sense.
 * The stack believes what a driver says of itself, so nothing reaches it unchecked.
 */
#ifdef __KERNEL__
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/string.h>
#else
#include <endian.h>
#include <errno.h>
#include <string.h>

#define le16_to_cpu(x) le16toh(x)
#define le64_to_cpu(x) le64toh(x)
#endif

#include "net_caps.h"

#define NIC_MTU_MIN	68u
#define NIC_MTU_MAX	65535u
#define NIC_TSO_MIN	4096u	/* less is not worth it */
#define NIC_TSO_MAX	65536u
#define NIC_SPEED_MAX	0x7fffffffu
#define NIC_VLANS	4094u	/* all of them: the stack counts none */

/* Records that are known: those of all functions, and a NIC's own. */
enum nic_record {
	NIC_SEGMENTS,
	NIC_DEPTH,
	NIC_FIRST,
	NIC_RECORDS = NIC_FIRST + LPAR_CAP_MACS - LPAR_CAP_MAC + 1,
};

struct nic_raw {
	bool named;
	bool seen[NIC_RECORDS];
	__u64 min[NIC_RECORDS];
	__u64 max[NIC_RECORDS];
	__u64 cur[NIC_RECORDS];
};

/* Where a value record goes; NIC_RECORDS for one that is to be skipped. */
static unsigned int nic_index(unsigned int type)
{
	if (type == LPAR_CAP_SEGMENTS)
		return NIC_SEGMENTS;
	if (type == LPAR_CAP_DEPTH)
		return NIC_DEPTH;
	if (type >= LPAR_CAP_MAC && type <= LPAR_CAP_MACS)
		return NIC_FIRST + type - LPAR_CAP_MAC;
	return NIC_RECORDS;
}

static __u64 nic_get(const struct nic_raw *raw, unsigned int type, __u64 absent)
{
	unsigned int i = nic_index(type);

	return raw->seen[i] ? raw->cur[i] : absent;
}

/* May 0 and 1 both be chosen? */
static bool nic_free(const struct nic_raw *raw, unsigned int type)
{
	unsigned int i = nic_index(type);

	return raw->seen[i] && !raw->min[i] && raw->max[i];
}

static __u64 nic_min(__u64 a, __u64 b)
{
	return a < b ? a : b;
}

/* The greatest power of two that is at most @value, within what queues can be. */
static __u32 nic_depth(__u64 value)
{
	__u32 depth = LPAR_QUEUE_DEPTH_MAX;

	while (depth > value)
		depth /= 2;
	return depth;
}

static void nic_text(char *to, const __u8 *from, __u32 len)
{
	__u32 end = 0, i;

	for (i = 0; i < len && from[i]; i++) {
		to[i] = from[i] >= 0x20 && from[i] < 0x7f ? from[i] : '_';
		if (to[i] != ' ')
			end = i + 1;
	}
	to[end] = '\0';
}

static int nic_name(const __u8 *body, __u32 len, struct nic_raw *raw,
		    struct lpar_nic_caps *caps, const char **why)
{
	*why = "the name is there twice, or too long";
	if (raw->named || len > LPAR_TEXT_MAX)
		return -EPROTO;
	raw->named = true;
	nic_text(caps->name, body, len);
	return 0;
}

static int nic_value(const __u8 *body, __u32 len, struct nic_raw *raw,
		     unsigned int i, const char **why)
{
	struct lpar_value value;

	*why = "a record is there twice";
	if (raw->seen[i])
		return -EPROTO;
	raw->seen[i] = true;
	*why = "a record has the wrong size";
	if (len != sizeof(value))
		return -EPROTO;
	memcpy(&value, body, sizeof(value));
	raw->min[i] = le64_to_cpu(value.min);
	raw->max[i] = le64_to_cpu(value.max);
	raw->cur[i] = le64_to_cpu(value.cur);
	*why = "a value is outside its own range";
	if (raw->cur[i] < raw->min[i] || raw->cur[i] > raw->max[i])
		return -EPROTO;
	return 0;
}

static int nic_walk(const __u8 *data, __u32 len, struct nic_raw *raw,
		    struct lpar_nic_caps *caps, const char **why)
{
	struct lpar_record head;
	__u32 at = 0, body, type;
	int err = 0;

	while (at < len && !err) {
		*why = "a record is cut off";
		if (len - at < sizeof(head))
			return -EPROTO;
		memcpy(&head, data + at, sizeof(head));
		type = le16_to_cpu(head.type);
		body = le16_to_cpu(head.len);
		if (body < sizeof(head) || body % 8 || body > len - at)
			return -EPROTO;
		*why = "a reserved field is not zero";
		if (head.reserved)
			return -EPROTO;
		at += sizeof(head);
		body -= sizeof(head);
		if (type == LPAR_CAP_NAME)
			err = nic_name(data + at, body, raw, caps, why);
		else if (nic_index(type) < NIC_RECORDS)
			err = nic_value(data + at, body, raw, nic_index(type), why);
		at += body;
	}
	return err;
}

static int nic_check_address(const struct nic_raw *raw,
			     struct lpar_nic_caps *caps, const char **why)
{
	unsigned int mtu = nic_index(LPAR_CAP_MTU), i = nic_index(LPAR_CAP_MAC);
	__u64 mac = nic_get(raw, LPAR_CAP_MAC, 0);
	int byte;

	*why = "MAC address";
	if (!mac || mac >> 48 || (mac >> 40 & 1))
		return -ERANGE;
	for (byte = 0; byte < 6; byte++)
		caps->mac[byte] = mac >> (40 - 8 * byte);
	caps->mac_free = raw->min[i] < raw->max[i];

	*why = "MTU";
	if (!raw->seen[mtu] || raw->min[mtu] < NIC_MTU_MIN ||
	    raw->max[mtu] > NIC_MTU_MAX)
		return -ERANGE;
	caps->mtu = raw->cur[mtu];
	caps->mtu_min = raw->min[mtu];
	caps->mtu_max = raw->max[mtu];
	return 0;
}

static int nic_check_queues(const struct nic_raw *raw,
			    struct lpar_nic_caps *caps, const char **why)
{
	__u64 tx = nic_get(raw, LPAR_CAP_TX_QUEUES, 1);
	__u64 rx = nic_get(raw, LPAR_CAP_RX_QUEUES, 1);
	__u64 depth = nic_get(raw, LPAR_CAP_DEPTH, 0);
	__u64 segments = nic_get(raw, LPAR_CAP_SEGMENTS, 1);

	*why = "queues";
	if (!tx || !rx)
		return -ERANGE;
	caps->tx_queues = nic_min(tx, LPAR_DOORBELLS_MAX);
	caps->rx_queues = nic_min(rx, LPAR_DOORBELLS_MAX);

	*why = "queue depth";
	if (depth < LPAR_QUEUE_DEPTH_MIN)
		return -ERANGE;
	caps->depth = nic_depth(depth);
	caps->depth_most = nic_depth(raw->max[NIC_DEPTH]);

	*why = "segments";
	if (!segments)
		return -ERANGE;
	caps->segments = nic_min(segments, LPAR_QUEUE_SEGS_MAX);
	return 0;
}

static __u32 nic_tso(const struct nic_raw *raw, unsigned int type)
{
	__u64 bytes = nic_get(raw, type, 0);

	return bytes < NIC_TSO_MIN ? 0 : nic_min(bytes, NIC_TSO_MAX);
}

/* What does not make sense is not offered. */
static void nic_take_optional(const struct nic_raw *raw,
			      struct lpar_nic_caps *caps)
{
	__u64 value;

	caps->link = nic_get(raw, LPAR_CAP_LINK, 0);
	value = nic_get(raw, LPAR_CAP_SPEED, 0);
	caps->speed = value <= NIC_SPEED_MAX ? value : 0;
	caps->full_duplex = nic_get(raw, LPAR_CAP_FULL_DUPLEX, 0);

	caps->tx_csum = nic_get(raw, LPAR_CAP_TX_CSUM, 0);
	caps->tx_csum4 = nic_get(raw, LPAR_CAP_TX_CSUM4, 0);
	caps->tx_csum6 = nic_get(raw, LPAR_CAP_TX_CSUM6, 0);
	caps->tso4 = nic_tso(raw, LPAR_CAP_TSO4);
	caps->tso6 = nic_tso(raw, LPAR_CAP_TSO6);
	caps->uso = nic_tso(raw, LPAR_CAP_USO);
	value = nic_get(raw, LPAR_CAP_TSO_SEGMENTS, NIC_MTU_MAX);
	caps->tso_segments = nic_min(value, NIC_MTU_MAX);
	/* A frame to be segmented has its headers and its payload apart. */
	if (caps->segments < 2 || caps->tso_segments < 2) {
		caps->tso4 = 0;
		caps->tso6 = 0;
		caps->uso = 0;
	}

	caps->tx_vlan = nic_get(raw, LPAR_CAP_TX_VLAN, 0);
	caps->rx_csum = nic_get(raw, LPAR_CAP_RX_CSUM, 0);
	caps->rx_vlan = nic_get(raw, LPAR_CAP_RX_VLAN, 0);
	caps->rx_merged = nic_get(raw, LPAR_CAP_RX_MERGED, 0);
	caps->promisc_free = nic_free(raw, LPAR_CAP_PROMISC);
	caps->allmulti_free = nic_free(raw, LPAR_CAP_ALLMULTI);
	caps->standby = nic_free(raw, LPAR_CAP_STANDBY);
	caps->vlan_filter = nic_free(raw, LPAR_CAP_VLAN_FILTER) &&
			    nic_get(raw, LPAR_CAP_VLANS, 0) >= NIC_VLANS;
	caps->macs = nic_min(nic_get(raw, LPAR_CAP_MACS, 0), NIC_MTU_MAX);
	caps->sas = nic_min(nic_get(raw, LPAR_CAP_IPSEC, 0), NIC_MTU_MAX);
	value = nic_get(raw, LPAR_CAP_PORT_VLAN, 0);
	caps->port_vlan = value < 4095 ? value : 0;
}

/**
 * lpar_nic_caps_parse - turn a NIC's records into values (seed 001, fig. 6)
 * @data: a private copy of the records
 * @len:  its bytes
 * @caps: result, undefined after an error
 * @why:  what was wrong, for the log
 *
 * What the records do not offer is not offered. Pure, never sleeps.
 *
 * Return: 0, -EPROTO (malformed records) or -ERANGE (a value is implausible).
 */
int lpar_nic_caps_parse(const void *data, __u32 len, struct lpar_nic_caps *caps,
			const char **why)
{
	struct nic_raw raw = {};
	int err;

	memset(caps, 0, sizeof(*caps));
	err = nic_walk(data, len, &raw, caps, why);
	if (!err)
		err = nic_check_address(&raw, caps, why);
	if (!err)
		err = nic_check_queues(&raw, caps, why);
	if (!err)
		nic_take_optional(&raw, caps);
	return err;
}
