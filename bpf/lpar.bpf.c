// SPDX-License-Identifier: GPL-2.0
/*
 * Who used whose CPU time for what. The programs follow each dispatch of lpar_host
 * with clocks of their own: on the CPU between begin and end by sched_switch, and
 * what interrupts took of it by the irq and softirq tracepoints. The module's word
 * for the same is summed up beside it, so that the two can be compared.
 *
 * What takes more than the dispatches themselves is counted if the loader asks for it:
 * what became of each request, and histograms (latency); and where the rest of a control
 * group's time goes (usage), which takes clocks at each exit of each guest.
 *
 * Every program exists twice, as a raw tracepoint, which needs no BTF of what it is
 * attached to, and as tp_btf; the loader takes one of them. Arguments stand in
 * include/lpar/events.h.
 */
#include "kernel.h"

#include "account.h"
#include <lpar/wire.h>

#define CHARGE_NS	1000000	/* a thread that stays on its CPU is charged so often */

/* How much maps hold the loader says, which knows what there is.
 *
 * Where a key's values are: arrays are looked into in a few instructions, and a CPU
 * remembers which place it was at, so most events need no look-up by key. Place n is
 * element n - 1. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1);
	__type(key, struct lpar_account_key);
	__type(value, u32);
} account_places SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct lpar_place);
} accounts SEC(".maps");

/* Places of what is gone, which the loader gives back: they are empty. */
struct {
	__uint(type, BPF_MAP_TYPE_STACK);
	__uint(max_entries, 1);
	__type(value, u32);
} free_accounts SEC(".maps");

/* LPAR_HIST_CLASSES of them for each account, at its place. All CPUs share them: one for
 * each would be most of what the maps take. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct lpar_hist);
} hists SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1);
	__type(key, struct lpar_cgroup_key);
	__type(value, u32);
} cgroup_places SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct lpar_cgroup_place);
} cgroups SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_STACK);
	__uint(max_entries, 1);
	__type(value, u32);
} free_cgroups SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_HASH);
	__uint(max_entries, 1);
	__type(key, u64);
	__type(value, struct lpar_usage);
} usages SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct lpar_thread);
} threads SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, u32);
	__type(value, struct lpar_cpu);
} cpus SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, LPAR_LOST_KINDS);
	__type(key, u32);
	__type(value, u64);
} losses SEC(".maps");

/* Set before they are loaded: what else is counted, and how many places there are. */
const volatile bool latency_wanted;
const volatile bool usage_wanted;
const volatile __u32 accounts_max;
const volatile __u32 cgroups_max;

/* Set when all programs are attached: what is counted is counted by all of them. */
volatile int armed;

static u32 account_count;
static u32 cgroup_count;

/* Too large for the stack. */
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

static __always_inline struct lpar_cpu *this_cpu(void)
{
	u32 zero = 0;

	return bpf_map_lookup_elem(&cpus, &zero);
}

/* A place that is nobody's, or one beyond the end. */
static __always_inline u32 new_place(void *free, u32 *count, u32 max)
{
	u32 new;

	if (!bpf_map_pop_elem(free, &new))
		return new;
	/* the count goes no further than a CPU each beyond the end, and does not wrap */
	return *count < max ? __sync_fetch_and_add(count, 1) + 1 : max + 1;
}

/* The place of a key, taken if need be; 0 when there is no room. */
static __always_inline u32 place_of(void *places, void *free, const void *key, u32 *count, u32 max)
{
	u32 *place = bpf_map_lookup_elem(places, key), new;

	if (place)
		return *place;
	new = new_place(free, count, max);
	/* another CPU may have taken one for it */
	if (new <= max && bpf_map_update_elem(places, key, &new, BPF_NOEXIST))
		bpf_map_push_elem(free, &new, 0);
	place = bpf_map_lookup_elem(places, key);
	if (place)
		return *place;
	lost(LPAR_LOST_FULL);
	return 0;
}

