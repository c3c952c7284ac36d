// SPDX-License-Identifier: GPL-2.0
#include "vf_link.h"

#include <cerrno>
#include <charconv>
#include <cstring>
#include <fmt/format.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <sys/socket.h>
#include <unistd.h>

#include "error.h"
#include "parse.h"

namespace lpar {

namespace {

using Kind = IovStep::Kind;

constexpr size_t receive_bytes = 1 << 18; // a link with many VFs
constexpr size_t mac_bytes = 6;

class Message {
  public:
    template <typename T>
    size_t put(const T &value) {
        size_t at = bytes_.size();
        const auto *from = reinterpret_cast<const uint8_t *>(&value);
        bytes_.insert(bytes_.end(), from, from + sizeof(value));
        bytes_.resize(NLMSG_ALIGN(bytes_.size()));
        return at;
    }
    size_t open(uint16_t type) { return put(rtattr{sizeof(rtattr), type}); }
    void close(size_t at) {
        auto length = static_cast<uint16_t>(bytes_.size() - at);
        std::memcpy(bytes_.data() + at, &length, sizeof(length));
    }
    template <typename T>
    void attribute(uint16_t type, const T &value) {
        size_t at = open(type);
        put(value);
        auto length = static_cast<uint16_t>(sizeof(rtattr) + sizeof(value));
        std::memcpy(bytes_.data() + at, &length, sizeof(length));
    }
    std::vector<uint8_t> finish() {
        auto length = static_cast<uint32_t>(bytes_.size());
        std::memcpy(bytes_.data(), &length, sizeof(length));
        return std::move(bytes_);
    }

  private:
    std::vector<uint8_t> bytes_;
};

// Calls @seen with each attribute of @bytes, as long as they are whole.
void each_attribute(std::span<const uint8_t> bytes, auto seen) {
    while (bytes.size() >= sizeof(rtattr)) {
        rtattr header{};
        std::memcpy(&header, bytes.data(), sizeof(header));
        if (header.rta_len < sizeof(header) || header.rta_len > bytes.size())
            return;
        seen(header.rta_type & NLA_TYPE_MASK,
             bytes.subspan(sizeof(header), header.rta_len - sizeof(header)));
        bytes = bytes.subspan(std::min<size_t>(RTA_ALIGN(header.rta_len), bytes.size()));
    }
}

template <typename T>
bool read(std::span<const uint8_t> bytes, T &value) {
    if (bytes.size() < sizeof(value))
        return false;
    std::memcpy(&value, bytes.data(), sizeof(value));
    return true;
}

uint32_t number_of(Kind kind, const std::string &text) {
    uint32_t value = 0;
    auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || stop != text.data() + text.size())
        throw Failure(fmt::format("'{}' is no {}", text, iov_kind_name(kind)));
    return value;
}

uint32_t flag_of(Kind kind, const std::string &text) {
    if (text != "on" && text != "off")
        throw Failure(fmt::format("'{}' is no {}: on or off", text, iov_kind_name(kind)));
    return text == "on" ? 1 : 0;
}

std::string flag_text(uint32_t setting) {
    // a driver that has no such setting says -1
    return setting == 1 ? "on" : setting == 0 ? "off" : "";
}

VfLink link_of(std::span<const uint8_t> info) {
    VfLink link;
    each_attribute(info, [&](unsigned type, std::span<const uint8_t> value) {
        ifla_vf_mac mac{};
        ifla_vf_vlan vlan{};
        ifla_vf_rate rate{};
        ifla_vf_spoofchk flag{};
        if (type == IFLA_VF_MAC && read(value, mac)) {
            link.vf = mac.vf;
            link.mac = fmt::format("{:02x}:{:02x}:{:02x}:{:02x}:{:02x}:{:02x}", mac.mac[0],
                                   mac.mac[1], mac.mac[2], mac.mac[3], mac.mac[4], mac.mac[5]);
        } else if (type == IFLA_VF_VLAN && read(value, vlan)) {
            link.vlan = std::to_string(vlan.vlan);
        } else if (type == IFLA_VF_RATE && read(value, rate)) {
            link.rate = std::to_string(rate.max_tx_rate);
        } else if (type == IFLA_VF_SPOOFCHK && read(value, flag)) {
            link.spoofchk = flag_text(flag.setting);
        } else if (type == IFLA_VF_TRUST && read(value, flag)) { // of the same form
            link.trust = flag_text(flag.setting);
        }
    });
    return link;
}

// Sends @request and returns the answer; throws Failure with what the kernel says.
std::vector<uint8_t> ask(const std::vector<uint8_t> &request, const std::string &what) {
    int fd = ::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
    std::vector<uint8_t> answer(receive_bytes);
    ssize_t got = -1;
    if (fd >= 0 && ::send(fd, request.data(), request.size(), 0) >= 0)
        got = ::recv(fd, answer.data(), answer.size(), 0);
    int error = errno;
    if (fd >= 0)
        ::close(fd);
    if (got < 0)
        throw Failure(what + ": " + error_text(error));
    answer.resize(static_cast<size_t>(got));
    nlmsghdr header{};
    int32_t status = 0;
    if (read(answer, header) && header.nlmsg_type == NLMSG_ERROR &&
        read(std::span<const uint8_t>(answer).subspan(sizeof(header)), status) && status != 0)
        throw Failure(what + ": " + error_text(-status));
    return answer;
}

unsigned index_of(const std::string &interface) {
    unsigned index = ::if_nametoindex(interface.c_str());
    if (index == 0)
        throw Failure(interface + ": " + error_text(errno));
    return index;
}

} // namespace

