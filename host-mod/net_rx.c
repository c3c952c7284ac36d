// SPDX-License-Identifier: GPL-2.0
/* The net server: what clients receive. See net.c. */
#include <linux/etherdevice.h>
#include <linux/if_vlan.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/mm.h>
#include <linux/tcp.h>
#include <linux/udp.h>
#include <net/dst.h>

#include "compat.h"
#include "dispatch.h"
#include "ipsec.h"
#include "net_frame.h"
#include "port.h"

/* Frames that wait for a client which does not donate: for each queue. */
#define BACKLOG		512

/* Bytes of memory that the parts of one frame can wait in, whatever there is. A frame of 64 KiB
 * that is cut as a network wants it takes less; parts of a few bytes each take more. */
#define PARTS		(192 << 10)

static u32 backlog_most(unsigned int receivers)
{
	return lpar_core_backlog((u64)totalram_pages() << PAGE_SHIFT,
				 READ_ONCE(lpar_port_nics), receivers);
}

/* One more for the client, for whom one can wait however long it is. Return: false: too much
 * waits for it. */
static bool backlog_add(struct lpar_queue *q, struct sk_buff *skb, unsigned int receivers)
{
	u32 most = backlog_most(receivers);
	struct sk_buff_head *b = &q->backlog;
	unsigned long flags;
	bool room;

	spin_lock_irqsave(&b->lock, flags);
	room = skb_queue_empty(b) ||
	       (skb_queue_len(b) < BACKLOG && q->backlog_bytes + skb->truesize <= most);
	if (room) {
		q->backlog_bytes += skb->truesize;
		__skb_queue_tail(b, skb);
	}
	spin_unlock_irqrestore(&b->lock, flags);
	return room;
}

/* Memory of frames that wait outside of the backlog is part of it as well. Return: false: there
 * is not that much room, nor is it little. */
static bool charge(struct lpar_queue *q, u32 bytes, u32 little)
{
	u32 most = backlog_most(READ_ONCE(lpar_net_nic(q)->receivers));
	unsigned long flags;
	bool room;

	spin_lock_irqsave(&q->backlog.lock, flags);
	room = bytes <= little || q->backlog_bytes + bytes <= most;
	if (room)
		q->backlog_bytes += bytes;
	spin_unlock_irqrestore(&q->backlog.lock, flags);
	return room;
}

static struct sk_buff *backlog_take(struct lpar_queue *q)
{
	struct sk_buff_head *b = &q->backlog;
	struct sk_buff *skb;
	unsigned long flags;

	spin_lock_irqsave(&b->lock, flags);
	skb = __skb_dequeue(b);
	if (skb)
		q->backlog_bytes -= skb->truesize;
	spin_unlock_irqrestore(&b->lock, flags);
	return skb;
}

/* A frame may wait long: it keeps no socket, route or memory of others. Any context
 * but hard interrupt. Return: false: there is no memory. */
bool lpar_net_detach(struct sk_buff *skb)
{
	if (skb_orphan_frags_rx(skb, GFP_ATOMIC))
		return false;
	skb_orphan(skb);
	skb_dst_drop(skb);
	nf_reset_ct(skb);
	skb_ext_reset(skb);
	return true;
}

/* Tags are for those who are trusted with them; a mere priority is none. Return: false:
 * the frame is not for this client, or there is no memory. */
static bool untag(const struct lpar_nic *nic, struct sk_buff *skb)
{
	bool beside = skb_vlan_tag_present(skb);
	u16 tci;

	if (lpar_nic_tags(nic))
		/* the wire knows one kind of removed tag */
		return !beside || skb->vlan_proto == htons(ETH_P_8021Q);
	/* it gets the frames of its VLAN, or of none, alone: see station.c */
	if (beside && (nic->vlan || !skb_vlan_tag_get_id(skb)))
		__vlan_hwaccel_clear_tag(skb);
	else if (!beside && eth_hdr(skb)->h_proto == htons(ETH_P_8021Q) &&
		 __skb_vlan_pop(skb, &tci))
		return false;
	return !skb_vlan_tag_present(skb) && !eth_type_vlan(eth_hdr(skb)->h_proto);
}

