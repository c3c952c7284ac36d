// SPDX-License-Identifier: GPL-2.0
#include "iov_execute.h"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <set>

#include "error.h"
#include "iov_scan.h"
#include "nvme_admin.h"
#include "paths.h"
#include "qmp.h"
#include "undo.h"
#include "vf_link.h"

namespace lpar {

namespace {

using Kind = IovStep::Kind;

constexpr double unplug_seconds = 60;
constexpr double settle_seconds = 10; // until an adapter is itself again, QEMU has closed a VF
constexpr double poll_seconds = 0.1;

bool is_interrupted() {
    sigset_t pending;
    ::sigpending(&pending);
    return ::sigismember(&pending, SIGINT) == 1 || ::sigismember(&pending, SIGTERM) == 1 ||
           ::sigismember(&pending, SIGHUP) == 1;
}

uint32_t number_of(const std::string &text) {
    uint32_t value = 0;
    auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || stop != text.data() + text.size())
        throw Failure("'" + text + "' is no number");
    return value;
}

class Machine {
  public:
    explicit Machine(Host &host) : host_(host) {}

    // What @step would change: as it is now. Throws Failure if the thing is not there.
    std::string current(const IovStep &step) {
        std::string base = pci_devices + (step.vf.empty() ? step.adapter : step.vf);
        switch (step.kind) {
        case Kind::autoprobe:
            return read(base + "/sriov_drivers_autoprobe");
        case Kind::count:
            return read(base + "/sriov_numvfs");
        case Kind::driver:
            return driver(base);
        case Kind::driver_override: {
            std::string text = host_.read(base + "/driver_override").value_or("");
            return text == "(null)" ? "" : text;
        }
        case Kind::mac:
        case Kind::vlan:
        case Kind::rate:
        case Kind::trust:
        case Kind::spoofchk:
            return link_value(step);
        case Kind::plug:
            return plugged(step);
        case Kind::mailbox:
            return mailbox(step);
        case Kind::mtu:
            return read(mtu_file(step));
        case Kind::claim:
            return step.from;
        default:
            return nvme_value(step);
        }
    }

    void set(const IovStep &step) {
        std::string base = pci_devices + (step.vf.empty() ? step.adapter : step.vf);
        switch (step.kind) {
        case Kind::claim:
            break;
        case Kind::autoprobe:
            write(base + "/sriov_drivers_autoprobe", step.to);
            break;
        case Kind::count:
            for (const auto &vf : step.to == "0" ? functions(step.adapter) : Names{})
                wait_until_closed(vf);
            write(base + "/sriov_numvfs", step.to);
            break;
        case Kind::driver:
            set_driver(step, base);
            break;
        case Kind::driver_override:
            // an empty line takes it away
            write(base + "/driver_override", step.to + "\n");
            break;
        case Kind::mac:
        case Kind::vlan:
        case Kind::rate:
        case Kind::trust:
        case Kind::spoofchk:
            vf_link_set(interface(step.adapter), index(step), step.kind, step.to);
            break;
        case Kind::plug:
            set_plugged(step);
            break;
        case Kind::mailbox:
            set_mailbox(step);
            break;
        case Kind::mtu:
            write(mtu_file(step), step.to);
            break;
        default:
            set_nvme(step);
        }
    }

    // Is what it is about gone altogether, and so its change?
    bool is_gone(const IovStep &step) {
        if (step.kind == Kind::claim || step.kind == Kind::mailbox)
            return false;
        return !host_.exists(pci_devices + (step.vf.empty() ? step.adapter : step.vf));
    }

  private:
    using Names = std::vector<std::string>;

    std::string read(const std::string &path) {
        auto text = host_.read(path);
        if (!text)
            throw Failure(path + " cannot be read");
        return *text;
    }

    void write(const std::string &path, const std::string &text) {
        if (int error = host_.write(path, text))
            throw Failure(path + ": " + error_text(error));
    }

    std::string driver(const std::string &base) {
        auto target = host_.resolve(base + "/driver");
        return target ? base_name(*target) : "";
    }

