// SPDX-License-Identifier: GPL-2.0
/* Mailboxes: rules and what they say, the life of a request, roles, MANAGE's pieces. */
#include "suites.h"

#define MAC_MIN	1ull
#define MAC_MAX	0xffffffffffffull

static const struct ask {
	u32 ask;
	const char *name;
	bool nic;
	bool nvme;
	u64 min;
	u64 max;
} asks[] = {
	{ LPAR_ASK_MAC, "mac", true, false, MAC_MIN, 0xfeffffffffff },
	{ LPAR_ASK_VLAN, "vlan", true, false, 0, 4094 },
	{ LPAR_ASK_MTU, "mtu", true, false, 68, 65535 },
	{ LPAR_ASK_RATE, "rate", true, false, 0, 0xffffffff },
	{ LPAR_ASK_QUEUES, "queues", false, true, 1, 65534 },
	{ LPAR_ASK_ATTACH, "attach", false, true, 1, 0xfffffffe },
	{ LPAR_ASK_DETACH, "detach", false, true, 1, 0xfffffffe },
	{ LPAR_ASK_RESET, "reset", true, true, 0, 0 },
};

/* What is asked for × kind of VF × rule × value within, at and beyond every limit. */
static void mailbox_policy_matrix(struct kunit *test)
{
	struct lpar_policy policy, before;
	enum lpar_rule_word word, rule;
	unsigned int i, kind, limited, v;
	enum lpar_status want;

	for (i = 0; i < ARRAY_SIZE(asks); i++)
	for (kind = 0; kind < 4; kind++)
	for (rule = LPAR_RULE_ASK; rule <= LPAR_RULE_REFUSE; rule++)
	for (limited = 0; limited < 2; limited++) {
		const struct ask *a = &asks[i];
		u64 low = a->max ? a->min + 2 : 0, high = a->max ? a->min + 4 : 0;
		u64 values[] = { a->min, a->max, a->min - 1, a->max + 1, low, high,
				 low - 1, high + 1, ~0ull, 1ull << 32, 1ull << 48 };

		memset(&policy, 0, sizeof(policy));
		policy.rule[a->ask] = (struct lpar_rule){
			.word = rule,
			.limited = limited && rule != LPAR_RULE_REFUSE,
			.min = low,
			.max = high,
		};
		before = policy;
		for (v = 0; v < ARRAY_SIZE(values); v++) {
			u64 value = values[v];
			bool ours = kind == LPAR_VF_NIC ? a->nic :
				    kind == LPAR_VF_NVME ? a->nvme : false;
			bool group = a->ask == LPAR_ASK_MAC && value >> 40 & 1;

			if (!ours)
				want = LPAR_NOTSUPP;
			else if (value < a->min || value > a->max || group)
				want = LPAR_RANGE;
			else if (rule == LPAR_RULE_REFUSE ||
				 (limited && (value < low || value > high)))
				want = LPAR_PERM;
			else
				want = LPAR_OK;
			word = LPAR_RULE_REFUSE;
			KUNIT_EXPECT_EQ_MSG(test,
					    lpar_core_ask(&policy, kind, a->ask,
							  value, &word), want,
					    "%s of kind %u, rule %d, limited %u, %llu",
					    a->name, kind, rule, limited,
					    (unsigned long long)value);
			KUNIT_EXPECT_EQ(test, word,
					want == LPAR_OK ? rule : LPAR_RULE_REFUSE);
			KUNIT_EXPECT_EQ(test, memcmp(&policy, &before, sizeof(policy)),
					0);
		}
	}
}

static void mailbox_unknown(struct kunit *test)
{
	static const u64 values[] = { 0, LPAR_ASKS, LPAR_ASKS + 1, 255, 1ull << 32,
				      (1ull << 32) + 1, ~0ull };
	enum lpar_rule_word word = LPAR_RULE_REFUSE;
	struct lpar_policy policy = {};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(values); i++)
		KUNIT_EXPECT_EQ(test, lpar_core_ask(&policy, LPAR_VF_NIC, values[i], 0,
						    &word), LPAR_INVAL);
	KUNIT_EXPECT_EQ(test, word, LPAR_RULE_REFUSE);
	KUNIT_EXPECT_TRUE(test, !lpar_core_ask_name(0));
	KUNIT_EXPECT_TRUE(test, !lpar_core_ask_name(LPAR_ASKS));
}

