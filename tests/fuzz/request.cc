// SPDX-License-Identifier: GPL-2.0
// Requests: the core accepts just what a second, independent reading of the rules accepts.
#include <algorithm>

#include "input.hh"

namespace {

using Wide = unsigned __int128;

Tally tally;

struct Seg {
    uint64_t addr;
    uint32_t len, reserved;
};

struct Ask {
    uint8_t op, flags;
    uint16_t id, nsegs, reserved;
    uint64_t sector;
    uint32_t nsectors, reserved2;
    uint64_t reserved3;
    std::vector<Seg> segs;
    uint8_t own; // in the entry's own segments, which are for two at most
};

// ------------------------------------------------------------------- the rules, in bytes

bool within_disk(const Ask &a, const lpar_disk_limits &l) {
    return Wide{a.sector} + a.nsectors <= l.sectors;
}

// What the host's block layer would have to split, bounce or refuse (tests/hostile: G9).
bool segments_fit(const Ask &a, const lpar_disk_limits &l) {
    const Wide window = 2 << 20;
    Wide total = 0;
    for (size_t i = 0; i < a.segs.size(); i++) {
        const Seg &s = a.segs[i];
        const Wide first = s.addr, end = first + s.len;
        if (s.reserved || s.len < 1 || s.len > l.segment_size || s.len % l.logical_block)
            return false;
        if (first % (Wide{l.dma_alignment} + 1))
            return false;
        if (first / window != (end - 1) / window)
            return false;
        // bvec_gap_to_prev()
        if (i) {
            const Wide joint = Wide{a.segs[i - 1].addr} + a.segs[i - 1].len;
            if (joint % (Wide{l.virt_boundary} + 1) || first % (Wide{l.virt_boundary} + 1))
                return false;
        }
        total += s.len;
    }
    return total == Wide{a.nsectors} * 512;
}

bool whole_blocks(const Ask &a, const lpar_disk_limits &l) {
    return Wide{a.sector} * 512 % l.logical_block == 0 && a.nsectors > 0 &&
           Wide{a.nsectors} * 512 % l.logical_block == 0;
}

bool one_chunk(const Ask &a, const lpar_disk_limits &l) {
    const uint64_t chunk = l.chunk / 512;
    return !chunk || a.sector / chunk == (a.sector + a.nsectors - 1) / chunk;
}

bool legal(const Ask &a, const lpar_disk_limits &l, bool with_segs) {
    const Wide bytes = Wide{a.nsectors} * 512;
    if (a.reserved || a.reserved2 || a.reserved3 || (a.nsegs > 2 && a.own))
        return false;
    switch (a.op) {
    case 1:
    case 2:
        return !(a.flags & (a.op == 2 ? 0xfe : 0xff)) && !(a.op == 2 && l.read_only) && a.nsegs &&
               a.nsegs <= l.segments && bytes <= l.max_transfer && within_disk(a, l) &&
               whole_blocks(a, l) && one_chunk(a, l) && (!with_segs || segments_fit(a, l));
    case 3:
        return !a.flags && !a.nsegs && !a.sector && !a.nsectors;
    case 4:
        return !a.flags && !a.nsegs && !l.read_only && bytes <= l.discard && within_disk(a, l) &&
               whole_blocks(a, l);
    case 5:
        return !(a.flags & 0xfd) && !a.nsegs && !l.read_only && bytes <= l.write_zeroes &&
               within_disk(a, l) && whole_blocks(a, l);
    default:
        return false;
    }
}

// Each reason for a refusal is a true one.
bool truthful(lpar_status st, const Ask &a, const lpar_disk_limits &l) {
    switch (st) {
    case LPAR_OK:
    case LPAR_INVAL:
        return true;
    case LPAR_NOSYS:
        return a.op < 1 || a.op > 5;
    case LPAR_RANGE:
        return !within_disk(a, l);
    case LPAR_READONLY:
        return l.read_only && a.op != 1 && a.op != 3;
    case LPAR_NOTSUPP:
        return (a.op == 4 && !l.discard) || (a.op == 5 && !l.write_zeroes);
    default:
        return false;
    }
}

// ---------------------------------------------------------------------------- the input

// Mostly what could be right; each thing is sometimes not.
Ask make(Input &in, const lpar_disk_limits &l) {
    static const uint64_t edges[] = {0, 1, 1ull << 32, 1ull << 63, ~0ull, ~0ull - 511};
    Ask a = {};
    a.op = in.rarely(16) ? in.ConsumeIntegral<uint8_t>() : in.ConsumeIntegralInRange(1, 5);
    const bool transfer = a.op == LPAR_BLK_READ || a.op == LPAR_BLK_WRITE;
    if (in.rarely(6))
        a.flags = in.rarely(3) ? in.ConsumeIntegral<uint8_t>() : in.ConsumeIntegralInRange(0, 3);
    a.id = in.ConsumeIntegral<uint16_t>();
    if (in.rarely(24))
        a.reserved = in.ConsumeIntegral<uint16_t>();
    if (in.rarely(24))
        a.reserved2 = in.ConsumeIntegral<uint32_t>();
    if (in.rarely(24))
        a.reserved3 = in.ConsumeIntegral<uint64_t>();

    if (in.rarely(16))
        a.own = in.ConsumeIntegral<uint8_t>();

    Wide total = 0;
    if (transfer || in.rarely(16)) {
        a.nsegs =
            in.rarely(4) ? in.ConsumeIntegralInRange(0, 257) : in.ConsumeIntegralInRange(1, 6);
        const Wide step = Wide{l.virt_boundary} + 1;
        for (unsigned i = 0; i < a.nsegs && i < l.segments; i++) {
            Seg s = {};
            const uint64_t window =
                in.rarely(8) ? in.pick(edges) >> 21 : in.ConsumeIntegralInRange(0, 4);
            const bool first = i == 0, last = i + 1 == a.nsegs;
            // up to a boundary, over whole ones, from a boundary
            uint64_t from = 0, to = 0;
            from = static_cast<uint64_t>(step) * in.ConsumeIntegralInRange(0, 40);
            to = from + static_cast<uint64_t>(step) * in.ConsumeIntegralInRange(1, 4);
            if (step < l.logical_block)
                to = from + l.logical_block;
            if (first && in.ConsumeBool())
                from = to - l.logical_block;
            else if (last && in.ConsumeBool())
                to = from + l.logical_block;
            // off by anything, or by whole blocks
            if (in.rarely(16))
                from += in.ConsumeIntegralInRange(-600, 600);
            else if (in.rarely(12))
                from += static_cast<uint64_t>(l.logical_block) * in.ConsumeIntegralInRange(-2, 2);
            if (in.rarely(16))
                to += in.ConsumeIntegralInRange(-600, 600);
            else if (in.rarely(12))
                to += static_cast<uint64_t>(l.logical_block) * in.ConsumeIntegralInRange(-2, 2);
            s.addr = (window << 21) + from;
            s.len = static_cast<uint32_t>(to - from);
            if (in.rarely(24))
                s.addr = in.pick(edges) - in.ConsumeIntegralInRange(0, 4096);
            if (in.rarely(24))
                s.len = in.ConsumeIntegral<uint32_t>();
            if (in.rarely(40))
                s.reserved = in.ConsumeIntegral<uint32_t>();
            total += s.len;
            a.segs.push_back(s);
        }
        a.nsectors = static_cast<uint32_t>(total / 512);
    } else if (a.op != LPAR_BLK_FLUSH) {
        a.nsectors = in.ConsumeIntegralInRange(0, 64) * (l.logical_block / 512);
    }
    if (in.rarely(12))
        a.nsectors = in.ConsumeIntegral<uint32_t>();
    if (in.rarely(12))
        a.nsectors++;
    if (a.op != LPAR_BLK_FLUSH || in.rarely(8)) {
        a.sector = in.ConsumeIntegralInRange<uint64_t>(0, 2048) * (l.logical_block / 512);
        if (in.rarely(8)) // around the end
            a.sector = l.sectors - a.nsectors + in.ConsumeIntegralInRange(-2, 2);
        if (in.rarely(16))
            a.sector = in.pick(edges) - in.ConsumeIntegralInRange(0, 64);
    }
    return a;
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    Input in(data, size);
    const lpar_disk_limits lim = in.limits();
    const Ask a = make(in, lim);

    lpar_blk_sqe sqe = {};
    sqe.op = a.op;
    sqe.flags = a.flags;
    sqe.id = cpu_to_le16(a.id);
    sqe.nsegs = cpu_to_le16(a.nsegs);
    sqe.reserved = cpu_to_le16(a.reserved);
    sqe.sector = cpu_to_le64(a.sector);
    sqe.nsectors = cpu_to_le32(a.nsectors);
    sqe.reserved2 = cpu_to_le32(a.reserved2);
    sqe.reserved3 = cpu_to_le64(a.reserved3);
    reinterpret_cast<uint8_t *>(sqe.seg)[a.id % sizeof(sqe.seg)] = a.own;
    std::vector<lpar_seg> wire;
    for (const Seg &s : a.segs)
        wire.push_back({cpu_to_le64(s.addr), cpu_to_le32(s.len), cpu_to_le32(s.reserved)});
    const auto segs = exact(wire.data(), wire.size());
    const lpar_blk_sqe sqe_before = sqe;
    const lpar_disk_limits lim_before = lim;

    lpar_blk_request r;
    std::memset(&r, 0xff, sizeof(r));
    const lpar_status st = lpar_core_request(&sqe, segs.get(), &lim, &r);
    MUST((st == LPAR_OK) == legal(a, lim, true));
    MUST(truthful(st, a, lim));
    MUST(r.id == a.id);
    if (st == LPAR_OK)
        MUST(r.sector == a.sector && r.nsectors == a.nsectors && r.nsegs == a.nsegs &&
             r.op == a.op && r.flags == a.flags);
    MUST(!std::memcmp(&sqe, &sqe_before, sizeof(sqe)));
    MUST(!std::memcmp(&lim, &lim_before, sizeof(lim)));
    MUST(std::equal(wire.begin(), wire.end(), segs.get(),
                    [](const auto &x, const auto &y) { return !std::memcmp(&x, &y, sizeof(x)); }));

    // before the segments are known
    const lpar_status early = lpar_core_request(&sqe, nullptr, &lim, &r);
    MUST((early == LPAR_OK) == legal(a, lim, false));
    MUST(early == LPAR_OK || early == st);
    tally.add(st == LPAR_OK && a.op != LPAR_BLK_FLUSH);
    return 0;
}
