// SPDX-License-Identifier: GPL-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "lpar/wire.h"
#include "records.h"

#include <rapidcheck/gtest.h>

namespace lpar {

namespace {

using Bytes = std::vector<uint8_t>;
using testing::HasSubstr;

void put(Bytes &bytes, uint64_t value, size_t size) {
    for (size_t i = 0; i < size; i++)
        bytes.push_back(static_cast<uint8_t>(value >> (8 * i)));
}

Bytes header(uint16_t type, uint16_t length, uint32_t reserved = 0) {
    Bytes bytes;
    put(bytes, type, 2);
    put(bytes, length, 2);
    put(bytes, reserved, 4);
    return bytes;
}

Bytes value(uint16_t type, uint64_t min, uint64_t max, uint64_t cur) {
    Bytes bytes = header(type, 32);
    put(bytes, min, 8);
    put(bytes, max, 8);
    put(bytes, cur, 8);
    return bytes;
}

Bytes text(uint16_t type, std::string body) {
    body.resize((body.size() + 7) / 8 * 8);
    Bytes bytes = header(type, static_cast<uint16_t>(8 + body.size()));
    bytes.insert(bytes.end(), body.begin(), body.end());
    return bytes;
}

Bytes operator+(Bytes a, const Bytes &b) {
    a.insert(a.end(), b.begin(), b.end());
    return a;
}

TEST(Records, EveryKnownKind) {
    auto records = decode_records(text(LPAR_CAP_NAME, "d0") + text(LPAR_CAP_SERIAL, "ABCDEFGH") +
                                  value(LPAR_CAP_SECTORS, 2097152, 2097152, 2097152) +
                                  value(LPAR_CAP_QUEUES, 1, 16, 4) +
                                  value(LPAR_CAP_VIRT_BOUNDARY, 0xfff, 0xfff, 0xfff) +
                                  value(LPAR_CAP_FUA, 1, 1, 1) + value(LPAR_CAP_CHUNK, 0, 0, 0));
    EXPECT_EQ(records.error, "");
    ASSERT_EQ(records.good.size(), 7u);
    EXPECT_EQ(records.good[0].name, "name");
    EXPECT_EQ(describe(records.good[0]), "d0");
    EXPECT_EQ(describe(records.good[1]), "ABCDEFGH"); // fills its field: no final zero
    EXPECT_EQ(describe(records.good[2]), "1G (2097152 sectors)");
    EXPECT_EQ(describe(records.good[3]), "4, can be 1 to 16");
    EXPECT_EQ(describe(records.good[4]), "0xfff");
    EXPECT_EQ(describe(records.good[5]), "yes");
    EXPECT_EQ(describe(records.good[6]), "none");
}

TEST(Records, AllTypesOfTheWireAreKnown) {
    auto known = [](uint16_t first, uint16_t last) {
        for (uint16_t type = first; type <= last; type++) {
            auto records = decode_records(value(type, 0, 0, 0));
            ASSERT_EQ(records.good.size(), 1u);
            EXPECT_FALSE(records.good[0].name.empty()) << type;
            EXPECT_NE(unit_name(records.good[0].unit), "unknown");
        }
    };
    known(LPAR_CAP_SECTORS, LPAR_CAP_STABLE_WRITES);
    known(LPAR_CAP_MAC, LPAR_CAP_MACS);
}

TEST(Records, Nics) {
    auto records =
        decode_records(value(LPAR_CAP_MAC, 0x525400123456, 0x525400123456, 0x525400123456) +
                       value(LPAR_CAP_SPEED, 10000, 10000, 10000) + value(LPAR_CAP_SPEED, 0, 0, 0) +
                       value(LPAR_CAP_MTU, 68, 9000, 1500) + value(LPAR_CAP_TSO4, 0, 0, 0));
    EXPECT_EQ(records.error, "");
    ASSERT_EQ(records.good.size(), 5u);
    EXPECT_EQ(describe(records.good[0]), "52:54:00:12:34:56");
    EXPECT_EQ(unit_name(records.good[0].unit), "mac");
    EXPECT_EQ(describe(records.good[1]), "10000 Mbit/s");
    EXPECT_EQ(unit_name(records.good[1].unit), "mbit");
    EXPECT_EQ(describe(records.good[2]), "unknown");
    EXPECT_EQ(describe(records.good[3]), "1500, can be 68 to 9000");
    EXPECT_EQ(describe(records.good[4]), "none");
    ASSERT_NE(find_value(records, LPAR_CAP_SPEED), nullptr);
    EXPECT_EQ(find_value(records, LPAR_CAP_SPEED)->cur, 10000u); // the first
    EXPECT_EQ(find_value(records, LPAR_CAP_TOE), nullptr);
}

TEST(Records, UnknownOnesAreSkipped) {
    auto records =
        decode_records(header(999, 8) + header(777, 16) + Bytes{1, 2, 3, 4, 5, 6, 7, 255} +
                       value(LPAR_CAP_DEPTH, 2, 1024, 128));
    EXPECT_EQ(records.error, "");
    ASSERT_EQ(records.good.size(), 3u);
    EXPECT_TRUE(records.good[1].name.empty());
    EXPECT_EQ(describe(records.good[1]), "01020304050607ff");
    EXPECT_EQ(records.good[2].value->cur, 128u);
}

TEST(Records, NoneIsGood) {
    auto records = decode_records({});
    EXPECT_TRUE(records.good.empty());
    EXPECT_EQ(records.error, "");
}

TEST(Records, ControlCharactersDoNotReachTheTerminal) {
    auto records = decode_records(text(LPAR_CAP_SERIAL, "a\x1b[2Jb"));
    ASSERT_EQ(records.good.size(), 1u);
    EXPECT_EQ(describe(records.good[0]), "a?[2Jb");
}

TEST(Records, HugeCapacityDoesNotOverflow) {
    auto records = decode_records(value(LPAR_CAP_SECTORS, 0, 0, UINT64_MAX));
    EXPECT_THAT(describe(records.good.at(0)), HasSubstr("18446744073709551615 sectors"));
}

struct Malformed {
    const char *name;
    Bytes bytes;
    const char *error;
};

class MalformedRecord : public testing::TestWithParam<Malformed> {};

// Each after a good record, which must survive.
TEST_P(MalformedRecord, IsNamed) {
    auto records = decode_records(value(LPAR_CAP_DEPTH, 1, 2, 3) + GetParam().bytes);
    ASSERT_EQ(records.good.size(), 1u);
    EXPECT_THAT(records.error, HasSubstr("at byte 32"));
    EXPECT_THAT(records.error, HasSubstr(GetParam().error));
}

INSTANTIATE_TEST_SUITE_P(
    Wire, MalformedRecord,
    testing::Values(
        Malformed{"Truncated", {1, 0, 8}, "3 bytes are no record"},
        Malformed{"ZeroLength", header(LPAR_CAP_FUA, 0), "length is 0"},
        Malformed{"ShorterThanHeader", header(LPAR_CAP_FUA, 4), "length is 4"},
        Malformed{"Odd", header(LPAR_CAP_NAME, 12) + Bytes(4), "length is 12"},
        Malformed{"BeyondEnd", header(LPAR_CAP_FUA, 32) + Bytes(16), "24 bytes are left"},
        Malformed{"Huge", header(99, 0xfff8), "length is 65528"},
        Malformed{"Reserved", header(LPAR_CAP_NAME, 16, 1) + Bytes(8), "reserved"},
        Malformed{"ShortValue", header(LPAR_CAP_FUA, 16) + Bytes(8), "value of 8 bytes"},
        Malformed{"LongValue", header(LPAR_CAP_FUA, 40) + Bytes(32), "value of 32 bytes"},
        Malformed{"LongText", header(LPAR_CAP_NAME, 80) + Bytes(72), "text of 72 bytes"},
        Malformed{"HiddenText", header(LPAR_CAP_NAME, 16) + Bytes{'a', 0, 'b', 0, 0, 0, 0, 0},
                  "behind the end"}),
    [](const auto &info) { return info.param.name; });

TEST(Bounded, TextWithoutZero) {
    const char raw[4] = {'a', 'b', 'c', 'd'};
    EXPECT_EQ(bounded_text(raw, sizeof(raw)), "abcd");
    EXPECT_EQ(bounded_text("ab\0d", 4), "ab");
}

RC_GTEST_PROP(RecordsProperty, AnyBytesEnd, (const Bytes &bytes)) {
    auto records = decode_records(bytes);
    for (const auto &record : records.good)
        describe(record);
    RC_ASSERT(records.good.size() <= bytes.size() / 8);
    RC_ASSERT(!records.error.empty() || bytes.size() % 8 == 0);
}

// Good records with one byte changed: seldom nonsense, mostly nearly right.
RC_GTEST_PROP(RecordsProperty, OneChangedByte, (uint8_t to)) {
    Bytes bytes = text(LPAR_CAP_NAME, "data") + value(LPAR_CAP_SECTORS, 1, 2, 3) +
                  value(LPAR_CAP_DISCARD, 0, 0, 0);
    auto at = *rc::gen::inRange<size_t>(0, bytes.size());
    bytes[at] = to;
    auto records = decode_records(bytes);
    for (const auto &record : records.good)
        describe(record);
    RC_ASSERT(records.good.size() == 3 || !records.error.empty());
}

} // namespace

} // namespace lpar
