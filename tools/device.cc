// SPDX-License-Identifier: GPL-2.0
#include "device.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <fnmatch.h>
#include <sstream>

#include "parse.h"
#include "paths.h"

namespace lpar {

namespace {

// Enough for any sane stack of device mapper and RAID, and an end for a looping fake one.
constexpr int holder_depth_max = 8;

// mountinfo and swaps write blanks and backslashes as \040.
std::string unescape(std::string_view text) {
    std::string result;
    auto octal = [](char c) { return c >= '0' && c <= '7'; };
    for (size_t i = 0; i < text.size(); i++) {
        if (text[i] == '\\' && i + 3 < text.size() && text[i + 1] >= '0' && text[i + 1] <= '3' &&
            octal(text[i + 2]) && octal(text[i + 3])) {
            result += static_cast<char>((text[i + 1] - '0') * 64 + (text[i + 2] - '0') * 8 +
                                        (text[i + 3] - '0'));
            i += 3;
        } else {
            result += text[i];
        }
    }
    return result;
}

std::string device_path(std::string name) {
    std::replace(name.begin(), name.end(), '!', '/');
    return "/dev/" + name;
}

// Disks that are not adapters' and that nobody would share.
bool is_skipped(const std::string &name) {
    static constexpr std::array<std::string_view, 4> prefixes = {"ram", "zram", "sr", "fd"};
    return std::any_of(prefixes.begin(), prefixes.end(), [&](std::string_view prefix) {
        return name.starts_with(prefix) && name.size() > prefix.size() &&
               name[prefix.size()] >= '0' && name[prefix.size()] <= '9';
    });
}

struct KindText {
    std::string_view name;
    std::string_view before; // in front of what
    std::string_view remedy;
};

const KindText &kind_text(Use::Kind kind) {
    static constexpr std::array<KindText, 10> texts = {{
        {"mount", "mounted on ", "unmount it"},
        {"swap", "used as swap", "swapoff it"},
        {"lvm", "part of the LVM volume ", "deactivate the volume (lvchange -an)"},
        {"crypt", "held by the encrypted device ", "close that (cryptsetup close)"},
        {"multipath", "a path of the multipath device ", "use that, or remove it (multipath -f)"},
        {"mapper", "part of the mapped device ", "remove that (dmsetup remove)"},
        {"raid", "a member of the RAID array ", "stop the array (mdadm --stop)"},
        {"holder", "held by ", "release it there"},
        {"lpar", "already shared as ", "lparctl disk remove"},
        {"open", "open in ", "end that"},
    }};
    return texts.at(static_cast<size_t>(kind));
}

} // namespace

std::string_view kind_name(Use::Kind kind) {
    return kind_text(kind).name;
}

std::string describe(const Use &use) {
    std::string text{kind_text(use.kind).before};
    if (use.kind != Use::Kind::swap)
        text += use.what;
    if (!use.detail.empty())
        text += " (" + use.detail + ")";
    return text;
}

std::string remedy(const Use &use) {
    std::string text{kind_text(use.kind).remedy};
    if (use.kind == Use::Kind::lpar) {
        auto slash = use.what.find('/');
        text += " " + use.what.substr(0, slash) + " " + use.what.substr(slash + 1);
    }
    return text;
}

std::string brief(const Use &use) {
    std::string text{kind_name(use.kind)};
    if (use.kind != Use::Kind::swap)
        text += " " + use.what;
    return text;
}

std::string pci_address(const std::string &sysfs_path) {
    // domain:bus:device.function; a domain can have more than four digits
    static const std::string pattern = "[0-9a-f][0-9a-f][0-9a-f][0-9a-f]*:[0-9a-f][0-9a-f]:"
                                       "[0-9a-f][0-9a-f].[0-7]";
    std::string found;
    std::istringstream parts(sysfs_path);
    for (std::string part; std::getline(parts, part, '/');)
        if (::fnmatch(pattern.c_str(), part.c_str(), 0) == 0)
            found = part;
    return found;
}

BlockDevice block_device(const Host &host, const std::string &name) {
    BlockDevice device;
    device.name = name;
    device.path = device_path(name);
    std::string base = "/sys/class/block/" + name;
    device.number = host.read(base + "/dev").value_or("");
    device.bytes = host.read_number(base + "/size").value_or(0) * sector_bytes;
    device.read_only = host.read(base + "/ro") == "1";

    std::string node = host.resolve(base).value_or(base);
    std::string disk_node = node;
    if (host.exists(base + "/partition")) {
        disk_node = node.substr(0, node.rfind('/'));
        device.disk = base_name(disk_node);
    } else {
        for (const auto &child : host.list(base))
            if (host.exists(base + "/" + child + "/partition"))
                device.partitions.push_back(child);
    }
    device.logical_block =
        host.read_number(disk_node + "/queue/logical_block_size").value_or(sector_bytes);
    device.model = host.read(disk_node + "/device/model").value_or("");
    if (device.model.empty())
        device.model = host.read(disk_node + "/dm/name").value_or("");
    device.pci = pci_address(disk_node);
    if (!device.pci.empty()) {
        auto at = disk_node.rfind(device.pci);
        if (auto driver = host.resolve(disk_node.substr(0, at + device.pci.size()) + "/driver"))
            device.driver = base_name(*driver);
    }
    return device;
}

Devices::Devices(const Host &host) : host_(host) {
    read_mounts();
    read_swaps();
    read_claims();
}

void Devices::read_mounts() {
    // 36 35 259:1 /root /mount/point options [fields] - fstype source options
    std::istringstream lines(host_.read("/proc/self/mountinfo").value_or(""));
    for (std::string line; std::getline(lines, line);) {
        std::istringstream fields(line);
        std::string skip;
        std::string number;
        std::string root;
        std::string point;
        std::string source;
        if (!(fields >> skip >> skip >> number >> root >> point))
            continue;
        while (fields >> skip && skip != "-")
            ;
        fields >> skip >> source;
        // btrfs shows an anonymous number: there only the source tells.
        std::string device;
        if (source.starts_with("/dev/"))
            device = host_.block_name(unescape(source)).value_or("");
        mounts_.push_back({number, unescape(point), device});
    }
}

void Devices::read_swaps() {
    std::istringstream lines(host_.read("/proc/swaps").value_or(""));
    for (std::string line; std::getline(lines, line);) {
        std::istringstream fields(line);
        std::string file;
        std::string type;
        if (fields >> file >> type && type == "partition")
            if (auto name = host_.block_name(unescape(file)))
                swaps_.push_back(*name);
    }
}

void Devices::read_claims() {
    for (const auto &partition : host_.list(configfs_partitions)) {
        std::string disks = configfs_partitions + partition + "/disks/";
        for (const auto &disk : host_.list(disks)) {
            if (host_.read(disks + disk + "/enable") != "1")
                continue;
            auto device = host_.read(disks + disk + "/device");
            if (auto name = host_.block_name(device.value_or("")))
                claims_.push_back({*name, partition + "/" + disk});
        }
    }
}

std::vector<std::string> Devices::names() const {
    std::vector<std::string> names;
    for (const auto &disk : host_.list("/sys/block")) {
        std::string base = "/sys/block/" + disk;
        // A hidden disk is one path of a multipath disk and has no node in /dev.
        if (is_skipped(disk) || host_.read(base + "/hidden") == "1" ||
            host_.read_number(base + "/size").value_or(0) == 0)
            continue;
        names.push_back(disk);
        for (const auto &partition : get(disk).partitions)
            names.push_back(partition);
    }
    return names;
}

void Devices::direct_uses(const std::string &name, std::vector<Use> &uses) const {
    std::string number = host_.read("/sys/class/block/" + name + "/dev").value_or("");
    size_t before = uses.size();
    for (const auto &mount : mounts_) {
        bool is_it = (!number.empty() && mount.number == number) || mount.device == name;
        bool known = std::any_of(uses.begin(), uses.end(), [&](const Use &use) {
            return use.kind == Use::Kind::mount && use.what == mount.point;
        });
        if (is_it && !known)
            uses.push_back({Use::Kind::mount, mount.point, name, ""});
    }
    // A second device of a btrfs file system is no mount's source.
    if (uses.size() == before)
        for (const auto &uuid : host_.list("/sys/fs/btrfs"))
            if (host_.exists("/sys/fs/btrfs/" + uuid + "/devices/" + name))
                uses.push_back({Use::Kind::holder, "the btrfs file system " + uuid, name, ""});
    for (const auto &swap : swaps_)
        if (swap == name)
            uses.push_back({Use::Kind::swap, "", name, ""});
    for (const auto &claim : claims_)
        if (claim.device == name)
            uses.push_back({Use::Kind::lpar, claim.owner, name, ""});
}

void Devices::holder_uses(const std::string &name, std::vector<Use> &uses) const {
    for (const auto &holder : host_.list("/sys/class/block/" + name + "/holders")) {
        std::string base = "/sys/class/block/" + holder;
        Use use{Use::Kind::holder, holder, name, ""};
        if (auto mapped = host_.read(base + "/dm/name")) {
            std::string uuid = host_.read(base + "/dm/uuid").value_or("");
            use.what = *mapped;
            use.kind = uuid.starts_with("LVM-")     ? Use::Kind::lvm
                       : uuid.starts_with("CRYPT-") ? Use::Kind::crypt
                       : uuid.starts_with("mpath-") ? Use::Kind::multipath
                                                    : Use::Kind::mapper;
        } else if (host_.exists(base + "/md")) {
            use.kind = Use::Kind::raid;
        }
        // Who is at the top of the stack is what the administrator will recognise.
        std::vector<std::string> level{holder};
        for (int depth = 0; depth < holder_depth_max && !level.empty(); depth++) {
            std::vector<std::string> next;
            std::vector<Use> above;
            for (const auto &one : level) {
                direct_uses(one, above);
                for (const auto &higher : host_.list("/sys/class/block/" + one + "/holders"))
                    next.push_back(higher);
            }
            for (const auto &one : above)
                use.detail += (use.detail.empty() ? "" : ", ") + describe(one);
            level = next;
        }
        uses.push_back(use);
    }
}

std::vector<Use> Devices::uses(const std::string &name) const {
    std::vector<Use> uses;
    BlockDevice device = get(name);
    std::vector<std::string> all{name};
    all.insert(all.end(), device.partitions.begin(), device.partitions.end());
    if (!device.disk.empty())
        all.push_back(device.disk);
    for (const auto &one : all) {
        direct_uses(one, uses);
        holder_uses(one, uses);
    }
    return uses;
}

std::vector<Use> Devices::openers(const std::string &name) const {
    std::vector<Use> uses;
    std::string path = device_path(name);
    for (const auto &pid : host_.list("/proc")) {
        if (pid.find_first_not_of("0123456789") != std::string::npos)
            continue;
        std::string base = "/proc/" + pid;
        for (const auto &fd : host_.list(base + "/fd")) {
            if (host_.resolve(base + "/fd/" + fd) != path)
                continue;
            std::string program = host_.read(base + "/comm").value_or("process");
            uses.push_back({Use::Kind::open, fmt::format("{} (pid {})", program, pid), name, ""});
            break;
        }
    }
    return uses;
}

} // namespace lpar
