// SPDX-License-Identifier: GPL-2.0
/*
 * Capability records: what the host writes is what the guest reads; and a guest
 * reads anything without harm (tests/hostile: H1).
 */
#include "rules.h"
#include "suites.h"

#define BUF	2048
#define TYPES	38

/* ------------------------------------------------- the host's own records */

/* The values of a disk, by the type of the record that carries them. */
static void expected(const struct lpar_disk_limits *lim, u64 *value)
{
	memset(value, 0, TYPES * sizeof(*value));
	value[LPAR_CAP_SECTORS] = lim->sectors;
	value[LPAR_CAP_LOGICAL_BLOCK] = lim->logical_block;
	value[LPAR_CAP_PHYSICAL_BLOCK] = lim->physical_block;
	value[LPAR_CAP_IO_MIN] = lim->io_min;
	value[LPAR_CAP_IO_OPT] = lim->io_opt;
	value[LPAR_CAP_MAX_TRANSFER] = lim->max_transfer;
	value[LPAR_CAP_SEGMENTS] = lim->segments;
	value[LPAR_CAP_SEGMENT_SIZE] = lim->segment_size;
	value[LPAR_CAP_VIRT_BOUNDARY] = lim->virt_boundary;
	value[LPAR_CAP_DMA_ALIGNMENT] = lim->dma_alignment;
	value[LPAR_CAP_CHUNK] = lim->chunk;
	value[LPAR_CAP_QUEUES] = lim->queues;
	value[LPAR_CAP_DEPTH] = 128;
	value[LPAR_CAP_WRITE_CACHE] = lim->write_cache;
	value[LPAR_CAP_FUA] = lim->fua;
	value[LPAR_CAP_DISCARD] = lim->discard;
	value[LPAR_CAP_DISCARD_GRAIN] = lim->discard_grain;
	value[LPAR_CAP_DISCARD_ALIGN] = lim->discard_align;
	value[LPAR_CAP_WRITE_ZEROES] = lim->write_zeroes;
	value[LPAR_CAP_ROTATIONAL] = lim->rotational;
	value[LPAR_CAP_READ_ONLY] = lim->read_only;
	value[LPAR_CAP_STABLE_WRITES] = lim->stable_writes;
}

static void check_wire(struct kunit *test, const u8 *buf, int bytes,
		       const struct lpar_disk_limits *lim)
{
	u64 want[TYPES], seen = 0;
	struct lpar_record rec;
	struct lpar_value v;
	unsigned int type, len;
	int at = 0;

	expected(lim, want);
	for (; at < bytes; at += len) {
		memcpy(&rec, buf + at, sizeof(rec));
		type = le16_to_cpu(rec.type);
		len = le16_to_cpu(rec.len);
		KUNIT_ASSERT_LT(test, type, TYPES);
		KUNIT_ASSERT_GE(test, len, 8u);
		KUNIT_ASSERT_EQ(test, len % 8, 0u);
		KUNIT_EXPECT_EQ(test, le32_to_cpu(rec.reserved), 0u);
		KUNIT_EXPECT_EQ_MSG(test, seen >> type & 1, 0ull, "type %u twice",
				    type);
		seen |= 1ull << type;
		if (type < LPAR_CAP_SECTORS)
			continue;
		KUNIT_ASSERT_EQ(test, len, 32u);
		memcpy(&v, buf + at + sizeof(rec), sizeof(v));
		KUNIT_EXPECT_EQ_MSG(test, le64_to_cpu(v.cur), want[type],
				    "type %u", type);
		KUNIT_EXPECT_EQ_MSG(test, le64_to_cpu(v.min),
				    type == LPAR_CAP_QUEUES ? 1 :
				    type == LPAR_CAP_DEPTH ? 2 : want[type],
				    "type %u", type);
		KUNIT_EXPECT_EQ_MSG(test, le64_to_cpu(v.max),
				    type == LPAR_CAP_DEPTH ? 1024 : want[type],
				    "type %u", type);
	}
	KUNIT_EXPECT_EQ(test, at, bytes);
	/* all that there are */
	KUNIT_EXPECT_EQ(test, seen, 1ull << LPAR_CAP_NAME | 1ull << LPAR_CAP_SERIAL |
			((1ull << TYPES) - (1ull << LPAR_CAP_SECTORS)));
}

static void check_parsed(struct kunit *test, const struct lpar_caps *c,
			 const struct lpar_disk_limits *lim)
{
	KUNIT_EXPECT_NULL(test, rules_broken(c));
	KUNIT_EXPECT_EQ(test, c->sectors, lim->sectors);
	KUNIT_EXPECT_EQ(test, c->logical_block, lim->logical_block);
	KUNIT_EXPECT_EQ(test, c->physical_block, lim->physical_block);
	KUNIT_EXPECT_EQ(test, c->io_min, lim->io_min);
	KUNIT_EXPECT_EQ(test, c->io_opt, lim->io_opt);
	KUNIT_EXPECT_EQ(test, c->max_sectors, lim->max_transfer / 512);
	KUNIT_EXPECT_EQ(test, c->segments, lim->segments);
	KUNIT_EXPECT_EQ(test, c->segment_size, lim->segment_size);
	KUNIT_EXPECT_EQ(test, c->virt_boundary, lim->virt_boundary);
	/* and what follows from whole blocks */
	KUNIT_EXPECT_EQ(test, c->dma_alignment,
			lim->dma_alignment | (lim->logical_block - 1));
	KUNIT_EXPECT_EQ(test, c->chunk_sectors, lim->chunk / 512);
	KUNIT_EXPECT_EQ(test, c->queues, lim->queues);
	KUNIT_EXPECT_EQ(test, c->depth, 128u);
	KUNIT_EXPECT_EQ(test, c->depth_most, 1024u);
	KUNIT_EXPECT_EQ(test, (u64)c->discard_sectors, lim->discard / 512);
	KUNIT_EXPECT_EQ(test, c->discard_grain, lim->discard_grain);
	KUNIT_EXPECT_EQ(test, c->discard_align, lim->discard_align);
	KUNIT_EXPECT_EQ(test, (u64)c->zeroes_sectors, lim->write_zeroes / 512);
	KUNIT_EXPECT_EQ(test, c->write_cache, lim->write_cache);
	KUNIT_EXPECT_EQ(test, c->fua, lim->fua && lim->write_cache);
	KUNIT_EXPECT_EQ(test, c->rotational, lim->rotational);
	KUNIT_EXPECT_EQ(test, c->read_only, lim->read_only);
	KUNIT_EXPECT_EQ(test, c->stable_writes, lim->stable_writes);
}

