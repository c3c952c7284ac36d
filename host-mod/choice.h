/* SPDX-License-Identifier: GPL-2.0 */
/* What clients choose of their NICs. */
#ifndef LPAR_HOST_CHOICE_H
#define LPAR_HOST_CHOICE_H

#include "nic.h"

enum lpar_status lpar_choice_set(struct lpar_nic *nic, u64 cap, u64 value);
enum lpar_status lpar_choice_sa_add(struct lpar_nic *nic, const struct lpar_sa *sa,
				    u64 *number);
void lpar_choice_forget(struct lpar_partition *p);

#endif
