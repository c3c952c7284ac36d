// SPDX-License-Identifier: GPL-2.0
// lparctl: see lparctl(8).
#include <cstdlib>
#include <exception>
#include <iostream>

#include "cli.h"
#include "format.h"
#include "terminal.h"

int main(int argc, char **argv) {
    try {
        const char *root = std::getenv("LPAR_ROOT"); // NOLINT(concurrency-mt-unsafe)
        lpar::Host host(root != nullptr && *root != '\0' ? root : "/");
        return lpar::run_command_line(argc, argv, host, std::cout, std::cerr, lpar::want_colour());
    } catch (const std::exception &error) {
        std::cerr << "lparctl: " << lpar::printable_lines(error.what()) << std::endl;
        return 1;
    }
}