static void record_round_trip(struct kunit *test)
{
	struct lpar_disk_limits lim;
	struct lpar_caps caps;
	const char *why;
	unsigned int bools;
	int bytes;
	u8 *buf;

	buf = kunit_kzalloc(test, BUF, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, buf);
	for (bools = 0; bools < 32; bools++) {
		lim = suite_limits;
		lim.write_cache = bools & 1;
		lim.fua = bools & 2;
		lim.rotational = bools & 4;
		lim.read_only = bools & 8;
		lim.stable_writes = bools & 16;
		bytes = lpar_core_records(buf, BUF, &lim, "root", "S3R1AL");
		KUNIT_ASSERT_GT(test, bytes, 0);
		check_wire(test, buf, bytes, &lim);
		KUNIT_ASSERT_EQ(test, lpar_caps_parse(buf, bytes, &caps, &why), 0);
		KUNIT_EXPECT_STREQ(test, caps.name, "root");
		KUNIT_EXPECT_STREQ(test, caps.serial, "S3R1AL");
		check_parsed(test, &caps, &lim);
	}
}

/* Nothing is cut to 32 bits on its way. */
static void record_large(struct kunit *test)
{
	struct lpar_disk_limits lim = suite_limits;
	struct lpar_caps caps;
	const char *why;
	int bytes;
	u8 *buf;

	buf = kunit_kzalloc(test, BUF, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, buf);
	lim.sectors = (1ull << 40) + 8;
	lim.discard = 1ull << 41;
	lim.write_zeroes = (1ull << 42) + 512;
	bytes = lpar_core_records(buf, BUF, &lim, "", "");
	KUNIT_ASSERT_GT(test, bytes, 0);
	check_wire(test, buf, bytes, &lim);
	KUNIT_ASSERT_EQ(test, lpar_caps_parse(buf, bytes, &caps, &why), 0);
	KUNIT_EXPECT_EQ(test, caps.sectors, lim.sectors);
	/* what a guest's request can carry */
	KUNIT_EXPECT_EQ(test, caps.discard_sectors, 1u << 22);
	KUNIT_EXPECT_EQ(test, caps.zeroes_sectors, 1u << 22);
}

static void record_text(struct kunit *test)
{
	static const struct {
		const char *given, *read;
	} t[] = {
		{ "", "" },
		{ "a", "a" },
		{ "12345678", "12345678" },
		{ "a name", "a name" },
		{ " leading", " leading" },
		{ "trailing  ", "trailing" },
		{ "    ", "" },
		{ "tab\tnewline\n", "tab_newline_" },
		{ "\x01\x1f \x7f\x80\xff~", "__ ___~" },
	};
	char in[80], want[80];
	struct lpar_caps caps;
	const char *why;
	unsigned int i, len;
	int bytes;
	u8 *buf;

	buf = kunit_kzalloc(test, BUF, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, buf);
	for (i = 0; i < ARRAY_SIZE(t); i++) {
		bytes = lpar_core_records(buf, BUF, &suite_limits, t[i].given,
					  t[i].given);
		KUNIT_ASSERT_EQ(test, lpar_caps_parse(buf, bytes, &caps, &why), 0);
		KUNIT_EXPECT_STREQ(test, caps.name, t[i].read);
		KUNIT_EXPECT_STREQ(test, caps.serial, t[i].read);
	}
	/* of any length, and the two are not mixed up */
	for (len = 0; len < 79; len++) {
		memset(in, 'x', len);
		in[len] = 0;
		memcpy(want, in, sizeof(want));
		want[LPAR_TEXT_MAX] = 0;
		bytes = lpar_core_records(buf, BUF, &suite_limits, in, "other");
		KUNIT_ASSERT_EQ(test, lpar_caps_parse(buf, bytes, &caps, &why), 0);
		KUNIT_EXPECT_STREQ(test, caps.name, want);
		KUNIT_EXPECT_STREQ(test, caps.serial, "other");
	}
}

/* A buffer of each size that is too small: refused, and nothing behind it touched. */
static void record_no_room(struct kunit *test)
{
	int size, need;
	u8 *all, *buf;

	all = kunit_kzalloc(test, BUF, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, all);
	need = lpar_core_records(all, BUF, &suite_limits, "twelve bytes", "s");
	KUNIT_ASSERT_GT(test, need, 0);
	KUNIT_ASSERT_LT(test, need, BUF - 64);
	for (size = 0; size <= need + 16; size++) {
		/* KASAN looks behind the allocation, we at what we put there */
		buf = kunit_kzalloc(test, size + 8, GFP_KERNEL);
		KUNIT_ASSERT_NOT_NULL(test, buf);
		memset(buf + size, 0xa5, 8);
		KUNIT_EXPECT_EQ_MSG(test,
				    lpar_core_records(buf, size, &suite_limits,
						      "twelve bytes", "s"),
				    size < need ? -ENOSPC : need, "size %d", size);
		KUNIT_EXPECT_EQ_MSG(test, memcmp(buf + size,
						 "\xa5\xa5\xa5\xa5\xa5\xa5\xa5\xa5",
						 8), 0, "size %d", size);
		if (size >= need)
			KUNIT_EXPECT_EQ(test, memcmp(buf, all, need), 0);
		kunit_kfree(test, buf);
	}
	/* padding does not give away what was there before */
	memset(all, 0xff, BUF);
	need = lpar_core_records(all, BUF, &suite_limits, "a", "b");
	KUNIT_EXPECT_EQ(test, memcmp(all + 8, "a\0\0\0\0\0\0", 8), 0);
	KUNIT_EXPECT_EQ(test, memcmp(all + 24, "b\0\0\0\0\0\0", 8), 0);
	KUNIT_EXPECT_EQ(test, all[need], 0xff);
}

