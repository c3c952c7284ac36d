// SPDX-License-Identifier: GPL-2.0
/*
 * Windows: which guest memory the host has mapped, and making it map more.
 *
 * The I/O path looks windows up without a lock and never sleeps. A request that
 * misses one is parked; the work item below maps what is missing and passes the
 * request on. It alone changes the tables, and it alone holds windows for a
 * request that does not have all of them yet: so nobody waits in a circle.
 *
 * A window's users are requests on their way. The host gives the slot of a window
 * to another one only after our UNMAP, and that is called only without users, so
 * an address that is in use never means other memory.
 */
#include <linux/dev_printk.h>
#include <linux/rcupdate.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>

#include "blk.h"
#include "channel.h"
#include "net.h"
#include "window.h"

/* What is to be written so that memory comes free may wait for this; and it is tried again. */
#define WINDOW_GFP	(GFP_NOIO | __GFP_MEMALLOC | __GFP_NORETRY | __GFP_NOWARN)
#define WINDOW_DEAD	INT_MIN	/* lpar_window.users of one being unmapped */
#define WINDOW_RETRY_MS	10	/* until the host is asked again after BUSY */
#define WINDOW_NOMEM_MAX 100	/* times that one without memory is asked again */

/**
 * struct lpar_window - guest memory that the host has mapped; freed by RCU
 * @next:       another window of the same 2 MiB chunk
 * @clock:      lpar_windows.clock
 * @gpa:        guest address
 * @logical:    logical I/O address
 * @len:        bytes
 * @users:      requests that use it, or WINDOW_DEAD
 * @posted:     of @users, buffers that wait for frames: they do not end by themselves
 * @referenced: used since the eviction's hand passed
 * @revoked:    the host has taken it back; to be unmapped, not to be used
 * @rcu:        for lookups
 */
struct lpar_window {
	struct lpar_window __rcu *next;
	struct list_head clock;
	u64 gpa;
	u64 logical;
	u32 len;
	atomic_t users;
	atomic_t posted;
	bool referenced;
	bool revoked;
	struct rcu_head rcu;
};

static bool window_contains(const struct lpar_window *window, u64 gpa)
{
	return gpa - window->gpa < window->len;
}

/* Become a user of the live window at @gpa. Any context. */
static struct lpar_window *window_get(struct lpar_windows *windows, u64 gpa)
{
	struct lpar_window *window;

	rcu_read_lock();
	window = xa_load(&windows->chunks, gpa >> LPAR_WINDOW_SHIFT);
	while (window && !window_contains(window, gpa))
		window = rcu_dereference(window->next);
	if (window && (READ_ONCE(window->revoked) ||
		       !atomic_inc_unless_negative(&window->users)))
		window = NULL;
	if (window && !READ_ONCE(window->referenced))
		WRITE_ONCE(window->referenced, true);
	rcu_read_unlock();
	return window;
}

/* @mapping: it is the work item that lets go, which looks again by itself. */
static void window_put(struct lpar_device *dev, struct lpar_window *window,
		       bool mapping)
{
	/* Without users the work item may free it: hence the read side. */
	rcu_read_lock();
	/*
	 * Order the count before looking at who waits for it. Pairs with the
	 * smp_mb() in window_evict() and window_map().
	 */
	if (!atomic_dec_return(&window->users) &&
	    ((READ_ONCE(dev->windows.starved) && !mapping) ||
	     READ_ONCE(window->revoked)))
		lpar_window_kick(dev);
	rcu_read_unlock();
}

static void window_release(struct lpar_device *dev, struct lpar_request *req,
			   bool mapping)
{
	u32 i;

	for (i = 0; i < req->nwindows; i++)
		window_put(dev, req->windows[i], mapping);
	req->nwindows = 0;
	req->nsegs = 0;
}

/* Append a piece of memory, as one segment with the one before where it may. */
static int window_append(struct lpar_request *req, u64 addr, u32 len,
			 u32 max_len)
{
	struct lpar_window *window = req->windows[req->nwindows - 1];
	struct lpar_seg *seg;
	u64 start;
	u32 have;

	if (req->nsegs) {
		seg = &req->segs[req->nsegs - 1];
		start = le64_to_cpu(seg->addr);
		have = le32_to_cpu(seg->len);
		if (start + have == addr && start >= window->logical &&
		    have + len <= max_len) {
			seg->len = cpu_to_le32(have + len);
			req->bytes += len;
			return 0;
		}
	}
	if (req->nsegs == req->queue->segs)
		return -EMSGSIZE;
	req->segs[req->nsegs++] = (struct lpar_seg){
		.addr = cpu_to_le64(addr),
		.len = cpu_to_le32(len),
	};
	req->bytes += len;
	return 0;
}

