// SPDX-License-Identifier: GPL-2.0
/*
 * lpar_liar: a hostile host (tests/hostile: H1, H2). It is /dev/lpar in lpar_host's
 * place, with one disk in its own memory for any partition, and QEMU works with it
 * as with the real one; for lies from LIE_NET on it has a NIC instead (liar_nic.c).
 * It is honest but for one lie, which the guest's driver
 * chooses: the highest wire version that HELLO offers, less one, is the lie's
 * number (lpar_guest's parameter wire_max). Lies about requests are told from
 * sector LIAR_SECTOR on, so that the disk comes up.
 *
 * All is done in the thread that rings, which has the guest's memory mapped.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/eventfd.h>
#include <linux/fs.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/random.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <linux/vmalloc.h>

#include <lpar/control.h>
#include <lpar/wire.h>

#include "compat.h"
#include "liar.h"

#define LIAR_BYTES	(8u << 20)
#define LIAR_SECTOR	4096
#define LIAR_QUEUES	8
#define LIAR_DEPTH	64
#define LIAR_STORM	200	/* interrupts for each doorbell */
#define LIAR_BUSY	25	/* times that it is asked for the same in vain */
#define LIAR_CALM	(12 * HZ)	/* without a reset, and the next one ends */
#define LIAR_STUCK	(25 * HZ)	/* with or without, likewise */

static struct liar {
	struct mutex lock;	/* all of it */
	struct file *file;
	struct lpar_memory memory[LPAR_MEMORY_MAX];
	unsigned int ranges;
	struct eventfd_ctx *vector[LPAR_DOORBELLS_MAX + 1];
	struct liar_queue queue[LIAR_QUEUES + 1];
	u64 call;
	bool enabled;
	bool stubborn;		/* ends no reset */
	unsigned long calm;	/* when it will */
	u32 seq;
	u32 lie;
	u32 hellos;		/* since it began to lie like this */
	u32 nonsense;		/* likewise */
	u32 busy;		/* times that it has been */
	u32 generation;
	u32 sectors;
	u8 *disk;
} liar = { .lock = __MUTEX_INITIALIZER(liar.lock) };

static unsigned int rounds = 100;
module_param(rounds, uint, 0444);
MODULE_PARM_DESC(rounds, "how often capabilities are nonsense before they are true");

static unsigned int nonsense;
module_param(nonsense, uint, 0444);
MODULE_PARM_DESC(nonsense, "so often they have been, in all lies");

/* ----------------------------------------------------------- the guest's memory */

static void __user *at(u64 gpa, u64 bytes)
{
	unsigned int i;

	for (i = 0; i < liar.ranges; i++) {
		struct lpar_memory *m = &liar.memory[i];

		if (gpa >= m->gpa && gpa - m->gpa < m->bytes &&
		    bytes <= m->bytes - (gpa - m->gpa))
			return (void __user *)(m->hva + (gpa - m->gpa));
	}
	return NULL;
}

bool liar_load(void *to, u64 gpa, size_t n)
{
	void __user *p = at(gpa, n);

	return p && !copy_from_user(to, p, n);
}

bool liar_store(u64 gpa, const void *from, size_t n)
{
	void __user *p = at(gpa, n);

	return p && !copy_to_user(p, from, n);
}

static void store32(u64 gpa, u32 value)
{
	__le32 v = cpu_to_le32(value);

	/* what was stored before is there first */
	smp_wmb();
	liar_store(gpa, &v, sizeof(v));
}

static void signal(u32 vector, unsigned int times)
{
	while (vector < ARRAY_SIZE(liar.vector) && liar.vector[vector] && times--)
		compat_signal(liar.vector[vector]);
}

/* ------------------------------------------------------------------------ calls */

static u32 serial(u8 *data, const char *text)
{
	struct {
		struct lpar_record head;
		char text[8];
	} r = {};

	r.head.type = cpu_to_le16(LPAR_CAP_SERIAL);
	r.head.len = cpu_to_le16(sizeof(r));
	strscpy(r.text, text, sizeof(r.text));
	memcpy(data, &r, sizeof(r));
	return sizeof(r);
}

