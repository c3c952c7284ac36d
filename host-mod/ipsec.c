// SPDX-License-Identifier: GPL-2.0
/*
 * Clients' security associations, given to the driver of a port's adapter as the kernel
 * would give it the host's own: a state (struct xfrm_state) with keys and addresses. It
 * is in none of the host's tables, so that the host's stack neither sends nor receives
 * by it: what the adapter has decrypted by it is its client's alone.
 *
 * Locks: the client's lock > the namespace's xfrm_cfg_mutex, which drivers count on >
 * sas_lock; RTNL > sas_lock.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/if_ether.h>
#include <linux/ip.h>
#include <linux/mutex.h>
#include <linux/netdevice.h>
#include <linux/xarray.h>
#include <net/ip.h>
#include <net/xfrm.h>

#include "compat.h"
#include "function.h"
#include "ipsec.h"
#include "port.h"

#ifdef CONFIG_XFRM_OFFLOAD

/**
 * struct sa - one of them
 * @x:    what its driver knows; refers to it by props.reqid, see sa_number()
 * @nic:  whose
 * @link: in nic->sas
 * @rcu:  frees it, and lets go of @x: drivers take references under RCU alone
 */
struct sa {
	struct xfrm_state *x;
	struct lpar_nic *nic;
	struct list_head link;
	struct rcu_head rcu;
};

static DEFINE_MUTEX(sas_lock);
/* All of them, by number; changed under sas_lock, read under RCU. */
static DEFINE_XARRAY_ALLOC1(sas);

/*
 * Drivers whose code was read and that were tested with states like these. Not:
 *
 * ixgbe: what it knows of an inbound SA it wipes while frames may be looking it up
 * (ixgbe_ipsec_del_sa(), ixgbe_ipsec_find_rx_state()): a client could time that.
 * mlx5: it wants the stack's cipher besides the key (x->data).
 * bonding: it changes whose SAs are (real_dev) behind those that look at that.
 *
 * Test: tests/boot/net-ipsec.
 */
static const char *const qualified[] = { "netdevsim", NULL };

/* A number that is no policy's of the host (reqid), and the SA's in it. */
#define REQID		(1u << 31)

static u32 sa_number(const struct xfrm_state *x)
{
	return x->props.reqid & U16_MAX;
}

/* ---------------------------------------------------------- received frames */

/*
 * GRO gives what an adapter has decrypted to the host's IPsec before a port sees it, and
 * that comes here. It frees the frame after this, and counts it as one in error
 * (XfrmInStateProtoError).
 */
static int sa_input_tail(struct xfrm_state *x, struct sk_buff *skb)
{
	struct sk_buff *copy = skb_clone(skb, GFP_ATOMIC);

	if (!copy)
		return -ENOMEM;
	skb_push(copy, copy->data - skb_mac_header(copy));
	rcu_read_lock();
	lpar_port_decrypted(copy);
	rcu_read_unlock();
	return -EINVAL;
}

static int sa_input(struct xfrm_state *x, struct sk_buff *skb)
{
	return -EINVAL;
}

static int sa_output(struct xfrm_state *x, struct sk_buff *skb)
{
	return -EINVAL;
}

static int sa_xmit(struct xfrm_state *x, struct sk_buff *skb, netdev_features_t features)
{
	return -EINVAL;
}

static void driver_delete(struct xfrm_state *x)
{
	/* as the kernel does when one expires */
	spin_lock_bh(&x->lock);
	lpar_compat_state_delete(x->xso.real_dev, x);
	spin_unlock_bh(&x->lock);
}

/*
 * No frame refers to it any more. Only now is the adapter's place for one that encrypts
 * another's: drivers take a frame's key by the place alone. May sleep.
 */
static void sa_destructor(struct xfrm_state *x)
{
	if (x->xso.dev && x->xso.dir == XFRM_DEV_OFFLOAD_OUT)
		driver_delete(x);
}

/* What the kernel calls for a state; each state has a reference to the module for each. */
static const struct xfrm_type sa_type = {
	.owner = THIS_MODULE,
	.proto = IPPROTO_ESP,
	.destructor = sa_destructor,
	.input = sa_input,
	.output = sa_output,
};

