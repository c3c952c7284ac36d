// SPDX-License-Identifier: GPL-2.0
#include "records.h"

#include <algorithm>
#include <array>
#include <endian.h>
#include <fmt/format.h>
#include <limits>

#include "format.h"
#include "lpar/wire.h"

namespace lpar {

namespace {

struct Kind {
    uint16_t type;
    Unit unit;
    std::string_view name;
    std::string_view about;
};

// The record that tells of a request
constexpr uint16_t asked(uint16_t ask) {
    return LPAR_CAP_ASK + ask;
}

constexpr std::array kinds = {
    Kind{LPAR_CAP_NAME, Unit::text, "name", "name in the partition"},
    Kind{LPAR_CAP_SERIAL, Unit::text, "serial", "serial number"},
    Kind{LPAR_CAP_SECTORS, Unit::sectors, "sectors", "capacity"},
    Kind{LPAR_CAP_LOGICAL_BLOCK, Unit::bytes, "logical_block", "logical block"},
    Kind{LPAR_CAP_PHYSICAL_BLOCK, Unit::bytes, "physical_block", "physical block"},
    Kind{LPAR_CAP_IO_MIN, Unit::bytes, "io_min", "preferred smallest request"},
    Kind{LPAR_CAP_IO_OPT, Unit::bytes, "io_opt", "best size of a request"},
    Kind{LPAR_CAP_MAX_TRANSFER, Unit::bytes, "max_transfer", "largest request"},
    Kind{LPAR_CAP_SEGMENTS, Unit::count, "segments", "segments of a request"},
    Kind{LPAR_CAP_SEGMENT_SIZE, Unit::bytes, "segment_size", "largest segment"},
    Kind{LPAR_CAP_VIRT_BOUNDARY, Unit::mask, "virt_boundary", "boundary between segments"},
    Kind{LPAR_CAP_DMA_ALIGNMENT, Unit::mask, "dma_alignment", "alignment of segments"},
    Kind{LPAR_CAP_CHUNK, Unit::bytes, "chunk", "requests cross no multiple of"},
    Kind{LPAR_CAP_QUEUES, Unit::count, "queues", "queues"},
    Kind{LPAR_CAP_DEPTH, Unit::count, "depth", "requests in one queue"},
    Kind{LPAR_CAP_WRITE_CACHE, Unit::flag, "write_cache", "volatile write cache"},
    Kind{LPAR_CAP_FUA, Unit::flag, "fua", "forced unit access"},
    Kind{LPAR_CAP_DISCARD, Unit::bytes, "discard", "largest discard"},
    Kind{LPAR_CAP_DISCARD_GRAIN, Unit::bytes, "discard_grain", "granularity of discards"},
    Kind{LPAR_CAP_DISCARD_ALIGN, Unit::bytes, "discard_align", "alignment of discards"},
    Kind{LPAR_CAP_WRITE_ZEROES, Unit::bytes, "write_zeroes", "largest write of zeroes"},
    Kind{LPAR_CAP_ROTATIONAL, Unit::flag, "rotational", "rotating medium"},
    Kind{LPAR_CAP_READ_ONLY, Unit::flag, "read_only", "read-only"},
    Kind{LPAR_CAP_STABLE_WRITES, Unit::flag, "stable_writes", "stable writes"},
    Kind{LPAR_CAP_MAC, Unit::mac, "mac", "MAC address"},
    Kind{LPAR_CAP_MTU, Unit::count, "mtu", "MTU"},
    Kind{LPAR_CAP_TX_QUEUES, Unit::count, "tx_queues", "queues to send"},
    Kind{LPAR_CAP_RX_QUEUES, Unit::count, "rx_queues", "queues to receive"},
    Kind{LPAR_CAP_LINK, Unit::flag, "link", "link is up"},
    Kind{LPAR_CAP_SPEED, Unit::mbit, "speed", "speed"},
    Kind{LPAR_CAP_FULL_DUPLEX, Unit::flag, "full_duplex", "full duplex"},
    Kind{LPAR_CAP_TX_CSUM, Unit::flag, "tx_csum", "computes any checksum"},
    Kind{LPAR_CAP_TX_CSUM4, Unit::flag, "tx_csum4", "computes checksums, IPv4"},
    Kind{LPAR_CAP_TX_CSUM6, Unit::flag, "tx_csum6", "computes checksums, IPv6"},
    Kind{LPAR_CAP_TSO4, Unit::bytes, "tso4", "segments TCP, IPv4, up to"},
    Kind{LPAR_CAP_TSO6, Unit::bytes, "tso6", "segments TCP, IPv6, up to"},
    Kind{LPAR_CAP_USO, Unit::bytes, "uso", "segments UDP, up to"},
    Kind{LPAR_CAP_TSO_SEGMENTS, Unit::count, "tso_segments", "segments that one may become"},
    Kind{LPAR_CAP_TX_VLAN, Unit::flag, "tx_vlan", "inserts VLAN tags"},
    Kind{LPAR_CAP_RX_CSUM, Unit::flag, "rx_csum", "checks checksums"},
    Kind{LPAR_CAP_RX_VLAN, Unit::flag, "rx_vlan", "removes VLAN tags"},
    Kind{LPAR_CAP_RX_MERGED, Unit::flag, "rx_merged", "receives merged frames"},
    Kind{LPAR_CAP_PROMISC, Unit::flag, "promisc", "receives all frames"},
    Kind{LPAR_CAP_ALLMULTI, Unit::flag, "allmulti", "receives all multicast"},
    Kind{LPAR_CAP_PORT_VLAN, Unit::count, "port_vlan", "VLAN of the port (0: none)"},
    Kind{LPAR_CAP_IPSEC, Unit::count, "ipsec", "IPsec SAs (ESP)"},
    Kind{LPAR_CAP_TOE, Unit::flag, "toe", "TCP offload engine"},
    Kind{LPAR_CAP_STANDBY, Unit::flag, "standby", "gives way to a VF of its address"},
    Kind{LPAR_CAP_VLAN_FILTER, Unit::flag, "vlan_filter", "filters VLANs"},
    Kind{LPAR_CAP_VLANS, Unit::count, "vlans", "VLANs that can be let in"},
    Kind{LPAR_CAP_MACS, Unit::count, "macs", "further addresses"},
    Kind{LPAR_CAP_VF_KIND, Unit::count, "vf_kind", "1: NIC, 2: NVMe"},
    Kind{asked(LPAR_ASK_MAC), Unit::mac, "ask_mac", "MAC addresses to ask for"},
    Kind{asked(LPAR_ASK_VLAN), Unit::count, "ask_vlan", "VLANs to ask for"},
    Kind{asked(LPAR_ASK_MTU), Unit::bytes, "ask_mtu", "MTUs to ask for"},
    Kind{asked(LPAR_ASK_RATE), Unit::mbit, "ask_rate", "rates to ask for"},
    Kind{asked(LPAR_ASK_QUEUES), Unit::count, "ask_queues", "queues to ask for"},
    Kind{asked(LPAR_ASK_ATTACH), Unit::count, "ask_attach", "namespaces to ask for"},
    Kind{asked(LPAR_ASK_DETACH), Unit::count, "ask_detach", "namespaces to give back"},
    Kind{asked(LPAR_ASK_RESET), Unit::count, "ask_reset", "a reset may be asked for"},
};

template <typename T>
T little(std::span<const uint8_t> bytes, size_t at) {
    T value = 0;
    for (size_t i = 0; i < sizeof(T); i++)
        value = static_cast<T>(value | static_cast<T>(bytes[at + i]) << (8 * i));
    return value;
}

// Empty, or why the body is not what its type says. A zero ends the text, and only zeroes follow.
std::string decode_text(std::span<const uint8_t> body, Record &record) {
    if (body.size() > LPAR_TEXT_MAX)
        return fmt::format("a text of {} bytes", body.size());
    auto end = std::find(body.begin(), body.end(), 0);
    record.text.assign(body.begin(), end);
    if (!std::all_of(end, body.end(), [](uint8_t c) { return c == 0; }))
        return "bytes behind the end of a text";
    return {};
}

std::string decode_value(std::span<const uint8_t> body, Record &record) {
    if (body.size() != sizeof(lpar_value))
        return fmt::format("a value of {} bytes", body.size());
    record.value = Value{little<uint64_t>(body, offsetof(lpar_value, min)),
                         little<uint64_t>(body, offsetof(lpar_value, max)),
                         little<uint64_t>(body, offsetof(lpar_value, cur))};
    return {};
}

std::string one(uint64_t value, Unit unit) {
    switch (unit) {
    case Unit::bytes:
        if (value == 0)
            return "none";
        return value < 1024 ? fmt::format("{}", value)
                            : fmt::format("{} ({} bytes)", human_bytes(value), value);
    case Unit::sectors:
        if (value > std::numeric_limits<uint64_t>::max() >> LPAR_SECTOR_SHIFT)
            return fmt::format("{} sectors", value);
        return fmt::format("{} ({} sectors)", human_bytes(value << LPAR_SECTOR_SHIFT), value);
    case Unit::mask:
        return value == 0 ? "none" : fmt::format("{:#x}", value);
    case Unit::flag:
        return value == 0 ? "no" : value == 1 ? "yes" : fmt::format("{}", value);
    case Unit::mac:
        return mac_text(value);
    case Unit::mbit:
        return value == 0 ? "unknown" : fmt::format("{} Mbit/s", value);
    default:
        return fmt::format("{}", value);
    }
}

} // namespace

Records decode_records(std::span<const uint8_t> bytes) {
    Records result;
    size_t at = 0;
    auto bad = [&](std::string_view why) {
        result.error = fmt::format("malformed capability record at byte {}: {}", at, why);
    };
    while (at < bytes.size() && result.error.empty()) {
        size_t left = bytes.size() - at;
        if (left < sizeof(lpar_record)) {
            bad(fmt::format("{} bytes are no record", left));
            break;
        }
        Record record;
        record.type = little<uint16_t>(bytes, at + offsetof(lpar_record, type));
        size_t length = little<uint16_t>(bytes, at + offsetof(lpar_record, len));
        if (length < sizeof(lpar_record) || length % 8 != 0) {
            bad(fmt::format("its length is {}", length));
            break;
        }
        if (length > left) {
            bad(fmt::format("its length is {} and {} bytes are left", length, left));
            break;
        }
        if (little<uint32_t>(bytes, at + offsetof(lpar_record, reserved)) != 0) {
            bad("its reserved field is not zero");
            break;
        }

        auto body = bytes.subspan(at + sizeof(lpar_record), length - sizeof(lpar_record));
        const auto *kind = std::find_if(kinds.begin(), kinds.end(),
                                        [&](const Kind &k) { return k.type == record.type; });
        std::string error;
        if (kind == kinds.end()) {
            record.body.assign(body.begin(), body.end());
        } else {
            record.name = kind->name;
            record.about = kind->about;
            record.unit = kind->unit;
            error =
                kind->unit == Unit::text ? decode_text(body, record) : decode_value(body, record);
        }
        if (!error.empty()) {
            bad(error);
            break;
        }
        result.good.push_back(std::move(record));
        at += length;
    }
    return result;
}

std::string describe(const Record &record) {
    if (record.unit == Unit::text)
        return printable(record.text);
    if (!record.value) {
        std::string hex;
        for (uint8_t byte : record.body)
            hex += fmt::format("{:02x}", byte);
        return hex;
    }
    const Value &value = *record.value;
    std::string text = one(value.cur, record.unit);
    if (value.min != value.cur || value.max != value.cur)
        text += fmt::format(", can be {} to {}", one(value.min, record.unit),
                            one(value.max, record.unit));
    return text;
}

std::string mac_text(uint64_t mac) {
    std::string text;
    for (int shift = 40; shift >= 0; shift -= 8)
        text += fmt::format("{}{:02x}", text.empty() ? "" : ":", mac >> shift & 0xff);
    return text;
}

const Value *find_value(const Records &records, uint16_t type) {
    auto found = std::find_if(records.good.begin(), records.good.end(),
                              [&](const Record &record) { return record.type == type; });
    return found != records.good.end() && found->value ? &*found->value : nullptr;
}

std::string_view unit_name(Unit unit) {
    static constexpr std::array<std::string_view, 9> names = {
        "unknown", "text", "bytes", "sectors", "mask", "count", "flag", "mac", "mbit"};
    return names.at(static_cast<size_t>(unit));
}

std::string bounded_text(const char *text, size_t size) {
    return std::string(text, std::find(text, text + size, '\0'));
}

} // namespace lpar
