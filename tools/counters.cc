// SPDX-License-Identifier: GPL-2.0
#include "counters.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "paths.h"

namespace lpar {

namespace {

// The order in which people look for them; what is not listed comes behind, by name.
constexpr std::array<std::string_view, 18> preferred = {
    "requests",
    "bytes",
    "bytes_copied",
    "errors",
    "refused",
    "tag_maps",
    "page_maps",
    "doorbells",
    "dispatches",
    "donated_ns",
    "full",
    "polled",
    "quantum_expiries",
    "pa_busy",
    "runnable",
    "undonated_worker_ns",
    "undonated_completion_ns",
    "interrupts",
};

size_t rank(const std::string &name) {
    return static_cast<size_t>(std::find(preferred.begin(), preferred.end(), name) -
                               preferred.begin());
}

Counters read_counters(const Host &host, const std::string &directory) {
    Counters counters;
    std::string base = directory + "/";
    for (const auto &name : host.list(directory))
        if (auto value = host.read_number(base + name))
            counters.emplace_back(name, *value);
    std::stable_sort(counters.begin(), counters.end(),
                     [](const auto &a, const auto &b) { return rank(a.first) < rank(b.first); });
    return counters;
}

// @base/<name> for each name in @base, with its stats, and, if wanted, its queues.
std::vector<CounterNode> read_nodes(const Host &host, const std::string &base, bool queues) {
    std::vector<CounterNode> nodes;
    for (const auto &name : host.list(base)) {
        std::string path = base + "/" + name;
        CounterNode node;
        node.name = name;
        node.counters = read_counters(host, path + "/stats");
        if (queues)
            node.queues = read_nodes(host, path + "/queues", false);
        nodes.push_back(std::move(node));
    }
    return nodes;
}

std::vector<CounterNode> differences(const std::vector<CounterNode> &before,
                                     const std::vector<CounterNode> &now) {
    std::vector<CounterNode> result;
    for (const auto &node : now)
        result.push_back(difference(find_node(before, node.name), node));
    return result;
}

} // namespace

Snapshot take_snapshot(const Host &host, const std::optional<std::string> &partition, Depth depth) {
    auto names = partition ? std::vector{*partition} : host.list(state_partitions);
    Snapshot snapshot;
    snapshot.time = host.now();
    for (const auto &name : names) {
        std::string path = state_partitions + name;
        CounterNode node;
        node.name = name;
        node.counters = read_counters(host, path + "/stats");
        if (depth != Depth::partitions) {
            node.disks = read_nodes(host, path + "/disks", depth == Depth::queues);
            node.nics = read_nodes(host, path + "/nics", depth == Depth::queues);
        }
        snapshot.partitions.push_back(std::move(node));
    }
    return snapshot;
}

const CounterNode &find_node(const std::vector<CounterNode> &nodes, const std::string &name) {
    static const CounterNode empty;
    auto found = std::find_if(nodes.begin(), nodes.end(),
                              [&](const CounterNode &node) { return node.name == name; });
    return found == nodes.end() ? empty : *found;
}

CounterNode difference(const CounterNode &before, const CounterNode &now) {
    CounterNode result;
    result.name = now.name;
    for (const auto &[name, value] : now.counters) {
        auto old = std::find_if(before.counters.begin(), before.counters.end(),
                                [&, &name = name](const auto &c) { return c.first == name; });
        bool went_on = old != before.counters.end() && old->second <= value;
        result.counters.emplace_back(name, went_on ? value - old->second : value);
    }
    result.disks = differences(before.disks, now.disks);
    result.nics = differences(before.nics, now.nics);
    result.queues = differences(before.queues, now.queues);
    return result;
}

CounterUnit counter_unit(const std::string &name) {
    if (name.ends_with("_ns"))
        return CounterUnit::nanoseconds;
    if (name == "bytes" || name.starts_with("bytes_") || name.ends_with("_bytes"))
        return CounterUnit::bytes;
    return CounterUnit::events;
}

} // namespace lpar
