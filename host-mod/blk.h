/* SPDX-License-Identifier: GPL-2.0 */
#ifndef LPAR_HOST_BLK_H
#define LPAR_HOST_BLK_H

#include "disk.h"
#include "queue.h"

int lpar_blk_queue_init(struct lpar_queue *q);
void lpar_blk_queue_free(struct lpar_queue *q);

bool lpar_blk_polls(struct lpar_queue *q);
void lpar_blk_poll(struct lpar_queue *q);
enum lpar_take lpar_blk_start(struct lpar_queue *q,
			      const struct lpar_disk_limits *lim,
			      const struct lpar_blk_sqe *sqe);

#endif
