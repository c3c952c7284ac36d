/* SPDX-License-Identifier: GPL-2.0 */
#ifndef LPAR_GUEST_ADJUNCT_POLICY_H
#define LPAR_GUEST_ADJUNCT_POLICY_H

#include <linux/types.h>

struct lpar_adjuncts;
struct lpar_donor;

int lpar_adjunct_policy_add(struct lpar_adjuncts *group);
void lpar_adjunct_policy_stop(struct lpar_adjuncts *group);
void lpar_adjunct_policy_free(struct lpar_adjuncts *group);
bool lpar_adjunct_policy_threaded(const struct lpar_adjuncts *group, u32 slot);
struct lpar_donor *lpar_adjunct_policy_donor(const struct lpar_adjuncts *group, u32 slot);
u32 lpar_adjunct_policy_batch(const struct lpar_adjuncts *group, u32 slot);
u32 lpar_adjunct_policy_quantum(const struct lpar_adjuncts *group, u32 slot, u32 wanted);
bool lpar_adjunct_policy_afterwards(const struct lpar_adjuncts *group, u32 slot, u32 wanted);
void lpar_adjunct_policy_count(struct lpar_adjuncts *group, u32 slot, bool busy);

#endif
