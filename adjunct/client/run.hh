// SPDX-License-Identifier: GPL-2.0
// lpar-adjunct's command line.
#pragma once

#include <functional>
#include <iosfwd>
#include <memory>
#include <string>

#include "adjunct.hh"

namespace lpar {

using AdjunctFactory =
    std::function<std::unique_ptr<Adjunct>(const std::string &image, const AdjunctOptions &)>;

// Exit codes: 0 done, 1 failed, 2 not understood.
int run_adjunct(int argc, const char *const *argv, std::istream &in, std::ostream &out,
                std::ostream &err, const AdjunctFactory &make);

} // namespace lpar
