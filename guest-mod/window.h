/* SPDX-License-Identifier: GPL-2.0 */
/* Windows: guest memory that the host has pinned and mapped for us. */
#ifndef LPAR_GUEST_WINDOW_H
#define LPAR_GUEST_WINDOW_H

#include "device.h"

struct lpar_request;

void lpar_window_init(struct lpar_device *dev);
void lpar_window_free(struct lpar_device *dev);
int lpar_window_resolve(struct lpar_device *dev, struct lpar_request *req);
void lpar_window_release(struct lpar_device *dev, struct lpar_request *req,
			 bool revoked);
bool lpar_window_park(struct lpar_device *dev, struct lpar_request *req);
void lpar_window_kick(struct lpar_device *dev);
void lpar_window_sweep(struct lpar_device *dev, struct list_head *done);

#endif
