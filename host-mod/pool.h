/* SPDX-License-Identifier: GPL-2.0 */
/* Pages of the host's own that an adapter has mapped all the time. */
#ifndef LPAR_HOST_POOL_H
#define LPAR_HOST_POOL_H

#include <linux/atomic.h>
#include <linux/cache.h>
#include <linux/mm.h>

struct lpar_adapter;

/**
 * struct lpar_pool - a window's worth of pages, mapped for reading
 *
 * The headers of frames lie in them, so that sending one maps nothing. A page is free
 * while nobody but the pool has a reference to it.
 *
 * @nr:    of pages; 0: there are none. Written last, under adapter->sem; read anywhere
 * @pages: contiguous, each with a count of its own
 * @pfn:   of the first
 * @io:    its I/O address; the others follow
 * @next:  where to look for a free one
 */
struct lpar_pool {
	unsigned int nr;
	struct page *pages;
	unsigned long pfn;
	dma_addr_t io;
	/* written for each frame, the others read for each mapping */
	atomic_t next ____cacheline_aligned_in_smp;
};

/* Is a page one of them? Any context. */
static inline bool lpar_pool_has(const struct lpar_pool *p, unsigned long pfn)
{
	/* Order the number before the rest. Pairs with lpar_pool_fill(). */
	unsigned int nr = smp_load_acquire(&p->nr);

	return pfn - p->pfn < nr;
}

void lpar_pool_fill(struct lpar_adapter *a);
void lpar_pool_drain(struct lpar_adapter *a);
struct page *lpar_pool_get(struct lpar_pool *p);

#endif
