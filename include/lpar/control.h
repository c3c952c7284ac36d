/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * /dev/lpar: what a virtual machine monitor tells the partition manager.
 *
 * One open file is one client partition, from LPAR_ATTACH until it is closed;
 * closing it, however the process died, gives everything back. Every structure
 * starts with its size as the caller knows it: a longer one whose unknown part
 * is zero is taken, a shorter one is too when the missing part may be zero. What is
 * only "out" is zero on entry, so clear it before the same structure is used again.
 * Unless said otherwise the calls may sleep, come from the process that
 * attached (-EPERM otherwise), and fail with -EINVAL on unknown flags, -E2BIG
 * when the unknown part is not zero, -ENOTCONN before LPAR_ATTACH, -ENOMEM, and
 * -EINTR when the caller is killed while it waits (LPAR_ATTACH and LPAR_GET_STATE wait
 * to the end, and so does LPAR_MEMORY_* once it waits for the adapter).
 */
#ifndef LPAR_CONTROL_H
#define LPAR_CONTROL_H

#include <linux/ioctl.h>
#include <linux/types.h>

#define LPAR_DEVICE		"/dev/lpar"
#define LPAR_CONTROL_VERSION	1
#define LPAR_NAME_MAX		64	/* with the final zero */

/**
 * struct lpar_attach - become a partition
 * @size:      of this structure, as the caller knows it
 * @flags:     zero
 * @version:   in: LPAR_CONTROL_VERSION (-EPROTO otherwise)
 * @partition: in: its name
 * @features:  out: LPAR_FEATURE_*
 * @doorbells: out: doorbells served (call block and queues)
 * @pid:       out, with -EBUSY: who has the partition now
 *
 * -ENOENT: no such partition; -EACCES: the caller is neither its owner nor
 * capable of CAP_SYS_ADMIN; -EBUSY: another process has it; -EISCONN: this file
 * is attached already; -EFAULT: when just the answer could not be written, the
 * file is attached.
 */
struct lpar_attach {
	__u32 size;
	__u32 flags;
	__u32 version;
	__u32 features;
	__u32 doorbells;
	__s32 pid;
	char  partition[LPAR_NAME_MAX];
};

/* Doorbell eventfds run on the vCPU thread that rings (LPAR_SET_DOORBELL).
 * Without it the VMM calls LPAR_RING for each doorbell. */
#define LPAR_FEATURE_TASK_WORK	(1u << 0)

/**
 * struct lpar_memory - a range of guest memory
 * @size:  of this structure
 * @flags: zero
 * @gpa:   guest address, page-aligned
 * @hva:   where it is in the caller's address space, page-aligned
 * @bytes: length, page-aligned
 *
 * LPAR_MEMORY_ADD: -EEXIST if it overlaps another range, -ENOSPC beyond
 * LPAR_MEMORY_MAX. LPAR_MEMORY_REMOVE takes exactly what was added (-ENOENT
 * otherwise). Both revoke the windows that lie in it, and return only when no
 * adapter can reach their memory any more.
 */
struct lpar_memory {
	__u32 size;
	__u32 flags;
	__u64 gpa;
	__u64 hva;
	__u64 bytes;
};

#define LPAR_MEMORY_MAX		512

/**
 * struct lpar_eventfd - connect a doorbell or an interrupt vector
 * @size:  of this structure
 * @flags: zero
 * @index: which
 * @fd:    an eventfd, or -1 to disconnect
 *
 * -EINVAL: no such @index, or no eventfd; -EBADF; LPAR_SET_DOORBELL: -EOPNOTSUPP without
 * LPAR_FEATURE_TASK_WORK.
 */
struct lpar_eventfd {
	__u32 size;
	__u32 flags;
	__u32 index;
	__s32 fd;
};

