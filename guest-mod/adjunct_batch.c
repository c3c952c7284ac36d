// SPDX-License-Identifier: GPL-2.0
/*
 * Batches of requests to adjuncts: from the program into a private copy, from there into
 * the shared part, and the answers back. See adjunct_file.c.
 */
#include <linux/ioprio.h>
#include <linux/jiffies.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <asm/barrier.h>

#include "adjunct_batch.h"

/* A reference to it less. Any context that may free memory; NULL is nothing. */
void lpar_adjunct_batch_drop(struct lpar_batch *b)
{
	if (!b || !refcount_dec_and_test(&b->refs))
		return;
	kvfree(b->data);
	kvfree(b);
}

/* Take @b->calls' inputs. Sleeps; no lock is held. */
static int batch_fill(struct lpar_batch *b)
{
	u32 i;
	int err;

	err = lpar_adjunct_plan(b->calls, b->count, b->places, &b->bytes);
	if (err)
		return err;
	b->data = kvzalloc(max(b->bytes, 1u), GFP_KERNEL_ACCOUNT);
	if (!b->data)
		return -ENOMEM;
	for (i = 0; i < b->count; i++) {
		if (copy_from_user(b->data + b->places[i].in - LPAR_ADJUNCT_DATA,
				   u64_to_user_ptr(b->calls[i].in), b->calls[i].in_len))
			return -EFAULT;
	}
	return 0;
}

/*
 * By its I/O priority or, where it has none, by how the scheduler treats it: real-time tasks go
 * first, and those that only run when nobody else does go last.
 */
static enum lpar_class batch_class(void)
{
	switch (IOPRIO_PRIO_CLASS(get_current_ioprio())) {
	case IOPRIO_CLASS_RT:
		return LPAR_CLASS_SYNC;
	case IOPRIO_CLASS_IDLE:
		return LPAR_CLASS_BACKGROUND;
	default:
		return LPAR_CLASS_NORMAL;
	}
}

/* @calls: of one CALL, or of an array. The caller has its reference. Sleeps; no lock is held. */
struct lpar_batch *
lpar_adjunct_batch_take(struct lpar_adjunct_call __user *calls, u32 count)
{
	struct lpar_batch *b;
	int err = -EFAULT;

	if (!count || count > LPAR_ADJUNCT_BATCH_MAX)
		return ERR_PTR(-EINVAL);
	b = kvzalloc(sizeof(*b), GFP_KERNEL_ACCOUNT);
	if (!b)
		return ERR_PTR(-ENOMEM);
	refcount_set(&b->refs, 1);
	INIT_LIST_HEAD(&b->node);
	init_waitqueue_head(&b->turn);
	b->count = count;
	b->cls = batch_class();
	get_task_comm(b->comm, current);
	b->pid = task_pid_nr(current);
	b->user = calls;
	b->began = jiffies;
	if (!copy_from_user(b->calls, calls, count * sizeof(b->calls[0])))
		err = batch_fill(b);
	if (err) {
		lpar_adjunct_batch_drop(b);
		return ERR_PTR(err);
	}
	return b;
}

struct lpar_batch *lpar_adjunct_batch_take_array(const void __user *arg)
{
	struct lpar_adjunct_batch batch;

	if (copy_from_user(&batch, arg, sizeof(batch)))
		return ERR_PTR(-EFAULT);
	if (batch.reserved)
		return ERR_PTR(-EINVAL);
	return lpar_adjunct_batch_take(u64_to_user_ptr(batch.calls), batch.count);
}

/* The answers, and a reference to @b less. Sleeps; no lock is held. */
int lpar_adjunct_batch_give(struct lpar_batch *b)
{
	const struct lpar_adjunct_call *call;
	int err = 0;
	u32 i;

	for (i = 0; i < b->count && !err; i++) {
		call = &b->calls[i];
		if (copy_to_user(u64_to_user_ptr(call->out),
				 b->data + b->places[i].out - LPAR_ADJUNCT_DATA, call->bytes) ||
		    put_user(call->status, &b->user[i].status) ||
		    put_user(call->bytes, &b->user[i].bytes))
			err = -EFAULT;
	}
	lpar_adjunct_batch_drop(b);
	return err;
}

