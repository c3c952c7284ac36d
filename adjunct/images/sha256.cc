// SPDX-License-Identifier: GPL-2.0
#include "sha256.hh"

namespace lpar {

namespace {

constexpr std::array<uint32_t, 64> constants = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};

uint32_t rotate(uint32_t value, unsigned bits) {
    return value >> bits | value << (32 - bits);
}

uint32_t big_endian(const std::byte *data) {
    uint32_t value = 0;
    for (unsigned i = 0; i < 4; i++)
        value = value << 8 | static_cast<uint32_t>(data[i]);
    return value;
}

} // namespace

Sha256::Sha256()
    : state_{0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
             0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19} {}

void Sha256::block(const std::byte *data) {
    std::array<uint32_t, 64> w;
    for (size_t i = 0; i < 16; i++)
        w[i] = big_endian(data + 4 * i);
    for (unsigned i = 16; i < 64; i++) {
        uint32_t s0 = rotate(w[i - 15], 7) ^ rotate(w[i - 15], 18) ^ w[i - 15] >> 3;
        uint32_t s1 = rotate(w[i - 2], 17) ^ rotate(w[i - 2], 19) ^ w[i - 2] >> 10;
        w[i] = w[i - 16] + s0 + w[i - 7] + s1;
    }
    auto [a, b, c, d, e, f, g, h] = state_;
    for (unsigned i = 0; i < 64; i++) {
        uint32_t s1 = rotate(e, 6) ^ rotate(e, 11) ^ rotate(e, 25);
        uint32_t t1 = h + s1 + ((e & f) ^ (~e & g)) + constants[i] + w[i];
        uint32_t s0 = rotate(a, 2) ^ rotate(a, 13) ^ rotate(a, 22);
        uint32_t t2 = s0 + ((a & b) ^ (a & c) ^ (b & c));
        h = g;
        g = f;
        f = e;
        e = d + t1;
        d = c;
        c = b;
        b = a;
        a = t1 + t2;
    }
    const std::array<uint32_t, 8> sums = {a, b, c, d, e, f, g, h};
    for (unsigned i = 0; i < 8; i++)
        state_[i] += sums[i];
}

void Sha256::add(std::span<const std::byte> data) {
    for (std::byte byte : data) { // once: it may be changing
        rest_[bytes_++ % 64] = byte;
        if (bytes_ % 64 == 0)
            block(rest_.data());
    }
}

Digest Sha256::digest() {
    uint64_t bits = bytes_ * 8;
    std::byte pad{0x80};
    do {
        add({&pad, 1});
        pad = std::byte{0};
    } while (bytes_ % 64 != 56);
    std::array<std::byte, 8> length;
    for (unsigned i = 0; i < 8; i++)
        length[i] = static_cast<std::byte>(bits >> (56 - 8 * i));
    add(length);
    Digest result;
    for (unsigned i = 0; i < 32; i++)
        result[i] = static_cast<std::byte>(state_[i / 4] >> (24 - 8 * (i % 4)));
    return result;
}

Digest sha256(std::span<const std::byte> data) {
    Sha256 sum;
    sum.add(data);
    return sum.digest();
}

Digest hmac_sha256(std::span<const std::byte> key, std::span<const std::byte> data) {
    std::array<std::byte, 64> block{};
    if (key.size() > block.size()) {
        Digest digest = sha256(key);
        for (size_t i = 0; i < digest.size(); i++)
            block[i] = digest[i];
    } else {
        for (size_t i = 0; i < key.size(); i++)
            block[i] = key[i];
    }
    for (auto &byte : block)
        byte ^= std::byte{0x36};
    Sha256 inner;
    inner.add(block);
    inner.add(data);
    Digest digest = inner.digest();
    for (auto &byte : block)
        byte ^= std::byte{0x36 ^ 0x5c};
    Sha256 outer;
    outer.add(block);
    outer.add(digest);
    return outer.digest();
}

} // namespace lpar
