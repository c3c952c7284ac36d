// SPDX-License-Identifier: GPL-2.0
/* Decoding and checking what a client wrote; see core.h. */
#include "core.h"
#include "records.h"

bool lpar_core_shape(u64 arg, struct lpar_queue_shape *shape)
{
	u64 depth = arg & 0xffff, segs = arg >> 16;

	if (depth < LPAR_QUEUE_DEPTH_MIN || depth > LPAR_QUEUE_DEPTH_MAX ||
	    (depth & (depth - 1)) || !segs || segs > LPAR_QUEUE_SEGS_MAX)
		return false;
	shape->depth = depth;
	shape->segs = segs;
	return true;
}

/* The pages of a window's chunk that lie in a range of memory, pages as well. */
struct lpar_span lpar_core_clip(unsigned long chunk, u64 gpa, u64 bytes)
{
	u64 start = (u64)chunk << LPAR_WINDOW_SHIFT;
	u64 from = gpa > start ? gpa - start : 0;
	u64 to;

	if (!lpar_core_overlap(start, LPAR_WINDOW_SIZE, gpa, bytes))
		return (struct lpar_span){ 0, 0 };
	to = gpa + bytes - start;
	if (to > LPAR_WINDOW_SIZE)
		to = LPAR_WINDOW_SIZE;
	return (struct lpar_span){ .first = from >> 12, .end = to >> 12 };
}

/* Where something is among places, or the first free place for it, or -ENOSPC. */
int lpar_core_place(const void *const *places, unsigned int n, const void *what)
{
	int free = -ENOSPC;
	unsigned int i = n;

	while (i--) {
		if (places[i] == what)
			return i;
		if (!places[i])
			free = i;
	}
	return free;
}

/* The range lies on the disk, on whole logical blocks and in one chunk. */
static enum lpar_status check_range(const struct lpar_blk_request *r,
				    const struct lpar_disk_limits *lim)
{
	u64 last = lim->sectors;
	u32 block = (lim->logical_block >> LPAR_SECTOR_SHIFT) - 1;
	u32 chunk = lim->chunk >> LPAR_SECTOR_SHIFT;

	if (r->sector > last || r->nsectors > last - r->sector)
		return LPAR_RANGE;
	if (!r->nsectors || (r->sector & block) || (r->nsectors & block))
		return LPAR_INVAL;
	/* only transfers are split at chunks; 64-bit division is not for 32-bit */
	if (chunk && (r->op == LPAR_BLK_READ || r->op == LPAR_BLK_WRITE)) {
		u32 in = (chunk & (chunk - 1)) ? (u32)(r->sector % chunk) :
						 (u32)(r->sector & (chunk - 1));

		if (r->nsectors > chunk - in)
			return LPAR_INVAL;
	}
	return LPAR_OK;
}

static enum lpar_status check_segs(const struct lpar_blk_request *r,
				   const struct lpar_seg *segs,
				   const struct lpar_disk_limits *lim)
{
	u64 total = 0;
	u32 i;

	for (i = 0; i < r->nsegs; i++) {
		u64 addr = le64_to_cpu(segs[i].addr);
		u32 len = le32_to_cpu(segs[i].len);

		if (segs[i].reserved || !len || len > lim->segment_size ||
		    len > LPAR_WINDOW_SIZE || (len & (lim->logical_block - 1)))
			return LPAR_INVAL;
		if (addr & lim->dma_alignment)
			return LPAR_INVAL;
		/* in one window: so addr + len cannot wrap either */
		if ((addr & (LPAR_WINDOW_SIZE - 1)) + len > LPAR_WINDOW_SIZE)
			return LPAR_INVAL;
		/* no gap where the adapter can have none */
		if (i && (addr & lim->virt_boundary))
			return LPAR_INVAL;
		if (i + 1 < r->nsegs && ((addr + len) & lim->virt_boundary))
			return LPAR_INVAL;
		total += len;
	}
	if (total != (u64)r->nsectors << LPAR_SECTOR_SHIFT)
		return LPAR_INVAL;
	return LPAR_OK;
}

enum lpar_status lpar_core_request(const struct lpar_blk_sqe *sqe,
				   const struct lpar_seg *segs,
				   const struct lpar_disk_limits *lim,
				   struct lpar_blk_request *out)
{
	struct lpar_blk_request r = {
		.sector = le64_to_cpu(sqe->sector),
		.nsectors = le32_to_cpu(sqe->nsectors),
		.id = le16_to_cpu(sqe->id),
		.nsegs = le16_to_cpu(sqe->nsegs),
		.op = sqe->op,
		.flags = sqe->flags,
	};
	u64 bytes = (u64)r.nsectors << LPAR_SECTOR_SHIFT;
	enum lpar_status st;
	u32 i;