static u32 records(u8 *data)
{
	static const struct {
		u16 type;
		u64 value;
	} truth[] = {
		{ LPAR_CAP_LOGICAL_BLOCK, 512 },
		{ LPAR_CAP_PHYSICAL_BLOCK, 4096 },
		{ LPAR_CAP_MAX_TRANSFER, 131072 },
		{ LPAR_CAP_SEGMENTS, 32 },
		{ LPAR_CAP_SEGMENT_SIZE, 65536 },
		{ LPAR_CAP_VIRT_BOUNDARY, 0 },
		{ LPAR_CAP_DMA_ALIGNMENT, 511 },
		{ LPAR_CAP_CHUNK, 0 },
		{ LPAR_CAP_QUEUES, LIAR_QUEUES },
		{ LPAR_CAP_DEPTH, LIAR_DEPTH },
		{ LPAR_CAP_DISCARD, 1 << 20 },
		{ LPAR_CAP_DISCARD_GRAIN, 4096 },
		{ LPAR_CAP_DISCARD_ALIGN, 0 },
		{ LPAR_CAP_WRITE_ZEROES, 1 << 20 },
		{ LPAR_CAP_WRITE_CACHE, 1 },
		{ LPAR_CAP_FUA, 1 },
		{ LPAR_CAP_ROTATIONAL, 0 },
		{ LPAR_CAP_READ_ONLY, 0 },
		{ LPAR_CAP_STABLE_WRITES, 0 },
		{ LPAR_CAP_SECTORS, 0 },
	};
	static const u64 odd[] = { 0, 1, 3, 511, 513, 4095, 1 << 21, U32_MAX, 1ull << 32, U64_MAX };
	bool lying = liar.lie == LIE_CAPS && liar.nonsense < rounds;
	u32 victim = lying ? get_random_u32() % ARRAY_SIZE(truth) : U32_MAX;
	u32 at, i;

	at = serial(data, liar.lie == LIE_SERIAL && liar.hellos > 1 ? "another" : "liar");
	for (i = 0; i < ARRAY_SIZE(truth); i++) {
		u64 value = truth[i].type == LPAR_CAP_SECTORS ? liar.sectors : truth[i].value;
		bool foreign = liar.hellos > 1;
		struct {
			struct lpar_record head;
			struct lpar_value value;
		} r = {};

		if (foreign && liar.lie == LIE_CAPACITY && truth[i].type == LPAR_CAP_SECTORS)
			value += 8;
		if (foreign && liar.lie == LIE_BLOCK && truth[i].type == LPAR_CAP_LOGICAL_BLOCK)
			value = 4096;
		if (foreign && liar.lie == LIE_BLOCK && truth[i].type == LPAR_CAP_DMA_ALIGNMENT)
			value = 4095;
		if (i == victim)
			value = odd[get_random_u32() % ARRAY_SIZE(odd)];
		r.head.type = cpu_to_le16(truth[i].type);
		r.head.len = cpu_to_le16(sizeof(r));
		r.value.min = r.value.max = r.value.cur = cpu_to_le64(value);
		memcpy(data + at, &r, sizeof(r));
		at += sizeof(r);
	}
	if (lying) {
		nonsense++;
		liar.nonsense++;
		liar.generation++;
		/* and look again */
		signal(LPAR_VECTOR_EVENT, 1);
	}
	return liar.lie == LIE_RECORDS ? at - 16 : at;
}

static u32 nic_records(u8 *data)
{
	bool lying = liar.lie == LIE_NET_CAPS && liar.nonsense < rounds;
	u32 len = liar_nic_records(data, lying);

	if (lying) {
		nonsense++;
		liar.nonsense++;
		liar.generation++;
		signal(LPAR_VECTOR_EVENT, 1);
	}
	return len;
}

/* Is this one of the times that it is asked in vain? */
static bool busy(void)
{
	if (liar.lie != LIE_BUSY)
		return false;
	liar.busy = (liar.busy + 1) % (LIAR_BUSY + 1);
	return liar.busy;
}

