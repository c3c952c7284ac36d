// SPDX-License-Identifier: GPL-2.0
#include "plan.h"

#include <algorithm>
#include <fmt/format.h>
#include <map>
#include <set>

#include "error.h"
#include "format.h"
#include "netdev.h"
#include "parse.h"
#include "plan_vfs.h"
#include "undo.h"

namespace lpar {

namespace {

constexpr double poll_seconds = 0.2;

template <typename... Handlers>
struct Overloaded : Handlers... {
    using Handlers::operator()...;
};

std::string flag_text(bool flag) {
    return flag ? "true" : "";
}

template <typename T>
std::string number_text(const std::optional<T> &number) {
    return number.value_or(0) == 0 ? "" : std::to_string(*number);
}

std::string bytes_text(const std::optional<uint64_t> &bytes) {
    return bytes.value_or(0) == 0 ? "" : size_text(*bytes);
}

std::string mode_text(const std::optional<std::string> &mode) {
    return mode == "auto" ? "" : mode.value_or("");
}

// In words of the file; a default is empty.
Attributes attributes(const NewPartition &partition) {
    const auto &[name, memory, quantum, owner, adjuncts, own_images, role, qmp, policy] = partition;
    Attributes all{{"memory", memory ? size_text(*memory) : ""},
                   {"quantum", quantum ? human_us(*quantum) : ""},
                   {"owner", owner ? user_name(*owner) : ""},
                   {"adjuncts", number_text(adjuncts)},
                   {"own_images", flag_text(own_images.value_or(false))},
                   {"role", role == "client" ? "" : role.value_or("")},
                   {"qmp", qmp.value_or("")}};
    for (const auto &[request, rule] : policy)
        all.emplace_back("policy." + request, rule == "ask" ? "" : rule);
    return all;
}

Attributes attributes(const NewDisk &disk) {
    return {{"device", disk.device},
            {"start", bytes_text(disk.start)},
            {"size", bytes_text(disk.size)},
            {"read_only", flag_text(disk.read_only)},
            {"queues", number_text(disk.queues)},
            {"serial", disk.serial.value_or("")},
            {"mode", mode_text(disk.mode)}};
}

Attributes attributes(const NewNic &nic) {
    return {{"adapter", nic.adapter},
            {"mac", nic.mac.value_or("")},
            {"vlan", number_text(nic.vlan)},
            {"max_rate", number_text(nic.max_rate)},
            {"primary", nic.primary.value_or("")},
            {"queues", number_text(nic.queues)},
            {"trust", flag_text(nic.trust)},
            {"mode", mode_text(nic.mode)}};
}

// Two names of one device are no difference.
NewDisk named_alike(const Host &host, NewDisk old, const NewDisk &wish) {
    auto block = host.block_name(wish.device);
    if (block && block == host.block_name(old.device))
        old.device = wish.device;
    return old;
}

NewNic named_alike(const Host & /*host*/, NewNic old, const NewNic & /*wish*/) {
    return old;
}

bool is_usable(const Disk &disk) {
    return disk.enabled && !disk.is_dead;
}

bool is_usable(const Nic &nic) {
    return nic.enabled && !nic.is_dead;
}

template <typename T>
const T *find(const std::vector<T> &list, const std::string &name) {
    auto found = std::ranges::find(list, name, &T::name);
    return found == list.end() ? nullptr : &*found;
}

class Planner {
  public:
    Planner(const Host &host, bool prune, VfSteps vfs)
        : host_(host), prune_(prune), removals_(std::move(vfs.removals)),
          vfs_(std::move(vfs.others)) {}