/**
 * lpar_adjunct_batch_put - write it into the shared part
 * @b:      of which that has a reference
 * @shared: the slot's shared part
 * @offset: of the data area, in use before
 * @tail:   requests written before; it goes on
 *
 * Context: the file's lock is held. The adjunct looks at none of it before
 * lpar_adjunct_batch_publish().
 */
void lpar_adjunct_batch_put(struct lpar_batch *b, void *shared, u32 offset, u32 *tail)
{
	struct lpar_adjunct_control *control = shared;
	const struct lpar_adjunct_call *call;
	u32 i;

	for (i = 0; i < b->count; i++) {
		struct lpar_adjunct_request *slot;

		call = &b->calls[i];
		slot = &control->request[(*tail + i) % LPAR_ADJUNCT_DEPTH];
		memcpy(shared + offset + b->places[i].in,
		       b->data + b->places[i].in - LPAR_ADJUNCT_DATA, call->in_len);
		*slot = (struct lpar_adjunct_request){
			.op = cpu_to_le32(call->op),
			.in = cpu_to_le32(offset + b->places[i].in),
			.in_len = cpu_to_le32(call->in_len),
			.out = cpu_to_le32(offset + b->places[i].out),
			.out_len = cpu_to_le32(call->out_len),
		};
	}
	b->start = *tail;
	b->offset = offset;
	*tail += b->count;
}

/* Give the adjunct all that has been put. Context: the file's lock is held. */
void lpar_adjunct_batch_publish(void *shared, u32 tail)
{
	struct lpar_adjunct_control *control = shared;

	/* Order the requests before the index. Pairs with the load in the adjunct's loop. */
	virt_store_release(&control->tail, cpu_to_le32(tail));
}

/**
 * lpar_adjunct_batch_collect - served: copy the answers out of the shared part
 * @b:      put, and the adjunct's index says that it is served
 * @shared: the slot's shared part
 *
 * Context: the file's lock is held.
 * Return: 0; -EPROTO: an answer is longer than there was room for.
 */
int lpar_adjunct_batch_collect(struct lpar_batch *b, void *shared)
{
	struct lpar_adjunct_control *control = shared;
	struct lpar_adjunct_request *slot;
	struct lpar_adjunct_call *call;
	u32 i;

	for (i = 0; i < b->count; i++) {
		call = &b->calls[i];
		slot = &control->request[(b->start + i) % LPAR_ADJUNCT_DEPTH];
		call->status = le32_to_cpu(READ_ONCE(slot->status));
		call->bytes = le32_to_cpu(READ_ONCE(slot->bytes));
		if (call->bytes > call->out_len)
			return -EPROTO;
		memcpy(b->data + b->places[i].out - LPAR_ADJUNCT_DATA,
		       shared + b->offset + b->places[i].out, call->bytes);
	}
	/* Order the answers before that: its caller looks without the lock. */
	smp_store_release(&b->done, true);
	return 0;
}

/* How it died, for the program. The host says so; nothing of it is used here. */
void lpar_adjunct_batch_report(struct lpar_adjunct_state_info *info, const void *shared)
{
	const struct lpar_adjunct_control *control = shared;
	struct lpar_adjunct_report report;
	u32 i;

	memcpy(&report, &control->report, sizeof(report));
	info->reason = le32_to_cpu(report.reason);
	info->vector = le32_to_cpu(report.vector);
	info->error = le64_to_cpu(report.error);
	info->address = le64_to_cpu(report.address);
	info->rip = le64_to_cpu(report.rip);
	info->rflags = le64_to_cpu(report.rflags);
	for (i = 0; i < ARRAY_SIZE(info->gpr); i++)
		info->gpr[i] = le64_to_cpu(report.gpr[i]);
}
