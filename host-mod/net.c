// SPDX-License-Identifier: GPL-2.0
/*
 * The net server. A client's frame to send becomes an skb: headers and the first
 * payload bytes are copied and looked at, the rest is tags (or the pinned pages
 * themselves) that only the adapter reads; it goes to the host's own, unmodified
 * driver. A received frame waits in a bounded queue until the client donates, and
 * is copied once, into the client's buffer, on that time (seeds 000 and 001).
 */
#include <linux/etherdevice.h>
#include <linux/if_vlan.h>
#include <linux/ip.h>
#include <linux/rtnetlink.h>
#include <linux/sched/clock.h>
#include <linux/slab.h>
#include <net/dst.h>

#include "compat.h"
#include "net.h"
#include "port.h"
#include "tag.h"
#include "trace.h"
#include "window.h"

/* Frames that wait for a client which does not donate. */
#define BACKLOG		512
#define BACKLOG_BYTES	(4u << 20)

/* Windows that the segments of a frame can lie in. */
#define FRAME_WINDOWS	MAX_SKB_FRAGS

/**
 * struct lpar_net_req - a frame in the host's stack or driver
 * @uarg:  how the stack says that nobody looks at the client's memory any more
 * @queue: whose
 * @free:  in queue->free or queue->freed
 * @taken: for tracing: when it was taken, or 0
 * @bytes: of the frame
 * @id:    the client's number of it
 * @ended: it has been completed, or taken back
 * @nwins: of @wins
 * @wins:  windows that it uses
 */
struct lpar_net_req {
	struct ubuf_info uarg;
	struct lpar_queue *queue;
	struct llist_node free;
	u64 taken;
	u32 bytes;
	u16 id;
	bool ended;
	u8 nwins;
	struct lpar_window *wins[FRAME_WINDOWS];
};

/* The segments of one submission, while it is being looked at. */
struct frame {
	struct lpar_frame f;
	const struct lpar_seg *segs;
	struct lpar_net_req *req;
};

static struct lpar_nic *queue_nic(const struct lpar_queue *q)
{
	return lpar_nic_of(q->fn);
}

/* A submission that is refused ends at once. */
static enum lpar_take refuse(struct lpar_queue *q, u16 id, enum lpar_status st)
{
	q->stats.refused++;
	lpar_queue_complete(q, id, st, 0, 0, 0, 0);
	return LPAR_TAKE_DONE;
}

/* Private copies of the segments of a submission. Return: LPAR_OK or why not. */
static enum lpar_status decode(struct lpar_queue *q, const struct lpar_net_sqe *sqe,
			       const struct lpar_nic_limits *lim, bool receive,
			       struct frame *fr)
{
	u16 nsegs = le16_to_cpu(sqe->nsegs);

	fr->segs = sqe->seg;
	fr->f.id = le16_to_cpu(sqe->id);
	if (READ_ONCE(q->fn->dead))
		return LPAR_GONE;
	if (nsegs > LPAR_SQE_SEGS) {
		if (nsegs > q->segs || nsegs > FRAME_WINDOWS)
			return LPAR_INVAL;
		lpar_copy_once(q->seg_copy,
			       &q->seg_table[(q->sq_head & (q->depth - 1)) *
					     q->segs],
			       nsegs * sizeof(*q->seg_copy));
		fr->segs = q->seg_copy;
	}
	return lpar_core_frame(sqe, fr->segs, lim, receive, &fr->f);
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
	struct lpar_nic *nic = queue_nic(r->queue);

	if (xchg(&r->ended, true))
		return;
	if (r->queue->fn->mode != LPAR_MODE_TAG || in_softirq() || in_hardirq()) {
		frame_end(r);
		return;
	}
	/* a process frees it: not its transmission has ended, but all of them */
	llist_add(&r->free, &nic->late);
	queue_work(system_unbound_wq, &nic->end_late);
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

/*
 * The windows of all segments, in their order. @tags: one that the adapter does not
 * reach, since it was mapped before the NIC came, is as good as none: the client
 * maps it anew. Return: LPAR_OK or why not.
 */
static enum lpar_status get_windows(struct lpar_queue *q, struct frame *fr, bool tags)
{
	struct lpar_net_req *r = fr->req;
	u64 last = U64_MAX;
	u16 i;

