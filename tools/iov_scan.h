// SPDX-License-Identifier: GPL-2.0
// The machine's SR-IOV adapters as sysfs, the adapters themselves and their drivers show them.
#pragma once

#include <string>
#include <vector>

#include "host.h"
#include "iov.h"

namespace lpar {

inline constexpr auto pci_devices = "/sys/bus/pci/devices/";

// All of them, in order of address. What an adapter does not answer is its control_error.
std::vector<IovAdapter> iov_adapters(const Host &host);

// These, the partitions that there are, and the host's memory. @taken: what the state has.
IovSnapshot iov_snapshot(const Host &host, std::vector<IovStep> taken);

// The others in a device's IOMMU group, without bridges; sysfs is read anew.
std::vector<std::string> iommu_neighbours(const Host &host, const std::string &address);

// Who has a device open by vfio now, "process 7 (qemu)"; empty: nobody that is known.
std::string vfio_user(const Host &host, const std::string &address);

// "0000:03:00.0" and its VF number @index by the offsets of its SR-IOV capability; empty if
// @address is no such address.
std::string vf_address(const std::string &address, unsigned offset, unsigned stride,
                       unsigned index);

} // namespace lpar
