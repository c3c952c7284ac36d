// SPDX-License-Identifier: GPL-2.0
/*
 * Who used whose CPU time for what. The programs follow each dispatch of lpar_host
 * with clocks of their own: on the CPU between begin and end by sched_switch, and
 * what interrupts took of it by the irq and softirq tracepoints. The module's word
 * for the same is summed up beside it, so that the two can be compared.
 *
 * Every program exists twice, as a raw tracepoint, which needs no BTF of what it is
 * attached to, and as tp_btf; the loader takes one of them. Arguments stand in
 * include/lpar/events.h.
 */
#include "kernel.h"

#include "account.h"
#include <lpar/wire.h>

#define ACCOUNTS_MAX	512	/* partitions × (functions + 1) */
#define HISTS_MAX	512
#define CGROUPS_MAX	256
#define USAGES_MAX	2048	/* of all control groups of the host */
#define CHARGE_NS	1000000	/* a thread that stays on its CPU is charged so often */
#define THREADS_MAX	8192

/* What a CPU is doing. */
enum doing {
	DOING_OTHER,
	DOING_GUEST,
	DOING_DISPATCH,
	DOING_INTERRUPT,
};

/* The interrupts of a CPU, of which hard ones interrupt soft ones, and what the thread
 * that is on it has used since it was last charged. */
struct cpu {
	u64 irq;		/* when it began */
	u64 softirq;
	u64 irq_sum;
	u64 irq_before;		/* irq_sum when the softirq began */
	u64 since;		/* when it began to do what it does; 0: not known */
	u64 charged;
	u32 doing;		/* enum doing */
	u32 before_irq;
	u32 before_softirq;
	u32 place;		/* of the last account; it says itself whose it is */
	struct lpar_usage used;
};

/* Where a key's values are: arrays are looked into in a few instructions, and a CPU
 * remembers which place it was at, so most events need no look-up by key. Place n is
 * element n - 1. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, ACCOUNTS_MAX);
	__type(key, struct lpar_account_key);
	__type(value, u32);
} account_places SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, ACCOUNTS_MAX);
	__type(key, u32);
	__type(value, struct lpar_place);
} accounts SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, HISTS_MAX);
	__type(key, struct lpar_hist_key);
	__type(value, u32);
} hist_places SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, HISTS_MAX);
	__type(key, u32);
	__type(value, struct lpar_hist);
} hists SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_HASH);
	__uint(max_entries, CGROUPS_MAX);
	__type(key, struct lpar_cgroup_key);
	__type(value, struct lpar_cgroup);
} cgroups SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_HASH);
	__uint(max_entries, USAGES_MAX);
	__type(key, u64);
	__type(value, struct lpar_usage);
} usages SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, THREADS_MAX);
	__type(key, u32);
	__type(value, struct lpar_thread);
} threads SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct cpu);
} cpus SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, LPAR_LOST_KINDS);
	__type(key, u32);
	__type(value, u64);
} losses SEC(".maps");

/* Set when all programs are attached: what is counted is counted by all of them. */
volatile int armed;

static u32 account_count;
static u32 hist_count;

/* Too large for the stack. */
static const struct lpar_cgroup no_cgroup;
static const struct lpar_thread no_thread;
static const struct lpar_usage no_usage;

static __always_inline void lost(u32 kind)
{
	u64 *n = bpf_map_lookup_elem(&losses, &kind);

	if (n)
		++*n;
}

/* The value of a key, made if need be; NULL, and an event lost, when there is no room. */
static __always_inline void *get(void *map, const void *key, const void *empty)
{
	void *value = bpf_map_lookup_elem(map, key);

	if (value)
		return value;
	bpf_map_update_elem(map, key, empty, BPF_NOEXIST);
	value = bpf_map_lookup_elem(map, key);
	if (!value)
		lost(LPAR_LOST_FULL);
	return value;
}

static __always_inline struct cpu *this_cpu(void)
{
	u32 zero = 0;

	return bpf_map_lookup_elem(&cpus, &zero);
}

/* The place of a key, taken if need be; 0 when there is no room. When two CPUs take one
 * for the same key, one of the places stays empty. */