	for (i = 0; i < fr->f.nsegs; i++) {
		u64 addr = le64_to_cpu(fr->segs[i].addr);
		struct lpar_window *w;

		if (addr >> LPAR_WINDOW_SHIFT != last) {
			w = lpar_window_get(q->client, addr);
			if (!w)
				return LPAR_NOWINDOW;
			r->wins[r->nwins++] = w;
			last = addr >> LPAR_WINDOW_SHIFT;
			if (tags && lpar_fn_block(q->fn, w) < 0)
				return LPAR_NOWINDOW;
		}
		w = r->wins[r->nwins - 1];
		if (!lpar_window_covers(w, addr & (LPAR_WINDOW_SIZE - 1),
					le32_to_cpu(fr->segs[i].len)))
			return LPAR_FAULT;
	}
	return LPAR_OK;
}

/*
 * Walk [from, from + len) of a frame, a piece of one segment at a time.
 * @visit: gets the piece's window and offset therein; false ends the walk
 */
typedef bool (*visit_fn)(struct lpar_window *w, unsigned int offset,
			 unsigned int len, void *arg);

static bool walk(const struct frame *fr, u32 from, u32 len, visit_fn visit,
		 void *arg)
{
	u64 last = U64_MAX;
	int win = -1;
	u16 i;

	for (i = 0; i < fr->f.nsegs && len; i++) {
		u64 addr = le64_to_cpu(fr->segs[i].addr);
		u32 n = le32_to_cpu(fr->segs[i].len);

		if (addr >> LPAR_WINDOW_SHIFT != last) {
			last = addr >> LPAR_WINDOW_SHIFT;
			win++;
		}
		if (from >= n) {
			from -= n;
			continue;
		}
		n = min(n - from, len);
		if (!visit(fr->req->wins[win],
			   (addr & (LPAR_WINDOW_SIZE - 1)) + from, n, arg))
			return false;
		from = 0;
		len -= n;
	}
	return true;
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
				   page_address(w->pages[offset >> PAGE_SHIFT]) + in,
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
		if (!add_frag(a->skb, w->pages[offset >> PAGE_SHIFT], in, n))
			return false;
		offset += n;
		len -= n;
	}
	return true;
}

/* What the stack and the driver are told of the frame. Its headers are in place. */
static void describe(struct sk_buff *skb, const struct lpar_frame *f)
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
	if (f->flags & LPAR_NET_VLAN)
		__vlan_hwaccel_put_tag(skb, htons(ETH_P_8021Q), f->vlan_tci);
	if (f->flags & LPAR_NET_CSUM) {
		skb->ip_summed = CHECKSUM_PARTIAL;
		skb->csum_start = skb_headroom(skb) + f->csum_start;
		skb->csum_offset = f->csum_offset;
		skb_set_transport_header(skb, f->csum_start);
	} else {
		skb_set_transport_header(skb, f->headers);
	}
	if (f->gso_type == LPAR_GSO_NONE)
		return;
	info->gso_type = types[f->gso_type];
	info->gso_size = f->gso_size;
	info->gso_segs = DIV_ROUND_UP(f->len - f->headers, f->gso_size);
}

/* An skb with room for all of the frame, its first bytes copied. May sleep. */
static struct sk_buff *copy_frame(const struct frame *fr, u32 linear, u32 copied)
{
	struct copier c = {};
	struct sk_buff *skb;
	int err;

