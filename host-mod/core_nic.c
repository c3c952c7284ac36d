// SPDX-License-Identifier: GPL-2.0
/* Decoding and checking what a client's NIC wrote; see core_nic.h. */
#include "core_nic.h"
#include "records.h"

#define TYPE_VLAN	0x8100
#define TYPE_QINQ	0x88a8
#define TYPE_IP4	0x0800
#define TYPE_IP6	0x86dd
#define PROTO_TCP	6
#define PROTO_UDP	17
#define PROTO_ESP	50
#define PORT_BOOTPS	67

/* The checksum's place in both headers. */
#define TCP_CSUM	16
#define UDP_CSUM	6

static u16 get16(const u8 *at)
{
	return at[0] << 8 | at[1];
}

static enum lpar_status check_frame_segs(const struct lpar_frame *f,
				   const struct lpar_seg *segs)
{
	u64 total = 0;
	u32 i;

	for (i = 0; i < f->nsegs; i++) {
		u64 addr = le64_to_cpu(segs[i].addr);
		u32 len = le32_to_cpu(segs[i].len);

		if (segs[i].reserved || !len || len > f->len)
			return LPAR_INVAL;
		/* in one window: so addr + len cannot wrap either */
		if ((addr & (LPAR_WINDOW_SIZE - 1)) + len > LPAR_WINDOW_SIZE)
			return LPAR_INVAL;
		total += len;
	}
	return total == f->len ? LPAR_OK : LPAR_INVAL;
}

static enum lpar_status check_send(struct lpar_frame *f,
				   const struct lpar_nic_limits *lim)
{
	u32 most = lim->mtu_max + LPAR_NET_FRAME_MIN;

	if (f->flags & ~(LPAR_NET_CSUM | LPAR_NET_VLAN) ||
	    f->headers < LPAR_NET_FRAME_MIN || f->headers > f->len ||
	    f->headers > LPAR_NET_HEADERS_MAX || f->nsegs > lim->segments)
		return LPAR_INVAL;
	if (f->flags & LPAR_NET_CSUM) {
		if (!lim->tx_csum && !lim->tx_csum4 && !lim->tx_csum6)
			return LPAR_NOTSUPP;
		if (f->csum_start < LPAR_NET_FRAME_MIN ||
		    (u32)f->csum_start + f->csum_offset + 2 > f->headers)
			return LPAR_INVAL;
	} else if (f->csum_start || f->csum_offset) {
		return LPAR_INVAL;
	}
	if (f->flags & LPAR_NET_VLAN) {
		if (!lim->tx_vlan)
			return LPAR_NOTSUPP;
	} else if (f->vlan_tci) {
		return LPAR_INVAL;
	}
	if (f->sa) {
		if (!lim->ipsec)
			return LPAR_NOTSUPP;
		/* sums and segments would be of what is encrypted */
		if (f->flags & LPAR_NET_CSUM || f->gso_type != LPAR_GSO_NONE)
			return LPAR_INVAL;
	}
	switch (f->gso_type) {
	case LPAR_GSO_NONE:
		/* with a tag in the frame itself: see lpar_core_headers() */
		if (f->gso_size || f->len > most + 4)
			return LPAR_INVAL;
		return LPAR_OK;
	case LPAR_GSO_TCP4:
		most = lim->tso4;
		break;
	case LPAR_GSO_TCP6:
		most = lim->tso6;
		break;
	case LPAR_GSO_UDP:
		most = lim->uso;
		break;
	default:
		return LPAR_INVAL;
	}
	if (!most)
		return LPAR_NOTSUPP;
	/* segments are frames that the adapter sends; few make many of them */
	if (!(f->flags & LPAR_NET_CSUM) || f->len > most || f->len == f->headers ||
	    f->gso_size < 8 ||
	    f->gso_size + (u32)f->headers > lim->mtu_max + LPAR_NET_FRAME_MIN ||
	    (f->len - f->headers - 1) / f->gso_size >= lim->tso_segments)
		return LPAR_INVAL;
	/* one that is not to be cut is a frame like others */
	if (f->len - f->headers <= f->gso_size) {
		f->gso_type = LPAR_GSO_NONE;
		f->gso_size = 0;
	}
	return LPAR_OK;
}

