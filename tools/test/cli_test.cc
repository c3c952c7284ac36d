// SPDX-License-Identifier: GPL-2.0
// Adapters, statistics, the doctor, and the command line itself.
#include <cerrno>
#include <cstring>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <map>
#include <nlohmann/json.hpp>
#include <zlib.h>

#include "fake.h"
#include "lpar/wire.h"
#include "paths.h"

namespace lpar {

namespace {

using test::Answer;
using test::FakeHost;
using test::lparctl;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;
using Json = nlohmann::json;

// --------------------------------------------------------------- command line

TEST(CommandLine, HelpAndVersion) {
    FakeHost host;
    Answer answer = lparctl(host, {"--version"});
    EXPECT_EQ(answer.status, 0);
    EXPECT_EQ(answer.out, "lparctl " LPARCTL_VERSION "\n");
    EXPECT_THAT(lparctl(host, {"--help"}).out, HasSubstr("doctor"));
    for (const auto &words : std::vector<std::vector<std::string>>{{"adapter", "list"},
                                                                   {"adapter", "show"},
                                                                   {"partition", "create"},
                                                                   {"partition", "show"},
                                                                   {"partition", "list"},
                                                                   {"partition", "delete"},
                                                                   {"disk", "add"},
                                                                   {"disk", "remove"},
                                                                   {"disk", "list"},
                                                                   {"nic", "add"},
                                                                   {"nic", "remove"},
                                                                   {"nic", "list"},
                                                                   {"stat"},
                                                                   {"doctor"}}) {
        auto asked = words;
        asked.emplace_back("--help");
        answer = lparctl(host, asked);
        EXPECT_EQ(answer.status, 0);
        EXPECT_EQ(answer.err, "");
        EXPECT_THAT(answer.out, HasSubstr("Examples:\n  lparctl " + words[0]));
        EXPECT_THAT(answer.out, HasSubstr("--json"));
    }
}

TEST(CommandLine, ComplaintsCommandNoTerminal) {
    FakeHost host;
    EXPECT_EQ(lparctl(host, {"partition", "show", "a\x1b[2J\nb"}).err.find('\x1b'),
              std::string::npos);
    EXPECT_EQ(lparctl(host, {"partition", "\x1b"}).err.find('\x1b'), std::string::npos);
}

TEST(CommandLine, NumbersAreDigits) {
    FakeHost host;
    auto refused = [&](const std::vector<std::string> &words, const std::string &said) {
        Answer answer = lparctl(host, words);
        EXPECT_EQ(answer.status, 2) << said;
        EXPECT_THAT(answer.err, HasSubstr(said));
    };
    refused({"stat", "-i", "nan"},
            "-interval: a number of seconds is wanted, 0.1 to 86400, not 'nan'");
    refused({"stat", "-i", "inf"}, "not 'inf'");
    refused({"stat", "-i", "1.2.3"}, "not '1.2.3'");
    refused({"stat", "-i", "."}, "not '.'");
    refused({"stat", "-i", "0"}, "0.1 to 86400");
    refused({"stat", "-i", "1", "-c", "0"}, "-count: a number is wanted, 1 or more, not '0'");
    refused({"stat", "-i", "1", "-c", "0x10"}, "not '0x10'");
    refused({"stat", "-i", "1", "-c", "18446744073709551616"}, "1 or more");
    refused({"apply", "--wait", "nan"}, "--wait: a number of seconds is wanted, 0 to 3600");
    refused({"disk", "add", "web", "/dev/x", "--queues", "0x10"}, "--queues: a number is wanted");
    refused({"nic", "add", "web", "--adapter", "e", "--vlan", "4095"}, "1 to 4094, not '4095'");
    refused({"nic", "add", "web", "--adapter", "e", "--max-rate", "4294967296"}, "--max-rate");
    refused({"iov", "assign", "web=1", "--namespaces", "1,0x2"}, "not '0x2'");
    refused({"iov", "grant", "0x7"}, "a number is wanted, not '0x7'");
    refused({"partition", "create", "web", "--adjuncts", "17"}, "0 to 16");
    ASSERT_EQ(lparctl(host, {"partition", "create", "web", "--adjuncts", "010"}).status, 0);
    EXPECT_EQ(Json::parse(lparctl(host, {"partition", "show", "-j", "web"}).out)["adjuncts"], 10);
}

TEST(CommandLine, Nonsense) {
    FakeHost host;
    for (const auto &words :
         std::vector<std::vector<std::string>>{{},
                                               {"nonsense"},
                                               {"disk"},
                                               {"disk", "nonsense"},
                                               {"disk", "remove", "web"},
                                               {"stat", "-c", "3"},
                                               {"stat", "-i", "0"},
                                               {"stat", "-i", "x"},
                                               {"stat", "-i", "1", "-c", "0"},
                                               {"partition", "delete", "web", "--force", "it"}}) {
        Answer answer = lparctl(host, words);
        EXPECT_EQ(answer.status, 2) << (words.empty() ? "" : words.back());
        EXPECT_EQ(answer.out, "");
        EXPECT_THAT(answer.err, StartsWith("lparctl: "));
    }
    EXPECT_THAT(lparctl(host, {"disk", "remove", "web"}).err,
                StartsWith("lparctl: disk remove: DISK is required: see lparctl disk remove"));
}

// -------------------------------------------------------------------- adapters

class AdapterTest : public testing::Test {
  protected:
    AdapterTest() {
        host.add_nvme(0, "0000:01:00.0", 1);
        auto tag = [](lpar_probe &probe) {
            probe.mode = LPAR_MODE_TAG;
            std::strcpy(probe.adapter, "0000:01:00.0");
            std::strcpy(probe.driver, "nvme");
            std::strcpy(probe.reason, "nvme is qualified");
            lpar_record record{LPAR_CAP_DEPTH, 32, 0};
            lpar_value value{2, 1024, 128};
            std::memcpy(probe.data, &record, sizeof(record));
            std::memcpy(probe.data + sizeof(record), &value, sizeof(value));
            probe.records = 32;
            return 0;
        };
        host.probes["/dev/nvme0n1"] = tag;
        host.probes["/dev/nvme0n1p1"] = tag;
    }
    FakeHost host;
};

TEST_F(AdapterTest, List) {
    host.mount("259:1", "/data", "/dev/nvme0n1p1");
    host.add_virtual_disk("loop0", 2048);
    Answer answer = lparctl(host, {"adapter", "list"});
    EXPECT_EQ(answer.status, 0) << answer.err;
    EXPECT_EQ(
        answer.out,
        "DEVICE          SIZE  MODEL           ADAPTER       DRIVER  MODE  IN USE       WHY\n"
        "/dev/loop0        1M  -               -             -       none  -            "
        "Operation not supported\n"
        "/dev/nvme0n1      4G  Fast Disk 9000  0000:01:00.0  nvme    tag   partitions   nvme is "
        "qualified\n"
        "/dev/nvme0n1p1    1G  Fast Disk 9000  0000:01:00.0  nvme    tag   mount /data  nvme is "
        "qualified\n");
    EXPECT_THAT(lparctl(host, {"adapter", "list"}, true).out, HasSubstr("\x1b[32mtag\x1b[0m"));
}

TEST_F(AdapterTest, ListJson) {
    host.mount("259:1", "/data", "/dev/nvme0n1p1");
    host.put("/sys/kernel/lpar/adapters/0000:01:00.0/state", "live\n");
    host.put("/sys/kernel/lpar/adapters/0000:01:00.0/driver", "nvme\n");
    host.put("/sys/kernel/lpar/adapters/0000:01:00.0/disks", "2\n");
    Json json = Json::parse(lparctl(host, {"adapter", "list", "-j"}).out);
    EXPECT_EQ(json["devices"].size(), 2u);
    EXPECT_EQ(json["devices"][1]["part_of"], "/dev/nvme0n1");
    EXPECT_EQ(json["devices"][1]["bytes"], 1 << 30);
    EXPECT_EQ(json["devices"][1]["in_use"][0]["kind"], "mount");
    EXPECT_EQ(json["devices"][1]["in_use"][0]["what"], "/data");
    EXPECT_EQ(json["adapters"][0]["state"], "live");
    EXPECT_EQ(json["adapters"][0]["disks"], 2);
    EXPECT_EQ(json["adapters"][0]["windows"], nullptr);
}

TEST_F(AdapterTest, Show) {
    Answer answer = lparctl(host, {"adapter", "show", "/dev/nvme0n1"});
    EXPECT_EQ(answer.status, 0) << answer.err;
    EXPECT_THAT(answer.out, HasSubstr("requests in one queue"));
    EXPECT_THAT(answer.out, HasSubstr("128, can be 2 to 1024\n"));
    Json json = Json::parse(lparctl(host, {"adapter", "show", "/dev/nvme0n1", "-j"}).out);
    EXPECT_EQ(json["capabilities"]["depth"]["value"], 128);
    EXPECT_EQ(json["capabilities"]["depth"]["max"], 1024);
    EXPECT_EQ(json["capabilities"]["depth"]["unit"], "count");
    EXPECT_EQ(lparctl(host, {"adapter", "show", "/dev/null"}).status, 1);
}

TEST_F(AdapterTest, KernelThatTalksNonsense) {
    host.probes["/dev/nvme0n1"] = [](lpar_probe &probe) {
        std::memset(probe.adapter, 'a', sizeof(probe.adapter)); // no final zeros
        std::memset(probe.driver, '\x1b', sizeof(probe.driver));
        std::memset(probe.reason, 0xff, sizeof(probe.reason)); // not UTF-8
        probe.mode = 77;
        probe.records = UINT32_MAX;
        return 0;
    };
    Answer answer = lparctl(host, {"adapter", "show", "/dev/nvme0n1"});
    EXPECT_EQ(answer.status, 1);
    EXPECT_THAT(answer.err, HasSubstr("the kernel claims 4294967295 bytes of records"));
    EXPECT_THAT(answer.out, Not(HasSubstr("\x1b")));
    EXPECT_EQ(Json::parse(lparctl(host, {"adapter", "list", "-j"}).out)["devices"][0]["mode"],
              "77");
}

class NicAdapterTest : public AdapterTest {
  protected:
    NicAdapterTest() {
        host.add_nic("eth0", "0000:02:00.0");
        host.add_nic("lo", "");
        host.add_nic("wlan0", "0000:03:00.0");
        host.put("/sys/class/net/eth0/address", "52:54:00:12:34:56\n");
        host.put("/sys/class/net/wlan0/address", "52:54:00:12:34:57\n");
        host.probes["eth0"] = [this](lpar_probe &probe) {
            EXPECT_EQ(probe.flags, uint32_t{LPAR_PROBE_NIC});
            probe.mode = LPAR_MODE_PAGE;
            std::strcpy(probe.driver, "e1000e");
            std::strcpy(probe.reason, "e1000e is not qualified");
            probe.records = 0;
            for (const auto &[type, max, cur] : records) {
                lpar_record record{type, 32, 0};
                lpar_value value{0, max, cur};
                std::memcpy(probe.data + probe.records, &record, sizeof(record));
                std::memcpy(probe.data + probe.records + sizeof(record), &value, sizeof(value));
                probe.records += 32;
            }
            return 0;
        };
    }

