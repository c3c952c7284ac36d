// SPDX-License-Identifier: GPL-2.0
/*
 * A NIC's life: the netdev, its queues, changes, the end.
 *
 * rtnl orders open, stop and changes of a NIC. It is taken with disks_lock held,
 * never the other way round: numbers of queues are had for as long as the NIC is.
 */
#include <linux/delay.h>
#include <linux/if_vlan.h>
#include <linux/rtnetlink.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>
#include <asm/barrier.h>

#include "channel.h"
#include "disk.h"
#include "net.h"

#define WATCH_INTERVAL	(5 * HZ)
#define DRAIN_MS	1000	/* for what the host has when a NIC goes down */
#define NET_REPOST_MS	10	/* from one taking back of all buffers to the next */

/* ------------------------------------------------------- capabilities */

static int net_query(struct lpar_device *dev, u32 function,
		     struct lpar_nic_caps *caps, u32 *generation)
{
	const char *why = NULL;
	void *data;
	u32 len;
	int err;

	data = lpar_function_records(dev, function, &len, generation);
	if (IS_ERR(data))
		return PTR_ERR(data);
	err = lpar_nic_caps_parse(data, len, caps, &why);
	if (err)
		lpar_function_refuse(dev, function, why);
	kfree(data);
	return err;
}

/**
 * lpar_net_set - tell the host what was chosen (LPAR_OP_SET)
 * @net:   the NIC
 * @cap:   of what
 * @value: what it is to be
 *
 * Sleeps.
 *
 * Return: 0 or a negative errno.
 */
int lpar_net_set(struct lpar_net *net, enum lpar_cap cap, u64 value)
{
	u64 arg[5] = { net->function, cap, value };
	struct lpar_result result;
	int err;

	err = lpar_channel_call(net->dev, LPAR_OP_SET, arg, &result, NULL);
	return err ?: lpar_channel_errno(result.status);
}

static void net_carrier(struct lpar_net *net)
{
	if (net->up && net->caps.link)
		netif_carrier_on(net->netdev);
	/* who breaks it later finds the carrier, and takes it away */
	if (!net->up || !net->caps.link || lpar_device_broken(net->dev))
		netif_carrier_off(net->netdev);
}

/* ------------------------------------------------------------- queues */

static irqreturn_t net_irq(int irq, void *data)
{
	struct lpar_queue *q = data;

	napi_schedule_irqoff(q->napi);
	return IRQ_HANDLED;
}

/**
 * lpar_net_queue_create - interrupt, and tell the host
 * @net:   the NIC
 * @q:     new
 * @index: among those of its role
 * @role:  its role
 * @napi:  disabled; may be scheduled from here on
 *
 * Sleeps.
 *
 * Return: 0 or a negative errno.
 */
int lpar_net_queue_create(struct lpar_net *net, struct lpar_queue *q, u32 index,
			  enum lpar_queue_role role, struct napi_struct *napi)
{
	unsigned int cpu = cpumask_nth(index % num_online_cpus(), cpu_online_mask);
	/* none: one has just gone */
	const struct cpumask *cpus = cpu < nr_cpu_ids ? cpumask_of(cpu) : cpu_online_mask;
	int err;

	q->napi = napi;
	q->role = role;
	err = lpar_queue_irq_get(q, cpus, net_irq);
	if (err)
		return err;
	err = lpar_queue_create(q, net->function);
	if (err) {
		lpar_queue_destroy(q);
		lpar_queue_irq_put(q);
	}
	return err;
}

/**
 * lpar_net_queue_destroy - the opposite of lpar_net_queue_create()
 * @q: its NAPI is disabled
 *
 * Sleeps; not on lpar_device.wq.
 *
 * Return: whether the host has let go of its frames and buffers.
 */
bool lpar_net_queue_destroy(struct lpar_queue *q)
{
	lpar_queue_destroy(q);
	lpar_queue_irq_put(q);
	return !q->created || READ_ONCE(q->dev->quiet);
}

/**
 * lpar_net_queue_wants - does the host want the CPU again?
 * @q: from its NAPI
 *
 * Return: whether to ring.
 */
