// SPDX-License-Identifier: GPL-2.0
/*
 * Request decoding (tests/hostile: G1, G3, G9): each operation with each way to be
 * illegal, and each limit at its edge and just beyond.
 */
#include "suites.h"

#define SEGS	260

/* A request and a disk in the CPU's own words, to be changed field by field. */
struct ask {
	u8 op, flags;
	u16 id, nsegs, reserved;
	u64 sector;
	u32 nsectors, reserved2;
	u64 reserved3;
	struct {
		u64 addr;
		u32 len, reserved;
	} seg[SEGS];
	struct lpar_disk_limits lim;
};

/* As the core sees it. */
struct wire {
	struct lpar_blk_sqe sqe;
	struct lpar_disk_limits lim;
	struct lpar_seg seg[SEGS];
};

struct scratch {
	struct ask ask;
	struct wire wire, before;
};

static struct scratch *scratch(struct kunit *test)
{
	struct scratch *s = kunit_kzalloc(test, sizeof(*s), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, s);
	return s;
}

/*
 * A legal request. The segments of READ and WRITE break the virtual boundary
 * where they may: where the first starts and where the last ends.
 */
static void legal(struct ask *a, u8 op)
{
	memset(a, 0, sizeof(*a));
	a->op = op;
	a->id = 0xbeef;
	a->lim = suite_limits;
	a->seg[0].addr = 0x40000e00;
	a->seg[0].len = 512;
	a->seg[1].addr = 0x80201000;
	a->seg[1].len = 8192;
	a->seg[2].addr = 0xffffffffffe00000;
	a->seg[2].len = 1024;
	if (op == LPAR_BLK_FLUSH)
		return;
	a->sector = 16;
	a->nsectors = 19;
	if (op == LPAR_BLK_READ || op == LPAR_BLK_WRITE)
		a->nsegs = 3;
}

/* Ask the core, and see that it has changed nothing that is not its to change. */
static enum lpar_status decide(struct kunit *test, struct scratch *s, bool segs,
			       struct lpar_blk_request *r)
{
	const struct ask *a = &s->ask;
	struct wire *w = &s->wire;
	/* some more than there are */
	unsigned int i, n = a->nsegs + 4 < SEGS ? a->nsegs + 4 : SEGS;
	size_t bytes = offsetof(struct wire, seg) + n * sizeof(w->seg[0]);
	enum lpar_status st;

	memset(w, 0, bytes);
	w->sqe.op = a->op;
	w->sqe.flags = a->flags;
	w->sqe.id = cpu_to_le16(a->id);
	w->sqe.nsegs = cpu_to_le16(a->nsegs);
	w->sqe.reserved = cpu_to_le16(a->reserved);
	w->sqe.sector = cpu_to_le64(a->sector);
	w->sqe.nsectors = cpu_to_le32(a->nsectors);
	w->sqe.reserved2 = cpu_to_le32(a->reserved2);
	w->sqe.reserved3 = cpu_to_le64(a->reserved3);
	for (i = 0; i < n; i++) {
		w->seg[i].addr = cpu_to_le64(a->seg[i].addr);
		w->seg[i].len = cpu_to_le32(a->seg[i].len);
		w->seg[i].reserved = cpu_to_le32(a->seg[i].reserved);
	}
	if (a->nsegs <= LPAR_SQE_SEGS)
		memcpy(w->sqe.seg, w->seg, a->nsegs * sizeof(w->seg[0]));
	w->lim = a->lim;
	memcpy(&s->before, w, bytes);

	memset(r, 0xff, sizeof(*r));
	st = lpar_core_request(&w->sqe, segs ? w->seg : NULL, &w->lim, r);

	KUNIT_EXPECT_EQ(test, memcmp(w, &s->before, bytes), 0);
	/* who is told of a refusal must be known */
	KUNIT_EXPECT_EQ(test, r->id, a->id);
	if (st == LPAR_OK) {
		KUNIT_EXPECT_EQ(test, r->op, a->op);
		KUNIT_EXPECT_EQ(test, r->flags, a->flags);
		KUNIT_EXPECT_EQ(test, r->nsegs, a->nsegs);
		KUNIT_EXPECT_EQ(test, r->sector, a->sector);
		KUNIT_EXPECT_EQ(test, r->nsectors, a->nsectors);
	}
	return st;
}

