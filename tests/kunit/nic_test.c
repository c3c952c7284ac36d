// SPDX-License-Identifier: GPL-2.0
/*
 * What a client's NIC asks for: each field of a submission at its edge and just
 * beyond; and what a NIC is said to be.
 */
#include "nic_suite.h"

#define SEGS	260

/* ------------------------------------------------------------- submissions */

/* A submission in the CPU's own words, to be changed field by field. */
struct ask {
	u8 op, flags, gso_type, reserved;
	u16 id, nsegs, headers, csum_start, csum_offset, gso_size, vlan_tci, sa;
	u32 len;
	u64 reserved3;
	struct {
		u64 addr;
		u32 len, reserved;
	} seg[SEGS];
	struct lpar_nic_limits lim;
};

struct wire {
	struct lpar_net_sqe sqe;
	struct lpar_nic_limits lim;
	struct lpar_seg seg[SEGS];
};

struct scratch {
	struct ask ask;
	struct wire wire, before;
};

/* The columns of the table: a frame as it is, with a checksum, to segment; a buffer. */
enum { PLAIN, CSUM, TSO, RX, KINDS };

static struct scratch *scratch(struct kunit *test)
{
	struct scratch *s = kunit_kzalloc(test, sizeof(*s), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, s);
	return s;
}

static void legal(struct ask *a, unsigned int kind)
{
	memset(a, 0, sizeof(*a));
	a->op = kind == RX ? LPAR_NET_RECEIVE : LPAR_NET_SEND;
	a->id = 0xbeef;
	a->nsegs = 3;
	a->lim = suite_nic;
	a->seg[0].addr = 0x40000e01;
	a->seg[0].len = 100;
	a->seg[1].addr = 0x80201000;
	a->seg[1].len = kind == TSO ? 8000 : 800;
	a->seg[2].addr = 0xffffffffffe00003;
	a->seg[2].len = 100;
	a->len = a->seg[1].len + 200;
	if (kind == RX)
		return;
	a->headers = 54;
	if (kind == PLAIN)
		return;
	a->flags = LPAR_NET_CSUM;
	a->csum_start = 34;
	a->csum_offset = 16;
	if (kind == CSUM)
		return;
	a->gso_type = LPAR_GSO_TCP4;
	a->gso_size = 1000;
}

/* Ask the core, and see that it has changed nothing that is not its to change. */
static enum lpar_status decide(struct kunit *test, struct scratch *s, bool rx,
			       bool segs)
{
	const struct ask *a = &s->ask;
	struct wire *w = &s->wire;
	struct lpar_frame f;
	bool whole;
	enum lpar_status st;
	unsigned int i;

	memset(w, 0, sizeof(*w));
	w->sqe.op = a->op;
	w->sqe.flags = a->flags;
	w->sqe.id = cpu_to_le16(a->id);
	w->sqe.nsegs = cpu_to_le16(a->nsegs);
	w->sqe.headers = cpu_to_le16(a->headers);
	w->sqe.len = cpu_to_le32(a->len);
	w->sqe.csum_start = cpu_to_le16(a->csum_start);
	w->sqe.csum_offset = cpu_to_le16(a->csum_offset);
	w->sqe.gso_size = cpu_to_le16(a->gso_size);
	w->sqe.gso_type = a->gso_type;
	w->sqe.reserved = a->reserved;
	w->sqe.vlan_tci = cpu_to_le16(a->vlan_tci);
	w->sqe.sa = cpu_to_le16(a->sa);
	w->sqe.reserved3 = cpu_to_le64(a->reserved3);
	for (i = 0; i < SEGS; i++) {
		w->seg[i].addr = cpu_to_le64(a->seg[i].addr);
		w->seg[i].len = cpu_to_le32(a->seg[i].len);
		w->seg[i].reserved = cpu_to_le32(a->seg[i].reserved);
	}
	if (a->nsegs <= LPAR_SQE_SEGS)
		memcpy(w->sqe.seg, w->seg, sizeof(w->sqe.seg));
	w->lim = a->lim;
	memcpy(&s->before, w, sizeof(*w));

	memset(&f, 0xff, sizeof(f));
	st = lpar_core_frame(&w->sqe, segs ? w->seg : NULL, &w->lim, rx, &f);
	KUNIT_EXPECT_EQ(test, memcmp(w, &s->before, sizeof(*w)), 0);
	/* who is told of a refusal must be known */
	KUNIT_EXPECT_EQ(test, f.id, a->id);
	if (st == LPAR_OK) {
		KUNIT_EXPECT_EQ(test, f.nsegs, a->nsegs);
		KUNIT_EXPECT_EQ(test, f.len, a->len);
		KUNIT_EXPECT_EQ(test, f.headers, a->headers);
		KUNIT_EXPECT_EQ(test, f.flags, a->flags);
		/* what is not to be cut is a frame like others */
		whole = a->len <= a->headers + a->gso_size;
		KUNIT_EXPECT_EQ(test, f.gso_type, whole ? 0 : a->gso_type);
		KUNIT_EXPECT_EQ(test, f.gso_size, whole ? 0 : a->gso_size);
		KUNIT_EXPECT_EQ(test, f.csum_start, a->csum_start);
		KUNIT_EXPECT_EQ(test, f.csum_offset, a->csum_offset);
		KUNIT_EXPECT_EQ(test, f.vlan_tci, a->vlan_tci);
		KUNIT_EXPECT_EQ(test, f.sa, a->sa);
	}
	return st;
}

/* @want: of PLAIN, CSUM, TSO, RX */
struct row {
	const char *name;
	struct patch patch[9];
	u8 want[KINDS];
	bool segs_only;		/* without the segments it is legal */
};

#define SET(field, v)	{ offsetof(struct ask, field),			\
			  sizeof(((struct ask *)NULL)->field), v }
