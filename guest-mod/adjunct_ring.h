/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What an adjunct's client decides from values alone: where a batch's data goes, whether
 * what came back can be believed, and what follows a donation. Pure.
 */
#ifndef LPAR_GUEST_ADJUNCT_RING_H
#define LPAR_GUEST_ADJUNCT_RING_H

#include <lpar/adjunct.h>
#include <lpar/adjunct_dev.h>

#ifndef __KERNEL__
#include <stdbool.h>
#endif

/**
 * struct lpar_adjunct_place - where a request's data is in the shared part
 * @in:  offset of the input
 * @out: offset of the room for the output
 */
struct lpar_adjunct_place {
	__u32 in;
	__u32 out;
};

/**
 * struct lpar_adjunct_fill - what a shared part is to have
 * @count: requests
 * @bytes: of the data area
 */
struct lpar_adjunct_fill {
	__u32 count;
	__u32 bytes;
};

/**
 * enum lpar_adjunct_next - what follows a donation
 * @LPAR_ADJUNCT_NEXT_DONE:  what was waited for has come
 * @LPAR_ADJUNCT_NEXT_AGAIN: it gave the CPU back by itself: donate again
 * @LPAR_ADJUNCT_NEXT_BUSY:  the quantum has ended: donate again, by the policy
 * @LPAR_ADJUNCT_NEXT_NOMEM: the host has no memory to run it on this vCPU
 * @LPAR_ADJUNCT_NEXT_DEAD:  the adjunct has died
 * @LPAR_ADJUNCT_NEXT_GONE:  the host has no such adjunct any more
 * @LPAR_ADJUNCT_NEXT_BROKEN: adjunct or host broke the rules
 */
enum lpar_adjunct_next {
	LPAR_ADJUNCT_NEXT_DONE,
	LPAR_ADJUNCT_NEXT_AGAIN,
	LPAR_ADJUNCT_NEXT_BUSY,
	LPAR_ADJUNCT_NEXT_NOMEM,
	LPAR_ADJUNCT_NEXT_DEAD,
	LPAR_ADJUNCT_NEXT_GONE,
	LPAR_ADJUNCT_NEXT_BROKEN,
};

/**
 * enum lpar_adjunct_want - what a program asks of an open file
 * @LPAR_ADJUNCT_WANT_ANY:   something that any file answers: a report
 * @LPAR_ADJUNCT_WANT_NEW:   an adjunct, or to know whether there is one to be had
 * @LPAR_ADJUNCT_WANT_SERVE: that the adjunct does something
 * @LPAR_ADJUNCT_WANT_END:   the end of it
 */
enum lpar_adjunct_want {
	LPAR_ADJUNCT_WANT_ANY,
	LPAR_ADJUNCT_WANT_NEW,
	LPAR_ADJUNCT_WANT_SERVE,
	LPAR_ADJUNCT_WANT_END,
};

/**
 * struct lpar_adjunct_life - where a file is in the life of device and adjunct
 * @gone:    the device answers no more
 * @stopped: nor does it for now: it is suspended, or being reset
 * @has:     the file has an adjunct
 * @dead:    which has died, and is to be ended
 */
struct lpar_adjunct_life {
	bool gone;
	bool stopped;
	bool has;
	bool dead;
};

int lpar_adjunct_admit(const struct lpar_adjunct_life *life, enum lpar_adjunct_want want);
int lpar_adjunct_check_create(const struct lpar_adjunct_create *create);
int lpar_adjunct_check_query(const struct lpar_adjunct_query *query);
int lpar_adjunct_plan(const struct lpar_adjunct_call *calls, __u32 count,
		      struct lpar_adjunct_place *places, __u32 *bytes);
bool lpar_adjunct_fit(struct lpar_adjunct_fill *fill, __u32 count, __u32 bytes, __u32 most);
bool lpar_adjunct_served(__u32 start, __u32 count, __u32 head, __u32 *served);
enum lpar_adjunct_next lpar_adjunct_after_run(__u32 status, __u32 state, bool done);
int lpar_adjunct_errno(__u32 status);

#endif
