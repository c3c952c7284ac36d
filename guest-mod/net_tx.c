// SPDX-License-Identifier: GPL-2.0
/*
 * Frames to send: from the stack to a queue, and to their end.
 *
 * A frame is submitted under the transmit lock; completions are taken by NAPI
 * without it, since who holds it may be in a doorbell for a quantum. What passes
 * between the two are ids: a ring with one reader and one writer.
 */
#include <linux/delay.h>
#include <linux/if_vlan.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/tcp.h>
#include <linux/udp.h>
#include <net/sock.h>
#include <asm/barrier.h>

#include "channel.h"
#include "net.h"
#include "policy.h"

#define TX_HEADERS	64	/* of a frame whose headers nobody needs to know */
#define TX_PACING_SHIFT	8	/* a socket has data of 4 ms on its way, not of 1 */
#define TX_TRIES	64	/* windows that one frame may wait for, one by one */
#define TX_LINEAR_HZ	HZ	/* for so long no large frame is made linear, after it failed */

static struct netdev_queue *tx_netdev_queue(const struct lpar_net_tx *tx)
{
	return netdev_get_tx_queue(tx->net->netdev, tx->index);
}

static u32 tx_nr_free(const struct lpar_net_tx *tx)
{
	/* Order the count before the ids. Pairs with the release in tx_give_id(). */
	return smp_load_acquire(&tx->free_put) - tx->free_got;
}

static void tx_give_id(struct lpar_net_tx *tx, u32 id)
{
	tx->free[tx->free_put & (tx->q->depth - 1)] = id;
	/* Order the id, and that its frame is gone, before the count. */
	smp_store_release(&tx->free_put, tx->free_put + 1);
}

/* -------------------------------------------------------- submission */

static void tx_put_windows(struct lpar_net_tx *tx, u32 id, u32 nsegs,
			   bool revoked)
{
	u32 i;

	for (i = 0; i < nsegs; i++)
		lpar_window_put(tx->net->dev, tx->windows[id * tx->q->segs + i],
				revoked);
}

/* Append a piece of memory. Return: 0, -EAGAIN (see @miss) or -EMSGSIZE. */
static int tx_append(struct lpar_net_tx *tx, u32 id, u32 *nsegs, u64 gpa, u32 len,
		     bool waited, u64 *miss)
{
	struct lpar_window *window;
	u64 logical;
	u32 part;

	for (; len; len -= part, gpa += part) {
		/* It may get smaller meanwhile. */
		if (*nsegs >= READ_ONCE(tx->net->segs_max))
			return -EMSGSIZE;
		part = len;
		window = lpar_window_get(tx->net->dev, gpa, &part, &logical, waited);
		if (!window) {
			*miss = gpa;
			return -EAGAIN;
		}
		tx->windows[id * tx->q->segs + *nsegs] = window;
		tx->segs[(*nsegs)++] = (struct lpar_seg){
			.addr = cpu_to_le64(logical),
			.len = cpu_to_le32(part),
		};
	}
	return 0;
}

/* Return: how many segments, or -EAGAIN or -EMSGSIZE with none. */
static int tx_fill(struct lpar_net_tx *tx, u32 id, struct sk_buff *skb,
		   bool waited, u64 *miss)
{
	u32 nsegs = 0, i;
	skb_frag_t *frag;
	int err;

	err = tx_append(tx, id, &nsegs, virt_to_phys(skb->data),
			skb_headlen(skb), waited, miss);
	for (i = 0; i < skb_shinfo(skb)->nr_frags && !err; i++) {
		frag = &skb_shinfo(skb)->frags[i];
		err = tx_append(tx, id, &nsegs,
				page_to_phys(skb_frag_page(frag)) + skb_frag_off(frag),
				skb_frag_size(frag), waited, miss);
	}
	if (!err)
		return nsegs;
	tx_put_windows(tx, id, nsegs, false);
	return err;
}

