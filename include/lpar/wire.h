/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * The hypercall channel between a client partition and the partition manager.
 *
 * This header is the whole agreement of the two ends: the registers of the PCI
 * device, the call block, the capability records and the queues. It is included
 * by both modules, by QEMU and by the tests. Values are little-endian, every
 * reserved field is written as zero and, where nothing else is said, checked, and
 * each side treats whatever the other can write as hostile: it copies a value once
 * and validates the copy.
 *
 * Vocabulary: a *guest address* is guest-physical. A *logical I/O address* names
 * a byte of one of the partition's own windows (seed 004, fig. 7, step 708: it is
 * what the map function returns); it is not an address that any adapter uses.
 */
#ifndef LPAR_WIRE_H
#define LPAR_WIRE_H

#include <linux/types.h>

#ifdef __KERNEL__
#include <linux/build_bug.h>
#else
#include <assert.h>
#endif

/* ------------------------------------------------------------ PCI device */

#define LPAR_PCI_VENDOR		0x1b36
#define LPAR_PCI_DEVICE		0x4c50

/* Doorbells: an I/O port BAR, one 16-bit port each. The value is ignored. */
#define LPAR_BAR_DOORBELL	0
#define LPAR_DOORBELL_STRIDE	2
#define LPAR_DOORBELLS_MAX	128
#define LPAR_DOORBELL_CALL	0	/* the call block; n > 0 is queue n */

/* Registers: a memory BAR of 32-bit little-endian registers. */
#define LPAR_BAR_REGS		1
#define LPAR_REGS_SIZE		0x1000
#define LPAR_REG_MAGIC		0x00	/* ro: LPAR_MAGIC */
#define LPAR_REG_LAYOUT		0x04	/* ro: 1 */
#define LPAR_REG_DOORBELLS	0x08	/* ro: doorbells that exist */
#define LPAR_REG_VECTORS	0x0c	/* ro: MSI-X vectors that exist */
#define LPAR_REG_CALL_LO	0x10	/* rw: guest address of the call block */
#define LPAR_REG_CALL_HI	0x14
#define LPAR_REG_CONTROL	0x18	/* wo: LPAR_CONTROL_* */
#define LPAR_REG_STATUS		0x1c	/* ro: LPAR_STATUS_* */

#define LPAR_MAGIC		0x5241504c	/* "LPAR" */
#define LPAR_CONTROL_RESET	0	/* drain and drop queues and windows */
#define LPAR_CONTROL_ENABLE	1	/* take the call block into use */
#define LPAR_STATUS_ENABLED	(1u << 0)
#define LPAR_STATUS_FAILED	(1u << 1)	/* the last enable was refused, or later a
						 * reset or a change of memory failed… */
#define LPAR_STATUS_ERRNO_SHIFT	16		/* …with this errno */

#define LPAR_BAR_MSIX		4
#define LPAR_VECTOR_EVENT	0	/* functions changed, or an answer is there; n > 0 is
					 * for queues */

/* ------------------------------------------------------------ call block */

#define LPAR_WIRE_VERSION_MIN	1
#define LPAR_WIRE_VERSION	1

/**
 * struct lpar_call - the call block: one 4 KiB page of guest memory
 * @op:      in: enum lpar_op
 * @seq:     in: the guest's number of this call, never 0
 * @arg:     in: arguments, zero where the call has none
 * @done:    out: @seq, stored last, when the call has been carried out. After a
 *           donated doorbell that is before the guest's next instruction, unless
 *           the call was made on another vCPU, or cannot be served now.
 * @status:  out: enum lpar_status
 * @ret:     out: results, zero where the call has none
 * @out_len: out: valid bytes of @data
 * @reserved: zero, looked at by nobody: room for what needs another version
 * @data:    out: records, or text; in: MANAGE's text
 */
struct lpar_call {
	__le32 op;
	__le32 seq;
	__le64 arg[5];
	__le32 done;
	__le32 status;
	__le64 ret[3];
	__le32 out_len;
	__le32 reserved[11];
	__u8   data[3968];
};
static_assert(sizeof(struct lpar_call) == 4096, "call block is a page");

