// SPDX-License-Identifier: GPL-2.0
/*
 * What clients choose of their NICs: addresses, promiscuity, VLANs, to be aside, and SAs.
 * For that they have locks of the whole host's held, and have to pay.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/delay.h>
#include <linux/ktime.h>
#include <linux/rtnetlink.h>

#include "choice.h"
#include "errand.h"
#include "ipsec.h"
#include "station.h"

/*
 * RTNL for a client: in turns, by workers, with as long a rest behind each. So all clients
 * together have it half of the time, and who else wants it waits for one of them alone.
 * Who has RTNL never takes @turn.
 */
static DEFINE_MUTEX(turn);
#define TURN_REST_NS	(NSEC_PER_SEC / 10)	/* and no longer */
static u64 turn_began;		/* under it */

static void turn_begin(void)
{
	mutex_lock(&turn);
	rtnl_lock();
	turn_began = ktime_get_ns();
}

/* @held: ns are added to it. */
static void turn_end(u64 *held)
{
	u64 ns = ktime_get_ns() - turn_began;

	rtnl_unlock();
	*held += ns;
	fsleep(min_t(u64, ns, TURN_REST_NS) / NSEC_PER_USEC);
	mutex_unlock(&turn);
}

/* The same for the client that waits. It has its turn, which ends in between; the client's
 * lock keeps the NIC. */
static void refresh_now(struct lpar_nic *nic, u64 *held)
{
	while (!lpar_nic_refresh(nic)) {
		turn_end(held);
		usleep_range(100, 1000);
		turn_begin();
	}
}

/* What the client has chosen, or not yet. @cap, @value: as lpar_core_nic_set() takes
 * them. The client's lock is held. */
static u64 chosen_value(struct lpar_nic *nic, const struct lpar_nic_limits *lim,
			u64 cap, u64 value)
{
	switch (cap) {
	case LPAR_CAP_MAC:
		return lim->mac;
	case LPAR_CAP_STANDBY:
		return lim->aside;
	case LPAR_CAP_VLAN_FILTER:
		return lim->vlan_filter;
	case LPAR_CAP_VLANS:
		value &= LPAR_VLAN_OUT - 1;
		return test_bit(value, nic->vlans) ? value : value | LPAR_VLAN_OUT;
	case LPAR_CAP_MACS:
		value &= ~LPAR_MAC_OUT;
		rcu_read_lock();
		if (!lpar_station_has_mac(nic, value))
			value |= LPAR_MAC_OUT;
		rcu_read_unlock();
		return value;
	default:
		return lim->promisc;
	}
}

/* Likewise. RTNL is held. Return: 0 or a negative errno. */
static int choose(struct lpar_nic *nic, u64 cap, u64 value)
{
	switch (cap) {
	case LPAR_CAP_MAC:
		return lpar_station_address(nic, value);
	case LPAR_CAP_STANDBY:
		return lpar_station_aside(nic, value);
	case LPAR_CAP_VLAN_FILTER:
		return lpar_station_filter_vlans(nic, value);
	case LPAR_CAP_VLANS:
		return lpar_station_vlan(nic, value & (LPAR_VLAN_OUT - 1),
					 !(value & LPAR_VLAN_OUT));
	case LPAR_CAP_MACS:
		return lpar_station_mac(nic, value & ~LPAR_MAC_OUT, !(value & LPAR_MAC_OUT));
	default:
		return lpar_station_promisc(nic, value);
	}
}

/* In turns of its own; the NIC and its client stay. */
static void forget_vlans(struct lpar_nic *nic, u64 *held)
{
	bool more;

	do {
		turn_begin();
		more = lpar_station_forget_vlans(nic);
		turn_end(held);
	} while (more);
}

struct choice {
	struct lpar_nic *nic;
	u64 cap;
	u64 value;
	u64 held;
};

/* By a worker; the client's lock is held meanwhile, which those with RTNL never take. */
static int choose_and_tell(void *arg)
{
	struct choice *it = arg;
	struct lpar_nic *nic = it->nic;
	int ret;

	if (it->cap == LPAR_CAP_VLAN_FILTER && !it->value)
		forget_vlans(nic, &it->held);
	turn_begin();
	ret = choose(nic, it->cap, it->value);
	if (!ret)
		WRITE_ONCE(nic->chosen, true);
	/* no record shows these */
	if (!ret && it->cap != LPAR_CAP_VLANS && it->cap != LPAR_CAP_MACS)
		refresh_now(nic, &it->held);
	turn_end(&it->held);
	return ret;
}

/* What a client takes of the host's locks is paid for before the next. The client's lock is
 * held; may sleep. Return: false: it is killed. */
static bool wait_paid(struct lpar_partition *p)
{
	u64 wait = lpar_core_rate_wait(p->chosen_until, ktime_get_ns());

	if (wait)
		schedule_timeout_killable(nsecs_to_jiffies(wait) + 1);
	return !fatal_signal_pending(current);
}

static void pay(struct lpar_partition *p, u64 ns)
{
	p->chosen_until = max(p->chosen_until, ktime_get_ns()) + ns;
}

