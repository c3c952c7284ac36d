/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/* The maps' keys and values: what the eBPF programs count and the tools show. */
#ifndef LPAR_BPF_ACCOUNT_H
#define LPAR_BPF_ACCOUNT_H

#include <linux/types.h>
#include <stdbool.h>
#include <lpar/events.h>

/* Times are the programs' own (bpf_ktime_get_ns()) unless they say module_. */
#define LPAR_ACCOUNT(X)							\
	X(dispatches)		/* on donated time */			\
	X(requests)		/* taken in them */			\
	X(donated_ns)		/* on the CPU between begin and end */	\
	X(module_donated_ns)	/* the same, as the module says */	\
	X(irq_ns)		/* of donated_ns: interrupt handlers */	\
	X(softirq_ns)		/* of donated_ns: softirqs */		\
	X(preempted_ns)		/* not in donated_ns: others were run */ \
	X(slept_ns)		/* not in donated_ns: waited */		\
	X(quantum_ns)		/* granted */				\
	X(switch_in_ns)		/* by the module: ring until service */	\
	X(switch_out_ns)	/* by the module: end of service */	\
	X(ended_empty)							\
	X(ended_expired)						\
	X(ended_full)							\
	X(ended_yield)							\
	X(ended_fault)							\
	X(pa_busy)							\
	X(runnable)							\
	X(worker_dispatches)	/* on a worker's time */		\
	X(worker_ns)							\
	/* if latency is wanted */					\
	X(completions)							\
	X(bytes)							\
	X(errors)							\
	X(completion_ns)	/* by the module: undonated */		\
	/* of the partition, with LPAR_ADJUNCT_MANAGER */		\
	X(vcpu_ns)		/* its vCPU threads on the CPU, once seen */ \
	X(steal_ns)		/* they could have run: others did */	\
	X(calls)							\
	X(calls_failed)							\
	X(windows_mapped)						\
	X(windows_failed)						\
	X(windows_unmapped)						\
	X(windows_revoked)

struct lpar_account {
#define X(name) __u64 name;
	LPAR_ACCOUNT(X)
#undef X
};

struct lpar_account_key {
	__u32 partition;
	__u32 adjunct;
};

/* What a histogram is of. */
#define LPAR_HIST(X)							\
	X(dispatch)		/* CPU time of a dispatch */		\
	X(switch_in)		/* doorbell until service */		\
	X(call)			/* a hypercall, waiting included */	\
	X(read)			/* taken until completed */		\
	X(write)							\
	X(flush)							\
	X(discard)							\
	X(write_zeroes)

enum lpar_hist_class {
#define X(name) LPAR_HIST_##name,
	LPAR_HIST(X)
#undef X
	LPAR_HIST_CLASSES,
};

#define LPAR_HIST_SLOTS 40	/* slot n: 2^n ≤ ns < 2^(n+1); 0 and 1 in the first */

struct lpar_hist {
	__u64 sum_ns;
	__u64 slot[LPAR_HIST_SLOTS];
};

/* An account, and which place it is: they are counted from 1. */
struct lpar_place {
	struct lpar_account_key key;
	struct lpar_account account;
	__u32 number;
	__u32 reserved;
};

struct lpar_cgroup_key {
	__u64 cgroup;
	__u32 partition;
	__u32 reserved;
};

struct lpar_cgroup {
	__u64 donated_ns;
	__u64 dispatches;
};

struct lpar_cgroup_place {
	struct lpar_cgroup_key key;
	struct lpar_cgroup used;
};

/* Where the CPU time of a control group's threads went: at any moment to one of these.
 * The sum is what the kernel charges it, but that, depending on how the kernel was
 * built, leaves out interrupts. */
#define LPAR_USAGE(X)							\
	X(guest_ns)		/* in the guest */			\
	X(served_ns)		/* in dispatches: donated */		\
	X(interrupt_ns)		/* interrupt handlers and softirqs, whoever's */ \
	X(other_ns)		/* the remainder: KVM and the VMM */

struct lpar_usage {
#define X(name) __u64 name;
	LPAR_USAGE(X)
#undef X
};

/* A thread that has been seen to dispatch. While it is on a CPU, that has it, and what is
 * kept of it is old: not serving, and not preempted. */
struct lpar_thread {
	__u64 on;	/* when it came on the CPU */
	__u64 off;	/* when it left */
	__u64 stolen;	/* before it came, when it could have run */
	/* the dispatch under way */
	__u64 begun;
	__u64 preempted;
	__u64 slept;
	__u64 irq;
	__u64 softirq;
	__u32 partition;
	__u32 adjunct;
	__u32 cpu;	/* the only one that may have it resting */
	bool vcpu;
	bool serving;
	bool was_preempted;
	bool at_rest;	/* on a CPU: what is kept is right if it leaves by itself, not serving */
};

/* What a CPU is doing. */
enum lpar_doing {
	LPAR_DOING_OTHER,
	LPAR_DOING_GUEST,
	LPAR_DOING_DISPATCH,
	LPAR_DOING_INTERRUPT,
};

/* The thread that is on a CPU, if it is followed, or was the last of those and rests: nobody
 * need look for it when it comes back, unless another CPU had it first; the interrupts there, of which hard ones
 * interrupt soft ones; and what its threads have used since one was last charged. */
struct lpar_cpu {
	__u32 pid;		/* of the thread that is there; 0: it is not followed */
	__u32 resting;		/* of that which was; 0: what there is of it is kept only */
	/* places of the last accounts and control group; they say themselves whose they are */
	__u32 manager;
	__u32 place;
	__u32 cgroup;
	struct lpar_thread thread;	/* serving: only if it is followed */
	__u64 irq;		/* when it began; 0: none that is counted */
	__u64 softirq;
	__u64 irq_sum;
	__u64 irq_before;	/* irq_sum when the softirq began */
	/* only if usage is counted */
	__u64 since;		/* when it began to do what it does; 0: not known */
	__u64 charged;
	__u32 doing;		/* enum lpar_doing */
	__u32 before_irq;
	__u32 before_softirq;
	struct lpar_usage used;
};

/* Events that could not be counted. */
enum lpar_lost {
	LPAR_LOST_FULL,		/* no room in a map */
	LPAR_LOST_UNMATCHED,	/* a begin without its end, or the other way round */
	LPAR_LOST_KINDS,
};

#endif
