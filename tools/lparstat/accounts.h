// SPDX-License-Identifier: GPL-2.0
// What the eBPF programs have counted, as sums over all CPUs, and what the module says of the
// same.
#pragma once

#include <compare>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "account.h"
#include "host.h"

namespace lpar {

struct AdjunctKey {
    uint32_t partition = 0;
    uint32_t adjunct = 0;
    auto operator<=>(const AdjunctKey &) const = default;
};

struct HistKey {
    AdjunctKey of;
    uint32_t hist = 0; // enum lpar_hist_class
    auto operator<=>(const HistKey &) const = default;
};

struct CgroupKey {
    uint32_t partition = 0;
    uint64_t cgroup = 0;
    auto operator<=>(const CgroupKey &) const = default;
};

// Events that were not counted, and why.
struct Lost {
    uint64_t full = 0;      // no room in a map
    uint64_t unmatched = 0; // a begin without an end, or an end without a begin
    uint64_t missed = 0;    // the kernel did not run a program
    uint64_t total() const { return full + unmatched + missed; }
};

// A dispatch that is under way.
struct Serving {
    AdjunctKey of;
    uint64_t ns = 0; // since it began
};

struct Accounts {
    std::map<AdjunctKey, lpar_account> accounts;
    std::map<HistKey, lpar_hist> hists;
    std::map<CgroupKey, lpar_cgroup> cgroups;
    Lost lost;
    std::map<uint32_t, Serving> serving; // by thread
};

void add(lpar_account &sum, const lpar_account &more);
void add(lpar_hist &sum, const lpar_hist &more);
void add(lpar_cgroup &sum, const lpar_cgroup &more);
void add(lpar_usage &sum, const lpar_usage &more);

// What @now has more than @before; nothing is ever counted back.
Accounts difference(const Accounts &before, const Accounts &now);

// The words for the counters, and for the histograms.
struct CounterName {
    const char *name;
    __u64 lpar_account::*member;
};
const std::vector<CounterName> &account_counters();
const char *hist_name(uint32_t hist);

// What @now has more than @before, and all of it.
lpar_usage minus(const lpar_usage &before, const lpar_usage &now);
uint64_t total_ns(const lpar_usage &usage);

uint64_t hist_count(const lpar_hist &hist);
// No more than this for @percent of what was counted: the upper end of a slot, so at most twice
// too much.
uint64_t hist_percentile(const lpar_hist &hist, double percent);

// Time of the CPU that really served: without interrupts of others.
uint64_t net_ns(const lpar_account &account);
// Of what was granted; negative: nothing was.
double quantum_percent(const lpar_account &account);

// What is counted beside the dispatches. Each has its price.
struct Wanted {
    bool latency = false; // completions, and histograms
    bool usage = false;   // where the rest of a control group's time goes
};

// What room is taken by.
struct Kept {
    std::set<uint32_t> partitions;
    std::set<uint64_t> cgroups;
    bool empty() const { return partitions.empty() && cgroups.empty(); }
};

// Where the numbers come from: the maps, or a test.
class Source {
  public:
    virtual ~Source() = default;
    // At once, since it is compared with what the module says at the same time.
    virtual std::map<AdjunctKey, lpar_account> accounts() = 0;
    // Of one control group, at once: it is compared with what the kernel charges that.
    // Nothing: it has not used any since, there were too many groups, or it was not asked for.
    virtual std::optional<lpar_usage> usage(uint64_t cgroup) = 0;
    virtual bool counts_usage() const = 0;
    // Is a guest's own time told from what KVM and the VMM use?
    virtual bool sees_guests() const = 0;
    // Everything else.
    virtual void read_rest(Accounts &all) = 0;
    // Nothing: there is room enough. Otherwise forget() is told which of them are gone, if any.
    virtual Kept kept() = 0;
    // What was counted of them is no more, and there is room for others.
    virtual void forget(const Kept &gone) = 0;
};

} // namespace lpar
