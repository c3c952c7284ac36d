// SPDX-License-Identifier: GPL-2.0
// The configuration's file: what is no such file is refused, and mistakes have a place.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "error.h"
#include "iov_scan.h"
#include "plan_vfs.h"
#include "saved.h"

namespace lpar {

namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;

std::string complaint(const std::string &text) {
    try {
        parse_saved(text, "f");
    } catch (const Failure &failure) {
        return failure.what();
    }
    return "";
}

TEST(Saved, MistakesHaveAPlace) {
    struct Case {
        const char *text;
        const char *said;
    };
    for (const auto &[text, said] : std::vector<Case>{
             {"[partitions.web", "f:1:16: "},
             {"[=", "f: this is no TOML"},
             {"[partitions.web]\nmemroy = '1G'", "f:2:1: partition web has no 'memroy': it has "},
             {"[partition.web]", "f:1:2: the file has no 'partition'"},
             {"partitions = 1", "f:1:14: partitions must be a table"},
             {"[partitions]\nweb = 1", "f:2:7: web must be a table"},
             {"[partitions.'a/b']", "f:1:13: "},
             {"[partitions.web]\nmemory = 'lots'", "f:2:10: memory: 'lots' is not a size"},
             {"[partitions.web]\nmemory = -1", "f:2:10: memory: a number is wanted, 0 or more"},
             {"[partitions.web]\nmemory = true", "f:2:10: memory: a number is wanted"},
             {"[partitions.web]\nmemory = 1.5", "f:2:10: memory: a number is wanted"},
             {"[partitions.web]\nquantum = '2s'", "f:2:11: quantum: a quantum of 2s: it can be"},
             {"[partitions.web]\nquantum = 1", "f:2:11: quantum: a quantum of 1: it can be"},
             {"[partitions.web]\nowner = 4294967295", "f:2:9: owner: "},
             {"[partitions.web]\nrole = 'boss'", "f:2:8: role: 'boss' is none of client, "},
             {"[partitions.web.policy]\nmca = 'allow'",
              "f:2:1: the policy of web has no 'mca': it has mac, vlan, mtu, rate, queues, attach, "
              "detach, reset"},
             {"[partitions.web]\nqmp = 'run/q'", "f:2:7: qmp: 'run/q' is no absolute path"},
             {"[partitions.web]\nown_images = 1", "f:2:14: own_images: true or false is wanted"},
             {"[partitions.web]\npolicy = 'allow'", "f:2:10: policy must be a table"},
             {"[partitions.web.policy]\nvlan = 'perhaps'",
              "f:2:8: vlan: 'perhaps' is no rule, such as allow, ask 5-9, refuse"},
             {"[partitions.web.policy]\nvlan = 'allow 9-5'", "f:2:8: vlan: "},
             {"[partitions.web.policy]\nvlan = 5", "f:2:8: vlan: a text in quotes is wanted"},
             {"[partitions.web.disks.d0]\nstart = 0", "disk d0 needs 'device'"},
             {"[partitions.web.disks.d0]\ndevice = 1",
              "f:2:10: device: a text in quotes is wanted"},
             {"[partitions.web.disks.d0]\ndevice = '/dev/x'\nqueues = 'many'",
              "f:3:10: queues: a number is wanted"},
             {"[partitions.web.disks.d0]\ndevice = '/dev/x'\nread_only = 1",
              "f:3:13: read_only: true or false is wanted"},
             {"[partitions.web.disks.d0]\ndevice = '/dev/x'\nmode = 'fast'",
              "f:3:8: mode: 'fast' is none of auto, tag, page, copy"},
             {"[partitions.web.disks.d0]\ndevice = '/dev/x'\nserial = '123456789012345678901'",
              "f:3:10: serial: "},
             {"[partitions.web.nics.n0]\nmac = '52:54:00:12:34:56'", "nic n0 needs 'adapter'"},
             {"[partitions.web.nics.n0]\nadapter = '../x'", "f:2:11: adapter: "},
             {"[partitions.web.nics.n0]\nadapter = 'eth0'\nmac = 'x'", "f:3:7: mac: "},
             {"[partitions.web.nics.n0]\nadapter = 'eth0'\nvlna = 1",
              "f:3:1: nic n0 has no 'vlna'"},
             {"[partitions.web.nics.n0]\nadapter = 'eth0'\nmac = '52:54:00:12:34:56'\n"
              "primary = 'eth1'",
              "f:4:11: primary: 'eth1' is no PCI address"},
             {"[partitions.web.nics.n0]\nadapter = 'eth0'\nprimary = '0000:03:10.0'",
              "f:3:11: primary: 'mac' is wanted as well"},
             {"[partitions.web.nics.n0]\nadapter = 'eth0'\nvlan = 4095",
              "f:3:8: vlan: a VLAN is 1 to 4094"},
             {"[partitions.web.vfs]\nadapter = '0000:03:00.0'",
              "vfs must be an array of tables: [[...vfs]]"},
             {"[partitions.web]\nvfs = 1", "f:2:7: vfs must be an array of tables"},
             {"[partitions.web]\nvfs = [1]", "f:2:8: vfs must be a table"},
             {"[[partitions.web.vfs]]\nnumber = 1", "f:1:1: vfs needs 'adapter'"},
             {"[[partitions.web.vfs]]\nadapter = 'eth0'",
              "f:2:11: adapter: 'eth0' is no PCI address, such as 0000:03:00.0"},
             {"[[partitions.web.vfs]]\nadapter = '0000:03:00.0x'", "f:2:11: adapter: "},
             {"[[partitions.web.vfs]]\nadapter = '0000:03:00.0'\nnumbr = 1",
              "f:3:1: vfs has no 'numbr': it has adapter, number"},
             {"[[partitions.web.vfs]]\nadapter = '0000:03:00.0'\nnumber = 0",
              "f:3:10: number: it is 1 to 65535"},
             {"[[partitions.web.vfs]]\nadapter = '0000:03:00.0'\nnumber = '1'",
              "f:3:10: number: a number is wanted"},
             {"[[partitions.web.vfs]]\nadapter = '0000:03:00.0'\nnumber = 2\ntotal = 1",
              "f:4:9: total: it is 2 to 65535"},
             {"[[partitions.web.vfs]]\nadapter = '0000:03:00.0'\nfunctions = '0000:03:00.1'",
              "f:3:13: functions: an array is wanted, of one or more"},
             {"[[partitions.web.vfs]]\nadapter = '0000:03:00.0'\nfunctions = ['0000:03:00.1']\n"
              "number = 2",
              "f:3:13: functions: these are not as many as 'number' says"},
             {"[[partitions.web.vfs]]\nadapter = '0000:03:00.0'\nqueues = 0",
              "f:3:10: queues: it is 1 to 65534"},
             {"[[partitions.web.vfs]]\nadapter = '0000:03:00.0'\ninterrupts = 65536",
              "f:3:14: interrupts: it is 1 to 65535"},
             {"[[partitions.web.vfs]]\nadapter = '0000:03:00.0'\nnamespaces = []",
              "f:3:14: namespaces: an array is wanted"},
             {"[[partitions.web.vfs]]\nadapter = '0000:03:00.0'\nnamespaces = [0]",
              "f:3:14: namespaces: it is 1 to 4294967294"},
             {"[[partitions.web.vfs]]\nadapter = '0000:03:00.0'\nnamespaces = [3, 3]",
              "f:3:14: namespaces: one is there twice"},
             {"[[partitions.web.vfs]]\nadapter = '0000:03:00.0'\nnumber = 2\n"
              "mac = '52:54:00:12:34:56'",
              "f:4:7: mac: one MAC address is for one VF"},
             {"[[partitions.web.vfs]]\nadapter = '0000:03:00.0'\nvlan = 4095",
              "f:3:8: vlan: a VLAN is 1 to 4094"},
             {"[[partitions.web.vfs]]\nadapter = '0000:03:00.0'\nmax_rate = 4294967296",
              "f:3:12: max_rate: it is 0 to 4294967295"},
             {"[[partitions.web.vfs]]\nadapter = '0000:03:00.0'\ntrust = 'on'",
              "f:3:9: trust: true or false is wanted"},
             {"[[partitions.web.vfs]]\nadapter = '0000:03:00.0'\n"
              "[[partitions.web.vfs]]\nadapter = '0000:03:00.0'",
              "f:3:1: VFs of this adapter with these settings are wanted above as well"},
             {"[[partitions.db.vfs]]\nadapter = '0000:03:00.0'\ntotal = 3\n"
              "[[partitions.web.vfs]]\nadapter = '0000:03:00.0'\ntotal = 2",
              "f:4:1: total 2: f:1:1 of the same adapter says 3"},
             {"[partitions.web]\n[partitions.web]", "f:2:"}})
        EXPECT_THAT(complaint(text), HasSubstr(said)) << text;
}

TEST(Saved, WhatIsLeftOutIsNotThere) {
    auto wanted =
        parse_saved("[partitions.web]\n[partitions.web.disks.d0]\ndevice = '/dev/x'", "f");
    ASSERT_EQ(wanted.size(), 1U);
    EXPECT_FALSE(wanted[0].partition.memory_limit || wanted[0].partition.quantum_limit_us ||
                 wanted[0].partition.owner);
    ASSERT_EQ(wanted[0].disks.size(), 1U);
    const NewDisk &disk = wanted[0].disks[0];
    EXPECT_FALSE(disk.start || disk.size || disk.queues || disk.serial || disk.mode ||
                 disk.read_only);
    EXPECT_THAT(parse_saved("", "f"), IsEmpty());
}

TEST(Saved, NumbersAndTexts) {
    auto wanted = parse_saved("[partitions.web]\nmemory = 4096\nquantum = 500\nowner = 0\n"
                              "[partitions.db]\nmemory = '3K'\nquantum = '2ms'",
                              "f");
    ASSERT_EQ(wanted.size(), 2U);
    EXPECT_EQ(wanted[0].partition.memory_limit, 3072U);
    EXPECT_EQ(wanted[0].partition.quantum_limit_us, 2000U);
    EXPECT_EQ(wanted[1].partition.memory_limit, 4096U);
    EXPECT_EQ(wanted[1].partition.quantum_limit_us, 500U);
    EXPECT_EQ(wanted[1].partition.owner, 0U);
}

// Each range that the library's table of white space has an opinion on
TEST(Saved, LettersOutsideOfTextsAreRefused) {
    for (const char *letter : {"\xc3\xa9", "\xce\xb1", "\xd0\x96", "\xe1\x9a\x81", "\xe2\x81\x80",
                               "\xe3\x80\x81", "\xef\xbb\x80", "\xf0\x9f\x90\xa7"}) {
        for (const char *before : {"[partitions.web]\n", "[partitions.web]\nowner = 0",
                                   "[partitions.", "[partitions.web]\nmemory = '1G'"})
            EXPECT_THAT(complaint(before + std::string(letter)), StartsWith("f:"))
                << before << letter;
        EXPECT_THAT(complaint("# " + std::string(letter)), IsEmpty());
        EXPECT_THAT(
            complaint("[partitions.web.disks.d0]\ndevice = '/dev/" + std::string(letter) + "'"),
            IsEmpty());
    }
}

// Files that are nearly right. What is read can be written.
RC_GTEST_PROP(Saved, AnyTextIsReadOrRefused, ()) {
    static const std::vector<std::string> lines = {"[partitions.db]",
                                                   "[partitions.db.disks.d0]",
                                                   "[partitions.db.nics.n0]",
                                                   "[[partitions.db.vfs]]",
                                                   "[partitions.'x y']",
                                                   "[adjuncts.a]",
                                                   "[nonsense]",
                                                   "[[",
                                                   "="};
    static const std::vector<std::string> keys = {
        "memory", "quantum", "owner",    "role",   "qmp",       "policy", "disks",
        "device", "start",   "size",     "serial", "read_only", "queues", "mode",
        "mac",    "vlan",    "max_rate", "number", "functions", "image",  "nonsense"};
    static const std::vector<std::string> values = {"0",
                                                    "7",
                                                    "-1",
                                                    "4096",
                                                    "9223372036854775807",
                                                    "1.5",
                                                    "true",
                                                    "nan",
                                                    "1979-05-27",
                                                    "'2G'",
                                                    "'2048s'",
                                                    "'500us'",
                                                    "'tag'",
                                                    "''",
                                                    "'/dev/x'",
                                                    "'management'",
                                                    "'52:54:00:12:34:56'",
                                                    "'\xff'",
                                                    "[]",
                                                    "[[]]",
                                                    "{}",
                                                    "{ vlan = 'x' }",
                                                    "{ vlan = 'allow' }",
                                                    "['0000:03:00.1']"};
    std::string text = "[partitions.web]\n";
    for (int i = *rc::gen::inRange(0, 5); i > 0; i--) {
        if (*rc::gen::inRange(0, 3) == 0) {
            std::string line = *rc::gen::elementOf(lines);
            text += line + "\n";
            if (line.find(".disks") != std::string::npos)
                text += "device = '/dev/x'\n";
            else if (line.find(".nics") != std::string::npos)
                text += "adapter = 'eth0'\n";
            else if (line.find(".vfs") != std::string::npos)
                text += "adapter = '0000:03:00.0'\n";
        } else {
            text += *rc::gen::elementOf(keys) + " = " + *rc::gen::elementOf(values) + "\n";
        }
    }
    std::vector<WantedPartition> wanted;
    try {
        wanted = parse_saved(text, "f");
    } catch (const Failure &failure) {
        RC_CLASSIFY(true, "refused");
        RC_ASSERT(std::string(failure.what()).starts_with("f:"));
        return;
    }
    RC_ASSERT(parse_saved(format_saved(wanted), "g").size() == wanted.size());
}

TEST(SavedVfsPlan, SettingsAreCompared) {
    const std::string pf = "0000:03:00.0";
    const std::vector<std::string> names = {"0000:03:00.1", "0000:03:00.2"};
    IovSnapshot now;
    IovAdapter adapter;
    adapter.address = pf;
    adapter.total = adapter.enabled = 2;
    adapter.vfs.resize(2);
    for (unsigned i : {0, 1}) {
        adapter.vfs[i].address = names[i];
        adapter.vfs[i].exists = true;
        adapter.vfs[i].driver = "vfio-pci";
    }
    now.adapters = {adapter};
    IovSettings first;
    first.mac = "52:54:00:00:00:01";
    first.vlan = 0;
    IovSettings second = first;
    second.mac = "52:54:00:00:00:02";
    now.taken = {{IovStep::Kind::claim, pf, names[0], "", "web", first},
                 {IovStep::Kind::claim, pf, names[1], "", "web", second}};
    std::string text = "[[partitions.web.vfs]]\nadapter = '0000:03:00.0'\nvlan = 0\n"
                       "mac = '52:54:00:00:00:02'\n"
                       "[[partitions.web.vfs]]\nadapter = '0000:03:00.0'\n"
                       "mac = '52:54:00:00:00:03'\ntrust = false\n";
    auto steps = plan_vfs(now, parse_saved(text, "f"), true);
    EXPECT_THAT(steps.removals, IsEmpty());
    ASSERT_EQ(steps.others.size(), 1);
    EXPECT_EQ(step_text(steps.others[0]),
              "~ vfs web/0000:03:00.0: mac 52:54:00:00:00:01 -> 52:54:00:00:00:03, "
              "vlan 0 -> default, trust default -> false");
    // what is saved is what is there
    WantedPartition saved;
    saved.partition.name = "web";
    saved.vfs = assigned_vfs(now);
    steps = plan_vfs(now, parse_saved(format_saved({saved}), "f"), true);
    EXPECT_THAT(steps.others, IsEmpty());
    EXPECT_THAT(steps.removals, IsEmpty());
}

} // namespace

} // namespace lpar