bool lpar_net_queue_wants(struct lpar_queue *q)
{
	u32 state = le32_to_cpu(READ_ONCE(q->ctrl->state));

	if (state & LPAR_QUEUE_BROKEN) {
		lpar_main_break(q->dev, "the host gave up on queue %u", q->number);
		return false;
	}
	return (state & (LPAR_QUEUE_PA_BUSY | LPAR_QUEUE_RUNNABLE)) &&
	       READ_ONCE(q->sq_tail) != q->cq_head;
}

static void net_watch_work(struct work_struct *work)
{
	struct lpar_net *net = container_of(to_delayed_work(work), struct lpar_net,
					    watch_work);
	u32 i;

	for (i = 0; i < net->use_tx; i++)
		lpar_net_tx_watch(&net->tx[i]);
	queue_delayed_work(system_unbound_wq, &net->watch_work, WATCH_INTERVAL);
}

/* The receive queues go. rx_lock is held. */
static void net_rx_down_locked(struct lpar_net *net)
{
	u32 i;

	lockdep_assert_held(&net->rx_lock);
	WRITE_ONCE(net->rx_depth, 0);
	for (i = 0; i < net->nr_rx; i++)
		lpar_net_rx_down(&net->rx[i]);
}

/* They come: all or none. rx_lock is held. */
static int net_rx_up_locked(struct lpar_net *net)
{
	int err = 0;
	u32 i;

	lockdep_assert_held(&net->rx_lock);
	for (i = 0; i < net->use_rx && !err; i++)
		err = lpar_net_rx_up(&net->rx[i]) ?: lpar_net_rx_start(&net->rx[i]);
	if (err)
		net_rx_down_locked(net);
	else
		WRITE_ONCE(net->rx_depth, net->rx->q->depth);
	return err;
}

/*
 * Requests of disks may wait for a window with buffers in it, and so for rx_lock: memory
 * that is wanted under it must not wait for them. rtnl is no such lock.
 */
static unsigned int net_rx_lock(struct lpar_net *net)
{
	unsigned int noio = memalloc_noio_save();

	mutex_lock(&net->rx_lock);
	return noio;
}

static void net_rx_unlock(struct lpar_net *net, unsigned int noio)
{
	mutex_unlock(&net->rx_lock);
	memalloc_noio_restore(noio);
}

/**
 * lpar_net_down - the opposite of lpar_net_up()
 * @net: with queues, or with some or none of them
 *
 * Sleeps, under rtnl.
 */
void lpar_net_down(struct lpar_net *net)
{
	unsigned long end = jiffies + msecs_to_jiffies(DRAIN_MS);
	struct net_device *netdev = net->netdev;
	unsigned int noio;
	u32 i;

	ASSERT_RTNL();
	WRITE_ONCE(net->up, false);
	cancel_delayed_work_sync(&net->watch_work);
	netif_carrier_off(netdev);
	/* Whoever saw it up is through then. */
	netif_tx_disable(netdev);
	for (i = 0; i < net->nr_tx; i++)
		lpar_net_tx_drain(&net->tx[i], end);
	for (i = 0; i < net->nr_tx; i++)
		lpar_net_tx_down(&net->tx[i]);
	noio = net_rx_lock(net);
	net_rx_down_locked(net);
	net_rx_unlock(net, noio);
	/* NAPI may have woken one that it had seen up */
	netif_tx_disable(netdev);
}

/**
 * lpar_net_up - make the queues
 * @net: without any
 *
 * Sleeps, under rtnl.
 *
 * Return: 0 or a negative errno.
 */
int lpar_net_up(struct lpar_net *net)
{
	unsigned int noio;
	int err;
	u32 i;

	ASSERT_RTNL();
	noio = net_rx_lock(net);
	err = net_rx_up_locked(net);
	net_rx_unlock(net, noio);
	/* Others may wait for the buffers that are posted by now. */
	noio = memalloc_noio_save();
	for (i = 0; i < net->use_tx && !err; i++)
		err = lpar_net_tx_up(&net->tx[i]);
	memalloc_noio_restore(noio);
	if (err) {
		lpar_net_down(net);
		return err;
	}
	WRITE_ONCE(net->up, true);
	queue_delayed_work(system_unbound_wq, &net->watch_work, WATCH_INTERVAL);
	net_carrier(net);
	/* Woken, not started: frames may wait in the stack since it went down. */
	for (i = 0; i < net->use_tx; i++)
		netif_tx_wake_queue(netdev_get_tx_queue(net->netdev, i));
	return 0;
}