/* ------------------------------------------------------------- the matrix */

/* One field's new value. */
struct patch {
	u32 offset, size;
	u64 value;
};

#define SET(field, v)	{ offsetof(struct ask, field),			\
			  sizeof(((struct ask *)NULL)->field), v }

/* @want: of READ, WRITE, FLUSH, DISCARD, WRITE_ZEROES */
struct row {
	const char *name;
	struct patch patch[9];
	u8 want[5];
	bool segs_only;		/* without the segments it is legal */
};

#define O	LPAR_OK
#define I	LPAR_INVAL
#define R	LPAR_RANGE
#define RO	LPAR_READONLY
#define NS	LPAR_NOTSUPP
#define ALL(x)	{ x, x, x, x, x }

/* What concerns the header, and has nothing to do with segments. */
static const struct row rows[] = {
	{ "legal", {}, ALL(O) },

	{ "reserved", { SET(reserved, 1) }, ALL(I) },
	{ "reserved2", { SET(reserved2, 1) }, ALL(I) },
	{ "reserved3", { SET(reserved3, 1) }, ALL(I) },
	{ "FUA", { SET(flags, LPAR_BLK_FUA) }, { I, O, I, I, I } },
	{ "NOUNMAP", { SET(flags, LPAR_BLK_NOUNMAP) }, { I, I, I, I, O } },
	{ "FUA and NOUNMAP", { SET(flags, 3) }, ALL(I) },

	{ "no segments", { SET(nsegs, 0) }, { I, I, O, O, O } },
	{ "one segment", { SET(nsegs, 1), SET(nsectors, 1) },
	  { O, O, I, I, I } },
	{ "a segment, but no sectors", { SET(nsegs, 1), SET(sector, 0), SET(nsectors, 0) },
	  ALL(I) },
	{ "segments beyond the limit", { SET(nsegs, 3), SET(lim.segments, 2) },
	  ALL(I) },
	{ "65535 segments", { SET(nsegs, 65535) }, ALL(I) },

	{ "a first sector only", { SET(sector, 1), SET(nsectors, 0) }, ALL(I) },
	{ "no sectors", { SET(nsectors, 0) }, { I, I, O, I, I } },
	{ "all zero", { SET(sector, 0), SET(nsectors, 0), SET(nsegs, 0) },
	  { I, I, O, I, I } },
	{ "up to the end", { SET(sector, (1 << 20) - 19), SET(nsectors, 19) },
	  { O, O, I, O, O } },
	{ "one beyond the end", { SET(sector, (1 << 20) - 18), SET(nsectors, 19) },
	  { R, R, I, R, R } },
	{ "from the end", { SET(sector, 1 << 20), SET(nsectors, 19) },
	  { R, R, I, R, R } },
	{ "from behind the end", { SET(sector, (1 << 20) + 1), SET(nsectors, 19) },
	  { R, R, I, R, R } },
	{ "wraps to 0", { SET(sector, 0ull - 19), SET(nsectors, 19) },
	  { R, R, I, R, R } },
	{ "wraps far", { SET(sector, 0ull - 3), SET(nsectors, 19) },
	  { R, R, I, R, R } },
	{ "sector 2^64-1", { SET(sector, ~0ull), SET(nsectors, 19) },
	  { R, R, I, R, R } },
	{ "sector 2^32", { SET(sector, 1ull << 32), SET(nsectors, 19) },
	  { R, R, I, R, R } },
	{ "sector 2^32 of a larger disk",
	  { SET(sector, 1ull << 32), SET(nsectors, 19), SET(lim.sectors, 1ull << 33) },
	  { O, O, I, O, O } },
	{ "an empty disk", { SET(lim.sectors, 0) }, { R, R, O, R, R } },
	{ "a disk that is shorter than the request", { SET(lim.sectors, 18) },
	  { R, R, O, R, R } },

	{ "2^32-1 sectors", { SET(nsectors, 0xffffffff) }, ALL(I) },
	/* as 32 bits of bytes that is nothing */
	{ "2^23 sectors", { SET(nsectors, 1 << 23), SET(sector, 0) }, ALL(I) },
	{ "2^23 sectors, the largest limit",
	  { SET(nsectors, 1 << 23), SET(sector, 0), SET(lim.max_transfer, 0xffffffff),
	    SET(lim.discard, 0xffffffff), SET(lim.write_zeroes, 0xffffffff),
	    SET(lim.sectors, 1ull << 40), SET(lim.chunk, 0) }, ALL(I) },
	{ "sectors as many as can be said",
	  { SET(nsectors, 0xffffffff), SET(lim.discard, 1ull << 42),
	    SET(lim.write_zeroes, 1ull << 42), SET(lim.sectors, 1ull << 40) },
	  { I, I, I, O, O } },
	{ "a discard of the limit", { SET(nsectors, 2048) }, { I, I, I, O, O } },
	{ "a discard beyond the limit", { SET(nsectors, 2049) }, { I, I, I, I, O } },
	{ "zeroes of the limit", { SET(nsectors, 4096) }, { I, I, I, I, O } },
	{ "zeroes beyond the limit", { SET(nsectors, 4097) }, ALL(I) },
	{ "no discard", { SET(lim.discard, 0) }, { O, O, O, NS, O } },
	{ "no write zeroes", { SET(lim.write_zeroes, 0) }, { O, O, O, O, NS } },

	{ "read-only", { SET(lim.read_only, 1) }, { O, RO, O, RO, RO } },
	{ "malformed before read-only", { SET(lim.read_only, 1), SET(reserved, 1) },
	  ALL(I) },

	{ "blocks of 4096, sector off", { SET(lim.logical_block, 4096), SET(sector, 17),
					  SET(nsectors, 16) }, ALL(I) },
	{ "blocks of 4096, half a block off",
	  { SET(lim.logical_block, 4096), SET(sector, 20), SET(nsectors, 16) }, ALL(I) },
	{ "blocks of 4096, length off by one",
	  { SET(lim.logical_block, 4096), SET(nsectors, 17) }, ALL(I) },
	{ "blocks of 4096, half a block",
	  { SET(lim.logical_block, 4096), SET(nsectors, 20) }, ALL(I) },
	{ "blocks of 4096, a block",
	  { SET(lim.logical_block, 4096), SET(nsectors, 16), SET(nsegs, 0) },
	  { I, I, I, O, O } },

	{ "up to a chunk's end", { SET(sector, 256 - 19), SET(nsectors, 19) },
	  { O, O, I, O, O } },
	{ "one into the next chunk", { SET(sector, 256 - 18), SET(nsectors, 19) },
	  { I, I, I, O, O } },
	{ "all but one in the next chunk", { SET(sector, 512 - 1), SET(nsectors, 19) },
	  { I, I, I, O, O } },
	{ "from a chunk's start", { SET(sector, 256), SET(nsectors, 19) },
	  { O, O, I, O, O } },
	{ "chunks smaller than the request", { SET(lim.chunk, 18 * 512), SET(sector, 0),
					       SET(nsectors, 19) }, { I, I, I, O, O } },
	{ "no chunks", { SET(lim.chunk, 0), SET(sector, 256 - 18), SET(nsectors, 19) },
	  { O, O, I, O, O } },
	/* 2^32 is 64 sectors into one of 96 */
	{ "up to an odd chunk's end",
	  { SET(lim.chunk, 96 * 512), SET(lim.sectors, 1ull << 33),
	    SET(sector, (1ull << 32) + 13), SET(nsectors, 19) }, { O, O, I, O, O } },
	{ "one into the next odd chunk",
	  { SET(lim.chunk, 96 * 512), SET(lim.sectors, 1ull << 33),
	    SET(sector, (1ull << 32) + 14), SET(nsectors, 19) }, { I, I, I, O, O } },
};

