// SPDX-License-Identifier: GPL-2.0
// The host's network interfaces, and which partitions have NICs on them.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "host.h"

namespace lpar {

struct NetDevice {
    std::string name; // eth0
    std::string mac;
    std::string pci;                    // address of the adapter, or empty
    std::string driver;                 // of that adapter
    std::vector<std::string> shared_as; // "partition/nic"
};

// All that have an adapter.
std::vector<std::string> physical_interfaces(const Host &host);
bool is_interface(const Host &host, const std::string &name);
NetDevice net_device(const Host &host, const std::string &name);

} // namespace lpar
