// SPDX-License-Identifier: GPL-2.0
#include "doctor.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <fstream>
#include <map>
#include <optional>
#include <set>
#include <sstream>

#include "device.h"
#include "format.h"
#include "gzip.h"
#include "netdev.h"
#include "paths.h"
#include "version.h"

namespace lpar {

namespace {

using Checks = std::vector<Check>;

std::string kernel_release(const Host &host) {
    return host.read("/proc/sys/kernel/osrelease").value_or("");
}

bool parameter_is_set(const Host &host, const std::string &module, const std::string &name) {
    auto value = host.read("/sys/module/" + module + "/parameters/" + name);
    return value == "Y" || value == "1";
}

bool is_multipath_head(const Host &host, const std::string &disk) {
    return disk.starts_with("nvme") &&
           host.resolve("/sys/block/" + disk).value_or("").find("/virtual/nvme-subsystem/") !=
               std::string::npos;
}

// ----------------------------------------------------------------- lpar_host

void check_module(const Host &host, Checks &checks) {
    if (!host.exists(state_root)) {
        checks.push_back({"module", Level::bad, "lpar_host is not loaded", "modprobe lpar_host"});
        return;
    }
    std::string root = state_root;
    std::string version = host.read(root + "/version").value_or("unknown");
    if (version == tool_version)
        checks.push_back({"module", Level::ok, fmt::format("lpar_host {}", version), ""});
    else
        checks.push_back({"module", Level::bad,
                          fmt::format("lpar_host is version {}, lparctl {}", version, tool_version),
                          "install both from one release; then, with guests, lpar-iov and lparstat "
                          "ended: lparctl save; echo '[partitions]' | lparctl apply --prune -; "
                          "modprobe -r lpar_host; modprobe lpar_host; lparctl apply"});
    if (auto range = host.read(root + "/tag_range"))
        checks.push_back({"tag range", Level::ok, *range, ""});
}

void check_configfs(const Host &host, Checks &checks) {
    std::istringstream lines(host.read("/proc/self/mountinfo").value_or(""));
    bool mounted = false;
    for (std::string line; std::getline(lines, line);) {
        std::istringstream fields(line);
        std::string field;
        std::string point;
        for (int i = 0; i < 5 && fields >> field; i++)
            point = field;
        while (fields >> field && field != "-")
            ;
        if (fields >> field && field == "configfs" && point == configfs_mount)
            mounted = true;
    }
    if (mounted)
        checks.push_back({"configfs", Level::ok, fmt::format("mounted on {}", configfs_mount), ""});
    else
        checks.push_back(
            {"configfs", Level::bad, "not mounted",
             fmt::format("modprobe configfs; mount -t configfs none {}", configfs_mount)});
}

// ------------------------------------------------------------------- adapters

void check_group(const Host &host, const std::string &pci, const std::string &driver,
                 Checks &checks) {
    bool is_nvme = driver == "nvme";
    std::string name = "iommu " + pci;
    std::string label = driver.empty() ? "no driver" : driver;
    auto group = host.resolve("/sys/bus/pci/devices/" + pci + "/iommu_group");
    if (!group) {
        if (parameter_is_set(host, "lpar_host", "allow_unsafe_dma"))
            checks.push_back(
                {name, Level::warn,
                 fmt::format("{}: no IOMMU in front of it, and allow_unsafe_dma=1: only "
                             "page mode, and nothing bounds what it reads and writes",
                             label),
                 "turn the IOMMU on, and load lpar_host without allow_unsafe_dma"});
        else
            checks.push_back({name, is_nvme ? Level::bad : Level::warn,
                              fmt::format("{}: no IOMMU in front of it", label),
                              "enable VT-d or AMD-Vi in the firmware; on Intel also boot with "
                              "intel_iommu=on"});
        return;
    }
    std::string number = base_name(*group);
    std::string file = fmt::format("/sys/kernel/iommu_groups/{}/type", number);
    std::string type = host.read(file).value_or("unknown");
    std::string found = fmt::format("{}: group {}, {}", label, number, type);
    if (type == "DMA" || type == "DMA-FQ") {
        checks.push_back({name, Level::ok, found + ": translated", ""});
    } else if (type == "identity") {
        checks.push_back(
            {name, is_nvme ? Level::bad : Level::warn, found + ": not translated",
             fmt::format("boot with iommu.passthrough=0 instead of iommu=pt, or for this group "
                         "alone, while its devices are not in use: echo {} > "
                         "/sys/bus/pci/drivers/{}/unbind; echo DMA > {}; echo {} > "
                         "/sys/bus/pci/drivers/{}/bind",
                         pci, driver, file, pci, driver)});
    } else {
        checks.push_back({name, Level::warn, found + ": the kernel's drivers cannot use it",
                          "it is handed to a virtual machine (vfio): bind its own driver again"});
    }
}

void check_iommu(const Host &host, Checks &checks) {
    std::map<std::string, std::string> adapters; // address → driver
    for (const auto &controller : host.list("/sys/class/nvme")) {
        auto pci = pci_address(host.resolve("/sys/class/nvme/" + controller).value_or(""));
        if (!pci.empty())
            adapters[pci] = "nvme";
    }
    Devices devices(host);
    for (const auto &name : devices.names()) {
        BlockDevice device = devices.get(name);
        if (!device.pci.empty() && device.disk.empty())
            adapters.emplace(device.pci, device.driver);
    }
    for (const auto &name : physical_interfaces(host)) {
        NetDevice device = net_device(host, name);
        if (!device.pci.empty())
            adapters.emplace(device.pci, device.driver);
    }
    for (const auto &[pci, driver] : adapters)
        check_group(host, pci, driver, checks);
    bool has_nvme = std::any_of(adapters.begin(), adapters.end(),
                                [](const auto &entry) { return entry.second == "nvme"; });
    if (!has_nvme)
        checks.push_back({"adapters", Level::warn, "no NVMe controller",
                          "other disks are shared in page mode, as far as they can be shared"});
}

void check_multipath(const Host &host, Checks &checks) {
    if (!host.exists("/sys/module/nvme_core"))
        return;
    if (!parameter_is_set(host, "nvme_core", "multipath")) {
        checks.push_back({"nvme multipath", Level::ok, "off", ""});
        return;
    }
    std::string heads;
    for (const auto &disk : host.list("/sys/block"))
        if (is_multipath_head(host, disk))
            heads += (heads.empty() ? "" : ", ") + disk;
    if (heads.empty())
        checks.push_back({"nvme multipath", Level::ok, "on, but no disk uses it", ""});
    else
        checks.push_back({"nvme multipath", Level::warn, heads + ": only page mode is possible",
                          "boot with nvme_core.multipath=N"});
}

// --------------------------------------------------------------------- kernel

void check_kvm(const Host &host, Checks &checks) {
    bool amd = host.exists("/sys/module/kvm_amd");
    bool intel = host.exists("/sys/module/kvm_intel");
    if (host.exists("/sys/module/kvm") && host.exists("/dev/kvm")) {
        checks.push_back({"kvm", Level::ok, amd ? "kvm_amd" : intel ? "kvm_intel" : "kvm", ""});
        return;
    }
    std::istringstream cpu(host.read("/proc/cpuinfo").value_or(""));
    std::set<std::string> words;
    for (std::string word; cpu >> word;)
        words.insert(word);
    if (words.contains("svm") || words.contains("vmx"))
        checks.push_back({"kvm", Level::bad, "not loaded, and the processor has it",
                          words.contains("svm") ? "modprobe kvm_amd" : "modprobe kvm_intel"});
    else
        checks.push_back({"kvm", Level::bad, "the processor shows no virtualisation",
                          "enable VT-x or SVM in the firmware; in a virtual machine, nested "
                          "virtualisation"});
}

// Each option of the running kernel that is =y or =m.
std::optional<std::set<std::string>> kernel_options(const Host &host) {
    std::string release = kernel_release(host);
    std::optional<std::string> text;
    if (auto packed = host.read("/proc/config.gz"))
        text = gunzip(*packed);
    for (const auto &path : {"/boot/config-" + release, "/lib/modules/" + release + "/config"})
        if (!text)
            text = host.read(path);
    if (!text)
        return std::nullopt;
    std::set<std::string> options;
    std::istringstream lines(*text);
    for (std::string line; std::getline(lines, line);)
        if (line.starts_with("CONFIG_") && (line.ends_with("=y") || line.ends_with("=m")))
            options.insert(line.substr(7, line.size() - 9));
    return options;
}

void check_options(const Host &host, Checks &checks) {
    struct Need {
        std::string option;
        std::string other; // what also provides it, or empty
        std::string what_for;
        Level without = Level::bad;
    };
    // DEVICE_PRIVATE is one of those that select GET_FREE_REGION; before 6.0 it stood alone.
    // ARCH_HAS_DMA_OPS came with 6.12; before, DMA_OPS stood for it.
    static const std::array<Need, 14> needs = {{
        {"ZONE_DEVICE", "", "struct pages for memory tags"},
        {"GET_FREE_REGION", "DEVICE_PRIVATE", "request_free_mem_region() for the tag range"},
        {"MEMORY_HOTPLUG", "", "adding the tag range"},
        {"PREEMPT_NOTIFIERS", "", "the measure of donated time; KVM selects it"},
        {"CONFIGFS_FS", "", "configuration"},
        {"EVENTFD", "", "doorbells and interrupts"},
        {"NET", "", "NICs"},
        {"ARCH_HAS_DMA_OPS", "DMA_OPS", "DMA operations of adapters, which tags need"},
        {"CRYPTO_LIB_SHA256", "", "images of adjuncts"},
        {"NETFILTER_EGRESS", "", "frames from the host to clients' NICs", Level::warn},
        {"XFRM_OFFLOAD", "", "clients' IPsec", Level::warn},
        {"DEBUG_INFO_BTF", "", "lparstat", Level::warn},
        {"BPF_EVENTS", "", "lparstat", Level::warn},
        {"CGROUPS", "", "lparstat", Level::warn},
    }};
    auto options = kernel_options(host);
    if (!options) {
        checks.push_back(
            {"kernel options", Level::warn,
             "neither /proc/config.gz nor /boot/config-" + kernel_release(host) + " can be read",
             ""});
        return;
    }
    bool all = true;
    if (options->contains("PREEMPT_RT")) {
        all = false;
        checks.push_back({"kernel option", Level::bad,
                          "CONFIG_PREEMPT_RT is on: lpar_host does not load",
                          "use a kernel without this option; guests may have it"});
    }
    for (const auto &need : needs) {
        if (options->contains(need.option) || options->contains(need.other))
            continue;
        all = false;
        checks.push_back({"kernel option", need.without,
                          fmt::format("CONFIG_{} is off: {}", need.option, need.what_for),
                          "use a kernel with this option"});
    }
    if (all)
        checks.push_back({"kernel options", Level::ok, "all are there", ""});
}

void check_exports(const Host &host, Checks &checks) {
    if (auto transport = host.read(std::string(state_root) + "/transport")) {
        bool direct = transport == "task_work";
        checks.push_back({"transport", direct ? Level::ok : Level::warn, *transport,
                          direct ? ""
                                 : "slower, each doorbell exits to QEMU: use a kernel that exports "
                                   "task_work_add, and no parameter that forces this"});
        return;
    }
    // With KALLSYMS_ALL the export table's own entries are symbols, too.
    std::istringstream lines(host.read("/proc/kallsyms").value_or(""));
    bool exported = false;
    bool shows_exports = false;
    for (std::string line; std::getline(lines, line) && !exported;) {
        exported = line.ends_with(" __ksymtab_task_work_add");
        shows_exports |= line.find(" __ksymtab_") != std::string::npos;
    }
    if (exported)
        checks.push_back({"exports", Level::ok, "task_work_add is exported", ""});
    else if (shows_exports)
        checks.push_back({"exports", Level::warn, "task_work_add is not exported",
                          "doorbells will exit to QEMU: slower, and otherwise the same"});
    else
        checks.push_back({"exports", Level::warn,
                          "this kernel does not show what it exports; the module will tell", ""});
}

// ------------------------------------------------------------------- user space

void check_memlock(const Host &host, Checks &checks) {
    static const std::string title = "Max locked memory";
    std::istringstream lines(host.read("/proc/self/limits").value_or(""));
    std::string soft;
    for (std::string line; std::getline(lines, line);)
        if (line.starts_with(title))
            std::istringstream(line.substr(title.size())) >> soft;
    if (soft.empty()) {
        checks.push_back({"memlock", Level::warn, "the limit cannot be read", ""});
        return;
    }
    if (soft == "unlimited") {
        checks.push_back({"memlock", Level::ok, soft, ""});
        return;
    }
    uint64_t limit = 0;
    std::istringstream(soft) >> limit;
    uint64_t largest = 0;
    for (const auto &name : host.list(configfs_partitions))
        largest = std::max(
            largest, host.read_number(configfs_partitions + name + "/memory_limit").value_or(0));
    std::string found = fmt::format("{} here", human_bytes(limit));
    if (largest != 0 && largest <= limit)
        checks.push_back(
            {"memlock", Level::ok,
             fmt::format("{}, the largest partition may pin {}", found, human_bytes(largest)), ""});
    else
        checks.push_back({"memlock", Level::warn,
                          found + "; QEMU without CAP_IPC_LOCK can pin no more",
                          "raise it where QEMU is started: ulimit -l, LimitMEMLOCK=, or in "
                          "/etc/security/limits.d"});
}

void check_qemu(const Host &host, const std::string &qemu, Checks &checks) {
    auto program = host.find_program(qemu);
    if (!program) {
        checks.push_back({"qemu", Level::bad, fmt::format("{} is not there", qemu),
                          "install the QEMU with the lpar device, or name it with --qemu"});
        return;
    }
    RunResult answer = host.run({*program, "-device", "lpar,help"});
    if (answer.status == 0 && answer.output.find("partition=") != std::string::npos)
        checks.push_back({"qemu", Level::ok, fmt::format("{} has the lpar device", *program), ""});
    else
        checks.push_back({"qemu", Level::bad,
                          fmt::format("{} does not know -device lpar", *program),
                          "install the QEMU built with qemu-patches, or name it with --qemu"});
}

} // namespace

std::string_view level_name(Level level) {
    static constexpr std::array<std::string_view, 3> names = {"ok", "warn", "bad"};
    return names.at(static_cast<size_t>(level));
}

std::vector<Check> run_checks(const Host &host, const std::string &qemu) {
    Checks checks;
    check_module(host, checks);
    check_configfs(host, checks);
    check_iommu(host, checks);
    check_multipath(host, checks);
    check_kvm(host, checks);
    check_options(host, checks);
    check_exports(host, checks);
    check_memlock(host, checks);
    check_qemu(host, qemu, checks);
    return checks;
}

} // namespace lpar
