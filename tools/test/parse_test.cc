// SPDX-License-Identifier: GPL-2.0
#include <gtest/gtest.h>
#include <limits>
#include <regex>

#include "error.h"
#include "format.h"
#include "host.h"
#include "parse.h"

#include <rapidcheck/gtest.h>

namespace lpar {

namespace {

struct Size {
    const char *text;
    uint64_t bytes;
    bool sectors;
};

class GoodSize : public testing::TestWithParam<Size> {};

TEST_P(GoodSize, IsParsed) {
    EXPECT_EQ(parse_size(GetParam().text, GetParam().sectors), GetParam().bytes);
}

INSTANTIATE_TEST_SUITE_P(
    Sizes, GoodSize,
    testing::Values(Size{"0", 0, false}, Size{"512", 512, false}, Size{"1k", 1024, false},
                    Size{"512M", 512ull << 20, false}, Size{"2GiB", 2ull << 30, false},
                    Size{"3TB", 3ull << 40, true}, Size{"7B", 7, false},
                    Size{"1P", 1ull << 50, false}, Size{"15E", 15ull << 60, false},
                    Size{"18446744073709551615", std::numeric_limits<uint64_t>::max(), false},
                    Size{"2048s", 1 << 20, true}));

class BadSize : public testing::TestWithParam<Size> {};

TEST_P(BadSize, IsRefused) {
    EXPECT_THROW(parse_size(GetParam().text, GetParam().sectors), UsageError);
}

INSTANTIATE_TEST_SUITE_P(
    Sizes, BadSize,
    testing::Values(Size{"", 0, false}, Size{"M", 0, false}, Size{"-1", 0, false},
                    Size{"+1", 0, false}, Size{" 1", 0, false}, Size{"1 ", 0, false},
                    Size{"1.5G", 0, false}, Size{"0x10", 0, false}, Size{"1Q", 0, false},
                    Size{"1MM", 0, false}, Size{"1Mib", 0, false}, Size{"16E", 0, false},
                    Size{"18446744073709551616", 0, false}, Size{"2048s", 0, false},
                    Size{"36028797018963968s", 0, true}, Size{"1S", 0, true}, Size{"1ks", 0, true},
                    Size{"\v1", 0, false}, Size{"1\n", 0, false}));

TEST(Microseconds, AreParsed) {
    EXPECT_EQ(parse_microseconds("250"), 250u);
    EXPECT_EQ(parse_microseconds("500us"), 500u);
    EXPECT_EQ(parse_microseconds("1ms"), 1000u);
    EXPECT_EQ(parse_microseconds("1s"), 1000000u);
    for (const auto *bad : {"", "ms", "1m", "1.5ms", "-1ms", "1 ms", "18446744073709551615s"})
        EXPECT_THROW(parse_microseconds(bad), UsageError) << bad;
}

TEST(User, IsNameOrNumber) {
    EXPECT_EQ(parse_user("0"), 0u);
    EXPECT_EQ(parse_user("root"), 0u);
    EXPECT_EQ(parse_user("4294967294"), 4294967294u);
    for (const auto *bad : {"", "4294967295", "no-such-user-here", "99999999999999999999"})
        EXPECT_THROW(parse_user(bad), UsageError) << bad;
    EXPECT_EQ(user_name(0), "root");
    EXPECT_EQ(user_name(4294967294u), "4294967294");
    EXPECT_EQ(user_name(1ull << 40), "1099511627776");
}

TEST(Name, IsCheckedWhenNew) {
    for (const auto *good : {"web", "a", "Web-1.example_x", "0"})
        EXPECT_NO_THROW(check_new_name("partition", good)) << good;
    EXPECT_NO_THROW(check_new_name("partition", std::string(63, 'a')));
    EXPECT_THROW(check_new_name("partition", std::string(64, 'a')), UsageError);
    for (const auto *bad : {"", ".", "..", "a/b", "-a", ".a", "a b", "a,b", "a\n", "ä"})
        EXPECT_THROW(check_new_name("partition", bad), UsageError) << bad;
    // to look up, only what would be a path is refused
    EXPECT_NO_THROW(check_name("partition", "a b"));
    for (const auto *bad : {"", ".", "..", "../x"})
        EXPECT_THROW(check_name("partition", bad), UsageError) << bad;
}

TEST(Serial, IsVisible) {
    EXPECT_NO_THROW(check_serial("S4EVNX0R123456"));
    EXPECT_NO_THROW(check_serial(std::string(20, '~')));
    for (const auto &bad : {std::string(), std::string(21, 'x'), std::string("a b"),
                            std::string("a\n"), std::string("\xc3\xa4")})
        EXPECT_THROW(check_serial(bad), UsageError) << bad;
}

TEST(Mac, IsOfOneNic) {
    EXPECT_EQ(parse_mac("52:54:00:12:34:56"), "52:54:00:12:34:56");
    EXPECT_EQ(parse_mac("FE:dc:BA:98:76:54"), "fe:dc:ba:98:76:54");
    EXPECT_EQ(parse_mac("00:00:00:00:00:01"), "00:00:00:00:00:01");
    for (const auto *bad :
         {"", "52:54:00:12:34", "52:54:00:12:34:5", "52:54:00:12:34:567", "52-54-00-12-34-56",
          "525400123456", "52:54:00:12:34:5g", "00:00:00:00:00:00", "01:00:5e:00:00:01",
          "ff:ff:ff:ff:ff:ff", "5b:54:00:12:34:56", " 2:54:00:12:34:56"})
        EXPECT_THROW(parse_mac(bad), UsageError) << bad;
}

TEST(Human, Bytes) {
    EXPECT_EQ(human_bytes(0), "0");
    EXPECT_EQ(human_bytes(1023), "1023");
    EXPECT_EQ(human_bytes(1024), "1K");
    EXPECT_EQ(human_bytes(1536), "1.5K");
    EXPECT_EQ(human_bytes(512ull << 20), "512M");
    EXPECT_EQ(human_bytes((1ull << 30) - 1), "1023.9M");
    EXPECT_EQ(human_bytes(std::numeric_limits<uint64_t>::max()), "15.9E");
}

TEST(Human, Times) {
    EXPECT_EQ(human_us(0), "0us");
    EXPECT_EQ(human_us(100), "100us");
    EXPECT_EQ(human_us(1500), "1500us");
    EXPECT_EQ(human_us(1000), "1ms");
    EXPECT_EQ(human_us(1000000), "1s");
    EXPECT_EQ(human_ns(12), "12ns");
    EXPECT_EQ(human_ns(1500), "1.5us");
    EXPECT_EQ(human_ns(2.5e6), "2.5ms");
    EXPECT_EQ(human_ns(3.25e10), "32.5s");
}

TEST(Natural, Order) {
    EXPECT_TRUE(natural_less("d2", "d10"));
    EXPECT_FALSE(natural_less("d10", "d2"));
    EXPECT_TRUE(natural_less("nvme0n1", "nvme0n1p1"));
    EXPECT_TRUE(natural_less("a", "b"));
    EXPECT_FALSE(natural_less("a", "a"));
    EXPECT_TRUE(natural_less("a007b1", "a7b2"));
    EXPECT_NE(natural_less("a01", "a1"), natural_less("a1", "a01"));
}

TEST(Format, TableIsAlignedAndClean) {
    Table table({"NAME", ">SIZE", "WHY"});
    table.add({"a", "1", "x\x1b[31m"});
    table.add({"größe", "1000", ""});
    EXPECT_EQ(table.text(false), "NAME   SIZE  WHY\n"
                                 "a         1  x?[31m\n"
                                 "größe  1000  -\n");
}

TEST(Format, NothingCommandsTheTerminal) {
    EXPECT_EQ(printable("a\x1b[2J\n\x7f"), "a?[2J??");
    EXPECT_EQ(printable("\xc2\x80\xc2\x9b\xc2\x9f"), "???");
    EXPECT_EQ(printable("\xc2\xa0größe \xc3\x80\xc2"), "\xc2\xa0größe \xc3\x80?");
    // what an 8-bit terminal takes for such, and what is no character
    EXPECT_EQ(printable("\x9b"
                        "2J\xc3\x9b\xe2\x82\xac\xf0\x9f\x98\x80\xe2\x82"),
              "?2J\xc3\x9b\xe2\x82\xac\xf0\x9f\x98\x80??");
    EXPECT_EQ(printable_lines("a\x1b\n\nb\xc2\x9b\n"), "a?\n\nb?\n");
    EXPECT_EQ(printable_lines(""), "");
}

TEST(Format, ColourOnlyWhenOn) {
    Table table({"A"});
    table.add({{"b", Colour::bad}});
    EXPECT_EQ(table.text(false), "A\nb\n");
    EXPECT_EQ(table.text(true), "\x1b[1mA\x1b[0m\n\x1b[31mb\x1b[0m\n");
}

RC_GTEST_PROP(SizeProperty, NumberAndSuffixRoundTrip, ()) {
    static const std::string suffixes = "KMGTPE";
    auto power = *rc::gen::inRange<size_t>(0, suffixes.size());
    uint64_t unit = 1ull << (10 * (power + 1));
    auto number = *rc::gen::arbitrary<uint64_t>();
    std::string text = std::to_string(number) + suffixes[power];
    if (number > std::numeric_limits<uint64_t>::max() / unit)
        RC_ASSERT_THROWS_AS(parse_size(text), UsageError);
    else
        RC_ASSERT(parse_size(text) == number * unit);
}

RC_GTEST_PROP(SizeProperty, ExactSizesReadBackAsTheyWereShown, ()) {
    auto shift = *rc::gen::inRange(0, 64);
    uint64_t bytes = 1ull << shift;
    RC_ASSERT(parse_size(human_bytes(bytes)) == bytes);
}

RC_GTEST_PROP(SizeProperty, ShownSizeIsNeverLargerThanIs, (uint64_t bytes)) {
    std::string text = human_bytes(bytes);
    auto suffix = text.find_first_not_of("0123456789.");
    double value = std::stod(text);
    if (suffix != std::string::npos)
        value *= static_cast<double>(parse_size("1" + text.substr(suffix)));
    RC_ASSERT(value <= static_cast<double>(bytes));
}

// Texts that are nearly sizes, and what a regular expression says of them.
RC_GTEST_PROP(SizeProperty, AnyTextIsParsedOrRefused, (bool sectors)) {
    static const std::regex size("[0-9]+([kmgtpeKMGTPE](i?B)?|B)?");
    static const std::regex with_sectors("[0-9]+(s|[kmgtpeKMGTPE](i?B)?|B)?");
    auto word = [](std::initializer_list<std::string> words) { return *rc::gen::elementOf(words); };
    std::string text = word({"", "0", "7", "4096", "16777216", "18446744073709551616", "-1", " 1"});
    text += word({"", "", "k", "K", "m", "G", "T", "p", "E", "s", "x", "\xff"});
    text += word({"", "", "", "iB", "B", "i", "s", "b", "0", " "});
    bool right = std::regex_match(text, sectors ? with_sectors : size);
    RC_CLASSIFY(right);
    try {
        uint64_t bytes = parse_size(text, sectors);
        RC_ASSERT(bytes >= std::stoull(text));
        RC_ASSERT(right);
    } catch (const UsageError &error) {
        RC_ASSERT(!right || std::string(error.what()).ends_with("more than 64 bits hold") ||
                  text.starts_with("18446744073709551616"));
    }
}

RC_GTEST_PROP(NaturalProperty, IsAStrictOrder, ()) {
    auto word = rc::gen::container<std::string>(rc::gen::element('a', 'b', '0', '1', '2'));
    auto a = *word;
    auto b = *word;
    auto c = *word;
    RC_ASSERT(!natural_less(a, a));
    RC_ASSERT(!(natural_less(a, b) && natural_less(b, a)));
    RC_ASSERT(a == b || natural_less(a, b) || natural_less(b, a));
    if (natural_less(a, b) && natural_less(b, c))
        RC_ASSERT(natural_less(a, c));
}

} // namespace

} // namespace lpar
