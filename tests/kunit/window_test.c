// SPDX-License-Identifier: GPL-2.0
/*
 * The window table: which slot an address names, what UNMAP of it ends with, who
 * may use a window, which pages of a chunk are memory, which chunks a change of the
 * memory touches, where an adapter's mappings stand. Expectations are tables, or
 * counted page by page.
 */
#include "suites.h"
#include "../../host-mod/users.h"

#define CHUNK		(2ull << 20)
#define PAGES		512
#define LAST_SLOT	524287		/* of 1 TiB */
#define TOP_CHUNK	0x7ffffffffffull	/* that ends at 2^64 */

/* --------------------------------------------------------------------- slots */

static const struct slot_address {
	const char *name;
	u64 addr;
	long slot;	/* that a request's segment there uses */
	long start;	/* that UNMAP of it frees */
} addresses[] = {
	{ "the first byte", 0, 0, 0 },
	{ "the second byte", 1, 0, -1 },
	{ "a sector", 512, 0, -1 },
	{ "a page", 4096, 0, -1 },
	{ "half a window", CHUNK / 2, 0, -1 },
	{ "the first window's last byte", CHUNK - 1, 0, -1 },
	{ "the second window", CHUNK, 1, 1 },
	{ "its second byte", CHUNK + 1, 1, -1 },
	{ "the last below 4 GiB", (1ull << 32) - CHUNK, 2047, 2047 },
	{ "the first above", 1ull << 32, 2048, 2048 },
	{ "the last", LAST_SLOT * CHUNK, LAST_SLOT, LAST_SLOT },
	{ "the last window's last byte", (1ull << 40) - 1, LAST_SLOT, -1 },
	{ "behind the last", 1ull << 40, -1, -1 },
	{ "behind the last, a byte further", (1ull << 40) + 1, -1, -1 },
	{ "bit 41", 1ull << 41, -1, -1 },
	{ "bit 52: slot 0 in 31 bits", 1ull << 52, -1, -1 },
	{ "bit 53: slot 0 in 32 bits", 1ull << 53, -1, -1 },
	{ "bit 63", 1ull << 63, -1, -1 },
	{ "the topmost window", TOP_CHUNK * CHUNK, -1, -1 },
	{ "2^64-1", ~0ull, -1, -1 },
};

static void address_name(const struct slot_address *a, char *name)
{
	snprintf(name, KUNIT_PARAM_DESC_SIZE, "%s", a->name);
}

KUNIT_ARRAY_PARAM(addresses, addresses, address_name);

static void window_slot(struct kunit *test)
{
	const struct slot_address *a = test->param_value;

	KUNIT_EXPECT_EQ(test, lpar_core_slot(a->addr), a->slot);
	KUNIT_EXPECT_EQ(test, lpar_core_slot_start(a->addr), a->start);
}

/* Each slot's first and last byte, and no bit of the offset frees it. */
static void window_every_slot(struct kunit *test)
{
	unsigned int bit;
	u64 addr = 0;
	long slot;

	for (slot = 0; slot <= LAST_SLOT; slot++, addr += CHUNK)
		if (lpar_core_slot(addr) != slot ||
		    lpar_core_slot_start(addr) != slot ||
		    lpar_core_slot(addr + CHUNK - 1) != slot)
			KUNIT_FAIL(test, "slot %ld", slot);
	KUNIT_EXPECT_EQ(test, lpar_core_slot(addr), -1l);
	for (bit = 0; bit < 21; bit++) {
		KUNIT_EXPECT_EQ_MSG(test, lpar_core_slot(7 * CHUNK | 1ull << bit),
				    7l, "bit %u", bit);
		KUNIT_EXPECT_EQ_MSG(test,
				    lpar_core_slot_start(7 * CHUNK | 1ull << bit),
				    -1l, "bit %u", bit);
	}
}

/* UNMAP of each state of a slot, while requests use it or not. */
static const struct slot_unmap {
	const char *name;
	enum lpar_slot slot;
	enum lpar_status used, idle;
} unmaps[] = {
	{ "free", LPAR_SLOT_FREE, LPAR_NOENT, LPAR_NOENT },
	{ "live", LPAR_SLOT_LIVE, LPAR_BUSY, LPAR_OK },
	/* its window is gone, whoever used it: it was waited for */
	{ "revoked", LPAR_SLOT_REVOKED, LPAR_OK, LPAR_OK },
};

