/* SPDX-License-Identifier: GPL-2.0 */
#ifndef LPAR_HOST_CLIENT_H
#define LPAR_HOST_CLIENT_H

#include <linux/bitmap.h>
#include <linux/eventfd.h>
#include <linux/hashtable.h>
#include <linux/mutex.h>
#include <linux/task_work.h>
#include <linux/wait.h>
#include <linux/workqueue.h>
#include <linux/xarray.h>

#include <lpar/control.h>
#include "core_mailbox.h"

struct lpar_adapter;
struct lpar_partition;
struct lpar_queue;

/* Adapters that the functions of one partition may be on. */
#define LPAR_CLIENT_ADAPTERS	16
#define LPAR_CLIENT_VCPUS	1024

/* A range of guest memory; see struct lpar_memory. */
struct lpar_range {
	u64 gpa;
	u64 hva;
	u64 bytes;
};

/* Guest memory that the host itself reads and writes: pinned and mapped. */
struct lpar_area {
	struct page **pages;
	unsigned int n;
	void *addr;
};

/* A doorbell's eventfd; wakes in whoever rings, with the eventfd's lock held. A cache line:
 * each vCPU writes to its own queue's. */
struct lpar_bell {
	struct lpar_client *client;
	struct eventfd_ctx *ctx;
	wait_queue_entry_t wait;
	atomic64_t rings;		/* in the client's life */
} ____cacheline_aligned_in_smp;

/* A thread that runs a vCPU. What it rings is donated time. */
struct lpar_vcpu {
	struct hlist_node node;
	struct rcu_head rcu;
	struct task_struct *task;
	struct lpar_client *client;
	struct callback_head work;
	bool queued;			/* work is on the task's list */
	bool serving;			/* what it rings now is no guest's ring */
	unsigned int index;		/* in the order of registration */
	u64 rung_at;			/* for tracing: 0, or since when it waits */
	unsigned long rung[BITS_TO_LONGS(LPAR_DOORBELLS_MAX)];
};

/**
 * struct lpar_vector - an interrupt
 * @lock: protects @ctx; each has its own, since all queues' completions are signalled at once
 * @ctx:  of its eventfd, or NULL
 */
struct lpar_vector {
	spinlock_t lock;
	struct eventfd_ctx *ctx;
} ____cacheline_aligned_in_smp;

/**
 * struct lpar_client - an open /dev/lpar that has attached to a partition
 *
 * Lives from LPAR_ATTACH to the file's release. ioctls and queued task work hold
 * the file, so release runs when none of them does; what is left then are
 * requests in the adapter, its threads and eventfd wakers, which it ends in this
 * order: wakers, queues, windows, threads. See docs/teardown.md.
 *
 * @partition:    whose client it is; its configfs item is depended on
 * @file:         the open file; what task work holds
 * @mm:           of the process that attached; mmgrab()bed, so accounting works
 *                after the process has left it
 * @pid:          of that process
 * @lock:         protects what follows, up to the first empty line. Not held
 *                while memory is pinned: the VMM may make that last for ever.
 *                See lpar_memory_pin()
 * @memory:       guest memory that the VMM has told, @ranges of it
 * @ranges:       used entries of @memory
 * @generation:   goes up when @memory changes and at each reset; like @resets too wide
 *                for a client to make it come round while memory is pinned
 * @resets:       goes up at each reset
 * @chunks:       guest address >> LPAR_WINDOW_SHIFT → its window
 * @adapter:      those that windows are mapped for; the index is the place in
 *                lpar_window.map. Not referenced: the functions hold them
 * @call_area:    the call block, pinned and mapped while @enabled
 * @enabled:      the call block is in use
 * @greeted:      HELLO has been answered
 * @last_seq:     number of the last call that was taken
 * @pieces:       of a MANAGE text that is coming
 * @manage_text:  that text, or NULL
 * @windows:      logical I/O address >> LPAR_WINDOW_SHIFT → its window; read
 *                under RCU in the I/O path, changed under @lock
 * @queue:        by number, [0] is unused; read under RCU, changed under @lock
 * @bell:         doorbells; connected and disconnected under @lock
 * @vector:       interrupts, signalled in any context
 * @thread:       that serve what others ring, in the control groups of who attached:
 *                [0] for all queues, and by number for those whose device may make
 *                it wait; made under @lock, end with the client
 * @vcpus:        threads that donate; read under RCU, added under @lock, and under
 *                it freed when they have ended, or with the client
 * @n_vcpus:      how many
 * @vcpus_made:   how many there have been
 * @windows_live: windows that hold pinned pages
 * @queues_live:  queues that exist
 */
struct lpar_client {
	struct lpar_partition *partition;
	struct file *file;
	struct mm_struct *mm;
	pid_t pid;

	struct mutex lock;		/* up to the next empty line */
	struct lpar_range memory[LPAR_MEMORY_MAX];
	unsigned int ranges;
	u64 generation;
	u64 resets;
	struct xarray chunks;
	struct lpar_adapter *adapter[LPAR_CLIENT_ADAPTERS];
	struct lpar_area call_area;
	bool enabled;
	bool greeted;
	u32 last_seq;
	struct lpar_pieces pieces;
	char *manage_text;

	/* Read under RCU in the I/O path, changed under lock. Slots whose window
	 * the host took away hold a value until the client unmaps them. */
	struct xarray windows;
	struct lpar_queue __rcu *queue[LPAR_DOORBELLS_MAX];

	struct lpar_bell bell[LPAR_DOORBELLS_MAX];
	struct lpar_vector vector[LPAR_DOORBELLS_MAX + 1];

	struct kthread_worker *thread[LPAR_DOORBELLS_MAX];
	DECLARE_HASHTABLE(vcpus, 6);
	unsigned int n_vcpus;
	unsigned int vcpus_made;

	atomic64_t windows_live;
	atomic_t queues_live;
};

/* Doorbells rung in its life. */
static inline u64 lpar_client_doorbells(const struct lpar_client *c)
{
	unsigned int i;
	u64 sum = 0;

	for (i = 0; i < LPAR_DOORBELLS_MAX; i++)
		sum += atomic64_read(&c->bell[i].rings);
	return sum;
}

void lpar_client_signal(struct lpar_client *c, unsigned int vector);

#endif
