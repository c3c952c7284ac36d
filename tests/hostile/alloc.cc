// SPDX-License-Identifier: GPL-2.0
// M1: the Nth allocation fails, for every N, in every ioctl, call and dispatch. Only when -o asks for it: it needs a
// kernel with failslab, set up by tests/boot/hostile-memory, which also limits it to what lpar_host allocates.
#include "harness.h"

#include <cerrno>
#include <algorithm>
#include <functional>
#include <initializer_list>
#include <tuple>
#include <vector>

#include <fcntl.h>
#include <sys/eventfd.h>
#include <unistd.h>

using namespace hostile;

namespace {

constexpr unsigned most = 500;	// no step needs that many

class FailNth {
public:
	FailNth() : fd_(open("/proc/thread-self/fail-nth", O_RDWR | O_CLOEXEC))
	{
		if (fd_.get() < 0)
			skip("no /proc/thread-self/fail-nth");
	}
	void arm(unsigned n) { write(std::to_string(n)); }
	// Did one fail since then?
	bool disarm()
	{
		char text[16] = {};
		if (pread(fd_.get(), text, sizeof(text) - 1, 0) <= 0)
			throw std::runtime_error("fail-nth cannot be read");
		write("0");
		return std::stoi(text) == 0;
	}

private:
	void write(const std::string &text)
	{
		if (pwrite(fd_.get(), text.data(), text.size(), 0) != static_cast<ssize_t>(text.size()))
			throw std::runtime_error("fail-nth cannot be written");
	}
	Fd fd_;
};

std::string join(const std::vector<unsigned> &all)
{
	std::string text;
	for (unsigned x : all)
		text += fmt::format("{}{}", text.empty() ? "" : " ", x);
	return text;
}

}

// Twice at least: the kernel's checkers allocate as well, another number each time, so that an allocation may be passed
// over; with @must until the step was refused once.
unsigned hostile::each(const char *what, std::initializer_list<unsigned> errors, const std::function<unsigned()> &step,
		       const std::function<void(unsigned)> &between, bool must)
{
	FailNth fail;
	unsigned all = 0, hits = 0;

	for (int pass = 1; pass <= 2 || (must && !all && pass <= 20); pass++) {
		std::vector<unsigned> refused;
		bool hit = true;
		unsigned n;

		for (n = 1; n < most && hit; n++) {
			fail.arm(n);
			unsigned result = step();
			hit = fail.disarm();
			hits += hit;
			if (result && hit)
				refused.push_back(n);
			EXPECT(!result || (hit && std::find(errors.begin(), errors.end(), result) != errors.end()),
			       "{}: with allocation {} failing: {}", what, n, result);
			between(result);
		}
		EXPECT(!hit, "{}: no end of allocations", what);
		fmt::print("# {}, pass {}: {} allocations, refused without these: {}\n", what, pass, n - 2, join(refused));
		all += refused.size();
	}
	EXPECT(all || !must, "{}: nothing was refused", what);
	return hits;
}

