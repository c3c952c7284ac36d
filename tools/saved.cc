// SPDX-License-Identifier: GPL-2.0
#include "saved.h"

#include <algorithm>
#include <array>
#include <concepts>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <map>
#include <sstream>

#include "error.h"
#include "format.h"
#include "iov_ask.h"
#include "iov_scan.h"
#include "parse.h"
#include "toml.h"
#include <lpar/adjunct.h>

namespace lpar {

namespace {

constexpr uint64_t vlan_max = 4094;
constexpr uint64_t vfs_max = 65535;

class Reader {
  public:
    explicit Reader(std::string file) : file_(std::move(file)) {}

    std::string place(const toml::source_region &at) const {
        return fmt::format("{}:{}:{}", file_, at.begin.line, at.begin.column);
    }

    [[noreturn]] void complain(const toml::source_region &at, const std::string &what) const {
        throw Failure(place(at) + ": " + what);
    }

    const toml::table &table(const toml::node &node, const std::string &what) const {
        if (const auto *found = node.as_table())
            return *found;
        complain(node.source(), what + " must be a table");
    }

    // A misspelt key must not go unnoticed.
    void check_keys(const toml::table &table, const std::string &what,
                    const std::vector<std::string_view> &known) const {
        for (const auto &[key, node] : table)
            if (std::ranges::find(known, key.str()) == known.end())
                complain(key.source(), fmt::format("{} has no '{}': it has {}", what,
                                                   printable(key.str()), fmt::join(known, ", ")));
    }

    // Calls @parse with the value of @key, if there is one; a UsageError is given a place.
    void take(const toml::table &table, std::string_view key,
              std::invocable<const toml::node &> auto parse) const {
        const toml::node *node = table.get(key);
        if (node == nullptr)
            return;
        try {
            parse(*node);
        } catch (const UsageError &error) {
            complain(node->source(), fmt::format("{}: {}", key, error.what()));
        }
    }

    // Calls @parse with each name below @key and its table.
    void each(const toml::table &table, std::string_view key, const std::string &what,
              std::invocable<const std::string &, const toml::table &> auto parse) const {
        const toml::node *node = table.get(key);
        if (node == nullptr)
            return;
        for (const auto &[name, entry] : this->table(*node, std::string(key))) {
            try {
                check_new_name(what, std::string(name.str()));
            } catch (const UsageError &error) {
                complain(name.source(), error.what());
            }
            parse(std::string(name.str()), this->table(entry, std::string(name.str())));
        }
    }

    // Calls @parse with each table of the array @key.
    void each_of(const toml::table &table, std::string_view key,
                 std::invocable<const toml::table &> auto parse) const {
        const toml::node *node = table.get(key);
        if (node == nullptr)
            return;
        const toml::array *array = node->as_array();
        if (array == nullptr)
            complain(node->source(),
                     fmt::format("{0} must be an array of tables: [[...{0}]]", key));
        for (const auto &entry : *array)
            parse(this->table(entry, std::string(key)));
    }

    // One that has to be there
    std::string required(const toml::table &table, std::string_view key,
                         const std::string &what) const;

