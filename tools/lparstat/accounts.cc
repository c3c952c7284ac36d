// SPDX-License-Identifier: GPL-2.0
#include "accounts.h"

#include <array>

namespace lpar {

namespace {

uint64_t ahead(uint64_t before, uint64_t now) {
    return now > before ? now - before : 0;
}

lpar_account minus(const lpar_account &before, lpar_account now) {
    for (const auto &[name, member] : account_counters())
        now.*member = ahead(before.*member, now.*member);
    return now;
}

lpar_hist minus(const lpar_hist &before, lpar_hist now) {
    now.sum_ns = ahead(before.sum_ns, now.sum_ns);
    for (size_t i = 0; i < LPAR_HIST_SLOTS; i++)
        now.slot[i] = ahead(before.slot[i], now.slot[i]);
    return now;
}

lpar_cgroup minus(const lpar_cgroup &before, const lpar_cgroup &now) {
    return {ahead(before.donated_ns, now.donated_ns), ahead(before.dispatches, now.dispatches)};
}

template <typename Map>
Map minus_all(const Map &before, const Map &now) {
    Map result;
    for (const auto &[key, value] : now) {
        auto old = before.find(key);
        result.emplace(key, old == before.end() ? value : minus(old->second, value));
    }
    return result;
}

} // namespace

const std::vector<CounterName> &account_counters() {
    static const std::vector<CounterName> counters = {
#define X(name) {#name, &lpar_account::name},
        LPAR_ACCOUNT(X)
#undef X
    };
    return counters;
}

const char *hist_name(uint32_t hist) {
    static constexpr std::array names = {
#define X(name) #name,
        LPAR_HIST(X)
#undef X
    };
    return hist < names.size() ? names[hist] : "unknown";
}

void add(lpar_account &sum, const lpar_account &more) {
    for (const auto &[name, member] : account_counters())
        sum.*member += more.*member;
}

void add(lpar_hist &sum, const lpar_hist &more) {
    sum.sum_ns += more.sum_ns;
    for (size_t i = 0; i < LPAR_HIST_SLOTS; i++)
        sum.slot[i] += more.slot[i];
}

void add(lpar_cgroup &sum, const lpar_cgroup &more) {
    sum.donated_ns += more.donated_ns;
    sum.dispatches += more.dispatches;
}

void add(lpar_usage &sum, const lpar_usage &more) {
#define X(name) sum.name += more.name;
    LPAR_USAGE(X)
#undef X
}

lpar_usage minus(const lpar_usage &before, const lpar_usage &now) {
    return {
#define X(name) ahead(before.name, now.name),
        LPAR_USAGE(X)
#undef X
    };
}

uint64_t total_ns(const lpar_usage &usage) {
    uint64_t sum = 0;
#define X(name) sum += usage.name;
    LPAR_USAGE(X)
#undef X
    return sum;
}

Accounts difference(const Accounts &before, const Accounts &now) {
    return {minus_all(before.accounts, now.accounts),
            minus_all(before.hists, now.hists),
            minus_all(before.cgroups, now.cgroups),
            {ahead(before.lost.full, now.lost.full),
             ahead(before.lost.unmatched, now.lost.unmatched),
             ahead(before.lost.missed, now.lost.missed)},
            now.serving};
}

uint64_t hist_count(const lpar_hist &hist) {
    uint64_t count = 0;
    for (uint64_t slot : hist.slot)
        count += slot;
    return count;
}

uint64_t hist_percentile(const lpar_hist &hist, double percent) {
    double wanted = static_cast<double>(hist_count(hist)) * percent / 100;
    uint64_t seen = 0;
    for (size_t i = 0; i < LPAR_HIST_SLOTS; i++) {
        seen += hist.slot[i];
        if (seen != 0 && static_cast<double>(seen) >= wanted)
            return (2ull << i) - 1;
    }
    return 0;
}

uint64_t net_ns(const lpar_account &account) {
    return ahead(account.irq_ns + account.softirq_ns, account.donated_ns);
}

double quantum_percent(const lpar_account &account) {
    if (account.quantum_ns == 0)
        return -1;
    return 100 * static_cast<double>(account.donated_ns) / static_cast<double>(account.quantum_ns);
}

} // namespace lpar
