// SPDX-License-Identifier: GPL-2.0
/*
 * Received frames: buffers to the host, frames to the stack.
 *
 * The host copies waiting frames into the buffers inside a doorbell, so NAPI rings
 * it. All of a queue belongs to its NAPI; where that may not sleep, a window is
 * asked for and NAPI scheduled again. A frame is the host's to write even while we
 * look at it: what is decided on is copied before.
 */
#include <linux/filter.h>
#include <linux/if_vlan.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/log2.h>
#include <linux/page_ref.h>
#include <linux/slab.h>
#include <linux/tcp.h>
#include <linux/udp.h>
#include <asm/barrier.h>

#include "channel.h"
#include "net.h"

#define RX_COPY		256	/* bytes: shorter frames are copied */
#define RX_MEMORY	(4u << 20)	/* of a queue's buffers, at most */
#define RX_BUFFERS_MIN	16
#define RX_LENT		(4u << 20)	/* of a queue's memory that the stack has, remembered at most */
#define RX_MISSES	32	/* looks for the page that was lent first, before for the next one */
#define RX_RETRY_MS	100
#define RX_PARTS	DIV_ROUND_UP(LPAR_NET_RX_MERGED, PAGE_SIZE)
#define RX_FLAGS	(LPAR_NET_RX_CSUM_OK | LPAR_NET_RX_CSUM | LPAR_NET_RX_VLAN)

static_assert(RX_PARTS <= MAX_SKB_FRAGS);

static u32 rx_part(const struct lpar_net_rx_queue *rx)
{
	return PAGE_SIZE << rx->order;
}

static u32 rx_size(const struct lpar_net_rx_queue *rx)
{
	return rx->nparts * rx_part(rx);
}

static u32 rx_posted(const struct lpar_net_rx_queue *rx)
{
	return rx->q->depth - rx->nr_free;
}

static void rx_schedule(struct lpar_net_rx_queue *rx)
{
	local_bh_disable();
	napi_schedule(&rx->napi);
	local_bh_enable();
}

/* ------------------------------------------------------------ buffers */

static void rx_put_window(struct lpar_net_rx_queue *rx, struct lpar_net_part *part,
			  bool revoked)
{
	if (!part->window)
		return;
	lpar_window_unpost(part->window);
	lpar_window_put(rx->net->dev, part->window, revoked);
	part->window = NULL;
}

static void rx_retry(struct work_struct *work)
{
	struct lpar_net_rx_queue *rx = container_of(to_delayed_work(work),
						    struct lpar_net_rx_queue, retry);

	WRITE_ONCE(rx->waiting, false);
	rx_schedule(rx);
}

static void rx_ready(struct lpar_window_waiter *waiter, int err)
{
	struct lpar_net_rx_queue *rx = container_of(waiter, struct lpar_net_rx_queue,
						    waiter);

	if (err) {
		schedule_delayed_work(&rx->retry, msecs_to_jiffies(RX_RETRY_MS));
		return;
	}
	WRITE_ONCE(rx->waiting, false);
	rx_schedule(rx);
}

/* Buffers come later: something is short, and NAPI is not to spin for it. */
static void rx_wait(struct lpar_net_rx_queue *rx)
{
	WRITE_ONCE(rx->waiting, true);
	schedule_delayed_work(&rx->retry, msecs_to_jiffies(RX_RETRY_MS));
}

/*
 * The stack gets a page, with a reference of its own. To have another one each time is a good
 * part of what receiving takes, the more so where they are zeroed. So it is remembered, for
 * when the stack has let go of it, as long as not too many are.
 */
static void rx_lend(struct lpar_net_rx_queue *rx, struct page *page)
{
	if (page_is_pfmemalloc(page) || rx->lent_tail - rx->lent_head == rx->nr_lent)
		return;
	get_page(page);
	rx->lent[rx->lent_tail++ & (rx->nr_lent - 1)] = page;
}

/* Return: the page that was lent first, if nobody else has it any more; or NULL, and it is last. */
static struct page *rx_next(struct lpar_net_rx_queue *rx)
{
	struct page *page = rx->lent[rx->lent_head++ & (rx->nr_lent - 1)];

	if (page_ref_count(page) == 1) {
		/* Whoever had it has done with it before it is written to. */
		smp_acquire__after_ctrl_dep();
		return page;
	}
	rx->lent[rx->lent_tail++ & (rx->nr_lent - 1)] = page;
	return NULL;
}