/**
 * lpar_choice_set - the client chooses a value, see LPAR_OP_SET
 * @nic: the NIC
 * @cap: enum lpar_cap
 * @value: what it is to be
 *
 * Context: a thread of the VMM, with the client's lock; waits for RTNL, may sleep, and does
 * until what it has chosen is paid for, see lpar_core_choice_ns().
 * Return: LPAR_OK, or what the call ends with.
 */
enum lpar_status lpar_choice_set(struct lpar_nic *nic, u64 cap, u64 value)
{
	struct choice it = { .nic = nic, .cap = cap, .value = value };
	struct lpar_nic_limits lim;
	enum lpar_status st;
	int ret;

	lpar_nic_limits(nic, &lim);
	st = lpar_core_nic_set(&lim, cap, value);
	if (st != LPAR_OK)
		return st;
	/* RTNL is the whole host's: not for what is so already, and not all the time */
	if (value == chosen_value(nic, &lim, cap, value))
		return READ_ONCE(nic->fn.dead) ? LPAR_GONE : LPAR_OK;
	if (!wait_paid(nic->fn.partition))
		return LPAR_BUSY;
	ret = lpar_errand_in_turn(choose_and_tell, &it);
	pay(nic->fn.partition, lpar_core_choice_ns(cap, it.held));
	switch (ret) {
	case 0:
		return LPAR_OK;
	case -EADDRINUSE:
		return LPAR_RESV_CONFLICT;
	case -ENODEV:
		return LPAR_GONE;
	default:
		return lpar_core_status(ret);
	}
}

/**
 * lpar_choice_sa_add - a client gives the adapter an SA (LPAR_OP_SA_ADD)
 * @nic:    its NIC
 * @sa:     a private copy; the caller wipes it
 * @number: its number, when LPAR_OK
 *
 * The host's own IPsec waits meanwhile: it is paid for as a choice of VLANs is.
 *
 * Context: the client's lock is held; sleeps, and gives up when it is killed.
 * Return: see LPAR_OP_SA_ADD.
 */
enum lpar_status lpar_choice_sa_add(struct lpar_nic *nic, const struct lpar_sa *sa,
				    u64 *number)
{
	struct lpar_nic_limits lim;
	enum lpar_status st;
	u64 start;

	lpar_nic_limits(nic, &lim);
	if (!lim.ipsec)
		return LPAR_NOTSUPP;
	if (!wait_paid(nic->fn.partition))
		return LPAR_BUSY;
	start = ktime_get_ns();
	st = lpar_ipsec_add(nic, sa, number);
	pay(nic->fn.partition, lpar_core_held_ns(ktime_get_ns() - start));
	if (st == LPAR_OK)
		WRITE_ONCE(nic->chosen, true);
	return st;
}

static struct lpar_nic *find_chosen(struct lpar_partition *p)
{
	struct lpar_nic *nic = NULL;
	struct lpar_fn *fn;

	mutex_lock(&p->lock);
	list_for_each_entry(fn, &p->functions, link)
		if (fn->type == LPAR_FUNCTION_NIC &&
		    READ_ONCE(lpar_nic_of(fn)->chosen)) {
			nic = lpar_nic_of(fn);
			break;
		}
	mutex_unlock(&p->lock);
	return nic;
}

/* It has its turn, which ends in between. */
static void forget(struct lpar_partition *p, struct lpar_nic *nic, u64 *held)
{
	int ret;

	lpar_station_promisc(nic, false);
	lpar_station_forget_macs(nic);
	lpar_ipsec_forget(nic);
	ret = lpar_station_filter_vlans(nic, false);
	if (ret && ret != -ENODEV)
		lpar_partition_say(p, warn, "%s/%s: its adapter does not let all VLANs in\n",
				   lpar_partition_name(p), lpar_fn_name(&nic->fn));
	ret = lpar_station_aside(nic, false);
	if (ret && ret != -ENODEV)
		lpar_partition_say(p, warn, "%s/%s: its adapter does not take its address\n",
				   lpar_partition_name(p), lpar_fn_name(&nic->fn));
	ret = lpar_station_address(nic, nic->base);
	if (ret && ret != -ENODEV)
		lpar_partition_say(p, warn, "%s/%s: it does not get its own address back: %d\n",
				   lpar_partition_name(p), lpar_fn_name(&nic->fn), ret);
	refresh_now(nic, held);
}

struct forgetting {
	struct lpar_partition *p;
	u64 held;
};

static int forget_all(void *arg)
{
	struct forgetting *it = arg;
	struct lpar_nic *nic;

	while ((nic = find_chosen(it->p))) {
		forget_vlans(nic, &it->held);
		turn_begin();
		WRITE_ONCE(nic->chosen, false);
		forget(it->p, nic, &it->held);
		turn_end(&it->held);
	}
	return 0;
}

/**
 * lpar_choice_forget - what a client chose ends with its reset
 * @p: the client's partition
 *
 * The next choice waits until that is paid for, too.
 *
 * Context: the client's lock is held, so that its NICs stay; waits for RTNL, may sleep.
 */
void lpar_choice_forget(struct lpar_partition *p)
{
	struct forgetting it = { .p = p };

	if (!find_chosen(p))
		return;
	lpar_errand_in_turn(forget_all, &it);
	pay(p, lpar_core_held_ns(it.held));
}
