// SPDX-License-Identifier: GPL-2.0
// lparctl: see lparctl(8).
#include <cstdlib>
#include <exception>
#include <iostream>
#include <string_view>
#include <unistd.h>

#include "cli.h"

namespace {

// NOLINTNEXTLINE(concurrency-mt-unsafe)
const char *environment(const char *name) {
    return std::getenv(name);
}

bool want_colour() {
    const char *terminal = environment("TERM");
    const char *refused = environment("NO_COLOR");
    return ::isatty(STDOUT_FILENO) != 0 && terminal != nullptr &&
           std::string_view(terminal) != "dumb" && (refused == nullptr || *refused == '\0');
}

} // namespace

int main(int argc, char **argv) {
    try {
        const char *root = environment("LPAR_ROOT");
        lpar::Host host(root != nullptr && *root != '\0' ? root : "/");
        return lpar::run_command_line(argc, argv, host, std::cout, std::cerr, want_colour());
    } catch (const std::exception &error) {
        std::cerr << "lparctl: " << error.what() << std::endl;
        return 1;
    }
}
