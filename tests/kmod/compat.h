/* SPDX-License-Identifier: GPL-2.0 */
/* The one place of the test modules that knows kernel versions: 6.1 and 6.12. */
#ifndef LPAR_KMOD_COMPAT_H
#define LPAR_KMOD_COMPAT_H

#include <linux/blkdev.h>
#include <linux/eventfd.h>
#include <linux/version.h>

/* 6.8 (3652117f8548) dropped the count that nobody used. Goes with 6.1. */
static inline void compat_signal(struct eventfd_ctx *ctx)
{
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 8, 0)
	eventfd_signal(ctx);
#else
	eventfd_signal(ctx, 1);
#endif
}

/* Mapping one piece of memory: by physical address since 6.19, by page before. Goes with 6.12. */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 19, 0)
#define compat_dma_map		map_phys
#define compat_dma_unmap	unmap_phys
#define compat_dma_memory(page)	((unsigned long)page_to_phys(page))
#else
#define compat_dma_map		map_page
#define compat_dma_unmap	unmap_page
#define compat_dma_memory(page)	((unsigned long)(page))
#endif

/* An open block device; 6.9 (f3a608827d1f) returns a file. Goes with 6.1. */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 9, 0)
typedef struct file *compat_bdev_t;

static inline compat_bdev_t compat_bdev_open(const char *path)
{
	return bdev_file_open_by_path(path, BLK_OPEN_READ, NULL, NULL);
}

static inline struct block_device *compat_bdev(compat_bdev_t b)
{
	return file_bdev(b);
}

static inline void compat_bdev_close(compat_bdev_t b)
{
	fput(b);
}
#else
typedef struct block_device *compat_bdev_t;

static inline compat_bdev_t compat_bdev_open(const char *path)
{
	return blkdev_get_by_path(path, FMODE_READ, NULL);
}

static inline struct block_device *compat_bdev(compat_bdev_t b)
{
	return b;
}

static inline void compat_bdev_close(compat_bdev_t b)
{
	blkdev_put(b, FMODE_READ);
}
#endif

#endif
