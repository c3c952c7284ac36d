// SPDX-License-Identifier: GPL-2.0
// Looks at everything on the host that partitions depend on.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "host.h"

namespace lpar {

enum class Level { ok, warn, bad };
std::string_view level_name(Level level);

struct Check {
    std::string name; // what was looked at: "iommu 0000:01:00.0"
    Level level = Level::ok;
    std::string found; // what was seen
    std::string mend;  // what to do about it; empty if nothing
};

// @qemu: the program to ask for "-device lpar", by name or path.
std::vector<Check> run_checks(const Host &host, const std::string &qemu);

} // namespace lpar
