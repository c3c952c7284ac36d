// SPDX-License-Identifier: GPL-2.0
/*
 * Mailboxes and the requests that come through them.
 *
 * A request is made by a client's call, decided by its partition's policy, taken in hand by
 * somebody who has /dev/lpar-manage open, answered, and forgotten by the client. All of them
 * are in one list, which has a spinlock: the client's vCPUs come here, and one that a cgroup
 * throttles must not have a lock in hand that others sleep for.
 *
 * Locks: client->lock > partition->lock; asked_lock inside of either. See docs/locking.md.
 */
#include <linux/slab.h>
#include <linux/timekeeping.h>
#include <linux/uaccess.h>
#include <linux/wait.h>

#include "mailbox.h"
#include "stats.h"

/**
 * struct asked - a request
 * @refs:      the list's, and that of who copies its text
 * @link:      in asked_list
 * @partition: whose it is; it is there as long as the request is in the list
 * @mailbox:   likewise; NULL: a text of the management partition
 * @id:        for the management side, never used again
 * @number:    for the client
 * @ask:       enum lpar_ask; 0: a text
 * @value:     what is asked for
 * @since:     seconds of the clock that counts sleep, too
 * @allowed:   by the policy
 * @state:     where it is in its life
 * @by:        who has it in hand
 * @status:    what it ended with
 * @text:      what it is about; or NULL
 * @bytes:     of @text
 * @answer:    what the client is told; or NULL
 * @len:       bytes of @answer
 *
 * All but what never changes is under asked_lock.
 */
struct asked {
	struct kref refs;
	struct list_head link;
	struct lpar_partition *partition;
	struct lpar_mailbox *mailbox;
	u64 id;
	u32 number;
	u32 ask;
	u64 value;
	time64_t since;
	bool allowed;
	enum lpar_asked_state state;
	const void *by;
	u32 status;
	char *text;
	u32 bytes;
	char *answer;
	u32 len;
};

static DEFINE_SPINLOCK(asked_lock);	/* all below, and partition->asked */
static LIST_HEAD(asked_list);		/* in order of id */
static u64 last_id;
static u32 changes;			/* that somebody may want to know of */
static DECLARE_WAIT_QUEUE_HEAD(asked_wait);

static void asked_free(struct kref *refs)
{
	struct asked *q = container_of(refs, struct asked, refs);

	kvfree(q->text);
	kvfree(q->answer);
	kfree(q);
}

static void asked_put(struct asked *q)
{
	kref_put(&q->refs, asked_free);
}

/* Out of the list; the caller puts it. */
static void unlink_locked(struct asked *q)
{
	lockdep_assert_held(&asked_lock);
	list_del(&q->link);
	q->partition->asked--;
}

static struct asked *find_locked(struct lpar_partition *p, u64 number)
{
	struct asked *q;

	lockdep_assert_held(&asked_lock);
	list_for_each_entry(q, &asked_list, link)
		if (q->partition == p && q->number == number)
			return q;
	return NULL;
}

static struct asked *find_id_locked(u64 id)
{
	struct asked *q;

	lockdep_assert_held(&asked_lock);
	list_for_each_entry(q, &asked_list, link)
		if (q->id == id)
			return q;
	return NULL;
}

/* Put it into the list, if its partition may have one more. Return: LPAR_OK, QUOTA. */
static enum lpar_status add(struct asked *q)
{
	struct lpar_partition *p = q->partition;
	enum lpar_status st = LPAR_QUOTA;

	kref_init(&q->refs);
	q->since = ktime_get_boottime_seconds();
	spin_lock(&asked_lock);
	if (p->asked < LPAR_REQUESTS_MAX) {
		/* the numbers come round; some may still be there */
		do {
			q->number = ++p->last_request;
		} while (!q->number || find_locked(p, q->number));
		q->id = ++last_id;
		p->asked++;
		list_add_tail(&q->link, &asked_list);
		changes++;
		st = LPAR_OK;
	}
	spin_unlock(&asked_lock);
	if (st == LPAR_OK)
		wake_up_interruptible(&asked_wait);
	return st;
}

