// SPDX-License-Identifier: GPL-2.0
/*
 * The NIC of a hostile host: whom it is sent pings for answers them. A long one (of
 * LIAR_LONG bytes) is no longer answered, but has it lie.
 */
#include <linux/etherdevice.h>
#include <linux/icmp.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/random.h>
#include <linux/vmalloc.h>
#include <net/ip.h>

#include "liar.h"

#define FRAMES	32	/* that each long one brings */

struct ping {
	struct ethhdr eth;
	struct iphdr ip;
	struct icmphdr icmp;
} __packed;

u32 liar_nic_records(u8 *data, bool lying)
{
	static const struct {
		u16 type;
		u64 min, max, cur;
	} truth[] = {
		{ LPAR_CAP_MAC, 0x020000000011, 0x020000000011, 0x020000000011 },
		{ LPAR_CAP_MTU, 68, 9000, 1500 },
		{ LPAR_CAP_SEGMENTS, 17, 17, 17 },
		{ LPAR_CAP_DEPTH, 2, 256, 64 },
		{ LPAR_CAP_TX_QUEUES, 1, 1, 1 },
		{ LPAR_CAP_RX_QUEUES, 1, 1, 1 },
		{ LPAR_CAP_LINK, 1, 1, 1 },
		{ LPAR_CAP_SPEED, 1000, 1000, 1000 },
		{ LPAR_CAP_FULL_DUPLEX, 1, 1, 1 },
		{ LPAR_CAP_TX_CSUM, 1, 1, 1 },
		{ LPAR_CAP_TX_CSUM4, 0, 0, 0 },
		{ LPAR_CAP_TX_CSUM6, 0, 0, 0 },
		{ LPAR_CAP_TSO4, 65550, 65550, 65550 },
		{ LPAR_CAP_TSO6, 0, 0, 0 },
		{ LPAR_CAP_USO, 0, 0, 0 },
		{ LPAR_CAP_TSO_SEGMENTS, 65535, 65535, 65535 },
		{ LPAR_CAP_TX_VLAN, 1, 1, 1 },
		{ LPAR_CAP_RX_CSUM, 1, 1, 1 },
		{ LPAR_CAP_RX_VLAN, 1, 1, 1 },
		{ LPAR_CAP_RX_MERGED, 1, 1, 1 },
		{ LPAR_CAP_PROMISC, 0, 1, 0 },
		{ LPAR_CAP_ALLMULTI, 1, 1, 1 },
		{ LPAR_CAP_PORT_VLAN, 0, 0, 0 },
	};
	static const u64 odd[] = { 0, 1, 3, 67, 4095, 65551, 1 << 21, U32_MAX, 1ull << 40, U64_MAX };
	u32 victim = lying ? get_random_u32() % ARRAY_SIZE(truth) : U32_MAX;
	u32 at = 0, i;

	for (i = 0; i < ARRAY_SIZE(truth); i++) {
		struct {
			struct lpar_record head;
			struct lpar_value value;
		} r = {
			.head.type = cpu_to_le16(truth[i].type),
			.head.len = cpu_to_le16(sizeof(r)),
			.value.min = cpu_to_le64(truth[i].min),
			.value.max = cpu_to_le64(truth[i].max),
			.value.cur = cpu_to_le64(truth[i].cur),
		};

		if (i == victim)
			r.value.min = r.value.max = r.value.cur =
				cpu_to_le64(odd[get_random_u32() % ARRAY_SIZE(odd)]);
		memcpy(data + at, &r, sizeof(r));
		at += sizeof(r);
	}
	return at;
}

/* ---------------------------------------------------------------------- buffers */

/* The segments of a submission. */
static u32 segments(const struct liar_queue *q, u32 slot, const struct lpar_net_sqe *sqe,
		    struct lpar_seg *segs, u32 most)
{
	u32 n = min_t(u32, le16_to_cpu(sqe->nsegs), min(q->segs, most));

	if (le16_to_cpu(sqe->nsegs) > LPAR_SQE_SEGS)
		return liar_load(segs, q->gpa + lpar_queue_segs_offset(q->depth) +
				 slot * q->segs * sizeof(*segs), n * sizeof(*segs)) ? n : 0;
	memcpy(segs, sqe->seg, sizeof(sqe->seg));
	return le16_to_cpu(sqe->nsegs);
}

/* The next buffer's id, with its segments; U32_MAX: there is none. */
static u32 next_buffer(struct liar_queue *rx, struct lpar_seg *segs, u32 *nsegs)
{
	u32 slot = rx->sq_head & (rx->depth - 1);
	struct lpar_net_sqe sqe;
	__le32 tail;

	if (!rx->depth ||
	    !liar_load(&tail, rx->gpa + offsetof(struct lpar_queue_ctrl, sq_tail), sizeof(tail)) ||
	    rx->sq_head == le32_to_cpu(tail) ||
	    !liar_load(&sqe, rx->gpa + lpar_queue_sq_offset() + slot * sizeof(sqe), sizeof(sqe)))
		return U32_MAX;
	rx->sq_head++;
	*nsegs = segments(rx, slot, &sqe, segs, 17);
	return le16_to_cpu(sqe.id);
}

