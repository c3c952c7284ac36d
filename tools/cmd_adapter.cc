// SPDX-License-Identifier: GPL-2.0
// lparctl adapter: the host's block devices and NICs, and how they could be shared.
#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fmt/format.h>
#include <memory>
#include <ostream>

#include "cli.h"
#include "device.h"
#include "error.h"
#include "format.h"
#include "lpar/control.h"
#include "lpar/wire.h"
#include "netdev.h"
#include "paths.h"
#include "records.h"

namespace lpar {

namespace {

// The kernel's opinion of a device.
struct Opinion {
    std::string mode = "none"; // tag, page, none
    std::string reason;
    std::string adapter;
    std::string driver;
    Records records;
};

struct Candidate : Opinion {
    BlockDevice device;
    std::vector<Use> uses;
};

struct NicCandidate : Opinion {
    NetDevice device;
};

std::string mode_name(uint32_t mode) {
    switch (mode) {
    case LPAR_MODE_NONE:
        return "none";
    case LPAR_MODE_TAG:
        return "tag";
    case LPAR_MODE_PAGE:
        return "page";
    case LPAR_MODE_COPY:
        return "copy";
    default:
        return fmt::format("{}", mode);
    }
}

Colour mode_colour(const std::string &mode) {
    return mode == "tag" ? Colour::good : mode == "page" ? Colour::none : Colour::faint;
}

// Returns 0, or why the kernel has no opinion; @result then says so, too.
int ask(Host &host, const std::string &path, uint32_t flags, Opinion &result) {
    lpar_probe probe{};
    probe.flags = flags;
    if (path.size() >= sizeof(probe.path)) {
        result.reason = "its path is too long";
        return ENAMETOOLONG;
    }
    std::memcpy(probe.path, path.data(), path.size());
    if (int error = host.probe(probe)) {
        result.reason = error_text(error);
        return error;
    }
    result.mode = mode_name(probe.mode);
    result.reason = bounded_text(probe.reason, sizeof(probe.reason));
    if (auto adapter = bounded_text(probe.adapter, sizeof(probe.adapter)); !adapter.empty())
        result.adapter = adapter;
    if (auto driver = bounded_text(probe.driver, sizeof(probe.driver)); !driver.empty())
        result.driver = driver;
    if (probe.records > sizeof(probe.data))
        result.records.error =
            fmt::format("the kernel claims {} bytes of records; there is room for {}",
                        probe.records, sizeof(probe.data));
    else
        result.records = decode_records({probe.data, probe.records});
    return 0;
}

Candidate examine(Host &host, const Devices &devices, const std::string &name) {
    Candidate result;
    result.device = devices.get(name);
    result.uses = devices.uses(name);
    result.adapter = result.device.pci;
    result.driver = result.device.driver;
    ask(host, result.device.path, 0, result);
    return result;
}

// Nothing if the module is older than NICs.
std::optional<NicCandidate> examine_nic(Host &host, const std::string &name) {
    NicCandidate result;
    result.device = net_device(host, name);
    result.adapter = result.device.pci;
    result.driver = result.device.driver;
    if (ask(host, name, LPAR_PROBE_NIC, result) == EINVAL)
        return std::nullopt;
    return result;
}

std::vector<NicCandidate> examine_nics(Host &host) {
    std::vector<NicCandidate> result;
    for (const auto &name : physical_interfaces(host)) {
        auto candidate = examine_nic(host, name);
        if (!candidate)
            break;
        result.push_back(std::move(*candidate));
    }
    return result;
}

uint64_t current(const Records &records, uint16_t type) {
    const Value *value = find_value(records, type);
    return value != nullptr ? value->cur : 0;
}

// What the adapter does for its clients: "csum, TSO, VLAN"
std::string offers(const Records &records) {
    std::string text;
    auto add = [&](const char *name) { text += (text.empty() ? "" : ", ") + std::string(name); };
    auto has = [&](uint16_t type) {
        const Value *value = find_value(records, type);
        return value != nullptr && std::max(value->max, value->cur) != 0;
    };
    auto add_both = [&](bool four, bool six, const char *both, const char *only_four,
                        const char *only_six) {
        if (four || six)
            add(!six ? only_four : !four ? only_six : both);
    };
    bool any = has(LPAR_CAP_TX_CSUM);
    add_both(any || has(LPAR_CAP_TX_CSUM4), any || has(LPAR_CAP_TX_CSUM6), "csum", "csum4",
             "csum6");
    if (has(LPAR_CAP_RX_CSUM))
        add("rx-csum");
    add_both(has(LPAR_CAP_TSO4), has(LPAR_CAP_TSO6), "TSO", "TSO4", "TSO6");
    if (has(LPAR_CAP_USO))
        add("USO");
    if (has(LPAR_CAP_TX_VLAN) || has(LPAR_CAP_RX_VLAN))
        add("VLAN");
    if (has(LPAR_CAP_IPSEC))
        add("IPsec");
    if (has(LPAR_CAP_TOE))
        add("TOE");
    return text;
}

// "10G", "2500M", "100M"; empty: unknown
std::string speed_text(const Records &records) {
    uint64_t mbit = current(records, LPAR_CAP_SPEED);
    if (mbit == 0)
        return "";
    return mbit % 1000 == 0 ? fmt::format("{}G", mbit / 1000) : fmt::format("{}M", mbit);
}

std::string mtu_text(const Records &records) {
    uint64_t mtu = current(records, LPAR_CAP_MTU);
    return mtu == 0 ? "" : std::to_string(mtu);
}

Json nullable(const std::string &text) {
    return text.empty() ? Json(nullptr) : Json(text);
}

Json candidate_json(const Candidate &candidate) {
    Json uses = Json::array();
    for (const auto &use : candidate.uses)
        uses.push_back({{"kind", kind_name(use.kind)},
                        {"what", nullable(use.what)},
                        {"device", "/dev/" + use.device},
                        {"text", describe(use)}});
    return {{"device", candidate.device.path},
            {"part_of",
             candidate.device.disk.empty() ? Json(nullptr) : Json("/dev/" + candidate.device.disk)},
            {"bytes", candidate.device.bytes},
            {"model", nullable(candidate.device.model)},
            {"read_only", candidate.device.read_only},
            {"adapter", nullable(candidate.adapter)},
            {"driver", nullable(candidate.driver)},
            {"mode", candidate.mode},
            {"reason", nullable(candidate.reason)},
            {"in_use", uses}};
}

Json records_json(const Records &records) {
    Json result = Json::object();
    for (const auto &record : records.good) {
        Json entry{{"type", record.type}, {"unit", unit_name(record.unit)}};
        if (record.unit == Unit::text) {
            entry["value"] = record.text;
        } else if (record.value) {
            entry["value"] = record.value->cur;
            entry["min"] = record.value->min;
            entry["max"] = record.value->max;
        } else {
            entry["body"] = record.body;
        }
        std::string key =
            record.name.empty() ? fmt::format("type_{}", record.type) : std::string(record.name);
        result[key] = entry;
    }
    return result;
}

Json nic_candidate_json(const NicCandidate &candidate) {
    return {{"nic", candidate.device.name},
            {"mac", nullable(candidate.device.mac)},
            {"adapter", nullable(candidate.adapter)},
            {"driver", nullable(candidate.driver)},
            {"mode", candidate.mode},
            {"reason", nullable(candidate.reason)},
            {"shared_as", candidate.device.shared_as},
            {"capabilities", records_json(candidate.records)}};
}

// What the module says of an adapter that it already serves.
Json adapter_json(const Host &host, const std::string &pci) {
    std::string base = state_adapters + pci + "/";
    Json result{{"address", pci}};
    for (const auto *text : {"driver", "state"})
        result[text] = nullable(host.read(base + text).value_or(""));
    for (const auto *number : {"disks", "windows"}) {
        auto value = host.read_number(base + number);
        result[number] = value ? Json(*value) : Json(nullptr);
    }
    return result;
}

void print_nics(const Context &context, const std::vector<NicCandidate> &nics) {
    Table table({"NIC", "MAC", ">SPEED", ">MTU", "OFFERS", "ADAPTER", "DRIVER", "MODE", "SHARED AS",
                 "WHY"});
    for (const auto &nic : nics) {
        std::string uses;
        for (const auto &use : nic.device.shared_as)
            uses += (uses.empty() ? "" : ", ") + use;
        table.add({nic.device.name,
                   nic.device.mac,
                   speed_text(nic.records),
                   mtu_text(nic.records),
                   offers(nic.records),
                   nic.adapter,
                   nic.driver,
                   {nic.mode, mode_colour(nic.mode)},
                   uses,
                   nic.reason});
    }
    context.out << '\n' << table.text(context.colour);
}

void list(Context &context) {
    context.require_privilege();
    require_module(context.host);
    Devices devices(context.host);
    std::vector<Candidate> candidates;
    for (const auto &name : devices.names())
        candidates.push_back(examine(context.host, devices, name));
    auto nics = examine_nics(context.host);

    if (context.json) {
        Json result{
            {"devices", Json::array()}, {"nics", Json::array()}, {"adapters", Json::array()}};
        for (const auto &candidate : candidates)
            result["devices"].push_back(candidate_json(candidate));
        for (const auto &nic : nics)
            result["nics"].push_back(nic_candidate_json(nic));
        for (const auto &pci : context.host.list(state_adapters))
            result["adapters"].push_back(adapter_json(context.host, pci));
        context.emit(result);
        return;
    }
    Table table({"DEVICE", ">SIZE", "MODEL", "ADAPTER", "DRIVER", "MODE", "IN USE", "WHY"});
    for (const auto &candidate : candidates) {
        std::string uses;
        for (const auto &use : candidate.uses)
            // A disk's line need not repeat what its partitions' lines say.
            if (use.device == candidate.device.name)
                uses += (uses.empty() ? "" : ", ") + brief(use);
        if (uses.empty() && !candidate.uses.empty())
            uses = candidate.device.disk.empty() ? "partitions" : "whole disk";
        table.add({candidate.device.path,
                   human_bytes(candidate.device.bytes),
                   candidate.device.model,
                   candidate.adapter,
                   candidate.driver,
                   {candidate.mode, mode_colour(candidate.mode)},
                   {uses, Colour::warning},
                   candidate.reason});
    }
    context.out << table.text(context.colour);
    if (!nics.empty())
        print_nics(context, nics);
}

// "key   value"; nothing for an empty value
void line(const Context &context, std::string_view key, const std::string &value, Colour colour) {
    if (!value.empty())
        context.out << fmt::format("{:<34}", key) << paint(printable(value), colour, context.colour)
                    << '\n';
}

void print_records(const Context &context, const Records &records) {
    if (!records.good.empty())
        context.out << "\nA client would see\n";
    for (const auto &record : records.good)
        line(context,
             "  " + (record.name.empty() ? fmt::format("unknown record {}", record.type)
                                         : std::string(record.about)),
             describe(record), Colour::none);
}

void show_nic(Context &context, const std::string &name) {
    auto candidate = examine_nic(context.host, name);
    if (!candidate)
        throw Failure("this lpar_host knows no NICs: load one that is as new as lparctl");
    if (context.json) {
        context.emit(nic_candidate_json(*candidate));
    } else {
        line(context, "nic", candidate->device.name, Colour::title);
        line(context, "mac", candidate->device.mac, Colour::none);
        line(context, "adapter", candidate->adapter, Colour::none);
        line(context, "driver", candidate->driver, Colour::none);
        line(context, "mode", candidate->mode, mode_colour(candidate->mode));
        line(context, "why", candidate->reason, Colour::none);
        for (const auto &use : candidate->device.shared_as)
            line(context, "shared as", use, Colour::none);
        print_records(context, candidate->records);
    }
    if (!candidate->records.error.empty())
        throw Failure(name + ": " + candidate->records.error);
}

void show(Context &context, const std::string &path) {
    context.require_privilege();
    require_module(context.host);
    if (is_interface(context.host, path)) {
        show_nic(context, path);
        return;
    }
    auto name = context.host.block_name(path);
    if (!name)
        throw Failure(path + " is not a block device: see lparctl adapter list");
    Devices devices(context.host);
    Candidate candidate = examine(context.host, devices, *name);
    bool served =
        !candidate.adapter.empty() && context.host.exists(state_adapters + candidate.adapter);

    if (context.json) {
        Json result = candidate_json(candidate);
        result["capabilities"] = records_json(candidate.records);
        result["adapter_state"] =
            served ? adapter_json(context.host, candidate.adapter) : Json(nullptr);
        context.emit(result);
    } else {
        line(context, "device", candidate.device.path, Colour::title);
        line(context, "size",
             fmt::format("{} ({} bytes)", human_bytes(candidate.device.bytes),
                         candidate.device.bytes),
             Colour::none);
        line(context, "model", candidate.device.model, Colour::none);
        line(context, "adapter", candidate.adapter, Colour::none);
        line(context, "driver", candidate.driver, Colour::none);
        line(context, "mode", candidate.mode, mode_colour(candidate.mode));
        line(context, "why", candidate.reason, Colour::none);
        for (const auto &use : candidate.uses)
            line(context, "in use",
                 (use.device == candidate.device.name ? "" : "/dev/" + use.device + " is ") +
                     describe(use),
                 Colour::warning);
        if (served) {
            Json state = adapter_json(context.host, candidate.adapter);
            line(context, "adapter's state",
                 fmt::format("{}, disks {}, windows {}", state["state"].dump(),
                             state["disks"].dump(), state["windows"].dump()),
                 Colour::none);
        }
        print_records(context, candidate.records);
    }
    if (!candidate.records.error.empty())
        throw Failure(path + ": " + candidate.records.error);
}

} // namespace

void add_adapter_commands(CLI::App &app, Context &context) {
    auto *group = app.add_subcommand("adapter", "The host's block devices, NICs and adapters");
    group->require_subcommand(1);
    group->fallthrough();
    group->footer(""); // the commands below it have their own examples

    add_leaf(*group, context, "list",
             "Every block device and NIC that could be shared, how, and who uses it now",
             "  lparctl adapter list\n"
             "  lparctl adapter list -j | jq -r '.devices[] | select(.mode == \"tag\").device'",
             [&context] { list(context); });

    auto device = std::make_shared<std::string>();
    auto *leaf = add_leaf(*group, context, "show", "What a client would be told about a device",
                          "  lparctl adapter show /dev/nvme0n1\n"
                          "  lparctl adapter show /dev/disk/by-id/nvme-… -j\n"
                          "  lparctl adapter show eth0",
                          [&context, device] { show(context, *device); });
    leaf->add_option("DEVICE", *device, "A disk or a partition of one, or a network interface")
        ->required();
}

} // namespace lpar
