// SPDX-License-Identifier: GPL-2.0
/* The net server: what clients send. See net.c. */
#include <linux/etherdevice.h>
#include <linux/if_vlan.h>
#include <linux/moduleparam.h>
#include <linux/rtnetlink.h>
#include <linux/sched/clock.h>
#include <net/sch_generic.h>

#include "compat.h"
#include "ipsec.h"
#include "net_frame.h"
#include "port.h"
#include "station.h"
#include "tag.h"
#include "trace.h"

static int tx_copybreak = -1;
module_param(tx_copybreak, int, 0644);
MODULE_PARM_DESC(tx_copybreak, "frames of clients of up to so many bytes are copied whole, 2048 at most (default -1: 256 in tag mode, 2048 in page mode)");

/* Up to which length that is cheaper: tests/bench/README.md. */
static u32 copied_whole(enum lpar_mode mode)
{
	int set = READ_ONCE(tx_copybreak);

	if (set < 0)
		return mode == LPAR_MODE_TAG ? LPAR_NIC_COPY : LPAR_NIC_COPY_MAX;
	return min(set, LPAR_NIC_COPY_MAX);
}

/* --------------------------------------------------------------- requests */

static struct lpar_net_req *req_get(struct lpar_queue *q)
{
	struct llist_node *n = q->free;

	if (!n)
		n = llist_del_all(&q->freed);
	/* never NULL: there are as many as may be in flight */
	q->free = n->next;
	return container_of(n, struct lpar_net_req, free);
}

/* Any context; the caller still is a user of the queue. */
static void req_put(struct lpar_net_req *r)
{
	struct lpar_queue *q = r->queue;
	u8 i;

	for (i = 0; i < r->nwins; i++)
		lpar_window_put(r->wins[i]);
	r->nwins = 0;
	llist_add(&r->free, &q->freed);
}

static void frame_end(struct lpar_net_req *r)
{
	struct lpar_queue *q = r->queue;
	u64 began = local_clock();
	u64 taken = r->taken;
	u32 bytes = r->bytes;
	u16 id = r->id;

	req_put(r);
	lpar_queue_complete(q, id, LPAR_OK, bytes, began, 0, taken);
	lpar_queue_put(q);
}

/*
 * A driver that empties its ring frees an skb before it has unmapped all of it, when
 * the frame lay across the ring's end (e1000e, e1000_clean_tx_ring()). Until then
 * the windows must stay: what is unmapped later would be taken for the host's. Drivers
 * empty their rings under RTNL.
 */
void lpar_net_end_late(struct work_struct *work)
{
	struct lpar_nic *nic = container_of(work, struct lpar_nic, end_late);
	struct llist_node *n = llist_del_all(&nic->late);
	struct lpar_net_req *r, *next;

	rtnl_lock();
	rtnl_unlock();
	llist_for_each_entry_safe(r, next, n, free)
		frame_end(r);
}

/* The last skb of a frame is being freed: in softirq or hard interrupt, so this is
 * short, and counted as undonated. */
static void frame_sent(struct sk_buff *skb, struct ubuf_info *uarg, bool success)
{
	struct lpar_net_req *r = container_of(uarg, struct lpar_net_req, uarg);
	struct lpar_nic *nic = lpar_net_nic(r->queue);

	if (xchg(&r->ended, true))
		return;
	/* With the request's end nothing keeps the NIC, nor this module: a grace period does. */
	rcu_read_lock();
	if (r->queue->fn->mode != LPAR_MODE_TAG || in_softirq() || in_hardirq()) {
		frame_end(r);
	} else {
		/* a process frees it: not its transmission has ended, but all of them */
		llist_add(&r->free, &nic->late);
		queue_work(system_unbound_wq, &nic->end_late);
	}
	rcu_read_unlock();
}

LPAR_COMPAT_UBUF(frame_ubuf, frame_sent);

/* Does anybody use the windows that a request took? No: give it back. */
static void frame_take_back(struct sk_buff *skb, struct lpar_net_req *r)
{
	WRITE_ONCE(r->ended, true);
	skb_shinfo(skb)->flags &= ~SKBFL_ALL_ZEROCOPY;
	/* no drop: who watches drops would read its tags */
	consume_skb(skb);
}

