// SPDX-License-Identifier: GPL-2.0
/*
 * The block server: a client's request becomes a bio whose pages are tags (or the
 * pinned pages themselves), submitted to the host's own, unmodified driver. Seed
 * 004, fig. 7, steps 710-744.
 */
#include <linux/bio.h>
#include <linux/blkdev.h>
#include <linux/sched/clock.h>
#include <linux/slab.h>

#include "blk.h"
#include "compat.h"
#include "disk.h"
#include "tag.h"
#include "trace.h"
#include "window.h"

static enum lpar_status to_status(blk_status_t st)
{
	switch (st) {
	case BLK_STS_OK:
		return LPAR_OK;
	case BLK_STS_NOTSUPP:
		return LPAR_NOTSUPP;
	case BLK_STS_TIMEOUT:
		return LPAR_TIMEOUT;
	case BLK_STS_NOSPC:
		return LPAR_NOSPC;
	case BLK_STS_TRANSPORT:
		return LPAR_TRANSPORT;
	case BLK_STS_TARGET:
		return LPAR_TARGET;
	case BLK_STS_MEDIUM:
		return LPAR_MEDIUM;
	case BLK_STS_PROTECTION:
		return LPAR_PROTECTION;
	case BLK_STS_AGAIN:
	case BLK_STS_RESOURCE:
		return LPAR_BUSY;
	default:
		/* named differently in 6.1 and 6.12 */
		return blk_status_to_errno(st) == -EBADE ? LPAR_RESV_CONFLICT :
							   LPAR_IOERR;
	}
}

/* ------------------------------------------------------------ request memory */

/* A queue's own memory. May sleep. Return: 0, -ENOMEM; lpar_blk_queue_free() in any
 * case. */
int lpar_blk_queue_init(struct lpar_queue *q)
{
	u32 i;

	/* the VM's memory cgroup pays */
	q->reqs = kvcalloc(q->depth, sizeof(*q->reqs), GFP_KERNEL_ACCOUNT);
	/* in page mode a segment may touch a page more than its length says */
	q->big_size = q->segs * sizeof(struct lpar_window *) +
		      BIO_MAX_VECS * (sizeof(struct bio_vec) +
				      sizeof(struct page *));
	q->reserve = kvmalloc(q->big_size, GFP_KERNEL_ACCOUNT);
	q->seg_copy = kvcalloc(q->segs, sizeof(*q->seg_copy), GFP_KERNEL_ACCOUNT);
	if (!q->reqs || !q->reserve || !q->seg_copy)
		return -ENOMEM;
	for (i = 0; i < q->depth; i++) {
		q->reqs[i].queue = q;
		q->reqs[i].free.next = q->free;
		q->free = &q->reqs[i].free;
	}
	return 0;
}

void lpar_blk_queue_free(struct lpar_queue *q)
{
	kvfree(q->reqs);
	kvfree(q->reserve);
}

static struct lpar_req *req_get(struct lpar_queue *q)
{
	struct llist_node *n = q->free;

	if (!n)
		n = llist_del_all(&q->freed);
	/* never NULL: there are as many as may be in flight */
	q->free = n->next;
	return container_of(n, struct lpar_req, free);
}

/* Room for the segments of a large request; false when memory is short, and then
 * a completion will make the reserve free. */
static bool req_grow(struct lpar_queue *q, struct lpar_req *r, size_t size)
{
	r->big = kmalloc(size, GFP_NOWAIT | __GFP_NOWARN | __GFP_ACCOUNT);
	if (!r->big) {
		if (test_and_set_bit_lock(0, &q->reserve_used))
			return false;
		r->big = q->reserve;
	}
	return true;
}

