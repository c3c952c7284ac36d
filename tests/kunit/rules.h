/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What a parsed capability set must be, whatever it was parsed from: the promises
 * of guest-mod/caps.h, and what the block layer would answer with a WARN or BUG.
 * Shared by the suites and the fuzzers.
 */
#ifndef LPAR_KUNIT_RULES_H
#define LPAR_KUNIT_RULES_H

#ifdef __KERNEL__
#include <linux/stddef.h>
#else
#include <stddef.h>
#endif

#include "../../guest-mod/caps.h"

static inline bool rules_power_of_2(__u64 x)
{
	return x && !(x & (x - 1));
}

/* Printable, terminated, no blanks at the end. */
static inline bool rules_text(const char *text)
{
	unsigned int i;

	for (i = 0; i <= LPAR_TEXT_MAX && text[i]; i++)
		if (text[i] < 0x20 || text[i] > 0x7e)
			return false;
	return i <= LPAR_TEXT_MAX && (!i || text[i - 1] != ' ');
}

/* Return: the promise that is broken, or NULL. */
static inline const char *rules_broken(const struct lpar_caps *c)
{
	__u64 block = c->logical_block;

	if (!rules_text(c->name) || !rules_text(c->serial))
		return "text";
	if (!rules_power_of_2(block) || block < 512 || block > 4096)
		return "logical block";
	if (!rules_power_of_2(c->physical_block) || c->physical_block < block)
		return "physical block";
	/* the block layer counts bytes of the disk in a signed 64-bit number */
	if (c->sectors > (1ull << 63) / 512 || c->sectors * 512 % block)
		return "capacity";
	if (c->io_min < c->physical_block || c->io_min % c->physical_block)
		return "io_min";
	if (c->io_opt % block)
		return "io_opt";
	if (c->max_sectors < 8 || c->max_sectors > 1u << 22 ||
	    c->max_sectors % (block / 512))
		return "max_sectors";
	if (!c->segments || c->segments > LPAR_QUEUE_SEGS_MAX)
		return "segments";
	if (c->segment_size < 4096 || c->segment_size > LPAR_WINDOW_SIZE ||
	    c->segment_size % block)
		return "segment_size";
	if (c->virt_boundary && (!rules_power_of_2(c->virt_boundary + 1ull) ||
				 c->virt_boundary + 1ull < block ||
				 c->virt_boundary >= LPAR_WINDOW_SIZE))
		return "virt_boundary";
	if (!rules_power_of_2(c->dma_alignment + 1ull) ||
	    c->dma_alignment < block - 1 || c->dma_alignment >= 4096)
		return "dma_alignment";
	/* a chunk without room for a page would be split for ever */
	if (c->chunk_sectors &&
	    (c->chunk_sectors < 8 || c->chunk_sectors % (block / 512)))
		return "chunk_sectors";
	if (!c->queues || c->queues > LPAR_DOORBELLS_MAX)
		return "queues";
	if (!rules_power_of_2(c->depth) || c->depth < LPAR_QUEUE_DEPTH_MIN ||
	    c->depth > LPAR_QUEUE_DEPTH_MAX)
		return "depth";
	if (!rules_power_of_2(c->depth_most) || c->depth_most < c->depth ||
	    c->depth_most > LPAR_QUEUE_DEPTH_MAX)
		return "depth_most";
	if (c->discard_sectors &&
	    (!rules_power_of_2(c->discard_grain) ||
	     c->discard_grain < c->physical_block ||
	     c->discard_grain / 512 > c->discard_sectors ||
	     c->discard_sectors % (c->discard_grain / 512) ||
	     c->discard_align >= c->discard_grain || c->discard_align % block ||
	     c->discard_sectors > 1u << 22))
		return "discard";
	if (!c->discard_sectors && (c->discard_grain || c->discard_align))
		return "discard that is not offered";
	if (c->zeroes_sectors % (block / 512) || c->zeroes_sectors > 1u << 22)
		return "zeroes_sectors";
	if (c->fua && !c->write_cache)
		return "fua";
	return NULL;
}

#endif