	skb = alloc_skb_with_frags(NET_SKB_PAD + NET_IP_ALIGN + linear,
				   copied - linear, 0, &err, GFP_KERNEL);
	if (!skb)
		return NULL;
	skb_reserve(skb, NET_SKB_PAD + NET_IP_ALIGN);
	skb_put(skb, linear);
	skb->data_len = copied - linear;
	skb->len += skb->data_len;
	c.skb = skb;
	if (walk(fr, 0, copied, copy_in, &c))
		return skb;
	kfree_skb(skb);
	return NULL;
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
 * To the driver itself, without qdisc, taps and software help: they would read
 * what is no memory. RCU is held. Return: 1: it has it; 0: it takes no more;
 * -EOPNOTSUPP: not without help; -ENETDOWN.
 */
static int xmit_direct(struct lpar_queue *q, struct net_device *dev,
		       struct sk_buff *skb)
{
	u16 n = (q->index - 1) % dev->real_num_tx_queues;
	struct netdev_queue *txq = netdev_get_tx_queue(dev, n);
	int ret = 0;

	skb_set_queue_mapping(skb, n);
	local_bh_disable();
	HARD_TX_LOCK(dev, txq, smp_processor_id());
	if (!netif_running(dev) || !netif_device_present(dev) ||
	    !netif_carrier_ok(dev))
		ret = -ENETDOWN;
	else if (!device_does(dev, skb))
		ret = -EOPNOTSUPP;
	else if (!netif_xmit_frozen_or_drv_stopped(txq))
		ret = dev_xmit_complete(netdev_start_xmit(skb, dev, txq, false));
	HARD_TX_UNLOCK(dev, txq);
	local_bh_enable();
	return ret;
}

/* May the driver's queue have room? A hint, before all the work. That of a device
 * which is down is stopped, but its frames end. RCU is held. */
static bool has_room(struct lpar_queue *q, struct net_device *dev)
{
	u16 n = (q->index - 1) % dev->real_num_tx_queues;

	return !netif_running(dev) || !netif_carrier_ok(dev) ||
	       !netif_xmit_frozen_or_drv_stopped(netdev_get_tx_queue(dev, n));
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
			dev_queue_xmit(copy);
	}
	if (route->host && netif_running(dev)) {
		skb->protocol = eth_type_trans(skb, dev);
		netif_rx(skb);
		return;
	}
	consume_skb(skb);
}

/* Build the skb for the wire. Return: it, or NULL. May sleep. */
static struct sk_buff *build(struct lpar_queue *q, struct frame *fr, u32 linear,
			     enum lpar_mode mode)
{
	struct adder a = { .q = q, .tags = mode == LPAR_MODE_TAG };
	struct sk_buff *skb;

	if (mode == LPAR_MODE_COPY)
		return copy_frame(fr, linear, fr->f.len);
	skb = copy_frame(fr, linear, linear);
	if (!skb)
		return NULL;
	a.skb = skb;
	if (linear == fr->f.len || walk(fr, linear, fr->f.len - linear, add_piece, &a))
		return skb;
	kfree_skb(skb);
	/* more pieces than an skb holds */
	return mode == LPAR_MODE_TAG ? NULL : copy_frame(fr, linear, fr->f.len);
}

/* From here on the end of the skb is that of the request. */
static void rearm(struct sk_buff *skb, struct lpar_net_req *r)
{
	WRITE_ONCE(r->ended, false);
	lpar_compat_zcopy_set(skb, &r->uarg, &frame_ubuf);
}

static void arm(struct sk_buff *skb, struct lpar_queue *q, struct lpar_net_req *r)
{
	refcount_inc(&q->users.n);	/* ours is held: not zero */
	rearm(skb, r);
}

/* To the stack's own way out, with all that it may do to real pages. */
static void hand_over(struct lpar_port *port, struct sk_buff *skb)
{
	struct net_device *dev;

	rcu_read_lock();
	dev = rcu_dereference(port->dev);
	skb->dev = dev;
	if (dev)
		dev_queue_xmit(skb);
	else
		kfree_skb(skb);
	rcu_read_unlock();
}

/* To the wire. Return: LPAR_TAKE_FULL, and nothing has happened; or DONE. */
static enum lpar_take to_wire(struct lpar_queue *q, struct lpar_port *port,
			      const struct lpar_nic_limits *lim, struct frame *fr,
			      struct sk_buff *skb, u32 linear)
{
	struct lpar_net_req *r = fr->req;
	struct net_device *dev;
	int ret;