static const struct xfrm_type_offload sa_type_offload = {
	.owner = THIS_MODULE,
	.proto = IPPROTO_ESP,
	.input_tail = sa_input_tail,
	.xmit = sa_xmit,
};

/* The SA that a state is of, if it is one of ours. RCU is held. */
static struct sa *sa_of(const struct xfrm_state *x)
{
	struct sa *sa = xa_load(&sas, sa_number(x));

	return sa && sa->x == x ? sa : NULL;
}

/**
 * lpar_ipsec_received - what did the adapter decrypt a frame by?
 * @nic: whose it is
 * @skb: the frame
 *
 * Context: any but hard interrupt; RCU is held.
 * Return: the SA's number; 0: by none; -EINVAL: by one that is not this client's, or it
 * was not genuine, or the host has yet to encrypt it: drop it.
 */
int lpar_ipsec_received(const struct lpar_nic *nic, const struct sk_buff *skb)
{
	struct xfrm_offload *xo = xfrm_offload((struct sk_buff *)skb);
	struct sa *sa;

	if (!xo)
		return 0;
	sa = sa_of(xfrm_input_state((struct sk_buff *)skb));
	if (!sa || sa->nic != nic || !(xo->flags & CRYPTO_DONE) || !(xo->status & CRYPTO_SUCCESS))
		return -EINVAL;
	return sa_number(sa->x);
}

/* ----------------------------------------------------------------- sending */

/**
 * lpar_ipsec_protect - have the adapter encrypt a frame
 * @nic:    whose it is
 * @skb:    all of it, in its linear part; from its Ethernet header on
 * @number: of the SA
 *
 * Context: may sleep.
 * Return: LPAR_OK; LPAR_NOENT: no such SA, or it decrypts; LPAR_INVAL: see
 * lpar_core_esp(); LPAR_NOTSUPP: the adapter does not do that now; LPAR_NOMEM.
 */
enum lpar_status lpar_ipsec_protect(struct lpar_nic *nic, struct sk_buff *skb, u16 number)
{
	enum lpar_status st = LPAR_NOENT;
	struct xfrm_state *x = NULL;
	struct xfrm_offload *xo;
	struct lpar_esp esp;
	struct sec_path *sp;
	struct sa *sa;

	rcu_read_lock();
	sa = xa_load(&sas, number);
	if (sa && sa->nic == nic && sa->x->xso.dir == XFRM_DEV_OFFLOAD_OUT &&
	    refcount_inc_not_zero(&sa->x->refcnt))
		x = sa->x;
	rcu_read_unlock();
	if (!x)
		return st;
	st = lpar_core_esp(skb->data, skb->len, be32_to_cpu(x->id.spi),
			   x->props.family == AF_INET6, x->aead->alg_icv_len / 8, &esp);
	if (st != LPAR_OK)
		goto err;
	st = LPAR_NOTSUPP;
	if (!(READ_ONCE(x->xso.real_dev->features) & NETIF_F_HW_ESP))
		goto err;
	st = LPAR_NOMEM;
	sp = secpath_set(skb);
	if (!sp)
		goto err;
	sp->xvec[sp->len++] = x;
	sp->olen++;
	xo = xfrm_offload(skb);
	/* the client's stack has done all that is to be done in software */
	xo->flags = XFRM_XMIT;
	xo->seq.low = esp.seq;
	xo->seq.hi = 0;
	xo->proto = esp.inner;
	skb_set_transport_header(skb, esp.at);
	return LPAR_OK;

err:
	xfrm_state_put(x);
	return st;
}

/* --------------------------------------------------------------- life cycle */

/* Can a client's SAs be given to a device? RTNL is held. */
bool lpar_ipsec_offered(const struct net_device *dev)
{
	return dev->features & NETIF_F_HW_ESP && dev->dev.parent &&
	       lpar_fn_qualified(dev->dev.parent, qualified) && dev->xfrmdev_ops &&
	       dev->xfrmdev_ops->xdo_dev_state_add &&
	       dev->xfrmdev_ops->xdo_dev_state_delete;
}

