// SPDX-License-Identifier: GPL-2.0
/*
 * A client's memory: where its guest addresses are in the VMM, what of it is
 * pinned, and who pays. Everything that pins runs in a thread of the VMM.
 */
#include <linux/fs.h>
#include <linux/magic.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>

#include "compat.h"
#include "memory.h"
#include "partition.h"

/* Make a range known. c->lock is held. Return: 0, -EINVAL, -EEXIST, -ENOSPC. */
int lpar_memory_add(struct lpar_client *c, const struct lpar_range *r)
{
	unsigned int i;

	lockdep_assert_held(&c->lock);
	if (!lpar_core_range_ok(r->gpa, r->bytes) ||
	    !lpar_core_range_ok(r->hva, r->bytes) ||
	    !access_ok((void __user *)r->hva, r->bytes))
		return -EINVAL;
	if (c->ranges == ARRAY_SIZE(c->memory))
		return -ENOSPC;
	for (i = 0; i < c->ranges; i++)
		if (lpar_core_overlap(r->gpa, r->bytes, c->memory[i].gpa,
				      c->memory[i].bytes))
			return -EEXIST;
	c->memory[c->ranges++] = *r;
	c->generation++;
	return 0;
}

/* Forget a range. c->lock is held; its windows are the caller's to revoke. */
int lpar_memory_remove(struct lpar_client *c, const struct lpar_range *r)
{
	unsigned int i;

	lockdep_assert_held(&c->lock);
	for (i = 0; i < c->ranges; i++) {
		const struct lpar_range *m = &c->memory[i];

		if (m->gpa == r->gpa && m->hva == r->hva &&
		    m->bytes == r->bytes) {
			c->memory[i] = c->memory[--c->ranges];
			c->generation++;
			return 0;
		}
	}
	return -ENOENT;
}

/* The next range at or behind *at that [gpa, gpa + bytes) touches, or NULL. */
const struct lpar_range *lpar_memory_next(struct lpar_client *c, u64 gpa,
					  u64 bytes, unsigned int *at)
{
	lockdep_assert_held(&c->lock);
	while (*at < c->ranges) {
		const struct lpar_range *m = &c->memory[(*at)++];

		if (lpar_core_overlap(gpa, bytes, m->gpa, m->bytes))
			return m;
	}
	return NULL;
}

/**
 * lpar_memory_charge - account for pages that are about to be pinned
 * @c: the client
 * @pages: how many
 *
 * Context: a thread of the VMM, whose limit it is; does not sleep.
 * Return: 0; -EDQUOT: the partition's limit; -ENOMEM: RLIMIT_MEMLOCK of the VMM.
 */
int lpar_memory_charge(struct lpar_client *c, unsigned long pages)
{
	struct lpar_partition *p = c->partition;
	s64 bytes = (s64)pages << PAGE_SHIFT;

	if (lpar_core_exceeds(atomic64_add_return(bytes, &p->pinned),
			      READ_ONCE(p->memory_limit))) {
		atomic64_sub(bytes, &p->pinned);
		return -EDQUOT;
	}
	/* Not locked_vm: that is under the mmap lock, which the VMM can make
	 * others hold for ever, and c->lock waits with us. */
	if (lpar_core_exceeds(atomic64_add_return(pages, &c->mm->pinned_vm),
			      rlimit(RLIMIT_MEMLOCK) >> PAGE_SHIFT) &&
	    !capable(CAP_IPC_LOCK)) {
		lpar_memory_uncharge(c, pages);
		return -ENOMEM;
	}
	return 0;
}

/* c->mm is held by us: this works when the process has already left it. */
void lpar_memory_uncharge(struct lpar_client *c, unsigned long pages)
{
	atomic64_sub(pages, &c->mm->pinned_vm);
	atomic64_sub((s64)pages << PAGE_SHIFT, &c->partition->pinned);
}

/*
 * Is it memory that no file system can hold up? To give a page back that is to be marked
 * dirty its lock is taken, and a file system of the VMM's own (FUSE) may keep that for ever.
 * From 6.5 on the kernel refuses such pages by itself.
 */
static bool is_memory(struct page *page)
{
	struct address_space *mapping;
	bool ok;

	page = compound_head(page);
	if (PageAnon(page) || PageHuge(page))
		return true;
	rcu_read_lock();
	mapping = READ_ONCE(page->mapping);
	ok = mapping && !((unsigned long)mapping & FOLIO_MAPPING_FLAGS) &&
	     mapping->host && mapping->host->i_sb->s_magic == TMPFS_MAGIC;
	rcu_read_unlock();
	return ok;
}

