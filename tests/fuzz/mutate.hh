// SPDX-License-Identifier: GPL-2.0
// How capability records are changed into others.
#ifndef LPAR_FUZZ_MUTATE_HH
#define LPAR_FUZZ_MUTATE_HH

#include <cstring>
#include <random>
#include <vector>

// Mostly another value in one of the records; what libFuzzer does by itself breaks their form.
extern "C" size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t most);
extern "C" size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t most,
                                          unsigned int seed) {
    std::mt19937 random(seed);
    std::vector<size_t> values;
    for (size_t at = 0; size - at >= 32; at += data[at + 2]) {
        if (data[at + 2] < 8 || data[at + 2] > size - at)
            break;
        if (data[at + 2] == 32)
            values.push_back(at + 8);
    }
    if (values.empty() || random() % 4 == 0)
        return LLVMFuzzerMutate(data, size, most);
    uint8_t *v = data + values[random() % values.size()];
    uint64_t cur;
    std::memcpy(&cur, v + 16, sizeof(cur));
    const uint64_t choices[] = {cur * 2,
                                cur / 2,
                                cur + 1,
                                cur - 1,
                                1ull << random() % 64,
                                (1ull << random() % 64) - 1,
                                random() % 8192};
    cur = choices[random() % std::size(choices)];
    // the range is that value, or what it was
    std::memcpy(v + 16, &cur, sizeof(cur));
    if (random() % 4) {
        std::memcpy(v, &cur, sizeof(cur));
        std::memcpy(v + 8, &cur, sizeof(cur));
    }
    return size;
}

#endif
