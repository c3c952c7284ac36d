// SPDX-License-Identifier: GPL-2.0
/*
 * When the guest donates: what donate.c promises, not how it learns. The numbers
 * of the simulated submitters are loose: the policy may be tuned.
 */
#include "suites.h"

#define BATCH	16
#define HOLD_US	200
#define MOST_NS	50000000ull

static struct lpar_donate fresh(enum lpar_donate_policy policy, u32 batch)
{
	struct lpar_donate d;

	memset(&d, 0xff, sizeof(d));
	lpar_donate_init(&d, policy, batch, HOLD_US);
	return d;
}

static void donate_init(struct kunit *test)
{
	struct lpar_donate d = fresh(LPAR_DONATE_INLINE, 3);

	KUNIT_EXPECT_EQ(test, d.policy, LPAR_DONATE_INLINE);
	KUNIT_EXPECT_EQ(test, d.batch, 3u);
	KUNIT_EXPECT_EQ(test, d.hold_ns, HOLD_US * 1000ull);
	KUNIT_EXPECT_EQ(test, d.depth | d.peak, 0u);
	KUNIT_EXPECT_EQ(test, d.latency_ns, 0ull);
	/* a batch of none would be one that is always full */
	d = fresh(LPAR_DONATE_BATCH, 0);
	KUNIT_EXPECT_EQ(test, d.batch, 1u);
	/* no overflow in 32 bits */
	lpar_donate_init(&d, LPAR_DONATE_BATCH, 1, 0xffffffff);
	KUNIT_EXPECT_EQ(test, d.hold_ns, 0xffffffff * 1000ull);
}

/* Who rings differs, not when. */
static void donate_inline_by(struct kunit *test, enum lpar_donate_policy policy)
{
	struct lpar_donate d = fresh(policy, BATCH);
	u32 n;

	/* at the end of what the block layer has, or when the batch is full */
	for (n = 1; n < BATCH; n++)
		KUNIT_EXPECT_FALSE(test, lpar_donate_submitted(&d, n, n, false, false));
	KUNIT_EXPECT_TRUE(test, lpar_donate_submitted(&d, BATCH, BATCH, false, false));
	lpar_donate_rung(&d, BATCH, BATCH, 1000);
	KUNIT_EXPECT_TRUE(test, lpar_donate_submitted(&d, BATCH + 1, 1, true, false));
	/* whatever is held when the adapter runs dry goes */
	KUNIT_EXPECT_TRUE(test, lpar_donate_dry(&d, 1, 2000));
	KUNIT_EXPECT_FALSE(test, lpar_donate_dry(&d, 0, 3000));
	/* also of less than would be waited for */
	d.goal = BATCH;
	KUNIT_EXPECT_TRUE(test, lpar_donate_dry(&d, 1, 4000));
}

static void donate_inline(struct kunit *test)
{
	donate_inline_by(test, LPAR_DONATE_INLINE);
}

static void donate_thread(struct kunit *test)
{
	donate_inline_by(test, LPAR_DONATE_THREAD);
}

/* ------------------------------------------------- simulated submitters */

struct run {
	u32 depth;		/* in flight, as far as the submitter can */
	u64 submit_ns;		/* from one submission to the next */
	u64 serve_ns;		/* what the adapter takes for each, one by one */
	/* of the second half */
	u32 rings;
	u32 expired;
	u64 ns;
};

#define REQUESTS	4000

