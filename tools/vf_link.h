// SPDX-License-Identifier: GPL-2.0
// What a NIC's PF driver knows of its VFs, by rtnetlink: as `ip link set DEV vf N` does.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "iov.h"

namespace lpar {

// A request that sets one attribute of a VF: mac, vlan, rate, trust, spoofchk. Throws Failure if
// @value is not one.
std::vector<uint8_t> vf_link_request(unsigned interface, unsigned vf, IovStep::Kind kind,
                                     const std::string &value);

struct VfLink {
    unsigned vf = 0;
    std::string mac, vlan, rate, trust, spoofchk;
};
// From an RTM_NEWLINK message; nothing in what is malformed.
std::vector<VfLink> vf_links_of(std::span<const uint8_t> message);

// These throw Failure.
std::vector<VfLink> vf_links(const std::string &interface);
void vf_link_set(const std::string &interface, unsigned vf, IovStep::Kind kind,
                 const std::string &value);

} // namespace lpar