    void set_driver(const IovStep &step, const std::string &base) {
        if (auto old = driver(base); !old.empty() && old != step.to) {
            wait_until_closed(step.vf);
            write("/sys/bus/pci/drivers/" + old + "/unbind", step.vf);
        }
        if (step.to.empty())
            return;
        auto others = iommu_neighbours(host_, step.vf);
        if (step.to == "vfio-pci" && !others.empty())
            throw Failure(fmt::format("{} shares its IOMMU group with {}: they would have to go to "
                                      "one guest together",
                                      step.vf, fmt::join(others, ", ")));
        std::string folder = "/sys/bus/pci/drivers/" + step.to;
        if (!host_.exists(folder))
            if (host_.run({"modprobe", step.to}).status != 0)
                throw Failure("modprobe " + step.to + " failed");
        if (driver(base) != step.to)
            write(folder + "/bind", step.vf);
    }

    // To take vfio-pci away from a VF that is open waits for ever. QEMU closes it soon after its
    // guest has let go of it.
    void wait_until_closed(const std::string &vf) {
        double end = host_.now() + settle_seconds;
        for (; driver(pci_devices + vf) == "vfio-pci"; host_.sleep(poll_seconds)) {
            std::string user = vfio_user(host_, vf);
            if (user.empty())
                return;
            if (host_.now() > end)
                throw Failure(fmt::format("{} is still open in {}: end that first", vf, user));
        }
    }

    Names functions(const std::string &adapter) {
        Names names;
        while (auto target =
                   host_.resolve(fmt::format("{}{}/virtfn{}", pci_devices, adapter, names.size())))
            names.push_back(base_name(*target));
        return names;
    }

    unsigned index(const IovStep &step) {
        auto names = functions(step.adapter);
        auto found = std::ranges::find(names, step.vf);
        if (found == names.end())
            throw Failure(step.vf + " is no VF of " + step.adapter + " any more");
        return static_cast<unsigned>(found - names.begin());
    }

    std::string interface(const std::string &adapter) {
        auto names = host_.list(pci_devices + adapter + "/net");
        if (names.empty())
            throw Failure(adapter + " has no network interface: no driver has it");
        return names[0];
    }

    std::string link_value(const IovStep &step) {
        unsigned vf = index(step);
        for (const auto &link : vf_links(interface(step.adapter)))
            if (link.vf == vf)
                return step.kind == Kind::mac     ? link.mac
                       : step.kind == Kind::vlan  ? link.vlan
                       : step.kind == Kind::rate  ? link.rate
                       : step.kind == Kind::trust ? link.trust
                                                  : link.spoofchk;
        throw Failure(interface(step.adapter) + " does not know its VFs");
    }

    std::string controller(const std::string &adapter) {
        auto names = host_.list(pci_devices + adapter + "/nvme");
        if (names.empty())
            throw Failure(adapter + " has no NVMe controller: no driver has it");
        return "/dev/" + names[0];
    }

    NvmeSecondary secondary(const NvmeAdmin &admin, const IovStep &step) {
        unsigned vf = index(step) + 1;
        for (const auto &one : admin.secondaries())
            if (one.vf == vf)
                return one;
        throw Failure(step.adapter + " has no secondary controller for " + step.vf);
    }

    std::string nvme_value(const IovStep &step) {
        NvmeAdmin admin(controller(step.adapter));
        if (step.kind == Kind::primary) {
            auto primary = admin.primary();
            return fmt::format("{}/{}", primary.queues.primary, primary.interrupts.primary);
        }
        auto one = secondary(admin, step);
        if (step.kind == Kind::queues)
            return std::to_string(one.queues);
        if (step.kind == Kind::interrupts)
            return std::to_string(one.interrupts);
        if (step.kind == Kind::online)
            return one.online ? "1" : "0";
        const std::string &id = step.to.empty() ? step.from : step.to;
        return admin.controllers(number_of(id)).contains(one.controller) ? id : "";
    }

    void set_nvme(const IovStep &step) {
        NvmeAdmin admin(controller(step.adapter));
        if (step.kind == Kind::primary) {
            auto slash = step.to.find('/');
            uint16_t own = admin.primary().controller;
            admin.set_primary(own, NvmeAdmin::Resource::queues,
                              number_of(step.to.substr(0, slash)));
            admin.set_primary(own, NvmeAdmin::Resource::interrupts,
                              number_of(step.to.substr(slash + 1)));
            // what it was told comes with its next reset
            if (nvme_value(step) == step.to)
                return;
            write(pci_devices + step.adapter + "/reset", "1");
            for (double end = host_.now() + settle_seconds; nvme_value(step) != step.to;
                 host_.sleep(poll_seconds))
                if (host_.now() > end)
                    throw Failure(step.adapter + " has kept its queues after a reset");
            return;
        }
        auto one = secondary(admin, step);
        if (step.kind == Kind::queues)
            set_resource(admin, one, NvmeAdmin::Resource::queues, number_of(step.to));
        else if (step.kind == Kind::interrupts)
            set_resource(admin, one, NvmeAdmin::Resource::interrupts, number_of(step.to));
        else if (step.kind == Kind::online)
            admin.set_online(one.controller, step.to == "1");
        else
            admin.attach(number_of(step.to.empty() ? step.from : step.to), one.controller,
                         !step.to.empty());
    }

