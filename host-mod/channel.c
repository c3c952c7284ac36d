// SPDX-License-Identifier: GPL-2.0
/*
 * The hypercall channel: what a client's call block asks for. See docs/protocol.md
 * for the table of calls. Carried out in the vCPU's thread, one call at a time.
 */
#include <linux/sched/clock.h>
#include <linux/sched/signal.h>
#include <linux/uaccess.h>

#include "channel.h"
#include "choice.h"
#include "disk.h"
#include "ipsec.h"
#include "mailbox.h"
#include "memory.h"
#include "nic.h"
#include "partition.h"
#include "queue.h"
#include "trace.h"
#include "window.h"

/* What a call answers; written to the client at the end, in one go. */
struct answer {
	u64 ret[3];
	u32 len;
};

static enum lpar_status hello(struct lpar_client *c, u64 versions,
			      struct answer *a)
{
	a->ret[0] = lpar_core_version(versions, LPAR_WIRE_VERSION_MIN,
				      LPAR_WIRE_VERSION);
	if (!a->ret[0])
		return LPAR_VERSION;
	a->ret[1] = LPAR_DOORBELLS_MAX - 1;
	a->ret[2] = READ_ONCE(c->partition->quantum_us);
	c->greeted = true;
	return LPAR_OK;
}

static enum lpar_status functions(struct lpar_client *c, void *data, size_t size,
				  struct answer *a)
{
	struct lpar_function *f = data;
	struct lpar_fn *fn;
	enum lpar_status st = LPAR_OK;

	mutex_lock(&c->partition->lock);
	list_for_each_entry(fn, &c->partition->functions, link) {
		if (lpar_fn_gone(fn))
			continue;
		if (a->len + sizeof(*f) > size) {
			st = LPAR_QUOTA;
			break;
		}
		*f++ = (struct lpar_function){
			.id = cpu_to_le32(fn->id),
			.type = cpu_to_le16(fn->type),
			.generation = cpu_to_le32(fn->generation),
		};
		a->len += sizeof(*f);
		a->ret[0]++;
	}
	mutex_unlock(&c->partition->lock);
	return st;
}

static enum lpar_status caps(struct lpar_client *c, u64 id, void *data, size_t size,
			     struct answer *a)
{
	struct lpar_fn *fn;
	int len = -ENOENT;

	if (id > U32_MAX)
		return LPAR_INVAL;
	mutex_lock(&c->partition->lock);
	fn = lpar_fn_find(c->partition, id);
	if (fn) {
		if (fn->type == LPAR_FUNCTION_NIC)
			len = lpar_nic_records(lpar_nic_of(fn), data, size);
		else if (fn->type == LPAR_FUNCTION_MAILBOX)
			len = lpar_mailbox_records(lpar_mailbox_of(fn), data, size);
		else
			len = lpar_disk_records(lpar_disk_of(fn), data, size);
		a->ret[0] = fn->generation;
	}
	mutex_unlock(&c->partition->lock);
	if (len < 0)
		return len == -ENOENT ? LPAR_NOENT : LPAR_QUOTA;
	a->len = len;
	return LPAR_OK;
}

static enum lpar_status set(struct lpar_client *c, u64 id, u64 cap, u64 value)
{
	struct lpar_fn *fn;
	bool nic;

	if (id > U32_MAX)
		return LPAR_INVAL;
	mutex_lock(&c->partition->lock);
	fn = lpar_fn_find(c->partition, id);
	nic = fn && fn->type == LPAR_FUNCTION_NIC;
	mutex_unlock(&c->partition->lock);
	if (!fn)
		return LPAR_NOENT;
	/* it stays: whoever takes it away needs the client's lock first */
	return nic ? lpar_choice_set(lpar_nic_of(fn), cap, value) : LPAR_NOTSUPP;
}

static enum lpar_status security(struct lpar_client *c, const struct lpar_call_in *in,
				 const void *data, struct answer *a)
{
	enum lpar_status st;
	struct lpar_fn *fn;
	struct lpar_sa sa;

	if (in->arg[0] > U32_MAX)
		return LPAR_INVAL;
	mutex_lock(&c->partition->lock);
	fn = lpar_fn_find(c->partition, in->arg[0]);
	mutex_unlock(&c->partition->lock);
	if (!fn)
		return LPAR_NOENT;
	/* it stays: see set() */
	if (fn->type != LPAR_FUNCTION_NIC)
		return LPAR_NOTSUPP;
	if (in->op == LPAR_OP_SA_DELETE)
		return lpar_ipsec_delete(lpar_nic_of(fn), in->arg[1]);
	lpar_copy_once(&sa, data, sizeof(sa));
	st = lpar_choice_sa_add(lpar_nic_of(fn), &sa, &a->ret[0]);
	memzero_explicit(&sa, sizeof(sa));
	return st;
}

static enum lpar_status map(struct lpar_client *c, u64 gpa, struct answer *a)
{
	int ret = lpar_window_map(c, gpa, &a->ret[0]);

	if (ret)
		return lpar_core_status(ret);
	a->ret[1] = gpa & ~(u64)(LPAR_WINDOW_SIZE - 1);
	a->ret[2] = LPAR_WINDOW_SIZE;
	return LPAR_OK;
}

static enum lpar_status mailbox(struct lpar_client *c, const struct lpar_call_in *in,
				void *data, size_t size, struct answer *a)
{
	struct lpar_mailbox_answer m = {};
	enum lpar_status st;

	if (in->op == LPAR_OP_ASK)
		st = lpar_mailbox_ask(c, in->arg, data, size, &m);
	else if (in->op == LPAR_OP_ANSWER)
		st = lpar_mailbox_answer(c, in->arg[0], in->arg[1], data, size, &m);
	else
		st = lpar_mailbox_manage(c, in->arg[0], in->arg[1], data, size, &m);
	a->ret[0] = m.ret[0];
	a->ret[1] = m.ret[1];
	a->len = m.len;
	return st;
}

