// SPDX-License-Identifier: GPL-2.0
#include "plan_vfs.h"

#include <algorithm>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <map>

#include "error.h"
#include "iov_execute.h"
#include "iov_scan.h"

namespace lpar {

namespace {

constexpr auto vfio = "vfio-pci";
constexpr IovMishap to_the_end{.is_deaf = true};

template <typename T>
std::string text(const std::optional<T> &value) {
    return value ? fmt::format("{}", *value) : "";
}

// Of @vfs, where they are compared with @wish: which ones they are only matters if it is said.
Attributes attributes(const NewVfs &vfs, const NewVfs &wish) {
    const IovSettings &settings = vfs.settings;
    bool named = !wish.functions.empty();
    return {{"number", named ? "" : std::to_string(vfs.number)},
            {"functions", named ? fmt::format("{}", fmt::join(vfs.functions, " ")) : ""},
            {"total", text(vfs.total)},
            {"queues", text(settings.queues)},
            {"interrupts", text(settings.interrupts)},
            {"namespaces", fmt::format("{}", fmt::join(settings.namespaces, " "))},
            {"mac", settings.mac.value_or("")},
            {"vlan", text(settings.vlan)},
            {"max_rate", text(settings.rate)},
            {"trust", text(settings.trust)},
            {"spoofchk", text(settings.spoofchk)}};
}

// How many VFs this adapter was given by lparctl; nothing: by others, or none.
std::optional<unsigned> made(const IovSnapshot &now, const std::string &adapter) {
    for (const auto &step : now.taken)
        if (step.kind == IovStep::Kind::count && step.adapter == adapter)
            if (const IovAdapter *found = now.adapter(adapter); found && found->enabled != 0)
                return found->enabled;
    return std::nullopt;
}

// What keeps a VF from being passed to a guest; empty: nothing
std::string no_driver(const IovSnapshot &now, const NewVfs &vfs) {
    const IovAdapter *adapter = now.adapter(vfs.adapter);
    for (const auto &address : vfs.functions) {
        const IovFunction *vf = adapter == nullptr ? nullptr : adapter->vf(address);
        if (vf == nullptr || !vf->exists)
            return "gone";
        if (vf->driver != vfio)
            return vf->driver.empty() ? "none" : vf->driver;
    }
    return "";
}

class Planner {
  public:
    Planner(const IovSnapshot &now, const std::vector<WantedPartition> &wanted)
        : now_(now), present_(assigned_vfs(now)), is_used_(present_.size()) {
        for (const auto &one : wanted)
            for (const auto &vfs : one.vfs)
                wishes_.push_back({&vfs, nullptr});
    }

    VfSteps plan(bool prune) {
        pair([](const NewVfs &old, const NewVfs &wish) { return old.settings == wish.settings; });
        pair([](const NewVfs &, const NewVfs &) { return true; });
        VfSteps steps;
        for (size_t i = 0; i < present_.size(); i++) {
            if (is_used_[i])
                continue;
            if (prune)
                steps.removals.push_back({Step::Action::remove, present_[i], {}, {}, ""});
            else
                stay_[present_[i].adapter] += present_[i].number;
        }
        for (const auto &[wish, old] : wishes_)
            add(*wish, old, steps.others);
        return steps;
    }

  private:
    struct Wish {
        const NewVfs *wish;
        const NewVfs *old;
    };

    void pair(auto alike) {
        for (auto &[wish, old] : wishes_)
            for (size_t i = 0; old == nullptr && i < present_.size(); i++) {
                const NewVfs &there = present_[i];
                if (is_used_[i] || there.partition != wish->partition ||
                    there.adapter != wish->adapter || !alike(there, *wish))
                    continue;
                old = &there;
                is_used_[i] = true;
            }
    }

    // How many VFs the adapter is to have: what is said, or as many as are wanted
    unsigned total(const std::string &adapter) const {
        auto stay = stay_.find(adapter);
        unsigned sum = stay == stay_.end() ? 0 : stay->second;
        size_t last = 0; // of those that are named
        const IovAdapter *found = now_.adapter(adapter);
        for (const auto &[wish, old] : wishes_) {
            if (wish->adapter != adapter)
                continue;
            if (wish->total)
                return *wish->total;
            sum += wish->number;
            for (size_t i = last; found != nullptr && i < found->vfs.size(); i++)
                if (std::ranges::find(wish->functions, found->vfs[i].address) !=
                    wish->functions.end())
                    last = i + 1;
        }
        return std::max(sum, static_cast<unsigned>(last));
    }