/* Segments: nothing here concerns operations that have none. */
static const struct row seg_rows[] = {
	{ "first reserved", { SET(seg[0].reserved, 1) }, { I, I }, true },
	{ "middle reserved", { SET(seg[1].reserved, 1u << 31) }, { I, I }, true },
	{ "last reserved", { SET(seg[2].reserved, 1) }, { I, I }, true },
	{ "behind the last is not looked at",
	  { SET(seg[3].reserved, 1), SET(seg[3].len, 1), SET(seg[3].addr, 1) },
	  { O, O }, true },

	{ "first empty", { SET(seg[0].len, 0), SET(seg[0].addr, 0x40001000),
			   SET(nsectors, 18) }, { I, I }, true },
	{ "middle empty", { SET(seg[1].len, 0), SET(nsectors, 3) }, { I, I }, true },
	{ "last empty", { SET(seg[2].len, 0), SET(nsectors, 17) }, { I, I }, true },
	{ "no whole block first",
	  { SET(seg[0].len, 256), SET(seg[0].addr, 0x40000f00), SET(seg[2].len, 1280) },
	  { I, I }, true },
	{ "no whole block last", { SET(seg[2].len, 1025) }, { I, I }, true },
	{ "blocks of 4096: no whole block",
	  { SET(lim.logical_block, 4096), SET(lim.virt_boundary, 0), SET(nsegs, 2),
	    SET(seg[0].addr, 0x40000800), SET(seg[0].len, 2048),
	    SET(seg[1].len, 2048), SET(nsectors, 8) }, { I, I }, true },
	{ "blocks of 4096: whole blocks",
	  { SET(lim.logical_block, 4096), SET(nsegs, 2), SET(seg[0].addr, 0x40001000),
	    SET(seg[0].len, 4096), SET(seg[1].len, 4096), SET(nsectors, 16) },
	  { O, O }, true },
	{ "a block that starts within a page",
	  { SET(lim.logical_block, 4096), SET(nsegs, 1), SET(seg[0].addr, 0x40000800),
	    SET(seg[0].len, 4096), SET(nsectors, 8) }, { O, O }, true },

	{ "as long as a segment may be",
	  { SET(seg[1].len, 16384), SET(nsectors, 35) }, { O, O }, true },
	{ "longer than a segment may be",
	  { SET(seg[1].len, 20480), SET(nsectors, 43) }, { I, I }, true },
	{ "a window long",
	  { SET(lim.segment_size, 0xffffffff), SET(lim.max_transfer, 0xffffffff),
	    SET(lim.chunk, 0), SET(nsegs, 1), SET(seg[0].addr, 0x40000000),
	    SET(seg[0].len, 2 << 20), SET(nsectors, 4096) }, { O, O }, true },
	{ "longer than a window",
	  { SET(lim.segment_size, 0xffffffff), SET(lim.max_transfer, 0xffffffff),
	    SET(lim.chunk, 0), SET(nsegs, 1), SET(seg[0].addr, 0x40000000),
	    SET(seg[0].len, (2 << 20) + 512), SET(nsectors, 4097) }, { I, I }, true },
	{ "2^32-1 long", { SET(lim.segment_size, 0xffffffff), SET(seg[1].len, 0xffffffff) },
	  { I, I }, true },
	{ "2^32-512 long", { SET(lim.segment_size, 0xffffffff), SET(seg[1].len, 0xfffffe00) },
	  { I, I }, true },

	{ "up to a window's end", { SET(seg[1].addr, 0x803fe000) }, { O, O }, true },
	{ "crosses a window", { SET(seg[1].addr, 0x803ff000) }, { I, I }, true },
	{ "crosses a window by a block",
	  { SET(lim.virt_boundary, 0), SET(seg[2].addr, 0x803ffe00) }, { I, I }, true },
	{ "crosses a window by 4 bytes",
	  { SET(lim.virt_boundary, 0), SET(seg[2].addr, 0x803ffc04) }, { I, I }, true },
	{ "crosses a window first",
	  { SET(lim.virt_boundary, 0), SET(seg[0].addr, 0x405fffffc) }, { I, I }, true },
	{ "crosses 2^32", { SET(seg[1].addr, 0xfffff000) }, { I, I }, true },
	{ "up to 2^64", { SET(seg[0].addr, 0ull - 512) }, { O, O }, true },
	{ "wraps", { SET(seg[0].addr, 0ull - 256), SET(lim.virt_boundary, 0) },
	  { I, I }, true },
	{ "at 2^64-1, any alignment",
	  { SET(seg[0].addr, ~0ull), SET(lim.virt_boundary, 0), SET(lim.dma_alignment, 0) },
	  { I, I }, true },
	{ "at 2^64-1 in the middle",
	  { SET(seg[1].addr, ~0ull), SET(lim.virt_boundary, 0), SET(lim.dma_alignment, 0) },
	  { I, I }, true },

	{ "first misaligned", { SET(nsegs, 1), SET(nsectors, 1), SET(seg[0].addr, 0x40000d02) },
	  { I, I }, true },
	{ "first aligned", { SET(nsegs, 1), SET(nsectors, 1), SET(seg[0].addr, 0x40000d04) },
	  { O, O }, true },
	{ "middle misaligned", { SET(seg[1].addr, 0x80201002), SET(lim.virt_boundary, 0) },
	  { I, I }, true },
	{ "last misaligned", { SET(seg[2].addr, 0x80000001), SET(lim.virt_boundary, 0) },
	  { I, I }, true },
	{ "aligned to 4096 where need be",
	  { SET(lim.dma_alignment, 4095), SET(nsegs, 2), SET(nsectors, 24),
	    SET(seg[0].addr, 0x40001000), SET(seg[0].len, 4096) }, { O, O }, true },
	{ "aligned to 512, 4096 are needed", { SET(lim.dma_alignment, 4095) },
	  { I, I }, true },
	{ "no alignment needed",
	  { SET(lim.dma_alignment, 0), SET(lim.virt_boundary, 0), SET(seg[0].addr, 0x40000001),
	    SET(seg[1].addr, 0x80201003), SET(seg[2].addr, 0x12345) }, { O, O }, true },

	{ "the first ends within a page", { SET(seg[0].addr, 0x40000c00) }, { I, I }, true },
	{ "the middle starts within a page",
	  { SET(seg[1].addr, 0x80201200), SET(seg[1].len, 7680), SET(nsectors, 18) },
	  { I, I }, true },
	{ "the middle ends within a page",
	  { SET(seg[1].len, 7680), SET(nsectors, 18) }, { I, I }, true },
	{ "the last starts within a page", { SET(seg[2].addr, 0x80000e00), SET(seg[2].len, 512),
					     SET(nsectors, 18) }, { I, I }, true },
	{ "two make a page, but not of one",
	  { SET(nsegs, 2), SET(seg[0].addr, 0x40000000), SET(seg[0].len, 2048),
	    SET(seg[1].addr, 0x40000800), SET(seg[1].len, 2048), SET(nsectors, 8) },
	  { I, I }, true },
	{ "a boundary of 64 KiB",
	  { SET(lim.virt_boundary, 65535), SET(seg[0].addr, 0x4000fe00),
	    SET(nsegs, 2), SET(seg[1].addr, 0x80210000), SET(nsectors, 17) },
	  { O, O }, true },
	{ "a boundary of 64 KiB, pages are not enough",
	  { SET(lim.virt_boundary, 65535), SET(seg[0].addr, 0x4000fe00),
	    SET(nsegs, 2), SET(seg[1].addr, 0x80211000), SET(nsectors, 17) },
	  { I, I }, true },
	{ "anywhere without a boundary",
	  { SET(lim.virt_boundary, 0), SET(seg[0].addr, 0x40000c00),
	    SET(seg[1].addr, 0x80201200), SET(seg[2].addr, 0x80000a00) },
	  { O, O }, true },

	{ "a sector more than the segments", { SET(nsectors, 20) }, { I, I }, true },
	{ "a sector less than the segments", { SET(nsectors, 18) }, { I, I }, true },
	{ "segments as many as may be",
	  { SET(lim.segments, 3) }, { O, O }, true },
	{ "a transfer of the limit",
	  { SET(nsegs, 4), SET(nsectors, 80), SET(seg[1].len, 16384),
	    SET(seg[2].len, 16384), SET(seg[3].len, 7680) }, { O, O }, true },
	/* refused without a look at the segments */
	{ "a transfer beyond the limit",
	  { SET(nsegs, 4), SET(nsectors, 81), SET(seg[1].len, 16384),
	    SET(seg[2].len, 16384), SET(seg[3].len, 8192) }, { I, I }, false },
};

