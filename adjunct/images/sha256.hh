// SPDX-License-Identifier: GPL-2.0
// SHA-256 (FIPS 180-4) and HMAC-SHA256 (RFC 2104), without a library.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace lpar {

using Digest = std::array<std::byte, 32>;

class Sha256 {
  public:
    Sha256();
    void add(std::span<const std::byte> data);
    Digest digest(); // ends it

  private:
    void block(const std::byte *data);

    std::array<uint32_t, 8> state_;
    std::array<std::byte, 64> rest_{};
    uint64_t bytes_ = 0;
};

Digest sha256(std::span<const std::byte> data);
Digest hmac_sha256(std::span<const std::byte> key, std::span<const std::byte> data);

} // namespace lpar
