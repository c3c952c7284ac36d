// SPDX-License-Identifier: GPL-2.0
/*
 * XDP: a program's word on each received frame, before the stack sees it.
 *
 * The frame is copied out of the host's buffer first: what the program judged is what
 * the stack or the wire gets, whatever the host writes meanwhile. It sees whole frames:
 * the host cuts what it has merged, for buffers of this size; a sum that a neighbour
 * left to the adapter is computed here, and a tag that the adapter removed put back.
 * What is sent back or comes from another device's program is sent as the stack's own
 * frames are.
 */
#include <linux/bpf_trace.h>
#include <linux/filter.h>
#include <linux/if_vlan.h>
#include <net/checksum.h>
#include <net/xdp.h>

#include "compat.h"
#include "net.h"

#define XDP_SLACK	128	/* bytes that a program may append */
#define XDP_SHARED	SKB_DATA_ALIGN(sizeof(struct skb_shared_info))
#define XDP_FRAME_MAX	(PAGE_SIZE - XDP_PACKET_HEADROOM - XDP_SLACK - XDP_SHARED)
#define XDP_MTU_MAX	(XDP_FRAME_MAX - ETH_HLEN - VLAN_HLEN)

/* ------------------------------------------------------------- sending */

/* In BH context, so that there are not fewer queues meanwhile: the stack waits for us. */
static bool xdp_send(struct net_device *netdev, struct sk_buff *skb)
{
	u32 queues = READ_ONCE(netdev->real_num_tx_queues);
	int ret;

	skb->dev = netdev;
	skb_reset_mac_header(skb);
	skb_set_network_header(skb, ETH_HLEN);
	skb->protocol = eth_hdr(skb)->h_proto;
	ret = dev_direct_xmit(skb, smp_processor_id() % queues);
	if (ret == NETDEV_TX_BUSY)
		dev_core_stats_tx_dropped_inc(netdev);
	return ret == NET_XMIT_SUCCESS;
}

/**
 * lpar_net_xdp_xmit - .ndo_xdp_xmit
 * @netdev: the NIC
 * @n:      of @frames
 * @frames: that another device received, or this one
 * @flags:  XDP_XMIT_*; a doorbell comes at the end of the softirq in any case
 *
 * In BH context.
 *
 * Return: how many are not the caller's any more, or a negative errno.
 */
int lpar_net_xdp_xmit(struct net_device *netdev, int n, struct xdp_frame **frames,
		      u32 flags)
{
	struct lpar_net *net = netdev_priv(netdev);
	struct sk_buff *skb;
	int i;

	if (flags & ~XDP_XMIT_FLAGS_MASK)
		return -EINVAL;
	if (!READ_ONCE(net->up))
		return -ENETDOWN;
	for (i = 0; i < n; i++) {
		skb = xdp_build_skb_from_frame(frames[i], netdev);
		if (!skb)
			break;
		skb_push(skb, ETH_HLEN);
		xdp_send(netdev, skb);
	}
	return i;
}

/* ----------------------------------------------------------- receiving */

/* Compute a sum that the sender has not. False: it is nowhere in the frame. */
static bool xdp_sum(struct lpar_net_rx *head, u8 *data, u32 len)
{
	u32 start = le16_to_cpu(head->csum_start);
	u32 at = start + le16_to_cpu(head->csum_offset);
	__sum16 sum;

	if (!(head->flags & LPAR_NET_RX_CSUM))
		return true;
	if (start < ETH_HLEN || at + sizeof(sum) > len)
		return false;
	sum = csum_fold(csum_partial(data + start, len - start, 0)) ?: CSUM_MANGLED_0;
	memcpy(data + at, &sum, sizeof(sum));
	head->flags ^= LPAR_NET_RX_CSUM | LPAR_NET_RX_CSUM_OK;
	return true;
}

/* Put a tag where it was. */
static u8 *xdp_tag(struct lpar_net_rx *head, u8 *data)
{
	struct vlan_ethhdr *tagged;

	if (!(head->flags & LPAR_NET_RX_VLAN))
		return data;
	tagged = memmove(data - VLAN_HLEN, data, 2 * ETH_ALEN);
	tagged->h_vlan_proto = htons(ETH_P_8021Q);
	tagged->h_vlan_TCI = htons(le16_to_cpu(head->vlan_tci));
	head->flags ^= LPAR_NET_RX_VLAN;
	return (u8 *)tagged;
}

/* Return: NULL where memory is short. */
static struct sk_buff *xdp_skb(const struct xdp_buff *xdp)
{
	struct sk_buff *skb = napi_build_skb(xdp->data_hard_start, xdp->frame_sz);

	if (!skb)
		return NULL;
	skb_reserve(skb, xdp->data - xdp->data_hard_start);
	__skb_put(skb, xdp->data_end - xdp->data);
	if (xdp->data > xdp->data_meta)
		skb_metadata_set(skb, xdp->data - xdp->data_meta);
	return skb;
}

/* Send a frame back. False: it is still the caller's. */
static bool xdp_tx(struct lpar_net_rx_queue *rx, const struct xdp_buff *xdp)
{
	struct sk_buff *skb = xdp_skb(xdp);

	if (!skb)
		return false;
	if (xdp_send(rx->net->netdev, skb))
		lpar_net_count(&rx->stats, &rx->stats.xdp_sent);
	else
		lpar_net_count(&rx->stats, &rx->stats.xdp_drops);
	return true;
}

/* Do as the program says. Return: the frame that the stack gets, or NULL. */
static struct sk_buff *xdp_act(struct lpar_net_rx_queue *rx, struct bpf_prog *prog,
			       struct xdp_buff *xdp)
{
	struct net_device *netdev = rx->net->netdev;
	u32 act = bpf_prog_run_xdp(prog, xdp);
	struct sk_buff *skb;

