/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the suites share. In user space kunit/test.h is the one of tests/fuzz,
 * which runs the same suites under GoogleTest with sanitizers.
 */
#ifndef LPAR_KUNIT_SUITES_H
#define LPAR_KUNIT_SUITES_H

#include <kunit/test.h>

#include "../../guest-mod/adjunct_ring.h"
#include "../../guest-mod/caps.h"
#include "../../guest-mod/donate.h"
#include "../../guest-mod/order.h"
#include "../../guest-mod/net_caps.h"
#include "../../host-mod/core.h"
#include "../../host-mod/core_mailbox.h"
#include "../../host-mod/core_nic.h"

/* Each limit is there, has a value of its own, and is reached before the others. */
static const struct lpar_disk_limits suite_limits __maybe_unused = {
	.sectors = 1 << 20,
	.logical_block = 512,
	.physical_block = 2048,
	.io_min = 8192,
	.io_opt = 65536,
	.max_transfer = 40960,
	.segments = 8,
	.segment_size = 16384,
	.virt_boundary = 4095,
	.dma_alignment = 3,
	.chunk = 131072,
	.queues = 5,
	.discard = 1 << 20,
	.discard_grain = 32768,
	.discard_align = 1024,
	.write_zeroes = 2 << 20,
	.write_cache = true,
};

static const struct lpar_nic_limits suite_nic __maybe_unused = {
	.mac = 0x02a1b2c3d4e5,
	.mtu_min = 68,
	.mtu_max = 1500,
	.mtu = 1400,
	.segments = 8,
	.queues = 3,
	.speed = 2500,
	.tso4 = 30000,
	.tso6 = 20000,
	.uso = 10000,
	.tso_segments = 12,
	.link = true,
	.full_duplex = true,
	.tx_csum = true,
	.tx_csum4 = true,
	.tx_csum6 = true,
	.tx_vlan = true,
	.rx_csum = true,
	.rx_vlan = true,
	.ipsec = true,
};

/* Deterministic, and good enough to spread over a table. */
static inline u32 suite_random(u64 *state)
{
	*state = *state * 6364136223846793005ull + 1442695040888963407ull;
	return *state >> 33;
}

#endif
