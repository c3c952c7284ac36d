/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The one place that knows kernel versions. The rest of the module is written to
 * the newest interface; each shim says what it is for and when it can go.
 */
#ifndef LPAR_HOST_COMPAT_H
#define LPAR_HOST_COMPAT_H

#include <linux/blk-mq.h>
#include <linux/blkdev.h>
#include <linux/dma-map-ops.h>
#include <linux/eventfd.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/hrtimer.h>
#include <linux/kthread.h>
#include <linux/netdevice.h>
#include <linux/rtnetlink.h>
#include <linux/sched/signal.h>
#include <linux/skbuff.h>
#include <linux/timer.h>
#include <linux/version.h>
#include <net/xfrm.h>

/* mac_pton() is declared there in 6.12, and in kernel.h in 6.1. Goes with 6.1. */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 12, 0)
#include <linux/hex.h>
#endif

/* 6.17 renamed them. Goes with 6.12. */
#ifndef FOLIO_MAPPING_FLAGS
#define FOLIO_MAPPING_FLAGS	PAGE_MAPPING_FLAGS
#endif

/* 6.5 (d457a0e329b0) moved skb_gso_segment() out of netdevice.h. Goes with 6.1. */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 5, 0)
#include <net/gso.h>
#endif

/*
 * 6.12 (b5c58b2fdc42) calls dma-iommu directly instead of through dma_ops, and
 * its functions are not exported. Until 6.12 the original operations can be
 * copied and called. Goes with 6.1.
 */
#define LPAR_DMA_ALIAS (LINUX_VERSION_CODE >= KERNEL_VERSION(6, 12, 0))

/* Does the core call dma-iommu for this device? The flag is a bit in a bitfield, and since
 * 7.2 at the latest one in a bitmap. From 6.12 on; the device's lock is held to set it. */
#if LPAR_DMA_ALIAS
static inline bool lpar_compat_dma_iommu(struct device *dev)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(7, 2, 0)
	return dev_dma_iommu(dev);
#else
	return dev->dma_iommu;
#endif
}

static inline void lpar_compat_dma_iommu_set(struct device *dev, bool on)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(7, 2, 0)
	dev_assign_dma_iommu(dev, on);
#else
	dev->dma_iommu = on;
#endif
}
#endif

/*
 * One piece of memory is mapped by its physical address since 6.19, and a resource by the
 * same function with an attribute; before, by its page, and resources apart. @map and
 * @unmap are the operations as they are now: MEMBERS makes of them what the kernel wants,
 * OPS initialises the members and SET stores them, IS tells them by @map. And the calls:
 * by the operations @ops, or with NULL by the DMA API. Goes with 6.12.
 */
#define LPAR_COMPAT_DMA_DECLARE(map, unmap)						\
static dma_addr_t map(struct device *dev, phys_addr_t phys, size_t size,		\
		      enum dma_data_direction dir, unsigned long attrs);		\
static void unmap(struct device *dev, dma_addr_t io, size_t size,			\
		  enum dma_data_direction dir, unsigned long attrs);

#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 19, 0)
#define LPAR_COMPAT_DMA_MEMBERS(map, unmap)	LPAR_COMPAT_DMA_DECLARE(map, unmap)
#define LPAR_COMPAT_DMA_OPS(map, unmap)		.map_phys = map, .unmap_phys = unmap
#define LPAR_COMPAT_DMA_IS(ops, map)		((ops)->map_phys == map)

static inline dma_addr_t lpar_compat_dma_map(const struct dma_map_ops *ops, struct device *dev,
					     phys_addr_t phys, size_t size,
					     enum dma_data_direction dir, unsigned long attrs)
{
	return dma_map_phys(dev, phys, size, dir, attrs);
}

static inline void lpar_compat_dma_unmap(const struct dma_map_ops *ops, struct device *dev,
					 dma_addr_t io, size_t size,
					 enum dma_data_direction dir, unsigned long attrs)
{
	dma_unmap_phys(dev, io, size, dir, attrs);
}
#else
#define LPAR_COMPAT_DMA_MMIO	BIT(31)		/* no attribute of theirs */
#define LPAR_COMPAT_DMA_MEMBERS(map, unmap)						\
LPAR_COMPAT_DMA_DECLARE(map, unmap)							\
static dma_addr_t map##_page(struct device *dev, struct page *page, unsigned long offset, \
			     size_t size, enum dma_data_direction dir,			\
			     unsigned long attrs)					\
{											\
	return map(dev, page_to_phys(page) + offset, size, dir, attrs);			\
}											\
static __maybe_unused									\
dma_addr_t map##_resource(struct device *dev, phys_addr_t phys, size_t size,		\
			  enum dma_data_direction dir, unsigned long attrs)		\
{											\
	return map(dev, phys, size, dir, attrs | LPAR_COMPAT_DMA_MMIO);			\
}											\
static __maybe_unused									\
void unmap##_resource(struct device *dev, dma_addr_t io, size_t size,			\
		      enum dma_data_direction dir, unsigned long attrs)			\
{											\
	unmap(dev, io, size, dir, attrs | LPAR_COMPAT_DMA_MMIO);			\
}

