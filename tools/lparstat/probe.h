// SPDX-License-Identifier: GPL-2.0
// The eBPF programs in the kernel: loaded, attached and read.
#pragma once

#include <memory>

#include "accounts.h"

namespace lpar {

// Counting begins when this returns and ends with the object. Throws Failure: there is no module,
// no right to, or no BTF of the kernel.
std::unique_ptr<Source> make_probe(Host &host, const Wanted &wanted);

} // namespace lpar
