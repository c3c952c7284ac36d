// SPDX-License-Identifier: GPL-2.0
// Control groups: the unified hierarchy, as folders.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "host.h"

namespace lpar {

// Calls @take with each control group's number and its folder below the unified hierarchy, which
// is "" for the root. False: some could not be looked at.
bool each_group(const Host &host,
                const std::function<void(uint64_t id, const std::string &path)> &take);

// Charged to the group itself. What its file says includes the groups below. The root's is not
// known: it counts ticks.
std::optional<uint64_t> own_usage_ns(const Host &host, const std::string &path);

} // namespace lpar
