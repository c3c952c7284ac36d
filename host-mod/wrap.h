/* SPDX-License-Identifier: GPL-2.0 */
/* Wrap an adapter's DMA operations, and give them back. */
#ifndef LPAR_HOST_WRAP_H
#define LPAR_HOST_WRAP_H

struct device;
struct lpar_adapter;

int lpar_wrap(struct lpar_adapter *a, struct device *dev);
void lpar_unwrap(struct lpar_adapter *a, struct device *dev);

#endif