	describe(skb, &fr->f);
	arm(skb, q, r);
	q->stats.bytes_copied += skb_headlen(skb);
	if (q->fn->mode != LPAR_MODE_TAG) {
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
			describe(skb, &fr->f);
			rearm(skb, r);
			hand_over(port, skb);
			return LPAR_TAKE_DONE;
		}
	}
	req_put(r);
	if (ret)
		refuse(q, fr->f.id, ret == -ENETDOWN ? LPAR_IOERR : LPAR_NOMEM);
	lpar_queue_put(q);
	return ret ? LPAR_TAKE_DONE : LPAR_TAKE_FULL;
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
	struct lpar_nic *nic = queue_nic(q);
	enum lpar_mode mode = q->fn->mode;
	struct lpar_route route = {};
	struct lpar_port *port;
	struct frame fr = {};
	struct sk_buff *skb;
	enum lpar_status st;
	bool room = true;
	u32 linear;

	st = decode(q, sqe, lim, false, &fr);
	if (st != LPAR_OK)
		return refuse(q, fr.f.id, st);
	/* as long as a queue is on it, its port stays; the device need not */
	rcu_read_lock();
	port = rcu_dereference(nic->port);
	if (port && mode == LPAR_MODE_TAG) {
		struct net_device *dev = rcu_dereference(port->dev);

		room = !dev || has_room(q, dev);
	}
	rcu_read_unlock();
	if (!port)
		return refuse(q, fr.f.id, LPAR_GONE);
	if (!room)
		return LPAR_TAKE_FULL;

	fr.req = req_get(q);
	fr.req->id = fr.f.id;
	fr.req->bytes = fr.f.len;
	fr.req->taken = trace_lpar_completion_enabled() ? local_clock() : 0;
	st = get_windows(q, &fr, mode == LPAR_MODE_TAG);
	if (st != LPAR_OK)
		goto err;
	linear = fr.f.len <= LPAR_NIC_COPY ? fr.f.len :
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
	rcu_read_lock();
	lpar_port_route(port, nic, skb->data, &route);
	rcu_read_unlock();
	if (!route.station && !route.host)
		return to_wire(q, port, lim, &fr, skb, linear);

	/* whoever is on this side must be able to read all of it */
	if (mode != LPAR_MODE_COPY && linear < fr.f.len) {
		kfree_skb(skb);
		st = LPAR_NOMEM;
		skb = copy_frame(&fr, linear, fr.f.len);
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
	q->stats.bytes_copied += fr.f.len;
	describe(skb, &fr.f);
	rcu_read_lock();
	/* the address may have changed with the second copy, or the station gone */
	lpar_port_route(port, nic, skb->data, &route);
	switch_frame(nic, port, &route, skb);
	rcu_read_unlock();
	req_put(fr.req);
	lpar_queue_complete(q, fr.f.id, LPAR_OK, fr.f.len, 0, 0, 0);
	return LPAR_TAKE_DONE;

err:
	req_put(fr.req);
	return refuse(q, fr.f.id, st);
}

/* ---------------------------------------------------------------- receiving */

