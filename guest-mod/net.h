/* SPDX-License-Identifier: GPL-2.0 */
/* The partition's NICs. */
#ifndef LPAR_GUEST_NET_H
#define LPAR_GUEST_NET_H

#include <linux/etherdevice.h>
#include <linux/if_vlan.h>
#include <linux/netdevice.h>
#include <linux/u64_stats_sync.h>
#include <linux/xarray.h>
#include <net/xdp.h>

#include "device.h"
#include "net_caps.h"
#include "queue.h"
#include "window.h"

struct lpar_net;

/* Further addresses of one, however many the host would take. */
#define LPAR_NET_MACS	64

/**
 * struct lpar_net_stats - counters with one writer
 * @sync:      for readers
 * @packets:   sent, or received
 * @bytes:     likewise
 * @drops:     not sent or received for want of something here
 * @errors:    that the host reports, or what it gave makes no sense
 * @doorbells: rung by a receiving queue
 * @xdp_drops: received, and dropped by the XDP program, or for want of something
 *             when it wanted them elsewhere
 * @xdp_sent:  received, and sent back for it
 * @xdp_redirects: received, and given to another device for it
 */
struct lpar_net_stats {
	struct u64_stats_sync sync;
	u64_stats_t packets;
	u64_stats_t bytes;
	u64_stats_t drops;
	u64_stats_t errors;
	u64_stats_t doorbells;
	u64_stats_t xdp_drops;
	u64_stats_t xdp_sent;
	u64_stats_t xdp_redirects;
};

/**
 * struct lpar_net_frame - a frame that the host has
 * @skb:    NULL where it has none
 * @bytes:  that the stack's limit counts
 * @nsegs:  of its segments, each with a window that it uses
 */
struct lpar_net_frame {
	struct sk_buff *skb;
	u32 bytes;
	u32 nsegs;
};

/**
 * struct lpar_net_tx - a queue of frames to send
 * @net:       the NIC
 * @index:     among the NIC's
 * @number:    of its doorbell, while the NIC exists
 * @q:         shared rings, while the NIC is up
 * @napi:      looks at completions
 * @frames:    by id
 * @windows:   by id and segment
 * @segs:      of the frame that is being prepared; under the transmit lock
 * @free:      ids without a frame: a ring, filled by @napi, emptied under the
 *             transmit lock, so that neither waits for the other
 * @free_put:  by @napi
 * @free_got:  under the transmit lock
 * @pending:   a frame that waits for a window; under the transmit lock. The queue
 *             is stopped meanwhile
 * @tries:     times that it did
 * @waiter:    for @pending
 * @doorbells: rung for queues that are no more; under rtnl
 * @nudge:     ring whether it seems necessary or not
 * @ended:     by the last lpar_net_tx_watch(), which these three belong to
 * @waited:    frames were on their way then
 * @stuck:     and had not ended since the look before
 * @sent:      counted under the transmit lock
 * @done:      counted by @napi
 */
struct lpar_net_tx {
	struct lpar_net *net;
	u32 index;
	u32 number;
	struct lpar_queue *q;
	struct napi_struct napi;
	struct lpar_net_frame *frames;
	struct lpar_window **windows;
	struct lpar_seg *segs;
	u16 *free;
	u32 free_put;
	u32 free_got ____cacheline_aligned_in_smp;
	struct sk_buff *pending;
	u32 tries;
	struct lpar_window_waiter waiter;
	u64 doorbells;
	unsigned long nudge;
	u32 ended;
	bool waited;
	bool stuck;
	struct lpar_net_stats sent;
	struct lpar_net_stats done ____cacheline_aligned_in_smp;
};

/**
 * struct lpar_net_part - memory for a received frame, or for a part of it
 * @page:    NULL where there is none
 * @window:  that it lies in and uses; NULL: not looked up, or taken back
 * @logical: logical I/O address, with @window
 */
struct lpar_net_part {
	struct page *page;
	struct lpar_window *window;
	u64 logical;
};

/**
 * struct lpar_net_buffer - what one received frame is put into
 * @parts:  one after the other; a frame that needs few leaves the rest
 * @posted: the host has it
 */
struct lpar_net_buffer {
	struct lpar_net_part *parts;
	bool posted;
};

/**
 * struct lpar_net_rx_queue - a queue of buffers; but for the waiting all of it
 * belongs to @napi
 * @net:     the NIC
 * @index:   among the NIC's
 * @number:  of its doorbell, while the NIC exists
 * @q:       shared rings, while the NIC is up
 * @napi:    gives buffers, takes frames
 * @buffers: by id
 * @free:    ids that the host does not have, a stack
 * @nr_free: of @free
 * @target:  how many buffers the host is to have
 * @parts:   of all buffers
 * @nparts:  of one
 * @order:   of a part's pages
 * @lent:    pages that the stack has or had, a ring; each with a reference
 * @lent_head: the first of them
 * @lent_tail: behind the last
 * @nr_lent: room in @lent, a power of two
 * @misses:  how often the first was looked for in vain
 * @started: the host has the queue; under lpar_net.rx_lock
 * @waiting: @waiter waits, or @retry is to run: no buffers are given before
 * @redirected: frames of this poll are on their way to another device
 * @waiter:  for the window of a buffer
 * @retry:   looks again when memory was short
 * @xdp:     names the queue to XDP, while the NIC is up
 * @stats:   counters
 */
