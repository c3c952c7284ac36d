// SPDX-License-Identifier: GPL-2.0
// What is shown of the accounts: by partition and adjunct, with names, and compared with what
// the module counted itself.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "accounts.h"

namespace lpar {

using Json = nlohmann::ordered_json;

// CPU time that was donated, by two clocks that do not know of each other: they may differ by a
// hundredth, and by what was under way when the counters were read, which takes a while, too.
struct Conservation {
    uint64_t ebpf_ns = 0;
    uint64_t module_ns = 0;
    uint64_t reading_ns = 0; // how much more or less it may have been: it went on meanwhile
    double percent() const;  // of the module's; how much more eBPF saw
    bool holds() const;
};

// CPU time of a control group, by eBPF's clock and by the kernel's scheduler, which may differ by
// a hundredth, and by a few ticks. If the kernel charges interrupts to nobody, it may be less by
// these.
struct Usage {
    lpar_usage used{};
    bool guest_known = true; // otherwise it is in other_ns
    uint64_t kernel_ns = 0;
    uint64_t reading_ns = 0;
    double percent() const; // of the kernel's; how much more eBPF saw
    bool holds() const;
};

struct AdjunctReport {
    uint32_t id = 0;
    std::string name; // of the disk or NIC; "calls"
    // "disk", "nic", "adjunct", "manager", "gone": a disk and a NIC may have one name
    std::string kind;
    lpar_account account{};
    std::vector<std::pair<uint32_t, lpar_hist>> hists; // by enum lpar_hist_class
};

struct CgroupReport {
    uint64_t id = 0;
    std::string path; // empty: not found
    lpar_cgroup used{};
    // Since the beginning, if it was asked for; not of the root, of one that is gone, or where
    // there are too many.
    std::optional<Usage> usage;
};

// A dispatch that is under way for longer than any quantum.
struct ServingReport {
    uint32_t thread = 0;
    std::string adjunct;
    uint64_t ns = 0;
};

struct PartitionReport {
    uint32_t id = 0;
    std::string name;
    lpar_account total{};
    std::vector<AdjunctReport> adjuncts;
    std::vector<CgroupReport> cgroups;
    std::vector<ServingReport> serving;
    std::optional<Conservation> conservation; // since the beginning; not of one that is gone
};

struct Report {
    double seconds = 0;
    bool whole = false; // in text: all of it, not what it is per second
    Lost lost;          // since the beginning
    std::vector<PartitionReport> partitions;
    bool sound() const; // nothing is lost and all time is conserved, by both comparisons
};

// Looks again and again. Each report is of the time since the one before.
class Watch {
  public:
    // @only: a partition's name, or empty. Both must outlive it.
    Watch(Host &host, Source &source, std::string only);
    Report next();
    Report since_begin();

  private:
    struct Function { // a disk, a NIC or an image's adjunct
        std::string kind;
        std::string name;
    };
    struct Module { // a partition as sysfs shows it
        std::string name;
        std::map<uint32_t, Function> functions;
        uint64_t before_ns = 0; // donated, just before eBPF's accounts were read
        uint64_t after_ns = 0;
    };
    struct Charged { // a control group
        std::string path;
        bool known = false; // by both; at the beginning it may have used nothing since
        uint64_t kernel_ns = 0;
        lpar_usage before{}; // by eBPF, just before the kernel's number was read
        lpar_usage after{};
    };
    struct Look {
        double time = 0;
        Accounts accounts;
        std::map<uint32_t, Module> modules;
        std::map<uint64_t, Charged> charged;
    };
    Look look(bool all_groups);
    Charged charged(uint64_t cgroup, const std::string &path) const;
    void find_groups(const std::set<uint64_t> &donated);
    std::optional<Kept> gone() const;
    std::string group_path(uint64_t cgroup) const;
    std::optional<Usage> usage(uint64_t cgroup, const Look &to) const;
    Report report(const Look &from, const Look &to) const;
    std::map<uint32_t, Module> modules() const;
    static Function named(uint32_t id, const Module &module);
    uint64_t donated_ns(const std::string &partition) const;
    // @change: since the beginning
    Conservation conserved(uint32_t partition, const Accounts &change, const Look &to) const;

    Host &host_;
    Source &source_;
    std::string only_;
    std::map<uint64_t, std::string> groups_; // where they were; empty: they are gone
    Look begin_;
    Look last_;
};

Json report_json(const Report &report);
std::string report_text(const Report &report, bool colour);
std::string hist_text(const Report &report, bool colour);

} // namespace lpar
