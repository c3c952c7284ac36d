// SPDX-License-Identifier: GPL-2.0
/* A client's security associations, and the frames that are to be encrypted by them. */
#include "nic_suite.h"

/* --------------------------------------------------------------------- SAs */

static struct lpar_sa *legal_sa(struct kunit *test)
{
	struct lpar_sa *sa = kunit_kzalloc(test, sizeof(*sa), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, sa);
	sa->spi = cpu_to_le32(0x12345678);
	sa->icv = 16;
	sa->key_len = 20;
	memset(sa->key, 0x5a, 20);
	memset(sa->src, 0x5b, 4);
	memset(sa->dst, 0x5c, 4);
	return sa;
}

/* See that nothing is changed. */
static enum lpar_status check_sa(struct kunit *test, const struct lpar_sa *sa)
{
	struct lpar_sa before = *sa;
	enum lpar_status st = lpar_core_sa(sa);

	KUNIT_EXPECT_EQ(test, memcmp(sa, &before, sizeof(before)), 0);
	return st;
}

/* Each field with all that it can hold. */
static void ipsec_sa_fields(struct kunit *test)
{
	struct lpar_sa *sa = legal_sa(test), good = *sa;
	unsigned int i;

	KUNIT_EXPECT_EQ(test, check_sa(test, sa), LPAR_OK);
	for (i = 0; i < 32; i++) {
		sa->spi = cpu_to_le32(1u << i);
		KUNIT_EXPECT_EQ_MSG(test, check_sa(test, sa), LPAR_OK, "SPI bit %u", i);
	}
	sa->spi = cpu_to_le32(~0u);
	KUNIT_EXPECT_EQ(test, check_sa(test, sa), LPAR_OK);
	sa->spi = 0;
	KUNIT_EXPECT_EQ(test, check_sa(test, sa), LPAR_INVAL);
	*sa = good;
	for (i = 0; i < 256; i++) {
		sa->flags = i;
		KUNIT_EXPECT_EQ_MSG(test, check_sa(test, sa), i < 8 ? LPAR_OK : LPAR_INVAL,
				    "flags %#x", i);
		*sa = good;
		sa->icv = i;
		KUNIT_EXPECT_EQ_MSG(test, check_sa(test, sa),
				    i == 8 || i == 12 || i == 16 ? LPAR_OK : LPAR_INVAL,
				    "check value of %u", i);
		*sa = good;
		sa->reserved = i;
		KUNIT_EXPECT_EQ_MSG(test, check_sa(test, sa), i ? LPAR_INVAL : LPAR_OK,
				    "reserved %#x", i);
		/* a key that is zero fits all lengths */
		*sa = good;
		memset(sa->key, 0, sizeof(sa->key));
		sa->key_len = i;
		KUNIT_EXPECT_EQ_MSG(test, check_sa(test, sa),
				    i == 20 || i == 28 || i == 36 ? LPAR_OK : LPAR_INVAL,
				    "key of %u", i);
		*sa = good;
	}
}

/* Behind the key, and behind IPv4's addresses, each bit is zero. */
static void ipsec_sa_tails(struct kunit *test)
{
	static const u8 lengths[] = { 20, 28, 36 };
	struct lpar_sa *sa = legal_sa(test), good;
	unsigned int i, bit, flags, most;
	enum lpar_status want;

	for (i = 0; i < ARRAY_SIZE(lengths); i++) {
		memset(sa->key, 0, sizeof(sa->key));
		sa->key_len = lengths[i];
		for (bit = 0; bit < 8 * sizeof(sa->key); bit++) {
			sa->key[bit / 8] = 1u << bit % 8;
			want = bit / 8 < lengths[i] ? LPAR_OK : LPAR_INVAL;
			KUNIT_EXPECT_EQ_MSG(test, check_sa(test, sa), want, "key of %u, bit %u",
					    lengths[i], bit);
			sa->key[bit / 8] = 0;
		}
	}
	good = *sa;
	for (flags = 0; flags < 8; flags++) {
		sa->flags = flags;
		most = flags & LPAR_SA_IPV6 ? 16 : 4;
		for (bit = 0; bit < 8 * 16; bit++) {
			want = bit / 8 < most ? LPAR_OK : LPAR_INVAL;
			sa->src[bit / 8] ^= 1u << bit % 8;
			KUNIT_EXPECT_EQ_MSG(test, check_sa(test, sa), want,
					    "flags %u, source bit %u", flags, bit);
			memcpy(sa->src, good.src, sizeof(sa->src));
			sa->dst[bit / 8] ^= 1u << bit % 8;
			KUNIT_EXPECT_EQ_MSG(test, check_sa(test, sa), want,
					    "flags %u, destination bit %u", flags, bit);
			memcpy(sa->dst, good.dst, sizeof(sa->dst));
		}
	}
}

