// SPDX-License-Identifier: GPL-2.0
/* What a client asks an adjunct for, and what it believes of the answers. */
#include "suites.h"

#ifdef __KERNEL__
#include <linux/errno.h>
#include <linux/string.h>
#else
#include <errno.h>
#include <string.h>
#endif

static struct lpar_adjunct_create good_create(void)
{
	struct lpar_adjunct_create create = { .pages = 1 };

	strcpy(create.image, "checksum");
	return create;
}

static void adjunct_create(struct kunit *test)
{
	struct lpar_adjunct_create create = good_create();

	KUNIT_EXPECT_EQ(test, lpar_adjunct_check_create(&create), 0);
	create.pages = LPAR_ADJUNCT_PAGES_MAX;
	create.quantum_us = ~0u;
	create.timeout_ms = ~0u;
	create.policy = LPAR_ADJUNCT_AFTERWARDS;
	KUNIT_EXPECT_EQ(test, lpar_adjunct_check_create(&create), 0);

	create = good_create();
	create.pages = 0;
	KUNIT_EXPECT_EQ(test, lpar_adjunct_check_create(&create), -EINVAL);
	create.pages = LPAR_ADJUNCT_PAGES_MAX + 1;
	KUNIT_EXPECT_EQ(test, lpar_adjunct_check_create(&create), -EINVAL);
	create = good_create();
	create.policy = LPAR_ADJUNCT_AFTERWARDS + 1;
	KUNIT_EXPECT_EQ(test, lpar_adjunct_check_create(&create), -EINVAL);
	create = good_create();
	create.device = LPAR_DEVICES_MAX;
	KUNIT_EXPECT_EQ(test, lpar_adjunct_check_create(&create), 0);
	create.device++;
	KUNIT_EXPECT_EQ(test, lpar_adjunct_check_create(&create), -EINVAL);
}

/* Named or brought along, and not more of it than is donated. */
static void adjunct_own(struct kunit *test)
{
	struct lpar_adjunct_create create = { .pages = 2, .own = 4096, .own_bytes = 8192 };

	KUNIT_EXPECT_EQ(test, lpar_adjunct_check_create(&create), 0);
	create.own_bytes++;
	KUNIT_EXPECT_EQ(test, lpar_adjunct_check_create(&create), -EINVAL);
	create.own_bytes = ~0u;
	KUNIT_EXPECT_EQ(test, lpar_adjunct_check_create(&create), -EINVAL);
	create.own_bytes = 0;
	KUNIT_EXPECT_EQ(test, lpar_adjunct_check_create(&create), -EINVAL);
	create.own_bytes = 4096;
	create.own = 0;
	KUNIT_EXPECT_EQ(test, lpar_adjunct_check_create(&create), -EINVAL);
	create.own = 4096;
	create.image[0] = 'x';
	KUNIT_EXPECT_EQ(test, lpar_adjunct_check_create(&create), -EINVAL);
	create = good_create();
	create.own = 4096;
	KUNIT_EXPECT_EQ(test, lpar_adjunct_check_create(&create), -EINVAL);
	KUNIT_EXPECT_EQ(test, lpar_adjunct_errno(LPAR_PERM), -EPERM);
}

static void adjunct_query(struct kunit *test)
{
	struct lpar_adjunct_query query = {}, good = {};

	KUNIT_EXPECT_EQ(test, lpar_adjunct_check_query(&query), 0);
	strcpy(good.image, "checksum");
	KUNIT_EXPECT_EQ(test, lpar_adjunct_check_query(&good), 0);
	memset(query.image, 'x', sizeof(query.image));
	KUNIT_EXPECT_EQ(test, lpar_adjunct_check_query(&query), -EINVAL);
	query = good;
	query.image[sizeof(query.image) - 1] = 'x';
	KUNIT_EXPECT_EQ(test, lpar_adjunct_check_query(&query), -EINVAL);
	query = good;
	query.pages = 1;
	KUNIT_EXPECT_EQ(test, lpar_adjunct_check_query(&query), -EINVAL);
	query = good;
	query.flags = 1;
	KUNIT_EXPECT_EQ(test, lpar_adjunct_check_query(&query), -EINVAL);
	query = good;
	query.reserved[1] = 1;
	KUNIT_EXPECT_EQ(test, lpar_adjunct_check_query(&query), -EINVAL);
}