static void queue_create(struct lpar_call *c)
{
	u64 index = le64_to_cpu(c->arg[1]), shape = le64_to_cpu(c->arg[3]);

	if (busy()) {
		c->status = cpu_to_le32(LPAR_BUSY);
		return;
	}

	if (!index || index > LIAR_QUEUES || liar.lie == LIE_REFUSE) {
		c->status = cpu_to_le32(LPAR_QUOTA);
		return;
	}
	liar.queue[index] = (struct liar_queue){
		.gpa = le64_to_cpu(c->arg[2]),
		.depth = shape & 0xffff,
		.segs = shape >> 16,
		.vector = le64_to_cpu(c->arg[4]) & 0xffff,
		.nic = le64_to_cpu(c->arg[0]) == LIAR_NIC,
		.receives = le64_to_cpu(c->arg[4]) >> 16 == LPAR_ROLE_RECEIVE,
	};
}

static void call(void)
{
	struct lpar_call *c = kzalloc(sizeof(*c), GFP_KERNEL);
	struct lpar_function *f;
	u32 op, seq, len = 0;

	if (!c || !liar_load(c, liar.call, offsetof(struct lpar_call, data)))
		goto out;
	op = le32_to_cpu(c->op);
	seq = le32_to_cpu(c->seq);
	if (seq == liar.seq)
		goto out;
	liar.seq = seq;
	c->status = LPAR_OK;
	memset(c->ret, 0, sizeof(c->ret));

	switch (op) {
	case LPAR_OP_HELLO:
		if (liar.lie != (le64_to_cpu(c->arg[0]) >> 16 & 0xffff) - 1)
			liar.hellos = liar.nonsense = 0;
		liar.hellos++;
		liar.lie = (le64_to_cpu(c->arg[0]) >> 16 & 0xffff) - 1;
		liar.sectors = LIAR_BYTES >> LPAR_SECTOR_SHIFT;
		c->ret[0] = cpu_to_le64(liar.lie == LIE_VERSION ? 0x10001 : 1);
		c->ret[1] = cpu_to_le64(liar.lie == LIE_QUEUES ? 1ull << 40 : LIAR_QUEUES);
		c->ret[2] = cpu_to_le64(1000);
		break;
	case LPAR_OP_FUNCTIONS:
		f = (void *)c->data;
		f[0].id = cpu_to_le32(liar.lie < LIE_NET ? LIAR_DISK : LIAR_NIC);
		f[0].type = cpu_to_le16(liar.lie < LIE_NET ? LPAR_FUNCTION_DISK : LPAR_FUNCTION_NIC);
		f[0].generation = cpu_to_le32(liar.generation);
		f[1] = f[0];
		len = sizeof(*f) * (liar.lie == LIE_TWICE ? 2 : 1);
		c->ret[0] = cpu_to_le64(len / sizeof(*f) + (liar.lie == LIE_COUNT));
		break;
	case LPAR_OP_CAPS:
		c->ret[0] = cpu_to_le64(liar.generation);
		len = liar.lie < LIE_NET ? records(c->data) : nic_records(c->data);
		break;
	case LPAR_OP_MAP:
		/* its logical I/O address is its guest address */
		c->ret[0] = c->ret[1] = cpu_to_le64(le64_to_cpu(c->arg[0]) & ~(LPAR_WINDOW_SIZE - 1));
		c->ret[2] = cpu_to_le64(LPAR_WINDOW_SIZE);
		if (liar.lie == LIE_WINDOW)
			c->ret[1] = cpu_to_le64(le64_to_cpu(c->ret[1]) + LPAR_WINDOW_SIZE);
		if (liar.lie == LIE_NOMEM)
			c->status = cpu_to_le32(LPAR_NOMEM);
		if (liar.lie == LIE_QUOTA)
			c->status = cpu_to_le32(LPAR_QUOTA);
		break;
	case LPAR_OP_QUEUE_CREATE:
		queue_create(c);
		break;
	case LPAR_OP_QUEUE_DESTROY:
		if (liar.lie == LIE_RESET) {
			liar.stubborn = true;
			liar.calm = jiffies + LIAR_CALM;
			c->status = cpu_to_le32(LPAR_INVAL);
			break;
		}
		memset(&liar.queue[le64_to_cpu(c->arg[0]) % (LIAR_QUEUES + 1)], 0, sizeof(liar.queue[0]));
		break;
	}
	c->out_len = cpu_to_le32(liar.lie == LIE_LENGTH && op == LPAR_OP_FUNCTIONS ? 0xfffffff0 : len);
	if (liar.lie == LIE_STATUS && op == LPAR_OP_FUNCTIONS)
		c->status = cpu_to_le32(0xffff);
	if (liar.lie == LIE_SILENT)
		goto out;
	liar_store(liar.call + offsetof(struct lpar_call, status), &c->status,
	      sizeof(*c) - offsetof(struct lpar_call, status));
	store32(liar.call + offsetof(struct lpar_call, done), liar.lie == LIE_NUMBER ? seq + 1 : seq);
out:
	kfree(c);
}

