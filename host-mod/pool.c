// SPDX-License-Identifier: GPL-2.0
/*
 * A pool of pages that an adapter has mapped all the time. To map and unmap the
 * headers of a frame behind an IOMMU takes longer than all the rest of sending it;
 * the wrapped operations know the I/O addresses of these.
 */
#include <linux/dma-mapping.h>
#include <linux/iommu.h>
#include <linux/page_ref.h>
#include <linux/rcupdate.h>

#include "adapter.h"

#define POOL_ORDER	(LPAR_WINDOW_SHIFT - PAGE_SHIFT)
/* Pages to look at for a free one. */
#define POOL_TRIES	4

/**
 * lpar_pool_fill - have pages mapped, if there are none and memory is at hand
 * @a: the adapter
 *
 * Without them each frame's headers are mapped by themselves.
 *
 * Context: may sleep; takes @a->sem.
 */
void lpar_pool_fill(struct lpar_adapter *a)
{
	struct device *dev = &a->pdev->dev;
	struct lpar_pool *p = &a->pool;
	struct page *pages;
	unsigned int i;
	dma_addr_t io;

	/* Who waits to write holds those up who want to read, and waits for other clients. */
	if (READ_ONCE(p->nr))
		return;
	down_write(&a->sem);
	if (p->nr || !a->wrapped || a->dying)
		goto out;
	pages = alloc_pages_node(dev_to_node(dev), GFP_KERNEL | __GFP_ZERO |
				 __GFP_NOWARN | __GFP_NORETRY, POOL_ORDER);
	if (!pages)
		goto out;
	split_page(pages, POOL_ORDER);
	io = dma_map_page(dev, pages, 0, LPAR_WINDOW_SIZE, DMA_TO_DEVICE);
	if (dma_mapping_error(dev, io))
		goto err_free;
	/* what is unmapped is told apart by this */
	if (!IS_ALIGNED(io, LPAR_WINDOW_SIZE) ||
	    xa_err(xa_store(&a->io, io >> LPAR_WINDOW_SHIFT, p, GFP_KERNEL)))
		goto err_unmap;
	p->pages = pages;
	p->pfn = page_to_pfn(pages);
	p->io = io;
	/* Order the rest before the number. Pairs with lpar_pool_has() and _get(). */
	smp_store_release(&p->nr, 1u << POOL_ORDER);
out:
	up_write(&a->sem);
	return;

err_unmap:
	dma_unmap_page(dev, io, LPAR_WINDOW_SIZE, DMA_TO_DEVICE);
	iommu_flush_iotlb_all(a->domain);
err_free:
	for (i = 0; i < 1u << POOL_ORDER; i++)
		__free_page(pages + i);
	goto out;
}

/**
 * lpar_pool_drain - the opposite of lpar_pool_fill()
 * @a: the adapter, wrapped; its driver has none of the pages mapped
 *
 * A page that somebody still has is freed when he puts it.
 *
 * Context: @a->sem is held for writing; may sleep.
 */
void lpar_pool_drain(struct lpar_adapter *a)
{
	struct lpar_pool *p = &a->pool;
	unsigned int nr = p->nr, i;

	lockdep_assert_held_write(&a->sem);
	if (!nr)
		return;
	WRITE_ONCE(p->nr, 0);
	/* whoever is in lpar_pool_get() has one, or none */
	synchronize_rcu();
	xa_erase(&a->io, p->io >> LPAR_WINDOW_SHIFT);
	dma_unmap_page(&a->pdev->dev, p->io, LPAR_WINDOW_SIZE, DMA_TO_DEVICE);
	iommu_flush_iotlb_all(a->domain);
	for (i = 0; i < nr; i++)
		__free_page(p->pages + i);
}

/**
 * lpar_pool_get - a free page of a pool
 * @p: the pool
 *
 * Context: any.
 * Return: a page, with a reference for the caller; NULL: there is none at hand.
 */
struct page *lpar_pool_get(struct lpar_pool *p)
{
	struct page *page = NULL;
	unsigned int nr, i, at;

	rcu_read_lock();
	/* Order the number before the rest. Pairs with lpar_pool_fill(). */
	nr = smp_load_acquire(&p->nr);
	for (i = 0; nr && i < POOL_TRIES; i++) {
		at = (unsigned int)atomic_inc_return(&p->next) % nr;
		/* none at all while it is ours alone: so nobody else takes it */
		if (page_ref_freeze(p->pages + at, 1)) {
			page = p->pages + at;
			page_ref_unfreeze(page, 2);
			break;
		}
	}
	rcu_read_unlock();
	return page;
}