/* A name has an end, and nothing behind it. */
static void adjunct_name(struct kunit *test)
{
	struct lpar_adjunct_create create = good_create();
	u32 i;

	memset(create.image, 0, sizeof(create.image));
	KUNIT_EXPECT_EQ(test, lpar_adjunct_check_create(&create), -EINVAL);
	memset(create.image, 'x', sizeof(create.image));
	KUNIT_EXPECT_EQ(test, lpar_adjunct_check_create(&create), -EINVAL);
	create.image[sizeof(create.image) - 1] = 0;
	KUNIT_EXPECT_EQ(test, lpar_adjunct_check_create(&create), 0);
	for (i = 9; i < sizeof(create.image); i++) {
		create = good_create();
		create.image[i] = 'x';
		KUNIT_EXPECT_EQ(test, lpar_adjunct_check_create(&create), -EINVAL);
	}
}

/* Data of random lengths: in the data area, aligned, nothing overlaps, nothing lost. */
static void adjunct_plan(struct kunit *test)
{
	struct lpar_adjunct_place places[LPAR_ADJUNCT_DEPTH];
	struct lpar_adjunct_call calls[LPAR_ADJUNCT_DEPTH];
	u64 random = 7, need;
	u32 round, count, i, bytes, at, fits = 0;

	for (round = 0; round < 500; round++) {
		count = 1 + suite_random(&random) % LPAR_ADJUNCT_DEPTH;
		need = 0;
		memset(calls, 0, sizeof(calls));
		for (i = 0; i < count; i++) {
			calls[i].in_len = suite_random(&random) % (2 * LPAR_ADJUNCT_ROOM / count);
			calls[i].out_len = suite_random(&random) % 300;
			need += (calls[i].in_len + 63) / 64 * 64;
			need += (calls[i].out_len + 63) / 64 * 64;
		}
		if (lpar_adjunct_plan(calls, count, places, &bytes)) {
			KUNIT_EXPECT_EQ(test, lpar_adjunct_plan(calls, count, places, &bytes),
					-E2BIG);
			KUNIT_EXPECT_GT(test, need, (u64)LPAR_ADJUNCT_ROOM);
			continue;
		}
		fits++;
		at = LPAR_ADJUNCT_DATA;
		for (i = 0; i < count; i++) {
			KUNIT_EXPECT_GE(test, places[i].in, at);
			KUNIT_EXPECT_EQ(test, places[i].in % LPAR_ADJUNCT_ALIGN, 0u);
			KUNIT_EXPECT_GE(test, places[i].out, places[i].in + calls[i].in_len);
			KUNIT_EXPECT_EQ(test, places[i].out % LPAR_ADJUNCT_ALIGN, 0u);
			at = places[i].out + calls[i].out_len;
		}
		KUNIT_EXPECT_LE(test, at, LPAR_ADJUNCT_DATA + bytes);
		KUNIT_EXPECT_EQ(test, (u64)bytes, need);
		KUNIT_EXPECT_LE(test, bytes, (u32)LPAR_ADJUNCT_ROOM);
	}
	KUNIT_EXPECT_GT(test, fits, 50u);
	KUNIT_EXPECT_LT(test, fits, 450u);
}

