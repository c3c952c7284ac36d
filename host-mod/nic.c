// SPDX-License-Identifier: GPL-2.0
/*
 * NICs: stations of clients on a host's network port. Which mode, what the client is
 * told that it can do, and life and death. What they send and receive is net.c's.
 *
 * Locks: partition->config > RTNL > partition->lock. See docs/locking.md.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/delay.h>
#include <linux/ethtool.h>
#include <linux/etherdevice.h>
#include <linux/if_arp.h>
#include <linux/if_vlan.h>
#include <linux/jhash.h>
#include <linux/pci.h>
#include <linux/rtnetlink.h>
#include <linux/slab.h>
#include <linux/virtio_config.h>

#include "choice.h"
#include "compat.h"
#include "ipsec.h"
#include "net.h"
#include "nic.h"
#include "port.h"
#include "station.h"

/*
 * Drivers whose transmit path was read and looks at nothing but the linear part:
 *
 * e1000e (drivers/net/ethernet/intel/e1000e/netdev.c, e1000_xmit_frame(); 6.1 and
 * 6.12): fragments go to skb_frag_dma_map() alone. Segmenting, it pulls 4 bytes of
 * the first one when the linear part holds just the headers: LPAR_NIC_PULL.
 * Requests for DHCP it gives to its firmware, as if they were linear:
 * lpar_core_whole().
 *
 * virtio_net (drivers/net/virtio_net.c, start_xmit(), and virtqueue_add_split() and
 * _packed() of drivers/virtio/virtio_ring.c; 6.1 and 6.12): its header is made of the
 * linear part and what the skb says; fragments go to dma_map_page() alone, if the
 * device has the feature for that. While it is not told of frames that were sent, it
 * copies fragments (6.12), and does not end them before the next (both): see
 * lpar_nic_ends_late() and arm(). What it frees, it has unmapped.
 *
 * Test: tests/boot/net-*, with the emulator as the oracle.
 */
static const char *const qualified[] = { "e1000e", "virtio_net", NULL };

/* Fragments of a frame in tag mode; few drivers take more. */
#define TAG_SEGMENTS	8

/* --------------------------------------------------------- mode and limits */

static bool is_virtio(struct device *dev)
{
	return dev->bus && !strcmp(dev->bus->name, "virtio");
}

/* The PCI function that does a device's DMA; a virtio device lies between the two.
 * Return: NULL: there is none, or it is another device's. */
static struct pci_dev *function_of(struct net_device *dev)
{
	struct device *parent = dev->dev.parent;

	/* it names its standby's adapter as its own */
	if (netif_is_failover(dev))
		return NULL;
	if (parent && is_virtio(parent))
		parent = parent->parent;
	return parent && dev_is_pci(parent) ? to_pci_dev(parent) : NULL;
}

/* Does virtio_net end a frame no sooner than it sends the next one? It chooses when it is
 * set up. RTNL is held. */
bool lpar_nic_ends_late(struct net_device *dev)
{
	struct napi_struct *napi;

	list_for_each_entry(napi, &dev->napi_list, dev_list)
		if (!napi->weight)
			return true;
	return false;
}

static bool tags_possible(struct net_device *dev, struct lpar_verdict *v)
{
	struct pci_dev *pdev = function_of(dev);
	struct device *parent = dev->dev.parent;

	ASSERT_RTNL();
	if (!pdev) {
		snprintf(v->reason, sizeof(v->reason),
			 "%s is no function of a PCI adapter", dev->name);
		return false;
	}
	v->pdev = pci_dev_get(pdev);
	if (!lpar_fn_qualified(parent, qualified)) {
		snprintf(v->reason, sizeof(v->reason),
			 "driver %s is not on the qualification list",
			 dev_driver_string(parent));
		return false;
	}
	if (is_virtio(parent) && virtio_has_dma_quirk(dev_to_virtio(parent))) {
		snprintf(v->reason, sizeof(v->reason),
			 "%s does not use the IOMMU: it lacks VIRTIO_F_ACCESS_PLATFORM (QEMU: iommu_platform=on)",
			 dev->name);
		return false;
	}
	if (lpar_nic_ends_late(dev)) {
		snprintf(v->reason, sizeof(v->reason),
			 "%s does not tell when a frame was sent: set it down, and ethtool -C %s tx-frames 1",
			 dev->name, dev->name);
		return false;
	}
	if (!(dev->features & NETIF_F_SG)) {
		snprintf(v->reason, sizeof(v->reason),
			 "%s does not gather: ethtool -K %s sg on", dev->name,
			 dev->name);
		return false;
	}
	return true;
}