static int pin_all(u64 hva, unsigned int n, struct page **pages)
{
	unsigned int done = 0, i;
	int ret;

	while (done < n) {
		/* always for writing: a read-only long-term pin of a private
		 * page would not see what is written to it later */
		ret = pin_user_pages_fast(hva + ((u64)done << PAGE_SHIFT),
					  n - done, FOLL_WRITE | FOLL_LONGTERM,
					  pages + done);
		if (ret <= 0) {
			unpin_user_pages(pages, done);
			return ret ?: -EFAULT;
		}
		done += ret;
	}
	for (i = 0; i < n; i++) {
		if (!is_memory(pages[i])) {
			unpin_user_pages(pages, n);
			return -EFAULT;
		}
	}
	return 0;
}

/**
 * lpar_memory_pin - pin all of the pages or none
 * @c: the client; its lock is held, and dropped meanwhile
 * @hva: where they are in the VMM
 * @n: how many
 * @pages: out
 *
 * A fault may wait for the VMM (userfaultfd), for as long as it likes: then this
 * thread waits, until it is killed, and nobody else. What the caller knew of the
 * client under the lock it has to look up again.
 *
 * Return: 0; -EAGAIN: the memory was changed or the client reset meanwhile;
 * -EFAULT; -ENOMEM; -EINTR when killed.
 */
int lpar_memory_pin(struct lpar_client *c, u64 hva, unsigned int n,
		    struct page **pages)
{
	u64 generation = c->generation;
	int error, ret;

	lockdep_assert_held(&c->lock);
	mutex_unlock(&c->lock);
	error = pin_all(hva, n, pages);
	mutex_lock(&c->lock);
	ret = lpar_core_pinned(error, generation, c->generation);
	if (ret && !error)
		unpin_user_pages(pages, n);
	return ret;
}

/**
 * lpar_memory_map - pin guest memory and map it for the host's own CPU
 * @c: the client; its lock is held, and dropped meanwhile
 * @gpa: guest address, page-aligned
 * @bytes: length, page-aligned, at most 64 MiB; inside one range
 * @area: out
 *
 * Context: a thread of the VMM; may sleep.
 * Return: 0, -EINVAL, -EFAULT (not memory), -EDQUOT, -ENOMEM, -EAGAIN, -EINTR.
 */
int lpar_memory_map(struct lpar_client *c, u64 gpa, u64 bytes,
		    struct lpar_area *area)
{
	const struct lpar_range *m;
	unsigned int at = 0;
	int ret;

	if (!lpar_core_range_ok(gpa, bytes) || bytes > SZ_64M)
		return -EINVAL;
	m = lpar_memory_next(c, gpa, bytes, &at);
	if (!m || gpa < m->gpa || gpa + bytes > m->gpa + m->bytes)
		return -EFAULT;
	area->n = bytes >> PAGE_SHIFT;
	area->pages = kvcalloc(area->n, sizeof(*area->pages), GFP_KERNEL);
	if (!area->pages)
		return -ENOMEM;
	ret = lpar_memory_charge(c, area->n);
	if (ret)
		goto err_free;
	ret = lpar_memory_pin(c, m->hva + (gpa - m->gpa), area->n, area->pages);
	if (ret)
		goto err_uncharge;
	area->addr = vmap(area->pages, area->n, VM_MAP, PAGE_KERNEL);
	ret = -ENOMEM;
	if (!area->addr)
		goto err_unpin;
	return 0;

err_unpin:
	unpin_user_pages(area->pages, area->n);
err_uncharge:
	lpar_memory_uncharge(c, area->n);
err_free:
	kvfree(area->pages);
	memset(area, 0, sizeof(*area));
	return ret;
}

/* Undo lpar_memory_map(); nobody uses the area. May sleep. */
void lpar_memory_unmap(struct lpar_client *c, struct lpar_area *area)
{
	if (!area->addr)
		return;
	vunmap(area->addr);
	unpin_user_pages_dirty_lock(area->pages, area->n, true);
	lpar_memory_uncharge(c, area->n);
	kvfree(area->pages);
	memset(area, 0, sizeof(*area));
}