    // Resources change while the controller is offline, and then it has none.
    static void set_resource(const NvmeAdmin &admin, const NvmeSecondary &one,
                             NvmeAdmin::Resource resource, uint32_t count) {
        if (!one.online) {
            admin.set_secondary(one.controller, resource, count);
            return;
        }
        bool queues = resource == NvmeAdmin::Resource::queues;
        admin.set_online(one.controller, false);
        try {
            set_resources(admin, one, queues ? count : one.queues, queues ? one.interrupts : count);
        } catch (const Failure &) {
            set_resources(admin, one, one.queues, one.interrupts);
            throw;
        }
    }

    static void set_resources(const NvmeAdmin &admin, const NvmeSecondary &one, uint32_t queues,
                              uint32_t interrupts) {
        admin.set_secondary(one.controller, NvmeAdmin::Resource::queues, queues);
        admin.set_secondary(one.controller, NvmeAdmin::Resource::interrupts, interrupts);
        admin.set_online(one.controller, true);
    }

    static std::string mailbox_path(const std::string &partition, const std::string &vf) {
        return configfs_partitions + partition + "/vfs/" + vf;
    }

    std::string mailbox(const IovStep &step) {
        const std::string &partition = step.to.empty() ? step.from : step.to;
        return host_.exists(mailbox_path(partition, step.vf)) ? partition : "";
    }

    void set_mailbox(const IovStep &step) {
        // one that a dead lparctl has left: it would be answered by nobody
        for (const auto &name : host_.list(configfs_partitions))
            if (std::string old = mailbox_path(name, step.vf); host_.exists(old))
                if (int error = host_.remove_directory(old))
                    throw Failure(old + ": " + error_text(error));
        if (step.to.empty())
            return;
        std::string path = mailbox_path(step.to, step.vf);
        if (int error = host_.make_directory(path))
            throw Failure(path + ": " + error_text(error));
        try {
            bool nvme = host_.read(pci_devices + step.adapter + "/class") == "0x010802";
            write(path + "/kind", nvme ? "nvme" : "nic");
            tell(step, path, nvme);
            write(path + "/enable", "1");
        } catch (const Failure &) {
            if (int error = host_.remove_directory(path))
                throw Failure(path + " stays: " + error_text(error));
            throw;
        }
    }

    // What the VF has now. It is told to the client, who needs it not.
    void tell(const IovStep &step, const std::string &path, bool nvme) {
        auto say = [&](const char *what, const std::string &value) {
            if (!value.empty())
                write(path + "/" + what, value);
        };
        if (!host_.is_real())
            return;
        if (nvme) {
            auto queues = secondary(NvmeAdmin(controller(step.adapter)), step).queues;
            say("queues", queues == 0 ? "" : std::to_string(queues - 1));
            return;
        }
        unsigned vf = index(step);
        for (const auto &link : vf_links(interface(step.adapter))) {
            if (link.vf != vf)
                continue;
            std::string mac = link.mac;
            std::erase(mac, ':');
            say("mac", mac.empty() ? "" : "0x" + mac);
            say("vlan", link.vlan);
            say("rate", link.rate);
        }
        say("mtu", read(mtu_file(step)));
    }

    std::string mtu_file(const IovStep &step) {
        return net_class + interface(step.adapter) + "/mtu";
    }

    std::string plugged(const IovStep &step) {
        const std::string &socket = step.to.empty() ? step.from : step.to;
        if (Qmp::is_gone(socket))
            return ""; // and with it its guest
        return Qmp(socket).has_device(qmp_device_id(step.vf)) ? socket : "";
    }

