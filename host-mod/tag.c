// SPDX-License-Identifier: GPL-2.0
/*
 * The tag range: physical address space with nothing behind it, which has struct
 * pages and so passes through the block layer like memory.
 *
 * The address space is reserved once, at load; the struct pages (16 MiB for each
 * GiB of tags) are made a region of 128 MiB at a time, when windows need them.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/bitmap.h>
#include <linux/ioport.h>
#include <linux/memremap.h>
#include <linux/slab.h>
#include <linux/sysfs.h>
#include <linux/vmalloc.h>
#include <linux/workqueue.h>

#include "tag.h"

unsigned long lpar_tag_base;
unsigned long lpar_tag_pages;
struct lpar_tag *lpar_tag_table;

static struct resource *range;
static unsigned int regions;		/* that fit into the range */
static unsigned int blocks;		/* in them */
static struct dev_pagemap *pagemaps;

/* Protects what follows, and all shares. A spinlock: the range is shared by all partitions,
 * and a throttled one must not stall the others with a mutex in hand. */
static DEFINE_SPINLOCK(lock);
static unsigned long *used;
static unsigned int ready;		/* regions that have struct pages */
static unsigned int taken;		/* blocks in use */
static unsigned int owed;		/* blocks promised and not yet in use */

/* Runs grow_work: in a worker that no cgroup throttles, one region at a time. */
static void grow(struct work_struct *work);
static DECLARE_WORK(grow_work, grow);
static int grow_error;

/* About enough for all memory, up to 512 GiB, to be windows of two adapters, and for what
 * 4,000 functions are promised: what nobody uses costs 10 bytes for each MiB. */
static unsigned int default_mib(void)
{
	return clamp_t(u64, (u64)totalram_pages() * 2 >> (20 - PAGE_SHIFT), 65536,
		       LPAR_TAG_MIB_MAX);
}

/* Reserve the range: @mib of it, or 0: what the host may need, or has. */
int lpar_tag_init(unsigned int mib)
{
	u64 region = 1ul << LPAR_TAG_REGION_SHIFT;
	u64 bytes = ALIGN((u64)(mib ?: default_mib()) << 20, region);

	range = request_free_mem_region(&iomem_resource, bytes, "lpar tags");
	while (!mib && range == ERR_PTR(-ERANGE) && bytes > region) {
		bytes = ALIGN(bytes / 2, region);
		range = request_free_mem_region(&iomem_resource, bytes, "lpar tags");
	}
	if (IS_ERR(range)) {
		pr_err("no %llu MiB of free physical address space for tags (%ld): load with a smaller tag_mib\n",
		       bytes >> 20, PTR_ERR(range));
		return PTR_ERR(range);
	}
	regions = bytes >> LPAR_TAG_REGION_SHIFT;
	blocks = regions * LPAR_TAG_REGION_BLOCKS;
	pagemaps = kvcalloc(regions, sizeof(*pagemaps), GFP_KERNEL);
	lpar_tag_table = vzalloc(array_size(blocks, sizeof(*lpar_tag_table)));
	used = bitmap_zalloc(blocks, GFP_KERNEL);
	if (!pagemaps || !lpar_tag_table || !used) {
		lpar_tag_exit();
		return -ENOMEM;
	}
	lpar_tag_base = PHYS_PFN(range->start);
	lpar_tag_pages = bytes >> PAGE_SHIFT;
	/* the test machine's oracle reads this line */
	pr_info("tag range [mem %#llx-%#llx]\n", (u64)range->start,
		(u64)range->end);
	return 0;
}

/* All windows are gone: nothing refers to a tag page any more. */
void lpar_tag_exit(void)
{
	flush_work(&grow_work);
	while (ready)
		memunmap_pages(&pagemaps[--ready]);
	lpar_tag_pages = 0;
	bitmap_free(used);
	vfree(lpar_tag_table);
	kvfree(pagemaps);
	if (!IS_ERR_OR_NULL(range))
		release_mem_region(range->start, resource_size(range));
}

