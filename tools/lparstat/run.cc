// SPDX-License-Identifier: GPL-2.0
#include "run.h"

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <ostream>

#include "error.h"
#include "format.h"
#include "number.h"
#include "parse.h"
#include "paths.h"
#include "version.h"

namespace lpar {

namespace {

constexpr int exit_failure = 1;
constexpr int exit_usage = 2;
constexpr double interval_min = 0.1;
constexpr double interval_max = 86400;
constexpr double once_seconds = 1;

struct Options {
    double interval = 0;
    uint64_t count = 0;
    std::string partition;
    std::string prometheus;
    bool top = false;
    bool hist = false;
    bool json = false;
    bool usage = false;
    bool check = false;
    std::vector<std::string> command;
};

constexpr auto footer = R"(Examples:
  lparstat                     what one second was used for
  lparstat -i 5                every five seconds
  lparstat -t                  the whole terminal; q quits, h shows histograms
  lparstat -u                  and what else the control groups' time went to
  lparstat -p web --hist       with latencies, of one partition
  lparstat -i 60 -c 1 --check  exit status 1 if the accounts do not agree
  lparstat -- fio job.fio      what was used until that program has ended

It looks from when it is started: there is nothing of before. Exit status: 0
done, 1 failed, 2 not understood; of a program, that program's. The keys of --json are in lparstat(8).)";

void answer(const Report &report, const Options &options, std::ostream &out, bool colour,
            int indent) {
    if (options.json) {
        out << report_json(report).dump(indent, ' ', false, Json::error_handler_t::replace)
            << std::endl;
    } else {
        out << report_text(report, colour);
        if (options.hist)
            out << hist_text(report, colour);
        out.flush();
    }
    if (!out)
        throw Failure("the answer could not be written");
}

void repeat(Watch &watch, Host &host, const Options &options, std::ostream &out, bool colour) {
    double interval = options.interval == 0 ? once_seconds : options.interval;
    uint64_t count = options.interval == 0 ? 1 : options.count;
    for (uint64_t i = 0; count == 0 || i < count; i++) {
        host.sleep(interval);
        Report report = watch.next();
        if (i != 0 && !options.json)
            out << '\n';
        answer(report, options, out, colour, count == 1 ? 2 : -1);
    }
}

// Its exit status.
int attend(Watch &watch, Host &host, const Options &options, std::ostream &out, bool colour) {
    int status = host.attend(options.command);
    Report report = watch.since_begin();
    report.whole = true;
    answer(report, options, out, colour, 2);
    return status;
}

int act(Host &host, const MakeSource &make, const Options &options, std::ostream &out,
        bool colour) {
    if (options.count != 0 && options.interval == 0 && !options.top)
        throw UsageError("-c needs -i: how often, and how long apart");
    if (options.top + options.json + !options.prometheus.empty() > 1)
        throw UsageError("-t, -j and --prometheus are different answers: choose one");
    if (!options.command.empty() &&
        (options.top || !options.prometheus.empty() || options.interval != 0))
        throw UsageError(
            "a program is answered for once, when it has ended: without -i, -t and --prometheus");
    int status = 0;
    if (!options.partition.empty())
        check_name("partition", options.partition);
    // a look at the whole terminal may come to want them
    bool latency = options.hist || options.top || options.json || !options.prometheus.empty();
    auto source = make(host, {latency, options.usage || options.check});
    if (!options.partition.empty() && !host.exists(state_partitions + options.partition))
        throw Failure(fmt::format("there is no partition '{}': see lparctl partition list",
                                  options.partition));
    Watch watch(host, *source, options.partition);
    if (!options.prometheus.empty())
        run_prometheus(watch, host, options.prometheus,
                       options.interval * static_cast<double>(options.count));
    else if (options.top)
        run_screen(watch, host, options.interval == 0 ? once_seconds : options.interval,
                   options.count, options.hist);
    else if (!options.command.empty())
        status = attend(watch, host, options, out, colour);
    else
        repeat(watch, host, options, out, colour);
    if (options.check && !watch.since_begin().sound())
        throw Failure("the accounts do not agree, or events were lost: see above");
    return status;
}

} // namespace

int run_lparstat(int argc, const char *const *argv, Host &host, const MakeSource &make,
                 std::ostream &out, std::ostream &err, bool colour) {
    CLI::App app("Shows which partition's donated CPU time was used for what, by eBPF's clock.",
                 "lparstat");
    Options options;
    app.footer(footer);
    app.set_version_flag("-V,--version", std::string("lparstat ") + tool_version);
    app.get_formatter()->column_width(36);
    app.add_option("-i,--interval", options.interval, "Again and again: seconds between")
        ->transform(seconds_between(interval_min, interval_max));
    app.add_option("-c,--count", options.count, "How often, with -i or -t (default: for ever)")
        ->transform(whole_number(1, most_64));
    app.add_flag("-t,--top", options.top, "Use the whole terminal");
    app.add_flag("--hist", options.hist, "Latency histograms, too");
    app.add_flag("-u,--usage", options.usage,
                 "What else control groups used, too: clocks at each exit of each guest");
    app.add_option("-p,--partition", options.partition, "Only this partition");
    app.add_flag("-j,--json", options.json, "Answer in JSON, with -i one line each");
    app.add_option("--prometheus", options.prometheus,
                   "Serve http://ADDRESS/metrics (default 127.0.0.1:9817)")
        ->expected(0, 1)
        ->default_str("127.0.0.1:9817");
    app.add_flag("--check", options.check,
                 "Fail if the accounts do not agree, or if events were lost; implies -u");
    auto *command = app.add_option("command", options.command,
                                   "Run it, and show what was used until it has ended")
                        ->option_text("-- PROGRAM [ARGUMENT...]");

    auto complain = [&](const std::string &text) {
        err << "lparstat: " << printable_lines(text) << std::endl;
    };
    try {
        app.parse(argc, argv);
        refuse_empty(app, command);
        return act(host, make, options, out, colour);
    } catch (const CLI::Success &help) { // --help, --version
        app.exit(help, out, err);
        return 0;
    } catch (const CLI::ParseError &error) {
        complain(std::string(error.what()) + ": see lparstat --help");
        return exit_usage;
    } catch (const UsageError &error) {
        complain(error.what());
        return exit_usage;
    } catch (const Failure &failure) {
        complain(failure.what());
        return exit_failure;
    }
}

} // namespace lpar
