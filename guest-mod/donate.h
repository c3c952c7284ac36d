/* SPDX-License-Identifier: GPL-2.0 */
/*
 * When to donate the CPU, that is to ring a queue's doorbell: pure, time and
 * counts are passed in.
 */
#ifndef LPAR_GUEST_DONATE_H
#define LPAR_GUEST_DONATE_H

#include <linux/types.h>

#ifndef __KERNEL__
#include <stdbool.h>
#endif

/**
 * enum lpar_donate_policy - how eagerly a queue donates
 * @LPAR_DONATE_BATCH:  once for several requests; see donate.c
 * @LPAR_DONATE_INLINE: at the end of what the block layer hands over at once
 * @LPAR_DONATE_THREAD: likewise, but a thread of the queue's own rings, when it runs
 */
enum lpar_donate_policy {
	LPAR_DONATE_BATCH,
	LPAR_DONATE_INLINE,
	LPAR_DONATE_THREAD,
};

/**
 * struct lpar_donate - a queue's recent past, as far as it says what comes next
 * @policy:     enum lpar_donate_policy
 * @batch:      requests that are worth a doorbell in any case
 * @goal:       requests that are held for while none of them waits long
 * @proven:     times that @goal was met
 * @full:       the last answer was for a full batch
 * @depth:      how many requests the submitter is believed to keep in flight
 * @peak:       most that were in flight since the adapter last ran dry
 * @patience:   batches until a higher @goal is tried after one that failed
 * @wait:       of those, still to come
 * @seen:       most that were in flight since @goal was last lowered
 * @seen_before: the same for the time before that
 * @tried:      the most of both then: with more, a higher goal is tried at once
 * @hold_ns:    shortest time that requests are held
 * @latency_ns: what a request lately took from its doorbell on
 * @watching:   it is being measured, of a NIC's frames
 * @watch_end:  until as many have ended
 * @watch_at:   since when
 * @rung_at:    when the last doorbell had been served
 * @dry_at:     when the adapter last had no request left
 */
struct lpar_donate {
	enum lpar_donate_policy policy;
	__u32 batch;
	__u32 goal;
	__u32 proven;
	bool full;
	__u32 depth;
	__u32 peak;
	__u32 patience;
	__u32 wait;
	__u32 seen;
	__u32 seen_before;
	__u32 tried;
	__u64 hold_ns;
	__u64 latency_ns;
	bool watching;
	__u32 watch_end;
	__u64 watch_at;
	__u64 rung_at;
	__u64 dry_at;
};

void lpar_donate_init(struct lpar_donate *d, enum lpar_donate_policy policy,
		      __u32 batch, __u32 hold_us);
bool lpar_donate_submitted(struct lpar_donate *d, __u32 inflight, __u32 held,
			   bool last, bool urgent);
void lpar_donate_rung(struct lpar_donate *d, __u32 inflight, __u32 held,
		      __u64 now);
void lpar_donate_served(struct lpar_donate *d, __u64 now);
bool lpar_donate_dry(struct lpar_donate *d, __u32 held, __u64 now);
void lpar_donate_expired(struct lpar_donate *d, __u32 inflight, __u32 held);
void lpar_donate_measured(struct lpar_donate *d, __u64 latency_ns);
void lpar_donate_watch(struct lpar_donate *d, __u32 submitted, __u64 now);
void lpar_donate_ended(struct lpar_donate *d, __u32 ended, __u64 now);
__u64 lpar_donate_hold(const struct lpar_donate *d, bool prompt);
__u32 lpar_donate_quantum(__u32 wish_us, __u32 limit_us);

#endif
