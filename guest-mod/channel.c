// SPDX-License-Identifier: GPL-2.0
/*
 * The hypercall channel: registers, the call block, HELLO.
 */
#include <linux/delay.h>
#include <linux/gfp.h>
#include <linux/moduleparam.h>
#include <asm/barrier.h>

#include <lpar/adjunct.h>

#include "channel.h"

/* How long a call may take before the device counts as broken, a reset before it is
 * reported, and an adjunct's answer likewise. */
static unsigned int call_timeout = 30;
module_param(call_timeout, uint, 0644);
MODULE_PARM_DESC(call_timeout, "Longest call to the host, and reset, seconds; so much of an adjunct's time for one request is reported");

static ushort wire_min = LPAR_WIRE_VERSION_MIN;
module_param(wire_min, ushort, 0444);
MODULE_PARM_DESC(wire_min, "Lowest wire version offered (for tests)");

static ushort wire_max = LPAR_WIRE_VERSION;
module_param(wire_max, ushort, 0444);
MODULE_PARM_DESC(wire_max, "Highest wire version offered (for tests)");

#define CHANNEL_ENABLE_MS	5000
#define CHANNEL_POLL_MIN_US	20
#define CHANNEL_POLL_MAX_US	10000

static u32 channel_read(struct lpar_device *dev, unsigned int reg)
{
	return ioread32(dev->regs + reg);
}

static void channel_write(struct lpar_device *dev, unsigned int reg, u32 value)
{
	iowrite32(value, dev->regs + reg);
}

/* All ones is what a function that is no longer there reads as. */
static bool channel_gone(u32 value)
{
	return value == ~0u;
}

/**
 * lpar_channel_init - look at the registers and get a call block
 * @dev: with its BARs mapped
 *
 * Return: 0 or a negative errno.
 */
int lpar_channel_init(struct lpar_device *dev)
{
	u32 magic, layout, doorbells, vectors;

	BUILD_BUG_ON(sizeof(struct lpar_call) > PAGE_SIZE);
	mutex_init(&dev->channel.lock);

	magic = channel_read(dev, LPAR_REG_MAGIC);
	layout = channel_read(dev, LPAR_REG_LAYOUT);
	if (magic != LPAR_MAGIC || layout != 1) {
		dev_err(&dev->pdev->dev, "unknown registers: magic %#x, layout %u\n",
			magic, layout);
		return -ENODEV;
	}

	/* Doorbell 0 is for calls, so two are the least; vectors likewise. */
	doorbells = channel_read(dev, LPAR_REG_DOORBELLS);
	vectors = channel_read(dev, LPAR_REG_VECTORS);
	if (doorbells < 2 || doorbells > LPAR_DOORBELLS_MAX || vectors < 2 ||
	    pci_resource_len(dev->pdev, LPAR_BAR_DOORBELL) <
	    doorbells * LPAR_DOORBELL_STRIDE) {
		dev_err(&dev->pdev->dev, "implausible: %u doorbells, %u vectors\n",
			doorbells, vectors);
		return -ENODEV;
	}
	dev->doorbells = doorbells;
	dev->vectors = min_t(u32, vectors, LPAR_DOORBELLS_MAX + LPAR_ADJUNCTS_MAX);

	dev->channel.block = (void *)get_zeroed_page(GFP_KERNEL);
	return dev->channel.block ? 0 : -ENOMEM;
}

/**
 * lpar_channel_free - give the call block back
 * @dev: after the host has acknowledged a reset, or it keeps the page for good
 */
void lpar_channel_free(struct lpar_device *dev)
{
	if (dev->quiet)
		free_page((unsigned long)dev->channel.block);
	else
		dev_err(&dev->pdev->dev, "no answer to the reset: leaving the call block\n");
	dev->channel.block = NULL;
}

/**
 * lpar_channel_reset - make the host drain and drop every queue and window
 * @dev:     the device
 * @timeout: how long to wait for the host's answer, jiffies
 *
 * The host does it inside the register write; waiting is for one that does not. A
 * host that once gave no answer in time is asked again, but not waited for: those
 * who wait for a reset, one after the other for each queue, wait once.
 * May sleep; takes no lock, so that nothing that hangs can be in its way.
 *
 * Return: 0 when it writes no memory of ours any more, -ETIMEDOUT else.
 */
