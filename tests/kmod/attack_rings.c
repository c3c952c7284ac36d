// SPDX-License-Identifier: GPL-2.0
/* Impossible indices (G3), exhaustion (G4), a descriptor that changes (G2), storms (G5). */
#include "attack.h"

/* Nothing is served any more: neither taken nor completed. */
static void expect_broken(struct attack *a, struct attack_queue *q)
{
	u64 end = a->now(a) + ATTACK_TIMEOUT_MS;
	u32 head, tail, i;

	while (!(attack_load(&q->ctrl->state) & LPAR_QUEUE_BROKEN) &&
	       a->now(a) < end)
		a->pause(a);
	attack_expect(a, attack_load(&q->ctrl->state) & LPAR_QUEUE_BROKEN,
		      "the queue is not broken");
	head = attack_load(&q->ctrl->sq_head);
	tail = attack_load(&q->ctrl->cq_tail);
	/* even a correct ring does not mend it */
	attack_store(&q->ctrl->cq_head, tail);
	attack_store(&q->ctrl->sq_tail, head + 1);
	for (i = 0; i < 50; i++) {
		a->ring(a, q->index);
		a->pause(a);
	}
	attack_expect(a, attack_load(&q->ctrl->sq_head) == head &&
		      attack_load(&q->ctrl->cq_tail) == tail,
		      "a broken queue is served");
}

static void index_case(struct attack *a, struct attack_queue *other,
		       const char *name, int which, u32 delta)
{
	struct attack_queue q;
	struct lpar_blk_sqe sqe;
	u32 i;

	attack_begin(a, name);
	attack_status(a, "QUEUE_CREATE", attack_create(a, &q, 2, 16, 8), ST(OK));
	/* the indices are somewhere, not at 0 */
	for (i = 0; i < 5; i++)
		attack_good(a, &q);
	if (which) {
		/* looked at when there is something to take */
		sqe = attack_sqe(a, LPAR_BLK_READ, 8, 0, 4096);
		attack_store(&q.ctrl->cq_head, q.cq_head + delta);
		attack_submit(a, &q, &sqe);
	} else {
		attack_store(&q.ctrl->sq_tail, q.sq_tail + delta);
	}
	a->ring(a, q.index);
	expect_broken(a, &q);
	attack_good(a, other);
	attack_status(a, "QUEUE_DESTROY", attack_destroy(a, &q), ST(OK));
	attack_status(a, "QUEUE_CREATE again", attack_create(a, &q, 2, 16, 8), ST(OK));
	attack_expect(a, !attack_load(&q.ctrl->state), "broken from the start");
	attack_good(a, &q);
	attack_status(a, "QUEUE_DESTROY", attack_destroy(a, &q), ST(OK));
	attack_end(a);
}

/* What the client must not write is not read either. */
static void scribble(struct attack *a, struct attack_queue *q)
{
	u32 i;

	attack_begin(a, "G3 the host's own indices are not read back");
	for (i = 0; i < 4; i++) {
		u32 tail = attack_load(&q->ctrl->cq_tail);

		attack_store(&q->ctrl->sq_head, 0xdededede);
		memset(q->cq, 0xad, q->depth * sizeof(*q->cq));
		/* ours looks at cq_tail: back to where it was */
		attack_store(&q->ctrl->cq_tail, tail);
		attack_store(&q->ctrl->state, 0);
		attack_good(a, q);
		attack_expect(a, attack_load(&q->ctrl->cq_tail) == tail + 1 &&
			      attack_load(&q->ctrl->sq_head) == q->sq_tail,
			      "the host took over what was written");
	}
	attack_store(&q->ctrl->cq_event, q->cq_head + 0x80000000);
	attack_store(&q->ctrl->quantum_us, ~0u);
	attack_good(a, q);
	attack_store(&q->ctrl->cq_event, 0);
	attack_store(&q->ctrl->quantum_us, 1);
	attack_good(a, q);
	attack_store(&q->ctrl->quantum_us, 0);
	attack_end(a);
}