/* What just fits does, and one byte more does not; lengths that wrap do not. */
static void adjunct_plan_edges(struct kunit *test)
{
	struct lpar_adjunct_place places[LPAR_ADJUNCT_DEPTH];
	struct lpar_adjunct_call calls[LPAR_ADJUNCT_DEPTH + 1] = {};
	u32 bytes = 1234;

	KUNIT_EXPECT_EQ(test, lpar_adjunct_plan(calls, 0, places, &bytes), -EINVAL);
	KUNIT_EXPECT_EQ(test, lpar_adjunct_plan(calls, LPAR_ADJUNCT_DEPTH + 1, places, &bytes),
			-EINVAL);
	KUNIT_EXPECT_EQ(test, lpar_adjunct_plan(calls, ~0u, places, &bytes), -EINVAL);
	KUNIT_EXPECT_EQ(test, bytes, 1234u);
	KUNIT_EXPECT_EQ(test, lpar_adjunct_plan(calls, LPAR_ADJUNCT_DEPTH, places, &bytes), 0);
	KUNIT_EXPECT_EQ(test, bytes, 0u);

	calls[0].in_len = LPAR_ADJUNCT_ROOM;
	KUNIT_EXPECT_EQ(test, lpar_adjunct_plan(calls, 1, places, &bytes), 0);
	KUNIT_EXPECT_EQ(test, bytes, (u32)LPAR_ADJUNCT_ROOM);
	calls[0].in_len++;
	KUNIT_EXPECT_EQ(test, lpar_adjunct_plan(calls, 1, places, &bytes), -E2BIG);
	calls[0].in_len = LPAR_ADJUNCT_ROOM - LPAR_ADJUNCT_ALIGN;
	calls[0].out_len = LPAR_ADJUNCT_ALIGN;
	KUNIT_EXPECT_EQ(test, lpar_adjunct_plan(calls, 1, places, &bytes), 0);
	calls[0].out_len++;
	KUNIT_EXPECT_EQ(test, lpar_adjunct_plan(calls, 1, places, &bytes), -E2BIG);
	/* the first leaves nothing to the second, but what is empty */
	calls[0].out_len = LPAR_ADJUNCT_ALIGN;
	KUNIT_EXPECT_EQ(test, lpar_adjunct_plan(calls, 2, places, &bytes), 0);
	calls[1].out_len = 1;
	KUNIT_EXPECT_EQ(test, lpar_adjunct_plan(calls, 2, places, &bytes), -E2BIG);

	memset(calls, 0, sizeof(calls));
	calls[0].in_len = ~0u;
	KUNIT_EXPECT_EQ(test, lpar_adjunct_plan(calls, 1, places, &bytes), -E2BIG);
	calls[0].in_len = 0;
	calls[0].out_len = ~0u - 10;
	KUNIT_EXPECT_EQ(test, lpar_adjunct_plan(calls, 1, places, &bytes), -E2BIG);
	memset(calls, 0, sizeof(calls));
	calls[1].reserved = 1;
	KUNIT_EXPECT_EQ(test, lpar_adjunct_plan(calls, 1, places, &bytes), 0);
	KUNIT_EXPECT_EQ(test, lpar_adjunct_plan(calls, 2, places, &bytes), -EINVAL);
}

/* What goes together: no more than is wanted, than there are slots, and than there is room. */
static void adjunct_fit(struct kunit *test)
{
	struct lpar_adjunct_fill fill = { 1, 64 };

	/* alone, since no more are wanted */
	KUNIT_EXPECT_FALSE(test, lpar_adjunct_fit(&fill, 1, 0, 1));
	KUNIT_EXPECT_FALSE(test, lpar_adjunct_fit(&fill, 1, 0, 0));
	KUNIT_EXPECT_FALSE(test, lpar_adjunct_fit(&fill, 3, 0, 3));
	KUNIT_EXPECT_EQ(test, fill.count, 1u);
	KUNIT_EXPECT_TRUE(test, lpar_adjunct_fit(&fill, 2, 128, 3));
	KUNIT_EXPECT_EQ(test, fill.count, 3u);
	KUNIT_EXPECT_EQ(test, fill.bytes, 192u);
	KUNIT_EXPECT_FALSE(test, lpar_adjunct_fit(&fill, 1, 0, 3));

	/* whatever is wanted, the ring has so many slots */
	KUNIT_EXPECT_FALSE(test, lpar_adjunct_fit(&fill, LPAR_ADJUNCT_DEPTH - 2, 0, ~0u));
	KUNIT_EXPECT_FALSE(test, lpar_adjunct_fit(&fill, ~0u - 1, 0, ~0u));
	KUNIT_EXPECT_TRUE(test, lpar_adjunct_fit(&fill, LPAR_ADJUNCT_DEPTH - 3, 0, ~0u));
	KUNIT_EXPECT_FALSE(test, lpar_adjunct_fit(&fill, 1, 0, ~0u));
	/* a program's own batch may be larger than what is wanted: nothing goes with it */
	KUNIT_EXPECT_FALSE(test, lpar_adjunct_fit(&fill, 1, 0, 4));
	KUNIT_EXPECT_EQ(test, fill.count, (u32)LPAR_ADJUNCT_DEPTH);

	fill = (struct lpar_adjunct_fill){ 1, LPAR_ADJUNCT_ROOM - 128 };
	KUNIT_EXPECT_FALSE(test, lpar_adjunct_fit(&fill, 1, 192, 32));
	KUNIT_EXPECT_FALSE(test, lpar_adjunct_fit(&fill, 1, ~0u - 63, 32));
	KUNIT_EXPECT_EQ(test, fill.bytes, LPAR_ADJUNCT_ROOM - 128u);
	KUNIT_EXPECT_TRUE(test, lpar_adjunct_fit(&fill, 1, 128, 32));
	/* nothing is left, but nothing is needed */
	KUNIT_EXPECT_TRUE(test, lpar_adjunct_fit(&fill, 1, 0, 32));
	KUNIT_EXPECT_FALSE(test, lpar_adjunct_fit(&fill, 1, 64, 32));
	KUNIT_EXPECT_EQ(test, fill.count, 3u);
}