/* --------------------------------------------------------------------- requests */

static u32 transfer(const struct lpar_blk_sqe *sqe, const struct lpar_seg *segs)
{
	u64 where = le64_to_cpu(sqe->sector) << LPAR_SECTOR_SHIFT;
	u32 i;

	for (i = 0; i < le16_to_cpu(sqe->nsegs); i++) {
		u64 gpa = le64_to_cpu(segs[i].addr);
		u32 len = le32_to_cpu(segs[i].len);

		if (where > LIAR_BYTES || len > LIAR_BYTES - where)
			return LPAR_RANGE;
		if (!(sqe->op == LPAR_BLK_WRITE ? liar_load(liar.disk + where, gpa, len) :
						  liar_store(gpa, liar.disk + where, len)))
			return LPAR_NOWINDOW;
		where += len;
	}
	return LPAR_OK;
}

void liar_end(struct liar_queue *q, u32 id, u32 status, u32 bytes)
{
	struct lpar_cqe cqe = {
		.id = cpu_to_le16(id),
		.status = cpu_to_le16(status),
		.bytes = cpu_to_le32(bytes),
	};

	liar_store(q->gpa + lpar_queue_cq_offset(q->depth) + (q->cq_tail++ & (q->depth - 1)) * sizeof(cqe),
	      &cqe, sizeof(cqe));
}

/* One request, and what is untrue about it. Returns bits for the queue's state. */
static u32 serve_one(struct liar_queue *q)
{
	u32 slot = q->sq_head++ & (q->depth - 1), id, lie, status;
	struct lpar_seg *segs = NULL;
	struct lpar_blk_sqe sqe;

	if (!liar_load(&sqe, q->gpa + lpar_queue_sq_offset() + slot * sizeof(sqe), sizeof(sqe)))
		return 0;
	id = le16_to_cpu(sqe.id);
	lie = le64_to_cpu(sqe.sector) >= LIAR_SECTOR ? liar.lie : HONEST;
	if (le16_to_cpu(sqe.nsegs) <= LPAR_SQE_SEGS) {
		status = transfer(&sqe, sqe.seg);
	} else {
		size_t n = array_size(min_t(u32, le16_to_cpu(sqe.nsegs), q->segs), sizeof(*segs));

		segs = kmalloc(n, GFP_KERNEL);
		status = !segs ? LPAR_NOMEM :
			 !liar_load(segs, q->gpa + lpar_queue_segs_offset(q->depth) + slot * q->segs * sizeof(*segs), n) ?
			 LPAR_INVAL : transfer(&sqe, segs);
		kfree(segs);
	}

	switch (lie) {
	case LIE_UNKNOWN:
		liar_end(q, (id + 1) % q->depth, status, 0);
		break;
	case LIE_BEYOND:
		liar_end(q, 0xffff, status, 0);
		break;
	case LIE_DUPLICATE:
		liar_end(q, id, status, 0);
		liar_end(q, id, status, 0);
		break;
	case LIE_AHEAD:
		liar_end(q, id, status, 0);
		q->cq_tail += q->depth;
		break;
	case LIE_TAKEN:
		q->sq_head++;
		liar_end(q, id, status, 0);
		break;
	case LIE_BROKEN:
		return LPAR_QUEUE_BROKEN;
	case LIE_RESERVED:
		liar_end(q, id, status, 1);
		break;
	case LIE_RESULT:
		liar_end(q, id, 0xffff, 0);
		break;
	case LIE_NOWINDOW:
		liar_end(q, id, LPAR_NOWINDOW, 0);
		break;
	case LIE_STUCK:
		liar.stubborn = true;
		liar.calm = jiffies + LIAR_STUCK;
		break;
	case LIE_NEVER:
		break;
	default:
		liar_end(q, id, status, 0);
	}
	return 0;
}