/* -------------------------------------------------- the parser by itself */

/* Records made here, not by the host's code. */
struct stream {
	u8 *at;
	u32 len;
};

static void add(struct stream *s, u16 type, u16 len, u32 reserved, u64 min,
		u64 max, u64 cur)
{
	struct lpar_record rec = {
		.type = cpu_to_le16(type),
		.len = cpu_to_le16(len),
		.reserved = cpu_to_le32(reserved),
	};
	struct lpar_value v = {
		.min = cpu_to_le64(min),
		.max = cpu_to_le64(max),
		.cur = cpu_to_le64(cur),
	};

	memcpy(s->at + s->len, &rec, sizeof(rec));
	memcpy(s->at + s->len + sizeof(rec), &v, sizeof(v));
	s->len += sizeof(rec) + sizeof(v);
}

static void add_value(struct stream *s, u16 type, u64 value)
{
	add(s, type, 32, 0, value, value, value);
}

/* The least that a disk must say. */
static const struct {
	u16 type;
	u64 value;
} required[] = {
	{ LPAR_CAP_SECTORS, 1 << 20 },
	{ LPAR_CAP_LOGICAL_BLOCK, 512 },
	{ LPAR_CAP_MAX_TRANSFER, 65536 },
	{ LPAR_CAP_SEGMENTS, 16 },
	{ LPAR_CAP_DEPTH, 64 },
};

static struct stream stream(struct kunit *test)
{
	struct stream s = { .at = kunit_kzalloc(test, BUF, GFP_KERNEL) };

	KUNIT_ASSERT_NOT_NULL(test, s.at);
	return s;
}

/* All that is required, less one type. */
static void add_required(struct stream *s, u16 but)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(required); i++)
		if (required[i].type != but)
			add_value(s, required[i].type, required[i].value);
}

/* Parse from an allocation of just that length, so that KASAN sees a step beyond. */
static int parse(struct kunit *test, const struct stream *s, u32 len,
		 struct lpar_caps *caps)
{
	const char *why = NULL;
	void *copy;
	int err;

	copy = kunit_kzalloc(test, len ? len : 1, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, copy);
	memcpy(copy, s->at, len);
	err = lpar_caps_parse(copy, len, caps, &why);
	KUNIT_EXPECT_EQ(test, memcmp(copy, s->at, len), 0);
	kunit_kfree(test, copy);
	if (err) {
		KUNIT_EXPECT_TRUE(test, err == -EPROTO || err == -ERANGE);
		KUNIT_EXPECT_NOT_NULL(test, why);
	} else {
		why = rules_broken(caps);
		KUNIT_EXPECT_TRUE_MSG(test, !why, "%s", why ? why : "");
	}
	return err;
}

static void record_minimal(struct kunit *test)
{
	struct stream s = stream(test);
	struct lpar_caps caps;
	unsigned int i;

	add_required(&s, 0);
	KUNIT_ASSERT_EQ(test, parse(test, &s, s.len, &caps), 0);
	/* what is not offered is not taken */
	KUNIT_EXPECT_STREQ(test, caps.name, "");
	KUNIT_EXPECT_STREQ(test, caps.serial, "");
	KUNIT_EXPECT_EQ(test, caps.physical_block, 512u);
	KUNIT_EXPECT_EQ(test, caps.io_min, 512u);
	KUNIT_EXPECT_EQ(test, caps.io_opt, 0u);
	KUNIT_EXPECT_EQ(test, caps.segment_size, 4096u);
	KUNIT_EXPECT_EQ(test, caps.virt_boundary, 0u);
	KUNIT_EXPECT_EQ(test, caps.dma_alignment, 511u);
	KUNIT_EXPECT_EQ(test, caps.chunk_sectors, 0u);
	KUNIT_EXPECT_EQ(test, caps.queues, 1u);
	KUNIT_EXPECT_EQ(test, caps.depth, 64u);
	KUNIT_EXPECT_EQ(test, caps.depth_most, 64u);
	KUNIT_EXPECT_EQ(test, caps.discard_sectors, 0u);
	KUNIT_EXPECT_EQ(test, caps.zeroes_sectors, 0u);
	KUNIT_EXPECT_FALSE(test, caps.write_cache);
	KUNIT_EXPECT_FALSE(test, caps.fua);
	KUNIT_EXPECT_FALSE(test, caps.rotational);
	KUNIT_EXPECT_FALSE(test, caps.read_only);
	KUNIT_EXPECT_FALSE(test, caps.stable_writes);

	for (i = 0; i < ARRAY_SIZE(required); i++) {
		s.len = 0;
		add_required(&s, required[i].type);
		KUNIT_EXPECT_EQ_MSG(test, parse(test, &s, s.len, &caps), -ERANGE,
				    "without type %u", required[i].type);
	}
	KUNIT_EXPECT_EQ(test, parse(test, &s, 0, &caps), -ERANGE);
}