/* Bytes up to the payload of the transport protocol; 0 where that is not known. */
static u32 tx_header_bytes(const struct sk_buff *skb)
{
	u32 start, tcp, have = skb_headlen(skb);
	bool gso = skb_is_gso(skb);

	if (skb->ip_summed != CHECKSUM_PARTIAL)
		return 0;
	start = skb_checksum_start_offset(skb);
	if (gso ? skb_is_gso_tcp(skb) :
		  skb->csum_offset == offsetof(struct tcphdr, check)) {
		if (start + sizeof(struct tcphdr) > have)
			return 0;
		tcp = __tcp_hdrlen((struct tcphdr *)(skb->data + start));
		return start + max_t(u32, tcp, sizeof(struct tcphdr));
	}
	if (gso || skb->csum_offset == offsetof(struct udphdr, check))
		return start + sizeof(struct udphdr);
	return start + skb->csum_offset + sizeof(__sum16);
}

static u8 tx_gso_type(const struct sk_buff *skb)
{
	if (skb_shinfo(skb)->gso_type & SKB_GSO_TCPV4)
		return LPAR_GSO_TCP4;
	if (skb_shinfo(skb)->gso_type & SKB_GSO_TCPV6)
		return LPAR_GSO_TCP6;
	if (skb_shinfo(skb)->gso_type & SKB_GSO_UDP_L4)
		return LPAR_GSO_UDP;
	return LPAR_GSO_NONE;
}

/* In place, each field once: nobody reads it before the index says so. */
static void tx_write(struct lpar_net_tx *tx, u32 id, const struct sk_buff *skb,
		     u32 nsegs, u32 sa)
{
	struct lpar_queue *q = tx->q;
	u32 slot = q->sq_tail & (q->depth - 1);
	struct lpar_net_sqe *sqe = (struct lpar_net_sqe *)&q->sq[slot];
	bool csum = skb->ip_summed == CHECKSUM_PARTIAL;
	u32 headers = tx_header_bytes(skb), i;
	bool tag = skb_vlan_tag_present(skb);
	bool gso = skb_is_gso(skb);

	if (!headers)
		headers = TX_HEADERS;
	headers = min3(headers, skb->len, LPAR_NET_HEADERS_MAX + 0u);
	sqe->op = LPAR_NET_SEND;
	sqe->flags = (csum ? LPAR_NET_CSUM : 0) | (tag ? LPAR_NET_VLAN : 0);
	sqe->id = cpu_to_le16(id);
	sqe->nsegs = cpu_to_le16(nsegs);
	sqe->headers = cpu_to_le16(headers);
	sqe->len = cpu_to_le32(skb->len);
	sqe->csum_start = cpu_to_le16(csum ? skb_checksum_start_offset(skb) : 0);
	sqe->csum_offset = cpu_to_le16(csum ? skb->csum_offset : 0);
	sqe->gso_size = cpu_to_le16(gso ? skb_shinfo(skb)->gso_size : 0);
	sqe->gso_type = gso ? tx_gso_type(skb) : LPAR_GSO_NONE;
	sqe->reserved = 0;
	sqe->vlan_tci = cpu_to_le16(tag ? skb_vlan_tag_get(skb) : 0);
	sqe->sa = cpu_to_le16(sa);
	sqe->reserved3 = 0;
	if (nsegs > LPAR_SQE_SEGS)
		memcpy(q->table + slot * q->segs, tx->segs,
		       nsegs * sizeof(*tx->segs));
	for (i = 0; i < LPAR_SQE_SEGS; i++)
		sqe->seg[i] = i < nsegs && nsegs <= LPAR_SQE_SEGS ?
			      tx->segs[i] : (struct lpar_seg){};
}

/*
 * Submit a frame; there is an id for it. Under the transmit lock.
 * @last: whether the stack wants a doorbell; @more frames may follow at once
 * Return: 0 (it is the queue's), -EAGAIN (see @miss) or another negative errno.
 */
