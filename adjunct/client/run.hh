// SPDX-License-Identifier: GPL-2.0
// lpar-adjunct's command line.
#pragma once

#include <functional>
#include <iosfwd>
#include <memory>
#include <string>

#include "adjunct.hh"

namespace lpar {

// What it needs of the guest's kernel.
struct AdjunctKernel {
    std::function<std::unique_ptr<Adjunct>(const std::string &image, const AdjunctOptions &)> make;
    std::function<std::unique_ptr<Adjunct>(AdjunctBytes image, const AdjunctOptions &)> make_own;
    std::function<std::optional<AdjunctImage>(const std::string &image, const std::string &device)>
        query;
    std::function<std::vector<AdjunctDevice>(const std::string &device)> devices;
};

// Exit codes: 0 done, 1 failed, 2 not understood, 3 the host has no such image.
int run_adjunct(int argc, const char *const *argv, std::istream &in, std::ostream &out,
                std::ostream &err, const AdjunctKernel &kernel);

} // namespace lpar
