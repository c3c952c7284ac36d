/* SPDX-License-Identifier: GPL-2.0 */
/* Block requests on their way to the host and back. */
#ifndef LPAR_GUEST_BLK_H
#define LPAR_GUEST_BLK_H

#include "compat.h"
#include "queue.h"

struct lpar_window;

/**
 * struct lpar_request - our part of a struct request
 *
 * At any time it belongs to one place, which alone may end it or pass it on:
 * the function that handles it, lpar_windows.parked, lpar_queue.staged, or
 * lpar_queue.reqs.
 *
 * @node:     lpar_windows.parked, lpar_queue.staged, or a list of completed ones
 * @queue:    of its hardware context
 * @result:   enum lpar_status as the host gave it, not validated
 * @status:   what it ends with
 * @op:       enum lpar_blk_op
 * @flags:    LPAR_BLK_*
 * @cls:      enum lpar_class
 * @urgent:   somebody waits for just this one
 * @parked:   it is in lpar_windows.parked
 * @late:     times in a row that it timed out and nothing had got on
 * @seen:     how far what it waits for was when it timed out: lpar_windows.served
 *            or lpar_ring_progress()
 * @revoked:  times that the host took a window back under it
 * @again:    times that the host was short of something when it took it
 * @unmapped: times in a row that it had no memory for a window
 * @bytes:    that @segs cover: all of the request, or its first part
 * @nsegs:    of @segs
 * @nwindows: of @windows, each of which it is a user of
 * @segs:     as they go over the wire
 * @windows:  that the segments lie in
 */
struct lpar_request {
	struct list_head node;
	struct lpar_queue *queue;
	u32 result;
	blk_status_t status;
	u8 op;
	u8 flags;
	u8 cls;
	bool urgent;
	bool parked;
	u8 revoked;
	u32 late;
	u32 seen;
	u16 again;
	u16 unmapped;
	u32 bytes;
	u16 nsegs;
	u16 nwindows;
	struct lpar_seg *segs;
	struct lpar_window **windows;
};

extern const struct blk_mq_ops lpar_blk_ops;

unsigned int lpar_blk_pdu_size(u32 segs);
void lpar_blk_finish(struct lpar_device *dev, struct list_head *done);
void lpar_blk_end(struct lpar_device *dev, struct lpar_request *req,
		  blk_status_t status);

#endif
