/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The pure core: what is decided from values alone. Nothing here knows of KVM,
 * the IOMMU, bios or locks; time is passed in. It is built into the module, into
 * the KUnit suite and into the user-space fuzzers.
 */
#ifndef LPAR_HOST_CORE_H
#define LPAR_HOST_CORE_H

#ifdef __KERNEL__
#include <linux/kernel.h>
#include <linux/string.h>
#include <linux/types.h>
#else
#include "user.h"
#endif

#include <lpar/adjunct.h>
#include <lpar/control.h>
#include <lpar/events.h>
#include <lpar/wire.h>

/* ------------------------------------------------------------------- tags */

/*
 * The tag range is made of regions of 128 MiB (what memremap_pages() wants). In
 * a region, each block of tags stands for one window and is followed by one tag
 * that is never handed out: adjacent tags get merged by the block layer, and
 * what is adjacent as tags of two windows is not adjacent for the adapter.
 */
#define LPAR_TAG_REGION_SHIFT	27
#define LPAR_TAG_REGION_PAGES	(1ul << (LPAR_TAG_REGION_SHIFT - 12))
#define LPAR_TAG_BLOCK_PAGES	(LPAR_WINDOW_SIZE >> 12)
#define LPAR_TAG_BLOCK_STRIDE	(LPAR_TAG_BLOCK_PAGES + 1)
#define LPAR_TAG_REGION_BLOCKS	(LPAR_TAG_REGION_PAGES / LPAR_TAG_BLOCK_STRIDE)

/* First page of a block, from the start of the tag range. */
static inline unsigned long lpar_tag_block_page(unsigned int block)
{
	return (block / LPAR_TAG_REGION_BLOCKS) * LPAR_TAG_REGION_PAGES +
	       (block % LPAR_TAG_REGION_BLOCKS) * LPAR_TAG_BLOCK_STRIDE;
}

/* The block that a page of the range belongs to, and its place therein; -1 for
 * a page that is no tag. */
static inline long lpar_tag_page_block(unsigned long page, unsigned int *place)
{
	unsigned long region = page / LPAR_TAG_REGION_PAGES;
	unsigned long in = page % LPAR_TAG_REGION_PAGES;
	unsigned long block = in / LPAR_TAG_BLOCK_STRIDE;

	*place = in % LPAR_TAG_BLOCK_STRIDE;
	if (block >= LPAR_TAG_REGION_BLOCKS || *place == LPAR_TAG_BLOCK_PAGES)
		return -1;
	return region * LPAR_TAG_REGION_BLOCKS + block;
}

/* Blocks of tags that each function in tag mode can count on, whatever others use. */
#define LPAR_TAG_FLOOR	8
/* What they take of the range, rounded up. */
#define LPAR_TAG_FLOOR_MIB	((LPAR_TAG_FLOOR << (LPAR_TAG_REGION_SHIFT - 20)) / \
				 LPAR_TAG_REGION_BLOCKS + 1)

/**
 * struct lpar_tag_share - a partition's part of the tag range
 * @floor: blocks that it can count on
 * @used:  blocks that it has
 */
struct lpar_tag_share {
	u32 floor;
	u32 used;
};

/* Blocks that are promised to it and not yet used. */
static inline u32 lpar_core_tag_owed(const struct lpar_tag_share *share)
{
	return share->floor > share->used ? share->floor - share->used : 0;
}

/* May it have one more? @left: blocks that nobody has; @owed: of these, promised. */
static inline bool lpar_core_tag_room(const struct lpar_tag_share *share, u32 left,
				      u32 owed)
{
	return share->used < share->floor ? left : left > owed;
}

/* ------------------------------------------------------------------ rings */

/*
 * Entries that the other side has added, from an index that it wrote; -1 if that
 * index is impossible. @seen is ours, @limit the most that it may be ahead.
 */
static inline long lpar_ring_ahead(u32 theirs, u32 seen, u32 limit)
{
	u32 n = theirs - seen;

	return n <= limit ? (long)n : -1;
}

/**
 * struct lpar_queue_shape - a queue's dimensions, as a client asks for them
 * @depth: power of two in LPAR_QUEUE_DEPTH_MIN…MAX
 * @segs:  1…LPAR_QUEUE_SEGS_MAX
 */
struct lpar_queue_shape {
	u32 depth;
	u32 segs;
};

bool lpar_core_shape(u64 arg, struct lpar_queue_shape *shape);

/* --------------------------------------------------------------- requests */