/* ------------------------------------------------------------------ sending */

struct copier {
	struct sk_buff *skb;
	u32 at;
};

static bool copy_in(struct lpar_window *w, unsigned int offset, unsigned int len,
		    void *arg)
{
	struct copier *c = arg;

	while (len) {
		unsigned int in = offset_in_page(offset);
		unsigned int n = min_t(unsigned int, len, PAGE_SIZE - in);

		if (skb_store_bits(c->skb, c->at,
				   page_address(lpar_window_page(w, offset)) + in,
				   n))
			return false;
		c->at += n;
		offset += n;
		len -= n;
	}
	return true;
}

/* Append a fragment. Return: false when there is no room. */
static bool add_frag(struct sk_buff *skb, struct page *page, unsigned int in,
		     unsigned int len)
{
	int n = skb_shinfo(skb)->nr_frags;

	if (n == MAX_SKB_FRAGS)
		return false;
	get_page(page);
	skb_fill_page_desc(skb, n, page, in, len);
	skb->len += len;
	skb->data_len += len;
	skb->truesize += PAGE_ALIGN(in + len);
	return true;
}

struct adder {
	struct sk_buff *skb;
	struct lpar_queue *q;
	bool tags;
};

static bool add_piece(struct lpar_window *w, unsigned int offset, unsigned int len,
		      void *arg)
{
	struct adder *a = arg;

	if (a->tags) {
		int block = lpar_fn_block(a->q->fn, w);

		a->q->stats.tag_maps++;
		return block >= 0 &&
		       add_frag(a->skb, lpar_tag_page(block, offset >> PAGE_SHIFT),
				offset_in_page(offset), len);
	}
	while (len) {
		unsigned int in = offset_in_page(offset);
		unsigned int n = min_t(unsigned int, len, PAGE_SIZE - in);

		a->q->stats.page_maps++;
		if (!add_frag(a->skb, lpar_window_page(w, offset), in, n))
			return false;
		offset += n;
		len -= n;
	}
	return true;
}

/* What the stack and the driver are told of the frame. Its headers are in place. A
 * client in a VLAN knows nothing of the tag. */
static void describe(struct sk_buff *skb, const struct lpar_frame *f,
		     const struct lpar_nic_limits *lim)
{
	static const unsigned int types[] = {
		[LPAR_GSO_TCP4] = SKB_GSO_TCPV4,
		[LPAR_GSO_TCP6] = SKB_GSO_TCPV6,
		[LPAR_GSO_UDP] = SKB_GSO_UDP_L4,
	};
	struct skb_shared_info *info = skb_shinfo(skb);

	skb_reset_mac_header(skb);
	skb_set_network_header(skb, ETH_HLEN);
	skb->protocol = eth_hdr(skb)->h_proto;
	if (lim->vlan || f->flags & LPAR_NET_VLAN)
		__vlan_hwaccel_put_tag(skb, htons(ETH_P_8021Q),
				       lim->vlan ?: f->vlan_tci);
	if (f->flags & LPAR_NET_CSUM) {
		skb->ip_summed = CHECKSUM_PARTIAL;
		skb->csum_start = skb_headroom(skb) + f->csum_start;
		skb->csum_offset = f->csum_offset;
		skb_set_transport_header(skb, f->csum_start);
	} else if (!f->sa) {
		/* lpar_ipsec_protect() knows better */
		skb_set_transport_header(skb, f->headers);
	}
	if (f->gso_type == LPAR_GSO_NONE)
		return;
	info->gso_type = types[f->gso_type];
	info->gso_size = f->gso_size;
	info->gso_segs = DIV_ROUND_UP(f->len - f->headers, f->gso_size);
}

#define ROOM	(NET_SKB_PAD + NET_IP_ALIGN)

/* Copy as much of a frame as an skb has room for. Return: the skb, or NULL. */
static struct sk_buff *copy_to(struct sk_buff *skb, struct lpar_queue *q,
			       const struct lpar_net_frame *fr, u32 linear, u32 copied)
{
	struct copier c = { .skb = skb };

	if (!skb)
		return NULL;
	skb_reserve(skb, ROOM);
	skb_put(skb, linear);
	skb->data_len = copied - linear;
	skb->len += skb->data_len;
	q->stats.bytes_copied += copied;
	if (lpar_net_walk(fr, 0, copied, copy_in, &c))
		return skb;
	kfree_skb(skb);
	return NULL;
}

