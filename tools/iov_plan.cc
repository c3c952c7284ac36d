// SPDX-License-Identifier: GPL-2.0
// Which VFs become whose, and by which steps. No I/O: a snapshot in, a plan out.
#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <map>

#include "format.h"
#include "iov.h"

namespace lpar {

namespace {

using Kind = IovStep::Kind;

constexpr auto vfio = "vfio-pci";
constexpr uint32_t admin_queue = 1;
constexpr uint32_t least_queues = 2; // of a controller: its admin queue and one for I/O

constexpr std::array<std::string_view, 18> kind_names{
    "claim",  "primary",         "autoprobe", "count", "queues",   "interrupts",
    "attach", "online",          "mac",       "vlan",  "spoofchk", "trust",
    "rate",   "driver_override", "driver",    "plug",  "mailbox",  "mtu"};

std::string or_none(const std::string &text) {
    return text.empty() ? "none" : text;
}

std::string flag(bool on) {
    return on ? "1" : "0";
}

std::string names_of(const std::vector<std::string> &names) {
    return fmt::format("{}", fmt::join(names, ", "));
}

// Why this VF cannot be given to anybody now; empty: it can.
std::string vf_objection(const IovSnapshot &now, const IovAdapter &adapter, const IovFunction &vf) {
    if (auto owner = now.owner(vf.address); !owner.empty())
        return "is " + owner + "'s";
    if (!vf.user.empty())
        return "is in use by " + vf.user;
    if (!vf.exists)
        return "";
    if (vf.group.empty())
        return "has no IOMMU group";
    if (!vf.neighbours.empty())
        return fmt::format("shares IOMMU group {} with {}", vf.group, names_of(vf.neighbours));
    if (vf.driver != "" && vf.driver != vfio && adapter.type == IovType::other)
        return "is in use by the host's driver " + vf.driver;
    return "";
}

class Assigner {
  public:
    Assigner(const IovSnapshot &now, const IovRequest &request) : now_(now), request_(request) {}

    IovPlan plan() {
        for (const auto &wish : request_.wishes)
            wanted_ += wish.count;
        check_partitions();
        adapter_ = now_.adapter(request_.adapter);
        if (adapter_ == nullptr)
            refuse(request_.adapter + " is no SR-IOV adapter: lparctl iov list has them");
        else
            check_adapter();
        if (plan_.refusals.empty())
            take();
        if (!plan_.refusals.empty()) {
            plan_.steps.clear();
            plan_.assigned.clear();
        }
        return std::move(plan_);
    }

  private:
    // A VF, who gets it, and its share
    struct Choice {
        const IovFunction *vf;
        const IovWish *wish;
        uint32_t queues;
        uint32_t interrupts;

        bool is_right() const { return vf->queues == queues && vf->interrupts == interrupts; }
    };

    // @wish: the one that cannot be; nothing: all of them together
    void refuse(std::string why, const IovWish *wish = nullptr) {
        plan_.refusals.push_back(std::move(why));
        plan_.blamed.push_back(
            wish == nullptr ? std::nullopt : std::optional<size_t>(wish - request_.wishes.data()));
    }

    // Has an earlier wish the same settings? Then what is wrong with them was said.
    bool is_repeated(const IovWish &wish) const {
        return std::any_of(request_.wishes.data(), &wish,
                           [&](const auto &other) { return other.settings == wish.settings; });
    }

    void step(Kind kind, const std::string &vf, const std::string &from, const std::string &to) {
        if (from != to)
            plan_.steps.push_back({kind, request_.adapter, vf, from, to});
    }

