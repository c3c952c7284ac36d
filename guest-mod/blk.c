// SPDX-License-Identifier: GPL-2.0
/*
 * Block requests: from the block layer to a queue, and to their end.
 */
#include <linux/ioprio.h>
#include <linux/moduleparam.h>

#include "blk.h"
#include "disk.h"
#include "window.h"

/* A host that takes a window back more often makes no progress. */
#define BLK_REVOKED_MAX	3
/* A host that is short of something is asked again, for half a minute. */
#define BLK_AGAIN_MS	10
#define BLK_AGAIN_MAX	3000
/* Time-outs (of the block layer, 30 s) in a row until a host counts as broken that
 * serves nothing, though it has nothing to wait for. */
#define BLK_LATE_MAX	3

static blk_status_t blk_status(u32 status)
{
	switch (status) {
	case LPAR_OK:
		return BLK_STS_OK;
	case LPAR_NOSYS:
	case LPAR_NOTSUPP:
		return BLK_STS_NOTSUPP;
	case LPAR_QUOTA:
	case LPAR_NOMEM:
	case LPAR_BUSY:
		return BLK_STS_RESOURCE;
	case LPAR_GONE:
	case LPAR_NOENT:
		return BLK_STS_OFFLINE;
	case LPAR_TIMEOUT:
		return BLK_STS_TIMEOUT;
	case LPAR_NOSPC:
		return BLK_STS_NOSPC;
	case LPAR_TRANSPORT:
		return BLK_STS_TRANSPORT;
	case LPAR_TARGET:
		return BLK_STS_TARGET;
	case LPAR_RESV_CONFLICT:
		return BLK_STS_RESV_CONFLICT;
	case LPAR_MEDIUM:
		return BLK_STS_MEDIUM;
	case LPAR_PROTECTION:
		return BLK_STS_PROTECTION;
	case LPAR_IOERR:
	case LPAR_READONLY:
	case LPAR_INVAL:
	case LPAR_VERSION:
	case LPAR_STATE:
	case LPAR_FAULT:
	case LPAR_NOWINDOW:
	case LPAR_RANGE:
	default:
		return BLK_STS_IOERR;
	}
}

/* The ioprio where it says more than the default does, else what the submitter does. */
static enum lpar_class blk_class(struct request *rq)
{
	switch (IOPRIO_PRIO_CLASS(req_get_ioprio(rq))) {
	case IOPRIO_CLASS_RT:
		return LPAR_CLASS_SYNC;
	case IOPRIO_CLASS_IDLE:
		return LPAR_CLASS_BACKGROUND;
	default:
		break;
	}
	if (op_is_sync(rq->cmd_flags))
		return LPAR_CLASS_SYNC;
	return rq->cmd_flags & REQ_BACKGROUND ? LPAR_CLASS_BACKGROUND :
						LPAR_CLASS_NORMAL;
}

/* What the request asks for, in the wire's words. */
static blk_status_t blk_translate(struct request *rq, struct lpar_request *req)
{
	req->flags = 0;
	req->cls = blk_class(rq);
	req->urgent = rq->cmd_flags & (REQ_FUA | REQ_PREFLUSH);
	req->parked = false;
	req->late = 0;
	req->revoked = 0;
	req->bytes = blk_rq_bytes(rq);
	req->nsegs = 0;
	req->nwindows = 0;
	req->unmapped = 0;
	if (!(rq->rq_flags & RQF_DONTPREP))
		req->again = 0;

	switch (req_op(rq)) {
	case REQ_OP_READ:
		req->op = LPAR_BLK_READ;
		return BLK_STS_OK;
	case REQ_OP_WRITE:
		req->op = LPAR_BLK_WRITE;
		if (rq->cmd_flags & REQ_FUA)
			req->flags = LPAR_BLK_FUA;
		return BLK_STS_OK;
	case REQ_OP_FLUSH:
		req->op = LPAR_BLK_FLUSH;
		req->urgent = true;
		return BLK_STS_OK;
	case REQ_OP_DISCARD:
		req->op = LPAR_BLK_DISCARD;
		return BLK_STS_OK;
	case REQ_OP_WRITE_ZEROES:
		req->op = LPAR_BLK_WRITE_ZEROES;
		if (rq->cmd_flags & REQ_NOUNMAP)
			req->flags = LPAR_BLK_NOUNMAP;
		return BLK_STS_OK;
	default:
		return BLK_STS_NOTSUPP;
	}
}

static bool blk_has_data(const struct lpar_request *req)
{
	return req->op == LPAR_BLK_READ || req->op == LPAR_BLK_WRITE;
}

