// SPDX-License-Identifier: GPL-2.0
/* G3, G7, G9: requests that are refused at decoding, and parts of pages. */
#include "attack.h"

/* The data's first address and the sector that the attacks start from. */
struct base {
	struct attack *a;
	struct attack_queue *q;
	u64 addr;
};

static u32 min_u32(u32 a, u32 b)
{
	return a < b ? a : b;
}

static void refused(struct base *b, const char *what, struct lpar_blk_sqe sqe,
		    u64 allowed)
{
	attack_status(b->a, what, attack_io(b->a, b->q, sqe), allowed);
}

static struct lpar_blk_sqe read_sqe(struct base *b)
{
	return attack_sqe(b->a, LPAR_BLK_READ, 0, 0, 4096);
}

/* A request with its segments in the table of the slot that it will take. */
static struct lpar_blk_sqe table_sqe(struct base *b, u16 nsegs, u32 len, u32 stride)
{
	struct attack_queue *q = b->q;
	struct lpar_seg *segs = q->table + (q->sq_tail & (q->depth - 1)) * q->segs;
	struct lpar_blk_sqe sqe = read_sqe(b);
	u32 i;

	for (i = 0; i < nsegs && i < q->segs; i++) {
		segs[i].addr = cpu_to_le64(b->addr + i * stride);
		segs[i].len = cpu_to_le32(len);
		segs[i].reserved = 0;
	}
	memset(sqe.seg, 0, sizeof(sqe.seg));
	sqe.nsegs = cpu_to_le16(nsegs);
	sqe.nsectors = cpu_to_le32(nsegs * len >> LPAR_SECTOR_SHIFT);
	return sqe;
}

#define WITH(sqe, field, value) ({					\
	struct lpar_blk_sqe with = (sqe);				\
	with.field = (value);						\
	with;								\
})

static void headers(struct base *b)
{
	static const u8 ops[] = { 0, 6, 7, 127, 128, 255 };
	struct attack *a = b->a;
	struct lpar_blk_sqe flush = attack_sqe(a, LPAR_BLK_FLUSH, 0, 0, 0);
	u32 i;

	attack_begin(a, "G3 operations, flags and reserved fields");
	for (i = 0; i < ARRAY_SIZE(ops); i++)
		refused(b, "operation", WITH(read_sqe(b), op, ops[i]), ST(NOSYS));
	refused(b, "READ with FUA", WITH(read_sqe(b), flags, LPAR_BLK_FUA), ST(INVAL));
	for (i = 1; i < 8; i++)
		refused(b, "READ with a flag", WITH(read_sqe(b), flags, 1u << i),
			ST(INVAL));
	refused(b, "reserved", WITH(read_sqe(b), reserved, cpu_to_le16(1)), ST(INVAL));
	refused(b, "reserved2", WITH(read_sqe(b), reserved2, cpu_to_le32(1u << 31)),
		ST(INVAL));
	refused(b, "reserved3", WITH(read_sqe(b), reserved3, cpu_to_le64(1)),
		ST(INVAL));
	refused(b, "segment's reserved",
		WITH(read_sqe(b), seg[0].reserved, cpu_to_le32(1)), ST(INVAL));
	refused(b, "FLUSH with a flag", WITH(flush, flags, 1), ST(INVAL));
	refused(b, "FLUSH with a sector", WITH(flush, sector, cpu_to_le64(8)),
		ST(INVAL));
	refused(b, "FLUSH with sectors", WITH(flush, nsectors, cpu_to_le32(8)),
		ST(INVAL));
	refused(b, "FLUSH with a segment", WITH(flush, nsegs, cpu_to_le16(1)),
		ST(INVAL));
	attack_good(a, b->q);
	attack_end(a);
}

static void lengths(struct base *b)
{
	static const u32 lens[] = { 0, 1, 511, 513, 4095, 4097, 0x7ffffe00,
				    0x80000000, 0xfffffe00, 0xffffffff };
	static const u32 sectors[] = { 0, 7, 9, 16, 0x7fffff, 0x800008, 0x1000008,
				       0x80000000, 0xffffffff };
	static const u16 segs[] = { 0, 9, 255, 256, 257, 4096, 65535 };
	struct attack *a = b->a;
	u32 i;

	attack_begin(a, "G3 lengths and counts");
	for (i = 0; i < ARRAY_SIZE(lens); i++) {
		refused(b, "segment's length",
			WITH(read_sqe(b), seg[0].len, cpu_to_le32(lens[i])),
			ST(INVAL));
		refused(b, "both lengths",
			WITH(WITH(read_sqe(b), seg[0].len, cpu_to_le32(lens[i])),
			     nsectors, cpu_to_le32(lens[i] >> 9)),
			ST(INVAL) | ST(RANGE));
	}
	for (i = 0; i < ARRAY_SIZE(sectors); i++)
		refused(b, "sectors",
			WITH(read_sqe(b), nsectors, cpu_to_le32(sectors[i])),
			ST(INVAL) | ST(RANGE));
	for (i = 0; i < ARRAY_SIZE(segs); i++)
		refused(b, "segments",
			WITH(read_sqe(b), nsegs, cpu_to_le16(segs[i])), ST(INVAL));
	attack_good(a, b->q);
	attack_end(a);
}