std::vector<uint8_t> vf_link_request(unsigned interface, unsigned vf, Kind kind,
                                     const std::string &value) {
    Message message;
    message.put(nlmsghdr{0, RTM_SETLINK, NLM_F_REQUEST | NLM_F_ACK, 1, 0});
    ifinfomsg info{};
    info.ifi_index = static_cast<int>(interface);
    message.put(info);
    size_t list = message.open(IFLA_VFINFO_LIST | NLA_F_NESTED);
    size_t entry = message.open(IFLA_VF_INFO | NLA_F_NESTED);
    switch (kind) {
    case Kind::mac: {
        ifla_vf_mac mac{};
        mac.vf = vf;
        std::string text = value;
        for (size_t i = 0; i < mac_bytes; i++) {
            auto [stop, error] =
                std::from_chars(text.data() + 3 * i, text.data() + text.size(), mac.mac[i], 16);
            if (text.size() != 3 * mac_bytes - 1 || (i != 0 && text[3 * i - 1] != ':') ||
                error != std::errc() || stop != text.data() + 3 * i + 2)
                throw Failure("'" + text + "' is no MAC address");
        }
        message.attribute(IFLA_VF_MAC, mac);
        break;
    }
    case Kind::vlan:
        message.attribute(IFLA_VF_VLAN, ifla_vf_vlan{vf, number_of(kind, value), 0});
        break;
    case Kind::rate:
        message.attribute(IFLA_VF_RATE, ifla_vf_rate{vf, 0, number_of(kind, value)});
        break;
    case Kind::trust:
        message.attribute(IFLA_VF_TRUST, ifla_vf_trust{vf, flag_of(kind, value)});
        break;
    case Kind::spoofchk:
        message.attribute(IFLA_VF_SPOOFCHK, ifla_vf_spoofchk{vf, flag_of(kind, value)});
        break;
    default:
        throw Failure(iov_kind_name(kind) + " is no setting of a NIC's VF");
    }
    message.close(entry);
    message.close(list);
    return message.finish();
}

std::vector<VfLink> vf_links_of(std::span<const uint8_t> message) {
    std::vector<VfLink> links;
    nlmsghdr header{};
    constexpr size_t skip = NLMSG_ALIGN(sizeof(nlmsghdr)) + NLMSG_ALIGN(sizeof(ifinfomsg));
    if (!read(message, header) || header.nlmsg_type != RTM_NEWLINK ||
        header.nlmsg_len > message.size() || header.nlmsg_len < skip)
        return links;
    each_attribute(message.subspan(skip, header.nlmsg_len - skip), [&](unsigned type, auto list) {
        if (type != IFLA_VFINFO_LIST)
            return;
        each_attribute(list, [&](unsigned entry, auto info) {
            if (entry == IFLA_VF_INFO)
                links.push_back(link_of(info));
        });
    });
    return links;
}

std::vector<VfLink> vf_links(const std::string &interface) {
    Message message;
    message.put(nlmsghdr{0, RTM_GETLINK, NLM_F_REQUEST, 1, 0});
    ifinfomsg info{};
    info.ifi_index = static_cast<int>(index_of(interface));
    message.put(info);
    message.attribute(IFLA_EXT_MASK, uint32_t{RTEXT_FILTER_VF});
    return vf_links_of(ask(message.finish(), interface));
}

void vf_link_set(const std::string &interface, unsigned vf, Kind kind, const std::string &value) {
    ask(vf_link_request(index_of(interface), vf, kind, value),
        fmt::format("{}: {} {} of VF {}", interface, iov_kind_name(kind), value, vf));
}

} // namespace lpar