/* The kernel frees it when no frame refers to it any more. */
static void state_put(struct xfrm_state *x)
{
	x->km.state = XFRM_STATE_DEAD;
	xfrm_state_put(x);
}

static struct xfrm_algo_aead *aead_of(const struct lpar_sa *sa)
{
	struct xfrm_algo_aead *aead = kzalloc(sizeof(*aead) + sa->key_len, GFP_KERNEL_ACCOUNT);

	if (!aead)
		return NULL;
	strscpy(aead->alg_name, "rfc4106(gcm(aes))", sizeof(aead->alg_name));
	aead->alg_key_len = sa->key_len * 8;
	aead->alg_icv_len = sa->icv * 8;
	memcpy(aead->alg_key, sa->key, sa->key_len);
	return aead;
}

static u8 ealgo_of(const struct lpar_sa *sa)
{
	switch (sa->icv) {
	case 8:
		return SADB_X_EALG_AES_GCM_ICV8;
	case 12:
		return SADB_X_EALG_AES_GCM_ICV12;
	default:
		return SADB_X_EALG_AES_GCM_ICV16;
	}
}

/* As the kernel makes one that a user asks to be offloaded. */
static struct xfrm_state *state_of(const struct lpar_sa *sa, struct net_device *dev)
{
	bool ipv6 = sa->flags & LPAR_SA_IPV6;
	struct xfrm_state *x = xfrm_state_alloc(dev_net(dev));

	if (!x)
		return NULL;
	x->aead = aead_of(sa);
	if (!x->aead) {
		state_put(x);
		return NULL;
	}
	x->geniv = "seqiv";
	x->id.proto = IPPROTO_ESP;
	x->id.spi = cpu_to_be32(le32_to_cpu(sa->spi));
	memcpy(&x->id.daddr, sa->dst, sizeof(sa->dst));
	memcpy(&x->props.saddr, sa->src, sizeof(sa->src));
	x->props.family = ipv6 ? AF_INET6 : AF_INET;
	x->props.mode = sa->flags & LPAR_SA_TUNNEL ? XFRM_MODE_TUNNEL : XFRM_MODE_TRANSPORT;
	x->props.ealgo = ealgo_of(sa);
	x->sel.family = x->props.family;
	__module_get(THIS_MODULE);
	x->type = &sa_type;
	__module_get(THIS_MODULE);
	x->type_offload = &sa_type_offload;
	x->xso.real_dev = dev;
	x->xso.dir = sa->flags & LPAR_SA_IN ? XFRM_DEV_OFFLOAD_IN : XFRM_DEV_OFFLOAD_OUT;
	x->xso.type = XFRM_DEV_OFFLOAD_CRYPTO;
	x->km.state = XFRM_STATE_VALID;
	return x;
}

/* Does somebody on this device decrypt the same frames already? The adapter would give
 * one what is for the other. sas_lock is held. */
static bool received_by(const struct xfrm_state *x, struct net_device *dev)
{
	struct xfrm_state *host;
	struct sa *other;
	unsigned long i;

	if (x->xso.dir != XFRM_DEV_OFFLOAD_IN)
		return false;
	xa_for_each(&sas, i, other)
		if (other->x->xso.real_dev == dev &&
		    other->x->xso.dir == XFRM_DEV_OFFLOAD_IN &&
		    other->x->id.spi == x->id.spi &&
		    other->x->props.family == x->props.family &&
		    !memcmp(&other->x->id.daddr, &x->id.daddr, sizeof(x->id.daddr)))
			return true;
	host = xfrm_state_lookup(dev_net(dev), 0, &x->id.daddr, x->id.spi, IPPROTO_ESP,
				 x->props.family);
	if (host)
		xfrm_state_put(host);
	return host;
}

static enum lpar_status status_of(int error)
{
	switch (error) {
	case -ENOSPC:
		return LPAR_NOSPC;
	case -ENOMEM:
		return LPAR_NOMEM;
	case -EBUSY:
		return LPAR_QUOTA;
	default:
		/* there are drivers that say EINVAL to what they do not support */
		return LPAR_NOTSUPP;
	}
}