/* A host's records, cut off at each byte. */
static void record_truncated(struct kunit *test)
{
	struct stream s = stream(test);
	struct lpar_caps caps;
	u64 seen = 0, needed = 0;
	u32 len, edge = 0;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(required); i++)
		needed |= 1ull << required[i].type;
	s.len = lpar_core_records(s.at, BUF, &suite_limits, "name", "serial");
	for (len = 0; len < s.len; len++) {
		int want = -EPROTO;

		if (len == edge) {
			want = (seen & needed) == needed ? 0 : -ERANGE;
			seen |= 1ull << s.at[len];
			edge += s.at[len + 2];
		}
		KUNIT_EXPECT_EQ_MSG(test, parse(test, &s, len, &caps), want,
				    "%u bytes", len);
	}
}

/* Each record of a host with one thing wrong. */
static void record_malformed(struct kunit *test)
{
	static const u16 lens[] = {
		0, 1, 4, 7, 8, 9, 16, 24, 31, 33, 36, 40, 80, 0x7ff8, 0xfff8, 0xffff,
	};
	struct stream s = stream(test), good;
	struct lpar_caps caps;
	unsigned int i, type;
	struct lpar_record rec;
	u32 at, len;

	good = stream(test);
	good.len = lpar_core_records(good.at, BUF, &suite_limits, "n", "s");
	for (at = 0; at < good.len; at += len) {
		memcpy(&rec, good.at + at, sizeof(rec));
		len = le16_to_cpu(rec.len);
		type = le16_to_cpu(rec.type);

		memcpy(s.at, good.at, good.len);
		for (i = 0; i < 32; i++) {
			rec.reserved = cpu_to_le32(1u << i);
			memcpy(s.at + at, &rec, sizeof(rec));
			KUNIT_EXPECT_EQ_MSG(test, parse(test, &s, good.len, &caps),
					    -EPROTO, "type %u, bit %u", type, i);
		}
		rec.reserved = 0;

		for (i = 0; i < ARRAY_SIZE(lens); i++) {
			if (lens[i] == len)
				continue;
			rec.len = cpu_to_le16(lens[i]);
			memcpy(s.at + at, &rec, sizeof(rec));
			/* a text may be of any length; what follows is not */
			KUNIT_EXPECT_EQ_MSG(test, parse(test, &s, good.len, &caps),
					    -EPROTO, "type %u, length %u", type,
					    lens[i]);
		}

		/* once more at the end */
		memcpy(s.at, good.at, good.len);
		memcpy(s.at + good.len, good.at + at, len);
		KUNIT_EXPECT_EQ_MSG(test, parse(test, &s, good.len + len, &caps),
				    -EPROTO, "type %u twice", type);

		/* unknown instead */
		memcpy(&rec, good.at + at, sizeof(rec));
		rec.type = cpu_to_le16(type + 64);
		memcpy(s.at + at, &rec, sizeof(rec));
		KUNIT_EXPECT_NE_MSG(test, parse(test, &s, good.len, &caps), -EPROTO,
				    "type %u", type + 64);
	}
}

static void record_unknown(struct kunit *test)
{
	static const u16 types[] = {
		0, 3, 15, 38, 39, 63, 64, 65, 80, 81, 100, 128, 0x0110, 0x1000,
		0xffff,
	};
	struct stream s = stream(test);
	struct lpar_caps plain, caps;
	unsigned int i;

	add_required(&s, 0);
	KUNIT_ASSERT_EQ(test, parse(test, &s, s.len, &plain), 0);
	for (i = 0; i < ARRAY_SIZE(types); i++) {
		/* in front, behind, twice, of whatever length and content */
		s.len = 0;
		add(&s, types[i], 32, 0, 9, 0, ~0ull);
		add_required(&s, 0);
		add(&s, types[i], 32, 0, ~0ull, ~0ull, 0);
		s.len -= 24;
		s.at[s.len - 6] = 8;
		KUNIT_EXPECT_EQ_MSG(test, parse(test, &s, s.len, &caps), 0,
				    "type %u", types[i]);
		KUNIT_EXPECT_EQ_MSG(test, memcmp(&caps, &plain, sizeof(caps)), 0,
				    "type %u", types[i]);
		/* but they must be well-formed */
		s.at[4] = 1;
		KUNIT_EXPECT_EQ_MSG(test, parse(test, &s, s.len, &caps), -EPROTO,
				    "type %u", types[i]);
		s.at[4] = 0;
		s.at[s.len - 6] = 16;
		KUNIT_EXPECT_EQ_MSG(test, parse(test, &s, s.len, &caps), -EPROTO,
				    "type %u", types[i]);
		s.at[s.len - 6] = 12;
		KUNIT_EXPECT_EQ_MSG(test, parse(test, &s, s.len + 4, &caps),
				    -EPROTO, "type %u", types[i]);
	}
}

static void record_own_range(struct kunit *test)
{
	struct stream s = stream(test);
	struct lpar_caps caps;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(required); i++) {
		u64 v = required[i].value;
		u16 type = required[i].type;

		s.len = 0;
		add_required(&s, type);
		add(&s, type, 32, 0, 0, ~0ull, v);
		KUNIT_EXPECT_EQ(test, parse(test, &s, s.len, &caps), 0);
		s.len -= 32;
		add(&s, type, 32, 0, v + 1, ~0ull, v);
		KUNIT_EXPECT_EQ(test, parse(test, &s, s.len, &caps), -EPROTO);
		s.len -= 32;
		add(&s, type, 32, 0, 0, v - 1, v);
		KUNIT_EXPECT_EQ(test, parse(test, &s, s.len, &caps), -EPROTO);
		s.len -= 32;
		add(&s, type, 32, 0, ~0ull, 0, v);
		KUNIT_EXPECT_EQ(test, parse(test, &s, s.len, &caps), -EPROTO);
	}
}

