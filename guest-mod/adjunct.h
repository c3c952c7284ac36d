/* SPDX-License-Identifier: GPL-2.0 */
/* /dev/lpar-adjunct: programs call adjuncts. */
#ifndef LPAR_GUEST_ADJUNCT_H
#define LPAR_GUEST_ADJUNCT_H

#include <linux/types.h>

struct lpar_device;

u32 lpar_adjunct_slots(const struct lpar_device *dev);
int lpar_adjunct_add(struct lpar_device *dev, u32 first_vector, u32 vectors);
void lpar_adjunct_remove(struct lpar_device *dev);
void lpar_adjunct_free(struct lpar_device *dev);
void lpar_adjunct_stop(struct lpar_device *dev);
void lpar_adjunct_start(struct lpar_device *dev);
void lpar_adjunct_broken(struct lpar_device *dev);

#endif