enum lpar_status lpar_core_frame(const struct lpar_net_sqe *sqe,
				 const struct lpar_seg *segs,
				 const struct lpar_nic_limits *lim, bool receive,
				 struct lpar_frame *out)
{
	struct lpar_frame f = {
		.id = le16_to_cpu(sqe->id),
		.nsegs = le16_to_cpu(sqe->nsegs),
		.len = le32_to_cpu(sqe->len),
		.headers = le16_to_cpu(sqe->headers),
		.flags = sqe->flags,
		.gso_type = sqe->gso_type,
		.gso_size = le16_to_cpu(sqe->gso_size),
		.csum_start = le16_to_cpu(sqe->csum_start),
		.csum_offset = le16_to_cpu(sqe->csum_offset),
		.vlan_tci = le16_to_cpu(sqe->vlan_tci),
		.sa = le16_to_cpu(sqe->sa),
	};
	enum lpar_status st;
	u32 i;

	*out = f;
	if (sqe->op != (receive ? LPAR_NET_RECEIVE : LPAR_NET_SEND))
		return LPAR_NOSYS;
	if (sqe->reserved || sqe->reserved3)
		return LPAR_INVAL;
	for (i = 0; f.nsegs > LPAR_SQE_SEGS && i < LPAR_SQE_SEGS; i++)
		if (sqe->seg[i].addr || sqe->seg[i].len || sqe->seg[i].reserved)
			return LPAR_INVAL;
	if (!f.nsegs || f.nsegs > LPAR_QUEUE_SEGS_MAX)
		return LPAR_INVAL;
	if (receive) {
		if (f.headers || f.flags || f.gso_type || f.gso_size ||
		    f.csum_start || f.csum_offset || f.vlan_tci || f.sa ||
		    f.len > LPAR_WINDOW_SIZE ||
		    f.len < sizeof(struct lpar_net_rx) + LPAR_NET_FRAME_MIN)
			return LPAR_INVAL;
	} else {
		if (f.len > LPAR_NET_FRAME_MAX)
			return LPAR_INVAL;
		st = check_send(out, lim);
		if (st != LPAR_OK)
			return st;
	}
	return segs ? check_frame_segs(&f, segs) : LPAR_OK;
}

u32 lpar_core_wire_bytes(const struct lpar_net_sqe *sqe)
{
	u32 len = le32_to_cpu(sqe->len);
	u32 headers = le16_to_cpu(sqe->headers);
	u32 size = le16_to_cpu(sqe->gso_size);

	if (len > LPAR_NET_FRAME_MAX)
		len = LPAR_NET_FRAME_MAX;
	if (headers > LPAR_NET_HEADERS_MAX)
		headers = LPAR_NET_HEADERS_MAX;
	/* no legal segment is smaller */
	if (!sqe->gso_type || size < 8 || len <= headers)
		return len;
	return len + (len - headers - 1) / size * headers;
}

/* Where the transport header of an IP packet starts, its protocol; 0: no such. */
static u32 transport(const u8 *data, u32 headers, u16 type, u8 *proto)
{
	const u8 *ip = data + LPAR_NET_FRAME_MIN;
	u32 len;

	if (type == TYPE_IP4) {
		if (headers < LPAR_NET_FRAME_MIN + 20 || ip[0] >> 4 != 4)
			return 0;
		len = (ip[0] & 15) * 4;
		/* a fragment has no transport header of its own */
		if (len < 20 || get16(ip + 6) & 0x3fff)
			return 0;
		*proto = ip[9];
		return LPAR_NET_FRAME_MIN + len;
	}
	if (type == TYPE_IP6) {
		if (headers < LPAR_NET_FRAME_MIN + 40 || ip[0] >> 4 != 6)
			return 0;
		*proto = ip[6];
		return LPAR_NET_FRAME_MIN + 40;
	}
	return 0;
}

