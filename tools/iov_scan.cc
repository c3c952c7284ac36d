// SPDX-License-Identifier: GPL-2.0
#include "iov_scan.h"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <fcntl.h>
#include <fmt/format.h>
#include <map>
#include <set>
#include <unistd.h>

#include "device.h"
#include "error.h"
#include "format.h"
#include "nvme_admin.h"
#include "paths.h"
#include "vf_link.h"

namespace lpar {

namespace {

constexpr auto class_nvme = "0x010802";
constexpr auto class_network = "0x02";
constexpr auto class_bridge = "0x0604";
constexpr unsigned most_vfs = 65535;

uint64_t host_memory(const Host &host) {
    constexpr std::string_view title = "MemTotal:";
    std::string text = host.read("/proc/meminfo").value_or("");
    auto at = text.find(title);
    uint64_t kib = 0;
    if (at == std::string::npos)
        return UINT64_MAX;
    at = text.find_first_not_of(' ', at + title.size());
    if (at != std::string::npos)
        std::from_chars(text.data() + at, text.data() + text.size(), kib);
    return kib == 0 ? UINT64_MAX : kib << 10;
}

std::string link_name(const Host &host, const std::string &path) {
    auto target = host.resolve(path);
    return target ? base_name(*target) : "";
}

unsigned number(const Host &host, const std::string &path) {
    return static_cast<unsigned>(host.read_number(path).value_or(0));
}

bool is_bridge(const Host &host, const std::string &address) {
    return host.read(pci_devices + address + "/class").value_or("").starts_with(class_bridge);
}

// Who has what open below /dev/vfio
std::map<std::string, std::string> vfio_users(const Host &host) {
    std::map<std::string, std::string> users;
    for (const auto &pid : host.list("/proc")) {
        if (pid.find_first_not_of("0123456789") != std::string::npos)
            continue;
        std::string base = "/proc/" + pid;
        for (const auto &fd : host.list(base + "/fd")) {
            auto path = host.resolve(base + "/fd/" + fd);
            if (path && path->starts_with("/dev/vfio/"))
                users[*path] = fmt::format("process {} ({})", pid,
                                           printable(host.read(base + "/comm").value_or("?")));
        }
    }
    return users;
}

// The files by which a process has a device open
std::vector<std::string> vfio_nodes(const Host &host, const std::string &address) {
    std::string at = pci_devices + address;
    std::vector<std::string> nodes{"/dev/vfio/" + link_name(host, at + "/iommu_group")};
    for (const auto &node : host.list(at + "/vfio-dev"))
        nodes.push_back("/dev/vfio/devices/" + node);
    return nodes;
}

class Scanner {
  public:
    explicit Scanner(const Host &host) : host_(host), devices_(host), users_(vfio_users(host)) {}

    IovAdapter adapter(const std::string &address) {
        IovAdapter adapter;
        std::string base = pci_devices + address;
        adapter.address = address;
        adapter.driver = link_name(host_, base + "/driver");
        adapter.total = std::min(number(host_, base + "/sriov_totalvfs"), most_vfs);
        adapter.enabled = std::min(number(host_, base + "/sriov_numvfs"), adapter.total);
        adapter.autoprobe = host_.read(base + "/sriov_drivers_autoprobe") != "0";
        adapter.group = link_name(host_, base + "/iommu_group");
        adapter.neighbours = iommu_neighbours(host_, address);
        adapter.no_isolation = no_isolation(address);
        if (auto node = host_.read(base + "/numa_node"))
            std::from_chars(node->data(), node->data() + node->size(), adapter.node);
        std::string vendor = host_.read(base + "/vendor").value_or("0x?");
        adapter.vf_device =
            vendor.substr(2) + ":" + host_.read(base + "/sriov_vf_device").value_or("?");
        if (host_.read_number(std::string(state_adapters) + address + "/disks").value_or(0) != 0)
            adapter.users.push_back("disks or NICs of partitions");
        functions(adapter);

        std::string kind = host_.read(base + "/class").value_or("");
        adapter.type = kind == class_nvme                ? IovType::nvme
                       : kind.starts_with(class_network) ? IovType::nic
                                                         : IovType::other;
        try {
            if (adapter.type == IovType::nvme)
                nvme(adapter);
            else if (adapter.type == IovType::nic)
                nic(adapter);
        } catch (const Failure &failure) {
            adapter.control_error = failure.what();
        }
        return adapter;
    }