    // vfio pins all memory of a guest that has a VF.
    void check_partitions() {
        std::set<std::string> with_vfs;
        for (const auto &wish : request_.wishes) {
            const std::string &name = wish.partition;
            if (std::ranges::find(now_.partitions, name, &IovPartition::name) ==
                now_.partitions.end())
                refuse(fmt::format("there is no partition '{}': lparctl partition create {}", name,
                                   name),
                       &wish);
            if (wish.count == 0)
                refuse(fmt::format("{}=0: a partition gets one VF or more", name), &wish);
            with_vfs.insert(name);
            if (std::any_of(request_.wishes.data(), &wish, [&](const auto &other) {
                    return other.partition == name && other.settings == wish.settings;
                }))
                refuse(fmt::format("{} is named twice", name), &wish);
        }
        if (request_.wishes.empty())
            refuse("who gets how many? PARTITION=NUMBER");
        if (!request_.socket.empty() && with_vfs.size() > 1)
            refuse("one QMP socket is one guest: one partition at a time");
        uint64_t memory = 0;
        std::string list;
        for (const auto &partition : now_.partitions) {
            bool has = std::ranges::any_of(now_.taken, [&](const auto &taken) {
                return taken.kind == Kind::claim && taken.to == partition.name;
            });
            if (!has && !with_vfs.contains(partition.name))
                continue;
            if (!partition.memory) {
                plan_.notes.push_back(
                    fmt::format("how much memory {} has is not known: all of it will be pinned",
                                partition.name));
                continue;
            }
            uint64_t more = *partition.memory;
            memory = memory + more < memory ? UINT64_MAX : memory + more;
            list += (list.empty() ? "" : ", ") + partition.name + " " + human_bytes(more);
        }
        if (memory > now_.memory)
            refuse(fmt::format("a guest with a VF is pinned as a whole: {} together is more than "
                               "the host's {}",
                               list, human_bytes(now_.memory)));
    }

    void check_adapter() {
        for (const auto &objection : iov_objections(*adapter_))
            refuse(fmt::format("{}: {}", adapter_->address, objection));
        for (const auto &wish : request_.wishes)
            check_type(wish);
        if (wanted_ == 0)
            return;
        count_ = request_.vfs.value_or(adapter_->enabled != 0 ? adapter_->enabled : least_vfs());
        if (adapter_->enabled != 0 && count_ != adapter_->enabled) {
            refuse(fmt::format("{} has {} VFs, and their number can only go up from 0: {}",
                               adapter_->address, adapter_->enabled, way_to_none()));
            return;
        }
        if (count_ > adapter_->total)
            refuse(fmt::format("{} VFs: {} can have {} at most", count_, adapter_->address,
                               adapter_->total));
        else if (count_ < wanted_ && adapter_->enabled == 0)
            refuse(fmt::format("{} VFs are wished for, and --vfs makes {}", wanted_, count_));
        else
            choose();
    }

    void check_type(const IovWish &wish) {
        const auto &settings = wish.settings;
        bool again = std::any_of(request_.wishes.data(), &wish, [&](const auto &other) {
            return other.settings.mac == settings.mac;
        });
        if (settings.mac && (wish.count > 1 || again))
            refuse("one MAC address is for one VF", &wish);
        if (is_repeated(wish))
            return;
        bool nvme = settings.queues || settings.interrupts || !settings.namespaces.empty();
        bool nic =
            settings.mac || settings.vlan || settings.rate || settings.trust || settings.spoofchk;
        std::string type = iov_type_name(adapter_->type);
        if (nvme && adapter_->type != IovType::nvme)
            refuse(fmt::format("{} is of type {}: queues, interrupts and namespaces are an NVMe's",
                               adapter_->address, type),
                   &wish);
        if (nic && adapter_->type != IovType::nic)
            refuse(
                fmt::format("{} is of type {}: MAC, VLAN, rate, trust and spoof check are a NIC's",
                            adapter_->address, type),
                &wish);
    }