/* What is to be segmented: plain TCP or UDP, and all its headers are known. */
static bool gso_ok(const u8 *data, u16 type, u8 proto, const struct lpar_frame *f)
{
	u32 at = f->csum_start, len;

	switch (f->gso_type) {
	case LPAR_GSO_TCP4:
		if (type != TYPE_IP4 || proto != PROTO_TCP)
			return false;
		break;
	case LPAR_GSO_TCP6:
		if (type != TYPE_IP6 || proto != PROTO_TCP)
			return false;
		break;
	default:
		return proto == PROTO_UDP && f->headers == at + 8 &&
		       f->csum_offset == UDP_CSUM;
	}
	if (f->headers < at + 20)
		return false;
	len = (data[at + 12] >> 4) * 4;
	return len >= 20 && f->headers == at + len && f->csum_offset == TCP_CSUM;
}

enum lpar_status lpar_core_headers(const u8 *data, u32 have,
				   const struct lpar_frame *f,
				   const struct lpar_nic_limits *lim)
{
	bool tagged;
	u8 proto = 0;
	u16 type;
	u32 at;

	if (have < f->headers)
		return LPAR_INVAL;
	type = get16(data + 12);
	tagged = type == TYPE_VLAN || type == TYPE_QINQ;
	/* 01:80:c2:00:00:0x is for switches: pause, spanning tree, … */
	if (!lim->trusted && (lpar_core_mac(data + 6) != lim->mac ||
			      lpar_core_mac(data) >> 4 == 0x0180c2000000 >> 4))
		return LPAR_PROTECTION;
	if ((!lim->trusted || lim->vlan) && (tagged || f->flags & LPAR_NET_VLAN))
		return LPAR_PROTECTION;
	/* a tag in the frame itself is no part of its length */
	if (f->gso_type == LPAR_GSO_NONE && !tagged &&
	    f->len > lim->mtu_max + LPAR_NET_FRAME_MIN)
		return LPAR_INVAL;
	if (!(f->flags & LPAR_NET_CSUM))
		return LPAR_OK;
	/* drivers look at the network header in front; the stack may take it off */
	if (f->csum_start < LPAR_NET_FRAME_MIN + (type == TYPE_IP6 ? 40 : 20))
		return LPAR_INVAL;
	at = transport(data, f->headers, type, &proto);
	if (f->gso_type != LPAR_GSO_NONE)
		return at == f->csum_start && gso_ok(data, type, proto, f) ?
			       LPAR_OK : LPAR_INVAL;
	if (lim->tx_csum)
		return LPAR_OK;
	/* an adapter that knows TCP and UDP alone */
	if (at != f->csum_start || !(type == TYPE_IP4 ? lim->tx_csum4 : lim->tx_csum6))
		return LPAR_INVAL;
	return (proto == PROTO_TCP && f->csum_offset == TCP_CSUM) ||
	       (proto == PROTO_UDP && f->csum_offset == UDP_CSUM) ?
		       LPAR_OK : LPAR_INVAL;
}

u16 lpar_core_frame_vlan(const u8 *data, u32 have, const struct lpar_frame *f,
			 const struct lpar_nic_limits *lim)
{
	u16 type = get16(data + 12);

	if (lim->vlan)
		return lim->vlan;
	if (f->flags & LPAR_NET_VLAN)
		return lpar_core_vlan(TYPE_VLAN, f->vlan_tci);
	if (type != TYPE_VLAN && type != TYPE_QINQ)
		return 0;
	/* half a tag is none that anybody knows */
	return have < LPAR_NET_FRAME_MIN + 2 ? LPAR_VLAN_OTHER :
	       lpar_core_vlan(type, get16(data + LPAR_NET_FRAME_MIN));
}

static bool zero(const u8 *at, u32 len)
{
	while (len)
		if (at[--len])
			return false;
	return true;
}