/* The partition's requests, or only those of a mailbox, are nobody's any more. */
static void drop(struct lpar_partition *p, struct lpar_mailbox *m)
{
	struct asked *q, *next;
	LIST_HEAD(gone);

	spin_lock(&asked_lock);
	list_for_each_entry_safe(q, next, &asked_list, link) {
		if (q->partition != p || (m && q->mailbox != m))
			continue;
		unlink_locked(q);
		list_add(&q->link, &gone);
	}
	changes += !list_empty(&gone);
	spin_unlock(&asked_lock);
	if (!list_empty(&gone))
		wake_up_interruptible(&asked_wait);
	list_for_each_entry_safe(q, next, &gone, link)
		asked_put(q);
}

/* ---------------------------------------------------------------- function */

#define MAILBOX(kobj) ((struct lpar_mailbox *)lpar_node_owner(kobj))

static ssize_t kind_show(struct kobject *kobj, struct kobj_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%s\n",
			  MAILBOX(kobj)->kind == LPAR_VF_NIC ? "nic" : "nvme");
}
static struct kobj_attribute attr_kind = __ATTR_RO(kind);

/* Requests that the client has not forgotten yet */
static ssize_t requests_show(struct kobject *kobj, struct kobj_attribute *attr,
			     char *buf)
{
	struct lpar_mailbox *m = MAILBOX(kobj);
	unsigned int n = 0;
	struct asked *q;

	spin_lock(&asked_lock);
	list_for_each_entry(q, &asked_list, link)
		n += q->mailbox == m;
	spin_unlock(&asked_lock);
	return sysfs_emit(buf, "%u\n", n);
}
static struct kobj_attribute attr_requests = __ATTR_RO(requests);

static struct attribute *mailbox_attrs[] = {
	&attr_kind.attr,
	&attr_requests.attr,
	NULL,
};
ATTRIBUTE_GROUPS(mailbox);

/**
 * lpar_mailbox_enable - the client has it from now on
 * @m: disabled
 *
 * Context: partition->config is held; may sleep.
 * Return: 0; -EINVAL: its kind has not been said; -ENOMEM.
 */
int lpar_mailbox_enable(struct lpar_mailbox *m)
{
	lockdep_assert_held(&m->fn.partition->config);
	if (!m->kind)
		return lpar_fn_fail(&m->fn, -EINVAL, "no kind set");
	m->fn.node = lpar_node_create(&m->fn.partition->vfs_node->kobj,
				      lpar_fn_name(&m->fn), mailbox_groups, m);
	if (IS_ERR(m->fn.node))
		return PTR_ERR(m->fn.node);
	strscpy(m->fn.status, "enabled", sizeof(m->fn.status));
	lpar_fn_publish(&m->fn);
	return 0;
}

/**
 * lpar_mailbox_disable - take it away, with all that was asked through it
 * @m: enabled
 *
 * Who has a request in hand finds out when he answers it.
 *
 * Context: partition->config is held; may sleep.
 */
void lpar_mailbox_disable(struct lpar_mailbox *m)
{
	/* it has no queues, so this is never refused */
	lpar_fn_withdraw(&m->fn, true);
	/* a call that had found it held the client's lock, as that one did */
	drop(m->fn.partition, m);
	lpar_node_remove(m->fn.node);
	lpar_fn_forget(&m->fn);
}

/* Wish only; called when the configfs item is made. */
void lpar_mailbox_setup(struct lpar_mailbox *m, struct lpar_partition *p)
{
	lpar_fn_setup(&m->fn, p, LPAR_FUNCTION_MAILBOX);
}

/* Its records. partition->lock is held. Return: bytes, or -ENOSPC. */
int lpar_mailbox_records(struct lpar_mailbox *m, void *buf, size_t size)
{
	lockdep_assert_held(&m->fn.partition->lock);
	return lpar_core_mailbox_records(buf, size, lpar_fn_name(&m->fn), m->kind,
					 &m->fn.partition->policy, m->now, m->known);
}

/* ------------------------------------------------------------ client's side */

