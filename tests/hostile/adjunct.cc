// SPDX-License-Identifier: GPL-2.0
// D1, the VMM's part: what is run as an adjunct, by whom, for how long. The partition may have two.
#include "harness.h"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <thread>

#include <fcntl.h>
#include <linux/kvm.h>
#include <lpar/adjunct.h>
#include <lpar/events.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

using namespace hostile;

namespace {

// A VM of one vCPU, in real mode, at the first byte of its only page.
class Machine {
public:
	explicit Machine(std::initializer_list<std::uint8_t> code) : kvm_(open("/dev/kvm", O_RDWR)), vm_(ioctl(kvm_.get(), KVM_CREATE_VM, 0))
	{
		std::memcpy(memory_.data(), std::data(code), code.size());
		kvm_userspace_memory_region region{};
		region.memory_size = memory_.size();
		region.userspace_addr = reinterpret_cast<std::uint64_t>(memory_.data());
		bool made = ioctl(vm_.get(), KVM_SET_USER_MEMORY_REGION, &region) == 0;
		vcpu_ = Fd(ioctl(vm_.get(), KVM_CREATE_VCPU, 0));
		void *run = mmap(nullptr, ioctl(kvm_.get(), KVM_GET_VCPU_MMAP_SIZE, 0), PROT_READ | PROT_WRITE,
				 MAP_SHARED, vcpu_.get(), 0);
		if (!made || run == MAP_FAILED)
			throw std::runtime_error("no KVM");
		run_ = static_cast<kvm_run *>(run);
		kvm_sregs s;
		kvm_regs r{};
		r.rflags = 2;
		ioctl(vcpu_.get(), KVM_GET_SREGS, &s);
		s.cs.base = s.cs.selector = 0;
		if (ioctl(vcpu_.get(), KVM_SET_SREGS, &s) || ioctl(vcpu_.get(), KVM_SET_REGS, &r))
			throw std::runtime_error("no registers");
	}
	int vm() const { return vm_.get(); }
	int vcpu() const { return vcpu_.get(); }
	int kvm() const { return kvm_.get(); }
	kvm_run &run() { return *run_; }
	std::uint64_t count() const { return *reinterpret_cast<volatile std::uint32_t *>(memory_.data() + 0x100); }

private:
	Memory memory_{LPAR_WINDOW_SIZE};
	Fd kvm_, vm_, vcpu_;
	kvm_run *run_;
};

// incl 0x100; jmp back
#define SPINNING {0x66, 0xff, 0x06, 0x00, 0x01, 0xeb, 0xf9}
#define HALTING {0xf4, 0xeb, 0xfd}

struct Run : lpar_adjunct_run {
	Run(std::uint32_t in, int on, std::uint32_t us) : lpar_adjunct_run{}
	{
		size = sizeof(lpar_adjunct_run);
		slot = in;
		vcpu = on;
		quantum_us = us;
	}
};

CASE(dispatch, "D1 LPAR_ADJUNCT_DISPATCH")
{
	FakeGuest g(options.partition);
	Monitor &m = g.monitor();
	Machine spins(SPINNING), halts(HALTING);
	Fd event(eventfd(0, 0)), named(memfd_create("kvm-vcpu:0", 0));
	auto dispatch = [&](Run run) { return m.call(LPAR_ADJUNCT_DISPATCH, &run); };

	EXPECT_ERRNO(dispatch(Run(2, halts.vcpu(), 0)), ENOENT);
	EXPECT_ERRNO(dispatch(Run(~0u, halts.vcpu(), 0)), ENOENT);
	EXPECT_ERRNO(dispatch(Run(0, -1, 0)), EBADF);
	EXPECT_ERRNO(dispatch(Run(0, 100000, 0)), EBADF);
	for (int fd : {0, m.fd(), event.get(), named.get(), halts.vm(), halts.kvm()})
		EXPECT(dispatch(Run(0, fd, 0)) == EINVAL, "file {} was run", fd);
	Run dirty(0, halts.vcpu(), 0);
	dirty.ran_ns = 1;
	EXPECT_ERRNO(m.call(LPAR_ADJUNCT_DISPATCH, &dirty), EINVAL);
	int error = 0;
	std::thread([&] { error = dispatch(Run(0, halts.vcpu(), 0)); }).join();
	EXPECT(error == EPERM, "a thread that is no vCPU's: {}", error);

	// a quantum may end before the first instruction
	auto settled = [&] {
		Run run(1, halts.vcpu(), 0);
		for (int i = 0; i < 1000; i++) {
			run = Run(1, halts.vcpu(), 0);
			EXPECT_ERRNO(m.call(LPAR_ADJUNCT_DISPATCH, &run), 0);
			if (run.reason != LPAR_REASON_EXPIRED)
				break;
		}
		return run;
	};
	Run halt = settled();
	EXPECT(halt.reason == LPAR_REASON_EMPTY && halts.run().exit_reason == KVM_EXIT_HLT, "reason {} exit {}",
	       halt.reason, halts.run().exit_reason);
	// on a busy machine the kernel's clock may stand still for one
	for (int i = 0; i < 100 && !halt.ran_ns; i++)
		halt = settled();
	EXPECT(halt.ran_ns > 0, "no time was donated");
	halts.run().immediate_exit = 1;
	halt = settled();
	EXPECT(halt.reason == LPAR_REASON_YIELD, "reason {} of an immediate exit", halt.reason);

	// the quantum is the shorter of the two
	std::uint64_t before = 0;
	for (std::uint32_t us : {500u, 0u, ~0u, 700u, 500u, 500u, 500u}) {
		Run spin(0, spins.vcpu(), us);
		std::uint64_t began = now_ms();
		EXPECT_ERRNO(m.call(LPAR_ADJUNCT_DISPATCH, &spin), 0);
		EXPECT(spin.reason == LPAR_REASON_EXPIRED, "reason {} with {} us", spin.reason, us);
		EXPECT(now_ms() - began < 1000, "a quantum took {} ms", now_ms() - began);
	}
	for (int i = 0; i < 100 && spins.count() <= before; i++) {
		Run spin(0, spins.vcpu(), 0);
		EXPECT_ERRNO(m.call(LPAR_ADJUNCT_DISPATCH, &spin), 0);
	}
	EXPECT(spins.count() > before, "it never ran");

	// two threads, one vCPU: they wait for each other, as with KVM_RUN itself
	std::thread other([&] {
		m.vcpu();
		for (int i = 0; i < 20; i++)
			dispatch(Run(1, spins.vcpu(), 300));
	});
	for (int i = 0; i < 20; i++)
		EXPECT_ERRNO(dispatch(Run(0, spins.vcpu(), 300)), 0);
	other.join();
	// and a queue is served in between: nothing of the thread is left behind
	g.start();
	attack_queue q;
	EXPECT(attack_create(g.env(), &q, 1, 16, 8) == LPAR_OK, "no queue");
	EXPECT(attack_good(g.env(), &q), "the client cannot go on");
}

CASE(killed, "D1 SIGKILL inside an adjunct")
{
	for (int i = 0; i < 5; i++) {
		int status = in_child([&] {
			FakeGuest g(options.partition);
			Machine spins(SPINNING);
			std::thread([] {
				sleep_ms(150);
				kill(getpid(), SIGKILL);
			}).detach();
			for (;;) {
				Run run(0, spins.vcpu(), 0);
				g.monitor().call(LPAR_ADJUNCT_DISPATCH, &run);
			}
			return 0;
		});
		EXPECT(status == 256 + SIGKILL, "status {}", status);
		EXPECT(at_baseline(options.partition), "not released");
	}
}

CASE(telling, "D1 LPAR_IMAGE_GET, _ADJUNCT_TELL and _POST")
{
	FakeGuest g(options.partition);
	Monitor &m = g.monitor();
	Memory room(LPAR_WINDOW_SIZE);
	auto fetch = [&](auto &&change) {
		lpar_image_get get{};
		get.size = sizeof(get);
		std::strcpy(get.name, "nonsense");
		get.data = reinterpret_cast<std::uint64_t>(room.data());
		get.bytes = LPAR_IMAGE_BYTES_MAX;
		change(get);
		return m.call(LPAR_IMAGE_GET, &get);
	};
	EXPECT_ERRNO(fetch([](auto &) {}), ENOENT);
	EXPECT_ERRNO(fetch([](auto &get) { std::memset(get.name, 0, sizeof(get.name)); }), EPERM);
	EXPECT_ERRNO(fetch([](auto &get) { std::memset(get.name, 'x', sizeof(get.name)); }), EINVAL);
	EXPECT_ERRNO(fetch([](auto &get) { get.sha256[31] = 1; }), EINVAL);
	EXPECT_ERRNO(fetch([](auto &get) { get.text = -1; }), EINVAL);
	EXPECT_ERRNO(fetch([](auto &get) { get.reserved = 1; }), EINVAL);
	EXPECT_ERRNO(fetch([](auto &get) { get.flags = LPAR_IMAGE_TEXT; }), ENOENT);
	EXPECT_ERRNO(fetch([](auto &get) { get.flags = LPAR_IMAGE_TEXT << 1; }), EINVAL);

	auto tell = [&](std::uint32_t slot, std::uint32_t state, const char *name) {
		lpar_adjunct_tell t{};
		t.size = sizeof(t);
		t.slot = slot;
		t.state = state;
		std::memcpy(t.name, name, std::min(std::strlen(name), sizeof(t.name)));
		return m.call(LPAR_ADJUNCT_TELL, &t);
	};
	EXPECT_ERRNO(tell(0, LPAR_ADJUNCT_LOADED, "image"), 0);
	EXPECT_ERRNO(tell(2, LPAR_ADJUNCT_LOADED, "image"), ENOENT);
	EXPECT_ERRNO(tell(0, LPAR_ADJUNCT_LOADED, ""), EINVAL);
	EXPECT_ERRNO(tell(0, LPAR_ADJUNCT_EMPTY, "image"), EINVAL);
	EXPECT_ERRNO(tell(0, 4, "image"), EINVAL);
	EXPECT_ERRNO(tell(0, ~0u, "image"), EINVAL);
	EXPECT_ERRNO(tell(0, LPAR_ADJUNCT_READY, "new\nline"), EINVAL);
	EXPECT_ERRNO(tell(0, LPAR_ADJUNCT_READY, std::string(LPAR_NAME_MAX, 'x').c_str()), EINVAL);
	EXPECT(partition_value(options.partition, "adjuncts/0/deaths") == 0, "a death without one");
	EXPECT_ERRNO(tell(0, LPAR_ADJUNCT_DEAD, "image"), 0);
	EXPECT_ERRNO(tell(0, LPAR_ADJUNCT_DEAD, "image"), 0);
	EXPECT(partition_value(options.partition, "adjuncts/0/deaths") == 1, "a death counted twice, or not");

	auto post = [&](std::uint32_t slot, std::uint32_t flags, std::uint32_t reserved) {
		lpar_adjunct_post p{sizeof(p), flags, slot, reserved};
		return m.call(LPAR_ADJUNCT_POST, &p);
	};
	EXPECT_ERRNO(post(2, 0, 0), ENOENT);
	EXPECT_ERRNO(post(~0u, 0, 0), ENOENT);
	EXPECT_ERRNO(post(0, 1, 0), EINVAL);
	EXPECT_ERRNO(post(0, 0, 1), EINVAL);
	const auto before = partition_value(options.partition, "adjuncts/0/pa_busy");
	EXPECT_ERRNO(post(0, 0, 0), 0);
	EXPECT(partition_value(options.partition, "adjuncts/0/pa_busy") == before + 1,
	       "PA BUSY is not counted");
}

// An image that the administrator approved: a page of text that halts. It goes at the end.
class Image {
public:
	Image()
	{
		std::filesystem::create_directory(path_);
		lpar_image head{};
		head.magic = LPAR_IMAGE_MAGIC;
		head.abi = LPAR_IMAGE_ABI;
		head.text_pages = head.stack_pages = 1;
		head.entry = sizeof(head);
		std::memcpy(bytes.data(), &head, sizeof(head));
		std::ofstream(path_ + "/image", std::ios::binary).write(bytes.data(), bytes.size());
		std::ofstream(path_ + "/enable") << "1" << std::flush;
	}
	~Image() { rmdir(path_.c_str()); }