/*
 * Return: a page that has come back, or NULL. As a rule they do in order; others are not to
 * wait for ever behind one that is kept.
 */
static struct page *rx_returned(struct lpar_net_rx_queue *rx)
{
	if (rx->lent_head == rx->lent_tail)
		return NULL;
	if (page_ref_count(rx->lent[rx->lent_head & (rx->nr_lent - 1)]) != 1 &&
	    ++rx->misses < RX_MISSES)
		return NULL;
	rx->misses = 0;
	return rx_next(rx);
}

/* The same among all, when there are no others. */
static struct page *rx_any_returned(struct lpar_net_rx_queue *rx)
{
	u32 n = rx->lent_tail - rx->lent_head;
	struct page *page = NULL;

	while (n-- && !page)
		page = rx_next(rx);
	return page;
}

static void rx_forget(struct lpar_net_rx_queue *rx)
{
	while (rx->lent_head != rx->lent_tail)
		put_page(rx->lent[rx->lent_head++ & (rx->nr_lent - 1)]);
}

/* A page in a window. False: not now. */
static bool rx_prepare_part(struct lpar_net_rx_queue *rx, struct lpar_net_part *part)
{
	u32 len = rx_part(rx);
	u64 gpa;

	if (!part->page)
		part->page = rx_returned(rx);
	if (!part->page)
		part->page = alloc_pages(GFP_ATOMIC | __GFP_NOWARN | __GFP_COMP,
					 rx->order);
	if (!part->page)
		part->page = rx_any_returned(rx);
	if (!part->page) {
		rx_wait(rx);
		return false;
	}
	if (part->window)
		return true;
	gpa = page_to_phys(part->page);
	part->window = lpar_window_get(rx->net->dev, gpa, &len, &part->logical, false);
	if (!part->window) {
		/* Before it may be ready. */
		WRITE_ONCE(rx->waiting, true);
		lpar_window_wait(rx->net->dev, &rx->waiter, gpa);
		return false;
	}
	lpar_window_post(part->window);
	if (len < rx_part(rx)) {
		/* It does not lie in one: take another page, some time. */
		rx_put_window(rx, part, false);
		__free_pages(part->page, rx->order);
		part->page = NULL;
		rx_wait(rx);
		return false;
	}
	return true;
}

static bool rx_prepare(struct lpar_net_rx_queue *rx, struct lpar_net_buffer *buffer)
{
	u32 i;

	for (i = 0; i < rx->nparts; i++)
		if (!rx_prepare_part(rx, &buffer->parts[i]))
			return false;
	return true;
}

static void rx_write(struct lpar_net_rx_queue *rx, u32 tail, u32 id)
{
	struct lpar_queue *q = rx->q;
	struct lpar_net_sqe *sqe;
	struct lpar_seg *seg;
	u32 i;

	sqe = (struct lpar_net_sqe *)&q->sq[tail & (q->depth - 1)];
	memset(sqe, 0, sizeof(*sqe));
	sqe->op = LPAR_NET_RECEIVE;
	sqe->id = cpu_to_le16(id);
	sqe->nsegs = cpu_to_le16(rx->nparts);
	sqe->len = cpu_to_le32(rx_size(rx));
	seg = rx->nparts <= LPAR_SQE_SEGS ? sqe->seg :
	      &q->table[(tail & (q->depth - 1)) * q->segs];
	for (i = 0; i < rx->nparts; i++)
		seg[i] = (struct lpar_seg){
			.addr = cpu_to_le64(rx->buffers[id].parts[i].logical),
			.len = cpu_to_le32(rx_part(rx)),
		};
}

/* Give the host buffers. Return: whether it had none and has some now. */
static bool rx_refill(struct lpar_net_rx_queue *rx)
{
	struct lpar_queue *q = rx->q;
	u32 tail = q->sq_tail, id;
	bool dry;

	while (rx_posted(rx) < rx->target && !READ_ONCE(rx->waiting)) {
		id = rx->free[rx->nr_free - 1];
		if (!rx_prepare(rx, &rx->buffers[id]))
			break;
		rx->nr_free--;
		rx->buffers[id].posted = true;
		rx_write(rx, tail++, id);
	}
	if (tail == q->sq_tail)
		return false;
	dry = le32_to_cpu(READ_ONCE(q->ctrl->sq_head)) == q->sq_tail;
	q->sq_tail = tail;
	lpar_ring_show(q);
	return dry;
}

