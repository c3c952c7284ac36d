// SPDX-License-Identifier: GPL-2.0
#include "fake.h"

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>
#include <stdexcept>

#include "cli.h"
#include "images.h"
#include "iov_ask.h"
#include "iov_scan.h"
#include "paths.h"
#include <lpar/wire.h>

namespace lpar::test {

namespace fs = std::filesystem;

namespace {

bool is_nic(const std::string &path) {
    return path.find("/nics/") != std::string::npos;
}

bool is_mailbox(const std::string &path) {
    return path.find("/vfs/") != std::string::npos;
}

bool is_partition(const std::string &path) {
    return path.find("/disks/") == std::string::npos && !is_nic(path) && !is_mailbox(path);
}

} // namespace

TempDir::TempDir() {
    std::string name = (fs::temp_directory_path() / "lparctl-test-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr)
        throw std::runtime_error("mkdtemp");
    path_ = fs::canonical(name).string();
}

TempDir::~TempDir() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
}

FakeHost::FakeHost() : Host(TempDir::path()) {
    directory(configfs_partitions);
    directory(configfs_images);
    directory(state_partitions);
    directory("/sys/block");
    directory("/sys/class/block");
    put("/sys/kernel/lpar/version", LPARCTL_VERSION);
    put("/proc/self/mountinfo", "");
    mount("0:30", configfs_mount, "configfs");
}

void FakeHost::put(const std::string &file, const std::string &text) {
    fs::path full = real_path(file);
    fs::create_directories(full.parent_path());
    std::ofstream(full, std::ios::binary) << text;
}

void FakeHost::directory(const std::string &name) {
    fs::create_directories(real_path(name));
}

void FakeHost::link(const std::string &name, const std::string &target) {
    fs::path full = real_path(name);
    fs::create_directories(full.parent_path());
    fs::create_directory_symlink(fs::path(real_path(target)).lexically_relative(full.parent_path()),
                                 full);
}

void FakeHost::erase(const std::string &name) {
    fs::remove_all(real_path(name));
}

void FakeHost::add_nvme(int n, const std::string &pci, int partitions) {
    std::string controller = "nvme" + std::to_string(n);
    std::string disk = controller + "n1";
    std::string function = "/sys/devices/pci0000:00/0000:00:1c.0/" + pci;
    std::string node = function + "/nvme/" + controller + "/" + disk;
    directory("/sys/bus/pci/drivers/nvme");
    link(function + "/driver", "/sys/bus/pci/drivers/nvme");
    link("/sys/bus/pci/devices/" + pci, function);
    put(function + "/nvme/" + controller + "/model", "Fast Disk 9000   \n");
    link("/sys/class/nvme/" + controller, function + "/nvme/" + controller);
    put(node + "/size", "8388608\n");
    put(node + "/ro", "0\n");
    put(node + "/dev", "259:" + std::to_string(minor_++) + "\n");
    put(node + "/queue/logical_block_size", "512\n");
    link(node + "/device", function + "/nvme/" + controller);
    link("/sys/block/" + disk, node);
    link("/sys/class/block/" + disk, node);
    put("/dev/" + disk, "");
    for (int i = 1; i <= partitions; i++) {
        std::string name = disk + "p" + std::to_string(i);
        std::string child = node + "/" + name;
        put(child + "/partition", std::to_string(i) + "\n");
        put(child + "/size", "2097152\n");
        put(child + "/dev", "259:" + std::to_string(minor_++) + "\n");
        link("/sys/class/block/" + name, child);
        put("/dev/" + name, "");
    }
}

void FakeHost::add_virtual_disk(const std::string &name, uint64_t sectors) {
    std::string node = "/sys/devices/virtual/block/" + name;
    put(node + "/size", std::to_string(sectors) + "\n");
    put(node + "/dev", "252:" + std::to_string(minor_++) + "\n");
    link("/sys/block/" + name, node);
    link("/sys/class/block/" + name, node);
    put("/dev/" + name, "");
}

void FakeHost::add_nic(const std::string &name, const std::string &pci) {
    std::string function = "/sys/devices/pci0000:00/" + pci;
    std::string node = (pci.empty() ? "/sys/devices/virtual" : function) + "/net/" + name;
    put(node + "/address", "52:54:00:00:00:0" + std::to_string(minor_++) + "\n");
    if (!pci.empty()) {
        directory("/sys/bus/pci/drivers/e1000e");
        link(function + "/driver", "/sys/bus/pci/drivers/e1000e");
        link(node + "/device", function);
    }
    link(net_class + name, node);
}

void FakeHost::add_pci(const std::string &pci) {
    std::string node = "/sys/devices/pci0000:00/0000:00:1d.0/" + pci;
    std::string group = "/sys/kernel/iommu_groups/" + pci;
    put(node + "/class", "0x0b4000\n");
    put(node + "/driver_override", "(null)\n");
    link(pci_devices + pci, node);
    directory(group + "/devices");
    link(group + "/devices/" + pci, node);
    link(node + "/iommu_group", group);
}

void FakeHost::add_sriov(const std::string &pci, unsigned total) {
    add_pci(pci);
    std::string base = resolve(pci_devices + pci).value();
    put(base + "/sriov_totalvfs", std::to_string(total) + "\n");
    for (const auto *file : {"/sriov_numvfs", "/sriov_drivers_autoprobe"})
        put(base + file, "0\n");
    put(base + "/sriov_offset", "1\n");
    put(base + "/sriov_stride", "1\n");
    for (const auto *driver : {"own", "vfio-pci"})
        for (const auto *file : {"/bind", "/unbind"})
            put(std::string("/sys/bus/pci/drivers/") + driver + file, "");
    link(base + "/driver", "/sys/bus/pci/drivers/own");
    has_sriov_ = true;
}

int FakeHost::write_pci(const std::string &file, const std::string &text) {
    std::string folder = file.substr(0, file.rfind('/'));
    if (file.ends_with("bind")) {
        std::string at = pci_devices + text;
        bool is_unbind = file.ends_with("/unbind");
        if (!exists(at) || exists(at + "/driver") != is_unbind)
            return ENODEV;
        if (is_unbind)
            erase(at + "/driver");
        else if (read(at + "/driver_override") == base_name(folder))
            link(resolve(at).value() + "/driver", folder);
        else
            return ENODEV;
    } else if (file.ends_with("/sriov_numvfs")) {
        auto number = std::stoul(text);
        if (number != 0 && read(file) != "0")
            return EBUSY;
        for (unsigned i = 0; number == 0 && exists(folder + "/virtfn" + std::to_string(i)); i++) {
            std::string link_name = folder + "/virtfn" + std::to_string(i);
            std::string node = resolve(link_name).value_or("");
            erase(link_name);
            erase(pci_devices + base_name(node));
            erase("/sys/kernel/iommu_groups/" + base_name(node));
            erase(node);
        }
        for (unsigned i = 0; i < number; i++) {
            std::string vf = vf_address(base_name(folder), 1, 1, i);
            add_pci(vf);
            link(resolve(folder).value() + "/virtfn" + std::to_string(i),
                 "/sys/devices/pci0000:00/0000:00:1d.0/" + vf);
        }
    }
    put(file, text);
    return 0;
}

void FakeHost::add_holder(const std::string &device, const std::string &holder) {
    directory("/sys/class/block/" + device + "/holders/" + holder);
}

void FakeHost::add_group(const std::string &pci, const std::string &number,
                         const std::string &type) {
    put("/sys/kernel/iommu_groups/" + number + "/type", type + "\n");
    link("/sys/bus/pci/devices/" + pci + "/iommu_group", "/sys/kernel/iommu_groups/" + number);
}

void FakeHost::mount(const std::string &number, const std::string &point,
                     const std::string &source) {
    std::string type = source == "configfs" ? "configfs" : "ext4";
    std::ofstream(real_path("/proc/self/mountinfo"), std::ios::app)
        << "36 25 " << number << " / " << point << " rw,relatime shared:1 - " << type << ' '
        << source << " rw\n";
}

void FakeHost::attach(const std::string &partition, int pid) {
    put(state_partitions + partition + "/attached", "1\n");
    put(state_partitions + partition + "/pid", std::to_string(pid) + "\n");
}

int FakeHost::make_image(const std::string &name) {
    std::string what = "mkdir adjuncts/" + base_name(name);
    log.push_back(what);
    if (auto found = fail.find(what); found != fail.end())
        return found->second;
    if (int error = Host::make_directory(name))
        return error;
    put(name + "/image", "");
    put(name + "/sha256", "\n");
    put(name + "/enable", "0\n");
    if (knows_global_images) {
        put(name + "/global", "0\n");
        put(name + "/users", "0\n");
    }
    return 0;
}

// What is written counts when the file is closed, and nobody hears of it if it does not.
int FakeHost::write_image(const std::string &file, const std::string &text) {
    std::string folder = file.substr(0, file.rfind('/'));
    std::string what = "write adjuncts/" + base_name(folder) + "/" + base_name(file);
    if (!file.ends_with("/image"))
        what += "=" + text;
    log.push_back(what);
    if (auto found = fail.find(what); found != fail.end())
        return found->second;
    if (!exists(file))
        return ENOENT;
    if (file.ends_with("/enable")) {
        put(file, text + "\n");
    } else if (file.ends_with("/global")) {
        if (read(folder + "/enable") == "1")
            return EBUSY;
        put(file, text + "\n");
    } else if (read(folder + "/enable") != "1" && !lose_images) {
        put(file, text);
        put(folder + "/sha256", image_sha256(text) + "\n");
    }
    return 0;
}

int FakeHost::make_directory(const std::string &name) {
    if (name.starts_with(configfs_images))
        return make_image(name);
    std::string what = "mkdir " + name.substr(std::string(configfs_partitions).size());
    log.push_back(what);
    if (auto found = fail.find(what); found != fail.end())
        return found->second;
    if (int error = Host::make_directory(name))
        return error;
    if (is_partition(name)) {
        directory(name + "/disks");
        if (knows_nics)
            directory(name + "/nics");
        if (knows_mailboxes)
            directory(name + "/vfs");
        put(name + "/memory_limit", "268435456\n");
        put(name + "/quantum_limit_us", "1000\n");
        put(name + "/owner", "0\n");
        put(name + "/adjuncts", "0\n");
        if (knows_own_images)
            put(name + "/own_images", "0\n");
        if (knows_mailboxes) {
            put(name + "/role", "client\n");
            put(name + "/qmp", "\n");
            for (uint32_t ask = 1; ask < LPAR_ASKS; ask++)
                put(name + "/policy/" + iov_ask_name(ask), "ask\n");
        }
        std::string state = state_partitions + fs::path(name).filename().string();
        put(state + "/attached", "0\n");
        put(state + "/pinned_bytes", "0\n");
        put(state + "/windows", "0\n");
        directory(state + "/disks");
        return 0;
    }
    if (is_mailbox(name)) {
        for (const auto *attribute : {"kind", "mac", "vlan", "mtu", "rate", "queues"})
            put(name + "/" + attribute, "\n");
        put(name + "/enable", "0\n");
        return 0;
    }
    using Names = std::vector<const char *>;
    for (const auto *attribute :
         is_nic(name) ? Names{"adapter", "mac", "primary"} : Names{"device", "serial"})
        put(name + "/" + attribute, "\n");
    for (const auto *attribute : is_nic(name)
                                     ? Names{"vlan", "max_rate", "queues", "trust", "enable"}
                                     : Names{"start", "size", "read_only", "queues", "enable"})
        put(name + "/" + attribute, "0\n");
    put(name + "/mode", "auto\n");
    put(name + "/status", "disabled\n");
    return 0;
}

int FakeHost::remove_directory(const std::string &name) {
    if (name.starts_with(configfs_images)) {
        std::string image = "rmdir adjuncts/" + base_name(name);
        log.push_back(image);
        if (auto found = fail.find(image); found != fail.end())
            return found->second;
        erase(name);
        return 0;
    }
    std::string what = "rmdir " + name.substr(std::string(configfs_partitions).size());
    log.push_back(what);
    if (auto found = fail.find(what); found != fail.end())
        return found->second;
    if (!exists(name))
        return ENOENT;
    if (!list(name + "/disks").empty() || !list(name + "/nics").empty() ||
        !list(name + "/vfs").empty())
        return ENOTEMPTY;
    erase(name);
    if (is_partition(name))
        erase(state_partitions + fs::path(name).filename().string());
    return 0;
}

int FakeHost::write(const std::string &file, const std::string &text) {
    if (file.starts_with(configfs_images))
        return write_image(file, text);
    if (!file.starts_with(configfs_partitions)) {
        if (!exists(file))
            return ENOENT;
        if (auto found = fail.find("write " + file + "=" + text); found != fail.end())
            return found->second;
        if (has_sriov_ && file.starts_with("/sys/bus/pci/"))
            return write_pci(file, text);
        put(file, text);
        return 0;
    }
    std::string what = "write " + file.substr(std::string(configfs_partitions).size()) + "=" + text;
    log.push_back(what);
    std::string function = file.substr(0, file.rfind('/'));
    bool is_enable = file.ends_with("/enable");
    if (auto found = fail.find(what); found != fail.end()) {
        if (is_enable && text == "1")
            put(function + "/status", "refused: " + refusal + "\n");
        return found->second;
    }
    if (!exists(file))
        return ENOENT;
    if (is_enable && !is_mailbox(function))
        return enable(function, text);
    if (read(function + "/enable") == "1")
        return EBUSY;
    if (file.ends_with("/own_images") &&
        read(state_partitions + base_name(function) + "/attached") == "1")
        return EBUSY;
    // the kernel does not hear of a write of nothing
    if (!text.empty())
        put(file, text.ends_with('\n') ? text : text + "\n");
    return 0;
}

int FakeHost::enable(const std::string &function, const std::string &wish) {
    put(function + "/enable", wish + "\n");
    std::string below = function.substr(std::string(configfs_partitions).size());
    std::string state = state_partitions + below;
    if (wish == "0") {
        put(function + "/status", "disabled\n");
        erase(state);
        return 0;
    }
    if (is_nic(function)) {
        std::string mac = read(function + "/mac").value_or("");
        put(function + "/status", "page: e1000e is not qualified\n");
        put(state + "/mode", "page\n");
        put(state + "/reason", "e1000e is not qualified\n");
        put(state + "/adapter", read(function + "/adapter").value_or("") + "\n");
        put(state + "/mac", (mac.empty() ? "02:00:00:00:00:01" : mac) + "\n");
        put(state + "/link", "1\n");
        return 0;
    }
    put(function + "/status", "tag: nvme is qualified\n");
    put(state + "/mode", "tag\n");
    put(state + "/reason", "nvme is qualified\n");
    put(state + "/adapter", "0000:01:00.0\n");
    put(state + "/sectors", "2097152\n");
    return 0;
}

namespace {

class FakeDesk : public Desk {
  public:
    explicit FakeDesk(FakeHost &host) : host_(host) {}
    ~FakeDesk() override {
        for (auto &one : host_.asked)
            if (mine_.contains(one.id))
                one.taken = false;
    }
    std::vector<IovAsked> requests() override { return host_.asked; }
    std::optional<std::string> take(const IovAsked &asked) override {
        for (auto &one : host_.asked)
            if (one.id == asked.id && !one.taken) {
                one.taken = true;
                mine_.insert(one.id);
                return host_.texts[one.id];
            }
        return std::nullopt;
    }
    bool end(uint64_t id, uint32_t status, const std::string &text) override {
        if (host_.on_end)
            host_.on_end();
        mine_.erase(id);
        if (std::erase_if(host_.asked, [&](const auto &one) { return one.id == id; }) == 0)
            return false;
        host_.ended.push_back({id, status, text});
        return true;
    }
    void wait(double seconds) override { host_.sleep(seconds); }

