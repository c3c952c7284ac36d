// SPDX-License-Identifier: GPL-2.0
#include "probe.h"

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fmt/format.h>
#include <string_view>
#include <unistd.h>

#include "config.h"
#include "error.h"
#include "lpar.skel.h"
#include "room.h"

namespace lpar {

namespace {

using namespace std::chrono_literals;

constexpr auto kernel_btf = "/sys/kernel/btf/vmlinux";
constexpr auto module_btf = "/sys/kernel/btf/lpar_host";
constexpr auto kvm_module = "/sys/module/kvm";

// What libbpf said, for when it matters.
std::string &libbpf_log() {
    static std::string log;
    return log;
}

// An environment variable, for who tests or looks for an error; nullptr: not set.
const char *setting(const char *name) {
    return std::getenv(name); // NOLINT(concurrency-mt-unsafe)
}

int keep_log(libbpf_print_level level, const char *format, va_list arguments) {
    va_list again;
    va_copy(again, arguments);
    int length = std::vsnprintf(nullptr, 0, format, again);
    va_end(again);
    if (level == LIBBPF_WARN && length > 0) {
        std::string line(static_cast<size_t>(length) + 1, '\0');
        std::vsnprintf(line.data(), line.size(), format, arguments);
        line.pop_back();
        libbpf_log() += line;
    }
    return length;
}

std::string last_line(std::string_view text) {
    while (!text.empty() && text.back() == '\n')
        text.remove_suffix(1);
    return std::string(text.substr(text.rfind('\n') + 1));
}

[[noreturn]] void refuse(const std::string &what, int error) {
    // Without rights a module's types are not there, and what may be loaded all the same says so.
    if (error == EPERM || (error == ESRCH && geteuid() != 0))
        throw Failure("this needs root, or CAP_BPF and CAP_PERFMON: sudo lparstat");
    // The verifier's reasons are long, and for whoever writes the programs.
    if (setting("LPARSTAT_DEBUG") != nullptr)
        std::fputs(libbpf_log().c_str(), stderr);
    std::string said = last_line(libbpf_log());
    throw Failure(
        fmt::format("{}: {}{}", what, error_text(error), said.empty() ? "" : " (" + said + ")"));
}

class Probe : public Source {
  public:
    Probe(Host &host, const Wanted &wanted) : cpus_(libbpf_num_possible_cpus()), wanted_(wanted) {
        libbpf_set_print(keep_log);
        skeleton_ = lpar_bpf__open();
        if (skeleton_ == nullptr)
            refuse("the eBPF programs cannot be opened", errno);
        try {
            start(host);
        } catch (...) {
            lpar_bpf__destroy(skeleton_);
            throw;
        }
    }
    ~Probe() override { lpar_bpf__destroy(skeleton_); }
    Probe(const Probe &) = delete;
    Probe &operator=(const Probe &) = delete;

    std::map<AdjunctKey, lpar_account> accounts() override {
        std::map<AdjunctKey, lpar_account> sums;
        read_places<lpar_account_key, lpar_place>(
            skeleton_->maps.account_places, skeleton_->maps.accounts,
            [&](const auto &key, const auto &value) {
                add(sums[{key.partition, key.adjunct}], value.account);
            });
        return sums;
    }

    std::optional<lpar_usage> usage(uint64_t cgroup) override {
        std::optional<lpar_usage> sum;
        if (!wanted_.usage)
            return sum;
        read_value<uint64_t, lpar_usage>(skeleton_->maps.usages, cgroup,
                                         [&](uint64_t, const auto &value) {
                                             if (!sum)
                                                 sum.emplace();
                                             add(*sum, value);
                                         });
        return sum;
    }

    bool counts_usage() const override { return wanted_.usage; }
    bool sees_guests() const override { return kvm_; }