/* Put a frame into the next buffer, as far as it has room. */
static void give(struct liar_queue *rx, const struct lpar_net_rx *head, const u8 *frame, u32 len,
		 u32 lie)
{
	struct lpar_seg segs[17];
	u32 nsegs = 0, at = 0, i, n, in, id = next_buffer(rx, segs, &nsegs);

	if (id == U32_MAX)
		return;
	for (i = 0; i < nsegs && at < len; i++, at += n) {
		in = i ? 0 : sizeof(*head);
		n = min_t(u32, le32_to_cpu(segs[i].len) - in, len - at);
		if (!i)
			liar_store(le64_to_cpu(segs[i].addr), head, sizeof(*head));
		liar_store(le64_to_cpu(segs[i].addr) + in, frame + at, n);
	}
	n = sizeof(*head) + at;
	switch (lie) {
	case LIE_RX_UNKNOWN:
		liar_end(rx, 0xffff, LPAR_OK, n);
		break;
	case LIE_RX_TWICE:
		liar_end(rx, id, LPAR_OK, n);
		liar_end(rx, id, LPAR_OK, n);
		break;
	case LIE_RX_LONG:
		liar_end(rx, id, LPAR_OK, 1 << 20);
		break;
	case LIE_RX_SHORT:
		liar_end(rx, id, LPAR_OK, sizeof(*head) + ETH_HLEN - 1);
		break;
	case LIE_RX_AHEAD:
		rx->cq_tail += rx->depth + 1;
		break;
	case LIE_RX_NOWINDOW:
		liar_end(rx, id, LPAR_NOWINDOW, 0);
		break;
	default:
		liar_end(rx, id, LPAR_OK, n);
	}
}

/* ----------------------------------------------------------------------- frames */

static u32 one_in(u32 n)
{
	return !(get_random_u32() % n);
}

static u32 one_of(const u32 *set, u32 n)
{
	return set[get_random_u32() % n];
}

/* Something like TCP or UDP, for the guest or to be forwarded, and a head that may fit. */
static u32 invent(u8 *frame, const struct ethhdr *to, struct lpar_net_rx *head)
{
	static const u32 lens[] = { 14, 15, 33, 34, 53, 54, 66, 200, 1514, 4096, 20000, 65550 };
	static const u32 starts[] = { 0, 13, 14, 33, 34, 53, 54, 55, 1000, 65535 };
	static const u32 sizes[] = { 0, 1, 7, 8, 536, 1448, 9000, 65535 };
	u32 len = one_in(4) ? ETH_HLEN + get_random_u32() % 65537 : one_of(lens, ARRAY_SIZE(lens));
	bool v6 = one_in(2), tcp = one_in(2), local = one_in(2);
	struct ethhdr *eth = (void *)frame;
	u32 l4 = ETH_HLEN + (v6 ? sizeof(struct ipv6hdr) : sizeof(struct iphdr));
	struct ipv6hdr *ip6 = (void *)(eth + 1);
	struct iphdr *ip = (void *)(eth + 1);

	get_random_bytes(frame, 256);
	ether_addr_copy(eth->h_dest, to->h_source);
	ether_addr_copy(eth->h_source, to->h_dest);
	eth->h_proto = htons(one_in(20) ? ETH_P_8021Q : one_in(20) ? 0x88b5 : v6 ? ETH_P_IPV6 : ETH_P_IP);
	if (v6) {
		ip6->version = 6;
		ip6->payload_len = one_in(4) ? htons(get_random_u32()) : htons(len - l4);
		ip6->nexthdr = one_in(8) ? get_random_u32() : tcp ? IPPROTO_TCP : IPPROTO_UDP;
		ip6->hop_limit = 64;
		memset(&ip6->saddr, 0, sizeof(ip6->saddr));
		memset(&ip6->daddr, 0, sizeof(ip6->daddr));
		ip6->saddr.s6_addr[0] = 0xfd;
		ip6->daddr.s6_addr[0] = 0xfd;
		ip6->saddr.s6_addr[15] = 2;
		ip6->daddr.s6_addr[15] = local ? 0x11 : 0x12;
	} else {
		ip->version = 4;
		ip->ihl = one_in(8) ? get_random_u32() : 5;
		ip->tot_len = one_in(4) ? htons(get_random_u32()) : htons(len - ETH_HLEN);
		ip->frag_off = one_in(8) ? htons(get_random_u32()) : 0;
		ip->ttl = 64;
		ip->protocol = one_in(8) ? IPPROTO_GRE : tcp ? IPPROTO_TCP : IPPROTO_UDP;
		ip->saddr = htonl(0x0a090002);
		ip->daddr = htonl(local ? 0x0a09000b : 0x0a0a0001);
		ip_send_check(ip);
	}
	if (tcp && !one_in(4))
		frame[l4 + 12] = 5 << 4;

	*head = (struct lpar_net_rx){
		.flags = one_in(8) ? get_random_u32() & 7 : one_in(30) ? 8 : LPAR_NET_RX_CSUM,
		.gso_type = one_in(4) ? LPAR_GSO_NONE : one_in(8) ? get_random_u32() & 7 :
			    !tcp ? LPAR_GSO_UDP : v6 ? LPAR_GSO_TCP6 : LPAR_GSO_TCP4,
		.gso_size = cpu_to_le16(one_in(3) ? one_of(sizes, ARRAY_SIZE(sizes)) : 1400),
		.headers = cpu_to_le16(get_random_u32()),
		.csum_start = cpu_to_le16(one_in(4) ? one_of(starts, ARRAY_SIZE(starts)) : l4),
		.csum_offset = cpu_to_le16(one_in(8) ? get_random_u32() : tcp ? 16 : 6),
		.vlan_tci = cpu_to_le16(get_random_u32()),
	};
	if (head->gso_type == LPAR_GSO_NONE && !one_in(4))
		head->gso_size = 0;
	return len;
}

