// SPDX-License-Identifier: GPL-2.0
// Images of adjuncts: what is refused, what reaches the kernel, what is saved.
#include <cstring>
#include <filesystem>
#include <fstream>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <rapidcheck/gtest.h>

#include "error.h"
#include "fake.h"
#include "images.h"
#include "paths.h"
#include <lpar/adjunct.h>

namespace lpar::test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

lpar_image good_head() {
    lpar_image head{};
    head.magic = LPAR_IMAGE_MAGIC;
    head.abi = LPAR_IMAGE_ABI;
    head.text_pages = 2;
    head.data_pages = 1;
    head.bss_pages = 3;
    head.stack_pages = 4;
    head.entry = 64;
    return head;
}

std::string image_of(const lpar_image &head, size_t bytes = 3 * 4096) {
    std::string image(bytes, '\0');
    std::memcpy(image.data(), &head, std::min(bytes, sizeof(head)));
    return image;
}

class ImagesTest : public testing::Test {
  protected:
    std::string file(const std::string &name, const std::string &bytes) {
        std::string path = host.path() + "/" + name;
        std::ofstream(path, std::ios::binary) << bytes;
        return path;
    }

    FakeHost host;
    std::string image = image_of(good_head());
    std::string digest = image_sha256(image);
};

TEST_F(ImagesTest, Registers) {
    auto answer = lparctl(host, {"adjunct", "register", "sum", file("a", image)});
    EXPECT_EQ(answer.status, 0) << answer.err;
    EXPECT_EQ(answer.out, digest + "  sum\n");
    EXPECT_THAT(host.log, ElementsAre("mkdir adjuncts/sum", "write adjuncts/sum/image",
                                      "write adjuncts/sum/enable=1"));
    EXPECT_EQ(host.read_exact(std::string(configfs_images) + "sum/image"), image);
    answer = lparctl(host, {"adjunct", "list"});
    EXPECT_THAT(answer.out, HasSubstr(digest));
    EXPECT_THAT(answer.out, HasSubstr("ready"));
    auto json = nlohmann::json::parse(lparctl(host, {"adjunct", "list", "-j"}).out);
    EXPECT_EQ(json["adjuncts"][0]["name"], "sum");
    EXPECT_EQ(json["adjuncts"][0]["pages"], 10);
    EXPECT_EQ(json["adjuncts"][0]["bytes"], 3 * 4096);
    EXPECT_EQ(json["adjuncts"][0]["sha256"], digest);

    answer = lparctl(host, {"adjunct", "register", "sum", file("a", image)});
    EXPECT_EQ(answer.status, 1);
    EXPECT_THAT(answer.err, HasSubstr("exists already: lparctl adjunct unregister sum"));
    EXPECT_EQ(lparctl(host, {"adjunct", "unregister", "sum"}).status, 0);
    answer = lparctl(host, {"adjunct", "unregister", "sum"});
    EXPECT_EQ(answer.status, 1);
    EXPECT_THAT(answer.err, HasSubstr("there is no adjunct 'sum'"));
}

