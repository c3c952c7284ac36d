// SPDX-License-Identifier: GPL-2.0
#pragma once

#include <optional>
#include <string>

namespace lpar {

// A gzip file unpacked; nothing if it is none, or unreasonably large.
std::optional<std::string> gunzip(const std::string &packed);

} // namespace lpar
