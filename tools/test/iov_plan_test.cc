// SPDX-License-Identifier: GPL-2.0
// The planner of SR-IOV assignments: no VF twice, no adapter beyond what it has, no isolation group
// split, and whatever was begun can be taken back.
#include <algorithm>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <map>
#include <rapidcheck/gtest.h>

#include "iov.h"

namespace lpar {

namespace {

using Kind = IovStep::Kind;
using testing::AllOf;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;

constexpr auto pf = "0000:03:00.0";

IovAdapter nvme_adapter(unsigned total, unsigned enabled = 0) {
    IovAdapter adapter;
    adapter.address = pf;
    adapter.driver = "nvme";
    adapter.type = IovType::nvme;
    adapter.control = "/dev/nvme1";
    adapter.total = total;
    adapter.enabled = enabled;
    adapter.group = "11";
    adapter.queues = {12, 3, 0, 5, 1};
    adapter.interrupts = {8, 2, 0, 9, 1};
    adapter.namespaces = {{1, "/dev/nvme1n1", ""}, {2, "/dev/nvme1n2", "is mounted on /data"}};
    for (unsigned i = 0; i < total; i++) {
        IovFunction vf;
        vf.address = fmt::format("0000:03:00.{}", i + 1);
        vf.exists = i < enabled;
        if (vf.exists)
            vf.group = std::to_string(20 + i);
        adapter.vfs.push_back(vf);
    }
    return adapter;
}

IovAdapter nic_adapter(unsigned total) {
    IovAdapter adapter = nvme_adapter(total);
    adapter.type = IovType::nic;
    adapter.driver = "igb";
    adapter.control = "eth1";
    adapter.queues = {};
    adapter.interrupts = {};
    adapter.namespaces.clear();
    return adapter;
}

IovSnapshot machine(IovAdapter adapter) {
    IovSnapshot now;
    now.adapters.push_back(std::move(adapter));
    now.partitions = {{"web1", 2UL << 30}, {"db1", 1UL << 30}, {"big", 64UL << 30}, {"new", {}}};
    now.memory = 8UL << 30;
    return now;
}

IovRequest wish(std::vector<IovWish> wishes) {
    IovRequest request;
    request.adapter = pf;
    request.wishes = std::move(wishes);
    return request;
}

std::vector<std::string> texts(const IovPlan &plan) {
    std::vector<std::string> lines;
    for (const auto &step : plan.steps)
        lines.push_back(iov_step_text(step));
    return lines;
}

// ------------------------------------------------- a machine that takes steps, and checks them

// RC_ASSERT() takes a hundred times as long.
void must(bool holds) {
    if (!holds)
        RC_FAIL("the machine refuses this step");
}

// Values of things by "<vf or adapter> <kind>"; of namespaces by "<vf> attach <id>". What is not
// there is empty, or 0.
class Model {
  public:
    explicit Model(const IovSnapshot &now) : now_(now) {
        for (const auto &adapter : now.adapters) {
            const std::string &at = adapter.address;
            set({Kind::primary, at, "", "",
                 fmt::format("{}/{}", adapter.queues.primary, adapter.interrupts.primary)});
            set({Kind::autoprobe, at, "", "", adapter.autoprobe ? "1" : "0"});
            set({Kind::count, at, "", "", std::to_string(adapter.enabled)});
            for (const auto &vf : adapter.vfs) {
                set({Kind::queues, at, vf.address, "", std::to_string(vf.queues)});
                set({Kind::interrupts, at, vf.address, "", std::to_string(vf.interrupts)});
                set({Kind::online, at, vf.address, "", vf.online ? "1" : "0"});
                set({Kind::driver, at, vf.address, "", vf.driver});
                set({Kind::driver_override, at, vf.address, "", vf.driver_override});
                for (uint32_t id : vf.namespaces)
                    set({Kind::attach, at, vf.address, "", std::to_string(id)});
                set({Kind::mac, at, vf.address, "", vf.mac});
            }
        }
        for (const auto &step : now.taken)
            if (step.kind == Kind::claim)
                set(step);
    }

    // What the kernel and the adapter would refuse fails the test.
    void take(const IovStep &step) {
        const IovAdapter &adapter = *now_.adapter(step.adapter);
        must(get(step) == step.from);
        must(step.from != step.to);
        if (step.kind == Kind::count)
            must(step.from == "0" || step.to == "0");
        if (step.kind == Kind::count || step.kind == Kind::primary)
            for (const auto &vf : adapter.vfs)
                must(value(Kind::driver, vf.address).empty());
        if (step.kind == Kind::primary)
            must(value(Kind::count, step.adapter) == "0");
        if (!step.vf.empty()) {
            auto number = std::stoul(value(Kind::count, step.adapter));
            must(std::ranges::find(adapter.vfs, step.vf, &IovFunction::address) -
                     adapter.vfs.begin() <
                 static_cast<long>(number));
            must(step.kind == Kind::claim || !value(Kind::claim, step.vf).empty());
        }
        if (step.kind == Kind::queues || step.kind == Kind::interrupts) {
            must(value(Kind::online, step.vf) == "0");
            must(value(Kind::driver, step.vf).empty());
        }
        set(step);
        check_pool(adapter, Kind::queues, adapter.queues, 0);
        check_pool(adapter, Kind::interrupts, adapter.interrupts, 1);
    }