/* How to share a device. RTNL is held. Return: 0 and a verdict; else the reason says why
 * not. */
static int decide(struct net_device *dev, enum lpar_wish wish,
		  struct lpar_verdict *v)
{
	char why[LPAR_WHY_MAX];
	int ret;

	v->mode = LPAR_MODE_NONE;
	if (dev->type != ARPHRD_ETHER || dev->flags & IFF_LOOPBACK) {
		snprintf(v->reason, sizeof(v->reason), "%s is no Ethernet device",
			 dev->name);
		return -EOPNOTSUPP;
	}
	if (lpar_port_taken(dev)) {
		snprintf(v->reason, sizeof(v->reason),
			 "%s is in a bridge, bond or team, or has macvlans: share that, or take it out",
			 dev->name);
		return -EBUSY;
	}
	if (wish == LPAR_WISH_PAGE || wish == LPAR_WISH_COPY) {
		v->mode = wish == LPAR_WISH_PAGE ? LPAR_MODE_PAGE :
						   LPAR_MODE_COPY;
		strscpy(v->reason, "asked for", sizeof(v->reason));
		return 0;
	}
	if (!tags_possible(dev, v)) {
		if (wish == LPAR_WISH_TAG)
			return -EPERM;
		v->mode = LPAR_MODE_PAGE;
		return 0;
	}
	ret = lpar_adapter_check(v->pdev, why);
	if (ret) {
		strscpy(v->reason, why, sizeof(v->reason));
		if (wish == LPAR_WISH_TAG)
			return ret;
		v->mode = LPAR_MODE_PAGE;
		return 0;
	}
	v->mode = LPAR_MODE_TAG;
	snprintf(v->reason, sizeof(v->reason),
		 "driver %s is qualified and the IOMMU translates for %s",
		 dev_driver_string(dev->dev.parent), pci_name(v->pdev));
	return 0;
}

static void get_link(struct net_device *dev, struct lpar_nic_limits *lim)
{
	struct ethtool_link_ksettings link;

	lim->link = netif_running(dev) && netif_carrier_ok(dev);
	if (__ethtool_get_link_ksettings(dev, &link))
		return;
	if (link.base.speed != SPEED_UNKNOWN)
		lim->speed = link.base.speed;
	lim->full_duplex = link.base.duplex == DUPLEX_FULL;
}

/* What it does for frames with a tag. */
static netdev_features_t vlan_features(struct net_device *dev)
{
	return netdev_intersect_features(dev->features, dev->vlan_features |
					 NETIF_F_HW_VLAN_CTAG_TX | NETIF_F_RXCSUM);
}

/* What the device and our way to it honour now. RTNL is held. */
static void get_limits(struct net_device *dev, enum lpar_mode mode, u32 queues,
		       struct lpar_nic_limits *lim)
{
	netdev_features_t f = lim->vlan ? vlan_features(dev) : dev->features;
	/* longer ones the stack cuts itself, though the device could */
	u32 tso = min_t(u32, max(lpar_compat_gso_max_size(dev), 1u) - 1, LPAR_NET_FRAME_MAX);
	bool csum;

	ASSERT_RTNL();
	lim->mtu_min = max_t(u32, dev->min_mtu, ETH_MIN_MTU);
	lim->mtu_max = dev->mtu;
	lim->mtu = dev->mtu;
	lim->segments = mode == LPAR_MODE_TAG ? TAG_SEGMENTS : MAX_SKB_FRAGS - 1;
	lim->queues = queues ?: clamp_t(u32, dev->real_num_tx_queues, 1,
					LPAR_NIC_QUEUES);
	if (!(f & NETIF_F_SG))
		lim->segments = 1;
	lim->tx_csum = f & NETIF_F_HW_CSUM;
	lim->tx_csum4 = f & (NETIF_F_HW_CSUM | NETIF_F_IP_CSUM);
	lim->tx_csum6 = f & (NETIF_F_HW_CSUM | NETIF_F_IPV6_CSUM);
	csum = f & NETIF_F_SG;
	lim->tso4 = csum && lim->tx_csum4 && f & NETIF_F_TSO ? tso : 0;
	lim->tso6 = csum && lim->tx_csum6 && f & NETIF_F_TSO6 ? tso : 0;
	lim->uso = csum && lim->tx_csum4 && lim->tx_csum6 &&
		   f & NETIF_F_GSO_UDP_L4 ? tso : 0;
	lim->tso_segments = clamp_t(u32, READ_ONCE(dev->gso_max_segs), 1, LPAR_NIC_PARTS);
	lim->rx_csum = f & NETIF_F_RXCSUM;
	lim->tx_vlan = lim->trusted && !lim->vlan && f & NETIF_F_HW_VLAN_CTAG_TX;
	lim->rx_vlan = lim->trusted && !lim->vlan && f & NETIF_F_HW_VLAN_CTAG_RX;
	lim->ipsec = lim->trusted && f & NETIF_F_HW_ESP && lpar_ipsec_offered(dev);
	lim->vlan_filters = lim->trusted && !lim->vlan &&
			    f & NETIF_F_HW_VLAN_CTAG_FILTER;
	get_link(dev, lim);
}