/* An skb with room for all of the frame, its first bytes copied. May sleep. */
static struct sk_buff *copy_frame(struct lpar_queue *q,
				  const struct lpar_net_frame *fr, u32 linear,
				  u32 copied)
{
	int err;

	return copy_to(alloc_skb_with_frags(ROOM + linear, copied - linear, 0, &err,
					    GFP_KERNEL_ACCOUNT), q, fr, linear, copied);
}

/*
 * One whose first bytes, all that is copied, lie where the adapter has them mapped. It
 * is for the adapter's driver alone: what is mapped so must not be unmapped later than
 * the client's frame ends.
 */
static struct sk_buff *copy_to_pool(struct lpar_queue *q,
				    const struct lpar_net_frame *fr, u32 linear)
{
	struct sk_buff *skb;
	struct page *page;

	if (ROOM + linear > SKB_WITH_OVERHEAD(PAGE_SIZE))
		return NULL;
	page = lpar_pool_get(&q->fn->adapter->pool);
	if (!page)
		return NULL;
	skb = build_skb(page_address(page), PAGE_SIZE);
	if (!skb)
		put_page(page);
	return copy_to(skb, q, fr, linear, linear);
}

/* Is it one of those? All others have a slab's memory. */
static bool in_pool(const struct sk_buff *skb)
{
	return skb->head_frag;
}

/* Does the device still do all that this frame needs? */
static bool device_does(struct net_device *dev, struct sk_buff *skb)
{
	netdev_features_t f = netif_skb_features(skb);

	if (skb_is_nonlinear(skb) && !(f & NETIF_F_SG))
		return false;
	if (skb_vlan_tag_present(skb) && !(f & NETIF_F_HW_VLAN_CTAG_TX))
		return false;
	if (skb->ip_summed == CHECKSUM_PARTIAL && !(f & NETIF_F_CSUM_MASK))
		return false;
	return !netif_needs_gso(skb, f);
}

/*
 * For who captures on the port: the headers, and zeroes of the payload's length, since
 * tags are nobody's to read. Lost where memory is short. RCU is held.
 */
static void show(const struct sk_buff *skb, struct net_device *dev)
{
	struct sk_buff *seen;
	u32 left, n;

	seen = alloc_skb(skb_headroom(skb) + skb_headlen(skb), GFP_ATOMIC | __GFP_NOWARN);
	if (!seen)
		return;
	/* as far from its beginning as in the other: that is what it is described by */
	skb_reserve(seen, skb_headroom(skb));
	skb_put_data(seen, skb->data, skb_headlen(skb));
	skb_copy_header(seen, skb);
	for (left = skb->data_len; left; left -= n) {
		n = min_t(u32, left, PAGE_SIZE);
		if (!add_frag(seen, ZERO_PAGE(0), 0, n))
			break;
	}
	if (!left)
		dev_queue_xmit_nit(seen, dev);
	consume_skb(seen);
}

/* Does a frame end only when the next one is sent? RCU is held. @port: NULL: there is none. */
static bool port_ends_late(const struct lpar_port *port)
{
	return port && READ_ONCE(port->ends_late);
}

/* The adapter's queue for a client's: they are numbered one after the other. */
static u16 queue_for(const struct lpar_queue *q, const struct net_device *dev)
{
	return (lpar_net_nic(q)->first + q->index - 1) %
	       READ_ONCE(dev->real_num_tx_queues);
}

/*
 * To the driver itself, without qdisc, taps and software help: they would read
 * what is no memory. Taps get show()'s. RCU is held. Return: 1: it has it; 0: it
 * takes no more; -EOPNOTSUPP: not without help; -ENETDOWN.
 */
static int xmit_direct(struct lpar_queue *q, struct net_device *dev,
		       struct sk_buff *skb)
{
	u16 n = queue_for(q, dev);
	struct netdev_queue *txq = netdev_get_tx_queue(dev, n);
	int ret = 0;

