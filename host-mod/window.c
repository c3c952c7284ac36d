// SPDX-License-Identifier: GPL-2.0
/*
 * Windows: chunks of guest memory, pinned once and mapped once for each adapter
 * of the client (seed 004, fig. 7, steps 706-708). A window is made when the
 * client first needs it and taken back strictly: unpublished, then without users,
 * then unmapped, then flushed from the IOMMU, only then unpinned.
 */
#include <linux/mm.h>
#include <linux/slab.h>

#include "function.h"
#include "memory.h"
#include "partition.h"
#include "tag.h"
#include "trace.h"
#include "window.h"

/* Stands where a window has no memory. Mapped, and never named by a request. */
static struct page *hole;

int lpar_window_init(void)
{
	hole = alloc_page(GFP_KERNEL | __GFP_ZERO);
	return hole ? 0 : -ENOMEM;
}

void lpar_window_exit(void)
{
	__free_page(hole);
}

static void unpin(struct lpar_client *c, struct lpar_window *w)
{
	unsigned int i;

	if (!w->pages) {
		unpin_user_page_range_dirty_lock(w->first, LPAR_WINDOW_PAGES, true);
	} else if (w->pinned == LPAR_WINDOW_PAGES) {
		unpin_user_pages_dirty_lock(w->pages, LPAR_WINDOW_PAGES, true);
	} else {
		for_each_set_bit(i, w->valid, LPAR_WINDOW_PAGES)
			unpin_user_pages_dirty_lock(&w->pages[i], 1, true);
	}
	lpar_memory_uncharge(c, w->pinned);
}

/* Pin what is memory in the window's chunk. */
static int pin(struct lpar_client *c, struct lpar_window *w)
{
	u64 start = (u64)w->chunk << LPAR_WINDOW_SHIFT;
	const struct lpar_range *m;
	unsigned int at, i;
	struct lpar_span s;
	int ret = 0;

	for (i = 0; i < LPAR_WINDOW_PAGES; i++)
		w->pages[i] = hole;
	at = 0;
	while ((m = lpar_memory_next(c, start, LPAR_WINDOW_SIZE, &at))) {
		s = lpar_core_clip(w->chunk, m->gpa, m->bytes);
		w->pinned += s.end - s.first;
	}
	if (!w->pinned)
		return -EFAULT;
	ret = lpar_memory_charge(c, w->pinned);
	if (ret)
		return ret;
	at = 0;
	while ((m = lpar_memory_next(c, start, LPAR_WINDOW_SIZE, &at))) {
		u64 from;

		s = lpar_core_clip(w->chunk, m->gpa, m->bytes);
		from = start + ((u64)s.first << PAGE_SHIFT);
		ret = lpar_memory_pin(c, m->hva + (from - m->gpa),
				      s.end - s.first, &w->pages[s.first]);
		if (ret)
			goto err_unpin;
		bitmap_set(w->valid, s.first, s.end - s.first);
	}
	return 0;

err_unpin:
	for_each_set_bit(i, w->valid, LPAR_WINDOW_PAGES)
		unpin_user_page(w->pages[i]);
	lpar_memory_uncharge(c, w->pinned);
	return ret;
}

/* Pages that follow each other, as in a huge page, need no list. Nobody uses the window yet. */
static void drop_list(struct lpar_window *w)
{
	unsigned int i;

	/* not even a hole that happens to follow */
	if (w->pinned != LPAR_WINDOW_PAGES)
		return;
	for (i = 1; i < LPAR_WINDOW_PAGES; i++)
		if (w->pages[i] != w->pages[0] + i)
			return;
	w->first = w->pages[0];
	kfree(w->pages);
	w->pages = NULL;
}

static struct page **page_list(void)
{
	return kmalloc_array(LPAR_WINDOW_PAGES, sizeof(struct page *), GFP_KERNEL_ACCOUNT);
}

static int find_place(struct lpar_client *c, struct lpar_adapter *a)
{
	return lpar_core_place((const void *const *)c->adapter,
			       LPAR_CLIENT_ADAPTERS, a);
}

/* Every adapter that the client's functions are on has a place in client->adapter. */
static int place_adapters(struct lpar_client *c)
{
	struct lpar_fn *fn;
	int place, ret = 0;

	mutex_lock(&c->partition->lock);
	list_for_each_entry(fn, &c->partition->functions, link) {
		struct lpar_adapter *a = fn->adapter;

		if (!a || READ_ONCE(a->dying))
			continue;
		place = find_place(c, a);
		if (place < 0) {
			ret = place;
			break;
		}
		c->adapter[place] = a;
		WRITE_ONCE(fn->place, place);
	}
	mutex_unlock(&c->partition->lock);
	return ret;
}

