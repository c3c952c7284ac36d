/* SPDX-License-Identifier: GPL-2.0 */
/* Windows: guest memory that the host has pinned and mapped for us. */
#ifndef LPAR_GUEST_WINDOW_H
#define LPAR_GUEST_WINDOW_H

#include "device.h"

struct lpar_request;
struct lpar_window;

/**
 * struct lpar_window_waiter - somebody who waits until an address is mapped
 * @node:   lpar_windows.waiters while it waits
 * @gpa:    guest address
 * @again:  times that there was no room
 * @closed: it waits no more: see lpar_window_cancel()
 * @posts:  it keeps the window until frames come from outside
 * @ready:  called by the work item, once for each lpar_window_wait(), with 0 or a
 *          negative errno. With 0 the window stays during the call. May wait again
 */
struct lpar_window_waiter {
	struct list_head node;
	u64 gpa;
	u16 again;
	bool closed;
	bool posts;
	void (*ready)(struct lpar_window_waiter *waiter, int err);
};

void lpar_window_init(struct lpar_device *dev);
void lpar_window_free(struct lpar_device *dev);
int lpar_window_resolve(struct lpar_device *dev, struct lpar_request *req);
void lpar_window_release(struct lpar_device *dev, struct lpar_request *req,
			 bool revoked);
bool lpar_window_park(struct lpar_device *dev, struct lpar_request *req);
void lpar_window_kick(struct lpar_device *dev);
struct lpar_window *lpar_window_get(struct lpar_device *dev, u64 gpa, u32 *len,
				    u64 *logical, bool waited);
void lpar_window_put(struct lpar_device *dev, struct lpar_window *window,
		     bool revoked);
void lpar_window_post(struct lpar_window *window);
void lpar_window_unpost(struct lpar_window *window);
void lpar_window_waiter_init(struct lpar_window_waiter *waiter,
			     void (*ready)(struct lpar_window_waiter *, int));
bool lpar_window_wait(struct lpar_device *dev, struct lpar_window_waiter *waiter,
		      u64 gpa);
void lpar_window_cancel(struct lpar_device *dev,
			struct lpar_window_waiter *waiter);
void lpar_window_sweep(struct lpar_device *dev, struct list_head *done);

#endif