/* A depth that is in force, and the most that may be asked for. */
static void record_depth(struct kunit *test)
{
	static const struct {
		u64 cur, max;
		u32 depth, most;
	} t[] = {
		{ 64, 64, 64, 64 }, { 64, 127, 64, 64 }, { 64, 128, 64, 128 },
		{ 65, 1023, 64, 512 }, { 64, 1024, 64, 1024 },
		{ 2000, 5000, 1024, 1024 }, { 2, ~0ull, 2, 1024 },
	};
	struct stream s = stream(test);
	struct lpar_caps caps;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(t); i++) {
		s.len = 0;
		add_required(&s, LPAR_CAP_DEPTH);
		add(&s, LPAR_CAP_DEPTH, 32, 0, 2, t[i].max, t[i].cur);
		KUNIT_EXPECT_EQ(test, parse(test, &s, s.len, &caps), 0);
		KUNIT_EXPECT_EQ_MSG(test, caps.depth, t[i].depth, "row %u", i);
		KUNIT_EXPECT_EQ_MSG(test, caps.depth_most, t[i].most, "row %u", i);
	}
}

/* Text of each length and any bytes, up to the most and beyond. */
static void record_text_lengths(struct kunit *test)
{
	struct stream s = stream(test);
	struct lpar_record rec = { .type = cpu_to_le16(LPAR_CAP_SERIAL) };
	struct lpar_caps caps;
	unsigned int len, i;

	add_required(&s, 0);
	for (len = 0; len <= 80; len += 8) {
		rec.len = cpu_to_le16(8 + len);
		memcpy(s.at + s.len, &rec, sizeof(rec));
		for (i = 0; i < len; i++)
			s.at[s.len + 8 + i] = 0x81 + i;
		KUNIT_EXPECT_EQ_MSG(test, parse(test, &s, s.len + 8 + len, &caps),
				    len > LPAR_TEXT_MAX ? -EPROTO : 0,
				    "%u bytes", len);
		if (len > LPAR_TEXT_MAX)
			continue;
		for (i = 0; i < len; i++)
			KUNIT_EXPECT_EQ(test, caps.serial[i], '_');
		KUNIT_EXPECT_EQ(test, caps.serial[len], 0);
	}
}

/* --------------------------------------------------------- plausibility */

#define FIELD(f)	offsetof(struct lpar_caps, f), \
			sizeof(((struct lpar_caps *)NULL)->f)
#define REFUSED		0, 0