static int map_adapter(struct lpar_client *c, struct lpar_window *w, int place)
{
	struct lpar_map *map = kzalloc(sizeof(*map), GFP_KERNEL_ACCOUNT);
	struct page **pages = w->pages ?: page_list();
	unsigned int i;
	int ret = -ENOMEM;

	for (i = 0; !w->pages && pages && i < LPAR_WINDOW_PAGES; i++)
		pages[i] = w->first + i;
	if (map && pages)
		ret = lpar_adapter_map(c->adapter[place], pages, &c->partition->tags, map);
	if (pages != w->pages)
		kfree(pages);
	if (ret) {
		kfree(map);
		/* it is going: not our error */
		return ret == -ENODEV ? 0 : ret;
	}
	/* pairs with smp_load_acquire in the block server */
	smp_store_release(&w->map[place], map);
	return 0;
}

/* Make the window reachable for all of them. That takes memory, and as long as the client's
 * quota makes it: with nothing held but the client's lock, without which none of them goes. */
static int map_adapters(struct lpar_client *c, struct lpar_window *w)
{
	int i, ret = place_adapters(c);

	for (i = 0; !ret && i < LPAR_CLIENT_ADAPTERS; i++)
		if (c->adapter[i] && !w->map[i])
			ret = map_adapter(c, w, i);
	return ret;
}

/* First half of taking a window back: no adapter has it any more, but for what
 * the IOMMU still remembers. It has no users. */
static void unmap_adapters(struct lpar_window *w)
{
	int i;

	for (i = 0; i < LPAR_CLIENT_ADAPTERS; i++)
		if (w->map[i])
			lpar_adapter_unmap(w->map[i]);
}

/* Likewise, for one window. */
static void flush_adapters_of(struct lpar_client *c, struct lpar_window *w)
{
	int i;

	for (i = 0; i < LPAR_CLIENT_ADAPTERS; i++)
		if (w->map[i])
			lpar_adapter_flush(c->adapter[i]);
}

static void flush_adapters(struct lpar_client *c)
{
	int i;

	for (i = 0; i < LPAR_CLIENT_ADAPTERS; i++)
		if (c->adapter[i])
			lpar_adapter_flush(c->adapter[i]);
}

/* Second half: the IOMMU has been flushed. Readers may still look at w->users; who has
 * looked at its pages was a user. */
static void destroy(struct lpar_client *c, struct lpar_window *w)
{
	int i;

	unpin(c, w);
	for (i = 0; i < LPAR_CLIENT_ADAPTERS; i++)
		kfree(w->map[i]);
	atomic64_dec(&c->windows_live);
	kfree(w->pages);
	kfree_rcu(w, rcu);
}

/**
 * lpar_window_map - the window that contains a guest address, made if need be
 * @c: the client; its lock is held, and dropped while pages are pinned
 * @gpa: the guest address
 * @addr: out: its logical I/O address
 *
 * Seed 004, fig. 7, steps 706-708.
 *
 * Context: a thread of the VMM; may sleep.
 * Return: 0, -EFAULT (no memory there), -EDQUOT (a limit), -ENOSPC (no tags, or
 * no place for one more adapter), -ENOMEM, -EAGAIN (the memory was changed
 * meanwhile), -EINTR when killed.
 */
int lpar_window_map(struct lpar_client *c, u64 gpa, u64 *addr)
{
	unsigned long chunk = gpa >> LPAR_WINDOW_SHIFT;
	struct lpar_window *w = xa_load(&c->chunks, chunk);
	u32 slot;
	int ret;

	lockdep_assert_held(&c->lock);
	if (w) {
		ret = map_adapters(c, w);
		*addr = (u64)w->slot << LPAR_WINDOW_SHIFT;
		return ret;
	}

	w = kzalloc(sizeof(*w), GFP_KERNEL_ACCOUNT);
	if (!w)
		return -ENOMEM;
	lpar_users_init(&w->users);
	w->chunk = chunk;
	w->pages = page_list();
	ret = w->pages ? pin(c, w) : -ENOMEM;
	if (ret)
		goto err_free;
	/* the lock was dropped: another call may have made the same window */
	ret = -EAGAIN;
	if (xa_load(&c->chunks, chunk))
		goto err_unmap;
	ret = map_adapters(c, w);
	if (ret)
		goto err_unmap;
	drop_list(w);
	ret = xa_err(xa_store(&c->chunks, chunk, w, GFP_KERNEL));
	if (ret)
		goto err_unmap;
	/* lowest first, so that addresses stay below 4 GiB while they can */
	ret = lpar_core_slot_error(xa_alloc(&c->windows, &slot, w,
					    XA_LIMIT(0, LPAR_CLIENT_WINDOWS - 1),
					    GFP_KERNEL));
	if (ret)
		goto err_erase;
	w->slot = slot;
	atomic64_inc(&c->windows_live);
	*addr = (u64)slot << LPAR_WINDOW_SHIFT;
	lpar_trace(window, c->partition->id, LPAR_WINDOW_MAP,
		   (u64)chunk << LPAR_WINDOW_SHIFT, *addr, w->pinned, 0);
	return 0;

err_erase:
	xa_erase(&c->chunks, chunk);
err_unmap:
	unmap_adapters(w);
	flush_adapters_of(c, w);
	atomic64_inc(&c->windows_live);
	destroy(c, w);
	goto err;
err_free:
	kfree(w->pages);
	kfree(w);
err:
	lpar_trace(window, c->partition->id, LPAR_WINDOW_MAP,
		   (u64)chunk << LPAR_WINDOW_SHIFT, 0, 0, ret);
	return ret;
}