/**
 * struct lpar_disk_limits - what the adapter and the path to it can take
 * @sectors:        length of the disk, sectors of 512 bytes
 * @logical_block:  bytes, a power of two
 * @physical_block: bytes
 * @io_min:         bytes
 * @io_opt:         bytes; 0: none
 * @max_transfer:   bytes of one READ or WRITE
 * @segments:       of one READ or WRITE
 * @segment_size:   bytes of one segment
 * @virt_boundary:  mask; 0: none
 * @dma_alignment:  mask
 * @chunk:          bytes; no READ or WRITE crosses a multiple of it; 0: none
 * @queues:         that a client may have on the disk
 * @discard:        bytes of one DISCARD; 0: not offered
 * @discard_grain:  bytes
 * @discard_align:  bytes
 * @write_zeroes:   bytes of one WRITE_ZEROES; 0: not offered
 * @write_cache:    it is volatile: FLUSH matters
 * @fua:            the adapter has it; only with @write_cache
 * @rotational:     a disk that turns
 * @stable_writes:  what is being written must not change
 * @read_only:      by the device or by configuration
 */
struct lpar_disk_limits {
	u64 sectors;
	u32 logical_block;
	u32 physical_block;
	u32 io_min;
	u32 io_opt;
	u32 max_transfer;
	u32 segments;
	u32 segment_size;
	u32 virt_boundary;
	u32 dma_alignment;
	u32 chunk;
	u32 queues;
	u64 discard;
	u32 discard_grain;
	u32 discard_align;
	u64 write_zeroes;
	bool write_cache;
	bool fua;
	bool rotational;
	bool stable_writes;
	bool read_only;
};

/* A request that has been found well-formed. */
struct lpar_blk_request {
	u64 sector;
	u32 nsectors;
	u16 id;
	u16 nsegs;
	u8 op;
	u8 flags;
};

/**
 * lpar_core_request - decode and check one submission
 * @sqe:  a private copy
 * @segs: a private copy of @sqe's segments; NULL while they are not known: then
 *        all but the segments is checked (so that their number can be trusted)
 * @lim:  the disk's limits
 * @out:  the request, when LPAR_OK
 *
 * What passes needs no split, no bounce and no check in the host's block layer
 * (tests/hostile/README.md: G3, G9). Windows are not looked at here.
 *
 * Context: any; pure.
 * Return: LPAR_OK, or what the request is to end with.
 */
enum lpar_status lpar_core_request(const struct lpar_blk_sqe *sqe,
				   const struct lpar_seg *segs,
				   const struct lpar_disk_limits *lim,
				   struct lpar_blk_request *out);

/* ------------------------------------------------------------ capabilities */

/**
 * lpar_core_records - write a disk's capability records (seed 001, fig. 6, step 630)
 * @buf: where to, 8-byte aligned
 * @size: its bytes
 * @lim: the disk's limits
 * @name: text, cut to LPAR_TEXT_MAX
 * @serial: likewise
 *
 * Context: any; pure.
 * Return: bytes written, or -ENOSPC.
 */
int lpar_core_records(void *buf, size_t size, const struct lpar_disk_limits *lim,
		      const char *name, const char *serial);

/* ---------------------------------------------------------------- calls */

/* A decoded call: a private copy of what the client wrote. */
struct lpar_call_in {
	u32 op;
	u32 seq;
	u64 arg[5];
};

/* What an error of ours is on the wire. */
enum lpar_status lpar_core_status(int error);

/* What a client may call when; nothing else may be called (tests/hostile/README.md: G1). */
enum lpar_status lpar_core_call(const struct lpar_call_in *in, bool greeted);

/* HELLO: the highest version both speak, 0 if none. */
u32 lpar_core_version(u64 arg, u32 lowest, u32 highest);

/* ---------------------------------------------------------------- ranges */

/* Do [a, a + an) and [b, b + bn) have a byte in common? None may wrap. */
static inline bool lpar_core_overlap(u64 a, u64 an, u64 b, u64 bn)
{
	return an && bn && a < b + bn && b < a + an;
}

/* A page-aligned, non-empty range that does not wrap. */
static inline bool lpar_core_range_ok(u64 start, u64 bytes)
{
	return bytes && !((start | bytes) & 4095) && start + bytes > start;
}

/* --------------------------------------------------------------- windows */

/* Windows that a client may have at once: 1 TiB. */
#define LPAR_CLIENT_WINDOWS	(1u << 19)

/* What stands in a slot of the window table. */
enum lpar_slot {
	LPAR_SLOT_FREE,
	LPAR_SLOT_LIVE,		/* a window */
	LPAR_SLOT_REVOKED,	/* none any more; taken until the client unmaps it */
};