/* Events in the order of their times. */
static void run(struct kunit *test, struct lpar_donate *d, struct run *r)
{
	const u64 never = ~0ull;
	u64 now = 1000000, submit = now, serve = never, expire = never, half = now;
	u32 inflight = 0, held = 0, served = 0;
	bool ring;

	r->rings = 0;
	r->expired = 0;
	while (served < REQUESTS) {
		ring = false;
		if (serve <= submit && serve <= expire) {
			now = serve;
			inflight--;
			if (++served == REQUESTS / 2)
				half = now;
			lpar_donate_measured(d, r->serve_ns);
			serve = held < inflight ? now + r->serve_ns : never;
			if (submit == never)
				submit = now + r->submit_ns;
			if (held == inflight)
				ring = lpar_donate_dry(d, held, now);
		} else if (submit <= expire && submit != never) {
			now = submit;
			inflight++;
			if (!held++)
				expire = now + lpar_donate_hold(d, false);
			submit = inflight < r->depth ? now + r->submit_ns : never;
			ring = lpar_donate_submitted(d, inflight, held, true, false);
		} else if (expire != never) {
			now = expire;
			lpar_donate_expired(d, inflight, held);
			r->expired += served >= REQUESTS / 2;
			ring = true;
		} else {
			KUNIT_FAIL(test, "%u deep: nothing can happen", r->depth);
			return;
		}
		if (ring) {
			lpar_donate_rung(d, inflight, held, now);
			lpar_donate_served(d, now);
			if (held == inflight && held)
				serve = now + r->serve_ns;
			held = 0;
			expire = never;
			r->rings += served >= REQUESTS / 2;
		}
		/* else a doorbell would be waited for in vain */
		KUNIT_ASSERT_GE(test, d->goal, 1u);
		KUNIT_ASSERT_LE(test, d->goal, d->batch);
		KUNIT_ASSERT_LT(test, held, d->batch);
	}
	r->ns = now - half;
}

static void donate_urgent(struct kunit *test)
{
	struct lpar_donate d = fresh(LPAR_DONATE_BATCH, BATCH);
	struct run deep = { .depth = 32, .submit_ns = 500, .serve_ns = 10000 };

	/* the adapter is busy and the submitter runs deep: held */
	run(test, &d, &deep);
	KUNIT_EXPECT_FALSE(test, lpar_donate_submitted(&d, 20, 2, true, false));
	KUNIT_EXPECT_TRUE(test, lpar_donate_submitted(&d, 20, 2, true, true));
	/* more will follow at once, and it goes with that */
	KUNIT_EXPECT_FALSE(test, lpar_donate_submitted(&d, 20, 2, false, true));
}

static void donate_one_at_a_time(struct kunit *test)
{
	struct lpar_donate d = fresh(LPAR_DONATE_BATCH, BATCH);
	struct run r = { .depth = 1, .submit_ns = 2000, .serve_ns = 80000 };

	run(test, &d, &r);
	/* each at once; now and then one is held, to see whether more come */
	KUNIT_EXPECT_EQ(test, r.rings, REQUESTS / 2);
	KUNIT_EXPECT_LE(test, r.expired, REQUESTS / 2 / 100);
	KUNIT_EXPECT_LE(test, r.ns, (u64)REQUESTS / 2 * 82000 * 103 / 100);
}

/* A slow adapter: it is never idle, and half of what is in flight is a batch. */
static void donate_learns(struct kunit *test)
{
	static const struct {
		u32 depth, worth;
	} t[] = { { 4, 2 }, { 8, 4 }, { 32, 16 }, { 128, 16 } };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(t); i++) {
		struct lpar_donate d = fresh(LPAR_DONATE_BATCH, BATCH);
		struct run r = { t[i].depth, 500, 10000 };

		run(test, &d, &r);
		KUNIT_EXPECT_LE_MSG(test, r.rings * t[i].worth, REQUESTS / 2 * 3 / 2,
				    "%u deep", t[i].depth);
		KUNIT_EXPECT_LE_MSG(test, r.expired, 20u, "%u deep", t[i].depth);
		KUNIT_EXPECT_LE_MSG(test, r.ns,
				    (u64)REQUESTS / 2 * 10000 * 115 / 100,
				    "%u deep", t[i].depth);
	}
}

/* An adapter that is faster than the submitter: more than one for a doorbell. */
static void donate_fast_adapter(struct kunit *test)
{
	struct lpar_donate d = fresh(LPAR_DONATE_BATCH, BATCH);
	struct run r = { .depth = 32, .submit_ns = 5000, .serve_ns = 1000 };

	run(test, &d, &r);
	KUNIT_EXPECT_LE(test, r.rings, REQUESTS / 2 / 4);
	KUNIT_EXPECT_LE(test, r.ns, (u64)REQUESTS / 2 * 5000 * 5 / 4);
}

