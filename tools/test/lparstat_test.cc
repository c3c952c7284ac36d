// SPDX-License-Identifier: GPL-2.0
// lparstat without a kernel: what becomes of the numbers that the maps hold.
#include <fcntl.h>
#include <filesystem>
#include <functional>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>
#include <set>
#include <sstream>
#include <unistd.h>

#include "error.h"
#include "fake.h"
#include "metrics.h"
#include "room.h"
#include "run.h"

namespace lpar {

namespace {

using test::Answer;
using test::FakeHost;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

class FakeSource : public Source {
  public:
    explicit FakeSource(const Accounts &accounts) : accounts_(accounts) {}
    std::map<AdjunctKey, lpar_account> accounts() override {
        if (on_read)
            on_read();
        return accounts_.accounts;
    }
    void read_rest(Accounts &all) override {
        all.hists = accounts_.hists;
        all.cgroups = accounts_.cgroups;
        all.lost = accounts_.lost;
        all.serving = accounts_.serving;
    }
    std::optional<lpar_usage> usage(uint64_t cgroup) override {
        if (on_usage)
            on_usage();
        auto found = usages.find(cgroup);
        return found == usages.end() ? std::nullopt : std::optional(found->second);
    }
    Kept kept() override { return kept_now; }
    void forget(const Kept &gone) override {
        EXPECT_FALSE(kept_now.empty());
        forgotten.push_back(gone);
    }
    bool counts_usage() const override { return counts; }
    bool sees_guests() const override { return guests; }
    std::function<void()> on_read; // the guest goes on
    std::function<void()> on_usage;
    std::map<uint64_t, lpar_usage> usages;
    Kept kept_now;
    std::vector<Kept> forgotten;
    bool guests = true;
    bool counts = true;

  private:
    const Accounts &accounts_;
};

// A host with a partition "web" (7) whose disk d0 (1) is served while one sleeps.
class Lparstat : public testing::Test {
  protected:
    Lparstat() {
        partition("web", 7, 5000000, 1000000);
        host.put("/sys/kernel/lpar/partitions/web/disks/d0/id", "1\n");
        host.on_sleep = [this] { work(10000000, 10000000); };
    }

    void partition(const std::string &name, int id, uint64_t donated, uint64_t calls) {
        std::string path = "/sys/kernel/lpar/partitions/" + name;
        host.put(path + "/id", std::to_string(id) + "\n");
        host.put(path + "/stats/donated_ns", std::to_string(donated) + "\n");
        host.put(path + "/call_ns", std::to_string(calls) + "\n");
    }

    // Of which the module counts so much.
    void work(uint64_t ebpf, uint64_t module) {
        auto &a = accounts.accounts[{7, 1}];
        a.dispatches += 10;
        a.requests += 30;
        a.donated_ns += ebpf;
        a.irq_ns += 1000000;
        a.softirq_ns += 500000;
        a.quantum_ns += 40000000;
        a.switch_in_ns += 20000;
        accounts.accounts[{7, 0}].vcpu_ns += 4 * ebpf;
        accounts.accounts[{7, 0}].steal_ns += 3 * ebpf;
        accounts.hists[{{7, 1}, LPAR_HIST_read}].slot[10] += 30;
        accounts.hists[{{7, 1}, LPAR_HIST_read}].sum_ns += 45000;
        accounts.cgroups[{7, 42}] = {a.donated_ns, a.dispatches};
        counted += module;
        partition("web", 7, 5000000 + counted, 1000000);
    }

    Answer run(const std::vector<std::string> &words) {
        std::vector<const char *> argv{"lparstat"};
        for (const auto &word : words)
            argv.push_back(word.c_str());
        std::ostringstream out;
        std::ostringstream err;
        int status = run_lparstat(
            static_cast<int>(argv.size()), argv.data(), host,
            [this](Host &, const Wanted &wanted) {
                asked = wanted;
                return std::make_unique<FakeSource>(accounts);
            },
            out, err, false);
        return {status, out.str(), err.str()};
    }