  private:
    std::string file_;
};

std::string text_of(const toml::node &node) {
    if (auto text = node.value_exact<std::string>())
        return *text;
    throw UsageError("a text in quotes is wanted");
}

bool flag_of(const toml::node &node) {
    if (auto flag = node.value_exact<bool>())
        return *flag;
    throw UsageError("true or false is wanted");
}

uint64_t number_of(const toml::node &node) {
    if (auto number = node.value_exact<int64_t>(); number && *number >= 0)
        return static_cast<uint64_t>(*number);
    throw UsageError("a number is wanted, 0 or more");
}

// 4096, "2G", with @sectors "2048s" as well
uint64_t size_of(const toml::node &node, bool sectors) {
    return node.is_string() ? parse_size(text_of(node), sectors) : number_of(node);
}

uint64_t vlan_of(const toml::node &node) {
    uint64_t vlan = number_of(node);
    if (vlan > vlan_max)
        throw UsageError(fmt::format("a VLAN is 1 to {}, 0: none", vlan_max));
    return vlan;
}

uint32_t number_between(const toml::node &node, uint64_t least, uint64_t most) {
    uint64_t number = number_of(node);
    if (number < least || number > most)
        throw UsageError(fmt::format("it is {} to {}", least, most));
    return static_cast<uint32_t>(number);
}

std::string address_of(const toml::node &node) {
    std::string text = text_of(node);
    if (vf_address(text, 0, 0, 0) != text)
        throw UsageError(
            fmt::format("'{}' is no PCI address, such as 0000:03:00.0", printable(text)));
    return text;
}

// One or more, each once, in order
template <typename T>
std::set<T> set_of(const toml::node &node, T (*parse)(const toml::node &)) {
    const toml::array *array = node.as_array();
    if (array == nullptr || array->empty())
        throw UsageError("an array is wanted, of one or more");
    std::set<T> values;
    for (const auto &entry : *array)
        if (!values.insert(parse(entry)).second)
            throw UsageError("one is there twice");
    return values;
}

uint32_t namespace_of(const toml::node &node) {
    return number_between(node, 1, UINT32_MAX - 1);
}

std::string mode_of(const toml::node &node) {
    std::string mode = text_of(node);
    static constexpr std::array<std::string_view, 4> modes{"auto", "tag", "page", "copy"};
    if (std::ranges::find(modes, mode) == modes.end())
        throw UsageError(
            fmt::format("'{}' is none of {}", printable(mode), fmt::join(modes, ", ")));
    return mode;
}

std::string Reader::required(const toml::table &table, std::string_view key,
                             const std::string &what) const {
    std::string text;
    take(table, key, [&](const auto &node) { text = text_of(node); });
    if (text.empty())
        complain(table.source(), fmt::format("{} needs '{}'", what, key));
    return text;
}

NewDisk parse_disk(const Reader &reader, const std::string &partition, const std::string &name,
                   const toml::table &table) {
    std::string what = "disk " + name;
    reader.check_keys(table, what,
                      {"device", "start", "size", "read_only", "queues", "serial", "mode"});
    NewDisk disk;
    disk.partition = partition;
    disk.name = name;
    disk.device = reader.required(table, "device", what);
    reader.take(table, "start", [&](const auto &node) { disk.start = size_of(node, true); });
    reader.take(table, "size", [&](const auto &node) { disk.size = size_of(node, true); });
    reader.take(table, "read_only", [&](const auto &node) { disk.read_only = flag_of(node); });
    reader.take(table, "queues", [&](const auto &node) { disk.queues = number_of(node); });
    reader.take(table, "serial", [&](const auto &node) {
        disk.serial = text_of(node);
        check_serial(*disk.serial);
    });
    reader.take(table, "mode", [&](const auto &node) { disk.mode = mode_of(node); });
    return disk;
}

NewNic parse_nic(const Reader &reader, const std::string &partition, const std::string &name,
                 const toml::table &table) {
    std::string what = "nic " + name;
    reader.check_keys(table, what,
                      {"adapter", "mac", "vlan", "max_rate", "queues", "trust", "mode", "primary"});
    NewNic nic;
    nic.partition = partition;
    nic.name = name;
    nic.adapter = reader.required(table, "adapter", what);
    reader.take(table, "adapter",
                [&](const auto & /*node*/) { check_name("network interface", nic.adapter); });
    reader.take(table, "mac", [&](const auto &node) { nic.mac = parse_mac(text_of(node)); });
    reader.take(table, "vlan", [&](const auto &node) { nic.vlan = vlan_of(node); });
    reader.take(table, "max_rate", [&](const auto &node) { nic.max_rate = number_of(node); });
    reader.take(table, "primary", [&](const auto &node) {
        nic.primary = address_of(node);
        if (!nic.mac)
            throw UsageError("'mac' is wanted as well: the address that both have");
    });
    reader.take(table, "queues", [&](const auto &node) { nic.queues = number_of(node); });
    reader.take(table, "trust", [&](const auto &node) { nic.trust = flag_of(node); });
    reader.take(table, "mode", [&](const auto &node) { nic.mode = mode_of(node); });
    return nic;
}

NewVfs parse_vfs(const Reader &reader, const std::string &partition, const toml::table &table) {
    reader.check_keys(table, "vfs",
                      {"adapter", "number", "functions", "total", "queues", "interrupts",
                       "namespaces", "mac", "vlan", "max_rate", "trust", "spoofchk"});
    NewVfs vfs;
    IovSettings &settings = vfs.settings;
    vfs.partition = partition;
    vfs.where = reader.place(table.source());
    reader.required(table, "adapter", "vfs");
    reader.take(table, "adapter", [&](const auto &node) { vfs.adapter = address_of(node); });
    reader.take(table, "number",
                [&](const auto &node) { vfs.number = number_between(node, 1, vfs_max); });
    reader.take(table, "functions", [&](const auto &node) {
        auto functions = set_of<std::string>(node, address_of);
        vfs.functions = {functions.begin(), functions.end()};
        if (table.contains("number") && vfs.number != functions.size())
            throw UsageError("these are not as many as 'number' says");
        vfs.number = static_cast<unsigned>(functions.size());
    });
    reader.take(table, "total",
                [&](const auto &node) { vfs.total = number_between(node, vfs.number, vfs_max); });
    reader.take(table, "queues",
                [&](const auto &node) { settings.queues = number_between(node, 1, vfs_max - 1); });
    reader.take(table, "interrupts",
                [&](const auto &node) { settings.interrupts = number_between(node, 1, vfs_max); });
    reader.take(table, "namespaces", [&](const auto &node) {
        settings.namespaces = set_of<uint32_t>(node, namespace_of);
    });
    reader.take(table, "mac", [&](const auto &node) {
        settings.mac = parse_mac(text_of(node));
        if (vfs.number != 1)
            throw UsageError("one MAC address is for one VF");
    });
    reader.take(table, "vlan",
                [&](const auto &node) { settings.vlan = static_cast<uint32_t>(vlan_of(node)); });
    reader.take(table, "max_rate",
                [&](const auto &node) { settings.rate = number_between(node, 0, UINT32_MAX); });
    reader.take(table, "trust", [&](const auto &node) { settings.trust = flag_of(node); });
    reader.take(table, "spoofchk", [&](const auto &node) { settings.spoofchk = flag_of(node); });
    return vfs;
}

void parse_policy(const Reader &reader, const std::string &name, const toml::table &table,
                  NewPartition &partition) {
    const toml::node *node = table.get("policy");
    if (node == nullptr)
        return;
    std::vector<std::string> requests;
    for (uint32_t ask = 1; ask < LPAR_ASKS; ask++)
        requests.push_back(iov_ask_name(ask));
    const toml::table &policy = reader.table(*node, "policy");
    reader.check_keys(policy, "the policy of " + name, {requests.begin(), requests.end()});
    for (uint32_t ask = 1; ask < LPAR_ASKS; ask++)
        reader.take(policy, requests[ask - 1], [&](const auto &rule) {
            partition.policy[requests[ask - 1]] = parse_rule(ask, text_of(rule));
        });
}

WantedPartition parse_partition(const Reader &reader, const std::string &name,
                                const toml::table &table) {
    reader.check_keys(table, "partition " + name,
                      {"memory", "quantum", "owner", "adjuncts", "own_images", "role", "qmp",
                       "policy", "disks", "nics", "vfs"});
    WantedPartition wanted;
    NewPartition &partition = wanted.partition;
    partition.name = name;
    reader.take(table, "memory",
                [&](const auto &node) { partition.memory_limit = size_of(node, false); });
    reader.take(table, "quantum", [&](const auto &node) {
        partition.quantum_limit_us =
            parse_quantum(node.is_integer() ? std::to_string(number_of(node)) : text_of(node));
    });
    reader.take(table, "owner", [&](const auto &node) {
        if (node.is_integer()) {
            partition.owner = parse_user(std::to_string(number_of(node)));
            return;
        }
        std::string owner = text_of(node);
        try {
            partition.owner = parse_user(owner);
        } catch (const UsageError &error) { // users come and go: no mistake of the file
            wanted.error = fmt::format("{}: owner: {}", reader.place(node.source()), error.what());
        }
    });
    reader.take(table, "adjuncts", [&](const auto &node) {
        partition.adjuncts = number_between(node, 0, LPAR_ADJUNCTS_MAX);
    });
    reader.take(table, "own_images",
                [&](const auto &node) { partition.own_images = flag_of(node); });
    reader.take(table, "role", [&](const auto &node) {
        partition.role = text_of(node);
        if (partition.role != "client" && partition.role != "management")
            throw UsageError(
                fmt::format("'{}' is none of client, management", printable(*partition.role)));
    });
    reader.take(table, "qmp",
                [&](const auto &node) { partition.qmp = parse_socket(text_of(node)); });
    parse_policy(reader, name, table, partition);
    reader.each(table, "disks", "disk", [&](const std::string &disk, const toml::table &entry) {
        wanted.disks.push_back(parse_disk(reader, name, disk, entry));
    });
    reader.each(table, "nics", "nic", [&](const std::string &nic, const toml::table &entry) {
        wanted.nics.push_back(parse_nic(reader, name, nic, entry));
    });
    reader.each_of(table, "vfs", [&](const toml::table &entry) {
        NewVfs vfs = parse_vfs(reader, name, entry);
        for (const auto &other : wanted.vfs)
            if (other.adapter == vfs.adapter && other.settings == vfs.settings)
                reader.complain(entry.source(),
                                "VFs of this adapter with these settings are wanted above as well");
        wanted.vfs.push_back(std::move(vfs));
    });
    return wanted;
}

NewImage parse_image(const Reader &reader, const std::string &name, const toml::table &table) {
    std::string what = "adjunct " + name;
    reader.check_keys(table, what, {"image", "sha256", "global"});
    NewImage image;
    image.name = name;
    image.file = reader.required(table, "image", what);
    reader.take(table, "sha256", [&](const auto &node) {
        image.sha256 = text_of(node);
        if (image.sha256->size() != 64 ||
            image.sha256->find_first_not_of("0123456789abcdef") != std::string::npos)
            throw UsageError("64 hexadecimal digits in lower case are wanted");
    });
    reader.take(table, "global", [&](const auto &node) { image.global = flag_of(node); });
    return image;
}

toml::table parse_toml(const Reader &reader, std::string_view text, const std::string &file) {
    toml::table root;
    try {
        root = toml::parse(text, file);
    } catch (const toml::parse_error &error) {
        reader.complain(error.source(), std::string(error.description()));
    } catch (const std::domain_error &error) {
        throw Failure(file + ": " + error.what());
    }
    reader.check_keys(root, "the file", {"adjuncts", "partitions"});
    return root;
}

// An adapter has one number of VFs.
void check_totals(const std::vector<WantedPartition> &wanted) {
    std::map<std::string, const NewVfs *> said;
    for (const auto &one : wanted)
        for (const auto &vfs : one.vfs) {
            if (!vfs.total)
                continue;
            const NewVfs &other = *said.emplace(vfs.adapter, &vfs).first->second;
            if (other.total != vfs.total)
                throw Failure(fmt::format("{}: total {}: {} of the same adapter says {}", vfs.where,
                                          *vfs.total, other.where, *other.total));
        }
}

// As a number where it needs no suffix
void insert_size(toml::table &table, std::string_view key, const std::optional<uint64_t> &bytes) {
    if (bytes && *bytes != 0)
        table.insert(key, size_text(*bytes));
}

void insert_number(toml::table &table, std::string_view key,
                   const std::optional<uint64_t> &number) {
    if (number && *number != 0)
        table.insert(key, static_cast<int64_t>(*number));
}

void insert_text(toml::table &table, std::string_view key, const std::optional<std::string> &text) {
    if (text)
        table.insert(key, *text);
}

// What is said, be it 0 or false
template <typename T>
void insert_said(toml::table &table, std::string_view key, const std::optional<T> &value) {
    if (!value)
        return;
    if constexpr (std::is_same_v<T, bool>)
        table.insert(key, *value);
    else
        table.insert(key, static_cast<int64_t>(*value));
}

toml::table vfs_table(const NewVfs &vfs) {
    const IovSettings &settings = vfs.settings;
    toml::table entry{{"adapter", vfs.adapter}};
    toml::array functions;
    for (const auto &address : vfs.functions)
        functions.push_back(address);
    if (!functions.empty())
        entry.insert("functions", std::move(functions));
    else if (vfs.number != 1)
        entry.insert("number", static_cast<int64_t>(vfs.number));
    insert_said(entry, "total", vfs.total);
    insert_said(entry, "queues", settings.queues);
    insert_said(entry, "interrupts", settings.interrupts);
    toml::array namespaces;
    for (uint32_t id : settings.namespaces)
        namespaces.push_back(static_cast<int64_t>(id));
    if (!namespaces.empty())
        entry.insert("namespaces", std::move(namespaces));
    insert_text(entry, "mac", settings.mac);
    insert_said(entry, "vlan", settings.vlan);
    insert_said(entry, "max_rate", settings.rate);
    insert_said(entry, "trust", settings.trust);
    insert_said(entry, "spoofchk", settings.spoofchk);
    return entry;
}

} // namespace

std::string size_text(uint64_t bytes) {
    if (bytes == 0)
        return "0";
    static constexpr std::string_view suffixes = "KMGTPE";
    int power = 0;
    while (bytes % 1024 == 0 && power < static_cast<int>(suffixes.size())) {
        bytes /= 1024;
        power++;
    }
    return power == 0 ? std::to_string(bytes) : fmt::format("{}{}", bytes, suffixes[power - 1]);
}

std::vector<WantedPartition> parse_saved(std::string_view text, const std::string &file) {
    Reader reader(file);
    toml::table root = parse_toml(reader, text, file);
    std::vector<WantedPartition> wanted;
    reader.each(root, "partitions", "partition",
                [&](const std::string &name, const toml::table &table) {
                    wanted.push_back(parse_partition(reader, name, table));
                });
    check_totals(wanted);
    return wanted;
}

std::vector<NewImage> parse_saved_images(std::string_view text, const std::string &file) {
    Reader reader(file);
    toml::table root = parse_toml(reader, text, file);
    std::vector<NewImage> images;
    reader.each(root, "adjuncts", "adjunct",
                [&](const std::string &name, const toml::table &table) {
                    images.push_back(parse_image(reader, name, table));
                });
    return images;
}

bool says_nothing(std::string_view text, const std::string &file) {
    return parse_toml(Reader(file), text, file).empty();
}

std::string format_saved(const std::vector<WantedPartition> &wanted,
                         const std::vector<NewImage> &images) {
    toml::table partitions;
    for (const auto &[partition, disks, nics, vfs, error] : wanted) {
        toml::table table;
        if (partition.memory_limit)
            table.insert("memory", size_text(*partition.memory_limit));
        if (partition.quantum_limit_us)
            table.insert("quantum", human_us(*partition.quantum_limit_us));
        if (partition.owner)
            table.insert("owner", user_name(*partition.owner));
        insert_number(table, "adjuncts", partition.adjuncts);
        if (partition.own_images.value_or(false))
            table.insert("own_images", true);
        if (partition.role)
            table.insert("role", *partition.role);
        insert_text(table, "qmp", partition.qmp);
        toml::table rules;
        for (const auto &[request, rule] : partition.policy)
            rules.insert(request, rule);
        if (!rules.empty())
            table.insert("policy", std::move(rules));
        toml::table disk_tables;
        for (const auto &disk : disks) {
            toml::table entry{{"device", disk.device}};
            insert_size(entry, "start", disk.start);
            insert_size(entry, "size", disk.size);
            if (disk.read_only)
                entry.insert("read_only", true);
            insert_number(entry, "queues", disk.queues);
            insert_text(entry, "serial", disk.serial);
            insert_text(entry, "mode", disk.mode);
            disk_tables.insert(disk.name, std::move(entry));
        }
        toml::table nic_tables;
        for (const auto &nic : nics) {
            toml::table entry{{"adapter", nic.adapter}};
            insert_text(entry, "mac", nic.mac);
            insert_number(entry, "vlan", nic.vlan);
            insert_number(entry, "max_rate", nic.max_rate);
            insert_text(entry, "primary", nic.primary);
            insert_number(entry, "queues", nic.queues);
            if (nic.trust)
                entry.insert("trust", true);
            insert_text(entry, "mode", nic.mode);
            nic_tables.insert(nic.name, std::move(entry));
        }
        if (!disk_tables.empty())
            table.insert("disks", std::move(disk_tables));
        if (!nic_tables.empty())
            table.insert("nics", std::move(nic_tables));
        toml::array vfs_tables;
        for (const auto &one : vfs)
            vfs_tables.push_back(vfs_table(one));
        if (!vfs_tables.empty())
            table.insert("vfs", std::move(vfs_tables));
        partitions.insert(partition.name, std::move(table));
    }
    toml::table root{{"partitions", std::move(partitions)}};
    toml::table image_tables;
    for (const auto &image : images) {
        toml::table entry{{"image", image.file}};
        insert_text(entry, "sha256", image.sha256);
        if (image.global)
            entry.insert("global", true);
        image_tables.insert(image.name, std::move(entry));
    }
    if (!image_tables.empty())
        root.insert("adjuncts", std::move(image_tables));
    std::ostringstream text;
    text << "# Partitions of lpar_host: see lparctl(8), \"A configuration that lasts\".\n"
         << root << '\n';
    return text.str();
}

NewDisk wanted_of(const Disk &disk) {
    NewDisk wish;
    wish.partition = disk.partition;
    wish.name = disk.name;
    wish.device = disk.device;
    wish.read_only = disk.read_only;
    if (disk.start != 0)
        wish.start = disk.start;
    if (disk.size != 0)
        wish.size = disk.size;
    if (disk.queues != 0)
        wish.queues = disk.queues;
    if (!disk.serial.empty())
        wish.serial = disk.serial;
    if (!disk.mode.empty() && disk.mode != "auto")
        wish.mode = disk.mode;
    return wish;
}

NewNic wanted_of(const Nic &nic) {
    NewNic wish;
    wish.partition = nic.partition;
    wish.name = nic.name;
    wish.adapter = nic.adapter;
    wish.trust = nic.trust;
    if (!nic.wanted_mac.empty())
        wish.mac = nic.wanted_mac;
    if (nic.vlan != 0)
        wish.vlan = nic.vlan;
    if (nic.max_rate != 0)
        wish.max_rate = nic.max_rate;
    if (!nic.primary.empty())
        wish.primary = nic.primary;
    if (nic.queues != 0)
        wish.queues = nic.queues;
    if (!nic.mode.empty() && nic.mode != "auto")
        wish.mode = nic.mode;
    return wish;
}

WantedPartition wanted_of(const Partition &partition) {
    WantedPartition wanted;
    wanted.partition.name = partition.name;
    wanted.partition.memory_limit = partition.memory_limit;
    wanted.partition.quantum_limit_us = partition.quantum_limit_us;
    if (partition.owner)
        wanted.partition.owner = static_cast<uint32_t>(*partition.owner);
    if (partition.adjuncts.value_or(0) != 0)
        wanted.partition.adjuncts = partition.adjuncts;
    if (partition.own_images.value_or(false))
        wanted.partition.own_images = true;
    // the defaults need not be said
    if (!partition.role.empty() && partition.role != "client")
        wanted.partition.role = partition.role;
    if (!partition.qmp.empty())
        wanted.partition.qmp = partition.qmp;
    for (const auto &[request, rule] : partition.policy)
        if (rule != "ask")
            wanted.partition.policy[request] = rule;
    for (const auto &disk : partition.disks)
        wanted.disks.push_back(wanted_of(disk));
    for (const auto &nic : partition.nics)
        wanted.nics.push_back(wanted_of(nic));
    return wanted;
}

} // namespace lpar