static void apply(struct ask *a, const struct row *row)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(row->patch) && row->patch[i].size; i++) {
		const struct patch *p = &row->patch[i];
		void *at = (u8 *)a + p->offset;
		u8 v8 = p->value;
		u16 v16 = p->value;
		u32 v32 = p->value;

		switch (p->size) {
		case 1:
			memcpy(at, &v8, sizeof(v8));
			break;
		case 2:
			memcpy(at, &v16, sizeof(v16));
			break;
		case 4:
			memcpy(at, &v32, sizeof(v32));
			break;
		default:
			memcpy(at, &p->value, sizeof(p->value));
		}
	}
}

static void check_row(struct kunit *test, const struct row *row, unsigned int ops)
{
	struct scratch *s = scratch(test);
	struct lpar_blk_request r;
	enum lpar_status want;
	unsigned int op;

	for (op = 1; op <= ops; op++) {
		legal(&s->ask, op);
		apply(&s->ask, row);
		want = row->want[op - 1];
		KUNIT_EXPECT_EQ_MSG(test, decide(test, s, true, &r), want,
				    "op %u", op);
		/* all the rest can be known before the segments are */
		if (row->segs_only)
			want = LPAR_OK;
		KUNIT_EXPECT_EQ_MSG(test, decide(test, s, false, &r), want,
				    "op %u, without segments", op);
	}
}