int lpar_tag_show(char *buf)
{
	return sysfs_emit(buf, "%#llx-%#llx %u/%u\n", (u64)range->start,
			  (u64)range->end, bitmap_weight(used, blocks), blocks);
}

static void grow(struct work_struct *work)
{
	struct dev_pagemap *map = &pagemaps[ready];
	void *r;

	/* the last one was made for somebody else: there may be room in it */
	if (ready == regions) {
		grow_error = 0;
		return;
	}
	map->type = MEMORY_DEVICE_GENERIC;
	map->range.start = range->start +
			   ((u64)ready << LPAR_TAG_REGION_SHIFT);
	map->range.end = map->range.start +
			 (1ul << LPAR_TAG_REGION_SHIFT) - 1;
	map->nr_range = 1;
	r = memremap_pages(map, NUMA_NO_NODE);
	grow_error = PTR_ERR_OR_ZERO(r);
	if (grow_error)
		return;
	spin_lock(&lock);
	ready++;
	spin_unlock(&lock);
}

/**
 * lpar_tag_promise - one more function in tag mode: LPAR_TAG_FLOOR blocks are its
 * @share: of the function's partition
 *
 * Context: any but hard IRQ.
 * Return: 0, -ENOSPC: so many are not left.
 */
int lpar_tag_promise(struct lpar_tag_share *share)
{
	u32 before;
	int ret = 0;

	spin_lock(&lock);
	before = lpar_core_tag_owed(share);
	share->floor += LPAR_TAG_FLOOR;
	owed += lpar_core_tag_owed(share) - before;
	if (owed > blocks - taken) {
		owed -= lpar_core_tag_owed(share) - before;
		share->floor -= LPAR_TAG_FLOOR;
		ret = -ENOSPC;
	}
	spin_unlock(&lock);
	return ret;
}

/* The opposite. Any context but hard IRQ. */
void lpar_tag_release(struct lpar_tag_share *share)
{
	u32 before;

	spin_lock(&lock);
	before = lpar_core_tag_owed(share);
	share->floor -= LPAR_TAG_FLOOR;
	owed -= before - lpar_core_tag_owed(share);
	spin_unlock(&lock);
}

/**
 * lpar_tag_alloc - have a block of tags stand for one window of an adapter
 * @share: of the partition whose window it is
 * @adapter: whose
 * @io: I/O address of the window's first byte
 *
 * Seed 004, fig. 7, step 720; done once for each window, not for each request.
 *
 * Context: may sleep, when the range has to grow.
 * Return: the block, -ENOSPC when what is left is promised to others, -ENOMEM.
 */
int lpar_tag_alloc(struct lpar_tag_share *share, struct lpar_adapter *adapter,
		   dma_addr_t io)
{
	unsigned long block, limit;
	bool room;

	for (;;) {
		spin_lock(&lock);
		room = lpar_core_tag_room(share, blocks - taken, owed);
		limit = (unsigned long)ready * LPAR_TAG_REGION_BLOCKS;
		block = find_first_zero_bit(used, limit);
		if (room && block < limit) {
			__set_bit(block, used);
			taken++;
			owed -= share->used++ < share->floor;
		}
		spin_unlock(&lock);
		if (!room)
			return -ENOSPC;
		if (block < limit)
			break;
		queue_work(system_unbound_wq, &grow_work);
		flush_work(&grow_work);
		if (READ_ONCE(grow_error))
			return grow_error;
	}
	lpar_tag_table[block].io = io;
	WRITE_ONCE(lpar_tag_table[block].adapter, adapter);
	return block;
}

/* No request carries a tag of the block any more. Any context but hard IRQ. */
void lpar_tag_free(struct lpar_tag_share *share, int block)
{
	WRITE_ONCE(lpar_tag_table[block].adapter, NULL);
	spin_lock(&lock);
	__clear_bit(block, used);
	taken--;
	owed += --share->used < share->floor;
	spin_unlock(&lock);
}
