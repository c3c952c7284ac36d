// SPDX-License-Identifier: GPL-2.0
// A client partition without a virtual machine: a process that is monitor and guest at once. Its anonymous memory is the
// guest's, its threads are the vCPUs (LPAR_SET_VCPU), and a doorbell is LPAR_RING.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include <lpar/control.h>

#include "../kmod/attack.h"

namespace hostile {

class Fd {
public:
	Fd() = default;
	explicit Fd(int fd) : fd_(fd) {}
	Fd(Fd &&other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
	Fd &operator=(Fd &&other) noexcept
	{
		std::swap(fd_, other.fd_);
		return *this;
	}
	~Fd() { reset(); }
	void reset();
	int get() const { return fd_; }

private:
	int fd_ = -1;
};

// Anonymous memory, aligned for windows. What is left of it at the end is unmapped.
class Memory {
public:
	explicit Memory(std::size_t bytes);
	Memory(const Memory &) = delete;
	~Memory();
	std::uint8_t *data() const { return data_; }
	std::size_t size() const { return size_; }
	// Small pages, no two neighbours of which are neighbours for the adapter.
	void scatter();
	// A huge page for each window. False: there is none.
	bool gather();

private:
	std::uint8_t *data_;
	std::size_t size_;
};

// The monitor's side: an open /dev/lpar. Every call returns 0 or an errno.
class Monitor {
public:
	Monitor();
	explicit Monitor(Fd fd) : fd_(std::move(fd)) {}
	int fd() const { return fd_.get(); }
	void close() { fd_.reset(); }

	int attach(const std::string &partition, lpar_attach *answer = nullptr);
	int memory(bool add, std::uint64_t gpa, const void *hva, std::uint64_t bytes);
	int doorbell(std::uint32_t index, int fd);
	int vector(std::uint32_t index, int fd);
	int vcpu();
	int enable(std::uint64_t call);
	int reset();
	int ring(std::uint32_t index);
	int state(lpar_state &s);
	int probe(const std::string &path, lpar_probe &p);
	int call(unsigned long request, void *arg);

private:
	Fd fd_;
};

// An attached partition with memory, ready for the attacks: env() is their environment. The constructor throws when the
// partition cannot be had; the calling thread becomes a vCPU.
class FakeGuest {
public:
	static constexpr std::uint64_t base = 0x10000000;
	static constexpr std::size_t ram_bytes = 16 << 20;
	static constexpr std::uint64_t call_gpa = base + (8 << 20);
	static constexpr std::uint64_t unbacked = 1ull << 38;

	explicit FakeGuest(const std::string &partition);
	// What the environment has found wrong since its last attack began fails the case.
	~FakeGuest();
	FakeGuest(const FakeGuest &) = delete;

	Monitor &monitor() { return monitor_; }
	attack *env() { return &attack_; }
	Memory &ram() { return ram_; }
	std::uint8_t *at(std::uint64_t gpa) { return ram_.data() + (gpa - base); }

	// Everything up to a known disk, or an exception.
	void start();
	// A queue with up to @n good requests in it that are not waited for.
	void submit_many(attack_queue &q, unsigned n, std::uint8_t op = LPAR_BLK_READ, unsigned page = 0);

	std::uint32_t map(std::uint64_t gpa, u64 *addr = nullptr);
	std::uint32_t unmap(std::uint64_t addr);

private:
	static FakeGuest &of(attack *a) { return *static_cast<FakeGuest *>(a->priv); }
	bool answered(std::uint32_t seq, unsigned ms);
	std::uint32_t do_call(std::uint32_t op, const u64 *arg, attack_answer *answer);

	Monitor monitor_;
	Memory ram_{ram_bytes};
	lpar_call *block_;
	std::uint32_t seq_ = 0;
	attack attack_{};
};

std::uint64_t now_ms();
void sleep_ms(unsigned ms);

// /sys/kernel/lpar/partitions/NAME/FILE as a number; -1 when it is not there
long long partition_value(const std::string &partition, const std::string &file);

}