	skb_set_queue_mapping(skb, n);
	local_bh_disable();
	HARD_TX_LOCK(dev, txq, smp_processor_id());
	if (!netif_running(dev) || !netif_device_present(dev) ||
	    !netif_carrier_ok(dev)) {
		ret = -ENETDOWN;
	} else if (!device_does(dev, skb)) {
		ret = -EOPNOTSUPP;
	} else if (port_ends_late(rcu_dereference(lpar_net_nic(q)->port))) {
		ret = -EOPNOTSUPP;
	} else if (!netif_xmit_frozen_or_drv_stopped(txq)) {
		if (dev_nit_active(dev))
			show(skb, dev);
		ret = dev_xmit_complete(netdev_start_xmit(skb, dev, txq, false));
	}
	HARD_TX_UNLOCK(dev, txq);
	local_bh_enable();
	return ret;
}

/*
 * Clients pass the adapter's byte limit (BQL): to keep to it would cost a quarter of what tag
 * mode sends. The stack's own frames do not pass it, and would wait for as long as clients
 * have more than that on their way. So in each other tick those that wait go first. RCU is held.
 */
static bool host_first(struct netdev_queue *txq)
{
	return jiffies & 1 && test_bit(__QUEUE_STATE_STACK_XOFF, &txq->state) &&
	       qdisc_qlen_sum(rcu_dereference(txq->qdisc));
}

/* May the driver's queue have room? A hint, before all the work. That of a device
 * which is down is stopped, but its frames end. RCU is held. */
static bool has_room(struct lpar_queue *q, struct net_device *dev)
{
	struct netdev_queue *txq = netdev_get_tx_queue(dev, queue_for(q, dev));

	return !netif_running(dev) || !netif_carrier_ok(dev) ||
	       (!netif_xmit_frozen_or_drv_stopped(txq) && !host_first(txq));
}

/*
 * A frame for somebody on this side of the wire: he gets a copy, and the wire one
 * if it is for many. RCU is held. Consumes @skb, a whole copy.
 */
static void switch_frame(struct lpar_nic *nic, struct lpar_port *port,
			 const struct lpar_route *route, struct sk_buff *skb)
{
	struct net_device *dev = rcu_dereference(port->dev);
	struct sk_buff *copy;

	if (!dev) {
		kfree_skb(skb);
		return;
	}
	skb->dev = dev;
	if (route->station) {
		lpar_net_arrive(route->station, skb);
		return;
	}
	/* before the copies: they share it */
	if (route->host && skb_is_gso(skb))
		skb_shinfo(skb)->gso_type |= SKB_GSO_DODGY;
	if (route->all)
		lpar_port_spread(port, nic, skb);
	if (route->wire) {
		copy = skb_clone(skb, GFP_ATOMIC);
		if (copy)
			lpar_port_send(port, copy);
	}
	if (route->host && netif_running(dev)) {
		skb->protocol = eth_type_trans(skb, dev);
		lpar_port_give(port, skb);
		return;
	}
	consume_skb(skb);
}

/* Build the skb for the wire. Return: it, or NULL. May sleep. */
static struct sk_buff *build(struct lpar_queue *q, struct lpar_net_frame *fr, u32 linear,
			     enum lpar_mode mode)
{
	struct adder a = { .q = q, .tags = mode == LPAR_MODE_TAG };
	struct sk_buff *skb;

	if (mode == LPAR_MODE_COPY)
		return copy_frame(q, fr, linear, fr->f.len);
	skb = a.tags ? copy_to_pool(q, fr, linear) : NULL;
	if (!skb)
		skb = copy_frame(q, fr, linear, linear);
	if (!skb)
		return NULL;
	a.skb = skb;
	if (linear == fr->f.len || lpar_net_walk(fr, linear, fr->f.len - linear, add_piece, &a))
		return skb;
	kfree_skb(skb);
	/* more pieces than an skb holds */
	return mode == LPAR_MODE_TAG ? NULL : copy_frame(q, fr, linear, fr->f.len);
}

/* From here on the end of the skb is that of the request. Tags are nobody's to copy,
 * who would be rid of them sooner. */
