// SPDX-License-Identifier: GPL-2.0
/*
 * Dispatch: who serves a doorbell, when service pauses, what its end asks for, and
 * what a completion tells. Expectations are tables, and for all of it together a
 * model: two servers in each order of their steps must leave no request behind.
 */
#include "suites.h"

/* ---------------------------------------------------------------- a doorbell */

static const struct rung {
	const char *name;
	bool vcpu, own, able;
	enum lpar_server want;
} rings[] = {
	{ "a vCPU, its thread can serve", true, false, true, LPAR_SERVER_HERE },
	{ "a vCPU, its thread cannot", true, false, false, LPAR_SERVER_THREAD },
	{ "a stranger", false, false, true, LPAR_SERVER_THREAD },
	{ "a stranger, no thread could", false, false, false, LPAR_SERVER_THREAD },
	{ "a vCPU while it serves", true, true, true, LPAR_SERVER_NONE },
	{ "a vCPU while it serves by ioctl", true, true, false, LPAR_SERVER_NONE },
	{ "the thread itself", false, true, true, LPAR_SERVER_NONE },
	{ "the thread itself, by ioctl", false, true, false, LPAR_SERVER_NONE },
};

static void ring_name(const struct rung *r, char *name)
{
	snprintf(name, KUNIT_PARAM_DESC_SIZE, "%s", r->name);
}

KUNIT_ARRAY_PARAM(rings, rings, ring_name);

static void dispatch_ring(struct kunit *test)
{
	const struct rung *r = test->param_value;

	KUNIT_EXPECT_EQ(test, lpar_core_ring(r->vcpu, r->own, r->able), r->want);
}

static const struct route {
	const char *name;
	bool queue, nowait;
	enum lpar_server other;		/* for all but doorbell 0 */
} routes[] = {
	{ "a queue that never waits", true, true, LPAR_SERVER_HERE },
	{ "a queue that may wait", true, false, LPAR_SERVER_THREAD },
	{ "no queue", false, false, LPAR_SERVER_NONE },
	{ "no queue but nowait", false, true, LPAR_SERVER_NONE },
};

static void route_name(const struct route *r, char *name)
{
	snprintf(name, KUNIT_PARAM_DESC_SIZE, "%s", r->name);
}

KUNIT_ARRAY_PARAM(routes, routes, route_name);

static void dispatch_route(struct kunit *test)
{
	const struct route *r = test->param_value;
	unsigned int bell;

	for (bell = 0; bell < LPAR_DOORBELLS_MAX; bell++)
		KUNIT_EXPECT_EQ_MSG(test,
				    lpar_core_route(bell, r->queue, r->nowait),
				    bell ? r->other : LPAR_SERVER_HERE,
				    "doorbell %u", bell);
}

/* ------------------------------------------------------- pauses and the end */

static void dispatch_pause(struct kunit *test)
{
	static const struct {
		u64 start, limit, now;
		enum lpar_reason quiet, signal;
	} t[] = {
		{ 0, 50, 0, LPAR_REASON_EMPTY, LPAR_REASON_YIELD },
		{ 100, 50, 149, LPAR_REASON_EMPTY, LPAR_REASON_YIELD },
		/* a quantum that is used up comes before the signal */
		{ 100, 50, 150, LPAR_REASON_EXPIRED, LPAR_REASON_EXPIRED },
		{ 100, 50, 151, LPAR_REASON_EXPIRED, LPAR_REASON_EXPIRED },
		{ 100, 0, 100, LPAR_REASON_EXPIRED, LPAR_REASON_EXPIRED },
		{ 100, 50, 99, LPAR_REASON_EXPIRED, LPAR_REASON_EXPIRED },
		/* the clock wraps */
		{ ~0ull - 9, 50, 39, LPAR_REASON_EMPTY, LPAR_REASON_YIELD },
		{ ~0ull - 9, 50, 40, LPAR_REASON_EXPIRED, LPAR_REASON_EXPIRED },
		{ 0, ~0ull, ~0ull - 1, LPAR_REASON_EMPTY, LPAR_REASON_YIELD },
		{ 0, ~0ull, ~0ull, LPAR_REASON_EXPIRED, LPAR_REASON_EXPIRED },
	};
	struct lpar_quantum q;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(t); i++) {
		q = (struct lpar_quantum){ t[i].start, t[i].limit };
		KUNIT_EXPECT_EQ_MSG(test, lpar_core_pause(&q, t[i].now, false),
				    t[i].quiet, "row %u", i);
		KUNIT_EXPECT_EQ_MSG(test, lpar_core_pause(&q, t[i].now, true),
				    t[i].signal, "row %u", i);
	}
}

