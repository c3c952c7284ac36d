// SPDX-License-Identifier: GPL-2.0
// Images of adjuncts: what is refused, what reaches the kernel, what is saved.
#include <algorithm>
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
using testing::Not;
using Json = nlohmann::json;

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
    auto json = Json::parse(lparctl(host, {"adjunct", "list", "-j"}).out);
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

// The client donates the pages of a global one, but not those of its text.
TEST_F(ImagesTest, RegistersGlobalOnes) {
    auto answer = lparctl(host, {"adjunct", "register", "sum", file("a", image), "--global", "-j"});
    EXPECT_EQ(answer.status, 0) << answer.err;
    EXPECT_THAT(host.log, ElementsAre("mkdir adjuncts/sum", "write adjuncts/sum/global=1",
                                      "write adjuncts/sum/image", "write adjuncts/sum/enable=1"));
    auto json = Json::parse(answer.out);
    EXPECT_EQ(json["global"], true);
    EXPECT_EQ(json["users"], 0);
    EXPECT_EQ(json["pages"], 8);
    ASSERT_EQ(lparctl(host, {"adjunct", "register", "own", file("a", image)}).status, 0);
    host.put(configfs_images + std::string("sum/users"), "12\n");
    EXPECT_EQ(lparctl(host, {"adjunct", "list"}).out,
              "NAME  PAGES  BYTES  STATUS  GLOBAL  USERS  SHA256\n"
              "own      10  12288  ready   -           0  " +
                  digest +
                  "\n"
                  "sum       8  12288  ready   yes        12  " +
                  digest + "\n");
    json = Json::parse(lparctl(host, {"adjunct", "list", "-j"}).out);
    EXPECT_EQ(json["adjuncts"][0]["global"], false);
    EXPECT_EQ(json["adjuncts"][0]["users"], 0);
    EXPECT_EQ(json["adjuncts"][1]["global"], true);
    EXPECT_EQ(json["adjuncts"][1]["users"], 12);
}