/* --------------------------------------------------------------------- ESP */

/* The columns: IPv4, with 4 and with 40 bytes of options, IPv6. */
#define IP4	1u
#define OPT	2u
#define OPTS	4u
#define IP6	8u
#define V4	(IP4 | OPT | OPTS)
#define ANY	(V4 | IP6)

static const u8 icvs[] = { 8, 12, 16 };

/* A frame, and the SA that it is looked at by. */
struct esp {
	u16 type, frag, total;	/* total: what IP says that it has */
	u8 version, proto, pad, inner, hops;
	u8 fill;		/* payload and padding */
	u16 at;			/* where ESP's header is */
	u32 spi, seq, len;
	u32 room;		/* bytes of payload and padding */
	u32 sa_spi, sa_icv;
	bool sa_ipv6;
};

static void set_len(struct esp *e, u32 kind, u32 room)
{
	e->room = room;
	e->len = e->at + 16 + room + 2 + e->sa_icv;
	e->total = e->len - (kind == IP6 ? 54 : 14);
}

static void legal_esp(struct esp *e, u32 kind, u32 icv)
{
	memset(e, 0, sizeof(*e));
	e->type = kind == IP6 ? 0x86dd : 0x0800;
	e->version = kind == IP6 ? 0x60 : kind == OPTS ? 0x4f : kind == OPT ? 0x46 : 0x45;
	e->proto = 50;
	e->hops = 64;
	e->at = kind == IP6 ? 54 : 14 + (e->version & 15) * 4;
	e->spi = 0x87654321;
	e->seq = 0xfedcba98;
	e->inner = 0x29;
	e->pad = 2;
	e->fill = 0xee;
	e->sa_spi = e->spi;
	e->sa_icv = icv;
	e->sa_ipv6 = kind == IP6;
	set_len(e, kind, 40);
}

static void put(u8 *data, u32 len, u32 at, u8 value)
{
	if (at < len)
		data[at] = value;
}

static void put32(u8 *data, u32 len, u32 at, u32 value)
{
	u32 i;

	for (i = 0; i < 4; i++)
		put(data, len, at + i, value >> (24 - 8 * i));
}

/*
 * As @e says, but that it ends at @len; in memory of just its size: the sanitizer sees a
 * step beyond.
 */
static enum lpar_status look(struct kunit *test, const struct esp *e, u32 kind, u32 len)
{
	u8 *all = kunit_kzalloc(test, len + 1, GFP_KERNEL), *data = all + 1;
	u32 end = e->at + 16 + e->room, i;
	struct lpar_esp out = {};
	enum lpar_status st;

