// SPDX-License-Identifier: GPL-2.0
/*
 * IPsec: security associations that the adapter en- or decrypts by (ip xfrm … offload).
 * Padding, sequence numbers, replay and policy are the stack's; the host is trusted with
 * the keys of those that it is given, and with what it says of frames for them.
 *
 * The stack adds one where it may sleep, under a mutex of its own, and deletes one where
 * it may not: then a work item tells the host.
 */
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/xarray.h>
#include <net/ip.h>
#include <net/xfrm.h>

#include "channel.h"
#include "compat.h"
#include "net.h"

#ifdef CONFIG_XFRM_OFFLOAD

/* In @sas, of an SA that is gone; the host has yet to be told. */
#define SA_GONE		xa_mk_value(0)

static const struct xfrmdev_ops sa_ops;

/* The NIC that an SA is for. NULL: it is another device's, a bond's for instance, which
 * hands it from one of its own to the next as it likes. */
static struct lpar_net *sa_net(const struct xfrm_state *x)
{
	struct net_device *netdev = x->xso.dev;

	return netdev && netdev->xfrmdev_ops == &sa_ops ? netdev_priv(netdev) : NULL;
}

static const char *sa_refused(const struct xfrm_state *x)
{
	if (x->id.proto != IPPROTO_ESP)
		return "only ESP is offloaded";
	if (x->xso.type != XFRM_DEV_OFFLOAD_CRYPTO)
		return "only crypto offload: policies are the guest's";
	if (x->props.mode != XFRM_MODE_TRANSPORT && x->props.mode != XFRM_MODE_TUNNEL)
		return "only transport and tunnel mode are offloaded";
	if (x->props.flags & XFRM_STATE_ESN)
		return "extended sequence numbers are not offloaded";
	if (x->encap || x->tfcpad || x->calg)
		return "no encapsulation, padding or compression is offloaded";
	if (!x->aead || strcmp(x->aead->alg_name, "rfc4106(gcm(aes))"))
		return "only rfc4106(gcm(aes)) is offloaded";
	if (x->aead->alg_key_len % 8 || x->aead->alg_key_len / 8 > LPAR_SA_KEY_MAX)
		return "no such key is offloaded";
	return NULL;
}

/* Tell the host. Sleeps. Return: 0 or a negative errno, and no number. */
static int sa_tell(struct lpar_net *net, const struct xfrm_state *x, u32 *number)
{
	u64 arg[5] = { net->function };
	struct lpar_result result;
	struct lpar_sa sa = {
		.spi = cpu_to_le32(be32_to_cpu(x->id.spi)),
		.flags = (x->xso.dir == XFRM_DEV_OFFLOAD_IN ? LPAR_SA_IN : 0) |
			 (x->props.mode == XFRM_MODE_TUNNEL ? LPAR_SA_TUNNEL : 0) |
			 (x->props.family == AF_INET6 ? LPAR_SA_IPV6 : 0),
		.icv = x->aead->alg_icv_len / 8,
		.key_len = x->aead->alg_key_len / 8,
	};
	u32 bytes = x->props.family == AF_INET6 ? 16 : 4;
	int err;

	memcpy(sa.src, &x->props.saddr, bytes);
	memcpy(sa.dst, &x->id.daddr, bytes);
	memcpy(sa.key, x->aead->alg_key, sa.key_len);
	err = lpar_channel_exchange(net->dev, LPAR_OP_SA_ADD, arg, &sa, sizeof(sa),
				    &result, NULL);
	memzero_explicit(&sa, sizeof(sa));
	if (!err)
		err = lpar_channel_errno(result.status);
	if (err)
		return err;
	/* One that it gave away before it has not taken back. */
	if (!result.ret[0] || result.ret[0] > U16_MAX || xa_load(&net->sas, result.ret[0])) {
		lpar_main_break(net->dev, "the host gives an SA the number %llu",
				result.ret[0]);
		return -EPROTO;
	}
	*number = result.ret[0];
	return 0;
}

