// SPDX-License-Identifier: GPL-2.0
/* A frame's headers against what its submission says of them. */
#include "nic_suite.h"

/* A frame's first bytes, and what is said of it. */
struct pack {
	u64 dest;
	u64 src;
	u16 type, frag, at;	/* at: where the transport header is */
	u8 version, proto, doff;
	bool vlan;
	u32 have;		/* 0: just the headers */
	struct lpar_frame f;
	struct lpar_nic_limits lim;
};

#define TCP4	1u
#define TCP6	2u
#define UDP4	4u
#define UDP6	8u
#define V4	(TCP4 | UDP4)
#define V6	(TCP6 | UDP6)
#define TCP	(TCP4 | TCP6)
#define UDP	(UDP4 | UDP6)
#define ANY	(V4 | V6)

/*
 * The columns: as it is; a checksum by an adapter that does all, one that does just
 * those of this version of IP; to segment.
 */
enum { M_PLAIN, M_ALL, M_IP, M_GSO, MODES };

static void legal_pack(struct pack *p, u32 kind, unsigned int mode)
{
	bool six = kind & V6, tcp = kind & TCP;

	memset(p, 0, sizeof(*p));
	p->lim = suite_nic;
	p->dest = 0x021234567890;
	p->src = p->lim.mac;
	p->type = six ? 0x86dd : 0x0800;
	p->version = six ? 0x60 : 0x45;
	p->proto = tcp ? 6 : 17;
	p->at = six ? 54 : 34;
	p->doff = 5;
	p->f.headers = p->at + (tcp ? 20 : 8);
	p->f.len = 1514;
	p->f.nsegs = 1;
	if (mode == M_PLAIN)
		return;
	p->f.flags = LPAR_NET_CSUM;
	p->f.csum_start = p->at;
	p->f.csum_offset = tcp ? 16 : 6;
	if (mode == M_IP) {
		p->lim.tx_csum = false;
		p->lim.tx_csum4 = !six;
		p->lim.tx_csum6 = six;
	}
	if (mode == M_GSO) {
		p->f.gso_size = 1000;
		p->f.gso_type = !tcp ? LPAR_GSO_UDP :
				six ? LPAR_GSO_TCP6 : LPAR_GSO_TCP4;
	}
}

static void put(u8 *data, u32 have, u32 at, u8 value)
{
	if (at < have)
		data[at] = value;
}

/* In memory of just its size: the sanitizer sees a step beyond. */
static enum lpar_status look(struct kunit *test, const struct pack *p, bool six)
{
	u32 have = p->have ?: p->f.headers;
	u8 *data = kunit_kzalloc(test, have, GFP_KERNEL);
	struct lpar_frame f = p->f;
	enum lpar_status st;
	u8 mac[6];
	u32 i;

	KUNIT_ASSERT_NOT_NULL(test, data);
	f.flags |= p->vlan ? LPAR_NET_VLAN : 0;
	lpar_core_mac_bytes(p->dest, mac);
	for (i = 0; i < 6; i++)
		put(data, have, i, mac[i]);
	lpar_core_mac_bytes(p->src, mac);
	for (i = 0; i < 6; i++)
		put(data, have, 6 + i, mac[i]);
	put(data, have, 12, p->type >> 8);
	put(data, have, 13, p->type);
	put(data, have, 14, p->version);
	if (!six) {
		put(data, have, 20, p->frag >> 8);
		put(data, have, 21, p->frag);
	}
	put(data, have, six ? 20 : 23, p->proto);
	put(data, have, p->at + 12, p->doff << 4 | 0xf);
	st = lpar_core_headers(data, have, &f, &p->lim);
	kunit_kfree(test, data);
	return st;
}

/* @want: of M_PLAIN, M_ALL, M_IP, M_GSO */
struct pack_row {
	const char *name;
	u32 kinds;
	struct patch patch[6];
	u8 want[MODES];
};

#define HAS(field, v)	{ offsetof(struct pack, field),			\
			  sizeof(((struct pack *)NULL)->field), v }
#define TRUSTED		HAS(lim.trusted, 1)
#define HEADERS(n)	HAS(f.headers, n)