static void arm(struct sk_buff *skb, struct lpar_net_req *r, bool tags)
{
	WRITE_ONCE(r->ended, false);
	lpar_compat_zcopy_set(skb, &r->uarg, &frame_ubuf);
	if (tags)
		skb_shinfo(skb)->flags |= SKBFL_DONT_ORPHAN;
}

/* To the stack's own way out, with all that it may do to real pages. */
static void hand_over(struct lpar_port *port, struct sk_buff *skb)
{
	struct net_device *dev;

	rcu_read_lock();
	dev = rcu_dereference(port->dev);
	skb->dev = dev;
	if (dev)
		lpar_port_send(port, skb);
	else
		kfree_skb(skb);
	rcu_read_unlock();
}

/* To the wire. @late: its driver does not tell when it has been sent, and has a whole copy.
 * Return: LPAR_TAKE_FULL, and nothing has happened; or DONE. */
static enum lpar_take to_wire(struct lpar_queue *q, struct lpar_port *port,
			      const struct lpar_nic_limits *lim, struct lpar_net_frame *fr,
			      struct sk_buff *skb, u32 linear, bool late)
{
	struct lpar_net_req *r = fr->req;
	struct net_device *dev;
	int ret;

	describe(skb, &fr->f, lim);
	if (late) {
		hand_over(port, skb);
		req_put(r);
		lpar_queue_complete(q, fr->f.id, LPAR_OK, fr->f.len, 0, 0, 0);
		return LPAR_TAKE_DONE;
	}
	refcount_inc(&q->users.n);	/* ours is held: not zero */
	arm(skb, r, q->fn->mode == LPAR_MODE_TAG && !fr->f.sa);
	if (q->fn->mode != LPAR_MODE_TAG || fr->f.sa) {
		hand_over(port, skb);
		return LPAR_TAKE_DONE;
	}
	rcu_read_lock();
	dev = rcu_dereference(port->dev);
	skb->dev = dev;
	ret = dev ? xmit_direct(q, dev, skb) : -ENETDOWN;
	rcu_read_unlock();
	if (ret > 0)
		return LPAR_TAKE_DONE;

	frame_take_back(skb, r);
	if (ret == -EOPNOTSUPP) {
		/* software has to help, and for that it must see real pages; the
		 * headers are copied, and looked at, anew */
		skb = build(q, fr, linear, LPAR_MODE_PAGE);
		if (skb && (lpar_core_headers(skb->data, linear, &fr->f, lim) !=
				    LPAR_OK ||
			    lpar_core_whole(skb->data, linear, fr->f.len))) {
			kfree_skb(skb);
			skb = NULL;
		}
		if (skb) {
			describe(skb, &fr->f, lim);
			arm(skb, r, false);
			hand_over(port, skb);
			return LPAR_TAKE_DONE;
		}
	}
	req_put(r);
	if (ret)
		lpar_net_refuse(q, fr->f.id, ret == -ENETDOWN ? LPAR_IOERR : LPAR_NOMEM);
	lpar_queue_put(q);
	return ret ? LPAR_TAKE_DONE : LPAR_TAKE_FULL;
}

/* A frame that the adapter is to encrypt does not leave for anybody on this side of the
 * wire: it would be in the clear. Those who get all multicast do not get it. */
static enum lpar_status protect(struct lpar_nic *nic, const struct lpar_route *route,
				struct sk_buff *skb, u16 sa)
{
	if (!route->wire)
		return LPAR_NOTSUPP;
	return lpar_ipsec_protect(nic, skb, sa);
}

/**
 * lpar_net_send - take one frame of a client (seed 001)
 * @q: the queue that it stands in, of LPAR_ROLE_REQUESTS
 * @lim: the NIC's limits, as they were when the dispatch began
 * @sqe: a private copy
 *
 * Context: the queue's server only (LPAR_Q_SERVING is held); may sleep for memory,
 * never for the adapter.
 * Return: LPAR_TAKE_DONE: it ends, now or later, by lpar_queue_complete();
 * LPAR_TAKE_FULL: the adapter has no room, and nothing has happened.
 */