/**
 * lpar_net_arrive - queue a frame for a client (softirq, or a sender's time)
 * @nic: whose
 * @skb: from its Ethernet header on; consumed
 *
 * Context: any but hard interrupt; RCU is held.
 */
void lpar_net_arrive(struct lpar_nic *nic, struct sk_buff *skb)
{
	unsigned int receivers = READ_ONCE(nic->receivers), n;
	struct lpar_queue *q = NULL;
	int sa;

	if (receivers) {
		n = receivers == 1 ? 0 : skb_get_hash(skb) % receivers;
		q = rcu_dereference(nic->receive[n]);
		if (q && !lpar_users_tryget(&q->users))
			q = NULL;
	}
	if (!q)
		goto drop;
	if (!untag(nic, skb))
		goto drop;
	sa = lpar_ipsec_received(nic, skb);
	if (sa < 0)
		goto drop;
	if (skb_queue_len_lockless(&q->backlog) >= BACKLOG || !lpar_net_detach(skb))
		goto drop;
	skb->dev = NULL;
	LPAR_NET_SA(skb) = sa;
	if (!backlog_add(q, skb, receivers))
		goto drop;
	lpar_queue_arrived(q);
	lpar_queue_put(q);
	return;

drop:
	atomic64_inc(&nic->dropped);
	kfree_skb(skb);
	if (q)
		lpar_queue_put(q);
}

/* Its device goes: what waits may be memory that is mapped for it, and the client
 * may never come for it. */
void lpar_net_purge(struct lpar_nic *nic)
{
	struct lpar_queue *q;
	struct sk_buff *skb;
	unsigned int i;

	rcu_read_lock();
	for (i = 0; i < LPAR_NIC_QUEUES; i++) {
		q = rcu_dereference(nic->receive[i]);
		if (!q || !lpar_users_tryget(&q->users))
			continue;
		while ((skb = backlog_take(q))) {
			atomic64_inc(&nic->dropped);
			kfree_skb(skb);
		}
		/* what a server has taken already, the next one drops */
		lpar_dispatch_keep(q);
		lpar_queue_put(q);
	}
	rcu_read_unlock();
}

static struct sk_buff *waiting_take(struct lpar_queue *q)
{
	struct sk_buff *skb = q->waiting;
	unsigned long flags;

	if (!skb)
		return NULL;
	q->waiting = skb->next;
	skb_mark_not_on_list(skb);
	spin_lock_irqsave(&q->backlog.lock, flags);
	q->backlog_bytes -= skb->truesize;
	spin_unlock_irqrestore(&q->backlog.lock, flags);
	return skb;
}

/* The NIC is dead. With LPAR_Q_SERVING held. */
void lpar_net_drop_waiting(struct lpar_queue *q)
{
	struct sk_buff *skb;

	while ((skb = waiting_take(q))) {
		atomic64_inc(&lpar_net_nic(q)->dropped);
		kfree_skb(skb);
	}
}

static void frame_wait(struct lpar_queue *q, struct sk_buff *skb)
{
	charge(q, skb->truesize, U32_MAX);
	skb->next = q->waiting;
	q->waiting = skb;
}

/* Its parts wait in its place, where they are not too many for that. To cut a tunnel's frame the stack looks at its device,
 * so it gets one again. */
static void cut(struct lpar_queue *q, struct sk_buff *skb)
{
	struct sk_buff *segs = ERR_PTR(-ENODEV), *s, *last = NULL;
	struct lpar_port *port;
	u32 bytes = 0;

	rcu_read_lock();
	port = rcu_dereference(lpar_net_nic(q)->port);
	skb->dev = port ? rcu_dereference(port->dev) : NULL;
	/* the stack warns of one that was merged unchecked */
	if (skb->dev && (skb->ip_summed == CHECKSUM_PARTIAL ||
			 skb->ip_summed == CHECKSUM_UNNECESSARY))
		segs = skb_gso_segment(skb, NETIF_F_SG | NETIF_F_HW_CSUM);
	for (s = IS_ERR(segs) ? NULL : segs; s; s = s->next) {
		s->dev = NULL;
		LPAR_NET_SA(s) = 0;
		bytes += s->truesize;
		last = s;
	}
	skb->dev = NULL;
	rcu_read_unlock();
	if (!last || !charge(q, bytes, PARTS)) {
		atomic64_inc(&lpar_net_nic(q)->dropped);
		kfree_skb_list(last ? segs : NULL);
		kfree_skb(skb);
		return;
	}
	consume_skb(skb);
	last->next = q->waiting;
	q->waiting = segs;
}