    struct Capability {
        uint16_t type;
        uint64_t max;
        uint64_t cur;
    };
    std::vector<Capability> records = {
        {LPAR_CAP_MTU, 9000, 1500},    {LPAR_CAP_SPEED, 10000, 10000}, {LPAR_CAP_TX_CSUM, 1, 1},
        {LPAR_CAP_TSO4, 65536, 65536}, {LPAR_CAP_TSO6, 65536, 65536},  {LPAR_CAP_USO, 0, 0},
        {LPAR_CAP_TX_VLAN, 1, 1}};
};

TEST_F(NicAdapterTest, List) {
    EXPECT_THAT(
        lparctl(host, {"adapter", "list"}).out,
        HasSubstr("\n\n"
                  "NIC    MAC                SPEED   MTU  OFFERS           ADAPTER       DRIVER  "
                  "MODE  SHARED AS  WHY\n"
                  "eth0   52:54:00:12:34:56    10G  1500  csum, TSO, VLAN  0000:02:00.0  e1000e  "
                  "page  -          e1000e is not qualified\n"
                  "wlan0  52:54:00:12:34:57      -     -  -                0000:03:00.0  e1000e  "
                  "none  -          Operation not supported\n"));
}

TEST_F(NicAdapterTest, WhatIsOffered) {
    auto offered = [&](const std::vector<Capability> &what) {
        records = what;
        std::string out = lparctl(host, {"adapter", "list"}).out;
        out = out.substr(out.find("eth0 ") + 24); // behind the MAC address
        return out.substr(0, out.find("0000:02"));
    };
    EXPECT_THAT(offered({{LPAR_CAP_TX_CSUM4, 1, 1}, {LPAR_CAP_TSO6, 1, 1}}),
                HasSubstr("csum4, TSO6"));
    EXPECT_THAT(offered({{LPAR_CAP_TX_CSUM4, 1, 1},
                         {LPAR_CAP_TX_CSUM6, 1, 1},
                         {LPAR_CAP_RX_CSUM, 1, 1},
                         {LPAR_CAP_USO, 100, 0},
                         {LPAR_CAP_RX_VLAN, 1, 1},
                         {LPAR_CAP_IPSEC, 1, 1},
                         {LPAR_CAP_TOE, 1, 1}}),
                HasSubstr("csum, rx-csum, USO, VLAN, IPsec, TOE"));
    EXPECT_THAT(offered({{LPAR_CAP_SPEED, 2500, 2500}}), HasSubstr("2500M  "));
}

TEST_F(NicAdapterTest, ListJson) {
    ASSERT_EQ(lparctl(host, {"partition", "create", "web"}).status, 0);
    ASSERT_EQ(lparctl(host, {"nic", "add", "web", "--adapter", "eth0"}).status, 0);
    Json json = Json::parse(lparctl(host, {"adapter", "list", "-j"}).out);
    ASSERT_EQ(json["nics"].size(), 2u);
    Json nic = json["nics"][0];
    EXPECT_EQ(nic["nic"], "eth0");
    EXPECT_EQ(nic["mac"], "52:54:00:12:34:56");
    EXPECT_EQ(nic["adapter"], "0000:02:00.0");
    EXPECT_EQ(nic["mode"], "page");
    EXPECT_EQ(nic["shared_as"][0], "web/n0");
    // It is called otherwise now.
    host.put(std::string(state_partitions) + "web/nics/n0/adapter", "wlan0\n");
    EXPECT_EQ(Json::parse(lparctl(host, {"adapter", "list", "-j"}).out)["nics"][1]["shared_as"][0],
              "web/n0");
    EXPECT_EQ(nic["capabilities"]["mtu"]["max"], 9000);
    EXPECT_EQ(nic["capabilities"]["speed"]["value"], 10000);
    EXPECT_EQ(json["nics"][1]["mode"], "none");
    EXPECT_EQ(json["devices"].size(), 2u);
}

TEST_F(NicAdapterTest, Show) {
    Answer answer = lparctl(host, {"adapter", "show", "eth0"});
    EXPECT_EQ(answer.status, 0) << answer.err;
    EXPECT_THAT(answer.out, StartsWith("nic                               eth0\n"));
    EXPECT_THAT(answer.out,
                HasSubstr("  MTU                             1500, can be 0 to 9000\n"));
    EXPECT_EQ(Json::parse(lparctl(host, {"adapter", "show", "eth0", "-j"}).out)["nic"], "eth0");
    EXPECT_EQ(lparctl(host, {"adapter", "show", "eth1"}).status, 1);
    EXPECT_EQ(lparctl(host, {"adapter", "show", ".."}).status, 1);
    EXPECT_EQ(lparctl(host, {"adapter", "show", ""}).status, 2);
}

TEST_F(NicAdapterTest, OlderModule) {
    host.probes["eth0"] = [](lpar_probe &) { return EINVAL; };
    EXPECT_THAT(lparctl(host, {"adapter", "list"}).out, Not(HasSubstr("NIC")));
    EXPECT_TRUE(Json::parse(lparctl(host, {"adapter", "list", "-j"}).out)["nics"].empty());
    EXPECT_THAT(lparctl(host, {"adapter", "show", "eth0"}).err, HasSubstr("knows no NICs"));
}

TEST_F(NicAdapterTest, KernelThatTalksNonsense) {
    host.probes["eth0"] = [](lpar_probe &probe) {
        std::memset(probe.reason, 0x1b, sizeof(probe.reason));
        probe.records = sizeof(probe.data); // of zeros
        return 0;
    };
    EXPECT_THAT(lparctl(host, {"adapter", "list"}).out, Not(HasSubstr("\x1b")));
    Answer answer = lparctl(host, {"adapter", "show", "eth0"});
    EXPECT_EQ(answer.status, 1);
    EXPECT_THAT(answer.err, HasSubstr("eth0: malformed capability record at byte 0"));
}

// ------------------------------------------------------------------ statistics

class StatTest : public testing::Test {
  protected:
    StatTest() { set("web", 100, 4096, 1000000); }
    void set(const std::string &partition, int requests, int bytes, int donated) {
        std::string base = state_partitions + partition;
        for (const auto &at : {base, base + "/disks/d0", base + "/disks/d0/queues/0"}) {
            host.put(at + "/stats/requests", std::to_string(requests) + "\n");
            host.put(at + "/stats/bytes", std::to_string(bytes) + "\n");
            host.put(at + "/stats/donated_ns", std::to_string(donated) + "\n");
            host.put(at + "/stats/a_new_one", "7\n");
        }
    }
    FakeHost host;
};

TEST_F(StatTest, Totals) {
    set("db", 5, 512, 100);
    EXPECT_EQ(lparctl(host, {"stat"}).out, "TOTAL          db    web\n"
                                           "requests        5    100\n"
                                           "bytes         512     4K\n"
                                           "donated_ns  100ns  1.0ms\n"
                                           "a_new_one       7      7\n");
    EXPECT_THAT(lparctl(host, {"stat", "web"}).out, StartsWith("TOTAL         web  web/d0\n"));
    EXPECT_THAT(lparctl(host, {"stat", "--queues"}).out,
                HasSubstr("db  db/d0  db/d0/0    web  web/d0  web/d0/0"));
    EXPECT_EQ(lparctl(host, {"stat", "nobody"}).status, 1);
    Json json = Json::parse(lparctl(host, {"stat", "web", "-j"}).out);
    EXPECT_EQ(json["seconds"], nullptr);
    EXPECT_EQ(json["partitions"][0]["stats"]["requests"], 100);
    EXPECT_EQ(json["partitions"][0]["disks"][0]["queues"][0]["stats"]["bytes"], 4096);
}

TEST_F(StatTest, Nics) {
    auto nic = [&](const std::string &name, int bytes) {
        std::string base = std::string(state_partitions) + "web/nics/" + name;
        host.put(base + "/stats/bytes", std::to_string(bytes) + "\n");
        host.put(base + "/queues/1/stats/bytes", std::to_string(bytes) + "\n");
    };
    nic("n0", 10);
    EXPECT_THAT(lparctl(host, {"stat", "web"}).out,
                StartsWith("TOTAL         web  web/d0  web/n0"));
    EXPECT_THAT(lparctl(host, {"stat", "web", "--queues"}).out,
                HasSubstr("web  web/d0  web/d0/0  web/n0  web/n0/1\n"));
    host.on_sleep = [&] { nic("n0", 30); };
    Json json = Json::parse(lparctl(host, {"stat", "-j", "-i", "2", "-c", "1"}).out);
    Json found = json["partitions"][0]["nics"][0];
    EXPECT_EQ(found["name"], "n0");
    EXPECT_EQ(found["stats"]["bytes"], 30);
    EXPECT_EQ(found["rates"]["bytes"], 10.0);
    EXPECT_EQ(found["queues"][0]["rates"]["bytes"], 10.0);
    EXPECT_EQ(json["partitions"][0]["disks"][0]["nics"], nullptr);
    nic("d0", 1); // as the disk is called
    EXPECT_THAT(lparctl(host, {"stat", "web"}).out,
                HasSubstr("web  web/disks/d0  web/nics/d0  web/n0\n"));
}

TEST_F(StatTest, ManyPartitionsAreFolded) {
    for (int i = 0; i < 7; i++)
        set("p" + std::to_string(i), i, i, i);
    std::string out = lparctl(host, {"stat"}).out;
    EXPECT_THAT(out, HasSubstr("\n\nTOTAL        p6"));
}

TEST_F(StatTest, Rates) {
    int sleeps = 0;
    host.on_sleep = [&] {
        sleeps++;
        set("web", 100 + 50 * sleeps, 4096 + 4096 * sleeps, 1000000 + 500000000 * sleeps);
    };
    EXPECT_EQ(lparctl(host, {"stat", "-i", "2", "-c", "2"}).out, "PER SECOND      web\n"
                                                                 "requests       25.0\n"
                                                                 "bytes            2K\n"
                                                                 "donated_ns  250.0ms\n"
                                                                 "a_new_one         0\n"
                                                                 "\n"
                                                                 "PER SECOND      web\n"
                                                                 "requests       25.0\n"
                                                                 "bytes            2K\n"
                                                                 "donated_ns  250.0ms\n"
                                                                 "a_new_one         0\n");
    EXPECT_EQ(sleeps, 2);
}

TEST_F(StatTest, RatesAsJsonLines) {
    host.on_sleep = [&] { set("web", 200, 0, 0); };
    std::string out = lparctl(host, {"stat", "-j", "-i", "0.5", "-c", "1"}).out;
    EXPECT_EQ(std::count(out.begin(), out.end(), '\n'), 1);
    Json json = Json::parse(out);
    EXPECT_EQ(json["seconds"], 0.5);
    EXPECT_EQ(json["partitions"][0]["rates"]["requests"], 200.0);
    EXPECT_EQ(json["partitions"][0]["stats"]["requests"], 200);
    // went back: made anew in between
    EXPECT_EQ(json["partitions"][0]["rates"]["bytes"], 0.0);
}

TEST_F(StatTest, PartitionsComeAndGo) {
    host.on_sleep = [&] {
        host.erase(std::string(state_partitions) + "web");
        set("new", 10, 10, 10);
        host.put(std::string(state_partitions) + "new/stats/requests", "garbage");
    };
    Answer answer = lparctl(host, {"stat", "-i", "1", "-c", "1"});
    EXPECT_EQ(answer.status, 0);
    EXPECT_THAT(answer.out, HasSubstr("new"));
    EXPECT_THAT(answer.out, Not(HasSubstr("web")));
    set("web", 1, 1, 1);
    answer = lparctl(host, {"stat", "web", "-i", "1", "-c", "5"});
    EXPECT_EQ(answer.status, 1);
    EXPECT_THAT(answer.err, HasSubstr("there is no partition 'web'"));
}

// ---------------------------------------------------------------------- doctor

class DoctorTest : public testing::Test {
  protected:
    DoctorTest() {
        host.add_nvme(0, "0000:01:00.0");
        host.add_group("0000:01:00.0", "12", "DMA-FQ");
        host.put("/sys/kernel/lpar/tag_range", "0xfcf8000000-0xfcffffffff\n");
        host.put("/sys/kernel/lpar/transport", "task_work\n");
        host.directory("/sys/module/kvm");
        host.directory("/sys/module/kvm_amd");
        host.put("/dev/kvm", "");
        host.put("/proc/sys/kernel/osrelease", "6.12.0-test\n");
        host.put("/boot/config-6.12.0-test", options);
        host.put("/proc/self/limits", "Limit  Soft Limit  Hard Limit  Units\n"
                                      "Max locked memory         unlimited  unlimited  bytes\n");
        host.put("/sys/module/nvme_core/parameters/multipath", "N\n");
        host.programs["qemu-system-x86_64"] = "/usr/bin/qemu-system-x86_64";
        host.answer = {0, "lpar options:\n  partition=<str>\n"};
    }

