// SPDX-License-Identifier: GPL-2.0
#include "iov_ask.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <fmt/format.h>
#include <string_view>

#include "error.h"
#include "format.h"
#include "lpar/wire.h"
#include "parse.h"
#include "records.h"

namespace lpar {

namespace {

using Kind = IovStep::Kind;

constexpr std::array<std::string_view, LPAR_ASKS> names{
    "", "mac", "vlan", "mtu", "rate", "queues", "attach", "detach", "reset"};

const IovFunction &find_vf(const IovSnapshot &now, const IovAsked &asked,
                           const IovAdapter *&adapter) {
    for (const auto &one : now.adapters)
        if (const IovFunction *vf = one.vf(asked.vf); vf != nullptr && vf->exists) {
            adapter = &one;
            return *vf;
        }
    throw Failure(asked.vf + " is not there any more");
}

void check_namespace(const IovAdapter &adapter, uint64_t id) {
    auto found = std::ranges::find(adapter.namespaces, id, &IovNamespace::id);
    if (found == adapter.namespaces.end())
        throw Failure(fmt::format("there is no namespace {}", id));
    if (!found->in_use.empty())
        throw Failure(fmt::format("namespace {} is in use by the host", id));
}

// Of two with one address each would get what is meant for the other.
void check_mac(const IovAdapter &adapter, const IovFunction &vf, const std::string &partition,
               const std::string &mac) {
    if (!adapter.station(mac, partition, vf.address).empty())
        throw Failure("the host, a NIC or another virtual function has the address " + mac);
}

// What the driver says that the VF has; a driver that says nothing cannot change it either.
std::string known(const std::string &value, const IovAdapter &adapter, uint32_t ask) {
    if (value.empty())
        throw Failure(
            fmt::format("{} knows no {} of a virtual function", adapter.driver, iov_ask_name(ask)));
    return value;
}

// @one: it is what a NIC shall have, so no group's address
uint64_t parse_value(uint32_t ask, const std::string &text, const std::string &value, bool one) {
    uint64_t number = 0;
    if (ask != LPAR_ASK_MAC) {
        auto [stop, error] = std::from_chars(value.data(), value.data() + value.size(), number);
        if (error != std::errc() || stop != value.data() + value.size())
            throw UsageError(
                fmt::format("'{}': '{}' is no number", printable(text), printable(value)));
        return number;
    }
    if (one)
        parse_mac(value);
    constexpr size_t mac_text_size = 17;
    bool good = value.size() == mac_text_size;
    for (size_t i = 0; good && i < value.size(); i += 3) {
        unsigned byte = 0;
        auto [stop, error] = std::from_chars(value.data() + i, value.data() + i + 2, byte, 16);
        good = error == std::errc() && stop == value.data() + i + 2 &&
               (i + 2 == value.size() || value[i + 2] == ':');
        number = number << 8 | byte;
    }
    if (!good)
        throw UsageError(
            fmt::format("'{}': '{}' is no MAC address", printable(text), printable(value)));
    return number;
}

} // namespace

std::string iov_ask_name(uint32_t ask) {
    return ask < names.size() ? std::string(names[ask]) : "";
}

std::string iov_ask_value(uint32_t ask, uint64_t value) {
    return ask == LPAR_ASK_MAC ? mac_text(value) : std::to_string(value);
}

std::string iov_ask_text(uint32_t ask, uint64_t value) {
    if (ask == 0)
        return fmt::format("a text of {} bytes", value);
    std::string name = iov_ask_name(ask);
    if (name.empty())
        return fmt::format("request {} for {}", ask, value);
    return ask == LPAR_ASK_RESET ? name : name + " " + iov_ask_value(ask, value);
}

std::pair<uint32_t, uint64_t> parse_ask(const std::string &text) {
    auto at = text.find('=');
    std::string name = text.substr(0, at);
    auto found = std::ranges::find(names, name);
    if (name.empty() || found == names.end())
        throw UsageError(fmt::format("'{}': what can be asked for is {}", text,
                                     "mac=, vlan=, mtu=, rate=, queues=, attach=, detach=, reset"));
    auto ask = static_cast<uint32_t>(found - names.begin());
    if ((ask == LPAR_ASK_RESET) != (at == std::string::npos))
        throw UsageError(
            fmt::format("'{}': {}", text,
                        ask == LPAR_ASK_RESET ? "reset has no value" : name + "=VALUE is wanted"));
    if (ask == LPAR_ASK_RESET)
        return {ask, 0};
    return {ask, parse_value(ask, text, text.substr(at + 1), true)};
}

std::string parse_rule(uint32_t ask, const std::string &text) {
    auto at = text.find(' ');
    std::string word = text.substr(0, at);
    bool limited = at != std::string::npos;
    if ((word != "ask" && word != "allow" && word != "refuse") || (limited && word == "refuse"))
        throw UsageError(
            fmt::format("'{}' is no rule, such as allow, ask 5-9, refuse", printable(text)));
    if (!limited)
        return word;
    std::string range = text.substr(at + 1);
    auto dash = range.find('-');
    uint64_t low = parse_value(ask, text, range.substr(0, dash), false);
    uint64_t high =
        dash == std::string::npos ? low : parse_value(ask, text, range.substr(dash + 1), false);
    if (low > high)
        throw UsageError(fmt::format("'{}': the first value is the least", printable(text)));
    return fmt::format("{} {}-{}", word, iov_ask_value(ask, low), iov_ask_value(ask, high));
}

std::vector<IovStep> iov_ask_steps(const IovSnapshot &now, const IovAsked &asked) {
    const IovAdapter *adapter = nullptr;
    const IovFunction &vf = find_vf(now, asked, adapter);
    // its mailbox may be older than its assignment
    if (now.owner(vf.address) != asked.partition)
        throw Failure(vf.address + " is not this partition's");
    if (!adapter->control_error.empty())
        throw Failure(adapter->control_error);
    if (adapter->type != (asked.kind == LPAR_VF_NIC ? IovType::nic : IovType::nvme))
        throw Failure(fmt::format("{} is of type {}", vf.address, iov_type_name(adapter->type)));
    std::string value = iov_ask_value(asked.ask, asked.value);
    auto step = [&](Kind kind, std::string from, std::string to) {
        return std::vector<IovStep>{
            {kind, adapter->address, vf.address, std::move(from), std::move(to)}};
    };
    switch (asked.ask) {
    case LPAR_ASK_MAC:
        check_mac(*adapter, vf, asked.partition, value);
        return step(Kind::mac, known(vf.mac, *adapter, asked.ask), value);
    case LPAR_ASK_VLAN:
        return step(Kind::vlan, known(vf.vlan, *adapter, asked.ask), value);
    case LPAR_ASK_RATE:
        return step(Kind::rate, known(vf.rate, *adapter, asked.ask), value);
    case LPAR_ASK_MTU:
        return {{Kind::mtu, adapter->address, "", "", value}};
    case LPAR_ASK_QUEUES: {
        // the admin queue is one of what is given
        uint64_t queues = asked.value + 1;
        if (queues > adapter->queues.per_function)
            throw Failure(fmt::format(
                "the adapter gives a virtual function {} queues at most",
                adapter->queues.per_function == 0 ? 0 : adapter->queues.per_function - 1));
        return step(Kind::queues, std::to_string(vf.queues), std::to_string(queues));
    }
    case LPAR_ASK_ATTACH:
        check_namespace(*adapter, asked.value);
        return step(Kind::attach, "", value);
    case LPAR_ASK_DETACH:
        return step(Kind::attach, value, "");
    case LPAR_ASK_RESET:
        return {};
    default:
        throw Failure("this lparctl does not know what is asked for");
    }
}

} // namespace lpar