	*out = r;
	if (sqe->reserved || sqe->reserved2 || sqe->reserved3)
		return LPAR_INVAL;
	/* where the segments stand in the table, here is nothing to misread */
	for (i = 0; r.nsegs > LPAR_SQE_SEGS && i < LPAR_SQE_SEGS; i++)
		if (sqe->seg[i].addr || sqe->seg[i].len || sqe->seg[i].reserved)
			return LPAR_INVAL;

	switch (r.op) {
	case LPAR_BLK_READ:
	case LPAR_BLK_WRITE:
		if (r.flags & ~(r.op == LPAR_BLK_WRITE ? LPAR_BLK_FUA : 0))
			return LPAR_INVAL;
		if (!r.nsegs || r.nsegs > lim->segments ||
		    bytes > lim->max_transfer)
			return LPAR_INVAL;
		break;
	case LPAR_BLK_FLUSH:
		if (r.flags || r.nsegs || r.sector || r.nsectors)
			return LPAR_INVAL;
		return LPAR_OK;
	case LPAR_BLK_DISCARD:
		if (r.flags || r.nsegs || bytes > lim->discard)
			return lim->discard ? LPAR_INVAL : LPAR_NOTSUPP;
		break;
	case LPAR_BLK_WRITE_ZEROES:
		if ((r.flags & ~LPAR_BLK_NOUNMAP) || r.nsegs ||
		    bytes > lim->write_zeroes)
			return lim->write_zeroes ? LPAR_INVAL : LPAR_NOTSUPP;
		break;
	default:
		return LPAR_NOSYS;
	}

	if (r.op != LPAR_BLK_READ && lim->read_only)
		return LPAR_READONLY;
	st = check_range(&r, lim);
	if (st != LPAR_OK || !segs || !r.nsegs)
		return st;
	return check_segs(&r, segs, lim);
}

int lpar_core_records(void *buf, size_t size, const struct lpar_disk_limits *lim,
		      const char *name, const char *serial)
{
	struct lpar_writer w = { .at = buf, .left = size };

	lpar_put_text(&w, LPAR_CAP_NAME, name);
	lpar_put_text(&w, LPAR_CAP_SERIAL, serial);
	lpar_put_fixed(&w, LPAR_CAP_SECTORS, lim->sectors);
	lpar_put_fixed(&w, LPAR_CAP_LOGICAL_BLOCK, lim->logical_block);
	lpar_put_fixed(&w, LPAR_CAP_PHYSICAL_BLOCK, lim->physical_block);
	lpar_put_fixed(&w, LPAR_CAP_IO_MIN, lim->io_min);
	lpar_put_fixed(&w, LPAR_CAP_IO_OPT, lim->io_opt);
	lpar_put_fixed(&w, LPAR_CAP_MAX_TRANSFER, lim->max_transfer);
	lpar_put_fixed(&w, LPAR_CAP_SEGMENTS, lim->segments);
	lpar_put_fixed(&w, LPAR_CAP_SEGMENT_SIZE, lim->segment_size);
	lpar_put_fixed(&w, LPAR_CAP_VIRT_BOUNDARY, lim->virt_boundary);
	lpar_put_fixed(&w, LPAR_CAP_DMA_ALIGNMENT, lim->dma_alignment);
	lpar_put_fixed(&w, LPAR_CAP_CHUNK, lim->chunk);
	lpar_put_value(&w, LPAR_CAP_QUEUES, 1, lim->queues, lim->queues);
	lpar_put_value(&w, LPAR_CAP_DEPTH, LPAR_QUEUE_DEPTH_MIN,
		  LPAR_QUEUE_DEPTH_MAX, 128);
	lpar_put_fixed(&w, LPAR_CAP_WRITE_CACHE, lim->write_cache);
	lpar_put_fixed(&w, LPAR_CAP_FUA, lim->fua);
	lpar_put_fixed(&w, LPAR_CAP_DISCARD, lim->discard);
	lpar_put_fixed(&w, LPAR_CAP_DISCARD_GRAIN, lim->discard_grain);
	lpar_put_fixed(&w, LPAR_CAP_DISCARD_ALIGN, lim->discard_align);
	lpar_put_fixed(&w, LPAR_CAP_WRITE_ZEROES, lim->write_zeroes);
	lpar_put_fixed(&w, LPAR_CAP_ROTATIONAL, lim->rotational);
	lpar_put_fixed(&w, LPAR_CAP_READ_ONLY, lim->read_only);
	lpar_put_fixed(&w, LPAR_CAP_STABLE_WRITES, lim->stable_writes);
	return w.full ? -ENOSPC : (int)(size - w.left);
}