    // What must be released before the number of VFs can be another one
    std::string way_to_none() const {
        std::vector<std::string> ways;
        for (const auto &vf : adapter_->vfs) {
            if (auto owner = now_.owner(vf.address); !owner.empty())
                ways.push_back(fmt::format("lparctl iov release {} ({}'s)", vf.address, owner));
            else if (!vf.user.empty())
                ways.push_back(fmt::format("{} is in use by {}", vf.address, vf.user));
        }
        if (ways.empty())
            return fmt::format("nobody has one: write 0 to /sys/bus/pci/devices/{}/sriov_numvfs",
                               adapter_->address);
        return "first " + names_of(ways);
    }

    // As many as are wished for; more if one of those that are named comes after that
    unsigned least_vfs() const {
        unsigned least = wanted_;
        for (const auto &wish : request_.wishes)
            for (const auto &name : wish.vfs)
                for (unsigned i = least; i < adapter_->vfs.size(); i++)
                    if (adapter_->vfs[i].address == name)
                        least = i + 1;
        return least;
    }

    // Those that are named, or else the lowest that are free; those that no driver of the host has
    // before the others
    void choose() {
        size_t refused = plan_.refusals.size();
        std::map<std::string, const IovWish *> named;
        for (const auto &wish : request_.wishes)
            for (const auto &name : wish.vfs)
                if (!named.emplace(name, &wish).second)
                    refuse(name + " is wished for twice", &wish);
        std::map<std::string, const IovFunction *> found;
        std::vector<const IovFunction *> free;
        std::vector<const IovFunction *> others;
        std::vector<std::string> reasons;
        for (unsigned i = 0; i < count_ && i < adapter_->vfs.size(); i++) {
            const IovFunction &vf = adapter_->vfs[i];
            auto why = vf_objection(now_, *adapter_, vf);
            auto wish = named.find(vf.address);
            if (wish != named.end()) {
                found[vf.address] = &vf;
                if (!why.empty())
                    refuse(vf.address + " " + why, wish->second);
            } else if (!why.empty()) {
                reasons.push_back(vf.address + " " + why);
            } else if (vf.driver.empty() || vf.driver == vfio) {
                free.push_back(&vf);
            } else {
                others.push_back(&vf);
            }
        }
        for (const auto &[name, wish] : named)
            if (!found.contains(name))
                refuse(
                    fmt::format("{} is none of the {} VFs of {}", name, count_, adapter_->address),
                    wish);
        free.insert(free.end(), others.begin(), others.end());
        if (free.size() + named.size() < wanted_)
            refuse(fmt::format("{} VFs are wished for, {} of the {} that {} has are free{}{}",
                               wanted_, free.size() + named.size(), count_, adapter_->address,
                               reasons.empty() ? "" : ": ", names_of(reasons)));
        if (plan_.refusals.size() != refused)
            return;
        auto next = free.begin();
        for (const auto &wish : request_.wishes)
            for (unsigned i = 0; i < wish.count; i++)
                chosen_.push_back({wish.vfs.empty() ? *next++ : found[wish.vfs[i]], &wish, 0, 0});
        if (adapter_->type != IovType::nvme)
            return;
        check_namespaces();
        primary_queues_ = share("queues", adapter_->queues, &IovFunction::queues, least_queues,
                                &IovSettings::queues, admin_queue, &Choice::queues);
        primary_interrupts_ = share("interrupts", adapter_->interrupts, &IovFunction::interrupts, 1,
                                    &IovSettings::interrupts, 0, &Choice::interrupts);
    }

    void check_namespaces() {
        for (const auto &wish : request_.wishes)
            if (!is_repeated(wish))
                check_namespaces(wish);
        if (std::ranges::any_of(chosen_, [](const auto &choice) {
                return choice.wish->settings.namespaces.empty() && choice.vf->namespaces.empty();
            }))
            plan_.notes.push_back("without --namespaces a VF has no disk");
        std::map<uint32_t, std::string> writers;
        for (const auto &wish : request_.wishes)
            for (uint32_t id : wish.settings.namespaces)
                if (writers.try_emplace(id, wish.partition).first->second != wish.partition) {
                    plan_.notes.push_back("each of these partitions can write what the others "
                                          "have on the same namespaces");
                    return;
                }
    }