/* Each reason × work left or not; the last is no reason that there is. */
static const struct ending {
	const char *name;
	enum lpar_reason reason;
	enum lpar_next none, left;
} endings[] = {
	{ "empty", LPAR_REASON_EMPTY, LPAR_NEXT_NOTHING, LPAR_NEXT_SERVE },
	{ "expired", LPAR_REASON_EXPIRED, LPAR_NEXT_NOTHING, LPAR_NEXT_BUSY },
	{ "yield", LPAR_REASON_YIELD, LPAR_NEXT_NOTHING, LPAR_NEXT_BUSY },
	/* what the adapter did not take is left, whatever the client says */
	{ "full", LPAR_REASON_FULL, LPAR_NEXT_STALL, LPAR_NEXT_STALL },
	/* who broke the protocol is owed nothing */
	{ "fault", LPAR_REASON_FAULT, LPAR_NEXT_NOTHING, LPAR_NEXT_NOTHING },
	{ "unknown", (enum lpar_reason)(LPAR_REASON_FAULT + 1),
	  LPAR_NEXT_NOTHING, LPAR_NEXT_NOTHING },
};

static void ending_name(const struct ending *e, char *name)
{
	snprintf(name, KUNIT_PARAM_DESC_SIZE, "%s", e->name);
}

KUNIT_ARRAY_PARAM(endings, endings, ending_name);

static void dispatch_next(struct kunit *test)
{
	const struct ending *e = test->param_value;

	KUNIT_EXPECT_EQ(test, lpar_core_next(e->reason, false), e->none);
	KUNIT_EXPECT_EQ(test, lpar_core_next(e->reason, true), e->left);
}

/* --------------------------------------------------------- a queue's state */

static void dispatch_state(struct kunit *test)
{
	static const struct {
		u32 state, answered, polls;
		bool serves;
	} t[] = {
		{ 0, 0, 8, true },
		{ LPAR_QUEUE_PA_BUSY, 0, 8, true },
		{ LPAR_QUEUE_RUNNABLE, 0, 8, true },
		{ LPAR_QUEUE_PA_BUSY | LPAR_QUEUE_RUNNABLE, 0, 8, true },
		{ LPAR_QUEUE_POLLS, 0, 8, true },
		{ LPAR_QUEUE_BROKEN, 4, 12, false },
		{ LPAR_QUEUE_BROKEN | LPAR_QUEUE_PA_BUSY, 4, 12, false },
		{ LPAR_QUEUE_BROKEN | LPAR_QUEUE_RUNNABLE, 4, 12, false },
		{ LPAR_QUEUE_BROKEN | LPAR_QUEUE_POLLS, 4, 12, false },
		{ 15, 4, 12, false },
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(t); i++) {
		KUNIT_EXPECT_EQ_MSG(test, lpar_core_serves(t[i].state),
				    t[i].serves, "state %u", t[i].state);
		KUNIT_EXPECT_EQ_MSG(test, lpar_core_answered(t[i].state, false),
				    t[i].answered, "state %u", t[i].state);
		KUNIT_EXPECT_EQ_MSG(test, lpar_core_answered(t[i].state, true),
				    t[i].polls, "state %u", t[i].state);
	}
}

/*
 * All that two rings of two and four places can be asked, and lies: submissions
 * taken, completions written and consumed, counted without wrapping.
 */
