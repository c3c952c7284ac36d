// SPDX-License-Identifier: GPL-2.0
// seeds DIR: write the seed corpus of each target into DIR/TARGET.
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <random>
#include <string>
#include <vector>

#include "core.hh"

namespace fs = std::filesystem;

namespace {

using Bytes = std::vector<uint8_t>;

void write(const fs::path &dir, int number, const Bytes &bytes) {
    fs::create_directories(dir);
    std::ofstream out(dir / ("seed-" + std::to_string(number)), std::ios::binary);
    out.write(reinterpret_cast<const char *>(bytes.data()),
              static_cast<std::streamsize>(bytes.size()));
}

// Real records: of disks of several kinds, without one of them, with something unknown.
void write_caps(const fs::path &dir) {
    lpar_disk_limits lim = {};
    lim.sectors = 1 << 20;
    lim.logical_block = 512;
    lim.physical_block = 4096;
    lim.io_min = 4096;
    lim.max_transfer = 1 << 20;
    lim.segments = 127;
    lim.segment_size = 1 << 21;
    lim.virt_boundary = 4095;
    lim.dma_alignment = 3;
    lim.chunk = 131072;
    lim.queues = 4;
    lim.discard = 1 << 30;
    lim.discard_grain = 4096;
    lim.write_zeroes = 1 << 25;
    lim.write_cache = lim.fua = true;
    int number = 0;
    for (const uint32_t block : {512u, 4096u}) {
        lim.logical_block = block;
        Bytes all(4096);
        const int need = lpar_core_records(all.data(), all.size(), &lim, "root", "SERIAL 1");
        all.resize(need);
        write(dir, number++, all);
        for (size_t at = 0; at < all.size();) {
            const size_t len = all[at + 2];
            Bytes less = all;
            less.erase(less.begin() + at, less.begin() + at + len);
            write(dir, number++, less);
            at += len;
        }
        const Bytes unknown = {99, 0, 16, 0, 0, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8};
        all.insert(all.end(), unknown.begin(), unknown.end());
        write(dir, number++, all);
    }
}

// The other targets make something of any bytes.
void write_random(const fs::path &dir) {
    std::mt19937 random(1); // NOLINT: the same seeds each time
    for (int number = 0; number < 200; number++) {
        Bytes bytes(64 + random() % 400);
        for (auto &b : bytes)
            b = random();
        write(dir, number, bytes);
    }
}

} // namespace

int main(int argc, char **argv) {
    if (argc != 2) {
        std::fputs("usage: seeds DIR\n", stderr);
        return 2;
    }
    const fs::path dir = argv[1];
    write_caps(dir / "caps");
    write_random(dir / "request");
    write_random(dir / "records");
    write_random(dir / "frame");
    write_random(dir / "esp");
    return 0;
}