    const std::map<std::string, std::string> &state() const { return state_; }
    std::string value(Kind kind, const std::string &at) const {
        auto found = state_.find(at + " " + iov_kind_name(kind));
        return found == state_.end() ? "" : found->second;
    }

  private:
    static std::string key(const IovStep &step) {
        std::string text =
            (step.vf.empty() ? step.adapter : step.vf) + " " + iov_kind_name(step.kind);
        return step.kind == Kind::attach ? text + " " + (step.from.empty() ? step.to : step.from)
                                         : text;
    }
    std::string get(const IovStep &step) const {
        auto found = state_.find(key(step));
        return found == state_.end() ? "" : found->second;
    }
    void set(const IovStep &step) {
        if (step.to.empty())
            state_.erase(key(step));
        else
            state_[key(step)] = step.to;
    }
    void check_pool(const IovAdapter &adapter, Kind kind, const IovPool &pool, int part) const {
        std::string primary = value(Kind::primary, adapter.address);
        auto slash = primary.find('/');
        uint64_t sum = std::stoul(part == 0 ? primary.substr(0, slash) : primary.substr(slash + 1));
        for (const auto &vf : adapter.vfs) {
            uint64_t has = std::stoul(value(kind, vf.address));
            must(has <= pool.per_function);
            sum += has;
        }
        must(sum <= pool.total);
    }

