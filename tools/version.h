// SPDX-License-Identifier: GPL-2.0
#pragma once

namespace lpar {

// The module of the same release says the same in /sys/kernel/lpar/version.
inline constexpr auto tool_version = LPARCTL_VERSION;

} // namespace lpar