    void check_namespaces(const IovWish &wish) {
        for (uint32_t id : wish.settings.namespaces) {
            auto found = std::ranges::find(adapter_->namespaces, id, &IovNamespace::id);
            if (found == adapter_->namespaces.end()) {
                std::vector<std::string> ids;
                for (const auto &one : adapter_->namespaces)
                    ids.push_back(std::to_string(one.id));
                refuse(fmt::format("{} has no namespace {}: it has {}", adapter_->address, id,
                                   or_none(names_of(ids))),
                       &wish);
            } else if (!found->in_use.empty()) {
                refuse(fmt::format("namespace {} ({}) {}: a guest would write to it as well", id,
                                   found->device, found->in_use),
                       &wish);
            }
        }
    }

    // How much of a resource each chosen VF gets. What is @asked for of each, it gets with @more;
    // the others a fair share. Returns what the adapter itself keeps.
    uint32_t share(const char *what, const IovPool &pool, uint32_t IovFunction::*has,
                   uint32_t least, std::optional<uint32_t> IovSettings::*asked, uint32_t more,
                   uint32_t Choice::*given) {
        uint32_t others = 0;  // what VFs have that are not chosen
        uint32_t waiting = 0; // VFs that are not chosen and have nothing yet
        for (unsigned i = 0; i < adapter_->vfs.size(); i++) {
            const IovFunction &vf = adapter_->vfs[i];
            if (std::ranges::find(chosen_, &vf, &Choice::vf) != chosen_.end())
                continue;
            others += vf.*has;
            if (i < count_ && vf.*has == 0)
                waiting++;
        }
        // with VFs there is no way to make the adapter give: its reset would remove them
        uint32_t kept = adapter_->enabled != 0 ? pool.primary
                        : pool.fixed >= least  ? 0
                                               : std::min(pool.primary, least - pool.fixed);
        uint32_t gone = std::min(pool.total, others + kept);
        uint32_t left = pool.total - gone;
        uint32_t step = std::max<uint32_t>(pool.step, 1);
        std::string hint =
            adapter_->enabled != 0 && pool.primary != 0
                ? fmt::format("; the adapter keeps {} while it has VFs", pool.primary)
                : "";
        auto is_refused = [&](uint32_t value, const IovWish *wish) {
            if (value > pool.per_function)
                refuse(fmt::format("{} {} for a VF: {} gives {} at most", value, what,
                                   adapter_->address, pool.per_function),
                       wish);
            else if (value < least || value % step != 0)
                refuse(fmt::format("{} {} for a VF: it needs {} or more, in steps of {}; {} has {} "
                                   "to give to {} VFs{}",
                                   value, what, least, step, adapter_->address, left, wanted_,
                                   hint),
                       wish);
            else
                return false;
            return true;
        };
        uint64_t sum = 0;
        uint32_t sharing = wanted_;
        bool bad = false;
        for (const auto &wish : request_.wishes) {
            auto number = wish.settings.*asked;
            if (!number)
                continue;
            sum += (uint64_t{*number} + more) * wish.count;
            sharing -= wish.count;
            if (!is_repeated(wish))
                bad |= is_refused(*number + more, &wish);
        }
        if (bad)
            return 0;
        uint32_t rest = sum > left ? 0 : left - static_cast<uint32_t>(sum);
        uint32_t each =
            std::min(pool.per_function, rest / std::max(sharing + waiting, 1U)) / step * step;
        // the least that works is better than a fair share that does not
        if (each < least && uint64_t{least} * sharing <= rest)
            each = least;
        if (sum <= left && sharing != 0 && is_refused(each, nullptr))
            return 0;
        sum += uint64_t{each} * sharing;
        bool alike = true;
        for (auto &choice : chosen_) {
            auto number = choice.wish->settings.*asked;
            choice.*given = number ? *number + more : each;
            alike = alike && choice.*given == chosen_[0].*given;
        }
        if (sum > left) {
            refuse(alike ? fmt::format("{} {} for each of {} VFs: {} has {} to give{}",
                                       chosen_[0].*given, what, wanted_, adapter_->address, left,
                                       hint)
                         : fmt::format("{} {} for {} VFs together: {} has {} to give{}", sum, what,
                                       wanted_, adapter_->address, left, hint));
            return 0;
        }
        return std::min(pool.primary, pool.total - others - static_cast<uint32_t>(sum));
    }