static void dispatch_room(struct kunit *test)
{
	static const u32 bases[] = {
		0, 1, 0x7ffffffd, 0x80000000, 0xfffffffa, 0xffffffff,
	};
	int depth, taken, written, consumed;
	int want;
	unsigned int b;

	for (b = 0; b < ARRAY_SIZE(bases); b++)
	for (depth = 2; depth <= 4; depth += 2)
	for (taken = 0; taken <= 10; taken++)
	for (written = 0; written <= taken; written++)
	for (consumed = -6; consumed <= 16; consumed++) {
		/* none is consumed that was not written, and the ring holds
		 * what is not */
		want = taken - consumed < depth;
		if (consumed > written || taken - consumed > depth)
			want = -1;
		KUNIT_EXPECT_EQ_MSG(test,
				    lpar_core_room(bases[b] + taken,
						   bases[b] + written,
						   bases[b] + consumed, depth),
				    want, "depth %d: %d taken, %d written, %d consumed",
				    depth, taken, written, consumed);
	}
}

static void dispatch_room_lies(struct kunit *test)
{
	static const u32 lies[] = {
		1025, 0x7fffffff, 0x80000000, 0x80000001, 0xfffffbff, 0xfffffffe,
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(lies); i++)
		KUNIT_EXPECT_EQ_MSG(test, lpar_core_room(5, 5, 5 - lies[i], 1024),
				    -1, "%u", lies[i]);
	KUNIT_EXPECT_EQ(test, lpar_core_room(1024, 0, 0, 1024), 0);
	KUNIT_EXPECT_EQ(test, lpar_core_room(1023, 0, 0, 1024), 1);
	KUNIT_EXPECT_EQ(test, lpar_core_room(1024, 1024, 1024, 1024), 1);
}

/* --------------------------------------------------------------- completions */

static void dispatch_in_flight(struct kunit *test)
{
	KUNIT_EXPECT_FALSE(test, lpar_core_in_flight(0, 0));
	KUNIT_EXPECT_FALSE(test, lpar_core_in_flight(0xffffffff, 0xffffffff));
	KUNIT_EXPECT_TRUE(test, lpar_core_in_flight(1, 0));
	KUNIT_EXPECT_TRUE(test, lpar_core_in_flight(0, 0xffffffff));
	KUNIT_EXPECT_TRUE(test, lpar_core_in_flight(1024, 0));
}

static void dispatch_signal(struct kunit *test)
{
	static const u32 tails[] = { 1, 2, 0x80000000, 0xffffffff, 0 };
	unsigned int i;
	int d;

	for (i = 0; i < ARRAY_SIZE(tails); i++)
		for (d = -1026; d <= 1026; d++) {
			/* the client asks for the completion just written, only */
			KUNIT_EXPECT_EQ_MSG(test,
					    lpar_core_signal(false, tails[i] + d,
							     tails[i]),
					    d == -1 ? LPAR_SIGNAL_DONE :
						      LPAR_SIGNAL_NONE,
					    "tail %u, event %d", tails[i], d);
			/* what stalled goes on, asked for or not */
			KUNIT_EXPECT_EQ_MSG(test,
					    lpar_core_signal(true, tails[i] + d,
							     tails[i]),
					    LPAR_SIGNAL_RUNNABLE,
					    "tail %u, event %d", tails[i], d);
		}
}

static void dispatch_plug(struct kunit *test)
{
	static const struct {
		long ahead;
		unsigned long requests;
		unsigned int want;
	} t[] = {
		/* what the client announced */
		{ 1, 1023, 1 }, { 2, 1023, 2 }, { 31, 1023, 31 },
		{ 32, 1023, 32 },
		/* at most 32 */
		{ 33, 1023, 32 }, { 1024, 1023, 32 }, { 1024, ~0ul, 32 },
		/* an eighth of the adapter's */
		{ 1024, 256, 32 }, { 1024, 255, 31 }, { 31, 255, 31 },
		{ 1024, 64, 8 }, { 9, 64, 8 }, { 8, 64, 8 }, { 7, 64, 7 },
		{ 1024, 16, 2 }, { 1024, 15, 1 }, { 1024, 8, 1 },
		/* never none */
		{ 1024, 7, 1 }, { 1024, 1, 1 }, { 1024, 0, 1 },
		{ 0, 1023, 1 }, { 0, 0, 1 },
		/* an impossible index: serve() will say so */
		{ -1, 1023, 1 }, { -1, 0, 1 },
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(t); i++)
		KUNIT_EXPECT_EQ_MSG(test,
				    lpar_core_plug(t[i].ahead, t[i].requests),
				    t[i].want, "%ld of %lu", t[i].ahead,
				    t[i].requests);
}

