// SPDX-License-Identifier: GPL-2.0
// The guest's parser on any bytes (tests/hostile: H1): it refuses, or what it returns is plausible.
#include "input.hh"
#include "mutate.hh"

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