/* The index that the adjunct claims, also where indices wrap. */
static void adjunct_served(struct kunit *test)
{
	static const u32 starts[] = { 0, 1, 31, 0x7fffffff, 0xffffffe0, 0xffffffff };
	u32 i, count, step, served;

	for (i = 0; i < ARRAY_SIZE(starts); i++) {
		for (count = 1; count <= LPAR_ADJUNCT_DEPTH; count++) {
			for (step = 0; step <= count; step++) {
				served = 99;
				KUNIT_EXPECT_TRUE(test, lpar_adjunct_served(starts[i], count,
									    starts[i] + step,
									    &served));
				KUNIT_EXPECT_EQ(test, served, step);
			}
			served = 99;
			KUNIT_EXPECT_FALSE(test, lpar_adjunct_served(starts[i], count,
								     starts[i] + count + 1,
								     &served));
			KUNIT_EXPECT_FALSE(test, lpar_adjunct_served(starts[i], count,
								     starts[i] - 1, &served));
			KUNIT_EXPECT_FALSE(test, lpar_adjunct_served(starts[i], count,
								     starts[i] + 0x80000000u,
								     &served));
			KUNIT_EXPECT_EQ(test, served, 99u);
		}
	}
}

/* Each status × each state × whether the answer is there. */
static void adjunct_after_run(struct kunit *test)
{
	enum lpar_adjunct_next next, want;
	u32 status, state;

	for (status = 0; status < 50; status++) {
		for (state = 0; state < 6; state++) {
			KUNIT_EXPECT_EQ(test, (int)lpar_adjunct_after_run(status, state, true),
					(int)LPAR_ADJUNCT_NEXT_DONE);
			next = lpar_adjunct_after_run(status, state, false);
			if (state == LPAR_ADJUNCT_DEAD)
				want = LPAR_ADJUNCT_NEXT_DEAD;
			else if (state != LPAR_ADJUNCT_LOADED && state != LPAR_ADJUNCT_READY)
				want = LPAR_ADJUNCT_NEXT_GONE;
			else if (status == LPAR_OK)
				want = LPAR_ADJUNCT_NEXT_AGAIN;
			else if (status == LPAR_BUSY)
				want = LPAR_ADJUNCT_NEXT_BUSY;
			else if (status == LPAR_NOMEM)
				want = LPAR_ADJUNCT_NEXT_NOMEM;
			else
				want = LPAR_ADJUNCT_NEXT_BROKEN;
			KUNIT_EXPECT_EQ(test, (int)next, (int)want);
		}
	}
	/* a function that has been pulled out reads as ones */
	KUNIT_EXPECT_EQ(test, (int)lpar_adjunct_after_run(~0u, ~0u, false),
			(int)LPAR_ADJUNCT_NEXT_GONE);
	KUNIT_EXPECT_EQ(test, (int)lpar_adjunct_after_run(~0u, LPAR_ADJUNCT_READY, false),
			(int)LPAR_ADJUNCT_NEXT_BROKEN);
}

/* What happens to a file, and what it may then have. */
enum event { MADE, DIED, ENDED, STOPPED, STARTED, REMOVED, EVENTS };

static void happen(struct lpar_adjunct_life *life, enum event event)
{
	switch (event) {
	case MADE:
		life->has = true;
		life->dead = false;
		break;
	case DIED:
		life->dead = life->has;
		break;
	case ENDED:
		life->has = false;
		break;
	case STOPPED:
		life->stopped = true;
		life->has = false;
		break;
	case STARTED:
		life->stopped = false;
		break;
	default:
		life->gone = true;
		life->has = false;
		break;
	}
}

/* Every life of five events, of those that are admitted: whoever has an adjunct can end
 * it and gets no other, a dead one does nothing, and nothing is had of a device that is
 * away. */