static void unmap_name(const struct slot_unmap *u, char *name)
{
	snprintf(name, KUNIT_PARAM_DESC_SIZE, "%s", u->name);
}

KUNIT_ARRAY_PARAM(unmaps, unmaps, unmap_name);

static void window_unmap(struct kunit *test)
{
	const struct slot_unmap *u = test->param_value;

	KUNIT_EXPECT_EQ(test, lpar_core_unmap(u->slot, false), u->used);
	KUNIT_EXPECT_EQ(test, lpar_core_unmap(u->slot, true), u->idle);
}

/* A table that is full is the client's own limit, and no other error is that. */
static void window_slot_error(struct kunit *test)
{
	int e;

	KUNIT_EXPECT_EQ(test, lpar_core_status(lpar_core_slot_error(-EBUSY)),
			LPAR_QUOTA);
	for (e = 0; e < 4096; e++)
		if (e != EBUSY)
			KUNIT_EXPECT_EQ(test, lpar_core_slot_error(-e), -e);
}

/* ------------------------------------------------------------------- users */

enum users_event { EVENT_GET, EVENT_PUT, EVENT_KILL, EVENT_KILL_IDLE };

/* What one event did, against counting: an owner, and users besides. */
static bool users_do(struct lpar_users *u, enum users_event event, bool *owned,
		     unsigned int *used)
{
	switch (event) {
	case EVENT_GET:
		if (lpar_users_tryget(u) != *owned)
			return false;
		*used += *owned;
		break;
	case EVENT_PUT:
		if (!*used)
			return true;
		lpar_users_put(u);
		--*used;
		break;
	case EVENT_KILL:
		if (!*owned)
			return true;
		lpar_users_kill(u);
		*owned = false;
		break;
	default:
		/* legal at any time, also when it has been killed */
		if (lpar_users_kill_idle(u) != (*owned && !*used))
			return false;
		*owned = *owned && *used;
	}
	return lpar_users_gone(u) == (!*owned && !*used) &&
	       lpar_users_busy(u) == (*owned + *used > 1);
}

/* Every sequence of seven events in a window's life. */
static void window_users(struct kunit *test)
{
	unsigned int sequence, left, i, used, lives = 0;
	struct lpar_users u;
	bool owned;

	for (sequence = 0; sequence < 1 << 14; sequence++) {
		lpar_users_init(&u);
		owned = true;
		used = 0;
		for (i = 0, left = sequence; i < 7; i++, left >>= 2)
			if (!users_do(&u, (enum users_event)(left & 3), &owned,
				      &used)) {
				KUNIT_FAIL(test, "sequence %#x, event %u",
					   sequence, i);
				return;
			}
		lives += owned;
		/* the rest of its life */
		if (owned)
			lpar_users_kill(&u);
		while (used--)
			lpar_users_put(&u);
		if (!lpar_users_gone(&u) || lpar_users_tryget(&u) ||
		    lpar_users_kill_idle(&u)) {
			KUNIT_FAIL(test, "sequence %#x: used after its end",
				   sequence);
			return;
		}
		/* returns */
		lpar_users_wait(&u);
	}
	KUNIT_EXPECT_GT(test, lives, 0u);
}

/* -------------------------------------------------------------------- memory */