static blk_status_t blk_queue_rq(struct blk_mq_hw_ctx *hctx,
				 const struct blk_mq_queue_data *bd)
{
	struct lpar_disk *disk = hctx->queue->queuedata;
	struct lpar_queue *q = hctx->driver_data;
	struct request *rq = bd->rq;
	struct lpar_request *req = blk_mq_rq_to_pdu(rq);
	blk_status_t status;
	int err = 0;

	if (READ_ONCE(disk->dead) || lpar_device_broken(q->dev))
		return BLK_STS_IOERR;
	status = blk_translate(rq, req);
	if (status)
		return status;

	/* From here on it has a deadline, also while it waits for a window. */
	blk_mq_start_request(rq);
	if (blk_has_data(req))
		err = lpar_window_resolve(q->dev, req);
	if (err == -EAGAIN && lpar_window_park(q->dev, req)) {
		if (bd->last)
			lpar_ring_commit(q);
		return BLK_STS_OK;
	}
	if (!err && lpar_ring_submit(q, req, bd->last))
		return BLK_STS_OK;

	lpar_window_release(q->dev, req, false);
	return BLK_STS_IOERR;
}

static void blk_commit_rqs(struct blk_mq_hw_ctx *hctx)
{
	lpar_ring_commit(hctx->driver_data);
}

static void blk_complete(struct request *rq)
{
	struct lpar_request *req = blk_mq_rq_to_pdu(rq);

	if (req->status == BLK_STS_RESOURCE && req->again < BLK_AGAIN_MAX) {
		/* The flag keeps the count, and others from merging with it. */
		rq->rq_flags |= RQF_DONTPREP;
		req->again++;
		blk_mq_requeue_request(rq, false);
		blk_mq_delay_kick_requeue_list(rq->q, BLK_AGAIN_MS);
		return;
	}
	blk_mq_end_request(rq, req->status);
}

/*
 * A request has timed out: req->late is how often in a row without anything having
 * got on. One that waits for windows which other requests use is not to blame: those
 * have their own deadlines.
 */
static void blk_count_late(struct lpar_request *req)
{
	struct lpar_windows *windows = &req->queue->dev->windows;
	bool parked = READ_ONCE(req->parked), got_on;
	u32 seen;

	seen = parked ? READ_ONCE(windows->served) : lpar_ring_progress(req->queue);
	got_on = seen != req->seen || (parked && READ_ONCE(windows->waits));
	req->seen = seen;
	req->late = got_on ? 0 : req->late + 1;
}

/*
 * A completion, an interrupt or a doorbell may have been lost: look, ring, and give
 * it one more period. What the host has is in its adapter: that has a driver with
 * time-outs of its own, a reset would wait for it as well, and all else that the
 * guest has of this host would be lost. So it is reported and waited for, unless all
 * of that goes anyway. A host that takes nothing is reset in the end, and the sweep
 * ends the request: it is never ended here.
 */
static enum blk_eh_timer_return blk_timeout(struct request *rq)
{
	struct lpar_request *req = blk_mq_rq_to_pdu(rq);
	struct lpar_queue *q = req->queue;
	struct lpar_disk *disk = rq->q->queuedata;
	bool taken;

	lpar_ring_poll(q);
	if (blk_mq_rq_state(rq) != MQ_RQ_IN_FLIGHT)
		return BLK_EH_DONE;
	/* Other work of this guest goes first: as its administrator wants it. */
	if (lpar_ring_waits(q)) {
		dev_warn_ratelimited(&q->dev->pdev->dev, "%s: queue %u: requests wait for its thread to run\n",
				     disk->gendisk->disk_name, q->number);
		return BLK_EH_RESET_TIMER;
	}
	blk_count_late(req);
	taken = !READ_ONCE(req->parked) && lpar_ring_taken(q);
	if (req->late)
		dev_warn_ratelimited(&q->dev->pdev->dev, "%s: queue %u: the host %s for %u s\n",
				     disk->gendisk->disk_name, q->number,
				     taken ? "has waited for its adapter" : "has served nothing",
				     req->late * (jiffies_to_msecs(rq->q->rq_timeout) / 1000));
	if ((taken && !READ_ONCE(q->dev->leaving)) || req->late < BLK_LATE_MAX) {
		lpar_ring_nudge(q);
		lpar_window_kick(q->dev);
		return BLK_EH_RESET_TIMER;
	}
	lpar_main_break(q->dev, "%s: request %d on queue %u got no answer",
			disk->gendisk->disk_name, rq->tag, q->number);
	/* Until the reset is acknowledged the adapter may use its memory. */
	return BLK_EH_RESET_TIMER;
}

static int blk_poll(struct blk_mq_hw_ctx *hctx, struct io_comp_batch *iob)
{
	return lpar_ring_poll(hctx->driver_data);
}