    void partition(const Partition *old, const WantedPartition &wanted) {
        const NewPartition &wish = wanted.partition;
        if (old == nullptr) {
            partitions_.push_back(
                {Step::Action::add, wish, {}, differences({}, attributes(wish)), wanted.error});
        } else {
            NewPartition was = wanted_of(*old).partition;
            // what is not said stays
            if (!wish.memory_limit)
                was.memory_limit.reset();
            if (!wish.quantum_limit_us)
                was.quantum_limit_us.reset();
            if (!wish.owner)
                was.owner.reset();
            if (!wish.adjuncts)
                was.adjuncts.reset();
            if (!wish.own_images)
                was.own_images.reset();
            if (!wish.role)
                was.role.reset();
            if (!wish.qmp)
                was.qmp.reset();
            std::map<std::string, std::string> policy;
            for (const auto &[request, rule] : wish.policy)
                policy[request] = was.policy[request];
            was.policy = std::move(policy);
            auto changes = differences(attributes(was), attributes(wish));
            if (!changes.empty() || !wanted.error.empty())
                partitions_.push_back(
                    {Step::Action::change, wish, was, std::move(changes), wanted.error});
        }
        functions(old ? old->disks : std::vector<Disk>(), wanted.disks);
        functions(old ? old->nics : std::vector<Nic>(), wanted.nics);
    }

    void unwanted(const Partition &old) {
        if (prune_)
            removals_.push_back({Step::Action::remove, wanted_of(old).partition, {}, {}, ""});
    }

    void images(const std::vector<Image> &present, const std::vector<NewImage> &wanted) {
        for (const auto &old : present)
            if (prune_ && find(wanted, old.name) == nullptr)
                removals_.push_back({Step::Action::remove, wanted_of(old), {}, {}, ""});
        for (const auto &wish : wanted) {
            const Image *old = find(present, wish.name);
            std::string sha256;
            try {
                sha256 = wanted_sha256(wish);
            } catch (const Failure &failure) {
                images_.push_back({old ? Step::Action::change : Step::Action::add,
                                   wish,
                                   old ? wanted_of(*old) : NewImage(),
                                   {},
                                   failure.what()});
                continue;
            }
            if (old == nullptr) {
                std::vector<Change> all{{"image", "", wish.file}, {"sha256", "", sha256}};
                if (wish.global)
                    all.push_back({"global", "", flag_text(true)});
                images_.push_back({Step::Action::add, wish, {}, std::move(all), ""});
                continue;
            }
            std::vector<Change> changes;
            if (old->sha256 != sha256)
                changes.push_back({"sha256", old->sha256, sha256});
            if (old->global != wish.global)
                changes.push_back({"global", flag_text(old->global), flag_text(wish.global)});
            if (!old->enabled)
                changes.push_back({"enabled", "false", "true"});
            if (!changes.empty())
                images_.push_back(
                    {Step::Action::change, wish, wanted_of(*old), std::move(changes), ""});
        }
    }

    std::vector<Step> steps() {
        // There is one management partition: who is it no more goes first.
        std::ranges::stable_partition(partitions_, [](const Step &step) {
            const auto *before = std::get_if<NewPartition>(&step.before);
            return step.action == Step::Action::change && before->role == "management";
        });
        std::vector<Step> all = std::move(removals_);
        std::ranges::move(images_, std::back_inserter(all));
        std::ranges::move(partitions_, std::back_inserter(all));
        std::ranges::move(functions_, std::back_inserter(all));
        std::ranges::move(vfs_, std::back_inserter(all));
        return all;
    }

  private:
    template <typename Old, typename New>
    void functions(const std::vector<Old> &present, const std::vector<New> &wanted) {
        for (const auto &old : present)
            if (prune_ && find(wanted, old.name) == nullptr)
                removals_.push_back({Step::Action::remove, wanted_of(old), {}, {}, ""});
        for (const auto &wish : wanted) {
            const Old *old = find(present, wish.name);
            if (old == nullptr) {
                functions_.push_back(
                    {Step::Action::add, wish, {}, differences({}, attributes(wish)), ""});
                continue;
            }
            New was = named_alike(host_, wanted_of(*old), wish);
            auto changes = differences(attributes(was), attributes(wish));
            if (!is_usable(*old))
                changes.push_back({"enabled", old->is_dead ? "dead" : "false", "true"});
            if (!changes.empty())
                functions_.push_back({Step::Action::change, wish, was, std::move(changes), ""});
        }
    }

    const Host &host_;
    bool prune_;
    std::vector<Step> removals_;
    std::vector<Step> images_;
    std::vector<Step> partitions_;
    std::vector<Step> functions_;
    std::vector<Step> vfs_;
};

class Carrier {
  public:
    Carrier(Host &host, IovState *state) : host_(host), config_(host), state_(state) {}

