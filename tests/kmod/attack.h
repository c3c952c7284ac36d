/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Attacks of a client on the partition manager, by the wire alone. The same code
 * runs in a guest's kernel (hostile.c, over the PCI device) and in a process on
 * the host (tests/hostile, over /dev/lpar); an environment tells it how.
 *
 * What each attack has to end with is what wire.h documents, never what a host
 * happens to do. After each, a good request must still work.
 */
#ifndef LPAR_ATTACK_H
#define LPAR_ATTACK_H

#ifdef __KERNEL__
#include <linux/kernel.h>
#include <linux/string.h>
#include <linux/types.h>
#include <asm/barrier.h>
#define attack_load(p)		le32_to_cpu(smp_load_acquire(p))
#define attack_store(p, v)	smp_store_release(p, cpu_to_le32(v))
#define attack_log(fmt, ...)	pr_info("# " fmt "\n", ##__VA_ARGS__)
#else
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <linux/types.h>
typedef __u8 u8;
typedef __u16 u16;
typedef __u32 u32;
typedef __u64 u64;
#define cpu_to_le16(v)		((__le16)(v))
#define cpu_to_le32(v)		((__le32)(v))
#define cpu_to_le64(v)		((__le64)(v))
#define le16_to_cpu(v)		((u16)(v))
#define le32_to_cpu(v)		((u32)(v))
#define le64_to_cpu(v)		((u64)(v))
#define READ_ONCE(v)		(*(const volatile __typeof__(v) *)&(v))
#define WRITE_ONCE(v, x)	(*(volatile __typeof__(v) *)&(v) = (x))
#define ARRAY_SIZE(a)		(sizeof(a) / sizeof((a)[0]))
#define attack_load(p)		__atomic_load_n(p, __ATOMIC_ACQUIRE)
#define attack_store(p, v)	__atomic_store_n(p, v, __ATOMIC_RELEASE)
#define attack_log(fmt, ...)	(printf("# " fmt "\n", ##__VA_ARGS__), fflush(stdout))
#endif

#include <lpar/wire.h>

