/* SPDX-License-Identifier: GPL-2.0 */
#ifndef LPAR_HOST_TAG_H
#define LPAR_HOST_TAG_H

#include <linux/mm.h>
#include "core.h"

struct lpar_adapter;

/**
 * struct lpar_tag - what a block of tags stands for (seed 004, fig. 8)
 * @adapter: whose I/O address; NULL while the block is free
 * @io:      I/O address of the block's first byte
 */
struct lpar_tag {
	struct lpar_adapter *adapter;
	dma_addr_t io;
};

/* First page of the tag range and its length; constant after lpar_tag_init(). */
extern unsigned long lpar_tag_base;
extern unsigned long lpar_tag_pages;
extern struct lpar_tag *lpar_tag_table;

#define LPAR_TAG_MIB_MAX	(1u << 20)

int lpar_tag_init(unsigned int mib);
void lpar_tag_exit(void);
int lpar_tag_show(char *buf);

int lpar_tag_promise(struct lpar_tag_share *share);
void lpar_tag_release(struct lpar_tag_share *share);
int lpar_tag_alloc(struct lpar_tag_share *share, struct lpar_adapter *adapter,
		   dma_addr_t io);
void lpar_tag_free(struct lpar_tag_share *share, int block);

static inline bool lpar_tag_is(unsigned long pfn)
{
	return pfn - lpar_tag_base < lpar_tag_pages;
}

static inline struct page *lpar_tag_page(int block, unsigned int place)
{
	return pfn_to_page(lpar_tag_base + lpar_tag_block_page(block) + place);
}

/**
 * lpar_tag_lookup - the I/O address that a tag stands for
 * @pfn: a page of the tag range
 * @adapter: who asks
 *
 * Seed 004, fig. 7, step 734. A request that carries a tag holds its window, and
 * the window is what keeps the table's entry.
 *
 * Context: any, no lock.
 * Return: the I/O address; DMA_MAPPING_ERROR for what is no live tag of this
 * adapter.
 */
static inline dma_addr_t lpar_tag_lookup(unsigned long pfn,
					 const struct lpar_adapter *adapter)
{
	unsigned int place;
	long block = lpar_tag_page_block(pfn - lpar_tag_base, &place);
	const struct lpar_tag *tag;

	if (unlikely(block < 0))
		return ~(dma_addr_t)0;
	tag = &lpar_tag_table[block];
	if (unlikely(READ_ONCE(tag->adapter) != adapter))
		return ~(dma_addr_t)0;
	return tag->io + ((dma_addr_t)place << PAGE_SHIFT);
}

#endif