/* Any context; the caller still is a user of the queue. */
static void req_put(struct lpar_req *r)
{
	struct lpar_queue *q = r->queue;
	u16 i;

	for (i = 0; i < r->nwins; i++)
		lpar_window_put(r->wins[i]);
	if (unlikely(r->big)) {
		if (r->big == q->reserve)
			clear_bit_unlock(0, &q->reserve_used);
		else
			kfree(r->big);
		r->big = NULL;
	}
	r->guest = NULL;
	r->nwins = 0;
	llist_add(&r->free, &q->freed);
}

/* Copy mode: what was read goes to the guest's pages, the host's are freed. */
static void req_copy_back(struct lpar_req *r, bool read)
{
	struct bio *bio = &r->bio;
	unsigned int i;

	for (i = 0; i < bio->bi_vcnt; i++) {
		struct bio_vec *v = &bio->bi_io_vec[i];

		if (read)
			memcpy_page(r->guest[i], v->bv_offset, v->bv_page,
				    v->bv_offset, v->bv_len);
		__free_page(v->bv_page);
	}
}

/* ---------------------------------------------------------------- completion */

/* Has the device just lost its queues for polling, or been given a table with which it may wait? */
static bool changed_meanwhile(const struct lpar_req *r)
{
	return (r->polled && !lpar_blk_polls(r->queue)) ||
	       (r->bio.bi_opf & REQ_NOWAIT && !bdev_nowait(lpar_disk_of(r->queue->fn)->bdev));
}

/*
 * Interrupt or softirq: work that cannot be donated, so it is short and counted; or
 * the server, which looks for completions or whose device has none to wait for.
 * A request that the adapter had no room for comes back at once, while it is
 * being submitted, and stays in the client's queue. So does one that the device could take
 * as it is until just now.
 */
static void end_io(struct bio *bio)
{
	struct lpar_req *r = container_of(bio, struct lpar_req, bio);
	struct lpar_queue *q = r->queue;
	u64 began = lpar_queue_serves(q) ? 0 : local_clock();
	enum lpar_status st = to_status(bio->bi_status);
	u32 bytes = st == LPAR_OK ? r->bytes : 0;
	u64 taken = r->taken;
	u16 id = r->id;
	u8 op = r->op;

	if (r->polled)
		atomic_dec(&q->polled);
	if ((bio->bi_status == BLK_STS_AGAIN ||
	     (bio->bi_status == BLK_STS_NOTSUPP && changed_meanwhile(r))) &&
	    cmpxchg(&r->phase, LPAR_PHASE_SUBMITTING, LPAR_PHASE_AGAIN) ==
		    LPAR_PHASE_SUBMITTING)
		return;
	if (r->guest)
		req_copy_back(r, st == LPAR_OK && bio_op(bio) == REQ_OP_READ);
	bio_uninit(bio);
	req_put(r);
	/* the client may use the memory from here on */
	lpar_queue_complete(q, id, st, bytes, began, op, taken);
	lpar_queue_put(q);
}

/* -------------------------------------------------------------------- polling */

/* Does the client want its completions looked for, and can they be? Any context; the
 * caller is a user of the queue. */
bool lpar_blk_polls(struct lpar_queue *q)
{
	struct request_queue *rq;
	bool polls;

	if (!READ_ONCE(q->ctrl->poll_us))
		return false;
	rq = bdev_get_queue(lpar_disk_of(q->fn)->bdev);
	/* where bios are handed on, each knows by itself where to look; the tags of a
	 * device that has gone may have gone with it */
	if (!queue_is_mq(rq) || !lpar_compat_polls(rq) ||
	    !percpu_ref_tryget(&rq->q_usage_counter))
		return false;
	polls = rq->tag_set->map[HCTX_TYPE_POLL].nr_queues;
	percpu_ref_put(&rq->q_usage_counter);
	return polls;
}

/**
 * lpar_blk_poll - look once for completions that the adapter does not interrupt for
 * @q: has such requests in it; whatever else is there ends as well, whose it may be
 *
 * All of the adapter's queues for that are looked at: this thread may have been on
 * another CPU when it submitted.
 *
 * Context: a user of the queue; does not sleep.
 */
