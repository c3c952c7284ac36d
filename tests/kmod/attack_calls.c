// SPDX-License-Identifier: GPL-2.0
/* G1: every call with what it must not be called with. */
#include "attack.h"

static u32 hello(struct attack *a, u64 versions)
{
	return attack_call(a, LPAR_OP_HELLO, versions, 0, 0, 0, 0);
}

static u32 functions(struct attack *a)
{
	return attack_call(a, LPAR_OP_FUNCTIONS, 0, 0, 0, 0, 0);
}

static void bad_opcodes(struct attack *a)
{
	static const u32 ops[] = { 0, 14, 15, 31, 255, 65536, 0x80000001, ~0u };
	u32 i;

	for (i = 0; i < ARRAY_SIZE(ops); i++)
		attack_status(a, "unknown call",
			      attack_call(a, ops[i], 0, 0, 0, 0, 0), ST(NOSYS));
}

/* All arguments that a call has not, one at a time. */
static void spare_arguments(struct attack *a, u32 first, u32 last)
{
	static const u8 args[] = { 0, 1, 0, 1, 1, 1, 5, 1, 3, 3, 2, 2, 1, 2 };
	u32 op, i;

	for (op = first; op <= last; op++) {
		for (i = args[op]; i < 5; i++) {
			u64 arg[5] = { 0 };

			arg[i] = i & 1 ? 1 : 1ull << 63;
			if (op == LPAR_OP_HELLO)
				arg[0] = 1 | 1 << 16;
			else if (op == LPAR_OP_MAP)
				arg[0] = a->gpa;
			attack_status(a, "spare argument",
				      a->call(a, op, arg, &a->answer), ST(INVAL));
		}
	}
}

static void before_hello(struct attack *a)
{
	u32 op;

	attack_begin(a, "G1 calls before HELLO");
	attack_expect(a, a->open(a), "no reset");
	bad_opcodes(a);
	for (op = LPAR_OP_FUNCTIONS; op <= LPAR_OP_SA_DELETE; op++)
		attack_status(a, "before HELLO", attack_call(a, op, 0, 0, 0, 0, 0),
			      ST(STATE));
	attack_end(a);

	attack_begin(a, "G1 HELLO with bad versions, twice");
	attack_status(a, "min > max", hello(a, 2 | 1 << 16), ST(VERSION));
	attack_status(a, "newer only", hello(a, 2 | 9 << 16), ST(VERSION));
	attack_status(a, "version 0", hello(a, 0), ST(VERSION));
	attack_status(a, "spare bits", hello(a, 1 | 1 << 16 | 1ull << 32),
		      ST(VERSION) | ST(INVAL));
	spare_arguments(a, LPAR_OP_HELLO, LPAR_OP_HELLO);
	attack_status(a, "still not greeted", functions(a), ST(STATE));
	attack_status(a, "any version", hello(a, 0xffffull << 16), ST(OK));
	attack_status(a, "twice", hello(a, 1 | 1 << 16), ST(STATE));
	attack_status(a, "twice, badly", hello(a, 0), ST(STATE) | ST(VERSION));
	attack_status(a, "greeted", functions(a), ST(OK));
	attack_end(a);
}

static void sequence(struct attack *a)
{
	attack_begin(a, "G1 seq 0 and a seq twice get no answer");
	attack_expect(a, !a->raw(a, LPAR_OP_FUNCTIONS, 0, 50), "seq 0 answered");
	attack_expect(a, a->raw(a, LPAR_OP_FUNCTIONS, 0xfffffff0, 20000),
		      "a seq that jumps is not answered");
	attack_expect(a, !a->raw(a, LPAR_OP_FUNCTIONS, 0xfffffff0, 50),
		      "a seq answered twice");
	attack_status(a, "after it", functions(a), ST(OK));
	attack_end(a);
}