/* ------------------------------------------------------------- frames */

/* A frame to be segmented, which is as it says. False: it is not. */
static bool rx_describe_gso(struct lpar_net_rx_queue *rx, struct sk_buff *skb,
			    const struct lpar_net_rx *head)
{
	u32 start = le16_to_cpu(head->csum_start), least, field;
	u32 gso_size = le16_to_cpu(head->gso_size);
	unsigned int gso_type;
	__be16 proto;

	switch (head->gso_type) {
	case LPAR_GSO_TCP4:
		gso_type = SKB_GSO_TCPV4;
		break;
	case LPAR_GSO_TCP6:
		gso_type = SKB_GSO_TCPV6;
		break;
	case LPAR_GSO_UDP:
		gso_type = SKB_GSO_UDP_L4;
		break;
	default:
		return false;
	}
	least = gso_type == SKB_GSO_UDP_L4 ? sizeof(struct udphdr) :
					     sizeof(struct tcphdr);
	field = gso_type == SKB_GSO_UDP_L4 ? offsetof(struct udphdr, check) :
					     offsetof(struct tcphdr, check);
	if (rx->nparts == 1 || !(head->flags & LPAR_NET_RX_CSUM) ||
	    !gso_size || gso_size == GSO_BY_FRAGS ||
	    le16_to_cpu(head->csum_offset) != field ||
	    !pskb_may_pull(skb, start + least) ||
	    skb->len - start - least <= gso_size ||
	    (gso_type == SKB_GSO_UDP_L4 &&
	     skb->len - start - least > gso_size * UDP_MAX_SEGMENTS))
		return false;
	proto = ((struct ethhdr *)skb->data)->h_proto;
	if (proto == htons(ETH_P_IP)) {
		if (gso_type == SKB_GSO_TCPV6 ||
		    start < ETH_HLEN + sizeof(struct iphdr))
			return false;
	} else if (proto == htons(ETH_P_IPV6)) {
		if (gso_type == SKB_GSO_TCPV4 ||
		    start < ETH_HLEN + sizeof(struct ipv6hdr))
			return false;
	} else {
		return false;
	}
	/* Whoever segments it looks at its headers first. */
	skb_shinfo(skb)->gso_size = gso_size;
	skb_shinfo(skb)->gso_type = gso_type | SKB_GSO_DODGY;
	skb_shinfo(skb)->gso_segs = 0;
	return true;
}

/* What the host says of the frame, in the stack's words. False: it makes no sense. */
static bool rx_describe(struct lpar_net_rx_queue *rx, struct sk_buff *skb,
			const struct lpar_net_rx *head)
{
	u32 start = le16_to_cpu(head->csum_start);
	u32 offset = le16_to_cpu(head->csum_offset);
	struct net_device *netdev = rx->net->netdev;

	if (head->flags & ~RX_FLAGS || head->reserved ||
	    (head->sa && (head->flags & LPAR_NET_RX_CSUM || head->gso_type ||
			  !lpar_net_ipsec_rx(rx->net, skb, le16_to_cpu(head->sa)))))
		return false;
	if (head->flags & LPAR_NET_RX_CSUM) {
		if (start < ETH_HLEN ||
		    !pskb_may_pull(skb, start + offset + sizeof(__sum16)) ||
		    !skb_partial_csum_set(skb, start, offset))
			return false;
	} else if (head->flags & LPAR_NET_RX_CSUM_OK &&
		   netdev->features & NETIF_F_RXCSUM) {
		skb->ip_summed = CHECKSUM_UNNECESSARY;
	}

	if (head->gso_type == LPAR_GSO_NONE)
		return !head->gso_size;
	return rx_describe_gso(rx, skb, head);
}

/* A frame of @len bytes behind the head. Return: NULL where memory is short. */
static struct sk_buff *rx_build(struct lpar_net_rx_queue *rx,
				struct lpar_net_buffer *buffer, u32 len)
{
	struct lpar_net_part *part = buffer->parts;
	u8 *data = (u8 *)page_address(part->page) + sizeof(struct lpar_net_rx);
	struct sk_buff *skb = napi_alloc_skb(&rx->napi, RX_COPY);
	u32 pull = len, at, n;