TEST_F(ImagesTest, SaysWhatIsWrongWithAFile) {
    struct Case {
        std::function<void(lpar_image &)> change;
        const char *why;
    };
    const Case cases[] = {
        {[](auto &h) { h.magic++; }, "does not begin with"},
        {[](auto &h) { h.magic = 0x464c457f; }, "it is an ELF file"},
        {[](auto &h) { h.abi = 2; }, "for version 2 of the interface, this is for 1"},
        {[](auto &h) { h.reserved[8] = 1; }, "must be zeroes"},
        {[](auto &h) { h.text_pages = 0; }, "no text"},
        {[](auto &h) { h.stack_pages = 0; }, "no stack"},
        {[](auto &h) { h.bss_pages = 234; }, "wants 241 pages, an adjunct has at most 240"},
        {[](auto &h) { h.stack_pages = ~0u; }, "an adjunct has at most 240"},
        {[](auto &h) { h.data_pages = 2; }, "12288 bytes, its head says 16384"},
        {[](auto &h) { h.data_pages = 0; }, "12288 bytes, its head says 8192"},
        {[](auto &h) { h.entry = 63; }, "entry point 0x3f is not in its text"},
        {[](auto &h) { h.entry = 8192; }, "entry point 0x2000 is not in its text"},
    };
    for (const auto &[change, why] : cases) {
        lpar_image head = good_head();
        change(head);
        auto answer = lparctl(host, {"adjunct", "register", "x", file("bad", image_of(head))});
        EXPECT_EQ(answer.status, 1);
        EXPECT_THAT(answer.err, HasSubstr(why));
    }
    for (auto bytes : {0, 1, 63}) {
        auto answer =
            lparctl(host, {"adjunct", "register", "x", file("bad", image_of(good_head(), bytes))});
        EXPECT_THAT(answer.err, HasSubstr("too short"));
    }
    EXPECT_THAT(lparctl(host, {"adjunct", "register", "x", "/nowhere/x"}).err,
                HasSubstr("/nowhere/x: No such file"));
    EXPECT_EQ(lparctl(host, {"adjunct", "register", "x", host.path()}).status, 1);
    EXPECT_EQ(lparctl(host, {"adjunct", "register", "a/b", file("a", image)}).status, 2);
    EXPECT_EQ(lparctl(host, {"adjunct", "register", std::string(64, 'x'), file("a", image)}).status,
              2);
    EXPECT_THAT(host.log, IsEmpty());
    lpar_image most = good_head();
    most.bss_pages = 233;
    EXPECT_EQ(check_image(image_of(most), ""), 240u);
}

// Whatever the bytes are: an answer, and the same as the kernel's rules.
RC_GTEST_PROP(ImageProperty, AnyHead, (const std::vector<uint8_t> &bytes)) {
    try {
        check_image(std::string(bytes.begin(), bytes.end()), "x");
        RC_FAIL("it was taken");
    } catch (const Failure &failure) {
        RC_ASSERT(std::string(failure.what()).starts_with("x: "));
    }
}

TEST_F(ImagesTest, NothingIsLeftOfWhatFails) {
    for (auto [step, error, why] : {std::tuple{"mkdir adjuncts/x", ENOMEM, "memory"},
                                    {"write adjuncts/x/image", EFBIG, "large"},
                                    {"write adjuncts/x/enable=1", EINVAL, "as new as lparctl"}}) {
        host.fail = {{step, error}};
        auto answer = lparctl(host, {"adjunct", "register", "x", file("a", image)});
        EXPECT_EQ(answer.status, 1) << step;
        EXPECT_THAT(answer.err, HasSubstr(why));
        EXPECT_FALSE(host.has(std::string(configfs_images) + "x")) << step;
    }
    host.fail.clear();
    host.lose_images = true;
    auto answer = lparctl(host, {"adjunct", "register", "x", file("a", image)});
    EXPECT_THAT(answer.err, HasSubstr("the kernel did not get it"));
    EXPECT_FALSE(host.has(std::string(configfs_images) + "x"));
    host.lose_images = false;
    host.privileged = false;
    EXPECT_THAT(lparctl(host, {"adjunct", "register", "x", file("a", image)}).err,
                HasSubstr("this needs root"));
    host.privileged = true;
    host.erase(configfs_images);
    EXPECT_THAT(lparctl(host, {"adjunct", "register", "x", file("a", image)}).err,
                HasSubstr("knows no adjuncts"));
    EXPECT_EQ(lparctl(host, {"adjunct", "list"}).status, 0);
}

TEST_F(ImagesTest, PartitionsMayHaveSome) {
    EXPECT_EQ(lparctl(host, {"partition", "create", "web", "--adjuncts", "3"}).status, 0);
    EXPECT_THAT(host.log, ElementsAre("mkdir web", "write web/adjuncts=3"));
    EXPECT_THAT(lparctl(host, {"partition", "show", "web"}).out, HasSubstr("at most 3"));
    EXPECT_EQ(
        nlohmann::json::parse(lparctl(host, {"partition", "show", "web", "-j"}).out)["adjuncts"],
        3);
    EXPECT_EQ(lparctl(host, {"partition", "create", "db", "--adjuncts", "17"}).status, 2);
}

