/* SPDX-License-Identifier: GPL-2.0 */
/* The net server: clients' frames between their queues and a port. */
#ifndef LPAR_HOST_NET_H
#define LPAR_HOST_NET_H

#include "nic.h"
#include "queue.h"

int lpar_net_queue_init(struct lpar_queue *q);
void lpar_net_queue_free(struct lpar_queue *q);
bool lpar_net_queue_add(struct lpar_queue *q);
void lpar_net_queue_del(struct lpar_queue *q);

enum lpar_take lpar_net_take(struct lpar_queue *q,
			     const struct lpar_nic_limits *lim,
			     const struct lpar_net_sqe *sqe);
enum lpar_take lpar_net_send(struct lpar_queue *q,
			     const struct lpar_nic_limits *lim,
			     const struct lpar_net_sqe *sqe);
enum lpar_take lpar_net_receive(struct lpar_queue *q,
				const struct lpar_nic_limits *lim,
				const struct lpar_net_sqe *sqe);
bool lpar_net_waits(struct lpar_queue *q);
void lpar_net_end_late(struct work_struct *work);
bool lpar_net_detach(struct sk_buff *skb);
void lpar_net_purge(struct lpar_nic *nic);
void lpar_net_drop_waiting(struct lpar_queue *q);
void lpar_net_arrive(struct lpar_nic *nic, struct sk_buff *skb);

#endif