/* By a client that has no mailbox and may not manage. */
static void mailboxes(struct attack *a)
{
	static const u64 answers[] = { 0, 1, 0xffffffff, 1ull << 32, ~0ull };
	u32 i;

	attack_begin(a, "G1 ASK, ANSWER and MANAGE without a mailbox");
	for (i = LPAR_ASK_MAC; i <= LPAR_ASK_RESET + 1; i++) {
		attack_status(a, "ASK of 0",
			      attack_call(a, LPAR_OP_ASK, 0, i, 1, 0, 0), ST(NOENT));
		attack_status(a, "ASK of nothing",
			      attack_call(a, LPAR_OP_ASK, 0xfffffffe, i, 1, 0, 0),
			      ST(NOENT));
		attack_status(a, "ASK of 33 bits",
			      attack_call(a, LPAR_OP_ASK, a->function | 1ull << 32, i,
					  1, 0, 0), ST(INVAL));
		attack_status(a, "ASK of a disk",
			      attack_call(a, LPAR_OP_ASK, a->function, i, 1, 0, 0),
			      ST(NOTSUPP));
	}
	attack_status(a, "ASK of a disk for anything",
		      attack_call(a, LPAR_OP_ASK, a->function, ~0ull, ~0ull, 0, 0),
		      ST(NOTSUPP));
	for (i = 0; i < ARRAY_SIZE(answers); i++) {
		attack_status(a, "ANSWER of nothing",
			      attack_call(a, LPAR_OP_ANSWER, answers[i], 0, 0, 0, 0),
			      ST(NOENT));
		attack_status(a, "forgetting nothing",
			      attack_call(a, LPAR_OP_ANSWER, answers[i], LPAR_FORGET, 0,
					  0, 0), ST(NOENT));
		/* refused before it is looked at */
		attack_status(a, "MANAGE",
			      attack_call(a, LPAR_OP_MANAGE, 0, answers[i], 0, 0, 0),
			      ST(PERM));
		attack_status(a, "MANAGE from anywhere",
			      attack_call(a, LPAR_OP_MANAGE, answers[i], 100, 0, 0, 0),
			      ST(PERM));
	}
	attack_status(a, "after it", functions(a), ST(OK));
	attack_end(a);
}

static void arguments(struct attack *a)
{
	u32 op;

	attack_begin(a, "G1 unknown calls and spare arguments");
	bad_opcodes(a);
	spare_arguments(a, LPAR_OP_FUNCTIONS, LPAR_OP_SA_DELETE);
	attack_status(a, "SET of nothing",
		      attack_call(a, LPAR_OP_SET, 0xfffffffe, LPAR_CAP_MAC, 1, 0, 0),
		      ST(NOENT));
	attack_status(a, "SET of 33 bits",
		      attack_call(a, LPAR_OP_SET, a->function | 1ull << 32,
				  LPAR_CAP_MAC, 1, 0, 0), ST(INVAL));
	attack_status(a, "after it", functions(a), ST(OK));
	attack_end(a);

	attack_begin(a, "G1 SAs of what is no NIC");
	for (op = LPAR_OP_SA_ADD; op <= LPAR_OP_SA_DELETE; op++) {
		attack_status(a, "0", attack_call(a, op, 0, 0, 0, 0, 0), ST(NOENT));
		attack_status(a, "unknown", attack_call(a, op, 0xfffffffe, 0, 0, 0, 0),
			      ST(NOENT));
		attack_status(a, "33 bits",
			      attack_call(a, op, a->function | 1ull << 32, 0, 0, 0, 0),
			      ST(INVAL));
		attack_status(a, "64 bits", attack_call(a, op, ~0ull, 0, 0, 0, 0),
			      ST(INVAL));
		attack_status(a, "a disk", attack_call(a, op, a->function, 0, 0, 0, 0),
			      ST(NOTSUPP));
	}
	attack_status(a, "any number of a disk's",
		      attack_call(a, LPAR_OP_SA_DELETE, a->function, ~0ull, 0, 0, 0),
		      ST(NOTSUPP));
	attack_status(a, "after it", functions(a), ST(OK));
	attack_end(a);

	mailboxes(a);

	attack_begin(a, "G1 CAPS of functions that are not there");
	attack_status(a, "0", attack_call(a, LPAR_OP_CAPS, 0, 0, 0, 0, 0), ST(NOENT));
	attack_status(a, "unknown", attack_call(a, LPAR_OP_CAPS, 0xfffffffe, 0, 0, 0,
						0), ST(NOENT));
	attack_status(a, "33 bits",
		      attack_call(a, LPAR_OP_CAPS, a->function | 1ull << 32, 0, 0, 0,
				  0), ST(NOENT) | ST(INVAL));
	attack_status(a, "good", attack_call(a, LPAR_OP_CAPS, a->function, 0, 0, 0, 0),
		      ST(OK));
	attack_end(a);
}

void attack_calls(struct attack *a)
{
	before_hello(a);
	sequence(a);
	arguments(a);
}

static u32 map(struct attack *a, u64 gpa)
{
	return attack_call(a, LPAR_OP_MAP, gpa, 0, 0, 0, 0);
}

static u32 unmap(struct attack *a, u64 addr)
{
	return attack_call(a, LPAR_OP_UNMAP, addr, 0, 0, 0, 0);
}