static __always_inline u32 place_of(void *places, const void *key, u32 *count, u32 max)
{
	u32 *place = bpf_map_lookup_elem(places, key), new;

	if (place)
		return *place;
	/* the count goes no further than a CPU each beyond the end, and does not wrap */
	if (*count < max) {
		new = __sync_fetch_and_add(count, 1) + 1;
		if (new <= max)
			bpf_map_update_elem(places, key, &new, BPF_NOEXIST);
		place = bpf_map_lookup_elem(places, key);
		if (place)
			return *place;
	}
	lost(LPAR_LOST_FULL);
	return 0;
}

/* Remembered is one number, and the place has its key: an interrupt that comes between,
 * and remembers another, does no harm. */
static __always_inline struct lpar_place *place(struct cpu *c, u32 partition, u32 adjunct)
{
	struct lpar_account_key key = { partition, adjunct };
	struct lpar_place *p;
	u32 n, i;

	if (!c)
		return NULL;
	n = c->place;
	if (n) {
		i = n - 1;
		p = bpf_map_lookup_elem(&accounts, &i);
		if (p && p->key.adjunct == adjunct && p->key.partition == partition)
			return p;
	}
	n = place_of(&account_places, &key, &account_count, ACCOUNTS_MAX);
	if (!n)
		return NULL;
	i = n - 1;
	p = bpf_map_lookup_elem(&accounts, &i);
	if (!p)
		return NULL;
	p->key = key;
	c->place = n;
	return p;
}

static __always_inline struct lpar_account *account(struct cpu *c, u32 partition, u32 adjunct)
{
	struct lpar_place *p = place(c, partition, adjunct);

	return p ? &p->account : NULL;
}

/* Not static: checked by itself, so that 6.1's verifier does not follow a value that
 * it knows a little of through branches that such a value cannot take. */
__noinline u32 log2_ns(u64 v)
{
	u32 r = 0;

	if (v >> 32) {
		v >>= 32;
		r += 32;
	}
	if (v >> 16) {
		v >>= 16;
		r += 16;
	}
	if (v >> 8) {
		v >>= 8;
		r += 8;
	}
	if (v >> 4) {
		v >>= 4;
		r += 4;
	}
	if (v >> 2) {
		v >>= 2;
		r += 2;
	}
	return r + (v >> 1);
}

static __always_inline void hist(struct lpar_place *p, u32 class, u64 ns)
{
	struct lpar_hist_key key = { p->key.partition, p->key.adjunct, class };
	struct lpar_hist *h;
	u64 slot;
	u32 n;

	if (!p->hist[class])
		p->hist[class] = place_of(&hist_places, &key, &hist_count, HISTS_MAX);
	n = p->hist[class] - 1;
	h = bpf_map_lookup_elem(&hists, &n);
	if (!h)
		return;
	slot = log2_ns(ns);
	/* one register for the check and for the use */
	barrier_var(slot);
	if (slot >= LPAR_HIST_SLOTS)
		slot = LPAR_HIST_SLOTS - 1;
	h->slot[slot]++;
	h->sum_ns += ns;
}

/* The idle ones, 0, are none. */
static __always_inline struct lpar_thread *thread_of(u32 pid)
{
	return pid ? bpf_map_lookup_elem(&threads, &pid) : NULL;
}

static __always_inline struct lpar_thread *current_thread(void)
{
	return thread_of(bpf_get_current_pid_tgid());
}

/* ------------------------------------------------- what control groups use */

/* From now on this CPU does something else. */
static __always_inline void turn(struct cpu *c, u64 now, u32 doing)
{
	u64 ns = 0;

	/* an interrupt may have been here since the caller looked at the clock */
	if (armed && now > c->since) {
		ns = c->since ? now - c->since : 0;
		c->since = now;
	}
	switch (c->doing) {
	case DOING_GUEST:
		c->used.guest_ns += ns;
		break;
	case DOING_DISPATCH:
		c->used.served_ns += ns;
		break;
	case DOING_INTERRUPT:
		c->used.interrupt_ns += ns;
		break;
	default:
		c->used.other_ns += ns;
		break;
	}
	c->doing = doing;
}

/* What has been used is the current thread's group's. Of groups that there is no room for
 * nothing is known: most are nobody's here. */
static __always_inline void charge(struct cpu *c, u64 now)
{
	u64 cgroup = bpf_get_current_cgroup_id();
	struct lpar_usage *u;

	u = bpf_map_lookup_elem(&usages, &cgroup);
	if (!u) {
		bpf_map_update_elem(&usages, &cgroup, &no_usage, BPF_NOEXIST);
		u = bpf_map_lookup_elem(&usages, &cgroup);
	}
	if (u) {
		u->guest_ns += c->used.guest_ns;
		u->served_ns += c->used.served_ns;
		u->interrupt_ns += c->used.interrupt_ns;
		u->other_ns += c->used.other_ns;
	}
	c->used = no_usage;
	c->charged = now;
}