    Kept kept() override {
        Kept all;
        auto accounts = keys<lpar_account_key>(skeleton_->maps.account_places);
        auto donors = keys<lpar_cgroup_key>(skeleton_->maps.cgroup_places);
        auto groups = used_groups();
        if (!accounts_.is_high(accounts.size()) && !donors_.is_high(donors.size()) &&
            !usages_.is_high(groups.size()))
            return all;
        for (const auto &key : accounts)
            all.partitions.insert(key.partition);
        for (const auto &key : donors) {
            all.partitions.insert(key.partition);
            all.cgroups.insert(key.cgroup);
        }
        all.cgroups.insert(groups.begin(), groups.end());
        return all;
    }

    void forget(const Kept &gone) override {
        auto &maps = skeleton_->maps;
        size_t left = 0;
        for (const auto &key : keys<lpar_account_key>(maps.account_places))
            if (!gone.partitions.contains(key.partition))
                left++;
            else if (uint32_t place = take_place(maps.account_places, key))
                empty_account(place);
        accounts_.looked(left);
        left = 0;
        for (const auto &key : keys<lpar_cgroup_key>(maps.cgroup_places))
            if (!gone.cgroups.contains(key.cgroup) && !gone.partitions.contains(key.partition))
                left++;
            else if (uint32_t place = take_place(maps.cgroup_places, key))
                give_back<lpar_cgroup_place>(maps.cgroups, maps.free_cgroups, place);
        donors_.looked(left);
        left = 0;
        for (uint64_t id : used_groups())
            if (!gone.cgroups.contains(id))
                left++;
            else
                bpf_map__delete_elem(maps.usages, &id, sizeof(id), 0);
        usages_.looked(left);
    }

    void read_rest(Accounts &all) override {
        if (wanted_.latency)
            read_shared<lpar_account_key, uint32_t>(
                skeleton_->maps.account_places,
                [&](const auto &key, uint32_t place) { read_hists(all, key, place); });
        read_places<lpar_cgroup_key, lpar_cgroup_place>(
            skeleton_->maps.cgroup_places, skeleton_->maps.cgroups,
            [&](const auto &key, const auto &value) {
                add(all.cgroups[{key.partition, key.cgroup}], value.used);
            });
        for (uint32_t kind = 0; kind < LPAR_LOST_KINDS; kind++)
            read_value<uint32_t, uint64_t>(
                skeleton_->maps.losses, kind, [&](uint32_t, uint64_t count) {
                    (kind == LPAR_LOST_FULL ? all.lost.full : all.lost.unmatched) += count;
                });
        all.lost.missed = missed();
        read_serving(all);
    }

  private:
    // Each program stands there twice; the typed one is taken where the kernel knows the type.
    void choose(const Host &host) {
        btf *kernel = btf__load_vmlinux_btf();
        if (kernel == nullptr)
            refuse("the kernel's types cannot be read", errno);
        bool raw = setting("LPARSTAT_RAW") != nullptr;
        bool module = host.exists(module_btf);
        kvm_ = host.exists(kvm_module);
        bpf_program *program = nullptr;
        bpf_object__for_each_program(program, skeleton_->obj) {
            std::string_view name = bpf_program__name(program);
            bool typed = name.starts_with("btf_");
            name.remove_prefix(4); // btf_, raw_
            if (name.starts_with("kvm_")) {
                bpf_program__set_autoload(program, !typed && kvm_ && wanted_.usage);
                continue;
            }
            if (name == "lpar_completion" && !wanted_.latency) {
                bpf_program__set_autoload(program, false);
                continue;
            }
            std::string type = "btf_trace_" + std::string(name);
            bool have = name.starts_with("lpar_")
                            ? module
                            : btf__find_by_name_kind(kernel, type.c_str(), BTF_KIND_TYPEDEF) > 0;
            bpf_program__set_autoload(program, typed == (have && !raw));
        }
        btf__free(kernel);
    }