static void sa_untell(struct lpar_net *net, u32 number)
{
	u64 arg[5] = { net->function, number };
	struct lpar_result result;

	lpar_channel_call(net->dev, LPAR_OP_SA_DELETE, arg, &result, NULL);
}

static void sa_work(struct work_struct *work)
{
	struct lpar_net *net = container_of(work, struct lpar_net, sa_work);
	unsigned long number;
	void *entry;

	mutex_lock(&net->sa_lock);
	xa_for_each(&net->sas, number, entry) {
		/* Or the host forgets all of them: see lpar_net_ipsec_again(). */
		if (!netif_device_present(net->netdev))
			break;
		if (entry != SA_GONE)
			continue;
		sa_untell(net, number);
		xa_erase_bh(&net->sas, number);
	}
	mutex_unlock(&net->sa_lock);
}

/* To who asked for it; before 6.3 he can be told by the log alone. */
static int sa_refuse(struct lpar_net *net, struct netlink_ext_ack *extack, const char *why)
{
	if (extack)
		extack->_msg = why;
	else if (net_ratelimit())
		netdev_warn(net->netdev, "SA: %s\n", why);
	return -EINVAL;
}

static int sa_add(struct xfrm_state *x, struct netlink_ext_ack *extack)
{
	struct lpar_net *net = sa_net(x);
	const char *why;
	u32 number;
	int err;

	/* The stack does it itself then. */
	if (!net || !(net->netdev->features & NETIF_F_HW_ESP))
		return -EOPNOTSUPP;
	why = sa_refused(x);
	if (why)
		return sa_refuse(net, extack, why);
	/* What was deleted goes first: it may be this one's predecessor. */
	flush_work(&net->sa_work);
	mutex_lock(&net->sa_lock);
	err = netif_device_present(net->netdev) ? sa_tell(net, x, &number) : -ENETDOWN;
	if (!err) {
		err = xa_err(xa_store_bh(&net->sas, number, x, GFP_KERNEL));
		if (err)
			sa_untell(net, number);
		else
			WRITE_ONCE(x->xso.offload_handle, number);
	}
	mutex_unlock(&net->sa_lock);
	/* Not as if nobody had asked for it. */
	if (err)
		return sa_refuse(net, extack, "the host's adapter does not take it");
	return 0;
}

/* With the SA's lock held. */
static void sa_delete(struct xfrm_state *x)
{
	struct lpar_net *net = sa_net(x);
	unsigned long number = x->xso.offload_handle;

	if (!net || !number)
		return;
	/* In its own entry's place: that needs no memory. */
	if (xa_cmpxchg_bh(&net->sas, number, x, SA_GONE, GFP_ATOMIC) == x)
		schedule_work(&net->sa_work);
}

/* Else the stack encrypts it itself. */
static bool sa_offload_ok(struct sk_buff *skb, struct xfrm_state *x)
{
	if (x->props.family == AF_INET6)
		return !ipv6_ext_hdr(ipv6_hdr(skb)->nexthdr) && READ_ONCE(x->xso.offload_handle);
	return ip_hdr(skb)->ihl == 5 && READ_ONCE(x->xso.offload_handle);
}

LPAR_COMPAT_XFRM_OPS(sa_add, sa_delete)

static const struct xfrmdev_ops sa_ops = {
	.xdo_dev_state_add = lpar_compat_sa_add,
	.xdo_dev_state_delete = lpar_compat_sa_delete,
	.xdo_dev_offload_ok = sa_offload_ok,
};

/**
 * lpar_net_ipsec_tx - is the adapter to encrypt a frame?
 * @net: the NIC
 * @skb: the frame
 *
 * BH context.
 *
 * Return: the number of its SA; 0: no; -ENOENT: yes, but the host has lost that.
 */