/* sas_lock and the namespace's mutex are held. */
static enum lpar_status add_locked(struct lpar_nic *nic, struct xfrm_state *x, u64 *number)
{
	struct net_device *dev = nic->sa_dev;
	bool in = x->xso.dir == XFRM_DEV_OFFLOAD_IN;
	struct netlink_ext_ack extack = {};
	static u32 next;
	struct sa *sa;
	u32 id;
	int ret;

	if (nic->nr_sas >= LPAR_NIC_SAS)
		return LPAR_QUOTA;
	if (received_by(x, dev))
		return LPAR_RESV_CONFLICT;
	sa = kzalloc(sizeof(*sa), GFP_KERNEL_ACCOUNT);
	if (!sa)
		return LPAR_NOMEM;
	sa->x = x;
	sa->nic = nic;
	ret = xa_alloc_cyclic(&sas, &id, NULL, XA_LIMIT(1, U16_MAX), &next, GFP_KERNEL);
	if (ret < 0)
		goto err_free;
	x->props.reqid = REQID | id;
	/* what the adapter decrypts by it must not be taken for nobody's; and nothing is to
	 * be encrypted by one that it does not have */
	if (in)
		xa_store(&sas, id, sa, GFP_KERNEL);
	x->xso.dev = dev;
	netdev_hold(dev, &x->xso.dev_tracker, GFP_KERNEL);
	ret = lpar_compat_state_add(dev, x, &extack);
	if (ret) {
		lpar_partition_say(nic->fn.partition, info,
				   "%s/%s: %s does not take an SA: %d%s%s\n",
				   lpar_partition_name(nic->fn.partition),
				   lpar_fn_name(&nic->fn), dev->name, ret,
				   extack._msg ? ", " : "", extack._msg ?: "");
		goto err_erase;
	}
	if (!in)
		xa_store(&sas, id, sa, GFP_KERNEL);
	list_add_tail(&sa->link, &nic->sas);
	WRITE_ONCE(nic->nr_sas, nic->nr_sas + 1);
	*number = id;
	return LPAR_OK;

err_erase:
	xa_erase(&sas, id);
	x->xso.dev = NULL;
	netdev_put(dev, &x->xso.dev_tracker);
err_free:
	kfree_rcu(sa, rcu);
	return status_of(ret);
}

/**
 * lpar_ipsec_add - give the adapter an SA of a client (LPAR_OP_SA_ADD)
 * @nic:    whose
 * @sa:     a private copy; the caller wipes it
 * @number: its number, when LPAR_OK
 *
 * Context: the client's lock is held, so that its NIC stays; sleeps, and gives up when
 * it is killed.
 * Return: see LPAR_OP_SA_ADD.
 */
enum lpar_status lpar_ipsec_add(struct lpar_nic *nic, const struct lpar_sa *sa, u64 *number)
{
	enum lpar_status st = lpar_core_sa(sa);
	struct xfrm_state *x;
	struct net *net = NULL;

	if (st != LPAR_OK)
		return st;
	mutex_lock(&sas_lock);
	if (nic->sa_dev)
		net = maybe_get_net(dev_net(nic->sa_dev));
	mutex_unlock(&sas_lock);
	if (!net)
		return LPAR_GONE;
	/* drivers know it held where the host's own are added */
	st = LPAR_BUSY;
	if (mutex_lock_killable(&net->xfrm.xfrm_cfg_mutex))
		goto out;
	mutex_lock(&sas_lock);
	st = LPAR_GONE;
	if (nic->sa_dev && dev_net(nic->sa_dev) == net) {
		st = LPAR_NOMEM;
		x = state_of(sa, nic->sa_dev);
		if (x)
			st = add_locked(nic, x, number);
		if (x && st != LPAR_OK)
			state_put(x);
	}
	mutex_unlock(&sas_lock);
	mutex_unlock(&net->xfrm.xfrm_cfg_mutex);
out:
	put_net(net);
	return st;
}

