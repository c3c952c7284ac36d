// SPDX-License-Identifier: GPL-2.0
// The counters of partitions, disks, NICs and queues: whatever files the kernel's stats directories
// hold, and what happened between two looks at them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "host.h"

namespace lpar {

using Counters = std::vector<std::pair<std::string, uint64_t>>; // in the order to be shown

struct CounterNode {
    std::string name;
    Counters counters;
    std::vector<CounterNode> disks;  // of a partition
    std::vector<CounterNode> nics;   // likewise
    std::vector<CounterNode> queues; // of a disk or NIC
};

struct Snapshot {
    double time = 0;
    std::vector<CounterNode> partitions;
};

// How far down: each level has many more files than the one above.
enum class Depth { partitions, functions, queues };

// All partitions, or one.
Snapshot take_snapshot(const Host &host, const std::optional<std::string> &partition, Depth depth);

// What each counter of @now did since @before. One that went back, or was not there, began
// again from zero in between.
CounterNode difference(const CounterNode &before, const CounterNode &now);

// The one of that name, or an empty one.
const CounterNode &find_node(const std::vector<CounterNode> &nodes, const std::string &name);

// What a counter counts, by its name.
enum class CounterUnit { events, bytes, nanoseconds };
CounterUnit counter_unit(const std::string &name);

} // namespace lpar
