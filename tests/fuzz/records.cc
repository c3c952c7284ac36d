// SPDX-License-Identifier: GPL-2.0
// From the host's limits through the records to the guest and back as a request: what a guest
// that keeps to the records asks for, the host accepts.
#include <algorithm>
#include <string>

#include "input.hh"

namespace {

Tally tally;

constexpr uint64_t most_io = 1ull << 31; // a guest's request is no longer

// What get_limits() in host-mod/disk.c cannot give, and the guest rightly refuses.
bool plausible(const lpar_disk_limits &l) {
    return l.sectors <= 1ull << 54 && l.sectors * 512 % l.logical_block == 0 &&
           l.max_transfer >= 4096 && l.segment_size >= 4096 &&
           (!l.virt_boundary || l.virt_boundary + 1 >= l.logical_block) && l.dma_alignment < 4096 &&
           (!l.chunk || (l.chunk >= 4096 && l.chunk % l.physical_block == 0 && l.chunk <= most_io));
}

std::string expected_text(std::string text) {
    text = text.substr(0, text.find('\0')).substr(0, LPAR_TEXT_MAX);
    for (char &c : text)
        if (c < 0x20 || c > 0x7e)
            c = '_';
    while (!text.empty() && text.back() == ' ')
        text.pop_back();
    return text;
}

void compare(const lpar_caps &c, const lpar_disk_limits &l) {
    MUST(c.sectors == l.sectors);
    MUST(c.logical_block == l.logical_block);
    MUST(c.physical_block == l.physical_block);
    MUST(c.max_sectors == std::min<uint64_t>(l.max_transfer, most_io) / 512);
    MUST(c.segments == l.segments);
    MUST(c.segment_size == std::min<uint32_t>(l.segment_size, 2 << 20) / 4096 * 4096);
    MUST(c.virt_boundary == l.virt_boundary);
    MUST(c.dma_alignment == std::max(l.dma_alignment, l.logical_block - 1));
    MUST(c.chunk_sectors == l.chunk / 512);
    MUST(c.queues == std::min(l.queues, 128u));
    MUST(c.depth == 128 && c.depth_most == 1024);
    MUST(c.discard_sectors * 512ull <= l.discard);
    MUST(c.zeroes_sectors * 512ull <= l.write_zeroes);
    MUST(!c.discard_sectors || c.discard_grain == std::max(l.discard_grain, l.physical_block));
    MUST(!c.discard_sectors || c.discard_align == l.discard_align);
    MUST(c.write_cache == l.write_cache);
    MUST(c.fua == (l.fua && l.write_cache));
    MUST(c.rotational == l.rotational);
    MUST(c.read_only == l.read_only);
    MUST(c.stable_writes == l.stable_writes);
}

// Segments as the guest's block layer makes them, within the limits that it was given.
std::vector<lpar_seg> segments(Input &in, const lpar_caps &c, uint32_t &bytes) {
    std::vector<lpar_seg> segs;
    uint32_t left = bytes;
    while (left && segs.size() < c.segments) {
        uint64_t offset = 0;
        if (segs.empty() || !c.virt_boundary)
            offset = in.ConsumeIntegralInRange<uint64_t>(0, (1 << 21) / (c.dma_alignment + 1) - 1) *
                     (c.dma_alignment + 1);
        uint64_t most = std::min<uint64_t>({left, c.segment_size, (2 << 20) - offset});
        if (most < left && c.virt_boundary) {
            // it goes on, so it must end on a boundary
            const uint64_t end = (offset + most) & ~static_cast<uint64_t>(c.virt_boundary);
            if (end <= offset)
                break;
            most = end - offset;
        }
        const uint64_t window = in.ConsumeIntegral<uint64_t>() >> 21 << 21;
        segs.push_back({cpu_to_le64(window + offset), cpu_to_le32(static_cast<uint32_t>(most)), 0});
        left -= most;
    }
    bytes -= left;
    return segs;
}

void ask(Input &in, const lpar_caps &c, const lpar_disk_limits &lim) {
    static const uint8_t ops[] = {1, 1, 2, 2, 3, 4, 5};
    const uint32_t block = c.logical_block / 512;
    std::vector<lpar_seg> segs;
    lpar_blk_sqe sqe = {};
    uint64_t most = 0;
    sqe.op = in.pick(ops);
    switch (sqe.op) {
    case LPAR_BLK_WRITE:
        sqe.flags = c.fua && in.ConsumeBool() ? LPAR_BLK_FUA : 0;
        [[fallthrough]];
    case LPAR_BLK_READ:
        most = c.max_sectors;
        break;
    case LPAR_BLK_DISCARD:
        most = c.discard_sectors;
        break;
    case LPAR_BLK_WRITE_ZEROES:
        sqe.flags = in.ConsumeBool() ? LPAR_BLK_NOUNMAP : 0;
        most = c.zeroes_sectors;
        break;
    }
    if (sqe.op != LPAR_BLK_READ && sqe.op != LPAR_BLK_FLUSH && c.read_only)
        return;
    if (sqe.op != LPAR_BLK_FLUSH) {
        if (c.sectors < block)
            return;
        uint64_t sector = in.ConsumeIntegralInRange<uint64_t>(0, c.sectors - block);
        sector -= sector % block;
        most = std::min<uint64_t>(most, c.sectors - sector);
        if (sqe.op <= LPAR_BLK_WRITE && c.chunk_sectors)
            most = std::min<uint64_t>(most, c.chunk_sectors - sector % c.chunk_sectors);
        most -= most % block;
        if (!most)
            return;
        uint32_t n = in.ConsumeIntegralInRange<uint64_t>(1, most / block) * block;
        if (sqe.op <= LPAR_BLK_WRITE) {
            uint32_t bytes = std::min(n, 1u << 20) * 512;
            segs = segments(in, c, bytes);
            if (!bytes || bytes % c.logical_block)
                return;
            n = bytes / 512;
        }
        sqe.sector = cpu_to_le64(sector);
        sqe.nsectors = cpu_to_le32(n);
        sqe.nsegs = cpu_to_le16(static_cast<uint16_t>(segs.size()));
    }
    lpar_blk_request r;
    MUST(lpar_core_request(&sqe, segs.data(), &lim, &r) == LPAR_OK);
    tally.add(sqe.op != LPAR_BLK_FLUSH);
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    Input in(data, size);
    lpar_disk_limits lim = in.limits();
    if (!in.rarely(4)) {
        // a disk that the host would really offer
        lim.sectors &= (1ull << 54) - 1;
        lim.sectors -= lim.sectors % (lim.logical_block / 512);
        lim.max_transfer = std::max(lim.max_transfer, 4096u);
        lim.segment_size = std::max(lim.segment_size & ~(lim.logical_block - 1), 4096u);
        lim.dma_alignment &= 4095;
        lim.virt_boundary = lim.virt_boundary ? std::max(lim.virt_boundary, 4095u) : 0;
        lim.chunk = std::min<uint32_t>(lim.chunk, most_io) & ~(lim.physical_block - 1);
        if (lim.chunk)
            lim.chunk = std::max(lim.chunk, 8 * lim.physical_block);
    }
    const std::string name = in.ConsumeRandomLengthString(80);
    const std::string serial = in.ConsumeRandomLengthString(80);

    alignas(8) uint8_t all[4096];
    const int need = lpar_core_records(all, sizeof(all), &lim, name.c_str(), serial.c_str());
    MUST(need > 0 && need % 8 == 0 && need < 3968);
    const auto fits = std::make_unique<uint64_t[]>(need / 8);
    MUST(lpar_core_records(fits.get(), need, &lim, name.c_str(), serial.c_str()) == need);
    MUST(!std::memcmp(fits.get(), all, need));
    const int room = in.ConsumeIntegralInRange(0, need - 1);
    const auto small = std::make_unique<uint8_t[]>(room);
    MUST(lpar_core_records(small.get(), room, &lim, name.c_str(), serial.c_str()) == -ENOSPC);

    lpar_caps caps;
    const char *why = nullptr;
    const int err = lpar_caps_parse(fits.get(), need, &caps, &why);
    // the host is never malformed, and a real disk is taken
    MUST(err == 0 || err == -ERANGE);
    MUST((err == 0) == plausible(lim));
    if (err)
        return 0;
    MUST(!rules_broken(&caps));
    MUST(caps.name == expected_text(name));
    MUST(caps.serial == expected_text(serial));
    compare(caps, lim);
    ask(in, caps, lim);
    return 0;
}