static void adjunct_life(struct kunit *test)
{
	unsigned int walk, at, end, served = 0, again = 0;
	struct lpar_adjunct_life life;
	int serve, new;

	for (end = 1, at = 0; at < 5; at++)
		end *= EVENTS;
	for (walk = 0; walk < end; walk++) {
		unsigned int left = walk, made = 0;
		bool removed = false, stopped = false, has = false, dead = false;

		life = (struct lpar_adjunct_life){};
		for (at = 0; at < 5; at++, left /= EVENTS) {
			enum event event = left % EVENTS;

			if (event == MADE && lpar_adjunct_admit(&life, LPAR_ADJUNCT_WANT_NEW))
				break;
			if (event == ENDED && lpar_adjunct_admit(&life, LPAR_ADJUNCT_WANT_END))
				break;
			if (event == DIED && lpar_adjunct_admit(&life, LPAR_ADJUNCT_WANT_SERVE))
				break;
			happen(&life, event);
			/* what that means, said once more */
			made += event == MADE;
			removed |= event == REMOVED;
			stopped = event == STOPPED || (stopped && event != STARTED);
			has = event == MADE || (has && (event == DIED || event == STARTED));
			dead = event == DIED || (dead && event != MADE);
			serve = lpar_adjunct_admit(&life, LPAR_ADJUNCT_WANT_SERVE);
			new = lpar_adjunct_admit(&life, LPAR_ADJUNCT_WANT_NEW);
			KUNIT_EXPECT_EQ(test, lpar_adjunct_admit(&life, LPAR_ADJUNCT_WANT_ANY),
					removed ? -ENODEV : stopped ? -EAGAIN : 0);
			KUNIT_EXPECT_EQ(test, lpar_adjunct_admit(&life, LPAR_ADJUNCT_WANT_END),
					removed ? -ENODEV : stopped ? -EAGAIN : has ? 0 : -ENOTCONN);
			KUNIT_EXPECT_EQ(test, serve, removed ? -ENODEV : stopped ? -EAGAIN :
					!has ? -ENOTCONN : dead ? -EOWNERDEAD : 0);
			KUNIT_EXPECT_EQ(test, new, removed ? -ENODEV : stopped ? -EAGAIN :
					has ? -EEXIST : 0);
			served += !serve;
			again += !serve && made > 1;
		}
	}
	/* such lives are among them */
	KUNIT_EXPECT_GT(test, served, 0u);
	KUNIT_EXPECT_GT(test, again, 0u);
}

static void adjunct_errno(struct kunit *test)
{
	u32 status;

	KUNIT_EXPECT_EQ(test, lpar_adjunct_errno(LPAR_OK), 0);
	KUNIT_EXPECT_EQ(test, lpar_adjunct_errno(LPAR_INVAL), -EINVAL);
	KUNIT_EXPECT_EQ(test, lpar_adjunct_errno(LPAR_NOENT), -ENOENT);
	KUNIT_EXPECT_EQ(test, lpar_adjunct_errno(LPAR_QUOTA), -EDQUOT);
	KUNIT_EXPECT_EQ(test, lpar_adjunct_errno(LPAR_NOMEM), -ENOMEM);
	KUNIT_EXPECT_EQ(test, lpar_adjunct_errno(LPAR_BUSY), -EBUSY);
	KUNIT_EXPECT_EQ(test, lpar_adjunct_errno(LPAR_NOSYS), -EOPNOTSUPP);
	KUNIT_EXPECT_EQ(test, lpar_adjunct_errno(LPAR_NOTSUPP), -EOPNOTSUPP);
	KUNIT_EXPECT_EQ(test, lpar_adjunct_errno(LPAR_GONE), -ENODEV);
	/* whatever else is said is an error */
	for (status = 1; status < 100; status++)
		KUNIT_EXPECT_LT(test, lpar_adjunct_errno(status), 0);
	KUNIT_EXPECT_EQ(test, lpar_adjunct_errno(LPAR_STATE), -EIO);
	KUNIT_EXPECT_EQ(test, lpar_adjunct_errno(~0u), -EIO);
}

static struct kunit_case adjunct_ring_cases[] = {
	KUNIT_CASE(adjunct_create),
	KUNIT_CASE(adjunct_name),
	KUNIT_CASE(adjunct_own),
	KUNIT_CASE(adjunct_query),
	KUNIT_CASE(adjunct_plan),
	KUNIT_CASE(adjunct_plan_edges),
	KUNIT_CASE(adjunct_fit),
	KUNIT_CASE(adjunct_served),
	KUNIT_CASE(adjunct_after_run),
	KUNIT_CASE(adjunct_life),
	KUNIT_CASE(adjunct_errno),
	{}
};

static struct kunit_suite adjunct_ring_suite = {
	.name = "lpar_adjunct_ring",
	.test_cases = adjunct_ring_cases,
};
kunit_test_suite(adjunct_ring_suite);