    void set_plugged(const IovStep &step) {
        if (!step.to.empty()) {
            Qmp(step.to).plug(step.vf, qmp_device_id(step.vf));
            return;
        }
        if (!Qmp::is_gone(step.from))
            Qmp(step.from).unplug(qmp_device_id(step.vf), unplug_seconds, is_interrupted);
    }

    Host &host_;
};

// Undoes what may have been done, or in part, or changed by others since.
void put_back(Machine &machine, const IovStep &back) {
    if (back.kind == Kind::claim || machine.is_gone(back))
        return;
    // an adapter shows what it has, not what it has been told to have from its next reset on
    if (machine.current(back) != back.to || back.kind == Kind::primary)
        machine.set(back);
}

} // namespace

void iov_carry_out(Host &host, IovState &state, const std::vector<IovStep> &steps,
                   const IovMishap &mishap) {
    SignalHold hold;
    Machine machine(host);
    std::vector<IovStep> done;
    std::string reason;
    try {
        unsigned number = 0;
        for (IovStep step : steps) {
            number++;
            if (mishap.interrupt_at == number)
                ::raise(SIGINT);
            if (!mishap.is_deaf && is_interrupted())
                throw Failure("interrupted");
            // an old mailbox is not one's own
            if (step.kind != Kind::claim && step.kind != Kind::mailbox)
                step.from = machine.current(step);
            // first the note, then the deed: what is noted and not done is easily undone
            state.add(step);
            done.push_back(step);
            if (mishap.fail_at == number)
                throw Failure(fmt::format("step {} fails for a test", number));
            if (step.from != step.to)
                machine.set(step);
        }
        return;
    } catch (const Failure &failure) {
        reason = failure.what();
    }
    // what comes before one that stays stays as well, for a later release
    std::set<std::string> stuck;
    std::string unwritten;
    for (auto step = done.rbegin(); step != done.rend(); ++step) {
        if (stuck.contains(step->vf.empty() ? step->adapter : step->vf))
            continue;
        try {
            put_back(machine, iov_undo(*step));
        } catch (const Failure &failure) {
            stuck.insert({step->vf, step->adapter});
            reason +=
                fmt::format("; {} could not be undone: {}", iov_step_text(*step), failure.what());
            continue;
        }
        try {
            state.remove(*step);
            unwritten.clear();
        } catch (const Failure &failure) { // what is noted and not done is easily undone
            unwritten = failure.what();
        }
    }
    if (!unwritten.empty())
        reason += fmt::format("; what was undone is still noted as done ({}): lparctl iov release "
                              "ends that",
                              unwritten);
    throw Failure(reason);
}

void iov_take_back(Host &host, IovState &state, const std::vector<IovStep> &steps,
                   const IovMishap &mishap) {
    SignalHold hold;
    Machine machine(host);
    unsigned number = 0;
    for (const auto &step : steps) {
        number++;
        if (mishap.interrupt_at == number)
            ::raise(SIGINT);
        if (!mishap.is_deaf && is_interrupted())
            throw Failure("interrupted: the rest is still assigned");
        try {
            if (mishap.fail_at == number)
                throw Failure(fmt::format("step {} fails for a test", number));
            put_back(machine, step);
            state.remove(iov_undo(step));
        } catch (const Failure &failure) {
            throw Failure(fmt::format("{}: {}; this and what comes after it is still assigned",
                                      iov_step_text(step), failure.what()));
        }
    }
}

void iov_change(Host &host, IovState &state, const std::vector<IovStep> &steps) {
    SignalHold hold;
    Machine machine(host);
    for (IovStep step : steps) {
        step.from = machine.current(step);
        bool is_enough = step.kind == Kind::mtu && number_of(step.from) >= number_of(step.to);
        if (step.from == step.to || is_enough)
            continue;
        state.merge(step);
        try {
            machine.set(step);
        } catch (const Failure &failure) {
            std::string reason = failure.what();
            try {
                put_back(machine, iov_undo(step));
                state.merge(iov_undo(step));
            } catch (const Failure &other) {
                reason +=
                    fmt::format("; {} could not be undone: {}", iov_step_text(step), other.what());
            }
            throw Failure(reason);
        }
    }
}

void iov_reset(Host &host, const std::string &vf) {
    if (int error = host.write(pci_devices + vf + "/reset", "1"))
        throw Failure(fmt::format("{} cannot be reset: {}", vf, error_text(error)));
}

} // namespace lpar
