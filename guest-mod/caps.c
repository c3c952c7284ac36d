// SPDX-License-Identifier: GPL-2.0
/*
 * Capability records: bounds first, then one plausibility check of the whole.
 *
 * The block layer answers absurd limits with WARNs, endless splitting or a BUG
 * (a chunk smaller than a block, a discard granularity above the maximum), so
 * everything that reaches it is checked here.
 */
#ifdef __KERNEL__
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/string.h>
#else
#include <endian.h>
#include <errno.h>
#include <string.h>

#define le16_to_cpu(x) le16toh(x)
#define le64_to_cpu(x) le64toh(x)
#endif

#include "caps.h"

/* x86's page; the module asserts that it is the kernel's. */
#define CAPS_PAGE	4096u
#define CAPS_TYPES	38	/* LPAR_CAP_* that are known are below this */
#define CAPS_MAX_BLOCK	0x40000000u
#define CAPS_MAX_IO	0x80000000u

struct caps_raw {
	__u64 seen;		/* bit n: record n was there */
	__u64 value[CAPS_TYPES];
	__u64 most[CAPS_TYPES];
};

static bool caps_has(const struct caps_raw *raw, unsigned int type)
{
	return raw->seen & (1ull << type);
}

static __u64 caps_get(const struct caps_raw *raw, unsigned int type, __u64 absent)
{
	return caps_has(raw, type) ? raw->value[type] : absent;
}

static bool caps_power_of_2(__u64 x)
{
	return x && !(x & (x - 1));
}

static __u64 caps_min(__u64 a, __u64 b)
{
	return a < b ? a : b;
}

static bool caps_type_known(unsigned int type)
{
	return type == LPAR_CAP_NAME || type == LPAR_CAP_SERIAL ||
	       (type >= LPAR_CAP_SECTORS && type <= LPAR_CAP_STABLE_WRITES);
}

/* Host text goes to sysfs and the log: printable, and without trailing blanks. */
static void caps_text(char *to, const __u8 *from, __u32 len)
{
	__u32 end = 0, i;

	for (i = 0; i < len && from[i]; i++) {
		to[i] = from[i] >= 0x20 && from[i] < 0x7f ? from[i] : '_';
		if (to[i] != ' ')
			end = i + 1;
	}
	to[end] = '\0';
}

/* Walk the records; bodies go to @raw and the text fields of @caps. */
static int caps_walk(const __u8 *data, __u32 len, struct caps_raw *raw,
		     struct lpar_caps *caps, const char **why)
{
	struct lpar_record head;
	struct lpar_value value;
	__u32 at = 0, body, type;

	while (at < len) {
		*why = "a record is cut off";
		if (len - at < sizeof(head))
			return -EPROTO;
		memcpy(&head, data + at, sizeof(head));
		type = le16_to_cpu(head.type);
		body = le16_to_cpu(head.len);
		if (body < sizeof(head) || body % 8 || body > len - at)
			return -EPROTO;
		*why = "a reserved field is not zero";
		if (head.reserved)
			return -EPROTO;
		at += sizeof(head);
		body -= sizeof(head);

		if (caps_type_known(type)) {
			*why = "a record is there twice";
			if (caps_has(raw, type))
				return -EPROTO;
			raw->seen |= 1ull << type;

			*why = "a record has the wrong size";
			if (type < LPAR_CAP_SECTORS) {
				if (body > LPAR_TEXT_MAX)
					return -EPROTO;
				caps_text(type == LPAR_CAP_NAME ?
					  caps->name : caps->serial,
					  data + at, body);
			} else {
				if (body != sizeof(value))
					return -EPROTO;
				memcpy(&value, data + at, sizeof(value));
				raw->value[type] = le64_to_cpu(value.cur);
				raw->most[type] = le64_to_cpu(value.max);
				*why = "a value is outside its own range";
				if (raw->value[type] < le64_to_cpu(value.min) ||
				    raw->value[type] > raw->most[type])
					return -EPROTO;
			}
		}
		at += body;
	}
	return 0;
}

