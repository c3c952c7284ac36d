// SPDX-License-Identifier: GPL-2.0
// The image "keykeeper" with the key of RFC 4231's second case, and HMAC-SHA256 with all of them.
#include "keykeeper.hh"

#include "sha256.hh"
#include "shim.hh"

extern "C" const char lpar_key[] = "Jefe";
extern "C" const uint64_t lpar_key_bytes = 4;

namespace lpar {
namespace {

std::string hmac(std::string_view key, std::string_view data) {
    return to_hex(hmac_sha256(from_hex(key), from_hex(data)));
}

std::string repeated(const char *byte, int times) {
    std::string text;
    for (int i = 0; i < times; i++)
        text += byte;
    return text;
}

TEST(Hmac, Rfc4231) {
    EXPECT_EQ(hmac(repeated("0b", 20), to_hex(bytes_of("Hi There"))),
              "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
    EXPECT_EQ(hmac(to_hex(bytes_of("Jefe")), to_hex(bytes_of("what do ya want for nothing?"))),
              "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    EXPECT_EQ(hmac(repeated("aa", 20), repeated("dd", 50)),
              "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe");
    EXPECT_EQ(hmac("0102030405060708090a0b0c0d0e0f10111213141516171819", repeated("cd", 50)),
              "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b");
    EXPECT_EQ(hmac(repeated("0c", 20), to_hex(bytes_of("Test With Truncation"))).substr(0, 32),
              "a3b6167473100ee06e0c796c2955552b");
    EXPECT_EQ(hmac(repeated("aa", 131),
                   to_hex(bytes_of("Test Using Larger Than Block-Size Key - Hash Key First"))),
              "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
    EXPECT_EQ(hmac(repeated("aa", 131),
                   to_hex(bytes_of("This is a test using a larger than block-size key and a larger "
                                   "than block-size data. The key needs to be hashed before being "
                                   "used by the HMAC algorithm."))),
              "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2");
}

TEST(KeyKeeper, Signs) {
    ASSERT_TRUE(service::initialise());
    Shim shim;
    uint32_t status = 0;
    auto letter = bytes_of("what do ya want for nothing?");
    EXPECT_EQ(to_hex(shim.call(keykeeper::sign, letter, 32)),
              "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    EXPECT_TRUE(shim.call(keykeeper::sign, letter, 31, &status).empty());
    EXPECT_EQ(status, static_cast<uint32_t>(LPAR_NOSPC));
    shim.call(3, letter, 64, &status);
    EXPECT_EQ(status, static_cast<uint32_t>(LPAR_NOSYS));
}

TEST(KeyKeeper, Verifies) {
    Shim shim;
    uint32_t status = 0;
    auto signed_letter =
        from_hex("5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    auto letter = bytes_of("what do ya want for nothing?");
    signed_letter.insert(signed_letter.end(), letter.begin(), letter.end());
    EXPECT_EQ(to_hex(shim.call(keykeeper::verify, signed_letter, 1)), "01");
    for (size_t i = 0; i < signed_letter.size(); i++) {
        auto forged = signed_letter;
        forged[i] ^= std::byte{1};
        EXPECT_EQ(to_hex(shim.call(keykeeper::verify, forged, 1)), "00") << i;
    }
    EXPECT_TRUE(
        shim.call(keykeeper::verify, std::span(signed_letter).first(31), 1, &status).empty());
    EXPECT_EQ(status, static_cast<uint32_t>(LPAR_INVAL));
    EXPECT_TRUE(shim.call(keykeeper::verify, signed_letter, 0, &status).empty());
    EXPECT_EQ(status, static_cast<uint32_t>(LPAR_NOSPC));
}

} // namespace
} // namespace lpar
