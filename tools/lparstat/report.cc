// SPDX-License-Identifier: GPL-2.0
#include "report.h"

#include <algorithm>
#include <cmath>
#include <fmt/format.h>
#include <ranges>

#include "cgroups.h"
#include "error.h"
#include "format.h"
#include "paths.h"

namespace lpar {

namespace {

constexpr double allowed_percent = 1;
// A dispatch may be under way at the beginning and at the end: some quanta.
constexpr double allowed_ns = 2e6;
// The scheduler charges a thread that stays on its CPU at each tick, the programs each millisecond.
constexpr double allowed_usage_ns = 20e6;
// The longest quantum. A dispatch that lasts longer is stuck, or what it runs on is.
constexpr uint64_t stuck_ns = 1000000000;

double to_double(uint64_t value) {
    return static_cast<double>(value);
}

// Those of a partition, which comes first in their keys.
template <typename Map>
auto of_partition(const Map &map, uint32_t id) {
    return std::ranges::subrange(map.lower_bound({id, 0}), map.end()) |
           std::views::take_while([id](const auto &one) { return one.first.partition == id; });
}

} // namespace

double Conservation::percent() const {
    double apart = to_double(ebpf_ns) - to_double(module_ns);
    if (module_ns == 0)
        return ebpf_ns == 0 ? 0 : 100;
    return 100 * apart / to_double(module_ns);
}

bool Conservation::holds() const {
    double apart = std::abs(to_double(ebpf_ns) - to_double(module_ns));
    return apart <= to_double(reading_ns) +
                        std::max(to_double(module_ns) * allowed_percent / 100, allowed_ns);
}

double Usage::percent() const {
    double apart = to_double(total_ns(used)) - to_double(kernel_ns);
    if (kernel_ns == 0)
        return total_ns(used) == 0 ? 0 : 100;
    return 100 * apart / to_double(kernel_ns);
}

bool Usage::holds() const {
    double allowed = to_double(reading_ns) +
                     std::max(to_double(kernel_ns) * allowed_percent / 100, allowed_usage_ns);
    double most = to_double(total_ns(used));
    double least = most - to_double(used.interrupt_ns);
    return to_double(kernel_ns) >= least - allowed && to_double(kernel_ns) <= most + allowed;
}

bool Report::sound() const {
    return lost.total() == 0 &&
           std::all_of(partitions.begin(), partitions.end(), [](const auto &partition) {
               return (!partition.conservation || partition.conservation->holds()) &&
                      std::all_of(partition.cgroups.begin(), partition.cgroups.end(),
                                  [](const auto &cgroup) {
                                      return !cgroup.usage || cgroup.usage->holds();
                                  });
           });
}

Watch::Watch(Host &host, Source &source, std::string only)
    : host_(host), source_(source), only_(std::move(only)), begin_(look(true)), last_(begin_) {}

std::map<uint32_t, Watch::Module> Watch::modules() const {
    std::map<uint32_t, Module> result;
    std::string base = state_partitions;
    base.pop_back();
    for (const auto &name : host_.list(base)) {
        if (!only_.empty() && name != only_)
            continue;
        std::string path = base + "/" + name + "/";
        auto id = host_.read_number(path + "id");
        if (!id)
            continue;
        Module module{name, {}, 0, 0};
        for (const std::string kind : {"disk", "nic", "adjunct"}) {
            std::string folder = path + kind + "s/";
            for (const auto &function : host_.list(folder))
                if (auto number = host_.read_number(folder + function + "/id"))
                    module.functions.emplace(
                        static_cast<uint32_t>(*number),
                        Function{kind, (kind == "adjunct" ? kind : "") + function});
        }
        result.emplace(static_cast<uint32_t>(*id), std::move(module));
    }
    return result;
}

Watch::Function Watch::named(uint32_t id, const Module &module) {
    if (id == LPAR_ADJUNCT_MANAGER)
        return {"manager", "calls"};
    auto function = module.functions.find(id);
    return function != module.functions.end() ? function->second
                                              : Function{"gone", fmt::format("#{}", id)};
}

uint64_t Watch::donated_ns(const std::string &partition) const {
    std::string path = state_partitions + partition + "/";
    return host_.read_number(path + "stats/donated_ns").value_or(0) +
           host_.read_number(path + "call_ns").value_or(0);
}

// eBPF's numbers right before and right after the kernel's: the truth is in between.
Watch::Charged Watch::charged(uint64_t cgroup, const std::string &path) const {
    Charged result;
    result.path = path;
    if (!source_.counts_usage())
        return result;
    result.before = source_.usage(cgroup).value_or(lpar_usage{});
    auto kernel = own_usage_ns(host_, path);
    auto after = source_.usage(cgroup);
    result.known = kernel && after;
    result.kernel_ns = kernel.value_or(0);
    result.after = after.value_or(lpar_usage{});
    return result;
}

// Looks where control groups are, "/": the root, unless all that donated are known. No number is
// used again: those that are not there are gone for good, and nobody looks for them twice.
void Watch::find_groups(const std::set<uint64_t> &donated) {
    if (std::ranges::all_of(donated, [&](uint64_t id) { return groups_.contains(id); }))
        return;
    std::map<uint64_t, std::string> found;
    bool all = each_group(host_, [&](uint64_t id, const std::string &path) {
        found.insert_or_assign(id, path.empty() ? "/" : path);
    });
    if (all)
        for (uint64_t id : donated)
            found.try_emplace(id);
    else
        found.merge(groups_);
    groups_ = std::move(found);
}

// What takes room and is gone: who looks after this sees all that it has used, and can have it
// forgotten then. Nothing: there is room enough.
std::optional<Kept> Watch::gone() const {
    Kept kept = source_.kept();
    if (kept.empty())
        return std::nullopt;
    for (const auto &name : host_.list(state_partitions))
        if (auto id = host_.read_number(state_partitions + name + "/id"))
            kept.partitions.erase(static_cast<uint32_t>(*id));
    bool all = each_group(
        host_, [&](uint64_t id, const std::string & /*path*/) { kept.cgroups.erase(id); });
    if (!all)
        kept.cgroups.clear(); // nobody knows
    return kept;
}

// Empty: it is not there, or no more.
std::string Watch::group_path(uint64_t cgroup) const {
    auto found = groups_.find(cgroup);
    if (found == groups_.end() || found->second.empty())
        return "";
    return host_.inode(cgroup_root + found->second) == cgroup ? found->second : "";
}

std::optional<Usage> Watch::usage(uint64_t cgroup, const Look &to) const {
    auto found = to.charged.find(cgroup);
    if (found == to.charged.end() || !found->second.known)
        return std::nullopt;
    const Charged &now = found->second;
    Charged from; // it was made since
    if (auto before = begin_.charged.find(cgroup); before != begin_.charged.end())
        from = before->second;
    Usage result;
    result.guest_known = source_.sees_guests();
    result.kernel_ns = now.kernel_ns - std::min(now.kernel_ns, from.kernel_ns);
    result.used = minus(from.before, now.after);
    result.reading_ns =
        total_ns(minus(from.before, from.after)) + total_ns(minus(now.before, now.after));
    return result;
}

// The module's numbers right before and right after eBPF's: the truth is in between.
Watch::Look Watch::look(bool all_groups) {
    Look look;
    look.modules = modules();
    for (auto &[id, module] : look.modules)
        module.before_ns = donated_ns(module.name);
    look.time = host_.now();
    look.accounts.accounts = source_.accounts();
    for (auto &[id, module] : look.modules)
        module.after_ns = donated_ns(module.name);
    // of one that has gone meanwhile the numbers are none
    std::erase_if(look.modules, [&](const auto &one) {
        return host_.read_number(state_partitions + one.second.name + "/id") != one.first;
    });
    source_.read_rest(look.accounts);
    if (all_groups && source_.counts_usage()) {
        // one of them may yet come to donate
        each_group(host_, [&](uint64_t id, const std::string &path) {
            look.charged.emplace(id, charged(id, path));
        });
    } else {
        std::set<uint64_t> donated;
        for (const auto &[key, used] : look.accounts.cgroups)
            if (only_.empty() || look.modules.contains(key.partition))
                donated.insert(key.cgroup);
        find_groups(donated);
        for (uint64_t id : donated)
            look.charged.emplace(id, charged(id, group_path(id)));
    }
    return look;
}

Conservation Watch::conserved(uint32_t partition, const Accounts &change, const Look &to) const {
    Module from;
    if (auto before = begin_.modules.find(partition); before != begin_.modules.end())
        from = before->second;
    const Module &now = to.modules.at(partition);
    Conservation result;
    result.module_ns = (now.before_ns + now.after_ns - from.before_ns - from.after_ns) / 2;
    result.reading_ns = (now.after_ns - now.before_ns + from.after_ns - from.before_ns) / 2;
    for (const auto &[key, account] : of_partition(change.accounts, partition))
        result.ebpf_ns += account.donated_ns;
    return result;
}

Report Watch::next() {
    auto no_more = gone();
    Look now = look(false);
    Report result = report(last_, now);
    last_ = std::move(now);
    if (no_more)
        source_.forget(*no_more);
    return result;
}

Report Watch::since_begin() {
    auto no_more = gone();
    Report result = report(begin_, look(false));
    if (no_more)
        source_.forget(*no_more);
    return result;
}

Report Watch::report(const Look &from, const Look &to) const {
    Accounts change = difference(from.accounts, to.accounts);
    Accounts all = difference(begin_.accounts, to.accounts);
    Report result;
    result.seconds = std::max(to.time - from.time, 1e-3);
    result.lost = all.lost;

    auto known = to.modules;
    for (const auto &[key, account] : change.accounts)
        known.try_emplace(key.partition);
    for (const auto &[id, module] : known) {
        if (!only_.empty() && module.name != only_)
            continue;
        PartitionReport partition;
        partition.id = id;
        partition.name = module.name.empty() ? fmt::format("#{}", id) : module.name;
        for (const auto &[key, account] : of_partition(change.accounts, id)) {
            auto [kind, name] = named(key.adjunct, module);
            AdjunctReport adjunct{key.adjunct, name, kind, account, {}};
            for (auto at = change.hists.lower_bound({key, 0});
                 at != change.hists.end() && at->first.of == key; ++at)
                if (hist_count(at->second) != 0)
                    adjunct.hists.emplace_back(at->first.hist, at->second);
            add(partition.total, account);
            partition.adjuncts.push_back(std::move(adjunct));
        }
        for (const auto &[key, used] : of_partition(change.cgroups, id))
            if (used.dispatches != 0)
                partition.cgroups.push_back(
                    {key.cgroup, to.charged.at(key.cgroup).path, used, usage(key.cgroup, to)});
        for (const auto &[thread, serving] : change.serving)
            if (serving.of.partition == id && serving.ns > stuck_ns)
                partition.serving.push_back(
                    {thread, named(serving.of.adjunct, module).name, serving.ns});
        if (!module.name.empty())
            partition.conservation = conserved(id, all, to);
        result.partitions.push_back(std::move(partition));
    }
    std::sort(result.partitions.begin(), result.partitions.end(),
              [](const auto &a, const auto &b) { return natural_less(a.name, b.name); });
    return result;
}

// ------------------------------------------------------------------------ JSON

namespace {

void put_counters(Json &json, const lpar_account &account) {
    for (const auto &[name, member] : account_counters())
        json[name] = account.*member;
    json["net_ns"] = net_ns(account);
    double quantum = quantum_percent(account);
    json["quantum_percent"] = quantum < 0 ? Json(nullptr) : Json(quantum);
}

Json hist_json(const lpar_hist &hist) {
    Json slots = Json::array();
    for (size_t i = 0; i < LPAR_HIST_SLOTS; i++)
        if (hist.slot[i] != 0)
            slots.push_back({{"below_ns", 2ull << i}, {"count", hist.slot[i]}});
    return {{"count", hist_count(hist)},
            {"sum_ns", hist.sum_ns},
            {"p50_ns", hist_percentile(hist, 50)},
            {"p99_ns", hist_percentile(hist, 99)},
            {"slots", slots}};
}

Json usage_json(const Usage &usage) {
    return {{"guest_ns", usage.guest_known ? Json(usage.used.guest_ns) : Json(nullptr)},
            {"served_ns", usage.used.served_ns},
            {"interrupt_ns", usage.used.interrupt_ns},
            {"other_ns", usage.used.other_ns},
            {"kernel_ns", usage.kernel_ns},
            {"reading_ns", usage.reading_ns},
            {"difference_percent", usage.percent()},
            {"holds", usage.holds()}};
}

} // namespace

Json report_json(const Report &report) {
    Json partitions = Json::array();
    for (const auto &partition : report.partitions) {
        Json json{{"name", partition.name}, {"id", partition.id}};
        put_counters(json, partition.total);
        json["conservation"] = nullptr;
        if (const auto &c = partition.conservation)
            json["conservation"] = {{"ebpf_ns", c->ebpf_ns},
                                    {"module_ns", c->module_ns},
                                    {"reading_ns", c->reading_ns},
                                    {"difference_percent", c->percent()},
                                    {"holds", c->holds()}};
        json["adjuncts"] = Json::array();
        for (const auto &adjunct : partition.adjuncts) {
            Json one{{"name", adjunct.name}, {"kind", adjunct.kind}, {"id", adjunct.id}};
            put_counters(one, adjunct.account);
            one["latency"] = Json::object();
            for (const auto &[kind, hist] : adjunct.hists)
                one["latency"][hist_name(kind)] = hist_json(hist);
            json["adjuncts"].push_back(std::move(one));
        }
        json["cgroups"] = Json::array();
        for (const auto &cgroup : partition.cgroups)
            json["cgroups"].push_back(
                {{"id", cgroup.id},
                 {"path", cgroup.path.empty() ? Json(nullptr) : Json(cgroup.path)},
                 {"donated_ns", cgroup.used.donated_ns},
                 {"dispatches", cgroup.used.dispatches},
                 {"usage", cgroup.usage ? usage_json(*cgroup.usage) : Json(nullptr)}});
        json["serving"] = Json::array();
        for (const auto &serving : partition.serving)
            json["serving"].push_back(
                {{"thread", serving.thread}, {"adjunct", serving.adjunct}, {"ns", serving.ns}});
        partitions.push_back(std::move(json));
    }
    return {{"seconds", report.seconds},
            {"lost",
             {{"events", report.lost.total()},
              {"full", report.lost.full},
              {"unmatched", report.lost.unmatched},
              {"missed", report.lost.missed}}},
            {"sound", report.sound()},
            {"partitions", partitions}};
}

// ------------------------------------------------------------------------ text

namespace {

std::string usage_text(const std::string &partition, const CgroupReport &cgroup, bool colour) {
    const Usage &usage = *cgroup.usage;
    auto part = [&](uint64_t ns) {
        return 100 * to_double(ns) / std::max(1.0, to_double(total_ns(usage.used)));
    };
    std::string guest =
        usage.guest_known ? fmt::format("{:.1f}% guest, ", part(usage.used.guest_ns)) : "";
    return paint(fmt::format("{}: {} used so far: {} ({}{:.1f}% donated, {:.1f}% interrupts, "
                             "{:.1f}% else{}), {} by the kernel's clock",
                             partition, printable(cgroup.path),
                             human_ns(to_double(total_ns(usage.used))), guest,
                             part(usage.used.served_ns), part(usage.used.interrupt_ns),
                             part(usage.used.other_ns), usage.guest_known ? "" : " and guest",
                             human_ns(to_double(usage.kernel_ns))),
                 usage.holds() ? Colour::none : Colour::bad, colour) +
           (usage.holds() ? "\n" : ": THEY DISAGREE\n");
}

} // namespace

std::string report_text(const Report &report, bool colour) {
    Table table({"PARTITION", "ADJUNCT", ">DISPATCHES", ">REQUESTS", ">DONATED", ">NET", ">IRQ",
                 ">PREEMPTED", ">SLEPT", ">QUANTUM", ">BUSY", ">RUNNABLE", ">WAIT", ">WORKER"});
    double part = report.whole ? 1 : report.seconds;
    auto rate = [&](uint64_t value) { return human_rate(to_double(value) / part); };
    auto time = [&](uint64_t ns) { return human_ns(to_double(ns) / part); };
    for (const auto &partition : report.partitions)
        for (const auto &adjunct : partition.adjuncts) {
            const auto &a = adjunct.account;
            double quantum = quantum_percent(a);
            table.add({partition.name, adjunct.name, rate(a.dispatches), rate(a.requests),
                       time(a.donated_ns), time(net_ns(a)), time(a.irq_ns + a.softirq_ns),
                       time(a.preempted_ns), time(a.slept_ns),
                       quantum < 0 ? "" : fmt::format("{:.0f}%", quantum), rate(a.pa_busy),
                       rate(a.runnable),
                       a.dispatches == 0
                           ? ""
                           : human_ns(to_double(a.switch_in_ns) / to_double(a.dispatches)),
                       time(a.worker_ns)});
        }
    std::string of =
        report.whole ? fmt::format("In {:.1f} seconds:\n", report.seconds) : "Per second:\n";
    std::string text = table.empty() ? "nothing was donated\n" : of + table.text(colour);
    for (const auto &partition : report.partitions) {
        std::string name = printable(partition.name);
        if (partition.total.vcpu_ns != 0 && partition.total.donated_ns != 0)
            text += fmt::format("{}: {:.1f}% of its vCPUs' time was donated; steal {}\n", name,
                                100 * to_double(partition.total.donated_ns) /
                                    to_double(partition.total.vcpu_ns),
                                time(partition.total.steal_ns));
        for (const auto &cgroup : partition.cgroups)
            text += fmt::format("{}: {}{} charged to control group {}\n", name,
                                time(cgroup.used.donated_ns), report.whole ? "" : "/s",
                                cgroup.path.empty() ? fmt::format("#{}", cgroup.id)
                                                    : printable(cgroup.path));
        for (const auto &cgroup : partition.cgroups)
            if (cgroup.usage)
                text += usage_text(name, cgroup, colour);
        for (const auto &serving : partition.serving)
            text +=
                paint(fmt::format("{}: thread {} has been serving {} for {}", name, serving.thread,
                                  printable(serving.adjunct), human_ns(to_double(serving.ns))),
                      Colour::warning, colour) +
                "\n";
        if (const auto &c = partition.conservation; c && (c->ebpf_ns != 0 || c->module_ns != 0))
            text +=
                paint(fmt::format(
                          "{}: donated so far: {} by eBPF's clock, {} by the module's: {:+.2f}%",
                          name, human_ns(to_double(c->ebpf_ns)), human_ns(to_double(c->module_ns)),
                          c->percent()),
                      c->holds() ? Colour::none : Colour::bad, colour) +
                (c->holds() ? "\n" : ": THEY DISAGREE\n");
    }
    if (report.lost.total() != 0)
        text += paint(fmt::format("lost events: {} (no room {}, unmatched {}, missed {})",
                                  report.lost.total(), report.lost.full, report.lost.unmatched,
                                  report.lost.missed),
                      Colour::bad, colour) +
                "\n";
    return text;
}

std::string hist_text(const Report &report, bool colour) {
    constexpr double width = 40;
    std::string text;
    for (const auto &partition : report.partitions)
        for (const auto &adjunct : partition.adjuncts)
            for (const auto &[kind, hist] : adjunct.hists) {
                text += paint(fmt::format("{} {} {}: {}, half below {}, 99% below {}",
                                          printable(partition.name), printable(adjunct.name),
                                          hist_name(kind), hist_count(hist),
                                          human_ns(to_double(hist_percentile(hist, 50))),
                                          human_ns(to_double(hist_percentile(hist, 99)))),
                              Colour::title, colour) +
                        "\n";
                uint64_t most = *std::max_element(std::begin(hist.slot), std::end(hist.slot));
                size_t first = 0;
                size_t last = LPAR_HIST_SLOTS;
                while (hist.slot[first] == 0)
                    first++;
                while (hist.slot[last - 1] == 0)
                    last--;
                for (size_t i = first; i < last; i++)
                    text += fmt::format(
                        "  below {:>8} {:>10} {}\n", human_ns(to_double(2ull << i)), hist.slot[i],
                        std::string(static_cast<size_t>(std::ceil(width * to_double(hist.slot[i]) /
                                                                  to_double(most))),
                                    '#'));
            }
    return text;
}

} // namespace lpar