/* One more for the client. Return: false: too much waits for it. */
static bool backlog_add(struct lpar_queue *q, struct sk_buff *skb)
{
	struct sk_buff_head *b = &q->backlog;
	unsigned long flags;
	bool room;

	spin_lock_irqsave(&b->lock, flags);
	room = skb_queue_len(b) < BACKLOG &&
	       q->backlog_bytes + skb->truesize <= BACKLOG_BYTES;
	if (room) {
		q->backlog_bytes += skb->truesize;
		__skb_queue_tail(b, skb);
	}
	spin_unlock_irqrestore(&b->lock, flags);
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

/**
 * lpar_net_arrive - queue a frame for a client (softirq, or a sender's time)
 * @nic: whose
 * @skb: from its Ethernet header on; consumed
 *
 * Context: any but hard interrupt; RCU is held.
 */
void lpar_net_arrive(struct lpar_nic *nic, struct sk_buff *skb)
{
	unsigned int n = READ_ONCE(nic->receivers);
	struct lpar_queue *q = NULL;

	if (n) {
		n = n == 1 ? 0 : skb_get_hash(skb) % n;
		q = rcu_dereference(nic->receive[n]);
		if (q && !lpar_users_tryget(&q->users))
			q = NULL;
	}
	if (!q)
		goto drop;
	/* VLANs are for those who are trusted with them; a mere priority is none */
	if (!nic->trusted && skb_vlan_tag_present(skb) && !skb_vlan_tag_get_id(skb))
		__vlan_hwaccel_clear_tag(skb);
	if (!nic->trusted && (skb_vlan_tag_present(skb) ||
			      eth_type_vlan(eth_hdr(skb)->h_proto)))
		goto drop;
	/* the wire knows one kind of removed tag */
	if (skb_vlan_tag_present(skb) && skb->vlan_proto != htons(ETH_P_8021Q))
		goto drop;
	if (skb_queue_len_lockless(&q->backlog) >= BACKLOG ||
	    skb_orphan_frags_rx(skb, GFP_ATOMIC))
		goto drop;
	/* it may wait long: it keeps no socket, route or device */
	skb_orphan(skb);
	skb_dst_drop(skb);
	nf_reset_ct(skb);
	skb_ext_reset(skb);
	skb->dev = NULL;
	if (!backlog_add(q, skb))
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
		lpar_queue_put(q);
	}
	rcu_read_unlock();
}

/* To cut a tunnel's frame the stack looks at its device, so it gets one again. */
static struct sk_buff *cut(struct lpar_queue *q, struct sk_buff *skb)
{
	struct sk_buff *segs = ERR_PTR(-ENODEV), *s;
	struct lpar_port *port;

	rcu_read_lock();
	port = rcu_dereference(queue_nic(q)->port);
	skb->dev = port ? rcu_dereference(port->dev) : NULL;
	/* the stack warns of one that was merged unchecked */
	if (skb->dev && (skb->ip_summed == CHECKSUM_PARTIAL ||
			 skb->ip_summed == CHECKSUM_UNNECESSARY))
		segs = skb_gso_segment(skb, NETIF_F_SG | NETIF_F_HW_CSUM);
	for (s = IS_ERR(segs) ? NULL : segs; s; s = s->next)
		s->dev = NULL;
	skb->dev = NULL;
	rcu_read_unlock();
	return segs;
}

/* The next frame that a buffer is wanted for, cut to what the client can take. */
static struct sk_buff *next_frame(struct lpar_queue *q)
{
	struct sk_buff *skb, *segs;

	for (;;) {
		skb = q->waiting;
		if (skb) {
			q->waiting = skb->next;
			skb_mark_not_on_list(skb);
			return skb;
		}
		skb = backlog_take(q);
		if (!skb || !skb_is_gso(skb))
			return skb;
		/* merged by the host's GRO, or never cut: on the client's time */
		segs = cut(q, skb);
		if (IS_ERR_OR_NULL(segs)) {
			atomic64_inc(&queue_nic(q)->dropped);
			kfree_skb(skb);
			continue;
		}
		consume_skb(skb);
		q->waiting = segs;
	}
}

/* What is left to sum up is for the client, which knows one kind of sum: SCTP's is
 * another. Return: false: no memory for it. */
static bool sums_ok(struct sk_buff *skb)
{
	return skb->ip_summed != CHECKSUM_PARTIAL ||
	       !skb_csum_hwoffload_help(skb, NETIF_F_HW_CSUM);
}