/* Each vCPU sends by one queue; the first ones by the queue whose interrupt they get. */
static void net_spread(struct lpar_net *net)
{
	unsigned int cpu, n;
	cpumask_var_t mask;
	u32 i;

	if (!zalloc_cpumask_var(&mask, GFP_KERNEL))
		return;
	for (i = 0; i < net->use_tx; i++) {
		n = 0;
		cpumask_clear(mask);
		for_each_online_cpu(cpu)
			if (n++ % net->use_tx == i)
				cpumask_set_cpu(cpu, mask);
		netif_set_xps_queue(net->netdev, mask, i);
	}
	free_cpumask_var(mask);
}

static int net_use(struct lpar_net *net, u32 tx, u32 rx)
{
	int err = netif_set_real_num_queues(net->netdev, tx, rx);

	if (err)
		return err;
	net->use_tx = tx;
	net->use_rx = rx;
	net_spread(net);
	return 0;
}

/**
 * lpar_net_use - use so many queues
 * @net: its frames are interrupted
 * @tx:  1 to @net->nr_tx
 * @rx:  1 to @net->nr_rx
 *
 * Sleeps, under rtnl.
 *
 * Return: 0 or a negative errno, and all is as before.
 */
int lpar_net_use(struct lpar_net *net, u32 tx, u32 rx)
{
	u32 old_tx = net->use_tx, old_rx = net->use_rx;
	bool again = net->up;
	int err;

	ASSERT_RTNL();
	if (again)
		lpar_net_down(net);
	err = net_use(net, tx, rx);
	if (!err && again)
		err = lpar_net_up(net);
	if (err && (net_use(net, old_tx, old_rx) || (again && lpar_net_up(net))))
		netdev_err(net->netdev, "no queues any more: set it down and up\n");
	return err;
}

/**
 * lpar_net_resize - have queues of so many frames
 * @net: its frames are interrupted
 * @tx:  a power of two
 * @rx:  likewise
 *
 * Sleeps, under rtnl.
 *
 * Return: 0 or a negative errno, and all is as before.
 */
int lpar_net_resize(struct lpar_net *net, u32 tx, u32 rx)
{
	u32 old_tx = net->want_tx, old_rx = net->want_rx;
	bool again = net->up;
	int err = 0;

	ASSERT_RTNL();
	if (again)
		lpar_net_down(net);
	net->want_tx = tx;
	net->want_rx = rx;
	if (again)
		err = lpar_net_up(net);
	if (!err)
		return 0;
	net->want_tx = old_tx;
	net->want_rx = old_rx;
	if (lpar_net_up(net))
		netdev_err(net->netdev, "no queues any more: set it down and up\n");
	return err;
}

/* A window that the host took back can go only without the buffers in it. */
static void net_repost_work(struct work_struct *work)
{
	struct lpar_net *net = container_of(to_delayed_work(work), struct lpar_net,
					    repost_work);
	unsigned int noio;
	int err = 0;
	u32 i;

	noio = net_rx_lock(net);
	/* Also while the other queues are coming, or going: that may take long. */
	if (!net->rx_depth || lpar_device_broken(net->dev))
		goto out;
	for (i = 0; i < net->use_rx; i++)
		lpar_net_rx_stop(&net->rx[i]);
	for (i = 0; i < net->use_rx && !err && !lpar_device_broken(net->dev); i++)
		err = lpar_net_rx_start(&net->rx[i]);
	if (err) {
		dev_err_ratelimited(&net->dev->pdev->dev, "%s: nothing is received: %d; trying again\n",
				    net->netdev->name, err);
		queue_delayed_work(net->dev->repost_wq, &net->repost_work, HZ);
	}
out:
	net_rx_unlock(net, noio);
}

/**
 * lpar_net_repost - take all buffers for frames back from the host, soon
 * @dev: the device
 *
 * Any context. They are given to it again, outside of windows that it revoked.
 */