static void row_name(const struct row *row, char *name)
{
	snprintf(name, KUNIT_PARAM_DESC_SIZE, "%s", row->name);
}

KUNIT_ARRAY_PARAM(rows, rows, row_name);
KUNIT_ARRAY_PARAM(seg_rows, seg_rows, row_name);

static void request_matrix(struct kunit *test)
{
	check_row(test, test->param_value, 5);
}

static void request_segments(struct kunit *test)
{
	check_row(test, test->param_value, 2);
}

/* ----------------------------------------------------- every bit and value */

static void request_reserved_bits(struct kunit *test)
{
	struct scratch *s = scratch(test);
	struct lpar_blk_request r;
	unsigned int op, bit;

	for (op = 0; op < 8; op++)
		for (bit = 0; bit < 16 + 32 + 64; bit++) {
			legal(&s->ask, op);
			if (bit < 16)
				s->ask.reserved = 1u << bit;
			else if (bit < 16 + 32)
				s->ask.reserved2 = 1u << (bit - 16);
			else
				s->ask.reserved3 = 1ull << (bit - 48);
			KUNIT_EXPECT_EQ_MSG(test, decide(test, s, true, &r),
					    LPAR_INVAL, "op %u, bit %u", op, bit);
		}
}

static void request_segment_bits(struct kunit *test)
{
	struct scratch *s = scratch(test);
	struct lpar_blk_request r;
	unsigned int seg, bit;

	for (seg = 0; seg < 3; seg++)
		for (bit = 0; bit < 32; bit++) {
			legal(&s->ask, LPAR_BLK_READ);
			s->ask.seg[seg].reserved = 1u << bit;
			KUNIT_EXPECT_EQ_MSG(test, decide(test, s, true, &r),
					    LPAR_INVAL, "segment %u, bit %u", seg,
					    bit);
		}
}

