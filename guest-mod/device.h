/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The partition's device: what the files of this module share.
 *
 * Lock order: disks_lock → (block layer, rtnl, a disk's policy_lock) → channel.lock →
 * queues_lock → queue.lock → windows.park_lock. The last three are spinlocks, taken with
 * interrupts off; a netdev's transmit lock is above them. Calls to the host sleep,
 * with channel.lock held and often disks_lock, never a spinlock.
 */
#ifndef LPAR_GUEST_DEVICE_H
#define LPAR_GUEST_DEVICE_H

#include <linux/io.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/pci.h>
#include <linux/spinlock.h>
#include <linux/workqueue.h>
#include <linux/xarray.h>

#include <lpar/wire.h>

struct lpar_adjuncts;
struct lpar_queue;
struct lpar_mailboxes;

/**
 * struct lpar_channel - the call block and what HELLO agreed on
 * @lock:       one call at a time; protects @block and @seq
 * @block:      the page shared with the host
 * @seq:        number of the last call
 * @version:    of the wire, chosen by the host
 * @queues:     the partition's, numbered 1 … @queues
 * @quantum_us: the host's limit of one donation
 */
struct lpar_channel {
	struct mutex lock;	/* block, seq */
	struct lpar_call *block;
	u32 seq;
	u32 version;
	u32 queues;
	u32 quantum_us;
};

/**
 * struct lpar_windows - guest memory that the host has mapped for this partition
 * @chunks:    2 MiB chunk number → its windows (a list by lpar_window.next);
 *             changed by @work alone, read under RCU
 * @clock:     all windows in the order of the eviction's hand; @work alone
 * @count:     windows on @clock
 * @park_lock: protects @parked
 * @parked:    requests (lpar_request.node) that wait for a window
 * @starved:   the host's limit is reached and no window is idle: nobody takes a
 *             window but @work, so that they become idle
 * @waits:     the first of @parked waits for requests that the host has
 * @rests:     the first of @parked is looked at again by itself, but not at once
 * @waiters:   lpar_window_waiter.node, protected by @park_lock; served after @parked
 * @served:    what @work has got done: windows mapped, requests submitted
 * @work:      maps for @parked; runs on lpar_device.wq
 */
struct lpar_windows {
	struct xarray chunks;
	struct list_head clock;
	u32 count;
	spinlock_t park_lock;	/* parked */
	struct list_head parked;
	struct list_head waiters;
	bool starved;
	bool waits;
	bool rests;
	u32 served;
	struct delayed_work work;
};

/**
 * struct lpar_device - one PCI function, that is one partition's channel
 * @pdev:        the function
 * @regs:        LPAR_BAR_REGS
 * @doorbell:    port of doorbell 0
 * @doorbells:   how many there are
 * @vectors:     MSI-X vectors in use for events and queues, at least 2
 * @channel:     calls
 * @windows:     mapped memory
 * @wq:          runs @windows.work and @reset_work; both are needed to write
 *               pages back
 * @repost_wq:   runs lpar_net.repost_work, which may be needed for that as well, and
 *               waits for @windows.work
 * @event_work:  looks at the functions again
 * @reset_work:  what follows lpar_main_break()
 * @broken:      set once, never cleared: nothing is sent to the host any more.
 *               Whoever hands a request over checks it under the lock that the
 *               sweep of @reset_work takes later
 * @quiet:       the host has acknowledged a reset: it writes no memory of ours
 * @deaf:        the host once did not acknowledge a reset in time, nor has it since:
 *               it is asked again, and not waited for
 * @queues_lock: protects @queues
 * @queues:      by number, [0] is unused
 * @numbers:     of queues that somebody has, used or not
 * @disks_lock:  protects @disks, @nets and @stopped; held while they come and go
 * @disks:       lpar_disk.node
 * @nets:        lpar_net.node
 * @stopped:     suspended or in a function reset
 * @leaving:     about to be so, or to be removed: what the host does not end is not
 *               waited for without end
 * @resting:     between suspend and resume, or in a function reset: @reset_work does
 *               nothing
 * @adjuncts:    /dev/lpar-adjunct, or NULL
 * @mailboxes:   the character device for asking about VFs, or NULL
 */
struct lpar_device {
	struct pci_dev *pdev;
	void __iomem *regs;
	unsigned long doorbell;
	u32 doorbells;
	u32 vectors;
	struct lpar_channel channel;
	struct lpar_windows windows;
	struct workqueue_struct *wq;
	struct workqueue_struct *repost_wq;
	struct delayed_work event_work;
	struct delayed_work reset_work;
	unsigned long broken;
	bool quiet;
	bool deaf;
	spinlock_t queues_lock;	/* queues */
	struct lpar_queue *queues[LPAR_DOORBELLS_MAX];
	DECLARE_BITMAP(numbers, LPAR_DOORBELLS_MAX);
	struct mutex disks_lock;	/* disks, nets, stopped */
	struct list_head disks;
	struct list_head nets;
	bool stopped;
	bool leaving;
	bool resting;
	struct lpar_adjuncts *adjuncts;
	struct lpar_mailboxes *mailboxes;
};

static inline bool lpar_device_broken(const struct lpar_device *dev)
{
	return READ_ONCE(dev->broken);
}

/**
 * lpar_device_ring - ring a doorbell: the host serves it inside this instruction
 * @dev: the partition's device
 * @n:   LPAR_DOORBELL_CALL or the number of a queue
 *
 * Everything written before is visible to the host: for the CPU the instruction is
 * a full barrier.
 * Any context; not under a spinlock but a netdev's transmit lock, which the stack holds
 * around it: this vCPU may be away for a quantum.
 */
static inline void lpar_device_ring(const struct lpar_device *dev, u32 n)
{
	barrier();	/* to the compiler outw() is none */
	outw(0, dev->doorbell + n * LPAR_DOORBELL_STRIDE);
}

__printf(2, 3)
void lpar_main_break(struct lpar_device *dev, const char *fmt, ...);

#endif
