// SPDX-License-Identifier: GPL-2.0
// lparctl adapter: the host's block devices and how they could be shared.
#include <cstring>
#include <fmt/format.h>
#include <memory>
#include <ostream>

#include "cli.h"
#include "device.h"
#include "error.h"
#include "format.h"
#include "lpar/control.h"
#include "paths.h"
#include "records.h"

namespace lpar {

namespace {

// One device and the kernel's opinion of it.
struct Candidate {
    BlockDevice device;
    std::string mode; // tag, page, none
    std::string reason;
    std::string adapter;
    std::string driver;
    std::vector<Use> uses;
    Records records;
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

Candidate examine(Host &host, const Devices &devices, const std::string &name) {
    Candidate result;
    result.device = devices.get(name);
    result.uses = devices.uses(name);
    result.adapter = result.device.pci;
    result.driver = result.device.driver;
    result.mode = "none";

    lpar_probe probe{};
    if (result.device.path.size() >= sizeof(probe.path)) {
        result.reason = "its path is too long";
        return result;
    }
    std::memcpy(probe.path, result.device.path.data(), result.device.path.size());
    if (int error = host.probe(probe)) {
        result.reason = error_text(error);
        return result;
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
    return result;
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

void list(Context &context) {
    context.require_privilege();
    require_module(context.host);
    Devices devices(context.host);
    std::vector<Candidate> candidates;
    for (const auto &name : devices.names())
        candidates.push_back(examine(context.host, devices, name));

    if (context.json) {
        Json result{{"devices", Json::array()}, {"adapters", Json::array()}};
        for (const auto &candidate : candidates)
            result["devices"].push_back(candidate_json(candidate));
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
}

void show(Context &context, const std::string &path) {
    context.require_privilege();
    require_module(context.host);
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
        auto line = [&](std::string_view key, const std::string &value, Colour colour) {
            if (!value.empty())
                context.out << fmt::format("{:<34}", key)
                            << paint(printable(value), colour, context.colour) << '\n';
        };
        line("device", candidate.device.path, Colour::title);
        line("size",
             fmt::format("{} ({} bytes)", human_bytes(candidate.device.bytes),
                         candidate.device.bytes),
             Colour::none);
        line("model", candidate.device.model, Colour::none);
        line("adapter", candidate.adapter, Colour::none);
        line("driver", candidate.driver, Colour::none);
        line("mode", candidate.mode, mode_colour(candidate.mode));
        line("why", candidate.reason, Colour::none);
        for (const auto &use : candidate.uses)
            line("in use",
                 (use.device == candidate.device.name ? "" : "/dev/" + use.device + " is ") +
                     describe(use),
                 Colour::warning);
        if (served) {
            Json state = adapter_json(context.host, candidate.adapter);
            line("adapter's state",
                 fmt::format("{}, disks {}, windows {}", state["state"].dump(),
                             state["disks"].dump(), state["windows"].dump()),
                 Colour::none);
        }
        if (!candidate.records.good.empty())
            context.out << "\nA client would see\n";
        for (const auto &record : candidate.records.good)
            line("  " + (record.name.empty() ? fmt::format("unknown record {}", record.type)
                                             : std::string(record.about)),
                 describe(record), Colour::none);
    }
    if (!candidate.records.error.empty())
        throw Failure(path + ": " + candidate.records.error);
}

} // namespace

void add_adapter_commands(CLI::App &app, Context &context) {
    auto *group = app.add_subcommand("adapter", "The host's block devices and adapters");
    group->require_subcommand(1);
    group->fallthrough();
    group->footer(""); // the commands below it have their own examples

    add_leaf(*group, context, "list",
             "Every block device that could be shared, how, and who uses it now",
             "  lparctl adapter list\n"
             "  lparctl adapter list -j | jq -r '.devices[] | select(.mode == \"tag\").device'",
             [&context] { list(context); });

    auto device = std::make_shared<std::string>();
    auto *leaf = add_leaf(*group, context, "show", "What a client would be told about a device",
                          "  lparctl adapter show /dev/nvme0n1\n"
                          "  lparctl adapter show /dev/disk/by-id/nvme-… -j",
                          [&context, device] { show(context, *device); });
    leaf->add_option("DEVICE", *device, "A disk or a partition of one")->required();
}

} // namespace lpar