/* The client gives a window back. c->lock is held; may sleep. */
enum lpar_status lpar_window_unmap(struct lpar_client *c, u64 addr)
{
	long slot = lpar_core_slot_start(addr);
	struct lpar_window *w;
	enum lpar_status st;
	bool live;

	lockdep_assert_held(&c->lock);
	if (slot < 0)
		return LPAR_INVAL;
	w = xa_load(&c->windows, slot);
	live = lpar_window_slot(w) == LPAR_SLOT_LIVE;
	st = lpar_core_unmap(lpar_window_slot(w),
			     live && lpar_users_kill_idle(&w->users));
	if (st != LPAR_OK)
		return st;
	if (live) {
		xa_erase(&c->chunks, w->chunk);
		unmap_adapters(w);
		flush_adapters_of(c, w);
	}
	xa_erase(&c->windows, slot);
	if (live) {
		lpar_trace(window, c->partition->id, LPAR_WINDOW_UNMAP,
			   (u64)w->chunk << LPAR_WINDOW_SHIFT, addr,
			   w->pinned, 0);
		destroy(c, w);
	}
	return LPAR_OK;
}

/**
 * lpar_window_revoke - take back the windows that touch a range
 * @c: the client
 * @gpa: guest address of the range
 * @bytes: its length
 *
 * When it returns no adapter reaches the memory. The slots stay taken until the
 * client has unmapped them, so a request that still names one finds nothing,
 * never another window.
 *
 * Context: c->lock is held; sleeps until the requests that use them have ended.
 */
void lpar_window_revoke(struct lpar_client *c, u64 gpa, u64 bytes)
{
	struct lpar_chunks range = lpar_core_chunks(gpa, bytes);
	struct lpar_window *w;
	unsigned long i;
	bool any = false;

	lockdep_assert_held(&c->lock);
	/* all are made unreachable first, then one flush serves them all */
	xa_for_each_range(&c->chunks, i, w, range.first, range.last) {
		/* replacing an entry by a value needs no memory */
		xa_store(&c->windows, w->slot, xa_mk_value(0), GFP_KERNEL);
		lpar_users_kill(&w->users);
		any = true;
	}
	/* others use these domains, too: nothing is flushed for nothing */
	if (!any)
		return;
	xa_for_each_range(&c->chunks, i, w, range.first, range.last) {
		lpar_users_wait(&w->users);
		unmap_adapters(w);
		cond_resched();
	}
	flush_adapters(c);
	xa_for_each_range(&c->chunks, i, w, range.first, range.last) {
		xa_erase(&c->chunks, i);
		lpar_trace(window, c->partition->id, LPAR_WINDOW_REVOKE,
			   (u64)w->chunk << LPAR_WINDOW_SHIFT,
			   (u64)w->slot << LPAR_WINDOW_SHIFT, w->pinned, 0);
		destroy(c, w);
		cond_resched();
	}
}

/* All windows have been revoked and the client has forgotten them: reset. */
void lpar_window_forget(struct lpar_client *c)
{
	lockdep_assert_held(&c->lock);
	xa_destroy(&c->windows);
	xa_destroy(&c->chunks);
	memset(c->adapter, 0, sizeof(c->adapter));
}

/**
 * lpar_window_drop_adapter - no function of the client is on this adapter any more
 * @c: the client
 * @a: the adapter; the function's queues are gone, so nobody uses its mappings
 *
 * Context: c->lock is held; may sleep.
 */
void lpar_window_drop_adapter(struct lpar_client *c, struct lpar_adapter *a)
{
	struct lpar_window *w;
	struct lpar_map *map;
	unsigned long i;
	int place;

	lockdep_assert_held(&c->lock);
	place = find_place(c, a);
	if (place < 0 || c->adapter[place] != a)
		return;
	xa_for_each(&c->chunks, i, w) {
		map = w->map[place];
		if (!map)
			continue;
		lpar_adapter_unmap(map);
		WRITE_ONCE(w->map[place], NULL);
		kfree_rcu(map, rcu);
		cond_resched();
	}
	lpar_adapter_flush(a);
	c->adapter[place] = NULL;
}

/* A line for each adapter that reaches a window; c->lock is held. Diagnosis only. */
void lpar_window_show(struct lpar_client *c, struct seq_file *s)
{
	struct lpar_window *w;
	unsigned long i;
	int n;

	lockdep_assert_held(&c->lock);
	xa_for_each(&c->chunks, i, w)
		for (n = 0; n < LPAR_CLIENT_ADAPTERS; n++) {
			struct lpar_map *m = w->map[n];

			if (!m || m->gone)
				continue;
			seq_printf(s, "%s %#llx %#x %s %#llx %#llx\n",
				   lpar_partition_name(c->partition),
				   (u64)w->chunk << LPAR_WINDOW_SHIFT, w->slot,
				   pci_name(m->adapter->pdev), (u64)m->io,
				   (u64)page_to_phys(lpar_tag_page(m->block, 0)));
		}
}