/* a frame in one piece */
#define ONE(n)		SET(nsegs, 1), SET(len, n), SET(seg[0].len, n)
/* of a legal frame to segment */
#define LONG(n)		SET(len, n), SET(seg[1].len, (n) - 200)

static const struct row rows[] = {
	{ "legal", {}, ALL(O) },
	{ "id 0", { SET(id, 0) }, ALL(O) },
	{ "op 0", { SET(op, 0) }, ALL(NO) },
	{ "op SEND", { SET(op, LPAR_NET_SEND) }, { O, O, O, NO } },
	{ "op RECEIVE", { SET(op, LPAR_NET_RECEIVE) }, { NO, NO, NO, O } },
	{ "op 3", { SET(op, 3) }, ALL(NO) },
	{ "op before all else", { SET(op, 255), SET(reserved, 1) }, ALL(NO) },
	{ "no segments", { SET(nsegs, 0) }, ALL(I) },
	{ "65535 segments", { SET(nsegs, 65535), SET(lim.segments, 65535) }, ALL(I) },

	{ "VLAN 0", { SET(flags, LPAR_NET_VLAN) }, { O, I, I, I } },
	{ "VLAN and CSUM", { SET(flags, 3), SET(vlan_tci, 0xffff), SET(csum_start, 34) },
	  { O, O, O, I } },
	{ "VLAN not offered",
	  { SET(flags, 3), SET(csum_start, 34), SET(lim.tx_vlan, 0) }, { NS, NS, NS, I } },
	{ "no VLAN, not offered", { SET(lim.tx_vlan, 0) }, ALL(O) },
	{ "a tag without VLAN", { SET(vlan_tci, 1) }, ALL(I) },
	{ "a tag without VLAN, the high byte", { SET(vlan_tci, 0x8000) }, ALL(I) },

	{ "headers 13", { SET(headers, 13) }, ALL(I) },
	{ "headers 14", { SET(headers, 14) }, { O, I, I, I } },
	{ "headers 256", { SET(headers, 256) }, { O, O, O, I } },
	{ "headers 257", { SET(headers, 257) }, ALL(I) },
	{ "headers alone", { SET(headers, 100), ONE(100) }, { O, O, I, I } },
	{ "headers alone, and any number of segments",
	  { SET(headers, 100), ONE(100), SET(lim.tso_segments, 0xffffffff) },
	  { O, O, I, I } },
	{ "headers and a byte", { SET(headers, 100), ONE(101) }, { O, O, O, I } },
	{ "headers longer than the frame", { SET(headers, 101), ONE(100) }, ALL(I) },

	{ "the shortest frame", { SET(headers, 14), ONE(14) }, { O, I, I, I } },
	{ "shorter", { SET(headers, 14), ONE(13) }, ALL(I) },
	{ "an empty frame", { SET(headers, 0), SET(len, 0) }, ALL(I) },
	{ "MTU and a tag", { ONE(1518) }, { O, O, O, O } },
	{ "beyond MTU and a tag", { ONE(1519) }, { I, I, O, O } },
	{ "a large MTU", { ONE(9018), SET(lim.mtu_max, 9000) }, ALL(O) },
	{ "beyond a large MTU", { ONE(9019), SET(lim.mtu_max, 9000) }, { I, I, O, O } },
	{ "the longest frame",
	  { ONE(65550), SET(lim.mtu_max, 80000), SET(lim.tso4, 80000),
	    SET(lim.tso_segments, 100) }, ALL(O) },
	{ "longer",
	  { ONE(65551), SET(lim.mtu_max, 80000), SET(lim.tso4, 80000),
	    SET(lim.tso_segments, 100) }, { I, I, I, O } },

	{ "a checksum's start without CSUM", { SET(csum_start, 0x100), SET(headers, 256) },
	  { I, I, I, I } },
	{ "a checksum's offset without CSUM", { SET(csum_offset, 0x100) }, ALL(I) },
	{ "a checksum's low bytes without CSUM", { SET(csum_offset, 1), SET(csum_start, 14) },
	  { I, O, O, I } },
	{ "from the Ethernet header", { SET(csum_start, 13) }, ALL(I) },
	{ "from behind it", { SET(csum_start, 14) }, { I, O, O, I } },
	{ "up to the headers' end", { SET(csum_start, 34), SET(csum_offset, 18) },
	  { I, O, O, I } },
	{ "one beyond", { SET(csum_start, 34), SET(csum_offset, 19) }, ALL(I) },
	{ "two beyond", { SET(csum_start, 52), SET(csum_offset, 2) }, ALL(I) },
	{ "from the headers' end", { SET(csum_start, 54), SET(csum_offset, 0) }, ALL(I) },
	{ "wraps 16 bits", { SET(csum_start, 14), SET(csum_offset, 65520) }, ALL(I) },
	{ "wraps far", { SET(csum_start, 65535), SET(csum_offset, 65535) }, ALL(I) },
	{ "no checksums offered",
	  { SET(lim.tx_csum, 0), SET(lim.tx_csum4, 0), SET(lim.tx_csum6, 0) },
	  { O, NS, NS, O } },
	{ "of IPv4 alone", { SET(lim.tx_csum, 0), SET(lim.tx_csum6, 0) }, ALL(O) },
	{ "of IPv6 alone", { SET(lim.tx_csum, 0), SET(lim.tx_csum4, 0) }, ALL(O) },
	{ "of all alone", { SET(lim.tx_csum4, 0), SET(lim.tx_csum6, 0) }, ALL(O) },

	{ "a segment's size alone", { SET(gso_type, 0), SET(gso_size, 256) }, ALL(I) },
	{ "segmented without CSUM",
	  { SET(flags, 0), SET(csum_start, 0), SET(csum_offset, 0),
	    SET(gso_type, LPAR_GSO_TCP4), SET(gso_size, 1000) }, ALL(I) },
	{ "size 0", { SET(gso_size, 0), SET(lim.tso_segments, 65535) }, { O, O, I, O } },
	{ "size 7", { SET(gso_size, 7), SET(lim.tso_segments, 65535) }, ALL(I) },
	{ "size 8", { SET(gso_size, 8), SET(lim.tso_segments, 65535) }, { I, I, O, I } },
	{ "size of the MTU", { SET(gso_size, 1460) }, { I, I, O, I } },
	{ "size beyond the MTU", { SET(gso_size, 1461) }, ALL(I) },
	{ "size 65535", { SET(gso_size, 65535) }, ALL(I) },
	{ "12 segments", { SET(gso_size, 679), LONG(54 + 12 * 679) }, { I, I, O, I } },
	{ "12 and a byte", { SET(gso_size, 679), LONG(54 + 12 * 679 + 1) }, ALL(I) },
	{ "12 less a byte", { SET(gso_size, 679), LONG(54 + 12 * 679 - 1) },
	  { I, I, O, I } },
	{ "one segment", { SET(gso_size, 1000), ONE(200) }, { I, I, O, I } },

	{ "TSO4 of the limit", { SET(lim.tso4, 8200), SET(lim.tso6, 1), SET(lim.uso, 1) },
	  ALL(O) },
	{ "TSO4 beyond the limit", { SET(lim.tso4, 8199) }, { O, O, I, O } },
	{ "TSO4 not offered", { SET(lim.tso4, 0) }, { O, O, NS, O } },
	{ "TSO6 of the limit",
	  { SET(gso_type, 2), SET(gso_size, 1000), SET(lim.tso6, 8200), SET(lim.tso4, 1),
	    SET(lim.uso, 1) }, { I, O, O, I } },
	{ "TSO6 beyond the limit", { SET(gso_type, 2), SET(lim.tso6, 8199) },
	  { I, I, I, I } },
	{ "TSO6 not offered", { SET(gso_type, 2), SET(lim.tso6, 0) }, { NS, NS, NS, I } },
	{ "USO of the limit",
	  { SET(gso_type, 3), SET(gso_size, 1000), SET(lim.uso, 8200), SET(lim.tso4, 1),
	    SET(lim.tso6, 1) }, { I, O, O, I } },
	{ "USO beyond the limit", { SET(gso_type, 3), SET(lim.uso, 8199) },
	  { I, I, I, I } },
	{ "USO not offered", { SET(gso_type, 3), SET(lim.uso, 0) }, { NS, NS, NS, I } },
	{ "type 4", { SET(gso_type, 4), SET(gso_size, 100) }, ALL(I) },
	{ "type 255", { SET(gso_type, 255) }, ALL(I) },

	{ "an SA", { SET(sa, 1) }, { O, I, I, I } },
	{ "the last SA", { SET(sa, 0xffff) }, { O, I, I, I } },
	{ "an SA, IPsec not offered", { SET(sa, 1), SET(lim.ipsec, 0) }, { NS, NS, NS, I } },
	{ "no SA, IPsec not offered", { SET(lim.ipsec, 0) }, ALL(O) },
	{ "an SA and VLAN", { SET(sa, 1), SET(flags, LPAR_NET_VLAN), SET(vlan_tci, 7) },
	  { O, I, I, I } },
	{ "an SA and segments", { SET(sa, 1), SET(gso_type, LPAR_GSO_UDP), SET(gso_size, 1000) },
	  ALL(I) },
	{ "an SA and a segment's size", { SET(sa, 1), SET(gso_size, 1000) }, ALL(I) },
	{ "an SA, MTU and a tag", { SET(sa, 1), ONE(1518) }, { O, I, I, I } },
	{ "an SA, beyond MTU and a tag", { SET(sa, 1), ONE(1519) }, ALL(I) },

	{ "the smallest buffer", { ONE(30) }, { I, I, I, O } },
	{ "a smaller one", { ONE(29) }, ALL(I) },
	{ "the largest buffer", { ONE(2 << 20), SET(seg[0].addr, 0) }, { I, I, I, O } },
	{ "a larger one", { SET(len, (2 << 20) + 1), SET(seg[1].len, (2 << 20) - 199),
			    SET(seg[1].addr, 0) }, ALL(I) },

	/* segments */
	{ "first reserved", { SET(seg[0].reserved, 1) }, ALL(I), true },
	{ "middle reserved", { SET(seg[1].reserved, 1u << 31) }, ALL(I), true },
	{ "last reserved", { SET(seg[2].reserved, 1) }, ALL(I), true },
	{ "behind the last is not looked at",
	  { SET(seg[3].reserved, 1), SET(seg[3].len, 1), SET(seg[3].addr, 1) }, ALL(O) },
	{ "first empty", { SET(nsegs, 4), SET(seg[0].len, 0), SET(seg[3].len, 100) },
	  ALL(I), true },
	{ "last empty", { SET(nsegs, 4) }, ALL(I), true },
	{ "a byte less than the frame", { SET(seg[2].len, 99) }, ALL(I), true },
	{ "a byte more", { SET(seg[2].len, 101) }, ALL(I), true },
	{ "one longer than the frame", { SET(seg[1].len, 65536) }, ALL(I), true },
	{ "one of 2^32-1", { SET(seg[1].len, 0xffffffff) }, ALL(I), true },
	{ "up to a window's end", { SET(seg[0].addr, (7 << 21) - 100) }, ALL(O) },
	{ "one beyond it", { SET(seg[0].addr, (7 << 21) - 99) }, ALL(I), true },
	{ "up to the last window's end", { SET(seg[2].addr, 0ull - 100) }, ALL(O) },
	{ "around it", { SET(seg[2].addr, 0ull - 99) }, ALL(I), true },
};

