// SPDX-License-Identifier: GPL-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "device.h"
#include "fake.h"

namespace lpar {

namespace {

using test::FakeHost;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class DeviceTest : public testing::Test {
  protected:
    DeviceTest() { host.add_nvme(0, "0000:01:00.0", 2); } // 259:0, 259:1, 259:2

    std::vector<std::string> uses(const std::string &name) {
        std::vector<std::string> texts;
        for (const auto &use : Devices(host).uses(name))
            texts.push_back("/dev/" + use.device + " " + describe(use));
        return texts;
    }

    FakeHost host;
};

TEST_F(DeviceTest, WhatItIs) {
    BlockDevice disk = Devices(host).get("nvme0n1");
    EXPECT_EQ(disk.path, "/dev/nvme0n1");
    EXPECT_EQ(disk.bytes, 4ull << 30);
    EXPECT_EQ(disk.model, "Fast Disk 9000");
    EXPECT_EQ(disk.pci, "0000:01:00.0");
    EXPECT_EQ(disk.driver, "nvme");
    EXPECT_THAT(disk.partitions, ElementsAre("nvme0n1p1", "nvme0n1p2"));
    EXPECT_EQ(disk.disk, "");

    BlockDevice part = Devices(host).get("nvme0n1p2");
    EXPECT_EQ(part.disk, "nvme0n1");
    EXPECT_EQ(part.pci, "0000:01:00.0");
    EXPECT_EQ(part.bytes, 1ull << 30);
}

TEST_F(DeviceTest, OnlyWhatCouldBeShared) {
    host.add_virtual_disk("zram0", 1000);
    host.add_virtual_disk("ram0", 1000);
    host.add_virtual_disk("sr0", 1000);
    host.add_virtual_disk("loop0", 0);
    host.add_virtual_disk("loop1", 1000);
    host.add_virtual_disk("nvme0c0n1", 1000);
    host.put("/sys/block/nvme0c0n1/hidden", "1\n");
    host.add_nvme(10, "0000:02:00.0");
    host.add_nvme(2, "0000:03:00.0");
    EXPECT_THAT(Devices(host).names(),
                ElementsAre("loop1", "nvme0n1", "nvme0n1p1", "nvme0n1p2", "nvme2n1", "nvme10n1"));
}

TEST_F(DeviceTest, FreeOneHasNoUses) {
    EXPECT_THAT(uses("nvme0n1"), IsEmpty());
}

TEST_F(DeviceTest, Mounts) {
    host.mount("259:1", "/data\\040base", "/dev/nvme0n1p1");
    host.mount("259:1", "/mnt", "/dev/other-name");
    EXPECT_THAT(uses("nvme0n1p1"), ElementsAre("/dev/nvme0n1p1 mounted on /data base",
                                               "/dev/nvme0n1p1 mounted on /mnt"));
    EXPECT_THAT(uses("nvme0n1"), testing::SizeIs(2));
    EXPECT_THAT(uses("nvme0n1p2"), IsEmpty()); // its sister is free
}

TEST_F(DeviceTest, MountOfTheWholeDiskBlocksItsPartitions) {
    host.mount("259:0", "/data", "/dev/nvme0n1");
    EXPECT_THAT(uses("nvme0n1p2"), ElementsAre("/dev/nvme0n1 mounted on /data"));
}

TEST_F(DeviceTest, BtrfsIsFoundByItsSource) {
    host.mount("0:45", "/data", "/dev/nvme0n1p1");
    host.directory("/sys/fs/btrfs/1234-abcd/devices/nvme0n1p1");
    host.directory("/sys/fs/btrfs/1234-abcd/devices/nvme0n1p2");
    EXPECT_THAT(uses("nvme0n1p1"), ElementsAre("/dev/nvme0n1p1 mounted on /data"));
    EXPECT_THAT(uses("nvme0n1p2"),
                ElementsAre("/dev/nvme0n1p2 held by the btrfs file system 1234-abcd"));
}

TEST_F(DeviceTest, Swap) {
    host.put("/proc/swaps", "Filename Type Size Used Priority\n"
                            "/dev/nvme0n1p2 partition 1048572 0 -2\n/swapfile file 100 0 -3\n");
    EXPECT_THAT(uses("nvme0n1p2"), ElementsAre("/dev/nvme0n1p2 used as swap"));
}

TEST_F(DeviceTest, Lvm) {
    host.add_virtual_disk("dm-0", 1000); // 252:3
    host.put("/sys/class/block/dm-0/dm/name", "vg-root\n");
    host.put("/sys/class/block/dm-0/dm/uuid", "LVM-xyz\n");
    host.add_holder("nvme0n1p1", "dm-0");
    host.mount("252:3", "/", "/dev/mapper/vg-root");
    EXPECT_THAT(uses("nvme0n1p1"),
                ElementsAre("/dev/nvme0n1p1 part of the LVM volume vg-root (mounted on /)"));
    EXPECT_THAT(remedy(Devices(host).uses("nvme0n1p1").at(0)), HasSubstr("lvchange -an"));
}

TEST_F(DeviceTest, StackedHolders) {
    host.add_virtual_disk("md0", 1000);  // 252:3
    host.add_virtual_disk("dm-1", 1000); // 252:4
    host.directory("/sys/class/block/md0/md");
    host.put("/sys/class/block/dm-1/dm/name", "secret\n");
    host.put("/sys/class/block/dm-1/dm/uuid", "CRYPT-LUKS2-xyz\n");
    host.add_holder("nvme0n1", "md0");
    host.add_holder("md0", "dm-1");
    host.mount("252:4", "/secret", "/dev/mapper/secret");
    EXPECT_THAT(uses("nvme0n1"),
                ElementsAre("/dev/nvme0n1 a member of the RAID array md0 (mounted on /secret)"));
    EXPECT_THAT(uses("md0"),
                ElementsAre("/dev/md0 held by the encrypted device secret (mounted on /secret)"));
}

TEST_F(DeviceTest, HoldersInACircleEnd) {
    host.add_virtual_disk("md0", 1000);
    host.add_virtual_disk("md1", 1000);
    host.add_holder("nvme0n1", "md0");
    host.add_holder("md0", "md1");
    host.add_holder("md1", "md0");
    EXPECT_THAT(uses("nvme0n1"), testing::SizeIs(1));
}

TEST_F(DeviceTest, OwnDisks) {
    ASSERT_EQ(test::lparctl(host, {"partition", "create", "web"}).status, 0);
    ASSERT_EQ(test::lparctl(host, {"disk", "add", "web", "/dev/nvme0n1p1"}).status, 0);
    EXPECT_THAT(uses("nvme0n1p1"), ElementsAre("/dev/nvme0n1p1 already shared as web/d0"));
    EXPECT_EQ(remedy(Devices(host).uses("nvme0n1p1").at(0)), "lparctl disk remove web d0");
}

TEST_F(DeviceTest, Openers) {
    host.put("/proc/42/comm", "mkfs.ext4\n");
    host.link("/proc/42/fd/3", "/dev/nvme0n1p1");
    host.link("/proc/42/fd/4", "/dev/nvme0n1p1");
    auto openers = Devices(host).openers("nvme0n1p1");
    ASSERT_EQ(openers.size(), 1u);
    EXPECT_EQ(describe(openers[0]), "open in mkfs.ext4 (pid 42)");
}

TEST_F(DeviceTest, MalformedFilesAreNoReasonToFail) {
    host.put("/proc/self/mountinfo", "\n1\n1 2 3\n - \n1 2 259:0 / \\0 rw\n1 2 3:4 / \\999 -\n");
    host.put("/proc/swaps", "\\\n");
    host.put("/sys/class/block/nvme0n1/size", "many\n");
    EXPECT_THAT(uses("nvme0n1"), ElementsAre("/dev/nvme0n1 mounted on \\0"));
    EXPECT_EQ(Devices(host).get("nvme0n1").bytes, 0u);
}

TEST_F(DeviceTest, NamesByAnyPath) {
    host.link("/dev/disk/by-id/nvme-x", "/dev/nvme0n1");
    EXPECT_EQ(host.block_name("/dev/disk/by-id/nvme-x"), "nvme0n1");
    EXPECT_EQ(host.block_name("/dev/nvme0n1p1"), "nvme0n1p1");
    EXPECT_EQ(host.block_name("/dev/null"), std::nullopt);
    EXPECT_EQ(host.block_name("/etc/passwd"), std::nullopt);
    EXPECT_EQ(host.block_name(""), std::nullopt);
}

TEST(PciAddress, IsTheLastOne) {
    EXPECT_EQ(pci_address("/sys/devices/pci0000:00/0000:00:1c.0/0000:01:00.0/nvme/nvme0"),
              "0000:01:00.0");
    EXPECT_EQ(pci_address("/sys/devices/pci0000:00/10000:e0:06.0/ata1"), "10000:e0:06.0");
    EXPECT_EQ(pci_address("/sys/devices/virtual/block/dm-0"), "");
}

} // namespace

} // namespace lpar