void lpar_blk_poll(struct lpar_queue *q)
{
	struct block_device *bdev = lpar_disk_of(q->fn)->bdev;
	struct request_queue *rq = bdev_get_queue(bdev);
	struct bio bio = { .bi_bdev = bdev };
	struct blk_mq_queue_map *map;
	DEFINE_IO_COMP_BATCH(iob);
	unsigned int i;

	/* the number of queues does not change meanwhile */
	if (!percpu_ref_tryget(&rq->q_usage_counter))
		return;
	map = &rq->tag_set->map[HCTX_TYPE_POLL];
	for (i = 0; i < map->nr_queues; i++)
		lpar_compat_poll(&bio, map->queue_offset + i, &iob);
	percpu_ref_put(&rq->q_usage_counter);
	if (iob.complete)
		iob.complete(&iob);
}

/* ---------------------------------------------------------------- submission */

static blk_opf_t to_opf(const struct lpar_blk_request *b)
{
	switch (b->op) {
	case LPAR_BLK_READ:
		return REQ_OP_READ;
	case LPAR_BLK_WRITE:
		/* like direct I/O of the host's own: not to be throttled as
		 * background write-back is, which would sleep */
		return REQ_OP_WRITE | REQ_SYNC | REQ_IDLE |
		       (b->flags & LPAR_BLK_FUA ? REQ_FUA : 0);
	case LPAR_BLK_FLUSH:
		return REQ_OP_WRITE | REQ_PREFLUSH | REQ_SYNC;
	case LPAR_BLK_DISCARD:
		return REQ_OP_DISCARD;
	default:
		return REQ_OP_WRITE_ZEROES |
		       (b->flags & LPAR_BLK_NOUNMAP ? REQ_NOUNMAP : 0);
	}
}

/* Copy mode: pages of the host's own in place of the guest's. */
static bool add_copies(struct lpar_req *r, struct lpar_window *w,
		       unsigned int offset, unsigned int len, u64 *copied)
{
	struct bio *bio = &r->bio;

	while (len) {
		struct page *guest = lpar_window_page(w, offset), *page;
		unsigned int in = offset_in_page(offset);
		unsigned int n = min_t(unsigned int, len, PAGE_SIZE - in);

		if (bio->bi_vcnt == bio->bi_max_vecs)
			return false;
		page = alloc_page(GFP_NOIO | __GFP_ACCOUNT);
		if (!page)
			return false;
		if (op_is_write(bio_op(bio)))
			memcpy_page(page, in, guest, in, n);
		r->guest[bio->bi_vcnt] = guest;
		__bio_add_page(bio, page, n, in);
		*copied += n;
		offset += n;
		len -= n;
	}
	return true;
}

/* Pages of one segment as they are; contiguous ones together. */
static bool add_real(struct bio *bio, struct lpar_window *w, unsigned int offset,
		      unsigned int len, u64 *maps)
{
	while (len) {
		struct page *page = lpar_window_page(w, offset);
		unsigned int in = offset_in_page(offset);
		unsigned int n = min_t(unsigned int, len, PAGE_SIZE - in);

		while (n < len &&
		       lpar_window_page(w, offset + n) ==
			       page + ((in + n) >> PAGE_SHIFT))
			n += min_t(unsigned int, len - n, PAGE_SIZE);
		if (bio->bi_vcnt == bio->bi_max_vecs)
			return false;
		__bio_add_page(bio, page, n, in);
		*maps += DIV_ROUND_UP(in + n, PAGE_SIZE);
		offset += n;
		len -= n;
	}
	return true;
}

