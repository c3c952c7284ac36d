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

// These records, without one of them, with something unknown.
void write_around(const fs::path &dir, int &number, Bytes all) {
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

// Real records, of disks of several kinds.
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
        write_around(dir, number, all);
    }
}

// And of NICs: one that has everything, and one that has little.
void write_nic_caps(const fs::path &dir) {
    lpar_nic_limits lim = {};
    lim.mac = 0x020000000001;
    lim.mtu_min = 68;
    lim.mtu = lim.mtu_max = 1500;
    lim.segments = lim.queues = 1;
    int number = 0;
    for (const bool much : {false, true}) {
        if (much) {
            lim.mtu_max = 9000;
            lim.segments = 17;
            lim.queues = 4;
            lim.speed = 10000;
            lim.tso4 = lim.tso6 = lim.uso = 65535;
            lim.tso_segments = 512;
            for (bool lpar_nic_limits::*flag :
                 {&lpar_nic_limits::link, &lpar_nic_limits::full_duplex, &lpar_nic_limits::tx_csum,
                  &lpar_nic_limits::tx_csum4, &lpar_nic_limits::tx_csum6, &lpar_nic_limits::tx_vlan,
                  &lpar_nic_limits::rx_csum, &lpar_nic_limits::rx_vlan, &lpar_nic_limits::ipsec,
                  &lpar_nic_limits::trusted, &lpar_nic_limits::vlan_filters,
                  &lpar_nic_limits::standby})
                lim.*flag = true;
        }
        Bytes all(4096);
        all.resize(lpar_core_nic_records(all.data(), all.size(), &lim, "n0"));
        write_around(dir, number, all);
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
    write_nic_caps(dir / "nic_caps");
    write_random(dir / "request");
    write_random(dir / "records");
    write_random(dir / "frame");
    write_random(dir / "esp");
    return 0;
}
