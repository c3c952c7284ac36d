// SPDX-License-Identifier: GPL-2.0
// What partitions ask for their VFs: deciding and doing it, by hand, by lparctl iov serve, and from
// the management partition.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <rapidcheck/gtest.h>
#include <sstream>

#include "error.h"
#include "fake.h"
#include "iov_ask.h"
#include "iov_scan.h"
#include "iov_serve.h"
#include "iov_state.h"
#include "lpar/wire.h"
#include "paths.h"

namespace lpar {

namespace {

using Kind = IovStep::Kind;
using Json = nlohmann::json;
using test::FakeHost;
using test::lparctl;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

constexpr auto pf = "0000:03:00.0";
constexpr auto vf = "0000:03:00.1";
constexpr auto mtu = "/sys/class/net/eth9/mtu";

TEST(IovAsk, WhatPeopleWrite) {
    using Pair = std::pair<uint32_t, uint64_t>;
    EXPECT_EQ(parse_ask("mac=52:54:00:AB:cd:01"), Pair(LPAR_ASK_MAC, 0x525400abcd01));
    EXPECT_EQ(parse_ask("vlan=0"), Pair(LPAR_ASK_VLAN, 0));
    EXPECT_EQ(parse_ask("queues=3"), Pair(LPAR_ASK_QUEUES, 3));
    EXPECT_EQ(parse_ask("reset"), Pair(LPAR_ASK_RESET, 0));
    for (const auto *text :
         {"", "=", "=5", "mac", "mac=", "mac=5", "vlan", "vlan=", "vlan=x", "vlan=5x", "vlan=-1",
          "reset=1", "reset=", "colour=5", "rate=18446744073709551616"})
        EXPECT_THROW(parse_ask(text), UsageError) << text;
    for (uint32_t ask = 1; ask < LPAR_ASKS; ask++) {
        EXPECT_FALSE(iov_ask_name(ask).empty());
        uint64_t value = ask == LPAR_ASK_RESET ? 0 : 0x020304050607;
        std::string text = iov_ask_name(ask);
        if (ask != LPAR_ASK_RESET)
            text += "=" + iov_ask_value(ask, value);
        EXPECT_EQ(parse_ask(text), Pair(ask, value));
    }
    EXPECT_EQ(iov_ask_name(LPAR_ASKS), "");
    EXPECT_EQ(iov_ask_text(LPAR_ASK_MAC, 0x525400abcd01), "mac 52:54:00:ab:cd:01");
    EXPECT_EQ(iov_ask_text(LPAR_ASK_RESET, 0), "reset");
    EXPECT_EQ(iov_ask_text(99, 5), "request 99 for 5");
}

// A NIC or an NVMe with two VFs, of which the first is web's
IovSnapshot machine(IovType type) {
    IovAdapter adapter;
    adapter.address = pf;
    adapter.driver = "drv";
    adapter.type = type;
    adapter.total = adapter.enabled = 2;
    adapter.queues.per_function = 4;
    adapter.namespaces = {{1, "/dev/nvme1n1", ""}, {2, "/dev/nvme1n2", "is mounted on /data"}};
    for (const auto *address : {vf, "0000:03:00.2"}) {
        IovFunction one;
        one.address = address;
        one.exists = true;
        one.queues = 3;
        one.mac = address == vf ? "52:54:00:00:00:01" : "52:54:00:00:00:02";
        one.vlan = "0";
        one.rate = "0";
        adapter.vfs.push_back(one);
    }
    IovSnapshot now;
    now.adapters.push_back(adapter);
    now.taken = {{Kind::claim, pf, vf, "", "web"}};
    return now;
}

IovAsked asks(uint32_t ask, uint64_t value) {
    bool nvme = ask == LPAR_ASK_QUEUES || ask == LPAR_ASK_ATTACH || ask == LPAR_ASK_DETACH;
    IovAsked asked;
    asked.id = 7;
    asked.partition = "web";
    asked.vf = vf;
    asked.kind = nvme ? LPAR_VF_NVME : LPAR_VF_NIC;
    asked.ask = ask;
    asked.value = value;
    return asked;
}

std::string refusal(const IovSnapshot &now, const IovAsked &asked) {
    try {
        iov_ask_steps(now, asked);
    } catch (const Failure &failure) {
        return failure.what();
    }
    return "";
}

TEST(IovAsk, WhatIsDone) {
    IovSnapshot nic = machine(IovType::nic);
    IovSnapshot nvme = machine(IovType::nvme);
    EXPECT_THAT(iov_ask_steps(nic, asks(LPAR_ASK_MAC, 0x525400000003)),
                ElementsAre(IovStep{Kind::mac, pf, vf, "52:54:00:00:00:01", "52:54:00:00:00:03"}));
    EXPECT_THAT(iov_ask_steps(nic, asks(LPAR_ASK_VLAN, 5)),
                ElementsAre(IovStep{Kind::vlan, pf, vf, "0", "5"}));
    EXPECT_THAT(iov_ask_steps(nic, asks(LPAR_ASK_RATE, 100)),
                ElementsAre(IovStep{Kind::rate, pf, vf, "0", "100"}));
    EXPECT_THAT(iov_ask_steps(nic, asks(LPAR_ASK_MTU, 9000)),
                ElementsAre(IovStep{Kind::mtu, pf, "", "", "9000"}));
    EXPECT_THAT(iov_ask_steps(nvme, asks(LPAR_ASK_QUEUES, 3)),
                ElementsAre(IovStep{Kind::queues, pf, vf, "3", "4"}));
    EXPECT_THAT(iov_ask_steps(nvme, asks(LPAR_ASK_ATTACH, 1)),
                ElementsAre(IovStep{Kind::attach, pf, vf, "", "1"}));
    EXPECT_THAT(iov_ask_steps(nvme, asks(LPAR_ASK_DETACH, 2)),
                ElementsAre(IovStep{Kind::attach, pf, vf, "2", ""}));
    EXPECT_THAT(iov_ask_steps(nic, asks(LPAR_ASK_RESET, 0)), IsEmpty());
}

TEST(IovAsk, WhatIsNotDone) {
    IovSnapshot nic = machine(IovType::nic);
    IovSnapshot nvme = machine(IovType::nvme);
    IovAsked other = asks(LPAR_ASK_VLAN, 5);
    other.partition = "db";
    EXPECT_THAT(refusal(nic, other), HasSubstr("is not this partition's"));
    other = asks(LPAR_ASK_VLAN, 5);
    other.vf = "0000:03:00.2"; // nobody's
    EXPECT_THAT(refusal(nic, other), HasSubstr("is not this partition's"));
    other.vf = "0000:03:00.9";
    EXPECT_THAT(refusal(nic, other), HasSubstr("is not there any more"));
    EXPECT_THAT(refusal(nvme, asks(LPAR_ASK_MAC, 5)), HasSubstr("is of type nvme"));
    EXPECT_THAT(refusal(nic, asks(LPAR_ASK_QUEUES, 1)), HasSubstr("is of type nic"));
    EXPECT_THAT(refusal(nic, asks(LPAR_ASK_MAC, 0x525400000002)),
                HasSubstr("another virtual function has the address 52:54:00:00:00:02"));
    EXPECT_THAT(refusal(nic, asks(LPAR_ASK_MAC, 0x525400000001)), "");
    nic.adapters[0].stations = {{"52:54:00:00:00:03", "the host", "", ""},
                                {"52:54:00:00:00:04", "nic db/n0", "db", vf},
                                {"52:54:00:00:00:05", "nic web/n0", "web", vf}};
    EXPECT_THAT(refusal(nic, asks(LPAR_ASK_MAC, 0x525400000003)),
                HasSubstr("a NIC or another virtual function has the address 52:54:00:00:00:03"));
    EXPECT_THAT(refusal(nic, asks(LPAR_ASK_MAC, 0x525400000004)),
                HasSubstr("a NIC or another virtual function has the address"));
    EXPECT_THAT(refusal(nic, asks(LPAR_ASK_MAC, 0x525400000005)), "");
    EXPECT_THAT(refusal(nvme, asks(LPAR_ASK_QUEUES, 4)), HasSubstr("3 queues at most"));
    EXPECT_THAT(refusal(nvme, asks(LPAR_ASK_ATTACH, 9)), HasSubstr("no namespace 9"));
    EXPECT_THAT(refusal(nvme, asks(LPAR_ASK_ATTACH, 2)), HasSubstr("in use by the host"));
    nic.adapters[0].vfs[0].rate.clear();
    EXPECT_THAT(refusal(nic, asks(LPAR_ASK_RATE, 5)), HasSubstr("drv knows no rate"));
    nic.adapters[0].control_error = "it is dead";
    EXPECT_THAT(refusal(nic, asks(LPAR_ASK_VLAN, 5)), HasSubstr("it is dead"));
    EXPECT_THAT(refusal(machine(IovType::nic), asks(99, 0)), HasSubstr("does not know"));
}

// ----------------------------------------------------------------------- the state

TEST(IovMerge, IsOneStepForEachThing) {
    FakeHost host;
    IovState state(host);
    state.add({Kind::claim, pf, vf, "", "web"});
    state.add({Kind::mac, pf, vf, "a", "b"});
    for (int i = 0; i < 10; i++) {
        state.merge({Kind::mac, pf, vf, "b", "c"});
        state.merge({Kind::mac, pf, vf, "c", "b"});
        state.merge({Kind::vlan, pf, vf, i == 0 ? "0" : "6", "5"});
        state.merge({Kind::vlan, pf, vf, "5", "6"});
        state.merge({Kind::attach, pf, vf, "", "1"});
        state.merge({Kind::attach, pf, vf, "", "2"});
        state.merge({Kind::attach, pf, vf, "1", ""});
        state.merge({Kind::attach, pf, vf, "2", ""});
    }
    state.merge({Kind::attach, pf, vf, "3", ""});
    EXPECT_THAT(state.taken(), ElementsAre(IovStep{Kind::claim, pf, vf, "", "web"},
                                           IovStep{Kind::mac, pf, vf, "a", "b"},
                                           IovStep{Kind::vlan, pf, vf, "0", "6"},
                                           IovStep{Kind::attach, pf, vf, "3", ""}));
    state.merge({Kind::mac, pf, vf, "b", "a"}); // as it was
    state.merge({Kind::attach, pf, vf, "", "3"});
    EXPECT_THAT(read_iov_state(host), ElementsAre(IovStep{Kind::claim, pf, vf, "", "web"},
                                                  IovStep{Kind::vlan, pf, vf, "0", "6"}));
}

// ------------------------------------------------------------------- on a machine

// A NIC of which web has a VF
class Served : public testing::Test {
  protected:
    Served() {
        host_.knows_mailboxes = true;
        host_.add_sriov(pf, 4);
        std::string node = host_.resolve(std::string("/sys/bus/pci/devices/") + pf).value();
        host_.put(node + "/class", "0x020000\n");
        host_.put(node + "/net/eth9/mtu", "1500\n");
        host_.link("/sys/class/net/eth9", node + "/net/eth9");
        EXPECT_EQ(lparctl(host_, {"partition", "create", "web"}).status, 0);
        auto answer = lparctl(host_, {"iov", "assign", "web=1", "--adapter", pf});
        EXPECT_EQ(answer.status, 0) << answer.err;
    }

