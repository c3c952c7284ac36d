// SPDX-License-Identifier: GPL-2.0
// What the changing commands do to configfs, and that they leave nothing behind when they fail.
#include <cerrno>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "fake.h"
#include "paths.h"

namespace lpar {

namespace {

using test::Answer;
using test::FakeHost;
using test::lparctl;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using Json = nlohmann::json;

const std::string web = std::string(configfs_partitions) + "web";

class ConfigTest : public testing::Test {
  protected:
    ConfigTest() {
        host.add_nvme(0, "0000:01:00.0", 2);
        EXPECT_EQ(lparctl(host, {"partition", "create", "web"}).status, 0);
        host.log.clear();
    }

    Answer add(std::vector<std::string> more = {}) {
        std::vector<std::string> words{"disk", "add", "web", "/dev/nvme0n1p1"};
        words.insert(words.end(), more.begin(), more.end());
        return lparctl(host, words);
    }

    FakeHost host;
};

// ------------------------------------------------------------------ partitions

TEST_F(ConfigTest, CreateSetsWhatWasAskedFor) {
    Answer answer = lparctl(host, {"partition", "create", "db", "--memory", "512M", "--quantum",
                                   "2ms", "--owner", "1000"});
    EXPECT_EQ(answer.status, 0) << answer.err;
    EXPECT_EQ(answer.out, "");
    EXPECT_THAT(host.log, ElementsAre("mkdir db", "write db/memory_limit=536870912",
                                      "write db/quantum_limit_us=2000", "write db/owner=1000"));
}

TEST_F(ConfigTest, CreateAnswersInJson) {
    Answer answer = lparctl(host, {"partition", "create", "db", "-j"});
    Json json = Json::parse(answer.out);
    EXPECT_EQ(json["name"], "db");
    EXPECT_EQ(json["memory_limit"], 268435456);
    EXPECT_EQ(json["owner_name"], "root");
    EXPECT_EQ(json["pid"], nullptr);
    EXPECT_THAT(json["disks"], IsEmpty());
}

TEST_F(ConfigTest, CreateIsUndone) {
    for (const auto *step :
         {"write db/memory_limit=1024", "write db/quantum_limit_us=100", "write db/owner=0"}) {
        host.fail = {{step, EINVAL}};
        Answer answer = lparctl(host, {"partition", "create", "db", "--memory", "1K", "--quantum",
                                       "100us", "--owner", "root"});
        EXPECT_EQ(answer.status, 1);
        EXPECT_THAT(answer.err, HasSubstr("the kernel does not take this value"));
        EXPECT_EQ(host.log.back(), "rmdir db");
        EXPECT_FALSE(host.has(std::string(configfs_partitions) + "db"));
    }
}

TEST_F(ConfigTest, CreateTwiceKeepsTheFirst) {
    Answer answer = lparctl(host, {"partition", "create", "web"});
    EXPECT_EQ(answer.status, 1);
    EXPECT_EQ(answer.err, "lparctl: partition create: partition 'web' exists already: lparctl "
                          "partition show web\n");
    EXPECT_TRUE(host.has(web));
    EXPECT_THAT(host.log, ElementsAre("mkdir web"));
}

TEST_F(ConfigTest, CreateRefusesNonsenseBeforeDoingAnything) {
    for (const auto &words :
         std::vector<std::vector<std::string>>{{"a/b"},
                                               {"x", "--memory", "lots"},
                                               {"x", "--quantum", "99us"},
                                               {"x", "--quantum", "2s"},
                                               {"x", "--owner", "nobody-like-that"},
                                               {},
                                               {"x", "--size", "1G"}}) {
        std::vector<std::string> all{"partition", "create"};
        all.insert(all.end(), words.begin(), words.end());
        Answer answer = lparctl(host, all);
        EXPECT_EQ(answer.status, 2);
        EXPECT_THAT(answer.err, testing::StartsWith("lparctl: partition create: "));
        EXPECT_EQ(answer.out, "");
    }
    EXPECT_THAT(host.log, IsEmpty());
}

TEST_F(ConfigTest, DeleteEmpty) {
    EXPECT_EQ(lparctl(host, {"partition", "delete", "web"}).status, 0);
    EXPECT_FALSE(host.has(web));
}

TEST_F(ConfigTest, DeleteRefusesDisksAndClients) {
    ASSERT_EQ(add().status, 0);
    Answer answer = lparctl(host, {"partition", "delete", "web"});
    EXPECT_EQ(answer.status, 1);
    EXPECT_THAT(answer.err, HasSubstr("has disks (d0)"));

    host.attach("web", 4711);
    host.log.clear();
    answer = lparctl(host, {"partition", "delete", "web", "--force", "disks"});
    EXPECT_EQ(answer.status, 1);
    EXPECT_THAT(answer.err, HasSubstr("is attached by process 4711: shut that virtual machine"));
    EXPECT_THAT(host.log, IsEmpty());
}

TEST_F(ConfigTest, DeleteForced) {
    ASSERT_EQ(add().status, 0);
    ASSERT_EQ(lparctl(host, {"disk", "add", "web", "/dev/nvme0n1p2"}).status, 0);
    host.log.clear();
    Answer answer = lparctl(host, {"partition", "delete", "web", "--force", "disks", "-j"});
    EXPECT_EQ(answer.status, 0) << answer.err;
    EXPECT_EQ(Json::parse(answer.out), Json({{"deleted", "web"}}));
    EXPECT_THAT(host.log, ElementsAre("write web/disks/d0/enable=0", "write web/disks/d1/enable=0",
                                      "rmdir web/disks/d0", "rmdir web/disks/d1", "rmdir web"));
}

TEST_F(ConfigTest, DeleteForcedIsUndoneIfADiskStays) {
    ASSERT_EQ(add().status, 0);
    ASSERT_EQ(lparctl(host, {"disk", "add", "web", "/dev/nvme0n1p2"}).status, 0);
    host.log.clear();
    host.fail = {{"write web/disks/d1/enable=0", EBUSY}};
    Answer answer = lparctl(host, {"partition", "delete", "web", "--force", "disks"});
    EXPECT_EQ(answer.status, 1);
    EXPECT_THAT(host.log, ElementsAre("write web/disks/d0/enable=0", "write web/disks/d1/enable=0",
                                      "write web/disks/d0/enable=1"));
    EXPECT_EQ(host.read(web + "/disks/d0/enable"), "1");
}

TEST_F(ConfigTest, ClientThatAttachesDuringDelete) {
    host.fail = {{"rmdir web", EBUSY}};
    Answer answer = lparctl(host, {"partition", "delete", "web"});
    EXPECT_EQ(answer.status, 1);
    EXPECT_THAT(answer.err, HasSubstr("resource busy"));
}

// ----------------------------------------------------------------------- disks

TEST_F(ConfigTest, AddSetsThenEnables) {
    Answer answer = add({"--name", "data", "--start", "2048s", "--size", "512M", "--read-only",
                         "--queues", "4", "--serial", "X1", "--mode", "page"});
    EXPECT_EQ(answer.status, 0) << answer.err;
    EXPECT_EQ(answer.out, "web data: tag: nvme is qualified\n");
    EXPECT_THAT(host.log,
                ElementsAre("mkdir web/disks/data", "write web/disks/data/device=/dev/nvme0n1p1",
                            "write web/disks/data/start=1048576",
                            "write web/disks/data/size=536870912",
                            "write web/disks/data/read_only=1", "write web/disks/data/queues=4",
                            "write web/disks/data/serial=X1", "write web/disks/data/mode=page",
                            "write web/disks/data/enable=1"));
}

TEST_F(ConfigTest, AddTakesTheFirstFreeName) {
    host.fail = {{"mkdir web/disks/d0", EEXIST}};
    Json json = Json::parse(add({"--json"}).out);
    EXPECT_EQ(json["name"], "d1");
    EXPECT_EQ(json["actual_mode"], "tag");
    EXPECT_EQ(json["enabled"], true);
    EXPECT_EQ(json["sectors"], 2097152);
    EXPECT_EQ(json["serial"], nullptr);
}

// The heart of it: whichever step fails, nothing is left, and only our own is taken away.
TEST_F(ConfigTest, AddIsUndoneWhicheverStepFails) {
    std::vector<std::string> options{"--name", "x",           "--start",  "1M", "--size",
                                     "1M",     "--read-only", "--queues", "1",  "--serial",
                                     "S",      "--mode",      "tag"};
    ASSERT_EQ(add(options).status, 0);
    std::vector<std::string> steps = host.log;
    ASSERT_EQ(steps.size(), 9u);
    ASSERT_EQ(lparctl(host, {"disk", "remove", "web", "x"}).status, 0);

    for (const auto &step : steps) {
        for (int error : {EINVAL, EBUSY, EIO, ENOENT, ENOMEM}) {
            host.log.clear();
            host.fail = {{step, error}};
            host.refusal = "the adapter sulks: comfort it";
            Answer answer = add(options);
            EXPECT_EQ(answer.status, 1) << step;
            EXPECT_EQ(answer.out, "");
            EXPECT_THAT(answer.err, testing::StartsWith("lparctl: disk add: "));
            EXPECT_FALSE(host.has(web + "/disks/x")) << step;
            bool made = step != steps.front();
            EXPECT_EQ(host.log.back(), made ? "rmdir web/disks/x" : step);
        }
    }
}

TEST_F(ConfigTest, AddThatCannotBeUndoneSaysSo) {
    host.fail = {{"write web/disks/d0/enable=1", EIO}, {"rmdir web/disks/d0", EBUSY}};
    host.refusal = "the adapter sulks: comfort it";
    EXPECT_EQ(add().err,
              "lparctl: disk add: /dev/nvme0n1p1: the adapter sulks: comfort it; the new "
              "disk 'd0' could not be taken back: Device or resource busy\n");
}

TEST_F(ConfigTest, AddDoesNotTouchAnExistingDisk) {
    ASSERT_EQ(add({"--name", "x"}).status, 0);
    host.log.clear();
    Answer answer = lparctl(host, {"disk", "add", "web", "/dev/nvme0n1p2", "--name", "x"});
    EXPECT_EQ(answer.status, 1);
    EXPECT_THAT(answer.err, HasSubstr("has a disk 'x' already"));
    EXPECT_THAT(host.log, ElementsAre("mkdir web/disks/x"));
    EXPECT_EQ(host.read(web + "/disks/x/enable"), "1");
}

class BusyTest : public ConfigTest {
  protected:
    std::string message(const std::string &device = "/dev/nvme0n1p1") {
        host.fail = {{"write web/disks/d0/enable=1", EBUSY}};
        host.refusal = "in use: free it";
        Answer answer = lparctl(host, {"disk", "add", "web", device});
        EXPECT_EQ(answer.status, 1);
        EXPECT_FALSE(host.has(web + "/disks/d0"));
        return answer.err;
    }
};

TEST_F(BusyTest, Mounted) {
    host.mount("259:1", "/data", "/dev/nvme0n1p1");
    EXPECT_EQ(message(), "lparctl: disk add: /dev/nvme0n1p1 is mounted on /data: unmount it, or "
                         "choose another\n");
}

TEST_F(BusyTest, PartitionOfTheDisk) {
    host.mount("259:1", "/data", "/dev/nvme0n1p1");
    EXPECT_EQ(
        message("/dev/nvme0n1"),
        "lparctl: disk add: /dev/nvme0n1 is in use: its partition /dev/nvme0n1p1 is mounted on "
        "/data: unmount it, or choose another\n");
}

TEST_F(BusyTest, DiskOfThePartition) {
    host.add_virtual_disk("md0", 8);
    host.directory("/sys/class/block/md0/md");
    host.add_holder("nvme0n1", "md0");
    EXPECT_EQ(message(), "lparctl: disk add: /dev/nvme0n1p1 is in use: its disk /dev/nvme0n1 is a "
                         "member of the RAID array md0: stop the array (mdadm --stop), or choose "
                         "another\n");
}

TEST_F(BusyTest, Swap) {
    host.put("/proc/swaps", "F T\n/dev/nvme0n1p1 partition 1 0 -2\n");
    EXPECT_THAT(message(), HasSubstr("/dev/nvme0n1p1 is used as swap: swapoff it, or"));
}

TEST_F(BusyTest, DiskOfAnotherPartition) {
    ASSERT_EQ(lparctl(host, {"partition", "create", "db"}).status, 0);
    ASSERT_EQ(lparctl(host, {"disk", "add", "db", "/dev/nvme0n1"}).status, 0);
    EXPECT_THAT(message(), HasSubstr("/dev/nvme0n1p1 is in use: its disk /dev/nvme0n1 is already "
                                     "shared as db/d0: lparctl disk remove db d0, or choose "
                                     "another"));
}

TEST_F(BusyTest, OverlappingRange) {
    ASSERT_EQ(lparctl(host, {"partition", "create", "db"}).status, 0);
    ASSERT_EQ(lparctl(host, {"disk", "add", "db", "/dev/nvme0n1p1"}).status, 0);
    EXPECT_THAT(message(), HasSubstr("/dev/nvme0n1p1: in use: free it: choose another range "
                                     "(--start, --size; see lparctl disk list), or another"));
}

TEST_F(BusyTest, OpenInAProgram) {
    host.put("/proc/42/comm", "mkfs.ext4\n");
    host.link("/proc/42/fd/3", "/dev/nvme0n1p1");
    EXPECT_THAT(message(), HasSubstr("is open in mkfs.ext4 (pid 42): end that"));
}

TEST_F(BusyTest, Attached) {
    host.attach("web", 7);
    EXPECT_THAT(message(), HasSubstr("partition 'web' is attached by process 7"));
}

TEST_F(BusyTest, OtherwiseTheKernelsWords) {
    EXPECT_THAT(message(), HasSubstr("/dev/nvme0n1p1: in use: free it"));
}

TEST_F(ConfigTest, AddChecksTheRange) {
    struct {
        std::vector<std::string> options;
        const char *message;
    } cases[] = {
        {{"--start", "1G"}, "--start 1073741824: /dev/nvme0n1p1 has only 1073741824 bytes"},
        {{"--start", "512M", "--size", "513M"}, "has only 536870912 bytes behind byte 536870912"},
        {{"--size", "16383P"}, "has only 1073741824 bytes behind byte 0"},
        {{"--start", "100"}, "whole blocks of 512 bytes"},
        {{"--size", "513"}, "whole blocks of 512 bytes"},
    };
    for (const auto &one : cases) {
        Answer answer = add(one.options);
        EXPECT_EQ(answer.status, 1);
        EXPECT_THAT(answer.err, HasSubstr(one.message));
    }
    EXPECT_THAT(host.log, IsEmpty());
    EXPECT_EQ(add({"--start", "512M", "--size", "512M"}).status, 0);
}

TEST_F(ConfigTest, AddUsageErrors) {
    for (const auto &options : std::vector<std::vector<std::string>>{{"--mode", "fast"},
                                                                     {"--queues", "-1"},
                                                                     {"--queues", "many"},
                                                                     {"--serial", "a b"},
                                                                     {"--size", "0"},
                                                                     {"--size", "1.5G"},
                                                                     {"--name", "../x"},
                                                                     {"--nonsense"},
                                                                     {"extra"}}) {
        Answer answer = add(options);
        EXPECT_EQ(answer.status, 2) << options[0];
    }
    EXPECT_THAT(host.log, IsEmpty());
}

TEST_F(ConfigTest, AddNeedsPartitionAndDevice) {
    EXPECT_THAT(lparctl(host, {"disk", "add", "db", "/dev/nvme0n1"}).err,
                HasSubstr("there is no partition 'db': lparctl partition create db"));
    EXPECT_THAT(lparctl(host, {"disk", "add", "web", "/dev/null"}).err,
                HasSubstr("/dev/null is not a block device: see lparctl adapter list"));
    EXPECT_THAT(host.log, IsEmpty());
}

TEST_F(ConfigTest, DeadDisk) {
    ASSERT_EQ(add().status, 0);
    host.put(std::string(state_partitions) + "web/disks/d0/state", "dead\n");
    EXPECT_THAT(lparctl(host, {"disk", "list"}).out, HasSubstr("dead: its adapter is gone"));
    EXPECT_EQ(Json::parse(lparctl(host, {"disk", "list", "-j"}).out)["disks"][0]["dead"], true);
}

TEST_F(ConfigTest, RemoveDisablesFirst) {
    ASSERT_EQ(add().status, 0);
    host.log.clear();
    EXPECT_EQ(lparctl(host, {"disk", "remove", "web", "d0"}).status, 0);
    EXPECT_THAT(host.log, ElementsAre("write web/disks/d0/enable=0", "rmdir web/disks/d0"));
}

TEST_F(ConfigTest, RemoveOfAnAttachedOne) {
    ASSERT_EQ(add().status, 0);
    host.attach("web", 99);
    host.fail = {{"write web/disks/d0/enable=0", EBUSY}};
    Answer answer = lparctl(host, {"disk", "remove", "web", "d0"});
    EXPECT_EQ(answer.err, "lparctl: disk remove: disk 'd0': partition 'web' is attached by process "
                          "99: shut that virtual machine down first\n");
    EXPECT_TRUE(host.has(web + "/disks/d0"));
}

TEST_F(ConfigTest, RemoveIsUndone) {
    ASSERT_EQ(add().status, 0);
    host.log.clear();
    host.fail = {{"rmdir web/disks/d0", EBUSY}};
    EXPECT_EQ(lparctl(host, {"disk", "remove", "web", "d0"}).status, 1);
    EXPECT_THAT(host.log, ElementsAre("write web/disks/d0/enable=0", "rmdir web/disks/d0",
                                      "write web/disks/d0/enable=1"));
}

TEST_F(ConfigTest, RemoveOfWhatIsNotThere) {
    EXPECT_THAT(lparctl(host, {"disk", "remove", "web", "d7"}).err, HasSubstr("has no disk 'd7'"));
    EXPECT_THAT(lparctl(host, {"disk", "remove", "db", "d0"}).err,
                HasSubstr("there is no partition 'db'"));
    EXPECT_EQ(lparctl(host, {"disk", "remove", "..", "web"}).status, 2);
    EXPECT_EQ(lparctl(host, {"disk", "remove", "web", "../.."}).status, 2);
    EXPECT_THAT(host.log, IsEmpty());
}

// ------------------------------------------------------------------------ NICs

class NicTest : public ConfigTest {
  protected:
    NicTest() { host.add_nic("eth0", "0000:02:00.0"); }

