// SPDX-License-Identifier: GPL-2.0
// lparctl iov on a tree of files, and what it says to adapters, NICs and guests.
#include <cstring>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <nlohmann/json.hpp>
#include <rapidcheck/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <thread>
#include <unistd.h>

#include "error.h"
#include "fake.h"
#include "iov_execute.h"
#include "iov_scan.h"
#include "iov_state.h"
#include "nvme_admin.h"
#include "paths.h"
#include "qmp.h"
#include "vf_link.h"

namespace lpar {

namespace {

using Kind = IovStep::Kind;
using Json = nlohmann::json;
using test::FakeHost;
using test::lparctl;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr auto root = "/sys/devices/pci0000:00/0000:00:06.0/";
constexpr auto pf = "0000:03:00.0";
constexpr auto group = "/sys/kernel/iommu_groups/";

void add_function(FakeHost &host, const std::string &address, const std::string &kind,
                  const std::string &iommu_group) {
    std::string node = root + address;
    host.put(node + "/class", kind + "\n");
    host.put(node + "/driver_override", "(null)\n");
    host.link(std::string("/sys/bus/pci/devices/") + address, node);
    host.directory(group + iommu_group + "/devices");
    host.link(group + iommu_group + "/devices/" + address, node);
    host.link(node + "/iommu_group", group + iommu_group);
}

// A PF of class @kind with a driver, and two of its four VFs
void add_adapter(FakeHost &host, const std::string &kind) {
    add_function(host, pf, kind, "11");
    std::string node = std::string(root) + pf;
    host.put(node + "/vendor", "0x8086\n");
    host.put(node + "/sriov_totalvfs", "4\n");
    host.put(node + "/sriov_numvfs", "2\n");
    host.put(node + "/sriov_offset", "128\n");
    host.put(node + "/sriov_stride", "2\n");
    host.put(node + "/sriov_vf_device", "10ca\n");
    host.put(node + "/sriov_drivers_autoprobe", "1\n");
    host.put(node + "/numa_node", "-1\n");
    host.directory("/sys/bus/pci/drivers/own");
    host.link(node + "/driver", "/sys/bus/pci/drivers/own");
    for (int i = 0; i < 2; i++) {
        std::string vf = "0000:03:10." + std::to_string(2 * i);
        add_function(host, vf, kind, std::to_string(20 + i));
        host.link(node + "/virtfn" + std::to_string(i), root + vf);
    }
}

TEST(Iov, AddressesOfVfs) {
    EXPECT_EQ(vf_address(pf, 128, 2, 0), "0000:03:10.0");
    EXPECT_EQ(vf_address(pf, 128, 2, 3), "0000:03:10.6");
    EXPECT_EQ(vf_address("0001:ff:1f.0", 1, 1, 9), "0001:100:00.2");
    EXPECT_EQ(vf_address("eth0", 1, 1, 0), "");
}

TEST(Iov, ListsAnAdapter) {
    FakeHost host;
    EXPECT_THAT(lparctl(host, {"iov", "list"}).out, HasSubstr("ADAPTER"));
    add_adapter(host, "0x0b4000");
    host.put(iov_state_file, format_iov_state({{Kind::claim, pf, "0000:03:10.2", "", "web"}}));
    auto answer = lparctl(host, {"iov", "list", "-j"});
    ASSERT_EQ(answer.status, 0) << answer.err;
    auto adapter = Json::parse(answer.out)["adapters"][0];
    EXPECT_EQ(adapter["adapter"], pf);
    EXPECT_EQ(adapter["supported"], 4);
    EXPECT_EQ(adapter["enabled"], 2);
    EXPECT_EQ(adapter["assigned"], 1);
    EXPECT_EQ(adapter["type"], "other");
    EXPECT_EQ(adapter["vf_device"], "8086:10ca");
    EXPECT_EQ(adapter["isolated"], true);
    EXPECT_EQ(adapter["numa_node"], -1);
    EXPECT_EQ(adapter["objections"], Json::array());
    EXPECT_EQ(adapter["vfs"].size(), 2);
    EXPECT_EQ(adapter["vfs"][1]["partition"], "web");
    EXPECT_THAT(lparctl(host, {"iov", "list"}).out, HasSubstr("0000:03:10.2  web"));
}

TEST(Iov, SaysWhatIsWrongWithAnAdapter) {
    FakeHost host;
    add_adapter(host, "0x0b4000");
    host.link(std::string(group) + "11/devices/0000:00:06.0",
              "/sys/devices/pci0000:00/0000:00:06.0");
    host.put("/sys/devices/pci0000:00/0000:00:06.0/class", "0x060400\n");
    host.link("/sys/bus/pci/devices/0000:00:06.0", "/sys/devices/pci0000:00/0000:00:06.0");
    add_function(host, "0000:03:10.7", "0x0b4000", "20");
    auto out = lparctl(host, {"iov", "list"}).out;
    EXPECT_THAT(out,
                HasSubstr("0000:03:00.0: unsuitable: bridge 0000:00:06.0 above it has no ACS"));
    EXPECT_THAT(out,
                HasSubstr("0000:03:10.0: unsuitable: shares IOMMU group 20 with 0000:03:10.7"));
    host.erase(std::string(root) + pf + "/iommu_group");
    host.erase(std::string(root) + pf + "/driver");
    auto adapter = Json::parse(lparctl(host, {"iov", "list", "-j"}).out)["adapters"][0];
    EXPECT_EQ(adapter["isolated"], false);
    EXPECT_THAT(adapter["objections"].dump(), HasSubstr("no driver has it"));
    EXPECT_THAT(adapter["objections"].dump(), HasSubstr("no IOMMU group"));
}

TEST(Iov, WhatMakesNoSense) {
    FakeHost host;
    add_adapter(host, "0x0b4000");
    for (const auto &words : std::vector<std::vector<std::string>>{
             {"iov"},
             {"iov", "assign"},
             {"iov", "assign", "web=1", "--adapter", pf, "--node", "0"},
             {"iov", "assign", "web", "--adapter", pf},
             {"iov", "assign", "web=", "--adapter", pf},
             {"iov", "assign", "web=0", "--adapter", pf},
             {"iov", "assign", "web=-1", "--adapter", pf},
             {"iov", "assign", "web=1x", "--adapter", pf},
             {"iov", "assign", "web=99999", "--adapter", pf},
             {"iov", "assign", "=1", "--adapter", pf},
             {"iov", "assign", "web=1", "--adapter", pf, "--vlan", "4095"},
             {"iov", "assign", "web=1", "--adapter", pf, "--mac", "02"},
             {"iov", "assign", "web=1", "--adapter", pf, "--trust", "maybe"},
             {"iov", "assign", "web=1", "--adapter", pf, "--queues", "0"},
             {"iov", "release"}})
        EXPECT_EQ(lparctl(host, words).status, 2) << testing::PrintToString(words);
    auto answer = lparctl(host, {"iov", "assign", "web=1", "--adapter", pf});
    EXPECT_EQ(answer.status, 1);
    EXPECT_THAT(answer.err, HasSubstr("iov assign: there is no partition 'web'"));
    EXPECT_EQ(lparctl(host, {"iov", "release", "web"}).status, 1);
    host.privileged = false;
    EXPECT_THAT(lparctl(host, {"iov", "release", "web"}).err, HasSubstr("this needs root"));
    host.privileged = true;
    host.put(iov_state_file, "{");
    EXPECT_THAT(lparctl(host, {"iov", "list"}).err, HasSubstr("/run/lpar/iov.json: "));
}

// Plain files change as sysfs would, but for the links: a driver is never bound.
TEST(Iov, WhatFailsIsUndone) {
    FakeHost host;
    add_adapter(host, "0x0b4000");
    host.directory("/sys/bus/pci/drivers/vfio-pci");
    ASSERT_EQ(lparctl(host, {"partition", "create", "web"}).status, 0);
    auto plan = lparctl(host, {"iov", "assign", "web=1", "--adapter", pf, "--plan"});
    EXPECT_EQ(plan.status, 0) << plan.err;
    EXPECT_THAT(plan.out, HasSubstr("0000:03:10.0: driver none -> vfio-pci"));
    EXPECT_THAT(read_iov_state(host), IsEmpty());
    std::string override_file = std::string(root) + "0000:03:10.0/driver_override";
    // no file to write to in drivers/vfio-pci
    auto answer = lparctl(host, {"iov", "assign", "web=1", "--adapter", pf});
    EXPECT_EQ(answer.status, 1);
    EXPECT_THAT(answer.err, HasSubstr("vfio-pci/bind"));
    EXPECT_EQ(host.read(override_file), "");
    EXPECT_THAT(read_iov_state(host), IsEmpty());
    host.put("/sys/bus/pci/drivers/vfio-pci/bind", "");
    for (int i = 1; i <= 3; i++) {
        answer = lparctl(
            host, {"iov", "assign", "web=1", "--adapter", pf, "--fail-at", std::to_string(i)});
        EXPECT_EQ(answer.status, 1);
        EXPECT_EQ(host.read(override_file), "");
        EXPECT_THAT(read_iov_state(host), IsEmpty());
    }
    answer = lparctl(host, {"iov", "assign", "web=1", "--adapter", pf});
    EXPECT_EQ(answer.status, 0) << answer.err;
    EXPECT_THAT(answer.out,
                HasSubstr("web: -device vfio-pci,host=0000:03:10.0,id=vf-0000-03-10-0"));
    EXPECT_EQ(host.read(override_file), "vfio-pci");
    EXPECT_EQ(host.read("/sys/bus/pci/drivers/vfio-pci/bind"), "0000:03:10.0");
    EXPECT_EQ(read_iov_state(host).size(), 3);
    answer = lparctl(host, {"iov", "release", "web", "--fail-at", "2"});
    EXPECT_THAT(answer.err, HasSubstr("is still assigned"));
    EXPECT_EQ(read_iov_state(host).size(), 2);
    answer = lparctl(host, {"iov", "release", "0000:03:10.0"});
    EXPECT_EQ(answer.status, 0) << answer.err;
    EXPECT_EQ(host.read(override_file), "");
    EXPECT_THAT(read_iov_state(host), IsEmpty());
}

// Where the notes are there is no room any more, from when something is written to @file on.
struct FullHost : FakeHost {
    std::string file;
    int write(const std::string &name, const std::string &text) override {
        if (name != file)
            return FakeHost::write(name, text);
        erase(iov_state_file);
        directory(iov_state_file);
        return EIO;
    }
};

TEST(Iov, WithoutRoomForNotesAllIsUndone) {
    FullHost host;
    add_adapter(host, "0x0b4000");
    host.directory("/sys/bus/pci/drivers/vfio-pci");
    ASSERT_EQ(lparctl(host, {"partition", "create", "web"}).status, 0);
    std::string override_file = std::string(root) + "0000:03:10.0/driver_override";
    host.file = "/sys/bus/pci/drivers/vfio-pci/bind";
    auto answer = lparctl(host, {"iov", "assign", "web=1", "--adapter", pf});
    EXPECT_EQ(answer.status, 1);
    EXPECT_THAT(answer.err, HasSubstr("bind: Input/output error; what was undone is still noted"));
    EXPECT_EQ(host.read(override_file), "");
}

TEST(Iov, WhatCouldNotBeNotedIsNot) {
    FakeHost host;
    IovState state(host);
    IovStep first{Kind::claim, pf, "0000:03:10.0", "", "web"};
    IovStep second{Kind::vlan, pf, "0000:03:10.2", "0", "5"};
    host.directory(iov_state_file);
    EXPECT_THROW(state.add(first), Failure);
    EXPECT_THROW(state.merge(second), Failure);
    EXPECT_THAT(state.taken(), IsEmpty());
    host.erase(iov_state_file);
    state.merge(second);
    EXPECT_THAT(read_iov_state(host), ElementsAre(second));
    IovStep third = second;
    third.from = "5";
    third.to = "6";
    host.erase(iov_state_file);
    host.directory(iov_state_file);
    EXPECT_THROW(state.merge(third), Failure);
    EXPECT_THAT(state.taken(), ElementsAre(second));
}

// Unbinding would wait for ever for whoever has the VF open, whatever its monitor has said.
TEST(Iov, WhatIsOpenIsNotUnbound) {
    FakeHost host;
    host.add_sriov(pf, 4);
    ASSERT_EQ(lparctl(host, {"partition", "create", "web"}).status, 0);
    ASSERT_EQ(lparctl(host, {"iov", "assign", "web=1", "--adapter", pf}).status, 0);
    std::string vf = "0000:03:00.1";
    std::string driver = "/sys/bus/pci/devices/" + vf + "/driver";
    auto taken = read_iov_state(host);
    taken.push_back({Kind::plug, pf, vf, "", "/nonexistent"});
    host.put(iov_state_file, format_iov_state(taken));
    host.put("/dev/vfio/" + vf, "");
    host.put("/proc/77/comm", "q\x1b[2J\n");
    host.link("/proc/77/fd/9", "/dev/vfio/" + vf);
    auto answer = lparctl(host, {"iov", "release", "web"});
    EXPECT_EQ(answer.status, 1);
    EXPECT_THAT(answer.err, HasSubstr(vf + " is still open in process 77 (q?[2J)"));
    EXPECT_TRUE(host.has(driver));
    // the monitor is no longer needed, and QEMU takes a while
    taken.pop_back();
    EXPECT_EQ(read_iov_state(host), taken);
    taken.push_back({Kind::plug, pf, vf, "", "/nonexistent"});
    host.put(iov_state_file, format_iov_state(taken));
    host.on_sleep = [&] { host.erase("/proc/77"); };
    EXPECT_EQ(lparctl(host, {"iov", "release", "web"}).status, 0);
    EXPECT_FALSE(host.has(driver));
    EXPECT_THAT(read_iov_state(host), IsEmpty());
}

// Nor is a VF taken away that somebody has opened meanwhile.
TEST(Iov, WhatIsOpenIsNotRemoved) {
    FakeHost host;
    host.add_sriov(pf, 4);
    ASSERT_EQ(lparctl(host, {"partition", "create", "web"}).status, 0);
    ASSERT_EQ(lparctl(host, {"iov", "assign", "web=1", "--vfs", "2", "--adapter", pf}).status, 0);
    auto taken = read_iov_state(host);
    taken.push_back({Kind::plug, pf, "0000:03:00.1", "", "/nonexistent"});
    host.put(iov_state_file, format_iov_state(taken));
    host.put("/dev/vfio/0000:03:00.1", "");
    host.put("/dev/vfio/0000:03:00.2", "");
    host.link("/proc/77/fd/9", "/dev/vfio/0000:03:00.1");
    host.on_sleep = [&] {
        if (host.has("/proc/78"))
            return;
        host.erase("/proc/77");
        host.link("/proc/78/fd/9", "/dev/vfio/0000:03:00.2");
        host.link("/sys/devices/pci0000:00/0000:00:1d.0/0000:03:00.2/driver",
                  "/sys/bus/pci/drivers/vfio-pci");
    };
    EXPECT_THAT(lparctl(host, {"iov", "release", "web"}).err,
                HasSubstr("0000:03:00.2 is still open in process 78"));
    EXPECT_EQ(host.read("/sys/bus/pci/devices/" + std::string(pf) + "/sriov_numvfs"), "2");
}

// An assignment that cannot be undone as a whole stays one that can be released.
TEST(Iov, WhatIsOpenStaysAssigned) {
    FakeHost host;
    host.add_sriov(pf, 4);
    ASSERT_EQ(lparctl(host, {"partition", "create", "web"}).status, 0);
    std::string vf = "0000:03:00.1";
    host.put("/dev/vfio/" + vf, "");
    host.put("/proc/77/comm", "qemu\n");
    host.link("/proc/77/fd/9", "/dev/vfio/" + vf);
    std::vector<std::string> words{"iov", "assign", "web=2", "--adapter", pf, "--plan", "-j"};
    auto steps = Json::parse(lparctl(host, words).out)["steps"];
    words.resize(words.size() - 2);
    words.insert(words.end(), {"--fail-at", std::to_string(steps.size())});
    auto answer = lparctl(host, words); // at the driver of the second
    EXPECT_THAT(answer.err, HasSubstr(vf + " is still open in process 77 (qemu)"));
    EXPECT_EQ(host.read("/sys/bus/pci/devices/" + std::string(pf) + "/sriov_numvfs"), "2");
    host.erase("/proc/77");
    answer = lparctl(host, {"iov", "release", "web"});
    EXPECT_EQ(answer.status, 0) << answer.err;
    EXPECT_EQ(host.read("/sys/bus/pci/devices/" + std::string(pf) + "/sriov_numvfs"), "0");
    EXPECT_THAT(read_iov_state(host), IsEmpty());
}

RC_GTEST_PROP(IovState, WhatIsReadIsWhatWasWritten, ()) {
    auto steps = *rc::gen::container<std::vector<IovStep>>(rc::gen::exec([] {
        auto text = [] { return *rc::gen::container<std::string>(rc::gen::inRange(' ', '~')); };
        IovStep step{static_cast<Kind>(*rc::gen::inRange(0, static_cast<int>(Kind::mtu) + 1)),
                     text(), text(), text(), text()};
        auto number = [](auto &value) {
            if (*rc::gen::arbitrary<bool>())
                value = *rc::gen::arbitrary<uint32_t>() & 1;
        };
        number(step.settings.queues);
        number(step.settings.interrupts);
        number(step.settings.vlan);
        number(step.settings.rate);
        number(step.settings.trust);
        number(step.settings.spoofchk);
        step.settings.namespaces = *rc::gen::arbitrary<std::set<uint32_t>>();
        if (*rc::gen::arbitrary<bool>())
            step.settings.mac = text();
        return step;
    }));
    RC_ASSERT(parse_iov_state(format_iov_state(steps)) == steps);
}

TEST(IovState, OldOnesHaveNoSettings) {
    auto taken = parse_iov_state(
        R"({"version":1,"steps":[{"kind":"claim","adapter":"a","vf":"v","from":"","to":"web"}]})");
    EXPECT_THAT(taken, ElementsAre(IovStep{Kind::claim, "a", "v", "", "web"}));
}

TEST(IovState, RefusesOthers) {
    for (const char *text :
         {"", "[]", "{}", R"({"version":3,"steps":[]})", R"({"version":0,"steps":[]})",
          R"({"version":1})",
          R"({"version":2,"steps":[{"kind":"claim","adapter":"","vf":"","from":"","to":"",)"
          R"("settings":{"queues":"x"}}]})",
          R"({"version":1,"steps":[{}]})",
          R"({"version":1,"steps":[{"kind":"x","adapter":"","vf":"","from":"","to":""}]})"})
        EXPECT_THROW(parse_iov_state(text), Failure) << text;
}

// ------------------------------------------------------------------------- NVMe

TEST(NvmeAdmin, Pages) {
    NvmePage page{};
    page[0] = 5;
    page[32] = 12; // queues: total, of the primary, fixed, for each, step
    page[40] = 2;
    page[42] = 7;
    page[44] = 3;
    page[46] = 1;
    page[64] = 8;
    page[76] = 2;
    auto primary = nvme_primary_of(page);
    EXPECT_EQ(primary.controller, 5);
    EXPECT_EQ(primary.queues.total, 12);
    EXPECT_EQ(primary.queues.primary, 2);
    EXPECT_EQ(primary.queues.fixed, 7);
    EXPECT_EQ(primary.queues.per_function, 3);
    EXPECT_EQ(primary.queues.step, 1);
    EXPECT_EQ(primary.interrupts.total, 8);
    EXPECT_EQ(primary.interrupts.per_function, 2);

    page = {};
    page[0] = 1;
    page[32] = 2;
    page[33] = 1;
    page[36] = 1;
    page[40] = 4;
    page[42] = 3;
    page[44] = 2;
    auto list = nvme_secondaries_of(page);
    ASSERT_EQ(list.size(), 1);
    EXPECT_EQ(list[0].controller, 258);
    EXPECT_TRUE(list[0].online);
    EXPECT_EQ(list[0].vf, 4);
    EXPECT_EQ(list[0].queues, 3);
    EXPECT_EQ(list[0].interrupts, 2);

    EXPECT_THAT(nvme_controllers_of(page), ElementsAre(0));
    page.fill(0xff); // a liar's: as much as there can be, and not a byte more
    EXPECT_EQ(nvme_secondaries_of(page).size(), 127);
    EXPECT_EQ(nvme_namespaces_of(page).size(), 1);
    EXPECT_EQ(nvme_controllers_of(page).size(), 1);
    EXPECT_THAT(nvme_status_text(0x4121), HasSubstr("not as many resources to give (NVMe status"));
    EXPECT_THAT(nvme_status_text(0x777), HasSubstr("refused"));
}

// ------------------------------------------------------------------------- NICs

TEST(VfLink, Requests) {
    auto message = vf_link_request(7, 3, Kind::vlan, "5");
    nlmsghdr header{};
    std::memcpy(&header, message.data(), sizeof(header));
    EXPECT_EQ(header.nlmsg_len, message.size());
    EXPECT_EQ(header.nlmsg_type, RTM_SETLINK);
    EXPECT_EQ(header.nlmsg_flags, NLM_F_REQUEST | NLM_F_ACK);
    ifinfomsg info{};
    std::memcpy(&info, message.data() + sizeof(header), sizeof(info));
    EXPECT_EQ(info.ifi_index, 7);
    ifla_vf_vlan vlan{};
    ASSERT_EQ(message.size(), sizeof(header) + sizeof(info) + 3 * sizeof(rtattr) + sizeof(vlan));
    std::memcpy(&vlan, message.data() + message.size() - sizeof(vlan), sizeof(vlan));
    EXPECT_EQ(vlan.vf, 3);
    EXPECT_EQ(vlan.vlan, 5);
    for (const auto &[kind, value] :
         std::vector<std::pair<Kind, std::string>>{{Kind::mac, "52:54:00:00:00"},
                                                   {Kind::mac, "52-54-00-00-00-01"},
                                                   {Kind::vlan, ""},
                                                   {Kind::rate, "1x"},
                                                   {Kind::trust, "1"},
                                                   {Kind::spoofchk, ""},
                                                   {Kind::driver, "igb"}})
        EXPECT_THROW(vf_link_request(1, 0, kind, value), Failure) << value;
}

// What is asked for has the form in which the kernel tells.
TEST(VfLink, AnswersAreRead) {
    for (const auto &[kind, value] :
         std::vector<std::pair<Kind, std::string>>{{Kind::mac, "52:54:00:ab:cd:ef"},
                                                   {Kind::vlan, "4094"},
                                                   {Kind::rate, "100"},
                                                   {Kind::trust, "on"},
                                                   {Kind::spoofchk, "off"}}) {
        auto message = vf_link_request(7, 2, kind, value);
        EXPECT_THAT(vf_links_of(message), IsEmpty()); // it is no answer
        message[offsetof(nlmsghdr, nlmsg_type)] = RTM_NEWLINK;
        auto links = vf_links_of(message);
        ASSERT_EQ(links.size(), 1);
        const VfLink &link = links[0];
        EXPECT_EQ(kind == Kind::mac     ? link.mac
                  : kind == Kind::vlan  ? link.vlan
                  : kind == Kind::rate  ? link.rate
                  : kind == Kind::trust ? link.trust
                                        : link.spoofchk,
                  value);
    }
}

RC_GTEST_PROP(VfLinkProperty, AnyBytesAreRead, (std::vector<uint8_t> bytes)) {
    auto message = vf_link_request(7, 2, Kind::mac, "52:54:00:ab:cd:ef");
    message[offsetof(nlmsghdr, nlmsg_type)] = RTM_NEWLINK;
    for (uint8_t byte : bytes)
        message[byte % message.size()] = *rc::gen::arbitrary<uint8_t>();
    message.resize(*rc::gen::inRange<size_t>(0, message.size() + 1));
    vf_links_of(message);
}

// ------------------------------------------------------------------------- guests

// A monitor that answers as it is told, a line for each request after the greeting's
class Monitor {
  public:
    explicit Monitor(std::vector<std::string> answers) {
        if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends_) != 0)
            throw std::runtime_error("socketpair");
        thread_ = std::thread([this, answers = std::move(answers)] {
            say(R"({"QMP":{}})");
            for (const auto &answer : answers) {
                std::string request;
                char byte = 0;
                while (::read(ends_[1], &byte, 1) == 1 && byte != '\n')
                    request += byte;
                Json json = Json::parse(request, nullptr, false);
                if (!json.is_object())
                    break; // the other end has enough
                asked.push_back(json.value("execute", "?"));
                std::string text = answer;
                if (auto at = text.find("ID"); at != std::string::npos)
                    text.replace(at, 2, "\"id\":\"" + asked.back() + "\"");
                say(text);
            }
            ::shutdown(ends_[1], SHUT_RDWR);
        });
    }
    ~Monitor() {
        join();
        ::close(ends_[1]);
    }
    void join() {
        if (thread_.joinable())
            thread_.join();
    }
    int end() const { return ends_[0]; }
    std::vector<std::string> asked;