/* One value among plausible ones, and what the guest makes of it. */
static const struct plausible {
	u16 type;
	u64 given;
	u32 offset, size;	/* the field; none: refused */
	u64 read;
} plausible[] = {
	{ LPAR_CAP_SECTORS, 0, FIELD(sectors), 0 },
	{ LPAR_CAP_SECTORS, 1, FIELD(sectors), 1 },
	{ LPAR_CAP_SECTORS, 1ull << 54, FIELD(sectors), 1ull << 54 },
	{ LPAR_CAP_SECTORS, (1ull << 54) + 1, REFUSED },
	{ LPAR_CAP_SECTORS, ~0ull, REFUSED },
	{ LPAR_CAP_LOGICAL_BLOCK, 0, REFUSED },
	{ LPAR_CAP_LOGICAL_BLOCK, 256, REFUSED },
	{ LPAR_CAP_LOGICAL_BLOCK, 513, REFUSED },
	{ LPAR_CAP_LOGICAL_BLOCK, 768, REFUSED },
	{ LPAR_CAP_LOGICAL_BLOCK, 1024, FIELD(logical_block), 1024 },
	{ LPAR_CAP_LOGICAL_BLOCK, 4096, FIELD(logical_block), 4096 },
	{ LPAR_CAP_LOGICAL_BLOCK, 4096, FIELD(physical_block), 4096 },
	{ LPAR_CAP_LOGICAL_BLOCK, 4096, FIELD(dma_alignment), 4095 },
	{ LPAR_CAP_LOGICAL_BLOCK, 8192, REFUSED },
	{ LPAR_CAP_LOGICAL_BLOCK, (1ull << 32) + 512, REFUSED },
	{ LPAR_CAP_PHYSICAL_BLOCK, 0, REFUSED },
	{ LPAR_CAP_PHYSICAL_BLOCK, 256, REFUSED },
	{ LPAR_CAP_PHYSICAL_BLOCK, 1536, REFUSED },
	{ LPAR_CAP_PHYSICAL_BLOCK, 4096, FIELD(physical_block), 4096 },
	{ LPAR_CAP_PHYSICAL_BLOCK, 4096, FIELD(io_min), 4096 },
	{ LPAR_CAP_PHYSICAL_BLOCK, 1 << 30, FIELD(physical_block), 1 << 30 },
	{ LPAR_CAP_PHYSICAL_BLOCK, 1ull << 31, REFUSED },
	{ LPAR_CAP_PHYSICAL_BLOCK, (1ull << 32) + 512, REFUSED },
	{ LPAR_CAP_IO_MIN, 0, FIELD(io_min), 512 },
	{ LPAR_CAP_IO_MIN, 256, FIELD(io_min), 512 },
	{ LPAR_CAP_IO_MIN, 1536, FIELD(io_min), 1536 },
	{ LPAR_CAP_IO_MIN, 1537, FIELD(io_min), 512 },
	{ LPAR_CAP_IO_MIN, 1 << 30, FIELD(io_min), 1 << 30 },
	{ LPAR_CAP_IO_MIN, (1 << 30) + 512, FIELD(io_min), 512 },
	{ LPAR_CAP_IO_MIN, 1ull << 32, FIELD(io_min), 512 },
	{ LPAR_CAP_IO_OPT, 0, FIELD(io_opt), 0 },
	{ LPAR_CAP_IO_OPT, 1536, FIELD(io_opt), 1536 },
	{ LPAR_CAP_IO_OPT, 1537, FIELD(io_opt), 0 },
	{ LPAR_CAP_IO_OPT, 1 << 30, FIELD(io_opt), 1 << 30 },
	{ LPAR_CAP_IO_OPT, (1 << 30) + 512, FIELD(io_opt), 0 },
	{ LPAR_CAP_IO_OPT, 1ull << 33, FIELD(io_opt), 0 },
	{ LPAR_CAP_MAX_TRANSFER, 0, REFUSED },
	{ LPAR_CAP_MAX_TRANSFER, 4095, REFUSED },
	{ LPAR_CAP_MAX_TRANSFER, 4096, FIELD(max_sectors), 8 },
	{ LPAR_CAP_MAX_TRANSFER, 4607, FIELD(max_sectors), 8 },
	{ LPAR_CAP_MAX_TRANSFER, 4608, FIELD(max_sectors), 9 },
	{ LPAR_CAP_MAX_TRANSFER, 1ull << 31, FIELD(max_sectors), 1 << 22 },
	{ LPAR_CAP_MAX_TRANSFER, (1ull << 31) + 512, FIELD(max_sectors), 1 << 22 },
	{ LPAR_CAP_MAX_TRANSFER, (1ull << 32) + 1, FIELD(max_sectors), 1 << 22 },
	{ LPAR_CAP_MAX_TRANSFER, ~0ull, FIELD(max_sectors), 1 << 22 },
	{ LPAR_CAP_SEGMENTS, 0, REFUSED },
	{ LPAR_CAP_SEGMENTS, 1, FIELD(segments), 1 },
	{ LPAR_CAP_SEGMENTS, 256, FIELD(segments), 256 },
	{ LPAR_CAP_SEGMENTS, 257, FIELD(segments), 256 },
	{ LPAR_CAP_SEGMENTS, 1ull << 32, FIELD(segments), 256 },
	{ LPAR_CAP_SEGMENTS, ~0ull, FIELD(segments), 256 },
	{ LPAR_CAP_SEGMENT_SIZE, 0, REFUSED },
	{ LPAR_CAP_SEGMENT_SIZE, 4095, REFUSED },
	{ LPAR_CAP_SEGMENT_SIZE, 4096, FIELD(segment_size), 4096 },
	{ LPAR_CAP_SEGMENT_SIZE, 8191, FIELD(segment_size), 4096 },
	{ LPAR_CAP_SEGMENT_SIZE, 2 << 20, FIELD(segment_size), 2 << 20 },
	{ LPAR_CAP_SEGMENT_SIZE, (2 << 20) + 4096, FIELD(segment_size), 2 << 20 },
	{ LPAR_CAP_SEGMENT_SIZE, ~0ull, FIELD(segment_size), 2 << 20 },
	{ LPAR_CAP_VIRT_BOUNDARY, 0, FIELD(virt_boundary), 0 },
	{ LPAR_CAP_VIRT_BOUNDARY, 255, REFUSED },
	{ LPAR_CAP_VIRT_BOUNDARY, 511, FIELD(virt_boundary), 511 },
	{ LPAR_CAP_VIRT_BOUNDARY, 4095, FIELD(virt_boundary), 4095 },
	{ LPAR_CAP_VIRT_BOUNDARY, 4096, REFUSED },
	{ LPAR_CAP_VIRT_BOUNDARY, 4094, REFUSED },
	{ LPAR_CAP_VIRT_BOUNDARY, (2 << 20) - 1, FIELD(virt_boundary), (2 << 20) - 1 },
	{ LPAR_CAP_VIRT_BOUNDARY, (4 << 20) - 1, REFUSED },
	{ LPAR_CAP_VIRT_BOUNDARY, (1ull << 32) - 1, REFUSED },
	{ LPAR_CAP_VIRT_BOUNDARY, ~0ull, REFUSED },
	{ LPAR_CAP_DMA_ALIGNMENT, 0, FIELD(dma_alignment), 511 },
	{ LPAR_CAP_DMA_ALIGNMENT, 3, FIELD(dma_alignment), 511 },
	{ LPAR_CAP_DMA_ALIGNMENT, 4, REFUSED },
	{ LPAR_CAP_DMA_ALIGNMENT, 1023, FIELD(dma_alignment), 1023 },
	{ LPAR_CAP_DMA_ALIGNMENT, 4095, FIELD(dma_alignment), 4095 },
	{ LPAR_CAP_DMA_ALIGNMENT, 8191, REFUSED },
	{ LPAR_CAP_DMA_ALIGNMENT, (1ull << 33) - 1, REFUSED },
	{ LPAR_CAP_DMA_ALIGNMENT, ~0ull, REFUSED },
	{ LPAR_CAP_CHUNK, 0, FIELD(chunk_sectors), 0 },
	{ LPAR_CAP_CHUNK, 512, REFUSED },
	{ LPAR_CAP_CHUNK, 3584, REFUSED },
	{ LPAR_CAP_CHUNK, 4096, FIELD(chunk_sectors), 8 },
	{ LPAR_CAP_CHUNK, 4097, REFUSED },
	{ LPAR_CAP_CHUNK, 4608, FIELD(chunk_sectors), 9 },
	{ LPAR_CAP_CHUNK, 1ull << 31, FIELD(chunk_sectors), 1 << 22 },
	{ LPAR_CAP_CHUNK, (1ull << 32) + 512, REFUSED },
	{ LPAR_CAP_QUEUES, 0, REFUSED },
	{ LPAR_CAP_QUEUES, 1, FIELD(queues), 1 },
	{ LPAR_CAP_QUEUES, 128, FIELD(queues), 128 },
	{ LPAR_CAP_QUEUES, 129, FIELD(queues), 128 },
	{ LPAR_CAP_QUEUES, 1ull << 32, FIELD(queues), 128 },
	{ LPAR_CAP_DEPTH, 0, REFUSED },
	{ LPAR_CAP_DEPTH, 1, REFUSED },
	{ LPAR_CAP_DEPTH, 2, FIELD(depth), 2 },
	{ LPAR_CAP_DEPTH, 3, FIELD(depth), 2 },
	{ LPAR_CAP_DEPTH, 1023, FIELD(depth), 512 },
	{ LPAR_CAP_DEPTH, 1024, FIELD(depth), 1024 },
	{ LPAR_CAP_DEPTH, 1025, FIELD(depth), 1024 },
	{ LPAR_CAP_DEPTH, ~0ull, FIELD(depth), 1024 },
	{ LPAR_CAP_DISCARD, 0, FIELD(discard_sectors), 0 },
	{ LPAR_CAP_DISCARD, 511, FIELD(discard_sectors), 0 },
	{ LPAR_CAP_DISCARD, 512, FIELD(discard_sectors), 1 },
	{ LPAR_CAP_DISCARD, 1023, FIELD(discard_sectors), 1 },
	{ LPAR_CAP_DISCARD, 1023, FIELD(discard_grain), 512 },
	{ LPAR_CAP_DISCARD, ~0ull, FIELD(discard_sectors), 1 << 22 },
	{ LPAR_CAP_DISCARD_GRAIN, 4096, FIELD(discard_grain), 0 },
	{ LPAR_CAP_DISCARD_ALIGN, 4096, FIELD(discard_align), 0 },
	{ LPAR_CAP_WRITE_ZEROES, 0, FIELD(zeroes_sectors), 0 },
	{ LPAR_CAP_WRITE_ZEROES, 1023, FIELD(zeroes_sectors), 1 },
	{ LPAR_CAP_WRITE_ZEROES, (1ull << 32) + 512, FIELD(zeroes_sectors), 1 << 22 },
	{ LPAR_CAP_WRITE_CACHE, 1, FIELD(write_cache), 1 },
	{ LPAR_CAP_WRITE_CACHE, 256, FIELD(write_cache), 1 },
	{ LPAR_CAP_FUA, 1, FIELD(fua), 0 },
	{ LPAR_CAP_ROTATIONAL, 1ull << 32, FIELD(rotational), 1 },
	{ LPAR_CAP_READ_ONLY, 1ull << 63, FIELD(read_only), 1 },
	{ LPAR_CAP_STABLE_WRITES, 1ull << 33, FIELD(stable_writes), 1 },
};