enum lpar_status lpar_core_sa(const struct lpar_sa *sa)
{
	if (!sa->spi || sa->reserved ||
	    sa->flags & ~(LPAR_SA_IN | LPAR_SA_TUNNEL | LPAR_SA_IPV6) ||
	    (sa->icv != 8 && sa->icv != 12 && sa->icv != 16) ||
	    (sa->key_len != 16 + LPAR_SA_SALT && sa->key_len != 24 + LPAR_SA_SALT &&
	     sa->key_len != LPAR_SA_KEY_MAX) ||
	    !zero(sa->key + sa->key_len, sizeof(sa->key) - sa->key_len))
		return LPAR_INVAL;
	if (!(sa->flags & LPAR_SA_IPV6) &&
	    (!zero(sa->src + 4, sizeof(sa->src) - 4) ||
	     !zero(sa->dst + 4, sizeof(sa->dst) - 4)))
		return LPAR_INVAL;
	return LPAR_OK;
}

/* Bytes of an ESP header, and of the IV behind it (RFC 4106). */
#define ESP_HEADER	8
#define ESP_IV		8

enum lpar_status lpar_core_esp(const u8 *data, u32 len, u32 spi, bool ipv6, u32 icv,
			       struct lpar_esp *out)
{
	const u8 *ip = data + LPAR_NET_FRAME_MIN;
	u32 bytes, trailer;
	u8 proto = 0;

	if (len < LPAR_NET_FRAME_MIN || get16(data + 12) != (ipv6 ? TYPE_IP6 : TYPE_IP4))
		return LPAR_INVAL;
	out->at = transport(data, len, ipv6 ? TYPE_IP6 : TYPE_IP4, &proto);
	if (!out->at || proto != PROTO_ESP)
		return LPAR_INVAL;
	bytes = ipv6 ? 40u + get16(ip + 4) : get16(ip + 2);
	trailer = 2 + icv;
	if (bytes != len - LPAR_NET_FRAME_MIN ||
	    len < out->at + ESP_HEADER + ESP_IV + trailer)
		return LPAR_INVAL;
	if (((u32)get16(data + out->at) << 16 | get16(data + out->at + 2)) != spi)
		return LPAR_INVAL;
	/* its padding, how much that is, the protocol, the check value */
	if (len < out->at + ESP_HEADER + ESP_IV + trailer + data[len - trailer])
		return LPAR_INVAL;
	out->seq = (u32)get16(data + out->at + 4) << 16 | get16(data + out->at + 6);
	out->inner = data[len - trailer + 1];
	return LPAR_OK;
}

bool lpar_core_whole(const u8 *data, u32 have, u32 len)
{
	u32 udp;

	if (have >= len)
		return false;
	/* what cannot be told may be one */
	if (have < LPAR_NET_FRAME_MIN + 20)
		return true;
	if (get16(data + 12) != TYPE_IP4 || data[LPAR_NET_FRAME_MIN + 9] != PROTO_UDP)
		return false;
	/* as drivers do: without a look at how long it can be */
	udp = LPAR_NET_FRAME_MIN + (data[LPAR_NET_FRAME_MIN] & 15) * 4;
	return have < udp + 4 || get16(data + udp + 2) == PORT_BOOTPS;
}

