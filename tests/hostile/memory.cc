// SPDX-License-Identifier: GPL-2.0
// V3 (memory that never comes), G6 and A3 (revocation while the adapter uses a window, and what it reaches afterwards).
#include "harness.h"

#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <thread>

#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

using namespace hostile;

namespace {

constexpr std::uint64_t stuck_gpa = 1ull << 33;

// While this lives, the first access to memory waits for ever, or the first write.
class Stuck {
public:
	explicit Stuck(Memory &memory, unsigned mode = UFFDIO_REGISTER_MODE_MISSING)
	    : uffd_(static_cast<int>(syscall(SYS_userfaultfd, O_CLOEXEC)))
	{
		uffdio_api api{UFFD_API, 0, 0};
		uffdio_register reg{{reinterpret_cast<std::uintptr_t>(memory.data()), memory.size()}, mode, 0};
		uffdio_writeprotect protect{reg.range, UFFDIO_WRITEPROTECT_MODE_WP};
		if (uffd_.get() < 0 || ioctl(uffd_.get(), UFFDIO_API, &api) || ioctl(uffd_.get(), UFFDIO_REGISTER, &reg) ||
		    (mode == UFFDIO_REGISTER_MODE_WP && ioctl(uffd_.get(), UFFDIO_WRITEPROTECT, &protect)))
			skip("no userfaultfd");
	}

private:
	Fd uffd_;
};

// A process whose vCPU thread waits in @stick for memory that never comes; others of its threads go on.
pid_t start_stuck(bool (*stick)(FakeGuest &g))
{
	int ready[2];
	if (pipe(ready))
		throw std::runtime_error("no pipe");
	pid_t pid = fork();
	if (!pid) {
		try {
			FakeGuest g(options.partition);
			Memory memory(LPAR_WINDOW_SIZE);
			Stuck stuck(memory);
			g.start();
			g.monitor().memory(true, stuck_gpa, memory.data(), memory.size());
			(void)!write(ready[1], "r", 1);
			_exit(stick(g) ? 3 : 1);
		} catch (const std::exception &x) {
			fmt::print("# {}\n", x.what());
			std::fflush(stdout);
		}
		_exit(1);
	}
	char c = 0;
	close(ready[1]);
	EXPECT(read(ready[0], &c, 1) == 1, "the client does not start");
	close(ready[0]);
	sleep_ms(500);
	return pid;
}

// A kernel may refuse such memory at once instead of waiting (6.1 does).
bool refused(pid_t pid)
{
	siginfo_t info{};
	waitid(P_PID, pid, &info, WEXITED | WNOHANG | WNOWAIT);
	return info.si_pid == pid && info.si_code == CLD_EXITED && info.si_status == 3;
}

void skip_if_refused(pid_t pid)
{
	if (!refused(pid))
		return;
	wait_for(pid, 5);
	skip("such memory is refused at once");
}

void expect_killable(pid_t pid)
{
	bool waits = !refused(pid);
	kill(pid, SIGKILL);
	int status = wait_for(pid, 10);
	EXPECT(status == (waits ? 256 + SIGKILL : 3), "the client cannot be killed ({})", status);
	EXPECT(at_baseline(options.partition), "not released");
}

bool stick_in_map(FakeGuest &g) { return g.map(stuck_gpa) == LPAR_FAULT; }
bool stick_in_enable(FakeGuest &g)
{
	g.monitor().reset();
	return g.monitor().enable(stuck_gpa) == EFAULT;
}
bool stick_in_queue(FakeGuest &g)
{
	return attack_call(g.env(), LPAR_OP_QUEUE_CREATE, g.env()->function, 5, stuck_gpa, 16 | 8 << 16, 5) == LPAR_FAULT;
}
// several threads wait for the first one's lock
bool stick_many(FakeGuest &g)
{
	for (int i = 0; i < 4; i++)
		std::thread([&g] {
			sleep_ms(100);
			g.monitor().vcpu();
			g.monitor().reset();
		}).detach();
	return g.map(stuck_gpa) == LPAR_FAULT;
}

CASE(stuck, "V3 memory that never comes: the client can be killed")
{
	for (auto stick : {stick_in_map, stick_in_enable, stick_in_queue, stick_many})
		expect_killable(start_stuck(stick));
}

CASE(stuck_others, "V3 memory that never comes: others go on")
{
	pid_t pid = start_stuck(stick_in_map);

	skip_if_refused(pid);
	for (const char *file : {"attached", "pinned_bytes", "windows", "queues", "vcpus", "doorbells"})
		EXPECT(in_child([&] { return partition_value(options.partition, file) < 0; }, 5) == 0, "{} hangs", file);
	if (options.neighbour.empty())
		fmt::print("# no neighbour (-P)\n");
	else
		EXPECT(in_child([] {
			FakeGuest g(options.neighbour);
			g.start();
			return 0;
		}, 30) == 0, "the neighbour hangs");
	EXPECT(in_child([] {
		Monitor m;
		return m.attach(options.partition) != EBUSY;
	}, 5) == 0, "another client of the partition hangs");
	expect_killable(pid);
}

// The administrator must not hang with the client: not for ever, and not so that he cannot be killed.
CASE(stuck_admin, "V3 memory that never comes: the administrator can disable the disk")
{
	namespace fs = std::filesystem;
	fs::path disks = options.config + "/" + options.partition + "/disks", enable;
	std::error_code error;

	for (auto &entry : fs::directory_iterator(disks, error))
		enable = entry.path() / "enable";
	if (enable.empty())
		skip("no disk in " + disks.string());
	pid_t pid = start_stuck(stick_in_map);
	skip_if_refused(pid);
	int status = in_child([&] {
		std::ofstream file(enable);
		return !(file << 0 << std::flush);
	}, 5);
	EXPECT(status == 0, "{}", status == -2 ? "it hangs and cannot be killed" : "it hangs, or is refused");
	// nor may the rest of the configuration
	EXPECT(in_child([&] {
		std::string line;
		std::ifstream(disks.parent_path() / "memory_limit") >> line;
		std::ofstream(disks.parent_path() / "memory_limit") << line << std::flush;
		return 0;
	}, 5) == 0, "the partition's other attributes hang");
	expect_killable(pid);
	std::ofstream again(enable);
	EXPECT(static_cast<bool>(again << 1 << std::flush), "it cannot be enabled again");
}

// An ioctl's structure that cannot be read, or whose answer cannot be written: also that is waited for without locks.
CASE(stuck_attach, "V3 an attach whose structure never comes: others go on")
{
	struct Way {
		const char *what;
		unsigned mode;
		long long attached;
	};
	for (auto &way : {Way{"reading", UFFDIO_REGISTER_MODE_MISSING, 0}, Way{"answering", UFFDIO_REGISTER_MODE_WP, 1}}) {
		pid_t pid = fork();
		if (!pid) {
			try {
				Memory page(4096);
				auto *a = reinterpret_cast<lpar_attach *>(page.data());
				if (way.mode == UFFDIO_REGISTER_MODE_WP) {
					*a = {};
					a->size = sizeof(*a);
					a->version = LPAR_CONTROL_VERSION;
					options.partition.copy(a->partition, sizeof(a->partition) - 1);
				}
				Stuck stuck(page, way.mode);
				Monitor m;
				_exit(10 + m.call(LPAR_ATTACH, a));
			} catch (const std::exception &x) {
				fmt::print("# {}\n", x.what());
				std::fflush(stdout);
			}
			_exit(1);
		}
		sleep_ms(500);
		for (int i = 0; i < 100 && partition_value(options.partition, "attached") < way.attached; i++)
			sleep_ms(100);
		EXPECT(partition_value(options.partition, "attached") == way.attached, "{}: the client is not where it should be",
		       way.what);
		EXPECT(in_child([&] {
			Monitor m;
			return m.attach(options.partition) != (way.attached ? EBUSY : 0);
		}, 5) == 0, "{}: another client of the partition hangs", way.what);
		EXPECT(in_child([&] {
			std::string path = options.config + "/" + options.partition + "/memory_limit", line;
			std::ifstream(path) >> line;
			std::ofstream limit(path);
			limit << line << std::flush;
			return limit.good() != !way.attached;
		}, 5) == 0, "{}: the partition's attributes hang", way.what);
		EXPECT(in_child([&] {
			std::filesystem::path other = options.config + "/stuck";
			return !(std::filesystem::create_directory(other) && std::filesystem::remove(other));
		}, 5) == 0, "{}: other partitions hang", way.what);
		kill(pid, SIGKILL);
		int status = wait_for(pid, 10);
		EXPECT(status == 256 + SIGKILL, "{}: the client cannot be killed ({})", way.what, status);
		EXPECT(at_baseline(options.partition), "{}: not released", way.what);
	}
}

// ------------------------------------------------------------------------------------------------ G6

// Everything of the guest's memory, as it is after nothing may write to it any more.
void expect_untouched(FakeGuest &g, const char *after)
{
	std::memset(g.ram().data(), ATTACK_CANARY, g.ram().size());
	sleep_ms(30);
	for (std::size_t i = 0; i < g.ram().size(); i++)
		if (g.ram().data()[i] != ATTACK_CANARY) {
			EXPECT(false, "byte {:#x} was written after {}", i, after);
			return;
		}
}

CASE(removed, "G6 LPAR_MEMORY_REMOVE while requests use the windows", 300)
{
	FakeGuest g(options.partition);
	attack *a = g.env();
	Memory queues(LPAR_WINDOW_SIZE);
	const std::uint64_t gpa = 1ull << 34;

	// rings and call block stay: they are in a range of their own
	EXPECT_ERRNO(g.monitor().memory(true, gpa, queues.data(), queues.size()), 0);
	for (int round = 0; round < 20; round++) {
		attack_queue q;
		u16 id;

		g.start();
		u8 *mem = a->mem;
		a->mem = queues.data();
		a->gpa = gpa;
		EXPECT(attack_create(a, &q, 1, 64, 8) == LPAR_OK, "no queue");
		a->mem = mem;
		a->gpa = FakeGuest::base;
		const u64 stale = a->window[1];

		std::atomic<bool> over = false;
		std::atomic<unsigned> bad = 0;
		std::thread reader([&] {
			g.monitor().vcpu();
			do {
				g.submit_many(q, 64);
				g.monitor().ring(1);
				for (int i = 0; i < 64; i++) {
					u32 st = attack_reap(a, &q, &id);
					bad += st != LPAR_OK && st != LPAR_NOWINDOW;
				}
			} while (!over);
		});
		usleep(500 * (round + 1));
		EXPECT_ERRNO(g.monitor().memory(false, FakeGuest::base, g.ram().data(), g.ram().size()), 0);
		expect_untouched(g, "LPAR_MEMORY_REMOVE");
		over = true;
		reader.join();
		EXPECT(!bad, "round {}: {} requests ended with something else", round, bad.load());
		EXPECT(partition_value(options.partition, "windows") == 0, "round {}: windows are left", round);

		EXPECT_ERRNO(g.monitor().memory(true, FakeGuest::base, g.ram().data(), g.ram().size()), 0);
		// the slot is not another window before the guest has given it back
		u64 addr;
		EXPECT(g.map(FakeGuest::base + LPAR_WINDOW_SIZE, &addr) == LPAR_OK, "round {}: MAP", round);
		EXPECT(addr != stale, "round {}: the revoked address is used again", round);
		EXPECT(attack_io(a, &q, attack_sqe(a, LPAR_BLK_READ, 8, 0, 4096)) == LPAR_NOWINDOW,
		       "round {}: the revoked address works", round);
		EXPECT(g.unmap(stale) == LPAR_OK, "round {}: UNMAP of the revoked one", round);
		a->window[1] = addr;
		EXPECT(attack_good(a, &q), "round {}: reads do not work any more", round);
	}
}

CASE(reset_busy, "G6 LPAR_RESET while requests use the windows", 300)
{
	FakeGuest g(options.partition);

	for (int round = 0; round < 20; round++) {
		attack_queue q;
		g.start();
		EXPECT(attack_create(g.env(), &q, 1, 64, 8) == LPAR_OK, "no queue");
		g.submit_many(q, 64);
		g.monitor().ring(1);
		EXPECT_ERRNO(g.monitor().reset(), 0);
		expect_untouched(g, "LPAR_RESET");
		EXPECT(partition_value(options.partition, "pinned_bytes") == 0, "round {}: something is pinned", round);
	}
}

// ------------------------------------------------------------------------------------------------ A3

struct Window {
	std::string adapter;
	u64 gpa, io;
};

// PARTITION GPA SLOT ADAPTER IOADDR TAGADDR, one window and adapter a line
std::vector<Window> mapped_windows()
{
	std::ifstream in("/sys/kernel/debug/lpar/windows");
	std::vector<Window> all;
	std::string line;

	if (!in)
		skip("no /sys/kernel/debug/lpar/windows");
	while (std::getline(in, line)) {
		std::istringstream words(line);
		std::string partition, gpa, slot, adapter, io;
		if (words >> partition >> gpa >> slot >> adapter >> io && partition == options.partition)
			all.push_back({adapter, std::stoull(gpa, nullptr, 16), std::stoull(io, nullptr, 16)});
	}
	return all;
}

// What the kernel has said since this was made.
class KernelLog {
public:
	KernelLog() : fd_(open("/dev/kmsg", O_RDONLY | O_NONBLOCK)) { lseek(fd_.get(), 0, SEEK_END); }
	std::vector<std::string> with(const std::string &a, const std::string &b)
	{
		std::vector<std::string> lines;
		char buffer[2048];
		for (ssize_t n; (n = read(fd_.get(), buffer, sizeof(buffer))) > 0;) {
			std::string line(buffer, n);
			if (line.find(a) != std::string::npos && line.find(b) != std::string::npos)
				lines.push_back(line.substr(line.find(';') + 1, line.find('\n') - line.find(';') - 1));
		}
		return lines;
	}

private:
	Fd fd_;
};

// Have the adapter write a sector of the disk to an I/O address: lpar_revoke_probe.
int probe(const Window &w, const std::string &disk, u64 sector)
{
	const char *build = std::getenv("LPAR_BUILD"), *kver = std::getenv("LPAR_KVER");
	std::string path = fmt::format("{}/modules/{}/lpar_revoke_probe.ko", build ? build : "", kver ? kver : "");
	Fd module(open(path.c_str(), O_RDONLY | O_CLOEXEC));

	if (module.get() < 0)
		skip("no " + path);
	std::string parameters = fmt::format("pci={} disk={} io={:#x} sector={}", w.adapter, disk, w.io, sector);
	return syscall(SYS_finit_module, module.get(), parameters.c_str(), 0) ? errno : 0;
}

CASE(strict, "A3 G6 a revoked window cannot be reached by its adapter")
{
	FakeGuest g(options.partition);
	std::string disks = "/sys/kernel/lpar/partitions/" + options.partition + "/disks", disk, mode;
	u8 *data = g.ram().data() + LPAR_WINDOW_SIZE;
	u64 start = 0;

	for (auto &entry : std::filesystem::directory_iterator(disks)) {
		std::ifstream(entry.path() / "device") >> disk;
		std::ifstream(entry.path() / "start") >> start;
		std::ifstream(entry.path() / "mode") >> mode;
	}
	if (mode != "tag")
		skip("only in tag mode an adapter keeps translations");
	for (int how = 0; how < 3; how++) {
		const char *names[] = {"UNMAP", "LPAR_MEMORY_REMOVE", "LPAR_RESET"};
		Window window{};

		g.start();
		for (auto &w : mapped_windows())
			if (w.gpa == FakeGuest::base + LPAR_WINDOW_SIZE)
				window = w;
		EXPECT(window.io && !(window.io & (LPAR_WINDOW_SIZE - 1)), "the window's I/O address is {:#x}", window.io);
		if (!window.io)
			return;
		// the control: the access as such works
		std::memset(data, 0, 4096);
		int error = probe(window, disk, start / 512 + 8);
		if (error != EAGAIN)
			throw std::runtime_error(fmt::format("lpar_revoke_probe: {}", strerrorname_np(error)));
		EXPECT(attack_is_pattern(data, 8, 4096), "{}: the window is not reached before", names[how]);
		EXPECT(attack_load(reinterpret_cast<u32 *>(data + 4096)) == 0, "{}: too much is written", names[how]);

		// the device may be busy with it just now, and keeps the translation
		if (how == 0)
			EXPECT(g.unmap(g.env()->window[1]) == LPAR_OK, "UNMAP");
		else if (how == 1)
			EXPECT_ERRNO(g.monitor().memory(false, FakeGuest::base, g.ram().data(), g.ram().size()), 0);
		else
			EXPECT_ERRNO(g.monitor().reset(), 0);
		std::memset(data, ATTACK_CANARY, 4096);
		// the kernel reports three faults in five seconds, and then none
		if (how)
			sleep_ms(5500);
		KernelLog log;
		error = probe(window, disk, start / 512 + 8);
		EXPECT(error == EAGAIN, "lpar_revoke_probe afterwards: {}", strerrorname_np(error));
		bool dead = std::all_of(data, data + 4096, [](u8 byte) { return byte == ATTACK_CANARY; });
		EXPECT(dead, "{}: the window is reached afterwards", names[how]);
		sleep_ms(500);
		// what the IOMMU names is bus:slot.function
		auto faults = log.with("fault addr", window.adapter.substr(5));
		unsigned exact = 0;
		for (auto &line : faults) {
			fmt::print("# {}: {}\n", names[how], line);
			exact += line.find(fmt::format("{:#x}", window.io)) != std::string::npos;
		}
		EXPECT(exact && exact == faults.size(), "{}: {} of {} IOMMU faults name {} and {:#x}", names[how], exact, faults.size(),
		       window.adapter, window.io);
		if (how == 1)
			EXPECT_ERRNO(g.monitor().memory(true, FakeGuest::base, g.ram().data(), g.ram().size()), 0);
	}
}

}
