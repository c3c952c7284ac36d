// SPDX-License-Identifier: GPL-2.0
// lparstat: see lparstat(8).
#include <cstdlib>
#include <exception>
#include <iostream>

#include "format.h"
#include "probe.h"
#include "run.h"
#include "terminal.h"

int main(int argc, char **argv) {
    try {
        const char *root = std::getenv("LPAR_ROOT"); // NOLINT(concurrency-mt-unsafe)
        lpar::Host host(root != nullptr && *root != '\0' ? root : "/");
        return lpar::run_lparstat(argc, argv, host, lpar::make_probe, std::cout, std::cerr,
                                  lpar::want_colour());
    } catch (const std::exception &error) {
        std::cerr << "lparstat: " << lpar::printable_lines(error.what()) << std::endl;
        return 1;
    }
}