TEST_F(ImagesTest, SavedAndAppliedAgain) {
    std::string saved = host.path() + "/etc/lpar.toml";
    ASSERT_EQ(lparctl(host, {"adjunct", "register", "sum", file("a", image)}).status, 0);
    ASSERT_EQ(lparctl(host, {"partition", "create", "web", "--adjuncts", "3"}).status, 0);
    auto answer = lparctl(host, {"save", saved});
    EXPECT_EQ(answer.status, 0) << answer.err;
    EXPECT_THAT(answer.out, HasSubstr("1 adjuncts"));
    // the bytes are kept, and are nobody else's to read
    std::string kept = host.path() + "/etc/sum.image";
    auto mode = std::filesystem::status(kept).permissions();
    EXPECT_EQ(mode, std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
    EXPECT_EQ(lparctl(host, {"diff", saved}).out, "");
    EXPECT_EQ(lparctl(host, {"diff", "--prune", saved}).status, 0);

    ASSERT_EQ(lparctl(host, {"adjunct", "unregister", "sum"}).status, 0);
    EXPECT_EQ(lparctl(host, {"diff", saved}).out,
              "+ adjunct sum: image " + kept + ", sha256 " + digest + "\n");
    EXPECT_EQ(lparctl(host, {"apply", saved}).status, 0);
    EXPECT_EQ(lparctl(host, {"diff", saved}).status, 0);

    // another image of that name is replaced; one that nobody wants goes only when asked
    lpar_image head = good_head();
    head.bss_pages = 5;
    std::string other = image_of(head);
    ASSERT_EQ(lparctl(host, {"adjunct", "unregister", "sum"}).status, 0);
    ASSERT_EQ(lparctl(host, {"adjunct", "register", "sum", file("b", other)}).status, 0);
    ASSERT_EQ(lparctl(host, {"adjunct", "register", "old", file("b", other)}).status, 0);
    EXPECT_EQ(lparctl(host, {"diff", saved}).out,
              "~ adjunct sum: sha256 " + image_sha256(other) + " -> " + digest + "\n");
    EXPECT_EQ(lparctl(host, {"diff", "--prune", saved}).out,
              "- adjunct old\n~ adjunct sum: sha256 " + image_sha256(other) + " -> " + digest +
                  "\n");
    EXPECT_EQ(lparctl(host, {"apply", "--prune", saved}).status, 0);
    EXPECT_EQ(lparctl(host, {"diff", "--prune", saved}).status, 0);
    EXPECT_FALSE(host.has(std::string(configfs_images) + "old"));
}

// A file that is not what was approved is not taken, and what was there is there again.
TEST_F(ImagesTest, AppliesNothingElse) {
    lpar_image head = good_head();
    head.bss_pages = 5;
    std::string other = image_of(head);
    ASSERT_EQ(lparctl(host, {"adjunct", "register", "sum", file("b", other)}).status, 0);
    std::string text =
        "[adjuncts.sum]\nimage = '" + file("b", other) + "'\nsha256 = '" + digest + "'\n";
    auto answer = lparctl(host, {"apply", file("toml", text)});
    EXPECT_EQ(answer.status, 1);
    EXPECT_THAT(answer.err, HasSubstr("another image than was approved"));
    EXPECT_EQ(host.read_exact(std::string(configfs_images) + "sum/image"), other);
    EXPECT_EQ(host.read(std::string(configfs_images) + "sum/enable"), "1");

    EXPECT_EQ(lparctl(host, {"diff", file("toml", "[adjuncts.sum]\nimage = '/nowhere'\n")}).status,
              1);
    EXPECT_THAT(
        lparctl(host, {"diff", file("toml", "[adjuncts.sum]\nimage = 'x'\nsha256 = 'AB'\n")}).err,
        HasSubstr("64 hexadecimal digits"));
    EXPECT_THAT(lparctl(host, {"diff", file("toml", "[adjuncts.sum]\nfile = 'x'\n")}).err,
                HasSubstr("adjunct sum has no 'file'"));
    EXPECT_THAT(lparctl(host, {"diff", file("toml", "[adjuncts.sum]\n")}).err,
                HasSubstr("needs 'image'"));
    EXPECT_THAT(lparctl(host, {"diff", file("toml", "[partitions.web]\nadjuncts = 17\n")}).err,
                HasSubstr("adjuncts: it is 0 to 16"));
}

} // namespace
} // namespace lpar::test
