// SPDX-License-Identifier: GPL-2.0
// How much the eBPF maps must hold.
#pragma once

#include <cstddef>
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

// When to look for what is gone: each time half of what was free then is taken.
class Fill {
  public:
    explicit Fill(uint32_t room = 0) : room_(room) { looked(0); }
    bool is_high(size_t taken) const { return taken >= mark_; }
    void looked(size_t left) { mark_ = left < room_ ? room_ - (room_ - left) / 2 : room_; }

  private:
    size_t room_;
    size_t mark_ = 0;
};

} // namespace lpar