static const struct rule_text {
	const char *text;	/* as it is written */
	u32 ask;
	const char *back;	/* as it is shown; NULL: it is none */
} rule_texts[] = {
	{ "ask", LPAR_ASK_VLAN, "ask" },
	{ "ask\n", LPAR_ASK_VLAN, "ask" },
	{ "allow", LPAR_ASK_RESET, "allow" },
	{ "refuse\n", LPAR_ASK_MAC, "refuse" },
	{ "allow 5-9", LPAR_ASK_VLAN, "allow 5-9" },
	{ "ask 7\n", LPAR_ASK_VLAN, "ask 7-7" },
	{ "allow 0-4294967295", LPAR_ASK_RATE, "allow 0-4294967295" },
	{ "allow 02:00:00:00:00:00-02:00:00:00:0a:ff", LPAR_ASK_MAC,
	  "allow 02:00:00:00:00:00-02:00:00:00:0a:ff" },
	{ "allow 02:AB:cd:EF:00:01", LPAR_ASK_MAC,
	  "allow 02:ab:cd:ef:00:01-02:ab:cd:ef:00:01" },
	{ "", LPAR_ASK_VLAN, NULL },
	{ "\n", LPAR_ASK_VLAN, NULL },
	{ "perhaps", LPAR_ASK_VLAN, NULL },
	{ "asking", LPAR_ASK_VLAN, NULL },
	{ "allow ", LPAR_ASK_VLAN, NULL },
	{ "allow  5", LPAR_ASK_VLAN, NULL },
	{ "allow 5-", LPAR_ASK_VLAN, NULL },
	{ "allow -5", LPAR_ASK_VLAN, NULL },
	{ "allow 9-5", LPAR_ASK_VLAN, NULL },
	{ "allow 5-9x", LPAR_ASK_VLAN, NULL },
	{ "allow 5-9\n\n", LPAR_ASK_VLAN, NULL },
	{ "allow 0x5", LPAR_ASK_VLAN, NULL },
	{ "allow 4294967296", LPAR_ASK_RATE, NULL },
	{ "allow 18446744073709551617", LPAR_ASK_RATE, NULL },
	{ "refuse 5", LPAR_ASK_VLAN, NULL },
	{ "allow 02:00:00:00:00:01", LPAR_ASK_VLAN, NULL },
	{ "allow 7", LPAR_ASK_MAC, NULL },
	{ "allow 02:00:00:00:00", LPAR_ASK_MAC, NULL },
	{ "allow 02:00:00:00:00:0", LPAR_ASK_MAC, NULL },
	{ "allow 02:00:00:00:00:0g", LPAR_ASK_MAC, NULL },
	{ "allow 02-00-00-00-00-01", LPAR_ASK_MAC, NULL },
	{ "allow 02:00:00:00:00:01:", LPAR_ASK_MAC, NULL },
};

static void mailbox_rule_texts(struct kunit *test)
{
	char text[LPAR_RULE_TEXT];
	struct lpar_rule rule;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(rule_texts); i++) {
		const struct rule_text *t = &rule_texts[i];
		struct lpar_rule old = { .word = LPAR_RULE_ALLOW, .limited = true,
					 .min = 3, .max = 77 };

		rule = old;
		KUNIT_EXPECT_EQ_MSG(test, lpar_core_rule_parse(t->text, t->ask, &rule),
				    t->back != NULL, "'%s'", t->text);
		if (!t->back) {
			KUNIT_EXPECT_EQ(test, memcmp(&rule, &old, sizeof(rule)), 0);
			continue;
		}
		lpar_core_rule_text(text, sizeof(text), t->ask, &rule);
		KUNIT_EXPECT_STREQ(test, text, t->back);
	}
}

