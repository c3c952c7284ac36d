// SPDX-License-Identifier: GPL-2.0
// A machine made of plain files in a temporary directory, with a kernel that behaves as
// lpar_host's configfs does, and fails where a test wants it to.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "host.h"
#include "lpar/adjunct.h"
#include "lpar/control.h"
#include "mailboxes.h"

namespace lpar::test {

class TempDir {
  public:
    TempDir();
    ~TempDir();
    TempDir(const TempDir &) = delete;
    TempDir &operator=(const TempDir &) = delete;
    const std::string &path() const { return path_; }

  private:
    std::string path_;
};

class FakeHost : private TempDir, public Host {
  public:
    FakeHost(); // with the module loaded, configfs mounted, no disks and no partitions

    using TempDir::path;

    // ---- building the tree; absolute paths of the fake machine
    void put(const std::string &file, const std::string &text);
    void directory(const std::string &name);
    void link(const std::string &name, const std::string &target); // made relative
    void erase(const std::string &name);

    // An NVMe controller with one namespace: nvme<n>n1, with partitions of 1 GiB each.
    void add_nvme(int n, const std::string &pci, int partitions = 0);
    // A disk without an adapter: dm-0, md0, loop0.
    void add_virtual_disk(const std::string &name, uint64_t sectors);
    // A network interface; without @pci a virtual one.
    void add_nic(const std::string &name, const std::string &pci);
    // An SR-IOV adapter with a driver and no VFs yet; then VFs, drivers of them and their number
    // change as the kernel's would.
    void add_sriov(const std::string &pci, unsigned total);
    void add_holder(const std::string &device, const std::string &holder);
    void add_group(const std::string &pci, const std::string &number, const std::string &type);
    void mount(const std::string &number, const std::string &point, const std::string &source);
    void attach(const std::string &partition, int pid);

    // ---- what happened
    std::vector<std::string> log; // "mkdir …", "write …=…", "rmdir …" below partitions/
    bool has(const std::string &name) const { return exists(name); }

    // ---- what goes wrong: errno for a step as it stands in the log
    std::map<std::string, int> fail;
    std::string refusal; // status after a failed enable, behind "refused: "

    std::map<std::string, std::function<int(lpar_probe &)>> probes;
    bool privileged = true;
    bool knows_nics = true;   // false: new partitions are those of an older module
    bool lose_images = false; // what is written of an image gets lost
    bool knows_mailboxes = false;
    bool knows_global_images = true; // likewise of new images
    bool knows_own_images = true;

    // ---- what partitions ask for; and this machine as a guest that asks
    std::vector<IovAsked> asked;
    std::map<uint64_t, std::string> texts; // of requests that are texts
    struct Ended {
        uint64_t id;
        uint32_t status;
        std::string text;
    };
    std::vector<Ended> ended;
    std::function<void()> on_end; // before somebody answers
    bool is_guest = false;
    std::vector<Mailbox> boxes;
    std::function<Verdict(uint32_t ask, uint64_t value, uint32_t seconds)> on_ask;
    std::function<Verdict(const std::string &text)> on_manage;

    RunResult answer;
    std::map<std::string, std::string> programs;
    std::function<void()> on_sleep;
    std::function<int(const std::vector<std::string> &arguments)> on_attend;

    [[nodiscard]] int write(const std::string &file, const std::string &text) override;
    [[nodiscard]] int make_directory(const std::string &name) override;
    [[nodiscard]] int remove_directory(const std::string &name) override;
    [[nodiscard]] int probe(lpar_probe &probe) override;
    std::unique_ptr<Desk> open_desk() override;
    std::unique_ptr<Mailboxes> open_mailboxes() override;
    bool is_privileged() const override { return privileged; }
    RunResult run(const std::vector<std::string> &arguments) const override;
    int attend(const std::vector<std::string> &arguments) const override {
        return on_attend(arguments);
    }
    std::optional<std::string> find_program(const std::string &name) const override;
    double now() const override { return time_; }
    void sleep(double seconds) override;

  private:
    int make_image(const std::string &name);
    int write_image(const std::string &file, const std::string &text);
    int enable(const std::string &function, const std::string &wish);
    int write_pci(const std::string &file, const std::string &text);
    void add_pci(const std::string &pci);

    double time_ = 100;
    int minor_ = 0;
    bool has_sriov_ = false;
};

// The head of an image of 2 pages of text, 1 of data, 3 of bss and 4 of stack; and the image's
// file.
lpar_image good_head();
std::string image_of(const lpar_image &head, size_t bytes = 3 * 4096);

// The result of a command line given as words.
struct Answer {
    int status = 0;
    std::string out;
    std::string err;
};
Answer lparctl(FakeHost &host, const std::vector<std::string> &words, bool colour = false);

} // namespace lpar::test
