// SPDX-License-Identifier: GPL-2.0
// V2 (munmap, fork, dup, close in any order), V4 (others, limits), K1 (killed at every state).
#include "harness.h"

#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <fstream>
#include <random>
#include <thread>

#include <fcntl.h>
#include <linux/capability.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

using namespace hostile;

namespace {

// A guest with a queue, or an exception.
struct Running : FakeGuest {
	attack_queue q;

	explicit Running(const std::string &partition, unsigned depth = 16, bool written = false) : FakeGuest(partition)
	{
		env()->written = written;
		start();
		if (attack_create(env(), &q, 1, depth, 8) != LPAR_OK)
			throw std::runtime_error("no queue");
	}
	std::uint32_t io(const lpar_blk_sqe &sqe) { return attack_io(env(), &q, sqe); }
};

CASE(unmapped, "V2 guest memory unmapped, replaced and dropped under a window")
{
	Running g(options.partition);
	std::uint8_t *data = g.ram().data() + ATTACK_DATA, *window = g.ram().data() + LPAR_WINDOW_SIZE;
	u64 addr;

	// other pages at the same place: the adapter goes on with the old ones
	EXPECT(mmap(window, LPAR_WINDOW_SIZE, PROT_READ | PROT_WRITE, MAP_FIXED | MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == window,
	       "no mmap");
	std::memset(window, ATTACK_CANARY, LPAR_WINDOW_SIZE);
	EXPECT(g.io(attack_sqe(g.env(), LPAR_BLK_READ, 8, 0, 4096)) == LPAR_OK, "the pinned pages cannot be read to");
	for (unsigned i = 0; i < LPAR_WINDOW_SIZE; i++)
		if (window[i] != ATTACK_CANARY) {
			EXPECT(false, "byte {:#x} of somebody else's memory was written", i);
			break;
		}
	// made anew, the window has the new pages
	EXPECT(g.unmap(g.env()->window[1]) == LPAR_OK, "UNMAP");
	EXPECT(g.map(FakeGuest::base + LPAR_WINDOW_SIZE, &g.env()->window[1]) == LPAR_OK, "MAP");
	EXPECT(attack_good(g.env(), &g.q), "the new pages are not read to");
	madvise(window, LPAR_WINDOW_SIZE, MADV_DONTNEED);
	std::memset(window, ATTACK_CANARY, LPAR_WINDOW_SIZE);
	EXPECT(g.io(attack_sqe(g.env(), LPAR_BLK_READ, 8, 0, 4096)) == LPAR_OK, "read after MADV_DONTNEED");
	EXPECT(data[0] == ATTACK_CANARY, "a stale window reaches the new page");
	// nothing at all
	munmap(window, LPAR_WINDOW_SIZE);
	EXPECT(g.io(attack_sqe(g.env(), LPAR_BLK_READ, 8, 0, 4096)) == LPAR_OK, "read after munmap");
	EXPECT(g.unmap(g.env()->window[1]) == LPAR_OK, "UNMAP");
	EXPECT(g.map(FakeGuest::base + LPAR_WINDOW_SIZE, &addr) == LPAR_FAULT, "a window of nothing");
	mmap(window, LPAR_WINDOW_SIZE, PROT_READ, MAP_FIXED | MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	EXPECT(g.map(FakeGuest::base + LPAR_WINDOW_SIZE, &addr) == LPAR_FAULT, "a window of read-only memory");
	// in part
	mprotect(window, LPAR_WINDOW_SIZE / 2, PROT_READ | PROT_WRITE);
	EXPECT(g.map(FakeGuest::base + LPAR_WINDOW_SIZE, &addr) == LPAR_FAULT, "a window of read-only memory in part");
	EXPECT(partition_value(options.partition, "windows") == 1, "refused windows are counted");
}

CASE(kinds, "V2 guest memory of other kinds")
{
	Running g(options.partition);
	u64 gpa = 1ull << 33, addr;
	FILE *file = std::tmpfile();
	int fd = file ? fileno(file) : -1;

	auto attempt = [&](void *p, std::size_t bytes, const char *what, std::uint64_t allowed) {
		EXPECT(p != MAP_FAILED, "{}: no mmap", what);
		if (p == MAP_FAILED)
			return;
		EXPECT_ERRNO(g.monitor().memory(true, gpa, p, bytes), 0);
		u32 st = g.map(gpa, &addr);
		EXPECT(allowed >> st & 1, "{}: status {}", what, st);
		if (st == LPAR_OK) {
			lpar_blk_sqe sqe = attack_sqe(g.env(), LPAR_BLK_READ, 8, 0, 4096);
			sqe.seg[0].addr = addr;
			EXPECT(g.io(sqe) == LPAR_OK && attack_is_pattern(static_cast<u8 *>(p), 8, 4096), "{}: read", what);
			munmap(p, bytes);
			EXPECT(g.unmap(addr) == LPAR_OK, "{}: UNMAP", what);
		} else {
			munmap(p, bytes);
		}
		gpa += 1 << 30;
	};
	const std::size_t two = 2 << 20;
	EXPECT(fd >= 0 && !ftruncate(fd, two), "no file");
	attempt(mmap(nullptr, two, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0), two, "shared", ST(OK));
	attempt(mmap(nullptr, two, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0), two, "private file", ST(OK));
	attempt(mmap(nullptr, two, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0), two, "file on tmpfs", ST(OK) | ST(FAULT));
	attempt(mmap(nullptr, two, PROT_READ, MAP_SHARED, fd, 0), two, "read-only file", ST(FAULT));
	// whose file system could be the VMM's own, and hold up who gives a page of it back
	if (const char *path = getenv("LPAR_DISK_FILE")) {
		Fd disk(open(path, O_RDWR | O_CREAT, 0600));
		EXPECT(disk.get() >= 0 && !ftruncate(disk.get(), two), "no file {}", path);
		attempt(mmap(nullptr, two, PROT_READ | PROT_WRITE, MAP_SHARED, disk.get(), 0), two, "file on a disk", ST(FAULT));
		attempt(mmap(nullptr, two, PROT_READ | PROT_WRITE, MAP_PRIVATE, disk.get(), 0), two, "private file on a disk", ST(OK));
	}
	Fd mem(open("/dev/mem", O_RDWR));
	void *p = mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, mem.get(), 0xfee00000);
	if (p != MAP_FAILED)
		attempt(p, 4096, "device registers", ST(FAULT));
	std::ofstream("/proc/sys/vm/nr_hugepages") << 2 << std::flush;
	p = mmap(nullptr, two, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB, -1, 0);
	attempt(p, two, "huge page", ST(OK));
	std::ofstream("/proc/sys/vm/nr_hugepages") << 0 << std::flush;
	if (file)
		std::fclose(file);
}

CASE(fork_while, "V2 fork with windows and requests")
{
	Running g(options.partition, 64);

	for (int round = 0; round < 10; round++) {
		g.submit_many(g.q, 32);
		g.monitor().ring(1);
		EXPECT(in_child([&] {
			// what the child writes is its own
			std::memset(g.ram().data() + ATTACK_DATA, 0, 4096);
			g.monitor().close();
			return 0;
		}) == 0, "the child failed");
		for (int i = 0; i < 32; i++) {
			u16 id;
			EXPECT(attack_reap(g.env(), &g.q, &id) == LPAR_OK, "round {}, request {}", round, i);
		}
		EXPECT(attack_good(g.env(), &g.q), "round {}", round);
	}
}

CASE(duplicates, "V2 dup and close in any order")
{
	for (int which = 0; which < 2; which++) {
		Running g(options.partition);
		Monitor copy{Fd(dup(g.monitor().fd()))};

		if (which) {
			copy.close();
			EXPECT(attack_good(g.env(), &g.q), "not after a copy was closed");
			g.monitor().close();
		} else {
			std::swap(copy, g.monitor());
			copy.close();
			EXPECT(attack_good(g.env(), &g.q), "not by the copy");
			g.monitor().close();
		}
		EXPECT(at_baseline(options.partition), "not released");
	}
}

CASE(closed_busy, "V2 close with requests in flight, never consumed")
{
	for (int round = 0; round < 10; round++) {
		Running g(options.partition, 64);
		g.submit_many(g.q, 64, round & 1 ? LPAR_BLK_WRITE : LPAR_BLK_READ);
		if (round & 1) // what is written is what is there
			for (u64 i = 0; i < 64; i++)
				attack_pattern(g.ram().data() + ATTACK_DATA + i * 4096, 8 * i, 4096);
		g.monitor().ring(1);
		g.monitor().close();
		std::memset(g.ram().data(), ATTACK_CANARY, g.ram().size());
		EXPECT(at_baseline(options.partition), "round {}: not released", round);
		for (std::size_t i = 0; i < g.ram().size(); i++)
			if (g.ram().data()[i] != ATTACK_CANARY) {
				EXPECT(false, "round {}: byte {:#x} was written after the close", round, i);
				break;
			}
	}
	Running again(options.partition, 16, true); // or an exception: the disk has changed
	EXPECT(attack_good(again.env(), &again.q), "the disk has changed");
}

CASE(closed_elsewhere, "V2 close while another thread is in a call")
{
	for (int round = 0; round < 20; round++) {
		auto *g = new Running(options.partition, 64); // freed by the end of the process: threads use it
		int fd = g->monitor().fd();
		std::atomic<bool> over = false;
		std::thread ringer([&] {
			lpar_ring r{sizeof(r), 1};
			Monitor borrowed{Fd(dup(fd))};
			borrowed.vcpu();
			while (!over)
				borrowed.call(LPAR_RING, &r);
		});
		g->submit_many(g->q, 64);
		g->monitor().ring(1);
		g->monitor().reset();
		g->monitor().close();
		over = true;
		ringer.join();
		EXPECT(at_baseline(options.partition), "round {}: not released", round);
	}
}

// Requests that the adapter does not interrupt for (poll_us), of a client that does not look for them either.
CASE(unpolled, "V2 polled requests that nobody asks for end all the same")
{
	auto polled = [] { return partition_value(options.partition, "stats/polled"); };
	const long long before = polled();
	unsigned left = 0;
	{
		Running g(options.partition, 64);
		attack_store(&g.q.ctrl->poll_us, 1000);
		for (int round = 0; round < 20; round++) {
			g.submit_many(g.q, 64);
			g.monitor().ring(1);
			EXPECT(attack_load(&g.q.ctrl->state) & LPAR_QUEUE_POLLS, "round {}: it does not poll", round);
			left += attack_load(&g.q.ctrl->cq_tail) != g.q.sq_tail;
			const std::uint64_t end = now_ms() + 5000;
			while (attack_load(&g.q.ctrl->cq_tail) != g.q.sq_tail && now_ms() < end) {
				usleep(1000);
				// the quantum may be over before the last has been taken
				if (attack_load(&g.q.ctrl->sq_head) != g.q.sq_tail)
					g.monitor().ring(1);
			}
			EXPECT(attack_load(&g.q.ctrl->cq_tail) == g.q.sq_tail, "round {}: {} of {}", round,
			       attack_load(&g.q.ctrl->cq_tail), g.q.sq_tail);
			for (u16 id; g.q.cq_head != g.q.sq_tail;)
				EXPECT(attack_reap(g.env(), &g.q, &id) == LPAR_OK, "round {}: request {}", round, id);
		}
		// a time of hours is no longer than the quantum; with nothing in the adapter it is none
		attack_store(&g.q.ctrl->poll_us, ~0u);
		g.monitor().ring(1);
	}
	EXPECT(left > 0, "the adapter was never slower than the first look");
	// nearly all: what had to be submitted a second time may be interrupted for
	EXPECT(polled() - before >= 20 * 48, "{} completions were looked for", polled() - before);
	// left in the adapter: a driver's time-out would be half a minute
	Running g(options.partition, 64);
	attack_store(&g.q.ctrl->poll_us, 1000);
	g.submit_many(g.q, 64);
	g.monitor().ring(1);
	const std::uint64_t start = now_ms();
	g.monitor().close();
	EXPECT(at_baseline(options.partition) && now_ms() - start < 10000, "its end took {} ms", now_ms() - start);
}

// A doorbell and a vector that are the same eventfd, and a ring that cannot be served: each service rings again.
CASE(loop, "V2 a doorbell that is its own interrupt can be killed", 60, true)
{
	int ready[2];
	if (pipe(ready))
		throw std::runtime_error("no pipe");
	pid_t pid = fork();
	if (!pid) {
		Running g(options.partition, 4);
		Fd event(eventfd(0, 0));
		if (g.monitor().doorbell(1, event.get())) {
			(void)!write(ready[1], "s", 1);
			_exit(77);
		}
		g.monitor().vector(1, event.get());
		g.submit_many(g.q, 4);
		g.monitor().ring(1);
		while (attack_load(&g.q.ctrl->cq_tail) != 4) {
			// the quantum may be over before the fourth
			if (attack_load(&g.q.ctrl->state) & (LPAR_QUEUE_PA_BUSY | LPAR_QUEUE_RUNNABLE))
				g.monitor().ring(1);
			usleep(100);
		}
		g.submit_many(g.q, 4);
		(void)!write(ready[1], "r", 1);
		for (;;) // the thread may take it over, and then we get it back
			eventfd_write(event.get(), 1);
	}
	char c = 0;
	EXPECT(read(ready[0], &c, 1) == 1, "the child died");
	if (c == 's') {
		wait_for(pid, 5);
		skip("no LPAR_FEATURE_TASK_WORK");
	}
	sleep_ms(500);
	kill(pid, SIGKILL);
	int status = wait_for(pid, 10);
	EXPECT(status == 256 + SIGKILL, "it cannot be killed: the task work queues itself for ever ({})", status);
}

// Two clients of one thread that could keep it busy for ever, if what interrupts the one could ring for the other.
CASE(loop_of_two, "V2 an interrupt is nobody's doorbell, another client's neither")
{
	if (options.neighbour.empty())
		skip("no second partition");
	Running one(options.partition), other(options.neighbour);
	Fd event(eventfd(0, 0));
	if (other.monitor().doorbell(1, event.get()))
		skip("no LPAR_FEATURE_TASK_WORK");
	EXPECT_ERRNO(one.monitor().vector(1, event.get()), 0);
	other.submit_many(other.q, 4);
	for (int i = 0; i < 20; i++)
		EXPECT(attack_good(one.env(), &one.q), "reads do not work");
	std::uint64_t count = 0;
	EXPECT(read(event.get(), &count, sizeof(count)) == sizeof(count) && count > 0, "no interrupt");
	sleep_ms(100);
	EXPECT(attack_load(&other.q.ctrl->sq_head) == 0, "{} interrupts have rung", count);
	eventfd_write(event.get(), 1);
	for (u16 id; other.q.cq_head != other.q.sq_tail;)
		EXPECT(attack_reap(other.env(), &other.q, &id) == LPAR_OK, "a request");
}

// ------------------------------------------------------------------------------------------------ V4

CASE(user_open, "V4 another user")
{
	EXPECT(in_child([] {
		become(options.uid);
		int fd = open(LPAR_DEVICE, O_RDWR);
		EXPECT(fd < 0 && errno == EACCES, "it can open {}", LPAR_DEVICE);
		return 0;
	}) == 0, "the child failed");
	// one that was given the open file
	EXPECT(in_child([] {
		Monitor m;
		lpar_probe p;
		become(options.uid);
		EXPECT_ERRNO(m.attach(options.partition), EACCES);
		EXPECT_ERRNO(m.attach("no such"), ENOENT);
		EXPECT_ERRNO(m.probe("/dev/nvme0n1", p), EPERM);
		return 0;
	}) == 0, "the child failed");
	Attribute owner("owner", std::to_string(options.uid));
	EXPECT(in_child([] {
		Monitor m;
		rlimit limit{8 << 20, 8 << 20};
		setrlimit(RLIMIT_MEMLOCK, &limit);
		become(options.uid);
		EXPECT_ERRNO(m.attach(options.partition), 0);
		return 0;
	}) == 0, "the owner cannot attach");
	EXPECT(in_child([] {
		Monitor m;
		become(options.uid + 1);
		EXPECT_ERRNO(m.attach(options.partition), EACCES);
		return 0;
	}) == 0, "the child failed");
}

CASE(memlock, "V4 RLIMIT_MEMLOCK")
{
	EXPECT(in_child([] {
		FakeGuest g(options.partition);
		rlimit limit{0, 0};
		drop_capability(CAP_IPC_LOCK);
		setrlimit(RLIMIT_MEMLOCK, &limit);
		EXPECT_ERRNO(g.monitor().enable(FakeGuest::call_gpa), ENOMEM);
		EXPECT(partition_value(options.partition, "pinned_bytes") == 0, "pinned beyond the limit");
		return 0;
	}) == 0, "the child failed");
	EXPECT(in_child([] {
		Running g(options.partition);
		rlimit limit{5 << 20, 5 << 20};
		drop_capability(CAP_IPC_LOCK);
		setrlimit(RLIMIT_MEMLOCK, &limit);
		long long before = partition_value(options.partition, "pinned_bytes");
		for (int i = 0; i < 3; i++)
			EXPECT(g.map(FakeGuest::base + (6 << 20)) == LPAR_NOMEM, "a window beyond the limit");
		EXPECT(partition_value(options.partition, "pinned_bytes") == before, "a refused window is accounted for");
		EXPECT(attack_good(g.env(), &g.q), "reads do not work any more");
		return 0;
	}) == 0, "the child failed");
}

CASE(memory_limit, "V4 the partition's limit at LPAR_ENABLE")
{
	Attribute limit("memory_limit", "4095");
	FakeGuest g(options.partition);

	EXPECT_ERRNO(g.monitor().enable(FakeGuest::call_gpa), ENOMEM);
	limit.set("1000000");	// not while a client has it
	EXPECT_ERRNO(g.monitor().enable(FakeGuest::call_gpa), ENOMEM);
	EXPECT(partition_value(options.partition, "pinned_bytes") == 0, "pinned beyond the limit");
}

// ------------------------------------------------------------------------------------------------ K1

// States to be killed in; each goes on for ever.
void live(unsigned state, int ready)
{
	Running g(options.partition, 64);
	auto tell = [&] { (void)!write(ready, "r", 1); };
	u16 id;

	switch (state % 7) {
	case 0: // submitted, not rung for
		g.submit_many(g.q, 64);
		tell();
		for (;;)
			pause();
	case 1: // in the adapter, donated
		tell();
		for (;;) {
			g.submit_many(g.q, 64);
			g.monitor().ring(1);
			for (int i = 0; i < 64; i++)
				attack_reap(g.env(), &g.q, &id);
		}
	case 2: // writing what is there
		for (u64 i = 0; i < 64; i++)
			attack_pattern(g.ram().data() + ATTACK_DATA + i * 4096, 8 * i, 4096);
		tell();
		for (;;) {
			g.submit_many(g.q, 64, LPAR_BLK_WRITE);
			g.monitor().ring(1);
			for (int i = 0; i < 64; i++)
				attack_reap(g.env(), &g.q, &id);
		}
	case 3: // mapping and unmapping
		tell();
		for (;;) {
			u64 addr;
			if (g.map(FakeGuest::base + (4 << 20), &addr) == LPAR_OK)
				g.unmap(addr);
		}
	case 4: // revoking what is in use
		tell();
		for (;;) {
			g.submit_many(g.q, 64);
			g.monitor().ring(1);
			g.monitor().memory(false, FakeGuest::base, g.ram().data(), g.ram().size());
			g.monitor().memory(true, FakeGuest::base, g.ram().data(), g.ram().size());
			g.start();
			attack_create(g.env(), &g.q, 1, 64, 8);
		}
	case 5: // resetting
		tell();
		for (;;) {
			g.submit_many(g.q, 64);
			g.monitor().ring(1);
			g.monitor().reset();
			g.start();
			attack_create(g.env(), &g.q, 1, 64, 8);
		}
	default: // several threads at once
		for (int i = 0; i < 3; i++)
			std::thread([&, i] {
				if (i)
					g.monitor().vcpu();
				for (;;)
					g.monitor().ring(1);
			}).detach();
		tell();
		for (;;) {
			g.submit_many(g.q, 64);
			for (int i = 0; i < 64; i++)
				attack_reap(g.env(), &g.q, &id);
		}
	}
}

CASE(killed, "K1 SIGKILL at every state", 1200)
{
	std::mt19937 random(options.seed);
	unsigned clean = 0;

	for (unsigned i = 0; i < options.kills; i++) {
		int ready[2];
		if (pipe(ready))
			throw std::runtime_error("no pipe");
		pid_t pid = fork();
		if (!pid) {
			close(ready[0]);
			try {
				live(i, ready[1]);
			} catch (const std::exception &x) {
				fmt::print("# state {}: {}\n", i % 7, x.what());
				std::fflush(stdout);
			}
			_exit(1);
		}
		close(ready[1]);
		char c;
		bool up = read(ready[0], &c, 1) == 1;
		close(ready[0]);
		usleep(random() % 20000);
		kill(pid, SIGKILL);
		int status = wait_for(pid, 20);
		EXPECT(up && status == 256 + SIGKILL, "kill {}: state {}: ended with {}", i, i % 7, status);
		bool gone = at_baseline(options.partition);
		EXPECT(gone, "kill {}: state {}: not released", i, i % 7);
		if (!gone)
			break;
		clean += up;
	}
	fmt::print("# {} kills\n", clean);
	Running again(options.partition, 16, true); // or an exception: the disk has changed
	EXPECT(attack_good(again.env(), &again.q), "the disk has changed");
}

}
