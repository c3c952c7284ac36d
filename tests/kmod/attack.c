// SPDX-License-Identifier: GPL-2.0
/* What all attacks need: calls, queues, requests, patterns, verdicts. */
#include "attack.h"

void attack_begin(struct attack *a, const char *name)
{
	a->name = name;
	a->failed = false;
}

void attack_end(struct attack *a)
{
	a->verdict(a, !a->failed, a->name);
	if (a->failed)
		a->bad++;
	else
		a->ok++;
}

/* Is the status one of those that are documented for this? */
bool attack_status(struct attack *a, const char *what, u32 got, u64 allowed)
{
	bool ok = got < 64 && (allowed >> got & 1);

	attack_expect(a, ok, "%s: status %u, allowed %#llx", what, got,
		      (unsigned long long)allowed);
	return ok;
}

u32 attack_call(struct attack *a, u32 op, u64 a0, u64 a1, u64 a2, u64 a3, u64 a4)
{
	u64 arg[5] = { a0, a1, a2, a3, a4 };

	return a->call(a, op, arg, &a->answer);
}

/* --------------------------------------------------------------------- queues */

u32 attack_create_as(struct attack *a, struct attack_queue *q, u32 index, u32 depth,
		     u32 segs, u32 role)
{
	/* queue 1 in the first place, 2 in the second, others in the third */
	u32 at = (index < 3 ? index - 1 : 2) * ATTACK_QUEUE_BYTES;
	u8 *mem = a->mem + at;

	memset(q, 0, sizeof(*q));
	q->index = index;
	q->gpa = a->gpa + at;
	q->depth = depth;
	q->segs = segs;
	q->ctrl = (struct lpar_queue_ctrl *)mem;
	q->sq = (struct lpar_blk_sqe *)(mem + lpar_queue_sq_offset());
	q->cq = (struct lpar_cqe *)(mem + lpar_queue_cq_offset(depth));
	q->table = (struct lpar_seg *)(mem + lpar_queue_segs_offset(depth));
	return attack_call(a, LPAR_OP_QUEUE_CREATE, a->function, index, q->gpa,
			   depth | (u64)segs << 16, index | (u64)role << 16);
}

u32 attack_create(struct attack *a, struct attack_queue *q, u32 index, u32 depth,
		  u32 segs)
{
	return attack_create_as(a, q, index, depth, segs, LPAR_ROLE_REQUESTS);
}

/* LPAR_BUSY is for as long as somebody serves the queue. */
u32 attack_destroy(struct attack *a, struct attack_queue *q)
{
	u64 end = a->now(a) + ATTACK_TIMEOUT_MS;
	u32 st;

	do {
		st = attack_call(a, LPAR_OP_QUEUE_DESTROY, q->index, 0, 0, 0, 0);
		if (st == LPAR_BUSY)
			a->pause(a);
	} while (st == LPAR_BUSY && a->now(a) < end);
	return st;
}

/* Into the ring; the caller rings. */
void attack_submit(struct attack *a, struct attack_queue *q,
		   const struct lpar_blk_sqe *sqe)
{
	q->sq[q->sq_tail & (q->depth - 1)] = *sqe;
	attack_store(&q->ctrl->sq_tail, ++q->sq_tail);
}

/* Wait for one completion and consume it. */
u32 attack_reap(struct attack *a, struct attack_queue *q, u16 *id)
{
	u64 end = a->now(a) + ATTACK_TIMEOUT_MS;
	struct lpar_cqe cqe;

	while (attack_load(&q->ctrl->cq_tail) == q->cq_head) {
		if (a->now(a) > end)
			return ATTACK_SILENT;
		if (attack_load(&q->ctrl->state) &
		    (LPAR_QUEUE_PA_BUSY | LPAR_QUEUE_RUNNABLE))
			a->ring(a, q->index);
		a->pause(a);
	}
	cqe = q->cq[q->cq_head & (q->depth - 1)];
	attack_store(&q->ctrl->cq_head, ++q->cq_head);
	*id = le16_to_cpu(cqe.id);
	return le16_to_cpu(cqe.status);
}