/* A window is unmapped while requests use it: the one or the other, never both. */
static void unmap_in_use(struct attack *a, struct attack_queue *q)
{
	struct lpar_blk_sqe sqe;
	u32 round, i, st;
	u16 id;

	attack_begin(a, "G1 UNMAP of a window that requests use");
	for (round = 0; round < 8; round++) {
		for (i = 0; i < q->depth; i++) {
			sqe = attack_sqe(a, LPAR_BLK_READ, i * 8, i * 4096, 4096);
			attack_submit(a, q, &sqe);
		}
		a->ring(a, q->index);
		st = unmap(a, a->window[1]);
		attack_status(a, "UNMAP", st, ST(OK) | ST(BUSY));
		for (i = 0; i < q->depth; i++)
			attack_status(a, "request", attack_reap(a, q, &id),
				      st == LPAR_OK ? ST(OK) | ST(NOWINDOW) : ST(OK));
		if (st == LPAR_OK) {
			attack_status(a, "request after UNMAP",
				      attack_io(a, q, attack_sqe(a, LPAR_BLK_READ, 0,
								 0, 4096)),
				      ST(NOWINDOW));
			attack_status(a, "MAP", map(a, a->gpa + LPAR_WINDOW_SIZE),
				      ST(OK));
			a->window[1] = a->answer.ret[0];
		}
	}
	attack_good(a, q);
	attack_end(a);
}

void attack_windows(struct attack *a)
{
	struct attack_queue q;
	u64 addr;
	u32 i;

	attack_begin(a, "G1 MAP of what is not memory");
	attack_status(a, "queue", attack_create(a, &q, 1, 16, 8), ST(OK));
	attack_status(a, "unbacked", map(a, a->unbacked), ST(FAULT));
	attack_status(a, "unbacked, odd", map(a, a->unbacked + 4097), ST(FAULT));
	attack_status(a, "2^64 - 1", map(a, ~0ull), ST(FAULT));
	attack_status(a, "2^64 - 4096", map(a, ~0xfffull), ST(FAULT));
	attack_status(a, "2^63", map(a, 1ull << 63), ST(FAULT));
	attack_status(a, "2^52", map(a, 1ull << 52), ST(FAULT));
	if (a->rom)
		attack_status(a, "ROM", map(a, a->rom), ST(FAULT));
	attack_good(a, &q);
	attack_end(a);

	attack_begin(a, "G1 MAP again gives the same window");
	for (i = 0; i < 8; i++) {
		attack_status(a, "MAP", map(a, a->gpa + LPAR_WINDOW_SIZE + i * 12345),
			      ST(OK));
		attack_expect(a, a->answer.ret[0] == a->window[1],
			      "another address %#llx",
			      (unsigned long long)a->answer.ret[0]);
	}
	attack_good(a, &q);
	attack_end(a);

	attack_begin(a, "G1 UNMAP of what is no window");
	attack_status(a, "odd", unmap(a, a->window[0] + 1), ST(INVAL));
	attack_status(a, "page", unmap(a, a->window[0] + 4096), ST(INVAL));
	attack_status(a, "unknown", unmap(a, 77777ull << LPAR_WINDOW_SHIFT), ST(NOENT));
	attack_status(a, "far", unmap(a, 1ull << 50), ST(NOENT) | ST(INVAL));
	attack_status(a, "2^64 - 2 MiB", unmap(a, ~0ull << LPAR_WINDOW_SHIFT),
		      ST(NOENT) | ST(INVAL));
	attack_status(a, "2^64 - 1", unmap(a, ~0ull), ST(INVAL));
	attack_good(a, &q);
	addr = a->window[1];
	attack_status(a, "good", unmap(a, addr), ST(OK));
	attack_status(a, "twice", unmap(a, addr), ST(NOENT));
	attack_status(a, "request to it",
		      attack_io(a, &q, attack_sqe(a, LPAR_BLK_READ, 0, 0, 4096)),
		      ST(NOWINDOW));
	attack_status(a, "MAP", map(a, a->gpa + LPAR_WINDOW_SIZE), ST(OK));
	a->window[1] = a->answer.ret[0];
	attack_good(a, &q);
	attack_end(a);

	unmap_in_use(a, &q);
	attack_begin(a, "G1 queue given back");
	attack_status(a, "QUEUE_DESTROY", attack_destroy(a, &q), ST(OK));
	attack_end(a);
}

/* -------------------------------------------------------------------- queues */