void lpar_net_repost(struct lpar_device *dev)
{
	struct lpar_net_rx_queue *rx;
	struct lpar_queue *q;
	unsigned long flags;
	u32 i;

	/* The lock keeps a queue from being freed, and its NIC outlives it. */
	spin_lock_irqsave(&dev->queues_lock, flags);
	for (i = 1; i < ARRAY_SIZE(dev->queues); i++) {
		q = dev->queues[i];
		if (!q || !q->napi || q->role != LPAR_ROLE_RECEIVE)
			continue;
		rx = container_of(q->napi, struct lpar_net_rx_queue, napi);
		queue_delayed_work(dev->repost_wq, &rx->net->repost_work,
				   msecs_to_jiffies(NET_REPOST_MS));
	}
	spin_unlock_irqrestore(&dev->queues_lock, flags);
}

/* --------------------------------------------------------- operations */

static int net_open(struct net_device *netdev)
{
	struct lpar_net *net = netdev_priv(netdev);

	if (lpar_device_broken(net->dev))
		return -EIO;
	return lpar_net_up(net);
}

static int net_stop(struct net_device *netdev)
{
	lpar_net_down(netdev_priv(netdev));
	return 0;
}

static void net_add_stats(const struct lpar_net_stats *stats, u64 sum[4])
{
	unsigned int start;
	u64 now[4];
	int i;

	do {
		start = u64_stats_fetch_begin(&stats->sync);
		now[0] = u64_stats_read(&stats->packets);
		now[1] = u64_stats_read(&stats->bytes);
		now[2] = u64_stats_read(&stats->drops);
		now[3] = u64_stats_read(&stats->errors);
	} while (u64_stats_fetch_retry(&stats->sync, start));
	for (i = 0; i < 4; i++)
		sum[i] += now[i];
}

static void net_get_stats64(struct net_device *netdev,
			    struct rtnl_link_stats64 *stats)
{
	struct lpar_net *net = netdev_priv(netdev);
	u64 tx[4] = {}, rx[4] = {};
	u32 i;

	for (i = 0; i < net->nr_tx; i++) {
		net_add_stats(&net->tx[i].sent, tx);
		net_add_stats(&net->tx[i].done, tx);
	}
	for (i = 0; i < net->nr_rx; i++)
		net_add_stats(&net->rx[i].stats, rx);
	stats->tx_packets = tx[0];
	stats->tx_bytes = tx[1];
	stats->tx_dropped = tx[2];
	stats->tx_errors = tx[3];
	stats->rx_packets = rx[0];
	stats->rx_bytes = rx[1];
	stats->rx_dropped = rx[2];
	stats->rx_errors = rx[3];
}

static int net_set_mac_address(struct net_device *netdev, void *address)
{
	struct lpar_net *net = netdev_priv(netdev);
	struct sockaddr *sa = address;
	int err;

	if (!net->caps.mac_free)
		return -EPERM;
	err = eth_prepare_mac_addr_change(netdev, address);
	if (err)
		return err;
	err = lpar_net_set(net, LPAR_CAP_MAC, ether_addr_to_u64(sa->sa_data));
	if (err)
		return err;
	eth_commit_mac_addr_change(netdev, address);
	/* Which addresses are further ones has changed with it. */
	lpar_net_set_rx_mode(netdev);
	return 0;
}

static int net_change_mtu(struct net_device *netdev, int mtu)
{
	struct lpar_net *net = netdev_priv(netdev);
	u32 old = netdev->mtu;
	int err;

	if (!lpar_net_xdp_mtu(net, mtu)) {
		if (net_ratelimit())
			netdev_warn(netdev, "MTU %d: an XDP program needs each frame in one page\n", mtu);
		return -EINVAL;
	}
	WRITE_ONCE(netdev->mtu, mtu);
	if (!net->up)
		return 0;
	/* The buffers are for the old one. */
	lpar_net_down(net);
	err = lpar_net_up(net);
	if (!err)
		return 0;
	WRITE_ONCE(netdev->mtu, old);
	if (lpar_net_up(net))
		netdev_err(netdev, "no queues any more: set it down and up\n");
	return err;
}