static struct lpar_window *window_map(struct lpar_device *dev,
				      struct lpar_request *req, bool posts, u64 gpa);

/* The window at @gpa, which the request then uses. */
static struct lpar_window *window_use(struct lpar_device *dev,
				      struct lpar_request *req, u64 gpa,
				      bool may_map)
{
	struct lpar_window *window;

	if (req->nwindows) {
		window = req->windows[req->nwindows - 1];
		if (window_contains(window, gpa))
			return window;
	}
	if (req->nwindows == req->queue->segs)
		return ERR_PTR(-EMSGSIZE);
	window = window_get(&dev->windows, gpa);
	if (!window)
		window = may_map ? window_map(dev, req, false, gpa) : ERR_PTR(-EAGAIN);
	if (!IS_ERR(window))
		req->windows[req->nwindows++] = window;
	return window;
}

/*
 * Turn the request's memory into segments. A piece ends where the block layer
 * counted one to end (it knows the segment size and the windows' alignment), or
 * where a window does: memory that is contiguous for the guest need not be so
 * for the host.
 *
 * A request that needs more segments or windows than there can be goes in parts,
 * this being the first of them (lpar_request.bytes).
 */
static int window_fill(struct lpar_device *dev, struct lpar_request *req,
		       bool may_map)
{
	struct request *rq = blk_mq_rq_from_pdu(req);
	u32 max_len = queue_max_segment_size(rq->q);
	struct lpar_window *window;
	struct req_iterator iter;
	struct bio_vec bvec;
	u64 gpa, offset;
	u32 left, len;
	int err;

	req->nsegs = 0;
	req->nwindows = 0;
	req->bytes = 0;
	rq_for_each_bvec(bvec, rq, iter) {
		gpa = page_to_phys(bvec.bv_page) + bvec.bv_offset;
		for (left = bvec.bv_len; left; left -= len, gpa += len) {
			window = window_use(dev, req, gpa, may_map);
			if (IS_ERR(window)) {
				err = PTR_ERR(window);
				goto err_release;
			}
			offset = gpa - window->gpa;
			len = min3(left, window->len - (u32)offset, max_len);
			err = window_append(req, window->logical + offset, len,
					    max_len);
			if (err)
				goto err_release;
		}
	}
	return 0;

err_release:
	if ((err == -ENOSPC || err == -EMSGSIZE) && req->bytes &&
	    !(req->bytes & (queue_logical_block_size(rq->q) - 1)))
		return 0;
	window_release(dev, req, may_map);
	return err;
}

/* The short way for what most requests are: one piece in one window. */
static bool window_fill_one(struct lpar_device *dev, struct lpar_request *req)
{
	struct request *rq = blk_mq_rq_from_pdu(req);
	struct lpar_window *window;
	struct bio_vec bvec;
	u64 gpa, offset;

	if (blk_rq_nr_phys_segments(rq) != 1)
		return false;
	bvec = req_bvec(rq);
	if (bvec.bv_len != blk_rq_bytes(rq) ||
	    bvec.bv_len > queue_max_segment_size(rq->q))
		return false;
	gpa = page_to_phys(bvec.bv_page) + bvec.bv_offset;
	window = window_get(&dev->windows, gpa);
	if (!window)
		return false;
	offset = gpa - window->gpa;
	if (bvec.bv_len > window->len - offset) {
		window_put(dev, window, false);
		return false;
	}
	req->windows[0] = window;
	req->nwindows = 1;
	req->segs[0] = (struct lpar_seg){
		.addr = cpu_to_le64(window->logical + offset),
		.len = cpu_to_le32(bvec.bv_len),
	};
	req->nsegs = 1;
	req->bytes = bvec.bv_len;
	return true;
}

/* ------------------------------------------- below: the work item only */

static struct lpar_window *window_find(struct lpar_windows *windows, u64 gpa)
{
	struct lpar_window *window;

	window = xa_load(&windows->chunks, gpa >> LPAR_WINDOW_SHIFT);
	while (window && !window_contains(window, gpa))
		window = rcu_dereference_protected(window->next, true);
	return window;
}

