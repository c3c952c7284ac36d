// SPDX-License-Identifier: GPL-2.0
// Files that are written whole or not at all.
#pragma once

#include <string>
#include <sys/types.h>

namespace lpar {

// Also if the power fails now. Makes the folder; a link stays one. Throws Failure.
void write_whole_file(const std::string &file, const std::string &text, mode_t mode);

} // namespace lpar
