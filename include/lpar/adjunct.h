/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * Image adjuncts: services in memory that the client donates, on time that the client
 * donates, isolated from it (seed 003, figs. 4B, 6). The agreement of three: the client's
 * driver and the device (registers, slots), the client and the adjunct (the shared part),
 * and the device and the adjunct (image, address space, yield). See wire.h for the rules.
 */
#ifndef LPAR_ADJUNCT_H
#define LPAR_ADJUNCT_H

#include <lpar/wire.h>

/* ------------------------------------------------------- slots and registers */

/* A 64-bit prefetchable BAR of ordinary memory, a slot for each adjunct. */
#define LPAR_BAR_ADJUNCT	2
#define LPAR_ADJUNCTS_MAX	16
#define LPAR_ADJUNCT_SLOT	(1u << 20)
/* The first pages of a slot are shared by client and adjunct. What follows is donated as
 * a whole number of pages, and is out of the client's reach until DESTROY. */
#define LPAR_ADJUNCT_SHARED	(1u << 16)
#define LPAR_ADJUNCT_PAGES_MAX	((LPAR_ADJUNCT_SLOT - LPAR_ADJUNCT_SHARED) >> 12)

/* In BAR_REGS */
#define LPAR_REG_ADJUNCTS	0x20	/* ro: slots that exist */
#define LPAR_REG_ADJUNCT(n)	(0x800 + (n) * 0x40)	/* slot n's, from there: */
#define LPAR_ADJUNCT_COMMAND	0x00	/* wo: enum lpar_adjunct_command */
#define LPAR_ADJUNCT_STATE	0x04	/* ro: enum lpar_adjunct_state */
#define LPAR_ADJUNCT_STATUS	0x08	/* ro: enum lpar_status of the last command */
#define LPAR_ADJUNCT_PAGES	0x0c	/* rw: donated by CREATE; what QUERY has found */
#define LPAR_ADJUNCT_QUANTUM	0x10	/* rw: of RUN, microseconds; 0: the host's limit */
#define LPAR_ADJUNCT_VECTOR	0x14	/* rw: MSI-X vector of PA BUSY; 0: none */
#define LPAR_ADJUNCT_FLAGS	0x18	/* ro: LPAR_ADJUNCT_GLOBAL, _INTERRUPT */
#define LPAR_ADJUNCT_DONATE	0x1c	/* rw: 1 + the device that CREATE donates; 0: none */

/* Devices that the client has no driver for and an adjunct may have one (seed 003, fig. 7).
 * They are found here and not on the client's bus: nothing there could keep the client from
 * them, nor them from the client's memory. */
#define LPAR_REG_DEVICES	0x24	/* ro: how many there are */
#define LPAR_DEVICES_MAX	8
#define LPAR_REG_DEVICE(n)	(0xc00 + (n) * 0x10)	/* device n's, ro, from there: */
#define LPAR_DEVICE_ID		0x00	/* vendor, and device << 16 */
#define LPAR_DEVICE_CLASS	0x04	/* class code, 24 bits */
#define LPAR_DEVICE_BYTES	0x08	/* of registers that an adjunct gets */
#define LPAR_DEVICE_FLAGS	0x0c	/* LPAR_DEVICE_IN_USE, LPAR_DEVICE_BROKEN */
#define LPAR_DEVICE_IN_USE	1	/* an adjunct has it */
#define LPAR_DEVICE_BROKEN	2	/* it could not be reset; nobody gets it any more */

/* Of QUERY or CREATE: the image's text is the host's, and read by all its clients (seed 003,
 * figs. 5, 8, 9); what is donated is for the rest. */
#define LPAR_ADJUNCT_GLOBAL	1
/* Its device has interrupted, and it does not know yet. */
#define LPAR_ADJUNCT_INTERRUPT	2

enum lpar_adjunct_command {
	/* EMPTY => LOADED. The shared part's struct lpar_adjunct_control names the image; if
	 * it is empty, the pages to be donated hold one of the client's own. NOENT (no such
	 * image), INVAL (pages, own image, device), PERM (own image), QUOTA, NOMEM, STATE;
	 * BUSY, IOERR: of the device */
	LPAR_ADJUNCT_CREATE	= 1,
	/* Any => EMPTY: the pages are scrubbed and the client's again, its device is reset.
	 * BUSY: it runs on another vCPU: it has been told to end, try again */
	LPAR_ADJUNCT_DESTROY	= 2,
	/* Donate: the adjunct runs on this vCPU until it yields or the quantum ends. OK: it
	 * has yielded; BUSY: PA BUSY, the vector was raised: RUN again; TARGET: it has died
	 * (DEAD); STATE: it runs on another vCPU, or is EMPTY or DEAD, or this vCPU is not
	 * the host's yet; NOMEM: no vCPU for it */
	LPAR_ADJUNCT_RUN	= 3,
	/* Is there an image of that name? PAGES becomes the least that CREATE takes, FLAGS
	 * says how it is; nothing else changes. Without a name: may the client bring its
	 * own? NOENT, PERM, QUOTA, NOMEM; STATE: not EMPTY */
	LPAR_ADJUNCT_QUERY	= 4,
};

enum lpar_adjunct_state {
	LPAR_ADJUNCT_EMPTY	= 0,
	LPAR_ADJUNCT_LOADED	= 1,	/* its initialisation has not ended yet */
	LPAR_ADJUNCT_READY	= 2,	/* serves requests */
	LPAR_ADJUNCT_DEAD	= 3,	/* killed: see the report */
};

