// SPDX-License-Identifier: GPL-2.0
/* Ranges, and the quantum of a dispatch. */
#include "suites.h"

#define TOP	0xfffffffffffff000ull	/* the last page */

static void value_overlap(struct kunit *test)
{
	unsigned int a, an, b, bn, i;
	bool want;

	for (a = 0; a < 6; a++)
	for (an = 0; an < 6; an++)
	for (b = 0; b < 6; b++)
	for (bn = 0; bn < 6; bn++) {
		want = false;
		for (i = 0; i < 12; i++)
			want |= i >= a && i < a + an && i >= b && i < b + bn;
		KUNIT_EXPECT_EQ_MSG(test, lpar_core_overlap(a, an, b, bn), want,
				    "%u+%u and %u+%u", a, an, b, bn);
	}
	/* none of it in 32 bits */
	KUNIT_EXPECT_FALSE(test, lpar_core_overlap(0, 4096, 1ull << 32, 4096));
	KUNIT_EXPECT_TRUE(test, lpar_core_overlap(0, 1ull << 33, 1ull << 32, 4096));
	KUNIT_EXPECT_TRUE(test, lpar_core_overlap(TOP - 4096, 4096, TOP - 1, 1));
	KUNIT_EXPECT_FALSE(test, lpar_core_overlap(TOP - 4096, 4096, TOP, 1));
}

static const struct span {
	const char *name;
	u64 start, bytes;
	bool want;
} spans[] = {
	{ "a page", 0, 4096, true },
	{ "a page further up", 0x123456000, 4096, true },
	{ "4 GiB", 0x1000, 1ull << 32, true },
	{ "up to the last page", TOP - 4096, 4096, true },
	{ "nearly everything", 4096, TOP - 4096, true },
	{ "empty", 4096, 0, false },
	{ "empty at 0", 0, 0, false },
	{ "start off by one", 1, 4096, false },
	{ "start off by half a page", 2048, 4096, false },
	{ "length off by one", 0, 4097, false },
	{ "length less than a page", 0, 4095, false },
	{ "both off", 2048, 2048, false },
	{ "its end is 2^64", TOP, 4096, false },
	{ "wraps", TOP, 8192, false },
	{ "wraps to itself", 4096, TOP, false },
	{ "wraps far", 1ull << 63, 1ull << 63, false },
	{ "2^64-1", ~0ull, ~0ull, false },
};

static void span_name(const struct span *r, char *name)
{
	snprintf(name, KUNIT_PARAM_DESC_SIZE, "%s", r->name);
}

KUNIT_ARRAY_PARAM(spans, spans, span_name);

static void value_range(struct kunit *test)
{
	const struct span *r = test->param_value;

	KUNIT_EXPECT_EQ(test, lpar_core_range_ok(r->start, r->bytes), r->want);
}

static void value_quantum(struct kunit *test)
{
	static const struct {
		u32 wish, limit, us;
	} t[] = {
		{ 0, 1000, 1000 },	/* no wish */
		{ 1, 1000, 1 },
		{ 999, 1000, 999 },
		{ 1000, 1000, 1000 },
		{ 1001, 1000, 1000 },	/* more than the limit */
		{ 0xffffffff, 1000, 1000 },
		{ 0, 0xffffffff, 0xffffffff },
		{ 0xfffffffe, 0xffffffff, 0xfffffffe },
		{ 5, 0, 0 },
		{ 0, 0, 0 },
	};
	struct lpar_quantum q;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(t); i++) {
		q = lpar_core_quantum(77, t[i].wish, t[i].limit);
		KUNIT_EXPECT_EQ(test, q.start, 77ull);
		KUNIT_EXPECT_EQ_MSG(test, q.limit, t[i].us * 1000ull,
				    "wish %u, limit %u", t[i].wish, t[i].limit);
	}
}

static void value_expired(struct kunit *test)
{
	/* the last: the clock wraps within the quantum */
	static const u64 starts[] = { 0, 1, 1ull << 32, ~0ull - 1000 };
	struct lpar_quantum q;
	unsigned int i;
	u64 at;

	for (i = 0; i < ARRAY_SIZE(starts); i++) {
		at = starts[i];
		q = lpar_core_quantum(at, 0, 50);
		KUNIT_EXPECT_FALSE(test, lpar_core_expired(&q, at));
		KUNIT_EXPECT_FALSE(test, lpar_core_expired(&q, at + 1));
		KUNIT_EXPECT_FALSE(test, lpar_core_expired(&q, at + 49999));
		KUNIT_EXPECT_TRUE(test, lpar_core_expired(&q, at + 50000));
		KUNIT_EXPECT_TRUE(test, lpar_core_expired(&q, at + 50001));
		KUNIT_EXPECT_TRUE(test, lpar_core_expired(&q, at + (1ull << 40)));
		/* a clock that steps back ends it: no dispatch lasts for ever */
		KUNIT_EXPECT_TRUE(test, lpar_core_expired(&q, at - 1));
	}
	/* nothing allowed */
	q = lpar_core_quantum(5, 3, 0);
	KUNIT_EXPECT_TRUE(test, lpar_core_expired(&q, 5));
	/* the longest is no less than an hour: not cut to 32 bits of ns */
	q = lpar_core_quantum(0, 0, 0xffffffff);
	KUNIT_EXPECT_FALSE(test, lpar_core_expired(&q, 3600ull * 1000000000));
}

static struct kunit_case value_cases[] = {
	KUNIT_CASE(value_overlap),
	KUNIT_CASE_PARAM(value_range, spans_gen_params),
	KUNIT_CASE(value_quantum),
	KUNIT_CASE(value_expired),
	{}
};

static struct kunit_suite value_suite = {
	.name = "lpar_value",
	.test_cases = value_cases,
};
kunit_test_suite(value_suite);