    Json check(const std::string &name) {
        Answer answer = lparctl(host, {"doctor", "-j"});
        Json json = Json::parse(answer.out);
        EXPECT_EQ(answer.status, json["ok"] == true ? 0 : 1);
        for (const auto &one : json["checks"])
            if (one["check"] == name)
                return one;
        return {};
    }

    static constexpr auto options = "CONFIG_ZONE_DEVICE=y\n# CONFIG_DEVICE_PRIVATE is not set\n"
                                    "CONFIG_GET_FREE_REGION=y\nCONFIG_MEMORY_HOTPLUG=y\n"
                                    "CONFIG_PREEMPT_NOTIFIERS=y\nCONFIG_CONFIGFS_FS=m\n"
                                    "CONFIG_EVENTFD=y\nCONFIG_NET=y\n"
                                    "CONFIG_ARCH_HAS_DMA_OPS=y\nCONFIG_CRYPTO_LIB_SHA256=m\n"
                                    "CONFIG_NETFILTER_EGRESS=y\nCONFIG_XFRM_OFFLOAD=y\n"
                                    "CONFIG_DEBUG_INFO_BTF=y\nCONFIG_BPF_EVENTS=y\n"
                                    "CONFIG_CGROUPS=y\n";
    FakeHost host;
};

TEST_F(DoctorTest, AllGood) {
    Answer answer = lparctl(host, {"doctor"});
    EXPECT_EQ(answer.status, 0) << answer.out;
    EXPECT_THAT(answer.out, Not(HasSubstr("bad")));
    EXPECT_THAT(answer.out, Not(HasSubstr("warn")));
    EXPECT_THAT(answer.out, HasSubstr("ok    iommu 0000:01:00.0: nvme: group 12, DMA-FQ"));
}

TEST_F(DoctorTest, Iommu) {
    host.put("/sys/kernel/iommu_groups/12/type", "identity\n");
    Json found = check("iommu 0000:01:00.0");
    EXPECT_EQ(found["level"], "bad");
    EXPECT_THAT(found["mend"].get<std::string>(),
                HasSubstr("echo DMA > /sys/kernel/iommu_groups/12/type"));
    host.put("/sys/kernel/iommu_groups/12/type", "unmanaged\n");
    EXPECT_EQ(check("iommu 0000:01:00.0")["level"], "warn");
    host.erase("/sys/bus/pci/devices/0000:01:00.0/iommu_group");
    EXPECT_EQ(check("iommu 0000:01:00.0")["level"], "bad");
    host.put("/sys/module/lpar_host/parameters/allow_unsafe_dma", "Y\n");
    EXPECT_EQ(check("iommu 0000:01:00.0")["level"], "warn");
    host.erase("/sys/class/nvme");
    host.erase("/sys/block/nvme0n1");
    EXPECT_EQ(check("adapters")["level"], "warn");
}

TEST_F(DoctorTest, IommuOfNics) {
    host.add_nic("eth0", "0000:02:00.0");
    host.add_nic("veth0", "");
    EXPECT_EQ(check("iommu 0000:02:00.0")["level"], "warn");
    host.add_group("0000:02:00.0", "13", "DMA");
    EXPECT_EQ(check("iommu 0000:02:00.0")["level"], "ok");
    EXPECT_THAT(check("iommu 0000:02:00.0")["found"].get<std::string>(),
                HasSubstr("e1000e: group 13, DMA: translated"));
    EXPECT_TRUE(check("iommu ").is_null());
}

TEST_F(DoctorTest, Module) {
    host.put("/sys/kernel/lpar/version", "99\n");
    EXPECT_EQ(check("module")["level"], "bad");
    EXPECT_THAT(check("module")["mend"].get<std::string>(), HasSubstr("lparctl save; "));
    host.erase(state_root);
    EXPECT_EQ(check("module")["mend"], "modprobe lpar_host");
}

TEST_F(DoctorTest, Configfs) {
    host.put("/proc/self/mountinfo", "");
    EXPECT_EQ(check("configfs")["level"], "bad");
}

TEST_F(DoctorTest, KernelOptions) {
    host.put("/boot/config-6.12.0-test", "CONFIG_DEVICE_PRIVATE=y\nCONFIG_MEMORY_HOTPLUG=y\n"
                                         "CONFIG_PREEMPT_NOTIFIERS=y\nCONFIG_CONFIGFS_FS=m\n"
                                         "CONFIG_EVENTFD=y\n");
    EXPECT_THAT(check("kernel option")["found"].get<std::string>(), HasSubstr("ZONE_DEVICE"));

    // each that docs/kernels.md lists, and how much it matters; 6.1 has another one for DMA
    for (const auto &[line, level] :
         std::map<std::string, std::string>{{"CONFIG_NET=y\n", "bad"},
                                            {"CONFIG_ARCH_HAS_DMA_OPS=y\n", "bad"},
                                            {"CONFIG_CRYPTO_LIB_SHA256=m\n", "bad"},
                                            {"CONFIG_NETFILTER_EGRESS=y\n", "warn"},
                                            {"CONFIG_XFRM_OFFLOAD=y\n", "warn"},
                                            {"CONFIG_DEBUG_INFO_BTF=y\n", "warn"},
                                            {"CONFIG_BPF_EVENTS=y\n", "warn"},
                                            {"CONFIG_CGROUPS=y\n", "warn"}}) {
        std::string text = options;
        text.erase(text.find(line), line.size());
        host.put("/boot/config-6.12.0-test", text);
        Json found = check("kernel option");
        EXPECT_EQ(found["level"], level) << line;
        EXPECT_THAT(found["found"].get<std::string>(),
                    StartsWith(line.substr(0, line.find('=')) + " is off"));
        if (line.starts_with("CONFIG_ARCH_HAS_DMA_OPS")) {
            host.put("/boot/config-6.12.0-test", text + "CONFIG_DMA_OPS=y\n");
            EXPECT_TRUE(check("kernel option").is_null());
        }
    }
    host.put("/boot/config-6.12.0-test", std::string(options) + "CONFIG_PREEMPT_RT=y\n");
    EXPECT_EQ(check("kernel option")["level"], "bad");
    EXPECT_THAT(check("kernel option")["found"].get<std::string>(), HasSubstr("PREEMPT_RT is on"));
    host.erase("/boot");
    EXPECT_EQ(check("kernel options")["level"], "warn");

    gzFile file = gzopen((host.path() + "/proc/config.gz").c_str(), "wb");
    ASSERT_NE(file, nullptr);
    gzputs(file, options);
    gzclose(file);
    EXPECT_EQ(check("kernel options")["level"], "ok");
    host.put("/proc/config.gz", "\x1f\x8b garbage");
    EXPECT_EQ(check("kernel options")["level"], "warn");
}

TEST_F(DoctorTest, Exports) {
    host.put("/sys/kernel/lpar/transport", "ioctl\n");
    EXPECT_EQ(check("transport")["level"], "warn");
    host.erase("/sys/kernel/lpar/transport");
    EXPECT_EQ(check("exports")["level"], "warn");
    host.put("/proc/kallsyms", "0 T task_work_add\n0 r __ksymtab_kfree\n");
    EXPECT_THAT(check("exports")["found"].get<std::string>(), HasSubstr("not exported"));
    host.put("/proc/kallsyms", "0 r __ksymtab_kfree\n0 r __ksymtab_task_work_add\n");
    EXPECT_EQ(check("exports")["level"], "ok");
}

TEST_F(DoctorTest, Memlock) {
    host.put("/proc/self/limits", "Max locked memory         8388608  8388608  bytes\n");
    EXPECT_EQ(check("memlock")["level"], "warn");
    ASSERT_EQ(lparctl(host, {"partition", "create", "web", "--memory", "8M"}).status, 0);
    EXPECT_EQ(check("memlock")["level"], "ok");
    host.erase("/proc/self/limits");
    EXPECT_EQ(check("memlock")["level"], "warn");
}

TEST_F(DoctorTest, Multipath) {
    host.put("/sys/module/nvme_core/parameters/multipath", "Y\n");
    EXPECT_EQ(check("nvme multipath")["level"], "ok");
    std::string head = "/sys/devices/virtual/nvme-subsystem/nvme-subsys1/nvme1n1";
    host.put(head + "/size", "100\n");
    host.link("/sys/block/nvme1n1", head);
    EXPECT_EQ(check("nvme multipath")["level"], "warn");
    host.erase("/sys/module/nvme_core");
    EXPECT_TRUE(check("nvme multipath").is_null());
}

TEST_F(DoctorTest, Kvm) {
    host.erase("/dev/kvm");
    EXPECT_THAT(check("kvm")["found"].get<std::string>(), HasSubstr("no virtualisation"));
    host.put("/proc/cpuinfo", "flags : fpu svm\n");
    EXPECT_EQ(check("kvm")["mend"], "modprobe kvm_amd");
}

TEST_F(DoctorTest, Qemu) {
    host.answer = {1, "Device 'lpar' not found"};
    EXPECT_EQ(check("qemu")["level"], "bad");
    host.answer = {-1, ""};
    EXPECT_EQ(check("qemu")["level"], "bad");
    host.programs.clear();
    EXPECT_THAT(check("qemu")["found"].get<std::string>(), HasSubstr("is not there"));
    host.programs["/opt/qemu"] = "/opt/qemu";
    host.answer = {0, "  partition=<str>"};
    EXPECT_EQ(lparctl(host, {"doctor", "--qemu", "/opt/qemu"}).status, 0);
}

// The real machine, whatever it is: the tool must come to an end and make sense.
TEST(RealHost, DoctorEnds) {
    Host host("/");
    auto answer = host.run({"/bin/sh", "-c", "echo out; echo err >&2; exit 3"});
    EXPECT_EQ(answer.status, 3);
    EXPECT_EQ(answer.output, "out\nerr\n");
    EXPECT_EQ(host.run({"/no/such/program"}).status, -1);
    EXPECT_TRUE(host.find_program("sh").has_value());
    EXPECT_FALSE(host.find_program("no-such-program-here").has_value());
    EXPECT_EQ(host.block_name("/dev/null"), std::nullopt);
    double before = host.now();
    host.sleep(0.01);
    EXPECT_GE(host.now() - before, 0.01);
}

// A variable that is not set is neither the default nor everything.
TEST(Cli, EmptyWords) {
    FakeHost host;
    for (const auto &words :
         std::vector<std::vector<std::string>>{{"partition", "create", "web", "--memory", ""},
                                               {"partition", "create", "web", "--owner", ""},
                                               {"partition", "delete", ""},
                                               {"disk", "list", ""},
                                               {"disk", "add", "web", "/dev/nvme0n1", "--name", ""},
                                               {"iov", "assign", "web=1", "--adapter", ""},
                                               {"iov", "release", ""},
                                               {"stat", ""},
                                               {"save", ""},
                                               {"diff", ""},
                                               {"apply", "--prune", ""}}) {
        Answer answer = lparctl(host, words);
        EXPECT_EQ(answer.status, 2) << testing::PrintToString(words) << answer.err;
        EXPECT_THAT(answer.err, HasSubstr("a value is wanted, not ''"));
    }
    EXPECT_FALSE(host.has("/sys/kernel/config/lpar/partitions/web"));
}

// Others take partitions, disks and NICs away while one looks.
TEST(Cli, WhatGoesMeanwhileIsNotThere) {
    FakeHost host;
    std::string root = "/sys/kernel/config/lpar/partitions/";
    ASSERT_EQ(lparctl(host, {"partition", "create", "web"}).status, 0);
    for (const auto *name : {"gone", "web/disks/d0", "web/nics/n0"})
        host.link(root + name, "/sys/not-there");
    for (const auto &words : std::vector<std::vector<std::string>>{{"partition", "list"},
                                                                   {"partition", "show", "web"},
                                                                   {"disk", "list"},
                                                                   {"nic", "list"},
                                                                   {"save", "-"}}) {
        Answer answer = lparctl(host, words);
        EXPECT_EQ(answer.status, 0) << testing::PrintToString(words);
        EXPECT_EQ(answer.err, "");
        EXPECT_THAT(answer.out, Not(HasSubstr("gone")));
    }
    EXPECT_EQ(lparctl(host, {"partition", "show", "gone"}).status, 1);
}

// What the library throws is an answer, too.
struct BrokenHost : FakeHost {
    int make_directory(const std::string &) override { throw std::runtime_error("broken"); }
};

TEST(Cli, ErrorsOfTheLibrary) {
    BrokenHost host;
    Answer answer = lparctl(host, {"partition", "create", "web"});
    EXPECT_EQ(answer.status, 1);
    EXPECT_EQ(answer.err, "lparctl: partition create: broken\n");
}

} // namespace

} // namespace lpar