static enum lpar_status add_segs(struct lpar_queue *q, struct lpar_req *r,
				 const struct lpar_seg *segs, u16 nsegs)
{
	struct lpar_disk *d = lpar_disk_of(q->fn);
	struct lpar_window *w = NULL;
	u64 addr, last = U64_MAX;
	u16 i;

	for (i = 0; i < nsegs; i++) {
		unsigned int len = le32_to_cpu(segs[i].len);
		unsigned int offset;

		addr = le64_to_cpu(segs[i].addr);
		offset = addr & (LPAR_WINDOW_SIZE - 1);
		if (addr >> LPAR_WINDOW_SHIFT != last) {
			w = lpar_window_get(q->client, addr);
			if (!w)
				return LPAR_NOWINDOW;
			r->wins[r->nwins++] = w;
			last = addr >> LPAR_WINDOW_SHIFT;
		}
		if (unlikely(!lpar_window_covers(w, offset, len)))
			return LPAR_FAULT;

		if (d->fn.mode == LPAR_MODE_TAG) {
			int block = lpar_fn_block(&d->fn, w);

			if (block < 0)
				return LPAR_NOWINDOW;
			__bio_add_page(&r->bio,
				       lpar_tag_page(block,
						     offset >> PAGE_SHIFT),
				       len, offset_in_page(offset));
			q->stats.tag_maps++;
		} else if (d->fn.mode == LPAR_MODE_COPY) {
			if (!add_copies(r, w, offset, len,
					&q->stats.bytes_copied))
				return LPAR_NOMEM;
		} else if (!add_real(&r->bio, w, offset, len,
				     &q->stats.page_maps)) {
			return LPAR_INVAL;
		}
	}
	return LPAR_OK;
}

/* What the block layer takes without a split now, wherever it starts. */
static u64 transfer_max(struct block_device *bdev)
{
	return ((u64)queue_max_sectors(bdev_get_queue(bdev)) << SECTOR_SHIFT) -
	       (bdev_physical_block_size(bdev) - bdev_logical_block_size(bdev));
}

/* Is a request submitted without waiting? One that has to be split cannot be; and what is below a
 * volume may be md's raid5, which loses a discard that must not wait. */
static bool submits_at_once(const struct lpar_disk *d, const struct lpar_req *r, u8 op, u16 nsegs)
{
	if (!READ_ONCE(d->fn.nowait) || !bdev_nowait(d->bdev))
		return false;
	if (op == LPAR_BLK_DISCARD && !queue_is_mq(bdev_get_queue(d->bdev)))
		return false;
	return !nsegs || r->bytes <= transfer_max(d->bdev);
}

/* Vectors that the segments may need where each page is one of its own. */
static unsigned int pages_touched(const struct lpar_seg *segs, u16 nsegs)
{
	unsigned int n = 0;
	u16 i;

	for (i = 0; i < nsegs; i++)
		n += DIV_ROUND_UP(offset_in_page(le64_to_cpu(segs[i].addr)) +
				  le32_to_cpu(segs[i].len), PAGE_SIZE);
	return n;
}

/* A request that is refused ends at once; it counts as donated work. */
static enum lpar_take refuse(struct lpar_queue *q, u16 id, enum lpar_status st)
{
	q->stats.refused++;
	lpar_queue_complete(q, id, st, 0, 0, 0, 0);
	return LPAR_TAKE_DONE;
}

/**
 * lpar_blk_start - take one request (seed 004, fig. 7, steps 720-730)
 * @q: the queue that it stands in
 * @lim: the disk's limits, as they were when the dispatch began
 * @sqe: a private copy
 *
 * Context: the queue's server only (LPAR_Q_SERVING is held); may sleep.
 * Return: LPAR_TAKE_DONE: it ends, now or later, by lpar_queue_complete();
 * LPAR_TAKE_FULL: the adapter has no room, the request stays in the client's queue,
 * and nothing has happened.
 */