  private:
    void say(const std::string &text) {
        std::string line = text + "\r\n";
        ::send(ends_[1], line.data(), line.size(), MSG_NOSIGNAL);
    }
    int ends_[2];
    std::thread thread_;
};

constexpr auto yes = R"({"return":{},ID})";

TEST(Qmp, PlugAndUnplug) {
    std::string ports =
        R"({"return":[{"bus":0,"devices":[{"class_info":{"class":1536},"qdev_id":""},)"
        R"({"class_info":{"class":1540},"qdev_id":"rp0","pci_bridge":{"devices":[{}]}},)"
        R"({"class_info":{"class":1540},"qdev_id":"rp1","pci_bridge":{"bus":{}}}]}],ID})";
    Monitor monitor({yes, ports, yes, R"({"return":[{"name":"vf"}],ID})", yes,
                     R"({"event":"DEVICE_DELETED","data":{"device":"vf"}}
{"return":[],ID})"});
    Qmp qmp(monitor.end(), "test");
    qmp.plug("0000:03:00.1", "vf");
    qmp.unplug("vf", 5, [] { return false; });
    monitor.join();
    EXPECT_THAT(monitor.asked, ElementsAre("qmp_capabilities", "query-pci", "device_add",
                                           "qom-list", "device_del", "qom-list"));
}

TEST(Qmp, SaysWhatIsWrong) {
    auto said = [](std::vector<std::string> answers, auto what) {
        Monitor monitor(std::move(answers));
        try {
            Qmp qmp(monitor.end(), "test");
            what(qmp);
        } catch (const Failure &failure) {
            return std::string(failure.what());
        }
        return std::string();
    };
    auto plug = [](Qmp &qmp) { qmp.plug("0000:03:00.1", "vf"); };
    EXPECT_THAT(said({yes, R"({"return":[],ID})"}, plug), HasSubstr("no free root port"));
    EXPECT_THAT(said({yes}, plug), HasSubstr("the guest has ended"));
    EXPECT_THAT(said({yes, R"({"error":{"desc":"no such thing"},ID})"}, plug),
                HasSubstr("test: query-pci: no such thing"));
    EXPECT_THAT(said({yes, R"({"error":{"desc":"a\u001b\u009b\n"},ID})"}, plug),
                HasSubstr("test: query-pci: a???"));
    auto unplug = [](Qmp &qmp) { qmp.unplug("vf", 0, [] { return false; }); };
    EXPECT_THAT(
        said({yes, R"({"return":[{"name":"vf"}],ID})", yes, R"({"return":[{"name":"vf"}],ID})"},
             unplug),
        HasSubstr("has not let go of it within 0 s"));
    EXPECT_THAT(said({yes, R"({"return":[{"name":"vf"}],ID})", yes,
                      R"({"event":"DEVICE_UNPLUG_GUEST_ERROR","data":{"device":"vf"}})"
                      "\n"
                      R"({"return":[{"name":"vf"}],ID})"},
                     unplug),
                HasSubstr("the guest does not let go of it"));
    // an interruption ends the wait for an answer
    EXPECT_THAT(said({yes, R"({"return":[{"name":"vf"}],ID})", "", ""},
                     [](Qmp &qmp) { qmp.unplug("vf", 60, [] { return true; }); }),
                HasSubstr("test: interrupted"));
    EXPECT_TRUE(Qmp::is_gone("/nonexistent"));
    EXPECT_EQ(qmp_device_id("0000:03:00.1"), "vf-0000-03-00-1");
}

// An answer of another form is a failure like others, after which all is undone.
TEST(Qmp, NonsenseIsAFailure) {
    constexpr auto plug = [](Qmp &qmp) { qmp.plug("0000:03:00.1", "vf"); };
    constexpr auto unplug = [](Qmp &qmp) { qmp.unplug("vf", 0, [] { return false; }); };
    constexpr auto memory = [](Qmp &qmp) { qmp.memory(); };
    struct {
        std::vector<std::string> answers;
        void (*what)(Qmp &);
    } const cases[] = {
        {{yes, R"({"return":[{}],ID})"}, plug},
        {{yes, R"({"return":[{"devices":[1]}],ID})"}, plug},
        {{yes, R"({"return":[1],ID})"}, unplug},
        {{yes, R"({"return":[{"name":1}],ID})"}, unplug},
        {{yes, R"({"return":1,ID})"}, unplug},
        {{yes, R"({"return":[],ID})"}, memory},
        {{yes, R"({"return":{"base-memory":"x"},ID})"}, memory},
        {{yes, R"({"error":1,ID})"}, memory},
        {{yes, R"({"error":{"desc":1},ID})"}, memory},
        {{yes, R"({"event":"X","data":1})"}, memory},
        {{yes, R"({"event":"X","data":{"device":1}})"}, memory},
        {{R"({"error":1,ID})"}, memory},
        {{"1"}, memory},
    };
    for (const auto &one : cases) {
        Monitor monitor(one.answers);
        try {
            Qmp qmp(monitor.end(), "test");
            one.what(qmp);
            ADD_FAILURE() << one.answers.back();
        } catch (const Failure &failure) {
            EXPECT_STREQ(failure.what(), "test: what it says is no QMP") << one.answers.back();
        }
    }
}

// Whatever comes instead of an answer, it is waited for once.
TEST(Qmp, EventsAreNoAnswer) {
    int ends[2];
    ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
    std::thread guest([&] {
        std::string line = "{\"QMP\":{}}\n";
        for (int i = 0; i < 200; i++) {
            if (::send(ends[1], line.data(), line.size(), MSG_NOSIGNAL) < 0)
                break;
            line = "{\"event\":\"RTC_CHANGE\"}\n";
            ::usleep(10000);
        }
        ::close(ends[1]);
    });
    try {
        Qmp qmp(ends[0], "test", 0.2);
        ADD_FAILURE();
    } catch (const Failure &failure) {
        EXPECT_THAT(failure.what(), HasSubstr("test: qmp_capabilities: no answer"));
    }
    guest.join();
}

// A socket at which so many may wait
class Listener {
  public:
    Listener(const std::string &path, int most) {
        address_.sun_family = AF_UNIX;
        path.copy(address_.sun_path, sizeof(address_.sun_path) - 1);
        if (::bind(open(), at(), sizeof(address_)) != 0 || ::listen(fds_[0], most) != 0)
            throw std::runtime_error("bind");
    }
    ~Listener() {
        for (int fd : fds_)
            ::close(fd);
    }
    // Until nobody else may
    void crowd() {
        while (::connect(open(), at(), sizeof(address_)) == 0)
            ;
    }
    bool was_called() {
        fds_.push_back(::accept(fds_[0], nullptr, nullptr));
        return fds_.back() >= 0;
    }

  private:
    int open() {
        fds_.push_back(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
        return fds_.back();
    }
    const sockaddr *at() const { return reinterpret_cast<const sockaddr *>(&address_); }

    sockaddr_un address_{};
    std::vector<int> fds_;
};

TEST(Qmp, NobodyWaitsInARow) {
    FakeHost host;
    std::string path = host.path() + "/web.qmp";
    Listener listener(path, 0);
    listener.crowd();
    ::alarm(30);
    EXPECT_FALSE(Qmp::is_gone(path));
    try {
        Qmp qmp(path);
        ADD_FAILURE();
    } catch (const Failure &failure) {
        EXPECT_THAT(failure.what(), HasSubstr("/web.qmp: another program is connected to it"));
    }
    ::alarm(0);
}

// Only the monitors of those whose VFs are released are asked.
TEST(Iov, OthersMonitorsAreLeftAlone) {
    FakeHost host;
    host.knows_mailboxes = true;
    host.add_sriov(pf, 4);
    for (const char *name : {"web", "db"}) {
        ASSERT_EQ(lparctl(host, {"partition", "create", name}).status, 0);
        ASSERT_EQ(lparctl(host, {"iov", "assign", std::string(name) + "=1", "--adapter", pf,
                                 "--vfs", "2"})
                      .status,
                  0);
    }
    auto monitor = [&](const std::string &name) {
        host.put(configfs_partitions + name + "/qmp", host.path() + "/" + name + "\n");
        return std::make_unique<Listener>(host.path() + "/" + name, 9);
    };
    auto web = monitor("web");
    auto db = monitor("db");
    EXPECT_EQ(lparctl(host, {"iov", "release", "0000:03:00.1"}).status, 0);
    EXPECT_TRUE(web->was_called());
    EXPECT_FALSE(db->was_called());
}

} // namespace

} // namespace lpar