static const struct net_device_ops net_ops = {
	.ndo_open		= net_open,
	.ndo_stop		= net_stop,
	.ndo_start_xmit		= lpar_net_xmit,
	.ndo_features_check	= lpar_net_features_check,
	.ndo_get_stats64	= net_get_stats64,
	.ndo_set_mac_address	= net_set_mac_address,
	.ndo_validate_addr	= eth_validate_addr,
	.ndo_change_mtu		= net_change_mtu,
	.ndo_set_rx_mode	= lpar_net_set_rx_mode,
	.ndo_fix_features	= lpar_net_fix_features,
	.ndo_set_features	= lpar_net_set_features,
	.ndo_vlan_rx_add_vid	= lpar_net_vlan_add,
	.ndo_vlan_rx_kill_vid	= lpar_net_vlan_kill,
	.ndo_get_phys_port_name	= lpar_net_phys_port_name,
	.ndo_bpf		= lpar_net_bpf,
	.ndo_xdp_xmit		= lpar_net_xdp_xmit,
};

/* ---------------------------------------------------------- lifetime */

static void net_free(struct lpar_net *net)
{
	u32 i;

	for (i = 0; i < net->nr_tx; i++) {
		__netif_napi_del(&net->tx[i].napi);
		lpar_queue_number_put(net->dev, net->tx[i].number);
	}
	for (i = 0; i < net->nr_rx; i++) {
		__netif_napi_del(&net->rx[i].napi);
		lpar_queue_number_put(net->dev, net->rx[i].number);
	}
	/* for all of them: a grace period each would be seconds, where there are many vCPUs */
	synchronize_net();
	kfree(net->tx);
	kfree(net->rx);
	free_netdev(net->netdev);
}

/* Numbers are kept while it is closed, so that it can be opened again. */
static int net_alloc_queues(struct lpar_net *net, u32 nr_tx, u32 nr_rx)
{
	u32 number;

	net->tx = kcalloc(nr_tx, sizeof(*net->tx), GFP_KERNEL);
	net->rx = kcalloc(nr_rx, sizeof(*net->rx), GFP_KERNEL);
	if (!net->tx || !net->rx)
		return -ENOMEM;
	for (; net->nr_tx < nr_tx; net->nr_tx++) {
		number = lpar_queue_number_get(net->dev);
		if (!number)
			return -ENOSPC;
		net->tx[net->nr_tx].number = number;
		lpar_net_tx_init(net, &net->tx[net->nr_tx], net->nr_tx);
	}
	for (; net->nr_rx < nr_rx; net->nr_rx++) {
		number = lpar_queue_number_get(net->dev);
		if (!number)
			return -ENOSPC;
		net->rx[net->nr_rx].number = number;
		lpar_net_rx_init(net, &net->rx[net->nr_rx], net->nr_rx);
	}
	return 0;
}

/**
 * lpar_net_add - a netdev for a function that has none
 * @dev:      the device
 * @function: id
 * @share:    how many queues it may have; needs two
 *
 * Sleeps, with disks_lock held; takes rtnl.
 *
 * Return: 0 or a negative errno.
 */
int lpar_net_add(struct lpar_device *dev, u32 function, u32 share)
{
	struct net_device *netdev;
	struct lpar_nic_caps caps;
	u32 generation, tx, rx;
	struct lpar_net *net;
	int err;

	lockdep_assert_held(&dev->disks_lock);
	err = net_query(dev, function, &caps, &generation);
	if (err)
		return err;
	share = max(share, 2u);
	tx = min3(num_online_cpus(), caps.tx_queues, share / 2);
	rx = min3(num_online_cpus(), caps.rx_queues, share - tx);

	netdev = alloc_etherdev_mqs(sizeof(*net), tx, rx);
	if (!netdev)
		return -ENOMEM;
	SET_NETDEV_DEV(netdev, &dev->pdev->dev);
	netdev->netdev_ops = &net_ops;
	netdev->ethtool_ops = &lpar_net_ethtool_ops;
	lpar_net_xdp_init(netdev);
	net = netdev_priv(netdev);
	net->dev = dev;
	net->netdev = netdev;
	net->function = function;
	net->generation = generation;
	mutex_init(&net->rx_lock);
	net->not_linear = jiffies;
	INIT_DELAYED_WORK(&net->repost_work, net_repost_work);
	INIT_DEFERRABLE_WORK(&net->watch_work, net_watch_work);
	lpar_net_policy_init(net);
	lpar_net_offer(net, &caps);
	netdev->features |= net->features;
	lpar_net_mode_init(net);
	lpar_net_ipsec_init(net);
	netdev->mtu = caps.mtu;
	netdev->dev_port = function & 0xffff;
	eth_hw_addr_set(netdev, caps.mac);
	err = net_alloc_queues(net, tx, rx);
	if (err)
		goto err_free;

	net->use_tx = tx;
	net->use_rx = rx;
	net_spread(net);
	netif_carrier_off(netdev);
	/* First, so that nobody finds the NIC alone and configures that. */
	lpar_net_standby_begin(net);
	err = register_netdev(netdev);
	if (err)
		goto err_standby;
	list_add_tail(&net->node, &dev->nets);
	netdev_info(netdev, "function %u, %pM, %u + %u queues of %u%s%s\n", function,
		    netdev->dev_addr, tx, rx, caps.depth,
		    caps.name[0] ? ", " : "", caps.name);
	return 0;

err_standby:
	lpar_net_standby_end(net);
	cancel_work_sync(&net->mode_work);
err_free:
	net_free(net);
	return err;
}

