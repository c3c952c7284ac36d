// SPDX-License-Identifier: GPL-2.0
// The configuration in a file: what is read is what was written, mistakes have a place, and apply
// leads to what the file says from wherever it starts.
#include <cerrno>
#include <csignal>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <iterator>
#include <nlohmann/json.hpp>
#include <rapidcheck/gtest.h>
#include <sstream>
#include <sys/file.h>
#include <unistd.h>

#include "cli.h"
#include "error.h"
#include "fake.h"
#include "images.h"
#include "iov_scan.h"
#include "iov_state.h"
#include "paths.h"
#include "plan_vfs.h"
#include "saved.h"

namespace lpar {

namespace {

using test::Answer;
using test::FakeHost;
using test::lparctl;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using Json = nlohmann::json;

// ------------------------------------------------------------------- the file

std::optional<uint64_t> some_size() {
    if (*rc::gen::arbitrary<bool>())
        return std::nullopt;
    // any number, and those that have a suffix
    auto shift = *rc::gen::element(0, 9, 10, 20, 30);
    return (1 + *rc::gen::inRange<uint64_t>(0, uint64_t{1} << 33)) << shift;
}

std::optional<std::string> some_mode() {
    auto mode = *rc::gen::element<std::string>("", "tag", "page", "copy");
    return mode.empty() ? std::nullopt : std::optional(mode);
}

std::optional<uint64_t> some_queues() {
    auto queues = *rc::gen::inRange<uint64_t>(0, 4);
    return queues == 0 ? std::nullopt : std::optional(queues);
}

std::optional<bool> some_flag() {
    return *rc::gen::element<std::optional<bool>>(std::nullopt, false, true);
}

constexpr auto pf = "0000:03:00.0";

std::string vf_name(unsigned index) {
    return vf_address(pf, 1, 1, index);
}

IovSettings some_settings() {
    IovSettings settings;
    auto maybe = [](auto &value, uint32_t least, uint32_t most) {
        if (*rc::gen::arbitrary<bool>())
            value = *rc::gen::inRange<uint32_t>(least, most);
    };
    maybe(settings.queues, 1, 65535);
    maybe(settings.interrupts, 1, 65536);
    maybe(settings.vlan, 0, 4095);
    maybe(settings.rate, 0, UINT32_MAX);
    maybe(settings.trust, 0, 2);
    maybe(settings.spoofchk, 0, 2);
    for (uint32_t id : {1U, 7U, UINT32_MAX - 1})
        if (*rc::gen::arbitrary<bool>())
            settings.namespaces.insert(id);
    return settings;
}

// VFs of one adapter for the partition that is number @place: of each two, or by number
std::vector<NewVfs> some_vfs(const std::string &partition, unsigned place, bool named,
                             std::optional<unsigned> total, bool has_settings) {
    std::vector<NewVfs> all;
    NewVfs vfs;
    vfs.partition = partition;
    vfs.adapter = pf;
    vfs.number = *rc::gen::inRange(0U, 3U);
    vfs.total = total;
    if (vfs.number == 0)
        return all;
    if (named)
        for (unsigned i = 0; i < vfs.number; i++)
            vfs.functions.push_back(vf_name(2 * place + (vfs.number == 2 ? i : place % 2)));
    if (has_settings)
        vfs.settings = some_settings();
    if (has_settings && vfs.number == 1 && *rc::gen::arbitrary<bool>())
        vfs.settings.mac = "52:54:00:0a:0b:0c";
    all.push_back(vfs);
    if (has_settings && !vfs.settings.vlan) {
        vfs.settings.vlan = 1;
        vfs.settings.mac.reset();
        all.push_back(vfs);
    }
    return all;
}

// Few names, so that two of them have much in common; @devices of the fake machine, in any
// spelling, but for the settings of VFs, which it has not.
std::vector<WantedPartition> some_wish(bool vf_settings) {
    std::vector<WantedPartition> wanted;
    unsigned place = 0;
    bool named = *rc::gen::arbitrary<bool>();
    auto total = *rc::gen::element<std::optional<unsigned>>(std::nullopt, 6U, 8U);
    for (const auto *name : {"web", "db", "x.1-2_3"}) {
        if (*rc::gen::arbitrary<bool>())
            continue;
        WantedPartition one;
        one.partition.name = name;
        one.partition.memory_limit = some_size();
        if (*rc::gen::arbitrary<bool>())
            one.partition.quantum_limit_us = *rc::gen::inRange<uint64_t>(100, 1000001);
        if (*rc::gen::arbitrary<bool>())
            one.partition.owner = *rc::gen::element<uint32_t>(0, 1, 65534, 123456);
        one.partition.own_images = some_flag();
        one.partition.role =
            *rc::gen::element<std::optional<std::string>>(std::nullopt, "client", "management");
        one.partition.qmp =
            *rc::gen::element<std::optional<std::string>>(std::nullopt, "", "/run/\"q'");
        for (const auto *request : {"mac", "vlan", "reset"})
            if (*rc::gen::arbitrary<bool>())
                one.partition.policy[request] =
                    *rc::gen::element<std::string>("ask", "allow", "refuse");
        if (*rc::gen::arbitrary<bool>())
            one.partition.policy["vlan"] = "allow 5-9";
        for (const auto *disk_name : {"d0", "data"}) {
            if (*rc::gen::arbitrary<bool>())
                continue;
            NewDisk disk;
            disk.partition = name;
            disk.name = disk_name;
            disk.device = *rc::gen::element<std::string>("/dev/nvme0n1p1", "/dev/nvme0n1p2");
            if (*rc::gen::arbitrary<bool>())
                disk.start = 512 * *rc::gen::inRange<uint64_t>(1, 1000);
            if (*rc::gen::arbitrary<bool>())
                disk.size = 512 * *rc::gen::inRange<uint64_t>(1, 1000);
            disk.read_only = *rc::gen::arbitrary<bool>();
            disk.queues = some_queues();
            disk.mode = some_mode();
            if (*rc::gen::arbitrary<bool>())
                disk.serial = *rc::gen::element<std::string>("A\"B\\C", "'''", "#1=[x]");
            one.disks.push_back(disk);
        }
        if (*rc::gen::arbitrary<bool>()) {
            NewNic nic;
            nic.partition = name;
            nic.name = "n0";
            nic.adapter = "eth0";
            nic.trust = *rc::gen::arbitrary<bool>();
            nic.queues = some_queues();
            nic.vlan = some_queues();
            nic.max_rate = some_queues();
            nic.mode = some_mode();
            if (*rc::gen::arbitrary<bool>())
                nic.mac = *rc::gen::element<std::string>("52:54:00:12:34:56", "52:54:00:0a:0b:0c");
            if (nic.mac && *rc::gen::arbitrary<bool>())
                nic.primary = "0000:09:10.2";
            one.nics.push_back(nic);
        }
        one.vfs = some_vfs(name, place++, named, total, vf_settings);
        wanted.push_back(one);
    }
    return wanted;
}

// Of two files, which are in @folder
std::vector<NewImage> some_images(const std::string &folder) {
    std::vector<NewImage> images;
    for (const auto *name : {"sum", "x.1"}) {
        if (*rc::gen::arbitrary<bool>())
            continue;
        NewImage image;
        image.name = name;
        bool other = *rc::gen::arbitrary<bool>();
        image.file = folder + (other ? "/b" : "/a");
        auto head = test::good_head();
        head.bss_pages = other ? 5 : 3;
        std::string bytes = test::image_of(head);
        std::ofstream(image.file, std::ios::binary) << bytes;
        if (*rc::gen::arbitrary<bool>())
            image.sha256 = image_sha256(bytes);
        image.global = *rc::gen::arbitrary<bool>();
        images.push_back(image);
    }
    return images;
}

// Plans compare everything: no step from one to the other means that they are the same.
RC_GTEST_PROP(Saved, WhatIsWrittenIsRead, ()) {
    auto wanted = some_wish(true);
    test::TempDir folder;
    auto images = some_images(folder.path());
    std::string text = format_saved(wanted, images);
    RC_LOG() << text;
    auto read = parse_saved(text, "f");
    auto read_images = parse_saved_images(text, "f");
    RC_ASSERT(format_saved(read, read_images) == text);
    RC_ASSERT(read_images.size() == images.size());
    for (const auto &image : images) {
        auto same = std::ranges::find(read_images, image.name, &NewImage::name);
        RC_ASSERT(same != read_images.end());
        RC_ASSERT(same->file == image.file);
        RC_ASSERT(same->sha256 == image.sha256);
        RC_ASSERT(same->global == image.global);
    }
    RC_ASSERT(read.size() == wanted.size());
    for (const auto &one : wanted) {
        auto same = std::ranges::find_if(
            read, [&](const auto &other) { return other.partition.name == one.partition.name; });
        RC_ASSERT(same != read.end());
        RC_ASSERT(same->partition.memory_limit == one.partition.memory_limit);
        RC_ASSERT(same->partition.quantum_limit_us == one.partition.quantum_limit_us);
        RC_ASSERT(same->partition.owner == one.partition.owner);
        RC_ASSERT(same->partition.own_images.value_or(false) ==
                  one.partition.own_images.value_or(false));
        RC_ASSERT(same->disks.size() == one.disks.size());
        for (const auto &disk : one.disks) {
            auto found = std::ranges::find(same->disks, disk.name, &NewDisk::name);
            RC_ASSERT(found != same->disks.end());
            RC_ASSERT(found->device == disk.device);
            RC_ASSERT(found->start == disk.start);
            RC_ASSERT(found->size == disk.size);
            RC_ASSERT(found->read_only == disk.read_only);
            RC_ASSERT(found->queues == disk.queues);
            RC_ASSERT(found->serial == disk.serial);
            RC_ASSERT(found->mode == disk.mode);
        }
        RC_ASSERT(same->nics.size() == one.nics.size());
        for (size_t i = 0; i < one.nics.size(); i++) {
            RC_ASSERT(same->nics[i].mac == one.nics[i].mac);
            RC_ASSERT(same->nics[i].vlan == one.nics[i].vlan);
            RC_ASSERT(same->nics[i].max_rate == one.nics[i].max_rate);
            RC_ASSERT(same->nics[i].primary == one.nics[i].primary);
            RC_ASSERT(same->nics[i].trust == one.nics[i].trust);
            RC_ASSERT(same->nics[i].mode == one.nics[i].mode);
            RC_ASSERT(same->nics[i].queues == one.nics[i].queues);
            RC_ASSERT(same->nics[i].adapter == one.nics[i].adapter);
        }
        RC_ASSERT(same->vfs.size() == one.vfs.size());
        for (size_t i = 0; i < one.vfs.size(); i++) {
            RC_ASSERT(same->vfs[i].partition == one.vfs[i].partition);
            RC_ASSERT(same->vfs[i].adapter == one.vfs[i].adapter);
            RC_ASSERT(same->vfs[i].number == one.vfs[i].number);
            RC_ASSERT(same->vfs[i].functions == one.vfs[i].functions);
            RC_ASSERT(same->vfs[i].total == one.vfs[i].total);
            RC_ASSERT(same->vfs[i].settings == one.vfs[i].settings);
        }
    }
}

// -------------------------------------------------------------- from here to there

class SavedTest : public testing::Test {
  protected:
    SavedTest() {
        host.add_nvme(0, "0000:01:00.0", 2);
        host.add_nic("eth0", "0000:02:00.0");
        host.add_sriov(pf, 8);
    }