    void start(const Host &host) {
        choose(host);
        skeleton_->rodata->latency_wanted = wanted_.latency;
        skeleton_->rodata->usage_wanted = wanted_.usage;
        make_room(asked_for(room_for(host)));
        if (int error = lpar_bpf__load(skeleton_))
            refuse("the kernel does not take the eBPF programs", -error);
        if (int error = lpar_bpf__attach(skeleton_)) {
            if (error == -ENOENT)
                refuse("the module has other tracepoints: is it as new as lparstat?", -error);
            refuse("the eBPF programs cannot be attached", -error);
        }
        skeleton_->bss->armed = 1;
    }

    // What nobody asked for takes none.
    void make_room(const Room &room) {
        auto &maps = skeleton_->maps;
        bpf_map__set_max_entries(maps.account_places, room.accounts);
        bpf_map__set_max_entries(maps.accounts, room.accounts);
        bpf_map__set_max_entries(maps.free_accounts, room.accounts);
        skeleton_->rodata->accounts_max = room.accounts;
        accounts_ = Fill(room.accounts);
        bpf_map__set_max_entries(maps.hists,
                                 wanted_.latency ? room.accounts * LPAR_HIST_CLASSES : 1);
        bpf_map__set_max_entries(maps.cgroup_places, room.cgroups);
        bpf_map__set_max_entries(maps.cgroups, room.cgroups);
        bpf_map__set_max_entries(maps.free_cgroups, room.cgroups);
        skeleton_->rodata->cgroups_max = room.cgroups;
        donors_ = Fill(room.cgroups);
        bpf_map__set_max_entries(maps.usages, wanted_.usage ? room.usages : 1);
        usages_ = Fill(room.usages);
        bpf_map__set_max_entries(maps.threads, room.threads);
    }

    static Room asked_for(Room room) {
        auto ask = [](const char *name, auto &...number) {
            if (const char *text = setting(name))
                ((number = static_cast<uint32_t>(std::strtoul(text, nullptr, 10))), ...);
        };
        ask("LPARSTAT_THREADS", room.threads);
        ask("LPARSTAT_GROUPS", room.cgroups, room.usages);
        return room;
    }

    // Calls @take with each CPU's value of a key, if there is one.
    template <typename Key, typename Value, typename Take>
    void read_value(bpf_map *map, const Key &key, Take take) {
        // The kernel writes each CPU's value at a multiple of 8.
        static_assert(sizeof(Value) % 8 == 0);
        std::vector<Value> values(static_cast<size_t>(cpus_));
        if (bpf_map__lookup_elem(map, &key, sizeof(key), values.data(),
                                 values.size() * sizeof(Value), 0) == 0)
            for (const auto &value : values)
                take(key, value);
    }

    // Calls @take with each key and its value, of a map that has one for all CPUs.
    template <typename Key, typename Value, typename Take>
    void read_shared(bpf_map *map, Take take) {
        Key key;
        Value value{};
        for (const Key *last = nullptr; bpf_map__get_next_key(map, last, &key, sizeof(key)) == 0;
             last = &key)
            if (bpf_map__lookup_elem(map, &key, sizeof(key), &value, sizeof(value), 0) == 0)
                take(key, value);
    }

    // The same with each key that has a place, counted from 1, and what stands there.
    template <typename Key, typename Value, typename Take>
    void read_places(bpf_map *places, bpf_map *values, Take take) {
        read_shared<Key, uint32_t>(places, [&](const Key &key, uint32_t place) {
            read_value<uint32_t, Value>(values, place - 1,
                                        [&](uint32_t, const Value &value) { take(key, value); });
        });
    }

    template <typename Key>
    std::vector<Key> keys(bpf_map *map) {
        std::vector<Key> all;
        Key key;
        for (const Key *last = nullptr; bpf_map__get_next_key(map, last, &key, sizeof(key)) == 0;
             last = &key)
            all.push_back(key);
        return all;
    }

    // Control groups whose usage is counted
    std::vector<uint64_t> used_groups() {
        return wanted_.usage ? keys<uint64_t>(skeleton_->maps.usages) : std::vector<uint64_t>();
    }

