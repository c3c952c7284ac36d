// SPDX-License-Identifier: GPL-2.0
// The guest's parser of a NIC's records on any bytes (tests/hostile: H1): it refuses, or what it
// returns keeps the promises of guest-mod/net_caps.h.
#include "input.hh"
#include "mutate.hh"

namespace {

Tally tally;

bool power_of_2(uint64_t x) {
    return x && !(x & (x - 1));
}

bool within(uint64_t x, uint64_t least, uint64_t most) {
    return x >= least && x <= most;
}

// The promise that is broken, or none.
const char *broken(const lpar_nic_caps &c) {
    static const uint8_t none[6] = {};
    if (!rules_text(c.name))
        return "name";
    if (c.mac[0] & 1 || !std::memcmp(c.mac, none, 6))
        return "address";
    if (c.mtu_min < 68 || c.mtu_max > 65535 || !within(c.mtu, c.mtu_min, c.mtu_max))
        return "MTU";
    if (!within(c.tx_queues, 1, LPAR_DOORBELLS_MAX) || !within(c.rx_queues, 1, LPAR_DOORBELLS_MAX))
        return "queues";
    for (auto depth : {c.depth, c.depth_most})
        if (!power_of_2(depth) || !within(depth, LPAR_QUEUE_DEPTH_MIN, LPAR_QUEUE_DEPTH_MAX))
            return "depth";
    if (c.depth > c.depth_most)
        return "most depth";
    if (!within(c.segments, 1, LPAR_QUEUE_SEGS_MAX))
        return "segments";
    for (auto bytes : {c.tso4, c.tso6, c.uso})
        if (bytes && (c.segments < 2 || c.tso_segments < 2 || bytes > 65536))
            return "segmentation";
    if (c.port_vlan >= 4095)
        return "VLAN";
    // as bool they would be undefined
    for (const bool *flag : {&c.mac_free, &c.link, &c.full_duplex, &c.tx_csum, &c.tx_csum4,
                             &c.tx_csum6, &c.tx_vlan, &c.rx_csum, &c.rx_vlan, &c.rx_merged,
                             &c.promisc_free, &c.allmulti_free, &c.vlan_filter, &c.standby})
        if (uint8_t value; std::memcpy(&value, flag, 1), value > 1)
            return "flag";
    return nullptr;
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    const auto copy = exact(data, size);
    lpar_nic_caps caps, again;
    std::memset(&caps, 0xff, sizeof(caps));
    std::memset(&again, 0x55, sizeof(again));
    const char *why = nullptr;
    const int err = lpar_nic_caps_parse(copy.get(), size, &caps, &why);

    MUST(!std::memcmp(copy.get(), data, size));
    MUST(err == 0 || err == -EPROTO || err == -ERANGE);
    MUST(!err || (why && *why));
    if (!err) {
        if (const char *promise = broken(caps)) {
            std::fprintf(stderr, "broken: %s\n", promise);
            MUST(!promise);
        }
        // of the records alone, not of what was in memory before
        MUST(lpar_nic_caps_parse(copy.get(), size, &again, &why) == 0);
        MUST(!std::memcmp(&caps, &again, sizeof(caps)));
    }
    tally.add(!err);
    return 0;
}
