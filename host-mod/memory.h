/* SPDX-License-Identifier: GPL-2.0 */
#ifndef LPAR_HOST_MEMORY_H
#define LPAR_HOST_MEMORY_H

#include "client.h"

int lpar_memory_add(struct lpar_client *c, const struct lpar_range *r);
int lpar_memory_remove(struct lpar_client *c, const struct lpar_range *r);
const struct lpar_range *lpar_memory_next(struct lpar_client *c, u64 gpa,
					  u64 bytes, unsigned int *at);

int lpar_memory_charge(struct lpar_client *c, unsigned long pages);
void lpar_memory_uncharge(struct lpar_client *c, unsigned long pages);
int lpar_memory_pin(struct lpar_client *c, u64 hva, unsigned int n,
		    struct page **pages);

int lpar_memory_map(struct lpar_client *c, u64 gpa, u64 bytes,
		    struct lpar_area *area);
void lpar_memory_unmap(struct lpar_client *c, struct lpar_area *area);

#endif
