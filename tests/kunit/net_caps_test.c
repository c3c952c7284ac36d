// SPDX-License-Identifier: GPL-2.0
/* A NIC's capability records: a guest reads anything without harm. */
#include "suites.h"

#define BUF	2048

struct given {
	u16 type;
	u64 min, max, cur;
};

/* All that a NIC can say, each with a value of its own. */
static const struct given full[] = {
	{ LPAR_CAP_MAC, 0, (1ull << 48) - 1, 0x020304050607 },
	{ LPAR_CAP_MTU, 100, 9000, 1400 },
	{ LPAR_CAP_SEGMENTS, 17, 17, 17 },
	{ LPAR_CAP_DEPTH, 2, 1023, 255 },
	{ LPAR_CAP_TX_QUEUES, 1, 5, 5 },
	{ LPAR_CAP_RX_QUEUES, 1, 6, 6 },
	{ LPAR_CAP_LINK, 1, 1, 1 },
	{ LPAR_CAP_SPEED, 2500, 2500, 2500 },
	{ LPAR_CAP_FULL_DUPLEX, 1, 1, 1 },
	{ LPAR_CAP_TX_CSUM, 0, 1, 1 },
	{ LPAR_CAP_TX_CSUM4, 0, 1, 1 },
	{ LPAR_CAP_TX_CSUM6, 0, 1, 1 },
	{ LPAR_CAP_TSO4, 0, 65536, 60000 },
	{ LPAR_CAP_TSO6, 0, 65536, 50000 },
	{ LPAR_CAP_USO, 0, 65536, 40000 },
	{ LPAR_CAP_TSO_SEGMENTS, 44, 44, 44 },
	{ LPAR_CAP_TX_VLAN, 1, 1, 1 },
	{ LPAR_CAP_RX_CSUM, 1, 1, 1 },
	{ LPAR_CAP_RX_VLAN, 1, 1, 1 },
	{ LPAR_CAP_RX_MERGED, 1, 1, 1 },
	{ LPAR_CAP_PROMISC, 0, 1, 0 },
	{ LPAR_CAP_ALLMULTI, 0, 1, 1 },
	{ LPAR_CAP_PORT_VLAN, 77, 77, 77 },
	{ LPAR_CAP_IPSEC, 0, 300, 200 },
	{ LPAR_CAP_TOE, 1, 1, 1 },
	{ LPAR_CAP_STANDBY, 0, 1, 0 },
	{ LPAR_CAP_VLAN_FILTER, 0, 1, 0 },
	{ LPAR_CAP_VLANS, 4094, 4094, 4094 },
	{ LPAR_CAP_MACS, 16, 16, 16 },
};

static u32 add(u8 *at, u32 len, const struct given *g)
{
	struct lpar_record rec = {
		.type = cpu_to_le16(g->type),
		.len = cpu_to_le16(sizeof(rec) + sizeof(struct lpar_value)),
	};
	struct lpar_value v = {
		.min = cpu_to_le64(g->min),
		.max = cpu_to_le64(g->max),
		.cur = cpu_to_le64(g->cur),
	};

	memcpy(at + len, &rec, sizeof(rec));
	memcpy(at + len + sizeof(rec), &v, sizeof(v));
	return len + sizeof(rec) + sizeof(v);
}

/* The full set, with @other in place of the one of its type, or without it. */
static u32 add_all(u8 *at, u16 but, const struct given *other)
{
	unsigned int i;
	u32 len = 0;

	for (i = 0; i < ARRAY_SIZE(full); i++) {
		if (full[i].type != but)
			len = add(at, len, &full[i]);
		else if (other)
			len = add(at, len, other);
	}
	return len;
}

static u8 *buffer(struct kunit *test)
{
	u8 *buf = kunit_kzalloc(test, BUF, GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, buf);
	return buf;
}