static const struct chunk_clip {
	const char *name;
	u64 chunk, gpa, bytes;
	unsigned int first, end;
} clips[] = {
	{ "all of it, no more", 3, 3 * CHUNK, CHUNK, 0, 512 },
	{ "all of it and more", 3, 0, 9 * CHUNK, 0, 512 },
	{ "from its start and more", 3, 3 * CHUNK, 9 * CHUNK, 0, 512 },
	{ "up to its end and more before", 3, 0, 4 * CHUNK, 0, 512 },
	{ "the first page", 3, 3 * CHUNK, 4096, 0, 1 },
	{ "the last page", 3, 4 * CHUNK - 4096, 4096, 511, 512 },
	{ "a page within", 3, 3 * CHUNK + 7 * 4096, 4096, 7, 8 },
	{ "up to its first page", 3, CHUNK, 2 * CHUNK + 4096, 0, 1 },
	{ "from its last page", 3, 4 * CHUNK - 4096, CHUNK, 511, 512 },
	{ "ends where it starts", 3, 0, 3 * CHUNK, 0, 0 },
	{ "starts where it ends", 3, 4 * CHUNK, CHUNK, 0, 0 },
	{ "far below", 1000, 0, CHUNK, 0, 0 },
	{ "far above", 0, 1000 * CHUNK, CHUNK, 0, 0 },
	{ "empty", 3, 3 * CHUNK, 0, 0, 0 },
	{ "chunk 0", 0, 0, 4096, 0, 1 },
	{ "chunk 0, all", 0, 0, 1ull << 63, 0, 512 },
	{ "above 4 GiB", 2048, 1ull << 32, 8192, 0, 2 },
	{ "4 GiB away", 2048, 0, 8192, 0, 0 },
	{ "the last chunk but one", TOP_CHUNK - 1, (TOP_CHUNK - 1) * CHUNK,
	  CHUNK, 0, 512 },
	{ "its last page, and beyond", TOP_CHUNK - 1, TOP_CHUNK * CHUNK - 4096,
	  8192, 511, 512 },
	/* its end is 2^64: it is no memory, whatever the VMM says */
	{ "the last chunk", TOP_CHUNK, TOP_CHUNK * CHUNK, CHUNK - 4096, 0, 0 },
};

static void clip_name(const struct chunk_clip *c, char *name)
{
	snprintf(name, KUNIT_PARAM_DESC_SIZE, "%s", c->name);
}

KUNIT_ARRAY_PARAM(clips, clips, clip_name);

static void window_clip(struct kunit *test)
{
	const struct chunk_clip *c = test->param_value;
	struct lpar_span s = lpar_core_clip(c->chunk, c->gpa, c->bytes);

	KUNIT_EXPECT_EQ(test, s.first, c->first);
	KUNIT_EXPECT_EQ(test, s.end, c->end);
}

/* Ranges around three chunks: each page is in the span of its own chunk. */
static void window_clip_pages(struct kunit *test)
{
	static const unsigned int edges[] = {
		0, 1, 511, 512, 513, 1000, 1023, 1024, 1025, 1535, 1536,
	};
	unsigned int a, b, chunk, page, from, to;
	u64 base = 0x123 * CHUNK;
	struct lpar_span s;

	for (a = 0; a < ARRAY_SIZE(edges); a++)
	for (b = a + 1; b < ARRAY_SIZE(edges); b++)
	for (chunk = 0; chunk < 3; chunk++) {
		s = lpar_core_clip(0x123 + chunk, base + edges[a] * 4096ull,
				   (edges[b] - edges[a]) * 4096ull);
		from = 0;
		to = 0;
		for (page = edges[a]; page < edges[b]; page++) {
			if (page / PAGES != chunk)
				continue;
			if (!to)
				from = page % PAGES;
			to = page % PAGES + 1;
		}
		KUNIT_EXPECT_EQ_MSG(test, s.first, from, "%u-%u of chunk %u",
				    edges[a], edges[b], chunk);
		KUNIT_EXPECT_EQ_MSG(test, s.end, to, "%u-%u of chunk %u",
				    edges[a], edges[b], chunk);
	}
}

