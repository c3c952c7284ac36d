// SPDX-License-Identifier: GPL-2.0
/* Which request the guest has served first, and how many it asks for at once. */
#include "suites.h"

/* How many of a class may go while one of a less urgent class waits. */
#define PATIENCE	16

static void order_classes(struct kunit *test)
{
	struct lpar_order o = {};
	u32 i;

	KUNIT_EXPECT_EQ(test, lpar_order_waiting(&o), 0u);
	/* the least urgent come first, and go last */
	for (i = 0; i < 3; i++)
		lpar_order_add(&o, LPAR_CLASS_BACKGROUND);
	for (i = 0; i < 2; i++)
		lpar_order_add(&o, LPAR_CLASS_NORMAL);
	for (i = 0; i < 4; i++)
		lpar_order_add(&o, LPAR_CLASS_SYNC);
	KUNIT_EXPECT_EQ(test, lpar_order_waiting(&o), 9u);
	for (i = 0; i < 4; i++)
		KUNIT_EXPECT_EQ(test, (int)lpar_order_take(&o), (int)LPAR_CLASS_SYNC);
	KUNIT_EXPECT_EQ(test, (int)lpar_order_take(&o), (int)LPAR_CLASS_NORMAL);
	/* one that comes later goes before what waits all the same */
	lpar_order_add(&o, LPAR_CLASS_SYNC);
	KUNIT_EXPECT_EQ(test, (int)lpar_order_take(&o), (int)LPAR_CLASS_SYNC);
	KUNIT_EXPECT_EQ(test, (int)lpar_order_take(&o), (int)LPAR_CLASS_NORMAL);
	for (i = 0; i < 3; i++)
		KUNIT_EXPECT_EQ(test, (int)lpar_order_take(&o),
				(int)LPAR_CLASS_BACKGROUND);
	KUNIT_EXPECT_EQ(test, lpar_order_waiting(&o), 0u);
}

/* A class alone is not delayed by any other, and gets no credit for it. */
static void order_alone(struct kunit *test)
{
	int cls;
	u32 i;

	for (cls = 0; cls < LPAR_CLASSES; cls++) {
		struct lpar_order o = {};

		for (i = 0; i < 3 * PATIENCE; i++) {
			lpar_order_add(&o, cls);
			KUNIT_EXPECT_EQ(test, (int)lpar_order_take(&o), cls);
		}
		for (i = 0; i < LPAR_CLASSES; i++)
			KUNIT_EXPECT_EQ(test, o.passed[i], 0u);
	}
}

/* Others come without an end: each class gets on, and the urgent ones most. */
static void order_starvation(struct kunit *test)
{
	u32 taken[LPAR_CLASSES] = {}, since[LPAR_CLASSES] = {}, i;
	struct lpar_order o = {};
	int cls, other;

	for (cls = 0; cls < LPAR_CLASSES; cls++) {
		lpar_order_add(&o, cls);
		lpar_order_add(&o, cls);
	}
	for (i = 0; i < 1000; i++) {
		cls = lpar_order_take(&o);
		lpar_order_add(&o, cls);
		taken[cls]++;
		since[cls] = 0;
		for (other = 0; other < LPAR_CLASSES; other++) {
			if (other != cls)
				since[other]++;
			/* those that are less urgent do not count as passing */
			KUNIT_ASSERT_LE(test, since[other], PATIENCE + 2u);
		}
	}
	KUNIT_EXPECT_GE(test, taken[LPAR_CLASS_SYNC], 850u);
	KUNIT_EXPECT_GE(test, taken[LPAR_CLASS_NORMAL], 50u);
	KUNIT_EXPECT_GE(test, taken[LPAR_CLASS_BACKGROUND], 50u);
}

/* Just PATIENCE, no sooner; and who has gone waits anew. */
static void order_patience(struct kunit *test)
{
	struct lpar_order o = {};
	u32 round, i;

	for (i = 0; i < 3; i++)
		lpar_order_add(&o, LPAR_CLASS_BACKGROUND);
	for (i = 0; i < 100; i++)
		lpar_order_add(&o, LPAR_CLASS_SYNC);
	for (round = 0; round < 3; round++) {
		for (i = 0; i < PATIENCE; i++)
			KUNIT_EXPECT_EQ(test, (int)lpar_order_take(&o),
					(int)LPAR_CLASS_SYNC);
		KUNIT_EXPECT_EQ(test, (int)lpar_order_take(&o),
				(int)LPAR_CLASS_BACKGROUND);
	}
	KUNIT_EXPECT_EQ(test, lpar_order_waiting(&o), 100u - 3 * PATIENCE);
}

static void order_room(struct kunit *test)
{
	u32 batch, untaken, published, room;

	for (batch = 1; batch <= 4; batch++) {
		for (published = 0; published <= 6; published++) {
			/* the host may lag, or lie */
			for (untaken = 0; untaken <= 8; untaken++) {
				room = lpar_order_room(batch, untaken, published);
				KUNIT_EXPECT_LE(test, room, batch);
				/* else nothing would come to go on by */
				if (!published)
					KUNIT_EXPECT_EQ(test, room, batch);
				if (untaken <= published && untaken <= batch)
					KUNIT_EXPECT_EQ(test, room, batch - untaken);
				if (untaken <= published && untaken > batch)
					KUNIT_EXPECT_EQ(test, room, 0u);
			}
			KUNIT_EXPECT_EQ(test, lpar_order_room(batch, ~0u, published),
					published < batch ? batch - published : 0);
		}
	}
}

static void order_quantum(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, lpar_donate_quantum(0, 1000), 0u);
	KUNIT_EXPECT_EQ(test, lpar_donate_quantum(1, 1000), 1u);
	KUNIT_EXPECT_EQ(test, lpar_donate_quantum(999, 1000), 999u);
	/* the host's limit, which may have become shorter since it was asked for */
	KUNIT_EXPECT_EQ(test, lpar_donate_quantum(1000, 1000), 0u);
	KUNIT_EXPECT_EQ(test, lpar_donate_quantum(1001, 1000), 0u);
	KUNIT_EXPECT_EQ(test, lpar_donate_quantum(~0u, ~0u), 0u);
}

static struct kunit_case order_cases[] = {
	KUNIT_CASE(order_classes),
	KUNIT_CASE(order_alone),
	KUNIT_CASE(order_starvation),
	KUNIT_CASE(order_patience),
	KUNIT_CASE(order_room),
	KUNIT_CASE(order_quantum),
	{}
};

static struct kunit_suite order_suite = {
	.name = "lpar_order",
	.test_cases = order_cases,
};
kunit_test_suite(order_suite);
