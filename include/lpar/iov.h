/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * /dev/lpar-iov0, …: in a guest, one for each of its lpar devices: asks the host for what
 * only the host can do to the guest's VFs, and, in the management partition, speaks to the
 * host's lparctl. root's.
 *
 * Structures begin with their size; it has to be this one's (-EINVAL). All calls sleep;
 * they fail with -ENODEV when the device is gone, -EIO when it is broken, -EPROTO when what
 * the host answers makes no sense, -EAGAIN while it is suspended, and -EINTR after a
 * signal: what was asked for is withdrawn then.
 */
#ifndef LPAR_IOV_H
#define LPAR_IOV_H

#include <linux/ioctl.h>
#include <linux/types.h>

#define LPAR_IOV_DEVICE		"/dev/lpar-iov"	/* and a number */

/**
 * struct lpar_iov_mailbox - a mailbox, that is a VF which can be asked about
 * @size:     of this structure
 * @flags:    zero
 * @function: in: the one before it, 0: none; out: its number
 * @bytes:    out: of @data
 * @data:     out: its records (wire.h); nobody has checked them
 *
 * LPAR_IOV_NEXT: -ENOENT if there is none behind @function.
 */
struct lpar_iov_mailbox {
	__u32 size;
	__u32 flags;
	__u32 function;
	__u32 bytes;
	__u8  data[1024];
};

/**
 * struct lpar_iov_ask - ask, and wait for the verdict
 * @size:     of this structure
 * @flags:    zero
 * @function: the mailbox's number
 * @ask:      enum lpar_ask
 * @value:    what is asked for
 * @seconds:  how long to wait; 0: as long as it takes
 * @status:   out: enum lpar_status
 * @bytes:    out: of @text
 * @reserved: zero
 * @text:     out: the reason, without a zero; nobody has checked it
 *
 * -ETIMEDOUT: withdrawn after @seconds; -ECANCELED: the host has dropped it (the VF was
 * taken back, or the device reset).
 */
struct lpar_iov_ask {
	__u32 size;
	__u32 flags;
	__u32 function;
	__u32 ask;
	__u64 value;
	__u32 seconds;
	__u32 status;
	__u32 bytes;
	__u32 reserved;
	__u8  text[256];
};

/**
 * struct lpar_iov_manage - say something to the host's lparctl, and get its answer
 * @size:   of this structure
 * @flags:  zero
 * @text:   address of what is said
 * @answer: address of where the answer goes
 * @bytes:  in: of @text, at most LPAR_MANAGE_TEXT; out: of the answer
 * @room:   bytes at @answer; what is more is lost
 * @status: out: enum lpar_status; LPAR_PERM: this is not the management partition
 * @reserved: zero
 *
 * One at a time. -ECANCELED: as above.
 */
struct lpar_iov_manage {
	__u32 size;
	__u32 flags;
	__u64 text;
	__u64 answer;
	__u32 bytes;
	__u32 room;
	__u32 status;
	__u32 reserved;
};

#define LPAR_IOV_IOC		0xb9
#define LPAR_IOV_NEXT		_IOWR(LPAR_IOV_IOC, 0x80, struct lpar_iov_mailbox)
#define LPAR_IOV_ASK		_IOWR(LPAR_IOV_IOC, 0x81, struct lpar_iov_ask)
#define LPAR_IOV_MANAGE		_IOWR(LPAR_IOV_IOC, 0x82, struct lpar_iov_manage)

#endif
