// SPDX-License-Identifier: GPL-2.0
// NVMe admin commands about virtual functions, by the kernel's passthrough ioctl: what a controller
// can give to its secondary controllers, and giving it.
#pragma once

#include <array>
#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "iov.h"

namespace lpar {

struct NvmeSecondary {
    uint16_t controller = 0;
    bool online = false;
    uint16_t vf = 0; // from 1; 0: none
    uint16_t queues = 0;
    uint16_t interrupts = 0;
};

struct NvmePrimary {
    uint16_t controller = 0;
    IovPool queues;
    IovPool interrupts;
};

using NvmePage = std::array<uint8_t, 4096>;

// What Identify returns, decoded.
NvmePrimary nvme_primary_of(const NvmePage &page);
std::vector<NvmeSecondary> nvme_secondaries_of(const NvmePage &page);
std::set<uint32_t> nvme_namespaces_of(const NvmePage &page);
std::set<uint16_t> nvme_controllers_of(const NvmePage &page);
// A status as the ioctl returns it
std::string nvme_status_text(int status);

// An open controller. All throw Failure.
class NvmeAdmin {
  public:
    explicit NvmeAdmin(const std::string &device);
    ~NvmeAdmin();
    NvmeAdmin(const NvmeAdmin &) = delete;
    NvmeAdmin &operator=(const NvmeAdmin &) = delete;

    // Can it do Virtualization Management?
    bool can_manage() const;
    NvmePrimary primary() const;
    std::vector<NvmeSecondary> secondaries() const;
    std::set<uint32_t> namespaces() const;               // all that are allocated
    std::set<uint16_t> controllers(uint32_t nsid) const; // that have it attached

    enum class Resource : uint8_t { queues = 0, interrupts = 1 };
    void set_primary(uint16_t controller, Resource resource, uint32_t count) const;
    void set_secondary(uint16_t controller, Resource resource, uint32_t count) const;
    void set_online(uint16_t controller, bool online) const;
    void attach(uint32_t nsid, uint16_t controller, bool attached) const;

  private:
    NvmePage identify(uint8_t what, uint16_t controller, uint32_t nsid) const;
    void manage(uint16_t controller, uint8_t action, Resource resource, uint32_t count) const;

    std::string device_;
    int fd_;
};

} // namespace lpar