	KUNIT_ASSERT_NOT_NULL(test, all);
	put(data, len, 12, e->type >> 8);
	put(data, len, 13, e->type);
	put(data, len, 14, e->version);
	if (kind == IP6) {
		put(data, len, 18, e->total >> 8);
		put(data, len, 19, e->total);
		put(data, len, 20, e->proto);
		put(data, len, 21, e->hops);
	} else {
		put(data, len, 16, e->total >> 8);
		put(data, len, 17, e->total);
		put(data, len, 20, e->frag >> 8);
		put(data, len, 21, e->frag);
		put(data, len, 22, e->hops);
		put(data, len, 23, e->proto);
	}
	put32(data, len, e->at, e->spi);
	put32(data, len, e->at + 4, e->seq);
	for (i = e->at + 8; i < e->len; i++)
		put(data, len, i, e->fill);
	put(data, len, end, e->pad);
	put(data, len, end + 1, e->inner);
	st = lpar_core_esp(data, len, e->sa_spi, e->sa_ipv6, e->sa_icv, &out);
	if (st == LPAR_OK) {
		KUNIT_EXPECT_EQ(test, out.at, e->at);
		KUNIT_EXPECT_EQ(test, out.seq, e->seq);
		KUNIT_EXPECT_EQ(test, out.inner, len == e->len ? e->inner : e->fill);
	}
	kunit_kfree(test, all);
	return st;
}

struct esp_row {
	const char *name;
	u32 kinds;
	struct patch patch[4];
	enum lpar_status want;
};

#define HAS(field, v)	{ offsetof(struct esp, field),			\
			  sizeof(((struct esp *)NULL)->field), v }

static const struct esp_row esp_rows[] = {
	{ "legal", ANY, {}, O },
	{ "no padding", ANY, { HAS(pad, 0) }, O },
	{ "padding alone", ANY, { HAS(pad, 40) }, O },
	{ "more padding", ANY, { HAS(pad, 41) }, I },
	{ "most padding", ANY, { HAS(pad, 255) }, I },
	{ "the other family's SA", V4, { HAS(sa_ipv6, 1) }, I },
	{ "the other family's SA", IP6, { HAS(sa_ipv6, 0) }, I },
	{ "the other IP", V4, { HAS(type, 0x86dd) }, I },
	{ "the other IP", IP6, { HAS(type, 0x0800) }, I },
	{ "the other IP, and its SA", V4, { HAS(type, 0x86dd), HAS(sa_ipv6, 1) }, I },
	{ "the other IP, and its SA", IP6, { HAS(type, 0x0800), HAS(sa_ipv6, 0) }, I },
	{ "another protocol", ANY, { HAS(type, 0x88b5) }, I },
	{ "a tag", ANY, { HAS(type, 0x8100) }, I },
	{ "the type's bytes swapped", V4, { HAS(type, 0x0008) }, I },
	{ "the type's bytes swapped", IP6, { HAS(type, 0xdd86) }, I },
	{ "version 0", ANY, { HAS(version, 0x05) }, I },
	{ "version 5", ANY, { HAS(version, 0x55) }, I },
	{ "version 6 of 4", V4, { HAS(version, 0x65) }, I },
	{ "version 4 of 6", IP6, { HAS(version, 0x45) }, I },
	{ "a traffic class", IP6, { HAS(version, 0x6f) }, O },
	{ "a header of 16 bytes", V4, { HAS(version, 0x44) }, I },
	{ "a header of 16 bytes, and ESP there", IP4, { HAS(version, 0x44), HAS(at, 30) }, I },
	{ "a header of nothing", V4, { HAS(version, 0x40) }, I },
	{ "options that are not there", IP4 | OPT, { HAS(version, 0x47) }, I },
	{ "options that are not said", OPT | OPTS, { HAS(version, 0x45) }, I },
	{ "do not fragment", V4, { HAS(frag, 0x4000) }, O },
	{ "a reserved bit", V4, { HAS(frag, 0x8000) }, O },
	{ "more fragments", V4, { HAS(frag, 0x2000) }, I },
	{ "a fragment", V4, { HAS(frag, 1) }, I },
	{ "a late fragment", V4, { HAS(frag, 0x1000) }, I },
	{ "AH", ANY, { HAS(proto, 51) }, I },
	{ "UDP", ANY, { HAS(proto, 17) }, I },
	{ "protocol 0", ANY, { HAS(proto, 0) }, I },
	{ "ESP where the hop limit is", ANY, { HAS(proto, 6), HAS(hops, 50) }, I },
	{ "no length", ANY, { HAS(total, 0) }, I },
	{ "the longest length", ANY, { HAS(total, 0xffff) }, I },
	{ "the SPI 0", ANY, { HAS(spi, 0) }, I },
	{ "the SPI's bytes swapped", ANY, { HAS(spi, 0x21436587) }, I },
	{ "sequence number and SPI", ANY, { HAS(spi, 0xfedcba98), HAS(seq, 0x87654321) }, I },
	{ "an inner packet of the other IP", ANY, { HAS(inner, 4) }, O },
	{ "a dummy", ANY, { HAS(inner, 59) }, O },
};