    void add(uint64_t id, uint32_t ask, uint64_t value, bool allowed,
             const std::string &partition = "web") {
        IovAsked asked = asks(ask, value);
        asked.id = id;
        asked.allowed = allowed;
        asked.partition = partition;
        host_.asked.push_back(asked);
    }

    std::string serve() {
        auto answer = lparctl(host_, {"iov", "serve", "--once"});
        EXPECT_EQ(answer.status, 0) << answer.err;
        return answer.out;
    }

    FakeHost host_;
};

TEST_F(Served, AMailboxForEachVf) {
    std::string mailbox = std::string(configfs_partitions) + "web/vfs/" + vf;
    EXPECT_EQ(host_.read(mailbox + "/kind"), "nic");
    EXPECT_EQ(host_.read(mailbox + "/enable"), "1");
    EXPECT_EQ(lparctl(host_, {"iov", "release", "web"}).status, 0);
    EXPECT_FALSE(host_.has(mailbox));
    // when it cannot be made, nothing is assigned
    host_.fail[std::string("write web/vfs/") + vf + "/enable=1"] = EINVAL;
    EXPECT_EQ(lparctl(host_, {"iov", "assign", "web=1", "--adapter", pf}).status, 1);
    EXPECT_FALSE(host_.has(mailbox));
    EXPECT_THAT(read_iov_state(host_), IsEmpty());
    // one that a boot or a killed lparctl has left is in nobody's way
    host_.fail.clear();
    EXPECT_EQ(lparctl(host_, {"partition", "create", "db"}).status, 0);
    ASSERT_EQ(host_.make_directory(std::string(configfs_partitions) + "db/vfs/" + vf), 0);
    ASSERT_EQ(host_.make_directory(mailbox), 0);
    EXPECT_EQ(lparctl(host_, {"iov", "assign", "web=1", "--adapter", pf}).status, 0);
    EXPECT_EQ(host_.read(mailbox + "/enable"), "1");
    EXPECT_FALSE(host_.has(std::string(configfs_partitions) + "db/vfs/" + vf));
    EXPECT_EQ(lparctl(host_, {"iov", "release", "web"}).status, 0);
    EXPECT_FALSE(host_.has(mailbox));
}

TEST_F(Served, ScanKnowsWhoHasAnAddress) {
    host_.put("/sys/class/net/eth9/address", "52:54:00:00:00:03\n");
    for (const char *adapter : {"eth9", "eth8"}) {
        std::string nic = std::string(configfs_partitions) + "web/nics/" + adapter;
        host_.put(nic + "/adapter", std::string(adapter) + "\n");
        host_.put(nic + "/mac", "52:54:00:00:00:04\n");
        host_.put(nic + "/primary", std::string(vf) + "\n");
    }
    auto has = [&](const std::string &mac, const std::string &partition) {
        return iov_adapters(host_).at(0).station(mac, partition, vf);
    };
    EXPECT_EQ(iov_adapters(host_).at(0).stations.size(), 2);
    EXPECT_EQ(has("52:54:00:00:00:03", "web"), "the host");
    EXPECT_EQ(has("52:54:00:00:00:04", "db"), "nic web/eth9");
    EXPECT_EQ(has("52:54:00:00:00:04", "web"), "");
    // without a wish the module makes one
    host_.put(std::string(state_partitions) + "web/nics/eth9/mac", "02:00:00:00:00:01\n");
    EXPECT_EQ(has("02:00:00:00:00:01", "db"), "nic web/eth9");
    // what stands on the interface is on the same wire
    host_.put("/sys/class/net/eth9/upper_bond0", "");
    host_.put("/sys/class/net/bond0/upper_eth8", "");
    host_.put("/sys/class/net/bond0/lower_eth9", "");
    host_.put("/sys/class/net/eth8/address", "52:54:00:00:00:05\n");
    EXPECT_EQ(has("52:54:00:00:00:05", "web"), "the host");
    host_.put(std::string(configfs_partitions) + "web/nics/eth8/mac", "52:54:00:00:00:06\n");
    EXPECT_EQ(has("52:54:00:00:00:06", "db"), "nic web/eth8");
}

TEST_F(Served, WhatThePolicyAllowsIsDone) {
    add(1, LPAR_ASK_MTU, 9000, true);
    add(2, LPAR_ASK_MTU, 4000, false);
    EXPECT_THAT(serve(), HasSubstr("web 0000:03:00.1: mtu 9000: done"));
    EXPECT_EQ(host_.read(mtu), "9000");
    ASSERT_EQ(host_.ended.size(), 1);
    EXPECT_EQ(host_.ended[0].id, 1);
    EXPECT_EQ(host_.ended[0].status, LPAR_OK);
    ASSERT_EQ(host_.asked.size(), 1); // it waits
    EXPECT_FALSE(host_.asked[0].taken);
    // as much as it has is enough
    add(3, LPAR_ASK_MTU, 1500, true);
    serve();
    EXPECT_EQ(host_.ended.back().status, LPAR_OK);
    EXPECT_EQ(host_.read(mtu), "9000");
    EXPECT_EQ(lparctl(host_, {"iov", "release", "web"}).status, 0);
    EXPECT_EQ(host_.read(mtu), "1500"); // with the VFs
}

TEST_F(Served, WhatFailsIsSaid) {
    host_.fail[std::string("write ") + mtu + "=9000"] = EINVAL;
    auto before = read_iov_state(host_);
    add(1, LPAR_ASK_MTU, 9000, true);
    EXPECT_THAT(serve(), HasSubstr("mtu 9000: failed: "));
    ASSERT_EQ(host_.ended.size(), 1);
    EXPECT_EQ(host_.ended[0].status, LPAR_IOERR);
    EXPECT_THAT(host_.ended[0].text, HasSubstr("mtu"));
    EXPECT_EQ(host_.read(mtu), "1500");
    EXPECT_EQ(read_iov_state(host_), before);
}

TEST_F(Served, OneOfEachPartitionAtATime) {
    for (uint64_t i = 1; i <= 3; i++)
        add(i, LPAR_ASK_MTU, 1500, true);
    add(4, LPAR_ASK_MTU, 1500, true, "db"); // of whom it is not: refused
    host_.asked[1].taken = true;
    serve();
    ASSERT_EQ(host_.ended.size(), 2);
    EXPECT_EQ(host_.ended[0].id, 1);
    EXPECT_EQ(host_.ended[1].id, 4);
    EXPECT_THAT(host_.ended[1].text, HasSubstr("is not this partition's"));
    serve();
    ASSERT_EQ(host_.ended.size(), 3);
    EXPECT_EQ(host_.ended[2].id, 3);
}

TEST_F(Served, WhoseClientHasGone) {
    add(1, LPAR_ASK_MTU, 9000, true);
    host_.on_end = [&] { host_.asked.clear(); };
    EXPECT_THAT(serve(), HasSubstr("nobody waits for it any more"));
    EXPECT_EQ(host_.read(mtu), "9000"); // until the VF goes
}

TEST_F(Served, GrantedAndRefusedByHand) {
    add(5, LPAR_ASK_MTU, 9000, false);
    add(6, LPAR_ASK_VLAN, 7, false);
    add(8, LPAR_ASK_MAC, 0x525400000001, false);
    auto list = lparctl(host_, {"iov", "requests"});
    EXPECT_THAT(list.out, HasSubstr("mac 52:54:00:00:00:01"));
    auto json = Json::parse(lparctl(host_, {"iov", "requests", "-j"}).out)["requests"];
    ASSERT_EQ(json.size(), 3);
    EXPECT_EQ(json[0]["id"], 5);
    EXPECT_EQ(json[0]["partition"], "web");
    EXPECT_EQ(json[0]["request"], "mtu");
    EXPECT_EQ(json[0]["state"], "waits");
    EXPECT_EQ(lparctl(host_, {"iov", "grant", "5"}).status, 0);
    EXPECT_EQ(host_.read(mtu), "9000");
    EXPECT_EQ(host_.ended.back().status, LPAR_OK);
    EXPECT_EQ(lparctl(host_, {"iov", "refuse", "6", "--reason", "not today"}).status, 0);
    EXPECT_EQ(host_.ended.back().status, LPAR_PERM);
    EXPECT_EQ(host_.ended.back().text, "not today");
    // the driver's no is not the client's: the request waits on
    auto answer = lparctl(host_, {"iov", "grant", "8"});
    EXPECT_EQ(answer.status, 1);
    EXPECT_THAT(answer.err, HasSubstr("own knows no mac"));
    ASSERT_EQ(host_.asked.size(), 1);
    EXPECT_FALSE(host_.asked[0].taken);
    EXPECT_THAT(lparctl(host_, {"iov", "grant", "77"}).err, HasSubstr("there is no request 77"));
    host_.asked[0].taken = true;
    EXPECT_THAT(lparctl(host_, {"iov", "refuse", "8"}).err, HasSubstr("in somebody else's hand"));
    host_.asked[0].taken = false;
    host_.on_end = [&] { host_.asked.clear(); };
    EXPECT_THAT(lparctl(host_, {"iov", "refuse", "8"}).err, HasSubstr("nobody waits for it"));
    host_.privileged = false;
    for (const auto *what : {"requests", "serve"})
        EXPECT_THAT(lparctl(host_, {"iov", what}).err, HasSubstr("needs root"));
}

// --------------------------------------------------------------- management partition

class Managed : public Served {
  protected:
    ManageAnswer say(const std::vector<std::string> &words) {
        return manage_answer_of(manage(host_, manage_question(words)));
    }
};

TEST_F(Managed, IovAndNothingElse) {
    auto list = say({"iov", "list", "-j"});
    EXPECT_EQ(list.status, 0) << list.err;
    EXPECT_EQ(Json::parse(list.out)["adapters"][0]["adapter"], pf);
    EXPECT_EQ(say({"iov", "release", "web"}).status, 0);
    EXPECT_THAT(read_iov_state(host_), IsEmpty());
    EXPECT_EQ(say({"iov", "assign", "web=1", "--adapter", pf}).status, 0);
    EXPECT_EQ(read_iov_state(host_).empty(), false);
    host_.log.clear();
    auto before = read_iov_state(host_);
    for (const auto &words : std::vector<std::vector<std::string>>{
             {},
             {"partition", "create", "mine"},
             {"partition", "delete", "web", "--force", "all"},
             {"disk", "add", "web", "/dev/sda"},
             {"save", "/etc/passwd"},
             {"apply", "/etc/passwd"},
             {"doctor"},
             {"iov", "list", "partition", "create", "mine"},
             {"iov", "serve"},
             {"iov", "serve", "--once"},
             {"iov", "ask"},
             {"iov", "assign", "web=1", "--adapter", pf, "--qmp", "/run/socket"},
             {"iov", "release", "web", "--qmp", "/run/socket"},
             {"iov", "release", "web", "--interrupt-at", "1"},
             {"iov", "release", "web", "--fail-at", "1"}})
        EXPECT_EQ(say(words).status, 2) << testing::PrintToString(words);
    EXPECT_THAT(host_.log, IsEmpty());
    EXPECT_EQ(read_iov_state(host_), before);
    EXPECT_EQ(say(std::vector<std::string>(65, "iov")).status, 2);
}

TEST_F(Managed, AnswersRequests) {
    IovAsked text;
    text.id = 3;
    text.partition = "boss";
    text.allowed = true;
    host_.texts[3] = manage_question({"iov", "requests", "-j"});
    host_.asked.push_back(text);
    add(5, LPAR_ASK_MTU, 9000, false);
    serve();
    ASSERT_EQ(host_.ended.size(), 1);
    EXPECT_EQ(host_.ended[0].status, LPAR_OK);
    auto answer = manage_answer_of(host_.ended[0].text);
    auto requests = Json::parse(answer.out)["requests"];
    ASSERT_EQ(requests.size(), 1); // not his own question
    EXPECT_EQ(requests[0]["id"], 5);
    EXPECT_EQ(say({"iov", "grant", "5"}).status, 0);
    EXPECT_EQ(host_.read(mtu), "9000");
    // a text is answered by serve alone
    host_.asked.push_back(text);
    EXPECT_THAT(lparctl(host_, {"iov", "refuse", "3"}).err, HasSubstr("is for lparctl iov serve"));
}

TEST_F(Managed, WhatIsNoQuestion) {
    for (const auto *text : {"", "{", "[]", "{}", "5", R"({"arguments":"iov"})",
                             R"({"arguments":[1]})", R"({"arguments":[["iov"]]})"}) {
        auto answer = manage_answer_of(manage(host_, text));
        EXPECT_EQ(answer.status, 2) << text;
        EXPECT_THAT(answer.err, HasSubstr("not understood")) << text;
    }
    for (const auto *text : {"", "{}", "[]", R"({"status":"0","out":"","err":""})"})
        EXPECT_THROW(manage_answer_of(text), Failure) << text;
}

// Whatever the words are, they change nothing here, where there is no adapter; and only help and
// "iov" are done.
RC_GTEST_PROP(ManageProperty, AnyTextIsAnswered, ()) {
    static const std::vector<std::string> words = {
        "iov",       "list",      "assign",       "release", "requests", "grant",  "serve",
        "web=1",     "web",       "--adapter",    "x",       "--plan",   "-j",     "--help",
        "partition", "create",    "delete",       "save",    "apply",    "--qmp",  "/dev/null",
        "--fail-at", "1",         "--namespaces", "1,2",     "-",        "\xff",   "",
        "--queues",  "--version", "adjunct",      "stat",    "--mac",    "--node", "--type"};
    FakeHost host;
    std::vector<std::string> said;
    if (*rc::gen::inRange(0, 4) != 0)
        said = {"iov", *rc::gen::element<std::string>("list", "requests", "assign", "release")};
    for (int i = *rc::gen::inRange(0, 4); i > 0; i--)
        said.push_back(*rc::gen::elementOf(words));
    std::string text = manage_question(said);
    if (*rc::gen::inRange(0, 8) == 0)
        text[*rc::gen::inRange<size_t>(0, text.size())] = *rc::gen::arbitrary<char>();
    bool done = manage_answer_of(manage(host, text)).status == 0;
    RC_CLASSIFY(done);
    RC_ASSERT(!done || text.starts_with(R"({"arguments":["iov")") ||
              text.find("--help") != std::string::npos ||
              text.find("--version") != std::string::npos);
    RC_ASSERT(host.log.empty());
}

// ------------------------------------------------------------------------- in a guest

class Guest : public testing::Test {
  protected:
    Guest() {
        host_.is_guest = true;
        host_.erase(state_root); // lpar_host's
        host_.on_manage = [&](const std::string &text) {
            question_ = text;
            return Verdict{LPAR_OK, R"({"status":3,"out":"theirs\n","err":"lparctl: no\n"})"};
        };
        host_.on_ask = [&](uint32_t ask, uint64_t value, uint32_t seconds) {
            asked_.push_back({ask, value, seconds});
            return verdict_;
        };
    }