/* ------------------------------------------------------------ the shared part */

#define LPAR_ADJUNCT_DEPTH	32

/**
 * struct lpar_adjunct_request - one request; in and out are offsets in the shared part
 * @op:       the image's own
 * @in:       where the input is
 * @in_len:   its bytes
 * @out:      where the output goes
 * @out_len:  bytes that there is room for
 * @status:   adjunct: enum lpar_status
 * @bytes:    adjunct: bytes of output
 * @reserved: zero
 */
struct lpar_adjunct_request {
	__le32 op;
	__le32 in;
	__le32 in_len;
	__le32 out;
	__le32 out_len;
	__le32 status;
	__le32 bytes;
	__le32 reserved;
};
static_assert(sizeof(struct lpar_adjunct_request) == 32, "wire size");

/* How an adjunct died, as the device wrote it. All behind error is zero but for FAULT: the
 * client may choose when an adjunct ends, and is not told what it has in its registers. */
struct lpar_adjunct_report {
	__le32 reason;		/* enum lpar_adjunct_death */
	__le32 vector;		/* of the exception */
	__le64 error;		/* its error code, or the code of an exit */
	__le64 address;		/* CR2 */
	__le64 rip;
	__le64 rflags;
	__le64 gpr[16];		/* as instructions number them: rax, rcx, rdx, rbx, rsp, rbp, … */
};

enum lpar_adjunct_death {
	LPAR_ADJUNCT_ALIVE	= 0,
	LPAR_ADJUNCT_FAULT	= 1,	/* an exception */
	LPAR_ADJUNCT_EXIT	= 2,	/* it ended itself */
	LPAR_ADJUNCT_REFUSED	= 3,	/* its initialisation failed */
	LPAR_ADJUNCT_BROKEN	= 4,	/* anything else that KVM reports */
};

/* The shared part: a control page, then data. Indices run freely; served in order. */
struct lpar_adjunct_control {
	__le32 tail;		/* client: requests written */
	__u8   pad0[60];
	__le32 head;		/* adjunct: requests served */
	__u8   pad1[60];
	char   image[LPAR_TEXT_MAX];	/* client: name, before CREATE; zero-padded */
	struct lpar_adjunct_report report;	/* device: when it has died */
	__u8   pad2[1024 - 192 - sizeof(struct lpar_adjunct_report)];
	struct lpar_adjunct_request request[LPAR_ADJUNCT_DEPTH];
	__u8   pad3[2048];
};
static_assert(sizeof(struct lpar_adjunct_control) == 4096, "a page");
#define LPAR_ADJUNCT_DATA	4096	/* offset of the data */

/* ----------------------------------------------------------- image and adjunct */

#define LPAR_IMAGE_MAGIC	0x4a44414c	/* "LADJ" */
#define LPAR_IMAGE_ABI		1

/**
 * struct lpar_image - the head of an image; it is the first thing in its text
 *
 * The file has text_pages pages of text (read, execute) and data_pages of data; bss and
 * stack follow in memory. All of them come out of the donated pages, but the text of one that
 * is GLOBAL. An image that drives
 * a device is started with one of these only.
 */
struct lpar_image {
	__le32 magic;
	__le32 abi;
	__le32 text_pages;
	__le32 data_pages;
	__le32 bss_pages;
	__le32 stack_pages;
	__le32 entry;		/* offset in the text */
	__le32 drives;		/* as LPAR_DEVICE_ID; 0: no device */
	__le32 reserved[8];	/* zero */
};
static_assert(sizeof(struct lpar_image) == 64, "wire size");

/* The adjunct's flat address space. Anything else is not mapped for it. */
#define LPAR_ADJUNCT_VA_TEXT	0x00400000u
#define LPAR_ADJUNCT_VA_DATA	0x00800000u	/* data, bss */
#define LPAR_ADJUNCT_VA_STACK	0x01000000u	/* its end */
#define LPAR_ADJUNCT_VA_SHARED	0x02000000u
#define LPAR_ADJUNCT_VA_DEVICE	0x04000000u	/* uncached: its first memory BAR */
#define LPAR_ADJUNCT_DEVICE_MAX	0x00200000u	/* what of it is mapped at most */
/* For the device, the memory of data, bss, stack and the shared part is at the same
 * addresses, and nothing else is there. */

/* Starts at entry, at CPL 3, with rdi = LPAR_ADJUNCT_VA_SHARED, rsi = its bytes, and rdx =
 * LPAR_ADJUNCT_VA_DEVICE, rcx = its bytes where it has a device; rsp is
 * LPAR_ADJUNCT_VA_STACK, the others are zero. No FPU, no vector state. `int 0x80` yields,
 * rax says why; everything but rax is kept, and afterwards rax is enum lpar_adjunct_resume. A device's interrupt raises PA BUSY; the
 * adjunct hears of it when it goes on behind a yield. */
enum lpar_adjunct_yield {
	LPAR_YIELD_EMPTY	= 0,	/* nothing to serve, or nothing to do before an interrupt */
	LPAR_YIELD_READY	= 1,	/* initialised; rdi = 0, or it has failed */
	LPAR_YIELD_EXIT		= 2,	/* rdi = code: it ends */
};

enum lpar_adjunct_resume {
	LPAR_RESUME		= 0,
	LPAR_RESUME_INTERRUPT	= 1,	/* the device has interrupted since the last time */
};

#endif