static int caps_check_blocks(const struct caps_raw *raw, struct lpar_caps *caps,
			     const char **why)
{
	__u64 logical, physical, value;

	logical = caps_get(raw, LPAR_CAP_LOGICAL_BLOCK, 0);
	*why = "logical block";
	if (!caps_power_of_2(logical) || logical < 512 || logical > CAPS_PAGE)
		return -ERANGE;
	caps->logical_block = logical;

	physical = caps_get(raw, LPAR_CAP_PHYSICAL_BLOCK, logical);
	*why = "physical block";
	if (!caps_power_of_2(physical) || physical < logical ||
	    physical > CAPS_MAX_BLOCK)
		return -ERANGE;
	caps->physical_block = physical;

	/* Hints: one that makes no sense is left out. */
	value = caps_get(raw, LPAR_CAP_IO_MIN, physical);
	caps->io_min = value >= physical && value <= CAPS_MAX_BLOCK &&
		       value % physical == 0 ? value : physical;
	value = caps_get(raw, LPAR_CAP_IO_OPT, 0);
	caps->io_opt = value <= CAPS_MAX_BLOCK && value % logical == 0 ? value : 0;

	caps->sectors = caps_get(raw, LPAR_CAP_SECTORS, 0);
	*why = "capacity";
	if (!caps_has(raw, LPAR_CAP_SECTORS) ||
	    caps->sectors > (1ull << 63) >> LPAR_SECTOR_SHIFT ||
	    caps->sectors % (logical >> LPAR_SECTOR_SHIFT))
		return -ERANGE;
	return 0;
}

static int caps_check_transfer(const struct caps_raw *raw,
			       struct lpar_caps *caps, const char **why)
{
	__u64 value, block = caps->logical_block;

	value = caps_get(raw, LPAR_CAP_MAX_TRANSFER, 0);
	*why = "largest transfer";
	if (value < CAPS_PAGE)
		return -ERANGE;
	value = caps_min(value, CAPS_MAX_IO);
	caps->max_sectors = (value - value % block) >> LPAR_SECTOR_SHIFT;

	value = caps_get(raw, LPAR_CAP_SEGMENTS, 0);
	*why = "segments";
	if (!value)
		return -ERANGE;
	caps->segments = caps_min(value, LPAR_QUEUE_SEGS_MAX);

	value = caps_get(raw, LPAR_CAP_SEGMENT_SIZE, CAPS_PAGE);
	*why = "segment size";
	if (value < CAPS_PAGE)
		return -ERANGE;
	value = caps_min(value, LPAR_WINDOW_SIZE);
	caps->segment_size = value - value % CAPS_PAGE;

	value = caps_get(raw, LPAR_CAP_VIRT_BOUNDARY, 0);
	*why = "virtual boundary";
	if (value && (!caps_power_of_2(value + 1) || value + 1 < block ||
		      value >= LPAR_WINDOW_SIZE))
		return -ERANGE;
	caps->virt_boundary = value;

	/* A segment is a whole number of blocks: so is where a page ends in it. */
	value = caps_get(raw, LPAR_CAP_DMA_ALIGNMENT, 511);
	*why = "DMA alignment";
	if (!caps_power_of_2(value + 1) || value >= CAPS_PAGE)
		return -ERANGE;
	caps->dma_alignment = value | (block - 1);

	value = caps_get(raw, LPAR_CAP_CHUNK, 0);
	*why = "chunk";
	if (value % caps->physical_block || (value && value < CAPS_PAGE))
		return -ERANGE;
	/* One that large never splits a request of at most CAPS_MAX_IO. */
	caps->chunk_sectors = value > CAPS_MAX_IO && caps_power_of_2(value) ? 0 :
			      value >> LPAR_SECTOR_SHIFT;
	if (value > CAPS_MAX_IO && !caps_power_of_2(value))
		return -ERANGE;
	return 0;
}

/* The greatest power of two that is at most @value, within what queues can be. */
static __u32 caps_depth(__u64 value)
{
	__u32 depth = LPAR_QUEUE_DEPTH_MAX;

	while (depth > value)
		depth /= 2;
	return depth;
}

