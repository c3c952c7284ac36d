/* SPDX-License-Identifier: GPL-2.0 */
/* What the suites of NICs share: values to be changed field by field, and verdicts. */
#ifndef LPAR_KUNIT_NIC_SUITE_H
#define LPAR_KUNIT_NIC_SUITE_H

#include "suites.h"

/* One field's new value. */
struct patch {
	u32 offset, size;
	u64 value;
};

static inline void apply(void *what, const struct patch *p, unsigned int n)
{
	for (; n && p->size; n--, p++) {
		void *at = (u8 *)what + p->offset;
		u8 v8 = p->value;
		u16 v16 = p->value;
		u32 v32 = p->value;

		if (p->size == 1)
			memcpy(at, &v8, sizeof(v8));
		else if (p->size == 2)
			memcpy(at, &v16, sizeof(v16));
		else if (p->size == 4)
			memcpy(at, &v32, sizeof(v32));
		else
			memcpy(at, &p->value, sizeof(p->value));
	}
}

#define O	LPAR_OK
#define I	LPAR_INVAL
#define P	LPAR_PROTECTION
#define NS	LPAR_NOTSUPP
#define NO	LPAR_NOSYS

#define ALL(x)		{ x, x, x, x }

#endif