/* A consistent copy of the limits in force. Any context. */
void lpar_nic_limits(struct lpar_nic *nic, struct lpar_nic_limits *lim)
{
	rcu_read_lock();
	*lim = rcu_dereference(nic->state)->lim;
	rcu_read_unlock();
}

/* partition->lock is held. */
static int set_limits(struct lpar_nic *nic, const struct lpar_nic_limits *lim)
{
	struct lpar_nic_state *s = kzalloc(sizeof(*s), GFP_KERNEL), *old;

	if (!s)
		return -ENOMEM;
	s->lim = *lim;
	old = rcu_replace_pointer(nic->state, s, true);
	if (old)
		kfree_rcu(old, rcu);
	return 0;
}

/* Write its capability records. partition->lock is held. Return: bytes, -ENOSPC. */
int lpar_nic_records(struct lpar_nic *nic, void *data, size_t size)
{
	struct lpar_nic_limits lim;

	lpar_nic_limits(nic, &lim);
	return lpar_core_nic_records(data, size, &lim, lpar_fn_name(&nic->fn));
}

/* Compare what the client was told with what is; say so if it differs. RTNL is held, and does
 * not wait for the partition's lock, which threads of the client take. Return: false: that
 * was taken; again later. */
bool lpar_nic_refresh(struct lpar_nic *nic)
{
	struct lpar_port *port = rtnl_dereference(nic->port);
	struct net_device *dev = port ? rtnl_dereference(port->dev) : NULL;
	struct lpar_partition *p = nic->fn.partition;
	struct lpar_nic_limits now = {}, old;

	now.trusted = nic->trusted;
	now.standby = nic->primary[0];
	now.vlan = nic->vlan;
	now.mac = nic->address;
	now.promisc = nic->promisc;
	now.aside = nic->aside;
	now.vlan_filter = nic->filters;
	if (!mutex_trylock(&p->lock))
		return false;
	if (dev)
		/* it was told how many it may have: that does not grow */
		get_limits(dev, nic->fn.mode, nic->fn.queues_max / 2, &now);
	if (!dev) {
		lpar_partition_event_locked(p);
	} else {
		lpar_nic_limits(nic, &old);
		if (memcmp(&now, &old, sizeof(now)) && !set_limits(nic, &now)) {
			/* RTNL is held, and a client can cause this */
			lpar_partition_say(p, info,
					   "%s/%s: capabilities changed, link %s, MTU %u\n",
					   lpar_partition_name(p), lpar_fn_name(&nic->fn),
					   now.link ? "up" : "down", now.mtu);
			lpar_fn_changed_locked(&nic->fn);
		}
	}
	mutex_unlock(&p->lock);
	return true;
}

static void change(struct work_struct *work)
{
	struct lpar_nic *nic = container_of(work, struct lpar_nic, change);
	bool done;

	rtnl_lock();
	done = lpar_nic_refresh(nic);
	rtnl_unlock();
	if (done)
		return;
	/* its turn comes again, after the others' */
	usleep_range(1000, 2000);
	lpar_port_tell(nic);
}

/* ------------------------------------------------------------------- sysfs */

#define SHOW(name, fmt, ...)						\
static ssize_t name##_show(struct kobject *kobj, struct kobj_attribute *attr, \
			   char *buf)					\
{									\
	struct lpar_nic *nic = lpar_nic_of(lpar_node_owner(kobj));	\
									\
	return sysfs_emit(buf, fmt "\n", __VA_ARGS__);			\
}									\
static struct kobj_attribute attr_##name = __ATTR_RO(name)

