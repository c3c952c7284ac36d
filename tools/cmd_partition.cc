// SPDX-License-Identifier: GPL-2.0
// lparctl partition: create, show, list, delete.
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <limits>
#include <memory>
#include <ostream>

#include "cli.h"
#include "error.h"
#include "format.h"
#include "iov_execute.h"
#include "iov_scan.h"
#include "iov_state.h"
#include "number.h"
#include "parse.h"
#include <lpar/adjunct.h>

namespace lpar {

namespace {

struct Options {
    std::string name;
    std::string memory;
    std::string quantum;
    std::string owner;
    std::string force;
    std::optional<uint64_t> adjuncts;
    bool own_images = false;
    std::optional<std::string> qmp;
};

template <typename T>
Json nullable(const std::optional<T> &value) {
    return value ? Json(*value) : Json(nullptr);
}

std::string limit_text(const std::optional<uint64_t> &limit) {
    if (!limit)
        return "";
    if (*limit == std::numeric_limits<uint64_t>::max())
        return "unlimited";
    return human_bytes(*limit);
}

std::string attached_text(const Partition &partition) {
    if (!partition.attached)
        return "no";
    return partition.pid ? fmt::format("pid {}", *partition.pid) : "yes";
}

void print(const Context &context, const Partition &partition) {
    auto line = [&](std::string_view key, const std::string &value) {
        if (!value.empty())
            context.out << fmt::format("{:<16}", key) << printable(value) << '\n';
    };
    context.out << fmt::format("{:<16}", "partition")
                << paint(printable(partition.name), Colour::title, context.colour) << '\n';
    line("attached", attached_text(partition));
    line("owner", partition.owner ? user_name(*partition.owner) : "");
    line("memory limit", limit_text(partition.memory_limit));
    line("pinned", partition.pinned_bytes ? human_bytes(*partition.pinned_bytes) : "");
    line("windows", partition.windows ? std::to_string(*partition.windows) : "");
    line("quantum limit", partition.quantum_limit_us ? human_us(*partition.quantum_limit_us) : "");
    if (partition.adjuncts.value_or(0) != 0)
        line("adjuncts", fmt::format("at most {}", *partition.adjuncts));
    if (partition.own_images.value_or(false))
        line("own images", "yes");
    if (partition.role != "client")
        line("role", partition.role);
    line("monitor", partition.qmp);
    for (const auto &[request, rule] : partition.policy)
        if (rule != "ask")
            line("policy " + request, rule);
    for (const auto &disk : partition.disks)
        line("disk " + disk.name, fmt::format("{}, {}", disk.device, status_text(disk)));
    for (const auto &nic : partition.nics)
        line("nic " + nic.name, fmt::format("{}{}{}, {}", nic.adapter, nic.mac.empty() ? "" : ", ",
                                            nic.mac, status_text(nic)));
}

void create(Context &context, const Options &options) {
    NewPartition wish;
    wish.name = options.name;
    if (!options.memory.empty())
        wish.memory_limit = parse_size(options.memory);
    if (!options.quantum.empty())
        wish.quantum_limit_us = parse_quantum(options.quantum);
    if (!options.owner.empty())
        wish.owner = parse_user(options.owner);
    wish.adjuncts = options.adjuncts;
    if (options.own_images)
        wish.own_images = true;
    if (options.qmp)
        wish.qmp = parse_socket(*options.qmp);
    check_new_name("partition", wish.name);
    context.require_privilege();
    Config config(context.host);
    config.create(wish);
    if (context.json)
        context.emit(partition_json(config.partition(wish.name)));
}

void show(Context &context, const std::string &name) {
    Partition partition = Config(context.host).partition(name);
    if (context.json)
        context.emit(partition_json(partition));
    else
        print(context, partition);
}

void list(Context &context) {
    Config config(context.host);
    Json array = Json::array();
    Table table({"NAME", "ATTACHED", "OWNER", ">PINNED", ">LIMIT", ">QUANTUM", ">WINDOWS", "DISKS",
                 "NICS"});
    for (const auto &partition : config.partitions()) {
        array.push_back(partition_json(partition));
        table.add({partition.name,
                   {attached_text(partition), partition.attached ? Colour::good : Colour::none},
                   partition.owner ? user_name(*partition.owner) : "",
                   partition.pinned_bytes ? human_bytes(*partition.pinned_bytes) : "",
                   limit_text(partition.memory_limit),
                   partition.quantum_limit_us ? human_us(*partition.quantum_limit_us) : "",
                   partition.windows ? std::to_string(*partition.windows) : "",
                   name_list(partition.disks),
                   name_list(partition.nics)});
    }
    if (context.json)
        context.emit({{"partitions", array}});
    else
        context.out << table.text(context.colour);
}

// The VFs that were assigned to it
std::vector<std::string> vfs_of(const Host &host, const std::string &name) {
    std::vector<std::string> vfs;
    for (const auto &step : read_iov_state(host))
        if (step.kind == IovStep::Kind::claim && step.to == name)
            vfs.push_back(step.vf);
    return vfs;
}

void release_vfs(Host &host, const std::string &name) {
    IovState state(host);
    IovPlan plan = iov_release(iov_snapshot(host, state.taken()), {name}, "");
    if (!plan.refusals.empty())
        throw Failure(fmt::format("{}", fmt::join(plan.refusals, "; ")));
    iov_take_back(host, state, plan.steps, {});
}

void remove(Context &context, const std::string &name, const std::string &force) {
    context.require_privilege();
    bool all = force == "all";
    Config config(context.host);
    auto vfs = vfs_of(context.host, name);
    if (!vfs.empty() && !all)
        throw Failure(fmt::format("partition '{0}' has VFs ({1}): lparctl iov release {0}, or "
                                  "--force all",
                                  name, fmt::join(vfs, ", ")));
    // a partition that is attached stays, and so does what it has
    if (!vfs.empty() && !config.partition(name).attached)
        release_vfs(context.host, name);
    config.remove(name, all || force == "disks", all || force == "nics");
    if (context.json)
        context.emit({{"deleted", name}});
}

} // namespace

Json partition_json(const Partition &partition) {
    Json disks = Json::array();
    for (const auto &disk : partition.disks)
        disks.push_back(disk_json(disk));
    Json nics = Json::array();
    for (const auto &nic : partition.nics)
        nics.push_back(nic_json(nic));
    return {{"name", partition.name},
            {"attached", partition.attached},
            {"pid", nullable(partition.pid)},
            {"owner", nullable(partition.owner)},
            {"owner_name", partition.owner ? Json(user_name(*partition.owner)) : Json(nullptr)},
            {"memory_limit", nullable(partition.memory_limit)},
            {"pinned_bytes", nullable(partition.pinned_bytes)},
            {"windows", nullable(partition.windows)},
            {"quantum_limit_us", nullable(partition.quantum_limit_us)},
            {"adjuncts", nullable(partition.adjuncts)},
            {"own_images", nullable(partition.own_images)},
            {"role", partition.role.empty() ? Json(nullptr) : Json(partition.role)},
            {"qmp", partition.qmp.empty() ? Json(nullptr) : Json(partition.qmp)},
            {"policy", partition.policy.empty() ? Json(nullptr) : Json(partition.policy)},
            {"disks", disks},
            {"nics", nics}};
}

void add_partition_commands(CLI::App &app, Context &context) {
    auto *group = app.add_subcommand("partition", "Client partitions, one for each guest");
    group->require_subcommand(1);
    group->fallthrough();
    group->footer(""); // the commands below it have their own examples

    auto options = std::make_shared<Options>();

    auto *leaf = add_leaf(*group, context, "create", "Make a partition",
                          "  lparctl partition create web --memory 2G --owner libvirt-qemu\n"
                          "  qemu-system-x86_64 … -device lpar,partition=web",
                          [&context, options] { create(context, *options); });
    leaf->add_option("NAME", options->name, "What QEMU calls it")->required();
    leaf->add_option("--memory", options->memory, "How much memory it may pin: 512M, 2G");
    leaf->add_option("--quantum", options->quantum,
                     "Longest service per donation, 100us to 1s (default: 1ms)");
    leaf->add_option("--owner", options->owner, "User who may attach to it (default: root)");
    leaf->add_option("--adjuncts", options->adjuncts,
                     "Adjuncts that it may have at once, 0 to 16 (default: 0)")
        ->transform(whole_number(0, LPAR_ADJUNCTS_MAX));
    leaf->add_flag("--own-images", options->own_images,
                   "Its client may bring images of its own for them");
    leaf->add_option("--qmp", options->qmp,
                     "Where its guest's QEMU listens, for VFs to come and go while it runs");

    leaf = add_leaf(*group, context, "show", "One partition, its disks and its NICs",
                    "  lparctl partition show web",
                    [&context, options] { show(context, options->name); });
    leaf->add_option("NAME", options->name, "A partition")->required();

    add_leaf(*group, context, "list", "All partitions",
             "  lparctl partition list\n  lparctl partition list -j | jq '.partitions[].name'",
             [&context] { list(context); });

    leaf = add_leaf(*group, context, "delete", "Remove a partition that no guest is attached to",
                    "  lparctl partition delete web\n"
                    "  lparctl partition delete web --force all",
                    [&context, options] { remove(context, options->name, options->force); });
    leaf->add_option("NAME", options->name, "A partition")->required();
    leaf->add_option("--force", options->force,
                     "Also remove what it has: \"disks\", \"nics\" or \"all\", its VFs, too")
        ->check(CLI::IsMember({"disks", "nics", "all"}));
}

} // namespace lpar