static void plausible_name(const struct plausible *p, char *name)
{
	snprintf(name, KUNIT_PARAM_DESC_SIZE, "type %u: %llu, field at %u", p->type,
		 (unsigned long long)p->given, p->offset);
}

KUNIT_ARRAY_PARAM(plausible, plausible, plausible_name);

static u64 field(const struct lpar_caps *caps, u32 offset, u32 size)
{
	const u8 *at = (const u8 *)caps + offset;
	u64 v64;
	u32 v32;

	switch (size) {
	case 1:
		return *at;
	case 4:
		memcpy(&v32, at, sizeof(v32));
		return v32;
	default:
		memcpy(&v64, at, sizeof(v64));
		return v64;
	}
}

static void record_plausible(struct kunit *test)
{
	const struct plausible *p = test->param_value;
	struct stream s = stream(test);
	struct lpar_caps caps;
	int err;

	add_required(&s, p->type);
	add_value(&s, p->type, p->given);
	err = parse(test, &s, s.len, &caps);
	KUNIT_EXPECT_EQ(test, err, p->size ? 0 : -ERANGE);
	if (!err && p->size)
		KUNIT_EXPECT_EQ(test, field(&caps, p->offset, p->size), p->read);
}

/* Values that are plausible only with others. */
static void record_together(struct kunit *test)
{
	static const struct {
		struct {
			u16 type;
			u64 value;
		} v[4];
		u32 offset, size;
		u64 read;
	} t[] = {
		{ { { LPAR_CAP_PHYSICAL_BLOCK, 4096 }, { LPAR_CAP_CHUNK, 6144 } }, REFUSED },
		{ { { LPAR_CAP_PHYSICAL_BLOCK, 4096 }, { LPAR_CAP_CHUNK, 12288 } },
		  FIELD(chunk_sectors), 24 },
		{ { { LPAR_CAP_PHYSICAL_BLOCK, 4096 }, { LPAR_CAP_IO_MIN, 512 } },
		  FIELD(io_min), 4096 },
		{ { { LPAR_CAP_PHYSICAL_BLOCK, 4096 }, { LPAR_CAP_IO_MIN, 6144 } },
		  FIELD(io_min), 4096 },
		{ { { LPAR_CAP_PHYSICAL_BLOCK, 4096 }, { LPAR_CAP_WRITE_ZEROES, 8191 } },
		  FIELD(zeroes_sectors), 8 },
		{ { { LPAR_CAP_PHYSICAL_BLOCK, 4096 }, { LPAR_CAP_DISCARD, 4095 } },
		  FIELD(discard_sectors), 0 },
		{ { { LPAR_CAP_DISCARD, 65535 }, { LPAR_CAP_DISCARD_GRAIN, 4096 } },
		  FIELD(discard_sectors), 120 },
		{ { { LPAR_CAP_DISCARD, 65536 }, { LPAR_CAP_DISCARD_GRAIN, 65536 } },
		  FIELD(discard_grain), 65536 },
		{ { { LPAR_CAP_DISCARD, 65536 }, { LPAR_CAP_DISCARD_GRAIN, 131072 } },
		  FIELD(discard_sectors), 0 },
		{ { { LPAR_CAP_DISCARD, 65536 }, { LPAR_CAP_DISCARD_GRAIN, 6144 } },
		  FIELD(discard_sectors), 0 },
		{ { { LPAR_CAP_DISCARD, 65536 }, { LPAR_CAP_DISCARD_GRAIN, 1ull << 32 } },
		  FIELD(discard_sectors), 0 },
		{ { { LPAR_CAP_DISCARD, 65536 }, { LPAR_CAP_DISCARD_GRAIN, 4096 },
		    { LPAR_CAP_DISCARD_ALIGN, 3584 } }, FIELD(discard_align), 3584 },
		{ { { LPAR_CAP_DISCARD, 65536 }, { LPAR_CAP_DISCARD_GRAIN, 4096 },
		    { LPAR_CAP_DISCARD_ALIGN, 4096 } }, FIELD(discard_sectors), 0 },
		{ { { LPAR_CAP_DISCARD, 65536 }, { LPAR_CAP_DISCARD_GRAIN, 4096 },
		    { LPAR_CAP_DISCARD_ALIGN, 100 } }, FIELD(discard_sectors), 0 },
		{ { { LPAR_CAP_WRITE_CACHE, 1 }, { LPAR_CAP_FUA, 1 } }, FIELD(fua), 1 },
		{ { { LPAR_CAP_WRITE_CACHE, 0 }, { LPAR_CAP_FUA, 1 } }, FIELD(fua), 0 },
	};
	struct stream s = stream(test);
	struct lpar_caps caps;
	unsigned int i, j;
	int err;

	for (i = 0; i < ARRAY_SIZE(t); i++) {
		s.len = 0;
		add_required(&s, 0);
		for (j = 0; j < 4 && t[i].v[j].type; j++)
			add_value(&s, t[i].v[j].type, t[i].v[j].value);
		err = parse(test, &s, s.len, &caps);
		KUNIT_EXPECT_EQ_MSG(test, err, t[i].size ? 0 : -ERANGE, "row %u", i);
		if (!err && t[i].size)
			KUNIT_EXPECT_EQ_MSG(test, field(&caps, t[i].offset,
							t[i].size),
					    t[i].read, "row %u", i);
	}
	/* a capacity of whole blocks */
	s.len = 0;
	add_value(&s, LPAR_CAP_SECTORS, 1 << 20 | 4);
	add_value(&s, LPAR_CAP_LOGICAL_BLOCK, 4096);
	add_value(&s, LPAR_CAP_MAX_TRANSFER, 65536 + 512);
	add_value(&s, LPAR_CAP_SEGMENTS, 16);
	add_value(&s, LPAR_CAP_DEPTH, 64);
	KUNIT_EXPECT_EQ(test, parse(test, &s, s.len, &caps), -ERANGE);
	s.at[8] = s.at[16] = s.at[24] = 8;
	KUNIT_EXPECT_EQ(test, parse(test, &s, s.len, &caps), 0);
	KUNIT_EXPECT_EQ(test, caps.max_sectors, 128u);
}

