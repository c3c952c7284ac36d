// SPDX-License-Identifier: GPL-2.0
// lparctl iov: list, assign, release; cmd_mailbox.cc has the rest.
#include <algorithm>
#include <charconv>
#include <climits>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <memory>
#include <ostream>
#include <set>

#include "cli.h"
#include "error.h"
#include "format.h"
#include "iov.h"
#include "iov_execute.h"
#include "iov_scan.h"
#include "iov_state.h"
#include "number.h"
#include "parse.h"
#include "paths.h"
#include "qmp.h"

namespace lpar {

namespace {

constexpr uint32_t most_vfs = 65535;

struct Options {
    std::vector<std::string> words; // PARTITION=NUMBER, or what is to be released
    IovRequest request;
    IovSettings settings;
    IovTaste taste;
    std::vector<uint32_t> namespaces;
    std::optional<std::string> trust;
    std::optional<std::string> spoofchk;
    bool plan_only = false;
    IovMishap mishap;
};

// "4-7 queues, ..." in words: what one VF could have
std::string offer(const IovAdapter &adapter) {
    if (adapter.type == IovType::nvme) {
        if (adapter.queues.total == 0)
            return "";
        std::vector<uint32_t> ids;
        for (const auto &one : adapter.namespaces)
            ids.push_back(one.id);
        return fmt::format("up to {} queues of {}, {} interrupts of {}; namespaces {}",
                           adapter.queues.per_function, adapter.queues.total,
                           adapter.interrupts.per_function, adapter.interrupts.total,
                           ids.empty() ? "none" : fmt::format("{}", fmt::join(ids, ", ")));
    }
    if (adapter.type == IovType::nic)
        return fmt::format("MAC, VLAN, rate, trust, spoof check{}",
                           adapter.speed.empty() ? "" : "; " + adapter.speed + " Mbit/s");
    return "";
}

unsigned assigned(const IovSnapshot &now, const IovAdapter &adapter) {
    unsigned count = 0;
    for (const auto &vf : adapter.vfs)
        count += now.owner(vf.address).empty() ? 0 : 1;
    return count;
}

Json text_or_null(const std::string &text) {
    return text.empty() ? Json(nullptr) : Json(text);
}

Json pool_json(const IovPool &pool) {
    return {{"total", pool.total},
            {"per_vf", pool.per_function},
            {"primary", pool.primary},
            {"step", pool.step}};
}

Json vf_json(const IovSnapshot &now, const IovAdapter &adapter, const IovFunction &vf) {
    Json json{{"vf", vf.address},
              {"driver", text_or_null(vf.driver)},
              {"iommu_group", text_or_null(vf.group)},
              {"shares_group_with", vf.neighbours},
              {"used_by", text_or_null(vf.user)},
              {"partition", text_or_null(now.owner(vf.address))}};
    if (adapter.type == IovType::nvme) {
        json["queues"] = vf.queues;
        json["interrupts"] = vf.interrupts;
        json["online"] = vf.online;
        json["namespaces"] = vf.namespaces;
    } else if (adapter.type == IovType::nic) {
        json["mac"] = text_or_null(vf.mac);
        json["vlan"] = text_or_null(vf.vlan);
        json["max_rate"] = text_or_null(vf.rate);
        json["trust"] = text_or_null(vf.trust);
        json["spoofchk"] = text_or_null(vf.spoofchk);
    }
    return json;
}

Json adapter_json(const IovSnapshot &now, const IovAdapter &adapter) {
    Json vfs = Json::array();
    for (const auto &vf : adapter.vfs)
        if (vf.exists)
            vfs.push_back(vf_json(now, adapter, vf));
    Json namespaces = Json::array();
    for (const auto &one : adapter.namespaces)
        namespaces.push_back({{"id", one.id},
                              {"device", text_or_null(one.device)},
                              {"in_use", text_or_null(one.in_use)}});
    Json json{{"adapter", adapter.address},
              {"driver", text_or_null(adapter.driver)},
              {"type", iov_type_name(adapter.type)},
              {"device", text_or_null(adapter.control)},
              {"vf_device", adapter.vf_device},
              {"supported", adapter.total},
              {"enabled", adapter.enabled},
              {"assigned", assigned(now, adapter)},
              {"iommu_group", text_or_null(adapter.group)},
              {"isolated", !adapter.group.empty() && adapter.neighbours.empty() &&
                               adapter.no_isolation.empty()},
              {"numa_node", adapter.node},
              {"objections", iov_objections(adapter)},
              {"vfs", vfs}};
    if (adapter.type == IovType::nvme) {
        json["queues"] = pool_json(adapter.queues);
        json["interrupts"] = pool_json(adapter.interrupts);
        json["namespaces"] = namespaces;
    } else if (adapter.type == IovType::nic) {
        json["queues"] = adapter.nic_queues;
        json["speed"] = text_or_null(adapter.speed);
    }
    return json;
}

void list(Context &context) {
    IovSnapshot now = iov_snapshot(context.host, read_iov_state(context.host));
    if (context.json) {
        Json array = Json::array();
        for (const auto &adapter : now.adapters)
            array.push_back(adapter_json(now, adapter));
        context.emit({{"adapters", array}});
        return;
    }
    Table adapters({"ADAPTER", "DRIVER", "TYPE", "DEVICE", ">VFS", ">MADE", ">ASSIGNED", ">GROUP",
                    ">NODE", "A VF CAN HAVE"});
    Table vfs({"VF", "PARTITION", "DRIVER", ">GROUP", "HAS", "USED BY"});
    std::string objections;
    for (const auto &adapter : now.adapters) {
        adapters.add({adapter.address, adapter.driver, iov_type_name(adapter.type), adapter.control,
                      std::to_string(adapter.total), std::to_string(adapter.enabled),
                      std::to_string(assigned(now, adapter)), adapter.group,
                      adapter.node < 0 ? "" : std::to_string(adapter.node), offer(adapter)});
        for (const auto &objection : iov_objections(adapter))
            objections += fmt::format("{}: unsuitable: {}\n", adapter.address, objection);
        for (const auto &vf : adapter.vfs) {
            if (!vf.exists)
                continue;
            std::string has =
                adapter.type == IovType::nvme
                    ? fmt::format(
                          "{} queues, {} interrupts, namespaces {}, {}", vf.queues, vf.interrupts,
                          vf.namespaces.empty() ? "none"
                                                : fmt::format("{}", fmt::join(vf.namespaces, ", ")),
                          vf.online ? "online" : "offline")
                    : vf.mac;
            vfs.add({vf.address, now.owner(vf.address), vf.driver, vf.group, has, vf.user});
            if (!vf.neighbours.empty())
                objections += fmt::format("{}: unsuitable: shares IOMMU group {} with {}\n",
                                          vf.address, vf.group, fmt::join(vf.neighbours, ", "));
        }
    }
    context.out << adapters.text(context.colour);
    if (!vfs.empty())
        context.out << '\n' << vfs.text(context.colour);
    context.out << printable_lines(objections);
}

// "web1=2"
IovWish parse_wish(const std::string &text, const IovSettings &settings) {
    auto at = text.find('=');
    uint32_t count = 0;
    const char *end = text.data() + text.size();
    if (at == std::string::npos)
        throw UsageError(fmt::format("'{}': PARTITION=NUMBER is wanted", text));
    auto [stop, error] = std::from_chars(text.data() + at + 1, end, count);
    if (error != std::errc() || stop != end || count == 0 || count > most_vfs)
        throw UsageError(fmt::format("'{}': a number of VFs is 1 to {}", text, most_vfs));
    check_name("partition", text.substr(0, at));
    return {text.substr(0, at), count, settings};
}

std::string device_option(const std::string &vf) {
    return fmt::format("-device vfio-pci,host={},id={}", vf, qmp_device_id(vf));
}

[[noreturn]] void refuse(Context &context, const std::vector<std::string> &refusals) {
    throw Failure(fmt::format("{}", fmt::join(refusals, "\nlparctl: " + context.label + ": ")));
}

void say(Context &context, const IovPlan &plan, bool steps_too, bool options_too) {
    if (context.json) {
        Json steps = Json::array();
        for (const auto &step : plan.steps)
            steps.push_back({{"kind", iov_kind_name(step.kind)},
                             {"adapter", step.adapter},
                             {"vf", text_or_null(step.vf)},
                             {"from", text_or_null(step.from)},
                             {"to", text_or_null(step.to)}});
        Json vfs = Json::array();
        for (const auto &[vf, partition] : plan.assigned)
            vfs.push_back({{"vf", vf}, {"partition", partition}, {"option", device_option(vf)}});
        context.emit({{"vfs", vfs}, {"steps", steps}, {"notes", plan.notes}});
        return;
    }
    for (const auto &note : plan.notes)
        context.out << "note: " << printable(note) << '\n';
    if (steps_too)
        for (const auto &step : plan.steps)
            context.out << iov_step_text(step) << '\n';
    if (!options_too)
        return;
    for (const auto &[vf, partition] : plan.assigned)
        if (std::ranges::none_of(plan.steps, [&](const auto &step) {
                return step.kind == IovStep::Kind::plug && step.vf == vf;
            }))
            context.out << printable(partition) << ": " << device_option(vf) << '\n';
}

// The monitors of partitions whose guests run: where the partition says, if somebody listens.
void find_monitors(const Host &host, IovSnapshot &now, const std::set<std::string> &partitions) {
    for (auto &partition : now.partitions) {
        if (!partitions.contains(partition.name))
            continue;
        std::string path = host.read(configfs_partitions + partition.name + "/qmp").value_or("");
        if (!path.empty() && !Qmp::is_gone(path))
            partition.qmp = path;
    }
}

void assign(Context &context, Options &options) {
    IovRequest &request = options.request;
    IovSettings &settings = options.settings;
    auto flag = [](const std::optional<std::string> &text) {
        return text ? std::optional(*text == "on") : std::nullopt;
    };
    settings.namespaces = {options.namespaces.begin(), options.namespaces.end()};
    settings.trust = flag(options.trust);
    settings.spoofchk = flag(options.spoofchk);
    if (settings.mac)
        settings.mac = parse_mac(*settings.mac);
    for (const auto &word : options.words)
        request.wishes.push_back(parse_wish(word, settings));
    if (!request.adapter.empty())
        check_name("adapter", request.adapter);
    context.require_privilege();
    IovState state(context.host);
    IovSnapshot now = iov_snapshot(context.host, state.taken());
    std::set<std::string> partitions;
    for (const auto &wish : request.wishes)
        partitions.insert(wish.partition);
    if (request.socket.empty())
        find_monitors(context.host, now, partitions);
    for (auto &partition : now.partitions) {
        const std::string &monitor = request.socket.empty() ? partition.qmp : request.socket;
        if (!monitor.empty() && partitions.contains(partition.name))
            partition.memory = Qmp(monitor).memory();
    }
    IovPlan plan = request.adapter.empty() ? iov_propose(now, request, options.taste).plan
                                           : iov_assign(now, request);
    if (!plan.refusals.empty())
        refuse(context, plan.refusals);
    context.hold.emplace();
    if (!options.plan_only)
        iov_carry_out(context.host, state, plan.steps, options.mishap);
    say(context, plan, options.plan_only, !options.plan_only);
}

void release(Context &context, Options &options) {
    context.require_privilege();
    IovState state(context.host);
    IovSnapshot now = iov_snapshot(context.host, state.taken());
    auto is_named = [&](const auto &name) {
        return std::ranges::find(options.words, name) != options.words.end();
    };
    std::set<std::string> owners;
    for (const auto &step : state.taken())
        if (step.kind == IovStep::Kind::claim && (is_named(step.vf) || is_named(step.to)))
            owners.insert(step.to);
    if (options.request.socket.empty())
        find_monitors(context.host, now, owners);
    IovPlan plan = iov_release(now, options.words, options.request.socket);
    if (!plan.refusals.empty())
        refuse(context, plan.refusals);
    context.hold.emplace();
    if (!options.plan_only)
        iov_take_back(context.host, state, plan.steps, options.mishap);
    say(context, plan, options.plan_only, false);
}

// @is_remote: the management partition names no files of the host, and makes nothing fail here.
void add_common(CLI::App &leaf, Options &options, bool is_remote) {
    leaf.add_flag("--plan", options.plan_only, "Say what would be done, and do nothing");
    if (is_remote)
        return;
    leaf.add_option("--qmp", options.request.socket,
                    "The QMP socket of the partition's running guest (default: as it says)");
    leaf.add_option("--fail-at", options.mishap.fail_at)->group(""); // for tests
    leaf.add_option("--interrupt-at", options.mishap.interrupt_at)->group("");
}

} // namespace

void add_iov_commands(CLI::App &app, Context &context) {
    auto *group = app.add_subcommand("iov", "Virtual functions of adapters, for guests alone");
    group->require_subcommand(1);
    group->fallthrough();
    group->footer("");
    auto options = std::make_shared<Options>();

    add_leaf(*group, context, "list", "SR-IOV adapters, and why one cannot be used",
             "  lparctl iov list\n  lparctl iov list -j",
             [&context] { managed(context, [&] { list(context); }); });

    auto *leaf =
        add_leaf(*group, context, "assign", "Give partitions virtual functions (VFs) of an adapter",
                 "  lparctl iov assign web=2 db=1 --adapter 0000:00:05.0 --plan\n"
                 "  lparctl iov assign web=1 --adapter 0000:00:05.0 --vfs 4 --namespaces 2\n"
                 "  lparctl iov assign web=1 --adapter 0000:00:06.0 --mac 52:54:00:12:34:56 "
                 "--vlan 7\n"
                 "  lparctl iov assign web=2 --queues 2 --node 0 --plan\n"
                 "  lparctl iov assign web=1 --adapter 0000:00:05.0 --qmp /run/web.qmp",
                 [&context, options] { managed(context, [&] { assign(context, *options); }); });
    IovSettings &settings = options->settings;
    leaf->add_option("PARTITION=NUMBER", options->words, "Who gets how many VFs")->required();
    auto *adapter = leaf->add_option("--adapter", options->request.adapter,
                                     "Its PCI address (default: the one that suits best)");
    leaf->add_option("--node", options->taste.node, "Only an adapter on this NUMA node")
        ->transform(whole_number(0, INT_MAX))
        ->excludes(adapter);
    leaf->add_option("--type", options->taste.type, "Only an adapter of this type: nvme, nic")
        ->transform(CLI::CheckedTransformer(
            std::map<std::string, IovType>{{"nvme", IovType::nvme}, {"nic", IovType::nic}}))
        ->option_text("TYPE")
        ->excludes(adapter);
    leaf->add_option("--vfs", options->request.vfs,
                     "How many VFs to make (default: as many as are assigned)")
        ->transform(whole_number(0, most_32));
    leaf->add_option("--queues", settings.queues,
                     "NVMe: I/O queues of each VF (default: a fair share)")
        ->transform(whole_number(1, most_vfs - 1));
    leaf->add_option("--interrupts", settings.interrupts,
                     "NVMe: interrupts of each VF (default: a fair share)")
        ->transform(whole_number(1, most_vfs));
    leaf->add_option("--namespaces", options->namespaces,
                     "NVMe: the namespaces that each VF has, \"1,2\" (default: as it is)")
        ->delimiter(',')
        ->transform(whole_number(0, most_32))
        ->allow_extra_args(false);
    leaf->add_option("--mac", settings.mac, "NIC: MAC address of the VF");
    leaf->add_option("--vlan", settings.vlan, "NIC: the VLAN that it is in, untagged; 0: none")
        ->transform(whole_number(0, 4094));
    leaf->add_option("--max-rate", settings.rate,
                     "NIC: the most that it sends, in Mbit/s; 0: no limit")
        ->transform(whole_number(0, most_32));
    leaf->add_option("--trust", options->trust, "NIC: on, off")
        ->check(CLI::IsMember({"on", "off"}));
    leaf->add_option("--spoofchk", options->spoofchk, "NIC: on, off")
        ->check(CLI::IsMember({"on", "off"}));
    add_common(*leaf, *options, context.is_remote);

    leaf = add_leaf(*group, context, "release", "Take VFs back",
                    "  lparctl iov release web\n  lparctl iov release 0000:00:05.1",
                    [&context, options] { managed(context, [&] { release(context, *options); }); });
    leaf->add_option("PARTITION|VF", options->words, "Whose VFs, or which")->required();
    add_common(*leaf, *options, context.is_remote);
    add_mailbox_commands(*group, context);
}

} // namespace lpar
