/* SPDX-License-Identifier: GPL-2.0 */
/* What sending and receiving share: a submission and the client's memory it names. */
#ifndef LPAR_HOST_NET_FRAME_H
#define LPAR_HOST_NET_FRAME_H

#include "net.h"
#include "window.h"

/* Windows that the segments of a frame can lie in. */
#define LPAR_NET_WINDOWS	MAX_SKB_FRAGS

/**
 * struct lpar_net_req - a frame in the host's stack or driver
 * @uarg:  how the stack says that nobody looks at the client's memory any more
 * @queue: whose
 * @free:  in queue->free or queue->freed
 * @taken: for tracing: when it was taken, or 0
 * @bytes: of the frame
 * @id:    the client's number of it
 * @ended: it has been completed, or taken back
 * @nwins: of @wins
 * @wins:  windows that it uses
 */
struct lpar_net_req {
	struct ubuf_info uarg;
	struct lpar_queue *queue;
	struct llist_node free;
	u64 taken;
	u32 bytes;
	u16 id;
	bool ended;
	u8 nwins;
	struct lpar_window *wins[LPAR_NET_WINDOWS];
};

/* The segments of one submission, while it is being looked at. */
struct lpar_net_frame {
	struct lpar_frame f;
	const struct lpar_seg *segs;
	struct lpar_net_req *req;
};

/* Gets a piece of one segment: its window, and where in it. False ends the walk. */
typedef bool (*lpar_net_visit)(struct lpar_window *w, unsigned int offset,
			       unsigned int len, void *arg);

/* Of a frame that waits for its client: see struct lpar_net_rx. */
#define LPAR_NET_SA(skb)	(*(u16 *)(skb)->cb)

static inline struct lpar_nic *lpar_net_nic(const struct lpar_queue *q)
{
	return lpar_nic_of(q->fn);
}

enum lpar_take lpar_net_refuse(struct lpar_queue *q, u16 id, enum lpar_status st);
enum lpar_status lpar_net_decode(struct lpar_queue *q,
				 const struct lpar_net_sqe *sqe,
				 const struct lpar_nic_limits *lim, bool receive,
				 struct lpar_net_frame *fr);
enum lpar_status lpar_net_windows(struct lpar_queue *q, struct lpar_net_frame *fr,
				  u32 bytes, bool tags);
bool lpar_net_walk(const struct lpar_net_frame *fr, u32 from, u32 len,
		   lpar_net_visit visit, void *arg);

#endif
