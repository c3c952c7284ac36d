// SPDX-License-Identifier: GPL-2.0
#include "harness.h"

#include <cerrno>
#include <chrono>
#include <cstring>
#include <fstream>
#include <thread>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

namespace hostile {

void Fd::reset()
{
	if (fd_ >= 0)
		::close(fd_);
	fd_ = -1;
}

Memory::Memory(std::size_t bytes) : size_(bytes)
{
	// room to align, and a hole behind: what runs over the end faults
	const std::size_t align = LPAR_WINDOW_SIZE;
	auto *all = static_cast<std::uint8_t *>(mmap(nullptr, bytes + 2 * align, PROT_NONE,
						      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0));
	if (all == MAP_FAILED)
		throw std::runtime_error("no address space");
	data_ = reinterpret_cast<std::uint8_t *>((reinterpret_cast<std::uintptr_t>(all) + align - 1) & ~(align - 1));
	munmap(all, data_ - all);
	munmap(data_ + bytes + 4096, all + bytes + 2 * align - (data_ + bytes + 4096));
	mprotect(data_, bytes, PROT_READ | PROT_WRITE);
}

void Memory::scatter()
{
	madvise(data_, size_, MADV_NOHUGEPAGE);
	for (std::size_t odd : {0, 4096})
		for (std::size_t at = odd; at < size_; at += 8192)
			data_[at] = 0;
}

bool Memory::gather()
{
	constexpr std::uint64_t frame = (1ull << 55) - 1;
	constexpr std::size_t pages = LPAR_WINDOW_SIZE / 4096;
	std::vector<std::uint64_t> at(size_ / 4096);

	madvise(data_, size_, MADV_HUGEPAGE);
	madvise(data_, size_, MADV_DONTNEED);
	std::memset(data_, 0, size_);
	Fd map(open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC));
	const auto bytes = static_cast<ssize_t>(at.size() * sizeof(at[0]));
	if (pread(map.get(), at.data(), bytes, reinterpret_cast<std::uintptr_t>(data_) / 4096 * sizeof(at[0])) != bytes || !(at[0] & frame))
		return false;
	for (std::size_t i = 0; i < at.size(); i++)
		if ((at[i] & frame) != (at[i - i % pages] & frame) + i % pages)
			return false;
	return true;
}

Memory::~Memory() { munmap(data_, size_ + 4096); }

Monitor::Monitor() : fd_(open(LPAR_DEVICE, O_RDWR | O_CLOEXEC))
{
	if (fd() < 0)
		throw std::runtime_error(fmt::format("{}: {}", LPAR_DEVICE, std::strerror(errno)));
}

int Monitor::call(unsigned long request, void *arg)
{
	return ioctl(fd(), request, arg) < 0 ? errno : 0;
}

int Monitor::attach(const std::string &partition, lpar_attach *answer)
{
	lpar_attach a{};
	a.size = sizeof(a);
	a.version = LPAR_CONTROL_VERSION;
	partition.copy(a.partition, sizeof(a.partition) - 1);
	int error = call(LPAR_ATTACH, &a);
	if (answer)
		*answer = a;
	return error;
}

int Monitor::memory(bool add, std::uint64_t gpa, const void *hva, std::uint64_t bytes)
{
	lpar_memory m{sizeof(m), 0, gpa, reinterpret_cast<std::uintptr_t>(hva), bytes};
	return call(add ? LPAR_MEMORY_ADD : LPAR_MEMORY_REMOVE, &m);
}

int Monitor::doorbell(std::uint32_t index, int fd)
{
	lpar_eventfd e{sizeof(e), 0, index, fd};
	return call(LPAR_SET_DOORBELL, &e);
}

int Monitor::vector(std::uint32_t index, int fd)
{
	lpar_eventfd e{sizeof(e), 0, index, fd};
	return call(LPAR_SET_VECTOR, &e);
}

int Monitor::vcpu() { return call(LPAR_SET_VCPU, nullptr); }
int Monitor::reset() { return call(LPAR_RESET, nullptr); }

int Monitor::enable(std::uint64_t gpa)
{
	lpar_enable e{sizeof(e), 0, gpa};
	return call(LPAR_ENABLE, &e);
}

int Monitor::ring(std::uint32_t index)
{
	lpar_ring r{sizeof(r), index};
	return call(LPAR_RING, &r);
}

int Monitor::state(lpar_state &s)
{
	s = {};
	s.size = sizeof(s);
	return call(LPAR_GET_STATE, &s);
}

int Monitor::probe(const std::string &path, lpar_probe &p)
{
	p = {};
	p.size = sizeof(p);
	path.copy(p.path, sizeof(p.path) - 1);
	return call(LPAR_PROBE, &p);
}

// ------------------------------------------------------------------ the guest

FakeGuest::~FakeGuest()
{
	EXPECT(!attack_.failed, "what is said above");
}