/* Remembered is one number for the manager's account and one for another, and the place
 * has its key: an interrupt that comes between, and remembers another, does no harm. */
static __always_inline struct lpar_place *place(struct lpar_cpu *c, u32 partition, u32 adjunct)
{
	struct lpar_account_key key = { partition, adjunct };
	u32 *last = adjunct == LPAR_ADJUNCT_MANAGER ? &c->manager : &c->place;
	struct lpar_place *p;
	u32 n = *last, i;

	/* nothing is found at "none", which is beyond the end */
	i = n - 1;
	p = bpf_map_lookup_elem(&accounts, &i);
	if (p && p->key.adjunct == adjunct && p->key.partition == partition)
		return p;
	n = place_of(&account_places, &free_accounts, &key, &account_count, accounts_max);
	i = n - 1;
	p = bpf_map_lookup_elem(&accounts, &i);
	if (!p)
		return NULL;
	p->key = key;
	p->number = n;
	*last = n;
	return p;
}

static __always_inline struct lpar_account *account(u32 partition, u32 adjunct)
{
	struct lpar_cpu *c = this_cpu();
	struct lpar_place *p;

	if (!armed || !c)
		return NULL;
	p = place(c, partition, adjunct);
	return p ? &p->account : NULL;
}

/* What is charged to the current thread's control group, likewise. */
static __always_inline struct lpar_cgroup *charged(struct lpar_cpu *c, u32 partition)
{
	struct lpar_cgroup_key key = { bpf_get_current_cgroup_id(), partition, 0 };
	struct lpar_cgroup_place *g;
	u32 n, i;

	i = c->cgroup - 1;
	g = bpf_map_lookup_elem(&cgroups, &i);
	if (g && g->key.partition == partition && g->key.cgroup == key.cgroup)
		return &g->used;
	n = place_of(&cgroup_places, &free_cgroups, &key, &cgroup_count, cgroups_max);
	i = n - 1;
	g = bpf_map_lookup_elem(&cgroups, &i);
	if (!g)
		return NULL;
	g->key = key;
	c->cgroup = n;
	return &g->used;
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

static __always_inline void hist(const struct lpar_place *p, u32 class, u64 ns)
{
	u32 i = (p->number - 1) * LPAR_HIST_CLASSES + class;
	struct lpar_hist *h;
	u64 slot;

	if (!latency_wanted)
		return;
	h = bpf_map_lookup_elem(&hists, &i);
	if (!h)
		return;
	slot = log2_ns(ns);
	/* one register for the check and for the use */
	barrier_var(slot);
	if (slot >= LPAR_HIST_SLOTS)
		slot = LPAR_HIST_SLOTS - 1;
	__sync_fetch_and_add(&h->slot[slot], 1);
	__sync_fetch_and_add(&h->sum_ns, ns);
}

/* ------------------------------------------------- what control groups use */

/* From now on this CPU does something else. */
static __always_inline void turn(struct lpar_cpu *c, u64 now, u32 doing)
{
	u64 ns = 0;

	/* an interrupt may have been here since the caller looked at the clock */
	if (armed && now > c->since) {
		ns = c->since ? now - c->since : 0;
		c->since = now;
	}
	switch (c->doing) {
	case LPAR_DOING_GUEST:
		c->used.guest_ns += ns;
		break;
	case LPAR_DOING_DISPATCH:
		c->used.served_ns += ns;
		break;
	case LPAR_DOING_INTERRUPT:
		c->used.interrupt_ns += ns;
		break;
	default:
		c->used.other_ns += ns;
		break;
	}
	c->doing = doing;
}

/* What has been used is the current thread's group's. Of groups that there is no room for
 * nothing is known: it is lost if the thread serves, and most are nobody's here. */
static __always_inline void charge(struct lpar_cpu *c, u64 now)
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
	} else if (c->pid) {
		lost(LPAR_LOST_FULL);
	}
	c->used = no_usage;
	c->charged = now;
}

static __always_inline void charge_now_and_then(struct lpar_cpu *c, u64 now)
{
	if (armed && now - c->charged > CHARGE_NS && bpf_get_current_pid_tgid())
		charge(c, now);
}