static void net_caps_full(struct kunit *test)
{
	static const u8 mac[6] = { 2, 3, 4, 5, 6, 7 };
	struct lpar_nic_caps c;
	u8 *buf = buffer(test);
	const char *why;
	u32 len;

	len = add_all(buf, 0, NULL);
	KUNIT_ASSERT_EQ(test, lpar_nic_caps_parse(buf, len, &c, &why), 0);
	KUNIT_EXPECT_STREQ(test, c.name, "");
	KUNIT_EXPECT_EQ(test, memcmp(c.mac, mac, sizeof(mac)), 0);
	KUNIT_EXPECT_EQ(test, c.mac_free, true);
	KUNIT_EXPECT_EQ(test, c.mtu, 1400u);
	KUNIT_EXPECT_EQ(test, c.mtu_min, 100u);
	KUNIT_EXPECT_EQ(test, c.mtu_max, 9000u);
	KUNIT_EXPECT_EQ(test, c.tx_queues, 5u);
	KUNIT_EXPECT_EQ(test, c.rx_queues, 6u);
	KUNIT_EXPECT_EQ(test, c.depth, 128u);
	KUNIT_EXPECT_EQ(test, c.depth_most, 512u);
	KUNIT_EXPECT_EQ(test, c.segments, 17u);
	KUNIT_EXPECT_EQ(test, c.speed, 2500u);
	KUNIT_EXPECT_EQ(test, c.tso4, 60000u);
	KUNIT_EXPECT_EQ(test, c.tso6, 50000u);
	KUNIT_EXPECT_EQ(test, c.uso, 40000u);
	KUNIT_EXPECT_EQ(test, c.tso_segments, 44u);
	KUNIT_EXPECT_EQ(test, c.port_vlan, 77u);
	KUNIT_EXPECT_EQ(test, c.macs, 16u);
	KUNIT_EXPECT_EQ(test, c.sas, 200u);
	KUNIT_EXPECT_EQ(test, c.link && c.full_duplex && c.tx_csum && c.tx_csum4 &&
			c.tx_csum6 && c.tx_vlan && c.rx_csum && c.rx_vlan &&
			c.rx_merged && c.promisc_free && c.allmulti_free && c.standby &&
			c.vlan_filter, true);
}

/* Each record alone: twice, or cut off, is refused; without it, by what it is. */
static void net_caps_each(struct kunit *test)
{
	struct lpar_nic_caps c;
	u8 *buf = buffer(test);
	unsigned int i;
	const char *why;
	u32 len, end;
	bool must;
	int err;

	for (i = 0; i < ARRAY_SIZE(full); i++) {
		must = full[i].type == LPAR_CAP_MAC || full[i].type == LPAR_CAP_MTU ||
		       full[i].type == LPAR_CAP_DEPTH;
		len = add_all(buf, full[i].type, NULL);
		err = lpar_nic_caps_parse(buf, len, &c, &why);
		KUNIT_EXPECT_EQ_MSG(test, err, must ? -ERANGE : 0, "without type %u",
				    full[i].type);
		if (full[i].type == LPAR_CAP_IPSEC)
			KUNIT_EXPECT_EQ(test, c.sas, 0u);
		len = add_all(buf, 0, NULL);
		end = add(buf, len, &full[i]);
		err = lpar_nic_caps_parse(buf, end, &c, &why);
		KUNIT_EXPECT_EQ_MSG(test, err, -EPROTO, "type %u twice", full[i].type);
		err = lpar_nic_caps_parse(buf, len - 8 * (i % 4) - 4, &c, &why);
		KUNIT_EXPECT_EQ_MSG(test, err, -EPROTO, "cut off by %u", i);
	}
}

