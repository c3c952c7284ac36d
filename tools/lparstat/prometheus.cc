// SPDX-License-Identifier: GPL-2.0
// --prometheus: everything since the beginning, as counters and histograms.
#include <fmt/format.h>
#include <mutex>
#include <prometheus/collectable.h>
#include <prometheus/exposer.h>
#include <prometheus/metric_family.h>

#include "error.h"
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

class Collector : public prometheus::Collectable {
  public:
    explicit Collector(Watch &watch) : watch_(watch) {}

    std::vector<MetricFamily> Collect() const override {
        std::lock_guard<std::mutex> guard(mutex_);
        Report report = watch_.since_begin();
        std::vector<MetricFamily> families;
        for (const auto &[counter, member] : account_counters()) {
            std::string name = counter;
            bool time = name.ends_with("_ns");
            if (time)
                name = name.substr(0, name.size() - 3) + "_seconds";
            MetricFamily family{
                "lpar_" + name + "_total", "see lparstat(8)", MetricType::Counter, {}};
            for (const auto &partition : report.partitions)
                for (const auto &adjunct : partition.adjuncts)
                    family.metric.push_back(metric(
                        {{"partition", partition.name}, {"adjunct", adjunct.name}},
                        static_cast<double>(adjunct.account.*member) / (time ? ns_per_second : 1),
                        MetricType::Counter));
            families.push_back(std::move(family));
        }
        MetricFamily latency{"lpar_latency_seconds", "see lparstat(8)", MetricType::Histogram, {}};
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
                        histogram({{"partition", partition.name}, {"adjunct", adjunct.name}},
                                  hist_name(kind), hist));
            if (partition.conservation)
                sound.metric.push_back(metric({{"partition", partition.name}},
                                              partition.conservation->percent() / 100,
                                              MetricType::Gauge));
        }
        MetricFamily lost{
            "lpar_lost_events_total", "events that were not counted", MetricType::Counter, {}};
        lost.metric = {metric({{"reason", "full"}}, static_cast<double>(report.lost.full),
                              MetricType::Counter),
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

  private:
    Watch &watch_;
    mutable std::mutex mutex_; // one scrape at a time
};

} // namespace

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
