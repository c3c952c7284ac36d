/* SPDX-License-Identifier: GPL-2.0 */
/* Who donates to the adjunct in a slot: whoever calls, or a thread of the slot's. */
#ifndef LPAR_GUEST_ADJUNCT_DONOR_H
#define LPAR_GUEST_ADJUNCT_DONOR_H

#include <linux/spinlock.h>

struct adjunct_file;
struct task_struct;

/**
 * enum lpar_donor_state - of one donation by the slot's thread
 * @LPAR_DONOR_IDLE:    none is asked for
 * @LPAR_DONOR_ASKED:   it is, and the thread has not had its CPU yet
 * @LPAR_DONOR_RUNNING: the adjunct runs
 * @LPAR_DONOR_OVER:    it ran; who asked has not taken notice yet
 */
enum lpar_donor_state {
	LPAR_DONOR_IDLE,
	LPAR_DONOR_ASKED,
	LPAR_DONOR_RUNNING,
	LPAR_DONOR_OVER,
};

/**
 * struct lpar_donor - of one slot
 * @lock:   protects all but @thread; taken by tasks only
 * @thread: donates; once there, it stays, with the priority and the CPUs that it has been given
 * @state:  enum lpar_donor_state, also read without @lock
 * @file:   that asked; NULL with LPAR_DONOR_IDLE
 * @given:  what the adjunct had, jiffies, with LPAR_DONOR_OVER
 */
struct lpar_donor {
	spinlock_t lock;
	struct task_struct *thread;
	enum lpar_donor_state state;
	struct adjunct_file *file;
	unsigned long given;
};

void lpar_donor_init(struct lpar_donor *donor);
int lpar_donor_start(struct lpar_donor *donor, int node, int device, u32 slot);
void lpar_donor_stop(struct lpar_donor *donor);
void lpar_donor_ask(struct lpar_donor *donor, struct adjunct_file *f);
bool lpar_donor_over(struct lpar_donor *donor, unsigned long *given);
bool lpar_donor_withdraw(struct lpar_donor *donor);
void lpar_donor_refuse(struct lpar_donor *donor);
unsigned long lpar_donor_donate(struct adjunct_file *f);

/* Is no donation asked for? With the file's lock held it stays so. */
static inline bool lpar_donor_idle(const struct lpar_donor *donor)
{
	return READ_ONCE(donor->state) == LPAR_DONOR_IDLE;
}

/* Has somebody to wait? Any context. */
static inline bool lpar_donor_busy(const struct lpar_donor *donor)
{
	enum lpar_donor_state state = READ_ONCE(donor->state);

	return state == LPAR_DONOR_ASKED || state == LPAR_DONOR_RUNNING;
}

#endif
