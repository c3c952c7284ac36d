/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * The tracepoints of lpar_host, as an interface that stays: names, arguments and
 * their order, and the values below. It is included by the module, by the eBPF
 * programs (bpf/) and by the tools.
 *
 * Attach as a raw tracepoint ("raw_tp/lpar_dispatch_end"): that needs no BTF of
 * the module; with it, "tp_btf/…" works as well. All arguments are scalars, each
 * in a 64-bit slot. New arguments are added at the end, up to twelve; new values
 * may appear: programs ignore what they do not know. Whoever is attached holds
 * the module. Programs run with preemption off, so that none is lost to another.
 *
 *   lpar_dispatch_begin  partition, adjunct, queue, vcpu, requests, quantum_ns
 *   lpar_dispatch_end    partition, adjunct, queue, vcpu, requests, quantum_ns,
 *                        donated_ns, switch_in_ns, switch_out_ns, reason
 *   lpar_hypercall       partition, op, seq, status, ns
 *   lpar_window          partition, event, gpa, address, pages, error
 *   lpar_completion      partition, adjunct, queue, id, op, status, bytes,
 *                        latency_ns, undonated_ns
 *   lpar_pa_busy         partition, adjunct, queue
 *   lpar_runnable        partition, adjunct, queue
 *
 * partition     u32: /sys/kernel/lpar/partitions/P/id; not used again while the
 *               module is loaded
 * adjunct       u32: LPAR_ADJUNCT_MANAGER for calls; else the function that the
 *               built-in server serves: …/P/disks/D/id, …/P/nics/N/id. Values from
 *               LPAR_ADJUNCT_IMAGE on are for services that are images
 * queue         u32: its number in the partition; 0 with LPAR_ADJUNCT_MANAGER
 * vcpu          s32: number of the donating thread in its client, in the order
 *               of registration; LPAR_VCPU_NONE: not a vCPU, and nothing is donated
 * requests      u32: announced by the client when the service begins; taken when
 *               it ends
 * quantum_ns    u64: the longest service for this donation; 0: not bounded (calls)
 * donated_ns    u64: CPU time that was used, net of preemption, as the module
 *               counts it; of any other thread's dispatch, that thread's
 * switch_in_ns  u64: from the doorbell, or from the thread's dispatch before, until
 *               the service began; 0: not known
 * switch_out_ns u64: of donated_ns, after the requests had been submitted
 * reason        u32: enum lpar_reason
 * op            u32: LPAR_OP_* of a call; LPAR_BLK_* of a request, or 0 when it
 *               was refused or is a NIC's
 * seq, id       u32: the client's number of the call, of the request
 * status        u32: enum lpar_status
 * ns            u64: time that the call took, waiting included
 * event         u32: enum lpar_window_event
 * gpa, address  u64: guest address, and logical I/O address
 * pages         u32: pinned for it
 * error         s32: 0 or a negative errno
 * bytes         u32: transferred
 * latency_ns    u64: from when the request was taken; 0: refused, or not known
 * undonated_ns  u64: CPU time of the completion, which nobody donates
 *
 * A begin is followed by an end in the same thread, with no other begin between.
 * begin fires at the start of the time that donated_ns counts and end at its end.
 * Times are the module's, from local_clock(); a program that wants to check them
 * takes its own. What is not on yet when a request or a ring comes is not known
 * later: a time of 0.
 */
#ifndef LPAR_EVENTS_H
#define LPAR_EVENTS_H

#define LPAR_ADJUNCT_MANAGER	0
#define LPAR_ADJUNCT_IMAGE	0x80000000u
#define LPAR_VCPU_NONE		(-1)

/* Why a dispatch ended. */
enum lpar_reason {
	LPAR_REASON_EMPTY	= 0,	/* all served */
	LPAR_REASON_EXPIRED	= 1,	/* the quantum is used up: PA BUSY */
	LPAR_REASON_FULL	= 2,	/* the adapter takes no more now: runnable later */
	LPAR_REASON_YIELD	= 3,	/* a signal wants the thread */
	LPAR_REASON_FAULT	= 4,	/* the client broke the protocol, or the queue is being ended; an
					 * image: KVM does not run it */
};

/* What became of a window. */
enum lpar_window_event {
	LPAR_WINDOW_MAP		= 0,	/* made, or not: error */
	LPAR_WINDOW_UNMAP	= 1,	/* given back by the client */
	LPAR_WINDOW_REVOKE	= 2,	/* taken by the host */
};

#endif