/* An adjunct's own guest mode is its dispatch. */
static __always_inline int on_kvm_entry(u64 *ctx)
{
	struct lpar_cpu *c = this_cpu();

	if (armed && c && c->doing != LPAR_DOING_DISPATCH)
		turn(c, bpf_ktime_get_ns(), LPAR_DOING_GUEST);
	return 0;
}

static __always_inline int on_kvm_exit(u64 *ctx)
{
	u64 now = bpf_ktime_get_ns();
	struct lpar_cpu *c = this_cpu();

	if (!armed || !c || c->doing == LPAR_DOING_DISPATCH)
		return 0;
	turn(c, now, LPAR_DOING_OTHER);
	charge_now_and_then(c, now);
	return 0;
}

/* What an interrupt interrupts: it ends guest mode, whatever KVM says later. */
static __always_inline u32 interrupted(const struct lpar_cpu *c)
{
	return c->doing == LPAR_DOING_GUEST ? LPAR_DOING_OTHER : c->doing;
}

/* ------------------------------------------------------------- dispatches */

/* It is this CPU's now, and no other's. That other one looks again when the thread comes to
 * it, which is later: a thread is on one CPU at a time. */
static __always_inline void take(struct lpar_thread *kept, u32 pid)
{
	u32 cpu = bpf_get_smp_processor_id(), zero = 0;
	struct lpar_cpu *other;

	if (kept->cpu == cpu)
		return;
	other = bpf_map_lookup_percpu_elem(&cpus, &zero, kept->cpu);
	if (other && other->resting == pid)
		other->resting = 0;
	kept->cpu = cpu;
}

/* The current thread, which has not served before, is followed from now on. */
static __always_inline void follow(struct lpar_cpu *c, u64 now)
{
	u32 pid = bpf_get_current_pid_tgid();
	struct lpar_thread *t = get(&threads, &pid, &no_thread);

	if (!t)
		return;
	take(t, pid);
	c->thread = *t;
	c->thread.at_rest = false;
	c->thread.on = now;
	c->pid = pid;
	c->resting = 0;
}