static const struct pack_row pack_rows[] = {
	{ "legal", ANY, {}, ALL(O) },
	{ "more bytes than headers", ANY, { HAS(have, 200) }, ALL(O) },
	{ "an Ethernet header short of a byte", ANY, { HAS(have, 13) }, ALL(I) },
	{ "one byte", ANY, { HAS(have, 1) }, ALL(I) },
	{ "a byte short", TCP4, { HAS(have, 53) }, ALL(I) },
	{ "a byte short, UDP6", UDP6, { HAS(have, 61) }, ALL(I) },
	{ "the longest", ANY, { HAS(f.len, 1514) }, ALL(O) },
	{ "a byte too long", ANY, { HAS(f.len, 1515) }, { I, I, I, O } },
	{ "as long as with a tag", ANY, { HAS(f.len, 1518), TRUSTED }, { I, I, I, O } },
	{ "as long, a tag beside it", ANY, { HAS(f.len, 1518), HAS(vlan, 1), TRUSTED },
	  { I, I, I, O } },
	{ "the longest with a tag", ANY, { HAS(f.len, 1518), HAS(type, 0x8100), TRUSTED },
	  { O, O, I, I } },
	{ "the longest with a service tag", ANY,
	  { HAS(f.len, 1518), HAS(type, 0x88a8), TRUSTED }, { O, O, I, I } },
	{ "just Ethernet", ANY, { HEADERS(14), HAS(f.flags, 0), HAS(f.gso_type, 0) },
	  ALL(O) },

	{ "a foreign address, trusted", ANY, { HAS(src, 0x02a1b2c3d4e6), TRUSTED }, ALL(O) },
	{ "no address", ANY, { HAS(src, 0) }, ALL(P) },
	{ "to switches", ANY, { HAS(dest, 0x0180c2000000) }, ALL(P) },
	{ "to switches, the last", ANY, { HAS(dest, 0x0180c200000f) }, ALL(P) },
	{ "to switches, trusted", ANY, { HAS(dest, 0x0180c2000001), TRUSTED }, ALL(O) },
	{ "behind those to switches", ANY, { HAS(dest, 0x0180c2000010) }, ALL(O) },
	{ "a tag in the frame", ANY, { HAS(type, 0x8100) }, ALL(P) },
	{ "a tag in the frame, trusted", ANY, { HAS(type, 0x8100), TRUSTED },
	  { O, O, I, I } },
	{ "a service tag", ANY, { HAS(type, 0x88a8) }, ALL(P) },
	{ "a service tag, trusted", ANY, { HAS(type, 0x88a8), TRUSTED }, { O, O, I, I } },
	{ "a tag to insert", ANY, { HAS(vlan, 1) }, ALL(P) },
	{ "a tag to insert, trusted", ANY, { HAS(vlan, 1), TRUSTED }, ALL(O) },
	{ "in a VLAN", ANY, { HAS(lim.vlan, 7) }, ALL(O) },
	{ "in a VLAN, trusted", ANY, { HAS(src, 0), HAS(lim.vlan, 7), TRUSTED }, ALL(O) },
	{ "in a VLAN, its own tag", ANY, { HAS(vlan, 1), HAS(lim.vlan, 7), TRUSTED,
					   HAS(f.vlan_tci, 7) }, ALL(P) },
	{ "in a VLAN, a tag in the frame", ANY,
	  { HAS(type, 0x8100), HAS(lim.vlan, 7), TRUSTED }, ALL(P) },
	{ "in a VLAN, a service tag", ANY,
	  { HAS(type, 0x88a8), HAS(lim.vlan, 7), TRUSTED }, ALL(P) },
	{ "another protocol", ANY, { HAS(type, 0x8847) }, { O, O, I, I } },
	{ "the other IP", V4, { HAS(type, 0x86dd) }, { O, I, I, I } },
	{ "the other IP", V6, { HAS(type, 0x0800) }, { O, O, I, I } },

	{ "version 5", ANY, { HAS(version, 0x55) }, { O, O, I, I } },
	{ "version 6 of 4", V4, { HAS(version, 0x65) }, { O, O, I, I } },
	{ "version 4 of 6", V6, { HAS(version, 0x40) }, { O, O, I, I } },
	{ "a traffic class", V6, { HAS(version, 0x6f) }, ALL(O) },
	{ "16 bytes of IPv4", V4, { HAS(version, 0x44) }, { O, O, I, I } },
	{ "16 bytes of IPv4, and TCP there", TCP4,
	  { HAS(version, 0x44), HAS(at, 30), HAS(f.csum_start, 30), HEADERS(50) },
	  { O, I, I, I } },
	{ "options that are not there", V4, { HAS(version, 0x46) }, { O, O, I, I } },
	{ "options that are not said", V4, { HAS(at, 38), HAS(f.csum_start, 38) },
	  { O, O, I, I } },
	{ "options", TCP4,
	  { HAS(version, 0x46), HAS(at, 38), HAS(f.csum_start, 38), HEADERS(58) }, ALL(O) },
	{ "all options", UDP4,
	  { HAS(version, 0x4f), HAS(at, 74), HAS(f.csum_start, 74), HEADERS(82) }, ALL(O) },
	{ "do not fragment", V4, { HAS(frag, 0x4000) }, ALL(O) },
	{ "a reserved bit", V4, { HAS(frag, 0x8000) }, ALL(O) },
	{ "more fragments", V4, { HAS(frag, 0x2000) }, { O, O, I, I } },
	{ "a fragment", V4, { HAS(frag, 1) }, { O, O, I, I } },
	{ "a late fragment", V4, { HAS(frag, 0x1000) }, { O, O, I, I } },
	{ "ICMP", ANY, { HAS(proto, 1) }, { O, O, I, I } },
	{ "an extension header", V6, { HAS(proto, 0) }, { O, O, I, I } },
	{ "UDP that says TCP", TCP, { HAS(proto, 17) }, { O, O, I, I } },
	{ "TCP that says UDP", UDP, { HAS(proto, 6) }, { O, O, I, I } },
	/* cut as datagrams, but else without a flaw */
	{ "TCP as datagrams", TCP4, { HEADERS(42), HAS(f.csum_offset, 6), HAS(f.gso_type, 3) },
	  { O, I, I, I } },

	{ "16 bytes of TCP", TCP, { HAS(doff, 4) }, { O, O, O, I } },
	{ "16 bytes of TCP, and so many headers", TCP4,
	  { HAS(doff, 4), HEADERS(50), HAS(f.csum_offset, 14) }, { O, O, I, I } },
	{ "19 bytes of TCP", TCP4, { HEADERS(53) }, { O, O, O, I } },
	{ "18 bytes of TCP", TCP6, { HEADERS(72) }, { O, O, O, I } },
	{ "options of TCP without headers", TCP, { HAS(doff, 6) }, { O, O, O, I } },
	{ "headers without options of TCP", TCP4, { HEADERS(58) }, { O, O, O, I } },
	{ "options of TCP", TCP4, { HAS(doff, 6), HEADERS(58) }, ALL(O) },
	{ "all options of TCP", TCP6, { HAS(doff, 15), HEADERS(114) }, ALL(O) },
	{ "UDP and a byte", UDP4, { HEADERS(43) }, { O, O, O, I } },

	{ "the field before its place", ANY, { HAS(f.csum_offset, 5) }, { O, O, I, I } },
	{ "UDP's field in TCP", TCP, { HAS(f.csum_offset, 6) }, { O, O, I, I } },
	{ "TCP's field in UDP", UDP6, { HAS(f.csum_offset, 16), HEADERS(72) },
	  { O, O, I, I } },
	{ "summed up too late", V4, { HAS(f.csum_start, 35), HEADERS(80) }, { O, O, I, I } },
	{ "summed up too late", V6, { HAS(f.csum_start, 55), HEADERS(80) }, { O, O, I, I } },
	{ "a part of IPv4's header", V4, { HAS(f.csum_start, 33) }, { O, I, I, I } },
	{ "a part of IPv6's header", V6, { HAS(f.csum_start, 53) }, { O, I, I, I } },
	{ "a part of another header", V4, { HAS(type, 0x8847), HAS(f.csum_start, 33) },
	  { O, I, I, I } },
	{ "nothing behind Ethernet", V6,
	  { HAS(f.csum_start, 14), HAS(f.csum_offset, 0), HEADERS(16) }, { O, I, I, I } },
	{ "another header and no more", ANY,
	  { HAS(type, 0x8847), HAS(f.csum_start, 34), HAS(f.csum_offset, 0), HEADERS(36) },
	  { O, O, I, I } },
	{ "the other IP's checksums alone", V4, { HAS(lim.tx_csum4, 0), HAS(lim.tx_csum6, 1) },
	  { O, O, I, O } },
	{ "the other IP's checksums alone", V6, { HAS(lim.tx_csum4, 1), HAS(lim.tx_csum6, 0) },
	  { O, O, I, O } },
};