    void take(std::vector<Step> &steps) {
        // From here on an interrupt would leave out what was to be made anew.
        SignalHold hold;
        for (const auto &step : steps)
            if (!step.error.empty() && step.action == Step::Action::add && is_partition(step))
                missing_.insert(partition_of(step.thing));
        // What goes, and what is made anew, makes room first.
        for (auto &step : steps)
            if (!step.error.empty())
                continue;
            else if (step.action == Step::Action::remove)
                remove(step);
            else if (step.action == Step::Action::change && !is_partition(step) && !is_vfs(step) &&
                     !wait_for_devices(host_, {step}, 0))
                step.error = "its device is not there: it stays as it is";
            else if (step.action == Step::Action::change && !is_partition(step) && !is_vfs(step))
                attempt(step, [&] { remove(step.before); });
        for (const auto &[adapter, changes] : of_adapters(steps, Step::Action::change))
            release_vfs(host_, *state_, changes);
        for (auto &step : steps)
            if (step.error.empty() && step.action != Step::Action::remove && !is_vfs(step))
                attempt(step, [&] { add(step); });
        for (auto &step : steps)
            if (is_vfs(step) && step.error.empty() && missing_.contains(partition_of(step.thing)))
                step.error = no_partition;
        for (const auto &[adapter, wishes] : of_adapters(steps, {}))
            assign_vfs(host_, *state_, wishes);
    }

  private:
    static constexpr auto no_partition = "its partition could not be made";

    static bool is_partition(const Step &step) {
        return std::holds_alternative<NewPartition>(step.thing);
    }

    static bool is_vfs(const Step &step) { return std::holds_alternative<NewVfs>(step.thing); }

    // Steps of VFs without an error that are no removals; of one @action only, if it is said.
    static std::map<std::string, std::vector<Step *>>
    of_adapters(std::vector<Step> &steps, std::optional<Step::Action> action) {
        std::map<std::string, std::vector<Step *>> found;
        for (auto &step : steps)
            if (is_vfs(step) && step.error.empty() && step.action != Step::Action::remove &&
                step.action == action.value_or(step.action))
                found[std::get<NewVfs>(step.thing).adapter].push_back(&step);
        return found;
    }

    void remove(Step &step) {
        if (is_vfs(step)) {
            release_vfs(host_, *state_, {&step});
            if (!step.error.empty())
                occupied_.insert(partition_of(step.thing));
        } else if (is_partition(step) && occupied_.contains(partition_of(step.thing))) {
            step.error = "it has VFs that could not be released";
        } else {
            attempt(step, [&] { remove(step.thing); });
        }
    }

    static void attempt(Step &step, const auto &action) {
        try {
            action();
        } catch (const Failure &failure) {
            step.error = failure.what();
        } catch (const UsageError &error) { // a name that another program made
            step.error = error.what();
        }
    }

    void remove(const Step::Thing &thing) {
        std::visit(Overloaded{
                       [&](const NewPartition &it) { config_.remove(it.name, true, true); },
                       [&](const NewDisk &it) { config_.remove_disk(it.partition, it.name); },
                       [&](const NewNic &it) { config_.remove_nic(it.partition, it.name); },
                       [](const NewVfs &) {},
                       [&](const NewImage &it) { Images(host_).remove(it.name); },
                   },
                   thing);
    }

    void add(const Step &step) {
        if (const auto *partition = std::get_if<NewPartition>(&step.thing)) {
            if (step.action == Step::Action::change)
                config_.change(*partition);
            else
                create(*partition);
            return;
        }
        if (missing_.contains(partition_of(step.thing)))
            throw Failure(no_partition);
        try {
            add(step.thing);
        } catch (const Failure &failure) {
            if (step.action != Step::Action::change)
                throw;
            throw Failure(failure.what() + put_back(step.before));
        }
    }

    void create(const NewPartition &partition) {
        try {
            config_.create(partition);
        } catch (const Failure &) {
            missing_.insert(partition.name);
            throw;
        }
    }

