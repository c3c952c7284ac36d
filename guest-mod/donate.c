// SPDX-License-Identifier: GPL-2.0
/*
 * The policies. Inline rings at the end of what comes at once; thread decides likewise,
 * and who rings is not known here. What follows is batch: as few doorbells as
 * throughput needs, none of them late.
 *
 * A doorbell is an exit and a dispatch on the host. Requests that are *held* are
 * in the ring but have not been rung for. A submitter that keeps D requests in
 * flight and passes them on one at a time does not tell when it is done, so what
 * is worth a doorbell is learnt:
 *
 * - While the adapter is busy: half of D, as seen, at most @batch. The adapter
 *   works on one half while the other gathers (32 deep: 16 for each doorbell).
 *
 * - An adapter that is faster than the submitter finishes each request before the
 *   next one comes, so that D is never seen. Hence @goal: hold for twice as many
 *   and see whether they come. They did not: the timer rings, and the next try is
 *   put off, for up to PATIENCE_MAX batches or until more are in flight than were.
 *   They did, but the adapter was at work nearly until then: it is the slower one,
 *   and smaller batches keep it busy.
 *
 * So a submitter that waits for each request has it rung for at once, but for one
 * in a thousand. Nothing is held for longer than a few times what a request takes
 * anyway (lpar_donate_hold()), or, of frames, than until those before have ended. A
 * frame that somebody waits for, as all but datagrams are believed to be, is held for
 * less.
 */
#ifdef __KERNEL__
#include <linux/kernel.h>
#endif

#include "donate.h"

#define DONATE_PATIENCE_MIN	2
#define DONATE_PATIENCE_MAX	1024
/* A goal that was met so many times outlives one failure: anybody may stumble. */
#define DONATE_PROVEN		4
/* Held for so many times the latency of a request, and for no longer, ns. */
#define DONATE_HOLD_FACTOR	4
#define DONATE_HOLD_MAX		50000000ull
/* Dry for less than this part of the time between doorbells: it was busy. */
#define DONATE_DRY_PART		8

static bool donate_is_dry(__u32 inflight, __u32 held)
{
	return held >= inflight;
}

static __u32 donate_worth(const struct lpar_donate *d, __u32 inflight, __u32 held)
{
	__u32 worth = d->goal;

	if (!donate_is_dry(inflight, held) && worth < d->depth / 2)
		worth = d->depth / 2;
	return worth < d->batch ? worth : d->batch;
}

static void donate_lower(struct lpar_donate *d, __u32 goal)
{
	d->goal = goal ? goal : 1;
	d->proven = 0;
	d->tried = d->seen > d->seen_before ? d->seen : d->seen_before;
	d->seen_before = d->seen;
	d->seen = 0;
	d->wait = d->patience;
	if (d->patience < DONATE_PATIENCE_MAX)
		d->patience *= 2;
}

/**
 * lpar_donate_init - start without a past
 * @d:       the queue's state
 * @policy:  how eagerly to ring
 * @batch:   at most this many are held
 * @hold_us: the shortest time that requests are held
 */
void lpar_donate_init(struct lpar_donate *d, enum lpar_donate_policy policy,
		      __u32 batch, __u32 hold_us)
{
	*d = (struct lpar_donate){
		.policy = policy,
		.batch = batch ? batch : 1,
		.goal = 1,
		.patience = DONATE_PATIENCE_MIN,
		.wait = DONATE_PATIENCE_MIN,
		.hold_ns = hold_us * 1000ull,
	};
}

/**
 * lpar_donate_submitted - a request went into the ring: ring the doorbell?
 * @d:        the queue's state
 * @inflight: submitted and not completed, with this one
 * @held:     of those, not rung for, with this one
 * @last:     the block layer has no more at hand
 * @urgent:   something waits for just this request
 *
 * Return: true to ring, and then lpar_donate_rung() is to be called; false obliges
 * the caller to have the timer running, or to ask again with @last.
 */
bool lpar_donate_submitted(struct lpar_donate *d, __u32 inflight, __u32 held,
			   bool last, bool urgent)
{
	if (inflight > d->depth)
		d->depth = inflight;
	if (inflight > d->peak)
		d->peak = inflight;
	if (inflight > d->seen)
		d->seen = inflight;
	if (inflight > d->tried) {
		/* Something else has begun. */
		d->tried = inflight;
		d->patience = DONATE_PATIENCE_MIN;
		d->wait = 0;
	}

	d->full = held >= d->batch ||
		  (last && held >= donate_worth(d, inflight, held));
	return d->full ||
	       (last && (urgent || d->policy != LPAR_DONATE_BATCH));
}

/**
 * lpar_donate_rung - the doorbell is going to be rung: learn from it
 * @d:        the queue's state
 * @inflight: submitted and not completed
 * @held:     of those, what it is rung for
 * @now:      time, ns
 */
