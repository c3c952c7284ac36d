// SPDX-License-Identifier: GPL-2.0
// Files on a disk: what is saved, where it cannot be, and what is read.
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <iterator>
#include <sys/stat.h>
#include <unistd.h>

#include "fake.h"
#include "images.h"
#include "paths.h"

namespace lpar::test {

namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;

std::string content(const std::string &file) {
    std::ifstream stream(file, std::ios::binary);
    return {std::istreambuf_iterator<char>(stream), {}};
}

std::vector<std::string> names_in(const std::string &folder) {
    std::vector<std::string> names;
    for (const auto &entry : fs::directory_iterator(folder))
        names.push_back(entry.path().filename().string());
    std::sort(names.begin(), names.end());
    return names;
}

class WholeFileTest : public testing::Test {
  protected:
    std::string path(const std::string &name) const { return folder.path() + "/" + name; }

    std::string put(const std::string &name, const std::string &text) const {
        std::ofstream(path(name), std::ios::binary) << text;
        return path(name);
    }

    // An image that is registered
    void add_image(const std::string &name, const std::string &bytes) {
        ASSERT_EQ(lparctl(host, {"adjunct", "register", name, put("original", bytes)}).status, 0);
        fs::remove(path("original"));
    }

    TempDir folder;
    FakeHost host;
};

TEST_F(WholeFileTest, DevicesAndPipesStay) {
    ASSERT_EQ(::mkfifo(path("pipe").c_str(), 0600), 0);
    fs::create_directory(path("folder"));
    for (const auto *name : {"pipe", "folder"}) {
        Answer answer = lparctl(host, {"save", path(name)});
        EXPECT_EQ(answer.status, 1);
        EXPECT_EQ(answer.err, "lparctl: save: " + path(name) +
                                  ": it is there and no regular file: it stays as it is\n");
    }
    EXPECT_TRUE(fs::is_fifo(path("pipe")));
    EXPECT_THAT(names_in(folder.path()), ElementsAre("folder", "pipe"));
    Answer answer = lparctl(host, {"save", "/dev/stdout"});
    EXPECT_EQ(answer.status, 0);
    EXPECT_EQ(answer.out, lparctl(host, {"save", "-"}).out);
}

TEST_F(WholeFileTest, ModeAndOwnerStay) {
    std::string file = put("lpar.toml", "");
    ASSERT_EQ(::chmod(file.c_str(), 0640), 0);
    bool is_root = ::geteuid() == 0;
    if (is_root) {
        ASSERT_EQ(::chown(file.c_str(), 12, 34), 0);
    }
    ASSERT_EQ(lparctl(host, {"save", file}).status, 0);
    EXPECT_THAT(content(file), HasSubstr("partitions"));
    struct stat now {};
    ASSERT_EQ(::stat(file.c_str(), &now), 0);
    EXPECT_EQ(now.st_mode & 07777, 0640U);
    if (is_root) {
        EXPECT_EQ(now.st_uid, 12U);
        EXPECT_EQ(now.st_gid, 34U);
    }
    ASSERT_EQ(lparctl(host, {"save", path("new.toml")}).status, 0);
    ASSERT_EQ(::stat(path("new.toml").c_str(), &now), 0);
    EXPECT_EQ(now.st_mode & 07777, 0644U);
}

TEST_F(WholeFileTest, AFailedSaveSpoilsNothing) {
    std::string first = image_of(good_head());
    lpar_image head = good_head();
    head.bss_pages = 5;
    std::string second = image_of(head);
    std::string file = path("lpar.toml");
    add_image("sum", first);
    ASSERT_EQ(lparctl(host, {"save", file}).status, 0);
    std::string before = content(file);

    ASSERT_EQ(lparctl(host, {"adjunct", "unregister", "sum"}).status, 0);
    add_image("sum", second);
    add_image("zero", second);
    fs::create_directory(path("zero.image")); // cannot be written
    EXPECT_EQ(lparctl(host, {"save", file}).status, 1);
    EXPECT_EQ(content(file), before);
    EXPECT_EQ(content(path("sum.image")), first);
    EXPECT_THAT(names_in(folder.path()), ElementsAre("lpar.toml", "sum.image", "zero.image"));

    fs::remove(path("zero.image"));
    EXPECT_EQ(lparctl(host, {"save", file}).status, 0);
    EXPECT_EQ(content(path("sum.image")), second);
    EXPECT_THAT(names_in(folder.path()), ElementsAre("lpar.toml", "sum.image", "zero.image"));
}

// What is saved with a relative path is read from wherever one stands.
TEST_F(WholeFileTest, ImagesAreFoundFromAnywhere) {
    add_image("sum", image_of(good_head()));
    fs::path before = fs::current_path();
    fs::current_path(folder.path());
    Answer answer = lparctl(host, {"save", "lpar.toml"});
    fs::current_path(before);
    ASSERT_EQ(answer.status, 0) << answer.err;
    EXPECT_THAT(content(path("lpar.toml")), HasSubstr(path("sum.image")));

    fs::create_directory(path("more"));
    fs::rename(path("sum.image"), path("more/sum.image"));
    put("more/other.toml", "[adjuncts.sum]\nimage = 'sum.image'\n");
    put("other.toml", "[adjuncts.sum]\nimage = 'more/sum.image'\n");
    for (const auto *name : {"more/other.toml", "other.toml"}) {
        answer = lparctl(host, {"diff", path(name)});
        EXPECT_EQ(answer.status, 0) << answer.err;
    }
}

TEST_F(WholeFileTest, WhatCannotBeReadIsSaid) {
    Answer answer = lparctl(host, {"apply", folder.path()});
    EXPECT_EQ(answer.status, 1);
    EXPECT_EQ(answer.err, "lparctl: apply: " + folder.path() + ": Is a directory\n");
    EXPECT_EQ(lparctl(host, {"apply", path("none")}).err,
              "lparctl: apply: " + path("none") + ": No such file or directory\n");

    int input = ::dup(STDIN_FILENO);
    ::close(STDIN_FILENO);
    answer = lparctl(host, {"apply", "-"});
    ::dup2(input, STDIN_FILENO);
    ::close(input);
    EXPECT_EQ(answer.status, 1);
    EXPECT_EQ(answer.err, "lparctl: apply: standard input is closed: give a file\n");
}

TEST_F(WholeFileTest, NothingIsNoReasonToRemoveEverything) {
    ASSERT_EQ(lparctl(host, {"partition", "create", "web"}).status, 0);
    for (const auto *text : {"", "# nothing\n"}) {
        std::string file = put("lpar.toml", text);
        EXPECT_EQ(lparctl(host, {"diff", "--prune", file}).status, 2);
        Answer answer = lparctl(host, {"apply", "--prune", file});
        EXPECT_EQ(answer.status, 1);
        EXPECT_THAT(answer.err, HasSubstr("neither [partitions] nor [adjuncts]"));
        EXPECT_EQ(lparctl(host, {"apply", file}).status, 0);
    }
    EXPECT_TRUE(host.has(std::string(configfs_partitions) + "web"));
    EXPECT_EQ(lparctl(host, {"apply", "--prune", put("lpar.toml", "[partitions]\n")}).out,
              "- partition web\n");
}

// What is wrong with one entry is no reason to leave out the others.
TEST_F(WholeFileTest, OneBadEntryIsOneError) {
    std::string partitions = configfs_partitions;
    ASSERT_EQ(lparctl(host, {"partition", "create", "old", "--memory", "1G"}).status, 0);
    std::string good = put("good.image", image_of(good_head()));
    std::string file = put("lpar.toml", "[adjuncts.gone]\nimage = '/gone'\n"
                                        "[adjuncts.sum]\nimage = 'good.image'\n"
                                        "[partitions.db]\nowner = 'nobody-like-that'\n"
                                        "[partitions.db.nics.n0]\nadapter = 'eth0'\n"
                                        "[partitions.old]\nowner = 'nobody-like-that'\n"
                                        "memory = '2G'\n"
                                        "[partitions.old.nics.n0]\nadapter = 'eth0'\n"
                                        "[partitions.web]\nmemory = '2G'\n");
    host.add_nic("eth0", "0000:02:00.0");
    std::string gone = "adjunct gone: /gone: No such file or directory\n";
    std::string owner = ": owner: there is no user 'nobody-like-that'\n";
    Answer answer = lparctl(host, {"diff", file});
    EXPECT_EQ(answer.status, 2);
    EXPECT_EQ(answer.err, "lparctl: diff: " + gone + "lparctl: diff: partition db: " + file +
                              ":6:9" + owner + "lparctl: diff: partition old: " + file + ":10:9" +
                              owner);
    answer = lparctl(host, {"apply", "--wait", "5", file});
    EXPECT_EQ(answer.status, 1);
    EXPECT_THAT(answer.err, HasSubstr("lparctl: apply: " + gone));
    EXPECT_THAT(answer.err, HasSubstr("partition db: " + file + ":6:9" + owner));
    EXPECT_THAT(answer.err, HasSubstr("partition old: " + file + ":10:9" + owner));
    EXPECT_THAT(answer.err, HasSubstr("nic db/n0: its partition could not be made"));
    EXPECT_FALSE(host.has(partitions + "db"));
    EXPECT_EQ(host.read_number(partitions + "old/memory_limit"), 1U << 30);
    EXPECT_TRUE(host.has(partitions + "old/nics/n0"));
    EXPECT_TRUE(host.has(partitions + "web"));
    EXPECT_TRUE(host.has(std::string(configfs_images) + "sum"));

    // one that is there stays where its new one cannot be read
    fs::remove(good);
    answer = lparctl(host, {"apply", file});
    EXPECT_THAT(answer.err, HasSubstr("adjunct sum: " + good + ": No such file"));
    EXPECT_EQ(host.read(std::string(configfs_images) + "sum/enable"), "1");
}

TEST_F(WholeFileTest, DiffTellsTroubleFromADifference) {
    EXPECT_EQ(lparctl(host, {"diff", put("none", "[partitions]\n")}).status, 0);
    EXPECT_EQ(lparctl(host, {"diff", put("one", "[partitions.web]\n")}).status, 1);
    EXPECT_EQ(lparctl(host, {"diff", put("bad", "[partitions.web\n")}).status, 2);
    EXPECT_EQ(lparctl(host, {"diff", path("nowhere")}).status, 2);
    EXPECT_EQ(lparctl(host, {"diff", folder.path()}).status, 2);
}

} // namespace

} // namespace lpar::test