/* One request, alone in the queue. */
u32 attack_io(struct attack *a, struct attack_queue *q, struct lpar_blk_sqe sqe)
{
	u16 want = 0x5000 + (q->sq_tail & 0xfff), id;
	u32 st;

	sqe.id = cpu_to_le16(want);
	attack_submit(a, q, &sqe);
	a->ring(a, q->index);
	st = attack_reap(a, q, &id);
	if (st != ATTACK_SILENT)
		attack_expect(a, id == want, "completion of %#x, not %#x", id,
			      want);
	return st;
}

/* A well-formed request with one segment at an offset of the data. */
struct lpar_blk_sqe attack_sqe(struct attack *a, u8 op, u64 sector, u32 offset,
			       u32 bytes)
{
	struct lpar_blk_sqe sqe = { 0 };

	sqe.op = op;
	sqe.sector = cpu_to_le64(sector);
	sqe.nsectors = cpu_to_le32(bytes >> LPAR_SECTOR_SHIFT);
	if (op == LPAR_BLK_READ || op == LPAR_BLK_WRITE) {
		sqe.nsegs = cpu_to_le16(1);
		sqe.seg[0].addr = cpu_to_le64(a->window[1] + ATTACK_DATA -
					      LPAR_WINDOW_SIZE + offset);
		sqe.seg[0].len = cpu_to_le32(bytes);
	}
	return sqe;
}

/* ------------------------------------------------------------------- patterns */

static u8 pattern(u64 at)
{
	u64 x = at / 8 * 0x9e3779b97f4a7c15ull;

	return x >> (8 * (at & 7));
}

void attack_pattern(u8 *to, u64 sector, u32 bytes)
{
	u32 i;

	for (i = 0; i < bytes; i++)
		to[i] = pattern(sector * 512 + i);
}

bool attack_is_pattern(const u8 *at, u64 sector, u32 bytes)
{
	u32 i;

	for (i = 0; i < bytes; i++)
		if (READ_ONCE(at[i]) != pattern(sector * 512 + i))
			return false;
	return true;
}

/* Reads still work, and read what has been written. */
bool attack_good(struct attack *a, struct attack_queue *q)
{
	u8 *data = a->mem + ATTACK_DATA;
	bool right;
	u32 st;

	memset(data, 0, 4096);
	st = attack_io(a, q, attack_sqe(a, LPAR_BLK_READ, 8, 0, 4096));
	right = attack_is_pattern(data, 8, 4096);
	attack_expect(a, st == LPAR_OK, "a good read ends with %u", st);
	attack_expect(a, right, "a good read reads something else");
	return st == LPAR_OK && right;
}

/* ---------------------------------------------------------------------- start */

/* What is in force of a capability; 0: there is no such record. */
u64 attack_value(const struct attack_answer *answer, u16 type)
{
	u32 at = 0;

	while (at + sizeof(struct lpar_record) <= answer->len) {
		const struct lpar_record *r = (const void *)(answer->data + at);
		const struct lpar_value *v = (const void *)(r + 1);

		if (le16_to_cpu(r->type) == type)
			return le64_to_cpu(v->cur);
		if (le16_to_cpu(r->len) < sizeof(*r))
			break;
		at += le16_to_cpu(r->len);
	}
	return 0;
}