static const char *nic_reason(struct lpar_nic *nic)
{
	const char *blank = strchr(nic->fn.status, ' ');

	return blank ? blank + 1 : "";
}

static bool nic_link(struct lpar_nic *nic)
{
	struct lpar_nic_limits lim;

	lpar_nic_limits(nic, &lim);
	return lim.link;
}

SHOW(mode, "%s", lpar_fn_mode(nic->fn.mode));
SHOW(reason, "%s", nic_reason(nic));
SHOW(id, "%u", nic->fn.id);
SHOW(generation, "%u", READ_ONCE(nic->fn.generation));
SHOW(state, "%s", lpar_fn_gone(&nic->fn) ? "dead" : "live");
SHOW(vlan, "%u", nic->vlan);
SHOW(max_rate, "%u", nic->rate);
SHOW(standby, "%s", !nic->primary[0] ? "no" : READ_ONCE(nic->aside) ? "aside" : "active");
SHOW(paused, "%llu", (u64)atomic64_read(&nic->paused));
SHOW(link, "%s", nic_link(nic) ? "up" : "down");
SHOW(dropped, "%llu", (u64)atomic64_read(&nic->dropped));
SHOW(sas, "%u", READ_ONCE(nic->nr_sas));
SHOW(foreign, "%llu", (u64)atomic64_read(&nic->foreign));

static ssize_t mac_show(struct kobject *kobj, struct kobj_attribute *attr,
			char *buf)
{
	struct lpar_nic *nic = lpar_nic_of(lpar_node_owner(kobj));
	u8 mac[ETH_ALEN];

	lpar_core_mac_bytes(READ_ONCE(nic->address), mac);
	return sysfs_emit(buf, "%pM\n", mac);
}
static struct kobj_attribute attr_mac = __ATTR_RO(mac);

/* Those that its client has chosen besides it. */
static ssize_t macs_show(struct kobject *kobj, struct kobj_attribute *attr,
			 char *buf)
{
	struct lpar_nic *nic = lpar_nic_of(lpar_node_owner(kobj));
	struct lpar_address *a;
	u8 mac[ETH_ALEN];
	int len = 0;

	rcu_read_lock();
	list_for_each_entry_rcu(a, &nic->addresses, link) {
		if (a->mac == READ_ONCE(nic->address))
			continue;
		lpar_core_mac_bytes(a->mac, mac);
		len += sysfs_emit_at(buf, len, "%pM\n", mac);
	}
	rcu_read_unlock();
	return len;
}
static struct kobj_attribute attr_macs = __ATTR_RO(macs);

/* Its device can have got another name. */
static ssize_t adapter_show(struct kobject *kobj, struct kobj_attribute *attr,
			    char *buf)
{
	struct lpar_nic *nic = lpar_nic_of(lpar_node_owner(kobj));
	struct lpar_port *port;
	struct net_device *dev;
	ssize_t ret;

	rcu_read_lock();
	port = rcu_dereference(nic->port);
	dev = port ? rcu_dereference(port->dev) : NULL;
	ret = sysfs_emit(buf, "%s\n", dev ? dev->name : nic->ifname);
	rcu_read_unlock();
	return ret;
}
static struct kobj_attribute attr_adapter = __ATTR_RO(adapter);

static struct attribute *nic_attrs[] = {
	&attr_adapter.attr, &attr_mode.attr,	&attr_reason.attr,
	&attr_mac.attr,	    &attr_macs.attr,	&attr_vlan.attr,
	&attr_id.attr,
	&attr_generation.attr, &attr_state.attr, &attr_link.attr,
	&attr_dropped.attr, &attr_foreign.attr, &attr_max_rate.attr,
	&attr_paused.attr, &attr_standby.attr, &attr_sas.attr, NULL,
};
ATTRIBUTE_GROUPS(nic);

/* -------------------------------------------------------------- life cycle */

#define fail(nic, ...) lpar_fn_fail(&(nic)->fn, __VA_ARGS__)

/* A local address of the names: the same at each start. */
static u64 make_mac(struct lpar_nic *nic)
{
	const char *p = lpar_partition_name(nic->fn.partition);
	const char *n = lpar_fn_name(&nic->fn);
	u32 low = jhash(n, strlen(n), jhash(p, strlen(p), 0));

	return 0x02ull << 40 | (u64)(jhash(p, strlen(p), low) & 0xff) << 32 | low;
}