/* A segment in one window: which pages are looked at. */
static void window_span(struct kunit *test)
{
	static const u32 lengths[] = {
		1, 2, 511, 512, 513, 4095, 4096, 4097, 8191, 8192, 8193, 65536,
		1 << 21,
	};
	static const u32 offsets[] = {
		0, 1, 511, 512, 4094, 4095, 4096, 4097, 8191, 1 << 20,
		(1 << 21) - 4097, (1 << 21) - 4096, (1 << 21) - 512,
		(1 << 21) - 1,
	};
	unsigned int i, j, page, first, end;
	struct lpar_span s;

	for (i = 0; i < ARRAY_SIZE(offsets); i++)
	for (j = 0; j < ARRAY_SIZE(lengths); j++) {
		if (offsets[i] + lengths[j] > 1 << 21)
			continue;
		first = ~0u;
		end = 0;
		for (page = 0; page < PAGES; page++) {
			/* the page's last byte is behind the start, and its
			 * first before the end */
			if (page * 4096 + 4095 < offsets[i] ||
			    page * 4096 >= offsets[i] + lengths[j])
				continue;
			if (first == ~0u)
				first = page;
			end = page + 1;
		}
		s = lpar_core_span(offsets[i], lengths[j]);
		KUNIT_EXPECT_EQ_MSG(test, s.first, first, "%u + %u", offsets[i],
				    lengths[j]);
		KUNIT_EXPECT_EQ_MSG(test, s.end, end, "%u + %u", offsets[i],
				    lengths[j]);
	}
}

static const struct touched {
	const char *name;
	u64 gpa, bytes, first, last;
} ranges[] = {
	{ "a chunk", 5 * CHUNK, CHUNK, 5, 5 },
	{ "a page", 5 * CHUNK, 4096, 5, 5 },
	{ "its last page", 6 * CHUNK - 4096, 4096, 5, 5 },
	{ "a page of each of two", 6 * CHUNK - 4096, 8192, 5, 6 },
	{ "two", 5 * CHUNK, 2 * CHUNK, 5, 6 },
	{ "two and a page", 5 * CHUNK, 2 * CHUNK + 4096, 5, 7 },
	{ "a page less than two", 5 * CHUNK, 2 * CHUNK - 4096, 5, 6 },
	{ "a byte", 5 * CHUNK - 1, 1, 4, 4 },
	{ "two bytes", 5 * CHUNK - 1, 2, 4, 5 },
	{ "the first page", 0, 4096, 0, 0 },
	{ "across 4 GiB", (1ull << 32) - 4096, 8192, 2047, 2048 },
	{ "a page below the last", ~0ull - 8191, 4096, TOP_CHUNK, TOP_CHUNK },
	/* what a reset revokes */
	{ "everything", 0, ~0ull, 0, TOP_CHUNK },
};

static void range_name(const struct touched *r, char *name)
{
	snprintf(name, KUNIT_PARAM_DESC_SIZE, "%s", r->name);
}

KUNIT_ARRAY_PARAM(ranges, ranges, range_name);

static void window_chunks(struct kunit *test)
{
	const struct touched *r = test->param_value;
	struct lpar_chunks c = lpar_core_chunks(r->gpa, r->bytes);

	KUNIT_EXPECT_EQ(test, (u64)c.first, r->first);
	KUNIT_EXPECT_EQ(test, (u64)c.last, r->last);
}

/* What a range has pages in is what its removal revokes, and nothing else. */
static void window_chunks_clip(struct kunit *test)
{
	u64 start, pages, chunk;
	struct lpar_chunks c;
	struct lpar_span s;
	bool in;

	for (start = 0; start < 3 * PAGES; start += 73)
	for (pages = 1; pages < 3 * PAGES; pages += 97) {
		c = lpar_core_chunks(start * 4096, pages * 4096);
		for (chunk = 0; chunk < 8; chunk++) {
			s = lpar_core_clip(chunk, start * 4096, pages * 4096);
			in = chunk >= c.first && chunk <= c.last;
			KUNIT_EXPECT_EQ_MSG(test, s.end > s.first, in,
					    "page %llu + %llu, chunk %llu",
					    (unsigned long long)start,
					    (unsigned long long)pages,
					    (unsigned long long)chunk);
		}
	}
}

/* ------------------------------------------------------------------ adapters */

#define PLACES 5