static void net_caps_insane(struct kunit *test)
{
	static const struct {
		struct given g;
		int err;
	} t[] = {
		{ { LPAR_CAP_MAC, 0, 0, 0 }, -ERANGE },
		{ { LPAR_CAP_MAC, 0, 1ull << 48, 1ull << 48 }, -ERANGE },
		{ { LPAR_CAP_MAC, 0, ~0ull, 0x010203040506 }, -ERANGE },
		{ { LPAR_CAP_MAC, 0, ~0ull, ~0ull }, -ERANGE },
		{ { LPAR_CAP_MTU, 67, 1500, 1500 }, -ERANGE },
		{ { LPAR_CAP_MTU, 68, 65536, 1500 }, -ERANGE },
		{ { LPAR_CAP_MTU, 1500, 68, 1500 }, -EPROTO },
		{ { LPAR_CAP_MTU, 68, 1500, 1501 }, -EPROTO },
		{ { LPAR_CAP_MTU, 68, 65535, 65535 }, 0 },
		{ { LPAR_CAP_TX_QUEUES, 0, 5, 0 }, -ERANGE },
		{ { LPAR_CAP_RX_QUEUES, 0, 5, 0 }, -ERANGE },
		{ { LPAR_CAP_TX_QUEUES, 0, ~0ull, ~0ull }, 0 },
		{ { LPAR_CAP_DEPTH, 0, 1024, 1 }, -ERANGE },
		{ { LPAR_CAP_DEPTH, 0, ~0ull, ~0ull }, 0 },
		{ { LPAR_CAP_SEGMENTS, 0, 1, 0 }, -ERANGE },
		{ { LPAR_CAP_SEGMENTS, 0, ~0ull, ~0ull }, 0 },
		{ { LPAR_CAP_SPEED, 0, ~0ull, ~0ull }, 0 },
		{ { LPAR_CAP_TSO4, 0, ~0ull, ~0ull }, 0 },
		{ { LPAR_CAP_TSO_SEGMENTS, 0, 0, 0 }, 0 },
		{ { LPAR_CAP_PORT_VLAN, 0, ~0ull, 4095 }, 0 },
		{ { LPAR_CAP_IPSEC, 0, 0, 0 }, 0 },
		{ { LPAR_CAP_IPSEC, 0, ~0ull, ~0ull }, 0 },
		{ { LPAR_CAP_IPSEC, 0, ~0ull, 1ull << 32 }, 0 },
	};
	struct lpar_nic_caps c;
	u8 *buf = buffer(test);
	unsigned int i;
	const char *why;
	u32 len;
	int err;

	for (i = 0; i < ARRAY_SIZE(t); i++) {
		len = add_all(buf, t[i].g.type, &t[i].g);
		err = lpar_nic_caps_parse(buf, len, &c, &why);
		KUNIT_EXPECT_EQ_MSG(test, err, t[i].err, "row %u", i);
		if (err)
			continue;
		KUNIT_EXPECT_LE_MSG(test, c.tx_queues, 128u, "row %u", i);
		KUNIT_EXPECT_LE_MSG(test, c.depth, 1024u, "row %u", i);
		KUNIT_EXPECT_LE_MSG(test, c.segments, 256u, "row %u", i);
		KUNIT_EXPECT_LE_MSG(test, c.speed, 0x7fffffffu, "row %u", i);
		KUNIT_EXPECT_LE_MSG(test, c.tso4, 65536u, "row %u", i);
		KUNIT_EXPECT_LE_MSG(test, c.port_vlan, 4094u, "row %u", i);
		if (t[i].g.type == LPAR_CAP_IPSEC)
			KUNIT_EXPECT_EQ_MSG(test, c.sas, t[i].g.cur ? 65535u : 0u, "row %u", i);
		if (t[i].g.type == LPAR_CAP_TSO_SEGMENTS)
			KUNIT_EXPECT_EQ(test, c.tso4 | c.tso6 | c.uso, 0u);
	}
}

static struct kunit_case net_caps_cases[] = {
	KUNIT_CASE(net_caps_full),
	KUNIT_CASE(net_caps_each),
	KUNIT_CASE(net_caps_insane),
	{}
};

static struct kunit_suite net_caps_suite = {
	.name = "lpar_net_caps",
	.test_cases = net_caps_cases,
};
kunit_test_suite(net_caps_suite);
