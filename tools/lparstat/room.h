// SPDX-License-Identifier: GPL-2.0
// How much the eBPF maps must hold.
#pragma once

#include <cstdint>

#include "host.h"

namespace lpar {

struct Room {
    uint32_t accounts = 0; // partitions and their functions
    uint32_t cgroups = 0;  // that donate
    uint32_t usages = 0;   // of all control groups
    uint32_t threads = 0;  // that serve
};

// For what there is now and half as much again, or, where that is little, for some that come later.
Room room_for(const Host &host);

} // namespace lpar
