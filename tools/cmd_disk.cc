// SPDX-License-Identifier: GPL-2.0
// lparctl disk: add, remove, list.
#include <fmt/format.h>
#include <memory>
#include <ostream>

#include "cli.h"
#include "error.h"
#include "format.h"
#include "number.h"
#include "parse.h"

namespace lpar {

namespace {

struct Options {
    std::string partition;
    std::string device;
    std::string name;
    std::string start;
    std::string size;
    bool read_only = false;
    std::optional<uint32_t> queues;
    std::optional<std::string> serial;
    std::optional<std::string> mode;
};

std::string range_text(const Disk &disk) {
    if (disk.start == 0 && disk.size == 0)
        return "all";
    return fmt::format("{} from {}", disk.size == 0 ? "rest" : human_bytes(disk.size),
                       human_bytes(disk.start));
}

void add(Context &context, const Options &options) {
    NewDisk wish;
    wish.partition = options.partition;
    wish.device = options.device;
    wish.name = options.name;
    wish.read_only = options.read_only;
    wish.queues = options.queues;
    wish.serial = options.serial;
    wish.mode = options.mode;
    if (!options.start.empty())
        wish.start = parse_size(options.start, true);
    if (!options.size.empty()) {
        wish.size = parse_size(options.size, true);
        if (*wish.size == 0)
            throw UsageError("--size 0: leave it out to share everything up to the end");
    }
    if (wish.serial)
        check_serial(*wish.serial);
    if (!wish.name.empty())
        check_new_name("disk", wish.name);
    check_name("partition", wish.partition);
    context.require_privilege();
    Disk disk = Config(context.host).add(wish);
    if (context.json)
        context.emit(disk_json(disk));
    else
        context.out << printable(
                           fmt::format("{} {}: {}", disk.partition, disk.name, status_text(disk)))
                    << '\n';
}

void remove(Context &context, const Options &options) {
    context.require_privilege();
    Config(context.host).remove_disk(options.partition, options.name);
    if (context.json)
        context.emit({{"partition", options.partition}, {"deleted", options.name}});
}

void list(Context &context, const std::string &only) {
    Config config(context.host);
    Json array = Json::array();
    Table table({"PARTITION", "DISK", "DEVICE", "RANGE", "ACCESS", ">QUEUES", "SERIAL", "STATUS"});
    auto all = only.empty() ? config.partitions() : std::vector{config.partition(only)};
    for (const auto &partition : all) {
        for (const auto &disk : partition.disks) {
            Colour colour = disk.is_dead                ? Colour::bad
                            : !disk.enabled             ? Colour::faint
                            : disk.actual_mode == "tag" ? Colour::good
                                                        : Colour::none;
            array.push_back(disk_json(disk));
            table.add({disk.partition,
                       disk.name,
                       disk.device,
                       range_text(disk),
                       disk.read_only ? "read" : "read/write",
                       disk.queues == 0 ? "auto" : std::to_string(disk.queues),
                       disk.serial,
                       {status_text(disk), colour}});
        }
    }
    if (context.json)
        context.emit({{"disks", array}});
    else
        context.out << table.text(context.colour);
}

} // namespace

std::string status_text(const Disk &disk) {
    if (disk.is_dead)
        return "dead: its adapter is gone";
    return disk.status.empty() ? "unknown" : disk.status;
}

Json disk_json(const Disk &disk) {
    auto text = [](const std::string &value) {
        return value.empty() ? Json(nullptr) : Json(value);
    };
    return {{"partition", disk.partition},
            {"name", disk.name},
            {"device", text(disk.device)},
            {"start", disk.start},
            {"size", disk.size},
            {"read_only", disk.read_only},
            {"queues", disk.queues},
            {"serial", text(disk.serial)},
            {"mode", text(disk.mode)},
            {"enabled", disk.enabled},
            {"status", text(disk.status)},
            {"actual_mode", text(disk.actual_mode)},
            {"reason", text(disk.reason)},
            {"adapter", text(disk.adapter)},
            {"dead", disk.is_dead},
            {"sectors", disk.sectors ? Json(*disk.sectors) : Json(nullptr)}};
}

void add_disk_commands(CLI::App &app, Context &context) {
    auto *group = app.add_subcommand("disk", "Disks of partitions");
    group->require_subcommand(1);
    group->fallthrough();
    group->footer(""); // the commands below it have their own examples
    auto options = std::make_shared<Options>();

    auto *leaf =
        add_leaf(*group, context, "add", "Share a disk, or a part of one, with a partition",
                 "  lparctl disk add web /dev/nvme0n1p3\n"
                 "  lparctl disk add web /dev/nvme1n1 --name data --start 1G --size 20G\n"
                 "  lparctl disk add web /dev/nvme1n1 --size 2048s --read-only --mode page",
                 [&context, options] { add(context, *options); });
    leaf->add_option("PARTITION", options->partition, "Who gets it")->required();
    leaf->add_option("DEVICE", options->device, "A disk or a partition of one, not in use")
        ->required();
    leaf->add_option("--name", options->name,
                     "The disk's name (default: the first free of d0, d1…)");
    leaf->add_option("--start", options->start,
                     "Where it begins: 1G, or sectors 2048s (default: 0)");
    leaf->add_option("--size", options->size, "How large it is (default: up to the end)");
    leaf->add_flag("--read-only", options->read_only, "Refuse writes");
    leaf->add_option("--queues", options->queues,
                     "Most queues (default: as many as the client has vCPUs)")
        ->transform(whole_number(0, most_32));
    leaf->add_option("--serial", options->serial,
                     "Serial number, at most 20 characters (default: made of both names)");
    leaf->add_option("--mode", options->mode, "auto, tag, page, or copy to compare (default: auto)")
        ->check(CLI::IsMember({"auto", "tag", "page", "copy"}));

    leaf = add_leaf(*group, context, "remove", "Take a disk back", "  lparctl disk remove web d0",
                    [&context, options] { remove(context, *options); });
    leaf->add_option("PARTITION", options->partition, "A partition")->required();
    leaf->add_option("DISK", options->name, "The disk's name")->required();

    leaf = add_leaf(*group, context, "list", "All disks, or those of one partition",
                    "  lparctl disk list\n  lparctl disk list web -j",
                    [&context, options] { list(context, options->partition); });
    leaf->add_option("PARTITION", options->partition, "A partition");
}

} // namespace lpar