static void ranges(struct base *b)
{
	struct attack *a = b->a;
	u64 end = a->sectors;
	u64 bad[] = { end, end - 7, end - 1, end + 8, end * 2, 1ull << 32 | 0x80000000,
		      1ull << 55, (1ull << 55) - 8, 1ull << 63, ~0ull, ~0ull - 7,
		      ~0ull - 8 };
	struct lpar_blk_sqe discard = attack_sqe(a, LPAR_BLK_DISCARD, 0, 0, 4096);
	u32 i;

	attack_begin(a, "G3 ranges at and beyond the end of the disk");
	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		refused(b, "READ", WITH(read_sqe(b), sector, cpu_to_le64(bad[i])),
			ST(RANGE));
		refused(b, "WRITE",
			WITH(WITH(read_sqe(b), sector, cpu_to_le64(bad[i])), op,
			     LPAR_BLK_WRITE), ST(RANGE));
		if (a->discard)
			refused(b, "DISCARD",
				WITH(discard, sector, cpu_to_le64(bad[i])),
				ST(RANGE));
	}
	refused(b, "the last block",
		WITH(read_sqe(b), sector, cpu_to_le64(end - 8)), ST(OK));
	if (a->logical_block > 512)
		refused(b, "part of a block",
			WITH(read_sqe(b), sector, cpu_to_le64(1)), ST(INVAL));
	if (a->chunk) {
		u64 chunk = a->chunk / 512;

		refused(b, "up to a chunk's end",
			WITH(read_sqe(b), sector, cpu_to_le64(chunk - 8)), ST(OK));
		refused(b, "over a chunk's end",
			WITH(read_sqe(b), sector, cpu_to_le64(chunk - 1)),
			ST(INVAL));
		refused(b, "from a chunk's start",
			WITH(read_sqe(b), sector, cpu_to_le64(chunk)), ST(OK));
	}
	attack_good(a, b->q);
	attack_end(a);

	attack_begin(a, "G3 DISCARD and WRITE_ZEROES");
	if (a->discard) {
		refused(b, "DISCARD with a segment",
			WITH(discard, nsegs, cpu_to_le16(1)), ST(INVAL));
		refused(b, "DISCARD of nothing",
			WITH(discard, nsectors, cpu_to_le32(0)), ST(INVAL));
		refused(b, "DISCARD of all",
			WITH(discard, nsectors, cpu_to_le32(~0u)),
			ST(INVAL) | ST(RANGE));
		for (i = 0; i < 8; i++)
			refused(b, "DISCARD with a flag",
				WITH(discard, flags, 1u << i), ST(INVAL));
	}
	discard.op = LPAR_BLK_WRITE_ZEROES;
	refused(b, "WRITE_ZEROES with a flag", WITH(discard, flags, 1),
		ST(INVAL) | ST(NOTSUPP));
	refused(b, "WRITE_ZEROES of nothing", WITH(discard, nsectors, cpu_to_le32(0)),
		ST(INVAL) | ST(NOTSUPP));
	refused(b, "WRITE_ZEROES at the end",
		WITH(discard, sector, cpu_to_le64(end)), ST(RANGE) | ST(NOTSUPP));
	attack_good(a, b->q);
	attack_end(a);
}

static void addresses(struct base *b)
{
	u64 last = LPAR_WINDOW_SIZE - 512;
	struct attack *a = b->a;
	struct { const char *what; u64 addr; u64 allowed; } bad[] = {
		{ "no window", 77777ull << LPAR_WINDOW_SHIFT, ST(NOWINDOW) },
		{ "far", 1ull << 50, ST(NOWINDOW) },
		{ "2^63", 1ull << 63, ST(NOWINDOW) },
		{ "2^64 - 512", ~0ull - 511, ST(INVAL) | ST(NOWINDOW) },
		{ "2^64 - 4096", ~0ull - 4095, ST(INVAL) | ST(NOWINDOW) },
		{ "over the end", a->window[1] + last, ST(INVAL) },
		{ "guest address", a->unbacked + 0x100000, ST(NOWINDOW) },
	};
	u32 i;

	attack_begin(a, "G3 addresses of segments");
	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		refused(b, bad[i].what,
			WITH(read_sqe(b), seg[0].addr, cpu_to_le64(bad[i].addr)),
			bad[i].allowed);
		refused(b, "WRITE",
			WITH(WITH(read_sqe(b), seg[0].addr,
				  cpu_to_le64(bad[i].addr)), op, LPAR_BLK_WRITE),
			bad[i].allowed);
	}
	for (i = 1; i <= a->dma_alignment; i = i * 2 + 1)
		refused(b, "alignment",
			WITH(read_sqe(b), seg[0].addr, cpu_to_le64(b->addr + i)),
			ST(INVAL));
	attack_good(a, b->q);
	attack_end(a);
}