static int tx_submit(struct lpar_net_tx *tx, struct sk_buff *skb, bool waited,
		     bool more, bool *last, u64 *miss)
{
	struct lpar_queue *q = tx->q;
	struct lpar_net_frame *frame;
	int nsegs, sa;
	u32 id;

	if (skb->len < LPAR_NET_FRAME_MIN || skb->len > LPAR_NET_FRAME_MAX)
		return -EINVAL;
	/* What is to be encrypted, and is not, does not leave. */
	sa = lpar_net_ipsec_tx(tx->net, skb);
	if (sa < 0)
		return sa;
	id = tx->free[tx->free_got & (q->depth - 1)];
	nsegs = tx_fill(tx, id, skb, waited, miss);
	if (nsegs == -EMSGSIZE && skb_is_nonlinear(skb)) {
		if (skb_linearize(skb)) {
			WRITE_ONCE(tx->net->not_linear, jiffies + TX_LINEAR_HZ);
			return -ENOMEM;
		}
		nsegs = tx_fill(tx, id, skb, waited, miss);
	}
	if (nsegs < 0)
		return nsegs;

	tx_write(tx, id, skb, nsegs, sa);
	frame = &tx->frames[id];
	frame->bytes = skb->len;
	frame->nsegs = nsegs;
	tx->free_got++;
	skb_tx_timestamp(skb);
	/* Before it may end: whoever serves another doorbell need not wait for ours. */
	*last = __netdev_tx_sent_queue(tx_netdev_queue(tx), skb->len, more);
	/*
	 * From here on it is NAPI's, also where the host completes what it has not
	 * been given yet. Order all of the above. Pairs with tx_reap().
	 */
	smp_store_release(&frame->skb, skb);
	/* NAPI learns of it from the host, which learns of it from the next store. */
	WRITE_ONCE(q->sq_tail, q->sq_tail + 1);
	lpar_ring_show(q);
	return 0;
}

static void tx_drop(struct lpar_net_tx *tx, struct sk_buff *skb)
{
	lpar_net_count(&tx->sent, &tx->sent.drops);
	dev_kfree_skb_any(skb);
}

/* Stop the stack's queue where the next frame would find no id. */
static bool tx_stop_full(struct lpar_net_tx *tx)
{
	struct netdev_queue *txq = tx_netdev_queue(tx);

	if (tx_nr_free(tx))
		return false;
	netif_tx_stop_queue(txq);
	/* Order the stop before the look at the ids. Pairs with tx_wake(). */
	smp_mb();
	if (!tx_nr_free(tx))
		return true;
	netif_tx_start_queue(txq);
	return false;
}

/*
 * Does anybody wait for it to be sent? Nobody does for one of many datagrams, while there is
 * room for more of them; but as far as is known for all else: a stream stalls, which has no
 * more to send before the answer is there.
 */
static bool tx_is_prompt(const struct sk_buff *skb)
{
	const struct sock *sk = skb->sk;

	return !sk || !sk_fullsock(sk) || sk->sk_type != SOCK_DGRAM ||
	       sk->sk_protocol != IPPROTO_UDP ||
	       sk_wmem_alloc_get(sk) >= READ_ONCE(sk->sk_sndbuf);
}

/*
 * A frame was submitted. What the stack sends in softirq, in answer to what has come,
 * waits for NAPI, which runs next: there may be more of it.
 */
static void tx_donate(struct lpar_net_tx *tx, bool last, bool stopped, bool prompt)
{
	bool answer = last && !stopped && in_serving_softirq();

	/* netpoll's, and perhaps this kernel's last words: neither NAPI nor a timer may follow. One
	 * whose memory has no window is lost then. */
	if (irqs_disabled()) {
		lpar_ring_nudge(tx->q);
		return;
	}
	lpar_ring_frame(tx->q, stopped || (last && !answer), stopped, prompt);
	if (answer)
		napi_schedule(&tx->napi);
}

/**
 * lpar_net_xmit - .ndo_start_xmit
 * @skb:    a frame
 * @netdev: the NIC
 *
 * With the transmit lock, in BH context. The doorbell donates this vCPU.
 *
 * Return: NETDEV_TX_OK, or NETDEV_TX_BUSY while a frame waits for a window.
 */