static void mailbox_why(struct kunit *test)
{
	struct lpar_rule rule = { .word = LPAR_RULE_ASK, .limited = true, .min = 5,
				  .max = 9 };
	char why[LPAR_REASON_TEXT + 1], little[8];
	int n;

	n = lpar_core_ask_why(why, sizeof(why), LPAR_ASK_VLAN, &rule);
	KUNIT_EXPECT_STREQ(test, why,
			   "the partition's policy takes vlan from 5 to 9 only");
	KUNIT_EXPECT_EQ(test, n, (int)strlen(why));
	rule.min = 0x020000000001;
	rule.max = MAC_MAX;
	n = lpar_core_ask_why(why, sizeof(why), LPAR_ASK_MAC, &rule);
	KUNIT_EXPECT_STREQ(test, why,
			   "the partition's policy takes mac from 02:00:00:00:00:01 to ff:ff:ff:ff:ff:ff only");
	rule.word = LPAR_RULE_REFUSE;
	n = lpar_core_ask_why(why, sizeof(why), LPAR_ASK_RESET, &rule);
	KUNIT_EXPECT_STREQ(test, why, "the partition's policy refuses reset");
	KUNIT_EXPECT_EQ(test, n, (int)strlen(why));
	/* never more than there is room for */
	n = lpar_core_ask_why(little, sizeof(little), LPAR_ASK_RESET, &rule);
	KUNIT_EXPECT_EQ(test, n, (int)sizeof(little) - 1);
}

/* The record of this type, or all zero. Return: how many there are. */
static int find_record(const u8 *data, int len, u16 type, struct lpar_value *value)
{
	struct lpar_record rec;
	int at, n = 0;

	memset(value, 0, sizeof(*value));
	for (at = 0; at < len; at += le16_to_cpu(rec.len)) {
		memcpy(&rec, data + at, sizeof(rec));
		if (le16_to_cpu(rec.type) != type)
			continue;
		memcpy(value, data + at + sizeof(rec), sizeof(*value));
		n++;
	}
	return n;
}

static void mailbox_records(struct kunit *test)
{
	static const char name[] = "0000:01:10.0";
	struct lpar_policy policy = {};
	u64 now[LPAR_ASKS] = { [LPAR_ASK_VLAN] = 300, [LPAR_ASK_RATE] = 7 };
	u8 data[512] __attribute__((aligned(8)));
	struct lpar_value v;
	int len, size;

	policy.rule[LPAR_ASK_MAC].word = LPAR_RULE_REFUSE;
	policy.rule[LPAR_ASK_VLAN] = (struct lpar_rule){ .limited = true, .min = 5,
							 .max = 9 };
	policy.rule[LPAR_ASK_MTU] = (struct lpar_rule){ .limited = true, .min = 9,
							.max = 20 };
	policy.rule[LPAR_ASK_RATE].word = LPAR_RULE_ALLOW;
	len = lpar_core_mailbox_records(data, sizeof(data), name, LPAR_VF_NIC, &policy,
					now, 1u << LPAR_ASK_VLAN);
	KUNIT_ASSERT_GT(test, len, 0);
	KUNIT_EXPECT_EQ(test, find_record(data, len, LPAR_CAP_NAME, &v), 1);
	KUNIT_EXPECT_EQ(test, memcmp(&v, name, strlen(name)), 0);
	KUNIT_EXPECT_EQ(test, find_record(data, len, LPAR_CAP_VF_KIND, &v), 1);
	KUNIT_EXPECT_EQ(test, le64_to_cpu(v.cur), (u64)LPAR_VF_NIC);
	/* refused, of another kind of VF, or a range that no value is in */
	KUNIT_EXPECT_EQ(test, find_record(data, len, LPAR_CAP_ASK + LPAR_ASK_MAC, &v),
			0);
	KUNIT_EXPECT_EQ(test, find_record(data, len, LPAR_CAP_ASK + LPAR_ASK_QUEUES,
					  &v), 0);
	KUNIT_EXPECT_EQ(test, find_record(data, len, LPAR_CAP_ASK + LPAR_ASK_MTU, &v),
			0);
	KUNIT_EXPECT_EQ(test, find_record(data, len, LPAR_CAP_ASK + LPAR_ASK_RESET, &v),
			1);
	/* what it has may lie outside */
	KUNIT_EXPECT_EQ(test, find_record(data, len, LPAR_CAP_ASK + LPAR_ASK_VLAN, &v),
			1);
	KUNIT_EXPECT_EQ(test, le64_to_cpu(v.min), 5ull);
	KUNIT_EXPECT_EQ(test, le64_to_cpu(v.max), 9ull);
	KUNIT_EXPECT_EQ(test, le64_to_cpu(v.cur), 300ull);
	/* not known: the least */
	KUNIT_EXPECT_EQ(test, find_record(data, len, LPAR_CAP_ASK + LPAR_ASK_RATE, &v),
			1);
	KUNIT_EXPECT_EQ(test, le64_to_cpu(v.cur), 0ull);
	KUNIT_EXPECT_EQ(test, le64_to_cpu(v.max), 0xffffffffull);
	for (size = 0; size < len; size++)
		KUNIT_EXPECT_EQ(test, lpar_core_mailbox_records(data, size, name,
								LPAR_VF_NIC, &policy,
								now, 0), -ENOSPC);
}

