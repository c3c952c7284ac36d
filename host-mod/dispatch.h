/* SPDX-License-Identifier: GPL-2.0 */
#ifndef LPAR_HOST_DISPATCH_H
#define LPAR_HOST_DISPATCH_H

#include "client.h"

extern bool lpar_dispatch_task_work;	/* doorbells can run on the vCPU thread */

int lpar_dispatch_init(const char *transport);
void lpar_dispatch_exit(void);

int lpar_dispatch_setup(struct lpar_client *c);
void lpar_dispatch_teardown(struct lpar_client *c);
void lpar_dispatch_free(struct lpar_client *c);
int lpar_dispatch_vcpu(struct lpar_client *c);
int lpar_dispatch_bell(struct lpar_client *c, unsigned int index, int fd);
int lpar_dispatch_vector(struct lpar_client *c, unsigned int index, int fd);
int lpar_dispatch_ring(struct lpar_client *c, unsigned int index);
struct lpar_vcpu *lpar_dispatch_self(struct lpar_client *c);
struct kthread_worker *lpar_dispatch_thread(struct lpar_client *c, unsigned int index);
void lpar_dispatch_queue_init(struct lpar_queue *q);
void lpar_dispatch_by_thread(struct lpar_queue *q);
void lpar_dispatch_keep(struct lpar_queue *q);

#endif