void attack_indices(struct attack *a)
{
	struct attack_queue other;

	attack_begin(a, "G3 queue beside the broken ones");
	attack_status(a, "QUEUE_CREATE", attack_create(a, &other, 1, 16, 8), ST(OK));
	attack_good(a, &other);
	attack_end(a);
	index_case(a, &other, "G3 sq_tail beyond the ring", 0, 17);
	index_case(a, &other, "G3 sq_tail far ahead", 0, 0x80000000);
	index_case(a, &other, "G3 sq_tail behind", 0, ~0u);
	index_case(a, &other, "G3 cq_head ahead of cq_tail", 1, 1);
	index_case(a, &other, "G3 cq_head far ahead", 1, 0x80000000);
	index_case(a, &other, "G3 cq_head behind by more than the ring", 1, -17u);
	scribble(a, &other);
	attack_begin(a, "G3 the queue beside them is given back");
	attack_status(a, "QUEUE_DESTROY", attack_destroy(a, &other), ST(OK));
	attack_end(a);
}

/* ----------------------------------------------------------------- exhaustion */

/* G4: the completions of a full ring are never consumed. */
void attack_full(struct attack *a)
{
	struct attack_queue q, other;
	struct lpar_blk_sqe sqe;
	u64 end;
	u32 i;
	u16 id;

	attack_begin(a, "G4 completions that nobody consumes");
	attack_status(a, "QUEUE_CREATE", attack_create(a, &other, 1, 16, 8), ST(OK));
	attack_status(a, "QUEUE_CREATE", attack_create(a, &q, 2, 4, 2), ST(OK));
	for (i = 0; i < 4; i++) {
		sqe = attack_sqe(a, LPAR_BLK_READ, 8 * i, i * 4096, 4096);
		attack_submit(a, &q, &sqe);
	}
	a->ring(a, q.index);
	end = a->now(a) + ATTACK_TIMEOUT_MS;
	while (attack_load(&q.ctrl->cq_tail) != 4 && a->now(a) < end) {
		/* the quantum may be over before the fourth */
		if (attack_load(&q.ctrl->state) &
		    (LPAR_QUEUE_PA_BUSY | LPAR_QUEUE_RUNNABLE))
			a->ring(a, q.index);
		a->pause(a);
	}
	attack_expect(a, attack_load(&q.ctrl->cq_tail) == 4, "no four completions");
	/* four more, which stand in the ring and must not be taken */
	for (i = 4; i < 8; i++) {
		sqe = attack_sqe(a, LPAR_BLK_READ, 8 * i, i * 4096, 4096);
		attack_submit(a, &q, &sqe);
	}
	for (i = 0; i < 100; i++) {
		a->ring(a, q.index);
		if (!(i % 10))
			a->pause(a);
	}
	attack_expect(a, attack_load(&q.ctrl->sq_head) == 4 &&
		      attack_load(&q.ctrl->cq_tail) == 4 &&
		      !(attack_load(&q.ctrl->state) & LPAR_QUEUE_BROKEN),
		      "taken beyond the ring: sq_head %u, cq_tail %u, state %u",
		      attack_load(&q.ctrl->sq_head), attack_load(&q.ctrl->cq_tail),
		      attack_load(&q.ctrl->state));
	attack_good(a, &other);
	for (i = 0; i < 8; i++) {
		attack_status(a, "consumed late", attack_reap(a, &q, &id), ST(OK));
		a->ring(a, q.index);
	}
	attack_status(a, "QUEUE_DESTROY", attack_destroy(a, &q), ST(OK));
	attack_status(a, "QUEUE_DESTROY", attack_destroy(a, &other), ST(OK));
	attack_end(a);

	attack_begin(a, "G4 a queue destroyed with its completions");
	attack_status(a, "QUEUE_CREATE", attack_create(a, &q, 2, 64, 2), ST(OK));
	for (i = 0; i < 64; i++) {
		sqe = attack_sqe(a, LPAR_BLK_READ, 8 * i, i * 4096, 4096);
		attack_submit(a, &q, &sqe);
	}
	a->ring(a, q.index);
	attack_status(a, "QUEUE_DESTROY", attack_destroy(a, &q), ST(OK));
	attack_end(a);
}

