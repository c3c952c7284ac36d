// SPDX-License-Identifier: GPL-2.0
/* Rings: indices that the other side writes, a queue's shape and its memory. */
#include "suites.h"

/* Where index arithmetic goes wrong, if it does. */
static const u32 starts[] = {
	0, 1, 1023, 0x7ffffffe, 0x7fffffff, 0x80000000, 0xfffffc00, 0xfffffffe,
	0xffffffff,
};

static void ring_ahead(struct kunit *test)
{
	static const u32 limits[] = { 2, 128, 1024 };
	unsigned int s, l;
	u32 n;

	for (s = 0; s < ARRAY_SIZE(starts); s++)
		for (l = 0; l < ARRAY_SIZE(limits); l++)
			for (n = 0; n <= limits[l]; n++)
				KUNIT_EXPECT_EQ(test,
						lpar_ring_ahead(starts[s] + n,
								starts[s],
								limits[l]),
						(long)n);
}

static void ring_lies(struct kunit *test)
{
	static const u32 lies[] = {
		1025, 1026, 0x7fffffff, 0x80000000, 0x80000001, 0xfffffc00,
		0xfffffffe, 0xffffffff,	/* one step back */
	};
	unsigned int s, i;

	for (s = 0; s < ARRAY_SIZE(starts); s++) {
		for (i = 0; i < ARRAY_SIZE(lies); i++)
			KUNIT_EXPECT_EQ_MSG(test,
					    lpar_ring_ahead(starts[s] + lies[i],
							    starts[s], 1024),
					    -1l, "%u from %u", lies[i], starts[s]);
		KUNIT_EXPECT_EQ(test, lpar_ring_ahead(starts[s] + 3, starts[s], 2),
				-1l);
		KUNIT_EXPECT_EQ(test, lpar_ring_ahead(starts[s] + 1, starts[s], 0),
				-1l);
		KUNIT_EXPECT_EQ(test, lpar_ring_ahead(starts[s], starts[s], 0), 0l);
	}
}

/* Passing @event is the step from it to the next index. */
static bool passed(u32 event, u32 old, u32 n)
{
	u32 k;

	for (k = 0; k < n; k++)
		if (old + k == event)
			return true;
	return false;
}

static void ring_event(struct kunit *test)
{
	unsigned int s;
	u32 n, d;

	for (s = 0; s < ARRAY_SIZE(starts); s++) {
		for (n = 0; n < 12; n++)
			for (d = 0; d < 32; d++) {
				u32 old = starts[s], event = old + d - 16;

				KUNIT_EXPECT_EQ_MSG(test,
						    !!lpar_event_passed(event, old,
									old + n),
						    passed(event, old, n),
						    "%u + %u, event %u", old, n,
						    event);
			}
		/* half a turn away, either side */
		KUNIT_EXPECT_FALSE(test, lpar_event_passed(starts[s] + 0x80000000,
							   starts[s],
							   starts[s] + 1024));
		/* the most that an index can move */
		KUNIT_EXPECT_TRUE(test, lpar_event_passed(starts[s] - 2, starts[s],
							  starts[s] - 1));
		KUNIT_EXPECT_FALSE(test, lpar_event_passed(starts[s] - 1, starts[s],
							   starts[s] - 1));
	}
}

static void ring_shape(struct kunit *test)
{
	static const u32 segs[] = { 0, 1, 2, 255, 256, 257, 65535 };
	struct lpar_queue_shape shape;
	unsigned int i;
	u32 depth;
	bool legal;

	for (depth = 0; depth < 65536; depth++) {
		/* all depths once, and each with all numbers where that is of
		 * interest */
		for (i = depth > 1100 ? ARRAY_SIZE(segs) - 3 : 0;
		     i < ARRAY_SIZE(segs); i++) {
			legal = (depth == 2 || depth == 4 || depth == 8 ||
				 depth == 16 || depth == 32 || depth == 64 ||
				 depth == 128 || depth == 256 || depth == 512 ||
				 depth == 1024) && segs[i] && segs[i] <= 256;
			shape = (struct lpar_queue_shape){ 77, 88 };
			if (lpar_core_shape(depth | (u64)segs[i] << 16, &shape) !=
			    legal)
				KUNIT_FAIL(test, "depth %u, segments %u", depth,
					   segs[i]);
			if (shape.depth != (legal ? depth : 77) ||
			    shape.segs != (legal ? segs[i] : 88))
				KUNIT_FAIL(test, "depth %u, segments %u: %u, %u",
					   depth, segs[i], shape.depth,
					   shape.segs);
		}
	}
}

static void ring_shape_high_bits(struct kunit *test)
{
	struct lpar_queue_shape shape;
	unsigned int bit;

	KUNIT_ASSERT_TRUE(test, lpar_core_shape(128 | 4 << 16, &shape));
	for (bit = 25; bit < 64; bit++)
		KUNIT_EXPECT_FALSE_MSG(test,
				       lpar_core_shape(128 | 4 << 16 | 1ull << bit,
						       &shape), "bit %u", bit);
	KUNIT_EXPECT_FALSE(test, lpar_core_shape(~0ull, &shape));
}

/* The parts of a queue's memory follow each other and fill it. */
static void ring_layout(struct kunit *test)
{
	u32 depth, segs, cq, table, end;

	for (depth = LPAR_QUEUE_DEPTH_MIN; depth <= LPAR_QUEUE_DEPTH_MAX;
	     depth *= 2) {
		KUNIT_EXPECT_EQ(test, lpar_queue_sq_offset(), 4096u);
		cq = lpar_queue_cq_offset(depth);
		KUNIT_EXPECT_EQ(test, cq, 4096 + depth * 64);
		table = lpar_queue_segs_offset(depth);
		KUNIT_EXPECT_EQ(test, table, cq + depth * 8);
		KUNIT_EXPECT_EQ(test, table % 16, 0u);
		for (segs = 1; segs <= LPAR_QUEUE_SEGS_MAX; segs++) {
			end = lpar_queue_bytes(depth, segs);
			KUNIT_EXPECT_EQ(test, (u64)end,
					table + (u64)depth * segs * 16);
			/* what the host maps at most */
			KUNIT_EXPECT_LE(test, end, 64u << 20);
		}
	}
}

static struct kunit_case ring_cases[] = {
	KUNIT_CASE(ring_ahead),
	KUNIT_CASE(ring_lies),
	KUNIT_CASE(ring_event),
	KUNIT_CASE(ring_shape),
	KUNIT_CASE(ring_shape_high_bits),
	KUNIT_CASE(ring_layout),
	{}
};

static struct kunit_suite ring_suite = {
	.name = "lpar_ring",
	.test_cases = ring_cases,
};
kunit_test_suite(ring_suite);