    // A key has its place no more. 0: it had none.
    template <typename Key>
    uint32_t take_place(bpf_map *places, const Key &key) {
        uint32_t place = 0;
        if (bpf_map__lookup_elem(places, &key, sizeof(key), &place, sizeof(place), 0) != 0 ||
            bpf_map__delete_elem(places, &key, sizeof(key), 0) != 0)
            return 0;
        return place;
    }

    // A place that no key has is emptied, for another one.
    template <typename Value>
    void give_back(bpf_map *values, bpf_map *free, uint32_t place) {
        uint32_t at = place - 1;
        std::vector<Value> none(static_cast<size_t>(cpus_));
        if (bpf_map__update_elem(values, &at, sizeof(at), none.data(), none.size() * sizeof(Value),
                                 0) == 0)
            bpf_map_update_elem(bpf_map__fd(free), nullptr, &place, 0);
    }

    void empty_account(uint32_t place) {
        lpar_hist none{};
        for (uint32_t kind = 0; wanted_.latency && kind < LPAR_HIST_CLASSES; kind++) {
            uint32_t at = (place - 1) * LPAR_HIST_CLASSES + kind;
            bpf_map__update_elem(skeleton_->maps.hists, &at, sizeof(at), &none, sizeof(none), 0);
        }
        give_back<lpar_place>(skeleton_->maps.accounts, skeleton_->maps.free_accounts, place);
    }

    // Of the account at a place; those that occurred.
    void read_hists(Accounts &all, const lpar_account_key &key, uint32_t place) {
        for (uint32_t kind = 0; kind < LPAR_HIST_CLASSES; kind++) {
            uint32_t at = (place - 1) * LPAR_HIST_CLASSES + kind;
            lpar_hist hist{};
            if (bpf_map__lookup_elem(skeleton_->maps.hists, &at, sizeof(at), &hist, sizeof(hist),
                                     0) == 0 &&
                hist_count(hist) != 0)
                all.hists.emplace(HistKey{{key.partition, key.adjunct}, kind}, hist);
        }
    }

    // One that comes or goes meanwhile may be missed; the next look sees it.
    void read_serving(Accounts &all) {
        auto take = [&](uint32_t id, const lpar_thread &thread) {
            // the clock of bpf_ktime_get_ns(), looked at later than it was there
            auto now = std::chrono::steady_clock::now().time_since_epoch();
            if (thread.serving)
                all.serving[id] = {{thread.partition, thread.adjunct},
                                   static_cast<uint64_t>(now / 1ns) - thread.begun};
        };
        read_shared<uint32_t, lpar_thread>(skeleton_->maps.threads, take);
        read_value<uint32_t, lpar_cpu>(skeleton_->maps.cpus, 0, [&](uint32_t, const lpar_cpu &cpu) {
            if (cpu.pid != 0)
                take(cpu.pid, cpu.thread);
        });
    }

    // How often the kernel found a program running already and left it out.
    uint64_t missed() const {
        uint64_t count = 0;
        bpf_program *program = nullptr;
        bpf_object__for_each_program(program, skeleton_->obj) {
            bpf_prog_info info{};
            uint32_t size = sizeof(info);
            int fd = bpf_program__fd(program);
            if (fd >= 0 && bpf_obj_get_info_by_fd(fd, &info, &size) == 0)
                count += info.recursion_misses;
        }
        return count;
    }

    int cpus_;
    Wanted wanted_;
    bool kvm_ = false; // there are tracepoints of it
    Fill accounts_;
    Fill donors_; // control groups
    Fill usages_;
    lpar_bpf *skeleton_ = nullptr;
};

} // namespace

std::unique_ptr<Source> make_probe(Host &host, const Wanted &wanted) {
    require_module(host);
    if (!host.exists(kernel_btf))
        throw Failure(fmt::format(
            "{} is not there: the kernel must have been built with CONFIG_DEBUG_INFO_BTF",
            kernel_btf));
    return std::make_unique<Probe>(host, wanted);
}

} // namespace lpar