	if (!skb)
		return NULL;
	if (len > RX_COPY)
		pull = eth_get_headlen(rx->net->netdev, data, RX_COPY);
	/* Bytes behind the Ethernet header, or GRO looks at the host's page. */
	if (pull <= ETH_HLEN)
		pull = min_t(u32, len, RX_COPY);
	skb_put_data(skb, data, pull);
	at = sizeof(struct lpar_net_rx) + pull;
	for (len -= pull; len; len -= n, at = 0, part++) {
		n = min(len, rx_part(rx) - at);
		/* The head and RX_COPY bytes are less than a page. */
		skb_add_rx_frag(skb, skb_shinfo(skb)->nr_frags, part->page, at, n,
				rx_part(rx));
		rx_lend(rx, part->page);
		part->page = NULL;
		rx_put_window(rx, part, false);
	}
	return skb;
}

static void rx_frame(struct lpar_net_rx_queue *rx, struct lpar_net_buffer *buffer,
		     u32 len)
{
	u8 *data = page_address(buffer->parts->page);
	struct net_device *netdev = rx->net->netdev;
	struct lpar_net_rx head;
	struct bpf_prog *prog;
	struct sk_buff *skb;

	memcpy(&head, data, sizeof(head));
	barrier();	/* that copy is what is looked at */
	prog = rcu_dereference_bh(rx->net->xdp);
	if (prog) {
		skb = lpar_net_xdp_receive(rx, prog, &head, data + sizeof(head), len);
		if (!skb)
			return;
	} else {
		skb = rx_build(rx, buffer, len);
		if (!skb) {
			lpar_net_count(&rx->stats, &rx->stats.drops);
			return;
		}
	}
	if (!rx_describe(rx, skb, &head)) {
		lpar_net_count(&rx->stats, &rx->stats.errors);
		dev_kfree_skb_any(skb);
		return;
	}
	u64_stats_update_begin(&rx->stats.sync);
	u64_stats_inc(&rx->stats.packets);
	u64_stats_add(&rx->stats.bytes, len);
	u64_stats_update_end(&rx->stats.sync);

	skb_record_rx_queue(skb, rx->index);
	skb->protocol = eth_type_trans(skb, netdev);
	if (head.flags & LPAR_NET_RX_VLAN)
		__vlan_hwaccel_put_tag(skb, htons(ETH_P_8021Q),
				       le16_to_cpu(head.vlan_tci));
	napi_gro_receive(&rx->napi, skb);
}

/* The host gives a buffer back. False: it breaks the rules. */
static bool rx_take(struct lpar_net_rx_queue *rx, u32 id, u32 status, u32 bytes)
{
	struct lpar_net_buffer *buffer;
	u32 i;

	if (id >= rx->q->depth || !rx->buffers[id].posted ||
	    (status == LPAR_OK ?
	     bytes < sizeof(struct lpar_net_rx) + LPAR_NET_FRAME_MIN ||
	     bytes > rx_size(rx) : bytes)) {
		lpar_main_break(rx->net->dev, "queue %u: %u bytes, status %u, for buffer %u",
				rx->q->number, bytes, status, id);
		return false;
	}
	buffer = &rx->buffers[id];
	buffer->posted = false;
	rx->free[rx->nr_free++] = id;
	if (status == LPAR_OK) {
		rx_frame(rx, buffer, bytes - sizeof(struct lpar_net_rx));
	} else if (status == LPAR_NOWINDOW) {
		for (i = 0; i < rx->nparts; i++)
			rx_put_window(rx, &buffer->parts[i], true);
	} else {
		/* Not at once again: it would be given back at once again. */
		lpar_net_count(&rx->stats, &rx->stats.errors);
		if (!READ_ONCE(rx->waiting))
			rx_wait(rx);
	}
	return true;
}