/* Is the next request one that is not to be taken? */
static bool deaf(const struct liar_queue *q)
{
	u32 slot = q->sq_head & (q->depth - 1);
	struct lpar_blk_sqe sqe;

	return liar.lie == LIE_DEAF &&
	       liar_load(&sqe, q->gpa + lpar_queue_sq_offset() + slot * sizeof(sqe), sizeof(sqe)) &&
	       le64_to_cpu(sqe.sector) >= LIAR_SECTOR;
}

/* The queue that gives buffers, or one without depth. */
static struct liar_queue *receiver(void)
{
	u32 i;

	for (i = 1; i < LIAR_QUEUES && !liar.queue[i].receives; i++)
		;
	return &liar.queue[i];
}

static void serve(struct liar_queue *q)
{
	struct liar_queue *rx = receiver();

	u32 state = 0, i;
	__le32 tail;

	if (q->depth && q->away) {
		liar_nic_away(q);
		store32(q->gpa + offsetof(struct lpar_queue_ctrl, sq_head), q->sq_head);
		store32(q->gpa + offsetof(struct lpar_queue_ctrl, cq_tail), q->cq_tail);
		signal(q->vector, 1);
	}
	if (!q->depth || q->receives || !liar_load(&tail, q->gpa + offsetof(struct lpar_queue_ctrl, sq_tail), sizeof(tail)))
		return;
	for (i = 0; i < q->depth && q->sq_head - le32_to_cpu(tail) > q->depth && !deaf(q); i++)
		state |= q->nic ? liar_nic_serve(q, rx, liar.lie) : serve_one(q);
	store32(q->gpa + offsetof(struct lpar_queue_ctrl, sq_head), q->sq_head);
	store32(q->gpa + offsetof(struct lpar_queue_ctrl, cq_tail), q->cq_tail);
	state |= deaf(q) ? LPAR_QUEUE_RUNNABLE : 0;
	store32(q->gpa + offsetof(struct lpar_queue_ctrl, state), state);
	if (!deaf(q))
		signal(q->vector, 1);
	if (q->nic && rx->depth) {
		store32(rx->gpa + offsetof(struct lpar_queue_ctrl, sq_head), rx->sq_head);
		store32(rx->gpa + offsetof(struct lpar_queue_ctrl, cq_tail), rx->cq_tail);
		signal(rx->vector, 1);
	}
	if (liar.lie == LIE_STORM)
		for (i = 0; i < ARRAY_SIZE(liar.vector); i++)
			signal(i, LIAR_STORM);
	if (liar.lie == LIE_EVENTS) {
		/* it shrinks and grows: what is read must be there all the same */
		liar.generation++;
		liar.sectors ^= 1024;
		signal(LPAR_VECTOR_EVENT, 1);
	}
}

/* ---------------------------------------------------------------- /dev/lpar */

static void forget(void)
{
	memset(liar.queue, 0, sizeof(liar.queue));
	liar.enabled = false;
	liar.stubborn = false;
	liar.seq = 0;
}

static int set_vector(const struct lpar_eventfd *e)
{
	struct eventfd_ctx *ctx = NULL;

	if (e->index >= ARRAY_SIZE(liar.vector))
		return -EINVAL;
	if (e->fd >= 0) {
		ctx = eventfd_ctx_fdget(e->fd);
		if (IS_ERR(ctx))
			return PTR_ERR(ctx);
	}
	if (liar.vector[e->index])
		eventfd_ctx_put(liar.vector[e->index]);
	liar.vector[e->index] = ctx;
	return 0;
}