static void window_insert(struct lpar_windows *windows,
			  struct lpar_window *window)
{
	unsigned long chunk = window->gpa >> LPAR_WINDOW_SHIFT;

	RCU_INIT_POINTER(window->next, xa_load(&windows->chunks, chunk));
	/* Cannot fail: the entry was reserved. */
	xa_store(&windows->chunks, chunk, window, GFP_NOIO);
	list_add_tail(&window->clock, &windows->clock);
	WRITE_ONCE(windows->count, windows->count + 1);
}

static void window_erase(struct lpar_windows *windows,
			 struct lpar_window *window)
{
	unsigned long chunk = window->gpa >> LPAR_WINDOW_SHIFT;
	struct lpar_window *prev = xa_load(&windows->chunks, chunk);
	struct lpar_window *next = rcu_dereference_protected(window->next, true);

	if (prev != window) {
		while (rcu_access_pointer(prev->next) != window)
			prev = rcu_dereference_protected(prev->next, true);
		rcu_assign_pointer(prev->next, next);
	} else if (next) {
		xa_store(&windows->chunks, chunk, next, GFP_NOIO);
	} else {
		xa_erase(&windows->chunks, chunk);
	}
	list_del(&window->clock);
	WRITE_ONCE(windows->count, windows->count - 1);
	kfree_rcu(window, rcu);
}

/*
 * idle => dead => unmapped, or back to idle where the host still uses it.
 * Return: 0, -EAGAIN (we use it), -EBUSY (the host does) or -EIO (broken).
 */
static int window_unmap(struct lpar_device *dev, struct lpar_window *window)
{
	u64 arg[5] = { window->logical };
	struct lpar_result result;

	if (atomic_cmpxchg(&window->users, 0, WINDOW_DEAD)) {
		/* Buffers in it would stay for as long as no frame comes. */
		if (READ_ONCE(window->revoked) && atomic_read(&window->posted) > 0)
			lpar_net_repost(dev);
		return -EAGAIN;
	}
	if (lpar_channel_call(dev, LPAR_OP_UNMAP, arg, &result, NULL))
		return -EIO;

	switch (result.status) {
	case LPAR_OK:
	case LPAR_NOENT:
		window_erase(&dev->windows, window);
		return 0;
	case LPAR_BUSY:
		atomic_set(&window->users, 0);
		return -EBUSY;
	default:
		lpar_main_break(dev, "unmapping a window gave status %u",
				result.status);
		return -EIO;
	}
}

/*
 * Unmap the window that was used longest ago, roughly (second chance).
 * Return: as window_unmap(); -EAGAIN when none is idle.
 */
static int window_evict(struct lpar_device *dev)
{
	struct lpar_windows *windows = &dev->windows;
	u32 steps = 2 * windows->count;
	struct lpar_window *window;
	int err, result = -EAGAIN;

	/* Order what the caller announced before the counts; see window_put(). */
	smp_mb();
	while (steps--) {
		window = list_first_entry(&windows->clock, struct lpar_window,
					  clock);
		list_move_tail(&window->clock, &windows->clock);
		if (atomic_read(&window->users))
			continue;
		if (READ_ONCE(window->referenced)) {
			WRITE_ONCE(window->referenced, false);
			continue;
		}
		err = window_unmap(dev, window);
		if (!err || err == -EIO)
			return err;
		if (err == -EBUSY)
			result = err;
	}
	return result;
}

static u32 window_count_distinct(const struct lpar_request *req)
{
	u32 count = 0, i, j;

	for (i = 0; i < req->nwindows; i++) {
		for (j = 0; j < i && req->windows[j] != req->windows[i]; j++)
			;
		count += j == i;
	}
	return count;
}

/* Windows that only frames from outside would set free, besides the request's. */
static u32 window_count_posted(struct lpar_windows *windows,
			       const struct lpar_request *req)
{
	u32 count = 0, nwindows = req ? req->nwindows : 0, i;
	struct lpar_window *window;

	list_for_each_entry(window, &windows->clock, clock) {
		for (i = 0; i < nwindows && req->windows[i] != window; i++)
			;
		count += i == nwindows && atomic_read(&window->posted) > 0;
	}
	return count;
}