static void row_name(const struct row *row, char *name)
{
	snprintf(name, KUNIT_PARAM_DESC_SIZE, "%s", row->name);
}

KUNIT_ARRAY_PARAM(rows, rows, row_name);

static void nic_frame_matrix(struct kunit *test)
{
	const struct row *row = test->param_value;
	struct scratch *s = scratch(test);
	enum lpar_status want;
	unsigned int kind;

	for (kind = 0; kind < KINDS; kind++) {
		legal(&s->ask, kind);
		apply(&s->ask, row->patch, ARRAY_SIZE(row->patch));
		want = row->want[kind];
		KUNIT_EXPECT_EQ_MSG(test, decide(test, s, kind == RX, true), want,
				    "kind %u", kind);
		if (row->segs_only)
			want = LPAR_OK;
		KUNIT_EXPECT_EQ_MSG(test, decide(test, s, kind == RX, false), want,
				    "kind %u, without segments", kind);
	}
}

static void nic_frame_bits(struct kunit *test)
{
	struct scratch *s = scratch(test);
	struct ask *a = &s->ask;
	unsigned int kind, i;
	bool ok;

	for (kind = 0; kind < KINDS; kind++) {
		for (i = 0; i < 8 + 64; i++) {
			legal(a, kind);
			if (i < 8)
				a->reserved = 1u << i;
			else
				a->reserved3 = 1ull << (i - 8);
			KUNIT_EXPECT_EQ_MSG(test, decide(test, s, kind == RX, true),
					    LPAR_INVAL, "kind %u, bit %u", kind, i);
		}
		for (i = 0; i < 256; i++) {
			legal(a, kind);
			a->flags = i;
			if (kind == PLAIN && i & LPAR_NET_CSUM)
				a->csum_start = 34;
			if (kind == PLAIN)
				ok = i <= 3;
			else
				ok = kind == RX ? !i : i == 1 || i == 3;
			KUNIT_EXPECT_EQ_MSG(test, decide(test, s, kind == RX, true),
					    ok ? LPAR_OK : LPAR_INVAL,
					    "kind %u, flags %#x", kind, i);
		}
	}
}