/**
 * lpar_mailbox_ask - LPAR_OP_ASK
 * @c:    the client
 * @arg:  function, what, value
 * @data: where a reason goes
 * @size: its bytes
 * @a:    the request's number; bytes of @data
 *
 * Context: @c->lock is held; may sleep.
 * Return: what the call ends with; see docs/protocol.md.
 */
enum lpar_status lpar_mailbox_ask(struct lpar_client *c, const u64 arg[3], void *data,
				  size_t size, struct lpar_mailbox_answer *a)
{
	struct lpar_partition *p = c->partition;
	enum lpar_rule_word word = LPAR_RULE_REFUSE;
	char why[LPAR_REASON_TEXT + 1];
	enum lpar_status st = LPAR_NOENT;
	struct lpar_rule rule = {};
	struct lpar_fn *fn;
	struct asked *q;

	lockdep_assert_held(&c->lock);
	if (arg[0] > U32_MAX)
		return LPAR_INVAL;
	mutex_lock(&p->lock);
	fn = lpar_fn_find(p, arg[0]);
	if (fn && fn->type != LPAR_FUNCTION_MAILBOX)
		st = LPAR_NOTSUPP;
	else if (fn)
		st = lpar_core_ask(&p->policy, lpar_mailbox_of(fn)->kind, arg[1],
				   arg[2], &word);
	if (st == LPAR_PERM)
		rule = p->policy.rule[arg[1]];
	mutex_unlock(&p->lock);
	if (st == LPAR_PERM) {
		a->len = min_t(u32, size, lpar_core_ask_why(why, sizeof(why), arg[1],
							    &rule));
		memcpy(data, why, a->len);
	}
	if (st != LPAR_OK)
		return st;
	q = kzalloc(sizeof(*q), GFP_KERNEL_ACCOUNT);
	if (!q)
		return LPAR_NOMEM;
	q->partition = p;
	/* it stays: whoever takes it away needs the client's lock first */
	q->mailbox = lpar_mailbox_of(fn);
	q->ask = arg[1];
	q->value = arg[2];
	q->allowed = word == LPAR_RULE_ALLOW;
	st = add(q);
	if (st == LPAR_OK)
		a->ret[0] = q->number;
	else
		kfree(q);
	return st;
}

/**
 * lpar_mailbox_answer - LPAR_OP_ANSWER
 * @c:      the client
 * @number: of the request
 * @offset: into the text, or LPAR_FORGET
 * @data:   where the text goes
 * @size:   its bytes
 * @a:      what it ended with, bytes of the whole text; bytes of @data
 *
 * Context: @c->lock is held.
 * Return: what the call ends with; see docs/protocol.md.
 */
enum lpar_status lpar_mailbox_answer(struct lpar_client *c, u64 number, u64 offset,
				     void *data, size_t size,
				     struct lpar_mailbox_answer *a)
{
	struct asked *q, *forgotten = NULL;
	enum lpar_status st = LPAR_NOENT;

	lockdep_assert_held(&c->lock);
	spin_lock(&asked_lock);
	q = find_locked(c->partition, number);
	if (q)
		st = lpar_core_fetch(q->state, offset, q->len, size, &a->len);
	if (st == LPAR_OK && offset == LPAR_FORGET) {
		unlink_locked(q);
		forgotten = q;
	} else if (st == LPAR_OK) {
		a->ret[0] = q->status;
		a->ret[1] = q->len;
		if (a->len)
			memcpy(data, q->answer + offset, a->len);
	}
	spin_unlock(&asked_lock);
	if (forgotten)
		asked_put(forgotten);
	return st;
}

static bool has_text(struct lpar_partition *p)
{
	struct asked *q;
	bool found = false;

	spin_lock(&asked_lock);
	list_for_each_entry(q, &asked_list, link)
		found |= q->partition == p && !q->ask;
	spin_unlock(&asked_lock);
	return found;
}

static void forget_pieces(struct lpar_client *c)
{
	kvfree(c->manage_text);
	c->manage_text = NULL;
	c->pieces = (struct lpar_pieces){};
}

/* The whole text has come. */
static enum lpar_status hand_over(struct lpar_client *c, struct lpar_mailbox_answer *a)
{
	struct asked *q = kzalloc(sizeof(*q), GFP_KERNEL_ACCOUNT);
	enum lpar_status st;