  private:
    void functions(IovAdapter &adapter) {
        std::string base = pci_devices + adapter.address;
        unsigned offset = number(host_, base + "/sriov_offset");
        unsigned stride = number(host_, base + "/sriov_stride");
        for (unsigned i = 0; i < adapter.total; i++) {
            IovFunction vf;
            vf.address = link_name(host_, fmt::format("{}/virtfn{}", base, i));
            vf.exists = !vf.address.empty();
            if (!vf.exists)
                vf.address = vf_address(adapter.address, offset, stride, i);
            else
                look_at(vf);
            adapter.vfs.push_back(vf);
        }
    }

    void look_at(IovFunction &vf) {
        std::string at = pci_devices + vf.address;
        vf.driver = link_name(host_, at + "/driver");
        vf.driver_override = host_.read(at + "/driver_override").value_or("");
        if (vf.driver_override == "(null)")
            vf.driver_override.clear();
        vf.group = link_name(host_, at + "/iommu_group");
        vf.neighbours = iommu_neighbours(host_, vf.address);
        for (const auto &node : vfio_nodes(host_, vf.address))
            if (auto user = users_.find(node); user != users_.end())
                vf.user = user->second;
    }

    // VFs are where the adapter is: with a bridge in its group, all below that bridge are.
    std::string no_isolation(const std::string &address) {
        for (const auto &other : host_.list(pci_devices + address + "/iommu_group/devices"))
            if (other != address && is_bridge(host_, other))
                return fmt::format("bridge {} above it has no ACS: its VFs could reach each other",
                                   other);
        return "";
    }

    void nvme(IovAdapter &adapter) {
        std::string base = pci_devices + adapter.address + "/nvme";
        auto names = host_.list(base);
        if (names.empty())
            return; // no driver: said already
        adapter.control = "/dev/" + names[0];
        for (const auto &name : host_.list(base + "/" + names[0]))
            if (auto id = host_.read_number(base + "/" + names[0] + "/" + name + "/nsid"))
                adapter.namespaces.push_back(name_space(static_cast<uint32_t>(*id), name));
        if (!host_.is_real())
            return;
        NvmeAdmin admin(adapter.control);
        if (!admin.can_manage())
            throw Failure("its VFs cannot be given queues (no Virtualization Management)");
        auto primary = admin.primary();
        adapter.queues = primary.queues;
        adapter.interrupts = primary.interrupts;
        std::map<uint16_t, IovFunction *> by_controller;
        for (const auto &one : admin.secondaries()) {
            if (one.vf == 0 || one.vf > adapter.vfs.size())
                continue;
            IovFunction &vf = adapter.vfs[one.vf - 1];
            vf.queues = one.queues;
            vf.interrupts = one.interrupts;
            vf.online = one.online;
            by_controller[one.controller] = &vf;
        }
        for (uint32_t id : admin.namespaces()) {
            if (std::ranges::find(adapter.namespaces, id, &IovNamespace::id) ==
                adapter.namespaces.end())
                adapter.namespaces.push_back({id, "", ""});
            for (uint16_t controller : admin.controllers(id))
                if (auto vf = by_controller.find(controller); vf != by_controller.end())
                    vf->second->namespaces.insert(id);
        }
        std::ranges::sort(adapter.namespaces, {}, &IovNamespace::id);
    }

    // @name: of the disk, or with multipath of one of its paths: nvme0c1n1 is a path of nvme0n1
    IovNamespace name_space(uint32_t id, std::string name) {
        auto path = name.find('c');
        auto end = name.rfind('n');
        if (path != std::string::npos && path < end)
            name.erase(path, end - path);
        auto uses = devices_.uses(name);
        return {id, "/dev/" + name, uses.empty() ? "" : "is " + describe(uses[0])};
    }

    void nic(IovAdapter &adapter) {
        auto names = host_.list(pci_devices + adapter.address + "/net");
        if (names.empty())
            return;
        adapter.control = names[0];
        std::string base = net_class + names[0];
        adapter.speed = host_.read(base + "/speed").value_or("");
        if (adapter.speed.starts_with("-"))
            adapter.speed.clear();
        for (const auto &queue : host_.list(base + "/queues"))
            adapter.nic_queues += queue.starts_with("tx-") ? 1 : 0;
        std::set<std::string> port;
        for (const auto &name : names)
            upwards(port, name);
        for (const auto &name : port)
            stations(adapter, name);
        if (!host_.is_real() || adapter.enabled == 0)
            return;
        for (const auto &link : vf_links(names[0])) {
            if (link.vf >= adapter.vfs.size())
                continue;
            IovFunction &vf = adapter.vfs[link.vf];
            vf.mac = link.mac;
            vf.vlan = link.vlan;
            vf.rate = link.rate;
            vf.trust = link.trust;
            vf.spoofchk = link.spoofchk;
        }
    }

