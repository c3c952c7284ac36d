/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Mailboxes: where a client asks for what only the host can do to its VFs, and the
 * requests of all partitions, which the management side answers (seed 002).
 */
#ifndef LPAR_HOST_MAILBOX_H
#define LPAR_HOST_MAILBOX_H

#include <linux/poll.h>

#include <lpar/manage.h>
#include "function.h"

/**
 * struct lpar_mailbox - a function of type LPAR_FUNCTION_MAILBOX
 * @fn:    what it has in common with disks and NICs. Its name is the VF's address
 * @kind:  of the VF, 0: not said yet; changes under partition->config while disabled
 * @now:   what the VF has, by enum lpar_ask, as the management side has said;
 *         under partition->lock
 * @known: which of @now are known, as bits; likewise
 */
struct lpar_mailbox {
	struct lpar_fn fn;
	u32 kind;
	u64 now[LPAR_ASKS];
	u32 known;
};

static inline struct lpar_mailbox *lpar_mailbox_of(struct lpar_fn *fn)
{
	return container_of(fn, struct lpar_mailbox, fn);
}

/* What a call answers besides its status: text into the call block. */
struct lpar_mailbox_answer {
	u64 ret[2];
	u32 len;
};

int lpar_mailbox_enable(struct lpar_mailbox *m);
void lpar_mailbox_disable(struct lpar_mailbox *m);
void lpar_mailbox_setup(struct lpar_mailbox *m, struct lpar_partition *p);
int lpar_mailbox_records(struct lpar_mailbox *m, void *buf, size_t size);

enum lpar_status lpar_mailbox_ask(struct lpar_client *c, const u64 arg[3], void *data,
				  size_t size, struct lpar_mailbox_answer *a);
enum lpar_status lpar_mailbox_answer(struct lpar_client *c, u64 number, u64 offset,
				     void *data, size_t size,
				     struct lpar_mailbox_answer *a);
enum lpar_status lpar_mailbox_manage(struct lpar_client *c, u64 offset, u64 total,
				     const void *data, size_t size,
				     struct lpar_mailbox_answer *a);
void lpar_mailbox_forget(struct lpar_client *c);

/* The other side, for manage.c. @by stands for the open file. */
int lpar_mailbox_next(u64 after, struct lpar_manage_request *out, u32 *seen);
int lpar_mailbox_take(const void *by, u64 id, void __user *to, u32 room);
int lpar_mailbox_end(const void *by, u64 id, u32 status, char *text, u32 len);
void lpar_mailbox_leave(const void *by);
bool lpar_mailbox_changed(struct file *file, poll_table *wait, u32 seen);

#endif
