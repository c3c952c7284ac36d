// SPDX-License-Identifier: GPL-2.0
// checksum: sums of the input. It has nothing to hide; it shows how an image is made.
#include "checksum.hh"

#include <array>

#include "sha256.hh"
#include <lpar/service.hh>

namespace lpar {

namespace checksum {

namespace {

constexpr auto table = [] {
    std::array<uint32_t, 256> entries{};
    for (uint32_t i = 0; i < 256; i++) {
        uint32_t value = i;
        for (int bit = 0; bit < 8; bit++)
            value = (value & 1) != 0 ? value >> 1 ^ 0x82f63b78 : value >> 1;
        entries[i] = value;
    }
    return entries;
}();

service::Answer put(std::span<std::byte> out, std::span<const std::byte> result) {
    if (out.size() < result.size())
        return {LPAR_NOSPC};
    for (size_t i = 0; i < result.size(); i++)
        out[i] = result[i];
    return {LPAR_OK, static_cast<uint32_t>(result.size())};
}

template <typename T>
service::Answer put_number(std::span<std::byte> out, T value) {
    std::array<std::byte, sizeof(T)> bytes;
    for (size_t i = 0; i < bytes.size(); i++)
        bytes[i] = static_cast<std::byte>(value >> (8 * (bytes.size() - 1 - i)));
    return put(out, bytes);
}

} // namespace

uint32_t crc32c_of(std::span<const std::byte> data) {
    uint32_t sum = ~0u;
    for (std::byte byte : data)
        sum = sum >> 8 ^ table[(sum ^ static_cast<uint32_t>(byte)) & 0xff];
    return ~sum;
}

uint16_t internet_of(std::span<const std::byte> data) {
    uint64_t sum = 0;
    for (size_t i = 0; i < data.size(); i++)
        sum += static_cast<uint64_t>(data[i]) << (i % 2 == 0 ? 8 : 0);
    while (sum >> 16 != 0)
        sum = (sum & 0xffff) + (sum >> 16);
    return static_cast<uint16_t>(~sum);
}

} // namespace checksum

bool service::initialise() {
    return true;
}

service::Answer service::serve(const Request &request) {
    switch (request.op) {
    case checksum::crc32c:
        return checksum::put_number(request.out, checksum::crc32c_of(request.in));
    case checksum::sha256:
        return checksum::put(request.out, lpar::sha256(request.in));
    case checksum::internet:
        return checksum::put_number(request.out, checksum::internet_of(request.in));
    default:
        return {LPAR_NOSYS};
    }
}

} // namespace lpar
