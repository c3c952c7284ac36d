// SPDX-License-Identifier: GPL-2.0
// lpar-adjunct: see lpar-adjunct(1).
#include <iostream>

#include "run.hh"

int main(int argc, char **argv) {
    std::ios::sync_with_stdio(false); // or a standard input that cannot be read looks empty
    try {
        lpar::AdjunctKernel kernel;
        kernel.make = [](const std::string &image, const lpar::AdjunctOptions &options) {
            return std::make_unique<lpar::Adjunct>(image, options);
        };
        kernel.make_own = [](lpar::AdjunctBytes image, const lpar::AdjunctOptions &options) {
            return std::make_unique<lpar::Adjunct>(image, options);
        };
        kernel.query = [](const std::string &image, const std::string &device) {
            return lpar::Adjunct::query(image, device);
        };
        kernel.devices = [](const std::string &device) { return lpar::Adjunct::devices(device); };
        return lpar::run_adjunct(argc, argv, std::cin, std::cout, std::cerr, kernel);
    } catch (const std::exception &error) {
        std::cerr << "lpar-adjunct: " << error.what() << std::endl;
        return 1;
    }
}