/* The entry's own segments are zero when they stand in the table. */
static void request_unused_segments(struct kunit *test)
{
	struct scratch *s = scratch(test);
	struct wire *w = &s->wire;
	struct lpar_blk_request r;
	unsigned int byte;
	u8 *seg = (u8 *)w->sqe.seg;

	legal(&s->ask, LPAR_BLK_WRITE);
	KUNIT_EXPECT_EQ(test, decide(test, s, true, &r), LPAR_OK);
	for (byte = 0; byte < sizeof(w->sqe.seg); byte++) {
		seg[byte] = 0x80;
		KUNIT_EXPECT_EQ_MSG(test, lpar_core_request(&w->sqe, w->seg,
							    &w->lim, &r),
				    LPAR_INVAL, "byte %u", byte);
		KUNIT_EXPECT_EQ_MSG(test, lpar_core_request(&w->sqe, NULL,
							    &w->lim, &r),
				    LPAR_INVAL, "byte %u, without segments", byte);
		seg[byte] = 0;
	}
	KUNIT_EXPECT_EQ(test, lpar_core_request(&w->sqe, w->seg, &w->lim, &r),
			LPAR_OK);
}

static void request_flags(struct kunit *test)
{
	static const u8 allowed[] = {
		[LPAR_BLK_READ] = 0, [LPAR_BLK_WRITE] = LPAR_BLK_FUA,
		[LPAR_BLK_FLUSH] = 0, [LPAR_BLK_DISCARD] = 0,
		[LPAR_BLK_WRITE_ZEROES] = LPAR_BLK_NOUNMAP,
	};
	struct scratch *s = scratch(test);
	struct lpar_blk_request r;
	unsigned int op, flags;

	for (op = 1; op <= 5; op++)
		for (flags = 0; flags < 256; flags++) {
			legal(&s->ask, op);
			s->ask.flags = flags;
			KUNIT_EXPECT_EQ_MSG(test, decide(test, s, true, &r),
					    flags == 0 || flags == allowed[op] ?
					    LPAR_OK : LPAR_INVAL,
					    "op %u, flags %#x", op, flags);
		}
}