int lpar_channel_reset(struct lpar_device *dev, unsigned long timeout)
{
	unsigned long end = jiffies + (READ_ONCE(dev->deaf) ? 0 : timeout);
	unsigned int delay = CHANNEL_POLL_MIN_US;
	u32 status;

	channel_write(dev, LPAR_REG_CONTROL, LPAR_CONTROL_RESET);
	for (;;) {
		status = channel_read(dev, LPAR_REG_STATUS);
		if (channel_gone(status) || !(status & LPAR_STATUS_ENABLED))
			break;
		if (time_after(jiffies, end)) {
			if (!READ_ONCE(dev->deaf))
				dev_err(&dev->pdev->dev, "the host does not answer the reset: keeping what it may write to\n");
			WRITE_ONCE(dev->deaf, true);
			return -ETIMEDOUT;
		}
		usleep_range(delay, delay * 2);
		delay = min(delay * 2, CHANNEL_POLL_MAX_US + 0u);
	}
	WRITE_ONCE(dev->deaf, false);
	dev->quiet = true;
	return 0;
}

static int channel_enable(struct lpar_device *dev)
{
	unsigned long end = jiffies + msecs_to_jiffies(CHANNEL_ENABLE_MS);
	phys_addr_t block = virt_to_phys(dev->channel.block);
	u32 status;
	bool late;

	memset(dev->channel.block, 0, sizeof(*dev->channel.block));
	channel_write(dev, LPAR_REG_CALL_LO, lower_32_bits(block));
	channel_write(dev, LPAR_REG_CALL_HI, upper_32_bits(block));
	dev->quiet = false;
	channel_write(dev, LPAR_REG_CONTROL, LPAR_CONTROL_ENABLE);

	for (;;) {
		late = time_after(jiffies, end);
		status = channel_read(dev, LPAR_REG_STATUS);
		if (channel_gone(status))
			return -ENODEV;
		if (status & LPAR_STATUS_FAILED) {
			status >>= LPAR_STATUS_ERRNO_SHIFT;
			if (status != EAGAIN || late) {
				dev_err(&dev->pdev->dev, "the host refused the channel: error %u\n",
					status);
				return -EIO;
			}
			/* Its view of our memory was changing. */
			channel_write(dev, LPAR_REG_CONTROL, LPAR_CONTROL_ENABLE);
		} else if (status & LPAR_STATUS_ENABLED) {
			return 0;
		} else if (late) {
			return -ETIMEDOUT;
		}
		usleep_range(100, 1000);
	}
}

static int channel_hello(struct lpar_device *dev)
{
	u64 arg[5] = { wire_min | (u64)wire_max << 16 };
	struct lpar_channel *channel = &dev->channel;
	struct lpar_result result;
	int err;

	err = lpar_channel_call(dev, LPAR_OP_HELLO, arg, &result, NULL);
	if (err)
		return err;
	if (result.status == LPAR_VERSION) {
		dev_err(&dev->pdev->dev, "the host speaks none of the wire versions %u to %u\n",
			wire_min, wire_max);
		return -EPROTONOSUPPORT;
	}
	if (result.status != LPAR_OK) {
		dev_err(&dev->pdev->dev, "HELLO failed with status %u\n", result.status);
		return lpar_channel_errno(result.status);
	}
	if (result.ret[0] < wire_min || result.ret[0] > wire_max ||
	    !result.ret[1] || result.ret[1] >= LPAR_DOORBELLS_MAX) {
		dev_err(&dev->pdev->dev, "HELLO gave version %llu and %llu queues\n",
			result.ret[0], result.ret[1]);
		return -EPROTO;
	}
	channel->version = result.ret[0];
	/* What the host serves and the device has doorbells for. */
	channel->queues = min_t(u64, result.ret[1], dev->doorbells - 1);
	channel->quantum_us = min_t(u64, result.ret[2], U32_MAX);
	return 0;
}

/**
 * lpar_channel_open - take the call block into use and say HELLO
 * @dev: the device
 *
 * Whatever an earlier kernel left behind (kexec, crash) is reset first. May
 * sleep.
 *
 * Return: 0 or a negative errno.
 */
int lpar_channel_open(struct lpar_device *dev)
{
	int err;

	err = lpar_channel_reset(dev, msecs_to_jiffies(CHANNEL_ENABLE_MS));
	if (!err)
		err = channel_enable(dev);
	if (!err)
		err = channel_hello(dev);
	return err;
}

/**
 * lpar_channel_patience - how long may an answer take?
 *
 * Any context.
 *
 * Return: jiffies.
 */
unsigned long lpar_channel_patience(void)
{
	return (unsigned long)READ_ONCE(call_timeout) * HZ;
}