enum lpar_op {
	/* arg0 = lowest | highest << 16 version spoken. First call, once.
	 * ret0 = version chosen, ret1 = queues (1…n), ret2 = quantum limit, us */
	LPAR_OP_HELLO		= 1,
	/* data = struct lpar_function[]; ret0 = how many */
	LPAR_OP_FUNCTIONS	= 2,
	/* arg0 = function. data = records; ret0 = generation (seed 001, fig. 6,
	 * step 630: query the capabilities of the adapter) */
	LPAR_OP_CAPS		= 3,
	/* arg0 = a guest address. The window that contains it is made: ret0 = its
	 * logical I/O address, ret1 = its guest address, ret2 = its bytes
	 * (seed 004, fig. 7, steps 706-708) */
	LPAR_OP_MAP		= 4,
	/* arg0 = logical I/O address of a window. LPAR_BUSY while requests use it */
	LPAR_OP_UNMAP		= 5,
	/* arg0 = function, arg1 = queue, arg2 = guest address of its memory,
	 * arg3 = depth | segments << 16,
	 * arg4 = MSI-X vector | enum lpar_queue_role << 16 */
	LPAR_OP_QUEUE_CREATE	= 6,
	/* arg0 = queue. LPAR_BUSY while the adapter has requests of it */
	LPAR_OP_QUEUE_DESTROY	= 7,
	/* arg0 = function, arg1 = enum lpar_cap, arg2 = value: of a NIC what LPAR_CAP_
	 * MAC, MACS, PROMISC, STANDBY, VLAN_FILTER or VLANS say, from now on. LPAR_RANGE
	 * outside of min … max, also where these are equal; LPAR_NOTSUPP: a MAC, MACS
	 * or VLANS that it cannot have, or what is chosen by using it */
	LPAR_OP_SET		= 8,
	/* arg0 = function, a mailbox; arg1 = enum lpar_ask, arg2 = value. ret0 = the
	 * request's number. LPAR_PERM: the partition's policy refuses it; data = why.
	 * LPAR_RANGE, LPAR_NOTSUPP: nobody could do that to this VF (seed 002) */
	LPAR_OP_ASK		= 9,
	/* arg0 = number of a request; arg1 = offset into its text, or LPAR_FORGET.
	 * LPAR_BUSY while it waits; else ret0 = what it ended with (enum lpar_status),
	 * ret1 = bytes of its text, data = these from the offset on */
	LPAR_OP_ANSWER		= 10,
	/* Of the management partition only, others get LPAR_PERM. arg0 = offset,
	 * arg1 = bytes of the whole text; data = as much as there is from the offset
	 * on. Offset 0 begins, the last piece hands it over: ret0 = the request's
	 * number. LPAR_BUSY until the last one has been forgotten */
	LPAR_OP_MANAGE		= 11,
	/* arg0 = function, a NIC; data = struct lpar_sa. The adapter is given a security
	 * association: ret0 = its number, not 0. LPAR_NOTSUPP: there is no offload, or not
	 * for this one; LPAR_RESV_CONFLICT: somebody on this port receives by it already;
	 * LPAR_QUOTA, LPAR_NOSPC: the client, or the adapter, has no more */
	LPAR_OP_SA_ADD		= 12,
	/* arg0 = function, arg1 = number. Frames that were taken are still encrypted by it */
	LPAR_OP_SA_DELETE	= 13,
};

/* What the management side may be asked to do to a VF. Values are ABI. */
enum lpar_ask {
	LPAR_ASK_MAC		= 1,	/* NIC: as LPAR_CAP_MAC */
	LPAR_ASK_VLAN		= 2,	/* NIC: 0: none */
	LPAR_ASK_MTU		= 3,	/* NIC: the adapter lets frames of this pass */
	LPAR_ASK_RATE		= 4,	/* NIC: Mbit/s that it sends; 0: no limit */
	LPAR_ASK_QUEUES		= 5,	/* NVMe: for I/O */
	LPAR_ASK_ATTACH		= 6,	/* NVMe: a namespace */
	LPAR_ASK_DETACH		= 7,	/* NVMe: likewise */
	LPAR_ASK_RESET		= 8,	/* value 0 */
};
#define LPAR_ASKS		9

/* LPAR_OP_ANSWER: withdraw the request if it waits, and free its place. A request
 * that somebody is just carrying out is carried out all the same. */
#define LPAR_FORGET		(~0ull)
/* Requests of a partition at a time, those included that are answered and not
 * forgotten; everything is forgotten at a reset, and with its mailbox. */
