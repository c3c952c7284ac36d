// SPDX-License-Identifier: GPL-2.0
// lparctl save, diff, apply: the configuration that outlasts a boot.
#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <fmt/format.h>
#include <list>
#include <memory>
#include <ostream>

#include "cli.h"
#include "error.h"
#include "format.h"
#include "iov_scan.h"
#include "number.h"
#include "plan_vfs.h"
#include "undo.h"
#include "whole_file.h"

namespace lpar {

namespace fs = std::filesystem;

namespace {

constexpr auto by_id = "/dev/disk/by-id/";

struct Options {
    std::string file = saved_file;
    bool prune = false;
    double wait = 0;
};

std::vector<Partition> configured(Host &host) {
    return Config(host).partitions();
}

bool wants_vfs(const std::vector<WantedPartition> &wanted) {
    return std::ranges::any_of(wanted, [](const auto &one) { return !one.vfs.empty(); });
}

// What there is; adapters are only looked at if there is anything about VFs.
Present present(Host &host, const std::vector<WantedPartition> &wanted,
                std::vector<IovStep> taken) {
    Present found{configured(host), {}, Images(host).all()};
    if (!taken.empty() || wants_vfs(wanted))
        found.iov = iov_snapshot(host, std::move(taken));
    return found;
}

struct Wanted {
    std::vector<WantedPartition> partitions;
    std::vector<NewImage> images;
};

Wanted read_file(const Options &options) {
    const std::string &file = options.file;
    if (std::error_code error; file == saved_file && !fs::exists(file, error) && !error)
        throw Failure(fmt::format("{}: {}: lparctl save makes it", file, error_text(ENOENT)));
    std::string text = file == "-" ? read_input() : read_whole_file(file);
    // a pipe that nothing came through must not cost everything there is
    if (options.prune && says_nothing(text, file))
        throw Failure(fmt::format("{}: it has neither [partitions] nor [adjuncts]: an empty "
                                  "[partitions] says that there are to be none",
                                  file));
    Wanted wanted{parse_saved(text, file), parse_saved_images(text, file)};
    if (file != "-") // the folder of this file is where images are that have none
        for (auto &image : wanted.images)
            image.file = (fs::path(file).parent_path() / image.file).string();
    return wanted;
}

// The next boot may count devices in another order: /dev/nvme0n1 is another disk then. Nothing if
// there is no name that lasts.
std::optional<std::string> lasting_name(const Host &host, const std::string &device) {
    if (device.starts_with("/dev/disk/") || device.starts_with("/dev/mapper/"))
        return device;
    auto block = host.block_name(device);
    if (!block)
        return std::nullopt;
    for (const auto &name : host.list(by_id))
        if (host.block_name(by_id + name) == block)
            return by_id + name;
    return std::nullopt;
}

Json step_json(const Step &step) {
    static constexpr const char *actions[] = {"add", "change", "remove"};
    Json changes = Json::array();
    for (const auto &change : step.changes)
        changes.push_back(
            {{"attribute", change.attribute}, {"from", change.from}, {"to", change.to}});
    return {{"action", actions[static_cast<size_t>(step.action)]},
            {"kind", kind_of(step.thing)},
            {"name", path_of(step.thing)},
            {"changes", changes},
            {"error", step.error.empty() ? Json(nullptr) : Json(step.error)}};
}

void emit_steps(const Context &context, const std::vector<Step> &steps) {
    Json array = Json::array();
    for (const auto &step : steps)
        array.push_back(step_json(step));
    context.emit({{"steps", array}});
}

// With the errors of all steps that have one
void fail_for(Context &context, const std::vector<Step> &steps) {
    std::string errors;
    for (const auto &step : steps)
        if (!step.error.empty())
            errors += fmt::format(
                "{}{} {}: {}", errors.empty() ? "" : fmt::format("\nlparctl: {}: ", context.label),
                kind_of(step.thing), path_of(step.thing), step.error);
    context.out.flush();
    if (!errors.empty())
        throw Failure(errors);
}

// Adds those of the partitions that there are. Returns how many.
unsigned save_vfs(Host &host, std::vector<WantedPartition> &wanted,
                  std::vector<std::string> &notes) {
    unsigned count = 0;
    for (const auto &vfs : assigned_vfs(present(host, {}, read_iov_state(host)).iov)) {
        auto found = std::ranges::find_if(
            wanted, [&](const auto &one) { return one.partition.name == vfs.partition; });
        if (found == wanted.end()) {
            notes.push_back(fmt::format("{} has VFs of {}, and there is no such partition: they "
                                        "are not saved",
                                        vfs.partition, vfs.adapter));
            continue;
        }
        found->vfs.push_back(vfs);
        count += vfs.number;
    }
    return count;
}

// The kernel knows the images' bytes, not where they came from: they are kept beside the file.
std::vector<NewImage> images_beside(Host &host, const std::string &file) {
    std::vector<NewImage> images;
    for (const auto &one : Images(host).all()) {
        if (!one.enabled)
            continue;
        NewImage image = wanted_of(one);
        image.file = fs::absolute(file).replace_filename(one.name + ".image").string();
        image.sha256 = one.sha256;
        images.push_back(std::move(image));
    }
    return images;
}

// What there was stays until all of it has been written.
void write_saved(const std::string &file, const std::string &text,
                 const std::vector<NewImage> &images) {
    SignalHold hold;
    std::list<WholeFile> files;
    for (const auto &image : images)
        if (image.bytes.empty())
            throw Failure(fmt::format(
                "the image of adjunct {} cannot be read: sudo lparctl save {}", image.name, file));
    // who may read a key in it is not for us to widen
    for (const auto &image : images)
        files.emplace_back(image.file, image.bytes, 0600);
    files.emplace_back(file, text, 0644, true);
    for (auto &one : files)
        one.take_place();
}

void save(Context &context, const std::string &file) {
    bool is_shown = file == "-" || file == "/dev/stdout";
    std::vector<WantedPartition> wanted;
    std::vector<std::string> notes;
    size_t functions = 0;
    for (const auto &partition : configured(context.host)) {
        wanted.push_back(wanted_of(partition));
        for (auto &disk : wanted.back().disks) {
            auto name = lasting_name(context.host, disk.device);
            if (!name)
                notes.push_back(fmt::format("{}/{}: {} has no name in {}: it may be another device "
                                            "after a boot",
                                            disk.partition, disk.name, disk.device, by_id));
            disk.device = name.value_or(disk.device);
        }
        functions += wanted.back().disks.size() + wanted.back().nics.size();
    }
    unsigned vfs = save_vfs(context.host, wanted, notes);
    auto images = images_beside(context.host, is_shown ? saved_file : file);
    std::string text = format_saved(wanted, images);
    if (is_shown) {
        context.out << text;
        return;
    }
    try {
        if (format_saved(parse_saved(text, file), images) != text)
            throw Failure("names that are no UTF-8");
    } catch (const Failure &failure) {
        throw Failure(fmt::format("what is configured cannot be written so that it can be read: {}",
                                  failure.what()));
    }
    write_saved(file, text, images);
    if (context.json) {
        context.emit({{"file", file},
                      {"partitions", wanted.size()},
                      {"vfs", vfs},
                      {"adjuncts", images.size()},
                      {"notes", notes}});
        return;
    }
    context.out << fmt::format("{}: {} partitions, {} disks and NICs, {} VFs{}\n", file,
                               wanted.size(), functions, vfs,
                               images.empty() ? "" : fmt::format(", {} adjuncts", images.size()));
    for (const auto &note : notes)
        context.out << printable(note) << '\n';
}

void diff(Context &context, const Options &options) {
    context.trouble = 2; // as diff(1)
    auto wanted = read_file(options);
    auto steps =
        plan(context.host, present(context.host, wanted.partitions, read_iov_state(context.host)),
             wanted.partitions, options.prune, wanted.images);
    if (context.json)
        emit_steps(context, steps);
    else
        for (const auto &step : steps)
            context.out << step_text(step) << '\n';
    context.status = steps.empty() ? 0 : 1;
    fail_for(context, steps);
}

void apply(Context &context, const Options &options) {
    auto wanted = read_file(options);
    context.require_privilege();
    auto make_plan = [&](const std::vector<IovStep> &taken) {
        return plan(context.host, present(context.host, wanted.partitions, taken),
                    wanted.partitions, options.prune, wanted.images);
    };
    double end = context.host.now() + options.wait;
    std::optional<IovState> state;
    std::vector<Step> steps;
    for (;;) {
        // others may assign and apply until it is locked, also while one waits
        if (options.wait != 0)
            wait_for_devices(context.host, make_plan(read_iov_state(context.host)), end);
        state.emplace(context.host);
        steps = make_plan(state->taken());
        // what changed meanwhile may need devices that nobody has waited for
        if (wait_for_devices(context.host, steps, 0) || context.host.now() >= end)
            break;
        state.reset();
    }
    context.hold.emplace();
    carry_out(context.host, steps, &*state);
    if (context.json)
        emit_steps(context, steps);
    else
        for (const auto &step : steps)
            if (step.error.empty())
                context.out << step_text(step) << '\n';
    fail_for(context, steps);
}

} // namespace

void add_saved_commands(CLI::App &app, Context &context) {
    auto options = std::make_shared<Options>();
    auto add_file = [&](CLI::App *leaf, const std::string &text) {
        leaf->add_option("FILE", options->file, text + " (default: " + saved_file + ")");
        return leaf;
    };
    auto add_prune = [&](CLI::App *leaf) {
        leaf->add_flag("--prune", options->prune, "What is not in the file goes");
    };

    add_file(add_leaf(app, context, "save", "Write what is configured to a file",
                      "  lparctl save\n  lparctl save -",
                      [&context, options] { save(context, options->file); }),
             "Where to, \"-\" for standard output");

    add_prune(add_file(add_leaf(app, context, "diff",
                                "Show what apply would do; exit status 1 if anything",
                                "  lparctl diff\n  lparctl diff --prune ./new.toml",
                                [&context, options] { diff(context, *options); }),
                       "A file, \"-\" for standard input"));

    auto *leaf =
        add_file(add_leaf(app, context, "apply", "Configure what a file wants and is not yet",
                          "  lparctl apply\n  lparctl apply --prune ./new.toml\n"
                          "  systemctl enable lpar          at each boot",
                          [&context, options] { apply(context, *options); }),
                 "A file, \"-\" for standard input");
    add_prune(leaf);
    leaf->add_option("--wait", options->wait, "Seconds to wait for devices that are not there yet")
        ->transform(seconds_between(0, 3600));
}

} // namespace lpar