enum lpar_take lpar_net_send(struct lpar_queue *q,
			     const struct lpar_nic_limits *lim,
			     const struct lpar_net_sqe *sqe)
{
	struct lpar_nic *nic = lpar_net_nic(q);
	enum lpar_mode mode = q->fn->mode;
	struct lpar_route route = {};
	struct lpar_port *port;
	struct lpar_net_frame fr = {};
	struct sk_buff *skb;
	enum lpar_status st;
	bool room = true, late;
	u32 linear;
	u16 vlan;

	st = lpar_net_decode(q, sqe, lim, false, &fr);
	if (st != LPAR_OK)
		return lpar_net_refuse(q, fr.f.id, st);
	/* as long as a queue is on it, its port stays; the device need not */
	rcu_read_lock();
	port = rcu_dereference(nic->port);
	late = port_ends_late(port);
	if (port && mode == LPAR_MODE_TAG) {
		struct net_device *dev = rcu_dereference(port->dev);

		room = !dev || has_room(q, dev);
	}
	rcu_read_unlock();
	if (!port)
		return lpar_net_refuse(q, fr.f.id, LPAR_GONE);
	if (!room)
		return LPAR_TAKE_FULL;

	/* its driver may look at all of it, and change it; or keep it for who knows how long */
	if (fr.f.sa || late)
		mode = LPAR_MODE_COPY;
	fr.req = req_get(q);
	fr.req->id = fr.f.id;
	fr.req->bytes = fr.f.len;
	fr.req->taken = trace_lpar_completion_enabled() ? local_clock() : 0;
	st = lpar_net_windows(q, &fr, fr.f.len, mode == LPAR_MODE_TAG);
	if (st != LPAR_OK)
		goto err;
	linear = fr.f.sa || fr.f.len <= copied_whole(mode) ? fr.f.len :
		 min_t(u32, fr.f.len, fr.f.headers + LPAR_NIC_PULL);
	skb = build(q, &fr, linear, mode);
	if (skb && lpar_core_whole(skb->data, linear, fr.f.len)) {
		kfree_skb(skb);
		linear = fr.f.len;
		skb = build(q, &fr, linear, mode);
	}
	st = LPAR_NOMEM;
	if (!skb)
		goto err;
	/* of the copy, which nobody changes any more */
	st = lpar_core_headers(skb->data, linear, &fr.f, lim);
	if (st != LPAR_OK) {
		if (st == LPAR_PROTECTION)
			atomic64_inc(&nic->foreign);
		kfree_skb(skb);
		goto err;
	}
	vlan = lpar_core_frame_vlan(skb->data, linear, &fr.f, lim);
	rcu_read_lock();
	lpar_station_route(port, nic, skb->data, vlan, &route);
	rcu_read_unlock();
	if (fr.f.sa) {
		st = protect(nic, &route, skb, fr.f.sa);
		if (st != LPAR_OK) {
			kfree_skb(skb);
			goto err;
		}
		return to_wire(q, port, lim, &fr, skb, linear, late);
	}
	if (!route.station && !route.host && !route.all)
		return to_wire(q, port, lim, &fr, skb, linear, late);

	/* whoever is on this side must be able to read all of it, and keep it */
	if (mode != LPAR_MODE_COPY && (linear < fr.f.len || in_pool(skb))) {
		kfree_skb(skb);
		st = LPAR_NOMEM;
		skb = copy_frame(q, &fr, linear, fr.f.len);
		if (!skb)
			goto err;
		st = lpar_core_headers(skb->data, linear, &fr.f, lim);
		/* changed meanwhile */
		if (st == LPAR_OK && lpar_core_whole(skb->data, linear, fr.f.len))
			st = LPAR_INVAL;
		if (st != LPAR_OK) {
			kfree_skb(skb);
			goto err;
		}
	}
	describe(skb, &fr.f, lim);
	/* the address may have changed with the second copy, or the station gone */
	vlan = lpar_core_frame_vlan(skb->data, linear, &fr.f, lim);
	rcu_read_lock();
	lpar_station_route(port, nic, skb->data, vlan, &route);
	switch_frame(nic, port, &route, skb);
	rcu_read_unlock();
	req_put(fr.req);
	lpar_queue_complete(q, fr.f.id, LPAR_OK, fr.f.len, 0, 0, 0);
	return LPAR_TAKE_DONE;

err:
	req_put(fr.req);
	return lpar_net_refuse(q, fr.f.id, st);
}
