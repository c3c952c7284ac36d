/* SPDX-License-Identifier: GPL-2.0 */
/* Writing capability records; see struct lpar_record. Pure, any context. */
#ifndef LPAR_HOST_RECORDS_H
#define LPAR_HOST_RECORDS_H

#include "core.h"

/* @full: something had no room, and nothing is written any more. */
struct lpar_writer {
	u8 *at;
	size_t left;
	bool full;
};

static inline void *lpar_put_record(struct lpar_writer *w, u16 type, u16 body)
{
	u16 len = sizeof(struct lpar_record) + ((body + 7) & ~7);
	struct lpar_record rec = {
		.type = cpu_to_le16(type),
		.len = cpu_to_le16(len),
	};
	void *at = w->at + sizeof(rec);

	if (w->full || len > w->left) {
		w->full = true;
		return NULL;
	}
	memset(w->at, 0, len);
	memcpy(w->at, &rec, sizeof(rec));
	w->at += len;
	w->left -= len;
	return at;
}

static inline void lpar_put_value(struct lpar_writer *w, u16 type, u64 min, u64 max, u64 cur)
{
	struct lpar_value v = {
		.min = cpu_to_le64(min),
		.max = cpu_to_le64(max),
		.cur = cpu_to_le64(cur),
	};
	void *at = lpar_put_record(w, type, sizeof(v));

	if (at)
		memcpy(at, &v, sizeof(v));
}

static inline void lpar_put_fixed(struct lpar_writer *w, u16 type, u64 v)
{
	lpar_put_value(w, type, v, v, v);
}

static inline void lpar_put_text(struct lpar_writer *w, u16 type, const char *text)
{
	size_t len = strnlen(text, LPAR_TEXT_MAX);
	void *at = lpar_put_record(w, type, len);

	if (at)
		memcpy(at, text, len);
}

#endif