	switch (act) {
	case XDP_PASS:
		skb = xdp_skb(xdp);
		if (skb)
			return skb;
		lpar_net_count(&rx->stats, &rx->stats.drops);
		goto free;
	case XDP_TX:
		if (xdp_tx(rx, xdp))
			return NULL;
		break;
	case XDP_REDIRECT:
		/* It may have passed on some of what it failed with. */
		rx->redirected = true;
		if (!xdp_do_redirect(netdev, xdp, prog)) {
			lpar_net_count(&rx->stats, &rx->stats.xdp_redirects);
			return NULL;
		}
		break;
	case XDP_DROP:
		goto drop;
	case XDP_ABORTED:
		break;
	default:
		bpf_warn_invalid_xdp_action(netdev, prog, act);
		break;
	}
	trace_xdp_exception(netdev, prog, act);
drop:
	lpar_net_count(&rx->stats, &rx->stats.xdp_drops);
free:
	skb_free_frag(xdp->data_hard_start);
	return NULL;
}

/**
 * lpar_net_xdp_receive - let the program judge a frame
 * @rx:    from its NAPI
 * @prog:  the program
 * @head:  what the host says of the frame, a private copy; says less afterwards
 * @frame: where it stands, for the host to write
 * @len:   of @frame
 *
 * Return: the frame for the stack, to which @head applies, or NULL: it is dealt with,
 * and counted.
 */
struct sk_buff *lpar_net_xdp_receive(struct lpar_net_rx_queue *rx, struct bpf_prog *prog,
				     struct lpar_net_rx *head, const void *frame, u32 len)
{
	u32 size = SKB_DATA_ALIGN(XDP_PACKET_HEADROOM + len + XDP_SLACK) + XDP_SHARED;
	struct lpar_net_stats *stats = &rx->stats;
	struct xdp_buff xdp;
	struct sk_buff *skb;
	u8 *start, *data;

	if (len > XDP_FRAME_MAX) {
		lpar_net_count(stats, &stats->errors);
		return NULL;
	}
	start = napi_alloc_frag(size);
	if (!start) {
		lpar_net_count(stats, &stats->drops);
		return NULL;
	}
	data = memcpy(start + XDP_PACKET_HEADROOM, frame, len);
	if (!xdp_sum(head, data, len)) {
		lpar_net_count(stats, &stats->errors);
		skb_free_frag(start);
		return NULL;
	}
	xdp_init_buff(&xdp, size, &rx->xdp);
	data = xdp_tag(head, data);
	xdp_prepare_buff(&xdp, start, data - start, start + XDP_PACKET_HEADROOM + len - data,
			 true);
	skb = xdp_act(rx, prog, &xdp);
	if (skb)
		return skb;
	u64_stats_update_begin(&stats->sync);
	u64_stats_inc(&stats->packets);
	u64_stats_add(&stats->bytes, len);
	u64_stats_update_end(&stats->sync);
	return NULL;
}

/* ------------------------------------------------------------- control */

/**
 * lpar_net_xdp_mtu - may this be its MTU?
 * @net: the NIC
 * @mtu: bytes
 *
 * Under rtnl.
 *
 * Return: whether the program, if there is one, gets frames in one piece.
 */
bool lpar_net_xdp_mtu(struct lpar_net *net, u32 mtu)
{
	return !rtnl_dereference(net->xdp) || mtu <= XDP_MTU_MAX;
}

static int xdp_setup(struct lpar_net *net, struct bpf_prog *prog,
		     struct netlink_ext_ack *extack)
{
	struct bpf_prog *old = rtnl_dereference(net->xdp);
	/* Buffers that merged frames fit into are no good. */
	bool again = net->up && net->caps.rx_merged && !prog != !old;
	int err = 0;

	if (prog && net->netdev->mtu > XDP_MTU_MAX) {
		NL_SET_ERR_MSG_MOD(extack, "the MTU is too large for a frame to lie in a page: set it to 3000, say");
		return -EINVAL;
	}
	if (again)
		lpar_net_down(net);
	rcu_assign_pointer(net->xdp, prog);
	if (again)
		err = lpar_net_up(net);
	if (err && prog) {
		NL_SET_ERR_MSG_MOD(extack, "no memory for other buffers");
		rcu_assign_pointer(net->xdp, old);
	}
	if (err && lpar_net_up(net))
		netdev_err(net->netdev, "no queues any more: set it down and up\n");
	/* The stack takes no for an answer to a program's coming, not to its going. */
	if (err && prog)
		return err;
	if (old)
		bpf_prog_put(old);
	return 0;
}

/**
 * lpar_net_bpf - .ndo_bpf
 * @netdev: the NIC
 * @bpf:    what is wanted
 *
 * Sleeps, under rtnl.
 *
 * Return: 0 or a negative errno.
 */
int lpar_net_bpf(struct net_device *netdev, struct netdev_bpf *bpf)
{
	switch (bpf->command) {
	case XDP_SETUP_PROG:
		return xdp_setup(netdev_priv(netdev), bpf->prog, bpf->extack);
	default:
		return -EINVAL;
	}
}

/**
 * lpar_net_xdp_init - once for each NIC
 * @netdev: not yet registered
 */
void lpar_net_xdp_init(struct net_device *netdev)
{
	xdp_set_features_flag(netdev, NETDEV_XDP_ACT_BASIC | NETDEV_XDP_ACT_REDIRECT |
				      NETDEV_XDP_ACT_NDO_XMIT);
}
