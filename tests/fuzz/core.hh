// SPDX-License-Identifier: GPL-2.0
// The pure core, which is C.
#ifndef LPAR_FUZZ_CORE_HH
#define LPAR_FUZZ_CORE_HH

// before extern "C": what these include has C++ in it
#include <cassert>
#include <cerrno>
#include <cstddef>
#include <cstring>

extern "C" {
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wpragmas"
#pragma GCC diagnostic ignored "-Wc99-extensions"
#pragma GCC diagnostic ignored "-Wpedantic"
#include "../../guest-mod/caps.h"
#include "../../guest-mod/donate.h"
#include "../../guest-mod/net_caps.h"
#include "../../guest-mod/order.h"
#include "../../host-mod/core.h"
#include "../../host-mod/core_nic.h"
#include "../kunit/rules.h"
#pragma GCC diagnostic pop
}

// The fuzzers' assertion: not compiled out, and the sanitizer's stack tells the rest.
#define MUST(condition)                                                                            \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            std::fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #condition);           \
            __builtin_trap();                                                                      \
        }                                                                                          \
    } while (0)

#endif
