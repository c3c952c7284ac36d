// SPDX-License-Identifier: GPL-2.0
// lparstat's command line.
#pragma once

#include <functional>
#include <iosfwd>
#include <memory>
#include <string>

#include "report.h"

namespace lpar {

using MakeSource = std::function<std::unique_ptr<Source>(Host &, const Wanted &)>;

// Exit codes: 0 done, 1 failed (or --check found something), 2 not understood.
int run_lparstat(int argc, const char *const *argv, Host &host, const MakeSource &make,
                 std::ostream &out, std::ostream &err, bool colour);

// The whole terminal, until q. @count 0: for ever. Throws Failure if there is none.
void run_screen(Watch &watch, Host &host, double interval, uint64_t count, bool hist);

// What run_screen() does with it.
struct Terminal {
    std::function<int(int milliseconds)> key; // one that was pressed within them; negative: none
    std::function<void(const std::string &text)> show;
};
void run_pages(Watch &watch, Host &host, const Terminal &terminal, double interval, uint64_t count,
               bool hist);

// Serves http://ADDRESS/metrics; returns after @seconds, 0: never.
void run_prometheus(Watch &watch, Host &host, const std::string &address, double seconds);

} // namespace lpar