#ifdef __cplusplus
extern "C" {
#endif

/* No answer in time. Sets of statuses are bit masks, so it is below 64. */
#define ATTACK_SILENT		63u
#define ATTACK_TIMEOUT_MS	20000
#define ST(name)		(1ull << LPAR_##name)

/*
 * The arena: guest-contiguous, window-aligned memory of two windows. Queues lie
 * in the first, data in the middle of the second, between canaries.
 */
#define ATTACK_ARENA_BYTES	(2 * LPAR_WINDOW_SIZE)
#define ATTACK_QUEUE_BYTES	0x80000u
#define ATTACK_DATA		(LPAR_WINDOW_SIZE + 0x100000)
#define ATTACK_DATA_BYTES	0x20000u
#define ATTACK_CANARY		0xc5

struct attack_answer {
	u32 status;
	u64 ret[3];
	u32 len;
	u8 data[3968] __attribute__((aligned(8)));
};

/**
 * struct attack - an environment, and what it has found out
 * @call:  carry out a call; ATTACK_SILENT without an answer
 * @raw:   ring with this seq whatever it is; was an answer written within @ms?
 * @open:  reset the device and take the call block into use; no HELLO
 * @ring:  ring a doorbell that need not exist; from any thread
 * @pause: give others a moment
 * @now:   milliseconds
 * @verdict: of one case
 * @mem, @gpa: the arena
 * @unbacked: a guest address without memory, in a window without any
 * @rom:   one of ROM, or 0
 * @end:   end of a range of memory, or 0
 * @sectors: of the disk; the attacks write below @scratch only
 */
struct attack {
	u32 (*call)(struct attack *a, u32 op, const u64 arg[5],
		    struct attack_answer *answer);
	bool (*raw)(struct attack *a, u32 op, u32 seq, unsigned int ms);
	bool (*open)(struct attack *a);
	void (*ring)(struct attack *a, u32 index);
	void (*pause)(struct attack *a);
	u64 (*now)(struct attack *a);
	void (*verdict)(struct attack *a, bool ok, const char *name);
	void *priv;

	u8 *mem;
	u64 gpa;
	u64 unbacked;
	u64 rom;
	u64 end;
	u32 wish;			/* function to attack; 0: the first */
	bool expect_quota;
	bool parallel;			/* there is a second CPU to flip on */
	bool written;			/* the pattern is there: not to be written */

	u32 function;
	u64 window[2];			/* logical I/O addresses of the arena */
	u64 sectors;
	u32 logical_block;
	u32 max_transfer;
	u32 segments;
	u32 segment_size;
	u32 virt_boundary;
	u32 dma_alignment;
	u32 chunk;
	u64 discard;
	bool read_only;

	const char *name;
	bool failed;
	u32 ok;
	u32 bad;
	struct attack_answer answer;
};

struct attack_queue {
	u32 index;
	u64 gpa;
	u32 depth;
	u32 segs;
	struct lpar_queue_ctrl *ctrl;
	struct lpar_blk_sqe *sq;
	struct lpar_cqe *cq;
	struct lpar_seg *table;
	u32 sq_tail;
	u32 cq_head;
};

/* Sectors that attacks may write to; beside them stand canaries. */
#define ATTACK_SECTORS		512u

void attack_begin(struct attack *a, const char *name);
void attack_end(struct attack *a);

#define attack_expect(a, cond, fmt, ...) do {				\
	if (!(cond)) {							\
		attack_log("%s: " fmt, (a)->name, ##__VA_ARGS__);	\
		(a)->failed = true;					\
	}								\
} while (0)

bool attack_status(struct attack *a, const char *what, u32 got, u64 allowed);
u32 attack_call(struct attack *a, u32 op, u64 a0, u64 a1, u64 a2, u64 a3, u64 a4);

bool attack_start(struct attack *a);
u64 attack_value(const struct attack_answer *answer, u16 type);
u32 attack_create(struct attack *a, struct attack_queue *q, u32 index, u32 depth,
		  u32 segs);
u32 attack_create_as(struct attack *a, struct attack_queue *q, u32 index, u32 depth,
		     u32 segs, u32 role);
u32 attack_destroy(struct attack *a, struct attack_queue *q);
void attack_submit(struct attack *a, struct attack_queue *q,
		   const struct lpar_blk_sqe *sqe);
u32 attack_reap(struct attack *a, struct attack_queue *q, u16 *id);
u32 attack_io(struct attack *a, struct attack_queue *q, struct lpar_blk_sqe sqe);
struct lpar_blk_sqe attack_sqe(struct attack *a, u8 op, u64 sector, u32 offset,
			       u32 bytes);
void attack_pattern(u8 *to, u64 sector, u32 bytes);
bool attack_is_pattern(const u8 *at, u64 sector, u32 bytes);
bool attack_good(struct attack *a, struct attack_queue *q);

/* The suites, each to be called after attack_start(). */
void attack_calls(struct attack *a);
void attack_shapes(struct attack *a);
void attack_windows(struct attack *a);
void attack_requests(struct attack *a);
void attack_partial(struct attack *a);
void attack_indices(struct attack *a);
void attack_full(struct attack *a);
void attack_quota(struct attack *a, u64 from, u64 to);

/* G2: one thread runs attack_race(), another attack_flip(); when both have ended,
 * attack_canaries() looks for what they must not have touched. */
void attack_race(struct attack *a, struct attack_queue *q, u32 count);
void attack_canaries(struct attack *a, struct attack_queue *q);
void attack_flip(struct attack *a, struct attack_queue *q, u32 *random);
/* G5: from each thread; @queues: doorbells to ring, existing and other ones. */
void attack_storm(struct attack *a, u32 count, u32 doorbells);

#ifdef __cplusplus
}
#endif
#endif