netdev_tx_t lpar_net_xmit(struct sk_buff *skb, struct net_device *netdev)
{
	struct lpar_net *net = netdev_priv(netdev);
	struct lpar_net_tx *tx = &net->tx[skb_get_queue_mapping(skb)];
	struct netdev_queue *txq = tx_netdev_queue(tx);
	bool more = netdev_xmit_more(), prompt, last, stopped;
	u64 miss;
	int err;

	/* Without a queue: chosen before there were fewer. */
	if (!READ_ONCE(net->up) || !tx->q || lpar_device_broken(net->dev)) {
		tx_drop(tx, skb);
		return NETDEV_TX_OK;
	}
	if (tx->pending || !tx_nr_free(tx)) {
		netif_tx_stop_queue(txq);
		/* Order the stop before another look. Pairs with tx_wake(). */
		smp_mb();
		if (tx->pending || !tx_nr_free(tx)) {
			lpar_ring_frame(tx->q, true, true, true);
			return NETDEV_TX_BUSY;
		}
		netif_tx_start_queue(txq);
	}

	/* With two frames on its way a connection would wait for each doorbell. */
	sk_pacing_shift_update(skb->sk, TX_PACING_SHIFT);
	prompt = tx_is_prompt(skb);
	err = tx_submit(tx, skb, false, more, &last, &miss);
	if (!err) {
		stopped = tx_stop_full(tx) || netif_xmit_stopped(txq);
		tx_donate(tx, last, stopped, prompt);
		return NETDEV_TX_OK;
	}
	if (err == -EAGAIN) {
		tx->pending = skb;
		tx->tries = 0;
		netif_tx_stop_queue(txq);
		if (!lpar_window_wait(net->dev, &tx->waiter, miss)) {
			tx->pending = NULL;
			netif_tx_start_queue(txq);
			err = -EIO;
		}
	}
	if (err != -EAGAIN)
		tx_drop(tx, skb);
	if (!more || err == -EAGAIN)
		lpar_ring_frame(tx->q, true, true, true);
	return NETDEV_TX_OK;
}

/* A window that the pending frame needs is there, or cannot be had. */
static void tx_ready(struct lpar_window_waiter *waiter, int err)
{
	struct lpar_net_tx *tx = container_of(waiter, struct lpar_net_tx, waiter);
	struct netdev_queue *txq = tx_netdev_queue(tx);
	struct lpar_device *dev = tx->net->dev;
	struct sk_buff *skb;
	bool last;
	u64 miss;

	__netif_tx_lock_bh(txq);
	skb = tx->pending;
	if (!skb)
		goto out;
	/* It was tried for long enough, also where the last try ended with -EAGAIN. */
	if (err || lpar_device_broken(dev) || ++tx->tries > TX_TRIES)
		err = -EIO;
	if (!err)
		err = tx_submit(tx, skb, true, false, &last, &miss);
	if (err == -EAGAIN) {
		if (lpar_window_wait(dev, waiter, miss))
			goto out;
		err = -EIO;
	}
	tx->pending = NULL;
	if (err)
		tx_drop(tx, skb);
	else
		lpar_ring_frame(tx->q, true, true, true);
	if (READ_ONCE(tx->net->up) && tx_nr_free(tx))
		netif_tx_wake_queue(txq);
	else
		napi_schedule(&tx->napi);	/* it wakes when ids come back */
out:
	__netif_tx_unlock_bh(txq);
}

/* Does the adapter find the transport header right behind a plain IP header? */
static bool tx_plain(const struct sk_buff *skb, netdev_features_t features)
{
	u32 start = skb_checksum_start_offset(skb);

	/* The stack puts a tag that is not inserted for it into the frame. */
	if (skb_vlan_tag_present(skb) &&
	    !vlan_hw_offload_capable(features, skb->vlan_proto))
		return false;
	if (skb_network_offset(skb) != ETH_HLEN || start > skb_headlen(skb))
		return false;
	if (skb->protocol == htons(ETH_P_IP))
		return start >= ETH_HLEN + sizeof(struct iphdr) &&
		       start == ETH_HLEN + ip_hdr(skb)->ihl * 4;
	return skb->protocol == htons(ETH_P_IPV6) &&
	       start == ETH_HLEN + sizeof(struct ipv6hdr);
}

/**
 * lpar_net_features_check - .ndo_features_check
 * @skb:      a frame
 * @netdev:   the NIC
 * @features: that it has for frames like this one
 *
 * Return: without what the wire cannot express for this frame.
 */