int lpar_net_ipsec_tx(struct lpar_net *net, struct sk_buff *skb)
{
	struct xfrm_state *x;
	unsigned long number;

	/* It needs none, or the stack has done it; or it is of one that came in. */
	if (!xfrm_offload(skb))
		return 0;
	x = xfrm_input_state(skb);
	if (x->xso.dir != XFRM_DEV_OFFLOAD_OUT)
		return 0;
	/* Whoever was to encrypt it: it has not been. */
	if (x->xso.real_dev != net->netdev)
		return -ENOENT;
	number = READ_ONCE(x->xso.offload_handle);
	return number && xa_load(&net->sas, number) == x ? number : -ENOENT;
}

/* Is it a frame that an SA is for? From its Ethernet header on. */
static bool sa_fits(struct sk_buff *skb, const struct xfrm_state *x)
{
	bool ipv6 = x->props.family == AF_INET6;
	u32 at = ETH_HLEN, len = ipv6 ? sizeof(struct ipv6hdr) : sizeof(struct iphdr);
	const struct ipv6hdr *ip6;
	const struct iphdr *ip;

	/* Where an XDP program has seen it, its tag is in the frame. */
	if (((struct ethhdr *)skb->data)->h_proto == htons(ETH_P_8021Q))
		at += VLAN_HLEN;
	if (!pskb_may_pull(skb, at + len + sizeof(struct ip_esp_hdr)))
		return false;
	ip = (struct iphdr *)(skb->data + at);
	/* the type is the last thing before the network header */
	if (((__be16 *)ip)[-1] != htons(ipv6 ? ETH_P_IPV6 : ETH_P_IP))
		return false;
	ip6 = (struct ipv6hdr *)ip;
	if (ipv6 ? ip6->nexthdr != IPPROTO_ESP ||
		   memcmp(&ip6->daddr, &x->id.daddr.a6, sizeof(ip6->daddr)) :
		   ip->protocol != IPPROTO_ESP || ip->ihl != 5 ||
		   ip->daddr != x->id.daddr.a4)
		return false;
	return ((struct ip_esp_hdr *)(skb->data + at + len))->spi == x->id.spi;
}

/**
 * lpar_net_ipsec_rx - the host says that the adapter has decrypted a frame
 * @net:    the NIC
 * @skb:    from its Ethernet header on
 * @number: of the SA, as the host says
 *
 * BH context.
 *
 * Return: false: that makes no sense, or memory is short.
 */
bool lpar_net_ipsec_rx(struct lpar_net *net, struct sk_buff *skb, u32 number)
{
	struct xfrm_offload *xo;
	struct xfrm_state *x;
	struct sec_path *sp;

	rcu_read_lock();
	x = xa_load(&net->sas, number);
	if (x && (xa_is_value(x) || x->xso.dir != XFRM_DEV_OFFLOAD_IN || !sa_fits(skb, x) ||
		  !refcount_inc_not_zero(&x->refcnt)))
		x = NULL;
	rcu_read_unlock();
	if (!x)
		return false;
	sp = secpath_set(skb);
	if (!sp) {
		xfrm_state_put(x);
		return false;
	}
	sp->xvec[sp->len++] = x;
	sp->olen++;
	xo = xfrm_offload(skb);
	xo->flags = CRYPTO_DONE;
	xo->status = CRYPTO_SUCCESS;
	return true;
}

/**
 * lpar_net_ipsec_init - once for each NIC
 * @net: not yet registered
 */
void lpar_net_ipsec_init(struct lpar_net *net)
{
	xa_init_flags(&net->sas, XA_FLAGS_LOCK_BH);
	mutex_init(&net->sa_lock);
	INIT_WORK(&net->sa_work, sa_work);
	net->netdev->xfrmdev_ops = &sa_ops;
	net->netdev->hw_enc_features |= NETIF_F_HW_ESP;
}

