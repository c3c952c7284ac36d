/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Capability records of a disk, parsed and checked: pure, also built into KUnit
 * and user-space fuzzers.
 */
#ifndef LPAR_GUEST_CAPS_H
#define LPAR_GUEST_CAPS_H

#include <linux/types.h>

#ifndef __KERNEL__
#include <stdbool.h>
#endif

#include <lpar/wire.h>

/**
 * struct lpar_caps - what a disk can do, in values that were found plausible
 * @name:            the disk's name in the partition, printable, may be empty
 * @serial:          printable, no spaces at its end, may be empty
 * @sectors:         capacity, a multiple of the logical block
 * @logical_block:   bytes, a power of two, 512 … 4096
 * @physical_block:  bytes, a power of two, at least @logical_block
 * @io_min:          bytes, at least @physical_block
 * @io_opt:          bytes; 0: none
 * @max_sectors:     of one request, at least a page
 * @segments:        of one request, 1 … LPAR_QUEUE_SEGS_MAX
 * @segment_size:    bytes, a page … LPAR_WINDOW_SIZE
 * @virt_boundary:   mask; 0: none
 * @dma_alignment:   mask, at least a logical block less one
 * @chunk_sectors:   multiple of the logical block; 0: none
 * @queues:          at least 1
 * @depth:           a power of two, LPAR_QUEUE_DEPTH_MIN … LPAR_QUEUE_DEPTH_MAX
 * @depth_most:      what may be asked for, likewise
 * @discard_sectors: largest discard; 0: not offered
 * @discard_grain:   bytes, a power of two
 * @discard_align:   bytes, less than @discard_grain
 * @zeroes_sectors:  largest write zeroes; 0: not offered
 * @write_cache:     volatile: flushes matter
 * @fua:             only with @write_cache
 * @rotational:      a disk that turns
 * @read_only:       no writes
 * @stable_writes:   data must not change while it is written
 */
struct lpar_caps {
	char name[LPAR_TEXT_MAX + 1];
	char serial[LPAR_TEXT_MAX + 1];
	__u64 sectors;
	__u32 logical_block;
	__u32 physical_block;
	__u32 io_min;
	__u32 io_opt;
	__u32 max_sectors;
	__u32 segments;
	__u32 segment_size;
	__u32 virt_boundary;
	__u32 dma_alignment;
	__u32 chunk_sectors;
	__u32 queues;
	__u32 depth;
	__u32 depth_most;
	__u32 discard_sectors;
	__u32 discard_grain;
	__u32 discard_align;
	__u32 zeroes_sectors;
	bool write_cache;
	bool fua;
	bool rotational;
	bool read_only;
	bool stable_writes;
};

int lpar_caps_parse(const void *data, __u32 len, struct lpar_caps *caps,
		    const char **why);
const char *lpar_caps_foreign(const struct lpar_caps *known,
			      const struct lpar_caps *found);

#endif