	if (!q)
		return LPAR_NOMEM;
	q->partition = c->partition;
	q->allowed = true;
	q->text = c->manage_text;
	q->bytes = c->pieces.total;
	q->value = q->bytes;
	st = add(q);
	if (st != LPAR_OK) {
		kfree(q);
		return st;
	}
	a->ret[0] = q->number;
	c->manage_text = NULL;
	return LPAR_OK;
}

/**
 * lpar_mailbox_manage - LPAR_OP_MANAGE
 * @c:      the client
 * @offset: of the piece in the text
 * @total:  bytes of the text
 * @data:   the piece; memory of the client, copied once
 * @size:   bytes of @data
 * @a:      the request's number, with the last piece
 *
 * A client that is not the management partition is refused before anything is copied.
 *
 * Context: @c->lock is held; may sleep.
 * Return: what the call ends with; see docs/protocol.md.
 */
enum lpar_status lpar_mailbox_manage(struct lpar_client *c, u64 offset, u64 total,
				     const void *data, size_t size,
				     struct lpar_mailbox_answer *a)
{
	/* it does not change while there is a client */
	enum lpar_role role = READ_ONCE(c->partition->role);
	enum lpar_status st;
	u32 n;

	lockdep_assert_held(&c->lock);
	st = lpar_core_piece(role, &c->pieces, has_text(c->partition), offset, total,
			     size, &n);
	if (st != LPAR_OK)
		return st;
	if (!offset) {
		forget_pieces(c);
		c->manage_text = kvmalloc(total, GFP_KERNEL_ACCOUNT);
		if (!c->manage_text)
			return LPAR_NOMEM;
		c->pieces.total = total;
	}
	memcpy(c->manage_text + offset, data, n);
	c->pieces.have += n;
	if (c->pieces.have < c->pieces.total)
		return LPAR_OK;
	st = hand_over(c, a);
	forget_pieces(c);
	return st;
}

/* A client's channel ends, and all that it has asked for. c->lock is held. */
void lpar_mailbox_forget(struct lpar_client *c)
{
	lockdep_assert_held(&c->lock);
	forget_pieces(c);
	drop(c->partition, NULL);
}

/* -------------------------------------------------------- management's side */

/**
 * lpar_mailbox_next - the first request without an answer behind another one
 * @after: that one's id; 0: from the start
 * @out:   the request; its size stays the caller's
 * @seen:  with @after 0: for lpar_mailbox_changed()
 *
 * Context: any that may not sleep, too.
 * Return: 0, -ENOENT.
 */
int lpar_mailbox_next(u64 after, struct lpar_manage_request *out, u32 *seen)
{
	int ret = -ENOENT;
	struct asked *q;

	*out = (struct lpar_manage_request){ .size = out->size };
	spin_lock(&asked_lock);
	if (!after)
		*seen = changes;
	list_for_each_entry(q, &asked_list, link) {
		if (q->id <= after || q->state == LPAR_ASKED_ENDED)
			continue;
		out->flags = (q->allowed ? LPAR_MANAGE_ALLOWED : 0) |
			     (q->state == LPAR_ASKED_TAKEN ? LPAR_MANAGE_TAKEN : 0);
		out->id = q->id;
		strscpy(out->partition, lpar_partition_name(q->partition),
			sizeof(out->partition));
		if (q->mailbox) {
			strscpy(out->vf, lpar_fn_name(&q->mailbox->fn), sizeof(out->vf));
			out->kind = q->mailbox->kind;
		}
		out->ask = q->ask;
		out->value = q->value;
		out->seconds = ktime_get_boottime_seconds() - q->since;
		ret = 0;
		break;
	}
	spin_unlock(&asked_lock);
	return ret;
}

/**
 * lpar_mailbox_take - take a request in hand
 * @by:   who does
 * @id:   of the request
 * @to:   where its text goes
 * @room: bytes there
 *
 * State: WAITS => TAKEN.
 *
 * Context: may sleep; no lock is held.
 * Return: 0, -ENOENT, -EBUSY, -EMSGSIZE; -EFAULT: it is taken all the same.
 */
