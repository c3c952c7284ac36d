// SPDX-License-Identifier: GPL-2.0
// What the programs of boot tests share: a line for each thing that they have seen to hold. The
// first that does not ends the program.
#pragma once

#include <cstdlib>
#include <iostream>

#include "adjunct.hh"

[[noreturn]] inline void fail(const std::string &what) {
    std::cout << "not ok - " << what << std::endl;
    std::_Exit(1);
}

inline void ok(const std::string &what) {
    std::cout << "ok - " << what << std::endl;
}

// The errno that it fails with; 0: it does not.
int error_of(auto action) {
    try {
        action();
    } catch (const lpar::AdjunctDied &) {
        return EOWNERDEAD;
    } catch (const std::system_error &error) {
        return error.code().value();
    }
    return 0;
}