enum lpar_take lpar_blk_start(struct lpar_queue *q,
			      const struct lpar_disk_limits *lim,
			      const struct lpar_blk_sqe *sqe)
{
	struct lpar_disk *d = lpar_disk_of(q->fn);
	u16 nsegs = le16_to_cpu(sqe->nsegs);
	const struct lpar_seg *segs = sqe->seg;
	struct bio_vec *bvecs;
	struct lpar_blk_request b;
	struct lpar_req *r;
	enum lpar_status st;
	unsigned int vecs;
	blk_opf_t opf;

	if (unlikely(READ_ONCE(d->fn.dead)))
		return refuse(q, le16_to_cpu(sqe->id), LPAR_GONE);
	if (nsegs > LPAR_SQE_SEGS) {
		if (nsegs > q->segs)
			return refuse(q, le16_to_cpu(sqe->id), LPAR_INVAL);
		lpar_copy_once(q->seg_copy,
			       &q->seg_table[(q->sq_head & (q->depth - 1)) *
					     q->segs],
			       nsegs * sizeof(*q->seg_copy));
		segs = q->seg_copy;
	}
	st = lpar_core_request(sqe, segs, lim, &b);
	if (st != LPAR_OK)
		return refuse(q, b.id, st);

	r = req_get(q);
	r->id = b.id;
	r->op = b.op;
	r->taken = trace_lpar_completion_enabled() ? local_clock() : 0;
	r->bytes = b.nsectors << SECTOR_SHIFT;
	r->wins = r->inline_wins;
	bvecs = r->inline_bvecs;
	vecs = d->fn.mode == LPAR_MODE_TAG ? b.nsegs : pages_touched(segs, b.nsegs);
	if (vecs > BIO_MAX_VECS) {
		req_put(r);
		return refuse(q, b.id, LPAR_INVAL);
	}
	if (vecs > LPAR_REQ_INLINE || (vecs && d->fn.mode == LPAR_MODE_COPY)) {
		if (!req_grow(q, r, b.nsegs * sizeof(*r->wins) +
				    vecs * (sizeof(*bvecs) + sizeof(*r->guest))))
			goto again;
		r->wins = r->big;
		bvecs = r->big + b.nsegs * sizeof(*r->wins);
		if (d->fn.mode == LPAR_MODE_COPY)
			r->guest = (void *)(bvecs + vecs);
	}

	opf = to_opf(&b);
	/* adjacent tags need not be adjacent for the adapter: never merged */
	if (b.nsegs)
		opf |= REQ_NOMERGE;
	if (submits_at_once(d, r, b.op, b.nsegs))
		opf |= REQ_NOWAIT;
	/* what may wait would wait for completions that nobody looks for */
	r->polled = q->polls && b.nsegs && opf & REQ_NOWAIT && !(opf & REQ_FUA);
	if (r->polled)
		opf |= REQ_POLLED;
	bio_init(&r->bio, d->bdev, vecs ? bvecs : NULL, vecs, opf);
	r->bio.bi_iter.bi_sector = d->first + b.sector;
	r->bio.bi_end_io = end_io;
	if (b.nsegs) {
		st = add_segs(q, r, segs, b.nsegs);
		if (st != LPAR_OK) {
			if (r->guest)
				req_copy_back(r, false);
			bio_uninit(&r->bio);
			req_put(r);
			return refuse(q, b.id, st);
		}
	} else {
		r->bio.bi_iter.bi_size = r->bytes;
	}

	if (r->polled)
		lpar_queue_polled(q);
	r->phase = LPAR_PHASE_SUBMITTING;
	refcount_inc(&q->users.n);	/* ours is held: not zero */
	submit_bio(&r->bio);
	/* Completed requests are free already, but only we take free ones, so r
	 * is still what it was. */
	if (likely(cmpxchg(&r->phase, LPAR_PHASE_SUBMITTING,
			   LPAR_PHASE_SUBMITTED) == LPAR_PHASE_SUBMITTING))
		return LPAR_TAKE_DONE;
	if (r->guest)
		req_copy_back(r, false);
	bio_uninit(&r->bio);
	lpar_queue_put(q);
again:
	req_put(r);
	return LPAR_TAKE_FULL;
}