/* The slot that a logical I/O address names, or -1. */
static inline long lpar_core_slot(u64 addr)
{
	u64 slot = addr >> LPAR_WINDOW_SHIFT;

	return slot < LPAR_CLIENT_WINDOWS ? (long)slot : -1;
}

/* The slot that a window's logical I/O address names, or -1. */
static inline long lpar_core_slot_start(u64 addr)
{
	return addr & (LPAR_WINDOW_SIZE - 1) ? -1 : lpar_core_slot(addr);
}

/* What UNMAP of a slot ends with; LPAR_OK: it becomes free. @idle: a live window
 * had no user but its owner. */
static inline enum lpar_status lpar_core_unmap(enum lpar_slot slot, bool idle)
{
	if (slot == LPAR_SLOT_FREE)
		return LPAR_NOENT;
	/* never waits for the adapter on a vCPU */
	return slot == LPAR_SLOT_LIVE && !idle ? LPAR_BUSY : LPAR_OK;
}

/* What an error of giving out a slot is for the client. */
static inline int lpar_core_slot_error(int error)
{
	return error == -EBUSY ? -EDQUOT : error;
}

/* The chunks of guest memory that a range touches. It is not empty, does not wrap. */
struct lpar_chunks {
	unsigned long first;
	unsigned long last;
};

static inline struct lpar_chunks lpar_core_chunks(u64 gpa, u64 bytes)
{
	return (struct lpar_chunks){
		.first = gpa >> LPAR_WINDOW_SHIFT,
		.last = (gpa + bytes - 1) >> LPAR_WINDOW_SHIFT,
	};
}

/* Pages of a window. */
struct lpar_span {
	unsigned int first;
	unsigned int end;	/* behind the last one */
};

/* The pages that @len > 0 bytes from @offset touch. */
static inline struct lpar_span lpar_core_span(u32 offset, u32 len)
{
	return (struct lpar_span){
		.first = offset >> 12,
		.end = ((offset + len - 1) >> 12) + 1,
	};
}

struct lpar_span lpar_core_clip(unsigned long chunk, u64 gpa, u64 bytes);

int lpar_core_place(const void *const *places, unsigned int n, const void *what);

/* Pages were pinned, or not (@error), while the client's memory could be changed:
 * what the caller is to end with. */
static inline int lpar_core_pinned(int error, u64 generation, u64 now)
{
	if (error)
		return error;
	return generation == now ? 0 : -EAGAIN;
}

/* Is this more than is allowed? */
static inline bool lpar_core_exceeds(s64 value, u64 limit)
{
	return value > 0 && (u64)value > limit;
}

/* -------------------------------------------------------------- dispatch */

/**
 * lpar_core_told - can what a VMM says of an adjunct be shown?
 * @state: enum lpar_adjunct_state, or anything
 * @name:  of its image, private; need not end
 *
 * Context: any; pure.
 * Return: whether it can: a state that there is, and a printable name just where there is
 * an image.
 */
bool lpar_core_told(u32 state, const char name[LPAR_NAME_MAX]);

/**
 * struct lpar_quantum - the budget of one dispatch (seed 003)
 * @start: ns when it began
 * @limit: ns it may take
 */
struct lpar_quantum {
	u64 start;
	u64 limit;
};

static inline struct lpar_quantum lpar_core_quantum(u64 now, u32 wish_us,
						    u32 limit_us)
{
	u32 us = wish_us && wish_us < limit_us ? wish_us : limit_us;

	return (struct lpar_quantum){ .start = now, .limit = (u64)us * 1000 };
}

static inline bool lpar_core_expired(const struct lpar_quantum *q, u64 now)
{
	return now - q->start >= q->limit;
}

/*
 * May the server of a queue take one more request? EMPTY: it may; else why not.
 * @signal: one is pending for its thread.
 */
static inline enum lpar_reason lpar_core_pause(const struct lpar_quantum *q,
					       u64 now, bool signal)
{
	if (lpar_core_expired(q, now))
		return LPAR_REASON_EXPIRED;
	return signal ? LPAR_REASON_YIELD : LPAR_REASON_EMPTY;
}

/* What the end of service asks for. */
enum lpar_next {
	LPAR_NEXT_NOTHING,
	LPAR_NEXT_SERVE,	/* more of it */
	LPAR_NEXT_BUSY,		/* PA BUSY: the client donates again */
	LPAR_NEXT_STALL,	/* RUNNABLE, when the adapter can take more */
};