/* Each bit of an SA's number is one; a frame asks for nothing else then. */
static void nic_frame_sa(struct kunit *test)
{
	struct scratch *s = scratch(test);
	struct ask *a = &s->ask;
	unsigned int kind, offered, i;
	enum lpar_status want;

	for (kind = 0; kind < KINDS; kind++)
		for (offered = 0; offered < 2; offered++)
			for (i = 0; i < 16; i++) {
				legal(a, kind);
				a->sa = 1u << i;
				a->lim.ipsec = offered;
				want = LPAR_INVAL;
				if (kind != RX && !offered)
					want = LPAR_NOTSUPP;
				else if (kind == PLAIN)
					want = LPAR_OK;
				KUNIT_EXPECT_EQ_MSG(test, decide(test, s, kind == RX, true), want,
						    "kind %u, offered %u, bit %u", kind, offered,
						    i);
			}
}

/* As many segments as may be, each of them looked at; buffers may have all. */
static void nic_frame_segments(struct kunit *test)
{
	struct scratch *s = scratch(test);
	struct ask *a = &s->ask;
	unsigned int rx, limit, n, i;
	bool ok;

	for (rx = 0; rx < 2; rx++)
		for (limit = 1; limit <= 512; limit *= 8)
			for (n = 1; n <= 257; n++) {
				if (n > 9 && n < 63 + rx * 190)
					continue;
				legal(a, rx ? RX : PLAIN);
				a->lim.segments = limit;
				a->nsegs = n;
				a->len = n * 5 + 54;
				for (i = 0; i < n; i++) {
					a->seg[i].addr = (u64)i << 33;
					a->seg[i].len = i ? 5 : 59;
				}
				ok = n <= 256 && (rx || n <= limit);
				KUNIT_EXPECT_EQ_MSG(test, decide(test, s, rx, true),
						    ok ? LPAR_OK : LPAR_INVAL,
						    "%u of %u", n, limit);
				a->seg[n - 1].reserved = 1;
				KUNIT_EXPECT_EQ(test, decide(test, s, rx, true),
						LPAR_INVAL);
			}
}

/* The entry's own segments are zero when they stand in the table. */
static void nic_frame_unused(struct kunit *test)
{
	struct scratch *s = scratch(test);
	struct wire *w = &s->wire;
	u8 *seg = (u8 *)w->sqe.seg;
	struct lpar_frame f;
	unsigned int kind, byte;

	for (kind = 0; kind < KINDS; kind++) {
		legal(&s->ask, kind);
		KUNIT_EXPECT_EQ(test, decide(test, s, kind == RX, true), LPAR_OK);
		for (byte = 0; byte < sizeof(w->sqe.seg); byte++) {
			seg[byte] = 0x80;
			KUNIT_EXPECT_EQ_MSG(test, lpar_core_frame(&w->sqe, w->seg, &w->lim,
								  kind == RX, &f),
					    LPAR_INVAL, "byte %u", byte);
			KUNIT_EXPECT_EQ_MSG(test, lpar_core_frame(&w->sqe, NULL, &w->lim,
								  kind == RX, &f),
					    LPAR_INVAL, "byte %u, early", byte);
			seg[byte] = 0;
		}
	}
}

/* ------------------------------------------------- records, SET, addresses */

#define BUF	2048
#define FIRST	LPAR_CAP_MAC
#define TYPES	(LPAR_CAP_MACS + 1)