/* Windows for buffers give way to nobody: a part of all is not for them. */
static bool window_may_post(struct lpar_windows *windows)
{
	return window_count_posted(windows, NULL) < windows->count - windows->count / 4;
}

/*
 * The host maps no more: make room, wait for room, or give up. Frames (no @req)
 * do not keep others from using windows: they are dropped where there is no room.
 */
static int window_make_room(struct lpar_device *dev, struct lpar_request *req,
			    bool posts, u32 status)
{
	struct lpar_windows *windows = &dev->windows;
	int err;

	/* It comes again later: others that wait are not to stand behind it meanwhile. */
	if (posts && !window_may_post(windows))
		return -ENOSPC;
	err = window_evict(dev);
	if (!req)
		return err == -EAGAIN ? -EBUSY : err;
	if (err == -EAGAIN && !windows->starved) {
		/* From here on nobody else starts to use one. */
		WRITE_ONCE(windows->starved, true);
		err = window_evict(dev);
	}
	if (err == -EAGAIN && windows->count == window_count_distinct(req) +
					       window_count_posted(windows, req)) {
		/* With none at all it is the buffers that have them: they come back. */
		if (!req->nwindows && windows->count) {
			lpar_net_repost(dev);
			return -EBUSY;
		}
		/* Nobody here can help a host that is short of memory. */
		if (status == LPAR_NOMEM && req->unmapped++ < WINDOW_NOMEM_MAX)
			return -EBUSY;
		if (status == LPAR_NOMEM)
			dev_warn_ratelimited(&dev->pdev->dev, "a request fails: the host has no memory for a window\n");
		else
			dev_warn_ratelimited(&dev->pdev->dev, "a request needs more than %u windows, which is the partition's limit\n",
					     windows->count);
		return -ENOSPC;
	}
	return err;
}

/* Is what MAP gave a window that contains @gpa, and none that we have? */
static bool window_valid(struct lpar_windows *windows,
			 const struct lpar_window *window, u64 len, u64 gpa)
{
	u64 chunk = gpa >> LPAR_WINDOW_SHIFT;
	struct lpar_window *other;

	if (!len || len > LPAR_WINDOW_SIZE ||
	    ((len | window->gpa | window->logical) & ~PAGE_MASK) ||
	    ((window->logical ^ window->gpa) & (LPAR_WINDOW_SIZE - 1)) ||
	    window->gpa >> LPAR_WINDOW_SHIFT != chunk ||
	    (window->gpa + len - 1) >> LPAR_WINDOW_SHIFT != chunk ||
	    gpa - window->gpa >= len)
		return false;

	other = xa_load(&windows->chunks, chunk);
	while (other && (other->gpa >= window->gpa + len ||
			 window->gpa >= other->gpa + other->len))
		other = rcu_dereference_protected(other->next, true);
	return !other;
}

/*
 * Map the window at @gpa and become its user (seed 004, fig. 7, steps 706-708); for @req, or
 * for a frame, whose buffer @posts it for long.
 * Return: the window, or ERR_PTR: -EAGAIN (some window gets idle first), -EBUSY
 * (ask again later), anything else fails the request.
 */
static struct lpar_window *window_map(struct lpar_device *dev,
				      struct lpar_request *req, bool posts, u64 gpa)
{
	struct lpar_windows *windows = &dev->windows;
	struct lpar_window *window;
	struct lpar_result result;
	u64 arg[5] = { gpa };
	int err;

	/* One that the host revoked must be gone before it makes a new one. */
	window = window_find(windows, gpa);
	if (window) {
		smp_mb();	/* revoked before users; see window_put() */
		err = window_unmap(dev, window);
		if (err)
			return ERR_PTR(err);
	}

	/* Everything that can fail here before anything is made there. */
	window = kzalloc(sizeof(*window), WINDOW_GFP);
	if (!window)
		return ERR_PTR(-EBUSY);
	for (;;) {
		/* making room may have taken another one of this chunk, and the entry with it */
		if (xa_reserve(&windows->chunks, gpa >> LPAR_WINDOW_SHIFT, WINDOW_GFP)) {
			err = -EBUSY;
			goto err_free;
		}
		err = lpar_channel_call(dev, LPAR_OP_MAP, arg, &result, NULL);
		if (err)
			goto err_free;
		if (result.status != LPAR_QUOTA && result.status != LPAR_NOMEM)
			break;
		err = window_make_room(dev, req, posts, result.status);
		if (err)
			goto err_free;
	}
	if (result.status != LPAR_OK) {
		err = lpar_channel_errno(result.status);
		if (err != -EBUSY)
			dev_err_ratelimited(&dev->pdev->dev, "mapping guest memory at %#llx gave status %u\n",
					    gpa, result.status);
		goto err_free;
	}

