// SPDX-License-Identifier: GPL-2.0
// --prometheus: everything since the beginning, as counters and histograms.
#include <fmt/format.h>
#include <map>
#include <mutex>
#include <prometheus/collectable.h>
#include <prometheus/exposer.h>
#include <string_view>

#include "error.h"
#include "metrics.h"
#include "run.h"

namespace lpar {

namespace {

using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;
using Labels = std::vector<ClientMetric::Label>;

constexpr double ns_per_second = 1e9;

ClientMetric metric(const Labels &labels, double value, MetricType type) {
    ClientMetric result;
    result.label = labels;
    (type == MetricType::Counter ? result.counter.value : result.gauge.value) = value;
    return result;
}

ClientMetric histogram(Labels labels, const char *kind, const lpar_hist &hist) {
    ClientMetric result;
    labels.push_back({"class", kind});
    result.label = std::move(labels);
    result.histogram.sample_count = hist_count(hist);
    result.histogram.sample_sum = static_cast<double>(hist.sum_ns) / ns_per_second;
    uint64_t sum = 0;
    for (size_t i = 0; i < LPAR_HIST_SLOTS; i++) {
        sum += hist.slot[i];
        result.histogram.bucket.push_back({sum, static_cast<double>(2ull << i) / ns_per_second});
    }
    return result;
}

void add_usage(MetricFamily &family, const std::string &partition, const CgroupReport &cgroup) {
    const lpar_usage &used = cgroup.usage->used;
    auto put = [&](const char *use, uint64_t ns) {
        family.metric.push_back(
            metric({{"partition", partition}, {"cgroup", cgroup.path}, {"use", use}},
                   static_cast<double>(ns) / ns_per_second, MetricType::Counter));
    };
    if (cgroup.usage->guest_known)
        put("guest", used.guest_ns);
    put("donated", used.served_ns);
    put("interrupts", used.interrupt_ns);
    put("other", used.other_ns);
}

std::string help_text(const std::string &counter) {
    static const std::map<std::string, std::string, std::less<>> texts = {
        {"dispatches", "times that a queue was served on donated time"},
        {"requests", "requests taken in dispatches"},
        {"donated_ns", "CPU time of vCPU threads in dispatches, by eBPF's clock"},
        {"module_donated_ns", "the same, as the module says"},
        {"irq_ns", "of the donated time: interrupt handlers"},
        {"softirq_ns", "of the donated time: softirqs"},
        {"preempted_ns", "others ran during dispatches; not donated"},
        {"slept_ns", "vCPU threads waited in dispatches; not donated"},
        {"quantum_ns", "time that was granted to dispatches"},
        {"switch_in_ns", "from the doorbell until the service begins"},
        {"switch_out_ns", "of the donated time: after the requests had been submitted"},
        {"ended_empty", "dispatches that ended since there was nothing left"},
        {"ended_expired", "dispatches that ended with their quantum"},
        {"ended_full", "dispatches that ended since the adapter took no more"},
        {"ended_yield", "dispatches that ended since a signal wanted the thread"},
        {"ended_fault", "dispatches that ended since the client broke the protocol"},
        {"pa_busy", "interrupts that asked to donate again: the quantum had been used up"},
        {"runnable", "interrupts that asked to donate again: the adapter takes more now"},
        {"worker_dispatches", "times that a queue was served on a worker's time"},
        {"worker_ns", "CPU time of threads that serve and are no vCPUs"},
        {"completions", "requests that were completed"},
        {"bytes", "bytes of completed requests"},
        {"errors", "requests that ended with an error"},
        {"completion_ns", "CPU time of completing requests, in interrupts; not donated"},
        {"vcpu_ns", "CPU time of vCPU threads that have donated"},
        {"steal_ns", "vCPU threads could have run, and others did"},
        {"calls", "calls of the partition manager"},
        {"calls_failed", "calls of the partition manager that failed"},
        {"windows_mapped", "windows of guest memory that were mapped"},
        {"windows_failed", "windows of guest memory that could not be mapped"},
        {"windows_unmapped", "windows of guest memory that were unmapped"},
        {"windows_revoked", "windows of guest memory that were taken back"},
    };
    auto found = texts.find(counter);
    return found == texts.end() ? "" : found->second;
}

Labels labels_of(const PartitionReport &partition, const AdjunctReport &adjunct) {
    return {{"partition", partition.name}, {"adjunct", adjunct.name}, {"kind", adjunct.kind}};
}

class Collector : public prometheus::Collectable {
  public:
    explicit Collector(Watch &watch) : watch_(watch) {}