static void pack_name(const struct pack_row *row, char *name)
{
	snprintf(name, KUNIT_PARAM_DESC_SIZE, "%s", row->name);
}

KUNIT_ARRAY_PARAM(pack_rows, pack_rows, pack_name);

static void nic_headers_matrix(struct kunit *test)
{
	const struct pack_row *row = test->param_value;
	unsigned int mode;
	struct pack p;
	u32 kind;

	for (kind = 1; kind <= UDP6; kind *= 2)
		for (mode = 0; mode < MODES; mode++) {
			if (!(row->kinds & kind))
				continue;
			legal_pack(&p, kind, mode);
			apply(&p, row->patch, ARRAY_SIZE(row->patch));
			KUNIT_EXPECT_EQ_MSG(test, look(test, &p, kind & V6),
					    row->want[mode], "kind %u, mode %u", kind,
					    mode);
		}
}

/* Each bit of an address counts, and each kind is segmented as what it is. */
static void nic_headers_sources(struct kunit *test)
{
	struct pack p;
	u32 kind, i;

	for (kind = 1; kind <= UDP6; kind *= 2) {
		for (i = 0; i < 48; i++) {
			legal_pack(&p, kind, M_PLAIN);
			p.src ^= 1ull << i;
			KUNIT_EXPECT_EQ_MSG(test, look(test, &p, kind & V6),
					    LPAR_PROTECTION, "bit %u", i);
		}
		for (i = LPAR_GSO_TCP4; i <= LPAR_GSO_UDP; i++) {
			legal_pack(&p, kind, M_GSO);
			p.f.gso_type = i;
			KUNIT_EXPECT_EQ_MSG(test, look(test, &p, kind & V6),
					    i == (kind & UDP ? LPAR_GSO_UDP : kind) ?
					    LPAR_OK : LPAR_INVAL,
					    "kind %u as %u", kind, i);
		}
	}
}