	static constexpr const char *name = "vmm";
	std::vector<char> bytes = std::vector<char>(4096, '\xf4');

private:
	std::string path_ = fmt::format("{}/../adjuncts/{}", options.config, name);
};

CASE(images, "D1 LPAR_IMAGE_GET without room, and without adjuncts")
{
	Image image;
	Monitor m, neighbour;
	std::vector<char> room(image.bytes.size() + 1);
	lpar_image_get get{};
	auto fetch = [&](Monitor &of, std::uint64_t bytes, const char *name = Image::name) {
		get = {};
		get.size = sizeof(get);
		std::strcpy(get.name, name);
		get.data = reinterpret_cast<std::uint64_t>(room.data());
		get.bytes = bytes;
		return of.call(LPAR_IMAGE_GET, &get);
	};

	EXPECT_ERRNO(m.attach(options.partition), 0);
	for (std::size_t bytes : {std::size_t{0}, std::size_t{64}, image.bytes.size() - 1}) {
		EXPECT_ERRNO(fetch(m, bytes), ENOSPC);
		EXPECT(get.bytes == image.bytes.size(), "{} bytes are wanted", get.bytes);
	}
	EXPECT(std::count(room.begin(), room.end(), 0) == std::ssize(room), "written, though there is no room");
	// it is full of answers now
	EXPECT_ERRNO(m.call(LPAR_IMAGE_GET, &get), EINVAL);
	EXPECT_ERRNO(fetch(m, get.bytes), 0);
	EXPECT(get.bytes == image.bytes.size() && get.text == -1, "{} bytes, text {}", get.bytes, get.text);
	EXPECT(std::equal(image.bytes.begin(), image.bytes.end(), room.begin()) && !room.back(), "other bytes");
	EXPECT_ERRNO(fetch(m, ~0ull), 0);
	get = {sizeof(get), 0, {}, 0xffff888000000000, image.bytes.size(), {}, 0, 0};
	std::strcpy(get.name, Image::name);
	EXPECT_ERRNO(m.call(LPAR_IMAGE_GET, &get), EFAULT);

	if (options.neighbour.empty())
		return;
	EXPECT_ERRNO(neighbour.attach(options.neighbour), 0);
	for (const char *name : {Image::name, "nonsense", ""})
		EXPECT(fetch(neighbour, room.size(), name) == EDQUOT, "image '{}' without adjuncts", name);
}

}
