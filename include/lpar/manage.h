/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * /dev/lpar-manage: what partitions ask for, and the answers of the management side
 * (lparctl iov). Opening it needs CAP_SYS_ADMIN. It can be polled: readable when there is
 * something that this file's last LPAR_MANAGE_NEXT from the start has not seen.
 *
 * Structures begin with their size, as those of /dev/lpar do (control.h).
 */
#ifndef LPAR_MANAGE_H
#define LPAR_MANAGE_H

#include <linux/ioctl.h>
#include <linux/types.h>

#include <lpar/control.h>

#define LPAR_MANAGE_DEVICE	"/dev/lpar-manage"

/**
 * struct lpar_manage_request - a request that has no answer yet
 * @size:      of this structure
 * @flags:     in: zero; out: LPAR_MANAGE_*
 * @id:        in: the one before it, 0: none; out: its number, never used again
 * @partition: out: who asks
 * @vf:        out: PCI address of the VF; empty: a text of the management partition
 * @kind:      out: enum lpar_vf_kind
 * @ask:       out: enum lpar_ask; 0: a text
 * @value:     out: what is asked for; of a text its bytes
 * @seconds:   out: how long it has been waiting
 * @reserved:  zero
 *
 * LPAR_MANAGE_NEXT: -ENOENT if there is none behind @id.
 */
struct lpar_manage_request {
	__u32 size;
	__u32 flags;
	__u64 id;
	char  partition[LPAR_NAME_MAX];
	char  vf[LPAR_NAME_MAX];
	__u32 kind;
	__u32 ask;
	__u64 value;
	__u32 seconds;
	__u32 reserved;
};

#define LPAR_MANAGE_ALLOWED	(1u << 0)	/* by the policy: to be carried out */
#define LPAR_MANAGE_TAKEN	(1u << 1)	/* somebody has it in hand */

/**
 * struct lpar_manage_take - take a request in hand: nobody else does
 * @size:  of this structure
 * @flags: zero
 * @id:    its number
 * @text:  where to put the text that it is about, or 0
 * @room:  bytes there
 * @reserved: zero
 *
 * Who closes the file without an answer gives it back. -ENOENT: it has been withdrawn,
 * its partition reset or its VF taken back; -EBUSY: a file has it, which may be this one;
 * -EMSGSIZE: the text is longer; -EFAULT: where @text cannot be written, the request is
 * in hand all the same.
 */
struct lpar_manage_take {
	__u32 size;
	__u32 flags;
	__u64 id;
	__u64 text;
	__u32 room;
	__u32 reserved;
};

/**
 * struct lpar_manage_end - answer a request that this file has taken
 * @size:   of this structure
 * @flags:  zero
 * @id:     its number
 * @status: enum lpar_status
 * @bytes:  of the text
 * @text:   what the client is told: a reason of at most LPAR_REASON_TEXT bytes; as answer
 *          to a text at most LPAR_MANAGE_TEXT
 *
 * -ENOENT: nobody waits for it any more; -EPERM: it has not been taken by this file;
 * -EMSGSIZE.
 */
struct lpar_manage_end {
	__u32 size;
	__u32 flags;
	__u64 id;
	__u32 status;
	__u32 bytes;
	__u64 text;
};

#define LPAR_MANAGE_NEXT	_IOWR(LPAR_IOC, 0x40, struct lpar_manage_request)
#define LPAR_MANAGE_TAKE	_IOW(LPAR_IOC, 0x41, struct lpar_manage_take)
#define LPAR_MANAGE_END		_IOW(LPAR_IOC, 0x42, struct lpar_manage_end)

#endif
