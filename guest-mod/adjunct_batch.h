/* SPDX-License-Identifier: GPL-2.0 */
#ifndef LPAR_GUEST_ADJUNCT_BATCH_H
#define LPAR_GUEST_ADJUNCT_BATCH_H

#include <linux/list.h>
#include <linux/refcount.h>
#include <linux/sched.h>
#include <linux/wait.h>
#include <lpar/adjunct.h>
#include <lpar/adjunct_dev.h>
#include "adjunct_ring.h"
#include "order.h"

/**
 * struct lpar_batch - requests, private copies of their data, and of the answers
 * @count:  requests
 * @bytes:  of @data
 * @cls:    how urgent its caller is
 * @comm:   of that
 * @pid:    likewise
 * @node:   in adjunct_file.waiting, then in adjunct_file.ring, then in none
 * @given:  it has been in the latter, or its adjunct ended before that
 * @caller: in adjunct_file.callers
 * @first:  it is the first of those
 * @turn:   of its caller, woken by @first and @done
 * @start:  index of the first one, once they are in the shared part
 * @offset: of its data in the data area, likewise
 * @user:   where they came from
 * @began:  when they came, jiffies
 * @done:   served and copied back
 * @refs:   of who waits for it or will collect it, and of the shared part
 * @data:   as the shared part's data area
 * @calls:  the requests, as the program gave them
 * @places: where their data is in a shared part that has nothing before it
 */
struct lpar_batch {
	u32 count;
	u32 bytes;
	enum lpar_class cls;
	char comm[TASK_COMM_LEN];
	pid_t pid;
	struct list_head node;
	bool given;
	struct list_head caller;
	bool first;
	wait_queue_head_t turn;
	u32 start;
	u32 offset;
	struct lpar_adjunct_call __user *user;
	unsigned long began;
	bool done;
	refcount_t refs;
	void *data;
	struct lpar_adjunct_call calls[LPAR_ADJUNCT_DEPTH];
	struct lpar_adjunct_place places[LPAR_ADJUNCT_DEPTH];
};

struct lpar_batch *
lpar_adjunct_batch_take(struct lpar_adjunct_call __user *calls, u32 count);
struct lpar_batch *lpar_adjunct_batch_take_array(const void __user *arg);
int lpar_adjunct_batch_give(struct lpar_batch *b);
void lpar_adjunct_batch_drop(struct lpar_batch *b);
void lpar_adjunct_batch_put(struct lpar_batch *b, void *shared, u32 offset, u32 *tail);
void lpar_adjunct_batch_publish(void *shared, u32 tail);
int lpar_adjunct_batch_collect(struct lpar_batch *b, void *shared);
void lpar_adjunct_batch_report(struct lpar_adjunct_state_info *info, const void *shared);

#endif
