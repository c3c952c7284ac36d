// SPDX-License-Identifier: GPL-2.0
// What must hold for any values: the core against definitions that are slow and plain.
#include <algorithm>
#include <cstdint>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "core.hh"

namespace {

using Wide = unsigned __int128;

// Numbers near the powers of two, where arithmetic goes wrong.
template <typename T>
rc::Gen<T> edgy() {
    return rc::gen::oneOf(
        rc::gen::arbitrary<T>(),
        rc::gen::apply(
            [](int bit, int off) { return static_cast<T>((T{1} << bit) + static_cast<T>(off)); },
            rc::gen::inRange(0, static_cast<int>(sizeof(T) * 8)), rc::gen::inRange(-3, 4)),
        rc::gen::apply([](int off) { return static_cast<T>(off); }, rc::gen::inRange(-5000, 5000)));
}

RC_GTEST_PROP(Tag, PlacesAreDistinctAndBlocksApart, ()) {
    const auto a = *edgy<uint32_t>(), b = *edgy<uint32_t>();
    const unsigned long x = lpar_tag_block_page(a), y = lpar_tag_block_page(b);
    RC_PRE(a < b);
    RC_ASSERT(x + 512 < y);
    // no block crosses 128 MiB
    RC_ASSERT(x / 32768 == (x + 511) / 32768);
    unsigned int place = 0;
    const auto p = *rc::gen::inRange(0u, 512u);
    RC_ASSERT(lpar_tag_page_block(y + p, &place) == static_cast<long>(b));
    RC_ASSERT(place == p);
}

RC_GTEST_PROP(Tag, APageIsATagOrNone, ()) {
    const unsigned long page = *edgy<uint64_t>() >> 20;
    unsigned int place = ~0u;
    const long block = lpar_tag_page_block(page, &place);
    if (block >= 0) {
        RC_ASSERT(place < 512u);
        // a block number that fits is one that the table can have
        RC_PRE(block <= 0xffffffffL);
        RC_ASSERT(lpar_tag_block_page(static_cast<unsigned int>(block)) + place == page);
    } else {
        RC_ASSERT(page % 32768 >= 63 * 513 || page % 32768 % 513 == 512);
    }
}

RC_GTEST_PROP(Ring, AheadIsADistance, ()) {
    const auto theirs = *edgy<uint32_t>(), seen = *edgy<uint32_t>();
    const auto limit = *rc::gen::inRange(0u, 2048u);
    const long n = lpar_ring_ahead(theirs, seen, limit);
    if (n >= 0) {
        RC_ASSERT(n <= static_cast<long>(limit));
        RC_ASSERT(static_cast<uint32_t>(seen + n) == theirs);
    } else {
        const uint64_t ahead = theirs >= seen ? theirs - seen : (1ull << 32) - seen + theirs;
        RC_ASSERT(ahead > limit);
    }
}

RC_GTEST_PROP(Ring, AnEventIsPassedOnce, ()) {
    // an index that moves in any steps passes each event exactly once a turn
    const auto start = *edgy<uint32_t>();
    const auto steps = *rc::gen::container<std::vector<uint32_t>>(rc::gen::inRange(0u, 300u));
    uint32_t total = 0;
    for (const auto s : steps)
        total += s;
    const uint32_t event = start + *rc::gen::inRange(0u, total + 100);
    uint32_t at = start;
    int passed = 0;
    for (const auto s : steps) {
        passed += !!lpar_event_passed(event, at, at + s);
        at += s;
    }
    RC_ASSERT(passed == (event - start < total ? 1 : 0));
}

RC_GTEST_PROP(Shape, OnlyWhatWasAskedFor, ()) {
    const uint64_t arg = *rc::gen::oneOf(
        edgy<uint64_t>(),
        rc::gen::apply([](int d, uint64_t s) { return uint64_t{1} << d | s << 16; },
                       rc::gen::inRange(0, 16), rc::gen::inRange<uint64_t>(0, 600)));
    lpar_queue_shape shape{};
    if (lpar_core_shape(arg, &shape)) {
        RC_ASSERT((shape.depth | static_cast<uint64_t>(shape.segs) << 16) == arg);
        RC_ASSERT(__builtin_popcount(shape.depth) == 1);
        RC_ASSERT(shape.depth >= 2 && shape.depth <= 1024);
        RC_ASSERT(shape.segs >= 1 && shape.segs <= 256);
        RC_ASSERT(Wide{4096} + Wide{shape.depth} * (64 + 8 + Wide{shape.segs} * 16) ==
                  lpar_queue_bytes(shape.depth, shape.segs));
    } else {
        RC_ASSERT(shape.depth == 0 && shape.segs == 0);
    }
}

RC_GTEST_PROP(Range, OverlapIsACommonByte, ()) {
    const auto a = *edgy<uint64_t>(), an = *edgy<uint64_t>();
    const auto b = *edgy<uint64_t>(), bn = *edgy<uint64_t>();
    // none may wrap, nor end at 2^64
    RC_PRE(Wide{a} + an < Wide{1} << 64 && Wide{b} + bn < Wide{1} << 64);
    const Wide from = std::max(a, b), to = std::min(Wide{a} + an, Wide{b} + bn);
    RC_ASSERT(lpar_core_overlap(a, an, b, bn) == (from < to));
    RC_ASSERT(lpar_core_overlap(a, an, b, bn) == lpar_core_overlap(b, bn, a, an));
}

RC_GTEST_PROP(Range, OkIsWholePagesWithoutWrap, ()) {
    const auto pages = *rc::gen::arbitrary<bool>();
    auto start = *edgy<uint64_t>(), bytes = *edgy<uint64_t>();
    if (pages) {
        start &= ~4095ull;
        bytes &= ~4095ull;
    }
    const bool ok =
        start % 4096 == 0 && bytes % 4096 == 0 && bytes && Wide{start} + bytes < Wide{1} << 64;
    RC_ASSERT(lpar_core_range_ok(start, bytes) == ok);
}

RC_GTEST_PROP(Quantum, NeverLongerThanTheLimit, ()) {
    const auto now = *edgy<uint64_t>(), later = *edgy<uint64_t>();
    const auto wish = *edgy<uint32_t>(), limit = *edgy<uint32_t>();
    const lpar_quantum q = lpar_core_quantum(now, wish, limit);
    RC_ASSERT(q.limit <= limit * 1000ull);
    RC_ASSERT(!wish || q.limit <= wish * 1000ull);
    RC_ASSERT(q.limit == limit * 1000ull || q.limit == wish * 1000ull);
    RC_ASSERT(lpar_core_expired(&q, now + later) == (later >= q.limit));
}

RC_GTEST_PROP(Version, IsTheHighestOfBoth, ()) {
    const uint64_t min = *rc::gen::inRange(0, 12), max = *rc::gen::inRange(0, 12);
    const uint32_t low = *rc::gen::inRange(1, 12), high = *rc::gen::inRange(1, 12);
    const uint64_t rest = *rc::gen::element<uint64_t>(0, 0, 0, 1, 1ull << 31);
    uint32_t best = 0;
    for (uint32_t v = low; v <= high && !rest; v++)
        if (v >= min && v <= max)
            best = v;
    RC_ASSERT(lpar_core_version(min | max << 16 | rest << 32, low, high) == best);
}

// A queue that is used in any order: the policy's own numbers stay sane, and what is held can
// always be rung for.
RC_GTEST_PROP(Donate, AnyOrder, ()) {
    const auto batch = *rc::gen::inRange(0u, 40u);
    const auto steps = *rc::gen::container<std::vector<uint8_t>>(rc::gen::arbitrary<uint8_t>());
    const auto inline_policy = *rc::gen::arbitrary<bool>();
    lpar_donate d;
    uint32_t inflight = 0, held = 0;
    uint64_t now = 1000000;
    lpar_donate_init(&d, inline_policy ? LPAR_DONATE_INLINE : LPAR_DONATE_BATCH, batch, 100);
    for (const auto step : steps) {
        bool ring = false;
        now += 1000u * step;
        if (step % 8 < 4) {
            const bool last = step & 8, urgent = step & 16;
            inflight++;
            held++;
            ring = lpar_donate_submitted(&d, inflight, held, last, urgent);
            if (last && (urgent || inline_policy))
                RC_ASSERT(ring);
            if (held >= d.batch)
                RC_ASSERT(ring);
        } else if (step % 8 < 7 && inflight) {
            // a hostile host completes even what was not rung for
            inflight -= std::min<uint32_t>(inflight, step >> 4);
            held = std::min(held, inflight);
            if (held == inflight)
                ring = lpar_donate_dry(&d, held, now);
            RC_ASSERT(!ring || held);
        } else if (held) {
            lpar_donate_expired(&d, inflight, held);
            ring = true;
        }
        if (ring) {
            lpar_donate_rung(&d, inflight, held, now);
            lpar_donate_served(&d, now + step);
            held = 0;
        }
        lpar_donate_measured(&d, *edgy<uint64_t>());
        RC_ASSERT(d.goal >= 1u && d.goal <= d.batch);
        RC_ASSERT(held < d.batch);
        lpar_donate_watch(&d, *edgy<uint32_t>(), now);
        lpar_donate_ended(&d, *edgy<uint32_t>(), now + step);
        const uint64_t hold = lpar_donate_hold(&d, false);
        RC_ASSERT(hold >= 100000u && hold <= 50000000u);
        const uint64_t prompt = lpar_donate_hold(&d, true);
        RC_ASSERT(prompt >= 100000u && prompt <= hold);
    }
}

} // namespace
