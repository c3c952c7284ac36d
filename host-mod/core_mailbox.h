/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The pure core of mailboxes: what a partition may ask to be done to its VFs, by the
 * administrator's policy; the life of a request; who may manage. See core.h.
 */
#ifndef LPAR_HOST_CORE_MAILBOX_H
#define LPAR_HOST_CORE_MAILBOX_H

#include "core.h"

#ifndef __KERNEL__
#include <stdio.h>
#endif

/* ----------------------------------------------------------------- policy */

enum lpar_rule_word {
	LPAR_RULE_ASK,		/* somebody decides: the request waits */
	LPAR_RULE_ALLOW,
	LPAR_RULE_REFUSE,
};

/**
 * struct lpar_rule - what becomes of a request for one thing
 * @word:    what becomes of it
 * @limited: other values than @min … @max are refused; not with LPAR_RULE_REFUSE
 * @min:     least value
 * @max:     greatest value
 */
struct lpar_rule {
	enum lpar_rule_word word;
	bool limited;
	u64 min;
	u64 max;
};

/* By enum lpar_ask; all zero: everything waits. */
struct lpar_policy {
	struct lpar_rule rule[LPAR_ASKS];
};

/* The longest text of a rule, with its zero. */
#define LPAR_RULE_TEXT	64

const char *lpar_core_ask_name(u32 ask);
bool lpar_core_ask_range(u32 kind, u32 ask, u64 *min, u64 *max);
bool lpar_core_rule_parse(const char *text, u32 ask, struct lpar_rule *rule);
int lpar_core_rule_text(char *to, size_t size, u32 ask, const struct lpar_rule *rule);
enum lpar_status lpar_core_ask(const struct lpar_policy *policy, u32 kind, u64 ask,
			       u64 value, enum lpar_rule_word *word);
int lpar_core_ask_why(char *to, size_t size, u32 ask, const struct lpar_rule *rule);
int lpar_core_mailbox_records(void *buf, size_t size, const char *name, u32 kind,
			      const struct lpar_policy *policy, const u64 *now,
			      u32 known);

/* ------------------------------------------------------ life of a request */

enum lpar_asked_state {
	LPAR_ASKED_WAITS,	/* nobody has it in hand */
	LPAR_ASKED_TAKEN,	/* somebody carries it out, or decides */
	LPAR_ASKED_ENDED,	/* the client may fetch what it ended with */
};

/* Somebody takes it in hand. WAITS => TAKEN. Return: 0, -EBUSY, -ENOENT (ended). */
static inline int lpar_core_take(enum lpar_asked_state state)
{
	if (state == LPAR_ASKED_ENDED)
		return -ENOENT;
	return state == LPAR_ASKED_TAKEN ? -EBUSY : 0;
}

/* TAKEN => ENDED, by who has it in hand (@own). Return: 0, -EPERM, -ENOENT (ended). */
static inline int lpar_core_end(enum lpar_asked_state state, bool own)
{
	if (state == LPAR_ASKED_ENDED)
		return -ENOENT;
	return state == LPAR_ASKED_TAKEN && own ? 0 : -EPERM;
}

/* TAKEN => WAITS, when who has it in hand goes; anything else stays. */
static inline enum lpar_asked_state lpar_core_drop(enum lpar_asked_state state, bool own)
{
	return state == LPAR_ASKED_TAKEN && own ? LPAR_ASKED_WAITS : state;
}

/*
 * The client wants the text of @len bytes from @offset on, or forgets the request.
 * LPAR_OK: it gets *@n bytes, at most @room.
 */
static inline enum lpar_status lpar_core_fetch(enum lpar_asked_state state, u64 offset,
					       u32 len, u32 room, u32 *n)
{
	*n = 0;
	if (offset == LPAR_FORGET)
		return LPAR_OK;
	if (state != LPAR_ASKED_ENDED)
		return LPAR_BUSY;
	if (offset > len)
		return LPAR_RANGE;
	*n = len - (u32)offset < room ? len - (u32)offset : room;
	return LPAR_OK;
}

/* ------------------------------------------------------------------- roles */

enum lpar_role {
	LPAR_ROLE_CLIENT,
	LPAR_ROLE_MANAGEMENT,	/* of all IOV, from inside a guest; one at a time */
};

/* May a partition's role be changed to @to? @attached: it has a client; @other: another
 * one has the management. Return: 0, -EBUSY. */
static inline int lpar_core_role(enum lpar_role to, bool attached, bool other)
{
	return attached || (to == LPAR_ROLE_MANAGEMENT && other) ? -EBUSY : 0;
}

/**
 * struct lpar_pieces - a MANAGE text as far as it has come
 * @total: bytes of all of it; 0: none has begun
 * @have:  bytes that are there
 */
struct lpar_pieces {
	u32 total;
	u32 have;
};

enum lpar_status lpar_core_piece(enum lpar_role role, const struct lpar_pieces *pieces,
				 bool open, u64 offset, u64 total, u32 room, u32 *n);

#endif