/* @left: there are submissions, or somebody rang meanwhile. */
static inline enum lpar_next lpar_core_next(enum lpar_reason reason, bool left)
{
	if (reason == LPAR_REASON_EMPTY)
		return left ? LPAR_NEXT_SERVE : LPAR_NEXT_NOTHING;
	/* what the adapter did not take is left */
	if (reason == LPAR_REASON_FULL)
		return LPAR_NEXT_STALL;
	if (reason == LPAR_REASON_EXPIRED || reason == LPAR_REASON_YIELD)
		return left ? LPAR_NEXT_BUSY : LPAR_NEXT_NOTHING;
	return LPAR_NEXT_NOTHING;
}

/* Who serves a doorbell. */
enum lpar_server {
	LPAR_SERVER_NONE,	/* nobody: it is dropped */
	LPAR_SERVER_HERE,	/* the thread that has it */
	LPAR_SERVER_THREAD,	/* the client's, which nobody donates */
};

/*
 * A doorbell was rung. @vcpu: by a thread that donates; @own: by somebody who just
 * serves this client (a VMM may connect an interrupt to a doorbell: to serve that
 * would never end); @able: a thread that donates can serve what it rings so.
 */
static inline enum lpar_server lpar_core_ring(bool vcpu, bool own, bool able)
{
	if (own)
		return LPAR_SERVER_NONE;
	return vcpu && able ? LPAR_SERVER_HERE : LPAR_SERVER_THREAD;
}

/* A doorbell has come to a vCPU's thread. @queue: it is that of a queue which is
 * there; @nowait: the queue's driver never waits in a submission. */
static inline enum lpar_server lpar_core_route(unsigned int bell, bool queue,
					       bool nowait)
{
	if (bell == LPAR_DOORBELL_CALL)
		return LPAR_SERVER_HERE;
	if (!queue)
		return LPAR_SERVER_NONE;
	/* a submission that may wait is not for a vCPU */
	return nowait ? LPAR_SERVER_HERE : LPAR_SERVER_THREAD;
}

/* Is a queue in this state served at all? */
static inline bool lpar_core_serves(u32 state)
{
	return !(state & LPAR_QUEUE_BROKEN);
}

/* A queue's state when a donation has come: what asked for it is answered. @polls:
 * the adapter is asked for completions from now on. */
static inline u32 lpar_core_answered(u32 state, bool polls)
{
	return (state & LPAR_QUEUE_BROKEN) | (polls ? LPAR_QUEUE_POLLS : 0);
}

/*
 * May one more request be taken? What was taken and is not yet consumed fits the
 * ring. 0: not until the client consumes completions; -1: an impossible index.
 */
static inline int lpar_core_room(u32 sq_head, u32 cq_tail, u32 cq_head, u32 depth)
{
	u32 taken = sq_head - cq_head;

	if (lpar_ring_ahead(cq_tail, cq_head, depth) < 0 || taken > depth)
		return -1;
	return taken != depth;
}

/* The adapter has requests of a queue, so that a completion is to come. */
static inline bool lpar_core_in_flight(u32 sq_head, u32 cq_tail)
{
	return sq_head != cq_tail;
}

/* What a completion tells the client. */
enum lpar_signal {
	LPAR_SIGNAL_NONE,
	LPAR_SIGNAL_DONE,	/* an interrupt */
	LPAR_SIGNAL_RUNNABLE,	/* an interrupt, and to donate again */
};

/* @stalled: work waits for it; @event: where the client wants one; @tail: its index
 * + 1. */
static inline enum lpar_signal lpar_core_signal(bool stalled, u32 event, u32 tail)
{
	if (stalled)
		return LPAR_SIGNAL_RUNNABLE;
	return lpar_event_passed(event, tail - 1, tail) ? LPAR_SIGNAL_DONE :
							  LPAR_SIGNAL_NONE;
}

/* Requests that the block layer makes for a plug at once, at most; and the part of
 * the adapter's that may wait, made, for what the client announced. */
#define LPAR_PLUG_IOS	32
#define LPAR_PLUG_PART	8

/* How many to make. @ahead: announced, as of lpar_ring_ahead(); @requests: that the
 * adapter has. Few for a small adapter: its other clients need them. */
static inline unsigned short lpar_core_plug(long ahead, unsigned long requests)
{
	long most = requests / LPAR_PLUG_PART;

	if (most > LPAR_PLUG_IOS)
		most = LPAR_PLUG_IOS;
	if (ahead > most)
		ahead = most;
	return ahead > 1 ? ahead : 1;
}

/*
 * Is this the head of an image of so many bytes? Return: pages that an adjunct of it
 * needs, or -EINVAL.
 */
int lpar_core_image(const struct lpar_image *head, u64 bytes);

#endif
