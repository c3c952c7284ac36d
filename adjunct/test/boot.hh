// SPDX-License-Identifier: GPL-2.0
// What the programs of boot tests share: a line for each thing that they have seen to hold. The
// first that does not ends the program.
#pragma once

#include <chrono>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <thread>

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

// The first word of a file, as a number or text.
template <typename T>
T read_one(const std::string &path) {
    T value{};
    std::ifstream(path) >> value;
    return value;
}

// After at most half a minute.
void wait_for(const std::string &what, auto condition) {
    for (int i = 0; i < 3000; i++) {
        if (condition())
            return;
        std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    fail(what);
}