    bool is_said(const std::string &adapter) const {
        return std::ranges::any_of(wishes_, [&](const auto &one) {
            return one.wish->adapter == adapter && one.wish->total;
        });
    }

    void add(NewVfs wish, const NewVfs *old, std::vector<Step> &steps) {
        auto has = made(now_, wish.adapter);
        unsigned needs = total(wish.adapter);
        bool said = is_said(wish.adapter);
        // their number only goes up from 0
        bool anew = has && (said ? *has != needs : *has < needs);
        std::optional<unsigned> target = anew || (said && !has) ? std::optional(needs) : has;
        if (old == nullptr) {
            auto changes = differences({}, attributes(wish, wish));
            wish.total = target;
            steps.push_back({Step::Action::add, std::move(wish), {}, std::move(changes), ""});
            return;
        }
        NewVfs was = *old;
        was.total = anew ? has : target;
        wish.total = target;
        auto changes = differences(attributes(was, wish), attributes(wish, wish));
        if (auto driver = no_driver(now_, *old); !driver.empty())
            changes.push_back({"driver", driver, vfio});
        if (!changes.empty())
            steps.push_back({Step::Action::change, std::move(wish), was, std::move(changes), ""});
    }

    const IovSnapshot &now_;
    const std::vector<NewVfs> present_;
    std::vector<bool> is_used_;
    std::vector<Wish> wishes_;
    std::map<std::string, unsigned> stay_; // VFs that nobody wants and nobody takes away
};

IovSnapshot snapshot(const Host &host, const IovState &state) {
    return iov_snapshot(host, state.taken());
}

// Throws Failure where lparctl iov release would have to be told more.
std::vector<IovStep> release_plan(const IovSnapshot &now, const NewVfs &vfs) {
    for (const auto &step : now.taken)
        if (step.kind == IovStep::Kind::plug &&
            std::ranges::find(vfs.functions, step.vf) != vfs.functions.end())
            throw Failure(fmt::format("{0} is plugged into a guest: lparctl iov release {0}, first",
                                      step.vf));
    IovPlan plan = iov_release(now, vfs.functions, "");
    if (!plan.refusals.empty())
        throw Failure(fmt::format("{}", fmt::join(plan.refusals, "; ")));
    return plan.steps;
}

// What cannot be assigned anew is not released either. Throws Failure.
void check_adapter(const IovSnapshot &now, const std::string &address) {
    const IovAdapter *adapter = now.adapter(address);
    if (adapter == nullptr)
        throw Failure(address + " is no SR-IOV adapter: lparctl iov list has them");
    auto objections = iov_objections(*adapter);
    if (!objections.empty())
        throw Failure(fmt::format("{}: {}", address, fmt::join(objections, "; ")));
}

const NewVfs &vfs_of(const Step::Thing &thing) {
    return std::get<NewVfs>(thing);
}

// What is there of it
const NewVfs &present_of(const Step &step) {
    return vfs_of(step.action == Step::Action::remove ? step.thing : step.before);
}

void fail(Step &step, const std::string &why) {
    const std::string &where = vfs_of(step.thing).where;
    if (step.error.empty())
        step.error = where.empty() ? why : where + ": " + why;
    else
        step.error += "; " + why;
}

void attempt(Step &step, const auto &action) {
    try {
        action();
    } catch (const Failure &failure) {
        fail(step, failure.what());
    }
}

// One failed: the others are not taken either.
void fail_all(const std::vector<Step *> &steps) {
    for (Step *step : steps)
        if (step->error.empty())
            fail(*step, fmt::format("not done, as another one of {} could not be",
                                    vfs_of(step->thing).adapter));
}

IovWish wish_of(const NewVfs &vfs) {
    return {vfs.partition, vfs.number, vfs.settings, vfs.functions};
}

// Each of @wishes or none, by the planner. Throws Failure; @refusals: where the planner's go.
void assign(Host &host, IovState &state, const std::vector<NewVfs> &wishes, IovPlan &plan) {
    IovRequest request;
    request.adapter = wishes[0].adapter;
    for (const auto &vfs : wishes) {
        request.wishes.push_back(wish_of(vfs));
        if (vfs.total)
            request.vfs = vfs.total;
    }
    plan = iov_assign(snapshot(host, state), request);
    if (!plan.refusals.empty())
        throw Failure(fmt::format("{}", fmt::join(plan.refusals, "; ")));
    iov_carry_out(host, state, plan.steps, to_the_end);
}

// Returns why not, as the end of an error message.
std::string put_back(Host &host, IovState &state, const std::vector<Step *> &steps) {
    std::vector<NewVfs> old;
    for (const Step *step : steps)
        if (step->action == Step::Action::change)
            old.push_back(vfs_of(step->before));
    if (old.empty())
        return "";
    try {
        IovPlan plan;
        assign(host, state, old, plan);
    } catch (const Failure &failure) {
        return std::string("as it was it could not be had again: ") + failure.what();
    }
    return "";
}

} // namespace

std::vector<NewVfs> assigned_vfs(const IovSnapshot &now) {
    std::vector<NewVfs> all;
    std::map<std::string, unsigned> numbers; // of adapters
    for (const auto &step : now.taken) {
        if (step.kind != IovStep::Kind::claim)
            continue;
        auto found = std::ranges::find_if(all, [&](const auto &one) {
            return one.partition == step.to && one.adapter == step.adapter &&
                   one.settings == step.settings;
        });
        if (found == all.end()) {
            NewVfs vfs;
            vfs.partition = step.to;
            vfs.adapter = step.adapter;
            vfs.number = 0;
            vfs.settings = step.settings;
            found = all.insert(all.end(), vfs);
        }
        found->number++;
        found->functions.push_back(step.vf);
        numbers[step.adapter]++;
    }
    for (auto &one : all) {
        std::ranges::sort(one.functions);
        if (auto has = made(now, one.adapter); has && *has > numbers[one.adapter])
            one.total = has;
    }
    return all;
}

VfSteps plan_vfs(const IovSnapshot &now, const std::vector<WantedPartition> &wanted, bool prune) {
    return Planner(now, wanted).plan(prune);
}

void release_vfs(Host &host, IovState &state, const std::vector<Step *> &steps) {
    bool all = steps[0]->action == Step::Action::change;
    IovSnapshot now = snapshot(host, state);
    for (Step *step : steps)
        attempt(*step, [&] {
            if (all)
                check_adapter(now, present_of(*step).adapter);
            release_plan(now, present_of(*step));
        });
    if (all && std::ranges::any_of(steps, [](const auto *step) { return !step->error.empty(); })) {
        fail_all(steps);
        return;
    }
    for (Step *step : steps)
        if (step->error.empty())
            attempt(*step, [&] {
                iov_take_back(host, state, release_plan(snapshot(host, state), present_of(*step)),
                              to_the_end);
            });
}

void assign_vfs(Host &host, IovState &state, const std::vector<Step *> &steps) {
    std::vector<NewVfs> wishes;
    for (const Step *step : steps)
        wishes.push_back(vfs_of(step->thing));
    IovPlan plan;
    try {
        assign(host, state, wishes, plan);
        return;
    } catch (const Failure &failure) {
        for (size_t i = 0; i < plan.refusals.size(); i++)
            fail(*steps[plan.blamed[i].value_or(0)], plan.refusals[i]);
        if (plan.refusals.empty())
            fail(*steps[0], failure.what());
    }
    fail_all(steps);
    if (auto why = put_back(host, state, steps); !why.empty())
        for (Step *step : steps)
            if (step->action == Step::Action::change)
                fail(*step, why);
}

bool has_vf_driver(const Host &host, const std::string &adapter) {
    std::string base = pci_devices + adapter;
    if (!host.exists(base + "/driver"))
        return false;
    std::string kind = host.read(base + "/class").value_or("");
    if (kind.starts_with("0x02"))
        return !host.list(base + "/net").empty();
    if (kind != "0x010802")
        return true;
    auto names = host.list(base + "/nvme");
    return !names.empty() && host.read(base + "/nvme/" + names[0] + "/state") == "live";
}

} // namespace lpar
