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
#include "pool.h"

/* Room for a sentence that says why not, and the way out. */
#define LPAR_WHY_MAX	256

/* What the wrapped operations count; per CPU, summed on show. */
struct lpar_adapter_counts {
	u64 tag_maps;		/* tags turned into I/O addresses */
	u64 tag_unmaps;
	u64 pool_maps;		/* likewise pages of the pool */
	u64 forwarded;		/* mappings of pages and resources, passed on */
	u64 refused;		/* tags that stood for nothing */
};

/**
 * struct lpar_adapter - a PCI function whose DMA operations are wrapped
 *
 * Exists while a function in tag mode uses it: lpar_adapter_get() to _put(). The
 * driver stays bound and the host goes on using the device.
 *
 * @link:      in the list of all adapters; under list_lock
 * @refs:      functions that use it; under list_lock
 * @pdev:      the function; referenced
 * @domain:    the IOMMU's, as it was when the operations were wrapped
 * @ops:       what dev->dma_ops points to while @wrapped
 * @orig:      before 6.12: the original operations, to forward to
 * @alias:     from 6.12 on: the device whose DMA API is forwarded to
 * @counts:    of the wrapped operations
 * @io:        I/O address >> LPAR_WINDOW_SHIFT → struct lpar_map, or @pool
 * @sem:       read: a window is mapped, unmapped or flushed; write: the
 *             operations are given back, or @pool changes
 * @maps:      lpar_map.link of all live ones; under @maps_lock
 * @maps_lock: protects @maps and @mapped
 * @mapped:    bytes mapped for windows; under @maps_lock
 * @limit:     most of them: half of what a 32-bit adapter can address, else none
 * @wrapped:   the operations are ours; under @sem
 * @kept:      the IOMMU's group is held for us, too; under the device's lock
 * @dying:     its driver is being unbound: no new windows, and clients are not
 *             shown its functions. Set under list_lock, never cleared
 * @kobj:      its folder in sysfs; the last reference frees the structure
 * @pool:      for headers of frames, once a NIC uses it
 */
struct lpar_adapter {
	struct list_head link;
	unsigned int refs;
	struct pci_dev *pdev;
	struct iommu_domain *domain;
	struct dma_map_ops ops;
	const struct dma_map_ops *orig;
	struct device *alias;
	struct lpar_adapter_counts __percpu *counts;
	struct xarray io;
	struct rw_semaphore sem;
	struct list_head maps;
	spinlock_t maps_lock;		/* maps, mapped */
	u64 mapped;
	u64 limit;
	bool wrapped;
	bool kept;
	bool dying;
	struct kobject kobj;
	struct lpar_pool pool;
};

/**
 * struct lpar_map - one window mapped for one adapter
 * @adapter: whose
 * @share:   of the partition whose window it is
 * @link:    in adapter->maps
 * @sgt:     the pages as they were mapped, for unmapping
 * @io:      I/O address of the chunk; LPAR_WINDOW_SIZE long and aligned
 * @block:   the tags that stand for it
 * @gone:    unmapped already, when the driver went; under adapter->sem
 * @rcu:     frees it after the block server, which may look at another adapter's
 */
struct lpar_map {
	struct lpar_adapter *adapter;
	struct lpar_tag_share *share;
	struct list_head link;
	struct sg_table sgt;
	dma_addr_t io;
	int block;
	bool gone;
	struct rcu_head rcu;
};

int lpar_adapter_init(struct kobject *parent);
void lpar_adapter_exit(void);

int lpar_adapter_check(struct pci_dev *pdev, char *why);
struct lpar_adapter *lpar_adapter_get(struct pci_dev *pdev);
void lpar_adapter_put(struct lpar_adapter *a);

int lpar_adapter_map(struct lpar_adapter *a, struct page **pages,
		     struct lpar_tag_share *share, struct lpar_map *map);
void lpar_adapter_unmap(struct lpar_map *map);
void lpar_adapter_flush(struct lpar_adapter *a);

#endif