FakeGuest::FakeGuest(const std::string &partition)
{
	ram_.scatter();
	if (int e = monitor_.attach(partition))
		throw std::runtime_error(fmt::format("attach {}: {}", partition, std::strerror(e)));
	if (int e = monitor_.memory(true, base, ram_.data(), ram_.size()))
		throw std::runtime_error(fmt::format("memory: {}", std::strerror(e)));
	if (int e = monitor_.vcpu())
		throw std::runtime_error(fmt::format("vCPU: {}", std::strerror(e)));
	block_ = reinterpret_cast<lpar_call *>(at(call_gpa));

	attack_.priv = this;
	attack_.mem = ram_.data();
	attack_.gpa = base;
	attack_.unbacked = unbacked;
	attack_.end = base + ram_bytes;
	attack_.now = [](attack *) -> u64 { return now_ms(); };
	attack_.pause = [](attack *) { usleep(30); };
	attack_.ring = [](attack *a, u32 index) { of(a).monitor_.ring(index); };
	attack_.call = [](attack *a, u32 op, const u64 *arg, attack_answer *answer) {
		return of(a).do_call(op, arg, answer);
	};
	attack_.raw = [](attack *a, u32 op, u32 seq, unsigned ms) {
		FakeGuest &g = of(a);
		std::memset(g.block_->arg, 0, sizeof(g.block_->arg));
		g.block_->op = op;
		g.block_->done = ~seq;
		attack_store(&g.block_->seq, seq);
		g.monitor_.ring(LPAR_DOORBELL_CALL);
		return g.answered(seq, ms);
	};
	attack_.open = [](attack *a) {
		FakeGuest &g = of(a);
		if (g.monitor_.reset())
			return false;
		std::memset(g.block_, 0, sizeof(*g.block_));
		g.seq_ = 0;
		return !g.monitor_.enable(call_gpa);
	};
	attack_.verdict = [](attack *, bool ok, const char *name) {
		fmt::print("{}ok - {}\n", ok ? "" : "not ", name);
		std::fflush(stdout);
	};
}

bool FakeGuest::answered(std::uint32_t seq, unsigned ms)
{
	const std::uint64_t end = now_ms() + ms;

	while (attack_load(&block_->done) != seq) {
		if (now_ms() > end)
			return false;
		usleep(50);
	}
	return true;
}

std::uint32_t FakeGuest::do_call(std::uint32_t op, const u64 *arg, attack_answer *answer)
{
	if (!++seq_)
		seq_ = 1;
	block_->op = op;
	for (int i = 0; i < 5; i++)
		block_->arg[i] = arg[i];
	attack_store(&block_->seq, seq_);
	std::memset(answer, 0, offsetof(attack_answer, data));
	answer->status = ATTACK_SILENT;
	// documented: it has been carried out when a donated doorbell returns
	if (monitor_.ring(LPAR_DOORBELL_CALL) || attack_load(&block_->done) != seq_)
		return ATTACK_SILENT;
	answer->status = block_->status;
	for (int i = 0; i < 3; i++)
		answer->ret[i] = block_->ret[i];
	answer->len = std::min<std::uint32_t>(block_->out_len, sizeof(answer->data));
	std::memcpy(answer->data, block_->data, answer->len);
	return answer->status;
}

void FakeGuest::start()
{
	auto verdict = attack_.verdict;
	attack_.verdict = [](attack *, bool, const char *) {};
	bool ok = attack_start(&attack_);
	attack_.verdict = verdict;
	if (!ok)
		throw std::runtime_error("the partition does not start");
}

void FakeGuest::submit_many(attack_queue &q, unsigned n, std::uint8_t op, unsigned page)
{
	for (unsigned i = 0; i < n; i++) {
		lpar_blk_sqe sqe = attack_sqe(&attack_, op, 8 * (i % 64), (page + i % 64) * 4096, 4096);
		sqe.id = i;
		attack_submit(&attack_, &q, &sqe);
	}
}

std::uint32_t FakeGuest::map(std::uint64_t gpa, u64 *addr)
{
	std::uint32_t st = attack_call(&attack_, LPAR_OP_MAP, gpa, 0, 0, 0, 0);
	if (addr)
		*addr = attack_.answer.ret[0];
	return st;
}

std::uint32_t FakeGuest::unmap(std::uint64_t addr)
{
	return attack_call(&attack_, LPAR_OP_UNMAP, addr, 0, 0, 0, 0);
}

std::uint64_t now_ms()
{
	using namespace std::chrono;
	return duration_cast<milliseconds>(steady_clock::now().time_since_epoch()).count();
}

void sleep_ms(unsigned ms) { std::this_thread::sleep_for(std::chrono::milliseconds(ms)); }

long long partition_value(const std::string &partition, const std::string &file)
{
	std::ifstream in(fmt::format("/sys/kernel/lpar/partitions/{}/{}", partition, file));
	long long value = -1;
	in >> value;
	return value;
}

}