/**
 * struct lpar_enable - take the client's call block into use
 * @size:  of this structure
 * @flags: zero
 * @call:  its guest address, page-aligned
 *
 * -EINVAL: not page-aligned; -EFAULT: not memory; -EBUSY: enabled already, or a reset was
 * interrupted and has to be repeated; -ENOMEM: memory or the partition's limit; -EAGAIN:
 * the memory was changed meanwhile, call again.
 */
struct lpar_enable {
	__u32 size;
	__u32 flags;
	__u64 call;
};

/** struct lpar_ring - serve a doorbell on the calling thread (donated if it is a vCPU's) */
struct lpar_ring {
	__u32 size;
	__u32 index;
};

/** struct lpar_state - what the partition holds now */
struct lpar_state {
	__u32 size;
	__u32 flags;
	__u32 enabled;
	__u32 functions;
	__u32 queues;
	__u32 vcpus;
	__u64 windows;
	__u64 pinned_bytes;
	__u64 memory_limit;
	__u64 doorbells;
	__u64 donated_ns;
	__u32 adjuncts;		/* that it may have */
	__u32 reserved;
};

/**
 * struct lpar_image_get - the bytes of an image that the administrator approved
 * @size:     of this structure
 * @flags:    LPAR_IMAGE_TEXT, or zero
 * @name:     in: its name, zero-padded; empty: may the client bring one of its own?
 * @data:     in: where to put them
 * @bytes:    in: room there; out: how many there are, 0 without a name
 * @sha256:   out: of them
 * @text:     out, with LPAR_IMAGE_TEXT: a file of the image's text for mmap(), shared and
 *            to be read, if all clients share that (seed 003, fig. 8), or -1; in: zero
 * @reserved: zero
 *
 * -ENOENT: no image of that name is enabled; -ENOSPC: no room, @bytes says how much
 * there must be; -EDQUOT: the partition may have no adjuncts; -EPERM: or none of the
 * client's own. Does not wait.
 */
struct lpar_image_get {
	__u32 size;
	__u32 flags;
	char  name[LPAR_NAME_MAX];
	__u64 data;
	__u64 bytes;
	__u8  sha256[32];
	__s32 text;
	__u32 reserved;
};

#define LPAR_IMAGE_TEXT		1	/* @text is wanted */

#define LPAR_IMAGE_BYTES_MAX	(1u << 20)

/**
 * struct lpar_adjunct_run - run an adjunct on the calling thread's time
 * @size:       of this structure
 * @flags:      zero
 * @slot:       in: which
 * @vcpu:       in: a KVM vCPU of a VM of this process, on which KVM_RUN is called
 * @quantum_us: in: for how long at most; 0, or longer than the partition's limit:
 *              so long
 * @reason:     out: EMPTY: KVM reports something in the vCPU's kvm_run; EXPIRED: the
 *              quantum is used up; YIELD: a signal wants the thread, or it was told
 *              to end by immediate_exit (enum lpar_reason, events.h)
 * @ran_ns:     out: CPU time that was donated
 *
 * The caller is one of the client's vCPUs (LPAR_SET_VCPU; -EPERM otherwise), and may
 * not be inside another KVM_RUN, which it cannot be here. -ENOENT: no such slot;
 * -EBADF: no such file; -EINVAL: it is no vCPU; or what KVM_RUN says.
 */
struct lpar_adjunct_run {
	__u32 size;
	__u32 flags;
	__u32 slot;
	__s32 vcpu;
	__u32 quantum_us;
	__u32 reason;
	__u64 ran_ns;
};

/**
 * struct lpar_adjunct_tell - what became of an adjunct, for the host's administrator
 * @size:  of this structure
 * @flags: zero
 * @slot:  which
 * @state: enum lpar_adjunct_state (adjunct.h)
 * @name:  of its image, zero-padded; empty with LPAR_ADJUNCT_EMPTY
 *
 * -ENOENT: no such slot; -EINVAL: @state and @name do not fit, or it cannot be shown.
 */
struct lpar_adjunct_tell {
	__u32 size;
	__u32 flags;
	__u32 slot;
	__u32 state;
	char  name[LPAR_NAME_MAX];
};

