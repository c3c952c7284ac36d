// SPDX-License-Identifier: GPL-2.0
#include "parse.h"

#include <algorithm>
#include <charconv>
#include <fmt/format.h>
#include <limits>
#include <optional>
#include <pwd.h>
#include <string_view>
#include <sys/un.h>

#include "error.h"
#include "format.h"
#include "lpar/control.h"

namespace lpar {

namespace {

constexpr size_t serial_max = 20;
constexpr size_t mac_bytes = 6;
constexpr uint64_t quantum_min_us = 100;
constexpr uint64_t quantum_max_us = 1000000;

struct Quantity {
    uint64_t number;
    std::string_view unit;
};

// Digits and what follows them; nothing if there are no digits. Throws UsageError if there are too
// many.
std::optional<Quantity> split(std::string_view text) {
    Quantity quantity{};
    auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), quantity.number);
    if (error == std::errc::result_out_of_range)
        throw UsageError(fmt::format("'{}' is more than 64 bits hold", text));
    if (error != std::errc())
        return std::nullopt;
    quantity.unit = text.substr(static_cast<size_t>(stop - text.data()));
    return quantity;
}

std::optional<uint64_t> multiply(uint64_t a, uint64_t b) {
    if (b != 0 && a > std::numeric_limits<uint64_t>::max() / b)
        return std::nullopt;
    return a * b;
}

bool is_alphanumeric(char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

} // namespace

uint64_t parse_size(const std::string &text, bool sectors) {
    auto quantity = split(text);
    uint64_t factor = 1;
    bool known = quantity.has_value();
    if (known && !quantity->unit.empty()) {
        std::string_view unit = quantity->unit;
        static constexpr std::string_view powers = "kmgtpe";
        char letter = static_cast<char>(unit[0] | 0x20);
        auto power = powers.find(letter);
        if (sectors && unit == "s") {
            factor = sector_bytes;
        } else if (power != std::string_view::npos) {
            factor = 1ull << (10 * (power + 1));
            unit.remove_prefix(1);
            known = unit.empty() || unit == "iB" || unit == "B";
        } else {
            known = unit == "B";
        }
    }
    if (!known)
        throw UsageError(fmt::format("'{}' is not a size: write bytes, or 512M, 2G{}", text,
                                     sectors ? ", or sectors as 2048s" : ""));
    auto bytes = multiply(quantity->number, factor);
    if (!bytes)
        throw UsageError(fmt::format("'{}' is more than 64 bits hold", text));
    return *bytes;
}

uint64_t parse_microseconds(const std::string &text) {
    auto quantity = split(text);
    uint64_t factor = 0;
    if (quantity && (quantity->unit.empty() || quantity->unit == "us"))
        factor = 1;
    else if (quantity && quantity->unit == "ms")
        factor = 1000;
    else if (quantity && quantity->unit == "s")
        factor = 1000000;
    if (factor == 0)
        throw UsageError(fmt::format("'{}' is not a time: write 500us, 1ms or 1s", text));
    auto time = multiply(quantity->number, factor);
    if (!time)
        throw UsageError(fmt::format("'{}' is more than 64 bits hold", text));
    return *time;
}

uint64_t parse_quantum(const std::string &text) {
    uint64_t quantum = parse_microseconds(text);
    if (quantum < quantum_min_us || quantum > quantum_max_us)
        throw UsageError(fmt::format("a quantum of {}: it can be {} to {}", text,
                                     human_us(quantum_min_us), human_us(quantum_max_us)));
    return quantum;
}

uint32_t parse_user(const std::string &text) {
    auto quantity = split(text);
    if (quantity && quantity->unit.empty()) {
        // -1 means "no user" to the kernel
        if (quantity->number >= std::numeric_limits<uint32_t>::max())
            throw UsageError(fmt::format("{} is not a user id", text));
        return static_cast<uint32_t>(quantity->number);
    }
    const passwd *entry = ::getpwnam(text.c_str()); // NOLINT(concurrency-mt-unsafe)
    if (entry == nullptr)
        throw UsageError(fmt::format("there is no user '{}'", text));
    return entry->pw_uid;
}

std::string user_name(uint64_t uid) {
    const passwd *entry = nullptr;
    if (uid < std::numeric_limits<uint32_t>::max())
        entry = ::getpwuid(static_cast<uid_t>(uid)); // NOLINT(concurrency-mt-unsafe)
    return entry != nullptr ? entry->pw_name : std::to_string(uid);
}

void check_name(const std::string &what, const std::string &name) {
    if (name.empty() || name == "." || name == ".." || name.find('/') != std::string::npos)
        throw UsageError(fmt::format("'{}' is not the name of a {}", name, what));
}

void check_new_name(const std::string &what, const std::string &name) {
    check_name(what, name);
    bool good = is_alphanumeric(name[0]) && std::all_of(name.begin(), name.end(), [](char c) {
                    return is_alphanumeric(c) || c == '.' || c == '_' || c == '-';
                });
    if (!good)
        throw UsageError(fmt::format("'{}' cannot name a {}: use letters, digits, '.', '_', '-', "
                                     "and begin with a letter or a digit",
                                     name, what));
    if (name.size() >= LPAR_NAME_MAX)
        throw UsageError(fmt::format("'{}' is too long to name a {}: at most {} characters", name,
                                     what, LPAR_NAME_MAX - 1));
}

void check_serial(const std::string &serial) {
    if (serial.empty() || serial.size() > serial_max ||
        !std::all_of(serial.begin(), serial.end(), [](char c) { return c > ' ' && c <= '~'; }))
        throw UsageError(fmt::format("'{}' is not a serial number: 1 to {} visible characters",
                                     serial, serial_max));
}

std::string parse_mac(const std::string &text) {
    std::string mac;
    bool good = text.size() == 3 * mac_bytes - 1;
    bool zero = true;
    for (size_t i = 0; good && i < text.size(); i++) {
        char c = text[i];
        if (c >= 'A' && c <= 'F')
            c = static_cast<char>(c | 0x20);
        good = i % 3 == 2 ? c == ':' : (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
        zero = zero && (c == '0' || c == ':');
        mac += c;
    }
    if (!good)
        throw UsageError(
            fmt::format("'{}' is not a MAC address: write it as 52:54:00:12:34:56", text));
    if (zero)
        throw UsageError(fmt::format("'{}' is nobody's MAC address: leave --mac out to have one "
                                     "made",
                                     text));
    static constexpr std::string_view unicast = "02468ace";
    if (unicast.find(mac[1]) == std::string_view::npos)
        throw UsageError(fmt::format("'{}' is a multicast address: the second digit of a NIC's is "
                                     "even",
                                     text));
    return mac;
}

std::string parse_socket(const std::string &text) {
    constexpr size_t longest = sizeof(sockaddr_un::sun_path) - 1;
    if (!text.empty() && text[0] != '/')
        throw UsageError(fmt::format("'{}' is no absolute path", printable(text)));
    if (text.size() > longest || text.find('\n') != std::string::npos ||
        text.find('\0') != std::string::npos)
        throw UsageError(
            fmt::format("a socket's path has {} bytes at most, and one line", longest));
    return text;
}

} // namespace lpar