static u32 create(struct attack *a, u64 function, u64 index, u64 gpa, u64 shape,
		  u64 vector)
{
	return attack_call(a, LPAR_OP_QUEUE_CREATE, function, index, gpa, shape,
			   vector);
}

static u32 destroy(struct attack *a, u64 index)
{
	return attack_call(a, LPAR_OP_QUEUE_DESTROY, index, 0, 0, 0, 0);
}

void attack_shapes(struct attack *a)
{
	static const u64 depths[] = { 0, 1, 3, 12, 1000, 2048, 32768, 65535 };
	static const u64 segs[] = { 0, 257, 65535, 1ull << 32, ~0ull >> 16 };
	static const u64 indices[] = { 0, LPAR_DOORBELLS_MAX, 1ull << 32,
				       (1ull << 32) + 5, ~0ull };
	static const u64 vectors[] = { 0, LPAR_DOORBELLS_MAX + 1, 1ull << 32,
				       (1ull << 32) + 1, ~0ull };
	u64 gpa = a->gpa + ATTACK_QUEUE_BYTES, good = 16 | 8 << 16;
	struct attack_queue q;
	u32 i;

	attack_begin(a, "G1 QUEUE_CREATE with bad shapes");
	attack_status(a, "good", attack_create(a, &q, 1, 16, 8), ST(OK));
	for (i = 0; i < ARRAY_SIZE(depths); i++)
		attack_status(a, "depth",
			      create(a, a->function, 2, gpa, depths[i] | 8 << 16, 2),
			      ST(INVAL));
	for (i = 0; i < ARRAY_SIZE(segs); i++)
		attack_status(a, "segments",
			      create(a, a->function, 2, gpa, 16 | segs[i] << 16, 2),
			      ST(INVAL));
	attack_good(a, &q);
	attack_end(a);

	attack_begin(a, "G1 QUEUE_CREATE with bad numbers");
	for (i = 0; i < ARRAY_SIZE(indices); i++)
		attack_status(a, "index",
			      create(a, a->function, indices[i], gpa, good, 2),
			      ST(INVAL));
	for (i = 0; i < ARRAY_SIZE(vectors); i++)
		attack_status(a, "vector",
			      create(a, a->function, 2, gpa, good, vectors[i]),
			      ST(INVAL));
	attack_status(a, "function 0", create(a, 0, 2, gpa, good, 2), ST(NOENT));
	attack_status(a, "function", create(a, 0xfffffffe, 2, gpa, good, 2),
		      ST(NOENT));
	attack_status(a, "function of 33 bits",
		      create(a, a->function | 1ull << 32, 2, gpa, good, 2),
		      ST(NOENT) | ST(INVAL));
	attack_status(a, "duplicate", create(a, a->function, 1, gpa, good, 1),
		      ST(STATE));
	attack_good(a, &q);
	attack_end(a);

	attack_begin(a, "G1 QUEUE_CREATE in bad memory");
	attack_status(a, "odd", create(a, a->function, 2, gpa + 1, good, 2),
		      ST(INVAL));
	attack_status(a, "no page", create(a, a->function, 2, gpa + 2048, good, 2),
		      ST(INVAL));
	attack_status(a, "unbacked", create(a, a->function, 2, a->unbacked, good, 2),
		      ST(FAULT));
	attack_status(a, "wraps", create(a, a->function, 2, ~0xfffull, good, 2),
		      ST(INVAL) | ST(FAULT));
	attack_status(a, "far", create(a, a->function, 2, 1ull << 60, good, 2),
		      ST(FAULT) | ST(INVAL));
	if (a->end)
		attack_status(a, "over the end",
			      create(a, a->function, 2, a->end - 4096, good, 2),
			      ST(FAULT));
	if (a->rom)
		attack_status(a, "ROM", create(a, a->function, 2, a->rom, good, 2),
			      ST(FAULT));
	attack_good(a, &q);
	attack_end(a);

	attack_begin(a, "G1 QUEUE_DESTROY of what is not there");
	for (i = 0; i < ARRAY_SIZE(indices); i++)
		attack_status(a, "index", destroy(a, indices[i]), ST(INVAL));
	attack_status(a, "not made", destroy(a, 2), ST(NOENT));
	attack_status(a, "last", destroy(a, LPAR_DOORBELLS_MAX - 1), ST(NOENT));
	attack_good(a, &q);
	attack_status(a, "good", attack_destroy(a, &q), ST(OK));
	attack_status(a, "twice", destroy(a, 1), ST(NOENT));
	attack_end(a);
}