static void request_operations(struct kunit *test)
{
	struct scratch *s = scratch(test);
	struct lpar_blk_request r;
	unsigned int op;

	for (op = 0; op < 256; op++) {
		legal(&s->ask, op);
		KUNIT_EXPECT_EQ_MSG(test, decide(test, s, true, &r),
				    op >= 1 && op <= 5 ? LPAR_OK : LPAR_NOSYS,
				    "op %u", op);
	}
}

/* Up to as many segments as a queue can have, each of them looked at. */
static void request_all_segments(struct kunit *test)
{
	struct scratch *s = scratch(test);
	struct ask *a = &s->ask;
	struct lpar_blk_request r;
	unsigned int n, i;

	for (n = 1; n <= 256; n += n < 4 ? 1 : 63) {
		legal(a, LPAR_BLK_WRITE);
		a->lim.segments = 256;
		a->lim.max_transfer = 256 * 4096;
		a->lim.chunk = 0;
		a->nsegs = n;
		a->nsectors = n * 8;
		for (i = 0; i < n; i++) {
			a->seg[i].addr = (u64)i << 33;
			a->seg[i].len = 4096;
		}
		KUNIT_EXPECT_EQ(test, decide(test, s, true, &r), LPAR_OK);
		for (i = 0; i < n; i += n < 8 ? 1 : 17) {
			a->seg[i].addr |= 2;
			KUNIT_EXPECT_EQ_MSG(test, decide(test, s, true, &r),
					    LPAR_INVAL, "segment %u of %u", i, n);
			a->seg[i].addr &= ~2ull;
		}
		a->seg[n - 1].reserved = 1;
		KUNIT_EXPECT_EQ(test, decide(test, s, true, &r), LPAR_INVAL);
	}
}

/* ------------------------------------------- against a second opinion */