static void free_sa(struct rcu_head *rcu)
{
	struct sa *sa = container_of(rcu, struct sa, rcu);
	struct xfrm_state *x = sa->x;

	kfree(sa);
	xfrm_state_put(x);
}

/* sas_lock is held. */
static void drop(struct sa *sa)
{
	struct xfrm_state *x = sa->x;

	xa_erase(&sas, sa_number(x));
	list_del(&sa->link);
	WRITE_ONCE(sa->nic->nr_sas, sa->nic->nr_sas - 1);
	spin_lock_bh(&x->lock);
	x->km.state = XFRM_STATE_DEAD;
	spin_unlock_bh(&x->lock);
	if (x->xso.dir == XFRM_DEV_OFFLOAD_IN)
		driver_delete(x);
	call_rcu(&sa->rcu, free_sa);
}

/**
 * lpar_ipsec_delete - take an SA back (LPAR_OP_SA_DELETE)
 * @nic:    whose
 * @number: its number
 *
 * Context: may sleep.
 * Return: LPAR_OK, LPAR_NOENT.
 */
enum lpar_status lpar_ipsec_delete(struct lpar_nic *nic, u64 number)
{
	struct sa *sa;

	/* it comes to more by the same client's calls only */
	if (!READ_ONCE(nic->nr_sas))
		return LPAR_NOENT;
	mutex_lock(&sas_lock);
	sa = number <= U16_MAX ? xa_load(&sas, number) : NULL;
	if (sa && sa->nic != nic)
		sa = NULL;
	if (sa)
		drop(sa);
	mutex_unlock(&sas_lock);
	return sa ? LPAR_OK : LPAR_NOENT;
}

static void drop_all(struct lpar_nic *nic)
{
	struct sa *sa, *next;

	list_for_each_entry_safe(sa, next, &nic->sas, link)
		drop(sa);
}

/* Its client is reset: it has none any more. RTNL and the client's lock are held, may sleep. */
void lpar_ipsec_forget(struct lpar_nic *nic)
{
	/* who adds one to another NIC, with sas_lock, may be stopped for long; and has RTNL wait */
	if (!nic->nr_sas)
		return;
	mutex_lock(&sas_lock);
	drop_all(nic);
	mutex_unlock(&sas_lock);
}

/* A NIC has a device from here on. RTNL is held, may sleep. */
void lpar_ipsec_begin(struct lpar_nic *nic, struct net_device *dev)
{
	mutex_lock(&sas_lock);
	INIT_LIST_HEAD(&nic->sas);
	nic->nr_sas = 0;
	nic->sa_dev = dev;
	mutex_unlock(&sas_lock);
}

/* The opposite: nothing is decrypted by its SAs any more, or begins to be encrypted. An
 * SA that frames refer to keeps the device. RTNL is held, may sleep. */
void lpar_ipsec_end(struct lpar_nic *nic)
{
	mutex_lock(&sas_lock);
	drop_all(nic);
	nic->sa_dev = NULL;
	mutex_unlock(&sas_lock);
}

#else /* no offload in this kernel */

bool lpar_ipsec_offered(const struct net_device *dev)
{
	return false;
}

void lpar_ipsec_begin(struct lpar_nic *nic, struct net_device *dev)
{
}

void lpar_ipsec_end(struct lpar_nic *nic)
{
}

void lpar_ipsec_forget(struct lpar_nic *nic)
{
}

enum lpar_status lpar_ipsec_add(struct lpar_nic *nic, const struct lpar_sa *sa, u64 *number)
{
	return LPAR_NOTSUPP;
}

enum lpar_status lpar_ipsec_delete(struct lpar_nic *nic, u64 number)
{
	return LPAR_NOENT;
}

enum lpar_status lpar_ipsec_protect(struct lpar_nic *nic, struct sk_buff *skb, u16 number)
{
	return LPAR_NOENT;
}

int lpar_ipsec_received(const struct lpar_nic *nic, const struct sk_buff *skb)
{
	return 0;
}

#endif