#define LPAR_REQUESTS_MAX	16
#define LPAR_REASON_TEXT	255	/* bytes of text that say why, without a zero */
#define LPAR_MANAGE_TEXT	(256 * 1024)	/* bytes of a MANAGE's, either way */

/* What a queue is for. Disks know the first only. */
enum lpar_queue_role {
	LPAR_ROLE_REQUESTS	= 0,	/* disk: all requests; NIC: frames to send */
	LPAR_ROLE_RECEIVE	= 1,	/* NIC: buffers for received frames */
};

/* What a call or a request can end with. Values are ABI. */
enum lpar_status {
	LPAR_OK			= 0,
	LPAR_INVAL		= 1,	/* malformed, reserved bits, out of range */
	LPAR_NOSYS		= 2,	/* unknown call or operation */
	LPAR_VERSION		= 3,	/* no version in common */
	LPAR_STATE		= 4,	/* not now: before HELLO, or twice */
	LPAR_NOENT		= 5,	/* no such function, queue or window */
	LPAR_BUSY		= 6,	/* in use: try again when it is not */
	LPAR_QUOTA		= 7,	/* the partition's limit is reached */
	LPAR_FAULT		= 8,	/* not ordinary guest memory */
	LPAR_NOMEM		= 9,	/* the host is out of memory */
	LPAR_NOWINDOW		= 10,	/* a segment names no live window */
	LPAR_RANGE		= 11,	/* beyond the end of the function */
	LPAR_READONLY		= 12,
	LPAR_GONE		= 13,	/* the adapter was removed */
	LPAR_PERM		= 14,	/* the policy, or somebody, does not allow it */
	/* the adapter's own verdict on a request */
	LPAR_IOERR		= 32,
	LPAR_NOTSUPP		= 33,
	LPAR_TIMEOUT		= 34,
	LPAR_NOSPC		= 35,
	LPAR_TRANSPORT		= 36,
	LPAR_TARGET		= 37,
	LPAR_RESV_CONFLICT	= 38,
	LPAR_MEDIUM		= 39,
	LPAR_PROTECTION		= 40,
};

/* -------------------------------------------------- functions and records */

enum lpar_function_type {
	LPAR_FUNCTION_DISK	= 1,
	LPAR_FUNCTION_NIC	= 2,
	/* Not a device but the place where a VF that the guest has (by vfio) can be
	 * asked about; there from when it is assigned until it is taken back */
	LPAR_FUNCTION_MAILBOX	= 3,
};

enum lpar_vf_kind {
	LPAR_VF_NIC		= 1,
	LPAR_VF_NVME		= 2,
};

struct lpar_function {
	__le32 id;		/* never 0, not reused while the partition is up */
	__le16 type;		/* enum lpar_function_type; skip unknown ones */
	__le16 reserved;
	__le32 generation;	/* changes when its records do */
	__le32 reserved2;
};
static_assert(sizeof(struct lpar_function) == 16, "wire size");

/**
 * struct lpar_record - one capability; @len - 8 bytes of body follow
 * @type: enum lpar_cap; skip unknown ones
 * @len:  bytes with this header, a multiple of 8
 * @reserved: zero
 *
 * The body is a struct lpar_value, or text (zero-padded) for the text records.
 */
struct lpar_record {
	__le16 type;
	__le16 len;
	__le32 reserved;
};
static_assert(sizeof(struct lpar_record) == 8, "wire size");

/* A capability's range and what is in force (MIN / MAX / REQUESTED of ibmvnic).
 * Where nothing is to be chosen, all three are the same. */
struct lpar_value {
	__le64 min;
	__le64 max;
	__le64 cur;
};
static_assert(sizeof(struct lpar_value) == 24, "wire size");

#define LPAR_SECTOR_SHIFT	9	/* a sector is 512 bytes everywhere here */
#define LPAR_TEXT_MAX		64

/* With LPAR_CAP_VLANS, beside the VLAN: it is not let in any more. */
#define LPAR_VLAN_OUT		(1u << 16)
/* With LPAR_CAP_MACS, beside the address: it has that no more. */
#define LPAR_MAC_OUT		(1ull << 48)

