// SPDX-License-Identifier: GPL-2.0
#include "config.h"

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <fmt/format.h>

#include "device.h"
#include "error.h"
#include "netdev.h"
#include "parse.h"
#include "paths.h"
#include "undo.h"

namespace lpar {

namespace {

// More than any partition has: where the search for a free name ends.
constexpr int names_max = 10000;

struct KindText {
    const char *name;
    const char *folder;
    const char *prefix;      // of a name that is made up
    const char *name_option; // how a name is given
};

const KindText &text(Kind kind) {
    static constexpr KindText disk{"disk", "/disks/", "d", "--name"};
    static constexpr KindText nic{"nic", "/nics/", "n", "NAME"};
    return kind == Kind::disk ? disk : nic;
}

std::string partition_path(const std::string &name) {
    return configfs_partitions + name;
}

std::string function_path(Kind kind, const std::string &partition, const std::string &name) {
    return partition_path(partition) + text(kind).folder + name;
}

std::string disk_path(const std::string &partition, const std::string &name) {
    return function_path(Kind::disk, partition, name);
}

std::string nic_path(const std::string &partition, const std::string &name) {
    return function_path(Kind::nic, partition, name);
}

// A partition's attributes and their values, as far as they are said.
std::vector<std::pair<std::string, std::string>> said(const NewPartition &wish) {
    std::vector<std::pair<std::string, std::string>> values;
    auto put = [&](const char *attribute, const auto &value) {
        if (value)
            values.emplace_back(attribute, fmt::format("{}", *value));
    };
    put("memory_limit", wish.memory_limit);
    put("quantum_limit_us", wish.quantum_limit_us);
    put("owner", wish.owner);
    put("adjuncts", wish.adjuncts);
    if (wish.own_images)
        values.emplace_back("own_images", *wish.own_images ? "1" : "0");
    put("role", wish.role);
    put("qmp", wish.qmp);
    for (const auto &[request, rule] : wish.policy)
        values.emplace_back("policy/" + request, rule);
    return values;
}

// What is to be written for @value: of a write of nothing the kernel does not hear.
std::string written(const std::string &value) {
    return value.empty() ? "\n" : value;
}

// "1" or "up", "0" or "down"
std::optional<bool> up_or_down(const std::optional<std::string> &said) {
    if (said == "1" || said == "up")
        return true;
    if (said == "0" || said == "down")
        return false;
    return std::nullopt;
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

// What is in a folder, but for what goes while one looks.
template <typename T>
std::vector<T> Config::those_that_stay(const std::string &folder, auto get) const {
    std::vector<T> all;
    for (const auto &name : host_.list(folder))
        try {
            all.push_back(get(name));
        } catch (const Failure &) {
            if (host_.exists(folder + name))
                throw;
        }
    return all;
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

void Config::require_nics(const std::string &partition) const {
    std::string path = partition_path(partition);
    if (host_.exists(path) && !host_.exists(path + "/nics"))
        throw Failure("this lpar_host knows no NICs: load one that is as new as lparctl");
}

Nic Config::nic(const std::string &partition, const std::string &name) const {
    check_name("nic", name);
    std::string path = nic_path(partition, name) + "/";
    if (!host_.exists(path))
        throw Failure(
            fmt::format("partition '{}' has no nic '{}': see lparctl nic list", partition, name));
    Nic nic;
    nic.partition = partition;
    nic.name = name;
    nic.adapter = host_.read(path + "adapter").value_or("");
    nic.mac = nic.wanted_mac = host_.read(path + "mac").value_or("");
    nic.vlan = host_.read_number(path + "vlan").value_or(0);
    nic.max_rate = host_.read_number(path + "max_rate").value_or(0);
    nic.primary = host_.read(path + "primary").value_or("");
    nic.queues = host_.read_number(path + "queues").value_or(0);
    nic.trust = host_.read(path + "trust") == "1";
    nic.mode = host_.read(path + "mode").value_or("");
    nic.enabled = host_.read(path + "enable") == "1";
    nic.status = host_.read(path + "status").value_or("");

    std::string state = state_partitions + partition + "/nics/" + name + "/";
    nic.actual_mode = host_.read(state + "mode").value_or("");
    nic.reason = host_.read(state + "reason").value_or("");
    nic.actual_adapter = host_.read(state + "adapter").value_or("");
    if (auto mac = host_.read(state + "mac").value_or(""); !mac.empty())
        nic.mac = mac;
    nic.is_dead = host_.read(state + "state") == "dead";
    nic.link = up_or_down(host_.read(state + "link"));
    return nic;
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
    partition.adjuncts = host_.read_number(path + "adjuncts");
    if (auto own_images = host_.read(path + "own_images"))
        partition.own_images = own_images == "1";
    partition.role = host_.read(path + "role").value_or("");
    partition.qmp = host_.read(path + "qmp").value_or("");
    for (const auto &request : host_.list(path + "policy"))
        partition.policy[request] = host_.read(path + "policy/" + request).value_or("");

    std::string state = state_partitions + name + "/";
    partition.attached = host_.read(state + "attached") == "1";
    if (partition.attached)
        partition.pid = host_.read_number(state + "pid");
    partition.pinned_bytes = host_.read_number(state + "pinned_bytes");
    partition.windows = host_.read_number(state + "windows");
    partition.disks = those_that_stay<Disk>(
        path + "disks/", [&](const auto &disk_name) { return disk(name, disk_name); });
    partition.nics = those_that_stay<Nic>(
        path + "nics/", [&](const auto &nic_name) { return nic(name, nic_name); });
    return partition;
}

std::vector<Partition> Config::partitions() const {
    return those_that_stay<Partition>(configfs_partitions,
                                      [&](const auto &name) { return partition(name); });
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
    int error = host_.write(directory + "/" + attribute, written(value));
    if (error == 0)
        return;
    std::string text = fmt::format("{} cannot be set to '{}': ", attribute, value);
    if (error == ENOENT)
        text += "this module does not have it: is it as new as lparctl?";
    else if (error == EINVAL || error == ERANGE)
        text += "the kernel does not take this value";
    else if (error == EBUSY && attribute == "role")
        text += "another partition is the management partition, or a guest is attached";
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
        for (const auto &[attribute, value] : said(wish))
            set(path, attribute, value);
    } catch (const Failure &failure) {
        throw Failure(failure.what() + undo.roll_back());
    }
    undo.keep();
}

void Config::change(const NewPartition &wish) {
    partition(wish.name); // it has to be there
    std::string path = partition_path(wish.name);
    SignalHold hold;
    Undo undo;
    try {
        for (const auto &[attribute, value] : said(wish)) {
            std::string was = host_.read(path + "/" + attribute).value_or("");
            if (value == was)
                continue;
            set(path, attribute, value);
            undo.add(fmt::format("the new {}", attribute), [this, path, attribute, was] {
                return host_.write(path + "/" + attribute, written(was));
            });
        }
    } catch (const Failure &failure) {
        std::string who = attachment(wish.name);
        throw Failure((who.empty() ? failure.what() : who) + undo.roll_back());
    }
    undo.keep();
}

void Config::disable(Kind kind, const std::string &partition, const std::string &name) {
    int error = host_.write(function_path(kind, partition, name) + "/enable", "0");
    if (error == 0)
        return;
    std::string who = error == EBUSY ? attachment(partition) : "";
    throw Failure(who.empty() ? fmt::format("{} '{}' cannot be disabled: {}", text(kind).name, name,
                                            error_text(error))
                              : fmt::format("{} '{}': {}", text(kind).name, name, who));
}

void Config::remove(const std::string &name, bool with_disks, bool with_nics) {
    Partition old = partition(name);
    // configfs cannot refuse to remove a directory, so this is where it is refused.
    if (std::string who = attachment(name); !who.empty())
        throw Failure(who);
    bool disks_stay = !old.disks.empty() && !with_disks;
    bool nics_stay = !old.nics.empty() && !with_nics;
    if (disks_stay)
        throw Failure(fmt::format("partition '{}' has disks ({}): lparctl disk remove them, or "
                                  "--force {}",
                                  name, name_list(old.disks), old.nics.empty() ? "disks" : "all"));
    if (nics_stay)
        throw Failure(fmt::format("partition '{}' has nics ({}): lparctl nic remove them, or "
                                  "--force {}",
                                  name, name_list(old.nics), old.disks.empty() ? "nics" : "all"));

    struct Function {
        Kind kind;
        std::string name;
        bool enabled;
    };
    std::vector<Function> functions;
    for (const auto &disk : old.disks)
        functions.push_back({Kind::disk, disk.name, disk.enabled});
    for (const auto &nic : old.nics)
        functions.push_back({Kind::nic, nic.name, nic.enabled});

    // All that can be refused comes first, and can be taken back; then what cannot.
    SignalHold hold;
    Undo undo;
    try {
        for (const auto &one : functions) {
            if (!one.enabled)
                continue;
            disable(one.kind, name, one.name);
            undo.add(
                fmt::format("disabling {} '{}'", text(one.kind).name, one.name), [this, name, one] {
                    return host_.write(function_path(one.kind, name, one.name) + "/enable", "1");
                });
        }
    } catch (const Failure &failure) {
        throw Failure(failure.what() + undo.roll_back());
    }
    undo.keep();
    for (const auto &one : functions)
        if (int error = host_.remove_directory(function_path(one.kind, name, one.name)))
            throw Failure(fmt::format("{} '{}' is disabled but cannot be removed: {}",
                                      text(one.kind).name, one.name, error_text(error)));
    if (int error = host_.remove_directory(partition_path(name))) {
        std::string who = error == EBUSY ? attachment(name) : "";
        throw Failure(who.empty() ? fmt::format("partition '{}': {}", name, error_text(error))
                                  : who);
    }
}

std::string Config::make_function(Kind kind, const std::string &partition,
                                  const std::string &name) {
    const KindText &words = text(kind);
    // Without a wish, the first free name; someone else may take it before we do.
    for (int i = 0; i < names_max; i++) {
        std::string attempt = name.empty() ? words.prefix + std::to_string(i) : name;
        int error = host_.make_directory(function_path(kind, partition, attempt));
        if (error == 0)
            return attempt;
        if (error == EEXIST && name.empty())
            continue;
        if (error == EEXIST)
            throw Failure(fmt::format("partition '{}' has a {} '{}' already: choose another {}, or "
                                      "lparctl {} remove {} {}",
                                      partition, words.name, attempt, words.name_option, words.name,
                                      partition, attempt));
        std::string who = error == EBUSY ? attachment(partition) : "";
        throw Failure(
            who.empty() ? fmt::format("{} '{}': {}", words.name, attempt, error_text(error)) : who);
    }
    throw Failure(fmt::format("no name is free: give one with {}", words.name_option));
}

std::string Config::refusal(const std::string &path) const {
    static const std::string refused = "refused: ";
    std::string status = host_.read(path + "/status").value_or("");
    return status.starts_with(refused) ? status.substr(refused.size()) : "";
}

std::string Config::why_not_enabled(int error, const NewNic &wish, const std::string &path) const {
    std::string said = refusal(path);
    std::string who = error == EBUSY && said.empty() ? attachment(wish.partition) : "";
    if (!who.empty())
        return who;
    return fmt::format("{}: {}", wish.adapter, said.empty() ? error_text(error) : said);
}

std::string Config::why_not_enabled(int error, const NewDisk &wish, const std::string &path) const {
    std::string said = refusal(path);
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
    check_range(wish, block_device(host_, *block));
    // The kernel resolves the path, perhaps again at another time: do not depend on our
    // directory, but keep a stable name such as /dev/disk/by-id/….
    std::string device = std::filesystem::absolute(wish.device).lexically_normal().string();

    SignalHold hold;
    std::string name = make_function(Kind::disk, wish.partition, wish.name);
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

Nic Config::add(const NewNic &wish) {
    check_name("partition", wish.partition);
    if (!wish.name.empty())
        check_new_name("nic", wish.name);
    check_name("network interface", wish.adapter);
    if (!host_.exists(partition_path(wish.partition)))
        throw Failure(fmt::format("there is no partition '{}': lparctl partition create {}",
                                  wish.partition, wish.partition));
    require_nics(wish.partition);
    if (!is_interface(host_, wish.adapter))
        throw Failure(fmt::format("there is no network interface '{}': see lparctl adapter list",
                                  wish.adapter));

    SignalHold hold;
    std::string name = make_function(Kind::nic, wish.partition, wish.name);
    std::string path = nic_path(wish.partition, name);
    Undo undo;
    undo.add(fmt::format("the new nic '{}'", name), [&] { return host_.remove_directory(path); });
    try {
        set(path, "adapter", wish.adapter);
        if (wish.mac)
            set(path, "mac", *wish.mac);
        if (wish.vlan)
            set(path, "vlan", std::to_string(*wish.vlan));
        if (wish.max_rate)
            set(path, "max_rate", std::to_string(*wish.max_rate));
        if (wish.primary)
            set(path, "primary", *wish.primary);
        if (wish.queues)
            set(path, "queues", std::to_string(*wish.queues));
        if (wish.trust)
            set(path, "trust", "1");
        if (wish.mode)
            set(path, "mode", *wish.mode);
        if (int error = host_.write(path + "/enable", "1"))
            throw Failure(why_not_enabled(error, wish, path));
    } catch (const Failure &failure) {
        throw Failure(failure.what() + undo.roll_back());
    }
    undo.keep();
    return nic(wish.partition, name);
}

void Config::remove_function(Kind kind, const std::string &partition, const std::string &name,
                             bool enabled) {
    SignalHold hold;
    if (enabled)
        disable(kind, partition, name);
    std::string path = function_path(kind, partition, name);
    if (int error = host_.remove_directory(path)) {
        Undo undo;
        if (enabled)
            undo.add(fmt::format("disabling the {}", text(kind).name),
                     [&] { return host_.write(path + "/enable", "1"); });
        std::string left = undo.roll_back();
        throw Failure(fmt::format("{} '{}': {}{}", text(kind).name, name, error_text(error), left));
    }
}

void Config::remove_disk(const std::string &partition_name, const std::string &name) {
    partition(partition_name); // says so if there is none
    Disk old = disk(partition_name, name);
    remove_function(Kind::disk, partition_name, name, old.enabled);
}

void Config::remove_nic(const std::string &partition_name, const std::string &name) {
    partition(partition_name); // says so if there is none
    require_nics(partition_name);
    Nic old = nic(partition_name, name);
    remove_function(Kind::nic, partition_name, name, old.enabled);
}

} // namespace lpar