/**
 * lpar_net_remove - the opposite of lpar_net_add()
 * @net: gone after this
 *
 * Sleeps, with disks_lock held; takes rtnl.
 */
void lpar_net_remove(struct lpar_net *net)
{
	lockdep_assert_held(&net->dev->disks_lock);
	list_del(&net->node);
	unregister_netdev(net->netdev);
	lpar_net_standby_end(net);
	/* Without queues nobody starts it again. */
	cancel_delayed_work_sync(&net->repost_work);
	cancel_work_sync(&net->mode_work);
	lpar_net_ipsec_end(net);
	net_free(net);
}

/* ------------------------------------------------------------ changes */

static void net_take_over(struct lpar_net *net, struct lpar_nic_caps *caps)
{
	struct net_device *netdev = net->netdev, *upper;
	bool again, mac;
	int err = 0;

	ASSERT_RTNL();
	/* The rings were made for so many, and the buffers for one kind of frame. */
	again = net->up && (caps->segments > net->caps.segments ||
			    caps->rx_merged != net->caps.rx_merged);
	mac = !ether_addr_equal(caps->mac, netdev->dev_addr);
	if (again)
		lpar_net_down(net);
	lpar_net_offer(net, caps);
	if (mac) {
		eth_hw_addr_set(netdev, caps->mac);
		call_netdevice_notifiers(NETDEV_CHANGEADDR, netdev);
		lpar_net_set_rx_mode(netdev);
	}
	upper = lpar_net_standby_upper(net) ?: netdev;
	if (netdev->mtu > caps->mtu_max)
		err = dev_set_mtu(upper, caps->mtu_max);
	else if (netdev->mtu < caps->mtu_min)
		err = dev_set_mtu(upper, caps->mtu_min);
	if (err)
		dev_err_ratelimited(&net->dev->pdev->dev, "%s: its MTU stays %u: %d\n",
				    netdev->name, netdev->mtu, err);
	if (again && lpar_net_up(net))
		netdev_err(netdev, "no queues any more: set it down and up\n");
	netdev_update_features(netdev);
	net_carrier(net);
	dev_info_ratelimited(&net->dev->pdev->dev, "%s: link %s, %u Mbit/s, MTU %u to %u, features %pNF\n",
			     netdev->name, caps->link ? "up" : "down", caps->speed,
			     caps->mtu_min, caps->mtu_max, &netdev->features);
}

/**
 * lpar_net_refresh - take changed capabilities over
 * @net: goes on as it is where it can
 *
 * Sleeps, with disks_lock held; takes rtnl.
 *
 * Return: 0 or a negative errno.
 */
int lpar_net_refresh(struct lpar_net *net)
{
	struct lpar_nic_caps caps;
	u32 generation;
	int err;

	lockdep_assert_held(&net->dev->disks_lock);
	/* under rtnl: an address that is set meanwhile is not to be undone */
	rtnl_lock();
	err = net_query(net->dev, net->function, &caps, &generation);
	if (!err)
		net_take_over(net, &caps);
	rtnl_unlock();
	if (!err)
		net->generation = generation;
	return err;
}

