// SPDX-License-Identifier: GPL-2.0
/* Tag arithmetic: which pages of the tag range are tags, and of which block. */
#include "suites.h"

#define REGIONS		3
#define BLOCK_PAGES	512		/* 2 MiB */
#define REGION_PAGES	32768		/* 128 MiB */
#define REGION_BLOCKS	63		/* of 513 pages each */

static const unsigned int places[] = { 0, 1, 255, 510, 511 };

static void tag_constants(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, (u64)LPAR_TAG_BLOCK_PAGES, (u64)BLOCK_PAGES);
	KUNIT_EXPECT_EQ(test, (u64)LPAR_TAG_REGION_PAGES, (u64)REGION_PAGES);
	KUNIT_EXPECT_EQ(test, (u64)LPAR_TAG_REGION_BLOCKS, (u64)REGION_BLOCKS);
	/* a block is a window */
	KUNIT_EXPECT_EQ(test, (u64)LPAR_TAG_BLOCK_PAGES << 12,
			(u64)LPAR_WINDOW_SIZE);
}

static void round_trip(struct kunit *test, unsigned int block)
{
	unsigned int i, place;

	for (i = 0; i < ARRAY_SIZE(places); i++) {
		place = ~0u;
		KUNIT_EXPECT_EQ_MSG(test,
				    lpar_tag_page_block(lpar_tag_block_page(block) +
							places[i], &place),
				    (long)block, "place %u", places[i]);
		KUNIT_EXPECT_EQ_MSG(test, place, places[i], "block %u", block);
	}
}

static void tag_round_trip(struct kunit *test)
{
	unsigned int block;

	for (block = 0; block < REGIONS * REGION_BLOCKS; block++)
		round_trip(test, block);
	/* 4 TiB and more of tags: no step is done in 32 bits */
	for (block = 0x7fffff00; block < 0x80000100; block += 17)
		round_trip(test, block);
	round_trip(test, 0xffffffff);
}

/* Each page of some regions, with its block counted and not computed. */
static void tag_every_page(struct kunit *test)
{
	unsigned long page = 0, tags = 0;
	unsigned int r, b, p, place;
	long block = 0;

	for (r = 0; r < REGIONS; r++) {
		for (b = 0; b < REGION_BLOCKS; b++, block++) {
			KUNIT_EXPECT_EQ(test, lpar_tag_block_page(block), page);
			for (p = 0; p < BLOCK_PAGES; p++, page++) {
				if (lpar_tag_page_block(page, &place) == block &&
				    place == p)
					tags++;
			}
			/* the gap */
			KUNIT_EXPECT_EQ(test, lpar_tag_page_block(page, &place),
					-1l);
			page++;
		}
		/* what is left of the region is too short for a block */
		for (; page % REGION_PAGES; page++)
			KUNIT_EXPECT_EQ(test, lpar_tag_page_block(page, &place),
					-1l);
	}
	KUNIT_EXPECT_EQ(test, tags,
			(unsigned long)REGIONS * REGION_BLOCKS * BLOCK_PAGES);
}

/* The block layer merges what is adjacent: no two blocks may be. */
static void tag_not_adjacent(struct kunit *test)
{
	unsigned long end = 0, first;
	unsigned int block;

	for (block = 0; block < REGIONS * REGION_BLOCKS; block++) {
		first = lpar_tag_block_page(block);
		if (block)
			KUNIT_EXPECT_GT_MSG(test, first, end, "block %u", block);
		end = first + BLOCK_PAGES;
	}
}

static void tag_region_edges(struct kunit *test)
{
	unsigned int place;

	/* no block crosses a region */
	KUNIT_EXPECT_EQ(test, lpar_tag_block_page(REGION_BLOCKS - 1), 62ul * 513);
	KUNIT_EXPECT_EQ(test, lpar_tag_block_page(REGION_BLOCKS),
			(unsigned long)REGION_PAGES);
	KUNIT_EXPECT_EQ(test, lpar_tag_page_block(62ul * 513 + 511, &place), 62l);
	KUNIT_EXPECT_EQ(test, place, 511u);
	KUNIT_EXPECT_EQ(test, lpar_tag_page_block(63ul * 513, &place), -1l);
	KUNIT_EXPECT_EQ(test, lpar_tag_page_block(REGION_PAGES - 1, &place), -1l);
	KUNIT_EXPECT_EQ(test, lpar_tag_page_block(REGION_PAGES, &place), 63l);
	KUNIT_EXPECT_EQ(test, place, 0u);
}

/* Two shares of a range take and give back, in every order: neither ever misses
 * what it was promised, and no more is taken than there is. */
static void tag_shares(struct kunit *test)
{
	enum { BLOCKS = 5, STEPS = 7 };
	struct lpar_tag_share share[2];
	u32 order, step, taken, owed, who;

	for (order = 0; order < 1 << (2 * STEPS); order++) {
		share[0] = (struct lpar_tag_share){ .floor = 1 };
		share[1] = (struct lpar_tag_share){ .floor = 2 };
		taken = 0;
		for (step = 0; step < STEPS; step++) {
			struct lpar_tag_share *s, *other;

			who = order >> (2 * step) & 1;
			s = &share[who];
			other = &share[!who];
			owed = lpar_core_tag_owed(s) + lpar_core_tag_owed(other);
			if (order >> (2 * step) & 2) {
				bool room = lpar_core_tag_room(s, BLOCKS - taken,
							       owed);
				u32 kept = other->used < other->floor ?
					   other->floor - other->used : 0;
				bool want = s->used < s->floor ||
					    BLOCKS - taken > kept;

				if (room != want)
					KUNIT_FAIL(test, "order %x step %u: %d",
						   order, step, room);
				s->used += room;
				taken += room;
			} else if (s->used) {
				s->used--;
				taken--;
			}
			if (taken > BLOCKS)
				KUNIT_FAIL(test, "order %x: %u taken", order, taken);
		}
	}
}

static struct kunit_case tag_cases[] = {
	KUNIT_CASE(tag_constants),
	KUNIT_CASE(tag_round_trip),
	KUNIT_CASE(tag_every_page),
	KUNIT_CASE(tag_not_adjacent),
	KUNIT_CASE(tag_region_edges),
	KUNIT_CASE(tag_shares),
	{}
};

static struct kunit_suite tag_suite = {
	.name = "lpar_tag",
	.test_cases = tag_cases,
};
kunit_test_suite(tag_suite);