    void take() {
        if (adapter_->enabled == 0)
            make_vfs();
        // what some have too much of, others may need
        for (const auto &choice : chosen_)
            free_up(choice);
        for (const auto &choice : chosen_)
            give(choice);
    }

    void make_vfs() {
        std::string primary =
            fmt::format("{}/{}", adapter_->queues.primary, adapter_->interrupts.primary);
        std::string rest = fmt::format("{}/{}", primary_queues_, primary_interrupts_);
        if (adapter_->type == IovType::nvme && primary != rest) {
            if (!adapter_->users.empty())
                refuse(fmt::format("{} has to be reset to give queues, and serves {}",
                                   adapter_->address, names_of(adapter_->users)));
            step(Kind::primary, "", primary, rest);
        }
        // no driver of the host takes the new VFs
        step(Kind::autoprobe, "", flag(adapter_->autoprobe), "0");
        step(Kind::count, "", "0", std::to_string(count_));
        step(Kind::autoprobe, "", "0", flag(adapter_->autoprobe));
    }

    void free_up(const Choice &choice) {
        const IovFunction &vf = *choice.vf;
        const std::string &at = vf.address;
        plan_.assigned.emplace_back(at, choice.wish->partition);
        step(Kind::claim, at, "", choice.wish->partition);
        plan_.steps.back().settings = choice.wish->settings;
        step(Kind::driver, at, vf.driver, "");
        if (adapter_->type != IovType::nvme || choice.is_right())
            return;
        step(Kind::online, at, flag(vf.online), "0");
        step(Kind::queues, at, std::to_string(vf.queues),
             std::to_string(std::min(vf.queues, choice.queues)));
        step(Kind::interrupts, at, std::to_string(vf.interrupts),
             std::to_string(std::min(vf.interrupts, choice.interrupts)));
    }

    void give(const Choice &choice) {
        const IovFunction &vf = *choice.vf;
        const std::string &at = vf.address;
        if (adapter_->type == IovType::nvme)
            give_resources(choice);
        if (adapter_->type == IovType::nic)
            give_identity(choice);
        step(Kind::driver_override, at, vf.driver_override, vfio);
        step(Kind::driver, at, "", vfio);
        auto whose =
            std::ranges::find(now_.partitions, choice.wish->partition, &IovPartition::name);
        step(Kind::plug, at, "", request_.socket.empty() ? whose->qmp : request_.socket);
        if (adapter_->type != IovType::other && whose->has_mailboxes)
            step(Kind::mailbox, at, "", choice.wish->partition);
    }

    void give_resources(const Choice &choice) {
        const IovFunction &vf = *choice.vf;
        const std::string &at = vf.address;
        const auto &namespaces = choice.wish->settings.namespaces;
        step(Kind::queues, at, std::to_string(std::min(vf.queues, choice.queues)),
             std::to_string(choice.queues));
        step(Kind::interrupts, at, std::to_string(std::min(vf.interrupts, choice.interrupts)),
             std::to_string(choice.interrupts));
        if (!namespaces.empty()) {
            for (uint32_t id : vf.namespaces)
                if (!namespaces.contains(id))
                    step(Kind::attach, at, std::to_string(id), "");
            for (uint32_t id : namespaces)
                if (!vf.namespaces.contains(id))
                    step(Kind::attach, at, "", std::to_string(id));
        }
        step(Kind::online, at, flag(vf.online && choice.is_right()), "1");
    }