static void frame_wait(struct lpar_queue *q, struct sk_buff *skb)
{
	skb->next = q->waiting;
	q->waiting = skb;
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
		void *to = page_address(w->pages[offset >> PAGE_SHIFT]) + in;

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
	struct lpar_net_rx head = {};

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
	struct lpar_nic *nic = queue_nic(q);
	struct lpar_net_req req = { .queue = q };
	struct frame fr = { .req = &req };
	struct pourer p = {};
	struct lpar_net_rx head;
	struct sk_buff *skb;
	unsigned int drops = 0;
	enum lpar_status st;
	u32 bytes = 0;
	u8 i;

	skb = next_frame(q);
	if (!skb)
		return LPAR_TAKE_IDLE;
	st = decode(q, sqe, lim, true, &fr);
	if (st != LPAR_OK) {
		frame_wait(q, skb);
		return refuse(q, fr.f.id, st);
	}
	/* its client has made buffers for smaller ones, or memory is short */
	while (skb->len + sizeof(head) > fr.f.len || !sums_ok(skb)) {
		atomic64_inc(&nic->dropped);
		kfree_skb(skb);
		/* others send more meanwhile: their time is not the client's */
		skb = drops++ < BACKLOG ? next_frame(q) : NULL;
		if (!skb)
			return LPAR_TAKE_IDLE;
	}
	st = get_windows(q, &fr, false);
	if (st == LPAR_OK) {
		head = head_of(skb, lim);
		bytes = sizeof(head) + skb->len;
		p.head = &head;
		p.skb = skb;
		if (!walk(&fr, 0, bytes, pour, &p))
			st = LPAR_IOERR;
	}
	for (i = 0; i < req.nwins; i++)
		lpar_window_put(req.wins[i]);
	if (st == LPAR_NOWINDOW || st == LPAR_FAULT) {
		frame_wait(q, skb);
		return refuse(q, fr.f.id, st);
	}
	q->stats.bytes_copied += bytes;
	consume_skb(skb);
	lpar_queue_complete(q, fr.f.id, st, st == LPAR_OK ? bytes : 0, 0, 0, 0);
	return LPAR_TAKE_DONE;
}

/* Do frames wait for buffers? The queue's server only. */
bool lpar_net_waits(struct lpar_queue *q)
{
	return q->nic && q->role == LPAR_ROLE_RECEIVE &&
	       (q->waiting || !skb_queue_empty_lockless(&q->backlog));
}

/* ------------------------------------------------------------------- queues */

/* Its own memory. May sleep. Return: 0, -ENOMEM. */
int lpar_net_queue_init(struct lpar_queue *q)
{
	u32 i;

	skb_queue_head_init(&q->backlog);
	q->seg_copy = kvcalloc(q->segs, sizeof(*q->seg_copy), GFP_KERNEL_ACCOUNT);
	if (!q->seg_copy)
		return -ENOMEM;
	if (q->role != LPAR_ROLE_REQUESTS)
		return 0;
	q->frames = kvcalloc(q->depth, sizeof(*q->frames), GFP_KERNEL_ACCOUNT);
	if (!q->frames)
		return -ENOMEM;
	for (i = 0; i < q->depth; i++) {
		q->frames[i].queue = q;
		q->frames[i].free.next = q->free;
		q->free = &q->frames[i].free;
	}
	return 0;
}

/* Nobody uses it any more: what waited is lost. */
void lpar_net_queue_free(struct lpar_queue *q)
{
	if (q->role == LPAR_ROLE_RECEIVE) {
		skb_queue_purge(&q->backlog);
		kfree_skb_list(q->waiting);
	}
	kvfree(q->frames);
}

/* Let it receive. partition->lock is held. Return: false: there are too many. */
bool lpar_net_queue_add(struct lpar_queue *q)
{
	struct lpar_nic *nic = queue_nic(q);

	if (q->role != LPAR_ROLE_RECEIVE)
		return true;
	if (nic->receivers == LPAR_NIC_QUEUES)
		return false;
	rcu_assign_pointer(nic->receive[nic->receivers], q);
	WRITE_ONCE(nic->receivers, nic->receivers + 1);
	return true;
}

/* The opposite; it has no users any more. partition->lock is held. */
void lpar_net_queue_del(struct lpar_queue *q)
{
	struct lpar_nic *nic = queue_nic(q);
	unsigned int i, last;

	for (i = 0; i < nic->receivers; i++) {
		if (rcu_access_pointer(nic->receive[i]) != q)
			continue;
		last = nic->receivers - 1;
		WRITE_ONCE(nic->receivers, last);
		rcu_assign_pointer(nic->receive[i],
				   rcu_access_pointer(nic->receive[last]));
		RCU_INIT_POINTER(nic->receive[last], NULL);
		break;
	}
}