/* ------------------------------------------------- idle, rung, served, asked */

/*
 * Two servers on one queue: each submits one request, rings, and follows
 * dispatch_queue() in steps of which any other's may come between. Their decisions
 * are the core's; what must come out is the protocol's: when all have left, the ring
 * is empty or the client has been told to donate again.
 */
enum model_step {
	STEP_SUBMIT,
	STEP_KICK,	/* set KICKED */
	STEP_TRY,	/* set SERVING, unless it is */
	STEP_BEGIN,	/* clear KICKED; what was told is answered */
	STEP_SERVE,	/* one request */
	STEP_ACCOUNT,
	STEP_RELEASE,	/* clear SERVING */
	STEP_LOOK,	/* at KICKED */
	STEP_PAUSE,
	STEP_LOOK_AGAIN,
	STEP_LEFT,
};

struct model_server {
	u8 step;
	u8 served;
	u8 reason;
};

struct model_queue {
	struct model_server s[2];
	bool kicked, serving, told;
	u8 ring;
};

/* What a server's dispatch may be like. */
struct means {
	u8 quantum;	/* requests */
	u8 room;	/* that the adapter takes */
	bool signal;	/* pending */
};

#define SERVER_BITS	9
#define MODEL_BITS	(2 * SERVER_BITS + 5)

static u32 model_pack(const struct model_queue *m)
{
	u32 v = m->ring | m->kicked << 2 | m->serving << 3 | m->told << 4;
	int i;

	for (i = 0; i < 2; i++)
		v |= (u32)(m->s[i].step | m->s[i].served << 4 |
			   m->s[i].reason << 6) << (5 + i * SERVER_BITS);
	return v;
}

static struct model_queue model_unpack(u32 v)
{
	struct model_queue m = {
		.ring = v & 3,
		.kicked = v >> 2 & 1,
		.serving = v >> 3 & 1,
		.told = v >> 4 & 1,
	};
	int i;

	for (i = 0; i < 2; i++) {
		u32 s = v >> (5 + i * SERVER_BITS);

		m.s[i].step = s & 15;
		m.s[i].served = s >> 4 & 3;
		m.s[i].reason = s >> 6 & 7;
	}
	return m;
}

static enum lpar_reason model_pause(const struct model_server *s,
				    const struct means *with)
{
	struct lpar_quantum q = { .limit = with->quantum };

	return lpar_core_pause(&q, s->served, with->signal);
}

static enum model_step model_look(struct model_queue *m, struct model_server *s)
{
	switch (lpar_core_next((enum lpar_reason)s->reason, m->kicked)) {
	case LPAR_NEXT_SERVE:
		return STEP_PAUSE;
	case LPAR_NEXT_BUSY:
		m->told = true;
		break;
	default:
		break;
	}
	return STEP_LEFT;
}

static void model_do(struct model_queue *m, struct model_server *s,
		     const struct means *with)
{
	switch ((enum model_step)s->step++) {
	case STEP_SUBMIT:
		m->ring++;
		break;
	case STEP_KICK:
		m->kicked = true;
		break;
	case STEP_TRY:
		if (m->serving)
			s->step = STEP_LEFT;
		m->serving = true;
		break;
	case STEP_BEGIN:
		m->kicked = false;
		m->told = false;
		break;
	case STEP_SERVE:
		s->reason = LPAR_REASON_EMPTY;
		if (!m->ring)
			break;
		s->reason = LPAR_REASON_FULL;
		if (s->served == with->room)
			break;
		m->ring--;
		s->served++;
		s->reason = model_pause(s, with);
		if (s->reason == LPAR_REASON_EMPTY)
			s->step = STEP_SERVE;
		break;
	case STEP_ACCOUNT:
		if (s->reason == LPAR_REASON_EMPTY)
			break;
		switch (lpar_core_next((enum lpar_reason)s->reason, m->ring)) {
		case LPAR_NEXT_BUSY:
		case LPAR_NEXT_STALL:
			m->told = true;
			break;
		default:
			break;
		}
		break;
	case STEP_RELEASE:
		m->serving = false;
		break;
	case STEP_LOOK:
	case STEP_LOOK_AGAIN:
		s->step = model_look(m, s);
		break;
	case STEP_PAUSE:
		s->reason = model_pause(s, with);
		if (s->reason == LPAR_REASON_EMPTY)
			s->step = STEP_TRY;
		break;
	case STEP_LEFT:
		break;
	}
}