    const IovSnapshot &now_;
    std::map<std::string, std::string> state_;
};

// ------------------------------------------------------------------- what is planned

TEST(IovPlan, StepsOfAnNvmeFromNothing) {
    IovSnapshot now = machine(nvme_adapter(4));
    IovRequest request = wish({{"web1", 1}});
    request.wishes[0].settings.namespaces = {1};
    IovPlan plan = iov_assign(now, request);
    EXPECT_THAT(plan.refusals, IsEmpty());
    EXPECT_THAT(texts(plan),
                ElementsAre("0000:03:00.0: the host's drivers take new VFs 1 -> 0",
                            "0000:03:00.0: VFs 0 -> 1",
                            "0000:03:00.0: the host's drivers take new VFs 0 -> 1",
                            "0000:03:00.1: partition none -> web1", "0000:03:00.1: queues 0 -> 3",
                            "0000:03:00.1: interrupts 0 -> 2", "0000:03:00.1: namespace none -> 1",
                            "0000:03:00.1: online 0 -> 1",
                            "0000:03:00.1: driver override none -> vfio-pci",
                            "0000:03:00.1: driver none -> vfio-pci"));
}

TEST(IovPlan, TheAdapterGivesWhatItHas) {
    IovSnapshot now = machine(nvme_adapter(4));
    now.adapters[0].queues.primary = 12;
    now.adapters[0].interrupts.primary = 8;
    auto plan = iov_assign(now, wish({{"web1", 2}}));
    EXPECT_EQ(texts(plan)[0], "0000:03:00.0: the adapter's own queues/interrupts 12/8 -> 6/4");
    now.adapters[0].users = {"disk web/d0"};
    EXPECT_THAT(iov_assign(now, wish({{"web1", 2}})).refusals,
                ElementsAre(HasSubstr("has to be reset to give queues, and serves disk web/d0")));
    now.adapters[0] = nvme_adapter(4, 2);
    now.adapters[0].queues.primary = 12;
    EXPECT_THAT(iov_assign(now, wish({{"web1", 2}})).refusals,
                ElementsAre(HasSubstr("the adapter keeps 12 while it has VFs")));
}

TEST(IovPlan, AVfOfAHostsDriverIsTakenFromIt) {
    IovAdapter adapter = nvme_adapter(4, 1);
    adapter.vfs[0].driver = "nvme";
    adapter.vfs[0].queues = 2;
    adapter.vfs[0].interrupts = 1;
    adapter.vfs[0].online = true;
    auto plan = iov_assign(machine(adapter), wish({{"db1", 1}}));
    EXPECT_THAT(texts(plan),
                ElementsAre("0000:03:00.1: partition none -> db1",
                            "0000:03:00.1: driver nvme -> none", "0000:03:00.1: online 1 -> 0",
                            "0000:03:00.1: queues 2 -> 3", "0000:03:00.1: interrupts 1 -> 2",
                            "0000:03:00.1: online 0 -> 1",
                            "0000:03:00.1: driver override none -> vfio-pci",
                            "0000:03:00.1: driver none -> vfio-pci"));
}

TEST(IovPlan, NicSettings) {
    IovRequest request = wish({{"web1", 1}});
    request.wishes[0].settings.mac = "52:54:00:00:00:07";
    request.wishes[0].settings.vlan = 5;
    request.wishes[0].settings.trust = true;
    request.wishes[0].settings.spoofchk = false;
    request.wishes[0].settings.rate = 100;
    auto plan = iov_assign(machine(nic_adapter(2)), request);
    EXPECT_THAT(texts(plan), Contains("0000:03:00.1: mac none -> 52:54:00:00:00:07"));
    EXPECT_THAT(texts(plan), Contains("0000:03:00.1: vlan none -> 5"));
    EXPECT_THAT(texts(plan), Contains("0000:03:00.1: trust none -> on"));
    EXPECT_THAT(texts(plan), Contains("0000:03:00.1: spoofchk none -> off"));
    EXPECT_THAT(texts(plan), Contains("0000:03:00.1: rate none -> 100"));
    request.wishes[0].count = 2;
    EXPECT_THAT(iov_assign(machine(nic_adapter(2)), request).refusals,
                ElementsAre("one MAC address is for one VF"));
}

// But for a NIC that stands by for the VF.
TEST(IovPlan, NobodyGetsAnothersAddress) {
    IovSnapshot now = machine(nic_adapter(2));
    now.adapters[0].stations = {{"52:54:00:00:00:07", "the host", "", ""},
                                {"52:54:00:00:00:08", "nic web1/n0", "web1", "0000:03:00.1"},
                                {"52:54:00:00:00:09", "nic web1/n1", "web1", ""}};
    auto refusals = [&](const std::string &partition, const std::string &mac) {
        IovRequest request = wish({{partition, 1}});
        request.wishes[0].settings.mac = "52:54:00:00:00:" + mac;
        return iov_assign(now, request).refusals;
    };
    EXPECT_THAT(refusals("web1", "07"),
                ElementsAre("0000:03:00.0: the host has the address 52:54:00:00:00:07 there"));
    EXPECT_THAT(refusals("web1", "08"), IsEmpty());
    EXPECT_THAT(refusals("db1", "08"), ElementsAre(HasSubstr("nic web1/n0 has the address")));
    EXPECT_THAT(refusals("web1", "09"), ElementsAre(HasSubstr("nic web1/n1 has the address")));
    EXPECT_THAT(refusals("web1", "0a"), IsEmpty());
    now.adapters[0].enabled = 2;
    for (auto &vf : now.adapters[0].vfs) {
        vf.exists = true;
        vf.group = vf.address;
    }
    now.adapters[0].vfs[0].mac = "52:54:00:00:00:0b";
    now.adapters[0].vfs[1].mac = "52:54:00:00:00:0a";
    EXPECT_THAT(refusals("web1", "0a"),
                ElementsAre(HasSubstr("the VF 0000:03:00.2 has the address")));
    EXPECT_THAT(refusals("web1", "0b"), IsEmpty()); // its own
}

// Who has a VF may ask about it; what the module does not know it is not asked for.
TEST(IovPlan, MailboxesComeAndGo) {
    IovSnapshot now = machine(nic_adapter(2));
    EXPECT_THAT(texts(iov_assign(now, wish({{"web1", 1}}))), Not(Contains(HasSubstr("mailbox"))));
    for (auto &partition : now.partitions)
        partition.has_mailboxes = true;
    auto request = wish({{"web1", 1}, {"db1", 1}});
    auto plan = iov_assign(now, request);
    EXPECT_THAT(texts(plan), Contains("0000:03:00.1: mailbox of none -> web1"));
    EXPECT_EQ(texts(plan).back(), "0000:03:00.2: mailbox of none -> db1");
    now.taken = plan.steps;
    // first nobody asks any more
    EXPECT_EQ(texts(iov_release(now, {"db1"}, ""))[0], "0000:03:00.2: mailbox of db1 -> none");
    now.taken.clear();
    now.adapters[0].type = IovType::other;
    EXPECT_THAT(texts(iov_assign(now, request)), Not(Contains(HasSubstr("mailbox"))));
}

TEST(IovPlan, Refusals) {
    struct Case {
        const char *said;
        std::function<void(IovSnapshot &, IovRequest &)> change;
    };
    auto adapter = [](IovSnapshot &now) -> IovAdapter & { return now.adapters[0]; };
    for (const auto &[said, change] : std::vector<Case>{
             {"0000:09:00.0 is no SR-IOV adapter: lparctl iov list has them",
              [](auto &, auto &request) { request.adapter = "0000:09:00.0"; }},
             {"there is no partition 'nobody': lparctl partition create nobody",
              [](auto &, auto &request) {
                  request.wishes = {{"nobody", 1}};
              }},
             {"web1 is named twice",
              [](auto &, auto &request) {
                  request.wishes = {{"web1", 1}, {"web1", 1}};
              }},
             {"web1=0",
              [](auto &, auto &request) {
                  request.wishes = {{"web1", 0}};
              }},
             {"who gets how many?", [](auto &, auto &request) { request.wishes.clear(); }},
             {"one QMP socket is one guest",
              [](auto &, auto &request) {
                  request.wishes = {{"web1", 1}, {"db1", 1}};
                  request.socket = "/run/qmp";
              }},
             {"5 VFs: 0000:03:00.0 can have 4 at most",
              [](auto &, auto &request) { request.vfs = 5; }},
             {"2 VFs are wished for, and --vfs makes 1",
              [](auto &, auto &request) {
                  request.wishes = {{"web1", 2}};
                  request.vfs = 1;
              }},
             {"big 64G together is more than the host's 8G",
              [](auto &, auto &request) {
                  request.wishes = {{"big", 1}};
              }},
             {"has 2 VFs, and their number can only go up from 0: nobody has one: write 0",
              [&](auto &now, auto &request) {
                  adapter(now) = nvme_adapter(4, 2);
                  request.vfs = 3;
              }},
             {"first lparctl iov release 0000:03:00.1 (db1's)",
              [&](auto &now, auto &request) {
                  adapter(now) = nvme_adapter(4, 2);
                  now.taken.push_back({Kind::claim, pf, "0000:03:00.1", "", "db1"});
                  request.vfs = 3;
              }},
             {"2 VFs are wished for, 1 of the 2 that 0000:03:00.0 has are free: 0000:03:00.1 is "
              "db1's",
              [&](auto &now, auto &request) {
                  adapter(now) = nvme_adapter(4, 2);
                  now.taken.push_back({Kind::claim, pf, "0000:03:00.1", "", "db1"});
                  request.wishes = {{"web1", 2}};
              }},
             {"0000:03:00.1 shares IOMMU group 20 with 0000:03:00.2",
              [&](auto &now, auto &) {
                  adapter(now) = nvme_adapter(4, 1);
                  adapter(now).vfs[0].neighbours = {"0000:03:00.2"};
              }},
             {"0000:03:00.1 is in use by process 7 (qemu)",
              [&](auto &now, auto &) {
                  adapter(now) = nvme_adapter(4, 1);
                  adapter(now).vfs[0].user = "process 7 (qemu)";
              }},
             {"it shares IOMMU group 11 with 0000:04:00.0",
              [&](auto &now, auto &) { adapter(now).neighbours = {"0000:04:00.0"}; }},
             {"no ACS", [&](auto &now, auto &) { adapter(now).no_isolation = "no ACS"; }},
             {"it has no IOMMU group", [&](auto &now, auto &) { adapter(now).group = ""; }},
             {"no driver has it", [&](auto &now, auto &) { adapter(now).driver = ""; }},
             {"7 queues for a VF: 0000:03:00.0 gives 3 at most",
              [](auto &, auto &request) { request.wishes[0].settings.queues = 6; }},
             {"3 queues for each of 4 VFs: 0000:03:00.0 has 11 to give",
              [&](auto &now, auto &request) {
                  adapter(now).queues.total = 11;
                  request.wishes = {{"web1", 4}};
                  request.wishes[0].settings.queues = 2;
              }},
             {"1 queues for a VF: it needs 2 or more",
              [](auto &, auto &request) { request.wishes[0].settings.queues = 0; }},
             {"is of type nvme: MAC, VLAN, rate, trust and spoof check are a NIC's",
              [](auto &, auto &request) { request.wishes[0].settings.vlan = 5; }},
             {"is of type nic: queues, interrupts and namespaces are an NVMe's",
              [&](auto &now, auto &request) {
                  adapter(now) = nic_adapter(4);
                  request.wishes[0].settings.queues = 1;
              }},
             {"has no namespace 3: it has 1, 2",
              [](auto &, auto &request) { request.wishes[0].settings.namespaces = {3}; }},
             {"namespace 2 (/dev/nvme1n2) is mounted on /data",
              [](auto &, auto &request) { request.wishes[0].settings.namespaces = {2}; }},
         }) {
        IovSnapshot now = machine(nvme_adapter(4));
        IovRequest request = wish({{"web1", 1}});
        change(now, request);
        auto plan = iov_assign(now, request);
        EXPECT_THAT(plan.refusals, Contains(HasSubstr(said)));
        EXPECT_THAT(plan.steps, IsEmpty()) << said;
        EXPECT_THAT(plan.assigned, IsEmpty()) << said;
    }
}

// Each wish has its own; a share is what those leave that say how many they want.
TEST(IovPlan, WishesOfDifferentSettings) {
    IovRequest request = wish({{"web1", 1}, {"db1", 1}, {"web1", 1}});
    request.wishes[0].settings.namespaces = {1};
    request.wishes[0].settings.queues = 1;
    request.wishes[1].settings.interrupts = 3;
    IovSnapshot now = machine(nvme_adapter(4));
    now.adapters[0].queues.per_function = 9;
    now.adapters[0].interrupts.per_function = 9;
    auto plan = iov_assign(now, request);
    EXPECT_THAT(plan.refusals, IsEmpty());
    std::map<std::string, std::string> last;
    for (const auto &step : plan.steps) {
        last[step.vf + " " + iov_kind_name(step.kind)] = step.to;
        if (step.kind == Kind::claim && step.to == "db1") {
            EXPECT_EQ(step.settings, request.wishes[1].settings);
        }
    }
    EXPECT_EQ(last["0000:03:00.1 queues"], "2");
    EXPECT_EQ(last["0000:03:00.2 queues"], "5");
    EXPECT_EQ(last["0000:03:00.3 queues"], "5");
    EXPECT_EQ(last["0000:03:00.2 interrupts"], "3");
    EXPECT_EQ(last["0000:03:00.1 interrupts"], "2");
    EXPECT_EQ(last["0000:03:00.3 claim"], "web1");
    EXPECT_EQ(last.count("0000:03:00.2 attach"), 0);

    request.wishes[1].settings.namespaces = {2};
    request.wishes[2].settings.queues = 20;
    plan = iov_assign(now, request);
    EXPECT_THAT(plan.refusals, ElementsAre(HasSubstr("namespace 2"), HasSubstr("21 queues")));
    EXPECT_THAT(plan.blamed, ElementsAre(1, 2));
    request = wish({{"web1", 1}, {"db1", 1}});
    request.wishes[0].settings.queues = 8;
    request.wishes[1].settings.queues = 4;
    plan = iov_assign(now, request);
    EXPECT_THAT(plan.refusals,
                ElementsAre("14 queues for 2 VFs together: 0000:03:00.0 has 12 to give"));
    EXPECT_THAT(plan.blamed, ElementsAre(std::nullopt));

    now = machine(nic_adapter(4));
    request = wish({{"web1", 1}, {"web1", 1}});
    request.wishes[0].settings.mac = request.wishes[1].settings.mac = "52:54:00:00:00:07";
    request.wishes[1].settings.vlan = 5;
    EXPECT_THAT(iov_assign(now, request).refusals, ElementsAre("one MAC address is for one VF"));
    request.wishes[1].settings.mac = "52:54:00:00:00:08";
    EXPECT_THAT(iov_assign(now, request).refusals, IsEmpty());
}

TEST(IovPlan, VfsThatAreNamed) {
    IovSnapshot now = machine(nvme_adapter(4));
    IovRequest request = wish({{"web1", 1}, {"db1", 1}});
    request.wishes[1].vfs = {"0000:03:00.1"};
    auto plan = iov_assign(now, request);
    EXPECT_THAT(plan.assigned,
                ElementsAre(std::pair("0000:03:00.2", "web1"), std::pair("0000:03:00.1", "db1")));
    request.wishes[0].vfs = {"0000:03:00.4"};
    plan = iov_assign(now, request);
    EXPECT_THAT(texts(plan), Contains("0000:03:00.0: VFs 0 -> 4"));
    EXPECT_EQ(plan.assigned[0].first, "0000:03:00.4");
    request.vfs = 3;
    EXPECT_THAT(iov_assign(now, request).refusals,
                ElementsAre("0000:03:00.4 is none of the 3 VFs of 0000:03:00.0"));
    request.wishes[0].vfs = {"0000:03:00.1"};
    EXPECT_THAT(iov_assign(now, request).refusals, Contains("0000:03:00.1 is wished for twice"));
    now = machine(nvme_adapter(4, 2));
    now.adapters[0].vfs[0].user = "process 7 (qemu)";
    request.vfs.reset();
    request.wishes[0].vfs.clear();
    EXPECT_THAT(iov_assign(now, request).refusals,
                ElementsAre("0000:03:00.1 is in use by process 7 (qemu)"));
}

TEST(IovPlan, MemoryThatIsNotKnownIsSaid) {
    auto plan = iov_assign(machine(nvme_adapter(4)), wish({{"new", 1}}));
    EXPECT_THAT(plan.refusals, IsEmpty());
    EXPECT_THAT(plan.notes, Contains(HasSubstr("how much memory new has is not known")));
}

TEST(IovPlan, ReleaseTakesBackInReverse) {
    IovSnapshot now = machine(nvme_adapter(4));
    now.taken = iov_assign(now, wish({{"web1", 1}, {"db1", 1}})).steps;
    auto all = now.taken;
    EXPECT_THAT(iov_release(now, {"nobody"}, "").refusals,
                ElementsAre(HasSubstr("nobody has nothing that was assigned")));
    auto first = iov_release(now, {"web1"}, "");
    ASSERT_FALSE(first.steps.empty());
    for (const auto &step : first.steps)
        EXPECT_EQ(step.vf, "0000:03:00.1");
    auto both = iov_release(now, {"0000:03:00.2", "web1"}, "");
    std::ranges::reverse(all);
    std::ranges::transform(all, all.begin(), iov_undo);
    EXPECT_EQ(both.steps, all);
}

TEST(IovPlan, ReleaseOfWhatIsInUse) {
    IovSnapshot now = machine(nvme_adapter(4));
    IovRequest request = wish({{"web1", 2}});
    now.taken = iov_assign(now, request).steps;
    now.adapters[0].vfs[0].user = "process 7 (qemu)";
    EXPECT_THAT(iov_release(now, {"web1"}, "").refusals,
                ElementsAre("0000:03:00.1 is in use by process 7 (qemu): end that first, or say "
                            "--qmp"));
    EXPECT_EQ(texts(iov_release(now, {"web1"}, "/run/qmp"))[0],
              "0000:03:00.1: plugged in at /run/qmp -> none");
    // another's keeps the adapter as it is
    auto other = iov_release(now, {"0000:03:00.2"}, "");
    EXPECT_THAT(other.refusals, IsEmpty());
    for (const auto &step : other.steps)
        EXPECT_EQ(step.vf, "0000:03:00.2");
    // plugged in by us: taken out first
    now = machine(nvme_adapter(4));
    request.socket = "/run/qmp";
    now.taken = iov_assign(now, request).steps;
    now.adapters[0].vfs[0].user = "process 7 (qemu)";
    auto plan = iov_release(now, {"web1"}, "");
    EXPECT_THAT(plan.refusals, IsEmpty());
    EXPECT_EQ(plan.steps[0].kind, Kind::plug);
    // also before what the guest has asked for since, and may have mounted
    now.taken.push_back({Kind::attach, now.adapters[0].address, "0000:03:00.1", "", "3"});
    plan = iov_release(now, {"web1"}, "");
    EXPECT_THAT(plan.refusals, IsEmpty());
    EXPECT_EQ(plan.steps[0].kind, Kind::plug);
}

TEST(IovPlan, APartitionNamesItsMonitor) {
    IovSnapshot now = machine(nvme_adapter(4));
    auto plugged = [](const IovPlan &plan) {
        std::vector<std::string> found;
        for (const auto &step : plan.steps)
            if (step.kind == Kind::plug)
                found.push_back(step.vf + " " + step.from + step.to);
        return found;
    };
    IovRequest request = wish({{"web1", 1}, {"db1", 1}});
    EXPECT_THAT(plugged(iov_assign(now, request)), IsEmpty());
    now.partitions[1].qmp = "/run/second";
    auto plan = iov_assign(now, request);
    EXPECT_THAT(plugged(plan), ElementsAre("0000:03:00.2 /run/second"));
    // what is said comes first
    request = wish({{"db1", 1}});
    request.socket = "/run/other";
    EXPECT_THAT(plugged(iov_assign(now, request)), ElementsAre("0000:03:00.1 /run/other"));
    // a guest that was started with it
    std::erase_if(plan.steps, [](const auto &step) { return step.kind == Kind::plug; });
    now.taken = plan.steps;
    now.adapters[0].vfs[0].user = now.adapters[0].vfs[1].user = "process 7 (qemu)";
    EXPECT_THAT(plugged(iov_release(now, {"db1"}, "")), ElementsAre("0000:03:00.2 /run/second"));
    EXPECT_THAT(iov_release(now, {"web1"}, "").refusals, SizeIs(1));
}

TEST(IovPlan, KindsHaveNames) {
    for (int i = 0; i <= static_cast<int>(Kind::mtu); i++) {
        auto kind = static_cast<Kind>(i);
        EXPECT_FALSE(iov_kind_name(kind).empty());
        EXPECT_EQ(iov_kind_of(iov_kind_name(kind)), kind);
    }
    EXPECT_EQ(iov_kind_of("other"), std::nullopt);
}

// ------------------------------------------------------------------- properties

// As likely at any size: many of the requests are refused, and those do not count.
unsigned number(unsigned least, unsigned most) {
    return *rc::gen::resize(rc::kNominalSize, rc::gen::inRange(least, most + 1));
}

rc::Gen<IovSnapshot> snapshots() {
    return rc::gen::exec([] {
        unsigned total = number(3, 8);
        unsigned enabled = *rc::gen::element(0U, number(3, total));
        bool nic = number(0, 3) == 0;
        IovAdapter adapter = nvme_adapter(total, enabled);
        if (nic)
            adapter.type = IovType::nic;
        adapter.autoprobe = (number(0, 1) == 1);
        if (number(0, 15) == 0)
            adapter.neighbours = {"0000:04:00.0"};
        uint32_t queues = 0;
        uint32_t interrupts = 0;
        IovSnapshot now = machine(adapter);
        for (unsigned i = 0; i < total; i++) {
            IovFunction &vf = now.adapters[0].vfs[i];
            if (vf.exists) {
                if (number(0, 8) == 0)
                    vf.neighbours = {"0000:09:00.1"};
                vf.driver = *rc::gen::element<std::string>("", "", "vfio-pci", "nvme");
                if (vf.driver == "vfio-pci")
                    vf.driver_override = vf.driver;
                if (!nic && number(0, 2) == 0) {
                    vf.queues = number(0, 3);
                    vf.interrupts = number(0, 2);
                    vf.online = vf.queues >= 2 && vf.interrupts >= 1;
                }
                if (number(0, 3) == 0)
                    now.taken.push_back({Kind::claim, pf, vf.address, "",
                                         *rc::gen::element<std::string>("web1", "db1")});
                if (number(0, 11) == 0)
                    vf.user = "process 7 (qemu)";
            }
            queues += vf.queues;
            interrupts += vf.interrupts;
        }
        IovAdapter &made = now.adapters[0];
        made.queues.step = number(1, 2);
        made.queues.fixed = number(0, 4);
        made.queues.per_function = number(3, 6);
        made.queues.total = queues + number(4, 20);
        made.queues.primary = number(0, made.queues.total - queues);
        made.interrupts.per_function = number(2, 4);
        made.interrupts.total = interrupts + number(4, 20);
        made.interrupts.primary = number(0, made.interrupts.total - interrupts);
        return now;
    });
}

rc::Gen<IovRequest> requests() {
    return rc::gen::exec([] {
        IovRequest request = wish({});
        for (const char *name : {"web1", "db1", "new"})
            if ((number(0, 1) == 1) || std::string_view(name) == "web1")
                request.wishes.push_back({name, *rc::gen::element(1U, 1U, 2U)});
        if (number(0, 4) == 0)
            request.vfs = number(1, 6);
        bool alike = number(0, 1) == 0;
        for (auto &one : request.wishes) {
            if (number(0, 2) == 0)
                one.settings.queues = number(1, 4);
            if (number(0, 7) == 0)
                one.settings.namespaces = {1};
            if (alike)
                one.settings = request.wishes[0].settings;
            if (number(0, 3) == 0)
                for (unsigned i = 0; i < one.count; i++)
                    one.vfs.push_back(fmt::format("0000:03:00.{}", number(1, 4)));
        }
        return request;
    });
}

// An adapter more, which is like the first one.
IovAdapter at(IovAdapter adapter, unsigned bus, int node) {
    auto move = [&](std::string &address) {
        address = fmt::format("0000:{:02x}{}", bus, address.substr(7));
    };
    move(adapter.address);
    adapter.node = node;
    for (auto &vf : adapter.vfs)
        move(vf.address);
    return adapter;
}

TEST(IovPropose, TheOneThatSuits) {
    auto now = machine(nvme_adapter(4));
    now.adapters[0].queues.primary = 12; // has to give some, and is reset for that
    now.adapters[0].interrupts.primary = 8;
    now.adapters.push_back(at(nvme_adapter(4), 4, 0));
    now.adapters.push_back(at(nvme_adapter(4, 4), 5, 1));
    now.adapters.push_back(at(nic_adapter(2), 6, 1));
    auto request = wish({{"web1", 1}});
    request.wishes[0].settings.queues = 2;
    request.adapter.clear();

    auto any = iov_propose(now, request, {});
    EXPECT_EQ(any.adapter, "0000:05:00.0") << "VFs are there";
    EXPECT_THAT(any.plan.assigned, ElementsAre(std::pair("0000:05:00.1", "web1")));
    EXPECT_THAT(any.plan.notes,
                Contains("0000:05:00.0 is proposed; possible as well: 0000:03:00.0, 0000:04:00.0"));
    EXPECT_EQ(iov_propose(now, request, {0, {}}).adapter, "0000:04:00.0") << "on node 0";
    now.adapters.erase(now.adapters.begin() + 2);
    EXPECT_EQ(iov_propose(now, request, {}).adapter, "0000:04:00.0") << "no reset";
    EXPECT_EQ(iov_propose(now, wish({{"web1", 1}}), {{}, IovType::nic}).adapter, "0000:06:00.0");
}

TEST(IovPropose, WhyNone) {
    auto now = machine(nvme_adapter(4));
    now.adapters.push_back(at(nic_adapter(2), 4, 0));
    auto request = wish({{"web1", 1}, {"nobody", 1}});
    request.wishes[0].settings.queues = 9;
    auto none = iov_propose(now, request, {});
    EXPECT_EQ(none.adapter, "");
    EXPECT_THAT(none.plan.steps, IsEmpty());
    EXPECT_THAT(none.plan.refusals, Contains(HasSubstr("there is no partition 'nobody'")).Times(1));
    EXPECT_THAT(none.plan.refusals, Contains(HasSubstr("0000:03:00.0: 10 queues for a VF")));
    EXPECT_THAT(none.plan.refusals, Contains(HasSubstr("0000:04:00.0: ")));
    EXPECT_THAT(iov_propose(now, request, {7, {}}).plan.refusals,
                ElementsAre("there is no such SR-IOV adapter: lparctl iov list"));
}

RC_GTEST_PROP(IovPlanProperty, ProposedWhereverOneIsPossible, ()) {
    auto now = *snapshots();
    now.adapters.push_back(at((*snapshots()).adapters[0], 4, 0));
    auto request = *requests();
    for (auto &one : request.wishes)
        one.vfs.clear();
    bool possible = false;
    for (const auto &adapter : now.adapters) {
        request.adapter = adapter.address;
        possible |= iov_assign(now, request).refusals.empty();
    }
    auto proposal = iov_propose(now, request, {});
    RC_TAG(possible ? "possible" : "not possible");
    RC_ASSERT(possible == !proposal.adapter.empty());
    RC_ASSERT(possible == proposal.plan.refusals.empty());
    if (!possible)
        return;
    request.adapter = proposal.adapter;
    RC_ASSERT(proposal.plan.steps == iov_assign(now, request).steps);
}

RC_GTEST_PROP(IovPlanProperty, NothingTwiceNothingTooMuchNothingSplit, ()) {
    const auto now = *snapshots();
    const auto request = *requests();
    auto plan = iov_assign(now, request);
    if (!plan.refusals.empty())
        RC_ASSERT(plan.steps.empty());
    RC_PRE(plan.refusals.empty());
    RC_TAG(now.adapters[0].enabled == 0 ? "made" : "there");
    Model model(now);
    for (const auto &step : plan.steps)
        model.take(step); // has the checks of what there is
    std::map<std::string, unsigned> got;
    std::set<std::string> vfs;
    const IovAdapter &adapter = now.adapters[0];
    for (const auto &[vf, partition] : plan.assigned) {
        RC_ASSERT(vfs.insert(vf).second);
        RC_ASSERT(now.owner(vf).empty());
        RC_ASSERT(model.value(Kind::claim, vf) == partition);
        RC_ASSERT(model.value(Kind::driver, vf) == "vfio-pci");
        RC_ASSERT(adapter.vf(vf)->neighbours.empty());
        RC_ASSERT(adapter.vf(vf)->user.empty());
        if (adapter.type == IovType::nvme)
            RC_ASSERT(model.value(Kind::online, vf) == "1");
        got[partition]++;
    }
    RC_ASSERT(adapter.neighbours.empty());
    for (const auto &[partition, count, settings, named] : request.wishes) {
        for (const auto &vf : named)
            RC_ASSERT(model.value(Kind::claim, vf) == partition);
        RC_ASSERT(got[partition] == count);
    }
    RC_ASSERT(vfs.size() <= adapter.total);
}

RC_GTEST_PROP(IovPlanProperty, EveryPrefixIsUndone, ()) {
    const auto now = *snapshots();
    auto plan = iov_assign(now, *requests());
    RC_PRE(plan.refusals.empty());
    Model model(now);
    std::vector<std::map<std::string, std::string>> before;
    for (const auto &step : plan.steps) {
        before.push_back(model.state());
        model.take(step);
    }
    for (auto step = plan.steps.rbegin(); step != plan.steps.rend(); ++step) {
        model.take(iov_undo(*step));
        RC_ASSERT(model.state() == before.back());
        before.pop_back();
    }
}

RC_GTEST_PROP(IovPlanProperty, ReleasedInAnyOrderAllIsAsItWas, ()) {
    auto now = *snapshots();
    now.taken.clear();
    for (auto &vf : now.adapters[0].vfs) {
        vf.user.clear();
        // what a VF had before, another one may have by then
        vf.queues = 0;
        vf.interrupts = 0;
        vf.online = false;
    }
    const Model start(now);
    Model model(now);
    auto plan = iov_assign(now, *requests());
    RC_PRE(plan.refusals.empty());
    for (const auto &step : plan.steps)
        model.take(step);
    IovSnapshot later = now;
    later.taken = plan.steps;
    while (!plan.assigned.empty()) {
        auto at = *rc::gen::inRange<size_t>(0, plan.assigned.size());
        auto vf = plan.assigned[at].first;
        plan.assigned.erase(plan.assigned.begin() + static_cast<long>(at));
        auto back = iov_release(later, {vf}, "");
        RC_ASSERT(back.refusals.empty());
        for (const auto &step : back.steps) {
            model.take(step);
            auto done = std::ranges::find(later.taken.rbegin(), later.taken.rend(), iov_undo(step));
            RC_ASSERT(done != later.taken.rend());
            later.taken.erase(std::next(done).base());
        }
    }
    RC_ASSERT(later.taken.empty());
    RC_ASSERT(model.state() == start.state());
}

} // namespace

} // namespace lpar
