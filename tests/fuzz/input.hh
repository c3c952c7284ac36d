// SPDX-License-Identifier: GPL-2.0
// What the fuzz targets share: values that are likely to matter, and a count that shows that a
// target gets anywhere.
#ifndef LPAR_FUZZ_INPUT_HH
#define LPAR_FUZZ_INPUT_HH

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <fuzzer/FuzzedDataProvider.h>
#include <memory>
#include <vector>

#include "core.hh"

// A copy of just that size: the sanitizer sees a step beyond it.
template <typename T>
std::unique_ptr<T[]> exact(const T *from, size_t n) {
    auto copy = std::make_unique<T[]>(n);
    std::copy(from, from + n, copy.get());
    return copy;
}

class Input : public FuzzedDataProvider {
  public:
    using FuzzedDataProvider::FuzzedDataProvider;

    // One time in n.
    bool rarely(unsigned n) { return ConsumeIntegralInRange<unsigned>(1, n) == n; }

    template <typename T, size_t N>
    T pick(const T (&from)[N]) {
        return PickValueInArray(from);
    }

    // A power of two from 2^low to 2^high, less one: a mask.
    uint32_t mask(unsigned low, unsigned high) {
        return (1u << ConsumeIntegralInRange(low, high)) - 1;
    }

    // The limits of some disk. What the host derives is a power of two is one here.
    lpar_disk_limits limits() {
        lpar_disk_limits l = {};
        l.logical_block = mask(9, 12) + 1;
        l.physical_block = l.logical_block << ConsumeIntegralInRange(0, 3);
        l.sectors = small_or(8192);
        l.max_transfer = static_cast<uint32_t>(small_or(1 << 20)) & ~(l.logical_block - 1);
        l.segments = ConsumeIntegralInRange(1, 256);
        l.segment_size = rarely(4) ? ConsumeIntegral<uint32_t>()
                                   : ConsumeIntegralInRange(1u, 512u) * l.logical_block;
        l.virt_boundary = rarely(3) ? 0 : mask(9, 16);
        l.dma_alignment = mask(0, 12);
        l.chunk = rarely(2) ? 0 : static_cast<uint32_t>(small_or(1 << 18));
        l.queues = ConsumeIntegralInRange(1, 200);
        l.discard = rarely(4) ? 0 : small_or(1 << 22);
        l.discard_grain = rarely(3) ? ConsumeIntegral<uint32_t>() : mask(9, 16) + 1;
        l.discard_align = ConsumeIntegralInRange(0, 7) * 512;
        l.write_zeroes = rarely(4) ? 0 : small_or(1 << 22);
        l.io_min = rarely(2) ? ConsumeIntegral<uint32_t>() : l.physical_block;
        l.io_opt = rarely(2) ? ConsumeIntegral<uint32_t>() : 0;
        l.write_cache = ConsumeBool();
        l.fua = ConsumeBool();
        l.rotational = ConsumeBool();
        l.read_only = rarely(5);
        l.stable_writes = ConsumeBool();
        return l;
    }

    uint64_t small_or(uint64_t most) {
        return rarely(5) ? ConsumeIntegral<uint64_t>() : ConsumeIntegralInRange<uint64_t>(1, most);
    }
};

// Said at the end, and read by ./run: a target whose inputs are all refused tests little.
class Tally {
  public:
    ~Tally() { std::fprintf(stderr, "tally: %lu of %lu accepted\n", accepted_, all_); }
    void add(bool accepted) {
        all_++;
        accepted_ += accepted;
    }

  private:
    unsigned long all_ = 0, accepted_ = 0;
};

#endif