#define MODEL_STATES	16384

struct walk {
	u32 state[MODEL_STATES];	/* that can be reached */
	unsigned int states;
	unsigned int ends, lost, told;
	u8 seen[1 << (MODEL_BITS - 3)];
};

/* Every state once; false if there are more than there is room for. */
static bool model_walk(struct walk *w, const struct means *a, const struct means *b)
{
	struct model_queue start = {}, m, next;
	unsigned int at;
	u32 v;
	int i;

	w->ends = 0;
	w->lost = 0;
	w->told = 0;
	w->states = 0;
	w->state[w->states++] = model_pack(&start);
	for (at = 0; at < w->states; at++) {
		m = model_unpack(w->state[at]);
		if (m.s[0].step == STEP_LEFT && m.s[1].step == STEP_LEFT) {
			w->ends++;
			w->told += m.told;
			w->lost += m.serving || (m.ring && !m.told);
		}
		for (i = 0; i < 2; i++) {
			if (m.s[i].step == STEP_LEFT)
				continue;
			next = m;
			model_do(&next, &next.s[i], i ? b : a);
			v = model_pack(&next);
			if (w->seen[v >> 3] & 1 << (v & 7))
				continue;
			if (w->states == MODEL_STATES)
				return false;
			w->seen[v >> 3] |= 1 << (v & 7);
			w->state[w->states++] = v;
		}
	}
	for (at = 0; at < w->states; at++)
		w->seen[w->state[at] >> 3] = 0;
	return true;
}

static void dispatch_interleaved(struct kunit *test)
{
	static const struct means means[] = {
		{ 3, 9, false },	/* serves all */
		{ 2, 9, false }, { 1, 9, false }, { 0, 9, false },
		{ 3, 1, false }, { 3, 0, false }, { 1, 1, false },
		{ 3, 9, true }, { 3, 0, true },
	};
	struct walk *w = kunit_kzalloc(test, sizeof(*w), GFP_KERNEL);
	unsigned int a, b;

	KUNIT_ASSERT_NOT_NULL(test, w);
	for (a = 0; a < ARRAY_SIZE(means); a++)
		for (b = a; b < ARRAY_SIZE(means); b++) {
			KUNIT_ASSERT_TRUE(test, model_walk(w, &means[a], &means[b]));
			KUNIT_EXPECT_GT(test, w->ends, 0u);
			KUNIT_EXPECT_EQ_MSG(test, w->lost, 0u,
					    "servers %u and %u leave a request",
					    a, b);
			/* who can serve all tells nothing */
			if (!b)
				KUNIT_EXPECT_EQ(test, w->told, 0u);
		}
	kunit_kfree(test, w);
}

/* ---------------------------------------------------------------------------- */

static struct kunit_case dispatch_cases[] = {
	KUNIT_CASE_PARAM(dispatch_ring, rings_gen_params),
	KUNIT_CASE_PARAM(dispatch_route, routes_gen_params),
	KUNIT_CASE(dispatch_pause),
	KUNIT_CASE_PARAM(dispatch_next, endings_gen_params),
	KUNIT_CASE(dispatch_state),
	KUNIT_CASE(dispatch_room),
	KUNIT_CASE(dispatch_room_lies),
	KUNIT_CASE(dispatch_in_flight),
	KUNIT_CASE(dispatch_signal),
	KUNIT_CASE(dispatch_plug),
	KUNIT_CASE(dispatch_interleaved),
	{}
};

static struct kunit_suite dispatch_suite = {
	.name = "lpar_dispatch",
	.test_cases = dispatch_cases,
};
kunit_test_suite(dispatch_suite);
