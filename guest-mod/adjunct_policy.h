/* SPDX-License-Identifier: GPL-2.0 */
#ifndef LPAR_GUEST_ADJUNCT_POLICY_H
#define LPAR_GUEST_ADJUNCT_POLICY_H

#include <linux/types.h>

struct lpar_adjuncts;

int lpar_adjunct_policy_add(struct lpar_adjuncts *group);
void lpar_adjunct_policy_free(struct lpar_adjuncts *group);
u32 lpar_adjunct_policy_quantum(const struct lpar_adjuncts *group, u32 slot, u32 wanted);
bool lpar_adjunct_policy_afterwards(const struct lpar_adjuncts *group, u32 slot, u32 wanted);
void lpar_adjunct_policy_count(struct lpar_adjuncts *group, u32 slot, bool busy);

#endif
