// SPDX-License-Identifier: GPL-2.0
// The SDK's loop and the image "checksum", against published vectors and hostile clients.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <lpar/adjunct_dev.h>

#include "checksum.hh"
#include "sha256.hh"
#include "shim.hh"

namespace lpar {
namespace {

std::vector<std::byte> iota(size_t bytes) {
    std::vector<std::byte> data(bytes);
    for (size_t i = 0; i < bytes; i++)
        data[i] = std::byte(i);
    return data;
}

TEST(Checksum, Crc32cOfRfc3720) {
    Shim shim;
    auto sum = [&](std::span<const std::byte> data) {
        return to_hex(shim.call(checksum::crc32c, data, 4));
    };
    // RFC 3720, B.4; there the bytes are in the order of the wire
    EXPECT_EQ(sum(std::vector<std::byte>(32)), "8a9136aa");
    EXPECT_EQ(sum(std::vector(32, std::byte{0xff})), "62a8ab43");
    EXPECT_EQ(sum(iota(32)), "46dd794e");
    auto down = iota(32);
    std::reverse(down.begin(), down.end());
    EXPECT_EQ(sum(down), "113fdb5c");
    EXPECT_EQ(sum(bytes_of("123456789")), "e3069283");
    EXPECT_EQ(sum({}), "00000000");
}

TEST(Checksum, Sha256OfFips180) {
    Shim shim;
    auto sum = [&](std::string_view text) {
        return to_hex(shim.call(checksum::sha256, bytes_of(text), 32));
    };
    EXPECT_EQ(sum(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    EXPECT_EQ(sum("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    EXPECT_EQ(sum("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"),
              "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
}

TEST(Checksum, Sha256OfAMillion) {
    EXPECT_EQ(to_hex(sha256(std::vector(1000000, std::byte{'a'}))),
              "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

// However the data comes in pieces.
RC_GTEST_PROP(Checksum, Sha256InPieces, (const std::vector<uint8_t> &data, uint8_t piece)) {
    auto all = std::as_bytes(std::span(data));
    Sha256 sum;
    for (size_t at = 0; at < all.size();) {
        size_t bytes = std::min<size_t>(1 + piece % 70, all.size() - at);
        sum.add(all.subspan(at, bytes));
        at += bytes;
    }
    RC_ASSERT(sum.digest() == sha256(all));
}

TEST(Checksum, InternetOfRfc1071) {
    Shim shim;
    auto data = from_hex("0001f203f4f5f6f7");
    EXPECT_EQ(to_hex(shim.call(checksum::internet, data, 2)), "220d"); // ~0xddf2
    // an IPv4 header (RFC 1071 over a well-known example), the field zero
    auto header = from_hex("4500007300004000401100"
                           "00c0a80001c0a800c7");
    EXPECT_EQ(to_hex(shim.call(checksum::internet, header, 2)), "b861");
    EXPECT_EQ(to_hex(shim.call(checksum::internet, {}, 2)), "ffff");
    EXPECT_EQ(to_hex(shim.call(checksum::internet, from_hex("01"), 2)), "feff");
}

TEST(Checksum, WhatItRefuses) {
    Shim shim;
    uint32_t status = 0;
    EXPECT_TRUE(shim.call(0, {}, 64, &status).empty());
    EXPECT_EQ(status, static_cast<uint32_t>(LPAR_NOSYS));
    for (auto [op, bytes] :
         {std::pair{checksum::crc32c, 4u}, {checksum::sha256, 32u}, {checksum::internet, 2u}}) {
        EXPECT_TRUE(shim.call(op, {}, bytes - 1, &status).empty());
        EXPECT_EQ(status, static_cast<uint32_t>(LPAR_NOSPC));
        EXPECT_EQ(shim.call(op, {}, bytes, &status).size(), bytes);
        EXPECT_EQ(status, static_cast<uint32_t>(LPAR_OK));
    }
}

// ------------------------------------------------------------------------------ the loop

lpar_adjunct_request good() {
    lpar_adjunct_request request{};
    request.op = checksum::crc32c;
    request.in = LPAR_ADJUNCT_DATA;
    request.in_len = 9;
    request.out = LPAR_ADJUNCT_SHARED - 4;
    request.out_len = 4;
    return request;
}

TEST(Loop, DataOutsideIsRefused) {
    Shim shim;
    auto status = [&](auto change) {
        lpar_adjunct_request request = good();
        change(request);
        lpar_adjunct_request answer = shim.raw(request);
        EXPECT_TRUE(answer.status == LPAR_OK || answer.bytes == 0);
        return answer.status;
    };
    EXPECT_EQ(status([](auto &) {}), static_cast<uint32_t>(LPAR_OK));
    EXPECT_EQ(status([](auto &r) {
                  r.in = LPAR_ADJUNCT_SHARED;
                  r.in_len = 0;
              }),
              static_cast<uint32_t>(LPAR_OK));
    for (auto &&bad : std::vector<std::function<void(lpar_adjunct_request &)>>{
             [](auto &r) { r.in = LPAR_ADJUNCT_DATA - 1; }, [](auto &r) { r.in = 0; },
             [](auto &r) { r.in_len = LPAR_ADJUNCT_ROOM + 1; }, [](auto &r) { r.in_len = ~0u; },
             [](auto &r) { r.in = ~0u; },
             [](auto &r) {
                 r.in = ~0u;
                 r.in_len = 2;
             },
             [](auto &r) {
                 r.in = LPAR_ADJUNCT_SHARED + 1;
                 r.in_len = 0;
             },
             [](auto &r) { r.out++; }, [](auto &r) { r.out = LPAR_ADJUNCT_DATA - 4; },
             [](auto &r) { r.out_len = ~0u - r.out + 5; }, [](auto &r) { r.reserved = 1; }})
        EXPECT_EQ(status(bad), static_cast<uint32_t>(LPAR_INVAL));
}

RC_GTEST_PROP(Loop, AnyRequestIsBounded,
              (uint32_t op, uint32_t in, uint32_t in_len, uint32_t out, uint32_t out_len)) {
    static Shim shim; // the sanitizer sees who leaves its memory
    lpar_adjunct_request request{};
    request.op = op % 5;
    request.in = in % 2 == 0 ? in : in % (LPAR_ADJUNCT_SHARED + 8);
    request.in_len = in_len % 2 == 0 ? in_len : in_len % (LPAR_ADJUNCT_ROOM + 8);
    request.out = out % 2 == 0 ? out : out % (LPAR_ADJUNCT_SHARED + 8);
    request.out_len = out_len % 2 == 0 ? out_len : out_len % 64;
    auto answer = shim.raw(request);
    RC_ASSERT(answer.bytes <= answer.out_len);
}

// All of the ring, again and again: in order, each once.
TEST(Loop, ManyAtOnce) {
    Shim shim;
    uint32_t tail = 0;
    for (uint32_t count = 1; count <= LPAR_ADJUNCT_DEPTH; count++) {
        for (uint32_t i = 0; i < count; i++) {
            auto request = good();
            request.in_len = i;
            request.out = LPAR_ADJUNCT_DATA + 4096 + i * 64;
            shim.control().request[(tail + i) % LPAR_ADJUNCT_DEPTH] = request;
        }
        tail += count;
        shim.control().tail = tail;
        EXPECT_EQ(shim.serve(), service::Loop::Served::something);
        EXPECT_EQ(shim.control().head, tail);
        EXPECT_EQ(shim.serve(), service::Loop::Served::nothing);
        for (uint32_t i = 0; i < count; i++) {
            std::vector<std::byte> zeroes(i);
            auto want = checksum::crc32c_of(zeroes);
            uint32_t got = 0;
            for (int byte = 0; byte < 4; byte++)
                got = got << 8 |
                      std::to_integer<uint32_t>(*shim.at(LPAR_ADJUNCT_DATA + 4096 + i * 64 + byte));
            EXPECT_EQ(got, want) << i;
        }
    }
}

// A client that lies about what it has written has broken the rules, and its own head is its own.
TEST(Loop, IndicesThatLie) {
    Shim shim;
    shim.control().tail = LPAR_ADJUNCT_DEPTH + 1;
    EXPECT_EQ(shim.serve(), service::Loop::Served::broken);
    shim.control().tail = ~0u;
    EXPECT_EQ(shim.serve(), service::Loop::Served::broken);
    shim.control().tail = 0;
    EXPECT_EQ(shim.serve(), service::Loop::Served::nothing);
    shim.control().head = 17; // a client's prank
    shim.control().request[0] = good();
    shim.control().tail = 1;
    EXPECT_EQ(shim.serve(), service::Loop::Served::something);
    EXPECT_EQ(shim.control().head, 1u);
    EXPECT_EQ(shim.control().request[0].status, static_cast<uint32_t>(LPAR_OK));
}

} // namespace
} // namespace lpar