/* Return: how many were taken; all of @budget also when the host breaks the rules. */
static int rx_reap(struct lpar_net_rx_queue *rx, int budget)
{
	struct lpar_queue *q = rx->q;
	int taken = 0;
	u32 tail;
	union {
		u64 word;
		struct lpar_cqe cqe;
	} copy;

	/*
	 * Order the index before the entries that it publishes. Pairs with the
	 * host's release store of cq_tail.
	 */
	tail = le32_to_cpu(virt_load_acquire(&q->ctrl->cq_tail));
	if (tail - q->cq_head > rx_posted(rx)) {
		lpar_main_break(rx->net->dev, "queue %u: %u completions of %u buffers",
				q->number, tail - q->cq_head, rx_posted(rx));
		return budget;
	}
	while (q->cq_head != tail && taken < budget) {
		copy.word = READ_ONCE(*(u64 *)&q->cq[q->cq_head & (q->depth - 1)]);
		q->cq_head++;
		taken++;
		if (!rx_take(rx, le16_to_cpu(copy.cqe.id),
			     le16_to_cpu(copy.cqe.status),
			     le32_to_cpu(copy.cqe.bytes)))
			return budget;
	}
	/* Order our reads of the entries before giving them back. */
	virt_store_release(&q->ctrl->cq_head, cpu_to_le32(q->cq_head));
	return taken;
}

static void rx_ring(struct lpar_net_rx_queue *rx)
{
	lpar_net_count(&rx->stats, &rx->stats.doorbells);
	lpar_device_ring(rx->net->dev, rx->q->number);
}

static int rx_poll(struct napi_struct *napi, int budget)
{
	struct lpar_net_rx_queue *rx = container_of(napi, struct lpar_net_rx_queue, napi);
	struct lpar_device *dev = rx->net->dev;
	struct lpar_queue *q = rx->q;
	int taken;

	if (!budget)
		return 0;
	if (lpar_device_broken(dev)) {
		netif_carrier_off(rx->net->netdev);
		napi_complete(napi);
		return 0;
	}
	/* The donation: frames that wait are put into buffers inside this. */
	if (rx_posted(rx) && lpar_net_queue_wants(q))
		rx_ring(rx);
	taken = rx_reap(rx, budget);
	if (rx->redirected)
		xdp_do_flush();
	rx->redirected = false;
	if (!lpar_device_broken(dev) && rx_refill(rx))
		rx_ring(rx);
	if (taken == budget)
		return budget;

	WRITE_ONCE(q->ctrl->cq_event, cpu_to_le32(q->cq_head));
	/*
	 * Order the request for an interrupt before looking again. Pairs with the
	 * host's full barrier between cq_tail and cq_event.
	 */
	virt_mb();
	if (le32_to_cpu(READ_ONCE(q->ctrl->cq_tail)) != q->cq_head ||
	    (rx_posted(rx) && lpar_net_queue_wants(q)))
		return budget;
	napi_complete_done(napi, taken);
	return taken;
}

/* ---------------------------------------------------------- lifetime */

/**
 * lpar_net_rx_init - once for each queue
 * @net:   the NIC
 * @rx:    zero but for its number
 * @index: among the NIC's
 */
void lpar_net_rx_init(struct lpar_net *net, struct lpar_net_rx_queue *rx, u32 index)
{
	rx->net = net;
	rx->index = index;
	u64_stats_init(&rx->stats.sync);
	INIT_DELAYED_WORK(&rx->retry, rx_retry);
	netif_napi_add(net->netdev, &rx->napi, rx_poll);
}

static void rx_free(struct lpar_net_rx_queue *rx)
{
	kvfree(rx->buffers);
	kvfree(rx->parts);
	kvfree(rx->free);
	kvfree(rx->lent);
	rx->lent = NULL;
	rx->buffers = NULL;
	rx->parts = NULL;
	rx->free = NULL;
	if (rx->q)
		lpar_queue_free(rx->q);
	rx->q = NULL;
	xdp_rxq_info_unreg(&rx->xdp);
}

/**
 * lpar_net_rx_up - make a queue, of buffers for the MTU in force
 * @rx: without one
 *
 * Sleeps. lpar_net_rx_start() is next.
 *
 * Return: 0 or a negative errno.
 */