enum lpar_status lpar_core_status(int error)
{
	switch (error) {
	case 0:
		return LPAR_OK;
	case -EDQUOT:
	case -ENOSPC:
		return LPAR_QUOTA;
	case -ENOENT:
		return LPAR_NOENT;
	case -EFAULT:
		return LPAR_FAULT;
	case -EINVAL:
		return LPAR_INVAL;
	case -EAGAIN:
	case -EINTR:
		return LPAR_BUSY;
	default:
		return LPAR_NOMEM;
	}
}

enum lpar_status lpar_core_call(const struct lpar_call_in *in, bool greeted)
{
	/* how many arguments each call has; the rest must be zero */
	static const u8 args[] = {
		[LPAR_OP_HELLO] = 1,	    [LPAR_OP_FUNCTIONS] = 0,
		[LPAR_OP_CAPS] = 1,	    [LPAR_OP_MAP] = 1,
		[LPAR_OP_UNMAP] = 1,	    [LPAR_OP_QUEUE_CREATE] = 5,
		[LPAR_OP_QUEUE_DESTROY] = 1, [LPAR_OP_SET] = 3,
		[LPAR_OP_ASK] = 3,	    [LPAR_OP_ANSWER] = 2,
		[LPAR_OP_MANAGE] = 2,	    [LPAR_OP_SA_ADD] = 1,
		[LPAR_OP_SA_DELETE] = 2,
	};
	u32 i;

	if (!in->op || in->op >= ARRAY_SIZE(args))
		return LPAR_NOSYS;
	for (i = args[in->op]; i < ARRAY_SIZE(in->arg); i++)
		if (in->arg[i])
			return LPAR_INVAL;
	if (greeted == (in->op == LPAR_OP_HELLO))
		return LPAR_STATE;
	return LPAR_OK;
}

u32 lpar_core_version(u64 arg, u32 lowest, u32 highest)
{
	u32 min = arg & 0xffff, max = (arg >> 16) & 0xffff;
	u32 best = max < highest ? max : highest;

	if (arg >> 32 || min > max || best < min || best < lowest)
		return 0;
	return best;
}

bool lpar_core_told(u32 state, const char name[LPAR_NAME_MAX])
{
	size_t n = strnlen(name, LPAR_NAME_MAX), i;

	/* what is empty has no image, and nothing else has none */
	if (state > LPAR_ADJUNCT_DEAD || n == LPAR_NAME_MAX ||
	    !n != (state == LPAR_ADJUNCT_EMPTY))
		return false;
	for (i = 0; i < n; i++)
		if (name[i] < ' ' || name[i] > '~')
			return false;
	return true;
}

int lpar_core_image(const struct lpar_image *head, u64 bytes)
{
	const u32 part[] = {
		le32_to_cpu(head->text_pages), le32_to_cpu(head->data_pages),
		le32_to_cpu(head->bss_pages), le32_to_cpu(head->stack_pages),
	};
	u32 entry = le32_to_cpu(head->entry), pages = 0;
	u32 i;

	if (le32_to_cpu(head->magic) != LPAR_IMAGE_MAGIC ||
	    le32_to_cpu(head->abi) != LPAR_IMAGE_ABI)
		return -EINVAL;
	for (i = 0; i < ARRAY_SIZE(head->reserved); i++)
		if (head->reserved[i])
			return -EINVAL;
	for (i = 0; i < ARRAY_SIZE(part); i++) {
		/* each by itself: so the sum cannot wrap */
		if (part[i] > LPAR_ADJUNCT_PAGES_MAX)
			return -EINVAL;
		pages += part[i];
	}
	if (!part[0] || !part[3] || pages > LPAR_ADJUNCT_PAGES_MAX)
		return -EINVAL;
	/* the head is no code */
	if (entry < sizeof(*head) || entry >= part[0] << 12)
		return -EINVAL;
	return bytes == (u64)(part[0] + part[1]) << 12 ? (int)pages : -EINVAL;
}