static bool look(struct attack *a)
{
	struct lpar_function f = { 0 };
	u64 n, i;

	if (!attack_status(a, "FUNCTIONS",
			   attack_call(a, LPAR_OP_FUNCTIONS, 0, 0, 0, 0, 0), ST(OK)))
		return false;
	n = a->answer.ret[0];
	attack_expect(a, n && a->answer.len == n * sizeof(f),
		      "%llu functions in %u bytes", (unsigned long long)n,
		      a->answer.len);
	a->function = 0;
	for (i = 0; i < n; i++) {
		memcpy(&f, a->answer.data + i * sizeof(f), sizeof(f));
		if (le16_to_cpu(f.type) == LPAR_FUNCTION_DISK &&
		    (!a->wish || le32_to_cpu(f.id) == a->wish) && !a->function)
			a->function = le32_to_cpu(f.id);
	}
	attack_expect(a, a->function, "no disk");
	if (!a->function ||
	    !attack_status(a, "CAPS", attack_call(a, LPAR_OP_CAPS, a->function, 0,
						  0, 0, 0), ST(OK)))
		return false;
	a->sectors = attack_value(&a->answer, LPAR_CAP_SECTORS);
	a->logical_block = attack_value(&a->answer, LPAR_CAP_LOGICAL_BLOCK);
	a->max_transfer = attack_value(&a->answer, LPAR_CAP_MAX_TRANSFER);
	a->segments = attack_value(&a->answer, LPAR_CAP_SEGMENTS);
	a->segment_size = attack_value(&a->answer, LPAR_CAP_SEGMENT_SIZE);
	a->virt_boundary = attack_value(&a->answer, LPAR_CAP_VIRT_BOUNDARY);
	a->dma_alignment = attack_value(&a->answer, LPAR_CAP_DMA_ALIGNMENT);
	a->chunk = attack_value(&a->answer, LPAR_CAP_CHUNK);
	a->discard = attack_value(&a->answer, LPAR_CAP_DISCARD);
	a->read_only = attack_value(&a->answer, LPAR_CAP_READ_ONLY);
	attack_expect(a, a->sectors >= 4 * ATTACK_SECTORS && a->segments >= 2 &&
		      !a->read_only && a->max_transfer >= 65536,
		      "the disk is too small or read-only");
	return !a->failed;
}

/*
 * From whatever state to a device that has its windows, and a disk with a known
 * pattern in its first sectors: the positive control too. If it was written by an
 * earlier one, it must be there still.
 */
bool attack_start(struct attack *a)
{
	struct attack_queue q;
	u64 sector;
	u32 i;

	attack_begin(a, "start: reset, HELLO, FUNCTIONS, CAPS, MAP, QUEUE_CREATE, WRITE, READ");
	memset(a->mem, 0, ATTACK_ARENA_BYTES);
	attack_expect(a, a->open(a), "the device cannot be opened");
	if (a->failed)
		goto out;
	attack_status(a, "HELLO", attack_call(a, LPAR_OP_HELLO, 1 | 1 << 16, 0, 0,
					      0, 0), ST(OK));
	attack_expect(a, a->answer.ret[0] == 1 && a->answer.ret[1],
		      "HELLO gave version %llu, %llu queues",
		      (unsigned long long)a->answer.ret[0],
		      (unsigned long long)a->answer.ret[1]);
	if (!look(a))
		goto out;
	for (i = 0; i < 2; i++) {
		u64 gpa = a->gpa + i * LPAR_WINDOW_SIZE;

		attack_status(a, "MAP", attack_call(a, LPAR_OP_MAP, gpa + 123, 0, 0,
						    0, 0), ST(OK));
		attack_expect(a, a->answer.ret[1] == gpa &&
			      a->answer.ret[2] == LPAR_WINDOW_SIZE,
			      "MAP gave the window at %#llx",
			      (unsigned long long)a->answer.ret[1]);
		a->window[i] = a->answer.ret[0];
	}
	attack_status(a, "QUEUE_CREATE", attack_create(a, &q, 1, 16, 8), ST(OK));
	if (a->failed)
		goto out;
	for (sector = 0; sector < 2 * ATTACK_SECTORS; sector += 64) {
		u8 *data = a->mem + ATTACK_DATA;

		if (!a->written) {
			attack_pattern(data, sector, 32768);
			attack_status(a, "WRITE",
				      attack_io(a, &q, attack_sqe(a, LPAR_BLK_WRITE, sector,
								  0, 32768)), ST(OK));
		}
		memset(data, 0, 32768);
		attack_status(a, "READ",
			      attack_io(a, &q, attack_sqe(a, LPAR_BLK_READ, sector,
							  0, 32768)), ST(OK));
		attack_expect(a, attack_is_pattern(data, sector, 32768),
			      "sector %llu reads differently",
			      (unsigned long long)sector);
	}
	attack_status(a, "FLUSH", attack_io(a, &q, attack_sqe(a, LPAR_BLK_FLUSH, 0,
							      0, 0)), ST(OK));
	attack_status(a, "QUEUE_DESTROY", attack_destroy(a, &q), ST(OK));
out:
	attack_end(a);
	return !a->failed;
}