/* Wait until the host has stored our number; it normally has at once. */
static int channel_wait(struct lpar_device *dev, u32 seq)
{
	struct lpar_call *block = dev->channel.block;
	unsigned long end = jiffies + lpar_channel_patience();
	unsigned int delay = CHANNEL_POLL_MIN_US;
	bool late;

	for (;;) {
		late = time_after(jiffies, end);
		/*
		 * Order the number before the results that it stands for. Pairs
		 * with the host's release store of done. An older number is not
		 * ours, whenever it comes.
		 */
		if (le32_to_cpu(virt_load_acquire(&block->done)) == seq)
			return 0;
		if (lpar_device_broken(dev) || late)
			return -EIO;
		usleep_range(delay, delay * 2);
		delay = min(delay * 2, CHANNEL_POLL_MAX_US + 0u);
	}
}

/**
 * lpar_channel_call - call the partition manager
 * @dev:    the device
 * @op:     what to do
 * @arg:    arguments, or NULL for none
 * @result: a private copy of the results
 * @data:   room for LPAR_CHANNEL_DATA bytes of records, or NULL
 *
 * Sleeps, for at most call_timeout seconds; then the device is broken. Must not
 * be held up by memory reclaim: nothing is allocated here.
 *
 * Return: 0 when the call was carried out (look at the status), -EIO when the
 * device is broken.
 */
int lpar_channel_call(struct lpar_device *dev, enum lpar_op op,
		      const u64 arg[5], struct lpar_result *result, void *data)
{
	return lpar_channel_exchange(dev, op, arg, NULL, 0, result, data);
}

/**
 * lpar_channel_exchange - call the partition manager, and give it data
 * @dev:    the device
 * @op:     what to do
 * @arg:    arguments, or NULL for none
 * @in:     the data, or NULL
 * @in_len: its bytes, at most LPAR_CHANNEL_DATA
 * @result: a private copy of the results
 * @data:   room for LPAR_CHANNEL_DATA bytes of records, or NULL
 *
 * As lpar_channel_call().
 *
 * Return: likewise.
 */
int lpar_channel_exchange(struct lpar_device *dev, enum lpar_op op,
			  const u64 arg[5], const void *in, u32 in_len,
			  struct lpar_result *result, void *data)
{
	struct lpar_channel *channel = &dev->channel;
	struct lpar_call *block = channel->block;
	int err = -EIO, i;

	mutex_lock(&channel->lock);
	if (lpar_device_broken(dev))
		goto out;

	if (!++channel->seq)
		channel->seq = 1;
	block->op = cpu_to_le32(op);
	block->seq = cpu_to_le32(channel->seq);
	for (i = 0; i < ARRAY_SIZE(block->arg); i++)
		block->arg[i] = cpu_to_le64(arg ? arg[i] : 0);
	if (in_len)
		memcpy(block->data, in, in_len);

	lpar_device_ring(dev, LPAR_DOORBELL_CALL);
	err = channel_wait(dev, channel->seq);
	if (err) {
		lpar_main_break(dev, "call %d got no answer", op);
		goto out;
	}

	/* Each word is read once, so that what is validated is what is used. */
	result->status = le32_to_cpu(READ_ONCE(block->status));
	for (i = 0; i < ARRAY_SIZE(result->ret); i++)
		result->ret[i] = le64_to_cpu(READ_ONCE(block->ret[i]));
	result->out_len = le32_to_cpu(READ_ONCE(block->out_len));
	if (result->out_len > LPAR_CHANNEL_DATA) {
		lpar_main_break(dev, "call %d gave %u bytes", op, result->out_len);
		err = -EIO;
		goto out;
	}
	if (data)
		memcpy(data, block->data, result->out_len);
out:
	mutex_unlock(&channel->lock);
	return err;
}

/**
 * lpar_channel_errno - a call's status as an errno
 * @status: enum lpar_status from a result, not validated
 *
 * Return: 0 or a negative errno.
 */
int lpar_channel_errno(u32 status)
{
	switch (status) {
	case LPAR_OK:
		return 0;
	case LPAR_INVAL:
	case LPAR_RANGE:
		return -EINVAL;
	case LPAR_NOSYS:
	case LPAR_NOTSUPP:
		return -EOPNOTSUPP;
	case LPAR_VERSION:
		return -EPROTONOSUPPORT;
	case LPAR_NOENT:
	case LPAR_GONE:
		return -ENODEV;
	case LPAR_BUSY:
		return -EBUSY;
	case LPAR_QUOTA:
		return -EDQUOT;
	case LPAR_FAULT:
		return -EFAULT;
	case LPAR_NOMEM:
		return -ENOMEM;
	case LPAR_READONLY:
		return -EROFS;
	default:
		return -EIO;
	}
}
