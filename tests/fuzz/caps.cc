// SPDX-License-Identifier: GPL-2.0
// The guest's parser on any bytes (hostile.md H1): it refuses, or what it returns is plausible.
#include <random>

#include "input.hh"

namespace {

Tally tally;

// The form of the records, read once more: each within what is left, none of ours twice.
bool well_formed(const uint8_t *data, size_t size) {
    uint64_t seen = 0;
    while (size) {
        if (size < 8)
            return false;
        const unsigned type = data[0] | data[1] << 8, len = data[2] | data[3] << 8;
        if (len < 8 || len % 8 || len > size || data[4] || data[5] || data[6] || data[7])
            return false;
        const bool text = type == 1 || type == 2, value = type >= 16 && type <= 36;
        if (text || value) {
            if (seen >> type & 1 || (text && len > 72) || (value && len != 32))
                return false;
            seen |= 1ull << type;
        }
        data += len;
        size -= len;
    }
    return true;
}

} // namespace

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

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    const auto copy = exact(data, size);
    lpar_caps caps, again;
    std::memset(&caps, 0xff, sizeof(caps));
    std::memset(&again, 0x55, sizeof(again));
    const char *why = nullptr;
    const int err = lpar_caps_parse(copy.get(), size, &caps, &why);

    MUST(!std::memcmp(copy.get(), data, size));
    MUST(err == 0 || err == -EPROTO || err == -ERANGE);
    MUST(!err || (why && *why));
    if (!err || err == -ERANGE)
        MUST(well_formed(data, size));
    if (!err) {
        const char *broken = rules_broken(&caps);
        if (broken)
            std::fprintf(stderr, "broken: %s\n", broken);
        MUST(!broken);
        // of the records alone, not of what was in memory before
        MUST(lpar_caps_parse(copy.get(), size, &again, &why) == 0);
        MUST(!std::memcmp(&caps, &again, sizeof(caps)));
    }
    tally.add(!err);
    return 0;
}