static unsigned int next_queue;	/* of any adapter; under RTNL */

/* RTNL is held: with its device, which cannot go meanwhile. */
static int join(struct lpar_nic *nic, struct net_device *dev)
{
	struct lpar_nic_limits lim = {
		.trusted = nic->trusted,
		.standby = nic->primary[0],
		.vlan = nic->vlan,
	};
	struct net_device *upper;
	int ret;

	upper = nic->vlan ? lpar_port_host_vlan(dev, nic->vlan) : NULL;
	if (upper)
		return fail(nic, -EBUSY, "VLAN %u on %s is the host's: %s", nic->vlan,
			    nic->ifname, upper->name);

	nic->base = nic->mac ?: make_mac(nic);
	nic->address = nic->base;
	INIT_LIST_HEAD(&nic->addresses);
	nic->macs = 0;
	nic->chosen = false;
	nic->promisc = false;
	nic->aside = false;
	nic->trunk = false;
	nic->filters = false;
	bitmap_zero(nic->vlans, LPAR_VLAN_MAX + 1);
	lim.mac = nic->address;
	get_limits(dev, nic->fn.mode, nic->queues, &lim);
	nic->fn.queues_max = 2 * lim.queues;
	nic->first = next_queue;
	next_queue += lim.queues;
	mutex_lock(&nic->fn.partition->lock);
	ret = set_limits(nic, &lim);
	mutex_unlock(&nic->fn.partition->lock);
	if (ret)
		return ret;
	ret = lpar_port_join(nic, dev);
	if (ret == -EADDRINUSE)
		return fail(nic, ret, "another station on %s has the address %012llx%s",
			    nic->ifname, nic->address,
			    nic->vlan ? " in this VLAN" : "");
	return ret ? fail(nic, ret, "%s does not take it (%d)", nic->ifname, ret) :
		     0;
}

/* The device, as it is now, and how to share it. RTNL is held. */
static int look_up(struct lpar_nic *nic, struct net_device **dev,
		   struct lpar_verdict *v)
{
	int ret;

	*dev = __dev_get_by_name(current->nsproxy->net_ns, nic->ifname);
	if (!*dev)
		return fail(nic, -ENODEV, "there is no network device %s",
			    nic->ifname);
	ret = decide(*dev, nic->wish, v);
	return ret ? fail(nic, ret, "%s", v->reason) : 0;
}

/* Another one of the partition that stands by for the same VF. partition->config is
 * held, so that it stays. */
static struct lpar_nic *find_standby(struct lpar_nic *nic)
{
	struct lpar_partition *p = nic->fn.partition;
	struct lpar_nic *other = NULL;
	struct lpar_fn *fn;

	mutex_lock(&p->lock);
	list_for_each_entry(fn, &p->functions, link)
		if (fn->type == LPAR_FUNCTION_NIC &&
		    !strcmp(lpar_nic_of(fn)->primary, nic->primary)) {
			other = lpar_nic_of(fn);
			break;
		}
	mutex_unlock(&p->lock);
	return other;
}

/**
 * lpar_nic_enable - make the wish real
 * @nic: a disabled NIC
 *
 * State: disabled => enabled. On an error nothing has changed but its status, which
 * says why.
 *
 * Context: partition->config is held; takes RTNL, may sleep.
 * Return: 0 or a negative errno; see docs/operations.md.
 */