    void add(const Step::Thing &thing) {
        std::visit(Overloaded{
                       [](const NewPartition &) {},
                       [&](const NewDisk &it) { config_.add(it); },
                       [&](const NewNic &it) { config_.add(it); },
                       [](const NewVfs &) {},
                       [&](const NewImage &it) { Images(host_).add(it); },
                   },
                   thing);
    }

    // As it was. Returns why not, as the end of an error message.
    std::string put_back(const Step::Thing &thing) {
        try {
            add(thing);
        } catch (const Failure &failure) {
            return std::string("; as it was it could not be had again: ") + failure.what();
        }
        return {};
    }

    Host &host_;
    Config config_;
    IovState *state_;
    std::set<std::string> missing_;  // partitions
    std::set<std::string> occupied_; // likewise
};

} // namespace

std::vector<Change> differences(const Attributes &from, const Attributes &to) {
    std::vector<Change> changes;
    for (size_t i = 0; i < to.size(); i++) {
        std::string was = i < from.size() ? from[i].second : "";
        if (was != to[i].second)
            changes.push_back({to[i].first, was, to[i].second});
    }
    return changes;
}

std::string kind_of(const Step::Thing &thing) {
    return std::visit(Overloaded{[](const NewPartition &) { return "partition"; },
                                 [](const NewDisk &) { return "disk"; },
                                 [](const NewNic &) { return "nic"; },
                                 [](const NewVfs &) { return "vfs"; },
                                 [](const NewImage &) { return "adjunct"; }},
                      thing);
}

std::string partition_of(const Step::Thing &thing) {
    return std::visit(Overloaded{[](const NewPartition &it) { return it.name; },
                                 [](const NewImage &) { return std::string(); },
                                 [](const auto &it) { return it.partition; }},
                      thing);
}

std::string path_of(const Step::Thing &thing) {
    return std::visit(Overloaded{[](const NewPartition &it) { return it.name; },
                                 [](const NewImage &it) { return it.name; },
                                 [](const NewVfs &it) { return it.partition + "/" + it.adapter; },
                                 [](const auto &it) { return it.partition + "/" + it.name; }},
                      thing);
}

std::string step_text(const Step &step) {
    static constexpr std::string_view signs[] = {"+", "~", "-"};
    std::string text = fmt::format("{} {} {}", signs[static_cast<size_t>(step.action)],
                                   kind_of(step.thing), path_of(step.thing));
    auto value = [](const std::string &said) { return said.empty() ? "default" : said; };
    const char *separator = ": ";
    for (const auto &change : step.changes) {
        text += separator + change.attribute + " ";
        if (step.action == Step::Action::change)
            text += value(change.from) + " -> ";
        text += value(change.to);
        separator = ", ";
    }
    return printable(text);
}

std::vector<Step> plan(const Host &host, const Present &present,
                       const std::vector<WantedPartition> &wanted, bool prune,
                       const std::vector<NewImage> &images) {
    Planner planner(host, prune, plan_vfs(present.iov, wanted, prune));
    for (const auto &old : present.partitions)
        if (std::ranges::none_of(wanted,
                                 [&](const auto &one) { return one.partition.name == old.name; }))
            planner.unwanted(old);
    planner.images(present.images, images);
    for (const auto &one : wanted)
        planner.partition(find(present.partitions, one.partition.name), one);
    return planner.steps();
}

void carry_out(Host &host, std::vector<Step> &steps, IovState *state) {
    Carrier(host, state).take(steps);
}

bool wait_for_devices(Host &host, const std::vector<Step> &steps, double end) {
    auto is_there = Overloaded{
        [](const NewPartition &) { return true; },
        [&](const NewDisk &it) { return host.block_name(it.device).has_value(); },
        [&](const NewNic &it) { return is_interface(host, it.adapter); },
        [&](const NewVfs &it) { return has_vf_driver(host, it.adapter); },
        [](const NewImage &) { return true; },
    };
    for (const auto &step : steps)
        while (step.action != Step::Action::remove && step.error.empty() &&
               !std::visit(is_there, step.thing)) {
            if (host.now() >= end)
                return false;
            host.sleep(poll_seconds);
        }
    return true;
}

} // namespace lpar
