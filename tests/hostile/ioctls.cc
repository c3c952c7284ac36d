// SPDX-License-Identifier: GPL-2.0
// V1: the ioctls with what they must not be called with, from whom they must not be called by.
#include "harness.h"

#include <array>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <random>
#include <future>
#include <thread>
#include <vector>

#include <fcntl.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

using namespace hostile;

namespace {

struct Ioctl {
	unsigned long request;
	std::size_t size;
	std::size_t flags;	// offset of the flags, 0: none
	const char *name;
};

const std::array structs{
	Ioctl{LPAR_ATTACH, sizeof(lpar_attach), 4, "ATTACH"},
	Ioctl{LPAR_MEMORY_ADD, sizeof(lpar_memory), 4, "MEMORY_ADD"},
	Ioctl{LPAR_MEMORY_REMOVE, sizeof(lpar_memory), 4, "MEMORY_REMOVE"},
	Ioctl{LPAR_SET_DOORBELL, sizeof(lpar_eventfd), 4, "SET_DOORBELL"},
	Ioctl{LPAR_SET_VECTOR, sizeof(lpar_eventfd), 4, "SET_VECTOR"},
	Ioctl{LPAR_ENABLE, sizeof(lpar_enable), 4, "ENABLE"},
	Ioctl{LPAR_RING, sizeof(lpar_ring), 0, "RING"},
	Ioctl{LPAR_GET_STATE, sizeof(lpar_state), 4, "GET_STATE"},
	Ioctl{LPAR_PROBE, sizeof(lpar_probe), 4, "PROBE"},
	Ioctl{LPAR_IMAGE_GET, sizeof(lpar_image_get), 4, "IMAGE_GET"},
	Ioctl{LPAR_ADJUNCT_DISPATCH, sizeof(lpar_adjunct_run), 4, "ADJUNCT_DISPATCH"},
	Ioctl{LPAR_ADJUNCT_TELL, sizeof(lpar_adjunct_tell), 4, "ADJUNCT_TELL"},
	Ioctl{LPAR_ADJUNCT_POST, sizeof(lpar_adjunct_post), 4, "ADJUNCT_POST"},
};

// The call as a program knows it whose structure has another size.
unsigned long sized(unsigned long request, unsigned size)
{
	return _IOC(_IOC_DIR(request), _IOC_TYPE(request), _IOC_NR(request), size);
}

int raw(int fd, unsigned long request, const void *arg)
{
	return ioctl(fd, request, arg) < 0 ? errno : 0;
}

// A buffer of a page with nothing behind it.
struct Buffer {
	Memory memory{LPAR_WINDOW_SIZE};
	std::uint8_t *page = memory.data() + memory.size() - 4096;
	void size(std::uint32_t n) { std::memset(page, 0, 4096), std::memcpy(page, &n, 4); }
};

CASE(unattached, "V1 before LPAR_ATTACH")
{
	Monitor m;
	Buffer b;

	for (auto &i : structs) {
		if (i.request == LPAR_ATTACH || i.request == LPAR_PROBE)
			continue;
		b.size(i.size);
		EXPECT(raw(m.fd(), i.request, b.page) == ENOTCONN, "{} before ATTACH", i.name);
	}
	EXPECT_ERRNO(m.vcpu(), ENOTCONN);
	EXPECT_ERRNO(m.reset(), ENOTCONN);
}

CASE(attaching, "V1 LPAR_ATTACH")
{
	Monitor m, second;
	lpar_attach a{}, good{};

	good.size = sizeof(good);
	good.version = LPAR_CONTROL_VERSION;
	options.partition.copy(good.partition, LPAR_NAME_MAX - 1);
	auto attempt = [&](auto &&change) {
		a = good;
		change();
		return m.call(LPAR_ATTACH, &a);
	};
	EXPECT_ERRNO(attempt([&] { a.version = 0; }), EPROTO);
	EXPECT_ERRNO(attempt([&] { a.version = 2; }), EPROTO);
	EXPECT_ERRNO(attempt([&] { a.version = ~0u; }), EPROTO);
	EXPECT_ERRNO(attempt([&] { a.flags = 1; }), EINVAL);
	EXPECT_ERRNO(attempt([&] { a.features = 1; }), EINVAL);
	EXPECT_ERRNO(attempt([&] { a.doorbells = 1; }), EINVAL);
	EXPECT_ERRNO(attempt([&] { a.pid = 1; }), EINVAL);
	EXPECT_ERRNO(attempt([&] { std::memset(a.partition, 'x', LPAR_NAME_MAX); }), EINVAL);
	EXPECT_ERRNO(attempt([&] { std::memset(a.partition, 'x', LPAR_NAME_MAX - 1); }), ENOENT);
	for (const char *name : {"", ".", "..", "/", "disks", "no", "../partitions/p1", "p1/disks"})
		EXPECT(attempt([&] { std::memset(a.partition, 0, LPAR_NAME_MAX), std::strcpy(a.partition, name); }) == ENOENT,
		       "there is a partition {}", name);
	EXPECT(partition_value(options.partition, "attached") == 0, "attached by a refused call");
	EXPECT_ERRNO(attempt([] {}), 0);
	EXPECT(a.doorbells == LPAR_DOORBELLS_MAX, "{} doorbells", a.doorbells);
	EXPECT(partition_value(options.partition, "pid") == getpid(), "another pid is shown");
	EXPECT_ERRNO(attempt([] {}), EISCONN);
	EXPECT_ERRNO(second.attach(options.partition, &a), EBUSY);
	EXPECT(a.pid == getpid(), "EBUSY names {}", a.pid);
	EXPECT_ERRNO(second.vcpu(), ENOTCONN);
	m.close();
	EXPECT_ERRNO(second.attach(options.partition), 0);
}

CASE(versions, "V1 older and newer programs")
{
	FakeGuest g(options.partition);
	Buffer b;
	const int fd = g.monitor().fd();

	b.size(16);
	std::memset(b.page + 16, 0xff, 4096 - 16);
	EXPECT_ERRNO(raw(fd, sized(LPAR_GET_STATE, 16), b.page), 0);
	for (int i = 16; i < 4096; i++)
		EXPECT(b.page[i] == 0xff, "byte {} of 16 was written", i);
	EXPECT(b.page[0] == 16 && !b.page[1], "the size was changed");
	b.size(4096);
	EXPECT_ERRNO(raw(fd, sized(LPAR_GET_STATE, 4096), b.page), 0);
	EXPECT(raw(fd, _IOC(_IOC_WRITE, LPAR_IOC, _IOC_NR(LPAR_GET_STATE), 16), b.page) == ENOTTY,
	       "another direction");
	EXPECT(raw(fd, _IOC(_IOC_DIR(LPAR_GET_STATE), LPAR_IOC + 1, _IOC_NR(LPAR_GET_STATE), 16), b.page) == ENOTTY,
	       "another type");
}

CASE(sizes, "V1 sizes, flags and pointers")
{
	FakeGuest g(options.partition);
	Buffer b;
	const int fd = g.monitor().fd();
	auto *none = static_cast<std::uint8_t *>(mmap(nullptr, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));

	for (auto &i : structs) {
		for (std::uint32_t size : {0u, 1u, 4u, 7u, 4097u, 65536u, 0x80000000u, ~0u}) {
			b.size(size);
			EXPECT(raw(fd, i.request, b.page) == EINVAL, "{} of {} bytes", i.name, size);
		}
		// longer ones: what is not known has to be zero
		b.size(4096);
		b.page[4095] = 1;
		EXPECT(raw(fd, i.request, b.page) == E2BIG, "{} with an unknown part", i.name);
		EXPECT(raw(fd, sized(i.request, 4096), b.page) == E2BIG, "{} of a newer program", i.name);
		b.size(4);
		EXPECT(raw(fd, sized(i.request, 4), b.page) == EINVAL, "{} of 4 bytes in its number", i.name);
		if (i.flags)
			for (std::uint32_t flag : {0x40000000u, 0x80000000u}) {
				b.size(i.size);
				std::memcpy(b.page + i.flags, &flag, 4);
				EXPECT(raw(fd, i.request, b.page) == EINVAL, "{} with flags {:#x}", i.name, flag);
			}
		for (const void *p : {static_cast<const void *>(nullptr), static_cast<const void *>(none),
				      reinterpret_cast<const void *>(0xffff888000000000ull),
				      reinterpret_cast<const void *>(~0ull - 3),
				      reinterpret_cast<const void *>(0x7ffffffff000ull),
				      static_cast<const void *>(b.page + 4096)})
			EXPECT(raw(fd, i.request, p) == EFAULT, "{} at {}", i.name, p);
		// the size is readable, the rest is not
		std::uint32_t size = i.size;
		std::memcpy(b.page + 4096 - 4, &size, 4);
		EXPECT(raw(fd, i.request, b.page + 4096 - 4) == EFAULT, "{} over the end", i.name);
	}
	b.size(4096);
	EXPECT_ERRNO(raw(fd, LPAR_RING, b.page), 0);
	EXPECT_ERRNO(raw(fd, LPAR_GET_STATE, b.page), 0);
	// a shorter one is filled as far as it goes
	b.size(8);
	std::memset(b.page + 8, 0xee, 8);
	EXPECT_ERRNO(raw(fd, LPAR_GET_STATE, b.page), 0);
	EXPECT(b.page[8] == 0xee, "GET_STATE writes behind what was given");
	for (unsigned nr = 0x0e; nr < 0x20; nr++)
		EXPECT_ERRNO(raw(fd, _IO(LPAR_IOC, nr), b.page), ENOTTY);
	EXPECT_ERRNO(raw(fd, _IO('z', 0), b.page), ENOTTY);
	g.start();
}

CASE(memory, "V1 LPAR_MEMORY_ADD and _REMOVE")
{
	Monitor m;
	Memory ram(4 << 20);
	const std::uint64_t gpa = 1ull << 32;
	auto *hva = ram.data();
	auto at = [](std::uint64_t address) { return reinterpret_cast<void *>(address); };

	EXPECT_ERRNO(m.attach(options.partition), 0);
	EXPECT_ERRNO(m.memory(true, gpa + 1, hva, 4096), EINVAL);
	EXPECT_ERRNO(m.memory(true, gpa, hva + 8, 4096), EINVAL);
	EXPECT_ERRNO(m.memory(true, gpa, hva, 4095), EINVAL);
	EXPECT_ERRNO(m.memory(true, gpa, hva, 0), EINVAL);
	EXPECT_ERRNO(m.memory(true, ~0xfffull, hva, 8192), EINVAL);
	EXPECT_ERRNO(m.memory(true, gpa, at(~0xfffull), 8192), EINVAL);
	EXPECT_ERRNO(m.memory(true, gpa, hva, ~0xfffull), EINVAL);
	EXPECT_ERRNO(m.memory(true, gpa, at(0xffff888000000000), 4096), EINVAL);
	EXPECT_ERRNO(m.memory(true, gpa, at(0x7ffffffff000), 4096), EINVAL);
	EXPECT_ERRNO(m.memory(false, gpa, hva, 4096), ENOENT);

	EXPECT_ERRNO(m.memory(true, gpa, hva, 2 << 20), 0);
	EXPECT_ERRNO(m.memory(true, gpa, hva, 2 << 20), EEXIST);
	EXPECT_ERRNO(m.memory(true, gpa + (2 << 20) - 4096, hva, 8192), EEXIST);
	EXPECT_ERRNO(m.memory(true, gpa - 4096, hva, 8192), EEXIST);
	EXPECT_ERRNO(m.memory(true, gpa - (1 << 20), hva, 4 << 20), EEXIST);
	EXPECT_ERRNO(m.memory(false, gpa, hva, 4096), ENOENT);
	EXPECT_ERRNO(m.memory(false, gpa, hva + 4096, 2 << 20), ENOENT);
	EXPECT_ERRNO(m.memory(false, gpa + 4096, hva, 2 << 20), ENOENT);
	EXPECT_ERRNO(m.memory(false, gpa, hva, 2 << 20), 0);
	EXPECT_ERRNO(m.memory(false, gpa, hva, 2 << 20), ENOENT);
	for (std::uint64_t i = 0; i < LPAR_MEMORY_MAX; i++)
		EXPECT(m.memory(true, gpa + i * 8192, hva, 4096) == 0, "range {}", i);
	EXPECT_ERRNO(m.memory(true, gpa - 4096, hva, 4096), ENOSPC);
	EXPECT_ERRNO(m.memory(false, gpa, hva, 4096), 0);
	EXPECT_ERRNO(m.memory(true, gpa - 4096, hva, 4096), 0);
}

CASE(eventfds, "V1 LPAR_SET_DOORBELL and _VECTOR")
{
	FakeGuest g(options.partition);
	Monitor &m = g.monitor();
	lpar_attach a{};
	Fd event(eventfd(0, 0)), null(open("/dev/null", O_RDWR)), closed(dup(0));
	const int stale = closed.get();
	bool task_work = m.doorbell(1, -1) == 0;

	(void)a;
	closed.reset();
	for (std::uint32_t i : {LPAR_DOORBELLS_MAX + 0u, 0x10000u, 0x80000000u, ~0u})
		EXPECT(m.doorbell(i, -1) == EINVAL && m.doorbell(i, event.get()) == EINVAL, "doorbell {}", i);
	for (std::uint32_t i : {LPAR_DOORBELLS_MAX + 1u, 0x80000000u, ~0u})
		EXPECT(m.vector(i, -1) == EINVAL && m.vector(i, event.get()) == EINVAL, "vector {}", i);
	EXPECT_ERRNO(m.doorbell(1, -2), EINVAL);
	EXPECT_ERRNO(m.vector(1, -2), EINVAL);
	EXPECT_ERRNO(m.vector(1, null.get()), EINVAL);
	EXPECT_ERRNO(m.vector(1, stale), EBADF);
	EXPECT_ERRNO(m.vector(1, m.fd()), EINVAL);
	if (!task_work) {
		EXPECT_ERRNO(m.doorbell(1, event.get()), EOPNOTSUPP);
		return;
	}
	EXPECT_ERRNO(m.doorbell(1, null.get()), EINVAL);
	EXPECT_ERRNO(m.doorbell(1, stale), EBADF);
	EXPECT_ERRNO(m.doorbell(1, m.fd()), EINVAL);
	// one eventfd for all doorbells and vectors, set many times, closed before the file is
	for (int round = 0; round < 3; round++)
		for (int i = 0; i < LPAR_DOORBELLS_MAX; i++)
			EXPECT(m.doorbell(i, event.get()) == 0 && m.vector(i, event.get()) == 0, "index {}", i);
	for (int i = 0; i < 100; i++)
		eventfd_write(event.get(), 1);
	event.reset();
	// a donation by eventfd: the write returns when the read is under way
	for (int i = 0; i < LPAR_DOORBELLS_MAX; i++)
		EXPECT(m.doorbell(i, -1) == 0 && m.vector(i, -1) == 0, "index {}", i);
	Fd bell(eventfd(0, 0)), irq(eventfd(0, EFD_NONBLOCK));
	g.start();
	attack_queue q;
	EXPECT(attack_create(g.env(), &q, 1, 16, 8) == LPAR_OK, "no queue");
	EXPECT_ERRNO(m.doorbell(1, bell.get()), 0);
	EXPECT_ERRNO(m.vector(1, irq.get()), 0);
	for (unsigned i = 0; i < 20; i++) {
		u16 id;
		g.submit_many(q, 1);
		eventfd_write(bell.get(), 1);
		EXPECT(attack_load(&q.ctrl->sq_head) == q.sq_tail, "round {}: not donated", i);
		EXPECT(attack_reap(g.env(), &q, &id) == LPAR_OK, "round {}", i);
		attack_store(&q.ctrl->cq_event, q.cq_head);
	}
	eventfd_t count = 0;
	eventfd_read(irq.get(), &count);
	EXPECT(count >= 19, "{} interrupts for 20 completions", count);
}

CASE(enabling, "V1 LPAR_ENABLE, RESET and RING in any order")
{
	Monitor m;
	Memory ram(4 << 20);
	const std::uint64_t gpa = 1ull << 32;
	lpar_state s;

	EXPECT_ERRNO(m.attach(options.partition), 0);
	EXPECT_ERRNO(m.reset(), 0);
	EXPECT_ERRNO(m.ring(0), 0);
	EXPECT_ERRNO(m.ring(LPAR_DOORBELLS_MAX - 1), 0);
	EXPECT_ERRNO(m.ring(LPAR_DOORBELLS_MAX), EINVAL);
	EXPECT_ERRNO(m.ring(~0u), EINVAL);
	EXPECT_ERRNO(m.enable(gpa), EFAULT);
	EXPECT_ERRNO(m.memory(true, gpa, ram.data(), ram.size()), 0);
	EXPECT_ERRNO(m.enable(gpa + 1), EINVAL);
	EXPECT_ERRNO(m.enable(~0ull), EINVAL);
	EXPECT_ERRNO(m.enable(gpa - 4096), EFAULT);
	EXPECT_ERRNO(m.enable(gpa + ram.size()), EFAULT);
	for (int i = 0; i < 50; i++) {
		EXPECT_ERRNO(m.enable(gpa), 0);
		EXPECT_ERRNO(m.enable(gpa), EBUSY);
		EXPECT_ERRNO(m.enable(gpa + 4096), EBUSY);
		EXPECT_ERRNO(m.state(s), 0);
		EXPECT(s.enabled && s.pinned_bytes == 4096 && s.functions, "the state is wrong");
		EXPECT_ERRNO(m.reset(), 0);
		EXPECT_ERRNO(m.reset(), 0);
		EXPECT_ERRNO(m.state(s), 0);
		EXPECT(!s.enabled && !s.pinned_bytes, "not reset");
	}
	// not backed any more: the pages cannot be had
	munmap(ram.data(), ram.size());
	EXPECT_ERRNO(m.enable(gpa), EFAULT);
}

CASE(probing, "V1 LPAR_PROBE")
{
	Monitor m;
	lpar_probe p;

	EXPECT_ERRNO(m.probe("/dev/no", p), ENOENT);
	EXPECT_ERRNO(m.probe("", p), EINVAL);
	EXPECT_ERRNO(m.probe("/dev/null", p), ENOTBLK);
	EXPECT_ERRNO(m.probe("/dev", p), ENOTBLK);
	EXPECT_ERRNO(m.probe("/dev/nvme0n1", p), 0);
	EXPECT(p.records && p.records <= sizeof(p.data), "{} bytes of records", p.records);
	std::memset(&p, 'x', sizeof(p));
	p.size = sizeof(p);
	p.flags = 0;
	EXPECT_ERRNO(m.call(LPAR_PROBE, &p), EINVAL);
}

// Everything from an address space that is not the one that attached.
void expect_eperm(int fd)
{
	Buffer b;

	for (auto &i : structs) {
		if (i.request == LPAR_ATTACH || i.request == LPAR_PROBE)
			continue;
		b.size(i.size);
		EXPECT(raw(fd, i.request, b.page) == EPERM, "{} from another process", i.name);
	}
	EXPECT(raw(fd, LPAR_SET_VCPU, nullptr) == EPERM, "SET_VCPU from another process");
	EXPECT(raw(fd, LPAR_RESET, nullptr) == EPERM, "RESET from another process");
}

CASE(forked, "V1 from a forked child")
{
	FakeGuest g(options.partition);
	attack_queue q;

	g.start();
	EXPECT(attack_create(g.env(), &q, 1, 16, 8) == LPAR_OK, "no queue");
	EXPECT(in_child([&] {
		expect_eperm(g.monitor().fd());
		Buffer b;
		b.size(sizeof(lpar_attach));
		b.page[8] = LPAR_CONTROL_VERSION;
		options.partition.copy(reinterpret_cast<char *>(b.page + offsetof(lpar_attach, partition)), 32);
		EXPECT_ERRNO(raw(g.monitor().fd(), LPAR_ATTACH, b.page), EISCONN);
		return 0;
	}) == 0, "the child failed");
	EXPECT(attack_good(g.env(), &q), "the parent cannot go on");
}

CASE(passed, "V1 after the descriptor was passed on, and the sender died")
{
	int sockets[2];
	if (socketpair(AF_UNIX, SOCK_STREAM, 0, sockets))
		throw std::runtime_error("no sockets");
	char control[CMSG_SPACE(sizeof(int))] = {}, byte = 0;
	iovec io{&byte, 1};
	msghdr message{};
	message.msg_iov = &io;
	message.msg_iovlen = 1;
	message.msg_control = control;
	message.msg_controllen = sizeof(control);

	int status = in_child([&] {
		FakeGuest g(options.partition);
		g.start();
		cmsghdr *c = CMSG_FIRSTHDR(&message);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(sizeof(int));
		int fd = g.monitor().fd();
		std::memcpy(CMSG_DATA(c), &fd, sizeof(fd));
		return sendmsg(sockets[0], &message, 0) == 1 ? 0 : 1;
	});
	EXPECT(status == 0, "the sender failed");
	EXPECT(recvmsg(sockets[1], &message, 0) == 1, "nothing received");
	int fd = -1;
	if (cmsghdr *c = CMSG_FIRSTHDR(&message))
		std::memcpy(&fd, CMSG_DATA(c), sizeof(fd));
	EXPECT(partition_value(options.partition, "attached") == 1, "released while somebody has it open");
	expect_eperm(fd);
	Monitor other;
	EXPECT_ERRNO(other.attach(options.partition), EBUSY);
	close(fd);
	EXPECT(at_baseline(options.partition), "not released");
}

// The same process with another address space.
CASE(executed, "V1 after exec")
{
	int status = in_child([&] {
		FakeGuest g(options.partition);
		g.start();
		int fd = g.monitor().fd();
		fcntl(fd, F_SETFD, 0);
		// who comes now inherits it; what it holds is released when he ends
		std::string script = fmt::format("open(my $f, '+<&=', {}) or exit 2; ioctl($f, {}, 0) and exit 3; exit 40 + $!;", fd, LPAR_SET_VCPU);
		execl("/usr/bin/perl", "perl", "-e", script.c_str(), nullptr);
		return 1;
	});
	EXPECT(status == 40 + EPERM, "LPAR_SET_VCPU: {}", status);
}

CASE(strangers, "V1 LPAR_RING from threads that are no vCPUs")
{
	FakeGuest g(options.partition);
	attack *a = g.env();
	attack_queue q;

	g.start();
	EXPECT(attack_create(a, &q, 1, 64, 4) == LPAR_OK, "no queue");
	for (unsigned round = 0; round < 20; round++) {
		g.submit_many(q, 32);
		std::thread([&] { g.monitor().ring(1); }).join();
		for (unsigned i = 0; i < 32; i++) {
			u16 id;
			EXPECT(attack_reap(a, &q, &id) == LPAR_OK, "round {}, request {}", round, i);
		}
	}
	// more vCPU threads than may be, but those before have ended
	int error = 0;
	unsigned n = 0;
	for (; n < 1100 && !error; n++)
		std::thread([&] { error = g.monitor().vcpu(); }).join();
	EXPECT(!error, "thread {}, after others have ended: {}", n, strerrorname_np(error));
	// the last few may be joined, and still on their way out: whoever registers next forgets them
	std::uint64_t remembered = 0;
	for (n = 0; n < 500; n++) {
		std::thread([&] { error = g.monitor().vcpu(); }).join();
		remembered = partition_value(options.partition, "vcpus");
		if (error || remembered <= 3)
			break;
		usleep(10000);
	}
	EXPECT(!error && remembered <= 3, "{} are remembered: {}", remembered, strerrorname_np(error));
	// and more than may be
	std::vector<std::thread> threads;
	std::promise<void> end;
	std::shared_future<void> ended(end.get_future());
	for (n = 0; n < 1100 && !error; n++) {
		std::promise<int> tried;
		std::future<int> result(tried.get_future());
		threads.emplace_back([&g, ended, tried = std::move(tried)]() mutable {
			tried.set_value(g.monitor().vcpu());
			ended.wait();
		});
		error = result.get();
	}
	end.set_value();
	for (std::thread &thread : threads)
		thread.join();
	EXPECT(error == ENOSPC && n > 1000, "thread {} of those that live: {}", n, strerrorname_np(error));
	EXPECT(attack_good(a, &q), "reads do not work any more");
}

CASE(fuzz, "V1 random ioctls", 600)
{
	FakeGuest g(options.partition);
	attack_queue q;
	std::vector<Fd> events;

	g.start();
	EXPECT(attack_create(g.env(), &q, 1, 16, 8) == LPAR_OK, "no queue");
	for (int i = 0; i < 6; i++)
		events.emplace_back(eventfd(0, EFD_NONBLOCK));
	auto fuzz = [&](unsigned seed) {
		std::mt19937_64 random(seed);
		Buffer b;
		auto pick = [&](std::initializer_list<std::uint64_t> from) { return from.begin()[random() % from.size()]; };
		for (unsigned i = 0; i < options.fuzz / 2; i++) {
			const Ioctl &t = structs[random() % structs.size()];
			unsigned long request = t.request;
			b.size(random() % 4 ? t.size : pick({0, 4, 8, 24, 32, 96, 4096, 4097, ~0u}));
			// words that mean something, and now and then any byte at all
			for (std::size_t at = 8; at + 8 <= std::min<std::size_t>(t.size, 40); at += 8) {
				std::uint64_t word = pick({0, 1, 2, 4096, FakeGuest::base, FakeGuest::call_gpa, 1u << 21, ~0ull,
							   1ull << 63, reinterpret_cast<std::uintptr_t>(g.ram().data()),
							   random() % 130, random() % 130 | (random() % 20) << 32, random()});
				std::memcpy(b.page + at, &word, 8);
			}
			if (!(random() % 16))
				b.page[random() % 4096] = random();
			if (!(random() % 16))
				request = _IOC(random() % 4, LPAR_IOC, random() % 24, random() % 256);
			if (!(random() % 32))
				ioctl(g.monitor().fd(), request, random());
			else
				ioctl(g.monitor().fd(), request, b.page);
		}
	};
	fmt::print("# seeds {} and {}, {} ioctls\n", options.seed, options.seed + 1, options.fuzz);
	std::thread other([&] { g.monitor().vcpu(), fuzz(options.seed + 1); });
	fuzz(options.seed);
	other.join();
	g.monitor().close();
	EXPECT(at_baseline(options.partition), "not released");
	FakeGuest again(options.partition);
	again.start();
}

}