/* Depth that is not seen any more is not waited for. */
static void donate_forgets(struct kunit *test)
{
	struct lpar_donate d = fresh(LPAR_DONATE_BATCH, BATCH);
	struct run deep = { .depth = 64, .submit_ns = 500, .serve_ns = 10000 };
	struct run one = { .depth = 1, .submit_ns = 2000, .serve_ns = 80000 };

	run(test, &d, &deep);
	run(test, &d, &one);
	KUNIT_EXPECT_EQ(test, one.rings, REQUESTS / 2);
	KUNIT_EXPECT_LE(test, one.expired, REQUESTS / 2 / 100);
}

static void donate_hold(struct kunit *test)
{
	struct lpar_donate d = fresh(LPAR_DONATE_BATCH, BATCH);
	unsigned int i;

	KUNIT_EXPECT_EQ(test, lpar_donate_hold(&d, false), 200000ull);
	lpar_donate_measured(&d, 1000000);
	KUNIT_EXPECT_EQ(test, d.latency_ns, 1000000ull);
	KUNIT_EXPECT_EQ(test, lpar_donate_hold(&d, false), 4000000ull);
	/* but what somebody waits for is not to pay for that */
	KUNIT_EXPECT_EQ(test, lpar_donate_hold(&d, true), 200000ull);
	/* one odd measurement does not count for all */
	lpar_donate_measured(&d, 2000000);
	KUNIT_EXPECT_EQ(test, d.latency_ns, 1250000ull);
	/* a clock gone mad holds nothing for ever */
	for (i = 0; i < 100; i++)
		lpar_donate_measured(&d, ~0ull);
	KUNIT_EXPECT_LE(test, d.latency_ns, MOST_NS);
	KUNIT_EXPECT_EQ(test, lpar_donate_hold(&d, false), MOST_NS);
	for (i = 0; i < 200; i++)
		lpar_donate_measured(&d, 1000);
	KUNIT_EXPECT_EQ(test, lpar_donate_hold(&d, false), 200000ull);
}

/* Of frames nobody follows one: what they take is the time until as many have ended. */
static void donate_watch(struct kunit *test)
{
	struct lpar_donate d = fresh(LPAR_DONATE_BATCH, BATCH);
	u32 n = 0xfffffffc;	/* of so many; it wraps */

	lpar_donate_ended(&d, n, 1000);
	KUNIT_EXPECT_EQ(test, d.latency_ns, 0ull);
	lpar_donate_watch(&d, n + 10, 5000);
	/* those that follow are not measured by the same clock */
	lpar_donate_watch(&d, n + 20, 6000);
	lpar_donate_ended(&d, n + 1, 50000);
	lpar_donate_ended(&d, n + 9, 100000);
	KUNIT_EXPECT_EQ(test, d.latency_ns, 0ull);
	lpar_donate_ended(&d, n + 10, 805000);
	KUNIT_EXPECT_EQ(test, d.latency_ns, 800000ull);
	KUNIT_EXPECT_EQ(test, lpar_donate_hold(&d, false), 3200000ull);
	/* the next ones, of which more end than were there */
	lpar_donate_watch(&d, n + 22, 1000000);
	lpar_donate_ended(&d, n + 30, 3400000);
	KUNIT_EXPECT_EQ(test, d.latency_ns, 1200000ull);
	lpar_donate_ended(&d, n + 31, 9000000);
	KUNIT_EXPECT_EQ(test, d.latency_ns, 1200000ull);
	/* a link that was down for a while: 4 times as much, and 200 us, at most */
	lpar_donate_watch(&d, n + 32, 9000000);
	lpar_donate_ended(&d, n + 32, 9000000000ull);
	KUNIT_EXPECT_EQ(test, d.latency_ns, (3 * 1200000ull + 5000000) / 4);
}

static struct kunit_case donate_cases[] = {
	KUNIT_CASE(donate_init),
	KUNIT_CASE(donate_inline),
	KUNIT_CASE(donate_thread),
	KUNIT_CASE(donate_urgent),
	KUNIT_CASE(donate_one_at_a_time),
	KUNIT_CASE(donate_learns),
	KUNIT_CASE(donate_fast_adapter),
	KUNIT_CASE(donate_forgets),
	KUNIT_CASE(donate_hold),
	KUNIT_CASE(donate_watch),
	{}
};

static struct kunit_suite donate_suite = {
	.name = "lpar_donate",
	.test_cases = donate_cases,
};
kunit_test_suite(donate_suite);