static void expected(const struct lpar_nic_limits *lim, struct lpar_value *v)
{
#define FIX(cap, x)	(v[LPAR_CAP_##cap] = (struct lpar_value){ x, x, x })
	v[LPAR_CAP_MAC] = (struct lpar_value){
		lim->trusted ? 0 : lim->mac,
		lim->trusted ? 0xffffffffffff : lim->mac, lim->mac };
	v[LPAR_CAP_MTU] = (struct lpar_value){ lim->mtu_min, lim->mtu_max, lim->mtu };
	v[LPAR_CAP_DEPTH] = (struct lpar_value){ 2, 1024, 256 };
	v[LPAR_CAP_TX_QUEUES] = (struct lpar_value){ 1, lim->queues, lim->queues };
	v[LPAR_CAP_RX_QUEUES] = (struct lpar_value){ 1, lim->queues, lim->queues };
	v[LPAR_CAP_STANDBY] = (struct lpar_value){ 0, lim->standby, lim->aside };
	v[LPAR_CAP_PROMISC] = (struct lpar_value){ 0, lim->trusted, lim->promisc };
	FIX(SEGMENTS, lim->segments);
	FIX(LINK, lim->link);
	FIX(SPEED, lim->speed);
	FIX(FULL_DUPLEX, lim->full_duplex);
	FIX(TX_CSUM, lim->tx_csum);
	FIX(TX_CSUM4, lim->tx_csum4);
	FIX(TX_CSUM6, lim->tx_csum6);
	FIX(TSO4, lim->tso4);
	FIX(TSO6, lim->tso6);
	FIX(USO, lim->uso);
	FIX(TSO_SEGMENTS, lim->tso_segments);
	FIX(TX_VLAN, lim->tx_vlan);
	FIX(RX_CSUM, lim->rx_csum);
	FIX(RX_VLAN, lim->rx_vlan);
	FIX(RX_MERGED, 1);
	FIX(ALLMULTI, 1);
	FIX(PORT_VLAN, lim->vlan);
	FIX(IPSEC, lim->ipsec ? 256 : 0);
	v[LPAR_CAP_VLAN_FILTER] = (struct lpar_value){
		0, lim->vlan_filters, lim->vlan_filters && lim->vlan_filter };
	FIX(VLANS, lim->vlan_filters ? 4094 : 0);
	FIX(MACS, lim->trusted ? 32 : 0);
#undef FIX
}

static void check_records(struct kunit *test, const u8 *buf, int bytes,
			  const struct lpar_nic_limits *lim, const char *name)
{
	struct lpar_value *want, v;
	u8 seen[TYPES] = {};
	struct lpar_record rec;
	unsigned int type, len;
	int at;

	/* too many for a stack */
	want = kunit_kzalloc(test, TYPES * sizeof(*want), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, want);
	expected(lim, want);
	for (at = 0; at < bytes; at += len) {
		memcpy(&rec, buf + at, sizeof(rec));
		type = le16_to_cpu(rec.type);
		len = le16_to_cpu(rec.len);
		KUNIT_ASSERT_LT(test, type, TYPES);
		KUNIT_EXPECT_EQ(test, le32_to_cpu(rec.reserved), 0u);
		KUNIT_EXPECT_EQ_MSG(test, seen[type], 0, "type %u twice", type);
		seen[type] = 1;
		if (type == LPAR_CAP_NAME) {
			KUNIT_ASSERT_EQ(test, len, 8 + (strlen(name) + 7) / 8 * 8);
			KUNIT_EXPECT_EQ(test, memcmp(buf + at + 8, name, strlen(name)), 0);
			continue;
		}
		KUNIT_ASSERT_EQ(test, len, 32u);
		memcpy(&v, buf + at + sizeof(rec), sizeof(v));
		KUNIT_EXPECT_EQ_MSG(test, le64_to_cpu(v.min), want[type].min, "min %u",
				    type);
		KUNIT_EXPECT_EQ_MSG(test, le64_to_cpu(v.max), want[type].max, "max %u",
				    type);
		KUNIT_EXPECT_EQ_MSG(test, le64_to_cpu(v.cur), want[type].cur, "cur %u",
				    type);
	}
	KUNIT_EXPECT_EQ(test, at, bytes);
	for (type = 0; type < TYPES; type++)
		KUNIT_EXPECT_EQ_MSG(test, seen[type],
				    type == LPAR_CAP_NAME || type == LPAR_CAP_SEGMENTS ||
				    type == LPAR_CAP_DEPTH || type >= FIRST, "type %u",
				    type);
}

/* Each of the flags alone, on and off. */
static void nic_records(struct kunit *test)
{
	static const u32 flags[] = {
#define FLAG(f)	offsetof(struct lpar_nic_limits, f)
		FLAG(link), FLAG(full_duplex), FLAG(tx_csum), FLAG(tx_csum4),
		FLAG(tx_csum6), FLAG(tx_vlan), FLAG(rx_csum), FLAG(rx_vlan),
		FLAG(ipsec), FLAG(trusted), FLAG(promisc), FLAG(standby), FLAG(aside),
#undef FLAG
	};
	struct lpar_nic_limits lim;
	unsigned int i, j, on;
	int bytes;
	u8 *buf;

	buf = kunit_kzalloc(test, BUF, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, buf);
	for (on = 0; on < 2; on++)
		for (i = 0; i < ARRAY_SIZE(flags); i++) {
			lim = suite_nic;
			for (j = 0; j < ARRAY_SIZE(flags); j++)
				*((bool *)((u8 *)&lim + flags[j])) = (i == j) == on;
			memset(buf, 0xff, BUF);
			lim.vlan = on ? 4094 : 0;
			bytes = lpar_core_nic_records(buf, BUF, &lim, "net0");
			KUNIT_ASSERT_GT(test, bytes, 0);
			check_records(test, buf, bytes, &lim, "net0");
		}
}