/* A host's records with some bytes changed: refused or plausible, never else. */
static void record_random(struct kunit *test)
{
	struct stream s = stream(test), good = stream(test);
	struct lpar_caps caps;
	u64 state = 1;
	unsigned int i, n, ok = 0;

	good.len = lpar_core_records(good.at, BUF, &suite_limits, "name", "serial");
	for (i = 0; i < 300; i++) {
		memcpy(s.at, good.at, good.len);
		for (n = suite_random(&state) % 4 + 1; n; n--)
			s.at[suite_random(&state) % good.len] =
				suite_random(&state) & 1 ? 0 : suite_random(&state);
		ok += !parse(test, &s, good.len, &caps);
	}
	/* both happen */
	KUNIT_EXPECT_GT(test, ok, 10u);
	KUNIT_EXPECT_LT(test, ok, 290u);
}

/* What makes another disk, and what only changes one. */
static void record_foreign(struct kunit *test)
{
	const struct lpar_caps known = {
		.name = "d0",
		.serial = "S1",
		.sectors = 4096,
		.logical_block = 512,
	};
	struct lpar_caps found = known;

	KUNIT_EXPECT_NULL(test, lpar_caps_foreign(&known, &found));
	found.max_sectors = 8;
	found.read_only = true;
	KUNIT_EXPECT_NULL(test, lpar_caps_foreign(&known, &found));

	found.sectors = 8192;
	KUNIT_EXPECT_STREQ(test, lpar_caps_foreign(&known, &found), "capacity");
	found.sectors = 2048;
	KUNIT_EXPECT_STREQ(test, lpar_caps_foreign(&known, &found), "capacity");
	found.logical_block = 4096;
	KUNIT_EXPECT_STREQ(test, lpar_caps_foreign(&known, &found), "block size");
	found = known;
	strcpy(found.serial, "S1+");
	KUNIT_EXPECT_STREQ(test, lpar_caps_foreign(&known, &found), "serial number");
	found.serial[0] = 0;
	KUNIT_EXPECT_STREQ(test, lpar_caps_foreign(&known, &found), "serial number");
	found = known;
	strcpy(found.name, "d1");
	KUNIT_EXPECT_STREQ(test, lpar_caps_foreign(&known, &found), "name");
}

static struct kunit_case record_cases[] = {
	KUNIT_CASE(record_round_trip),
	KUNIT_CASE(record_large),
	KUNIT_CASE(record_text),
	KUNIT_CASE(record_no_room),
	KUNIT_CASE(record_minimal),
	KUNIT_CASE(record_truncated),
	KUNIT_CASE(record_malformed),
	KUNIT_CASE(record_unknown),
	KUNIT_CASE(record_own_range),
	KUNIT_CASE(record_depth),
	KUNIT_CASE(record_text_lengths),
	KUNIT_CASE_PARAM(record_plausible, plausible_gen_params),
	KUNIT_CASE(record_together),
	KUNIT_CASE(record_random),
	KUNIT_CASE(record_foreign),
	{}
};

static struct kunit_suite record_suite = {
	.name = "lpar_record",
	.test_cases = record_cases,
};
kunit_test_suite(record_suite);