/* Requests for DHCP, wherever the options put the port; @have bytes of @len. */
static void nic_whole(struct kunit *test)
{
	static const struct {
		u16 type;
		u8 version, proto;
		u16 port;
		u32 have, len;
		bool want;
	} wholes[] = {
		{ 0x0800, 0x45, 17, 67, 78, 300, true },
		{ 0x0800, 0x45, 17, 67, 78, 79, true },
		{ 0x0800, 0x45, 17, 67, 78, 78, false },
		{ 0x0800, 0x45, 17, 68, 78, 300, false },
		{ 0x0800, 0x45, 17, 67 << 8, 78, 300, false },
		{ 0x0800, 0x45, 17, 67 | 1 << 8, 78, 300, false },
		{ 0x0800, 0x45, 6, 67, 78, 300, false },
		{ 0x86dd, 0x45, 17, 67, 78, 300, false },
		{ 0x8100, 0x45, 17, 67, 78, 300, false },
		/* not so much as a header, but drivers look there */
		{ 0x0800, 0x43, 17, 67, 78, 300, true },
		{ 0x0800, 0x65, 17, 67, 78, 300, true },
		{ 0x0800, 0x4f, 17, 67, 78, 300, true },
		{ 0x0800, 0x4f, 17, 69, 78, 300, false },
		/* what is not there may be one */
		{ 0x0800, 0x4f, 17, 69, 77, 300, true },
		{ 0x0800, 0x45, 17, 69, 38, 300, false },
		{ 0x0800, 0x45, 17, 69, 37, 300, true },
		{ 0x0800, 0x45, 6, 69, 34, 300, false },
		{ 0x0800, 0x45, 6, 69, 33, 300, true },
		{ 0x0800, 0x45, 6, 69, 13, 13, false },
	};
	unsigned int i, udp;
	u32 have;
	u8 *data;

	for (i = 0; i < ARRAY_SIZE(wholes); i++) {
		have = wholes[i].have;
		udp = 14 + (wholes[i].version & 15) * 4;
		data = kunit_kzalloc(test, have, GFP_KERNEL);
		KUNIT_ASSERT_NOT_NULL(test, data);
		put(data, have, 12, wholes[i].type >> 8);
		put(data, have, 13, wholes[i].type);
		put(data, have, 14, wholes[i].version);
		put(data, have, udp + 2, wholes[i].port >> 8);
		put(data, have, udp + 3, wholes[i].port);
		put(data, have, 23, wholes[i].proto);
		KUNIT_EXPECT_EQ_MSG(test, lpar_core_whole(data, have, wholes[i].len),
				    wholes[i].want, "frame %u", i);
		kunit_kfree(test, data);
	}
}

