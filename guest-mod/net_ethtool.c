// SPDX-License-Identifier: GPL-2.0
/*
 * What ethtool shows of a NIC.
 */
#include <linux/ethtool.h>
#include <linux/log2.h>

#include "net.h"
#include "policy.h"

static const char * const net_counters[] = {
	"packets", "bytes", "drops", "errors", "doorbells",
	"xdp_drops", "xdp_sent", "xdp_redirects",	/* received ones only */
};

#define RX_COUNTERS	ARRAY_SIZE(net_counters)
#define TX_COUNTERS	(RX_COUNTERS - 3)
#define RING_MIN	16u	/* frames */

static void ethtool_drvinfo(struct net_device *netdev, struct ethtool_drvinfo *info)
{
	struct lpar_net *net = netdev_priv(netdev);

	strscpy(info->driver, KBUILD_MODNAME, sizeof(info->driver));
	strscpy(info->bus_info, pci_name(net->dev->pdev), sizeof(info->bus_info));
	snprintf(info->fw_version, sizeof(info->fw_version), "wire %u",
		 net->dev->channel.version);
}

static int ethtool_link_settings(struct net_device *netdev,
				 struct ethtool_link_ksettings *settings)
{
	struct lpar_net *net = netdev_priv(netdev);
	const struct lpar_nic_caps *caps = &net->caps;

	ethtool_link_ksettings_zero_link_mode(settings, supported);
	ethtool_link_ksettings_zero_link_mode(settings, advertising);
	settings->base.port = PORT_OTHER;
	settings->base.autoneg = AUTONEG_DISABLE;
	settings->base.speed = SPEED_UNKNOWN;
	settings->base.duplex = DUPLEX_UNKNOWN;
	if (caps->link && caps->speed) {
		settings->base.speed = caps->speed;
		settings->base.duplex = caps->full_duplex ? DUPLEX_FULL : DUPLEX_HALF;
	}
	return 0;
}

static void ethtool_channels(struct net_device *netdev,
			     struct ethtool_channels *channels)
{
	struct lpar_net *net = netdev_priv(netdev);

	channels->max_rx = net->nr_rx;
	channels->max_tx = net->nr_tx;
	channels->rx_count = net->use_rx;
	channels->tx_count = net->use_tx;
}

static int ethtool_set_channels(struct net_device *netdev,
				struct ethtool_channels *channels)
{
	/* Within what the other function says; the caller has looked. */
	return lpar_net_use(netdev_priv(netdev), channels->tx_count,
			    channels->rx_count);
}

static void ethtool_ringparam(struct net_device *netdev,
			      struct ethtool_ringparam *ring,
			      struct kernel_ethtool_ringparam *kernel_ring,
			      struct netlink_ext_ack *extack)
{
	struct lpar_net *net = netdev_priv(netdev);

	/* A new depth is for queues to come. Those that send come and go under rtnl. */
	ring->rx_pending = READ_ONCE(net->rx_depth) ?: lpar_net_depth(net, net->want_rx);
	ring->tx_pending = net->tx->q ? net->tx->q->depth : lpar_net_depth(net, net->want_tx);
	ring->rx_max_pending = max(ring->rx_pending, net->caps.depth_most);
	ring->tx_max_pending = max(ring->tx_pending, net->caps.depth_most);
}

/* Within what the other function says; the caller has looked. */
static u32 ethtool_depth(const struct lpar_net *net, u32 pending)
{
	u32 depth = max(pending, RING_MIN);

	depth = roundup_pow_of_two(depth);
	return min(depth, net->caps.depth_most);
}

static int ethtool_set_ringparam(struct net_device *netdev, struct ethtool_ringparam *ring,
				 struct kernel_ethtool_ringparam *kernel_ring,
				 struct netlink_ext_ack *extack)
{
	struct lpar_net *net = netdev_priv(netdev);
	struct ethtool_ringparam now = {};
	u32 tx = net->want_tx, rx = net->want_rx;

	/* What nobody asked for stays as it was, be it what the host proposes. */
	ethtool_ringparam(netdev, &now, kernel_ring, extack);
	if (ring->tx_pending != now.tx_pending)
		tx = ethtool_depth(net, ring->tx_pending);
	if (ring->rx_pending != now.rx_pending)
		rx = ethtool_depth(net, ring->rx_pending);
	return lpar_net_resize(net, tx, rx);
}

static int ethtool_coalesce(struct net_device *netdev, struct ethtool_coalesce *coalesce,
			    struct kernel_ethtool_coalesce *kernel_coalesce,
			    struct netlink_ext_ack *extack)
{
	struct lpar_net *net = netdev_priv(netdev);

	coalesce->tx_max_coalesced_frames = net->tx_frames;
	coalesce->tx_coalesce_usecs = net->tx_usecs;
	return 0;
}

