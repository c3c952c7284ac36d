// SPDX-License-Identifier: GPL-2.0
// lparctl nic: add, remove, list.
#include <fmt/format.h>
#include <memory>
#include <ostream>

#include "cli.h"
#include "error.h"
#include "format.h"
#include "iov_scan.h"
#include "iov_state.h"
#include "number.h"
#include "parse.h"

namespace lpar {

namespace {

struct Options {
    std::string partition;
    std::string name;
    std::string adapter;
    std::optional<std::string> mac;
    std::optional<uint32_t> vlan;
    std::optional<uint32_t> max_rate;
    std::optional<uint32_t> queues;
    bool trust = false;
    std::optional<std::string> mode;
    std::string primary;
};

std::string link_text(const Nic &nic) {
    if (!nic.link)
        return "";
    return *nic.link ? "up" : "down";
}

// A VF that is this partition's, with an address: the guest knows by it that both are one.
IovFunction find_primary(const Host &host, const Options &options) {
    IovSnapshot now = iov_snapshot(host, read_iov_state(host));
    if (now.owner(options.primary) != options.partition)
        throw Failure(fmt::format("{0} is no VF of {1}: lparctl iov assign {1}=1",
                                  printable(options.primary), options.partition));
    for (const auto &adapter : now.adapters)
        for (const auto &vf : adapter.vfs)
            if (vf.address == options.primary && !vf.mac.empty() && vf.mac != "00:00:00:00:00:00")
                return vf;
    throw Failure(options.primary + " has no address: lparctl iov release it, and assign it with "
                                    "--mac");
}

// Both must be the same to the network.
void follow_primary(const IovFunction &vf, NewNic &wish) {
    if (wish.mac && wish.mac != vf.mac)
        throw Failure(
            fmt::format("{} has the address {}: both must have the same", vf.address, vf.mac));
    wish.mac = vf.mac;
    std::string vlan = vf.vlan == "0" ? "" : vf.vlan;
    if (wish.vlan && std::to_string(*wish.vlan) != vlan)
        throw Failure(fmt::format("{} is in {}: both must be in the same", vf.address,
                                  vlan.empty() ? "no VLAN" : "VLAN " + vlan));
    if (!vlan.empty())
        wish.vlan = static_cast<uint32_t>(std::stoul(vlan));
    wish.primary = vf.address;
}

void add(Context &context, const Options &options) {
    NewNic wish;
    wish.partition = options.partition;
    wish.name = options.name;
    wish.adapter = options.adapter;
    wish.vlan = options.vlan;
    wish.max_rate = options.max_rate;
    wish.queues = options.queues;
    wish.trust = options.trust;
    wish.mode = options.mode;
    if (options.mac)
        wish.mac = parse_mac(*options.mac);
    if (!wish.name.empty())
        check_new_name("nic", wish.name);
    check_name("partition", wish.partition);
    check_name("network interface", wish.adapter);
    context.require_privilege();
    if (!options.primary.empty())
        follow_primary(find_primary(context.host, options), wish);
    Nic nic = Config(context.host).add(wish);
    if (context.json)
        context.emit(nic_json(nic));
    else
        context.out << printable(
                           fmt::format("{} {}: {}", nic.partition, nic.name, status_text(nic)))
                    << '\n';
}

void remove(Context &context, const Options &options) {
    context.require_privilege();
    Config(context.host).remove_nic(options.partition, options.name);
    if (context.json)
        context.emit({{"partition", options.partition}, {"deleted", options.name}});
}

void list(Context &context, const std::string &only) {
    Config config(context.host);
    Json array = Json::array();
    Table table({"PARTITION", "NIC", "ADAPTER", "MAC", ">VLAN", "LINK", ">RATE", ">QUEUES", "TRUST",
                 "STATUS"});
    auto all = only.empty() ? config.partitions() : std::vector{config.partition(only)};
    for (const auto &partition : all) {
        config.require_nics(partition.name);
        for (const auto &nic : partition.nics) {
            Colour colour = nic.is_dead                ? Colour::bad
                            : !nic.enabled             ? Colour::faint
                            : nic.actual_mode == "tag" ? Colour::good
                                                       : Colour::none;
            array.push_back(nic_json(nic));
            table.add({nic.partition,
                       nic.name,
                       nic.adapter,
                       nic.mac,
                       nic.vlan == 0 ? "" : std::to_string(nic.vlan),
                       link_text(nic),
                       nic.max_rate == 0 ? "" : std::to_string(nic.max_rate),
                       nic.queues == 0 ? "auto" : std::to_string(nic.queues),
                       nic.trust ? "yes" : "no",
                       {status_text(nic), colour}});
        }
    }
    if (context.json)
        context.emit({{"nics", array}});
    else
        context.out << table.text(context.colour);
}

} // namespace

std::string status_text(const Nic &nic) {
    if (nic.is_dead)
        return "dead: its adapter is gone";
    return nic.status.empty() ? "unknown" : nic.status;
}

Json nic_json(const Nic &nic) {
    auto text = [](const std::string &value) {
        return value.empty() ? Json(nullptr) : Json(value);
    };
    return {{"partition", nic.partition},
            {"name", nic.name},
            {"adapter", text(nic.adapter)},
            {"mac", text(nic.mac)},
            {"vlan", nic.vlan},
            {"max_rate", nic.max_rate},
            {"queues", nic.queues},
            {"trust", nic.trust},
            {"primary", text(nic.primary)},
            {"mode", text(nic.mode)},
            {"enabled", nic.enabled},
            {"status", text(nic.status)},
            {"actual_mode", text(nic.actual_mode)},
            {"reason", text(nic.reason)},
            {"actual_adapter", text(nic.actual_adapter)},
            {"dead", nic.is_dead},
            {"link", nic.link ? Json(*nic.link) : Json(nullptr)}};
}

void add_nic_commands(CLI::App &app, Context &context) {
    auto *group = app.add_subcommand("nic", "NICs of partitions");
    group->require_subcommand(1);
    group->fallthrough();
    group->footer(""); // the commands below it have their own examples
    auto options = std::make_shared<Options>();

    auto *leaf = add_leaf(*group, context, "add", "Share a NIC of the host with a partition",
                          "  lparctl nic add web --adapter eth0\n"
                          "  lparctl nic add web lan --adapter eth0 --mac 52:54:00:12:34:56\n"
                          "  lparctl nic add web --adapter eth1 --queues 4 --trust --mode page\n"
                          "  lparctl nic add web --adapter eth0 --vlan 7 --max-rate 1000\n"
                          "  lparctl nic add web --adapter eth0 --primary 0000:01:10.0",
                          [&context, options] { add(context, *options); });
    leaf->add_option("PARTITION", options->partition, "Who gets it")->required();
    leaf->add_option("NAME", options->name, "The NIC's name (default: the first free of n0, n1…)");
    leaf->add_option("--adapter", options->adapter,
                     "The host's network interface, as ip link calls it")
        ->required();
    leaf->add_option("--mac", options->mac, "Its MAC address (default: one is made)");
    leaf->add_option("--vlan", options->vlan, "The VLAN that it is in, untagged (default: none)")
        ->transform(whole_number(1, 4094));
    leaf->add_option("--max-rate", options->max_rate,
                     "The most that it sends, in Mbit/s (default: 0, no limit)")
        ->transform(whole_number(0, most_32));
    leaf->add_option("--queues", options->queues,
                     "Most queues each way (default: as the adapter has for sending)")
        ->transform(whole_number(0, most_32));
    leaf->add_flag("--trust", options->trust,
                   "Let the client use any address and VLAN, and receive what is not for it");
    leaf->add_option("--primary", options->primary,
                     "The partition's VF that the guest prefers to it while that is there");
    leaf->add_option("--mode", options->mode, "auto, tag, page, or copy to compare (default: auto)")
        ->check(CLI::IsMember({"auto", "tag", "page", "copy"}));

    leaf = add_leaf(*group, context, "remove", "Take a NIC back", "  lparctl nic remove web n0",
                    [&context, options] { remove(context, *options); });
    leaf->add_option("PARTITION", options->partition, "A partition")->required();
    leaf->add_option("NAME", options->name, "The NIC's name")->required();

    leaf = add_leaf(*group, context, "list", "All NICs, or those of one partition",
                    "  lparctl nic list\n  lparctl nic list web -j",
                    [&context, options] { list(context, options->partition); });
    leaf->add_option("PARTITION", options->partition, "A partition");
}

} // namespace lpar