int lpar_mailbox_take(const void *by, u64 id, void __user *to, u32 room)
{
	struct asked *q;
	int ret = -ENOENT;

	spin_lock(&asked_lock);
	q = find_id_locked(id);
	if (q)
		ret = lpar_core_take(q->state);
	if (!ret && q->bytes > room)
		ret = -EMSGSIZE;
	if (!ret) {
		q->state = LPAR_ASKED_TAKEN;
		q->by = by;
		kref_get(&q->refs);
	}
	spin_unlock(&asked_lock);
	if (ret)
		return ret;
	/* the text does not change, and the reference keeps it */
	if (q->bytes && copy_to_user(to, q->text, q->bytes))
		ret = -EFAULT;
	asked_put(q);
	return ret;
}

/* What was asked for is done: the VF has it now. */
static void note(struct lpar_partition *p, u32 function, u32 ask, u64 value)
{
	struct lpar_mailbox *m;
	struct lpar_fn *fn;

	lockdep_assert_held(&p->lock);
	fn = function ? lpar_fn_find(p, function) : NULL;
	if (!fn || ask == LPAR_ASK_RESET)
		return;
	m = lpar_mailbox_of(fn);
	m->now[ask] = value;
	m->known |= 1u << ask;
	fn->generation++;
}

/**
 * lpar_mailbox_end - answer a request
 * @by:     who has taken it
 * @id:     of the request
 * @status: enum lpar_status
 * @text:   for the client, or NULL; kvmalloc()ed. With 0 the request's from now on
 * @len:    bytes of @text
 *
 * State: TAKEN => ENDED. The client is told by the event.
 *
 * Context: may sleep; takes partition->lock.
 * Return: 0, -ENOENT, -EPERM, -EMSGSIZE.
 */
int lpar_mailbox_end(const void *by, u64 id, u32 status, char *text, u32 len)
{
	struct lpar_partition *p = NULL;
	u32 function = 0, ask = 0;
	int ret = -ENOENT;
	struct asked *q;
	u64 value = 0;

	spin_lock(&asked_lock);
	q = find_id_locked(id);
	if (q)
		ret = lpar_core_end(q->state, q->by == by);
	if (!ret && len > (q->ask ? LPAR_REASON_TEXT : LPAR_MANAGE_TEXT))
		ret = -EMSGSIZE;
	if (!ret) {
		q->state = LPAR_ASKED_ENDED;
		q->by = NULL;
		q->status = status;
		q->answer = text;
		q->len = len;
		ask = q->ask;
		value = q->value;
		function = q->mailbox ? q->mailbox->fn.id : 0;
		/* it outlives the request: a mailbox may be dropped at once */
		p = q->partition;
		config_item_get(&p->group.cg_item);
		changes++;
	}
	spin_unlock(&asked_lock);
	if (ret)
		return ret;
	wake_up_interruptible(&asked_wait);
	mutex_lock(&p->lock);
	if (status == LPAR_OK)
		note(p, function, ask, value);
	lpar_partition_event_locked(p);
	mutex_unlock(&p->lock);
	config_item_put(&p->group.cg_item);
	return 0;
}

/* Who took requests in hand is gone: TAKEN => WAITS. Any context. */
void lpar_mailbox_leave(const void *by)
{
	struct asked *q;
	bool any = false;

	spin_lock(&asked_lock);
	list_for_each_entry(q, &asked_list, link) {
		bool own = q->state == LPAR_ASKED_TAKEN && q->by == by;

		q->state = lpar_core_drop(q->state, own);
		if (own)
			q->by = NULL;
		any |= own;
	}
	changes += any;
	spin_unlock(&asked_lock);
	if (any)
		wake_up_interruptible(&asked_wait);
}

/* Has anything changed since @seen was learnt? From a file's poll. */
bool lpar_mailbox_changed(struct file *file, poll_table *wait, u32 seen)
{
	bool changed;

	poll_wait(file, &asked_wait, wait);
	spin_lock(&asked_lock);
	changed = changes != seen;
	spin_unlock(&asked_lock);
	return changed;
}
