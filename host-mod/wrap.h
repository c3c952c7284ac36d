/* SPDX-License-Identifier: GPL-2.0 */
/* Wrap an adapter's DMA operations, and give them back. */
#ifndef LPAR_HOST_WRAP_H
#define LPAR_HOST_WRAP_H

struct device;
struct lpar_adapter;

/**
 * lpar_wrap - have tags mean something to an adapter: plain => wrapped
 * @a:   the adapter
 * @dev: its function, with a driver; the device's lock is held
 *
 * The host's own requests go on meanwhile. Sleeps, for a grace period of RCU tasks.
 *
 * Return: 0; -EBUSY: its DMA operations are not the IOMMU's; -ENOMEM.
 */
int lpar_wrap(struct lpar_adapter *a, struct device *dev);

/**
 * lpar_wrap_keep - the IOMMU domain is to stay until the operations are given back
 * @a:   the adapter, wrapped
 * @dev: its function, whose driver is about to be unbound; the device's lock is held
 *
 * Sleeps.
 */
void lpar_wrap_keep(struct lpar_adapter *a, struct device *dev);

/**
 * lpar_unwrap - give the operations back: wrapped => plain
 * @a:   the adapter; no tag is in flight, nothing of ours is mapped
 * @dev: its function; the device's lock is held
 *
 * Nobody is in our operations any more when it returns. Sleeps, likewise.
 */
void lpar_unwrap(struct lpar_adapter *a, struct device *dev);

#endif