/*
 * Describe a frame that is yet to be cut, when the wire has words for it, and the
 * client's driver will find it as it says. Return: false: it is to be cut here.
 */
static bool describe_merged(const struct sk_buff *skb, struct lpar_net_rx *head)
{
	const struct skb_shared_info *info = skb_shinfo(skb);
	unsigned int type = info->gso_type & ~(SKB_GSO_DODGY | SKB_GSO_TCP_FIXEDID);
	__be16 proto = ((const struct ethhdr *)skb->data)->h_proto;
	unsigned int start, network, headers;
	const struct tcphdr *th;
	struct tcphdr copy;

	if (skb->ip_summed != CHECKSUM_PARTIAL || skb->encapsulation ||
	    skb->len > LPAR_NET_FRAME_MAX)
		return false;
	if (proto == htons(ETH_P_IP))
		network = sizeof(struct iphdr);
	else if (proto == htons(ETH_P_IPV6))
		network = sizeof(struct ipv6hdr);
	else
		return false;
	start = skb_checksum_start_offset(skb);
	if (start < ETH_HLEN + network || start > skb->len)
		return false;
	if (type == SKB_GSO_UDP_L4 && skb->csum_offset == offsetof(struct udphdr, check)) {
		head->gso_type = LPAR_GSO_UDP;
		headers = start + sizeof(struct udphdr);
	} else if (type == (proto == htons(ETH_P_IP) ? SKB_GSO_TCPV4 : SKB_GSO_TCPV6) &&
		   skb->csum_offset == offsetof(struct tcphdr, check)) {
		head->gso_type = proto == htons(ETH_P_IP) ? LPAR_GSO_TCP4 : LPAR_GSO_TCP6;
		th = skb_header_pointer(skb, start, sizeof(copy), &copy);
		if (!th || th->doff < sizeof(copy) / 4)
			return false;
		headers = start + th->doff * 4;
	} else {
		return false;
	}
	if (skb->len <= headers + info->gso_size ||
	    (head->gso_type == LPAR_GSO_UDP &&
	     skb->len - headers > LPAR_NET_UDP_SEGMENTS * info->gso_size))
		return false;
	head->gso_size = cpu_to_le16(info->gso_size);
	head->headers = cpu_to_le16(headers);
	return true;
}

/*
 * The next frame that a buffer is wanted for, cut to what the client can take. No more than
 * @left are looked at that are lost: others send more meanwhile, and their time is not the
 * client's.
 */
static struct sk_buff *next_frame(struct lpar_queue *q, bool merged, unsigned int *left)
{
	struct lpar_net_rx unused;
	struct sk_buff *skb;

	for (; *left; --*left) {
		skb = waiting_take(q) ?: backlog_take(q);
		if (!skb || !skb_is_gso(skb) || (merged && describe_merged(skb, &unused)))
			return skb;
		/* merged by the host's GRO, or never cut: on the client's time */
		cut(q, skb);
	}
	return NULL;
}

/* What is left to sum up is for the client, which knows one kind of sum: SCTP's is
 * another. Return: false: no memory for it. */
static bool sums_ok(struct sk_buff *skb)
{
	return skb->ip_summed != CHECKSUM_PARTIAL ||
	       !skb_csum_hwoffload_help(skb, NETIF_F_HW_CSUM);
}

struct pourer {
	const struct lpar_net_rx *head;
	const struct sk_buff *skb;
	u32 at;
};

static bool pour(struct lpar_window *w, unsigned int offset, unsigned int len,
		 void *arg)
{
	struct pourer *p = arg;

	while (len) {
		unsigned int in = offset_in_page(offset);
		unsigned int n = min_t(unsigned int, len, PAGE_SIZE - in);
		void *to = page_address(lpar_window_page(w, offset)) + in;

		if (p->at < sizeof(*p->head)) {
			n = min_t(unsigned int, n, sizeof(*p->head) - p->at);
			memcpy(to, (const void *)p->head + p->at, n);
		} else if (skb_copy_bits(p->skb, p->at - sizeof(*p->head), to, n)) {
			return false;
		}
		p->at += n;
		offset += n;
		len -= n;
	}
	return true;
}