/* Chunks of any length: the first and the last sector lie in the same one. */
static void request_chunks(struct kunit *test)
{
	static const u32 chunks[] = { 8, 12, 16, 24, 31 };
	struct scratch *s = scratch(test);
	struct ask *a = &s->ask;
	struct lpar_blk_request r;
	unsigned int c, from, n;
	bool same;

	legal(a, LPAR_BLK_READ);
	a->nsegs = 1;
	a->seg[0].addr = 0x40000000;
	for (c = 0; c < ARRAY_SIZE(chunks); c++) {
		a->lim.chunk = chunks[c] * 512;
		for (from = 0; from < 65; from++)
			for (n = 1; n <= 32; n++) {
				a->sector = from;
				a->nsectors = n;
				a->seg[0].len = n * 512;
				same = from / chunks[c] == (from + n - 1) / chunks[c];
				KUNIT_EXPECT_EQ_MSG(test, decide(test, s, true, &r),
						    same ? LPAR_OK : LPAR_INVAL,
						    "%u+%u, chunk %u", from, n,
						    chunks[c]);
			}
	}
}

/*
 * The virtual boundary: seen as a whole, the transfer may start and end anywhere,
 * and each place where it goes on elsewhere is on a boundary.
 */
static void request_boundary(struct kunit *test)
{
	static const u32 starts[] = { 0, 512, 2048, 3584 };
	static const u32 lens[] = { 512, 2048, 3584, 4096, 4608 };
	const unsigned int n = ARRAY_SIZE(starts) * ARRAY_SIZE(lens);
	struct scratch *s = scratch(test);
	struct ask *a = &s->ask;
	struct lpar_blk_request r;
	unsigned int combination, i, pick;
	u32 total;
	bool ok;

	legal(a, LPAR_BLK_READ);
	for (combination = 0; combination < n * n * n; combination++) {
		total = 0;
		ok = true;
		for (i = 0, pick = combination; i < 3; i++, pick /= n) {
			u32 start = starts[pick % n / ARRAY_SIZE(lens)];
			u32 len = lens[pick % n % ARRAY_SIZE(lens)];

			a->seg[i].addr = 0x40000000 * i + start;
			a->seg[i].len = len;
			total += len;
			/* not the first: it goes on at start; not the last: it
			 * leaves off at the end */
			if (i > 0 && start % 4096)
				ok = false;
			if (i < 2 && (start + len) % 4096)
				ok = false;
		}
		a->nsectors = total / 512;
		KUNIT_EXPECT_EQ_MSG(test, decide(test, s, true, &r),
				    ok ? LPAR_OK : LPAR_INVAL, "combination %u",
				    combination);
	}
}

/* Windows: the first and the last byte lie in the same one. */
static void request_windows(struct kunit *test)
{
	struct scratch *s = scratch(test);
	struct ask *a = &s->ask;
	struct lpar_blk_request r;
	unsigned int back, n;
	u64 edge, first, last;
	int top;

	legal(a, LPAR_BLK_WRITE);
	a->nsegs = 1;
	for (top = 0; top < 2; top++) {
		edge = top ? 0 : 7ull << 21;
		for (back = 0; back < 4096; back += 4)
			for (n = 1; n <= 8; n++) {
				first = edge - back;
				last = first + n * 512 - 1;
				a->seg[0].addr = first;
				a->seg[0].len = n * 512;
				a->nsectors = n;
				KUNIT_EXPECT_EQ_MSG(test,
						    decide(test, s, true, &r),
						    first >> 21 == last >> 21 ?
						    LPAR_OK : LPAR_INVAL,
						    "%u before, %u sectors", back,
						    n);
			}
	}
}

static struct kunit_case request_cases[] = {
	KUNIT_CASE_PARAM(request_matrix, rows_gen_params),
	KUNIT_CASE_PARAM(request_segments, seg_rows_gen_params),
	KUNIT_CASE(request_reserved_bits),
	KUNIT_CASE(request_segment_bits),
	KUNIT_CASE(request_unused_segments),
	KUNIT_CASE(request_flags),
	KUNIT_CASE(request_operations),
	KUNIT_CASE(request_all_segments),
	KUNIT_CASE(request_chunks),
	KUNIT_CASE(request_boundary),
	KUNIT_CASE(request_windows),
	{}
};

static struct kunit_suite request_suite = {
	.name = "lpar_request",
	.test_cases = request_cases,
};
kunit_test_suite(request_suite);