/* G4: windows for all of [from, to) or as many as there may be. */
void attack_quota(struct attack *a, u64 from, u64 to)
{
	u32 made = 0, st = LPAR_OK, i;
	struct attack_queue q;
	u64 gpa;

	attack_begin(a, "G4 windows until the partition's limit");
	attack_status(a, "QUEUE_CREATE", attack_create(a, &q, 1, 16, 8), ST(OK));
	for (gpa = from; gpa < to && st != LPAR_QUOTA; gpa += LPAR_WINDOW_SIZE) {
		st = attack_call(a, LPAR_OP_MAP, gpa, 0, 0, 0, 0);
		made += st == LPAR_OK;
		if (!attack_status(a, "MAP", st,
				   ST(OK) | ST(QUOTA) | ST(FAULT) | ST(NOMEM)))
			break;
		if (st == LPAR_NOMEM)
			break;
	}
	attack_log("%s: %u windows, then status %u", a->name, made, st);
	attack_expect(a, !a->expect_quota || st == LPAR_QUOTA, "no limit");
	for (i = 0; st == LPAR_QUOTA && i < 4; i++)
		attack_status(a, "MAP beyond the limit",
			      attack_call(a, LPAR_OP_MAP, gpa - LPAR_WINDOW_SIZE, 0,
					  0, 0, 0), ST(QUOTA));
	if (st == LPAR_QUOTA) {
		/* 2 MiB of queue memory have no room either */
		attack_status(a, "QUEUE_CREATE beyond the limit",
			      attack_call(a, LPAR_OP_QUEUE_CREATE, a->function, 3,
					  a->gpa, 512 | 255 << 16, 3), ST(QUOTA));
	}
	attack_good(a, &q);
	attack_status(a, "QUEUE_DESTROY", attack_destroy(a, &q), ST(OK));
	attack_end(a);
}

/* ----------------------------------------------------------- time of check, use */

/* What each field is flipped between; the first is the good one. */
static const u16 flip_nsegs[] = { 1, 2, 3, 0, 255 };
static const u32 flip_nsectors[] = { 8, 16, 0, 1, 0x7fffff, 0xffffffff };
static const u32 flip_len[] = { 4096, 8192, 512, 0, 0xfffff000, 0xffffffff };

/* Each slot has data of its own: DMA_API_DEBUG warns of 8 mappings of one page. */
#define RACE_STRIDE	8192u
#define RACE_BYTES	0x48000u

static u32 next(u32 *random)
{
	*random ^= *random << 13;
	*random ^= *random >> 17;
	*random ^= *random << 5;
	return *random;
}

#define PICK(array, r) ((array)[((r) >> 8) % ARRAY_SIZE(array)])

/* The other vCPU: change one field of any slot. */
void attack_flip(struct attack *a, struct attack_queue *q, u32 *random)
{
	u32 r = next(random);
	u32 slot = next(random) & (q->depth - 1);
	struct lpar_blk_sqe *sqe = &q->sq[slot];
	u64 data = a->window[1] + ATTACK_DATA - LPAR_WINDOW_SIZE + slot * RACE_STRIDE;
	u64 addr[] = { data, data + 4096, data + 8192, 77777ull << LPAR_WINDOW_SHIFT,
		       a->window[1] + LPAR_WINDOW_SIZE - 512, ~0ull - 511 };
	u64 sector[] = { 0, 8, 16, a->sectors, a->sectors - 1, 1ull << 63, ~0ull };

	switch (r & 7) {
	case 0:
		WRITE_ONCE(sqe->nsegs, cpu_to_le16(PICK(flip_nsegs, r)));
		break;
	case 1:
		WRITE_ONCE(sqe->nsectors, cpu_to_le32(PICK(flip_nsectors, r)));
		break;
	case 2:
	case 3:
		WRITE_ONCE(sqe->seg[r >> 30 & 1].addr, cpu_to_le64(PICK(addr, r)));
		break;
	case 4:
	case 5:
		WRITE_ONCE(sqe->seg[r >> 30 & 1].len, cpu_to_le32(PICK(flip_len, r)));
		break;
	case 6:
		WRITE_ONCE(sqe->sector, cpu_to_le64(PICK(sector, r)));
		break;
	case 7:
		WRITE_ONCE(sqe->op, r >> 8 & 15 ? (r >> 9 & 1 ? LPAR_BLK_READ :
							       LPAR_BLK_WRITE) : 99);
		break;
	}
}