namespace {

CASE(monitors, "M1 ioctls without memory", 300)
{
	Memory ram(4 << 20);
	const std::uint64_t gpa = 1ull << 32;
	Fd event(eventfd(0, EFD_NONBLOCK));
	lpar_probe p;
	lpar_state s;

	{
		Monitor m;
		each("ATTACH", {ENOMEM}, [&] { return m.attach(options.partition); }, [&](unsigned) {
			m = Monitor();
			EXPECT(at_baseline(options.partition), "not released");
		});
		each("PROBE", {ENOMEM}, [&] { return m.probe("/dev/nvme0n1", p); }, [](unsigned) {}, true);
	}
	Monitor m;
	EXPECT_ERRNO(m.attach(options.partition), 0);
	each("MEMORY_ADD", {ENOMEM}, [&] { return m.memory(true, gpa, ram.data(), ram.size()); }, [&](unsigned e) {
		EXPECT(m.memory(false, gpa, ram.data(), ram.size()) == (e ? ENOENT : 0), "half added");
	});
	EXPECT_ERRNO(m.memory(true, gpa, ram.data(), ram.size()), 0);
	// a thread can be one once only
	each("SET_VCPU", {ENOMEM}, [&] { return m.vcpu(); }, [](unsigned) {});
	EXPECT_ERRNO(m.vcpu(), 0);
	if (!m.doorbell(1, -1))
		each("SET_DOORBELL", {ENOMEM}, [&] { return m.doorbell(1, event.get()); }, [&](unsigned) {
			EXPECT_ERRNO(m.doorbell(1, -1), 0);
		});
	each("SET_VECTOR", {ENOMEM}, [&] { return m.vector(1, event.get()); }, [&](unsigned) {
		EXPECT_ERRNO(m.vector(1, -1), 0);
	});
	each("ENABLE", {ENOMEM}, [&] { return m.enable(gpa); }, [&](unsigned) {
		EXPECT_ERRNO(m.reset(), 0);
		EXPECT(partition_value(options.partition, "pinned_bytes") == 0, "something is pinned");
	}, true);
	EXPECT_ERRNO(m.enable(gpa), 0);
	each("GET_STATE", {ENOMEM}, [&] { return m.state(s); }, [](unsigned) {});
	// what ends something needs no memory
	each("RESET", {}, [&] { return m.reset(); }, [&](unsigned) { EXPECT_ERRNO(m.enable(gpa), 0); });
	each("MEMORY_REMOVE", {}, [&] { return m.memory(false, gpa, ram.data(), ram.size()); }, [&](unsigned) {
		EXPECT_ERRNO(m.memory(true, gpa, ram.data(), ram.size()), 0);
	});
	each("close", {}, [&] { m.close(); return 0u; }, [&](unsigned) {
		EXPECT(at_baseline(options.partition), "not released");
		m = Monitor();
		EXPECT_ERRNO(m.attach(options.partition), 0);
		EXPECT_ERRNO(m.memory(true, gpa, ram.data(), ram.size()), 0);
		EXPECT_ERRNO(m.enable(gpa), 0);
	});
}

CASE(callers, "M1 calls without memory", 300)
{
	FakeGuest g(options.partition);
	attack *a = g.env();
	attack_queue q;
	u64 addr;
	const u64 gpa = FakeGuest::base + (4 << 20);
	auto stats = [] {
		return std::tuple(partition_value(options.partition, "windows"), partition_value(options.partition, "queues"),
				  partition_value(options.partition, "pinned_bytes"));
	};

	g.start();
	each("FUNCTIONS", {LPAR_NOMEM}, [&] { return attack_call(a, LPAR_OP_FUNCTIONS, 0, 0, 0, 0, 0); }, [](unsigned) {});
	each("CAPS", {LPAR_NOMEM}, [&] { return attack_call(a, LPAR_OP_CAPS, a->function, 0, 0, 0, 0); }, [](unsigned) {});
	const auto before = stats();
	each("MAP", {LPAR_NOMEM}, [&] { return g.map(gpa, &addr); }, [&](unsigned st) {
		if (!st)
			EXPECT(g.unmap(addr) == LPAR_OK, "UNMAP");
		EXPECT(stats() == before, "something is left of a refused MAP");
	}, true);
	each("QUEUE_CREATE", {LPAR_NOMEM}, [&] { return attack_create(a, &q, 1, 64, 64); }, [&](unsigned st) {
		if (!st)
			EXPECT(attack_good(a, &q) && attack_destroy(a, &q) == LPAR_OK, "a queue made in need does not work");
		EXPECT(stats() == before, "something is left of a refused QUEUE_CREATE");
	}, true);
	EXPECT(g.map(gpa, &addr) == LPAR_OK, "MAP");
	each("UNMAP", {}, [&] { return g.unmap(addr); }, [&](unsigned) { EXPECT(g.map(gpa, &addr) == LPAR_OK, "MAP"); });
	EXPECT(attack_create(a, &q, 1, 64, 8) == LPAR_OK, "QUEUE_CREATE");
	each("QUEUE_DESTROY", {}, [&] { return attack_destroy(a, &q); }, [&](unsigned) {
		EXPECT(attack_create(a, &q, 1, 64, 8) == LPAR_OK, "QUEUE_CREATE");
	});
}

CASE(requesters, "M1 requests without memory", 300)
{
	FakeGuest g(options.partition);
	attack *a = g.env();
	attack_queue q;

	g.start();
	EXPECT(attack_create(a, &q, 1, 64, 64) == LPAR_OK, "no queue");
	for (u32 segs : {1u, 8u, 24u}) {
		// data of their own, in the MiB behind ATTACK_DATA
		const u32 many = std::min(8u, 256 / segs);
		each(fmt::format("requests of {} segments", segs).c_str(), {LPAR_NOMEM, LPAR_BUSY}, [&] {
			u32 result = LPAR_OK;
			u16 id;
			for (u32 i = 0; i < many; i++) {
				lpar_blk_sqe sqe = attack_sqe(a, LPAR_BLK_READ, 8, 4096 * segs * i, 4096 * segs);
				sqe.id = i;
				if (segs > LPAR_SQE_SEGS) {
					lpar_seg *table = q.table + (q.sq_tail & (q.depth - 1)) * q.segs;
					for (u32 s = 0; s < segs; s++)
						table[s] = {sqe.seg[0].addr + 4096 * s, 4096, 0};
					sqe.nsegs = segs;
					sqe.seg[0] = {};
				}
				attack_submit(a, &q, &sqe);
			}
			a->ring(a, q.index);
			for (u32 i = 0; i < many; i++)
				if (u32 st = attack_reap(a, &q, &id); st != LPAR_OK)
					result = st;
			return result;
		}, [&](unsigned) { EXPECT(attack_good(a, &q), "reads do not work any more"); });
	}
}

}


