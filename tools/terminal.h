// SPDX-License-Identifier: GPL-2.0
#pragma once

#include <cstdlib>
#include <string_view>
#include <unistd.h>

namespace lpar {

// Is the answer for a terminal that shows colours, and wants to?
inline bool want_colour() {
    const char *terminal = std::getenv("TERM");    // NOLINT(concurrency-mt-unsafe)
    const char *refused = std::getenv("NO_COLOR"); // NOLINT(concurrency-mt-unsafe)
    return ::isatty(STDOUT_FILENO) != 0 && terminal != nullptr &&
           std::string_view(terminal) != "dumb" && (refused == nullptr || *refused == '\0');
}

} // namespace lpar
