// SPDX-License-Identifier: GPL-2.0
// The host's block devices, where they hang, and who uses them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "host.h"

namespace lpar {

// One reason why a block device cannot be opened exclusively.
struct Use {
    enum class Kind { mount, swap, lvm, crypt, multipath, mapper, raid, holder, lpar, open };
    Kind kind;
    std::string what;   // mount point, volume, array, "partition/disk", program
    std::string device; // kernel name of what is used: it, one of its partitions, or its disk
    std::string detail; // what the holder is used for in turn, if that is known
};

std::string_view kind_name(Use::Kind kind);
// "mounted on /data", "part of the LVM volume vg-root (mounted on /)"
std::string describe(const Use &use);
// What to do about it: "unmount it"
std::string remedy(const Use &use);
// "mount /data", for a table
std::string brief(const Use &use);

struct BlockDevice {
    std::string name;   // as the kernel calls it: nvme0n1p1
    std::string path;   // /dev/nvme0n1p1
    std::string disk;   // for a partition: the disk's name
    std::string number; // "259:1"
    std::string model;
    std::string pci;    // address of the adapter, or empty
    std::string driver; // of that adapter
    uint64_t bytes = 0;
    uint64_t logical_block = 512;
    bool read_only = false;
    std::vector<std::string> partitions;
};

BlockDevice block_device(const Host &host, const std::string &name);

// A picture of the block devices' users at the time of construction.
class Devices {
  public:
    explicit Devices(const Host &host);

    // All disks that could be shared, each followed by its partitions.
    std::vector<std::string> names() const;
    BlockDevice get(const std::string &name) const { return block_device(host_, name); }

    // Everything that keeps @name from being opened exclusively: its own users, those of its
    // partitions, and those of the disk that it is a partition of.
    std::vector<Use> uses(const std::string &name) const;
    // Processes that have it open; not necessarily exclusively. Slow: reads all of /proc.
    std::vector<Use> openers(const std::string &name) const;

  private:
    struct Mount {
        std::string number;
        std::string point;
        std::string device; // kernel name of the source, or empty
    };
    struct Claim {
        std::string device;
        std::string owner; // "partition/disk"
    };

    void read_mounts();
    void read_swaps();
    void read_claims();
    void direct_uses(const std::string &name, std::vector<Use> &uses) const;
    void holder_uses(const std::string &name, std::vector<Use> &uses) const;

    const Host &host_;
    std::vector<Mount> mounts_;
    std::vector<std::string> swaps_;
    std::vector<Claim> claims_;
};

// The address of the PCI function that a sysfs path lies under (the last one); or empty.
std::string pci_address(const std::string &sysfs_path);

} // namespace lpar
