// SPDX-License-Identifier: GPL-2.0
#include "config.h"

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <fmt/format.h>

#include "device.h"
#include "error.h"
#include "parse.h"
#include "paths.h"
#include "undo.h"

namespace lpar {

namespace {

// More disks than any partition has: where the search for a free name ends.
constexpr int disk_names_max = 10000;

std::string partition_path(const std::string &name) {
    return configfs_partitions + name;
}

std::string disk_path(const std::string &partition, const std::string &name) {
    return partition_path(partition) + "/disks/" + name;
}

// "/dev/x1 is …" or, when it is a relative of the device that is in use, which one it is.
std::string busy_message(const std::string &path, const BlockDevice &device, const Use &use) {
    std::string subject = path;
    if (use.device == device.disk)
        subject += fmt::format(" is in use: its disk /dev/{}", use.device);
    else if (use.device != device.name)
        subject += fmt::format(" is in use: its partition /dev/{}", use.device);
    return fmt::format("{} is {}: {}, or choose another", subject, describe(use), remedy(use));
}

// What the user wants of the device against what it is, before anything is made.
void check_range(const NewDisk &wish, const BlockDevice &device) {
    uint64_t start = wish.start.value_or(0);
    uint64_t size = wish.size.value_or(0);
    auto aligned = [&](const char *what, uint64_t value) {
        if (value % device.logical_block != 0)
            throw Failure(fmt::format("{} {}: {} must be whole blocks of {} bytes", what, value,
                                      wish.device, device.logical_block));
    };
    aligned("--start", start);
    aligned("--size", size);
    if (start >= device.bytes)
        throw Failure(
            fmt::format("--start {}: {} has only {} bytes", start, wish.device, device.bytes));
    if (size > device.bytes - start)
        throw Failure(fmt::format("--size {}: {} has only {} bytes behind byte {}", size,
                                  wish.device, device.bytes - start, start));
}

} // namespace

void require_module(const Host &host) {
    bool state = host.exists(state_root);
    if (host.exists(configfs_root))
        return;
    if (!state)
        throw Failure("the kernel module is not loaded: modprobe lpar_host");
    if (!host.exists(configfs_mount) || host.list(configfs_mount).empty())
        throw Failure(
            fmt::format("configfs is not mounted: mount -t configfs none {}", configfs_mount));
    throw Failure(fmt::format("{} is missing although the module is loaded: is another file "
                              "system mounted on {}?",
                              configfs_root, configfs_mount));
}

Config::Config(Host &host) : host_(host) {
    require_module(host);
}

std::vector<std::string> Config::partition_names() const {
    return host_.list(configfs_partitions);
}

Disk Config::disk(const std::string &partition, const std::string &name) const {
    check_name("disk", name);
    std::string path = disk_path(partition, name) + "/";
    if (!host_.exists(path))
        throw Failure(
            fmt::format("partition '{}' has no disk '{}': see lparctl disk list", partition, name));
    Disk disk;
    disk.partition = partition;
    disk.name = name;
    disk.device = host_.read(path + "device").value_or("");
    disk.start = host_.read_number(path + "start").value_or(0);
    disk.size = host_.read_number(path + "size").value_or(0);
    disk.read_only = host_.read(path + "read_only") == "1";
    disk.queues = host_.read_number(path + "queues").value_or(0);
    disk.serial = host_.read(path + "serial").value_or("");
    disk.mode = host_.read(path + "mode").value_or("");
    disk.enabled = host_.read(path + "enable") == "1";
    disk.status = host_.read(path + "status").value_or("");

    std::string state = state_partitions + partition + "/disks/" + name + "/";
    disk.actual_mode = host_.read(state + "mode").value_or("");
    disk.reason = host_.read(state + "reason").value_or("");
    disk.adapter = host_.read(state + "adapter").value_or("");
    disk.is_dead = host_.read(state + "state") == "dead";
    disk.sectors = host_.read_number(state + "sectors");
    return disk;
}

Partition Config::partition(const std::string &name) const {
    check_name("partition", name);
    std::string path = partition_path(name) + "/";
    if (!host_.exists(path))
        throw Failure(
            fmt::format("there is no partition '{}': lparctl partition create {}", name, name));
    Partition partition;
    partition.name = name;
    partition.memory_limit = host_.read_number(path + "memory_limit");
    partition.quantum_limit_us = host_.read_number(path + "quantum_limit_us");
    partition.owner = host_.read_number(path + "owner");

    std::string state = state_partitions + name + "/";
    partition.attached = host_.read(state + "attached") == "1";
    if (partition.attached)
        partition.pid = host_.read_number(state + "pid");
    partition.pinned_bytes = host_.read_number(state + "pinned_bytes");
    partition.windows = host_.read_number(state + "windows");
    for (const auto &disk_name : host_.list(path + "disks"))
        partition.disks.push_back(disk(name, disk_name));
    return partition;
}

std::string Config::attachment(const std::string &partition) const {
    std::string state = state_partitions + partition + "/";
    if (host_.read(state + "attached") != "1")
        return {};
    auto pid = host_.read_number(state + "pid");
    return fmt::format("partition '{}' is attached{}: shut that virtual machine down first",
                       partition, pid ? fmt::format(" by process {}", *pid) : "");
}

void Config::set(const std::string &directory, const std::string &attribute,
                 const std::string &value) {
    int error = host_.write(directory + "/" + attribute, value);
    if (error == 0)
        return;
    std::string text = fmt::format("{} cannot be set to '{}': ", attribute, value);
    if (error == ENOENT)
        text += "this module does not have it: is it as new as lparctl?";
    else if (error == EINVAL || error == ERANGE)
        text += "the kernel does not take this value";
    else
        text += error_text(error);
    throw Failure(text);
}

void Config::create(const NewPartition &wish) {
    check_new_name("partition", wish.name);
    SignalHold hold;
    std::string path = partition_path(wish.name);
    if (int error = host_.make_directory(path))
        throw Failure(error == EEXIST
                          ? fmt::format("partition '{}' exists already: lparctl partition show {}",
                                        wish.name, wish.name)
                          : fmt::format("partition '{}': {}", wish.name, error_text(error)));
    Undo undo;
    undo.add("the new partition", [&] { return host_.remove_directory(path); });
    try {
        if (wish.memory_limit)
            set(path, "memory_limit", std::to_string(*wish.memory_limit));
        if (wish.quantum_limit_us)
            set(path, "quantum_limit_us", std::to_string(*wish.quantum_limit_us));
        if (wish.owner)
            set(path, "owner", std::to_string(*wish.owner));
    } catch (const Failure &failure) {
        throw Failure(failure.what() + undo.roll_back());
    }
    undo.keep();
}

void Config::disable(const Disk &disk) {
    int error = host_.write(disk_path(disk.partition, disk.name) + "/enable", "0");
    if (error == 0)
        return;
    std::string who = error == EBUSY ? attachment(disk.partition) : "";
    throw Failure(
        who.empty() ? fmt::format("disk '{}' cannot be disabled: {}", disk.name, error_text(error))
                    : fmt::format("disk '{}': {}", disk.name, who));
}

void Config::remove(const std::string &name, bool with_disks) {
    Partition old = partition(name);
    // configfs cannot refuse to remove a directory, so this is where it is refused.
    if (std::string who = attachment(name); !who.empty())
        throw Failure(who);
    if (!old.disks.empty() && !with_disks) {
        std::string names;
        for (const auto &disk : old.disks)
            names += (names.empty() ? "" : ", ") + disk.name;
        throw Failure(fmt::format("partition '{}' has disks ({}): lparctl disk remove them, or "
                                  "--force disks",
                                  name, names));
    }

    // All that can be refused comes first, and can be taken back; then what cannot.
    SignalHold hold;
    Undo undo;
    try {
        for (const auto &disk : old.disks) {
            if (!disk.enabled)
                continue;
            disable(disk);
            undo.add(fmt::format("disabling disk '{}'", disk.name), [this, disk] {
                return host_.write(disk_path(disk.partition, disk.name) + "/enable", "1");
            });
        }
    } catch (const Failure &failure) {
        throw Failure(failure.what() + undo.roll_back());
    }
    undo.keep();
    for (const auto &disk : old.disks)
        if (int error = host_.remove_directory(disk_path(name, disk.name)))
            throw Failure(fmt::format("disk '{}' is disabled but cannot be removed: {}", disk.name,
                                      error_text(error)));
    if (int error = host_.remove_directory(partition_path(name))) {
        std::string who = error == EBUSY ? attachment(name) : "";
        throw Failure(who.empty() ? fmt::format("partition '{}': {}", name, error_text(error))
                                  : who);
    }
}

std::string Config::make_disk_directory(const NewDisk &wish) {
    // Without a wish, the first free name; someone else may take it before we do.
    for (int i = 0; i < disk_names_max; i++) {
        std::string name = wish.name.empty() ? "d" + std::to_string(i) : wish.name;
        int error = host_.make_directory(disk_path(wish.partition, name));
        if (error == 0)
            return name;
        if (error == EEXIST && wish.name.empty())
            continue;
        if (error == EEXIST)
            throw Failure(fmt::format("partition '{}' has a disk '{}' already: choose another "
                                      "--name, or lparctl disk remove {} {}",
                                      wish.partition, name, wish.partition, name));
        std::string who = error == EBUSY ? attachment(wish.partition) : "";
        throw Failure(who.empty() ? fmt::format("disk '{}': {}", name, error_text(error)) : who);
    }
    throw Failure("no name is free: give one with --name");
}

std::string Config::why_not_enabled(int error, const NewDisk &wish,
                                    const std::string &disk_path) const {
    static const std::string refused = "refused: ";
    std::string status = host_.read(disk_path + "/status").value_or("");
    std::string said = status.starts_with(refused) ? status.substr(refused.size()) : "";
    auto block = host_.block_name(wish.device);
    if (error == EBUSY && block) {
        Devices devices(host_);
        auto uses = devices.uses(*block);
        // Disks may share one device by ranges: of those only the kernel knows which is in the way.
        bool ours = std::erase_if(uses, [&](const Use &use) {
                        return use.kind == Use::Kind::lpar && use.device == *block;
                    }) != 0;
        if (uses.empty() && ours)
            return fmt::format("{}: {}: choose another range (--start, --size; see lparctl disk "
                               "list), or another device",
                               wish.device, said.empty() ? "the range is taken" : said);
        std::string who = uses.empty() ? attachment(wish.partition) : "";
        if (!who.empty())
            return who;
        if (uses.empty())
            uses = devices.openers(*block); // need not be the reason, but is all there is to see
        if (!uses.empty())
            return busy_message(wish.device, devices.get(*block), uses.front());
    }
    if (!said.empty())
        return fmt::format("{}: {}", wish.device, said);
    if (error == EBUSY)
        return fmt::format("{} is in use by something that does not show itself (ZFS, a program "
                           "in another container, …): stop that, or choose another",
                           wish.device);
    return fmt::format("{}: {}", wish.device, error_text(error));
}

Disk Config::add(const NewDisk &wish) {
    check_name("partition", wish.partition);
    if (!wish.name.empty())
        check_new_name("disk", wish.name);
    if (!host_.exists(partition_path(wish.partition)))
        throw Failure(fmt::format("there is no partition '{}': lparctl partition create {}",
                                  wish.partition, wish.partition));
    auto block = host_.block_name(wish.device);
    if (!block)
        throw Failure(
            fmt::format("{} is not a block device: see lparctl adapter list", wish.device));
    check_range(wish, Devices(host_).get(*block));
    // The kernel resolves the path, perhaps again at another time: do not depend on our
    // directory, but keep a stable name such as /dev/disk/by-id/….
    std::string device = std::filesystem::absolute(wish.device).lexically_normal().string();

    SignalHold hold;
    std::string name = make_disk_directory(wish);
    std::string path = disk_path(wish.partition, name);
    Undo undo;
    undo.add(fmt::format("the new disk '{}'", name), [&] { return host_.remove_directory(path); });
    try {
        set(path, "device", device);
        if (wish.start)
            set(path, "start", std::to_string(*wish.start));
        if (wish.size)
            set(path, "size", std::to_string(*wish.size));
        if (wish.read_only)
            set(path, "read_only", "1");
        if (wish.queues)
            set(path, "queues", std::to_string(*wish.queues));
        if (wish.serial)
            set(path, "serial", *wish.serial);
        if (wish.mode)
            set(path, "mode", *wish.mode);
        if (int error = host_.write(path + "/enable", "1"))
            throw Failure(why_not_enabled(error, wish, path));
    } catch (const Failure &failure) {
        throw Failure(failure.what() + undo.roll_back());
    }
    undo.keep();
    return disk(wish.partition, name);
}

void Config::remove_disk(const std::string &partition_name, const std::string &name) {
    partition(partition_name); // says so if there is none
    Disk old = disk(partition_name, name);
    SignalHold hold;
    if (old.enabled)
        disable(old);
    std::string path = disk_path(partition_name, name);
    if (int error = host_.remove_directory(path)) {
        Undo undo;
        if (old.enabled)
            undo.add("disabling the disk", [&] { return host_.write(path + "/enable", "1"); });
        std::string left = undo.roll_back();
        throw Failure(fmt::format("disk '{}': {}{}", name, error_text(error), left));
    }
}

} // namespace lpar