int lpar_nic_enable(struct lpar_nic *nic)
{
	struct lpar_verdict v = {}, again = {};
	struct net_device *dev;
	struct lpar_nic *other;
	int ret;

	lockdep_assert_held(&nic->fn.partition->config);
	if (!nic->ifname[0])
		return fail(nic, -EINVAL, "no adapter set");
	if (nic->primary[0] && !nic->mac)
		return fail(nic, -EINVAL, "primary without mac: both have the VF's address");
	other = nic->primary[0] ? find_standby(nic) : NULL;
	if (other)
		return fail(nic, -EBUSY, "%s stands by for %s already",
			    lpar_fn_name(&other->fn), nic->primary);
	rtnl_lock();
	ret = look_up(nic, &dev, &v);
	rtnl_unlock();
	if (ret)
		goto err_put;
	nic->fn.mode = v.mode;
	nic->fn.adapter = NULL;
	/* not with RTNL: wrapping waits for all tasks to have been elsewhere */
	if (v.mode == LPAR_MODE_TAG) {
		ret = lpar_fn_take_adapter(&nic->fn, v.pdev);
		if (ret)
			goto err_put;
		lpar_pool_fill(nic->fn.adapter);
	}
	rtnl_lock();
	/* the name may mean another device by now */
	ret = look_up(nic, &dev, &again);
	if (!ret && (again.mode != v.mode || again.pdev != v.pdev))
		ret = fail(nic, -EAGAIN, "%s has just changed", nic->ifname);
	if (!ret)
		ret = join(nic, dev);
	if (ret)
		goto err_unlock;
	nic->fn.nowait = true;
	snprintf(nic->fn.status, sizeof(nic->fn.status), "%s: %s",
		 lpar_fn_mode(nic->fn.mode), v.reason);
	ret = lpar_fn_show(&nic->fn, nic->fn.partition->nics_node, nic_groups);
	if (ret)
		goto err_leave;
	lpar_fn_publish(&nic->fn);
	rtnl_unlock();
	pci_dev_put(again.pdev);
	pci_dev_put(v.pdev);
	return 0;

err_leave:
	lpar_port_leave(nic);
err_unlock:
	rtnl_unlock();
	lpar_fn_give_adapter(&nic->fn);
	kfree(rcu_replace_pointer(nic->state, NULL, true));
err_put:
	pci_dev_put(again.pdev);
	pci_dev_put(v.pdev);
	return ret;
}

/**
 * lpar_nic_disable - the opposite of lpar_nic_enable()
 * @nic: an enabled NIC
 * @force: see lpar_fn_withdraw()
 *
 * Context: partition->config is held; takes RTNL; sleeps as long as the adapter
 * needs.
 * Return: 0; -EBUSY: the client has queues on it.
 */
int lpar_nic_disable(struct lpar_nic *nic, bool force)
{
	struct lpar_nic_state *old;
	int ret;

	ret = lpar_fn_withdraw(&nic->fn, force);
	if (ret)
		return ret;
	/* the administrator takes no turns; others want RTNL, too */
	rtnl_lock();
	while (lpar_station_forget_vlans(nic)) {
		rtnl_unlock();
		cond_resched();
		rtnl_lock();
	}
	lpar_port_leave(nic);
	rtnl_unlock();
	cancel_work_sync(&nic->change);
	cancel_work_sync(&nic->end_late);
	lpar_fn_hide(&nic->fn);
	lpar_fn_give_adapter(&nic->fn);
	old = rcu_replace_pointer(nic->state, NULL, true);
	kfree_rcu(old, rcu);
	lpar_fn_forget(&nic->fn);
	return 0;
}

/* Wish only; called when the configfs item is made. */
void lpar_nic_setup(struct lpar_nic *nic, struct lpar_partition *p)
{
	lpar_fn_setup(&nic->fn, p, LPAR_FUNCTION_NIC);
	INIT_WORK(&nic->change, change);
	init_llist_head(&nic->late);
	INIT_WORK(&nic->end_late, lpar_net_end_late);
}

/* What would become of a network device, see LPAR_PROBE_NIC. May sleep. Return: 0 or
 * -ENODEV; whether it can be shared stands in @probe. */
int lpar_nic_probe(struct lpar_probe *probe)
{
	struct lpar_nic_limits lim = {};
	struct lpar_verdict v = {};
	struct net_device *dev;
	int ret = -ENODEV;

	rtnl_lock();
	dev = __dev_get_by_name(current->nsproxy->net_ns, probe->path);
	if (!dev)
		goto out;
	if (decide(dev, LPAR_WISH_AUTO, &v))
		v.mode = LPAR_MODE_NONE;
	probe->mode = v.mode;
	strscpy(probe->reason, v.reason, sizeof(probe->reason));
	if (v.pdev) {
		strscpy(probe->adapter, pci_name(v.pdev), sizeof(probe->adapter));
		strscpy(probe->driver, dev_driver_string(dev->dev.parent),
			sizeof(probe->driver));
	}
	lim.mac = lpar_core_mac(dev->dev_addr);
	get_limits(dev, v.mode, 0, &lim);
	/* to whom it may be trusted with */
	lim.ipsec = lpar_ipsec_offered(dev);
	ret = lpar_core_nic_records(probe->data, sizeof(probe->data), &lim,
				    dev->name);
	probe->records = max(ret, 0);
	ret = 0;
out:
	rtnl_unlock();
	pci_dev_put(v.pdev);
	return ret;
}