static void esp_name(const struct esp_row *row, char *name)
{
	snprintf(name, KUNIT_PARAM_DESC_SIZE, "%s", row->name);
}

KUNIT_ARRAY_PARAM(esp_rows, esp_rows, esp_name);

static void ipsec_esp_matrix(struct kunit *test)
{
	const struct esp_row *row = test->param_value;
	struct esp e;
	u32 kind, i;

	for (kind = IP4; kind <= IP6; kind *= 2)
		for (i = 0; i < ARRAY_SIZE(icvs); i++) {
			if (!(row->kinds & kind))
				continue;
			legal_esp(&e, kind, icvs[i]);
			apply(&e, row->patch, ARRAY_SIZE(row->patch));
			KUNIT_EXPECT_EQ_MSG(test, look(test, &e, kind, e.len), row->want,
					    "kind %u, check value of %u", kind, icvs[i]);
		}
}

/* Each bit of what must be so, and each value of what is told. */
static void ipsec_esp_bits(struct kunit *test)
{
	struct esp e;
	u32 kind, i;

	for (kind = IP4; kind <= IP6; kind *= 2) {
		for (i = 0; i < 32; i++) {
			legal_esp(&e, kind, 16);
			e.spi ^= 1u << i;
			KUNIT_EXPECT_EQ_MSG(test, look(test, &e, kind, e.len), LPAR_INVAL,
					    "kind %u, SPI bit %u", kind, i);
			e.sa_spi = e.spi;
			e.seq = 1u << i;
			KUNIT_EXPECT_EQ_MSG(test, look(test, &e, kind, e.len), LPAR_OK,
					    "kind %u, sequence bit %u", kind, i);
		}
		for (i = 0; i < 16; i++) {
			legal_esp(&e, kind, 16);
			e.type ^= 1u << i;
			KUNIT_EXPECT_EQ_MSG(test, look(test, &e, kind, e.len), LPAR_INVAL,
					    "kind %u, type bit %u", kind, i);
			legal_esp(&e, kind, 16);
			e.total ^= 1u << i;
			KUNIT_EXPECT_EQ_MSG(test, look(test, &e, kind, e.len), LPAR_INVAL,
					    "kind %u, length bit %u", kind, i);
			legal_esp(&e, kind, 16);
			e.frag = 1u << i;
			KUNIT_EXPECT_EQ_MSG(test, look(test, &e, kind, e.len),
					    kind == IP6 || i > 13 ? LPAR_OK : LPAR_INVAL,
					    "kind %u, fragment bit %u", kind, i);
		}
		for (i = 0; i < 256; i++) {
			legal_esp(&e, kind, 12);
			e.inner = i;
			KUNIT_EXPECT_EQ_MSG(test, look(test, &e, kind, e.len), LPAR_OK,
					    "kind %u, %u within", kind, i);
			e.proto = i;
			KUNIT_EXPECT_EQ_MSG(test, look(test, &e, kind, e.len),
					    i == 50 ? LPAR_OK : LPAR_INVAL,
					    "kind %u, protocol %u", kind, i);
		}
	}
}