enum lpar_cap {
	/* text */
	LPAR_CAP_NAME		= 1,	/* the function's name in the partition */
	LPAR_CAP_SERIAL		= 2,
	/* values; sizes in bytes unless said otherwise */
	LPAR_CAP_SECTORS	= 16,	/* capacity in sectors */
	LPAR_CAP_LOGICAL_BLOCK	= 17,
	LPAR_CAP_PHYSICAL_BLOCK	= 18,
	LPAR_CAP_IO_MIN		= 19,
	LPAR_CAP_IO_OPT		= 20,
	LPAR_CAP_MAX_TRANSFER	= 21,	/* of one request */
	LPAR_CAP_SEGMENTS	= 22,	/* of one request */
	LPAR_CAP_SEGMENT_SIZE	= 23,	/* of one segment */
	LPAR_CAP_VIRT_BOUNDARY	= 24,	/* mask; 0: none */
	LPAR_CAP_DMA_ALIGNMENT	= 25,	/* mask */
	LPAR_CAP_CHUNK		= 26,	/* no transfer may cross a multiple; 0: none */
	LPAR_CAP_QUEUES		= 27,
	LPAR_CAP_DEPTH		= 28,
	LPAR_CAP_WRITE_CACHE	= 29,	/* 1: volatile, FLUSH matters */
	LPAR_CAP_FUA		= 30,
	LPAR_CAP_DISCARD	= 31,	/* largest; 0: none */
	LPAR_CAP_DISCARD_GRAIN	= 32,
	LPAR_CAP_DISCARD_ALIGN	= 33,
	LPAR_CAP_WRITE_ZEROES	= 34,	/* largest; 0: none */
	LPAR_CAP_ROTATIONAL	= 35,
	LPAR_CAP_READ_ONLY	= 36,
	LPAR_CAP_STABLE_WRITES	= 37,	/* data being written must not change */
	/* of a NIC, besides SEGMENTS (of a frame to send; 1: no scatter-gather) and
	 * DEPTH. What is only there or not is 0 or 1 */
	LPAR_CAP_MAC		= 64,	/* the first byte is bits 40-47 */
	LPAR_CAP_MTU		= 65,	/* bytes behind the Ethernet header */
	LPAR_CAP_TX_QUEUES	= 66,
	LPAR_CAP_RX_QUEUES	= 67,
	LPAR_CAP_LINK		= 68,	/* 1: up */
	LPAR_CAP_SPEED		= 69,	/* Mbit/s; 0: unknown */
	LPAR_CAP_FULL_DUPLEX	= 70,
	LPAR_CAP_TX_CSUM	= 71,	/* of any protocol, at any place */
	LPAR_CAP_TX_CSUM4	= 72,	/* TCP and UDP over IPv4 */
	LPAR_CAP_TX_CSUM6	= 73,	/* TCP and UDP over IPv6 */
	LPAR_CAP_TSO4		= 74,	/* most bytes of a frame to segment; 0: none */
	LPAR_CAP_TSO6		= 75,	/* likewise */
	LPAR_CAP_USO		= 76,	/* likewise */
	LPAR_CAP_TSO_SEGMENTS	= 77,	/* most segments that one may become */
	LPAR_CAP_TX_VLAN	= 78,	/* inserts a tag */
	LPAR_CAP_RX_CSUM	= 79,	/* checked by the adapter */
	LPAR_CAP_RX_VLAN	= 80,	/* tag removed by the adapter */
	LPAR_CAP_RX_MERGED	= 81,	/* 1: frames to be segmented may be received */
	LPAR_CAP_PROMISC	= 82,	/* all frames of the port; to be SET */
	LPAR_CAP_ALLMULTI	= 83,	/* all multicast */
	LPAR_CAP_PORT_VLAN	= 84,	/* frames are of this VLAN, untagged; 0: none */
	LPAR_CAP_IPSEC		= 85,	/* SAs that it can be given; 0: no offload of ESP */
	LPAR_CAP_TOE		= 86,	/* TCP offload engine */
	LPAR_CAP_STANDBY	= 87,	/* a VF with the same address comes first; to be SET
					 * to 1 while that is in use */
	LPAR_CAP_VLAN_FILTER	= 88,	/* 1: of frames with a tag only those of VLANs that
					 * were let in are received; to be SET */
	LPAR_CAP_VLANS		= 89,	/* that can be let in; SET lets one in, or with
					 * LPAR_VLAN_OUT no more */
	LPAR_CAP_MACS		= 90,	/* further addresses that it can have; SET gives it
					 * one, or with LPAR_MAC_OUT takes it */
	/* of a mailbox, besides NAME: its VF's PCI address, as the host has it */
	LPAR_CAP_VF_KIND	= 128,	/* enum lpar_vf_kind */
	/* + enum lpar_ask: min and max may be asked for; cur is what the VF has, as
	 * far as that is known, and need not lie between them. Not there: the policy
	 * refuses it */
	LPAR_CAP_ASK		= 128,
};

