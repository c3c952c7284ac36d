// SPDX-License-Identifier: GPL-2.0
// Numbers on a command line: digits as people write them. CLI11 takes 010 for 8, 0x10 for 16, and
// "nan" for a number.
#pragma once

#include <CLI/CLI.hpp>
#include <cstdint>
#include <limits>

namespace lpar {

// For Option::transform(). The most that is allowed must fit the option's type.
CLI::Validator whole_number(uint64_t least, uint64_t most);
CLI::Validator seconds_between(double least, double most);

inline constexpr uint64_t most_32 = std::numeric_limits<uint32_t>::max();
inline constexpr uint64_t most_64 = std::numeric_limits<uint64_t>::max();

// Words that are empty are mostly those of a script whose variable is not set: not the default, and
// not everything. @but: an option that may have some. Throws CLI::ValidationError.
void refuse_empty(const CLI::App &app, const CLI::Option *but = nullptr);

} // namespace lpar