static __always_inline void charge_now_and_then(struct cpu *c, u64 now)
{
	if (armed && now - c->charged > CHARGE_NS && bpf_get_current_pid_tgid())
		charge(c, now);
}

/* An adjunct's own guest mode is its dispatch. */
static __always_inline int on_kvm_entry(u64 *ctx)
{
	struct cpu *c = this_cpu();

	if (armed && c && c->doing != DOING_DISPATCH)
		turn(c, bpf_ktime_get_ns(), DOING_GUEST);
	return 0;
}

static __always_inline int on_kvm_exit(u64 *ctx)
{
	u64 now = bpf_ktime_get_ns();
	struct cpu *c = this_cpu();

	if (!armed || !c || c->doing == DOING_DISPATCH)
		return 0;
	turn(c, now, DOING_OTHER);
	charge_now_and_then(c, now);
	return 0;
}

/* What an interrupt interrupts: it ends guest mode, whatever KVM says later. */
static __always_inline u32 interrupted(const struct cpu *c)
{
	return c->doing == DOING_GUEST ? DOING_OTHER : c->doing;
}

/* ------------------------------------------------------------- dispatches */

static __always_inline int on_lpar_dispatch_begin(u64 *ctx)
{
	u32 pid = bpf_get_current_pid_tgid();
	struct cpu *c = this_cpu();
	struct lpar_thread *t;
	u64 now;

	if (!armed)
		return 0;
	/* the module counts what was done until here, and we what it does behind its own end */
	now = bpf_ktime_get_ns();
	if (c && (s32)ctx[3] != LPAR_VCPU_NONE)
		turn(c, now, DOING_DISPATCH);
	t = get(&threads, &pid, &no_thread);
	if (!t)
		return 0;
	if (t->serving)
		lost(LPAR_LOST_UNMATCHED);
	if (!t->on)
		t->on = now;
	t->begun = now;
	t->slice = now;
	t->ran = 0;
	t->preempted = 0;
	t->slept = 0;
	t->irq = 0;
	t->softirq = 0;
	t->partition = ctx[0];
	t->adjunct = ctx[1];
	t->queue = ctx[2];
	t->vcpu = (s32)ctx[3] != LPAR_VCPU_NONE;
	t->serving = true;
	return 0;
}

static __always_inline void ended(struct lpar_account *a, u32 reason)
{
	switch (reason) {
	case LPAR_REASON_EMPTY:
		a->ended_empty++;
		break;
	case LPAR_REASON_EXPIRED:
		a->ended_expired++;
		break;
	case LPAR_REASON_FULL:
		a->ended_full++;
		break;
	case LPAR_REASON_YIELD:
		a->ended_yield++;
		break;
	case LPAR_REASON_FAULT:
		a->ended_fault++;
		break;
	}
}

static __always_inline int on_lpar_dispatch_end(u64 *ctx)
{
	u64 now = bpf_ktime_get_ns(), ns;
	struct lpar_cgroup_key key = {};
	struct lpar_thread *t = current_thread();
	struct cpu *c = this_cpu();
	struct lpar_account *a;
	struct lpar_place *p;
	struct lpar_cgroup *g;

	if (c && c->doing == DOING_DISPATCH)
		turn(c, now, DOING_OTHER);
	/* began before us: not known, and not lost either */
	if (!t)
		return 0;
	if (!t->serving || t->partition != (u32)ctx[0] ||
	    t->adjunct != (u32)ctx[1] || t->queue != (u32)ctx[2]) {
		t->serving = false;
		lost(LPAR_LOST_UNMATCHED);
		return 0;
	}
	t->serving = false;
	ns = t->ran + (now - t->slice);
	p = place(c, t->partition, t->adjunct);
	if (!p)
		return 0;
	a = &p->account;
	if (!t->vcpu) {
		a->worker_dispatches++;
		a->worker_ns += ns;
		return 0;
	}
	a->dispatches++;
	a->requests += (u32)ctx[4];
	a->quantum_ns += ctx[5];
	a->donated_ns += ns;
	a->module_donated_ns += ctx[6];
	a->switch_in_ns += ctx[7];
	a->switch_out_ns += ctx[8];
	a->irq_ns += t->irq;
	a->softirq_ns += t->softirq;
	a->preempted_ns += t->preempted;
	a->slept_ns += t->slept;
	ended(a, ctx[9]);
	hist(p, LPAR_HIST_dispatch, ns);
	if (ctx[7])
		hist(p, LPAR_HIST_switch_in, ctx[7]);

	key.cgroup = bpf_get_current_cgroup_id();
	key.partition = t->partition;
	g = get(&cgroups, &key, &no_cgroup);
	if (g) {
		g->donated_ns += ns;
		g->dispatches++;
	}
	return 0;
}