    Answer add_nic(std::vector<std::string> more = {}) {
        std::vector<std::string> words{"nic", "add", "web", "--adapter", "eth0"};
        words.insert(words.end(), more.begin(), more.end());
        return lparctl(host, words);
    }
};

TEST_F(NicTest, AddSetsThenEnables) {
    Answer answer = lparctl(host, {"nic", "add", "web", "lan", "--adapter", "eth0", "--mac",
                                   "52:54:00:AB:CD:EF", "--vlan", "4094", "--max-rate", "100",
                                   "--queues", "4", "--trust", "--mode", "copy"});
    EXPECT_EQ(answer.status, 0) << answer.err;
    EXPECT_EQ(answer.out, "web lan: page: e1000e is not qualified\n");
    EXPECT_THAT(host.log,
                ElementsAre("mkdir web/nics/lan", "write web/nics/lan/adapter=eth0",
                            "write web/nics/lan/mac=52:54:00:ab:cd:ef",
                            "write web/nics/lan/vlan=4094", "write web/nics/lan/max_rate=100",
                            "write web/nics/lan/queues=4", "write web/nics/lan/trust=1",
                            "write web/nics/lan/mode=copy", "write web/nics/lan/enable=1"));
}

TEST_F(NicTest, AddWritesOnlyWhatWasAskedFor) {
    EXPECT_EQ(add_nic().status, 0);
    EXPECT_THAT(host.log, ElementsAre("mkdir web/nics/n0", "write web/nics/n0/adapter=eth0",
                                      "write web/nics/n0/enable=1"));
}

TEST_F(NicTest, AddTakesTheFirstFreeName) {
    ASSERT_EQ(add_nic().status, 0);
    Json json = Json::parse(add_nic({"-j"}).out);
    EXPECT_EQ(json["name"], "n1");
    EXPECT_EQ(json["adapter"], "eth0");
    EXPECT_EQ(json["mac"], "02:00:00:00:00:01"); // made by the kernel
    EXPECT_EQ(json["queues"], 0);
    EXPECT_EQ(json["trust"], false);
    EXPECT_EQ(json["mode"], "auto");
    EXPECT_EQ(json["actual_mode"], "page");
    EXPECT_EQ(json["actual_adapter"], "eth0");
    EXPECT_EQ(json["enabled"], true);
    EXPECT_EQ(json["link"], true);
}

TEST_F(NicTest, AddIsUndoneWhicheverStepFails) {
    std::vector<std::string> options{
        "x", "--mac", "52:54:00:00:00:01", "--queues", "1", "--trust", "--mode", "tag"};
    ASSERT_EQ(add_nic(options).status, 0);
    std::vector<std::string> steps = host.log;
    ASSERT_EQ(steps.size(), 7u);
    ASSERT_EQ(lparctl(host, {"nic", "remove", "web", "x"}).status, 0);

    for (const auto &step : steps) {
        for (int error : {EINVAL, EBUSY, EIO, ENOENT, ENOMEM}) {
            host.log.clear();
            host.fail = {{step, error}};
            host.refusal = "the adapter sulks: comfort it";
            Answer answer = add_nic(options);
            EXPECT_EQ(answer.status, 1) << step;
            EXPECT_EQ(answer.out, "");
            EXPECT_THAT(answer.err, testing::StartsWith("lparctl: nic add: "));
            EXPECT_FALSE(host.has(web + "/nics/x")) << step;
            bool made = step != steps.front();
            EXPECT_EQ(host.log.back(), made ? "rmdir web/nics/x" : step);
        }
    }
}

TEST_F(NicTest, AddSaysWhatTheKernelSays) {
    for (int error : {EIO, EBUSY}) {
        host.fail = {{"write web/nics/n0/enable=1", error}};
        host.refusal = "the adapter sulks: comfort it";
        EXPECT_EQ(add_nic().err, "lparctl: nic add: eth0: the adapter sulks: comfort it\n");
    }
    host.fail.emplace("rmdir web/nics/n0", EBUSY);
    EXPECT_EQ(add_nic().err, "lparctl: nic add: eth0: the adapter sulks: comfort it; the new nic "
                             "'n0' could not be taken back: Device or resource busy\n");
}

TEST_F(NicTest, AddWhileAttached) {
    host.attach("web", 7);
    host.fail = {{"mkdir web/nics/n0", EBUSY}};
    EXPECT_THAT(add_nic().err, HasSubstr("partition 'web' is attached by process 7"));
    host.fail = {{"write web/nics/n0/enable=1", EBUSY}};
    EXPECT_THAT(add_nic().err, HasSubstr("partition 'web' is attached by process 7"));
    host.fail = {{"write web/nics/n0/enable=1", EIO}};
    EXPECT_EQ(add_nic().err, "lparctl: nic add: eth0: Input/output error\n");
}

TEST_F(NicTest, AddDoesNotTouchAnExistingOne) {
    ASSERT_EQ(add_nic({"x"}).status, 0);
    host.log.clear();
    Answer answer = add_nic({"x"});
    EXPECT_EQ(answer.err, "lparctl: nic add: partition 'web' has a nic 'x' already: choose another "
                          "NAME, or lparctl nic remove web x\n");
    EXPECT_THAT(host.log, ElementsAre("mkdir web/nics/x"));
    EXPECT_EQ(host.read(web + "/nics/x/enable"), "1");
}

TEST_F(NicTest, AddNeedsPartitionAndInterface) {
    EXPECT_THAT(lparctl(host, {"nic", "add", "db", "--adapter", "eth0"}).err,
                HasSubstr("there is no partition 'db': lparctl partition create db"));
    host.put(std::string(net_class) + "bonding_masters", "\n");
    for (const auto *name : {"eth7", "bonding_masters"})
        EXPECT_EQ(lparctl(host, {"nic", "add", "web", "--adapter", name}).err,
                  "lparctl: nic add: there is no network interface '" + std::string(name) +
                      "': see lparctl adapter list\n");
    EXPECT_THAT(host.log, IsEmpty());
}

TEST_F(NicTest, AddUsageErrors) {
    for (const auto &options : std::vector<std::vector<std::string>>{{"--mode", "fast"},
                                                                     {"--queues", "-1"},
                                                                     {"--vlan", "0"},
                                                                     {"--vlan", "4095"},
                                                                     {"--max-rate", "-1"},
                                                                     {"--max-rate", "fast"},
                                                                     {"--mac", "52:54:00"},
                                                                     {"--mac", "01:00:5e:00:00:01"},
                                                                     {"--trust=maybe"},
                                                                     {"../x"},
                                                                     {"a b"},
                                                                     {"x", "extra"}}) {
        EXPECT_EQ(add_nic(options).status, 2) << options[0];
    }
    EXPECT_EQ(lparctl(host, {"nic", "add", "web"}).status, 2);
    EXPECT_EQ(lparctl(host, {"nic", "add", "web", "--adapter", "../eth0"}).status, 2);
    EXPECT_EQ(lparctl(host, {"nic", "add", "web", "--adapter", ""}).status, 2);
    EXPECT_THAT(host.log, IsEmpty());
}

TEST_F(NicTest, RemoveDisablesFirst) {
    ASSERT_EQ(add_nic().status, 0);
    host.log.clear();
    Answer answer = lparctl(host, {"nic", "remove", "web", "n0", "-j"});
    EXPECT_EQ(answer.status, 0) << answer.err;
    EXPECT_EQ(Json::parse(answer.out), Json({{"partition", "web"}, {"deleted", "n0"}}));
    EXPECT_THAT(host.log, ElementsAre("write web/nics/n0/enable=0", "rmdir web/nics/n0"));
}

TEST_F(NicTest, RemoveOfAnAttachedOne) {
    ASSERT_EQ(add_nic().status, 0);
    host.attach("web", 99);
    host.fail = {{"write web/nics/n0/enable=0", EBUSY}};
    EXPECT_EQ(lparctl(host, {"nic", "remove", "web", "n0"}).err,
              "lparctl: nic remove: nic 'n0': partition 'web' is attached by process 99: shut that "
              "virtual machine down first\n");
    EXPECT_TRUE(host.has(web + "/nics/n0"));
}

TEST_F(NicTest, RemoveIsUndone) {
    ASSERT_EQ(add_nic().status, 0);
    host.log.clear();
    host.fail = {{"rmdir web/nics/n0", EBUSY}};
    EXPECT_EQ(lparctl(host, {"nic", "remove", "web", "n0"}).status, 1);
    EXPECT_THAT(host.log, ElementsAre("write web/nics/n0/enable=0", "rmdir web/nics/n0",
                                      "write web/nics/n0/enable=1"));
}

TEST_F(NicTest, RemoveOfWhatIsNotThere) {
    EXPECT_THAT(lparctl(host, {"nic", "remove", "web", "n7"}).err,
                HasSubstr("has no nic 'n7': see lparctl nic list"));
    EXPECT_THAT(lparctl(host, {"nic", "remove", "db", "n0"}).err,
                HasSubstr("there is no partition 'db'"));
    EXPECT_EQ(lparctl(host, {"nic", "remove", "web", "../.."}).status, 2);
    EXPECT_EQ(lparctl(host, {"nic", "remove", "web"}).status, 2);
    EXPECT_THAT(host.log, IsEmpty());
}

TEST_F(NicTest, DeletePartition) {
    ASSERT_EQ(add_nic().status, 0);
    Answer answer = lparctl(host, {"partition", "delete", "web"});
    EXPECT_THAT(answer.err, HasSubstr("has nics (n0): lparctl nic remove them, or --force nics"));
    ASSERT_EQ(add().status, 0);
    answer = lparctl(host, {"partition", "delete", "web"});
    EXPECT_THAT(answer.err, HasSubstr("has disks (d0): lparctl disk remove them, or --force all"));
    answer = lparctl(host, {"partition", "delete", "web", "--force", "disks"});
    EXPECT_EQ(answer.status, 1);
    EXPECT_THAT(answer.err, HasSubstr("has nics (n0): lparctl nic remove them, or --force all"));
    EXPECT_EQ(lparctl(host, {"partition", "delete", "web", "--force", "nics"}).status, 1);

    host.log.clear();
    host.fail = {{"write web/nics/n0/enable=0", EBUSY}};
    EXPECT_EQ(lparctl(host, {"partition", "delete", "web", "--force", "all"}).status, 1);
    EXPECT_THAT(host.log, ElementsAre("write web/disks/d0/enable=0", "write web/nics/n0/enable=0",
                                      "write web/disks/d0/enable=1"));
    host.log.clear();
    host.fail.clear();
    EXPECT_EQ(lparctl(host, {"partition", "delete", "web", "--force", "all"}).status, 0);
    EXPECT_THAT(host.log, ElementsAre("write web/disks/d0/enable=0", "write web/nics/n0/enable=0",
                                      "rmdir web/disks/d0", "rmdir web/nics/n0", "rmdir web"));
}

TEST_F(NicTest, Lists) {
    ASSERT_EQ(add_nic().status, 0);
    ASSERT_EQ(add_nic({"lan", "--mac", "52:54:00:00:00:01", "--vlan", "7", "--max-rate", "100",
                       "--queues", "2", "--trust"})
                  .status,
              0);
    host.put(std::string(state_partitions) + "web/nics/n0/link", "0\n");
    EXPECT_EQ(
        lparctl(host, {"nic", "list"}).out,
        "PARTITION  NIC  ADAPTER  MAC                VLAN  LINK  RATE  QUEUES  TRUST  STATUS\n"
        "web        lan  eth0     52:54:00:00:00:01     7  up     100       2  yes    page: "
        "e1000e is not qualified\n"
        "web        n0   eth0     02:00:00:00:00:01     -  down     -    auto  no     page: "
        "e1000e is not qualified\n");
    host.put(std::string(state_partitions) + "web/nics/n0/state", "dead\n");
    Json json = Json::parse(lparctl(host, {"nic", "list", "web", "-j"}).out);
    EXPECT_EQ(json["nics"].size(), 2u);
    EXPECT_EQ(json["nics"][1]["dead"], true);
    EXPECT_EQ(json["nics"][1]["link"], false);
    EXPECT_THAT(lparctl(host, {"nic", "list"}).out, HasSubstr("dead: its adapter is gone"));
    EXPECT_THAT(lparctl(host, {"partition", "show", "web"}).out,
                HasSubstr("nic lan         eth0, 52:54:00:00:00:01, page: e1000e is not "
                          "qualified\n"));
    EXPECT_THAT(lparctl(host, {"partition", "list"}).out, HasSubstr("-      lan, n0\n"));
    json = Json::parse(lparctl(host, {"partition", "list", "-j"}).out);
    EXPECT_EQ(json["partitions"][0]["nics"][0]["name"], "lan");
    EXPECT_EQ(json["partitions"][0]["nics"][0]["trust"], true);
    EXPECT_EQ(lparctl(host, {"nic", "list", "db"}).status, 1);
}

TEST_F(NicTest, OlderModule) {
    host.knows_nics = false;
    ASSERT_EQ(lparctl(host, {"partition", "create", "old"}).status, 0);
    host.log.clear();
    for (const auto &words :
         std::vector<std::vector<std::string>>{{"nic", "add", "old", "--adapter", "eth0"},
                                               {"nic", "remove", "old", "n0"},
                                               {"nic", "list", "old"}}) {
        Answer answer = lparctl(host, words);
        EXPECT_EQ(answer.status, 1);
        EXPECT_EQ(answer.out, "");
        EXPECT_THAT(answer.err, HasSubstr("this lpar_host knows no NICs: load one that is as new "
                                          "as lparctl"));
    }
    EXPECT_THAT(host.log, IsEmpty());
    EXPECT_THAT(Json::parse(lparctl(host, {"partition", "show", "old", "-j"}).out)["nics"],
                IsEmpty());
}

// ------------------------------------------------------------------- the lists

TEST_F(ConfigTest, Lists) {
    ASSERT_EQ(add({"--start", "1M"}).status, 0);
    host.attach("web", 99);
    EXPECT_EQ(lparctl(host, {"partition", "list"}).out,
              "NAME  ATTACHED  OWNER  PINNED  LIMIT  QUANTUM  WINDOWS  DISKS  NICS\n"
              "web   pid 99    root        0   256M      1ms        0  d0     -\n");
    EXPECT_EQ(
        lparctl(host, {"disk", "list", "web"}).out,
        "PARTITION  DISK  DEVICE          RANGE         ACCESS      QUEUES  SERIAL  STATUS\n"
        "web        d0    /dev/nvme0n1p1  rest from 1M  read/write    auto  -       tag: nvme "
        "is qualified\n");
    EXPECT_EQ(lparctl(host, {"partition", "show", "web"}).out,
              "partition       web\n"
              "attached        pid 99\n"
              "owner           root\n"
              "memory limit    256M\n"
              "pinned          0\n"
              "windows         0\n"
              "quantum limit   1ms\n"
              "disk d0         /dev/nvme0n1p1, tag: "
              "nvme is qualified\n");
    Json json = Json::parse(lparctl(host, {"-j", "partition", "list"}).out);
    EXPECT_EQ(json["partitions"][0]["disks"][0]["start"], 1048576);
    EXPECT_EQ(json["partitions"][0]["pid"], 99);
    json = Json::parse(lparctl(host, {"disk", "list", "--json"}).out);
    EXPECT_EQ(json["disks"][0]["adapter"], "0000:01:00.0");
    EXPECT_EQ(lparctl(host, {"partition", "show", "db"}).status, 1);
    EXPECT_EQ(lparctl(host, {"disk", "list", "db"}).status, 1);
}

// ------------------------------------------------------------ what is required

TEST_F(ConfigTest, RootIsRequiredToChange) {
    host.privileged = false;
    for (const auto &words :
         std::vector<std::vector<std::string>>{{"partition", "create", "x"},
                                               {"partition", "delete", "web"},
                                               {"disk", "add", "web", "/dev/nvme0n1"},
                                               {"disk", "remove", "web", "d0"},
                                               {"nic", "add", "web", "--adapter", "eth0"},
                                               {"nic", "remove", "web", "n0"},
                                               {"adapter", "list"},
                                               {"adapter", "show", "/dev/nvme0n1"}}) {
        Answer answer = lparctl(host, words);
        EXPECT_EQ(answer.status, 1);
        EXPECT_THAT(answer.err,
                    HasSubstr("this needs root: sudo lparctl " + words[0] + " " + words[1]));
    }
    EXPECT_THAT(host.log, IsEmpty());
    EXPECT_EQ(lparctl(host, {"partition", "list"}).status, 0);
    EXPECT_EQ(lparctl(host, {"stat"}).status, 0);
}

TEST_F(ConfigTest, ModuleIsRequired) {
    host.erase(configfs_root);
    host.directory(std::string(configfs_mount) + "/nvmet");
    EXPECT_THAT(lparctl(host, {"partition", "list"}).err, HasSubstr("lpar is missing although"));
    host.erase(configfs_mount);
    EXPECT_THAT(lparctl(host, {"partition", "list"}).err,
                HasSubstr("configfs is not mounted: mount -t configfs none /sys/kernel/config"));
    host.erase(state_root);
    for (const auto &words :
         std::vector<std::vector<std::string>>{{"partition", "list"},
                                               {"partition", "create", "x"},
                                               {"disk", "list"},
                                               {"stat"},
                                               {"disk", "add", "web", "/dev/nvme0n1"},
                                               {"nic", "list"},
                                               {"nic", "add", "web", "--adapter", "eth0"},
                                               {"adapter", "list"}}) {
        Answer answer = lparctl(host, words);
        EXPECT_EQ(answer.status, 1);
        EXPECT_THAT(answer.err, HasSubstr("modprobe lpar_host"));
    }
}

} // namespace

} // namespace lpar
