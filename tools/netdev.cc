// SPDX-License-Identifier: GPL-2.0
#include "netdev.h"

#include "device.h"
#include "paths.h"

namespace lpar {

namespace {

constexpr auto virtual_devices = "/sys/devices/virtual/";

} // namespace

std::vector<std::string> physical_interfaces(const Host &host) {
    std::vector<std::string> names;
    for (const auto &name : host.list(net_class)) {
        auto node = host.resolve(net_class + name);
        if (node && !node->starts_with(virtual_devices) && host.exists(*node + "/device"))
            names.push_back(name);
    }
    return names;
}

bool is_interface(const Host &host, const std::string &name) {
    if (name.empty() || name == "." || name == ".." || name.find('/') != std::string::npos)
        return false;
    // There are files, too: bonding_masters.
    auto node = host.resolve(net_class + name);
    return node && host.is_directory(*node);
}

NetDevice net_device(const Host &host, const std::string &name) {
    NetDevice device;
    device.name = name;
    std::string base = net_class + name;
    device.mac = host.read(base + "/address").value_or("");
    device.pci = pci_address(host.resolve(base).value_or(""));
    if (auto driver = host.resolve(base + "/device/driver"))
        device.driver = base_name(*driver);
    for (const auto &partition : host.list(configfs_partitions)) {
        std::string nics = configfs_partitions + partition + "/nics/";
        // The interface may have got another name since.
        std::string state = state_partitions + partition + "/nics/";
        for (const auto &nic : host.list(nics))
            if (host.read(nics + nic + "/enable") == "1" &&
                host.read(state + nic + "/adapter") == name)
                device.shared_as.push_back(partition + "/" + nic);
    }
    return device;
}

} // namespace lpar
