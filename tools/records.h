// SPDX-License-Identifier: GPL-2.0
// Capability records (lpar/wire.h) taken apart. The bytes are not trusted: whatever they are,
// decoding ends, and says where they stop making sense.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace lpar {

enum class Unit { none, text, bytes, sectors, mask, count, flag, mac, mbit };

struct Value {
    uint64_t min = 0;
    uint64_t max = 0;
    uint64_t cur = 0;
};

struct Record {
    uint16_t type = 0;
    std::string_view name; // empty: a type that this tool does not know
    std::string_view about;
    Unit unit = Unit::none;
    std::string text;           // Unit::text
    std::optional<Value> value; // what else is known
    std::vector<uint8_t> body;  // what is not known
};

struct Records {
    std::vector<Record> good; // all before the first malformed one
    std::string error;        // empty: all were good
};

Records decode_records(std::span<const uint8_t> bytes);

// "1.8T (3907029168 sectors)", "4K (4096 bytes)", "yes", "4, can be 1 to 16"
std::string describe(const Record &record);
// "52:54:00:12:34:56"
std::string mac_text(uint64_t mac);
// The first record of that type; nullptr: there is none, or it is a text.
const Value *find_value(const Records &records, uint16_t type);
std::string_view unit_name(Unit unit);

// Text of a fixed size that may lack its final zero.
std::string bounded_text(const char *text, size_t size);

} // namespace lpar
