// SPDX-License-Identifier: GPL-2.0
// Partitions, their disks and their NICs: the administrator's intent in configfs, the state in
// sysfs.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "host.h"

namespace lpar {

struct Disk {
    std::string partition;
    std::string name;
    // intent
    std::string device;
    uint64_t start = 0; // bytes
    uint64_t size = 0;  // bytes; 0: to the end of the device
    bool read_only = false;
    uint64_t queues = 0; // 0: as many as there can be
    std::string serial;
    std::string mode; // auto, tag, page, copy
    bool enabled = false;
    // state
    std::string status;
    std::string actual_mode; // tag, page, copy, or empty
    std::string reason;
    std::string adapter;
    bool is_dead = false; // the adapter was removed
    std::optional<uint64_t> sectors;
};

struct Nic {
    std::string partition;
    std::string name;
    // intent
    std::string adapter;   // the host's network interface
    uint64_t vlan = 0;     // 0: none
    uint64_t max_rate = 0; // Mbit/s; 0: no limit
    uint64_t queues = 0;   // 0: as many as there can be
    bool trust = false;
    std::string mode;    // auto, tag, page, copy
    std::string primary; // the VF that comes first; empty: none
    bool enabled = false;
    std::string wanted_mac; // empty: the kernel makes one
    // state
    std::string mac; // as it is, or as it was asked for
    std::string status;
    std::string actual_mode; // tag, page, copy, or empty
    std::string reason;
    std::string actual_adapter; // as the module shows it
    bool is_dead = false;       // the adapter was removed
    std::optional<bool> link;   // is it up?
};

struct Partition {
    std::string name;
    std::optional<uint64_t> memory_limit;
    std::optional<uint64_t> quantum_limit_us;
    std::optional<uint64_t> owner;
    std::optional<uint64_t> adjuncts;          // that it may have; nothing: the module knows none
    std::optional<bool> own_images;            // may its client bring some? nothing: likewise
    std::string role;                          // client, management; empty: the module knows none
    std::string qmp;                           // its guest's monitor; may be empty
    std::map<std::string, std::string> policy; // for requests: "vlan": "allow 5-9"
    bool attached = false;
    std::optional<uint64_t> pid;
    std::optional<uint64_t> pinned_bytes;
    std::optional<uint64_t> windows;
    std::vector<Disk> disks;
    std::vector<Nic> nics;
};

struct NewPartition {
    std::string name;
    std::optional<uint64_t> memory_limit;
    std::optional<uint64_t> quantum_limit_us;
    std::optional<uint32_t> owner;
    std::optional<uint64_t> adjuncts;
    std::optional<bool> own_images;
    std::optional<std::string> role;           // client, management
    std::optional<std::string> qmp;            // a path; empty: none
    std::map<std::string, std::string> policy; // what it leaves out stays
};

struct NewDisk {
    std::string partition;
    std::string device; // as given
    std::string name;   // empty: the first free d<n>
    std::optional<uint64_t> start;
    std::optional<uint64_t> size;
    bool read_only = false;
    std::optional<uint64_t> queues;
    std::optional<std::string> serial;
    std::optional<std::string> mode;
};

struct NewNic {
    std::string partition;
    std::string name; // empty: the first free n<n>
    std::string adapter;
    std::optional<std::string> mac; // as parse_mac() gives it
    std::optional<uint64_t> vlan;
    std::optional<uint64_t> max_rate;
    std::optional<uint64_t> queues;
    bool trust = false;
    std::optional<std::string> mode;
    std::optional<std::string> primary; // the PCI address of a VF with the same MAC address
};

// "d0, d1"
template <typename T>
std::string name_list(const std::vector<T> &functions) {
    std::string names;
    for (const auto &function : functions)
        names += (names.empty() ? "" : ", ") + function.name;
    return names;
}

// What a partition has; with a folder of its own in configfs and in sysfs.
enum class Kind { disk, nic };

class Config {
  public:
    // Throws Failure if the module's configfs or sysfs tree is not there.
    explicit Config(Host &host);

    // Those that go meanwhile are not there.
    std::vector<Partition> partitions() const;
    // These throw Failure if there is no such thing.
    Partition partition(const std::string &name) const;
    Disk disk(const std::string &partition, const std::string &name) const;
    Nic nic(const std::string &partition, const std::string &name) const;
    // Throws Failure if the module is older than NICs.
    void require_nics(const std::string &partition) const;

    // Entirely or not at all; throw Failure.
    void create(const NewPartition &wish);
    // Give a partition other limits; what @wish leaves out stays.
    void change(const NewPartition &wish);
    void remove(const std::string &name, bool with_disks, bool with_nics);
    Disk add(const NewDisk &wish);
    Nic add(const NewNic &wish);
    void remove_disk(const std::string &partition, const std::string &name);
    void remove_nic(const std::string &partition, const std::string &name);

  private:
    template <typename T>
    std::vector<T> those_that_stay(const std::string &folder, auto get) const;
    void set(const std::string &directory, const std::string &attribute, const std::string &value);
    // Who is attached, as the end of an error message; empty if nobody is.
    std::string attachment(const std::string &partition) const;
    // @name: empty: the first free one. Returns the name.
    std::string make_function(Kind kind, const std::string &partition, const std::string &name);
    void disable(Kind kind, const std::string &partition, const std::string &name);
    void remove_function(Kind kind, const std::string &partition, const std::string &name,
                         bool enabled);
    // What the kernel says of a failed enable; empty if it says nothing.
    std::string refusal(const std::string &path) const;
    std::string why_not_enabled(int error, const NewDisk &wish, const std::string &path) const;
    std::string why_not_enabled(int error, const NewNic &wish, const std::string &path) const;

    Host &host_;
};

// Throws Failure with what to do unless lpar_host is loaded and configfs is mounted.
void require_module(const Host &host);

} // namespace lpar