/*
 * A security association of ESP (RFC 4303) with AES-GCM (RFC 4106), by which the adapter
 * encrypts what the client sends, or decrypts what it receives. Sequence numbers, padding,
 * replay and policy remain the client's.
 */
#define LPAR_SA_IN		(1u << 0)	/* decrypts; else it encrypts */
#define LPAR_SA_TUNNEL		(1u << 1)	/* else transport mode */
#define LPAR_SA_IPV6		(1u << 2)	/* addresses have 16 bytes; else 4, then zero */

#define LPAR_SA_SALT		4		/* bytes behind the key */
#define LPAR_SA_KEY_MAX		(32 + LPAR_SA_SALT)

/**
 * struct lpar_sa - what LPAR_OP_SA_ADD gives
 * @spi:      not 0
 * @flags:    LPAR_SA_*
 * @icv:      bytes of the check value: 8, 12 or 16
 * @key_len:  bytes of @key with the salt: 20, 28 or 36
 * @reserved: zero
 * @src:      as in a packet's outer header
 * @dst:      likewise
 * @key:      the key, then the salt, then zero
 */
struct lpar_sa {
	__le32 spi;
	__u8   flags;
	__u8   icv;
	__u8   key_len;
	__u8   reserved;
	__u8   src[16];
	__u8   dst[16];
	__u8   key[40];
};
static_assert(sizeof(struct lpar_sa) == 80, "wire size");

/* ---------------------------------------------------------------- windows */

/* A window is at most this long and never crosses a multiple of it, neither as
 * a guest address nor as a logical I/O address. A segment stays inside one. */
#define LPAR_WINDOW_SHIFT	21
#define LPAR_WINDOW_SIZE	(1ul << LPAR_WINDOW_SHIFT)

struct lpar_seg {
	__le64 addr;		/* logical I/O address */
	__le32 len;
	__le32 reserved;
};
static_assert(sizeof(struct lpar_seg) == 16, "wire size");

/* ----------------------------------------------------------------- queues */

/*
 * The memory of a queue is one guest-contiguous, page-aligned area:
 *
 *	struct lpar_queue_ctrl		one page
 *	struct lpar_blk_sqe[depth]	submissions (a NIC's: struct lpar_net_sqe)
 *	struct lpar_cqe[depth]		completions
 *	struct lpar_seg[depth][segs]	the segments of submission slot i
 *
 * Indices run freely through 32 bits; slot = index & (depth - 1). A request is
 * in flight from its submission until its completion has been consumed, and at
 * most @depth are: so neither ring can overflow.
 */
#define LPAR_QUEUE_DEPTH_MIN	2
#define LPAR_QUEUE_DEPTH_MAX	1024
#define LPAR_QUEUE_SEGS_MAX	256

/**
 * struct lpar_queue_ctrl - indices of a queue; each line has one writer
 * @sq_tail:    guest: submissions written
 * @cq_head:    guest: completions consumed
 * @cq_event:   guest: interrupt when @cq_tail passes this index (it is set to
 *              cq_head to ask for the next one; 2^31 away from it, none comes)
 * @quantum_us: guest: longest service per donation; 0: the host's limit
 * @poll_us:    guest, of a disk: it looks for completions itself, and donates so long
 *              for the host to look for them in the adapter, at most; 0: the adapter
 *              interrupts the host
 * @sq_head:    host: submissions taken; the one that it is at may end before it counts
 * @cq_tail:    host: completions written
 * @state:      host: LPAR_QUEUE_* bits
 * @pad0:       keeps the writers apart; looked at by nobody
 * @pad1:       likewise
 */
