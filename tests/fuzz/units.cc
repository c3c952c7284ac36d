// SPDX-License-Identifier: GPL-2.0
// The KUnit suites of tests/kunit under GoogleTest: what kunit/test.h here declares, and main.
#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <gtest/gtest.h>
#include <set>
#include <string>
#include <vector>

#include "kunit/test.h"

namespace {

// A failed assertion ends its case; the suites are built with -fexceptions.
struct EndOfCase {};

std::vector<kunit_suite *> &suites() {
    static std::vector<kunit_suite *> list;
    return list;
}

// What a case allocated and has not freed; the end of the case frees it.
std::set<void *> allocations;

class Case : public testing::Test {
  public:
    Case(void (*run)(kunit *), const void *param) : run_(run), param_(param) {}

    void TestBody() override {
        kunit test{param_};
        try {
            run_(&test);
        } catch (const EndOfCase &) {
        }
    }

    void TearDown() override {
        for (void *p : allocations)
            std::free(p);
        allocations.clear();
    }

  private:
    void (*run_)(kunit *);
    const void *param_;
};

void add(const kunit_suite &suite, const kunit_case &c, const std::string &name,
         const void *param) {
    testing::RegisterTest(suite.name, name.c_str(), nullptr, nullptr, __FILE__, __LINE__,
                          [run = c.run_case, param] { return new Case(run, param); });
}

void add_all() {
    for (const kunit_suite *suite : suites()) {
        for (const kunit_case *c = suite->test_cases; c->run_case; c++) {
            if (!c->generate_params) {
                add(*suite, *c, c->name, nullptr);
                continue;
            }
            char desc[KUNIT_PARAM_DESC_SIZE] = "";
            for (const void *p = c->generate_params(nullptr, desc); p;
                 p = c->generate_params(p, desc))
                add(*suite, *c, std::string(c->name) + ": " + desc, p);
        }
    }
}

} // namespace

extern "C" {

void kunit_user_register(kunit_suite *suite) {
    suites().push_back(suite);
}

void kunit_user_fail(const char *file, int line, bool abort_case, const char *format, ...) {
    char text[512];
    va_list args;
    va_start(args, format);
    std::vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    ADD_FAILURE_AT(file, line) << text;
    if (abort_case)
        throw EndOfCase{};
}

void *kunit_user_alloc(size_t size) {
    void *p = std::calloc(1, size);
    if (!p)
        std::abort();
    allocations.insert(p);
    return p;
}

void kunit_user_free(const void *p) {
    allocations.erase(const_cast<void *>(p));
    std::free(const_cast<void *>(p));
}
}

int main(int argc, char **argv) {
    testing::InitGoogleTest(&argc, argv);
    add_all();
    const int status = RUN_ALL_TESTS();
    const auto *unit = testing::UnitTest::GetInstance();
    std::printf("units: %d passed, %d failed\n", unit->successful_test_count(),
                unit->failed_test_count());
    // an empty run is none
    return unit->successful_test_count() ? status : 1;
}