/* Each state × each thing that can be done to a request. */
static void mailbox_life(struct kunit *test)
{
	static const struct {
		enum lpar_asked_state state;
		int take, end_own, end_other;
		enum lpar_asked_state drop_own, drop_other;
		enum lpar_status fetch;
	} rows[] = {
		{ LPAR_ASKED_WAITS, 0, -EPERM, -EPERM,
		  LPAR_ASKED_WAITS, LPAR_ASKED_WAITS, LPAR_BUSY },
		{ LPAR_ASKED_TAKEN, -EBUSY, 0, -EPERM,
		  LPAR_ASKED_WAITS, LPAR_ASKED_TAKEN, LPAR_BUSY },
		{ LPAR_ASKED_ENDED, -ENOENT, -ENOENT, -ENOENT,
		  LPAR_ASKED_ENDED, LPAR_ASKED_ENDED, LPAR_OK },
	};
	unsigned int i;
	u32 n;

	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		KUNIT_EXPECT_EQ(test, lpar_core_take(rows[i].state), rows[i].take);
		KUNIT_EXPECT_EQ(test, lpar_core_end(rows[i].state, true),
				rows[i].end_own);
		KUNIT_EXPECT_EQ(test, lpar_core_end(rows[i].state, false),
				rows[i].end_other);
		KUNIT_EXPECT_EQ(test, lpar_core_drop(rows[i].state, true),
				rows[i].drop_own);
		KUNIT_EXPECT_EQ(test, lpar_core_drop(rows[i].state, false),
				rows[i].drop_other);
		KUNIT_EXPECT_EQ(test, lpar_core_fetch(rows[i].state, 0, 9, 100, &n),
				rows[i].fetch);
		KUNIT_EXPECT_EQ(test, n, rows[i].fetch == LPAR_OK ? 9u : 0u);
		/* it can be forgotten at any time */
		KUNIT_EXPECT_EQ(test, lpar_core_fetch(rows[i].state, LPAR_FORGET, 9,
						      100, &n), LPAR_OK);
		KUNIT_EXPECT_EQ(test, n, 0u);
	}
}

/* The text in pieces: each byte once, and nothing beyond it. */
static void mailbox_fetch(struct kunit *test)
{
	static const u32 lens[] = { 0, 1, 99, 100, 101, 199, 200, 201 };
	unsigned int i;
	u64 at;
	u32 n;

	for (i = 0; i < ARRAY_SIZE(lens); i++) {
		for (at = 0;; at += n) {
			KUNIT_EXPECT_EQ(test, lpar_core_fetch(LPAR_ASKED_ENDED, at,
							      lens[i], 100, &n),
					LPAR_OK);
			KUNIT_ASSERT_LE(test, n, 100u);
			if (!n)
				break;
		}
		KUNIT_EXPECT_EQ(test, at, (u64)lens[i]);
		for (at = lens[i] + 1; at; at <<= 8)
			KUNIT_EXPECT_EQ(test, lpar_core_fetch(LPAR_ASKED_ENDED, at,
							      lens[i], 100, &n),
					LPAR_RANGE);
	}
}

static void mailbox_role(struct kunit *test)
{
	unsigned int attached, other;

	for (attached = 0; attached < 2; attached++)
	for (other = 0; other < 2; other++) {
		KUNIT_EXPECT_EQ(test, lpar_core_role(LPAR_ROLE_CLIENT, attached, other),
				attached ? -EBUSY : 0);
		KUNIT_EXPECT_EQ(test, lpar_core_role(LPAR_ROLE_MANAGEMENT, attached,
						     other),
				attached || other ? -EBUSY : 0);
	}
}

