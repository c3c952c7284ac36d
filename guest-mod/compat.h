/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What older kernels lack. The code is written to the newer API; this is the only
 * file that knows kernel versions. Supported and built: 6.1 and 6.12.
 */
#ifndef LPAR_GUEST_COMPAT_H
#define LPAR_GUEST_COMPAT_H

#include <linux/blk-mq.h>
#include <linux/blkdev.h>
#include <linux/hrtimer.h>
#include <linux/version.h>
#include <net/xdp.h>
#include <net/xfrm.h>

/* hrtimer_setup() came with 6.13. Goes when 6.12 does. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 13, 0)
static inline void lpar_compat_hrtimer_setup(struct hrtimer *timer,
					     enum hrtimer_restart (*fn)(struct hrtimer *),
					     clockid_t clock, enum hrtimer_mode mode)
{
	hrtimer_init(timer, clock, mode);
	timer->function = fn;
}

#define hrtimer_setup lpar_compat_hrtimer_setup
#endif

/* How long the frames are that the stack makes; those of IPv4 apart since 6.3 (9eefedd58ae1).
 * RTNL is held, or nobody knows the device yet. Goes with 6.1. */
static inline void lpar_compat_gso_max_size(struct net_device *netdev, unsigned int bytes)
{
	WRITE_ONCE(netdev->gso_max_size, bytes);
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 3, 0)
	WRITE_ONCE(netdev->gso_ipv4_max_size, bytes);
#endif
}

/* Requests merge unless a driver says no since 6.14, by a limit. Goes with 6.12. */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 14, 0)
#define BLK_MQ_F_SHOULD_MERGE	0
#endif

/* A queue that blk_freeze_queue_start() froze; 6.14 (1e1a9cecfab3) gave the usual name a
 * second argument, for who froze it by blk_mq_freeze_queue(). Goes with 6.12. */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 14, 0)
#define lpar_compat_unfreeze	blk_mq_unfreeze_queue_nomemrestore
#else
#define lpar_compat_unfreeze	blk_mq_unfreeze_queue
#endif

/* A node's number, where a request is made; 7.2 at the latest made it one with a sign. Goes with 6.12. */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(7, 2, 0)
typedef int lpar_compat_node_t;
#else
typedef unsigned int lpar_compat_node_t;
#endif

#ifdef CONFIG_XFRM_OFFLOAD
/*
 * A driver's functions for SAs: 6.3 (7681a4f58fb9) lets it say why it takes none, 6.16
 * (43eca05b6a3b) says for which device. Goes with 6.12.
 */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 16, 0)
#define LPAR_COMPAT_XFRM_OPS(add, delete)						\
static int lpar_compat_sa_add(struct net_device *netdev, struct xfrm_state *x,		\
			      struct netlink_ext_ack *extack)				\
{											\
	return add(x, extack);								\
}											\
static void lpar_compat_sa_delete(struct net_device *netdev, struct xfrm_state *x)	\
{											\
	delete(x);									\
}
#elif LINUX_VERSION_CODE >= KERNEL_VERSION(6, 3, 0)
#define LPAR_COMPAT_XFRM_OPS(add, delete)						\
static int lpar_compat_sa_add(struct xfrm_state *x, struct netlink_ext_ack *extack)	\
{											\
	return add(x, extack);								\
}											\
static void lpar_compat_sa_delete(struct xfrm_state *x)					\
{											\
	delete(x);									\
}
#else
#define LPAR_COMPAT_XFRM_OPS(add, delete)						\
static int lpar_compat_sa_add(struct xfrm_state *x)					\
{											\
	return add(x, NULL);								\
}											\
static void lpar_compat_sa_delete(struct xfrm_state *x)					\
{											\
	delete(x);									\
}
#endif
#endif

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 12, 0)

/* A NIC says what of XDP it does since 6.3; before, one that could was asked to. */
#define NETDEV_XDP_ACT_BASIC	0
#define NETDEV_XDP_ACT_REDIRECT	0
#define NETDEV_XDP_ACT_NDO_XMIT	0

static inline void lpar_compat_xdp_features(struct net_device *netdev, u32 features)
{
}

#define xdp_set_features_flag lpar_compat_xdp_features

/* Renamed by 7ba150834b84 (6.5). Goes when 6.1 does, like all below. */
#define BLK_STS_RESV_CONFLICT BLK_STS_NEXUS

/*
 * Limits as one structure, given to blk_mq_alloc_disk() (6.9) and with features
 * in it (6.11). Before, there was a setter for each, called on the live queue.
 */
typedef unsigned int __bitwise blk_features_t;