	window->logical = result.ret[0];
	window->gpa = result.ret[1];
	window->len = result.ret[2];
	window->referenced = true;
	atomic_set(&window->users, 1);
	if (!window_valid(windows, window, result.ret[2], gpa)) {
		lpar_main_break(dev, "mapping %#llx gave %#llx + %#llx at %#llx",
				gpa, result.ret[1], result.ret[2], result.ret[0]);
		err = -EIO;
		goto err_free;
	}
	window_insert(windows, window);
	WRITE_ONCE(windows->served, windows->served + 1);
	return window;

err_free:
	/* does nothing where a window is, or nothing was reserved */
	xa_release(&windows->chunks, gpa >> LPAR_WINDOW_SHIFT);
	kfree(window);
	return ERR_PTR(err);
}

static struct lpar_request *window_unpark(struct lpar_windows *windows)
{
	struct lpar_request *req;

	spin_lock_irq(&windows->park_lock);
	req = list_first_entry_or_null(&windows->parked, struct lpar_request,
				       node);
	if (req) {
		list_del(&req->node);
		WRITE_ONCE(req->parked, false);
	}
	spin_unlock_irq(&windows->park_lock);
	return req;
}

static bool window_park_at(struct lpar_device *dev, struct lpar_request *req,
			   bool first)
{
	struct lpar_windows *windows = &dev->windows;
	unsigned long flags;
	bool broken;

	spin_lock_irqsave(&windows->park_lock, flags);
	broken = lpar_device_broken(dev);
	WRITE_ONCE(req->parked, !broken);
	if (!broken && first)
		list_add(&req->node, &windows->parked);
	else if (!broken)
		list_add_tail(&req->node, &windows->parked);
	spin_unlock_irqrestore(&windows->park_lock, flags);
	return !broken;
}

static bool window_waiter_park(struct lpar_device *dev,
			       struct lpar_window_waiter *waiter)
{
	struct lpar_windows *windows = &dev->windows;
	unsigned long flags;
	bool parked;

	spin_lock_irqsave(&windows->park_lock, flags);
	parked = !waiter->closed && !lpar_device_broken(dev);
	if (parked)
		list_add_tail(&waiter->node, &windows->waiters);
	spin_unlock_irqrestore(&windows->park_lock, flags);
	return parked;
}

static struct lpar_window_waiter *window_waiter_unpark(struct lpar_windows *windows)
{
	struct lpar_window_waiter *waiter;

	spin_lock_irq(&windows->park_lock);
	waiter = list_first_entry_or_null(&windows->waiters,
					  struct lpar_window_waiter, node);
	if (waiter)
		list_del_init(&waiter->node);
	spin_unlock_irq(&windows->park_lock);
	return waiter;
}

/* Map for the first of those who wait for an address alone, after all requests. It may wait
 * for the next address at once: requests, and who waits for this work to end, come first. */
static void window_serve_waiter(struct lpar_device *dev)
{
	struct lpar_window_waiter *waiter = window_waiter_unpark(&dev->windows);
	struct lpar_window *window;
	int err;

	if (!waiter)
		return;
	window = window_get(&dev->windows, waiter->gpa) ?:
		 window_map(dev, NULL, waiter->posts, waiter->gpa);
	err = PTR_ERR_OR_ZERO(window);
	if ((err == -EAGAIN || err == -EBUSY) && waiter->again++ < WINDOW_NOMEM_MAX &&
	    window_waiter_park(dev, waiter)) {
		lpar_queue_reap(dev);
		queue_delayed_work(dev->wq, &dev->windows.work, msecs_to_jiffies(WINDOW_RETRY_MS));
		return;
	}
	waiter->ready(waiter, err);
	if (!err)
		window_put(dev, window, true);
	/* for the next one; that there is none is found soon enough */
	queue_delayed_work(dev->wq, &dev->windows.work, 0);
}