netdev_features_t lpar_net_features_check(struct sk_buff *skb,
					  struct net_device *netdev,
					  netdev_features_t features)
{
	const struct lpar_net *net = netdev_priv(netdev);

	features = vlan_features_check(skb, features);
	/* To be made linear in one piece, when there is no memory for that: in small ones. */
	if (skb_shinfo(skb)->nr_frags >= READ_ONCE(net->segs_max) &&
	    time_before(jiffies, READ_ONCE(net->not_linear)))
		features &= ~NETIF_F_GSO_MASK;
	if (skb->ip_summed != CHECKSUM_PARTIAL)
		return skb_is_gso(skb) ? features & ~NETIF_F_GSO_MASK : features;
	/* It may grow by a tag from here on. */
	if (tx_header_bytes(skb) + VLAN_HLEN > LPAR_NET_HEADERS_MAX ||
	    skb_checksum_start_offset(skb) + skb->csum_offset + sizeof(__sum16) +
	    VLAN_HLEN > LPAR_NET_HEADERS_MAX)
		features &= ~(NETIF_F_CSUM_MASK | NETIF_F_GSO_MASK);
	/* The adapter finds the headers without looking further than they go. */
	if (skb_is_gso(skb) && !tx_header_bytes(skb))
		features &= ~NETIF_F_GSO_MASK;
	if (!tx_plain(skb, features))
		features &= ~(NETIF_F_IP_CSUM | NETIF_F_IPV6_CSUM | NETIF_F_GSO_MASK);
	return features;
}

/**
 * lpar_net_tx_watch - ring when no frame has ended since the last look
 * @tx: with a queue
 *
 * In the place of .ndo_tx_timeout: for that the stack of 6.1 prints a trace, which is
 * no host's to cause. Process context.
 */
void lpar_net_tx_watch(struct lpar_net_tx *tx)
{
	struct lpar_queue *q = tx->q;
	u32 ended = READ_ONCE(q->cq_head);
	bool waits = READ_ONCE(q->sq_tail) != ended;
	bool stuck = waits && tx->waited && ended == tx->ended;

	if (stuck && !tx->stuck)
		netdev_warn(tx->net->netdev, "queue %u: frames %s\n", tx->number,
			    lpar_ring_waits(q) ? "wait for its NAPI thread to run" : "are not sent");
	tx->ended = ended;
	tx->waited = waits;
	tx->stuck = stuck;
	if (!stuck)
		return;
	set_bit(0, &tx->nudge);
	local_bh_disable();
	napi_schedule(&tx->napi);
	local_bh_enable();
}

/* -------------------------------------------------------- completion */

static void tx_end(struct lpar_net_tx *tx, u32 id, u32 status, int budget)
{
	struct lpar_net_frame *frame = &tx->frames[id];
	struct lpar_net_stats *done = &tx->done;
	struct sk_buff *skb = frame->skb;

	tx_put_windows(tx, id, frame->nsegs, status == LPAR_NOWINDOW);
	u64_stats_update_begin(&done->sync);
	if (status == LPAR_OK) {
		u64_stats_inc(&done->packets);
		u64_stats_add(&done->bytes, frame->bytes);
	} else if (status == LPAR_NOWINDOW) {
		u64_stats_inc(&done->drops);
	} else {
		u64_stats_inc(&done->errors);
	}
	u64_stats_update_end(&done->sync);
	frame->skb = NULL;
	tx_give_id(tx, id);
	if (status == LPAR_OK)
		napi_consume_skb(skb, budget);
	else
		dev_kfree_skb_any(skb);
}

/* Take what there is. Return: false when the host breaks the rules. */
static bool tx_reap(struct lpar_net_tx *tx, int budget)
{
	u32 packets = 0, bytes = 0, tail, id, inflight;
	struct lpar_queue *q = tx->q;
	bool fine = true;
	union {
		u64 word;
		struct lpar_cqe cqe;
	} copy;

	/*
	 * Order the index before the entries that it publishes. Pairs with the
	 * host's release store of cq_tail.
	 */
	tail = le32_to_cpu(virt_load_acquire(&q->ctrl->cq_tail));
	inflight = READ_ONCE(q->sq_tail) - q->cq_head;
	if (tail - q->cq_head > inflight) {
		lpar_main_break(tx->net->dev, "queue %u: %u completions of %u frames",
				q->number, tail - q->cq_head, inflight);
		return false;
	}
	while (q->cq_head != tail) {
		copy.word = READ_ONCE(*(u64 *)&q->cq[q->cq_head & (q->depth - 1)]);
		id = le16_to_cpu(copy.cqe.id);
		/* Order the frame before what is known of it. Pairs with tx_submit(). */
		if (id >= q->depth || !smp_load_acquire(&tx->frames[id].skb) ||
		    copy.cqe.bytes) {
			lpar_main_break(tx->net->dev, "queue %u: a completion for %u, which is not on its way",
					q->number, id);
			fine = false;
			break;
		}
		packets++;
		bytes += tx->frames[id].bytes;
		WRITE_ONCE(q->cq_head, q->cq_head + 1);
		tx_end(tx, id, le16_to_cpu(copy.cqe.status), budget);
	}
	/* Order our reads of the entries before giving them back. */
	virt_store_release(&q->ctrl->cq_head, cpu_to_le32(q->cq_head));
	netdev_tx_completed_queue(tx_netdev_queue(tx), packets, bytes);
	return fine;
}

