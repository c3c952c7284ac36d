// SPDX-License-Identifier: GPL-2.0
// The requests of the image "keykeeper". Its key is part of the image: the host's administrator
// has it, the guest cannot read it.
#pragma once

#include <cstdint>

namespace lpar::keykeeper {

enum Op : uint32_t {
    sign = 1,   // 32 bytes: HMAC-SHA256 of the input
    verify = 2, // 1 byte: 1 if the input's first 32 bytes are the HMAC of the rest
};

} // namespace lpar::keykeeper