static enum lpar_status call(struct lpar_client *c, const struct lpar_call_in *in,
			     void *data, size_t size, struct answer *a)
{
	enum lpar_status st = lpar_core_call(in, c->greeted);

	if (st != LPAR_OK)
		return st;
	switch (in->op) {
	case LPAR_OP_HELLO:
		return hello(c, in->arg[0], a);
	case LPAR_OP_FUNCTIONS:
		return functions(c, data, size, a);
	case LPAR_OP_CAPS:
		return caps(c, in->arg[0], data, size, a);
	case LPAR_OP_MAP:
		return map(c, in->arg[0], a);
	case LPAR_OP_UNMAP:
		return lpar_window_unmap(c, in->arg[0]);
	case LPAR_OP_QUEUE_CREATE:
		return lpar_queue_create(c, in->arg[0], in->arg[1], in->arg[2],
					 in->arg[3], in->arg[4]);
	case LPAR_OP_QUEUE_DESTROY:
		return lpar_queue_close(c, in->arg[0]);
	case LPAR_OP_SET:
		return set(c, in->arg[0], in->arg[1], in->arg[2]);
	case LPAR_OP_ASK:
	case LPAR_OP_ANSWER:
	case LPAR_OP_MANAGE:
		return mailbox(c, in, data, size, a);
	case LPAR_OP_SA_ADD:
	case LPAR_OP_SA_DELETE:
		return security(c, in, data, a);
	default:
		return LPAR_NOSYS;
	}
}

/**
 * lpar_channel_serve - carry out the call that the call block holds
 * @c: the client
 *
 * Context: a thread of the VMM; may sleep, and gives up when it is killed. Takes
 * @c->lock, which is dropped while memory is pinned.
 * Return: whether a call was carried out and answered.
 */
bool lpar_channel_serve(struct lpar_client *c)
{
	bool served = false;
	struct lpar_call *block;
	struct lpar_call_in in;
	struct answer a = {};
	enum lpar_status st;
	u64 began = 0, resets;
	unsigned int i;

	if (mutex_lock_killable(&c->lock))
		return false;
	if (!c->enabled)
		goto out;
	block = c->call_area.addr;
	in.seq = le32_to_cpu(smp_load_acquire(&block->seq));
	/* a stray ring: the call has been answered, or there is none */
	if (!in.seq || in.seq == c->last_seq)
		goto out;
	in.op = le32_to_cpu(READ_ONCE(block->op));
	for (i = 0; i < ARRAY_SIZE(in.arg); i++)
		in.arg[i] = le64_to_cpu(READ_ONCE(block->arg[i]));
	c->last_seq = in.seq;
	resets = c->resets;
	if (trace_lpar_hypercall_enabled())
		began = local_clock();

	st = call(c, &in, block->data, sizeof(block->data), &a);

	lpar_trace(hypercall, c->partition->id, in.op, in.seq, st,
		   began ? local_clock() - began : 0);
	/* pinning drops the lock: the call block may have gone meanwhile */
	if (c->resets != resets)
		goto out;
	for (i = 0; i < ARRAY_SIZE(a.ret); i++)
		WRITE_ONCE(block->ret[i], cpu_to_le64(a.ret[i]));
	WRITE_ONCE(block->out_len, cpu_to_le32(a.len));
	WRITE_ONCE(block->status, cpu_to_le32(st));
	/* the answer before its number; pairs with the client's load-acquire */
	smp_store_release(&block->done, cpu_to_le32(in.seq));
	served = true;
out:
	mutex_unlock(&c->lock);
	return served;
}

/* Take a call block into use. c->lock is held. Return: see LPAR_ENABLE. */
int lpar_channel_enable(struct lpar_client *c, u64 gpa)
{
	struct lpar_area area = {};
	int ret;

	lockdep_assert_held(&c->lock);
	/* a reset that was interrupted leaves the area until the next one */
	if (c->enabled || c->call_area.addr)
		return -EBUSY;
	ret = lpar_memory_map(c, gpa, sizeof(struct lpar_call), &area);
	if (ret)
		return ret == -EDQUOT ? -ENOMEM : ret;
	/* the lock was dropped: somebody else may have been faster */
	if (c->enabled || c->call_area.addr) {
		lpar_memory_unmap(c, &area);
		return -EBUSY;
	}
	c->call_area = area;
	c->last_seq = 0;
	c->greeted = false;
	c->enabled = true;
	return 0;
}

/**
 * lpar_channel_reset - back to the state after LPAR_ATTACH, memory excepted
 * @c: the client
 * @killable: give up when the calling thread is killed
 *
 * State: any => disabled. When it returns 0, no adapter reaches guest memory.
 *
 * Context: @c->lock is held; sleeps until the adapters have finished.
 * Return: 0; -EINTR when @killable and killed: the channel is disabled all the
 * same, and a later call does the rest.
 */
int lpar_channel_reset(struct lpar_client *c, bool killable)
{
	int ret;

	/* first: a pin that is under way finds that it came too late */
	c->generation++;
	c->resets++;
	c->enabled = false;
	lpar_mailbox_forget(c);
	ret = lpar_queue_destroy_all(c, NULL, killable);
	if (ret)
		return ret;
	lpar_window_revoke(c, 0, U64_MAX);
	lpar_window_forget(c);
	lpar_memory_unmap(c, &c->call_area);
	lpar_choice_forget(c->partition);
	c->greeted = false;
	return 0;
}