#define LPAR_COMPAT_DMA_OPS(map, unmap)							\
	.map_page = map##_page, .unmap_page = unmap,					\
	.map_resource = map##_resource, .unmap_resource = unmap##_resource
#define LPAR_COMPAT_DMA_SET(ops, map, unmap)						\
	((ops)->map_page = map##_page, (ops)->unmap_page = unmap)
#define LPAR_COMPAT_DMA_IS(ops, map)	((ops)->map_page == map##_page)

static inline dma_addr_t lpar_compat_dma_map(const struct dma_map_ops *ops, struct device *dev,
					     phys_addr_t phys, size_t size,
					     enum dma_data_direction dir, unsigned long attrs)
{
	struct page *page;

	if (attrs & LPAR_COMPAT_DMA_MMIO)
		return dma_map_resource(dev, phys, size, dir, attrs & ~LPAR_COMPAT_DMA_MMIO);
	page = pfn_to_page(PHYS_PFN(phys));
	if (ops)
		return ops->map_page(dev, page, offset_in_page(phys), size, dir, attrs);
	return dma_map_page_attrs(dev, page, offset_in_page(phys), size, dir, attrs);
}

static inline void lpar_compat_dma_unmap(const struct dma_map_ops *ops, struct device *dev,
					 dma_addr_t io, size_t size,
					 enum dma_data_direction dir, unsigned long attrs)
{
	if (attrs & LPAR_COMPAT_DMA_MMIO)
		dma_unmap_resource(dev, io, size, dir, attrs & ~LPAR_COMPAT_DMA_MMIO);
	else if (ops)
		ops->unmap_page(dev, io, size, dir, attrs);
	else
		dma_unmap_page_attrs(dev, io, size, dir, attrs);
}
#endif

/* Is it the plain text of what the adapter encrypts, or has decrypted? 6.10 (9f06f87fef68)
 * gave the question a name. Goes with 6.1. */
static inline bool lpar_compat_decrypted(const struct sk_buff *skb)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 10, 0)
	return skb_is_decrypted(skb);
#elif defined(CONFIG_TLS_DEVICE)
	return skb->decrypted;
#else
	return false;
#endif
}

/* 6.8 (3652117f8548) dropped the count that nobody used. Goes with 6.1. */
static inline void lpar_compat_signal(struct eventfd_ctx *ctx)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 8, 0)
	eventfd_signal(ctx);
#else
	eventfd_signal(ctx, 1);
#endif
}

/* 6.13 (90ee6ed776c0) turned f_count into file_ref_t. Goes with 6.12. */
static inline bool lpar_compat_file_tryget(struct file *file)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 13, 0)
	return file_ref_get(&file->f_ref);
#else
	return atomic_long_inc_not_zero(&file->f_count);
#endif
}

/* A running worker, or an ERR_PTR(). 6.14 gave the old name to one that is yet to be
 * started. Goes with 6.12. */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 14, 0)
#define lpar_compat_worker(...)	kthread_run_worker(0, __VA_ARGS__)
#else
#define lpar_compat_worker(...)	kthread_create_worker(0, __VA_ARGS__)
#endif

/* 6.3 (9eefedd58ae1) has another limit for IPv4. A frame as long as that is too long. Goes with 6.1. */
static inline u32 lpar_compat_gso_max_size(const struct net_device *dev)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 3, 0)
	return min(READ_ONCE(dev->gso_max_size), READ_ONCE(dev->gso_ipv4_max_size));
#else
	return READ_ONCE(dev->gso_max_size);
#endif
}

/* 6.2 (9b13df3fb64e) renamed del_timer_sync(). Goes with 6.1. */
static inline void lpar_compat_timer_sync(struct timer_list *t)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 2, 0)
	timer_delete_sync(t);
#else
	del_timer_sync(t);
#endif
}

/* 6.13 (c9bd83abfeb9) made one function of two. Goes with 6.12. */
static inline void lpar_compat_hrtimer_on_stack(struct hrtimer *t,
						enum hrtimer_restart (*fn)(struct hrtimer *t),
						clockid_t clock,
						enum hrtimer_mode mode)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 13, 0)
	hrtimer_setup_on_stack(t, fn, clock, mode);
#else
	hrtimer_init_on_stack(t, clock, mode);
	t->function = fn;
#endif
}

/* 6.11 made features of the queue's flags. Goes with 6.1. */
static inline bool lpar_compat_rotational(struct block_device *bdev)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 11, 0)
	return bdev_get_queue(bdev)->limits.features & BLK_FEAT_ROTATIONAL;