#define BLK_FEAT_WRITE_CACHE	((__force blk_features_t)(1u << 0))
#define BLK_FEAT_FUA		((__force blk_features_t)(1u << 1))
#define BLK_FEAT_ROTATIONAL	((__force blk_features_t)(1u << 2))
#define BLK_FEAT_STABLE_WRITES	((__force blk_features_t)(1u << 3))

struct lpar_compat_limits {
	blk_features_t features;
	unsigned long seg_boundary_mask;
	unsigned long virt_boundary_mask;
	unsigned int max_hw_sectors;
	unsigned int chunk_sectors;
	unsigned int max_segment_size;
	unsigned int physical_block_size;
	unsigned int logical_block_size;
	unsigned int io_min;
	unsigned int io_opt;
	unsigned int max_hw_discard_sectors;
	unsigned int max_write_zeroes_sectors;
	unsigned int discard_granularity;
	unsigned int discard_alignment;
	unsigned short max_segments;
	unsigned short max_discard_segments;
	unsigned int dma_alignment;
};

/* The queue must be frozen, or its disk not yet be added. */
static inline void lpar_compat_limits_apply(struct request_queue *q,
					    const struct lpar_compat_limits *lim)
{
	blk_queue_logical_block_size(q, lim->logical_block_size);
	blk_queue_physical_block_size(q, lim->physical_block_size);
	blk_queue_io_min(q, lim->io_min);
	blk_queue_io_opt(q, round_down(lim->io_opt, lim->physical_block_size));
	blk_queue_max_hw_sectors(q, lim->max_hw_sectors);
	blk_queue_max_segments(q, lim->max_segments);
	blk_queue_segment_boundary(q, lim->seg_boundary_mask);
	blk_queue_virt_boundary(q, lim->virt_boundary_mask);
	/* The setter warns about a virtual boundary; 6.12 takes both. */
	q->limits.max_segment_size = lim->max_segment_size;
	blk_queue_dma_alignment(q, lim->dma_alignment);
	blk_queue_chunk_sectors(q, lim->chunk_sectors);

	blk_queue_max_discard_sectors(q, lim->max_hw_discard_sectors);
	blk_queue_max_discard_segments(q, lim->max_discard_segments);
	q->limits.discard_granularity = lim->discard_granularity;
	q->limits.discard_alignment = lim->discard_alignment;
	blk_queue_max_write_zeroes_sectors(q, lim->max_write_zeroes_sectors);

	blk_queue_write_cache(q, lim->features & BLK_FEAT_WRITE_CACHE,
			      lim->features & BLK_FEAT_FUA);
	if (lim->features & BLK_FEAT_ROTATIONAL)
		blk_queue_flag_clear(QUEUE_FLAG_NONROT, q);
	else
		blk_queue_flag_set(QUEUE_FLAG_NONROT, q);
	if (lim->features & BLK_FEAT_STABLE_WRITES)
		blk_queue_flag_set(QUEUE_FLAG_STABLE_WRITES, q);
	else
		blk_queue_flag_clear(QUEUE_FLAG_STABLE_WRITES, q);
	if (q->disk)
		disk_update_readahead(q->disk);
}

static inline struct gendisk *
lpar_compat_alloc_disk(struct blk_mq_tag_set *set,
		       const struct lpar_compat_limits *lim, void *queuedata,
		       struct lock_class_key *key)
{
	struct gendisk *disk = __blk_mq_alloc_disk(set, queuedata, key);

	if (!IS_ERR(disk))
		lpar_compat_limits_apply(disk->queue, lim);
	return disk;
}

/* An update starts from nothing here: the caller sets every limit. */
static inline struct lpar_compat_limits
lpar_compat_limits_start_update(struct request_queue *q)
{
	return (struct lpar_compat_limits){};
}

static inline void queue_limits_cancel_update(struct request_queue *q)
{
}

static inline int
lpar_compat_limits_commit_frozen(struct request_queue *q,
				 const struct lpar_compat_limits *lim)
{
	blk_mq_freeze_queue(q);
	lpar_compat_limits_apply(q, lim);
	blk_mq_unfreeze_queue(q);
	return 0;
}

#undef blk_mq_alloc_disk
#define blk_mq_alloc_disk(set, lim, queuedata)				\
({									\
	static struct lock_class_key __key;				\
									\
	lpar_compat_alloc_disk(set, lim, queuedata, &__key);		\
})
#define queue_limits lpar_compat_limits
#define queue_limits_start_update lpar_compat_limits_start_update
#define queue_limits_commit_update_frozen lpar_compat_limits_commit_frozen

#endif /* < 6.12 */
#endif