struct lpar_net_rx_queue {
	struct lpar_net *net;
	u32 index;
	u32 number;
	struct lpar_queue *q;
	struct napi_struct napi;
	struct lpar_net_buffer *buffers;
	u16 *free;
	u32 nr_free;
	u32 target;
	struct lpar_net_part *parts;
	u32 nparts;
	u32 order;
	struct page **lent;
	u32 lent_head;
	u32 lent_tail;
	u32 nr_lent;
	u32 misses;
	bool started;
	bool waiting;
	bool redirected;
	struct lpar_window_waiter waiter;
	struct delayed_work retry;
	struct xdp_rxq_info xdp;
	struct lpar_net_stats stats;
};

/**
 * struct lpar_net - a function of type LPAR_FUNCTION_NIC; the netdev's private part
 * @node:       lpar_device.nets
 * @dev:        the device
 * @netdev:     what the guest sees
 * @function:   id
 * @generation: of @caps
 * @caps:       in force; changed under rtnl
 * @xdp:        judges received frames, or NULL; changed under rtnl
 * @failover:   it is the standby there, or NULL
 * @notifier:   tells of its VF, with @failover
 * @features:   that they offer, all of them
 * @offered:    that they ever offered
 * @segs_max:   of a frame: what @caps and the queues allow
 * @not_linear: until then large frames are not made linear, in jiffies: memory is short
 * @dead:       to be removed; under disks_lock
 * @up:         its queues take frames; changed under rtnl
 * @mode_work:  tells the host which frames are wanted
 * @modes:      IFF_PROMISC and IFF_ALLMULTI as the host was told; @mode_work alone
 * @aside:      the host was told that the VF is in use; @mode_work alone
 * @filter:     only frames of @vlans are wanted, of those with a tag
 * @filtered:   the host was told so; @mode_work alone
 * @unfiltered: it did not let one in, so it is not to filter; @mode_work alone
 * @vlans:      that are wanted; under rtnl
 * @let_in:     that the host was told of; @mode_work alone
 * @macs:       further addresses that the host was told of; @mode_work alone
 * @nr_macs:    how many; likewise
 * @sas:        that the host has, by its number: struct xfrm_state, or a mark of one that
 *              it is to forget
 * @sa_lock:    held while it is told of one
 * @sa_work:    tells it what to forget
 * @rx_lock:    held while the receive queues come and go, under rtnl or without; who has it
 *              waits for no disk, since requests of disks may wait for it
 * @rx_depth:   of each receive queue; 0: there are none
 * @repost_work: takes buffers back from the host, and gives it others
 * @watch_work:  looks for queues that are stuck, while @up
 * @nr_tx:      of @tx
 * @nr_rx:      of @rx
 * @use_tx:     of these, as many are in use; changed under rtnl
 * @use_rx:     likewise
 * @want_tx:    depth of queues that send, a power of two; 0: as the host proposes; under rtnl
 * @want_rx:    likewise, of those that receive
 * @tx_frames:  most that one doorbell is for; under rtnl
 * @tx_usecs:   shortest time that one is held back; under rtnl
 * @quantum_us: longest service for each doorbell, 0: the host's limit; changed under rtnl
 * @tx:         queues
 * @rx:         queues
 */
struct lpar_net {
	struct list_head node;
	struct lpar_device *dev;
	struct net_device *netdev;
	u32 function;
	u32 generation;
	struct lpar_nic_caps caps;
	struct bpf_prog __rcu *xdp;
	struct failover *failover;
	struct notifier_block notifier;
	netdev_features_t features;
	netdev_features_t offered;
	u32 segs_max;
	unsigned long not_linear;
	bool dead;
	bool up;
	struct work_struct mode_work;
	unsigned int modes;
	bool aside;
	bool filter;
	bool filtered;
	bool unfiltered;
	DECLARE_BITMAP(vlans, VLAN_N_VID);
	DECLARE_BITMAP(let_in, VLAN_N_VID);
	u64 macs[LPAR_NET_MACS];
	u32 nr_macs;
	struct xarray sas;
	struct mutex sa_lock;
	struct work_struct sa_work;
	struct mutex rx_lock;
	u32 rx_depth;
	struct delayed_work repost_work;
	struct delayed_work watch_work;
	u32 nr_tx;
	u32 nr_rx;
	u32 use_tx;
	u32 use_rx;
	u32 want_tx;
	u32 want_rx;
	u32 tx_frames;
	u32 tx_usecs;
	u32 quantum_us;
	struct lpar_net_tx *tx;
	struct lpar_net_rx_queue *rx;
};