    std::string file(const std::string &text) const {
        std::string name = host.path() + "/lpar.toml";
        std::ofstream(name, std::ios::binary) << text;
        return name;
    }

    Answer apply(const std::string &text, std::vector<std::string> more = {}) {
        more.insert(more.begin(), {"apply", file(text)});
        return lparctl(host, more);
    }

    static std::string content(const std::string &name) {
        std::ifstream stream(name, std::ios::binary);
        return {std::istreambuf_iterator<char>(stream), {}};
    }

    FakeHost host;
};

const std::string simple =
    "[partitions.web]\nmemory = '2G'\n"
    "[partitions.web.disks.d0]\ndevice = '/dev/nvme0n1p1'\nsize = '8M'\n"
    "[partitions.web.nics.n0]\nadapter = 'eth0'\nmac = '52:54:00:12:34:56'\n";

TEST_F(SavedTest, ApplyMakesWhatIsNotThereAndThenNothing) {
    Answer answer = apply(simple);
    EXPECT_EQ(answer.status, 0) << answer.err;
    EXPECT_EQ(answer.out, "+ partition web: memory 2G\n"
                          "+ disk web/d0: device /dev/nvme0n1p1, size 8M\n"
                          "+ nic web/n0: adapter eth0, mac 52:54:00:12:34:56\n");
    EXPECT_EQ(host.read_number(std::string(configfs_partitions) + "web/disks/d0/size"), 8U << 20);
    host.log.clear();
    answer = apply(simple);
    EXPECT_EQ(answer.status, 0);
    EXPECT_EQ(answer.out, "");
    EXPECT_THAT(host.log, IsEmpty());
    EXPECT_EQ(lparctl(host, {"diff", file(simple)}).status, 0);
}

TEST_F(SavedTest, DiffShowsAndDoesNothing) {
    Answer answer = lparctl(host, {"diff", file(simple)});
    EXPECT_EQ(answer.status, 1);
    EXPECT_THAT(answer.out, HasSubstr("+ disk web/d0"));
    EXPECT_THAT(host.log, IsEmpty());
    Json json = Json::parse(lparctl(host, {"diff", "-j", file(simple)}).out);
    EXPECT_EQ(json["steps"].size(), 3U);
    EXPECT_EQ(json["steps"][1]["name"], "web/d0");
    EXPECT_EQ(json["steps"][1]["action"], "add");
    EXPECT_EQ(json["steps"][1]["error"], nullptr);
}

TEST_F(SavedTest, WhatIsNotInTheFileStaysUnlessPruned) {
    ASSERT_EQ(apply(simple).status, 0);
    std::string less = "[partitions.web]\n[partitions.web.nics.n0]\nadapter = 'eth0'\n"
                       "mac = '52:54:00:12:34:56'\n";
    Answer answer = apply(less);
    EXPECT_EQ(answer.out + answer.err, "");
    answer = apply(less, {"--prune"});
    EXPECT_EQ(answer.out, "- disk web/d0\n") << answer.err;
    EXPECT_EQ(host.read_number(std::string(configfs_partitions) + "web/memory_limit"), 2ULL << 30);
    answer = apply("[partitions]", {"--prune"});
    EXPECT_EQ(answer.out, "- partition web\n") << answer.err;
    EXPECT_THAT(host.list(configfs_partitions), IsEmpty());
}

TEST_F(SavedTest, AChangeMakesTheDiskAnew) {
    ASSERT_EQ(apply(simple).status, 0);
    std::string other = simple;
    other.replace(other.find("8M"), 2, "9M");
    host.log.clear();
    Answer answer = apply(other);
    EXPECT_EQ(answer.out, "~ disk web/d0: size 8M -> 9M\n") << answer.err;
    EXPECT_THAT(host.log,
                ElementsAre("write web/disks/d0/enable=0", "rmdir web/disks/d0",
                            "mkdir web/disks/d0", "write web/disks/d0/device=/dev/nvme0n1p1",
                            "write web/disks/d0/size=9437184", "write web/disks/d0/enable=1"));
}

TEST_F(SavedTest, AChangeThatIsRefusedIsUndone) {
    ASSERT_EQ(apply(simple).status, 0);
    std::string other = simple;
    other.replace(other.find("8M"), 2, "9M");
    host.fail = {{"write web/disks/d0/size=9437184", EINVAL}};
    Answer answer = apply(other);
    EXPECT_EQ(answer.status, 1);
    EXPECT_THAT(answer.err, HasSubstr("lparctl: apply: disk web/d0: size cannot be set"));
    EXPECT_EQ(answer.out, "");
    EXPECT_EQ(lparctl(host, {"diff", file(simple)}).status, 0);
}

TEST_F(SavedTest, WhatCannotBePutBackIsSaid) {
    ASSERT_EQ(apply(simple).status, 0);
    std::string other = simple;
    other.replace(other.find("8M"), 2, "9M");
    host.fail = {{"write web/disks/d0/enable=1", EIO}};
    host.refusal = "broken";
    Answer answer = apply(other);
    EXPECT_EQ(answer.status, 1);
    EXPECT_THAT(answer.err, HasSubstr("broken; as it was it could not be had again: "));
}

TEST_F(SavedTest, WhatIsInUseStaysAndTheRestIsDone) {
    ASSERT_EQ(apply(simple).status, 0);
    host.attach("web", 4711);
    host.fail = {{"write web/disks/d0/enable=0", EBUSY}};
    std::string other = simple + "[partitions.db]\n";
    other.replace(other.find("8M"), 2, "9M");
    Answer answer = apply(other);
    EXPECT_EQ(answer.status, 1);
    EXPECT_THAT(answer.err, HasSubstr("attached by process 4711: shut that virtual machine down"));
    EXPECT_EQ(answer.out, "+ partition db\n");
    EXPECT_EQ(lparctl(host, {"diff", file(simple + "[partitions.db]\n")}).status, 0);
}

TEST_F(SavedTest, LimitsChangeWhereTheyAre) {
    ASSERT_EQ(apply(simple).status, 0);
    host.log.clear();
    Answer answer = apply("[partitions.web]\nmemory = '1G'\nquantum = '2ms'\n");
    EXPECT_EQ(answer.out, "~ partition web: memory 2G -> 1G, quantum 1ms -> 2ms\n") << answer.err;
    EXPECT_THAT(host.log, ElementsAre("write web/memory_limit=1073741824",
                                      "write web/quantum_limit_us=2000"));
    host.fail = {{"write web/quantum_limit_us=3000", EBUSY}};
    host.log.clear();
    answer = apply("[partitions.web]\nmemory = '3G'\nquantum = '3ms'\n");
    EXPECT_EQ(answer.status, 1);
    EXPECT_EQ(host.log.back(), "write web/memory_limit=1073741824");
}

TEST_F(SavedTest, RoleAndPolicyLast) {
    host.knows_mailboxes = true;
    std::string text = "[partitions.web]\nrole = 'management'\n"
                       "[partitions.web.policy]\nvlan = 'allow 5-9'\nreset = 'refuse'\n";
    EXPECT_EQ(apply(text).out,
              "+ partition web: role management, policy.reset refuse, policy.vlan allow 5-9\n");
    EXPECT_THAT(host.log,
                ElementsAre("mkdir web", "write web/role=management",
                            "write web/policy/reset=refuse", "write web/policy/vlan=allow 5-9"));
    Answer saved = lparctl(host, {"save", "-"});
    EXPECT_THAT(saved.out, HasSubstr("vlan = 'allow 5-9'"));
    EXPECT_THAT(saved.out, Not(HasSubstr("mac =")));
    // what is left out stays, what is said is had
    EXPECT_EQ(
        apply("[partitions.web]\nrole = 'client'\n[partitions.web.policy]\nreset = 'ask'\n").out,
        "~ partition web: role management -> default, policy.reset refuse -> default\n");
    EXPECT_EQ(host.read(configfs_partitions + std::string("web/policy/vlan")), "allow 5-9");
    EXPECT_THAT(lparctl(host, {"partition", "show", "web"}).out,
                HasSubstr("policy vlan     allow 5-9"));

    // all or nothing
    host.fail = {{"write web/role=management", EBUSY}};
    EXPECT_EQ(apply(text).status, 1);
    EXPECT_EQ(host.read(configfs_partitions + std::string("web/policy/reset")), "ask");
}

TEST_F(SavedTest, OwnImagesLast) {
    std::string file_name = configfs_partitions + std::string("web/own_images");
    ASSERT_EQ(lparctl(host, {"partition", "create", "web", "--own-images"}).status, 0);
    std::string saved = lparctl(host, {"save", "-"}).out;
    EXPECT_THAT(saved, HasSubstr("\nown_images = true\n"));
    ASSERT_EQ(apply("[partitions]", {"--prune"}).status, 0);
    EXPECT_THAT(apply(saved).out, HasSubstr("own_images true"));
    EXPECT_EQ(host.read(file_name), "1");
    EXPECT_EQ(lparctl(host, {"diff", "--prune", file(saved)}).out, "");
    // what is left out stays
    EXPECT_EQ(apply("[partitions.web]\n").out, "");
    host.log.clear();
    EXPECT_EQ(apply("[partitions.web]\nown_images = false\n").out,
              "~ partition web: own_images true -> default\n");
    EXPECT_THAT(host.log, ElementsAre("write web/own_images=0"));
    EXPECT_EQ(apply("[partitions.web]\nown_images = false\n").out, "");
    EXPECT_THAT(lparctl(host, {"save", "-"}).out, Not(HasSubstr("own_images")));
    EXPECT_EQ(apply("[partitions.web]\nown_images = true\n").out,
              "~ partition web: own_images default -> true\n");

    host.attach("web", 4711);
    Answer answer = apply("[partitions.web]\nown_images = false\n");
    EXPECT_EQ(answer.status, 1);
    EXPECT_THAT(answer.err, HasSubstr("attached by process 4711: shut that virtual machine down"));
    EXPECT_EQ(host.read(file_name), "1");
    host.knows_own_images = false;
    answer = apply("[partitions.db]\nown_images = true\n");
    EXPECT_THAT(answer.err, HasSubstr("own_images cannot be set to '1': this module does not"));
    EXPECT_FALSE(host.has(configfs_partitions + std::string("db")));
}

TEST_F(SavedTest, AMonitorCanBeForgotten) {
    host.knows_mailboxes = true;
    std::string file = configfs_partitions + std::string("web/qmp");
    ASSERT_EQ(apply("[partitions.web]\nqmp = '/run/q'\n").status, 0);
    EXPECT_EQ(apply("[partitions.web]\nqmp = ''\n").out,
              "~ partition web: qmp /run/q -> default\n");
    EXPECT_EQ(host.read(file), "");
    EXPECT_EQ(apply("[partitions.web]\nqmp = ''\n").out, "");

    // undone, too
    host.fail = {{"write web/policy/mac=allow", EIO}};
    EXPECT_EQ(apply("[partitions.web]\nqmp = '/run/q'\npolicy.mac = 'allow'\n").status, 1);
    EXPECT_EQ(host.read(file), "");
}

TEST_F(SavedTest, ManagementMovesToAnotherPartition) {
    host.knows_mailboxes = true;
    ASSERT_EQ(apply("[partitions.b]\nrole = 'management'\n").status, 0);
    host.log.clear();
    ASSERT_EQ(
        apply("[partitions.a]\nrole = 'management'\n[partitions.b]\nrole = 'client'\n").status, 0);
    EXPECT_THAT(host.log, ElementsAre("write b/role=client", "mkdir a", "write a/role=management"));
}

TEST_F(SavedTest, NothingIsAddedToAPartitionThatCouldNotBeMade) {
    host.fail = {{"mkdir web", ENOMEM}};
    Answer answer = apply(simple + "[partitions.db]\n");
    EXPECT_EQ(answer.status, 1);
    EXPECT_THAT(answer.err, HasSubstr("disk web/d0: its partition could not be made"));
    EXPECT_EQ(answer.out, "+ partition db\n");
}

TEST_F(SavedTest, NothingIsDoneForAFileWithAMistake) {
    Answer answer = apply(simple + "[partitions.db]\nmemory = 'much'\n");
    EXPECT_EQ(answer.status, 1);
    EXPECT_THAT(answer.err, HasSubstr("lpar.toml:10:10: memory: 'much' is not a size"));
    EXPECT_THAT(host.log, IsEmpty());
    answer = lparctl(host, {"apply", host.path() + "/not-there"});
    EXPECT_EQ(answer.status, 1);
    EXPECT_THAT(answer.err, HasSubstr("not-there: No such file or directory\n"));
}

TEST_F(SavedTest, ApplyWaitsForDevices) {
    host.on_sleep = [this, naps = 0]() mutable {
        if (++naps == 5)
            host.add_nvme(7, "0000:07:00.0");
    };
    std::string late = "[partitions.web.disks.d0]\ndevice = '/dev/nvme7n1'\n";
    Answer answer = apply(late);
    EXPECT_EQ(answer.status, 1);
    EXPECT_THAT(answer.err, HasSubstr("/dev/nvme7n1 is not a block device"));
    answer = apply(late, {"--wait", "5"});
    EXPECT_EQ(answer.status, 0) << answer.err;
}

// While one waits for the first a second one goes, and comes later.
TEST_F(SavedTest, ApplyWaitsForWhatWentMeanwhile) {
    host.add_nvme(1, "0000:08:00.0");
    std::string both = "[partitions.web.disks.d0]\ndevice = '/dev/nvme1n1'\n"
                       "[partitions.web.disks.d1]\ndevice = '/dev/nvme7n1'\n";
    ASSERT_EQ(apply(both).status, 1);
    host.on_sleep = [this, naps = 0]() mutable {
        naps++;
        if (naps == 5) {
            host.add_nvme(7, "0000:07:00.0");
            host.erase("/sys/class/block/nvme1n1");
            host.put(std::string(state_partitions) + "web/disks/d0/state", "dead\n");
        } else if (naps == 9) {
            host.link("/sys/class/block/nvme1n1",
                      "/sys/devices/pci0000:00/0000:00:1c.0/0000:08:00.0/nvme/nvme1/nvme1n1");
        }
    };
    Answer answer = apply(both, {"--wait", "5"});
    EXPECT_EQ(answer.status, 0) << answer.err;
    EXPECT_EQ(answer.out, "~ disk web/d0: enabled dead -> true\n"
                          "+ disk web/d1: device /dev/nvme7n1\n");
    // one that does not come is not waited for longer
    double begin = host.now();
    answer = apply("[partitions.web.disks.d2]\ndevice = '/dev/nvme9n1'\n", {"--wait", "5"});
    EXPECT_EQ(answer.status, 1);
    EXPECT_NEAR(host.now() - begin, 5, 0.3);
}

TEST_F(SavedTest, ADeadDiskIsMadeAnew) {
    ASSERT_EQ(apply(simple).status, 0);
    host.put(std::string(state_partitions) + "web/disks/d0/state", "dead\n");
    Answer answer = lparctl(host, {"diff", file(simple)});
    EXPECT_EQ(answer.out, "~ disk web/d0: enabled dead -> true\n");
}

// An adapter is away: what was configured of it must not be lost.
TEST_F(SavedTest, ADeadDiskStaysWhereItsDeviceIsNot) {
    host.add_nvme(7, "0000:07:00.0");
    std::string disk = "[partitions.web.disks.d0]\ndevice = '/dev/nvme7n1'\n";
    ASSERT_EQ(apply(disk).status, 0);
    host.put(std::string(state_partitions) + "web/disks/d0/state", "dead\n");
    host.erase("/sys/class/block/nvme7n1");
    Answer answer = apply(disk);
    EXPECT_EQ(answer.status, 1);
    EXPECT_THAT(answer.err, HasSubstr("its device is not there: it stays as it is"));
    EXPECT_TRUE(host.has(std::string(configfs_partitions) + "web/disks/d0/device"));
}

TEST_F(SavedTest, SaveTakesNamesThatLast) {
    ASSERT_EQ(lparctl(host, {"partition", "create", "web"}).status, 0);
    ASSERT_EQ(lparctl(host, {"disk", "add", "web", "/dev/nvme0n1p1"}).status, 0);
    ASSERT_EQ(lparctl(host, {"disk", "add", "web", "/dev/nvme0n1p2"}).status, 0);
    host.link("/dev/disk/by-id/nvme-Fast_1-part1", "/dev/nvme0n1p1");
    std::string name = host.path() + "/new folder/lpar.toml";
    Answer answer = lparctl(host, {"save", name});
    EXPECT_EQ(answer.status, 0) << answer.err;
    EXPECT_THAT(answer.out, HasSubstr("1 partitions, 2 disks and NICs, 0 VFs\n"));
    EXPECT_THAT(answer.out, HasSubstr("web/d1: /dev/nvme0n1p2 has no name in /dev/disk/by-id/"));
    std::string text = content(name);
    EXPECT_THAT(text, HasSubstr("/dev/disk/by-id/nvme-Fast_1-part1"));
    EXPECT_THAT(text, Not(HasSubstr("nvme0n1p1")));
    EXPECT_THAT(lparctl(host, {"save", "-"}).out, testing::Eq(text));
    // another name of the same device is no difference
    EXPECT_EQ(lparctl(host, {"diff", name}).status, 0);
    EXPECT_EQ(std::distance(std::filesystem::directory_iterator(host.path() + "/new folder"), {}),
              1);
    answer = lparctl(host, {"save", "/proc/lpar.toml"});
    EXPECT_EQ(answer.status, 1);
    EXPECT_THAT(answer.err, HasSubstr("/proc/lpar.toml: "));
}

// Nobody would notice before the next boot.
TEST_F(SavedTest, WhatCouldNotBeReadIsNotSaved) {
    ASSERT_EQ(apply(simple).status, 0);
    std::string name = host.path() + "/saved.toml";
    ASSERT_EQ(lparctl(host, {"save", name}).status, 0);
    std::string before = content(name);
    for (const std::string device : {"/dev/disk/\xff", "/dev/disk/a\x01'\"\\z"}) {
        host.put(std::string(configfs_partitions) + "web/disks/d0/device", device + "\n");
        Answer answer = lparctl(host, {"save", name});
        if (answer.status == 0)
            EXPECT_EQ(parse_saved(content(name), "f").at(0).disks.at(0).device, device);
        else
            EXPECT_EQ(content(name), before) << answer.err;
    }
}

// The answer is there before the interrupt ends the program.
struct InterruptedHost : FakeHost {
    int write(const std::string &name, const std::string &text) override {
        if (name.ends_with("/memory_limit"))
            ::raise(SIGINT);
        return FakeHost::write(name, text);
    }
};
std::ostringstream *heard = nullptr;
std::string heard_first;

TEST(Saved, AnInterruptComesAfterTheAnswer) {
    InterruptedHost host;
    std::string name = host.path() + "/lpar.toml";
    std::ofstream(name) << "[partitions.a]\nmemory = '1G'\n[partitions.b]\n";
    std::ostringstream out;
    std::ostringstream err;
    heard = &out;
    auto before = std::signal(SIGINT, [](int) { heard_first = heard->str(); });
    const char *argv[] = {"lparctl", "apply", name.c_str()};
    EXPECT_EQ(run_command_line(3, argv, host, out, err, false), 0) << err.str();
    std::signal(SIGINT, before);
    EXPECT_EQ(heard_first, "+ partition a: memory 1G\n+ partition b\n");
}

// ------------------------------------------------------------------------- VFs

const std::string with_vfs = "[partitions.db]\n"
                             "[[partitions.db.vfs]]\nadapter = '0000:03:00.0'\n"
                             "[partitions.web]\n"
                             "[[partitions.web.vfs]]\nadapter = '0000:03:00.0'\nnumber = 2\n";

class SavedVfs : public SavedTest {
  protected:
    std::string driver(unsigned index) const {
        return base_name(host.resolve(pci_devices + vf_name(index) + "/driver").value_or(""));
    }