    static std::vector<uint8_t> records(const std::string &name, uint64_t kind) {
        std::vector<uint8_t> bytes;
        auto put = [&](const auto &value) {
            const auto *at = reinterpret_cast<const uint8_t *>(&value);
            bytes.insert(bytes.end(), at, at + sizeof(value));
        };
        put(lpar_record{LPAR_CAP_NAME, 8 + 16, 0});
        for (size_t i = 0; i < 16; i++)
            bytes.push_back(i < name.size() ? static_cast<uint8_t>(name[i]) : 0);
        put(lpar_record{LPAR_CAP_VF_KIND, 8 + 24, 0});
        put(lpar_value{kind, kind, kind});
        put(lpar_record{uint16_t{LPAR_CAP_ASK} + LPAR_ASK_VLAN, 8 + 24, 0});
        put(lpar_value{5, 9, 7});
        return bytes;
    }

    void add(const std::string &name) {
        host_.boxes.push_back({"/dev/lpar-iov0", static_cast<uint32_t>(host_.boxes.size() + 1),
                               records(name, LPAR_VF_NIC)});
    }

    FakeHost host_;
    std::string question_;
    std::vector<std::vector<uint64_t>> asked_;
    Verdict verdict_{LPAR_OK, ""};
};

TEST_F(Guest, TheManagementPartitionSpeaksToTheHost) {
    auto answer = lparctl(host_, {"iov", "list", "-j"});
    EXPECT_EQ(answer.status, 3);
    EXPECT_EQ(answer.out, "theirs\n");
    EXPECT_EQ(answer.err, "lparctl: no\n");
    EXPECT_EQ(Json::parse(question_)["arguments"], Json({"iov", "list", "-j"}));
    for (const auto &words : std::vector<std::vector<std::string>>{
             {"iov", "requests"},
             {"iov", "grant", "5"},
             {"iov", "refuse", "5", "--reason", "$(reboot)"},
             {"iov", "release", "web"},
             {"iov", "assign", "web=1", "--adapter", pf, "--plan"}}) {
        EXPECT_EQ(lparctl(host_, words).status, 3);
        EXPECT_EQ(Json::parse(question_)["arguments"], Json(words));
    }
    // the host's own does not
    host_.put(std::string(state_root) + "/version", LPARCTL_VERSION);
    question_.clear();
    lparctl(host_, {"iov", "list"});
    EXPECT_EQ(question_, "");
}

TEST_F(Guest, AnotherPartitionIsRefused) {
    host_.on_manage = [](const auto &) { return Verdict{LPAR_PERM, ""}; };
    auto answer = lparctl(host_, {"iov", "list"});
    EXPECT_EQ(answer.status, 1);
    EXPECT_THAT(answer.err, HasSubstr("this is not the management partition"));
    host_.on_manage = [](const auto &) { return Verdict{LPAR_NOSYS, ""}; };
    EXPECT_THAT(lparctl(host_, {"iov", "list"}).err, HasSubstr("the host is too old"));
    host_.on_manage = [](const auto &) { return Verdict{LPAR_OK, "nonsense"}; };
    EXPECT_THAT(lparctl(host_, {"iov", "list"}).err, HasSubstr("makes no sense"));
}

TEST_F(Guest, Asks) {
    EXPECT_THAT(lparctl(host_, {"iov", "ask", "vlan=5"}).err,
                HasSubstr("no virtual function has been assigned"));
    add(vf);
    auto answer = lparctl(host_, {"iov", "ask", vf, "vlan=5", "reset", "--timeout", "9"});
    EXPECT_EQ(answer.status, 0) << answer.err;
    EXPECT_EQ(answer.out, "vlan 5: granted\nreset: granted\n");
    using Row = std::vector<uint64_t>;
    EXPECT_THAT(asked_, ElementsAre(Row{LPAR_ASK_VLAN, 5, 9}, Row{LPAR_ASK_RESET, 0, 9}));
    EXPECT_EQ(lparctl(host_, {"iov", "ask", "vlan=6"}).status, 0);
    auto json = Json::parse(lparctl(host_, {"iov", "ask", "vlan=6", "-j"}).out);
    EXPECT_EQ(json["granted"][0]["request"], "vlan");
    verdict_ = {LPAR_PERM, "the partition's policy refuses vlan"};
    answer = lparctl(host_, {"iov", "ask", "vlan=6"});
    EXPECT_EQ(answer.status, 1);
    EXPECT_THAT(answer.err, HasSubstr("vlan 6: refused: the partition's policy refuses vlan"));
    verdict_ = {LPAR_PERM, "\x1b[2J"}; // a host's text is not to be trusted either
    EXPECT_THAT(lparctl(host_, {"iov", "ask", "vlan=6"}).err, Not(HasSubstr("\x1b")));
    add("0000:03:00.2");
    EXPECT_THAT(lparctl(host_, {"iov", "ask", "vlan=6"}).err, HasSubstr("say which one"));
    EXPECT_THAT(lparctl(host_, {"iov", "ask", "0000:03:00.3", "vlan=6"}).err,
                HasSubstr("there is no virtual function 0000:03:00.3"));
    EXPECT_EQ(lparctl(host_, {"iov", "ask", vf}).status, 2);
    EXPECT_EQ(lparctl(host_, {"iov", "ask", vf, "colour=1"}).status, 2);
    host_.is_guest = false;
    EXPECT_THAT(lparctl(host_, {"iov", "ask"}).err,
                HasSubstr("this is no guest of lpar, or lpar_guest is not"));
}

TEST_F(Guest, ListsWhatMayBeAsked) {
    add(vf);
    EXPECT_THAT(lparctl(host_, {"iov", "ask"}).out, HasSubstr("0000:03:00.1  nic   vlan"));
    auto json = Json::parse(lparctl(host_, {"iov", "ask", "-j"}).out)["mailboxes"];
    ASSERT_EQ(json.size(), 1);
    EXPECT_EQ(json[0]["vf"], vf);
    EXPECT_EQ(json[0]["type"], "nic");
    EXPECT_EQ(json[0]["requests"].size(), 1);
    EXPECT_EQ(json[0]["requests"][0]["max"], 9);
    EXPECT_EQ(json[0]["requests"][0]["now"], 7);
    // a liar's
    host_.boxes[0].records = {1, 2, 3};
    EXPECT_EQ(lparctl(host_, {"iov", "ask"}).status, 0);
}

} // namespace

} // namespace lpar