  private:
    FakeHost &host_;
    std::set<uint64_t> mine_;
};

class FakeMailboxes : public Mailboxes {
  public:
    explicit FakeMailboxes(FakeHost &host) : host_(host) {}
    std::vector<Mailbox> list() override { return host_.boxes; }
    Verdict ask(const Mailbox & /*mailbox*/, uint32_t ask, uint64_t value,
                uint32_t seconds) override {
        return host_.on_ask(ask, value, seconds);
    }
    Verdict manage(const std::string &text) override { return host_.on_manage(text); }

  private:
    FakeHost &host_;
};

} // namespace

std::unique_ptr<Desk> FakeHost::open_desk() {
    return std::make_unique<FakeDesk>(*this);
}

std::unique_ptr<Mailboxes> FakeHost::open_mailboxes() {
    return is_guest ? std::make_unique<FakeMailboxes>(*this) : nullptr;
}

int FakeHost::probe(lpar_probe &probe) {
    auto found = probes.find(probe.path);
    if (found != probes.end())
        return found->second(probe);
    return EOPNOTSUPP;
}

RunResult FakeHost::run(const std::vector<std::string> & /*arguments*/) const {
    return answer;
}

std::optional<std::string> FakeHost::find_program(const std::string &name) const {
    auto found = programs.find(name);
    return found == programs.end() ? std::nullopt : std::optional(found->second);
}

void FakeHost::sleep(double seconds) {
    time_ += seconds;
    if (on_sleep)
        on_sleep();
}

lpar_image good_head() {
    lpar_image head{};
    head.magic = LPAR_IMAGE_MAGIC;
    head.abi = LPAR_IMAGE_ABI;
    head.text_pages = 2;
    head.data_pages = 1;
    head.bss_pages = 3;
    head.stack_pages = 4;
    head.entry = 64;
    return head;
}

std::string image_of(const lpar_image &head, size_t bytes) {
    std::string image(bytes, '\0');
    std::memcpy(image.data(), &head, std::min(bytes, sizeof(head)));
    return image;
}

Answer lparctl(FakeHost &host, const std::vector<std::string> &words, bool colour) {
    std::vector<const char *> argv{"lparctl"};
    for (const auto &word : words)
        argv.push_back(word.c_str());
    std::ostringstream out;
    std::ostringstream err;
    Answer answer;
    answer.status =
        run_command_line(static_cast<int>(argv.size()), argv.data(), host, out, err, colour);
    answer.out = out.str();
    answer.err = err.str();
    return answer;
}

} // namespace lpar::test