static int ethtool_set_coalesce(struct net_device *netdev,
				struct ethtool_coalesce *coalesce,
				struct kernel_ethtool_coalesce *kernel_coalesce,
				struct netlink_ext_ack *extack)
{
	struct lpar_net *net = netdev_priv(netdev);
	u32 i;

	if (!coalesce->tx_max_coalesced_frames ||
	    coalesce->tx_max_coalesced_frames > LPAR_QUEUE_DEPTH_MAX) {
		NL_SET_ERR_MSG_MOD(extack, "tx-frames is 1 to 1024");
		return -ERANGE;
	}
	if (coalesce->tx_coalesce_usecs > LPAR_POLICY_HOLD_MAX) {
		NL_SET_ERR_MSG_MOD(extack, "tx-usecs is at most 50000");
		return -ERANGE;
	}
	net->tx_frames = coalesce->tx_max_coalesced_frames;
	net->tx_usecs = coalesce->tx_coalesce_usecs;
	for (i = 0; i < net->use_tx; i++) {
		lpar_net_tx_coalesce(&net->tx[i]);
		/* What is held has waited for what was wanted before. */
		if (net->tx[i].q)
			lpar_ring_nudge(net->tx[i].q);
	}
	return 0;
}

static int ethtool_sset_count(struct net_device *netdev, int set)
{
	struct lpar_net *net = netdev_priv(netdev);

	if (set != ETH_SS_STATS)
		return -EOPNOTSUPP;
	return net->nr_tx * TX_COUNTERS + net->nr_rx * RX_COUNTERS;
}

static void ethtool_strings(struct net_device *netdev, u32 set, u8 *data)
{
	struct lpar_net *net = netdev_priv(netdev);
	u32 i, j;

	if (set != ETH_SS_STATS)
		return;
	for (i = 0; i < net->nr_tx; i++) {
		for (j = 0; j < TX_COUNTERS; j++)
			ethtool_sprintf(&data, "tx%u_%s", i, net_counters[j]);
	}
	for (i = 0; i < net->nr_rx; i++) {
		for (j = 0; j < RX_COUNTERS; j++)
			ethtool_sprintf(&data, "rx%u_%s", i, net_counters[j]);
	}
}

static void ethtool_add(const struct lpar_net_stats *stats, u64 *data, unsigned int n)
{
	u64 now[RX_COUNTERS];
	unsigned int start, i;

	do {
		start = u64_stats_fetch_begin(&stats->sync);
		now[0] = u64_stats_read(&stats->packets);
		now[1] = u64_stats_read(&stats->bytes);
		now[2] = u64_stats_read(&stats->drops);
		now[3] = u64_stats_read(&stats->errors);
		now[4] = u64_stats_read(&stats->doorbells);
		now[5] = u64_stats_read(&stats->xdp_drops);
		now[6] = u64_stats_read(&stats->xdp_sent);
		now[7] = u64_stats_read(&stats->xdp_redirects);
	} while (u64_stats_fetch_retry(&stats->sync, start));
	for (i = 0; i < n; i++)
		data[i] += now[i];
}

static void ethtool_statistics(struct net_device *netdev,
			       struct ethtool_stats *stats, u64 *data)
{
	struct lpar_net *net = netdev_priv(netdev);
	u32 i;

	memset(data, 0, ethtool_sset_count(netdev, ETH_SS_STATS) * sizeof(*data));
	for (i = 0; i < net->nr_tx; i++, data += TX_COUNTERS) {
		ethtool_add(&net->tx[i].sent, data, TX_COUNTERS);
		ethtool_add(&net->tx[i].done, data, TX_COUNTERS);
		data[4] += net->tx[i].doorbells;
		if (net->tx[i].q)
			data[4] += READ_ONCE(net->tx[i].q->doorbells);
	}
	for (i = 0; i < net->nr_rx; i++, data += RX_COUNTERS)
		ethtool_add(&net->rx[i].stats, data, RX_COUNTERS);
}

const struct ethtool_ops lpar_net_ethtool_ops = {
	.supported_coalesce_params = ETHTOOL_COALESCE_TX_USECS |
				     ETHTOOL_COALESCE_TX_MAX_FRAMES,
	.get_coalesce		= ethtool_coalesce,
	.set_coalesce		= ethtool_set_coalesce,
	.get_drvinfo		= ethtool_drvinfo,
	.get_link		= ethtool_op_get_link,
	.get_link_ksettings	= ethtool_link_settings,
	.get_channels		= ethtool_channels,
	.set_channels		= ethtool_set_channels,
	.get_ringparam		= ethtool_ringparam,
	.set_ringparam		= ethtool_set_ringparam,
	.get_sset_count		= ethtool_sset_count,
	.get_strings		= ethtool_strings,
	.get_ethtool_stats	= ethtool_statistics,
	.get_ts_info		= ethtool_op_get_ts_info,
};