static int caps_check_queues(const struct caps_raw *raw, struct lpar_caps *caps,
			     const char **why)
{
	__u64 value;

	value = caps_get(raw, LPAR_CAP_QUEUES, 1);
	*why = "queues";
	if (!value)
		return -ERANGE;
	caps->queues = caps_min(value, LPAR_DOORBELLS_MAX);

	value = caps_get(raw, LPAR_CAP_DEPTH, 0);
	*why = "queue depth";
	if (value < LPAR_QUEUE_DEPTH_MIN)
		return -ERANGE;
	caps->depth = caps_depth(value);
	caps->depth_most = caps_depth(raw->most[LPAR_CAP_DEPTH]);
	return 0;
}

/* Optional operations: one whose numbers do not fit is not offered. */
static void caps_take_optional(const struct caps_raw *raw, struct lpar_caps *caps)
{
	__u64 most, grain, align, block = caps->logical_block;

	most = caps_min(caps_get(raw, LPAR_CAP_DISCARD, 0), CAPS_MAX_IO);
	grain = caps_get(raw, LPAR_CAP_DISCARD_GRAIN, block);
	align = caps_get(raw, LPAR_CAP_DISCARD_ALIGN, 0);
	if (grain < caps->physical_block)
		grain = caps->physical_block;
	if (caps_power_of_2(grain) && grain <= most && align < grain &&
	    align % block == 0) {
		caps->discard_sectors = (most - most % grain) >> LPAR_SECTOR_SHIFT;
		caps->discard_grain = grain;
		caps->discard_align = align;
	}

	most = caps_min(caps_get(raw, LPAR_CAP_WRITE_ZEROES, 0), CAPS_MAX_IO);
	most -= most % caps->physical_block;
	caps->zeroes_sectors = most >> LPAR_SECTOR_SHIFT;

	caps->write_cache = caps_get(raw, LPAR_CAP_WRITE_CACHE, 0);
	caps->fua = caps->write_cache && caps_get(raw, LPAR_CAP_FUA, 0);
	caps->rotational = caps_get(raw, LPAR_CAP_ROTATIONAL, 0);
	caps->read_only = caps_get(raw, LPAR_CAP_READ_ONLY, 0);
	caps->stable_writes = caps_get(raw, LPAR_CAP_STABLE_WRITES, 0);
}

/**
 * lpar_caps_parse - turn a disk's records into limits (seed 001, fig. 6)
 * @data: a private copy of the records
 * @len:  its bytes
 * @caps: result, undefined after an error
 * @why:  what was wrong, for the log
 *
 * What the records do not offer is not offered. Pure, never sleeps.
 *
 * Return: 0, -EPROTO (malformed records) or -ERANGE (a value is implausible).
 */
int lpar_caps_parse(const void *data, __u32 len, struct lpar_caps *caps,
		    const char **why)
{
	struct caps_raw raw = {};
	int err;

	memset(caps, 0, sizeof(*caps));
	err = caps_walk(data, len, &raw, caps, why);
	if (!err)
		err = caps_check_blocks(&raw, caps, why);
	if (!err)
		err = caps_check_transfer(&raw, caps, why);
	if (!err)
		err = caps_check_queues(&raw, caps, why);
	if (!err)
		caps_take_optional(&raw, caps);
	return err;
}

/**
 * lpar_caps_foreign - are these two different disks?
 * @known: the disk as it was
 * @found: what is there now
 *
 * Several disks may have been given one serial number, so the name in the partition
 * counts as well; and the capacity, even one that has grown. Pure, never sleeps.
 *
 * Return: what tells them apart, or NULL when nothing does.
 */
const char *lpar_caps_foreign(const struct lpar_caps *known,
			      const struct lpar_caps *found)
{
	if (strcmp(known->name, found->name))
		return "name";
	if (strcmp(known->serial, found->serial))
		return "serial number";
	if (known->logical_block != found->logical_block)
		return "block size";
	if (known->sectors != found->sectors)
		return "capacity";
	return NULL;
}
