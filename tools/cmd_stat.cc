// SPDX-License-Identifier: GPL-2.0
// lparctl stat: counters, once or again and again.
#include <algorithm>
#include <fmt/format.h>
#include <memory>
#include <ostream>

#include "cli.h"
#include "counters.h"
#include "error.h"
#include "format.h"
#include "number.h"
#include "parse.h"
#include "paths.h"

namespace lpar {

namespace {

// More side by side do not fit into a terminal's line.
constexpr size_t columns_max = 6;
constexpr double interval_min = 0.1;
constexpr double interval_max = 86400;

struct Options {
    std::string partition;
    double interval = 0;
    uint64_t count = 0;
    bool queues = false;
};

// What JSON shows below a node.
struct Below {
    const char *key;
    std::vector<CounterNode> CounterNode::*nodes;
    std::vector<Below> below;
};

struct Column {
    std::string title;
    const Counters *counters;
};

// A column for each of @nodes, which @owner has, and for their queues. @others: what it has
// besides: those of the same name are told apart by @kind.
void add_columns(std::vector<Column> &columns, const std::string &owner,
                 const std::vector<CounterNode> &nodes, const std::vector<CounterNode> &others,
                 const char *kind) {
    for (const auto &node : nodes) {
        bool is_alone = find_node(others, node.name).name.empty();
        std::string title = owner + "/" + (is_alone ? "" : kind) + node.name;
        columns.push_back({title, &node.counters});
        for (const auto &queue : node.queues)
            columns.push_back({title + "/" + queue.name, &queue.counters});
    }
}

// One column for each partition, and for what was read of its disks, NICs and their queues.
std::vector<Column> make_columns(const std::vector<CounterNode> &partitions) {
    std::vector<Column> columns;
    for (const auto &partition : partitions) {
        columns.push_back({partition.name, &partition.counters});
        add_columns(columns, partition.name, partition.disks, partition.nics, "disks/");
        add_columns(columns, partition.name, partition.nics, partition.disks, "nics/");
    }
    return columns;
}

std::string cell(const Counters &counters, const std::string &name, double seconds) {
    auto found = std::find_if(counters.begin(), counters.end(),
                              [&](const auto &counter) { return counter.first == name; });
    if (found == counters.end())
        return "";
    double rate = static_cast<double>(found->second) / (seconds > 0 ? seconds : 1);
    switch (counter_unit(name)) {
    case CounterUnit::bytes:
        return human_bytes(seconds > 0 ? static_cast<uint64_t>(rate) : found->second);
    case CounterUnit::nanoseconds:
        return human_ns(rate);
    default:
        return seconds > 0 ? human_rate(rate) : std::to_string(found->second);
    }
}

// @seconds: what the counters are differences over; 0: totals.
void print(const Context &context, const std::vector<Column> &columns, double seconds) {
    for (size_t first = 0; first < columns.size(); first += columns_max) {
        auto last = std::min(first + columns_max, columns.size());
        std::vector<std::string> titles{seconds > 0 ? "PER SECOND" : "TOTAL"};
        std::vector<std::string> names; // of all counters, in the order of their first column
        for (size_t i = first; i < last; i++) {
            titles.push_back(">" + printable(columns[i].title));
            for (const auto &[name, value] : *columns[i].counters)
                if (std::find(names.begin(), names.end(), name) == names.end())
                    names.push_back(name);
        }
        Table table(titles);
        for (const auto &name : names) {
            std::vector<Table::Cell> row{name};
            for (size_t i = first; i < last; i++)
                row.emplace_back(cell(*columns[i].counters, name, seconds));
            table.add(std::move(row));
        }
        context.out << table.text(context.colour) << (last < columns.size() ? "\n" : "");
    }
    context.out.flush();
}

Json node_json(const CounterNode &total, const CounterNode *change, double seconds) {
    Json result{{"name", total.name}, {"stats", Json::object()}};
    for (const auto &[name, value] : total.counters)
        result["stats"][name] = value;
    if (change != nullptr) {
        result["rates"] = Json::object();
        for (const auto &[name, value] : change->counters)
            result["rates"][name] = static_cast<double>(value) / seconds;
    }
    return result;
}

// @below: what the nodes have in turn.
Json nodes_json(const std::vector<CounterNode> &totals, const std::vector<CounterNode> *changes,
                double seconds, const std::vector<Below> &below) {
    Json array = Json::array();
    for (const auto &total : totals) {
        const CounterNode *change = changes ? &find_node(*changes, total.name) : nullptr;
        Json entry = node_json(total, change, seconds);
        for (const auto &one : below)
            entry[one.key] = nodes_json(total.*one.nodes, change ? &(change->*one.nodes) : nullptr,
                                        seconds, one.below);
        array.push_back(std::move(entry));
    }
    return array;
}

Json snapshot_json(const Snapshot &now, const std::vector<CounterNode> *changes, double seconds) {
    const std::vector<Below> queues = {{"queues", &CounterNode::queues, {}}};
    const std::vector<Below> functions = {{"disks", &CounterNode::disks, queues},
                                          {"nics", &CounterNode::nics, queues}};
    return {{"seconds", changes ? Json(seconds) : Json(nullptr)},
            {"partitions", nodes_json(now.partitions, changes, seconds, functions)}};
}

void stat(Context &context, const Options &options) {
    if (options.count != 0 && options.interval == 0)
        throw UsageError("-c needs -i: how often, and how long apart");
    require_module(context.host);
    std::optional<std::string> only;
    if (!options.partition.empty()) {
        check_name("partition", options.partition);
        only = options.partition;
    }
    Depth depth = context.json || options.queues ? Depth::queues
                  : only                         ? Depth::functions
                                                 : Depth::partitions;
    auto snapshot = [&] {
        if (only && !context.host.exists(state_partitions + *only))
            throw Failure(
                fmt::format("there is no partition '{}': see lparctl partition list", *only));
        return take_snapshot(context.host, only, depth);
    };

    Snapshot before = snapshot();
    if (options.interval == 0) {
        if (context.json)
            context.emit(snapshot_json(before, nullptr, 0));
        else
            print(context, make_columns(before.partitions), 0);
        return;
    }
    for (uint64_t i = 0; options.count == 0 || i < options.count; i++) {
        context.host.sleep(options.interval);
        Snapshot now = snapshot();
        // What really passed, not what was asked for.
        double seconds = std::max(now.time - before.time, 1e-3);
        std::vector<CounterNode> changes;
        for (const auto &partition : now.partitions)
            changes.push_back(difference(find_node(before.partitions, partition.name), partition));
        if (context.json) {
            context.emit(snapshot_json(now, &changes, seconds), true);
        } else {
            if (i != 0)
                context.out << '\n';
            print(context, make_columns(changes), seconds);
        }
        if (!context.out)
            break;
        before = std::move(now);
    }
}

} // namespace

void add_stat_command(CLI::App &app, Context &context) {
    auto options = std::make_shared<Options>();
    auto *leaf = add_leaf(app, context, "stat", "What partitions do: totals, or rates with -i",
                          "  lparctl stat\n"
                          "  lparctl stat web --queues\n"
                          "  lparctl stat web -i 1 -c 10\n"
                          "  lparctl stat -j -i 5        one JSON object on each line",
                          [&context, options] { stat(context, *options); });
    leaf->add_option("PARTITION", options->partition, "One partition, with its disks and NICs");
    leaf->add_option("-i,--interval", options->interval,
                     "Show differences per second, every so many seconds")
        ->transform(seconds_between(interval_min, interval_max));
    leaf->add_option("-c,--count", options->count, "With -i: end after so many reports")
        ->transform(whole_number(1, most_64));
    leaf->add_flag("--queues", options->queues, "Each queue, too");
}

} // namespace lpar