/* Neither the memory around the data nor the sectors behind the range changed. */
void attack_canaries(struct attack *a, struct attack_queue *q)
{
	u8 *data = a->mem + ATTACK_DATA;
	u64 sector;
	u32 i;

	for (i = 0x40000; i; i--)
		if (data[-(long)i] != ATTACK_CANARY)
			break;
	attack_expect(a, !i, "the canary %u bytes before the data died", i);
	for (i = RACE_BYTES; i < 0x80000; i++)
		if (data[i] != ATTACK_CANARY)
			break;
	attack_expect(a, i == 0x80000, "the canary %u bytes behind the data died", i);
	for (sector = ATTACK_SECTORS; sector < 2 * ATTACK_SECTORS; sector += 32) {
		attack_status(a, "READ",
			      attack_io(a, q, attack_sqe(a, LPAR_BLK_READ, sector, 0,
							 16384)), ST(OK));
		attack_expect(a, attack_is_pattern(data, sector, 16384),
			      "sector %llu has changed", (unsigned long long)sector);
	}
}

/*
 * G2: submit while another thread flips. Each request ends with OK or with what
 * is documented for a malformed one, once, and touches only what some state of
 * the descriptor named and was allowed.
 */
void attack_race(struct attack *a, struct attack_queue *q, u32 count)
{
	const u64 allowed = ST(OK) | ST(INVAL) | ST(NOSYS) | ST(NOWINDOW) | ST(RANGE);
	u32 done = 0, good = 0, i, st;
	u16 id;

	memset(a->mem + ATTACK_DATA - 0x40000, ATTACK_CANARY, 0xc0000);
	/* on a busy machine the two meet late */
	while ((done < count || (a->parallel && good == done && done < 64 * count)) &&
	       !a->failed) {
		for (i = 0; i < q->depth; i++) {
			struct lpar_blk_sqe sqe =
				attack_sqe(a, i & 1 ? LPAR_BLK_WRITE :
						      LPAR_BLK_READ, 8,
					   (q->sq_tail & (q->depth - 1)) *
						   RACE_STRIDE, 4096);

			sqe.id = cpu_to_le16(i);
			sqe.seg[1].addr = sqe.seg[0].addr;
			attack_submit(a, q, &sqe);
		}
		a->ring(a, q->index);
		for (i = 0; i < q->depth; i++, done++) {
			st = attack_reap(a, q, &id);
			if (!attack_status(a, "flipped request", st, allowed))
				break;
			attack_expect(a, id < q->depth, "completion of %u", id);
			good += st == LPAR_OK;
		}
		attack_expect(a, !(attack_load(&q->ctrl->state) & LPAR_QUEUE_BROKEN),
			      "the queue is broken");
	}
	attack_log("%s: %u requests, %u of them good", a->name, done, good);
	attack_expect(a, good, "none was good");
	/* or else the two did not meet, and nothing has been tested */
	attack_expect(a, good < done || !a->parallel, "none was hit");
}

/* --------------------------------------------------------------------- storms */

void attack_storm(struct attack *a, u32 count, u32 doorbells)
{
	u32 i;

	for (i = 0; i < count; i++)
		a->ring(a, i % doorbells);
}
