/* SPDX-License-Identifier: GPL-2.0 */
/* What lpar_liar's parts share. */
#ifndef LPAR_KMOD_LIAR_H
#define LPAR_KMOD_LIAR_H

#include <lpar/wire.h>

#define LIAR_DISK	7
#define LIAR_NIC	8
#define LIAR_LONG	1000

/* What tests/boot/hostile-host tells the guest to expect of each. */
enum lie {
	HONEST		= 0,
	/* answers to calls */
	LIE_VERSION	= 1,	/* one that was not offered */
	LIE_QUEUES	= 2,	/* more than there can be */
	LIE_LENGTH	= 3,	/* more data than there is room for */
	LIE_COUNT	= 4,	/* of functions: not what is there */
	LIE_TWICE	= 5,	/* a function, listed twice */
	LIE_RECORDS	= 6,	/* capabilities that end too early */
	LIE_STATUS	= 7,	/* none that there is */
	LIE_NUMBER	= 8,	/* the answer to another call */
	LIE_SILENT	= 9,	/* no answer at all */
	LIE_CAPS	= 10,	/* other nonsense each time, in the end the truth */
	LIE_WINDOW	= 11,	/* not where it was asked for */
	LIE_NOMEM	= 12,	/* never memory for a window */
	LIE_QUOTA	= 13,	/* no room for a single window */
	LIE_REFUSE	= 14,	/* no queue */
	LIE_BUSY	= 15,	/* a queue, and the channel after a reset, when asked often enough */
	LIE_SERIAL	= 16,	/* after a reset it is a disk with another serial number, */
	LIE_CAPACITY	= 17,	/* with another capacity, */
	LIE_BLOCK	= 18,	/* with other blocks */
	/* requests */
	LIE_DEAF	= 19,	/* takes none, and says once that it would */
	LIE_UNKNOWN	= 20,	/* completes what was not submitted */
	LIE_BEYOND	= 21,	/* completes what there cannot be */
	LIE_DUPLICATE	= 22,	/* completes twice */
	LIE_AHEAD	= 23,	/* more completions than requests */
	LIE_TAKEN	= 24,	/* took more requests than there are */
	LIE_BROKEN	= 25,	/* gives up on the queue */
	LIE_RESERVED	= 26,	/* reserved bits */
	LIE_RESULT	= 27,	/* ends with no status that there is */
	LIE_NOWINDOW	= 28,	/* never knows the window */
	LIE_NEVER	= 29,	/* never completes */
	/* interrupts */
	LIE_STORM	= 30,	/* from all vectors, hundreds for each doorbell */
	LIE_EVENTS	= 31,	/* functions change with each doorbell */
	/* resets */
	LIE_RESET	= 32,	/* lets no queue go, and then ends no reset while it is asked again and again */
	LIE_STUCK	= 33,	/* never completes, and then ends no reset for LIAR_STUCK */
	/* a NIC's, about frames of LIAR_LONG bytes or more */
	LIE_NET		= 40,	/* honest */
	LIE_NET_CAPS	= 41,	/* as LIE_CAPS */
	LIE_NET_UNKNOWN	= 42,	/* ends a frame that was not sent */
	LIE_NET_TWICE	= 43,	/* ends one twice */
	LIE_NET_BYTES	= 44,	/* ends one with a length */
	LIE_NET_NEVER	= 45,	/* ends none */
	LIE_RX_UNKNOWN	= 50,	/* gives back a buffer that it does not have */
	LIE_RX_TWICE	= 51,	/* gives one back twice */
	LIE_RX_LONG	= 52,	/* more than there is room for */
	LIE_RX_SHORT	= 53,	/* less than a frame */
	LIE_RX_AHEAD	= 54,	/* more buffers than there are */
	LIE_RX_NOWINDOW	= 55,	/* never knows the window */
	LIE_RX_FRAMES	= 56,	/* frames and heads that make little sense, hundreds of them */
	LIE_RX_AWAY	= 57,	/* from then on never knows any window */
};

struct liar_queue {
	u64 gpa;
	u32 depth;
	u32 segs;
	u32 vector;
	u32 sq_head;
	u32 cq_tail;
	bool nic;
	bool receives;
	bool away;
};

bool liar_load(void *to, u64 gpa, size_t n);
bool liar_store(u64 gpa, const void *from, size_t n);
void liar_end(struct liar_queue *q, u32 id, u32 status, u32 bytes);
u32 liar_nic_records(u8 *data, bool lying);
void liar_nic_away(struct liar_queue *rx);
u32 liar_nic_serve(struct liar_queue *tx, struct liar_queue *rx, u32 lie);

#endif