static __always_inline int on_lpar_dispatch_begin(u64 *ctx)
{
	bool vcpu = (s32)ctx[3] != LPAR_VCPU_NONE;
	struct lpar_cpu *c = this_cpu();
	struct lpar_thread *t;
	u64 now;

	if (!armed || !c)
		return 0;
	/* the module counts what was done until here, and we what it does behind its own end */
	now = bpf_ktime_get_ns();
	if (usage_wanted && vcpu)
		turn(c, now, LPAR_DOING_DISPATCH);
	if (!c->pid)
		follow(c, now);
	if (!c->pid)
		return 0;
	t = &c->thread;
	if (t->serving)
		lost(LPAR_LOST_UNMATCHED);
	t->begun = now;
	t->preempted = 0;
	t->slept = 0;
	t->irq = 0;
	t->softirq = 0;
	if (t->partition != (u32)ctx[0] || t->vcpu != vcpu)
		t->at_rest = false;
	t->partition = ctx[0];
	t->adjunct = ctx[1];
	t->vcpu = vcpu;
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

/* What the thread has had of its CPU since it came to it, or since this was last asked, is a
 * vCPU's. Return: where that is counted, or NULL. */
static __always_inline struct lpar_place *charge_vcpu(struct lpar_cpu *c, u64 now)
{
	struct lpar_thread *t = &c->thread;
	struct lpar_place *p = place(c, t->partition, LPAR_ADJUNCT_MANAGER);

	if (p)
		p->account.vcpu_ns += now - t->on;
	t->on = now;
	return p;
}

static __always_inline int on_lpar_dispatch_end(u64 *ctx)
{
	u64 now = bpf_ktime_get_ns(), ns;
	struct lpar_cpu *c = this_cpu();
	struct lpar_account *a;
	struct lpar_thread *t;
	struct lpar_cgroup *g;
	struct lpar_place *p;

	if (!c)
		return 0;
	if (usage_wanted && c->doing == LPAR_DOING_DISPATCH)
		turn(c, now, LPAR_DOING_OTHER);
	/* began before us: not known, and not lost either */
	if (!c->pid)
		return 0;
	t = &c->thread;
	if (!t->serving || t->partition != (u32)ctx[0] || t->adjunct != (u32)ctx[1]) {
		t->serving = false;
		lost(LPAR_LOST_UNMATCHED);
		return 0;
	}
	t->serving = false;
	ns = now - t->begun - t->preempted - t->slept;
	if (!t->vcpu) {
		p = place(c, t->partition, t->adjunct);
		if (p) {
			p->account.worker_dispatches++;
			p->account.worker_ns += ns;
		}
		return 0;
	}
	/* one that nobody drives from its CPU is to be seen, too */
	if (now - t->on > CHARGE_NS)
		charge_vcpu(c, now);
	p = place(c, t->partition, t->adjunct);
	if (!p)
		return 0;
	a = &p->account;
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
	g = charged(c, t->partition);
	if (g) {
		g->donated_ns += ns;
		g->dispatches++;
	}
	return 0;
}

static __always_inline int on_lpar_hypercall(u64 *ctx)
{
	struct lpar_cpu *c = this_cpu();
	struct lpar_account *a;
	struct lpar_place *p;

	if (!armed || !c)
		return 0;
	p = place(c, ctx[0], LPAR_ADJUNCT_MANAGER);
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
	struct lpar_account *a = account(ctx[0], LPAR_ADJUNCT_MANAGER);

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
	struct lpar_cpu *c = this_cpu();
	struct lpar_account *a;
	struct lpar_place *p;
	u32 class;

	if (!armed || !c)
		return 0;
	p = place(c, ctx[0], ctx[1]);
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
	struct lpar_account *a = account(ctx[0], ctx[1]);

	if (a)
		a->pa_busy++;
	return 0;
}

static __always_inline int on_lpar_runnable(u64 *ctx)
{
	struct lpar_account *a = account(ctx[0], ctx[1]);

	if (a)
		a->runnable++;
	return 0;
}

/* -------------------------------------------------------- the scheduler's view */

/* The thread that is followed leaves the CPU. */
static __always_inline void leaves(struct lpar_cpu *c, bool preempted, u64 now)
{
	struct lpar_thread *t = &c->thread, *kept;
	u32 pid = c->pid;
	struct lpar_place *p;

	if (t->vcpu) {
		p = charge_vcpu(c, now);
		if (p)
			p->account.steal_ns += t->stolen;
	}
	c->pid = 0;
	t->stolen = 0;
	/* mostly it waits for its guest, and all that there is to keep of it is kept */
	c->resting = t->at_rest && !preempted && !t->serving ? pid : 0;
	if (c->resting)
		return;
	t->off = now;
	t->was_preempted = preempted;
	kept = bpf_map_lookup_elem(&threads, &pid);
	if (kept)
		*kept = *t;
	t->serving = false;
}

static __always_inline void comes(struct lpar_cpu *c, u32 pid, u64 now)
{
	struct lpar_thread *t = &c->thread, *kept;
	u64 away;

	if (c->resting == pid) {
		t->on = now;
		c->pid = pid;
		return;
	}
	kept = bpf_map_lookup_elem(&threads, &pid);
	if (!kept)
		return;
	take(kept, pid);
	*t = *kept;
	kept->serving = false;
	kept->was_preempted = false;
	t->at_rest = true;
	away = now - t->off;
	t->on = now;
	if (t->was_preempted)
		t->stolen = away;
	if (t->serving) {
		if (t->was_preempted)
			t->preempted += away;
		else
			t->slept += away;
	}
	c->pid = pid;
	c->resting = 0;
}

/* preempt, previous, next, the state of the previous: 0 when it could go on */
static __always_inline int on_sched_switch(u64 *ctx, u32 pid)
{
	u64 now = bpf_ktime_get_ns();
	struct lpar_cpu *c = this_cpu();

	if (!armed || !c)
		return 0;
	if (usage_wanted) {
		turn(c, now, LPAR_DOING_OTHER);
		/* nobody is charged for an idle CPU */
		if (bpf_get_current_pid_tgid())
			charge(c, now);
		else
			c->used = no_usage;
	}
	if (c->pid)
		leaves(c, ctx[0] || !(u32)ctx[3], now);
	/* the idle ones, 0, are none */
	if (pid)
		comes(c, pid, now);
	if (usage_wanted && c->pid && c->thread.serving && c->thread.vcpu)
		c->doing = LPAR_DOING_DISPATCH;
	return 0;
}

static __always_inline int on_sched_process_exit(u64 *ctx)
{
	u32 pid = bpf_get_current_pid_tgid();
	struct lpar_cpu *c = this_cpu();

	bpf_map_delete_elem(&threads, &pid);
	if (c && c->pid == pid) {
		c->thread.serving = false;
		c->pid = 0;
		c->resting = 0;
	}
	return 0;
}

/* ----------------------------------------------------------------- interrupts */

/* Nobody asks what an interrupt takes, but of a dispatch. */
static __always_inline bool counts_interrupts(const struct lpar_cpu *c)
{
	return c && (usage_wanted || c->thread.serving);
}

static __always_inline int on_irq_handler_entry(u64 *ctx)
{
	struct lpar_cpu *c = this_cpu();

	if (!counts_interrupts(c))
		return 0;
	c->irq = bpf_ktime_get_ns();
	if (usage_wanted) {
		c->before_irq = interrupted(c);
		turn(c, c->irq, LPAR_DOING_INTERRUPT);
	}
	return 0;
}

static __always_inline int on_irq_handler_exit(u64 *ctx)
{
	struct lpar_cpu *c = this_cpu();
	u64 now, ns;

	if (!c || !c->irq)
		return 0;
	now = bpf_ktime_get_ns();
	ns = now - c->irq;
	c->irq = 0;
	c->irq_sum += ns;
	if (usage_wanted)
		turn(c, now, c->before_irq);
	if (c->thread.serving)
		c->thread.irq += ns;
	return 0;
}

static __always_inline int on_softirq_entry(u64 *ctx)
{
	struct lpar_cpu *c = this_cpu();

	if (!counts_interrupts(c))
		return 0;
	c->irq_before = c->irq_sum;
	c->softirq = bpf_ktime_get_ns();
	if (usage_wanted) {
		c->before_softirq = interrupted(c);
		turn(c, c->softirq, LPAR_DOING_INTERRUPT);
	}
	return 0;
}

static __always_inline int on_softirq_exit(u64 *ctx)
{
	struct lpar_cpu *c = this_cpu();
	u64 now;

	if (!c || !c->softirq)
		return 0;
	now = bpf_ktime_get_ns();
	if (c->thread.serving)
		c->thread.softirq += now - c->softirq - (c->irq_sum - c->irq_before);
	c->softirq = 0;
	if (usage_wanted) {
		turn(c, now, c->before_softirq);
		/* at each tick: of threads that are never in a guest */
		charge_now_and_then(c, now);
	}
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
PROGRAM(sched_process_exit)
PROGRAM(irq_handler_entry)
PROGRAM(irq_handler_exit)
PROGRAM(softirq_entry)
PROGRAM(softirq_exit)

SEC("raw_tp/sched_switch")
int raw_sched_switch(u64 *ctx)
{
	struct task_struct *next = (void *)ctx[2];

	return on_sched_switch(ctx, BPF_CORE_READ(next, pid));
}

/* the kernel knows what it is, and lets us look at it */
SEC("tp_btf/sched_switch")
int btf_sched_switch(u64 *ctx)
{
	struct task_struct *next = (void *)ctx[2];

	return on_sched_switch(ctx, next->pid);
}

char _license[] SEC("license") = "GPL";