static void answer(struct liar_queue *rx, u8 *frame, u32 len)
{
	struct lpar_net_rx head = {};
	struct ping *p = (void *)frame;
	u8 mac[ETH_ALEN];

	ether_addr_copy(mac, p->eth.h_dest);
	ether_addr_copy(p->eth.h_dest, p->eth.h_source);
	ether_addr_copy(p->eth.h_source, mac);
	swap(p->ip.saddr, p->ip.daddr);
	p->icmp.type = ICMP_ECHOREPLY;
	p->icmp.checksum = 0;
	p->icmp.checksum = ip_compute_csum(&p->icmp, len - offsetof(struct ping, icmp));
	give(rx, &head, frame, len, HONEST);
}

/* All buffers are given back at once: their windows are not known. */
void liar_nic_away(struct liar_queue *rx)
{
	struct lpar_seg segs[17];
	u32 nsegs, id;

	while ((id = next_buffer(rx, segs, &nsegs)) != U32_MAX)
		liar_end(rx, id, LPAR_NOWINDOW, 0);
}

/* One frame to send, and what is untrue about it. Returns bits for the queue's state. */
u32 liar_nic_serve(struct liar_queue *tx, struct liar_queue *rx, u32 lie)
{
	u32 slot = tx->sq_head++ & (tx->depth - 1), len = 0, nsegs, i, n;
	struct lpar_net_sqe sqe;
	struct lpar_net_rx head;
	struct lpar_seg segs[17];
	struct ethhdr eth;
	struct ping *p;
	bool echo;
	u8 *frame;

	if (!liar_load(&sqe, tx->gpa + lpar_queue_sq_offset() + slot * sizeof(sqe), sizeof(sqe)))
		return 0;
	frame = vzalloc(LPAR_NET_FRAME_MAX);
	if (!frame)
		return LPAR_QUEUE_BROKEN;
	nsegs = segments(tx, slot, &sqe, segs, ARRAY_SIZE(segs));
	for (i = 0; i < nsegs; i++, len += n) {
		n = min_t(u32, le32_to_cpu(segs[i].len), LPAR_NET_FRAME_MAX - len);
		liar_load(frame + len, le64_to_cpu(segs[i].addr), n);
	}
	p = (void *)frame;
	echo = len >= sizeof(*p) && p->eth.h_proto == htons(ETH_P_IP) &&
	       p->ip.protocol == IPPROTO_ICMP && p->icmp.type == ICMP_ECHO;
	if (!echo || len < LIAR_LONG) {
		liar_end(tx, le16_to_cpu(sqe.id), LPAR_OK, 0);
		if (echo)
			answer(rx, frame, len);
		goto out;
	}

	switch (lie) {
	case LIE_NET_UNKNOWN:
		liar_end(tx, (le16_to_cpu(sqe.id) + 1) % tx->depth, LPAR_OK, 0);
		break;
	case LIE_NET_TWICE:
		liar_end(tx, le16_to_cpu(sqe.id), LPAR_OK, 0);
		liar_end(tx, le16_to_cpu(sqe.id), LPAR_OK, 0);
		break;
	case LIE_NET_BYTES:
		liar_end(tx, le16_to_cpu(sqe.id), LPAR_OK, len);
		break;
	case LIE_NET_NEVER:
		break;
	default:
		liar_end(tx, le16_to_cpu(sqe.id), LPAR_OK, 0);
	}
	eth = p->eth;
	for (i = 0; lie == LIE_RX_FRAMES && i < FRAMES; i++) {
		len = invent(frame, &eth, &head);
		give(rx, &head, frame, len, lie);
	}
	if (lie >= LIE_RX_UNKNOWN && lie < LIE_RX_FRAMES) {
		memset(&head, 0, sizeof(head));
		give(rx, &head, frame, len, lie);
	}
	if (lie == LIE_RX_AWAY)
		rx->away = true;
out:
	vfree(frame);
	return 0;
}
