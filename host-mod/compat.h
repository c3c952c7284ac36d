/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The one place that knows kernel versions. The rest of the module is written to
 * the newest interface; each shim says what it is for and when it can go.
 */
#ifndef LPAR_HOST_COMPAT_H
#define LPAR_HOST_COMPAT_H

#include <linux/blk-mq.h>
#include <linux/blkdev.h>
#include <linux/eventfd.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/hrtimer.h>
#include <linux/kthread.h>
#include <linux/netdevice.h>
#include <linux/skbuff.h>
#include <linux/timer.h>
#include <linux/version.h>
#include <net/xfrm.h>

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

/* 6.11 made a feature of the queue's flag. Goes with 6.1. */
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
