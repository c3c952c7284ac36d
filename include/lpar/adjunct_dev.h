/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * /dev/lpar-adjunct: a guest's programs and the adjuncts that serve them.
 *
 * One open file is one adjunct, from CREATE until DESTROY or until it is closed (seed
 * 003, fig. 6). The adjunct runs on the time of whoever calls it, so the caller's
 * priority, affinity and CPU limit are the service's, too; or on that of a thread of the
 * slot's, where the administrator wants that. A call that comes while the adjunct runs for
 * another waits (fig. 10, steps 1035 and 1040) until it is served, @timeout_ms are over, or a
 * signal kills.
 * Those that wait may go together, the urgent ones (ioprio) first.
 *
 * All fail with -ENODEV once the device has been reset, suspended or removed: the
 * adjunct is gone then, and the file is to be closed; with -EAGAIN until the device is
 * back, where the file has not seen it go. With -EOWNERDEAD the adjunct has died: REPORT
 * says how. Reserved fields are zero, and are checked; so is what is only "out" in QUERY.
 */
#ifndef LPAR_ADJUNCT_DEV_H
#define LPAR_ADJUNCT_DEV_H

#include <linux/ioctl.h>
#include <linux/types.h>

#include <lpar/adjunct.h>

#define LPAR_ADJUNCT_DEVICE	"/dev/lpar-adjunct"
#define LPAR_ADJUNCT_IMAGE_MAX	64	/* with the final zero */
/* Most bytes of all input and output of a batch, each rounded up to LPAR_ADJUNCT_ALIGN */
#define LPAR_ADJUNCT_ROOM	61440
#define LPAR_ADJUNCT_ALIGN	64
#define LPAR_ADJUNCT_BATCH_MAX	32

/* What a caller does when the quantum has ended and its call has not (PA BUSY). */
enum lpar_adjunct_policy {
	LPAR_ADJUNCT_AT_ONCE	= 0,	/* donate again, unless the scheduler prefers others */
	LPAR_ADJUNCT_AFTERWARDS	= 1,	/* let everybody else have a tick before */
};

/**
 * struct lpar_adjunct_create - donate memory, and start an image in it
 * @image:      the name that the host's administrator gave it, zero-padded; empty: @own
 * @pages:      of 4 KiB, to donate: out of the guest's reach until DESTROY
 * @quantum_us: longest run for one donation, microseconds; 0: the host's limit
 * @policy:     enum lpar_adjunct_policy
 * @timeout_ms: longest call, its turn waited for included, or wait for the adjunct to be
 *              ready; 0: for ever
 * @own:        address of an image of the program's own, if @image is empty, or zero
 * @own_bytes:  of it, at most @pages
 * @device:     1 + the device to donate (LPAR_ADJUNCT_IOC_DEVICE); 0: none
 *
 * -ENOENT: the host has no such image; -EPERM: it takes none of the guest's own;
 * -EINVAL: what @own has is none, it does not fit into so few pages, or an argument is
 * wrong, the device among them; -EBUSY: another adjunct has the device; -EIO: it does not
 * work; -EDQUOT, -ENOMEM: the host's limits; -ENOSPC: all slots are
 * taken; -EEXIST: this file has an adjunct already; -ETIMEDOUT; -EOWNERDEAD: it died
 * before it was ready (REPORT).
 */
struct lpar_adjunct_create {
	char  image[LPAR_ADJUNCT_IMAGE_MAX];
	__u32 pages;
	__u32 quantum_us;
	__u32 policy;
	__u32 timeout_ms;
	__u64 own;
	__u32 own_bytes;
	__u32 device;
};

/**
 * struct lpar_adjunct_query - what image could be had?
 * @image:    its name, zero-padded; empty: one of the program's own
 * @pages:    out: the least that CREATE takes; 0: @image is empty
 * @flags:    out: LPAR_ADJUNCT_SHARES
 * @reserved: zero
 *
 * Errors as those of CREATE; -EEXIST: this file has an adjunct. Nothing changes: with
 * -ENOENT the program does what the service would have done (seed 003, fig. 8).
 */
struct lpar_adjunct_query {
	char  image[LPAR_ADJUNCT_IMAGE_MAX];
	__u32 pages;
	__u32 flags;
	__u32 reserved[2];
};

#define LPAR_ADJUNCT_SHARES	1	/* its text is the host's, the same for all guests */

/**
 * struct lpar_adjunct_device - a device that can be donated (seed 003, fig. 7)
 * @index:     in: 0 …
 * @id:        out: PCI vendor, and device << 16
 * @pci_class: out: PCI class code
 * @bytes:     out: of registers that an adjunct gets
 * @flags:     out: LPAR_DEVICE_IN_USE, LPAR_DEVICE_BROKEN
 * @reserved:  zero
 *
 * -ENXIO: there is none with this index, nor with a higher one.
 */
struct lpar_adjunct_device {
	__u32 index;
	__u32 id;
	__u32 pci_class;
	__u32 bytes;
	__u32 flags;
	__u32 reserved[3];
};