/* Cut off at each length, which its header knows of or not; @fill is then its padding. */
static void ipsec_esp_lengths(struct kunit *test)
{
	static const u8 fills[] = { 0, 40, 0xff };
	u32 kind, i, j, len, least, fixed;
	enum lpar_status want;
	struct esp e;

	for (kind = IP4; kind <= IP6; kind *= 2)
	for (i = 0; i < ARRAY_SIZE(icvs); i++)
	for (j = 0; j < ARRAY_SIZE(fills); j++) {
		legal_esp(&e, kind, icvs[i]);
		e.fill = fills[j];
		e.inner = e.fill;
		e.pad = e.fill;
		set_len(&e, kind, 45);
		least = e.at + 8 + 8 + 2 + icvs[i];
		fixed = kind == IP6 ? 54 : 14;
		for (len = 0; len < e.len; len++)
			KUNIT_EXPECT_EQ_MSG(test, look(test, &e, kind, len), LPAR_INVAL,
					    "kind %u, check value of %u, %u of %u", kind,
					    icvs[i], len, e.len);
		for (len = 0; len <= e.len; len++) {
			e.total = len < fixed ? 0 : len - fixed;
			want = len >= least + e.fill ? LPAR_OK : LPAR_INVAL;
			KUNIT_EXPECT_EQ_MSG(test, look(test, &e, kind, len), want,
					    "kind %u, check value of %u, %u and no more, %u",
					    kind, icvs[i], len, e.fill);
		}
	}
}

/* As much padding as there is room for, and one more. */
static void ipsec_esp_padding(struct kunit *test)
{
	u32 kind, i, room;
	struct esp e;

	for (kind = IP4; kind <= IP6; kind *= 2)
	for (i = 0; i < ARRAY_SIZE(icvs); i++)
	for (room = 0; room <= 300; room++) {
		legal_esp(&e, kind, icvs[i]);
		set_len(&e, kind, room);
		e.pad = room < 255 ? room : 255;
		KUNIT_EXPECT_EQ_MSG(test, look(test, &e, kind, e.len), LPAR_OK,
				    "kind %u, check value of %u, %u bytes", kind, icvs[i],
				    room);
		if (room >= 255)
			continue;
		e.pad = room + 1;
		KUNIT_EXPECT_EQ_MSG(test, look(test, &e, kind, e.len), LPAR_INVAL,
				    "kind %u, check value of %u, %u bytes and one", kind,
				    icvs[i], room);
		e.pad = 255;
		KUNIT_EXPECT_EQ(test, look(test, &e, kind, e.len), LPAR_INVAL);
	}
}

/* Longer than a length can say. */
static void ipsec_esp_long(struct kunit *test)
{
	struct esp e;
	u32 most;

	legal_esp(&e, IP4, 16);
	most = 65535 - 20 - 16 - 18;
	set_len(&e, IP4, most);
	KUNIT_EXPECT_EQ(test, look(test, &e, IP4, e.len), LPAR_OK);
	set_len(&e, IP4, most + 1);
	KUNIT_EXPECT_EQ(test, e.total, 0);
	KUNIT_EXPECT_EQ(test, look(test, &e, IP4, e.len), LPAR_INVAL);
	legal_esp(&e, IP6, 16);
	most = 65535 - 16 - 18;
	set_len(&e, IP6, most);
	KUNIT_EXPECT_EQ(test, look(test, &e, IP6, e.len), LPAR_OK);
	set_len(&e, IP6, most + 1);
	KUNIT_EXPECT_EQ(test, e.total, 0);
	KUNIT_EXPECT_EQ(test, look(test, &e, IP6, e.len), LPAR_INVAL);
}

static struct kunit_case ipsec_cases[] = {
	KUNIT_CASE(ipsec_sa_fields),
	KUNIT_CASE(ipsec_sa_tails),
	KUNIT_CASE_PARAM(ipsec_esp_matrix, esp_rows_gen_params),
	KUNIT_CASE(ipsec_esp_bits),
	KUNIT_CASE(ipsec_esp_lengths),
	KUNIT_CASE(ipsec_esp_padding),
	KUNIT_CASE(ipsec_esp_long),
	{}
};

static struct kunit_suite ipsec_suite = {
	.name = "lpar_ipsec",
	.test_cases = ipsec_cases,
};
kunit_test_suite(ipsec_suite);
