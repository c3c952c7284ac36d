// SPDX-License-Identifier: GPL-2.0
// Where the kernel shows what the tool reads and writes.
#pragma once

namespace lpar {

inline constexpr auto configfs_mount = "/sys/kernel/config";
inline constexpr auto configfs_root = "/sys/kernel/config/lpar";
inline constexpr auto configfs_partitions = "/sys/kernel/config/lpar/partitions/";
inline constexpr auto configfs_images = "/sys/kernel/config/lpar/adjuncts/";
inline constexpr auto state_root = "/sys/kernel/lpar";
inline constexpr auto state_partitions = "/sys/kernel/lpar/partitions/";
inline constexpr auto net_class = "/sys/class/net/";
inline constexpr auto cgroup_root = "/sys/fs/cgroup";
inline constexpr auto state_adapters = "/sys/kernel/lpar/adapters/";

} // namespace lpar
