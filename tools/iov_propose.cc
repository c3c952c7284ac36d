// SPDX-License-Identifier: GPL-2.0
// Which adapter suits a wish that names none. No I/O: the planner's plans are compared.
#include <algorithm>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <tuple>

#include "iov.h"

namespace lpar {

namespace {

bool has_step(const IovPlan &plan, IovStep::Kind kind) {
    return std::ranges::any_of(plan.steps, [&](const auto &step) { return step.kind == kind; });
}

// What is smaller is better: an adapter that need not be reset, one whose VFs are there already,
// few steps, and then the one with the most VFs left, so that the others fill up last.
auto cost(const IovAdapter &adapter, const IovPlan &plan) {
    return std::tuple(has_step(plan, IovStep::Kind::primary), has_step(plan, IovStep::Kind::count),
                      plan.steps.size(), -static_cast<long>(adapter.total));
}

struct Refused {
    std::string adapter;
    std::vector<std::string> why;
};

// What is wrong with the wish itself is said once, the rest for each adapter.
std::vector<std::string> reasons(const std::vector<Refused> &refused) {
    std::vector<std::string> all;
    auto everywhere = [&](const std::string &why) {
        return std::ranges::all_of(refused, [&](const auto &one) {
            return std::ranges::find(one.why, why) != one.why.end();
        });
    };

    for (const auto &[adapter, why] : refused)
        for (const auto &text : why)
            if (!everywhere(text))
                all.push_back(adapter + ": " + text);
            else if (adapter == refused.front().adapter)
                all.push_back(text);
    return all;
}

} // namespace

IovProposal iov_propose(const IovSnapshot &now, IovRequest request, const IovTaste &taste) {
    IovProposal best;
    const IovAdapter *chosen = nullptr;
    std::vector<std::string> others;
    std::vector<Refused> refused;

    for (const auto &adapter : now.adapters) {
        if ((taste.node && adapter.node != *taste.node) ||
            (taste.type && adapter.type != *taste.type))
            continue;
        request.adapter = adapter.address;
        IovPlan plan = iov_assign(now, request);
        if (!plan.refusals.empty()) {
            refused.push_back({adapter.address, std::move(plan.refusals)});
            continue;
        }
        if (chosen == nullptr || cost(adapter, plan) < cost(*chosen, best.plan)) {
            if (chosen != nullptr)
                others.push_back(chosen->address);
            chosen = &adapter;
            best = {adapter.address, std::move(plan)};
        } else {
            others.push_back(adapter.address);
        }
    }
    if (chosen == nullptr) {
        best.plan.refusals = reasons(refused);
        if (refused.empty())
            best.plan.refusals.push_back("there is no such SR-IOV adapter: lparctl iov list");
    } else if (!others.empty()) {
        best.plan.notes.push_back(fmt::format("{} is proposed; possible as well: {}", best.adapter,
                                              fmt::join(others, ", ")));
    } else {
        best.plan.notes.push_back(best.adapter + " is proposed, the only one that is possible");
    }
    return best;
}

} // namespace lpar