static void tx_wake(struct lpar_net_tx *tx)
{
	struct netdev_queue *txq = tx_netdev_queue(tx);

	/* Order the ids before the look at the queue. Pairs with tx_stop_full(). */
	smp_mb();
	if (!netif_tx_queue_stopped(txq) || READ_ONCE(tx->pending) ||
	    !READ_ONCE(tx->net->up))
		return;
	/* Not for one frame only. */
	if (READ_ONCE(tx->free_put) - READ_ONCE(tx->free_got) >=
	    min(tx->q->depth / 4, 16u) + 1)
		netif_tx_wake_queue(txq);
}

/* The host has let go of all: by a reset, or of this queue. */
static void tx_sweep(struct lpar_net_tx *tx)
{
	u32 id;

	for (id = 0; id < tx->q->depth; id++) {
		if (tx->frames[id].skb)
			tx_end(tx, id, LPAR_GONE, 0);
	}
	if (tx->pending)
		tx_drop(tx, tx->pending);
	tx->pending = NULL;
}

/* The device is broken: nothing is sent any more. */
static void tx_poll_broken(struct lpar_net_tx *tx)
{
	struct netdev_queue *txq = tx_netdev_queue(tx);

	netif_carrier_off(tx->net->netdev);
	if (!READ_ONCE(tx->net->dev->quiet))
		return;	/* the reset's work comes by again */
	/* The lock: whoever submitted before it saw that the device is broken. */
	__netif_tx_lock(txq, smp_processor_id());
	tx_sweep(tx);
	__netif_tx_unlock(txq);
}

static int tx_poll(struct napi_struct *napi, int budget)
{
	struct lpar_net_tx *tx = container_of(napi, struct lpar_net_tx, napi);
	struct lpar_queue *q = tx->q;
	u32 before = q->cq_head;
	bool wanted;

	if (lpar_device_broken(tx->net->dev) || !tx_reap(tx, budget)) {
		if (!budget)
			return 0;
		if (lpar_device_broken(tx->net->dev))
			tx_poll_broken(tx);
		napi_complete(napi);
		return 0;
	}
	tx_wake(tx);
	wanted = lpar_net_queue_wants(q);
	if (test_and_clear_bit(0, &tx->nudge))
		wanted = true;
	lpar_ring_again(q, wanted, q->cq_head != before);
	/* What was sent in softirq has waited for this. */
	lpar_ring_commit(q);
	if (!budget)
		return 0;

	WRITE_ONCE(q->ctrl->cq_event, cpu_to_le32(q->cq_head));
	/*
	 * Order the request for an interrupt before looking again. Pairs with the
	 * host's full barrier between cq_tail and cq_event.
	 */
	virt_mb();
	if (le32_to_cpu(READ_ONCE(q->ctrl->cq_tail)) != q->cq_head)
		return budget;
	napi_complete(napi);
	return 0;
}

/* ---------------------------------------------------------- lifetime */

/**
 * lpar_net_tx_init - once for each queue
 * @net:   the NIC
 * @tx:    zero but for its number
 * @index: among the NIC's
 */
void lpar_net_tx_init(struct lpar_net *net, struct lpar_net_tx *tx, u32 index)
{
	tx->net = net;
	tx->index = index;
	u64_stats_init(&tx->sent.sync);
	u64_stats_init(&tx->done.sync);
	netif_napi_add_tx(net->netdev, &tx->napi, tx_poll);
}

