// SPDX-License-Identifier: GPL-2.0
/* Calls: what may be called when, with which arguments; versions; statuses. */
#include "suites.h"

/* Arguments of each call, from the comments of wire.h. */
static const int arguments[] = { -1, 1, 0, 1, 1, 1, 5, 1, 3, 3, 2, 2, 1, 2, -1, -1 };

/* Opcode × greeted or not × which arguments are not zero. */
static void call_matrix(struct kunit *test)
{
	static const u64 values[] = { 1, 1ull << 32, 1ull << 63, ~0ull };
	struct lpar_call_in in, before;
	enum lpar_status want;
	unsigned int op, mask, v, i;
	int greeted;

	for (op = 0; op < ARRAY_SIZE(arguments); op++)
	for (greeted = 0; greeted < 2; greeted++)
	for (mask = 0; mask < 32; mask++)
	for (v = 0; v < ARRAY_SIZE(values); v++) {
		in = (struct lpar_call_in){ .op = op, .seq = 9 };
		for (i = 0; i < 5; i++)
			in.arg[i] = mask & 1 << i ? values[v] : 0;
		before = in;
		if (arguments[op] < 0)
			want = LPAR_NOSYS;
		else if (mask >> arguments[op])
			want = LPAR_INVAL;
		else if (greeted == (op == LPAR_OP_HELLO))
			want = LPAR_STATE;
		else
			want = LPAR_OK;
		KUNIT_EXPECT_EQ_MSG(test, lpar_core_call(&in, greeted), want,
				    "op %u, greeted %d, arguments %#x", op, greeted,
				    mask);
		KUNIT_EXPECT_EQ(test, memcmp(&in, &before, sizeof(in)), 0);
	}
}

static void call_unknown(struct kunit *test)
{
	static const u32 ops[] = {
		0, 14, 15, 255, 256, 257, 0x10001, 0x7fffffff, 0x80000001, 0xffffffff,
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(ops); i++) {
		struct lpar_call_in in = { .op = ops[i], .seq = 1 };

		KUNIT_EXPECT_EQ(test, lpar_core_call(&in, false), LPAR_NOSYS);
		KUNIT_EXPECT_EQ(test, lpar_core_call(&in, true), LPAR_NOSYS);
	}
}

static const struct versions {
	const char *name;
	u64 arg;
	u32 lowest, highest, want;
} versions[] = {
	{ "the same", 1 | 1 << 16, 1, 1, 1 },
	{ "the guest also speaks a newer one", 1 | 7 << 16, 1, 1, 1 },
	{ "the guest also speaks an older one", 1 | 3 << 16, 2, 3, 3 },
	{ "the guest is newer", 2 | 7 << 16, 1, 1, 0 },
	{ "the guest is older", 1 | 2 << 16, 3, 5, 0 },
	{ "the host also speaks newer ones", 1 | 2 << 16, 1, 5, 2 },
	{ "they meet at the guest's lowest", 3 | 9 << 16, 1, 3, 3 },
	{ "they meet at the host's lowest", 1 | 3 << 16, 3, 9, 3 },
	{ "the guest within the host", 3 | 4 << 16, 1, 9, 4 },
	{ "the host within the guest", 1 | 9 << 16, 3, 4, 4 },
	{ "upside down", 2 | 1 << 16, 1, 2, 0 },
	{ "none", 0, 1, 1, 0 },
	{ "no highest", 1, 1, 1, 0 },
	{ "from 0", 0 | 1 << 16, 1, 1, 1 },
	{ "the largest", 0xffff | 0xffffull << 16, 1, 0xffff, 0xffff },
	{ "all of them", 0xffffull << 16, 1, 1, 1 },
	{ "bit 32", 1 | 1 << 16 | 1ull << 32, 1, 1, 0 },
	{ "bit 63", 1 | 1 << 16 | 1ull << 63, 1, 1, 0 },
	{ "all bits", ~0ull, 1, 1, 0 },
};

static void versions_name(const struct versions *v, char *name)
{
	snprintf(name, KUNIT_PARAM_DESC_SIZE, "%s", v->name);
}

KUNIT_ARRAY_PARAM(versions, versions, versions_name);

static void call_version(struct kunit *test)
{
	const struct versions *v = test->param_value;

	KUNIT_EXPECT_EQ(test, lpar_core_version(v->arg, v->lowest, v->highest),
			v->want);
}

static void call_version_all(struct kunit *test)
{
	u32 min, max, low, high, v, best;

	for (min = 0; min < 6; min++)
	for (max = 0; max < 6; max++)
	for (low = 1; low < 6; low++)
	for (high = low; high < 6; high++) {
		best = 0;
		for (v = 1; v < 6; v++)
			if (v >= min && v <= max && v >= low && v <= high)
				best = v;
		KUNIT_EXPECT_EQ_MSG(test,
				    lpar_core_version(min | max << 16, low, high),
				    best, "%u-%u and %u-%u", min, max, low, high);
	}
}

/* An error of ours is no success, and no verdict of the adapter's. */
static void call_status(struct kunit *test)
{
	int err;

	KUNIT_EXPECT_EQ(test, lpar_core_status(0), LPAR_OK);
	KUNIT_EXPECT_EQ(test, lpar_core_status(-EDQUOT), LPAR_QUOTA);
	KUNIT_EXPECT_EQ(test, lpar_core_status(-ENOSPC), LPAR_QUOTA);
	KUNIT_EXPECT_EQ(test, lpar_core_status(-EFAULT), LPAR_FAULT);
	KUNIT_EXPECT_EQ(test, lpar_core_status(-EINVAL), LPAR_INVAL);
	KUNIT_EXPECT_EQ(test, lpar_core_status(-EAGAIN), LPAR_BUSY);
	KUNIT_EXPECT_EQ(test, lpar_core_status(-EINTR), LPAR_BUSY);
	KUNIT_EXPECT_EQ(test, lpar_core_status(-ENOMEM), LPAR_NOMEM);
	for (err = 1; err < 4096; err++) {
		KUNIT_EXPECT_NE(test, lpar_core_status(-err), LPAR_OK);
		KUNIT_EXPECT_LT(test, lpar_core_status(-err), LPAR_IOERR);
	}
}

static struct kunit_case call_cases[] = {
	KUNIT_CASE(call_matrix),
	KUNIT_CASE(call_unknown),
	KUNIT_CASE_PARAM(call_version, versions_gen_params),
	KUNIT_CASE(call_version_all),
	KUNIT_CASE(call_status),
	{}
};

static struct kunit_suite call_suite = {
	.name = "lpar_call",
	.test_cases = call_cases,
};
kunit_test_suite(call_suite);
