// SPDX-License-Identifier: GPL-2.0
#include "room.h"

#include <algorithm>

#include "cgroups.h"
#include "paths.h"

namespace lpar {

namespace {

constexpr uint64_t accounts_spare = 512;
constexpr uint64_t cgroups_spare = 256;
constexpr uint64_t usages_spare = 2048;
constexpr uint64_t threads_spare = 8192;
constexpr uint64_t vcpus = 64; // of a partition; a thread takes little

uint32_t room(uint64_t present, uint64_t spare) {
    return static_cast<uint32_t>(present + std::max(present / 2, spare));
}

} // namespace

Room room_for(const Host &host) {
    auto partitions = host.list(configfs_partitions);
    uint64_t accounts = partitions.size(); // its calls are one
    for (const auto &name : partitions) {
        std::string path = configfs_partitions + name + "/";
        accounts += host.list(path + "disks").size() + host.list(path + "nics").size() +
                    host.read_number(path + "adjuncts").value_or(0);
    }
    uint64_t groups = 0;
    each_group(host, [&](uint64_t, const std::string &) { groups++; });
    return {room(accounts, accounts_spare), room(groups, cgroups_spare), room(groups, usages_spare),
            room(partitions.size() * vcpus, threads_spare)};
}

} // namespace lpar