static void tx_free(struct lpar_net_tx *tx)
{
	kvfree(tx->frames);
	kvfree(tx->windows);
	kvfree(tx->segs);
	kvfree(tx->free);
	tx->frames = NULL;
	tx->windows = NULL;
	tx->segs = NULL;
	tx->free = NULL;
	if (tx->q) {
		tx->doorbells += tx->q->doorbells;
		lpar_queue_free(tx->q);
	}
	tx->q = NULL;
}

/**
 * lpar_net_tx_coalesce - hold frames back as the NIC is to
 * @tx: with a queue or without
 *
 * Under rtnl.
 */
void lpar_net_tx_coalesce(struct lpar_net_tx *tx)
{
	struct lpar_queue *q = tx->q;

	if (!q)
		return;
	spin_lock_irq(&q->lock);
	q->batch = min(tx->net->tx_frames, q->depth);
	q->hold_us = tx->net->tx_usecs;
	lpar_policy_apply_locked(q);
	spin_unlock_irq(&q->lock);
}

/**
 * lpar_net_tx_up - make a queue
 * @tx: without one
 *
 * Sleeps.
 *
 * Return: 0 or a negative errno.
 */
int lpar_net_tx_up(struct lpar_net_tx *tx)
{
	u32 depth = lpar_net_depth(tx->net, tx->net->want_tx), segs = tx->net->caps.segments, i;
	int err = -ENOMEM;

	tx->q = lpar_queue_alloc(tx->net->dev, tx->number, depth, segs);
	tx->frames = kvcalloc(depth, sizeof(*tx->frames), GFP_KERNEL);
	tx->windows = kvcalloc(depth * segs, sizeof(struct lpar_window *), GFP_KERNEL);
	tx->segs = kvcalloc(segs, sizeof(*tx->segs), GFP_KERNEL);
	tx->free = kvcalloc(depth, sizeof(*tx->free), GFP_KERNEL);
	if (!tx->q || !tx->frames || !tx->windows || !tx->segs || !tx->free)
		goto err_free;
	tx->q->quantum_us = tx->net->quantum_us;
	for (i = 0; i < depth; i++)
		tx->free[i] = i;
	tx->free_put = depth;
	tx->free_got = 0;
	tx->waited = false;
	lpar_window_waiter_init(&tx->waiter, tx_ready);
	lpar_net_tx_coalesce(tx);
	netdev_tx_reset_queue(tx_netdev_queue(tx));

	err = lpar_net_queue_create(tx->net, tx->q, tx->index, LPAR_ROLE_REQUESTS,
				    &tx->napi);
	if (err)
		goto err_free;
	napi_enable(&tx->napi);
	return 0;

err_free:
	tx_free(tx);
	return err;
}

/**
 * lpar_net_tx_drain - let the frames that the host has be sent
 * @tx:  gets no frames any more
 * @end: until then at most, in jiffies
 *
 * Sleeps.
 */
void lpar_net_tx_drain(struct lpar_net_tx *tx, unsigned long end)
{
	struct lpar_queue *q = tx->q;

	if (!q)
		return;
	lpar_window_cancel(tx->net->dev, &tx->waiter);
	while (!lpar_device_broken(tx->net->dev) && time_before(jiffies, end) &&
	       READ_ONCE(q->sq_tail) != READ_ONCE(q->cq_head)) {
		set_bit(0, &tx->nudge);
		local_bh_disable();
		napi_schedule(&tx->napi);
		local_bh_enable();
		usleep_range(100, 1000);
	}
}

/**
 * lpar_net_tx_down - the opposite of lpar_net_tx_up()
 * @tx: with a queue or without; gets no frames any more, drained
 *
 * Sleeps; not on lpar_device.wq. Frames that the host still has are kept.
 */
void lpar_net_tx_down(struct lpar_net_tx *tx)
{
	if (!tx->q)
		return;
	napi_disable(&tx->napi);
	local_bh_disable();
	if (tx->pending)
		tx_drop(tx, tx->pending);
	tx->pending = NULL;
	local_bh_enable();
	if (lpar_net_queue_destroy(tx->q)) {
		local_bh_disable();
		tx_sweep(tx);
		local_bh_enable();
	}
	netdev_tx_reset_queue(tx_netdev_queue(tx));
	tx_free(tx);
}