    // An interface and all that stands on it: VLANs, a bond, a bridge, macvlans.
    void upwards(std::set<std::string> &port, const std::string &interface) {
        static constexpr std::string_view upper = "upper_";
        if (!port.insert(interface).second)
            return;
        for (const auto &name : host_.list(net_class + interface))
            if (name.starts_with(upper))
                upwards(port, name.substr(upper.size()));
    }

    void stations(IovAdapter &adapter, const std::string &interface) {
        adapter.stations.push_back(
            {host_.read(net_class + interface + "/address").value_or(""), "the host", "", ""});
        for (const auto &partition : host_.list(configfs_partitions))
            for (const auto &nic : host_.list(configfs_partitions + partition + "/nics")) {
                std::string at = partition + "/nics/" + nic;
                // as the module has it, or as it is asked for
                auto read = [&](const char *what) {
                    std::string file = at + "/" + what;
                    auto text = host_.read(state_partitions + file);
                    return text ? *text : host_.read(configfs_partitions + file).value_or("");
                };
                if (read("adapter") == interface)
                    adapter.stations.push_back(
                        {read("mac"), "nic " + partition + "/" + nic, partition, read("primary")});
            }
    }

    const Host &host_;
    Devices devices_;
    std::map<std::string, std::string> users_;
};

} // namespace

std::vector<std::string> iommu_neighbours(const Host &host, const std::string &address) {
    std::vector<std::string> others;
    for (const auto &other : host.list(pci_devices + address + "/iommu_group/devices"))
        if (other != address && !is_bridge(host, other))
            others.push_back(other);
    return others;
}

std::string vfio_user(const Host &host, const std::string &address) {
    auto users = vfio_users(host);
    auto nodes = vfio_nodes(host, address);
    for (const auto &node : nodes)
        if (auto user = users.find(node); user != users.end())
            return user->second;
    if (!host.is_real())
        return "";
    // who has closed the group has it as long as the device that he got from it, and that has no
    // name
    int group = ::open(nodes[0].c_str(), O_RDWR | O_CLOEXEC);
    bool is_busy = group < 0 && errno == EBUSY;
    if (group >= 0)
        ::close(group);
    return is_busy ? "a process that has closed " + nodes[0] + " and kept the device" : "";
}

std::string vf_address(const std::string &address, unsigned offset, unsigned stride,
                       unsigned index) {
    unsigned domain = 0;
    unsigned bus = 0;
    unsigned slot = 0;
    unsigned function = 0;
    const char *at = address.data();
    const char *end = at + address.size();
    for (unsigned *part : {&domain, &bus, &slot, &function}) {
        auto [stop, error] = std::from_chars(at, end, *part, 16);
        if (error != std::errc())
            return "";
        at = stop == end ? end : stop + 1;
    }
    unsigned id = (bus << 8 | slot << 3 | function) + offset + stride * index;
    return fmt::format("{:04x}:{:02x}:{:02x}.{:x}", domain, id >> 8, id >> 3 & 0x1f, id & 7);
}

std::vector<IovAdapter> iov_adapters(const Host &host) {
    std::vector<IovAdapter> adapters;
    Scanner scanner(host);
    for (const auto &address : host.list(pci_devices))
        if (host.exists(pci_devices + address + "/sriov_totalvfs"))
            adapters.push_back(scanner.adapter(address));
    return adapters;
}

IovSnapshot iov_snapshot(const Host &host, std::vector<IovStep> taken) {
    IovSnapshot now;
    now.adapters = iov_adapters(host);
    now.taken = std::move(taken);
    now.memory = host_memory(host);
    for (const auto &name : host.list(configfs_partitions))
        now.partitions.push_back({name,
                                  host.read_number(configfs_partitions + name + "/memory_limit"),
                                  host.is_directory(configfs_partitions + name + "/vfs")});
    return now;
}

} // namespace lpar