/* Serve the parked requests in their order; stop where the first must wait. */
static void window_work(struct work_struct *work)
{
	struct lpar_device *dev = container_of(to_delayed_work(work),
					       struct lpar_device, windows.work);
	struct lpar_windows *windows = &dev->windows;
	unsigned int noio = memalloc_noio_save();
	struct lpar_request *req;
	bool sent;
	int err;

	/* Before the lists are looked at; see window_kick_new(). */
	WRITE_ONCE(windows->rests, false);
	while ((req = window_unpark(windows))) {
		err = window_fill(dev, req, true);
		WRITE_ONCE(windows->waits, err == -EAGAIN);
		if ((err == -EAGAIN || err == -EBUSY) &&
		    window_park_at(dev, req, true)) {
			/* -EAGAIN: a window's last user kicks us; a polled one has to be found. */
			if (lpar_queue_reap(dev) || err == -EBUSY) {
				WRITE_ONCE(windows->rests, true);
				queue_delayed_work(dev->wq, &windows->work,
						   msecs_to_jiffies(WINDOW_RETRY_MS));
			}
			goto out;
		}
		WRITE_ONCE(windows->starved, false);
		/* From here on it has a deadline of its own. */
		req->late = 0;
		req->unmapped = 0;
		/* Once it is submitted it may end, and its disk go: what frees
		 * the queue waits for the read side, as after .queue_rq. */
		rcu_read_lock();
		sent = !err && lpar_ring_submit(req->queue, req, true);
		rcu_read_unlock();
		WRITE_ONCE(windows->served, windows->served + 1);
		if (!sent)
			lpar_blk_end(dev, req, BLK_STS_IOERR);
		cond_resched();
	}
	window_serve_waiter(dev);
out:
	memalloc_noio_restore(noio);
}

/* ------------------------------------------------------- for other files */

/**
 * lpar_window_init - no windows
 * @dev: the device
 */
void lpar_window_init(struct lpar_device *dev)
{
	struct lpar_windows *windows = &dev->windows;

	xa_init(&windows->chunks);
	INIT_LIST_HEAD(&windows->clock);
	spin_lock_init(&windows->park_lock);
	INIT_LIST_HEAD(&windows->parked);
	INIT_LIST_HEAD(&windows->waiters);
	INIT_DELAYED_WORK(&windows->work, window_work);
}

/**
 * lpar_window_free - forget all windows
 * @dev: without a request on its way, and reset: the host has dropped them
 *
 * May sleep.
 */
void lpar_window_free(struct lpar_device *dev)
{
	struct lpar_windows *windows = &dev->windows;
	struct lpar_window *window, *next;

	cancel_delayed_work_sync(&windows->work);
	list_for_each_entry_safe(window, next, &windows->clock, clock)
		window_erase(windows, window);
	xa_destroy(&windows->chunks);
	windows->starved = false;
	windows->waits = false;
	windows->rests = false;
}

/**
 * lpar_window_resolve - make the segments of a request
 * @dev: the device
 * @req: with a request that carries data
 *
 * Any context. After success the request, or the first part of it, is a user of
 * its windows until lpar_window_release().
 *
 * Return: 0, -EAGAIN (to be parked) or an error to fail it with.
 */
int lpar_window_resolve(struct lpar_device *dev, struct lpar_request *req)
{
	if (READ_ONCE(dev->windows.starved))
		return -EAGAIN;
	return window_fill_one(dev, req) ? 0 : window_fill(dev, req, false);
}

/**
 * lpar_window_release - stop using windows
 * @dev:     the device
 * @req:     request, with or without windows
 * @revoked: the host has taken one of them back (which, it does not say), so
 *           none of them is to be used any more
 *
 * Any context.
 */
void lpar_window_release(struct lpar_device *dev, struct lpar_request *req,
			 bool revoked)
{
	u32 i;

	for (i = 0; revoked && i < req->nwindows; i++)
		WRITE_ONCE(req->windows[i]->revoked, true);
	window_release(dev, req, false);
}

/* Somebody new waits, behind all others: while those rest, nothing comes of a look. That
 * ends before the work looks under the lock that the new one was put there under. */
static void window_kick_new(struct lpar_device *dev)
{
	if (!READ_ONCE(dev->windows.rests))
		lpar_window_kick(dev);
}

/**
 * lpar_window_park - let a request wait until its windows are mapped
 * @dev: the device
 * @req: a started request that uses no window
 *
 * Any context. The request belongs to the work item then.
 *
 * Return: false when the device is broken; the request is still the caller's.
 */