/* Whose partition is a client gets no other answer, whatever it says. */
static void mailbox_pieces_of_others(struct kunit *test)
{
	static const u64 values[] = { 0, 1, 3968, LPAR_MANAGE_TEXT,
				      LPAR_MANAGE_TEXT + 1, 1ull << 32, ~0ull };
	struct lpar_pieces pieces = {};
	unsigned int i, k, open;
	u32 n;

	for (i = 0; i < ARRAY_SIZE(values); i++)
	for (k = 0; k < ARRAY_SIZE(values); k++)
	for (open = 0; open < 2; open++) {
		n = 1;
		KUNIT_EXPECT_EQ(test, lpar_core_piece(LPAR_ROLE_CLIENT, &pieces, open,
						      values[i], values[k], 3968, &n),
				LPAR_PERM);
		KUNIT_EXPECT_EQ(test, n, 0u);
	}
}

static enum lpar_status piece(const struct lpar_pieces *pieces, bool open, u64 offset,
			      u64 total, u32 *n)
{
	return lpar_core_piece(LPAR_ROLE_MANAGEMENT, pieces, open, offset, total, 100,
			       n);
}

static void mailbox_pieces(struct kunit *test)
{
	struct lpar_pieces pieces = {};
	u32 n;

	KUNIT_EXPECT_EQ(test, piece(&pieces, false, 0, 0, &n), LPAR_INVAL);
	KUNIT_EXPECT_EQ(test, piece(&pieces, false, 0, LPAR_MANAGE_TEXT + 1, &n),
			LPAR_INVAL);
	KUNIT_EXPECT_EQ(test, piece(&pieces, false, 0, 1ull << 32, &n), LPAR_INVAL);
	KUNIT_EXPECT_EQ(test, piece(&pieces, false, 9, 9, &n), LPAR_INVAL);
	KUNIT_EXPECT_EQ(test, piece(&pieces, false, ~0ull, 9, &n), LPAR_INVAL);
	KUNIT_EXPECT_EQ(test, piece(&pieces, true, 0, 9, &n), LPAR_BUSY);
	KUNIT_EXPECT_EQ(test, piece(&pieces, false, 5, 9, &n), LPAR_STATE);
	KUNIT_EXPECT_EQ(test, n, 0u);
	KUNIT_EXPECT_EQ(test, piece(&pieces, false, 0, LPAR_MANAGE_TEXT, &n), LPAR_OK);
	KUNIT_EXPECT_EQ(test, n, 100u);
	KUNIT_EXPECT_EQ(test, piece(&pieces, false, 0, 100, &n), LPAR_OK);
	KUNIT_EXPECT_EQ(test, n, 100u);

	/* 250 bytes: 100, 100, 50, in this order and no other */
	pieces = (struct lpar_pieces){ .total = 250, .have = 100 };
	KUNIT_EXPECT_EQ(test, piece(&pieces, false, 200, 250, &n), LPAR_STATE);
	KUNIT_EXPECT_EQ(test, piece(&pieces, false, 99, 250, &n), LPAR_STATE);
	KUNIT_EXPECT_EQ(test, piece(&pieces, false, 100, 251, &n), LPAR_STATE);
	KUNIT_EXPECT_EQ(test, piece(&pieces, false, 100, 250, &n), LPAR_OK);
	KUNIT_EXPECT_EQ(test, n, 100u);
	pieces.have = 200;
	KUNIT_EXPECT_EQ(test, piece(&pieces, false, 100, 250, &n), LPAR_STATE);
	KUNIT_EXPECT_EQ(test, piece(&pieces, false, 200, 250, &n), LPAR_OK);
	KUNIT_EXPECT_EQ(test, n, 50u);
	/* anew, at any time */
	KUNIT_EXPECT_EQ(test, piece(&pieces, false, 0, 30, &n), LPAR_OK);
	KUNIT_EXPECT_EQ(test, n, 30u);
}

static struct kunit_case mailbox_cases[] = {
	KUNIT_CASE(mailbox_policy_matrix),
	KUNIT_CASE(mailbox_unknown),
	KUNIT_CASE(mailbox_rule_texts),
	KUNIT_CASE(mailbox_why),
	KUNIT_CASE(mailbox_records),
	KUNIT_CASE(mailbox_life),
	KUNIT_CASE(mailbox_fetch),
	KUNIT_CASE(mailbox_role),
	KUNIT_CASE(mailbox_pieces_of_others),
	KUNIT_CASE(mailbox_pieces),
	{}
};

static struct kunit_suite mailbox_suite = {
	.name = "lpar_mailbox",
	.test_cases = mailbox_cases,
};
kunit_test_suite(mailbox_suite);