int lpar_net_rx_up(struct lpar_net_rx_queue *rx)
{
	const struct lpar_nic_caps *caps = &rx->net->caps;
	/* It changes with the queues down, where frames are merged. */
	bool merged = caps->rx_merged && !rcu_access_pointer(rx->net->xdp);
	u32 depth = lpar_net_depth(rx->net, rx->net->want_rx), bytes, i;
	int err;

	bytes = rx->net->netdev->mtu + ETH_HLEN + VLAN_HLEN + sizeof(struct lpar_net_rx);
	/* Most frames leave most of the pages, for the next one. */
	rx->order = merged ? 0 : get_order(bytes);
	rx->nparts = merged ? RX_PARTS : 1;
	rx->target = min(depth, max_t(u32, RX_MEMORY / rx_size(rx), RX_BUFFERS_MIN));
	err = xdp_rxq_info_reg(&rx->xdp, rx->net->netdev, rx->index, rx->napi.napi_id);
	if (err)
		return err;
	err = xdp_rxq_info_reg_mem_model(&rx->xdp, MEM_TYPE_PAGE_SHARED, NULL);
	if (err)
		goto err_free;
	err = -ENOMEM;
	rx->q = lpar_queue_alloc(rx->net->dev, rx->number, depth, rx->nparts);
	rx->buffers = kvcalloc(depth, sizeof(*rx->buffers), GFP_KERNEL);
	rx->parts = kvcalloc(depth, rx->nparts * sizeof(*rx->parts), GFP_KERNEL);
	rx->free = kvcalloc(depth, sizeof(*rx->free), GFP_KERNEL);
	rx->nr_lent = rounddown_pow_of_two(RX_LENT / rx_part(rx));
	rx->lent = kvcalloc(rx->nr_lent, sizeof(*rx->lent), GFP_KERNEL);
	if (!rx->q || !rx->buffers || !rx->parts || !rx->free || !rx->lent)
		goto err_free;
	rx->q->quantum_us = rx->net->quantum_us;
	for (i = 0; i < depth; i++)
		rx->buffers[i].parts = &rx->parts[i * rx->nparts];
	return 0;

err_free:
	rx_free(rx);
	return err;
}

/**
 * lpar_net_rx_start - the host gets the queue, and NAPI gives it buffers
 * @rx: up, and not started
 *
 * Sleeps. Needs no memory of many pages: see lpar_net_rx_stop().
 *
 * Return: 0 or a negative errno.
 */
int lpar_net_rx_start(struct lpar_net_rx_queue *rx)
{
	u32 depth = rx->q->depth, i;
	int err;

	for (i = 0; i < depth; i++)
		rx->free[i] = depth - 1 - i;
	rx->nr_free = depth;
	rx->waiting = false;
	lpar_window_waiter_init(&rx->waiter, rx_ready);
	rx->waiter.posts = true;
	err = lpar_net_queue_create(rx->net, rx->q, rx->index, LPAR_ROLE_RECEIVE,
				    &rx->napi);
	if (err)
		return err;
	rx->started = true;
	napi_enable(&rx->napi);
	rx_schedule(rx);
	return 0;
}

/**
 * lpar_net_rx_stop - the opposite of lpar_net_rx_start()
 * @rx: started or not
 *
 * Sleeps; not on lpar_device.wq. Its rings stay, and so it can be started while memory is in
 * pieces; its buffers go. Those that the host still has are kept from everybody.
 */
void lpar_net_rx_stop(struct lpar_net_rx_queue *rx)
{
	struct lpar_net_buffer *buffer;
	struct lpar_net_part *part;
	bool gone;
	u32 i;

	if (!rx->started)
		return;
	rx->started = false;
	napi_disable(&rx->napi);
	lpar_window_cancel(rx->net->dev, &rx->waiter);
	cancel_delayed_work_sync(&rx->retry);
	gone = lpar_net_queue_destroy(rx->q);
	for (i = 0; i < rx->q->depth; i++) {
		buffer = &rx->buffers[i];
		for (part = buffer->parts; part < buffer->parts + rx->nparts; part++) {
			if (!buffer->posted || gone) {
				rx_put_window(rx, part, false);
				if (part->page)
					__free_pages(part->page, rx->order);
			}
			part->window = NULL;
			part->page = NULL;
		}
		buffer->posted = false;
	}
	rx_forget(rx);
}

/**
 * lpar_net_rx_down - the opposite of lpar_net_rx_up()
 * @rx: up or not, started or not
 *
 * Sleeps; not on lpar_device.wq.
 */
void lpar_net_rx_down(struct lpar_net_rx_queue *rx)
{
	if (!rx->q)
		return;
	lpar_net_rx_stop(rx);
	rx_free(rx);
}