static struct lpar_net_rx head_of(const struct sk_buff *skb,
				  const struct lpar_nic_limits *lim)
{
	struct lpar_net_rx head = { .sa = cpu_to_le16(LPAR_NET_SA(skb)) };

	/* only one that has words got here uncut */
	if (skb_is_gso(skb))
		describe_merged(skb, &head);
	if (skb->ip_summed == CHECKSUM_UNNECESSARY && lim->rx_csum) {
		head.flags |= LPAR_NET_RX_CSUM_OK;
	} else if (skb->ip_summed == CHECKSUM_PARTIAL) {
		head.flags |= LPAR_NET_RX_CSUM;
		head.csum_start = cpu_to_le16(skb_checksum_start_offset(skb));
		head.csum_offset = cpu_to_le16(skb->csum_offset);
	}
	if (skb_vlan_tag_present(skb)) {
		head.flags |= LPAR_NET_RX_VLAN;
		head.vlan_tci = cpu_to_le16(skb_vlan_tag_get(skb));
	}
	return head;
}

/**
 * lpar_net_receive - fill one buffer of a client
 * @q: the queue that it stands in, of LPAR_ROLE_RECEIVE
 * @lim: the NIC's limits, as they were when the dispatch began
 * @sqe: a private copy
 *
 * Context: the queue's server only (LPAR_Q_SERVING is held); may sleep.
 * Return: LPAR_TAKE_DONE; LPAR_TAKE_IDLE: there is no frame, and the buffer has not
 * been looked at.
 */
enum lpar_take lpar_net_receive(struct lpar_queue *q,
				const struct lpar_nic_limits *lim,
				const struct lpar_net_sqe *sqe)
{
	bool merged = le32_to_cpu(sqe->len) >= LPAR_NET_RX_MERGED;
	struct lpar_nic *nic = lpar_net_nic(q);
	struct lpar_net_req req = { .queue = q };
	struct lpar_net_frame fr = { .req = &req };
	struct pourer p = {};
	struct lpar_net_rx head;
	struct sk_buff *skb;
	unsigned int left = BACKLOG;
	enum lpar_status st;
	u32 bytes = 0;
	u8 i;

	skb = next_frame(q, merged, &left);
	if (!skb)
		return LPAR_TAKE_IDLE;
	st = lpar_net_decode(q, sqe, lim, true, &fr);
	if (st != LPAR_OK) {
		frame_wait(q, skb);
		return lpar_net_refuse(q, fr.f.id, st);
	}
	/* its client has made buffers for smaller ones, or memory is short */
	while (skb->len + sizeof(head) > fr.f.len || !sums_ok(skb)) {
		atomic64_inc(&nic->dropped);
		kfree_skb(skb);
		left -= left > 0;
		skb = next_frame(q, merged, &left);
		if (!skb)
			return LPAR_TAKE_IDLE;
	}
	bytes = sizeof(head) + skb->len;
	st = lpar_net_windows(q, &fr, bytes, false);
	if (st == LPAR_OK) {
		head = head_of(skb, lim);
		p.head = &head;
		p.skb = skb;
		if (!lpar_net_walk(&fr, 0, bytes, pour, &p))
			st = LPAR_IOERR;
	}
	for (i = 0; i < req.nwins; i++)
		lpar_window_put(req.wins[i]);
	if (st == LPAR_NOWINDOW || st == LPAR_FAULT) {
		frame_wait(q, skb);
		return lpar_net_refuse(q, fr.f.id, st);
	}
	if (st == LPAR_OK)
		q->stats.bytes_copied += bytes;
	else
		atomic64_inc(&nic->dropped);
	consume_skb(skb);
	lpar_queue_complete(q, fr.f.id, st, st == LPAR_OK ? bytes : 0, 0, 0, 0);
	return LPAR_TAKE_DONE;
}

/* Do frames wait for buffers? Who is not the queue's server learns it soon. */
bool lpar_net_waits(struct lpar_queue *q)
{
	return q->nic && q->role == LPAR_ROLE_RECEIVE &&
	       (READ_ONCE(q->waiting) || !skb_queue_empty_lockless(&q->backlog));
}