struct lpar_queue_ctrl {
	__le32 sq_tail;
	__le32 cq_head;
	__le32 cq_event;
	__le32 quantum_us;
	__le32 poll_us;
	__u8   pad0[108];
	__le32 sq_head;
	__le32 cq_tail;
	__le32 state;
	__u8   pad1[4096 - 128 - 12];
};
static_assert(sizeof(struct lpar_queue_ctrl) == 4096, "wire size");

/* The quantum ended with work left (PA BUSY, seed 003): donate again. */
#define LPAR_QUEUE_PA_BUSY	(1u << 0)
/* Work that had to wait for the adapter can go on; on a queue of LPAR_ROLE_RECEIVE:
 * frames wait. Donate again. Frames that are left when the buffers end do not set it
 * anew: a client that adds buffers when there were none rings. */
#define LPAR_QUEUE_RUNNABLE	(1u << 1)
/* The guest broke the protocol; the queue serves nothing until it is destroyed. */
#define LPAR_QUEUE_BROKEN	(1u << 2)
/* The adapter does not interrupt for what this queue has in it (@poll_us): completions
 * come when the guest donates, and without that some ms late. It rings while it waits. */
#define LPAR_QUEUE_POLLS	(1u << 3)

struct lpar_cqe {
	__le16 id;		/* of the submission */
	__le16 status;		/* enum lpar_status */
	__le32 bytes;		/* written by LPAR_NET_RECEIVE; else zero */
};
static_assert(sizeof(struct lpar_cqe) == 8, "wire size");

enum lpar_blk_op {
	LPAR_BLK_READ		= 1,
	LPAR_BLK_WRITE		= 2,
	LPAR_BLK_FLUSH		= 3,
	LPAR_BLK_DISCARD	= 4,
	LPAR_BLK_WRITE_ZEROES	= 5,
};

#define LPAR_BLK_FUA		(1u << 0)	/* WRITE */
#define LPAR_BLK_NOUNMAP	(1u << 1)	/* WRITE_ZEROES: keep it provisioned */

#define LPAR_SQE_SEGS		2

/**
 * struct lpar_blk_sqe - one request to a disk
 * @op:       enum lpar_blk_op
 * @flags:    LPAR_BLK_FUA, LPAR_BLK_NOUNMAP
 * @id:       the guest's; returned in the completion
 * @nsegs:    segments; 0 but for READ and WRITE
 * @sector:   first, from the start of the disk; 0 for FLUSH
 * @nsectors: for READ and WRITE exactly what the segments cover; 0 for FLUSH
 * @seg:      the segments, when there are at most LPAR_SQE_SEGS of them; more
 *            stand in the segment table of this slot, and these are zero
 * @reserved:  zero
 * @reserved2: zero
 * @reserved3: zero
 */
struct lpar_blk_sqe {
	__u8   op;
	__u8   flags;
	__le16 id;
	__le16 nsegs;
	__le16 reserved;
	__le64 sector;
	__le32 nsectors;
	__le32 reserved2;
	struct lpar_seg seg[LPAR_SQE_SEGS];
	__le64 reserved3;
};
static_assert(sizeof(struct lpar_blk_sqe) == 64, "wire size");

/* ------------------------------------------------------------------- NICs */

enum lpar_net_op {
	LPAR_NET_SEND		= 1,	/* on a queue of LPAR_ROLE_REQUESTS */
	LPAR_NET_RECEIVE	= 2,	/* on one of LPAR_ROLE_RECEIVE */
};

#define LPAR_NET_CSUM		(1u << 0)	/* csum_* say what to compute */
#define LPAR_NET_VLAN		(1u << 1)	/* vlan_tci is to be inserted */

enum lpar_gso {
	LPAR_GSO_NONE		= 0,
	LPAR_GSO_TCP4		= 1,
	LPAR_GSO_TCP6		= 2,
	LPAR_GSO_UDP		= 3,	/* segments are datagrams */
};

/* The shortest frame, the longest one, and the most bytes of headers in it. */
#define LPAR_NET_FRAME_MIN	14
#define LPAR_NET_FRAME_MAX	65550
#define LPAR_NET_HEADERS_MAX	256

