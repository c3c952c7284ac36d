// SPDX-License-Identifier: GPL-2.0
/*
 * Capabilities as the block layer's limits.
 */
#include "disk.h"

/**
 * lpar_limits_fill - set every limit that a disk's capabilities speak of
 * @lim:  zero, or the limits in force
 * @caps: checked by lpar_caps_parse(), so none of them makes the block layer
 *        warn; what they do not offer is turned off
 *
 * Pure.
 */
void lpar_limits_fill(struct queue_limits *lim, const struct lpar_caps *caps)
{
	lim->features &= ~(BLK_FEAT_WRITE_CACHE | BLK_FEAT_FUA |
			   BLK_FEAT_ROTATIONAL | BLK_FEAT_STABLE_WRITES);
	if (caps->write_cache)
		lim->features |= BLK_FEAT_WRITE_CACHE;
	if (caps->fua)
		lim->features |= BLK_FEAT_FUA;
	if (caps->rotational)
		lim->features |= BLK_FEAT_ROTATIONAL;
	if (caps->stable_writes)
		lim->features |= BLK_FEAT_STABLE_WRITES;

	lim->logical_block_size = caps->logical_block;
	lim->physical_block_size = caps->physical_block;
	lim->io_min = caps->io_min;
	lim->io_opt = caps->io_opt;
	lim->max_hw_sectors = caps->max_sectors;
	lim->chunk_sectors = caps->chunk_sectors;

	/* A segment lies in one window. */
	lim->max_segments = caps->segments;
	lim->max_segment_size = caps->segment_size;
	lim->seg_boundary_mask = LPAR_WINDOW_SIZE - 1;
	lim->virt_boundary_mask = caps->virt_boundary;
	lim->dma_alignment = caps->dma_alignment;

	lim->max_discard_segments = 1;
	lim->max_hw_discard_sectors = caps->discard_sectors;
	lim->discard_granularity = caps->discard_grain;
	lim->discard_alignment = caps->discard_align;
	lim->max_write_zeroes_sectors = caps->zeroes_sectors;
}

/**
 * lpar_limits_differ - would lpar_limits_fill() give something else?
 * @a: capabilities
 * @b: capabilities
 *
 * Return: whether it would.
 */
bool lpar_limits_differ(const struct lpar_caps *a, const struct lpar_caps *b)
{
	struct queue_limits x, y;

	memset(&x, 0, sizeof(x));
	memset(&y, 0, sizeof(y));
	lpar_limits_fill(&x, a);
	lpar_limits_fill(&y, b);
	return memcmp(&x, &y, sizeof(x));
}
