// SPDX-License-Identifier: GPL-2.0
// The attacks by the wire (tests/kmod/attack*.c), and those that need more than one vCPU or a monitor.
#include "harness.h"

#include <atomic>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <thread>

#include <sched.h>

using namespace hostile;

namespace {

// The calling thread, to one CPU.
bool pin_to(int cpu)
{
	cpu_set_t set;
	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	return !sched_setaffinity(0, sizeof(set), &set);
}

// Two reads into one page at once, as descriptors that change bring about, are a bug of its driver to a kernel with
// DMA_API_DEBUG: not to be reported meanwhile.
class NoDmaDebug {
public:
	NoDmaDebug()
	{
		std::ifstream(path) >> old_;
		std::ofstream(path) << "nobody" << std::flush;
	}
	~NoDmaDebug()
	{
		// errors that were not shown count too: the next one is to be shown again
		std::ofstream("/sys/kernel/debug/dma-api/num_errors") << 1 << std::flush;
		std::ofstream(path) << (old_.empty() ? "\n" : old_) << std::flush;
	}

private:
	static constexpr const char *path = "/sys/kernel/debug/dma-api/driver_filter";
	std::string old_;
};

CASE(calls, "G1 hypercalls", 300)
{
	FakeGuest g(options.partition);
	g.start();
	attack_calls(g.env());
	if (!attack_start(g.env()))
		return;
	attack_shapes(g.env());
	attack_windows(g.env());
}

CASE(requests, "G3 G7 G9 requests", 300)
{
	FakeGuest g(options.partition);
	g.start();
	attack_requests(g.env());
	attack_partial(g.env());
}

// A file's first word; empty when there is none.
std::string word_of(const std::filesystem::path &path)
{
	std::string word;
	std::ifstream(path) >> word;
	return word;
}

std::filesystem::path disks_of(const std::string &partition)
{
	return "/sys/kernel/lpar/partitions/" + partition + "/disks";
}

// What a guest's driver would not even ask for. The neighbour has such a disk beside its first.
CASE(read_only, "G3 writes to a read-only disk")
{
	const std::filesystem::path config = options.config + "/" + options.neighbour + "/disks";
	u32 function = 0;

	if (!options.neighbour.empty())
		for (auto &disk : std::filesystem::directory_iterator(disks_of(options.neighbour)))
			if (word_of(config / disk.path().filename() / "read_only") == "1")
				function = std::stoul(word_of(disk.path() / "id"));
	if (!function)
		skip("the neighbour has no read-only disk");
	FakeGuest g(options.neighbour);
	attack *a = g.env();
	attack_queue q;
	u8 *data = g.ram().data() + ATTACK_DATA, before[4096];

	g.start();
	a->function = function;
	EXPECT(attack_create(a, &q, 1, 16, 8) == LPAR_OK, "no queue");
	EXPECT(attack_io(a, &q, attack_sqe(a, LPAR_BLK_READ, 8, 0, 4096)) == LPAR_OK, "it cannot be read");
	std::memcpy(before, data, sizeof(before));
	attack_pattern(data, 8, 4096);
	const struct { u8 op, flags; std::uint64_t allowed; } writes[] = {
		{LPAR_BLK_WRITE, 0, ST(READONLY)},
		{LPAR_BLK_WRITE, LPAR_BLK_FUA, ST(READONLY)},
		{LPAR_BLK_DISCARD, 0, ST(READONLY) | ST(NOTSUPP)},
		{LPAR_BLK_WRITE_ZEROES, 0, ST(READONLY) | ST(NOTSUPP)},
		{LPAR_BLK_WRITE_ZEROES, LPAR_BLK_NOUNMAP, ST(READONLY) | ST(NOTSUPP)},
	};
	for (auto &w : writes) {
		lpar_blk_sqe sqe = attack_sqe(a, w.op, 8, 0, 4096);
		sqe.flags = w.flags;
		u32 st = attack_io(a, &q, sqe);
		EXPECT(st < 64 && w.allowed >> st & 1, "operation {}, flags {}: status {}", w.op, w.flags, st);
	}
	EXPECT(attack_io(a, &q, attack_sqe(a, LPAR_BLK_FLUSH, 0, 0, 0)) == LPAR_OK, "FLUSH");
	EXPECT(attack_io(a, &q, attack_sqe(a, LPAR_BLK_READ, 8, 0, 4096)) == LPAR_OK, "it cannot be read afterwards");
	EXPECT(!std::memcmp(before, data, sizeof(before)), "it has changed");
}

CASE(rings, "G3 G4 rings", 300)
{
	FakeGuest g(options.partition);
	g.start();
	attack_indices(g.env());
	attack_full(g.env());
}

// The limit is the partition's memory_limit, set small for this.
CASE(quota, "G4 quota")
{
	const std::string path = options.config + "/" + options.partition + "/memory_limit";
	std::string old;
	std::ifstream(path) >> old;
	if (old.empty())
		skip("no " + path);
	std::ofstream(path) << (8 << 20) << std::flush;
	try {
		FakeGuest g(options.partition);
		g.start();
		g.env()->expect_quota = true;
		attack_quota(g.env(), FakeGuest::base, FakeGuest::base + FakeGuest::ram_bytes);
		EXPECT(partition_value(options.partition, "pinned_bytes") <= 8 << 20, "more is pinned than may be");
	} catch (const std::exception &x) {
		EXPECT(false, "{}", x.what());
	}
	at_baseline(options.partition);
	std::ofstream(path) << old << std::flush;
}

CASE(flips, "G2 a second thread changes descriptors", 600)
{
	NoDmaDebug quiet;
	FakeGuest g(options.partition);
	attack *a = g.env();
	attack_queue q;
	std::atomic<bool> over = false;

	g.start();
	attack_begin(a, "G2 descriptors that change");
	attack_status(a, "QUEUE_CREATE", attack_create(a, &q, 1, 32, 4), ST(OK));
	a->parallel = pin_to(0) && std::thread::hardware_concurrency() > 1;
	std::thread other([&] {
		pin_to(1);
		u32 random = options.seed ?: 1;
		while (!over)
			attack_flip(a, &q, &random);
	});
	attack_race(a, &q, options.flips);
	over = true;
	other.join();
	attack_canaries(a, &q);
	attack_status(a, "QUEUE_DESTROY", attack_destroy(a, &q), ST(OK));
	attack_end(a);
}

CASE(storm, "G5 doorbell storms", 300)
{
	FakeGuest g(options.partition);
	attack *a = g.env();
	attack_queue live, dead;

	g.start();
	attack_begin(a, "G5 doorbells from vCPUs and others, existing and not");
	attack_status(a, "QUEUE_CREATE", attack_create(a, &live, 1, 16, 8), ST(OK));
	attack_status(a, "QUEUE_CREATE", attack_create(a, &dead, 2, 16, 8), ST(OK));
	attack_store(&dead.ctrl->sq_tail, 100);
	std::vector<std::thread> threads;
	for (int i = 0; i < 6; i++)
		threads.emplace_back([&, i] {
			if (i % 2)
				g.monitor().vcpu();
			attack_storm(a, options.storms, 140);
		});
	for (int i = 0; i < 50; i++)
		attack_good(a, &live);
	for (auto &t : threads)
		t.join();
	attack_expect(a, attack_load(&dead.ctrl->state) & LPAR_QUEUE_BROKEN, "the dead queue lives");
	attack_good(a, &live);
	attack_status(a, "QUEUE_DESTROY", attack_destroy(a, &dead), ST(OK));
	attack_status(a, "QUEUE_DESTROY", attack_destroy(a, &live), ST(OK));
	attack_end(a);
}

// Half of a window has no memory: what names that half is refused, whatever else the segment has.
CASE(holes, "G7 windows with holes")
{
	FakeGuest g(options.partition);
	Memory half(1 << 20);
	attack *a = g.env();
	attack_queue q;
	u64 addr, gpa = FakeGuest::base + (32 << 20) + (512 << 10);

	g.start();
	EXPECT_ERRNO(g.monitor().memory(true, gpa, half.data(), half.size()), 0);
	attack_begin(a, "G7 a window that is memory in part");
	attack_status(a, "MAP", g.map(gpa, &addr), ST(OK));
	attack_status(a, "MAP below", g.map(gpa - 4096), ST(OK));
	attack_status(a, "QUEUE_CREATE", attack_create(a, &q, 1, 16, 8), ST(OK));
	const struct { long at; unsigned bytes; std::uint64_t allowed; } tries[] = {
		{0, 4096, ST(FAULT)},
		{(512 << 10) - 4096, 4096, ST(FAULT)},
		{(512 << 10) - 4096, 8192, ST(FAULT)},
		{512 << 10, 4096, ST(OK)},
		{(1536 << 10) - 8192, 8192, ST(OK)},
		{(1536 << 10) - 4096, 8192, ST(FAULT)},
		{(1536 << 10) - 512, 1024, ST(FAULT)},
		{1536 << 10, 4096, ST(FAULT)},
		{(2048 << 10) - 4096, 4096, ST(FAULT)},
	};
	for (auto &t : tries)
		for (u8 op : {LPAR_BLK_READ, LPAR_BLK_WRITE}) {
			lpar_blk_sqe sqe = attack_sqe(a, op, 8, 0, t.bytes);
			if (op == LPAR_BLK_WRITE && t.allowed == ST(OK))
				continue;
			sqe.seg[0].addr = addr + t.at;
			attack_status(a, fmt::format("{} at {:#x}", t.bytes, t.at).c_str(), attack_io(a, &q, sqe),
				      t.allowed);
		}
	attack_expect(a, attack_is_pattern(half.data(), 8, 4096), "the good part reads something else");
	attack_good(a, &q);
	attack_end(a);
}

// Other memory in a chunk that has a window: the window is stale and must be gone.
CASE(added, "G6 memory added beside a window")
{
	FakeGuest g(options.partition);
	Memory first(1 << 20), second(1 << 20);
	u64 addr, gpa = FakeGuest::base + (32 << 20);
	attack *a = g.env();
	attack_queue q;

	g.start();
	EXPECT_ERRNO(g.monitor().memory(true, gpa, first.data(), first.size()), 0);
	EXPECT(g.map(gpa, &addr) == LPAR_OK, "no window");
	EXPECT_ERRNO(g.monitor().memory(true, gpa + (1 << 20), second.data(), second.size()), 0);
	EXPECT(attack_create(a, &q, 1, 16, 8) == LPAR_OK, "no queue");
	lpar_blk_sqe sqe = attack_sqe(a, LPAR_BLK_READ, 8, 0, 4096);
	sqe.seg[0].addr = addr;
	EXPECT(attack_io(a, &q, sqe) == LPAR_NOWINDOW, "the stale window is used");
	EXPECT(g.unmap(addr) == LPAR_OK, "the slot cannot be given back");
	EXPECT(g.map(gpa + (1 << 20), &addr) == LPAR_OK, "no new window");
	sqe.seg[0].addr = addr + (1 << 20) - 4096;
	sqe.seg[0].len = 8192;
	sqe.nsectors = 16;
	EXPECT(attack_io(a, &q, sqe) == LPAR_OK, "a read over the seam");
	EXPECT(attack_is_pattern(first.data() + (1 << 20) - 4096, 8, 4096) && attack_is_pattern(second.data(), 16, 4096),
	       "it reads something else");
}

// A device's requests, few while this lives.
class FewRequests {
public:
	explicit FewRequests(const std::string &device) : path_("/sys/class/block/" + device.substr(5) + "/queue/nr_requests")
	{
		old_ = word_of(path_);
		if (old_.empty())
			skip("no " + path_);
		std::ofstream(path_) << 4 << std::flush;
	}
	~FewRequests() { std::ofstream(path_) << old_ << std::flush; }

private:
	std::string path_, old_;
};

// What the adapter does not take stays in the ring, and goes on when RUNNABLE says so: with a completion of the queue's
// own, or without any, when it is others' requests that fill the adapter.
CASE(adapter_full, "G4 an adapter that takes no more", 300)
{
	std::filesystem::path disk;

	for (auto &entry : std::filesystem::directory_iterator(disks_of(options.partition)))
		disk = entry.path();
	FewRequests few(word_of(disk / "device"));
	FakeGuest g(options.partition);
	attack *a = g.env();
	attack_queue one, two;
	auto full = [&](int queue) {
		const std::string count = word_of(disk / "queues" / std::to_string(queue) / "stats/full");
		return count.empty() ? 0 : std::stoul(count);
	};
	auto reap = [&](attack_queue &q, unsigned n) {
		u32 st = LPAR_OK;
		u16 id;
		while (n-- && st == LPAR_OK)
			st = attack_reap(a, &q, &id);
		return st == LPAR_OK;
	};

	g.start();
	EXPECT(attack_create(a, &one, 1, 64, 8) == LPAR_OK && attack_create(a, &two, 2, 64, 8) == LPAR_OK, "no queues");
	bool good = true;
	for (int round = 0; good && round < 1000 && (full(1) < 5 || full(2) < 2); round++) {
		g.submit_many(one, 64);
		// not to where the others are read to: that is an error to a kernel with DMA_API_DEBUG
		g.submit_many(two, 1, LPAR_BLK_READ, 64);
		g.monitor().ring(1);
		g.monitor().ring(2);
		good = reap(two, 1) && reap(one, 64);
		EXPECT(good, "round {}: requests do not end", round);
	}
	fmt::print("# the adapter was full {} and {} times\n", full(1), full(2));
	EXPECT(!good || (full(1) >= 5 && full(2) >= 2), "the adapter is never full");
}

// A partition that is full of 128 queues, in use by nobody.
CASE(many, "G4 all queues")
{
	FakeGuest g(options.partition);
	attack *a = g.env();
	attack_queue q;
	u32 made = 0, st = LPAR_OK;

	g.start();
	for (u32 i = 3; i < LPAR_DOORBELLS_MAX && st == LPAR_OK; i++) {
		// all in the same memory: that harms nobody but the guest
		st = attack_create(a, &q, i, 16, 8);
		made += st == LPAR_OK;
	}
	EXPECT(st == LPAR_OK || st == LPAR_QUOTA, "queue {}: status {}", made + 3, st);
	EXPECT(partition_value(options.partition, "queues") == made, "the count is wrong");
	EXPECT(attack_create(a, &q, 1, 16, 8) == LPAR_OK, "no more queues");
	EXPECT(attack_good(a, &q), "reads do not work any more");
	fmt::print("# {} queues\n", made);
}

}