/* Each type has its queues one behind the other; the default type comes first. */
static void blk_map_queues(struct blk_mq_tag_set *set)
{
	struct lpar_disk *disk = set->driver_data;

	set->map[HCTX_TYPE_DEFAULT].nr_queues = disk->nr_queues - disk->nr_polled;
	set->map[HCTX_TYPE_DEFAULT].queue_offset = 0;
	blk_mq_map_queues(&set->map[HCTX_TYPE_DEFAULT]);
	if (!disk->nr_polled)
		return;
	set->map[HCTX_TYPE_READ].nr_queues = 0;
	set->map[HCTX_TYPE_POLL].nr_queues = disk->nr_polled;
	set->map[HCTX_TYPE_POLL].queue_offset = disk->nr_queues - disk->nr_polled;
	blk_mq_map_queues(&set->map[HCTX_TYPE_POLL]);
}

static int blk_init_hctx(struct blk_mq_hw_ctx *hctx, void *data,
			 unsigned int index)
{
	struct lpar_disk *disk = data;

	hctx->driver_data = disk->queues[index];
	return 0;
}

static int blk_init_request(struct blk_mq_tag_set *set, struct request *rq,
			    unsigned int index, lpar_compat_node_t node)
{
	struct lpar_request *req = blk_mq_rq_to_pdu(rq);
	struct lpar_disk *disk = set->driver_data;

	req->queue = disk->queues[index];
	req->segs = (void *)(req + 1);
	req->windows = (void *)(req->segs + req->queue->segs);
	return 0;
}

const struct blk_mq_ops lpar_blk_ops = {
	.queue_rq	= blk_queue_rq,
	.commit_rqs	= blk_commit_rqs,
	.complete	= blk_complete,
	.timeout	= blk_timeout,
	.poll		= blk_poll,
	.map_queues	= blk_map_queues,
	.init_hctx	= blk_init_hctx,
	.init_request	= blk_init_request,
};

/**
 * lpar_blk_pdu_size - how large our part of a request is
 * @segs: segments of a request, at most
 *
 * Return: bytes.
 */
unsigned int lpar_blk_pdu_size(u32 segs)
{
	return sizeof(struct lpar_request) +
	       segs * (sizeof(struct lpar_seg) + sizeof(struct lpar_window *));
}

/**
 * lpar_blk_end - end a request that belongs to the caller
 * @dev:    the device
 * @req:    started, in no list
 * @status: what it ends with
 *
 * Any context.
 */
void lpar_blk_end(struct lpar_device *dev, struct lpar_request *req,
		  blk_status_t status)
{
	lpar_window_release(dev, req, false);
	req->status = status;
	blk_mq_complete_request(blk_mq_rq_from_pdu(req));
}

/* The host took a window back before the adapter saw the request: once more. */
static bool blk_retry(struct lpar_device *dev, struct lpar_request *req)
{
	if (req->result != LPAR_NOWINDOW || !blk_has_data(req))
		return false;
	if (req->revoked == BLK_REVOKED_MAX)
		return false;
	req->revoked++;
	lpar_window_release(dev, req, true);
	return lpar_window_park(dev, req);
}

/* A part is done: the rest of the request goes on. */
static bool blk_continue(struct lpar_device *dev, struct lpar_request *req)
{
	struct request *rq = blk_mq_rq_from_pdu(req);

	if (req->result != LPAR_OK || req->bytes >= blk_rq_bytes(rq))
		return false;
	blk_update_request(rq, BLK_STS_OK, req->bytes);
	lpar_window_release(dev, req, false);
	if (lpar_window_park(dev, req))
		return true;
	req->result = LPAR_IOERR;
	return false;
}

/**
 * lpar_blk_finish - pass on what the host has completed
 * @dev:  the device
 * @done: requests (lpar_request.node) with their result; empty afterwards
 *
 * Any context. What needs no more than its end is given to the block layer as one
 * batch: an interrupt is for many requests.
 */
void lpar_blk_finish(struct lpar_device *dev, struct list_head *done)
{
	struct lpar_request *req, *next;
	DEFINE_IO_COMP_BATCH(iob);
	struct request *rq;

	list_for_each_entry_safe(req, next, done, node) {
		list_del(&req->node);
		if (blk_retry(dev, req) || blk_continue(dev, req))
			continue;
		lpar_window_release(dev, req, false);
		req->status = blk_status(req->result);
		rq = blk_mq_rq_from_pdu(req);
		if (blk_mq_complete_request_remote(rq))
			continue;
		if (req->status ||
		    !blk_mq_add_to_batch(rq, &iob, 0, blk_mq_end_request_batch))
			blk_complete(rq);
	}
	if (iob.complete)
		iob.complete(&iob);
}
