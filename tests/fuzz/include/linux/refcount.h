/* SPDX-License-Identifier: GPL-2.0 */
/* What host-mod/users.h takes from the kernel, for suites that run in one thread. */
#ifndef LPAR_FUZZ_REFCOUNT_H
#define LPAR_FUZZ_REFCOUNT_H

#include <stdbool.h>
#include <stdlib.h>

#define READ_ONCE(x)		(x)
#define WRITE_ONCE(x, v)	((x) = (v))

typedef struct {
	int n;
} refcount_t;

static inline void refcount_set(refcount_t *r, int n)
{
	r->n = n;
}

static inline int refcount_read(const refcount_t *r)
{
	return r->n;
}

static inline bool refcount_inc_not_zero(refcount_t *r)
{
	return r->n && ++r->n;
}

static inline bool refcount_dec_and_test(refcount_t *r)
{
	if (r->n < 1)
		abort();
	return !--r->n;
}

static inline bool refcount_dec_if_one(refcount_t *r)
{
	return r->n == 1 && !--r->n;
}

#endif