int lpar_core_nic_records(void *buf, size_t size,
			  const struct lpar_nic_limits *lim, const char *name)
{
	struct lpar_writer w = { .at = buf, .left = size };
	u64 any = lim->trusted ? (1ull << 48) - 1 : 0;

	lpar_put_text(&w, LPAR_CAP_NAME, name);
	lpar_put_value(&w, LPAR_CAP_MAC, any ? 0 : lim->mac, any ?: lim->mac,
		       lim->mac);
	lpar_put_value(&w, LPAR_CAP_MTU, lim->mtu_min, lim->mtu_max, lim->mtu);
	lpar_put_fixed(&w, LPAR_CAP_SEGMENTS, lim->segments);
	lpar_put_value(&w, LPAR_CAP_DEPTH, LPAR_QUEUE_DEPTH_MIN,
		       LPAR_QUEUE_DEPTH_MAX, 256);
	lpar_put_value(&w, LPAR_CAP_TX_QUEUES, 1, lim->queues, lim->queues);
	lpar_put_value(&w, LPAR_CAP_RX_QUEUES, 1, lim->queues, lim->queues);
	lpar_put_fixed(&w, LPAR_CAP_LINK, lim->link);
	lpar_put_fixed(&w, LPAR_CAP_SPEED, lim->speed);
	lpar_put_fixed(&w, LPAR_CAP_FULL_DUPLEX, lim->full_duplex);
	lpar_put_fixed(&w, LPAR_CAP_TX_CSUM, lim->tx_csum);
	lpar_put_fixed(&w, LPAR_CAP_TX_CSUM4, lim->tx_csum4);
	lpar_put_fixed(&w, LPAR_CAP_TX_CSUM6, lim->tx_csum6);
	lpar_put_fixed(&w, LPAR_CAP_TSO4, lim->tso4);
	lpar_put_fixed(&w, LPAR_CAP_TSO6, lim->tso6);
	lpar_put_fixed(&w, LPAR_CAP_USO, lim->uso);
	lpar_put_fixed(&w, LPAR_CAP_TSO_SEGMENTS, lim->tso_segments);
	lpar_put_fixed(&w, LPAR_CAP_TX_VLAN, lim->tx_vlan);
	lpar_put_fixed(&w, LPAR_CAP_RX_CSUM, lim->rx_csum);
	lpar_put_fixed(&w, LPAR_CAP_RX_VLAN, lim->rx_vlan);
	lpar_put_fixed(&w, LPAR_CAP_RX_MERGED, 1);
	lpar_put_value(&w, LPAR_CAP_PROMISC, 0, lim->trusted, lim->promisc);
	/* as a switch: everybody gets it */
	lpar_put_fixed(&w, LPAR_CAP_ALLMULTI, 1);
	lpar_put_fixed(&w, LPAR_CAP_PORT_VLAN, lim->vlan);
	lpar_put_fixed(&w, LPAR_CAP_IPSEC, lim->ipsec ? LPAR_NIC_SAS : 0);
	lpar_put_fixed(&w, LPAR_CAP_TOE, 0);
	lpar_put_value(&w, LPAR_CAP_STANDBY, 0, lim->standby, lim->aside);
	lpar_put_value(&w, LPAR_CAP_VLAN_FILTER, 0, lim->vlan_filters,
		       lim->vlan_filters && lim->vlan_filter);
	lpar_put_fixed(&w, LPAR_CAP_VLANS, lim->vlan_filters ? LPAR_VLAN_MAX : 0);
	lpar_put_fixed(&w, LPAR_CAP_MACS, lim->trusted ? LPAR_NIC_MACS : 0);
	return w.full ? -ENOSPC : (int)(size - w.left);
}

enum lpar_status lpar_core_nic_set(const struct lpar_nic_limits *lim, u64 cap,
				   u64 value)
{
	switch (cap) {
	case LPAR_CAP_MAC:
		if (!lim->trusted)
			return LPAR_NOTSUPP;
		return lpar_core_mac_ok(value) ? LPAR_OK : LPAR_RANGE;
	case LPAR_CAP_PROMISC:
		return value <= lim->trusted ? LPAR_OK : LPAR_RANGE;
	case LPAR_CAP_STANDBY:
		return value <= lim->standby ? LPAR_OK : LPAR_RANGE;
	case LPAR_CAP_VLAN_FILTER:
		/* an end can be put to it when the adapter does not filter any more */
		return value <= lim->vlan_filters ? LPAR_OK : LPAR_RANGE;
	case LPAR_CAP_VLANS:
		if (!lim->vlan_filters)
			return LPAR_NOTSUPP;
		value &= ~(u64)LPAR_VLAN_OUT;
		return value && value <= LPAR_VLAN_MAX ? LPAR_OK : LPAR_RANGE;
	case LPAR_CAP_MACS:
		if (!lim->trusted)
			return LPAR_NOTSUPP;
		return lpar_core_mac_ok(value & ~LPAR_MAC_OUT) ? LPAR_OK : LPAR_RANGE;
	default:
		return LPAR_NOTSUPP;
	}
}
