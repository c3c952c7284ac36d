// SPDX-License-Identifier: GPL-2.0
// vf-link DEVICE: what its driver knows of its VFs, a line for each. vf-link DEVICE VF WHAT VALUE:
// change it. Both as lparctl does it, for network devices that have VFs and are no PCI functions
// (tests/boot/vf-link).
#include <charconv>
#include <cstdio>
#include <fmt/format.h>
#include <map>
#include <string>
#include <string_view>

#include "error.h"
#include "vf_link.h"

using namespace lpar;

namespace {

int usage() {
    fmt::print(stderr, "usage: vf-link DEVICE [VF mac|vlan|rate|trust|spoofchk VALUE]\n");
    return 2;
}

} // namespace

int main(int argc, char **argv) {
    static const std::map<std::string_view, IovStep::Kind> kinds{
        {"mac", IovStep::Kind::mac},
        {"vlan", IovStep::Kind::vlan},
        {"rate", IovStep::Kind::rate},
        {"trust", IovStep::Kind::trust},
        {"spoofchk", IovStep::Kind::spoofchk}};
    try {
        if (argc == 2) {
            for (const auto &link : vf_links(argv[1]))
                fmt::print("{} {} {} {} {} {}\n", link.vf, link.mac, link.vlan, link.rate,
                           link.trust, link.spoofchk);
            return 0;
        }
        if (argc != 5)
            return usage();
        std::string_view number = argv[2];
        unsigned vf = 0;
        auto [stop, error] = std::from_chars(number.data(), number.data() + number.size(), vf);
        auto kind = kinds.find(argv[3]);
        if (error != std::errc() || stop != number.data() + number.size() || kind == kinds.end())
            return usage();
        vf_link_set(argv[1], vf, kind->second, argv[4]);
        return 0;
    } catch (const Failure &failure) {
        fmt::print(stderr, "vf-link: {}\n", failure.what());
        return 1;
    }
}