static void nic_records_room(struct kunit *test)
{
	static const char name[] =
		"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdefXYZ";
	char cut[LPAR_TEXT_MAX + 1] = {};
	int bytes, size, i;
	u8 *buf;

	memcpy(cut, name, LPAR_TEXT_MAX);
	buf = kunit_kzalloc(test, BUF, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, buf);
	bytes = lpar_core_nic_records(buf, BUF, &suite_nic, name);
	KUNIT_ASSERT_GT(test, bytes, 0);
	check_records(test, buf, bytes, &suite_nic, cut);
	KUNIT_EXPECT_EQ(test, lpar_core_nic_records(buf, bytes, &suite_nic, name), bytes);
	for (size = 0; size < bytes; size++) {
		memset(buf, 0xa5, BUF);
		KUNIT_EXPECT_EQ_MSG(test, lpar_core_nic_records(buf, size, &suite_nic, name),
				    -ENOSPC, "%d bytes", size);
		for (i = size; i < BUF && buf[i] == 0xa5; i++)
			;
		KUNIT_EXPECT_EQ_MSG(test, i, BUF, "%d bytes", size);
	}
}

static void nic_set(struct kunit *test)
{
	static const struct {
		u64 cap, value;
		u8 want[2];	/* untrusted, trusted */
	} sets[] = {
		{ LPAR_CAP_MAC, 0x02a1b2c3d4e5, { NS, O } },
		{ LPAR_CAP_MAC, 0xfefffffffffe, { NS, O } },
		{ LPAR_CAP_MAC, 0, { NS, LPAR_RANGE } },
		{ LPAR_CAP_MAC, 1ull << 48, { NS, LPAR_RANGE } },
		{ LPAR_CAP_MAC, 0x01005e000001, { NS, LPAR_RANGE } },
		{ LPAR_CAP_MACS, 0x02a1b2c3d4e5, { NS, O } },
		{ LPAR_CAP_MACS, 1ull << 48 | 0x02a1b2c3d4e5, { NS, O } },
		{ LPAR_CAP_MACS, 1ull << 49 | 0x02a1b2c3d4e5, { NS, LPAR_RANGE } },
		{ LPAR_CAP_MACS, 0, { NS, LPAR_RANGE } },
		{ LPAR_CAP_MACS, 1ull << 48, { NS, LPAR_RANGE } },
		{ LPAR_CAP_MACS, 0x01005e000001, { NS, LPAR_RANGE } },
		{ LPAR_CAP_PROMISC, 0, { O, O } },
		{ LPAR_CAP_PROMISC, 1, { LPAR_RANGE, O } },
		{ LPAR_CAP_PROMISC, 2, { LPAR_RANGE, LPAR_RANGE } },
		{ LPAR_CAP_PROMISC, 1ull << 32, { LPAR_RANGE, LPAR_RANGE } },
		{ LPAR_CAP_MAC | 1ull << 32, 0x02a1b2c3d4e5, { NS, NS } },
	};
	struct lpar_nic_limits lim = suite_nic;
	unsigned int i, trusted;
	u64 cap;

	for (trusted = 0; trusted < 2; trusted++) {
		lim.trusted = trusted;
		for (i = 0; i < ARRAY_SIZE(sets); i++)
			KUNIT_EXPECT_EQ_MSG(test, lpar_core_nic_set(&lim, sets[i].cap,
								    sets[i].value),
					    sets[i].want[trusted], "set %u", i);
		for (cap = 0; cap < 2 * TYPES; cap++)
			if (cap != LPAR_CAP_MAC && cap != LPAR_CAP_PROMISC &&
			    cap != LPAR_CAP_STANDBY && cap != LPAR_CAP_VLAN_FILTER &&
			    cap != LPAR_CAP_MACS)
				KUNIT_EXPECT_EQ_MSG(test, lpar_core_nic_set(&lim, cap, 1),
						    LPAR_NOTSUPP, "cap %u", (u32)cap);
		for (lim.standby = 0;; lim.standby = 1) {
			for (cap = 0; cap < 3; cap++)
				KUNIT_EXPECT_EQ_MSG(test,
						    lpar_core_nic_set(&lim, LPAR_CAP_STANDBY, cap),
						    cap <= lim.standby ? O : LPAR_RANGE,
						    "standby %u: %u", lim.standby, (u32)cap);
			if (lim.standby)
				break;
		}
	}
}

/* Where filtering is offered it begins, and VLANs are let in; it ends anywhere. */
static void nic_set_vlans(struct kunit *test)
{
	static const struct {
		u64 value;
		bool legal;
	} vlans[] = {
		{ 0, false }, { 1, true }, { 4094, true }, { 4095, false }, { 4096, false },
		{ LPAR_VLAN_OUT, false }, { LPAR_VLAN_OUT | 1, true },
		{ LPAR_VLAN_OUT | 4094, true }, { LPAR_VLAN_OUT | 4095, false },
		{ LPAR_VLAN_OUT << 1 | 1, false }, { 1ull << 32 | 1, false }, { ~0ull, false },
	};
	struct lpar_nic_limits lim = suite_nic;
	unsigned int offered, on, i;

	for (offered = 0; offered < 2; offered++)
		for (on = 0; on < 2; on++) {
			lim.vlan_filters = offered;
			lim.vlan_filter = on;
			for (i = 0; i < 3; i++)
				KUNIT_EXPECT_EQ_MSG(test,
						    lpar_core_nic_set(&lim, LPAR_CAP_VLAN_FILTER, i),
						    i <= offered ? O : LPAR_RANGE,
						    "offered %u, filter %u", offered, i);
			for (i = 0; i < ARRAY_SIZE(vlans); i++)
				KUNIT_EXPECT_EQ_MSG(test,
						    lpar_core_nic_set(&lim, LPAR_CAP_VLANS,
								      vlans[i].value),
						    !offered ? NS :
						    vlans[i].legal ? O : LPAR_RANGE,
						    "offered %u, on %u, %llx", offered, on,
						    vlans[i].value);
		}
}