/**
 * struct lpar_adjunct_post - the device that an adjunct has, has interrupted
 * @size:  of this structure
 * @flags: zero
 * @slot:  the adjunct's
 * @reserved: zero
 *
 * The VMM has raised PA BUSY: it is counted, and told (events.h). -ENOENT: no such slot.
 */
struct lpar_adjunct_post {
	__u32 size;
	__u32 flags;
	__u32 slot;
	__u32 reserved;
};

/**
 * struct lpar_probe - could this block device or NIC be shared, and how?
 * @size:    of this structure
 * @flags:   LPAR_PROBE_*
 * @mode:    out: enum lpar_mode
 * @records: out: bytes of @data
 * @path:    in: of the block device; with LPAR_PROBE_NIC the NIC's name, as in
 *           /sys/class/net
 * @adapter: out: PCI address of the adapter, or empty
 * @driver:  out: its driver
 * @reason:  out: why this mode, or why none
 * @data:    out: capability records (wire.h) as a client would see them
 *
 * Needs no LPAR_ATTACH, but CAP_SYS_ADMIN. The device is not opened exclusively.
 * -EINVAL on LPAR_PROBE_NIC: the module is older than NICs.
 */
struct lpar_probe {
	__u32 size;
	__u32 flags;
	__u32 mode;
	__u32 records;
	char  path[256];
	char  adapter[32];
	char  driver[32];
	char  reason[256];
	__u8  data[1024];
};

#define LPAR_PROBE_NIC		1	/* @path names a NIC */

enum lpar_mode {
	LPAR_MODE_NONE	= 0,	/* cannot be shared */
	LPAR_MODE_TAG	= 1,	/* memory tags: mapped once, nothing copied */
	LPAR_MODE_PAGE	= 2,	/* pinned pages, mapped for each request */
	LPAR_MODE_COPY	= 3,	/* copied by the CPU: only when asked for, to compare */
};

#define LPAR_IOC		0xb9
#define LPAR_ATTACH		_IOWR(LPAR_IOC, 0x00, struct lpar_attach)
#define LPAR_MEMORY_ADD		_IOW(LPAR_IOC, 0x01, struct lpar_memory)
#define LPAR_MEMORY_REMOVE	_IOW(LPAR_IOC, 0x02, struct lpar_memory)
#define LPAR_SET_DOORBELL	_IOW(LPAR_IOC, 0x03, struct lpar_eventfd)
#define LPAR_SET_VECTOR		_IOW(LPAR_IOC, 0x04, struct lpar_eventfd)
/* The calling thread runs a vCPU: what it rings is donated time. Idempotent. */
#define LPAR_SET_VCPU		_IO(LPAR_IOC, 0x05)
#define LPAR_ENABLE		_IOW(LPAR_IOC, 0x06, struct lpar_enable)
/* Stop and drain the queues, revoke all windows, forget the call block. Returns
 * when no adapter can reach guest memory; -EINTR if killed while it waits. */
#define LPAR_RESET		_IO(LPAR_IOC, 0x07)
#define LPAR_RING		_IOW(LPAR_IOC, 0x08, struct lpar_ring)
#define LPAR_GET_STATE		_IOWR(LPAR_IOC, 0x09, struct lpar_state)
#define LPAR_PROBE		_IOWR(LPAR_IOC, 0x0a, struct lpar_probe)
#define LPAR_IMAGE_GET		_IOWR(LPAR_IOC, 0x0b, struct lpar_image_get)
#define LPAR_ADJUNCT_DISPATCH	_IOWR(LPAR_IOC, 0x0c, struct lpar_adjunct_run)
#define LPAR_ADJUNCT_TELL	_IOW(LPAR_IOC, 0x0d, struct lpar_adjunct_tell)
#define LPAR_ADJUNCT_POST	_IOW(LPAR_IOC, 0x0e, struct lpar_adjunct_post)

#endif