bool lpar_window_park(struct lpar_device *dev, struct lpar_request *req)
{
	if (!window_park_at(dev, req, false))
		return false;
	window_kick_new(dev);
	return true;
}

/**
 * lpar_window_kick - have the parked requests looked at
 * @dev: the device
 *
 * Any context.
 */
void lpar_window_kick(struct lpar_device *dev)
{
	mod_delayed_work(dev->wq, &dev->windows.work, 0);
}

/**
 * lpar_window_get - become a user of the window at an address
 * @dev:     the device
 * @gpa:     guest address
 * @len:     bytes from there on that are of interest; result: that lie in it
 * @logical: result: the logical I/O address of @gpa
 * @waited:  by the work item for somebody who has waited: others' need for windows
 *           does not count
 *
 * Any context.
 *
 * Return: the window, until lpar_window_put(); NULL: see lpar_window_wait().
 */
struct lpar_window *lpar_window_get(struct lpar_device *dev, u64 gpa, u32 *len,
				    u64 *logical, bool waited)
{
	struct lpar_window *window;
	u64 offset;

	if (READ_ONCE(dev->windows.starved) && !waited)
		return NULL;
	window = window_get(&dev->windows, gpa);
	if (!window)
		return NULL;
	offset = gpa - window->gpa;
	*len = min_t(u64, *len, window->len - offset);
	*logical = window->logical + offset;
	return window;
}

/**
 * lpar_window_put - the opposite of lpar_window_get()
 * @dev:     the device
 * @window:  not to be touched after this
 * @revoked: the host says that it has taken a window back, maybe this one
 *
 * Any context.
 */
void lpar_window_put(struct lpar_device *dev, struct lpar_window *window,
		     bool revoked)
{
	if (revoked)
		WRITE_ONCE(window->revoked, true);
	window_put(dev, window, false);
}

/**
 * lpar_window_post - a buffer in the window waits for who knows how long
 * @window: used by the caller
 *
 * Any context. So that nobody waits for this window to become idle.
 */
void lpar_window_post(struct lpar_window *window)
{
	atomic_inc(&window->posted);
}

/**
 * lpar_window_unpost - the opposite of lpar_window_post()
 * @window: still used by the caller
 *
 * Any context.
 */
void lpar_window_unpost(struct lpar_window *window)
{
	atomic_dec(&window->posted);
}

/**
 * lpar_window_waiter_init - a waiter that does not wait yet
 * @waiter: to be initialised
 * @ready:  lpar_window_waiter.ready
 */
void lpar_window_waiter_init(struct lpar_window_waiter *waiter,
			     void (*ready)(struct lpar_window_waiter *, int))
{
	INIT_LIST_HEAD(&waiter->node);
	waiter->closed = false;
	waiter->ready = ready;
}

/**
 * lpar_window_wait - have the window at an address mapped
 * @dev:    the device
 * @waiter: that does not wait; its @ready is called
 * @gpa:    guest address
 *
 * Any context, also from @ready.
 *
 * Return: false when the device is broken or the waiter cancelled.
 */
bool lpar_window_wait(struct lpar_device *dev, struct lpar_window_waiter *waiter,
		      u64 gpa)
{
	waiter->gpa = gpa;
	waiter->again = 0;
	if (!window_waiter_park(dev, waiter))
		return false;
	window_kick_new(dev);
	return true;
}

/**
 * lpar_window_cancel - wait no more
 * @dev:    the device
 * @waiter: waiting or not; @ready does not run after this
 *
 * Sleeps; not on lpar_device.wq.
 */
void lpar_window_cancel(struct lpar_device *dev,
			struct lpar_window_waiter *waiter)
{
	struct lpar_windows *windows = &dev->windows;

	spin_lock_irq(&windows->park_lock);
	waiter->closed = true;
	list_del_init(&waiter->node);
	spin_unlock_irq(&windows->park_lock);
	flush_delayed_work(&windows->work);
}

/**
 * lpar_window_sweep - take all parked requests
 * @dev:  a broken device, so that none is parked after this
 * @done: where to put them
 */
void lpar_window_sweep(struct lpar_device *dev, struct list_head *done)
{
	struct lpar_windows *windows = &dev->windows;

	spin_lock_irq(&windows->park_lock);
	list_splice_tail_init(&windows->parked, done);
	spin_unlock_irq(&windows->park_lock);
}