static void nic_addresses(struct kunit *test)
{
	static const u8 bytes[] = { 0x02, 0xa1, 0xb2, 0xc3, 0xd4, 0xe5 };
	u8 back[8];
	u64 mac;
	int i;

	KUNIT_EXPECT_EQ(test, lpar_core_mac(bytes), 0x02a1b2c3d4e5ull);
	memset(back, 0x77, sizeof(back));
	lpar_core_mac_bytes(0x02a1b2c3d4e5, back + 1);
	KUNIT_EXPECT_EQ(test, memcmp(back + 1, bytes, sizeof(bytes)), 0);
	KUNIT_EXPECT_EQ(test, back[0], 0x77);
	KUNIT_EXPECT_EQ(test, back[7], 0x77);
	for (i = 0; i < 64; i++) {
		mac = 1ull << i;
		KUNIT_EXPECT_EQ_MSG(test, lpar_core_mac_ok(mac), i < 48 && i != 40,
				    "bit %d", i);
		/* beside an address */
		KUNIT_EXPECT_EQ_MSG(test, lpar_core_mac_ok(mac | 0x02a1b2c3d4e5),
				    i < 48 && i != 40, "bit %d of many", i);
	}
	KUNIT_EXPECT_FALSE(test, lpar_core_mac_ok(0));
	KUNIT_EXPECT_FALSE(test, lpar_core_mac_ok(0xffffffffffff));
}

/* Who sees frames of which VLAN, and which one a tag stands for. */
static void nic_vlans(struct kunit *test)
{
	static const u16 vlans[] = { 0, 1, 2, 4094, 4095, LPAR_VLAN_OTHER };
	unsigned int own, of, trusted;

	for (own = 0; own < 4; own++)
		for (of = 0; of < ARRAY_SIZE(vlans); of++)
			for (trusted = 0; trusted < 2; trusted++)
				KUNIT_EXPECT_EQ_MSG(test,
						    lpar_core_sees(vlans[own], trusted,
								   vlans[of]),
						    own == of || (trusted && !own),
						    "station in %u, frame of %u",
						    vlans[own], vlans[of]);
	KUNIT_EXPECT_EQ(test, lpar_core_vlan(0x8100, 0), 0);
	KUNIT_EXPECT_EQ(test, lpar_core_vlan(0x8100, 0xf000), 0);
	KUNIT_EXPECT_EQ(test, lpar_core_vlan(0x8100, 1), 1);
	KUNIT_EXPECT_EQ(test, lpar_core_vlan(0x8100, 0xfffe), 4094);
	KUNIT_EXPECT_EQ(test, lpar_core_vlan(0x88a8, 1), LPAR_VLAN_OTHER);
	KUNIT_EXPECT_EQ(test, lpar_core_vlan(0x88a8, 0), LPAR_VLAN_OTHER);
}

/* What a submission takes on the wire, be it legal or not. */
static void nic_wire_bytes(struct kunit *test)
{
	static const struct {
		u32 len;
		u16 headers, gso_size;
		u8 gso_type;
		u32 want;
	} frames[] = {
		{ 1514, 54, 0, 0, 1514 },
		{ 54, 54, 1460, LPAR_GSO_TCP4, 54 },
		{ 55, 54, 1460, LPAR_GSO_TCP4, 55 },
		{ 1514, 54, 1460, LPAR_GSO_TCP4, 1514 },
		{ 1515, 54, 1460, LPAR_GSO_TCP4, 1515 + 54 },
		{ 54 + 10 * 1460, 54, 1460, LPAR_GSO_TCP6, 10 * 1514 },
		{ 54 + 10 * 1460, 54, 1460, LPAR_GSO_NONE, 54 + 10 * 1460 },
		{ 42 + 20, 42, 8, LPAR_GSO_UDP, 3 * 42 + 20 },
		{ 42 + 20, 42, 7, LPAR_GSO_UDP, 42 + 20 },
		{ 0xffffffff, 0xffff, 8, LPAR_GSO_UDP, 65550 + 256 * 8161 },
		{ 0xffffffff, 0, 1, LPAR_GSO_UDP, 65550 },
		{ 0, 0, 0, LPAR_GSO_UDP, 0 },
		{ 0, 0xffff, 8, LPAR_GSO_UDP, 0 },
	};
	struct lpar_net_sqe sqe = {};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(frames); i++) {
		sqe.len = cpu_to_le32(frames[i].len);
		sqe.headers = cpu_to_le16(frames[i].headers);
		sqe.gso_size = cpu_to_le16(frames[i].gso_size);
		sqe.gso_type = frames[i].gso_type;
		KUNIT_EXPECT_EQ_MSG(test, lpar_core_wire_bytes(&sqe), frames[i].want,
				    "frame %u", i);
	}
}

/*
 * A sender that never rests gets the rate, and a burst at the beginning; one that
 * comes late by less than half of a burst loses nothing; one that rests saves nothing.
 */
static void nic_rate(struct kunit *test)
{
	static const u32 rates[] = { 1, 10, 1000, 400000 };
	static const u32 sizes[] = { 1, 64, 1514, 65550 };
	const u64 burst = LPAR_RATE_BURST_NS, start = 1000, late = burst / 2;
	u64 paid, now, wait, sent, cost, pauses;
	unsigned int r, s, n;

	for (r = 0; r < ARRAY_SIZE(rates); r++)
		for (s = 0; s < ARRAY_SIZE(sizes); s++) {
			paid = 0;
			now = start;
			sent = 0;
			pauses = 0;
			cost = (u64)sizes[s] * 8000 / rates[r];
			for (n = 0; n < 2000; n++) {
				wait = lpar_core_rate_wait(paid, now);
				if (wait) {
					KUNIT_ASSERT_GE(test, wait, burst / 2);
					KUNIT_ASSERT_LE(test, wait, burst / 2 + cost);
					now += wait + (n % 2 ? late : 0);
					pauses++;
				}
				KUNIT_ASSERT_EQ(test, lpar_core_rate_wait(paid, now), 0ull);
				paid = lpar_core_rate_pay(paid, now, rates[r], sizes[s]);
				sent += cost;
				KUNIT_ASSERT_LE(test, sent, now - start + burst + cost);
				KUNIT_ASSERT_GE(test, sent, now - start);
			}
			KUNIT_EXPECT_EQ_MSG(test, !pauses, sent <= burst + cost,
					    "%u bytes at %u Mbit/s", sizes[s], rates[r]);
			now += 1000 * burst;
			KUNIT_EXPECT_EQ(test, lpar_core_rate_pay(paid, now, rates[r],
								 sizes[s]), now + cost);
		}
}

