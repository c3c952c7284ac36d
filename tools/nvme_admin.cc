// SPDX-License-Identifier: GPL-2.0
#include "nvme_admin.h"

#include <cerrno>
#include <fcntl.h>
#include <fmt/format.h>
#include <linux/nvme_ioctl.h>
#include <map>
#include <sys/ioctl.h>
#include <unistd.h>

#include "error.h"

namespace lpar {

namespace {

// NVM Express base specification 2.0, 5.17 (Identify), 5.20, 5.26
constexpr uint8_t opcode_identify = 0x06;
constexpr uint8_t opcode_attach = 0x15;
constexpr uint8_t opcode_manage = 0x1c;
constexpr uint8_t identify_controller = 0x01;
constexpr uint8_t identify_allocated = 0x10;
constexpr uint8_t identify_attached = 0x12;
constexpr uint8_t identify_primary = 0x14;
constexpr uint8_t identify_secondary = 0x15;
constexpr uint8_t action_primary = 0x1;
constexpr uint8_t action_offline = 0x7;
constexpr uint8_t action_secondary = 0x8;
constexpr uint8_t action_online = 0x9;
constexpr size_t optional_commands = 256; // OACS in the controller's data
constexpr unsigned can_virtualize = 1U << 7;
constexpr size_t entry_bytes = 32; // of the secondary controller list
constexpr size_t most_entries = 127;
constexpr unsigned timeout_ms = 30000;

template <typename T>
T at(const NvmePage &page, size_t offset) {
    T value = 0;
    for (size_t i = 0; i < sizeof(T); i++)
        value = static_cast<T>(value | static_cast<T>(page[offset + i]) << (8 * i));
    return value;
}

IovPool pool_of(const NvmePage &page, size_t offset) {
    IovPool pool;
    pool.total = at<uint32_t>(page, offset);
    pool.primary = at<uint16_t>(page, offset + 8);
    pool.fixed = at<uint16_t>(page, offset + 10);
    pool.per_function = at<uint16_t>(page, offset + 12);
    pool.step = at<uint16_t>(page, offset + 14);
    return pool;
}

} // namespace

NvmePrimary nvme_primary_of(const NvmePage &page) {
    return {at<uint16_t>(page, 0), pool_of(page, 32), pool_of(page, 64)};
}

std::vector<NvmeSecondary> nvme_secondaries_of(const NvmePage &page) {
    std::vector<NvmeSecondary> list;
    size_t count = std::min<size_t>(page[0], most_entries);
    for (size_t i = 1; i <= count; i++) {
        size_t entry = i * entry_bytes;
        list.push_back({at<uint16_t>(page, entry), (page[entry + 4] & 1) != 0,
                        at<uint16_t>(page, entry + 8), at<uint16_t>(page, entry + 10),
                        at<uint16_t>(page, entry + 12)});
    }
    return list;
}

std::set<uint32_t> nvme_namespaces_of(const NvmePage &page) {
    std::set<uint32_t> ids;
    for (size_t offset = 0; offset < page.size(); offset += sizeof(uint32_t)) {
        auto id = at<uint32_t>(page, offset);
        if (id == 0)
            break;
        ids.insert(id);
    }
    return ids;
}

std::set<uint16_t> nvme_controllers_of(const NvmePage &page) {
    std::set<uint16_t> ids;
    size_t count = std::min<size_t>(at<uint16_t>(page, 0), page.size() / 2 - 1);
    for (size_t i = 1; i <= count; i++)
        ids.insert(at<uint16_t>(page, i * sizeof(uint16_t)));
    return ids;
}

std::string nvme_status_text(int status) {
    static const std::map<int, const char *> texts{
        {0x001, "the adapter does not know this command"},
        {0x002, "a field of the command is wrong"},
        {0x00b, "there is no such namespace"},
        {0x116, "its namespaces are full"},
        {0x118, "it is attached already"},
        {0x119, "it is private to another controller"},
        {0x11a, "it is not attached"},
        {0x11f, "there is no such controller"},
        {0x120, "a secondary controller in this state cannot"},
        {0x121, "the adapter has not as many resources to give"},
        {0x122, "the adapter has no such resource"},
    };
    int code = status & 0x7ff;
    auto found = texts.find(code);
    return fmt::format("{} (NVMe status {:#x})", found == texts.end() ? "refused" : found->second,
                       code);
}

NvmeAdmin::NvmeAdmin(const std::string &device)
    : device_(device), fd_(::open(device.c_str(), O_RDONLY | O_CLOEXEC)) {
    if (fd_ < 0)
        throw Failure(device + ": " + error_text(errno));
}

NvmeAdmin::~NvmeAdmin() {
    ::close(fd_);
}

static void submit(int fd, nvme_admin_cmd &command, const std::string &what) {
    command.timeout_ms = timeout_ms;
    int status = ::ioctl(fd, NVME_IOCTL_ADMIN_CMD, &command);
    if (status < 0)
        throw Failure(what + ": " + error_text(errno));
    if (status > 0)
        throw Failure(what + ": " + nvme_status_text(status));
}

NvmePage NvmeAdmin::identify(uint8_t what, uint16_t controller, uint32_t nsid) const {
    NvmePage page{};
    nvme_admin_cmd command{};
    command.opcode = opcode_identify;
    command.nsid = nsid;
    command.addr = reinterpret_cast<uintptr_t>(page.data());
    command.data_len = page.size();
    command.cdw10 = what | uint32_t{controller} << 16;
    submit(fd_, command, fmt::format("{}: identify {:#x}", device_, what));
    return page;
}

bool NvmeAdmin::can_manage() const {
    return (at<uint16_t>(identify(identify_controller, 0, 0), optional_commands) &
            can_virtualize) != 0;
}

NvmePrimary NvmeAdmin::primary() const {
    auto own = at<uint16_t>(identify(identify_controller, 0, 0), 78);
    return nvme_primary_of(identify(identify_primary, own, 0));
}

std::vector<NvmeSecondary> NvmeAdmin::secondaries() const {
    return nvme_secondaries_of(identify(identify_secondary, 0, 0));
}

std::set<uint32_t> NvmeAdmin::namespaces() const {
    return nvme_namespaces_of(identify(identify_allocated, 0, 0));
}

std::set<uint16_t> NvmeAdmin::controllers(uint32_t nsid) const {
    return nvme_controllers_of(identify(identify_attached, 0, nsid));
}

void NvmeAdmin::manage(uint16_t controller, uint8_t action, Resource resource,
                       uint32_t count) const {
    nvme_admin_cmd command{};
    command.opcode = opcode_manage;
    command.cdw10 = action | static_cast<uint32_t>(resource) << 8 | uint32_t{controller} << 16;
    command.cdw11 = count;
    submit(fd_, command, fmt::format("{}: controller {}", device_, controller));
}

void NvmeAdmin::set_primary(uint16_t controller, Resource resource, uint32_t count) const {
    manage(controller, action_primary, resource, count);
}

void NvmeAdmin::set_secondary(uint16_t controller, Resource resource, uint32_t count) const {
    manage(controller, action_secondary, resource, count);
}

void NvmeAdmin::set_online(uint16_t controller, bool online) const {
    manage(controller, online ? action_online : action_offline, Resource::queues, 0);
}

void NvmeAdmin::attach(uint32_t nsid, uint16_t controller, bool attached) const {
    NvmePage list{};
    list[0] = 1;
    list[2] = static_cast<uint8_t>(controller);
    list[3] = static_cast<uint8_t>(controller >> 8);
    nvme_admin_cmd command{};
    command.opcode = opcode_attach;
    command.nsid = nsid;
    command.addr = reinterpret_cast<uintptr_t>(list.data());
    command.data_len = list.size();
    command.cdw10 = attached ? 0 : 1;
    submit(fd_, command, fmt::format("{}: namespace {}, controller {}", device_, nsid, controller));
}

} // namespace lpar