static void segments(struct base *b)
{
	struct attack *a = b->a;
	struct lpar_blk_sqe sqe;
	u32 n;

	attack_begin(a, "G9 segments in the table");
	refused(b, "good", table_sqe(b, 8, 4096, 8192), ST(OK));
	attack_expect(a, attack_is_pattern(a->mem + ATTACK_DATA + 8192, 8, 4096),
		      "the second segment reads something else");
	sqe = table_sqe(b, 3, 4096, 8192);
	sqe.seg[1].len = cpu_to_le32(4096);
	refused(b, "inline ones not zero", sqe, ST(INVAL));
	for (n = 0; n < 8; n++) {
		struct lpar_seg *segs;

		sqe = table_sqe(b, 8, 4096, 8192);
		segs = b->q->table +
		       (b->q->sq_tail & (b->q->depth - 1)) * b->q->segs;
		switch (n) {
		case 0: segs[7].len = cpu_to_le32(0); break;
		case 1: segs[7].len = cpu_to_le32(4097); break;
		case 2: segs[0].len = cpu_to_le32(0xfffff000); break;
		case 3: segs[3].reserved = cpu_to_le32(1); break;
		case 4: segs[7].addr = cpu_to_le64(~0ull - 4095); break;
		case 5: segs[7].addr = cpu_to_le64(77777ull << 21); break;
		case 6: segs[4].addr = cpu_to_le64(a->window[1] +
						   LPAR_WINDOW_SIZE - 512); break;
		case 7: segs[2].len = cpu_to_le32(8192); break;
		}
		refused(b, "one bad segment", sqe, ST(INVAL) | ST(NOWINDOW));
	}
	attack_good(a, b->q);
	attack_end(a);

	attack_begin(a, "G9 segments that are no whole blocks, or leave gaps");
	sqe = read_sqe(b);
	sqe.nsegs = cpu_to_le16(2);
	sqe.nsectors = cpu_to_le32(1);
	sqe.seg[0].len = cpu_to_le32(256);
	sqe.seg[1] = sqe.seg[0];
	sqe.seg[1].addr = cpu_to_le64(b->addr + 8192);
	refused(b, "256 + 256 in two pages", sqe, ST(INVAL));
	sqe.seg[0].addr = cpu_to_le64(b->addr + 4096 - 256);
	refused(b, "256 + 256 at the page's end", sqe, ST(INVAL));
	sqe.nsectors = cpu_to_le32(8);
	sqe.seg[1].len = cpu_to_le32(4096 - 256);
	refused(b, "256 + 3840", sqe, ST(INVAL));
	sqe.seg[0].addr = cpu_to_le64(b->addr);
	sqe.seg[0].len = cpu_to_le32(4096 - 256);
	sqe.seg[1].len = cpu_to_le32(256);
	refused(b, "3840 + 256", sqe, ST(INVAL));
	if (a->virt_boundary) {
		sqe.nsectors = cpu_to_le32(2);
		sqe.seg[0].len = cpu_to_le32(512);
		sqe.seg[1].len = cpu_to_le32(512);
		refused(b, "a gap behind the first", sqe, ST(INVAL));
		sqe.seg[0].addr = cpu_to_le64(b->addr + 4096 - 512);
		sqe.seg[1].addr = cpu_to_le64(b->addr + 8192 + 512);
		refused(b, "a gap before the last", sqe, ST(INVAL));
		sqe.seg[1].addr = cpu_to_le64(b->addr + 8192);
		refused(b, "no gap", sqe, ST(OK));
	}
	attack_good(a, b->q);
	attack_end(a);
}