#else
	return !bdev_nonrot(bdev);
#endif
}

static inline bool lpar_compat_polls(struct request_queue *q)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 11, 0)
	return q->limits.features & BLK_FEAT_POLL;
#else
	return test_bit(QUEUE_FLAG_POLL, &q->queue_flags);
#endif
}

/* 6.4 ended polling that sleeps, and the tag in the cookie. Goes with
 * 6.1. */
static inline void lpar_compat_poll(struct bio *bio, unsigned int hctx,
				    struct io_comp_batch *iob)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 4, 0)
	bio->bi_cookie = hctx;
	bio_poll(bio, iob, BLK_POLL_ONESHOT);
#else
	bio->bi_cookie = hctx << 16;
	bio_poll(bio, iob, BLK_POLL_ONESHOT | BLK_POLL_NOSLEEP);
#endif
}

/*
 * An open block device. 6.9 (f3a608827d1f) returns a file instead of the
 * block device itself. Goes with 6.1.
 */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 9, 0)
struct lpar_bdev {
	struct file *file;
};

static inline int lpar_compat_open(struct lpar_bdev *b, const char *path,
				   bool write, void *holder)
{
	blk_mode_t mode = BLK_OPEN_READ | (write ? BLK_OPEN_WRITE : 0);
	struct file *file = bdev_file_open_by_path(path, mode, holder, NULL);

	if (IS_ERR(file))
		return PTR_ERR(file);
	b->file = file;
	return 0;
}

static inline void lpar_compat_close(struct lpar_bdev *b)
{
	/* fput() keeps the claim until the caller is back in user space */
	bdev_fput(b->file);
}

static inline struct block_device *lpar_compat_bdev(struct lpar_bdev *b)
{
	return file_bdev(b->file);
}
#else
struct lpar_bdev {
	struct block_device *bdev;
	fmode_t mode;
};

static inline int lpar_compat_open(struct lpar_bdev *b, const char *path,
				   bool write, void *holder)
{
	struct block_device *bdev;

	b->mode = FMODE_READ | (write ? FMODE_WRITE : 0) |
		  (holder ? FMODE_EXCL : 0);
	bdev = blkdev_get_by_path(path, b->mode, holder);
	if (IS_ERR(bdev))
		return PTR_ERR(bdev);
	b->bdev = bdev;
	return 0;
}

static inline void lpar_compat_close(struct lpar_bdev *b)
{
	blkdev_put(b->bdev, b->mode);
}

static inline struct block_device *lpar_compat_bdev(struct lpar_bdev *b)
{
	return b->bdev;
}
#endif

/*
 * How the stack says that nobody looks at an skb's fragments any more. 6.10
 * (7ab4f16f9e24) put the function into a table. Goes with 6.1.
 */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 10, 0)
#define LPAR_COMPAT_UBUF(name, fn) \
	static const struct ubuf_info_ops name = { .complete = fn }

static inline void lpar_compat_zcopy_set(struct sk_buff *skb, struct ubuf_info *u,
					 const struct ubuf_info_ops *ops)
{
	u->ops = ops;
#else
typedef void (*lpar_ubuf_fn)(struct sk_buff *skb, struct ubuf_info *u, bool ok);
#define LPAR_COMPAT_UBUF(name, fn) static const lpar_ubuf_fn name = fn

static inline void lpar_compat_zcopy_set(struct sk_buff *skb, struct ubuf_info *u,
					 const lpar_ubuf_fn *fn)
{
	u->callback = *fn;
#endif
	u->flags = SKBFL_ZEROCOPY_FRAG;
	refcount_set(&u->refcnt, 1);
	skb_zcopy_init(skb, u);
}

#ifdef CONFIG_XFRM_OFFLOAD
/* 6.3 (7681a4f58fb9) lets a driver say why it takes no SA, 6.16 (43eca05b6a3b) says for
 * which device. Goes with 6.12. */
static inline int lpar_compat_state_add(struct net_device *dev, struct xfrm_state *x,
					struct netlink_ext_ack *extack)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 16, 0)
	return dev->xfrmdev_ops->xdo_dev_state_add(dev, x, extack);
#elif LINUX_VERSION_CODE >= KERNEL_VERSION(6, 3, 0)
	return dev->xfrmdev_ops->xdo_dev_state_add(x, extack);
#else
	return dev->xfrmdev_ops->xdo_dev_state_add(x);
#endif
}

static inline void lpar_compat_state_delete(struct net_device *dev, struct xfrm_state *x)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 16, 0)
	dev->xfrmdev_ops->xdo_dev_state_delete(dev, x);
#else
	dev->xfrmdev_ops->xdo_dev_state_delete(x);
#endif
}
#endif

#endif