static __always_inline int on_lpar_hypercall(u64 *ctx)
{
	struct lpar_account *a;
	struct lpar_place *p;

	if (!armed)
		return 0;
	p = place(this_cpu(), ctx[0], LPAR_ADJUNCT_MANAGER);
	if (!p)
		return 0;
	a = &p->account;
	a->calls++;
	a->calls_failed += (u32)ctx[3] != LPAR_OK;
	if (ctx[4])
		hist(p, LPAR_HIST_call, ctx[4]);
	return 0;
}

static __always_inline int on_lpar_window(u64 *ctx)
{
	struct lpar_account *a;

	if (!armed)
		return 0;
	a = account(this_cpu(), ctx[0], LPAR_ADJUNCT_MANAGER);
	if (!a)
		return 0;
	switch ((u32)ctx[1]) {
	case LPAR_WINDOW_MAP:
		if ((s32)ctx[5])
			a->windows_failed++;
		else
			a->windows_mapped++;
		break;
	case LPAR_WINDOW_UNMAP:
		a->windows_unmapped++;
		break;
	case LPAR_WINDOW_REVOKE:
		a->windows_revoked++;
		break;
	}
	return 0;
}

static __always_inline int on_lpar_completion(u64 *ctx)
{
	struct lpar_account *a;
	struct lpar_place *p;
	u32 class;

	if (!armed)
		return 0;
	p = place(this_cpu(), ctx[0], ctx[1]);
	if (!p)
		return 0;
	a = &p->account;
	a->completions++;
	a->errors += (u32)ctx[5] != LPAR_OK;
	a->bytes += (u32)ctx[6];
	a->completion_ns += ctx[8];
	if (!ctx[7])
		return 0;
	switch ((u32)ctx[4]) {
	case LPAR_BLK_READ:
		class = LPAR_HIST_read;
		break;
	case LPAR_BLK_WRITE:
		class = LPAR_HIST_write;
		break;
	case LPAR_BLK_FLUSH:
		class = LPAR_HIST_flush;
		break;
	case LPAR_BLK_DISCARD:
		class = LPAR_HIST_discard;
		break;
	case LPAR_BLK_WRITE_ZEROES:
		class = LPAR_HIST_write_zeroes;
		break;
	default:
		return 0;
	}
	hist(p, class, ctx[7]);
	return 0;
}

static __always_inline int on_lpar_pa_busy(u64 *ctx)
{
	struct lpar_account *a = armed ? account(this_cpu(), ctx[0], ctx[1]) : NULL;

	if (a)
		a->pa_busy++;
	return 0;
}

static __always_inline int on_lpar_runnable(u64 *ctx)
{
	struct lpar_account *a = armed ? account(this_cpu(), ctx[0], ctx[1]) : NULL;

	if (a)
		a->runnable++;
	return 0;
}

/* -------------------------------------------------------- the scheduler's view */

static __always_inline void leaves(struct lpar_thread *t, bool preempted, u64 now)
{
	struct lpar_account *a;

	if (t->vcpu && t->on) {
		a = account(this_cpu(), t->partition, LPAR_ADJUNCT_MANAGER);
		if (a) {
			a->vcpu_ns += now - t->on;
			a->steal_ns += t->stolen;
		}
	}
	t->on = 0;
	t->off = now;
	t->stolen = 0;
	t->was_preempted = preempted;
	if (t->serving)
		t->ran += now - t->slice;
}

static __always_inline void comes(struct lpar_thread *t, u64 now)
{
	u64 away = now - t->off;

	t->on = now;
	if (t->was_preempted)
		t->stolen = away;
	if (!t->serving)
		return;
	t->slice = now;
	if (t->was_preempted)
		t->preempted += away;
	else
		t->slept += away;
}