/* As long as one may be, at each alignment: it must neither hang nor need a split. */
static void longest(struct attack *a)
{
	static const u16 sectors[] = { 0, 1, 7, 8, 9, 255 };
	u32 bytes = min_u32(a->max_transfer, LPAR_WINDOW_SIZE / 2);
	/* in the segment table: at least three */
	u32 each = min_u32(min_u32(a->segment_size, 65536), bytes / 4 & ~4095u);
	u32 n = each ? (bytes + each - 1) / each : 0;
	u8 *data = a->mem + LPAR_WINDOW_SIZE;
	struct attack_queue q;
	u32 i, s;

	attack_begin(a, "G9 the longest request, anywhere");
	attack_status(a, "QUEUE_CREATE", attack_create(a, &q, 2, 4, 64), ST(OK));
	if (n < 3 || n > q.segs || n > a->segments || each & 4095) {
		attack_log("%s: %u segments of %u: left out", a->name, n, each);
		goto out;
	}
	for (s = 0; s < ARRAY_SIZE(sectors) && !a->failed; s++) {
		struct lpar_seg *segs = q.table + (q.sq_tail & (q.depth - 1)) * q.segs;
		u32 known = (2 * ATTACK_SECTORS - sectors[s]) * 512;
		struct lpar_blk_sqe sqe = { 0 };

		if (sectors[s] * 512 % a->logical_block)
			continue;
		for (i = 0; i < n; i++) {
			segs[i].addr = cpu_to_le64(a->window[1] + i * each);
			segs[i].len = cpu_to_le32(min_u32(each, bytes - i * each));
			segs[i].reserved = 0;
		}
		sqe.op = LPAR_BLK_READ;
		sqe.sector = cpu_to_le64(sectors[s]);
		sqe.nsectors = cpu_to_le32(bytes / 512);
		sqe.nsegs = cpu_to_le16(n);
		memset(data, 0, bytes);
		attack_status(a, sectors[s] & 7 ? "at an odd sector" : "at a page",
			      attack_io(a, &q, sqe),
			      a->chunk ? ST(OK) | ST(INVAL) : ST(OK));
		if (!a->chunk)
			attack_expect(a, attack_is_pattern(data, sectors[s],
							   min_u32(bytes, known)),
				      "%u bytes at sector %u read something else",
				      bytes, sectors[s]);
	}
out:
	attack_status(a, "QUEUE_DESTROY", attack_destroy(a, &q), ST(OK));
	attack_end(a);
}

void attack_requests(struct attack *a)
{
	struct attack_queue q;
	struct base b = {
		.a = a,
		.q = &q,
		.addr = a->window[1] + ATTACK_DATA - LPAR_WINDOW_SIZE,
	};

	attack_begin(a, "G3 queue for bad requests");
	attack_status(a, "QUEUE_CREATE", attack_create(a, &q, 1, 16, 8), ST(OK));
	attack_end(a);
	headers(&b);
	lengths(&b);
	ranges(&b);
	addresses(&b);
	segments(&b);
	longest(a);
	attack_begin(a, "G3 refused writes have written nothing");
	memset(a->mem + ATTACK_DATA, 0, 4096);
	attack_status(a, "READ", attack_io(a, &q, read_sqe(&b)), ST(OK));
	attack_expect(a, attack_is_pattern(a->mem + ATTACK_DATA, 0, 4096),
		      "sector 0 has changed");
	attack_status(a, "QUEUE_DESTROY", attack_destroy(a, &q), ST(OK));
	attack_end(a);
}

/* G7: what a request does not name, it does not touch. */
void attack_partial(struct attack *a)
{
	static const struct { u32 offset, bytes; } parts[] = {
		{ 512, 512 }, { 0, 512 }, { 3584, 512 }, { 3584, 1024 },
		{ 3584, 4608 }, { 1024, 6656 }, { 512, 8192 }, { 3584, 9216 },
	};
	u8 *data = a->mem + ATTACK_DATA;
	struct attack_queue q;
	u32 i, n;

	attack_begin(a, "G7 buffers that cover parts of pages");
	attack_status(a, "QUEUE_CREATE", attack_create(a, &q, 1, 16, 8), ST(OK));
	for (i = 0; i < ARRAY_SIZE(parts); i++) {
		u32 from = 4096 + parts[i].offset, to = from + parts[i].bytes;

		if (parts[i].bytes % a->logical_block)
			continue;
		memset(data, ATTACK_CANARY, 32768);
		attack_status(a, "READ",
			      attack_io(a, &q, attack_sqe(a, LPAR_BLK_READ, 8, from,
							  parts[i].bytes)), ST(OK));
		attack_expect(a, attack_is_pattern(data + from, 8, parts[i].bytes),
			      "%u bytes at %u read something else", parts[i].bytes,
			      parts[i].offset);
		for (n = 0; n < 32768; n++)
			if ((n < from || n >= to) && data[n] != ATTACK_CANARY)
				break;
		attack_expect(a, n == 32768, "%u bytes at %u changed byte %u",
			      parts[i].bytes, parts[i].offset, n);
	}
	attack_good(a, &q);
	attack_status(a, "QUEUE_DESTROY", attack_destroy(a, &q), ST(OK));
	attack_end(a);
}