TEST_F(ImagesTest, AnOlderModuleKnowsNoGlobalOnes) {
    host.knows_global_images = false;
    auto answer = lparctl(host, {"adjunct", "register", "sum", file("a", image), "--global"});
    EXPECT_EQ(answer.status, 1);
    EXPECT_EQ(answer.err, "lparctl: adjunct register: adjunct sum: this lpar_host knows no global "
                          "images: load one that is as new as lparctl\n");
    EXPECT_FALSE(host.has(configfs_images + std::string("sum")));
    EXPECT_EQ(lparctl(host, {"adjunct", "register", "sum", file("a", image)}).status, 0);
    EXPECT_EQ(lparctl(host, {"adjunct", "list"}).out,
              "NAME  PAGES  BYTES  STATUS  GLOBAL  USERS  SHA256\n"
              "sum      10  12288  ready   -           -  " +
                  digest + "\n");
    auto json = Json::parse(lparctl(host, {"adjunct", "list", "-j"}).out);
    EXPECT_EQ(json["adjuncts"][0]["global"], false);
    EXPECT_TRUE(json["adjuncts"][0].contains("users"));
    EXPECT_EQ(json["adjuncts"][0]["users"], nullptr);
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
        {[](auto &h) { h.reserved[7] = 1; }, "must be zeroes"},
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
RC_GTEST_PROP(ImageProperty, AnyHead, ()) {
    auto rarely = [] { return *rc::gen::inRange(0, 16) == 0; };
    auto pages = [&](uint32_t most) {
        return rarely() ? *rc::gen::element(0U, 1U << 31, ~0U) : *rc::gen::inRange(1U, most);
    };
    lpar_image head = good_head();
    head.text_pages = pages(4);
    head.data_pages = pages(4);
    head.bss_pages = pages(160);
    head.stack_pages = pages(160);
    head.entry = *rc::gen::inRange<uint64_t>(rarely() ? 0 : 64, 3 * 4096);
    head.magic += rarely();
    head.abi += rarely();
    head.reserved[*rc::gen::inRange<size_t>(0, std::size(head.reserved))] = rarely();
    uint64_t said = (uint64_t{head.text_pages} + head.data_pages) * 4096;
    size_t length = rarely() ? *rc::gen::inRange(0, 8 * 4096) : std::min<uint64_t>(said, 8 * 4096);
    uint64_t sum = uint64_t{head.text_pages} + head.data_pages + head.bss_pages + head.stack_pages;
    bool right = head.magic == LPAR_IMAGE_MAGIC && head.abi == LPAR_IMAGE_ABI &&
                 std::ranges::count(head.reserved, 0U) == std::ssize(head.reserved) &&
                 head.text_pages != 0 && head.stack_pages != 0 && sum <= 240 && length == said &&
                 head.entry >= 64 && head.entry < uint64_t{head.text_pages} * 4096;
    RC_CLASSIFY(right);
    try {
        RC_ASSERT(check_image(image_of(head, length), "x") == sum);
        RC_ASSERT(right);
    } catch (const Failure &failure) {
        RC_ASSERT(!right);
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
    host.fail = {{"write adjuncts/x/global=1", EIO}};
    EXPECT_THAT(lparctl(host, {"adjunct", "register", "x", file("a", image), "--global"}).err,
                HasSubstr("adjunct x: Input/output error"));
    EXPECT_FALSE(host.has(std::string(configfs_images) + "x"));
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
    EXPECT_EQ(Json::parse(lparctl(host, {"partition", "show", "web", "-j"}).out)["adjuncts"], 3);
    EXPECT_EQ(lparctl(host, {"partition", "create", "db", "--adjuncts", "17"}).status, 2);
}

TEST_F(ImagesTest, PartitionsMayBringTheirOwn) {
    auto show = [&](const std::string &name) {
        auto json = Json::parse(lparctl(host, {"partition", "show", name, "-j"}).out);
        auto all = Json::parse(lparctl(host, {"partition", "list", "-j"}).out)["partitions"];
        EXPECT_EQ(json.at("own_images"), all.at(0).at("own_images"));
        return json.at("own_images");
    };
    ASSERT_EQ(lparctl(host, {"partition", "create", "web"}).status, 0);
    EXPECT_EQ(show("web"), false);
    EXPECT_THAT(lparctl(host, {"partition", "show", "web"}).out, Not(HasSubstr("own images")));
    ASSERT_EQ(lparctl(host, {"partition", "delete", "web"}).status, 0);

    host.log.clear();
    EXPECT_EQ(lparctl(host, {"partition", "create", "web", "--own-images"}).status, 0);
    EXPECT_THAT(host.log, ElementsAre("mkdir web", "write web/own_images=1"));
    EXPECT_EQ(show("web"), true);
    EXPECT_THAT(lparctl(host, {"partition", "show", "web"}).out, HasSubstr("own images      yes"));
    ASSERT_EQ(lparctl(host, {"partition", "delete", "web"}).status, 0);

    host.knows_own_images = false;
    auto answer = lparctl(host, {"partition", "create", "web", "--own-images"});
    EXPECT_EQ(answer.status, 1);
    EXPECT_EQ(answer.err, "lparctl: partition create: own_images cannot be set to '1': this module "
                          "does not have it: is it as new as lparctl?\n");
    EXPECT_FALSE(host.has(configfs_partitions + std::string("web")));
    ASSERT_EQ(lparctl(host, {"partition", "create", "web"}).status, 0);
    EXPECT_EQ(show("web"), nullptr);
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

// Whether it is global is compared as its bytes are.
// Only root may read their bytes.
TEST_F(ImagesTest, UnreadableOnesAreNotSaved) {
    ASSERT_EQ(lparctl(host, {"adjunct", "register", "sum", file("a", image)}).status, 0);
    host.erase(std::string(configfs_images) + "sum/image");
    auto answer = lparctl(host, {"adjunct", "list", "-j"});
    ASSERT_EQ(answer.status, 0) << answer.err;
    Json listed = Json::parse(answer.out)["adjuncts"][0];
    EXPECT_EQ(listed["bytes"], nullptr);
    EXPECT_EQ(listed["pages"], nullptr);
    EXPECT_EQ(listed["sha256"], digest);
    EXPECT_THAT(lparctl(host, {"adjunct", "list"}).out, HasSubstr("sum       -      -  ready"));
    std::string saved = host.path() + "/etc/lpar.toml";
    answer = lparctl(host, {"save", saved});
    EXPECT_EQ(answer.status, 1);
    EXPECT_THAT(answer.err, HasSubstr("the image of adjunct sum cannot be read: sudo lparctl"));
    EXPECT_FALSE(host.has("/etc/lpar.toml"));
    EXPECT_FALSE(host.has("/etc/sum.image"));
    EXPECT_THAT(lparctl(host, {"save", "-"}).out, HasSubstr(digest));
}

TEST_F(ImagesTest, GlobalOnesAreSavedAndAppliedAgain) {
    std::string saved = host.path() + "/etc/lpar.toml";
    std::string flag = std::string(configfs_images) + "sum/global";
    ASSERT_EQ(lparctl(host, {"adjunct", "register", "sum", file("a", image)}).status, 0);
    EXPECT_THAT(lparctl(host, {"save", "-"}).out, Not(HasSubstr("global")));
    ASSERT_EQ(lparctl(host, {"adjunct", "unregister", "sum"}).status, 0);
    ASSERT_EQ(lparctl(host, {"adjunct", "register", "sum", file("a", image), "--global"}).status,
              0);
    EXPECT_THAT(lparctl(host, {"save", "-"}).out, HasSubstr("\nglobal = true\n"));
    ASSERT_EQ(lparctl(host, {"save", saved}).status, 0);
    EXPECT_EQ(lparctl(host, {"diff", "--prune", saved}).out, "");

    ASSERT_EQ(lparctl(host, {"adjunct", "unregister", "sum"}).status, 0);
    std::string add = "+ adjunct sum: image " + host.path() + "/etc/sum.image, sha256 " + digest +
                      ", global true\n";
    EXPECT_EQ(lparctl(host, {"diff", saved}).out, add);
    EXPECT_EQ(lparctl(host, {"apply", saved}).out, add);
    EXPECT_EQ(host.read(flag), "1");

    // made anew, one way and the other
    std::string text = "[adjuncts.sum]\nimage = '" + file("a", image) + "'\n";
    host.log.clear();
    EXPECT_EQ(lparctl(host, {"apply", file("toml", text)}).out,
              "~ adjunct sum: global true -> default\n");
    EXPECT_THAT(host.log, ElementsAre("rmdir adjuncts/sum", "mkdir adjuncts/sum",
                                      "write adjuncts/sum/image", "write adjuncts/sum/enable=1"));
    EXPECT_EQ(lparctl(host, {"diff", file("toml", text + "global = false\n")}).out, "");
    std::string global = file("toml", text + "global = true\n");
    EXPECT_EQ(lparctl(host, {"apply", global}).out, "~ adjunct sum: global default -> true\n");
    EXPECT_EQ(host.read(flag), "1");
    EXPECT_EQ(lparctl(host, {"diff", global}).status, 0);

    EXPECT_THAT(lparctl(host, {"diff", file("toml", text + "global = 1\n")}).err,
                HasSubstr("toml:3:10: global: true or false is wanted"));

    // what is refused is undone: it was global, or was not
    std::string other = image_of([] {
        lpar_image head = good_head();
        head.bss_pages = 5;
        return head;
    }());
    text = "[adjuncts.sum]\nimage = '" + file("b", other) + "'\nsha256 = '" + digest + "'\n";
    EXPECT_THAT(lparctl(host, {"apply", file("toml", text)}).err,
                HasSubstr("another image than was approved"));
    EXPECT_EQ(host.read(flag), "1");
    ASSERT_EQ(lparctl(host, {"adjunct", "unregister", "sum"}).status, 0);
    text = "[adjuncts.sum]\nimage = '" + file("a", image) + "'\n";
    host.knows_global_images = false;
    ASSERT_EQ(lparctl(host, {"adjunct", "register", "sum", file("a", image)}).status, 0);
    auto answer = lparctl(host, {"apply", file("toml", text + "global = true\n")});
    EXPECT_EQ(answer.status, 1);
    EXPECT_THAT(answer.err, HasSubstr("knows no global images"));
    EXPECT_THAT(answer.err, Not(HasSubstr("as it was")));
    EXPECT_EQ(host.read(std::string(configfs_images) + "sum/enable"), "1");
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
              2);
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