/* The VLAN that a frame to send is of. */
static void nic_headers_vlan(struct kunit *test)
{
	static const struct {
		u16 own, type, inside, flags, beside, have, want;
	} tags[] = {
		{ 0, 0x0800, 7, 0, 0, 18, 0 },
		{ 0, 0x0800, 7, 0, 0, 14, 0 },
		{ 0, 0x8100, 7, 0, 0, 18, 7 },
		{ 0, 0x8100, 0xe007, 0, 0, 16, 7 },
		{ 0, 0x8100, 0xe000, 0, 0, 16, 0 },
		{ 0, 0x8100, 7, 0, 0, 15, LPAR_VLAN_OTHER },
		{ 0, 0x8100, 7, 0, 0, 14, LPAR_VLAN_OTHER },
		{ 0, 0x88a8, 7, 0, 0, 18, LPAR_VLAN_OTHER },
		{ 0, 0x0800, 7, LPAR_NET_VLAN, 0x2008, 18, 8 },
		{ 0, 0x8100, 7, LPAR_NET_VLAN, 8, 18, 8 },
		{ 0, 0x8100, 7, LPAR_NET_VLAN, 0, 18, 0 },
		{ 9, 0x0800, 7, 0, 0, 14, 9 },
		{ 9, 0x8100, 7, LPAR_NET_VLAN, 8, 18, 9 },
	};
	struct lpar_nic_limits lim = suite_nic;
	struct lpar_frame f = {};
	unsigned int i;
	u8 *data;

	for (i = 0; i < ARRAY_SIZE(tags); i++) {
		data = kunit_kzalloc(test, tags[i].have, GFP_KERNEL);
		KUNIT_ASSERT_NOT_NULL(test, data);
		put(data, tags[i].have, 12, tags[i].type >> 8);
		put(data, tags[i].have, 13, tags[i].type);
		put(data, tags[i].have, 14, tags[i].inside >> 8);
		put(data, tags[i].have, 15, tags[i].inside);
		f.flags = tags[i].flags;
		f.vlan_tci = tags[i].beside;
		lim.vlan = tags[i].own;
		KUNIT_EXPECT_EQ_MSG(test, lpar_core_frame_vlan(data, tags[i].have, &f, &lim),
				    tags[i].want, "tag %u", i);
		kunit_kfree(test, data);
	}
}

static struct kunit_case nic_headers_cases[] = {
	KUNIT_CASE_PARAM(nic_headers_matrix, pack_rows_gen_params),
	KUNIT_CASE(nic_headers_sources),
	KUNIT_CASE(nic_headers_vlan),
	KUNIT_CASE(nic_whole),
	{}
};

static struct kunit_suite nic_headers_suite = {
	.name = "lpar_nic_headers",
	.test_cases = nic_headers_cases,
};
kunit_test_suite(nic_headers_suite);
