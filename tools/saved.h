// SPDX-License-Identifier: GPL-2.0
// The configuration as a TOML file has it: partitions as the administrator wants them.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "config.h"
#include "iov.h"

namespace lpar {

inline constexpr auto saved_file = "/etc/lpar/lpar.toml";

// VFs of one adapter that are alike
struct NewVfs {
    std::string partition;
    std::string adapter; // PCI address
    unsigned number = 1;
    std::vector<std::string> functions; // which, in order; empty: any
    std::optional<unsigned> total;      // how many the adapter is to have
    IovSettings settings;
    std::string where; // in which file, line and column; empty: nowhere
};

// An image of adjuncts
struct NewImage {
    std::string name;
    std::string file;                  // empty: there are just the bytes
    std::optional<std::string> sha256; // that the file must have
    std::string bytes;                 // empty: they are in the file
    bool global = false;               // its text is the host's, and all clients' that run it
};

struct WantedPartition {
    NewPartition partition;
    std::vector<NewDisk> disks; // with names
    std::vector<NewNic> nics;   // with names
    std::vector<NewVfs> vfs;
    std::string error; // why the partition cannot be made or changed; the others are not concerned
};

// @file: its name in messages. Throws Failure with line and column. What the text leaves out is
// left out of the result.
std::vector<WantedPartition> parse_saved(std::string_view text, const std::string &file);
std::vector<NewImage> parse_saved_images(std::string_view text, const std::string &file);
// It has neither a table of partitions nor one of adjuncts, not even an empty one.
bool says_nothing(std::string_view text, const std::string &file);
// The reverse. What is as it would be without being said is left out.
std::string format_saved(const std::vector<WantedPartition> &wanted,
                         const std::vector<NewImage> &images = {});

// What is configured, as somebody would want it. Only what was asked for: the MAC address and the
// serial number that the kernel made are not in it.
WantedPartition wanted_of(const Partition &partition);
NewDisk wanted_of(const Disk &disk);
NewNic wanted_of(const Nic &nic);

// "8G", "2048s", "1000": exact, as parse_size() takes it
std::string size_text(uint64_t bytes);

} // namespace lpar