/**
 * struct lpar_net_sqe - a frame to send, or a buffer for received ones
 * @op:          enum lpar_net_op
 * @flags:       SEND: LPAR_NET_*; RECEIVE: zero
 * @id:          the guest's; returned in the completion
 * @nsegs:       segments, at least 1
 * @headers:     SEND: bytes of headers, from the first one on: what a CPU has to
 *               look at. All of them for a frame that is to be segmented
 * @len:         exactly what the segments cover. A frame begins with its Ethernet
 *               header and has no FCS
 * @csum_start:  SEND with LPAR_NET_CSUM: the first byte that is summed up, behind the
 *               network header. The field holds the sum of the pseudo-header already
 * @csum_offset: of the field, from there
 * @gso_size:    SEND: payload bytes of each segment, with @gso_type
 * @gso_type:    enum lpar_gso
 * @reserved:    zero
 * @vlan_tci:    SEND with LPAR_NET_VLAN
 * @sa:          SEND: number of the SA that the adapter is to encrypt it by, or 0. It is
 *               ESP, complete but for that, and goes to the wire alone
 * @seg:         the segments, when there are at most LPAR_SQE_SEGS of them; more
 *               stand in the segment table of this slot, and these are zero
 * @reserved3:   zero
 */
struct lpar_net_sqe {
	__u8   op;
	__u8   flags;
	__le16 id;
	__le16 nsegs;
	__le16 headers;
	__le32 len;
	__le16 csum_start;
	__le16 csum_offset;
	__le16 gso_size;
	__u8   gso_type;
	__u8   reserved;
	__le16 vlan_tci;
	__le16 sa;
	struct lpar_seg seg[LPAR_SQE_SEGS];
	__le64 reserved3;
};
static_assert(sizeof(struct lpar_net_sqe) == sizeof(struct lpar_blk_sqe),
	      "one submission ring for both");

#define LPAR_NET_RX_CSUM_OK	(1u << 0)	/* checksums were found right */
#define LPAR_NET_RX_CSUM	(1u << 1)	/* not computed: see csum_* */
#define LPAR_NET_RX_VLAN	(1u << 2)	/* vlan_tci was removed */

/**
 * struct lpar_net_rx - what stands in front of a received frame, in its buffer
 * @flags:       LPAR_NET_RX_*
 * @gso_type:    enum lpar_gso; only in a buffer of LPAR_NET_RX_MERGED bytes or more,
 *               with LPAR_CAP_RX_MERGED
 * @reserved:    zero
 * @gso_size:    as in struct lpar_net_sqe
 * @headers:     likewise; 0 with LPAR_GSO_NONE
 * @csum_start:  of a frame whose checksum the sender has not computed, since it
 *               never was on a wire
 * @csum_offset: likewise
 * @vlan_tci:    with LPAR_NET_RX_VLAN
 * @sa:          number of the SA that the adapter decrypted it by, and found it genuine; or 0
 *
 * The completion's bytes count this and the frame.
 */
struct lpar_net_rx {
	__u8   flags;
	__u8   gso_type;
	__le16 reserved;
	__le16 gso_size;
	__le16 headers;
	__le16 csum_start;
	__le16 csum_offset;
	__le16 vlan_tci;
	__le16 sa;
};
static_assert(sizeof(struct lpar_net_rx) == 16, "wire size");

/* A buffer that any frame fits into: it may be given one that is yet to be cut. */
#define LPAR_NET_RX_MERGED	(sizeof(struct lpar_net_rx) + LPAR_NET_FRAME_MAX)
#define LPAR_NET_UDP_SEGMENTS	64	/* that such a one may become, at most */

/* Where the parts of a queue's memory start. @depth and @segs are validated. */
static inline __u32 lpar_queue_sq_offset(void)
{
	return sizeof(struct lpar_queue_ctrl);
}

static inline __u32 lpar_queue_cq_offset(__u32 depth)
{
	return lpar_queue_sq_offset() + depth * sizeof(struct lpar_blk_sqe);
}

static inline __u32 lpar_queue_segs_offset(__u32 depth)
{
	return lpar_queue_cq_offset(depth) + depth * sizeof(struct lpar_cqe);
}

static inline __u32 lpar_queue_bytes(__u32 depth, __u32 segs)
{
	return lpar_queue_segs_offset(depth) +
	       depth * segs * sizeof(struct lpar_seg);
}

/* True when an index that moved from @old to @new has passed @event. */
static inline int lpar_event_passed(__u32 event, __u32 old, __u32 new_)
{
	return (__u32)(new_ - event - 1) < (__u32)(new_ - old);
}

#endif