    // Nothing of it is left, as after a boot: neither partitions nor VFs.
    void boot() {
        ASSERT_EQ(host.write(std::string(pci_devices) + pf + "/sriov_numvfs", "0"), 0);
        host.erase("/run/lpar");
        host.erase(configfs_partitions);
        host.directory(configfs_partitions);
    }

    void open_vf(unsigned index) {
        host.put("/proc/77/comm", "qemu\n");
        host.put("/dev/vfio/" + vf_name(index), "");
        host.link("/proc/77/fd/9", "/dev/vfio/" + vf_name(index));
    }

    std::optional<std::string> count() const {
        return host.read(std::string(pci_devices) + pf + "/sriov_numvfs");
    }
};

TEST_F(SavedVfs, AreAssignedAndThenNothing) {
    Answer answer = lparctl(host, {"diff", file(with_vfs)});
    EXPECT_EQ(answer.status, 1);
    EXPECT_FALSE(host.has("/run/lpar"));
    EXPECT_EQ(count(), "0");
    answer = apply(with_vfs);
    EXPECT_EQ(answer.err, "");
    EXPECT_EQ(answer.out, "+ partition db\n+ partition web\n+ vfs db/0000:03:00.0: number 1\n"
                          "+ vfs web/0000:03:00.0: number 2\n");
    EXPECT_EQ(count(), "3");
    for (unsigned i : {0, 1, 2})
        EXPECT_EQ(driver(i), "vfio-pci");
    auto taken = read_iov_state(host);
    answer = apply(with_vfs, {"--prune"});
    EXPECT_EQ(answer.out + answer.err, "");
    EXPECT_EQ(read_iov_state(host), taken);
    EXPECT_EQ(lparctl(host, {"diff", file(with_vfs), "--prune"}).status, 0);
}

// Guests know their VFs by address.
TEST_F(SavedVfs, AreTheSameOnesAfterABoot) {
    for (const auto *name : {"web", "db", "zoo"})
        ASSERT_EQ(lparctl(host, {"partition", "create", name}).status, 0);
    ASSERT_EQ(lparctl(host, {"iov", "assign", "zoo=1", "--adapter", pf, "--vfs", "4"}).status, 0);
    ASSERT_EQ(lparctl(host, {"iov", "assign", "web=1", "db=1", "--adapter", pf}).status, 0);
    ASSERT_EQ(lparctl(host, {"iov", "release", "zoo"}).status, 0);
    auto owners = [&] { return lparctl(host, {"iov", "list"}).out; };
    std::string before = owners();
    EXPECT_THAT(before, HasSubstr("0000:03:00.2  web"));
    std::string name = host.path() + "/saved.toml";
    Answer answer = lparctl(host, {"save", name});
    EXPECT_THAT(answer.out, HasSubstr("3 partitions, 0 disks and NICs, 2 VFs\n"));
    EXPECT_THAT(content(name), HasSubstr("functions = [ '0000:03:00.2' ]"));
    EXPECT_THAT(content(name), HasSubstr("total = 4"));
    boot();
    EXPECT_THAT(owners(), Not(HasSubstr("web")));
    answer = lparctl(host, {"apply", name});
    EXPECT_EQ(answer.err, "");
    EXPECT_EQ(owners(), before);
    EXPECT_EQ(lparctl(host, {"diff", name, "--prune"}).out, "");
}

TEST_F(SavedVfs, OfNoPartitionAreNotSaved) {
    ASSERT_EQ(apply(with_vfs).status, 0);
    host.erase(configfs_partitions + std::string("db"));
    std::string name = host.path() + "/saved.toml";
    Answer answer = lparctl(host, {"save", name});
    EXPECT_THAT(answer.out, HasSubstr("1 partitions, 0 disks and NICs, 2 VFs\n"
                                      "db has VFs of 0000:03:00.0, and there is no such"));
    EXPECT_THAT(content(name), Not(HasSubstr("db")));
    EXPECT_EQ(lparctl(host, {"diff", name, "--prune"}).out, "- vfs db/0000:03:00.0\n");
}

TEST_F(SavedVfs, ARefusalHasAPlace) {
    Answer answer = apply(with_vfs + "total = 9\n");
    EXPECT_EQ(answer.status, 1);
    EXPECT_EQ(answer.out, "+ partition db\n+ partition web\n");
    EXPECT_THAT(answer.err, HasSubstr("vfs db/0000:03:00.0: "));
    EXPECT_THAT(answer.err, HasSubstr("lpar.toml:2:1: 9 VFs: 0000:03:00.0 can have 8 at most"));
    EXPECT_THAT(answer.err, HasSubstr("lpar.toml:5:1: not done, as another one of 0000:03:00.0"));
    EXPECT_THAT(read_iov_state(host), IsEmpty());
    answer = apply(with_vfs + "queues = 2\n");
    EXPECT_THAT(answer.err, HasSubstr("lpar.toml:5:1: 0000:03:00.0 is of type other: queues"));
    EXPECT_THAT(answer.err, HasSubstr("lpar.toml:2:1: not done"));
    answer = apply("[[partitions.db.vfs]]\nadapter = '0000:09:00.0'\n");
    EXPECT_THAT(answer.err, HasSubstr("lpar.toml:1:1: 0000:09:00.0 is no SR-IOV adapter"));
    EXPECT_EQ(count(), "0");
    // the others of the adapter have theirs
    host.fail = {{"mkdir x", ENOMEM}};
    answer = apply(with_vfs + "[[partitions.x.vfs]]\nadapter = '0000:03:00.0'\n");
    EXPECT_THAT(answer.err, HasSubstr("vfs x/0000:03:00.0: its partition could not be made"));
    EXPECT_EQ(count(), "3");
}

TEST_F(SavedVfs, WhatFailsIsUndone) {
    host.fail = {{std::string("write /sys/bus/pci/drivers/vfio-pci/bind=") + vf_name(2), EIO}};
    Answer answer = apply(with_vfs);
    EXPECT_EQ(answer.status, 1);
    EXPECT_THAT(answer.err, HasSubstr("vfio-pci/bind: Input/output error"));
    EXPECT_EQ(count(), "0");
    EXPECT_THAT(read_iov_state(host), IsEmpty());
    // a change: as it was
    std::string fewer = with_vfs;
    fewer.replace(fewer.find("number = 2"), 10, "number = 1");
    ASSERT_EQ(apply(fewer).err, "");
    EXPECT_EQ(count(), "2");
    answer = lparctl(host, {"diff", file(with_vfs)});
    EXPECT_EQ(answer.out, "~ vfs db/0000:03:00.0: total 2 -> 3\n"
                          "~ vfs web/0000:03:00.0: number 1 -> 2, total 2 -> 3\n");
    answer = apply(with_vfs);
    EXPECT_EQ(answer.status, 1);
    EXPECT_THAT(answer.err, HasSubstr("vfio-pci/bind: Input/output error"));
    EXPECT_THAT(answer.err, Not(HasSubstr("as it was it could not")));
    EXPECT_EQ(lparctl(host, {"diff", file(fewer), "--prune"}).out, "");
    host.fail.clear();
    EXPECT_EQ(apply(with_vfs).err, "");
    EXPECT_EQ(lparctl(host, {"diff", file(with_vfs), "--prune"}).out, "");
    EXPECT_EQ(count(), "3");
}

TEST_F(SavedVfs, InUseTheyStay) {
    ASSERT_EQ(apply(with_vfs).status, 0);
    open_vf(0);
    std::string more = with_vfs + "total = 4\n";
    Answer answer = apply(more);
    EXPECT_EQ(answer.status, 1);
    EXPECT_THAT(answer.err, HasSubstr("0000:03:00.1 is in use by process 77 (qemu)"));
    EXPECT_THAT(answer.err, HasSubstr("lpar.toml:5:1: not done, as another one"));
    EXPECT_EQ(lparctl(host, {"diff", file(with_vfs), "--prune"}).out, "");
    // web's go, db's and so db itself do not
    answer = apply("[partitions]", {"--prune"});
    EXPECT_EQ(answer.status, 1);
    EXPECT_EQ(answer.out, "- vfs web/0000:03:00.0\n- partition web\n");
    EXPECT_THAT(answer.err, HasSubstr("partition db: it has VFs that could not be released"));
    host.erase("/proc/77");
    answer = apply("[partitions]", {"--prune"});
    EXPECT_EQ(answer.out, "- vfs db/0000:03:00.0\n- partition db\n") << answer.err;
    EXPECT_EQ(count(), "0");
    EXPECT_THAT(read_iov_state(host), IsEmpty());
    // of a running guest, that would lose it
    host.put(iov_state_file,
             format_iov_state({{IovStep::Kind::claim, pf, vf_name(0), "", "web"},
                               {IovStep::Kind::plug, pf, vf_name(0), "", "/run/web.qmp"}}));
    answer = apply("[partitions]", {"--prune"});
    EXPECT_THAT(answer.err, HasSubstr("0000:03:00.1 is plugged into a guest"));
}

TEST_F(SavedVfs, WithoutTheirDriverTheyAreMadeAnew) {
    ASSERT_EQ(apply(with_vfs).status, 0);
    ASSERT_EQ(host.write("/sys/bus/pci/drivers/vfio-pci/unbind", vf_name(0)), 0);
    EXPECT_EQ(lparctl(host, {"diff", file(with_vfs)}).out,
              "~ vfs db/0000:03:00.0: driver none -> vfio-pci\n");
    EXPECT_EQ(apply(with_vfs).err, "");
    EXPECT_EQ(driver(0), "vfio-pci");
    // what could not be assigned anew is not forgotten
    std::string link = *host.resolve(std::string(pci_devices) + pf) + "/driver";
    host.erase(link);
    ASSERT_EQ(host.write("/sys/bus/pci/drivers/vfio-pci/unbind", vf_name(0)), 0);
    auto taken = read_iov_state(host);
    EXPECT_THAT(apply(with_vfs).err, HasSubstr("2:1: 0000:03:00.0: no driver has it"));
    EXPECT_EQ(read_iov_state(host), taken);
    host.link(link, "/sys/bus/pci/drivers/own");
    // somebody took all VFs away
    ASSERT_EQ(host.write(std::string(pci_devices) + pf + "/sriov_numvfs", "0"), 0);
    EXPECT_THAT(lparctl(host, {"diff", file(with_vfs)}).out, HasSubstr("driver gone -> vfio-pci"));
    EXPECT_EQ(apply(with_vfs).err, "");
    EXPECT_EQ(count(), "3");
    EXPECT_EQ(lparctl(host, {"diff", file(with_vfs), "--prune"}).out, "");
}

TEST_F(SavedVfs, ApplyWaitsForTheAdapter) {
    std::string link = *host.resolve(std::string(pci_devices) + pf) + "/driver";
    host.erase(link);
    EXPECT_THAT(apply(with_vfs).err, HasSubstr("0000:03:00.0: no driver has it"));
    host.on_sleep = [&] {
        // who assigns meanwhile need not wait for it
        int lock = ::open((host.real_path(iov_state_file) + ".lock").c_str(), O_RDWR | O_CLOEXEC);
        EXPECT_EQ(::flock(lock, LOCK_EX | LOCK_NB), 0);
        ::close(lock);
        host.link(link, "/sys/bus/pci/drivers/own");
    };
    EXPECT_EQ(apply(with_vfs, {"--wait", "5"}).err, "");
    EXPECT_EQ(count(), "3");
}

// What the fake machine does not have: an adapter whose VFs have settings.
TEST_F(SavedVfs, GoWithTheirPartitionOrKeepIt) {
    ASSERT_EQ(apply(with_vfs).status, 0);
    Answer answer = lparctl(host, {"partition", "delete", "db"});
    EXPECT_EQ(answer.status, 1);
    EXPECT_THAT(answer.err, HasSubstr("partition 'db' has VFs (" + vf_name(0) +
                                      "): lparctl iov release db, or --force all"));
    open_vf(0);
    answer = lparctl(host, {"partition", "delete", "db", "--force", "all"});
    EXPECT_THAT(answer.err, HasSubstr(vf_name(0) + " is in use by"));
    EXPECT_TRUE(host.exists(configfs_partitions + std::string("db")));
    host.erase("/proc/77");
    host.attach("db", 4711);
    EXPECT_EQ(lparctl(host, {"partition", "delete", "db", "--force", "all"}).status, 1);
    EXPECT_EQ(driver(0), "vfio-pci");
    host.put(state_partitions + std::string("db/attached"), "0\n");
    answer = lparctl(host, {"partition", "delete", "db", "--force", "all"});
    EXPECT_EQ(answer.err, "");
    EXPECT_FALSE(host.exists(configfs_partitions + std::string("db")));
    EXPECT_EQ(driver(0), "");
    EXPECT_EQ(driver(1), "vfio-pci");
}

// From any configuration to any other: then there is no difference, and save says the same.
RC_GTEST_PROP(Saved, ApplyLeadsThere, ()) {
    FakeHost host;
    host.knows_mailboxes = true;
    host.add_nvme(0, "0000:01:00.0", 2);
    host.add_nic("eth0", "0000:02:00.0");
    host.add_sriov(pf, 8);
    std::string name = host.path() + "/lpar.toml";
    for (int i = 0; i < 2; i++) {
        auto images = some_images(host.path());
        std::string text = format_saved(some_wish(false), images);
        std::ofstream(name, std::ios::binary | std::ios::trunc) << text;
        Answer answer = lparctl(host, {"apply", name, "--prune"});
        RC_LOG() << text << answer.out;
        RC_ASSERT(answer.err.empty());
        answer = lparctl(host, {"diff", name, "--prune"});
        RC_ASSERT(answer.out.empty());
        RC_ASSERT(answer.status == 0);
        RC_ASSERT(host.list(configfs_images).size() == images.size());
        for (const auto &image : images)
            RC_ASSERT(host.read(configfs_images + image.name + "/global") ==
                      (image.global ? "1" : "0"));
        Answer saved = lparctl(host, {"save", "-"});
        std::ofstream(name, std::ios::binary | std::ios::trunc) << saved.out;
        RC_ASSERT(lparctl(host, {"diff", name, "--prune"}).status == 0);
        RC_ASSERT(lparctl(host, {"apply", name, "--prune"}).out.empty());
    }
}

} // namespace

} // namespace lpar