/* Sleeps. Return: whether the host has it, and so has the NIC. */
static bool sa_again(struct lpar_net *net, struct xfrm_state *x)
{
	u32 number;
	bool fine;

	if (sa_tell(net, x, &number))
		return false;
	/* It may have been deleted meanwhile. */
	spin_lock_bh(&x->lock);
	fine = x->km.state == XFRM_STATE_VALID &&
	       !xa_err(xa_store_bh(&net->sas, number, x, GFP_ATOMIC));
	if (fine)
		WRITE_ONCE(x->xso.offload_handle, number);
	spin_unlock_bh(&x->lock);
	if (!fine)
		sa_untell(net, number);
	return fine;
}

/* None is offloaded any more. Return: those that were, referenced; to be freed; or NULL. */
static struct xfrm_state **sa_take_all(struct lpar_net *net, u32 *n)
{
	struct xfrm_state **all, *x;
	unsigned long number;
	u32 most = 0;
	void *entry;

	xa_for_each(&net->sas, number, entry)
		most++;
	all = kvcalloc(most, sizeof(*all), GFP_KERNEL);
	*n = 0;
	xa_lock_bh(&net->sas);
	xa_for_each(&net->sas, number, entry) {
		__xa_erase(&net->sas, number);
		if (entry == SA_GONE)
			continue;
		x = entry;
		WRITE_ONCE(x->xso.offload_handle, 0);
		/* None is added meanwhile: that needs @sa_lock. */
		if (all && refcount_inc_not_zero(&x->refcnt))
			all[(*n)++] = x;
	}
	xa_unlock_bh(&net->sas);
	return all;
}

/**
 * lpar_net_ipsec_stop - the channel is about to be reset
 * @net: detached: nothing more is told until lpar_net_ipsec_again()
 *
 * Sleeps; without rtnl.
 */
void lpar_net_ipsec_stop(struct lpar_net *net)
{
	cancel_work_sync(&net->sa_work);
	/* Who has seen it attached is through then. */
	mutex_lock(&net->sa_lock);
	mutex_unlock(&net->sa_lock);
}

/**
 * lpar_net_ipsec_again - the host has forgotten all SAs: tell it again
 * @net: with its channel open; takes no frames
 *
 * Sleeps. One that it does not take any more is the stack's: that encrypts what it sends,
 * and decrypts what comes for it.
 */
void lpar_net_ipsec_again(struct lpar_net *net)
{
	struct xfrm_state **all;
	u32 n, i;

	mutex_lock(&net->sa_lock);
	if (xa_empty(&net->sas))
		goto out;
	all = sa_take_all(net, &n);
	for (i = 0; i < n; i++) {
		if (!sa_again(net, all[i]))
			netdev_warn(net->netdev, "the SA with SPI %#x is not offloaded any more\n",
				    be32_to_cpu(all[i]->id.spi));
		xfrm_state_put(all[i]);
	}
	kvfree(all);
out:
	mutex_unlock(&net->sa_lock);
}

/**
 * lpar_net_ipsec_tell - tell the host what was deleted while it could not be told
 * @net: attached again
 */
void lpar_net_ipsec_tell(struct lpar_net *net)
{
	schedule_work(&net->sa_work);
}

/**
 * lpar_net_ipsec_end - the opposite of lpar_net_ipsec_init()
 * @net: not registered any more: the stack has let go of all SAs
 *
 * Sleeps.
 */
void lpar_net_ipsec_end(struct lpar_net *net)
{
	cancel_work_sync(&net->sa_work);
	xa_destroy(&net->sas);
}

#else /* no offload in this kernel */

int lpar_net_ipsec_tx(struct lpar_net *net, struct sk_buff *skb)
{
	return 0;
}

bool lpar_net_ipsec_rx(struct lpar_net *net, struct sk_buff *skb, u32 number)
{
	return false;
}

void lpar_net_ipsec_init(struct lpar_net *net)
{
}

void lpar_net_ipsec_stop(struct lpar_net *net)
{
}

void lpar_net_ipsec_again(struct lpar_net *net)
{
}

void lpar_net_ipsec_tell(struct lpar_net *net)
{
}

void lpar_net_ipsec_end(struct lpar_net *net)
{
}

#endif