static int set_memory(bool add, const struct lpar_memory *m)
{
	unsigned int i;

	if (add) {
		if (liar.ranges == ARRAY_SIZE(liar.memory))
			return -ENOSPC;
		liar.memory[liar.ranges++] = *m;
		return 0;
	}
	for (i = 0; i < liar.ranges; i++)
		if (liar.memory[i].gpa == m->gpa && liar.memory[i].bytes == m->bytes) {
			liar.memory[i] = liar.memory[--liar.ranges];
			return 0;
		}
	return -ENOENT;
}

static long command(unsigned int cmd, void __user *p)
{
	union {
		struct lpar_attach attach;
		struct lpar_memory memory;
		struct lpar_eventfd eventfd;
		struct lpar_enable enable;
		struct lpar_ring ring;
	} u;

	if (_IOC_SIZE(cmd) > sizeof(u) || (_IOC_SIZE(cmd) && copy_from_user(&u, p, _IOC_SIZE(cmd))))
		return -EFAULT;
	switch (cmd) {
	case LPAR_ATTACH:
		/* no task work: each doorbell comes as LPAR_RING */
		u.attach.features = 0;
		u.attach.doorbells = LIAR_QUEUES + 1;
		return copy_to_user(p, &u.attach, sizeof(u.attach)) ? -EFAULT : 0;
	case LPAR_MEMORY_ADD:
	case LPAR_MEMORY_REMOVE:
		return set_memory(cmd == LPAR_MEMORY_ADD, &u.memory);
	case LPAR_SET_VECTOR:
		return set_vector(&u.eventfd);
	case LPAR_SET_VCPU:
		return 0;
	case LPAR_ENABLE:
		forget();
		if (busy())
			return -EAGAIN;
		liar.call = u.enable.call;
		liar.enabled = true;
		return 0;
	case LPAR_RESET:
		/* QEMU goes on saying that the channel is enabled */
		if (liar.stubborn && time_before(jiffies, liar.calm)) {
			if (liar.lie == LIE_RESET)
				liar.calm = jiffies + LIAR_CALM;
			return -EIO;
		}
		forget();
		return 0;
	case LPAR_RING:
		if (!liar.enabled)
			return 0;
		if (u.ring.index == LPAR_DOORBELL_CALL)
			call();
		else if (u.ring.index <= LIAR_QUEUES)
			serve(&liar.queue[u.ring.index]);
		return 0;
	default:
		return -ENOTTY;
	}
}

static long liar_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	long ret;

	mutex_lock(&liar.lock);
	ret = command(cmd, (void __user *)arg);
	mutex_unlock(&liar.lock);
	return ret;
}

static int liar_open(struct inode *inode, struct file *file)
{
	int ret = -EBUSY;

	mutex_lock(&liar.lock);
	if (!liar.file) {
		liar.file = file;
		ret = 0;
	}
	mutex_unlock(&liar.lock);
	return ret;
}

static int liar_release(struct inode *inode, struct file *file)
{
	unsigned int i;

	mutex_lock(&liar.lock);
	for (i = 0; i < ARRAY_SIZE(liar.vector); i++) {
		if (liar.vector[i])
			eventfd_ctx_put(liar.vector[i]);
		liar.vector[i] = NULL;
	}
	forget();
	liar.ranges = 0;
	liar.file = NULL;
	mutex_unlock(&liar.lock);
	return 0;
}

static const struct file_operations liar_fops = {
	.owner = THIS_MODULE,
	.open = liar_open,
	.release = liar_release,
	.unlocked_ioctl = liar_ioctl,
};

static struct miscdevice liar_device = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "lpar",
	.fops = &liar_fops,
	.mode = 0600,
};

static int __init liar_init(void)
{
	int ret;

	liar.disk = vzalloc(LIAR_BYTES);
	if (!liar.disk)
		return -ENOMEM;
	ret = misc_register(&liar_device);
	if (ret)
		vfree(liar.disk);
	return ret;
}
module_init(liar_init);

static void __exit liar_exit(void)
{
	misc_deregister(&liar_device);
	vfree(liar.disk);
}
module_exit(liar_exit);

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Test: a host that lies to its guests");
