// SPDX-License-Identifier: GPL-2.0
// The requests of the image "checksum". Results are big-endian, as people write them.
#pragma once

#include <cstdint>
#include <span>

namespace lpar::checksum {

enum Op : uint32_t {
    crc32c = 1,   // 4 bytes (RFC 3720)
    sha256 = 2,   // 32 bytes (FIPS 180-4)
    internet = 3, // 2 bytes (RFC 1071)
};

uint32_t crc32c_of(std::span<const std::byte> data);
uint16_t internet_of(std::span<const std::byte> data);

} // namespace lpar::checksum