/**
 * lpar_net_stop_all - nothing is sent or received until lpar_net_start_all()
 * @dev: the device; the channel may be reset after this
 *
 * Sleeps, with disks_lock held; takes rtnl.
 */
void lpar_net_stop_all(struct lpar_device *dev)
{
	struct lpar_net *net;

	lockdep_assert_held(&dev->disks_lock);
	rtnl_lock();
	list_for_each_entry(net, &dev->nets, node) {
		netif_device_detach(net->netdev);
		lpar_net_down(net);
	}
	rtnl_unlock();
	list_for_each_entry(net, &dev->nets, node) {
		cancel_work_sync(&net->mode_work);
		lpar_net_ipsec_stop(net);
	}
}

/* An address that was chosen here is wanted still, and the host has forgotten it. */
static void net_keep_address(struct lpar_net *net, struct lpar_nic_caps *caps)
{
	struct net_device *netdev = net->netdev;
	u64 mac = ether_addr_to_u64(netdev->dev_addr);

	if (netdev->addr_assign_type != NET_ADDR_SET || !caps->mac_free ||
	    ether_addr_equal(caps->mac, netdev->dev_addr))
		return;
	if (!lpar_net_set(net, LPAR_CAP_MAC, mac))
		ether_addr_copy(caps->mac, netdev->dev_addr);
}

struct net_search {
	struct lpar_net *net;
	struct lpar_nic_caps caps;
	u32 generation;
};

/* Asks the host. Return: 0, -ESTALE: it is another one; or a negative errno. */
static int net_is(void *arg, u32 number)
{
	struct net_search *search = arg;
	int err;

	err = net_query(search->net->dev, number, &search->caps, &search->generation);
	if (err)
		return err;
	return strcmp(search->caps.name, search->net->caps.name) ? -ESTALE : 0;
}

static int net_start(struct lpar_net *net, const struct lpar_function *functions, u32 count)
{
	struct net_search search = { .net = net };
	struct lpar_nic_caps *caps = &search.caps;
	u32 number = net->function;
	int err;

	err = lpar_function_again(functions, count, LPAR_FUNCTION_NIC, &number, net_is,
				  &search);
	if (err)
		return err;
	if (number != net->function)
		netdev_info(net->netdev, "function %u, was %u\n", number, net->function);
	net->function = number;
	/* The host has forgotten what it was told. */
	net_keep_address(net, caps);
	lpar_net_mode_forgotten(net);
	lpar_net_ipsec_again(net);
	/* The stack changes the MTU of none that is detached; frames are dropped. */
	netif_device_attach(net->netdev);
	net_take_over(net, caps);
	net->generation = search.generation;
	if (netif_running(net->netdev))
		err = lpar_net_up(net);
	if (err) {
		netif_device_detach(net->netdev);
		return err;
	}
	schedule_work(&net->mode_work);
	/* What was deleted while it was detached is not told yet. */
	lpar_net_ipsec_tell(net);
	return 0;
}

/**
 * lpar_net_start_all - the opposite of lpar_net_stop_all()
 * @dev:       with its channel open again, or broken: then they stay as they are
 * @functions: those there are now
 * @count:     of @functions
 *
 * One that does not start is removed by the next look at the functions.
 *
 * Sleeps, with disks_lock held; takes rtnl.
 */
void lpar_net_start_all(struct lpar_device *dev, const struct lpar_function *functions,
			u32 count)
{
	struct lpar_net *net;
	int err;

	lockdep_assert_held(&dev->disks_lock);
	rtnl_lock();
	list_for_each_entry(net, &dev->nets, node) {
		if (lpar_device_broken(dev))
			break;
		err = net_start(net, functions, count);
		if (err)
			netdev_err(net->netdev, "it does not start again: %d\n", err);
		net->dead = err;
	}
	rtnl_unlock();
}

/**
 * lpar_net_remove_all - the device is going away
 * @dev: working or broken
 *
 * Sleeps, with disks_lock held; takes rtnl.
 */
void lpar_net_remove_all(struct lpar_device *dev)
{
	struct lpar_net *net, *next;

	list_for_each_entry_safe(net, next, &dev->nets, node)
		lpar_net_remove(net);
}
