/* SPDX-License-Identifier: GPL-2.0 */
#ifndef LPAR_HOST_WINDOW_H
#define LPAR_HOST_WINDOW_H

#include <linux/rcupdate.h>
#include <linux/seq_file.h>
#include "adapter.h"
#include "client.h"
#include "users.h"

#define LPAR_WINDOW_PAGES	(LPAR_WINDOW_SIZE >> PAGE_SHIFT)

/**
 * struct lpar_window - an aligned chunk of guest memory, pinned
 * @users: requests that use it, and its owner
 * @slot:  logical I/O address >> LPAR_WINDOW_SHIFT
 * @chunk: guest address >> LPAR_WINDOW_SHIFT
 * @pinned: pages of it that are memory
 * @map:   how each of the client's adapters reaches it; NULL: not at all
 * @rcu:   frees it after readers of client->windows
 * @valid: which pages are memory, when not all are
 * @pages: all of them, with the hole page where there is no memory; NULL: they follow @first
 * @first: the first page
 */
struct lpar_window {
	struct lpar_users users;
	u32 slot;
	unsigned long chunk;
	unsigned int pinned;
	struct lpar_map *map[LPAR_CLIENT_ADAPTERS];
	struct rcu_head rcu;
	DECLARE_BITMAP(valid, LPAR_WINDOW_PAGES);
	struct page **pages;
	struct page *first;
};

int lpar_window_init(void);
void lpar_window_exit(void);

int lpar_window_map(struct lpar_client *c, u64 gpa, u64 *addr);
enum lpar_status lpar_window_unmap(struct lpar_client *c, u64 addr);
void lpar_window_revoke(struct lpar_client *c, u64 gpa, u64 bytes);
void lpar_window_forget(struct lpar_client *c);
void lpar_window_drop_adapter(struct lpar_client *c, struct lpar_adapter *a);

void lpar_window_show(struct lpar_client *c, struct seq_file *s);

/* What an entry of client->windows is. */
static inline enum lpar_slot lpar_window_slot(const void *entry)
{
	if (!entry)
		return LPAR_SLOT_FREE;
	return xa_is_value(entry) ? LPAR_SLOT_REVOKED : LPAR_SLOT_LIVE;
}

/**
 * lpar_window_get - the window that a segment names
 * @c: the client
 * @addr: logical I/O address
 *
 * Context: any, no lock.
 * Return: it, with a user more, or NULL.
 */
static inline struct lpar_window *lpar_window_get(struct lpar_client *c, u64 addr)
{
	long slot = lpar_core_slot(addr);
	struct lpar_window *w;

	if (slot < 0)
		return NULL;
	rcu_read_lock();
	w = xa_load(&c->windows, slot);
	if (lpar_window_slot(w) != LPAR_SLOT_LIVE || !lpar_users_tryget(&w->users))
		w = NULL;
	rcu_read_unlock();
	return w;
}

static inline void lpar_window_put(struct lpar_window *w)
{
	lpar_users_put(&w->users);
}

/* The page at an offset into the window. */
static inline struct page *lpar_window_page(const struct lpar_window *w, unsigned int offset)
{
	return w->pages ? w->pages[offset >> PAGE_SHIFT] : w->first + (offset >> PAGE_SHIFT);
}

/* Is [offset, offset + len) of the window all memory? */
static inline bool lpar_window_covers(const struct lpar_window *w,
				      unsigned int offset, unsigned int len)
{
	struct lpar_span s;

	if (likely(w->pinned == LPAR_WINDOW_PAGES))
		return true;
	s = lpar_core_span(offset, len);
	return find_next_zero_bit(w->valid, s.end, s.first) >= s.end;
}

#endif