/* preempt, previous, next, the state of the previous: 0 when it could go on */
static __always_inline int on_sched_switch(u64 *ctx)
{
	struct task_struct *next = (void *)ctx[2];
	u64 now = bpf_ktime_get_ns();
	u32 pid = bpf_get_current_pid_tgid();
	struct cpu *c = armed ? this_cpu() : NULL;
	struct lpar_thread *t;

	if (c) {
		turn(c, now, DOING_OTHER);
		/* nobody is charged for an idle CPU */
		if (pid)
			charge(c, now);
		else
			c->used = no_usage;
	}
	t = thread_of(pid);
	if (t)
		leaves(t, ctx[0] || !(u32)ctx[3], now);
	pid = BPF_CORE_READ(next, pid);
	t = thread_of(pid);
	if (t)
		comes(t, now);
	if (c && t && t->serving && t->vcpu)
		c->doing = DOING_DISPATCH;
	return 0;
}

static __always_inline int on_sched_process_exit(u64 *ctx)
{
	u32 pid = bpf_get_current_pid_tgid();

	bpf_map_delete_elem(&threads, &pid);
	return 0;
}

/* ----------------------------------------------------------------- interrupts */

/* The thread whose dispatch, on donated time, an interrupt took time of. */
static __always_inline struct lpar_thread *interrupted_thread(u32 before)
{
	struct lpar_thread *t = before == DOING_DISPATCH ? current_thread() : NULL;

	return t && t->serving ? t : NULL;
}

static __always_inline int on_irq_handler_entry(u64 *ctx)
{
	struct cpu *c = this_cpu();

	if (!c)
		return 0;
	c->irq = bpf_ktime_get_ns();
	c->before_irq = interrupted(c);
	turn(c, c->irq, DOING_INTERRUPT);
	return 0;
}

static __always_inline int on_irq_handler_exit(u64 *ctx)
{
	u64 now = bpf_ktime_get_ns(), ns;
	struct cpu *c = this_cpu();
	struct lpar_thread *t;

	if (!c || !c->irq)
		return 0;
	ns = now - c->irq;
	c->irq = 0;
	c->irq_sum += ns;
	turn(c, now, c->before_irq);
	/* that of a softirq, when it interrupts that */
	t = interrupted_thread(c->softirq ? c->before_softirq : c->before_irq);
	if (t)
		t->irq += ns;
	return 0;
}

static __always_inline int on_softirq_entry(u64 *ctx)
{
	struct cpu *c = this_cpu();

	if (!c)
		return 0;
	c->irq_before = c->irq_sum;
	c->softirq = bpf_ktime_get_ns();
	c->before_softirq = interrupted(c);
	turn(c, c->softirq, DOING_INTERRUPT);
	return 0;
}

static __always_inline int on_softirq_exit(u64 *ctx)
{
	u64 now = bpf_ktime_get_ns();
	struct cpu *c = this_cpu();
	struct lpar_thread *t;

	if (!c || !c->softirq)
		return 0;
	t = interrupted_thread(c->before_softirq);
	if (t)
		t->softirq += now - c->softirq - (c->irq_sum - c->irq_before);
	c->softirq = 0;
	turn(c, now, c->before_softirq);
	/* at each tick: of threads that are never in a guest */
	charge_now_and_then(c, now);
	return 0;
}

/* ------------------------------------------------------------------ programs */

#define PROGRAM(name)							\
	SEC("raw_tp/" #name)						\
	int raw_##name(u64 *ctx)					\
	{								\
		return on_##name(ctx);					\
	}								\
	SEC("tp_btf/" #name)						\
	int btf_##name(u64 *ctx)					\
	{								\
		return on_##name(ctx);					\
	}

PROGRAM(kvm_entry)
PROGRAM(kvm_exit)
PROGRAM(lpar_dispatch_begin)
PROGRAM(lpar_dispatch_end)
PROGRAM(lpar_hypercall)
PROGRAM(lpar_window)
PROGRAM(lpar_completion)
PROGRAM(lpar_pa_busy)
PROGRAM(lpar_runnable)
PROGRAM(sched_switch)
PROGRAM(sched_process_exit)
PROGRAM(irq_handler_entry)
PROGRAM(irq_handler_exit)
PROGRAM(softirq_entry)
PROGRAM(softirq_exit)

char _license[] SEC("license") = "GPL";