/* How deep a new queue is to be: @want it, or as the host proposes. */
static inline u32 lpar_net_depth(const struct lpar_net *net, u32 want)
{
	return want ? min(want, net->caps.depth_most) : net->caps.depth;
}

static inline void lpar_net_count(struct lpar_net_stats *stats, u64_stats_t *what)
{
	u64_stats_update_begin(&stats->sync);
	u64_stats_inc(what);
	u64_stats_update_end(&stats->sync);
}

int lpar_net_add(struct lpar_device *dev, u32 function, u32 share);
int lpar_net_refresh(struct lpar_net *net);
void lpar_net_remove(struct lpar_net *net);
void lpar_net_stop_all(struct lpar_device *dev);
void lpar_net_start_all(struct lpar_device *dev, const struct lpar_function *functions,
			u32 count);
void lpar_net_remove_all(struct lpar_device *dev);
int lpar_net_queue_create(struct lpar_net *net, struct lpar_queue *q, u32 index,
			  enum lpar_queue_role role, struct napi_struct *napi);
bool lpar_net_queue_destroy(struct lpar_queue *q);
bool lpar_net_queue_wants(struct lpar_queue *q);
void lpar_net_repost(struct lpar_device *dev);
int lpar_net_up(struct lpar_net *net);
void lpar_net_down(struct lpar_net *net);
int lpar_net_use(struct lpar_net *net, u32 tx, u32 rx);
int lpar_net_resize(struct lpar_net *net, u32 tx, u32 rx);
int lpar_net_set(struct lpar_net *net, enum lpar_cap cap, u64 value);

/* net_offer.c */
void lpar_net_offer(struct lpar_net *net, const struct lpar_nic_caps *caps);
netdev_features_t lpar_net_fix_features(struct net_device *netdev, netdev_features_t features);

/* net_tx.c */
void lpar_net_tx_init(struct lpar_net *net, struct lpar_net_tx *tx, u32 index);
int lpar_net_tx_up(struct lpar_net_tx *tx);
void lpar_net_tx_drain(struct lpar_net_tx *tx, unsigned long end);
void lpar_net_tx_down(struct lpar_net_tx *tx);
netdev_tx_t lpar_net_xmit(struct sk_buff *skb, struct net_device *netdev);
netdev_features_t lpar_net_features_check(struct sk_buff *skb,
					  struct net_device *netdev,
					  netdev_features_t features);
void lpar_net_tx_watch(struct lpar_net_tx *tx);
void lpar_net_tx_coalesce(struct lpar_net_tx *tx);

/* net_rx.c */
void lpar_net_rx_init(struct lpar_net *net, struct lpar_net_rx_queue *rx, u32 index);
int lpar_net_rx_up(struct lpar_net_rx_queue *rx);
int lpar_net_rx_start(struct lpar_net_rx_queue *rx);
void lpar_net_rx_stop(struct lpar_net_rx_queue *rx);
void lpar_net_rx_down(struct lpar_net_rx_queue *rx);

/* net_mode.c */
void lpar_net_mode_init(struct lpar_net *net);
void lpar_net_mode_forgotten(struct lpar_net *net);
void lpar_net_set_rx_mode(struct net_device *netdev);
int lpar_net_vlan_add(struct net_device *netdev, __be16 proto, u16 vlan);
int lpar_net_vlan_kill(struct net_device *netdev, __be16 proto, u16 vlan);
int lpar_net_set_features(struct net_device *netdev, netdev_features_t features);

/* net_xdp.c */
struct sk_buff *lpar_net_xdp_receive(struct lpar_net_rx_queue *rx, struct bpf_prog *prog,
				     struct lpar_net_rx *head, const void *frame, u32 len);
int lpar_net_xdp_xmit(struct net_device *netdev, int n, struct xdp_frame **frames,
		      u32 flags);
bool lpar_net_xdp_mtu(struct lpar_net *net, u32 mtu);
int lpar_net_bpf(struct net_device *netdev, struct netdev_bpf *bpf);
void lpar_net_xdp_init(struct net_device *netdev);

/* net_ipsec.c */
void lpar_net_ipsec_init(struct lpar_net *net);
void lpar_net_ipsec_end(struct lpar_net *net);
void lpar_net_ipsec_stop(struct lpar_net *net);
void lpar_net_ipsec_again(struct lpar_net *net);
void lpar_net_ipsec_tell(struct lpar_net *net);
int lpar_net_ipsec_tx(struct lpar_net *net, struct sk_buff *skb);
bool lpar_net_ipsec_rx(struct lpar_net *net, struct sk_buff *skb, u32 number);

/* net_standby.c */
void lpar_net_standby_begin(struct lpar_net *net);
void lpar_net_standby_end(struct lpar_net *net);
void lpar_net_standby_tell(struct lpar_net *net);
struct net_device *lpar_net_standby_upper(struct lpar_net *net);
int lpar_net_phys_port_name(struct net_device *netdev, char *name, size_t len);

/* net_policy.c */
void lpar_net_policy_init(struct lpar_net *net);

/* net_ethtool.c */
extern const struct ethtool_ops lpar_net_ethtool_ops;

#endif