    std::vector<MetricFamily> Collect() const override {
        std::lock_guard<std::mutex> guard(mutex_);
        return metrics_of(watch_.since_begin());
    }

  private:
    Watch &watch_;
    mutable std::mutex mutex_; // one scrape at a time
};

} // namespace

std::vector<MetricFamily> metrics_of(const Report &report) {
    std::vector<MetricFamily> families;
    for (const auto &[counter, member] : account_counters()) {
        std::string name = counter;
        bool time = name.ends_with("_ns");
        if (time)
            name = name.substr(0, name.size() - 3) + "_seconds";
        MetricFamily family{"lpar_" + name + "_total", help_text(counter), MetricType::Counter, {}};
        for (const auto &partition : report.partitions)
            for (const auto &adjunct : partition.adjuncts)
                family.metric.push_back(metric(labels_of(partition, adjunct),
                                               static_cast<double>(adjunct.account.*member) /
                                                   (time ? ns_per_second : 1),
                                               MetricType::Counter));
        families.push_back(std::move(family));
    }
    MetricFamily latency{"lpar_latency_seconds",
                         "how long requests, calls and dispatches took, by class",
                         MetricType::Histogram,
                         {}};
    MetricFamily sound{"lpar_account_difference_ratio",
                       "how much more CPU time eBPF saw donated than the module",
                       MetricType::Gauge,
                       {}};
    MetricFamily used{"lpar_cgroup_cpu_seconds_total",
                      "CPU time of control groups that donate, by what it went to",
                      MetricType::Counter,
                      {}};
    for (const auto &partition : report.partitions) {
        for (const auto &cgroup : partition.cgroups)
            if (cgroup.usage)
                add_usage(used, partition.name, cgroup);
        for (const auto &adjunct : partition.adjuncts)
            for (const auto &[kind, hist] : adjunct.hists)
                latency.metric.push_back(
                    histogram(labels_of(partition, adjunct), hist_name(kind), hist));
        if (partition.conservation)
            sound.metric.push_back(metric({{"partition", partition.name}},
                                          partition.conservation->percent() / 100,
                                          MetricType::Gauge));
    }
    MetricFamily lost{
        "lpar_lost_events_total", "events that were not counted", MetricType::Counter, {}};
    lost.metric = {
        metric({{"reason", "full"}}, static_cast<double>(report.lost.full), MetricType::Counter),
        metric({{"reason", "unmatched"}}, static_cast<double>(report.lost.unmatched),
               MetricType::Counter),
        metric({{"reason", "missed"}}, static_cast<double>(report.lost.missed),
               MetricType::Counter)};
    families.push_back(std::move(latency));
    families.push_back(std::move(sound));
    families.push_back(std::move(used));
    families.push_back(std::move(lost));
    return families;
}

void run_prometheus(Watch &watch, Host &host, const std::string &address, double seconds) {
    std::unique_ptr<prometheus::Exposer> exposer;
    try {
        exposer = std::make_unique<prometheus::Exposer>(address);
    } catch (const std::exception &error) {
        throw Failure(
            fmt::format("--prometheus {}: cannot listen there ({})", address, error.what()));
    }
    auto collector = std::make_shared<Collector>(watch);
    exposer->RegisterCollectable(collector);
    constexpr double long_time = 3600;
    do {
        host.sleep(seconds == 0 ? long_time : seconds);
    } while (seconds == 0);
}

} // namespace lpar