    void give_identity(const Choice &choice) {
        const IovFunction &vf = *choice.vf;
        const auto &settings = choice.wish->settings;
        auto set = [&](Kind kind, const std::string &was, const std::string &wish) {
            if (was.empty() && vf.exists)
                refuse(fmt::format("{}: {} knows no {} of a VF", adapter_->address,
                                   adapter_->driver, iov_kind_name(kind)),
                       choice.wish);
            step(kind, vf.address, was, wish);
        };
        // trust first: without it a driver may refuse the rest
        if (settings.trust)
            set(Kind::trust, vf.trust, *settings.trust ? "on" : "off");
        if (settings.mac) {
            auto who = adapter_->station(*settings.mac, choice.wish->partition, vf.address);
            if (!who.empty())
                refuse(fmt::format("{}: {} has the address {} there", adapter_->address, who,
                                   *settings.mac),
                       choice.wish);
            set(Kind::mac, vf.mac, *settings.mac);
        }
        if (settings.vlan)
            set(Kind::vlan, vf.vlan, std::to_string(*settings.vlan));
        if (settings.spoofchk)
            set(Kind::spoofchk, vf.spoofchk, *settings.spoofchk ? "on" : "off");
        if (settings.rate)
            set(Kind::rate, vf.rate, std::to_string(*settings.rate));
    }

