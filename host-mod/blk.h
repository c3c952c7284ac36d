/* SPDX-License-Identifier: GPL-2.0 */
#ifndef LPAR_HOST_BLK_H
#define LPAR_HOST_BLK_H

#include "queue.h"

bool lpar_blk_start(struct lpar_queue *q, const struct lpar_disk_limits *lim,
		    const struct lpar_blk_sqe *sqe, bool may_wait);

#endif
