/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Who is still using an object that is being taken away. An object is published
 * with one user (its owner); a reader takes another with tryget and drops it with
 * put, from any context. The owner kills the object once, after it has unpublished
 * it, and waits until the last user has gone. tryget fails from then on.
 */
#ifndef LPAR_HOST_USERS_H
#define LPAR_HOST_USERS_H

#include <linux/refcount.h>
#include <linux/sched/signal.h>
#include <linux/wait_bit.h>

struct lpar_users {
	refcount_t n;
	bool dead;
};

static inline void lpar_users_init(struct lpar_users *u)
{
	refcount_set(&u->n, 1);
	u->dead = false;
}

static inline bool lpar_users_tryget(struct lpar_users *u)
{
	if (READ_ONCE(u->dead))
		return false;
	return refcount_inc_not_zero(&u->n);
}

/* For who ends what a dead object still has. */
static inline bool lpar_users_tryget_dead(struct lpar_users *u)
{
	return refcount_inc_not_zero(&u->n);
}

/* The caller must know that the object is not freed before this returns: it is
 * RCU-freed, or its owner frees it only after a grace period. */
static inline void lpar_users_put(struct lpar_users *u)
{
	if (refcount_dec_and_test(&u->n))
		wake_up_var(u);
}

static inline bool lpar_users_busy(struct lpar_users *u)
{
	return refcount_read(&u->n) > 1;
}

/* Kill an object that nobody but its owner uses; false if somebody does. */
static inline bool lpar_users_kill_idle(struct lpar_users *u)
{
	/* of a dead one the last user need not be the owner */
	if (READ_ONCE(u->dead) || !refcount_dec_if_one(&u->n))
		return false;
	WRITE_ONCE(u->dead, true);
	return true;
}

static inline void lpar_users_kill(struct lpar_users *u)
{
	WRITE_ONCE(u->dead, true);
	lpar_users_put(u);
}

static inline bool lpar_users_gone(struct lpar_users *u)
{
	return refcount_read(&u->n) == 0;
}

/* May sleep, as long as the adapter takes to finish what it was given. */
static inline void lpar_users_wait(struct lpar_users *u)
{
	wait_var_event(u, lpar_users_gone(u));
}

static inline int lpar_users_wait_killable(struct lpar_users *u)
{
	return wait_var_event_killable(u, lpar_users_gone(u));
}

#endif