    const IovSnapshot &now_;
    const IovRequest &request_;
    const IovAdapter *adapter_ = nullptr;
    IovPlan plan_;
    unsigned wanted_ = 0;
    unsigned count_ = 0;
    std::vector<Choice> chosen_;
    uint32_t primary_queues_ = 0;
    uint32_t primary_interrupts_ = 0;
};

} // namespace

std::string iov_type_name(IovType type) {
    static constexpr std::array<std::string_view, 3> names{"nvme", "nic", "other"};
    return std::string(names[static_cast<size_t>(type)]);
}

std::string iov_kind_name(Kind kind) {
    return std::string(kind_names[static_cast<size_t>(kind)]);
}

std::optional<Kind> iov_kind_of(const std::string &name) {
    auto found = std::ranges::find(kind_names, name);
    if (found == kind_names.end())
        return std::nullopt;
    return static_cast<Kind>(found - kind_names.begin());
}

IovStep iov_undo(IovStep step) {
    std::swap(step.from, step.to);
    return step;
}

std::string iov_step_text(const IovStep &step) {
    static const std::map<Kind, std::string_view> names{
        {Kind::claim, "partition"},
        {Kind::primary, "the adapter's own queues/interrupts"},
        {Kind::autoprobe, "the host's drivers take new VFs"},
        {Kind::count, "VFs"},
        {Kind::attach, "namespace"},
        {Kind::driver_override, "driver override"},
        {Kind::plug, "plugged in at"},
        {Kind::mailbox, "mailbox of"},
        {Kind::mtu, "the adapter's own MTU"},
    };
    auto name = names.find(step.kind);
    return printable(fmt::format("{}: {} {} -> {}", step.vf.empty() ? step.adapter : step.vf,
                                 name == names.end() ? iov_kind_name(step.kind) : name->second,
                                 or_none(step.from), or_none(step.to)));
}

const IovFunction *IovAdapter::vf(const std::string &vf_address) const {
    auto found = std::ranges::find(vfs, vf_address, &IovFunction::address);
    return found == vfs.end() ? nullptr : &*found;
}

std::string IovAdapter::station(const std::string &mac, const std::string &partition,
                                const std::string &vf_address) const {
    for (const auto &one : stations)
        if (one.mac == mac && (one.primary != vf_address || one.partition != partition))
            return one.who;
    for (const auto &one : vfs)
        if (one.exists && one.mac == mac && one.address != vf_address)
            return "the VF " + one.address;
    return "";
}

const IovAdapter *IovSnapshot::adapter(const std::string &wanted) const {
    auto found = std::ranges::find(adapters, wanted, &IovAdapter::address);
    return found == adapters.end() ? nullptr : &*found;
}

std::string IovSnapshot::owner(const std::string &vf) const {
    for (const auto &step : taken)
        if (step.kind == Kind::claim && step.vf == vf)
            return step.to;
    return "";
}

std::vector<std::string> iov_objections(const IovAdapter &adapter) {
    std::vector<std::string> found;
    if (adapter.driver.empty())
        found.emplace_back("no driver has it");
    if (adapter.total == 0)
        found.emplace_back("it is set to have no VFs");
    if (!adapter.control_error.empty())
        found.push_back(adapter.control_error);
    if (adapter.group.empty())
        found.emplace_back("it has no IOMMU group: is the IOMMU on (intel_iommu=on)?");
    else if (!adapter.neighbours.empty())
        found.push_back(fmt::format("it shares IOMMU group {} with {}: its VFs would, too",
                                    adapter.group, names_of(adapter.neighbours)));
    if (!adapter.no_isolation.empty())
        found.push_back(adapter.no_isolation);
    return found;
}

IovPlan iov_assign(const IovSnapshot &now, const IovRequest &request) {
    return Assigner(now, request).plan();
}

IovPlan iov_release(const IovSnapshot &now, const std::vector<std::string> &what,
                    const std::string &socket) {
    IovPlan plan;
    std::set<std::string> vfs;
    for (const auto &name : what) {
        bool found = false;
        for (const auto &step : now.taken) {
            if (step.kind != Kind::claim || (step.vf != name && step.to != name))
                continue;
            found = true;
            if (vfs.insert(step.vf).second)
                plan.assigned.emplace_back(step.vf, step.to);
        }
        if (!found)
            plan.refusals.push_back(name + " has nothing that was assigned: lparctl iov list");
    }
    std::set<std::string> kept; // adapters
    for (const auto &step : now.taken)
        if (step.kind == Kind::claim && !vfs.contains(step.vf))
            kept.insert(step.adapter);
    for (const auto &adapter : now.adapters) {
        for (const auto &vf : adapter.vfs) {
            if (vf.user.empty())
                continue;
            bool plugged = std::ranges::any_of(now.taken, [&](const auto &step) {
                return step.kind == Kind::plug && step.vf == vf.address;
            });
            auto whose =
                std::ranges::find(now.partitions, now.owner(vf.address), &IovPartition::name);
            std::string monitor =
                socket.empty() && whose != now.partitions.end() ? whose->qmp : socket;
            if (vfs.contains(vf.address) && !plugged && monitor.empty())
                plan.refusals.push_back(fmt::format(
                    "{} is in use by {}: end that first, or say --qmp", vf.address, vf.user));
            else if (vfs.contains(vf.address) && !plugged)
                plan.steps.push_back({Kind::plug, adapter.address, vf.address, monitor, ""});
            else if (!vfs.contains(vf.address) && kept.insert(adapter.address).second)
                plan.notes.push_back(fmt::format("the VFs of {} stay: {} is in use by {}",
                                                 adapter.address, vf.address, vf.user));
        }
    }
    if (!plan.refusals.empty()) {
        plan.steps.clear();
        plan.assigned.clear();
        return plan;
    }
    std::set<std::string> touched;
    for (const auto &step : now.taken)
        if (vfs.contains(step.vf))
            touched.insert(step.adapter);
    for (auto step = now.taken.rbegin(); step != now.taken.rend(); ++step)
        if (step->vf.empty() ? touched.contains(step->adapter) && !kept.contains(step->adapter)
                             : vfs.contains(step->vf))
            plan.steps.push_back(iov_undo(*step));
    // what its guest asked for is noted behind the plugging in: the guest lets go of the VF first,
    // and has all of it when it does not
    std::ranges::stable_partition(plan.steps,
                                  [](const auto &step) { return step.kind == Kind::plug; });
    return plan;
}

} // namespace lpar