/**
 * struct lpar_adjunct_call - one request
 * @op:       the image's own
 * @in_len:   bytes of input
 * @out_len:  bytes that there is room for
 * @status:   out: enum lpar_status, the image's answer: it is not checked
 * @bytes:    out: of output, at most @out_len
 * @reserved: zero
 * @in:       address of the input
 * @out:      where the output goes
 */
struct lpar_adjunct_call {
	__u32 op;
	__u32 in_len;
	__u32 out_len;
	__u32 status;
	__u32 bytes;
	__u32 reserved;
	__u64 in;
	__u64 out;
};

/**
 * struct lpar_adjunct_batch - several requests, served in their order
 * @calls:    address of struct lpar_adjunct_call[@count]
 * @count:    1 … LPAR_ADJUNCT_BATCH_MAX
 * @reserved: zero
 */
struct lpar_adjunct_batch {
	__u64 calls;
	__u32 count;
	__u32 reserved;
};

/**
 * struct lpar_adjunct_state_info - how the adjunct is
 * @slot:    of the device
 * @dead:    it has died, for the reason below
 * @runs:    donations so far
 * @busy:    of those, ended by the quantum
 * @interrupts: PA BUSY: it tells of that, and of the device's interrupts
 * @reason:  enum lpar_adjunct_death; 0 when the host gave none: it broke the rules
 * @vector:  of the exception
 * @error:   its error code, or the code that it ended with
 * @address: that it could not reach; this and the rest are zero but for LPAR_ADJUNCT_FAULT
 * @rip:     of the instruction
 * @rflags:  then
 * @gpr:     rax, rcx, rdx, rbx, rsp, rbp, rsi, rdi, r8 … r15
 */
struct lpar_adjunct_state_info {
	__u32 slot;
	__u32 dead;
	__u64 runs;
	__u64 busy;
	__u64 interrupts;
	__u32 reason;
	__u32 vector;
	__u64 error;
	__u64 address;
	__u64 rip;
	__u64 rflags;
	__u64 gpr[16];
};

#define LPAR_ADJUNCT_IOC	0xb6

#define LPAR_ADJUNCT_IOC_CREATE	_IOW(LPAR_ADJUNCT_IOC, 0, struct lpar_adjunct_create)
/*
 * CALL, BATCH: -ENOTCONN before CREATE; -E2BIG: more than LPAR_ADJUNCT_ROOM; -EPROTO: the
 * adjunct broke the rules, and has been ended; -ECANCELED: DESTROY came; -ETIMEDOUT, -EINTR
 * (killed): what the adjunct had been given stays with it, and nobody hears of the answer.
 */
#define LPAR_ADJUNCT_IOC_CALL	_IOWR(LPAR_ADJUNCT_IOC, 1, struct lpar_adjunct_call)
#define LPAR_ADJUNCT_IOC_BATCH	_IOW(LPAR_ADJUNCT_IOC, 2, struct lpar_adjunct_batch)
/*
 * SUBMIT hands a batch over, donates one quantum (or asks the slot's thread to), and does
 * not wait for more, but for a call that is under way. It goes behind what the adjunct has
 * been given, and with what others call for. poll() says POLLIN when it has been served,
 * POLLPRI when the quantum has ended before that or the thread has donated, POLLOUT when
 * another one can be submitted, POLLERR when the adjunct is dead or there is none, POLLHUP
 * when the device is gone. -EBUSY: the last batch has not been collected by POLL. POLL
 * collects the answers, into the calls that SUBMIT was given; before they are there it
 * donates one quantum, likewise: when to go on is the caller's choice (seed 003, claims
 * 8-10). -EAGAIN: not yet; -ENODATA: nothing was submitted; -ENOTCONN: there is no adjunct.
 * An adjunct with a device may be interrupted while it has no batch: poll() says POLLPRI
 * (now and then for nothing), and POLL donates one quantum for that before it says
 * -ENODATA.
 */
#define LPAR_ADJUNCT_IOC_SUBMIT	_IOW(LPAR_ADJUNCT_IOC, 3, struct lpar_adjunct_batch)
#define LPAR_ADJUNCT_IOC_POLL	_IO(LPAR_ADJUNCT_IOC, 4)
#define LPAR_ADJUNCT_IOC_REPORT	_IOR(LPAR_ADJUNCT_IOC, 5, struct lpar_adjunct_state_info)
/* The pages are scrubbed and the guest's again; calls that wait end. CREATE may follow. */
#define LPAR_ADJUNCT_IOC_DESTROY _IO(LPAR_ADJUNCT_IOC, 6)
#define LPAR_ADJUNCT_IOC_QUERY	_IOWR(LPAR_ADJUNCT_IOC, 7, struct lpar_adjunct_query)
#define LPAR_ADJUNCT_IOC_DEVICE	_IOWR(LPAR_ADJUNCT_IOC, 8, struct lpar_adjunct_device)

#endif