/* Every table of five places with three adapters, and each of these asked for. */
static void window_place(struct kunit *test)
{
	static const char a, b, c;
	static const void *const what[] = { NULL, &a, &b, &c };
	const void *places[PLACES];
	unsigned int table, left, i, k, n;
	int want, seen[4];

	for (n = 0; n <= PLACES; n++)
	for (table = 0; table < 1u << 2 * n; table++) {
		for (k = 0; k < 4; k++)
			seen[k] = -1;
		for (i = 0, left = table; i < n; i++, left >>= 2) {
			places[i] = what[left & 3];
			if (seen[left & 3] < 0)
				seen[left & 3] = i;
		}
		for (k = 1; k < 4; k++) {
			/* where it is, or else the first free place */
			want = seen[k] >= 0 ? seen[k] :
			       seen[0] >= 0 ? seen[0] : -ENOSPC;
			/* it stands in one place at most */
			for (i = 0, left = 0; i < n; i++)
				left += places[i] == what[k];
			if (left < 2)
				KUNIT_EXPECT_EQ_MSG(test,
						    lpar_core_place(places, n, what[k]),
						    want, "%u places, table %#x, adapter %u",
						    n, table, k);
		}
	}
}

/* -------------------------------------------------------- generation, limits */

static void window_pinned(struct kunit *test)
{
	static const u32 generations[] = { 0, 1, 7, 0x7fffffff, 0x80000000, ~0u };
	static const int errors[] = { -EFAULT, -ENOMEM, -EINTR };
	unsigned int i, bit;
	u32 g;

	for (i = 0; i < ARRAY_SIZE(generations); i++) {
		g = generations[i];
		KUNIT_EXPECT_EQ(test, lpar_core_pinned(0, g, g), 0);
		KUNIT_EXPECT_EQ(test, lpar_core_pinned(0, g, g + 1), -EAGAIN);
		KUNIT_EXPECT_EQ(test, lpar_core_pinned(0, g, g - 1), -EAGAIN);
		for (bit = 0; bit < 32; bit++)
			KUNIT_EXPECT_EQ_MSG(test,
					    lpar_core_pinned(0, g, g ^ 1u << bit),
					    -EAGAIN, "bit %u", bit);
	}
	/* nothing was pinned: that is what the client hears, late or not */
	for (i = 0; i < ARRAY_SIZE(errors); i++) {
		KUNIT_EXPECT_EQ(test, lpar_core_pinned(errors[i], 7, 7), errors[i]);
		KUNIT_EXPECT_EQ(test, lpar_core_pinned(errors[i], 7, 8), errors[i]);
	}
}

static void window_limit(struct kunit *test)
{
	static const struct {
		s64 value;
		u64 limit;
		bool want;
	} t[] = {
		{ 0, 0, false }, { 4096, 0, true }, { 4096, 4095, true },
		{ 4096, 4096, false }, { 4096, 4097, false },
		{ (1ll << 32) + 1, 1, true }, { 1, 1ull << 32, false },
		{ 1ll << 62, 1ull << 62, false },
		{ (1ll << 62) + 1, 1ull << 62, true },
		{ (s64)(~0ull >> 1), ~0ull >> 1, false },
		{ (s64)(~0ull >> 1), (~0ull >> 1) - 1, true },
		/* no limit */
		{ (s64)(~0ull >> 1), ~0ull, false }, { 0, ~0ull, false },
		/* less than nothing is within any */
		{ -1, 0, false }, { -4096, 4096, false }, { -1, ~0ull, false },
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(t); i++)
		KUNIT_EXPECT_EQ_MSG(test, lpar_core_exceeds(t[i].value, t[i].limit),
				    t[i].want, "row %u", i);
}

/* ---------------------------------------------------------------------------- */

static struct kunit_case window_cases[] = {
	KUNIT_CASE_PARAM(window_slot, addresses_gen_params),
	KUNIT_CASE(window_every_slot),
	KUNIT_CASE_PARAM(window_unmap, unmaps_gen_params),
	KUNIT_CASE(window_slot_error),
	KUNIT_CASE(window_users),
	KUNIT_CASE_PARAM(window_clip, clips_gen_params),
	KUNIT_CASE(window_clip_pages),
	KUNIT_CASE(window_span),
	KUNIT_CASE_PARAM(window_chunks, ranges_gen_params),
	KUNIT_CASE(window_chunks_clip),
	KUNIT_CASE(window_place),
	KUNIT_CASE(window_pinned),
	KUNIT_CASE(window_limit),
	{}
};

static struct kunit_suite window_suite = {
	.name = "lpar_window",
	.test_cases = window_cases,
};
kunit_test_suite(window_suite);