void lpar_donate_rung(struct lpar_donate *d, __u32 inflight, __u32 held,
		      __u64 now)
{
	__u64 busy, dry = now - d->dry_at;

	busy = d->dry_at > d->rung_at ? d->dry_at - d->rung_at : 0;
	d->rung_at = now;
	if (!d->full)
		return;
	d->full = false;
	/* More than half of all, and the adapter has waited for them. */
	if (d->goal > 1 && donate_is_dry(inflight, held) &&
	    held > d->depth / 2 && dry * DONATE_DRY_PART < busy) {
		donate_lower(d, d->goal / 2);
		return;
	}
	d->proven++;
	if (d->wait)
		d->wait--;
	if (d->wait)
		return;
	if (d->goal >= d->batch) {
		d->patience = DONATE_PATIENCE_MIN;
	} else {
		d->goal = d->goal * 2 < d->batch ? d->goal * 2 : d->batch;
		d->proven = 0;
	}
}

/**
 * lpar_donate_served - the doorbell has been rung
 * @d:   the queue's state
 * @now: time, ns
 *
 * The service takes the submitter's time, not the adapter's: it does not count
 * when the two are compared. No lock: a time that is overwritten matters little.
 */
void lpar_donate_served(struct lpar_donate *d, __u64 now)
{
	d->rung_at = now;
}

/**
 * lpar_donate_dry - the adapter has no request left: ring for what is held?
 * @d:    the queue's state
 * @held: submitted and not rung for
 * @now:  time, ns
 *
 * Return: true to ring, and then lpar_donate_rung() is to be called.
 */
bool lpar_donate_dry(struct lpar_donate *d, __u32 held, __u64 now)
{
	d->dry_at = now;
	if (held && held < d->goal && d->policy == LPAR_DONATE_BATCH)
		return false;
	/* The depth was as much as was seen since the last time. */
	if (d->peak < d->depth)
		d->depth -= (d->depth - d->peak + 1) / 2;
	d->peak = held;
	return held;
}

/**
 * lpar_donate_expired - requests were held for too long: expect fewer
 * @d:        the queue's state
 * @inflight: submitted and not completed
 * @held:     of those, not rung for
 *
 * The caller rings, and calls lpar_donate_rung().
 */
void lpar_donate_expired(struct lpar_donate *d, __u32 inflight, __u32 held)
{
	d->full = false;
	if (d->goal > 1 && d->proven >= DONATE_PROVEN) {
		d->proven = 0;
		return;
	}
	donate_lower(d, held < d->goal ? held : d->goal);
	d->depth = inflight;
	d->peak = inflight;
}

/**
 * lpar_donate_measured - what one request took
 * @d:          the queue's state
 * @latency_ns: from its doorbell to its completion
 */
void lpar_donate_measured(struct lpar_donate *d, __u64 latency_ns)
{
	if (latency_ns > DONATE_HOLD_MAX)
		latency_ns = DONATE_HOLD_MAX;
	d->latency_ns = d->latency_ns ? (3 * d->latency_ns + latency_ns) / 4 :
					latency_ns;
}

/**
 * lpar_donate_watch - the doorbell is going to be rung for frames: measure what they take
 * @d:         the queue's state
 * @submitted: how many ever were, with these
 * @now:       time, ns
 *
 * For who does not follow one of them: they have been taken when as many have ended, whichever.
 */
void lpar_donate_watch(struct lpar_donate *d, __u32 submitted, __u64 now)
{
	if (d->watching)
		return;
	d->watching = true;
	d->watch_end = submitted;
	d->watch_at = now;
}

/**
 * lpar_donate_ended - frames have been completed
 * @d:     the queue's state
 * @ended: how many ever were
 * @now:   time, ns
 */
void lpar_donate_ended(struct lpar_donate *d, __u32 ended, __u64 now)
{
	__u64 took = now - d->watch_at;
	__u64 most = DONATE_HOLD_FACTOR * d->latency_ns + d->hold_ns;

	if (!d->watching || (__s32)(ended - d->watch_end) < 0)
		return;
	d->watching = false;
	/* A CPU that was away, or a link, says nothing of the next ones. */
	lpar_donate_measured(d, d->latency_ns && took > most ? most : took);
}

/**
 * lpar_donate_hold - how long requests may be held
 * @d:      the queue's state
 * @prompt: for the shortest time, whatever they take
 *
 * Return: ns.
 */
__u64 lpar_donate_hold(const struct lpar_donate *d, bool prompt)
{
	__u64 hold = prompt ? 0 : DONATE_HOLD_FACTOR * d->latency_ns;

	if (hold < d->hold_ns)
		hold = d->hold_ns;
	return hold < DONATE_HOLD_MAX ? hold : DONATE_HOLD_MAX;
}

/**
 * lpar_donate_quantum - how long a doorbell may be served
 * @wish_us:  the administrator's; 0: none
 * @limit_us: the host's
 *
 * Return: what the host is told, microseconds; 0: its limit.
 */
__u32 lpar_donate_quantum(__u32 wish_us, __u32 limit_us)
{
	return wish_us < limit_us ? wish_us : 0;
}
