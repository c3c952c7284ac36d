/* SPDX-License-Identifier: GPL-2.0 */
#ifndef LPAR_HOST_ADAPTER_H
#define LPAR_HOST_ADAPTER_H

#include <linux/device.h>
#include <linux/dma-map-ops.h>
#include <linux/kobject.h>
#include <linux/pci.h>
#include <linux/rwsem.h>
#include <linux/scatterlist.h>
#include <linux/xarray.h>

#include "core.h"

/* Room for a sentence that says why not, and the way out. */
#define LPAR_WHY_MAX	256

/* What the wrapped operations count; per CPU, summed on show. */
struct lpar_adapter_counts {
	u64 tag_maps;		/* tags turned into I/O addresses */
	u64 tag_unmaps;
	u64 forwarded;		/* mappings of real pages, passed on */
	u64 refused;		/* tags that stood for nothing */
};

/**
 * struct lpar_adapter - a PCI function whose DMA operations are wrapped
 *
 * Exists while a disk in tag mode uses it: lpar_adapter_get() to _put(). The
 * driver stays bound and the host goes on using the device.
 */
struct lpar_adapter {
	struct list_head link;		/* all adapters */
	unsigned int refs;		/* disks; under list_lock */
	struct pci_dev *pdev;
	struct iommu_domain *domain;
	struct dma_map_ops ops;		/* what dev->dma_ops points to */
	const struct dma_map_ops *orig;	/* until 6.12: whom to forward to */
	struct device *alias;		/* from 6.12 on: the same for dma-iommu */
	struct lpar_adapter_counts __percpu *counts;
	struct xarray io;		/* I/O address >> LPAR_WINDOW_SHIFT → map */
	/* Read: a window is being mapped or unmapped. Write: the device goes. */
	struct rw_semaphore sem;
	struct list_head maps;		/* of windows; under maps_lock */
	spinlock_t maps_lock;
	u64 mapped;			/* bytes; under maps_lock */
	u64 limit;			/* of them: 32-bit adapters have few */
	bool wrapped;			/* under sem */
	bool dying;			/* no new windows, no new requests */
	struct kobject kobj;
};

/**
 * struct lpar_map - one window mapped for one adapter
 * @adapter: whose
 * @io:      I/O address of the chunk; LPAR_WINDOW_SIZE long and aligned
 * @block:   the tags that stand for it
 */
struct lpar_map {
	struct lpar_adapter *adapter;
	struct list_head link;
	struct sg_table sgt;
	dma_addr_t io;
	int block;
	bool gone;			/* unmapped already; under adapter->sem */
};

int lpar_adapter_init(struct kobject *parent);
void lpar_adapter_exit(void);

int lpar_adapter_check(struct pci_dev *pdev, char *why);
struct lpar_adapter *lpar_adapter_get(struct pci_dev *pdev);
void lpar_adapter_put(struct lpar_adapter *a);

int lpar_adapter_map(struct lpar_adapter *a, struct page **pages,
		     struct lpar_map *map);
void lpar_adapter_unmap(struct lpar_map *map);
void lpar_adapter_flush(struct lpar_adapter *a);

#endif