    FakeHost host;
    Accounts accounts;
    uint64_t counted = 0;
    Wanted asked;
};

TEST_F(Lparstat, Once) {
    Answer answer = run({});
    EXPECT_EQ(answer.status, 0);
    EXPECT_THAT(answer.out, HasSubstr("web        d0"));
    EXPECT_THAT(answer.out, HasSubstr("25%"));   // of the quanta
    EXPECT_THAT(answer.out, HasSubstr("8.5ms")); // net
    EXPECT_THAT(answer.out, HasSubstr("2.0us")); // until service
    EXPECT_THAT(answer.out, HasSubstr("25.0% of its vCPUs' time was donated; steal 30.0ms\n"));
    EXPECT_THAT(answer.out, HasSubstr("control group #42"));
    EXPECT_THAT(answer.out, HasSubstr("+0.00%"));
    EXPECT_THAT(answer.out, Not(HasSubstr("lost")));
    EXPECT_THAT(answer.out, Not(HasSubstr("read")));
}

TEST_F(Lparstat, Program) {
    host.on_attend = [&](const std::vector<std::string> &arguments) {
        EXPECT_THAT(arguments, testing::ElementsAre("fio", "-x", "job"));
        host.sleep(2);
        return 3;
    };
    Answer answer = run({"--", "fio", "-x", "job"});
    EXPECT_EQ(answer.status, 3);
    EXPECT_THAT(answer.out, HasSubstr("In 2.0 seconds:"));
    EXPECT_THAT(answer.out, HasSubstr("web        d0"));
    EXPECT_THAT(answer.out, HasSubstr("8.5ms")); // not half of it
    EXPECT_THAT(answer.out, HasSubstr("web: 10.0ms charged to control group"));
    host.on_attend = [](const auto &arguments) { return static_cast<int>(arguments.size()); };
    EXPECT_EQ(run({"--", "printf", ""}).status, 2);
    host.on_attend = [](const auto &) { return 127; }; // a shell's, of what it did not find
    answer = run({"--", "sh", "-c", "fio"});
    EXPECT_EQ(answer.status, 127);
    EXPECT_EQ(answer.err, "");
    EXPECT_THAT(answer.out, HasSubstr("seconds:"));
    host.on_attend = [](const auto &) -> int { throw Failure("fio: it is not there"); };
    answer = run({"--", "fio"});
    EXPECT_EQ(answer.status, 1);
    EXPECT_EQ(answer.err, "lparstat: fio: it is not there\n");
    EXPECT_EQ(run({"-i", "1", "--", "fio"}).status, 2);
}

TEST_F(Lparstat, AttendsPrograms) {
    Host real("/");
    EXPECT_EQ(real.attend({"true"}), 0);
    EXPECT_EQ(real.attend({"sh", "-c", "exit 5"}), 5);
    EXPECT_EQ(real.attend({"sh", "-c", "kill -9 $$"}), 137);
    EXPECT_EQ(real.attend({"sh", "-c", "exit 127"}), 127);
    EXPECT_THROW(real.attend({"/no/such/program"}), Failure);
}

TEST_F(Lparstat, Histograms) {
    Answer answer = run({"--hist"});
    EXPECT_THAT(answer.out, HasSubstr("web d0 read: 30, half below 2.0us"));
    EXPECT_THAT(answer.out, HasSubstr("####"));
}

TEST_F(Lparstat, Json) {
    Json json = Json::parse(run({"-j"}).out);
    EXPECT_EQ(json["seconds"], 1);
    EXPECT_EQ(json["sound"], true);
    EXPECT_EQ(json["lost"]["events"], 0);
    Json web = json["partitions"][0];
    EXPECT_EQ(web["name"], "web");
    EXPECT_EQ(web["conservation"]["module_ns"], 10000000);
    EXPECT_EQ(web["conservation"]["ebpf_ns"], 10000000);
    EXPECT_EQ(web["conservation"]["holds"], true);
    EXPECT_EQ(web["adjuncts"][0]["name"], "calls");
    Json disk = web["adjuncts"][1];
    EXPECT_EQ(disk["name"], "d0");
    EXPECT_EQ(disk["net_ns"], 8500000);
    EXPECT_EQ(disk["quantum_percent"], 25);
    EXPECT_EQ(disk["latency"]["read"]["p50_ns"], 2047);
    EXPECT_EQ(disk["latency"]["read"]["slots"][0]["below_ns"], 2048);
    EXPECT_EQ(web["cgroups"][0]["id"], 42);
    EXPECT_EQ(web["cgroups"][0]["path"], nullptr);
    for (const auto &[name, member] : account_counters())
        EXPECT_TRUE(disk.contains(name)) << name;
}

TEST_F(Lparstat, AgainAndAgain) {
    std::istringstream lines(run({"-j", "-i", "2", "-c", "3"}).out);
    int count = 0;
    for (std::string line; std::getline(lines, line); count++) {
        Json json = Json::parse(line);
        EXPECT_EQ(json["seconds"], 2);
        EXPECT_EQ(json["partitions"][0]["adjuncts"][1]["donated_ns"], 10000000);
        // since the beginning
        EXPECT_EQ(json["partitions"][0]["conservation"]["ebpf_ns"], 10000000 * (count + 1));
    }
    EXPECT_EQ(count, 3);
}

TEST_F(Lparstat, Check) {
    EXPECT_EQ(run({"--check"}).status, 0);
    host.on_sleep = [this] { work(1000000000, 1100000000); };
    Answer answer = run({"--check"});
    EXPECT_EQ(answer.status, 1);
    EXPECT_THAT(answer.out, HasSubstr("-9.09%: THEY DISAGREE"));
    EXPECT_THAT(answer.err, HasSubstr("do not agree"));
    host.on_sleep = [this] { accounts.lost.missed++; };
    answer = run({"--check"});
    EXPECT_EQ(answer.status, 1);
    EXPECT_THAT(answer.out, HasSubstr("lost events: 1 (no room 0, unmatched 0, missed 1)"));
}

// Each has its price: only whoever looks at it pays.
TEST_F(Lparstat, CountsWhatIsAskedFor) {
    struct {
        std::vector<std::string> words;
        bool latency;
        bool usage;
    } cases[] = {
        {{}, false, false},
        {{"-i", "1", "-c", "1", "-p", "web"}, false, false},
        {{"--hist"}, true, false},
        {{"-j"}, true, false},
        {{"-u"}, false, true},
        {{"--check"}, false, true},
        {{"-j", "--usage"}, true, true},
    };
    for (const auto &one : cases) {
        EXPECT_EQ(run(one.words).status, 0);
        EXPECT_EQ(asked.latency, one.latency);
        EXPECT_EQ(asked.usage, one.usage);
    }
}

TEST_F(Lparstat, Stuck) {
    accounts.serving[4711] = {{7, 1}, 2300000000};
    accounts.serving[4712] = {{7, 1}, 999999999}; // for a quantum
    accounts.serving[4713] = {{8, 1}, 5000000000};
    EXPECT_THAT(run({}).out, AllOf(HasSubstr("web: thread 4711 has been serving d0 for 2.3s\n"),
                                   Not(HasSubstr("4712")), Not(HasSubstr("4713"))));
    Json serving = Json::parse(run({"-j"}).out)["partitions"][0]["serving"];
    ASSERT_EQ(serving.size(), 1);
    EXPECT_EQ(serving[0], (Json{{"thread", 4711}, {"adjunct", "d0"}, {"ns", 2300000000}}));
    // it has been served after all
    accounts.serving.clear();
    EXPECT_THAT(run({}).out, Not(HasSubstr("serving")));
}

TEST_F(Lparstat, OtherPartitions) {
    partition("db", 8, 0, 0);
    host.on_sleep = [this] {
        work(1000, 1000);
        accounts.accounts[{9, 3}].donated_ns = 77; // it is gone
    };
    Json json = Json::parse(run({"-j"}).out);
    ASSERT_EQ(json["partitions"].size(), 3);
    EXPECT_EQ(json["partitions"][0]["name"], "#9");
    EXPECT_EQ(json["partitions"][0]["conservation"], nullptr);
    EXPECT_EQ(json["partitions"][0]["adjuncts"][0]["name"], "#3");
    EXPECT_EQ(json["partitions"][1]["name"], "db");
    json = Json::parse(run({"-j", "-p", "web"}).out);
    ASSERT_EQ(json["partitions"].size(), 1);
    EXPECT_EQ(json["partitions"][0]["name"], "web");
}

// Numbers of disks and NICs are of one kind.
TEST_F(Lparstat, Nics) {
    host.put("/sys/kernel/lpar/partitions/web/nics/n0/id", "2\n");
    host.on_sleep = [this] {
        work(1000000, 2000000);
        accounts.accounts[{7, 2}].donated_ns += 1000000;
    };
    Json web = Json::parse(run({"-j"}).out)["partitions"][0];
    ASSERT_EQ(web["adjuncts"].size(), 3);
    EXPECT_EQ(web["adjuncts"][1]["name"], "d0");
    EXPECT_EQ(web["adjuncts"][2]["name"], "n0");
    EXPECT_EQ(web["adjuncts"][2]["donated_ns"], 1000000);
    EXPECT_EQ(web["conservation"]["holds"], true);
}

// Each time series is there once, whatever the names are, and says what it is.
TEST_F(Lparstat, NamesThatAreAlike) {
    const std::string path = "/sys/kernel/lpar/partitions/web/";
    const std::vector<std::string> functions = {"disks/d0", "nics/d0", "disks/calls",
                                                "disks/adjunct0", "adjuncts/0"};
    for (uint32_t id = 1; id <= functions.size(); id++) {
        host.put(path + functions[id - 1] + "/id", std::to_string(id) + "\n");
        accounts.accounts[{7, id}].dispatches = id;
        accounts.hists[{{7, id}, LPAR_HIST_read}].slot[3] = 1;
    }
    accounts.accounts[{7, 0}].calls = 1;
    accounts.accounts[{7, 9}].dispatches = 1; // of one that is gone
    FakeSource source(accounts);
    Watch watch(host, source, "");
    host.on_sleep = nullptr;
    for (auto &[key, account] : accounts.accounts)
        account.dispatches++;
    for (auto &[key, hist] : accounts.hists)
        hist.slot[3]++;
    Report report = watch.since_begin();
    std::vector<std::string> kinds;
    Json json = report_json(report);
    for (const auto &one : json["partitions"][0]["adjuncts"])
        kinds.push_back(one["kind"].get<std::string>() + " " + one["name"].get<std::string>());
    EXPECT_THAT(kinds, testing::ElementsAre("manager calls", "disk d0", "nic d0", "disk calls",
                                            "disk adjunct0", "adjunct adjunct0", "gone #9"));
    size_t latencies = 0;
    for (const auto &family : metrics_of(report)) {
        EXPECT_GT(family.help.size(), 10U) << family.name;
        EXPECT_THAT(family.help, Not(HasSubstr("see "))) << family.name;
        std::set<std::string> series;
        for (const auto &metric : family.metric) {
            std::string labels;
            for (const auto &label : metric.label)
                labels += label.name + "=" + label.value + ",";
            EXPECT_TRUE(series.insert(labels).second) << family.name << " " << labels;
        }
        if (family.name == "lpar_latency_seconds")
            latencies = series.size();
    }
    EXPECT_EQ(latencies, functions.size());
}

// A key neither puts the next report off nor brings it forward.
TEST_F(Lparstat, KeysAndIntervals) {
    FakeSource source(accounts);
    Watch watch(host, source, "");
    double begin = host.now();
    std::vector<double> times; // of new reports
    std::string last;
    unsigned keys = 0;
    Terminal terminal;
    terminal.key = [&](int milliseconds) {
        EXPECT_GT(milliseconds, 0);
        EXPECT_LE(milliseconds, 1000);
        bool pressed = ++keys % 3 != 0; // two of them, and then a wait
        host.sleep(pressed ? 0.25 : milliseconds / 1000.0);
        return pressed ? 'h' : -1;
    };
    terminal.show = [&](const std::string &text) {
        if (text.find("  over 1.0 s") != std::string::npos &&
            (times.empty() || host.now() - begin - times.back() > 0.5))
            times.push_back(host.now() - begin);
        last = text;
    };
    run_pages(watch, host, terminal, 1, 3, false);
    EXPECT_THAT(times,
                testing::ElementsAre(testing::DoubleNear(1, 0.01), testing::DoubleNear(2, 0.01),
                                     testing::DoubleNear(3, 0.01)));
    EXPECT_EQ(keys, 9U);
    EXPECT_THAT(last, Not(HasSubstr("half below"))); // h, twice each time

    // a terminal that is gone answers at once
    unsigned asked = 0;
    terminal.key = [&](int) {
        asked++;
        return -1;
    };
    run_pages(watch, host, terminal, 1, 1, false);
    EXPECT_LE(asked, 21U);
    terminal.key = [](int) { return int{'q'}; };
    run_pages(watch, host, terminal, 1, 0, false);
}

TEST_F(Lparstat, NeedsATerminal) {
    for (int fd : {0, 1}) {
        int kept = ::dup(fd);
        int null = ::open("/dev/null", O_RDWR | O_CLOEXEC);
        ::dup2(null, fd);
        Answer answer = run({"-t"});
        ::dup2(kept, fd);
        ::close(kept);
        ::close(null);
        EXPECT_EQ(answer.status, 1);
        EXPECT_THAT(answer.err, HasSubstr("-t needs a terminal, for what it shows and for keys"));
    }
}

TEST_F(Lparstat, NumbersAreDigits) {
    for (const auto *interval : {"nan", "inf", "0x1", "-1", "0.09"}) {
        Answer answer = run({"-i", interval, "-c", "1"});
        EXPECT_EQ(answer.status, 2);
        EXPECT_THAT(answer.err, HasSubstr("a number of seconds is wanted, 0.1 to 86400"));
    }
    EXPECT_EQ(run({"-i", "1", "-c", "0"}).status, 2); // as of lparctl stat
    EXPECT_EQ(run({"-i", "1", "-c", "0x1"}).status, 2);
}

TEST_F(Lparstat, Errors) {
    EXPECT_EQ(run({"--nonsense"}).status, 2);
    EXPECT_EQ(run({"-c", "3"}).status, 2);
    EXPECT_EQ(run({"-i", "0"}).status, 2);
    EXPECT_EQ(run({"-t", "-j"}).status, 2);
    EXPECT_EQ(run({"-p", ""}).err,
              "lparstat: --partition: a value is wanted, not '': see lparstat --help\n");
    EXPECT_EQ(run({"--prometheus", ""}).status, 2);
    Answer answer = run({"-p", "\x1b[2J"});
    EXPECT_EQ(answer.status, 1);
    EXPECT_THAT(answer.err, HasSubstr("there is no partition '?[2J'"));
    answer = run({"-p", "nobody"});
    EXPECT_EQ(answer.status, 1);
    EXPECT_EQ(answer.err, "lparstat: there is no partition 'nobody': see lparctl partition list\n");
    EXPECT_THAT(run({"--help"}).out, HasSubstr("Examples:"));
    EXPECT_EQ(run({"--version"}).out, "lparstat " LPARCTL_VERSION "\n");
}

TEST(Accounts, CgroupOfAnInode) {
    FakeHost host;
    host.directory("/sys/fs/cgroup/machine/web");
    Accounts accounts;
    FakeSource source(accounts);
    Watch watch(host, source, "");
    accounts.accounts[{1, 0}].dispatches = 1;
    accounts.cgroups[{1, *host.inode("/sys/fs/cgroup/machine/web")}] = {5, 1};
    EXPECT_EQ(watch.next().partitions.at(0).cgroups.at(0).path, "/machine/web");
}

// A group "/machine/web" that donates, and what the kernel charges it.
class Groups : public testing::Test {
  protected:
    Groups() {
        charge("/machine/web", 1000000);
        charge("/machine", 1700000);
        accounts.accounts[{1, 0}].dispatches = 1;
        id = *host.inode("/sys/fs/cgroup/machine/web");
        source.usages[id] = {1, 2, 3, 4};
        watch.emplace(host, source, "");
    }
    void charge(const std::string &path, uint64_t us) {
        host.put("/sys/fs/cgroup" + path + "/cpu.stat",
                 "usage_usec " + std::to_string(us) + "\nuser_usec 7\n");
    }
    CgroupReport donate() {
        accounts.cgroups[{1, id}].donated_ns += 200000000;
        accounts.cgroups[{1, id}].dispatches++;
        report = watch->next();
        return report.partitions.at(0).cgroups.at(0);
    }
    FakeHost host;
    Accounts accounts;
    FakeSource source{accounts};
    uint64_t id = 0;
    std::optional<Watch> watch;
    Report report;
};

TEST_F(Groups, WhatIsUsedIsWhatIsCharged) {
    source.usages[id] = {600000001, 200000002, 20000003, 180000004};
    charge("/machine/web", 2000000);
    CgroupReport group = donate();
    EXPECT_EQ(group.path, "/machine/web");
    ASSERT_TRUE(group.usage.has_value());
    EXPECT_EQ(group.usage->used.guest_ns, 600000000);
    EXPECT_EQ(group.usage->used.served_ns, 200000000);
    EXPECT_EQ(group.usage->used.interrupt_ns, 20000000);
    EXPECT_EQ(group.usage->used.other_ns, 180000000);
    EXPECT_EQ(group.usage->kernel_ns, 1000000000);
    EXPECT_TRUE(group.usage->holds());
    EXPECT_TRUE(report.sound());
    std::string text = report_text(report, false);
    EXPECT_THAT(text, HasSubstr("/machine/web used so far: 1.0s (60.0% guest, 20.0% donated, 2.0% "
                                "interrupts, 18.0% else), 1.0s by the kernel's clock\n"));
    Json usage = report_json(report)["partitions"][0]["cgroups"][0]["usage"];
    EXPECT_EQ(usage["guest_ns"], 600000000);
    EXPECT_EQ(usage["other_ns"], 180000000);
    EXPECT_EQ(usage["holds"], true);

    // the kernel says more
    charge("/machine/web", 2100000);
    EXPECT_FALSE(donate().usage->holds());
    EXPECT_FALSE(report.sound());
    EXPECT_THAT(report_text(report, false), HasSubstr("by the kernel's clock: THEY DISAGREE"));
}

TEST_F(Groups, InterruptsMayBeChargedToNobody) {
    source.usages[id] = {600000001, 0, 400000003, 4};
    for (uint64_t charged : {570, 600, 800, 1000, 1020}) {
        charge("/machine/web", 1000000 + charged * 1000);
        EXPECT_EQ(donate().usage->holds(), charged >= 580 && charged <= 1020) << charged;
    }
}

// What a folder says includes those below; the root counts ticks.
TEST_F(Groups, Below) {
    source.usages[*host.inode("/sys/fs/cgroup/machine")] = {300000000, 0, 0, 0};
    charge("/machine", 3000000);     // 1.3 s more
    charge("/machine/web", 2000000); // 1 s of them
    id = *host.inode("/sys/fs/cgroup/machine");
    CgroupReport group = donate();
    EXPECT_EQ(group.path, "/machine");
    EXPECT_EQ(group.usage->kernel_ns, 300000000);
    EXPECT_TRUE(group.usage->holds());
    id = *host.inode("/sys/fs/cgroup");
    accounts.cgroups.clear();
    group = donate();
    EXPECT_EQ(group.path, "/");
    EXPECT_FALSE(group.usage.has_value());
}

TEST_F(Groups, ReadingTakesTime) {
    charge("/machine/web", 2000000);
    source.on_usage = [this] { source.usages[id].guest_ns += 500000000; };
    CgroupReport group = donate();
    EXPECT_EQ(group.usage->used.guest_ns, 1000000000);
    EXPECT_EQ(group.usage->reading_ns, 500000000);
    EXPECT_TRUE(group.usage->holds());
}

TEST_F(Groups, NoRoom) {
    charge("/machine/web", 2000000);
    source.usages.clear();
    EXPECT_FALSE(donate().usage.has_value());
    EXPECT_TRUE(report.sound());
    EXPECT_EQ(report_json(report)["partitions"][0]["cgroups"][0]["usage"], nullptr);
}

// Who did not ask for it does not pay: of no group the kernel's number is read.
TEST_F(Groups, NotAskedFor) {
    source.counts = false;
    source.on_usage = [] { ADD_FAILURE() << "it was looked for"; };
    watch.emplace(host, source, "");
    CgroupReport group = donate();
    EXPECT_EQ(group.path, "/machine/web");
    EXPECT_FALSE(group.usage.has_value());
}

// Groups come and go. Where one was that is gone nobody says, whatever is there now.
TEST_F(Groups, ComeAndGo) {
    charge("/machine/db", 1000000);
    host.directory("/sys/fs/cgroup/machine/other");
    uint64_t web = id;
    id = *host.inode("/sys/fs/cgroup/machine/db");
    EXPECT_EQ(donate().path, "/machine/db");
    std::filesystem::rename(host.real_path("/sys/fs/cgroup/machine/db"),
                            host.real_path("/sys/fs/cgroup/gone"));
    std::filesystem::rename(host.real_path("/sys/fs/cgroup/machine/other"),
                            host.real_path("/sys/fs/cgroup/machine/db"));
    EXPECT_EQ(donate().path, "");
    id = web;
    EXPECT_EQ(donate().path, "/machine/web");
}

// Guests are started and stopped for weeks: what is gone makes room, once it has been reported.
TEST_F(Groups, WhatIsGoneMakesRoom) {
    host.put("/sys/kernel/lpar/partitions/web/id", "1\n");
    charge("/machine/db", 1000000);
    uint64_t db = *host.inode("/sys/fs/cgroup/machine/db");
    donate();
    EXPECT_THAT(source.forgotten, testing::IsEmpty());
    source.kept_now = {{1, 2, 3}, {id, db, 77}};
    accounts.cgroups[{1, db}] = {5, 1};
    host.put("/sys/kernel/lpar/partitions/zoo/id", "3\n");
    donate();
    EXPECT_EQ(report.partitions.at(0).cgroups.size(), 2U);
    ASSERT_EQ(source.forgotten.size(), 1U);
    EXPECT_THAT(source.forgotten[0].partitions, testing::ElementsAre(2));
    EXPECT_THAT(source.forgotten[0].cgroups, testing::ElementsAre(77));
    host.erase("/sys/fs/cgroup/machine/db");
    host.erase("/sys/kernel/lpar/partitions/zoo");
    watch->since_begin();
    ASSERT_EQ(source.forgotten.size(), 2U);
    EXPECT_THAT(source.forgotten[1].partitions, testing::ElementsAre(2, 3));
    EXPECT_THAT(source.forgotten[1].cgroups, testing::UnorderedElementsAre(77, db));
    // one that goes while one looks has its last report yet to come
    source.on_read = [&] { host.erase("/sys/fs/cgroup/machine/web"); };
    uint64_t web = id;
    donate();
    EXPECT_THAT(source.forgotten.at(2).cgroups, testing::UnorderedElementsAre(77, db));
    donate();
    EXPECT_THAT(source.forgotten.at(3).cgroups, testing::UnorderedElementsAre(77, db, web));
    // and then there is nothing of it
    accounts.cgroups.erase({1, db});
    donate();
    EXPECT_EQ(report.partitions.at(0).cgroups.size(), 1U);
}

// Of the groups of other partitions nothing is asked.
TEST_F(Groups, OfOnePartition) {
    host.put("/sys/kernel/lpar/partitions/web/id", "1\n");
    host.put("/sys/kernel/lpar/partitions/db/id", "2\n");
    charge("/machine/db", 1000000);
    uint64_t db = *host.inode("/sys/fs/cgroup/machine/db");
    accounts.accounts[{2, 0}].dispatches = 1;
    accounts.cgroups[{2, db}] = {5, 1};
    watch.emplace(host, source, "web");
    unsigned asked = 0;
    source.on_usage = [&] { asked++; };
    EXPECT_EQ(donate().path, "/machine/web");
    EXPECT_EQ(report.partitions.size(), 1U);
    EXPECT_EQ(asked, 2U);
}

TEST_F(Groups, WithoutKvm) {
    source.guests = false;
    source.usages[id].other_ns += 1000000000;
    charge("/machine/web", 2000000);
    donate();
    EXPECT_EQ(report_json(report)["partitions"][0]["cgroups"][0]["usage"]["guest_ns"], nullptr);
    EXPECT_THAT(report_text(report, false), HasSubstr("(0.0% donated, 0.0% interrupts, 100.0% else "
                                                      "and guest)"));
}

// Maps hold what there is, and what may come.
TEST(Room, ForWhatThereIs) {
    FakeHost host;
    host.directory("/sys/fs/cgroup");
    Room room = room_for(host);
    EXPECT_EQ(room.accounts, 512);
    EXPECT_EQ(room.cgroups, 1 + 256);
    EXPECT_EQ(room.usages, 1 + 2048);
    EXPECT_EQ(room.threads, 8192);
    for (int i = 0; i < 1000; i++) {
        std::string path = "/sys/kernel/config/lpar/partitions/p" + std::to_string(i);
        for (const auto *function : {"/disks/d0", "/disks/d1", "/nics/n0"})
            host.directory(path + function);
        host.put(path + "/adjuncts", "2\n");
        host.directory("/sys/fs/cgroup/machine/p" + std::to_string(i) + "/vcpu0");
    }
    host.put("/sys/fs/cgroup/machine/cpu.stat", "");
    host.link("/sys/fs/cgroup/machine/link", "/sys/fs/cgroup/machine/p0");
    room = room_for(host);
    EXPECT_EQ(room.accounts, 6000 + 3000);
    EXPECT_EQ(room.cgroups, 2002 + 1001);
    EXPECT_EQ(room.usages, 2002 + 2048);
    EXPECT_EQ(room.threads, 64000 + 32000);
}

TEST(Room, IsLookedForBeforeItIsShort) {
    Fill fill(100);
    EXPECT_FALSE(fill.is_high(49));
    EXPECT_TRUE(fill.is_high(50));
    for (auto [left, next] : {std::pair{10, 55}, {50, 75}, {90, 95}, {99, 100}, {100, 100}}) {
        fill.looked(static_cast<size_t>(left));
        EXPECT_FALSE(fill.is_high(static_cast<size_t>(next - 1)));
        EXPECT_TRUE(fill.is_high(static_cast<size_t>(next)));
    }
}

TEST(Accounts, Conserved) {
    EXPECT_TRUE((Conservation{0, 0, 0}.holds()));
    EXPECT_TRUE((Conservation{1000000000, 1009000000, 0}.holds()));
    EXPECT_TRUE((Conservation{1009000000, 1000000000, 0}.holds()));
    EXPECT_FALSE((Conservation{1000000000, 1011000000, 0}.holds()));
    EXPECT_TRUE((Conservation{1000000000, 1011000000, 5000000}.holds()));
    EXPECT_FALSE((Conservation{1000000000, 0, 0}.holds()));
    EXPECT_TRUE((Conservation{1000, 1500, 0}.holds())); // one was under way
}

// A guest that donates while the accounts are read.
TEST(Accounts, ReadingTakesTime) {
    FakeHost host;
    auto put = [&](uint64_t ns) {
        host.put("/sys/kernel/lpar/partitions/web/id", "1\n");
        host.put("/sys/kernel/lpar/partitions/web/call_ns", "0\n");
        host.put("/sys/kernel/lpar/partitions/web/stats/donated_ns", std::to_string(ns) + "\n");
    };
    put(0);
    Accounts accounts;
    FakeSource source(accounts);
    Watch watch(host, source, "");
    accounts.accounts[{1, 1}].donated_ns = 70000000;
    put(60000000);
    source.on_read = [&] { put(100000000); };
    auto conservation = watch.next().partitions.at(0).conservation;
    ASSERT_TRUE(conservation.has_value());
    EXPECT_EQ(conservation->module_ns, 80000000);
    EXPECT_EQ(conservation->reading_ns, 20000000);
    EXPECT_TRUE(conservation->holds());
}

// A partition that goes while the accounts are read, or comes anew.
TEST(Accounts, ReadingTakesTooLong) {
    FakeHost host;
    host.put("/sys/kernel/lpar/partitions/web/id", "1\n");
    host.put("/sys/kernel/lpar/partitions/web/stats/donated_ns", "60000000\n");
    Accounts accounts;
    FakeSource source(accounts);
    Watch watch(host, source, "");
    accounts.accounts[{1, 1}].donated_ns = 70000000;
    source.on_read = [&] {
        host.put("/sys/kernel/lpar/partitions/web/id", "2\n");
        host.put("/sys/kernel/lpar/partitions/web/stats/donated_ns", "0\n");
    };
    auto report = watch.next();
    ASSERT_EQ(report.partitions.size(), 1);
    EXPECT_EQ(report.partitions[0].name, "#1");
    EXPECT_FALSE(report.partitions[0].conservation.has_value());
    source.on_read = [&] { host.erase("/sys/kernel/lpar/partitions/web"); };
    report = watch.next();
    EXPECT_EQ(report.partitions.size(), 1);
    EXPECT_TRUE(report.sound());
}

RC_GTEST_PROP(Accounts, PercentileIsAnUpperBound, (const std::vector<uint32_t> &values)) {
    lpar_hist hist{};
    for (uint32_t value : values) {
        size_t slot = 0;
        while (uint64_t{value} >> (slot + 1) != 0)
            slot++;
        hist.slot[slot]++;
    }
    RC_ASSERT(hist_count(hist) == values.size());
    for (double percent : {1.0, 50.0, 99.0, 100.0}) {
        uint64_t bound = hist_percentile(hist, percent);
        auto below = static_cast<double>(std::count_if(
            values.begin(), values.end(), [&](uint32_t value) { return value <= bound; }));
        RC_ASSERT(below * 100 >= percent * static_cast<double>(values.size()));
    }
}

RC_GTEST_PROP(Accounts, DifferencesAddUp, (uint32_t a, uint32_t b)) {
    Accounts before;
    before.accounts[{1, 1}].bytes = a;
    before.lost.full = a;
    Accounts now = before;
    now.accounts[{1, 1}].bytes += b;
    now.accounts[{1, 2}].bytes = b;
    now.lost.full += b;
    Accounts change = difference(before, now);
    RC_ASSERT((change.accounts[{1, 1}].bytes == b));
    RC_ASSERT((change.accounts[{1, 2}].bytes == b));
    RC_ASSERT(change.lost.total() == b);
}

} // namespace

} // namespace lpar
