/* SPDX-License-Identifier: GPL-2.0 */
/* What a device's adjuncts (adjunct.c) and the files that use them (adjunct_file.c, adjunct_serve.c) share. */
#ifndef LPAR_GUEST_ADJUNCT_FILE_H
#define LPAR_GUEST_ADJUNCT_FILE_H

#include <linux/fs.h>
#include <linux/io.h>
#include <linux/kref.h>
#include <linux/miscdevice.h>
#include <linux/mutex.h>
#include <linux/poll.h>
#include <linux/rwsem.h>
#include <linux/spinlock.h>

#include <lpar/adjunct.h>
#include <lpar/adjunct_dev.h>
#include "device.h"

struct lpar_batch;

/**
 * struct lpar_adjuncts - a device's slots, and the files that use them
 * @ref:      the device's, and one for each open file
 * @dev:      not to be used once @gone
 * @life:     held for reading by all that uses the device or a file's slot; for writing,
 *            they are at rest
 * @lock:     protects @files and @used
 * @files:    adjunct_file.node
 * @used:     slots
 * @slots:    how many there are
 * @vector:   MSI-X vector of slot 0; those of the others follow
 * @vectors:  how many there are: slots beyond have none
 * @stopped:  suspended or in a function reset: whoever runs an adjunct leaves
 * @gone:     the device is; changed with @life held for writing
 * @misc:     the node
 * @policies: of the slots
 * @groups:   their files
 * @id:       that makes the node's name unique
 * @name:     of the node
 */
struct lpar_adjuncts {
	struct kref ref;
	struct lpar_device *dev;
	struct rw_semaphore life;
	struct mutex lock;	/* files, used */
	struct list_head files;
	DECLARE_BITMAP(used, LPAR_ADJUNCTS_MAX);
	u32 slots;
	u32 vector;
	u32 vectors;
	bool stopped;
	bool gone;
	struct miscdevice misc;
	struct lpar_slot_policy *policies;
	const struct attribute_group **groups;
	int id;
	char name[24];
};

/**
 * struct adjunct_file - one open file
 * @group:     the device's slots
 * @node:      in lpar_adjuncts.files
 * @wait:      poll(), and who waits for a thread or a device
 * @ending:    DESTROY calls that wait for @lock: whoever has it leaves
 * @hangup:    the adjunct is lost, with its device or by a reset of it
 * @events:    what poll() says, but for @hangup
 * @interrupts: PA BUSY
 * @waiting_lock: protects @callers, @waiting, lpar_batch.first and .given; taken by tasks only
 * @callers:   lpar_batch.caller, in the order in which they came: the first one may have @lock
 * @waiting:   lpar_batch.node, of what the adjunct has not been given, by class
 * @lock:      protects all below: one command at a time, one donation at a time
 * @slot:      of the device; -1: none
 * @shared:    the slot's shared part
 * @irq:       has a PA BUSY vector
 * @device:    it has one, whose interrupt is PA BUSY too. poll() reads this and the next
 *             two without @lock
 * @seen:      interrupts that are known of
 * @owed:      the device has interrupted, and the adjunct does not know yet
 * @policy:    enum lpar_adjunct_policy, as the program wants it
 * @wanted_us: quantum, likewise; 0: as long as it may be
 * @quantum_us: that the device has been told
 * @timeout:   longest call, jiffies; 0: no limit. Callers read it without @lock
 * @given:     what the adjunct has had of time for request @head, jiffies
 * @late:      so much of it is reported next
 * @head:      requests served
 * @tail:      requests written
 * @start:     requests written before those that the shared part has
 * @ring:      lpar_batch.node, of what the shared part has, in its order
 * @submitted: SUBMIT's, until it has been collected
 * @info:      for REPORT, but for what changes outside of @lock
 */
struct adjunct_file {
	struct lpar_adjuncts *group;
	struct list_head node;
	wait_queue_head_t wait;
	atomic_t ending;
	bool hangup;
	__poll_t events;
	atomic64_t interrupts;
	spinlock_t waiting_lock;
	struct list_head callers;
	struct list_head waiting;
	struct mutex lock;	/* all below */
	int slot;
	void *shared;
	bool irq;
	bool device;
	u64 seen;
	bool owed;
	u32 policy;
	u32 wanted_us;
	u32 quantum_us;
	unsigned long timeout;
	unsigned long given;
	unsigned long late;
	u32 head;
	u32 tail;
	u32 start;
	struct list_head ring;
	struct lpar_batch *submitted;
	struct lpar_adjunct_state_info info;
};

static inline u32 lpar_adjunct_read(const struct adjunct_file *f, unsigned int reg)
{
	return ioread32(f->group->dev->regs + LPAR_REG_ADJUNCT(f->slot) + reg);
}

static inline void lpar_adjunct_write(const struct adjunct_file *f, unsigned int reg, u32 value)
{
	iowrite32(value, f->group->dev->regs + LPAR_REG_ADJUNCT(f->slot) + reg);
}

extern const struct file_operations lpar_adjunct_fops;

/* adjunct_serve.c */
void lpar_adjunct_line_up(struct adjunct_file *f, struct lpar_batch *b);
void lpar_adjunct_step_out(struct adjunct_file *f, struct lpar_batch *b);
int lpar_adjunct_serve_for(struct adjunct_file *f, struct lpar_batch *b);
void lpar_adjunct_submit(struct adjunct_file *f, struct lpar_batch *b);
struct lpar_batch *lpar_adjunct_unsubmit(struct adjunct_file *f);
int lpar_adjunct_serve_submitted(struct adjunct_file *f);
void lpar_adjunct_take_back(struct adjunct_file *f);
void lpar_adjunct_turn_away(struct adjunct_file *f);
void lpar_adjunct_begin(struct adjunct_file *f);
void lpar_adjunct_tell(struct adjunct_file *f);
bool lpar_adjunct_interrupted(const struct adjunct_file *f);
int lpar_adjunct_run(struct adjunct_file *f, const struct lpar_batch *own, bool once);
void lpar_adjunct_quiet(struct adjunct_file *f);

void lpar_adjunct_destroy(struct adjunct_file *f);
void lpar_adjuncts_free(struct kref *ref);

#endif