/*
 * A client that never rests has RTNL a 20th of the time, and waits but shortly for each
 * choice; for those that are not cheap, so long that they are few.
 */
static void nic_choice(struct kunit *test)
{
	static const u64 held[] = { 0, 1, 1000, 300000, 2499999, 2500000, 1000000000 };
	static const u64 others[] = { LPAR_CAP_MAC, LPAR_CAP_MACS, LPAR_CAP_PROMISC,
				      LPAR_CAP_STANDBY, LPAR_CAP_VLAN_FILTER };
	const u64 burst = LPAR_RATE_BURST_NS, start = 1000;
	u64 until, now, wait, cost, sum;
	unsigned int h, n;

	for (h = 0; h < ARRAY_SIZE(held); h++) {
		for (n = 0; n < ARRAY_SIZE(others); n++)
			KUNIT_EXPECT_EQ(test, lpar_core_choice_ns(others[n], held[h]),
					LPAR_CHOICE_NS);
		cost = lpar_core_choice_ns(LPAR_CAP_VLANS, held[h]);
		KUNIT_EXPECT_EQ(test, lpar_core_held_ns(held[h]), cost);
		KUNIT_EXPECT_EQ(test, cost, held[h] < 2500000 ? 20 * held[h] : 50000000);
		until = 0;
		now = start;
		sum = 0;
		for (n = 0; n < 5000; n++) {
			wait = lpar_core_rate_wait(until, now);
			KUNIT_ASSERT_LE(test, wait, burst / 2 + LPAR_CHOICE_NS);
			now += wait + held[h];
			until = (until > now ? until : now) + cost;
			sum += cost;
			KUNIT_ASSERT_LE(test, sum, now - start + burst + cost);
		}
	}
}

/* Nor has one more of it that is reset after each choice, though nothing delays a reset. */
static void nic_choice_reset(struct kunit *test)
{
	static const u64 choices[] = { 1000, 10000, 300000, 2499999 };
	static const u64 resets[] = { 1000, 50000, 200000, 2499999 };
	const u64 start = 1000;
	u64 until, now, sum;
	unsigned int c, r, n;

	for (c = 0; c < ARRAY_SIZE(choices); c++)
		for (r = 0; r < ARRAY_SIZE(resets); r++) {
			until = 0;
			now = start;
			sum = 0;
			for (n = 0; n < 2000; n++) {
				now += lpar_core_rate_wait(until, now) + choices[c];
				if (until < now)
					until = now;
				until += lpar_core_choice_ns(LPAR_CAP_VLANS, choices[c]);
				now += resets[r];
				if (until < now)
					until = now;
				until += lpar_core_held_ns(resets[r]);
				sum += choices[c] + resets[r];
				KUNIT_ASSERT_LE(test, sum * LPAR_CHOICE_SHARE,
						now - start + LPAR_RATE_BURST_NS +
						2 * LPAR_CHOICE_NS);
			}
		}
}

/* What waits for all NICs takes a part of the host's memory, however many they are. */
static void nic_backlog(struct kunit *test)
{
	static const u64 ram[] = { 1ull << 28, 1ull << 31, 3ull << 40 };
	static const u32 nics[] = { 0, 1, 24, 1000, 100000 };
	u64 queue, whole;
	u32 queues;
	int r, n;

	for (r = 0; r < ARRAY_SIZE(ram); r++)
		for (n = 0; n < ARRAY_SIZE(nics); n++)
			for (queues = 1; queues <= 16; queues++) {
				whole = ram[r] / 16;
				queue = lpar_core_backlog(ram[r], nics[n], queues);
				KUNIT_EXPECT_LE(test, queue, 4ull << 20);
				KUNIT_EXPECT_LE(test, queue * queues, 16ull << 20);
				KUNIT_EXPECT_LE(test, queue * queues * nics[n], whole);
				/* but as much as that allows */
				if (queue < 4 << 20 && whole >= (u64)(nics[n] ?: 1) << 24)
					KUNIT_EXPECT_EQ(test, queue, (16ull << 20) / queues);
			}
	KUNIT_EXPECT_EQ(test, lpar_core_backlog(2ull << 30, 81, 1), 1657008u);
}

static struct kunit_case nic_cases[] = {
	KUNIT_CASE_PARAM(nic_frame_matrix, rows_gen_params),
	KUNIT_CASE(nic_frame_bits),
	KUNIT_CASE(nic_frame_sa),
	KUNIT_CASE(nic_frame_segments),
	KUNIT_CASE(nic_frame_unused),
	KUNIT_CASE(nic_records),
	KUNIT_CASE(nic_records_room),
	KUNIT_CASE(nic_set),
	KUNIT_CASE(nic_set_vlans),
	KUNIT_CASE(nic_addresses),
	KUNIT_CASE(nic_vlans),
	KUNIT_CASE(nic_wire_bytes),
	KUNIT_CASE(nic_rate),
	KUNIT_CASE(nic_choice),
	KUNIT_CASE(nic_choice_reset),
	KUNIT_CASE(nic_backlog),
	{}
};

static struct kunit_suite nic_suite = {
	.name = "lpar_nic",
	.test_cases = nic_cases,
};
kunit_test_suite(nic_suite);
