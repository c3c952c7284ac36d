// SPDX-License-Identifier: GPL-2.0
// Mailboxes from both sides: V1, /dev/lpar-manage with what it must not be called with; G1, clients that ask for too much,
// answer for nobody, or go while somebody has their request in hand.
#include "harness.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <future>
#include <set>

#include <fcntl.h>
#include <linux/capability.h>
#include <lpar/manage.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <unistd.h>

using namespace hostile;

namespace {

constexpr std::size_t piece = sizeof(lpar_call::data);

// The mailbox of a VF that is on no bus. It goes at the end: clients before it.
class Mailbox {
public:
	Mailbox()
	{
		std::filesystem::create_directory(path_);
		set("kind", "nic");
		set("enable", "1");
		if (requests() != 0)
			throw std::runtime_error("no mailbox");
	}
	~Mailbox() { remove(); }
	void remove() { rmdir(path_.c_str()); }
	long long requests() { return partition_value(options.partition, fmt::format("vfs/{}/requests", address)); }

	static constexpr const char *address = "7fff:1f:1f.7";

private:
	void set(const char *name, const char *value) { std::ofstream(path_ + "/" + name) << value << std::flush; }
	std::string path_ = fmt::format("{}/{}/vfs/{}", options.config, options.partition, address);
};

// An open /dev/lpar-manage. Every call returns 0 or an errno.
class Manager {
public:
	Manager() : fd_(open(LPAR_MANAGE_DEVICE, O_RDWR | O_CLOEXEC))
	{
		if (fd() < 0)
			throw std::runtime_error(LPAR_MANAGE_DEVICE);
	}
	int fd() const { return fd_.get(); }
	void close() { fd_.reset(); }

	int next(lpar_manage_request &r, std::uint64_t after = 0)
	{
		r = {};
		r.size = sizeof(r);
		r.id = after;
		return call(LPAR_MANAGE_NEXT, &r);
	}
	// The id of the first request, which there is.
	std::uint64_t first()
	{
		lpar_manage_request r;
		EXPECT_ERRNO(next(r), 0);
		return r.id;
	}
	int take(std::uint64_t id, void *text = nullptr, std::uint32_t room = 0)
	{
		lpar_manage_take t{sizeof(t), 0, id, reinterpret_cast<std::uintptr_t>(text), room, 0};
		return call(LPAR_MANAGE_TAKE, &t);
	}
	int end(std::uint64_t id, std::uint32_t status = LPAR_OK, const std::string &text = {})
	{
		lpar_manage_end e{sizeof(e), 0, id, status, static_cast<std::uint32_t>(text.size()),
				  reinterpret_cast<std::uintptr_t>(text.data())};
		return call(LPAR_MANAGE_END, &e);
	}
	int call(unsigned long request, void *arg) { return ioctl(fd(), request, arg) < 0 ? errno : 0; }
	bool readable(int ms = 0)
	{
		pollfd p{fd(), POLLIN | POLLOUT | POLLPRI, 0};
		return poll(&p, 1, ms) == 1 && p.revents == POLLIN;
	}
	// Nothing waits, and this file has seen that.
	void expect_none()
	{
		lpar_manage_request r;
		EXPECT_ERRNO(next(r), ENOENT);
		EXPECT(!readable(), "readable, and nothing waits");
	}

private:
	Fd fd_;
};

// A client that has started and knows its mailbox.
class Client : public FakeGuest {
public:
	Client() : FakeGuest(options.partition) { begin(); }
	void begin()
	{
		start();
		mailbox = 0;
		EXPECT(call(LPAR_OP_FUNCTIONS) == LPAR_OK, "FUNCTIONS");
		for (u32 at = 0; at + sizeof(lpar_function) <= answer().len; at += sizeof(lpar_function)) {
			lpar_function f;
			std::memcpy(&f, answer().data + at, sizeof(f));
			if (f.type == LPAR_FUNCTION_MAILBOX)
				mailbox = f.id;
		}
	}
	std::uint32_t call(std::uint32_t op, u64 a0 = 0, u64 a1 = 0, u64 a2 = 0)
	{
		return attack_call(env(), op, a0, a1, a2, 0, 0);
	}
	attack_answer &answer() { return env()->answer; }
	std::string text() { return {reinterpret_cast<char *>(answer().data), answer().len}; }

	std::uint32_t ask(u64 what, u64 value) { return call(LPAR_OP_ASK, mailbox, what, value); }
	// The number of a request that is made, or 0.
	u64 request(u64 vlan)
	{
		std::uint32_t st = ask(LPAR_ASK_VLAN, vlan);
		EXPECT(st == LPAR_OK, "VLAN {}: status {}", vlan, st);
		return st == LPAR_OK ? answer().ret[0] : 0;
	}
	std::uint32_t fetch(u64 number, u64 offset = 0) { return call(LPAR_OP_ANSWER, number, offset); }
	std::uint32_t forget(u64 number) { return fetch(number, LPAR_FORGET); }
	// A piece of a text for the management side
	std::uint32_t manage(const std::string &text, u64 offset, u64 total)
	{
		auto *block = reinterpret_cast<lpar_call *>(at(call_gpa));
		if (offset < text.size())
			std::memcpy(block->data, text.data() + offset, std::min<std::size_t>(piece, text.size() - offset));
		return call(LPAR_OP_MANAGE, offset, total);
	}
	// All of it: the request's number
	u64 hand_over(const std::string &text)
	{
		for (std::size_t at = 0; at < text.size(); at += piece) {
			std::uint32_t st = manage(text, at, text.size());
			EXPECT(st == LPAR_OK, "piece at {}: status {}", at, st);
		}
		return answer().ret[0];
	}

	std::uint32_t mailbox = 0;
};

std::string some_text(std::size_t bytes)
{
	std::string text(bytes, 0);
	for (std::size_t i = 0; i < bytes; i++)
		text[i] = 'a' + i / 7 % 26;
	return text;
}

// ------------------------------------------------------------------------------------------------ V1

CASE(opening, "V1 manage: others cannot open it")
{
	EXPECT(in_child([] {
		become(options.uid);
		return open(LPAR_MANAGE_DEVICE, O_RDWR) < 0 && errno == EACCES ? 0 : 1;
	}) == 0, "another user can open it");
	// whatever the node's mode was made
	EXPECT(in_child([] {
		drop_capability(CAP_SYS_ADMIN);
		return open(LPAR_MANAGE_DEVICE, O_RDWR) < 0 && errno == EPERM ? 0 : 1;
	}) == 0, "it can be opened without CAP_SYS_ADMIN");
	Manager().expect_none();
}

struct Ioctl {
	unsigned long request;
	std::size_t size;
	std::size_t reserved;	// offset of a word that is zero, 0: none
	const char *name;
};

const std::array structs{
	Ioctl{LPAR_MANAGE_NEXT, sizeof(lpar_manage_request), offsetof(lpar_manage_request, reserved), "NEXT"},
	Ioctl{LPAR_MANAGE_TAKE, sizeof(lpar_manage_take), offsetof(lpar_manage_take, reserved), "TAKE"},
	Ioctl{LPAR_MANAGE_END, sizeof(lpar_manage_end), 0, "END"},
};

// The call as a program knows it whose structure has another size.
unsigned long sized(unsigned long request, unsigned size)
{
	return _IOC(_IOC_DIR(request), _IOC_TYPE(request), _IOC_NR(request), size);
}

CASE(sizes, "V1 manage: sizes, flags and pointers")
{
	Manager m;
	Memory memory(LPAR_WINDOW_SIZE);
	// nothing is behind it
	std::uint8_t *page = memory.data() + memory.size() - 4096;
	auto put = [&](std::size_t at, std::uint32_t word) { std::memcpy(page + at, &word, 4); };
	auto size = [&](std::uint32_t n) { std::memset(page, 0, 4096), put(0, n); };

	m.expect_none();
	for (auto &i : structs) {
		for (std::uint32_t n : {0u, 1u, 4u, 7u, 4097u, 65536u, 0x80000000u, ~0u}) {
			size(n);
			EXPECT(m.call(i.request, page) == EINVAL, "{} of {} bytes", i.name, n);
		}
		for (unsigned long request : {i.request, sized(i.request, 4096), sized(i.request, 8)}) {
			size(4096);
			page[4095] = 1;
			EXPECT(m.call(request, page) == E2BIG, "{} with an unknown part", i.name);
			size(4096);
			EXPECT(m.call(request, page) == ENOENT, "{} of a newer program", i.name);
			size(16);
			EXPECT(m.call(request, page) == ENOENT, "{} of an older one", i.name);
		}
		for (std::uint32_t flag : {1u, 0x80000000u}) {
			size(i.size);
			put(4, flag);
			EXPECT(m.call(i.request, page) == EINVAL, "{} with flags {:#x}", i.name, flag);
		}
		if (i.reserved) {
			size(i.size);
			put(i.reserved, 1);
			EXPECT(m.call(i.request, page) == EINVAL, "{} with a reserved word", i.name);
		}
		for (void *p : {static_cast<void *>(nullptr), reinterpret_cast<void *>(0xffff888000000000ull),
				reinterpret_cast<void *>(~0ull - 3), static_cast<void *>(page + 4096)})
			EXPECT(m.call(i.request, p) == EFAULT, "{} at {}", i.name, p);
		put(4096 - 4, i.size);
		EXPECT(m.call(i.request, page + 4096 - 4) == EFAULT, "{} over the end", i.name);
		size(i.size);
		EXPECT(m.call(_IOC(_IOC_NONE, LPAR_IOC, _IOC_NR(i.request), i.size), page) == ENOTTY, "{}: direction", i.name);
	}
	for (unsigned long request : {_IO(LPAR_IOC, 0x3f) + 0ul, _IO(LPAR_IOC, 0x43) + 0ul, LPAR_ATTACH, LPAR_PROBE})
		EXPECT(m.call(request, page) == ENOTTY, "call {:#x}", request);
	EXPECT_ERRNO(m.end(1, LPAR_PROTECTION + 1), EINVAL);
	EXPECT_ERRNO(m.end(1, ~0u), EINVAL);
}

CASE(written, "V1 manage: NEXT writes what there is room for")
{
	Mailbox mailbox;
	Client g;
	Manager m;
	std::array<std::uint8_t, sizeof(lpar_manage_request)> bytes{};
	const std::uint32_t size = offsetof(lpar_manage_request, vf);

	g.request(7);
	std::memcpy(bytes.data(), &size, 4);
	std::memset(bytes.data() + size, 0xee, bytes.size() - size);
	EXPECT_ERRNO(m.call(LPAR_MANAGE_NEXT, bytes.data()), 0);
	EXPECT(options.partition == reinterpret_cast<char *>(bytes.data() + offsetof(lpar_manage_request, partition)),
	       "nothing was written");
	EXPECT(std::all_of(bytes.begin() + size, bytes.end(), [](auto b) { return b == 0xee; }),
	       "written behind what was given");
	// or the next call would be believed to have more
	EXPECT(!std::memcmp(bytes.data(), &size, 4), "the size was changed");
}

CASE(in_hand, "V1 manage: TAKE and END, by two files")
{
	Mailbox mailbox;
	Client g;
	Manager a, b;
	lpar_manage_request r;

	a.expect_none();
	EXPECT_ERRNO(a.take(0), ENOENT);
	EXPECT_ERRNO(a.take(~0ull), ENOENT);
	EXPECT_ERRNO(a.end(0), ENOENT);
	u64 number = g.request(7), second = g.request(8);
	EXPECT_ERRNO(a.next(r), 0);
	EXPECT(options.partition == r.partition && r.vf == std::string(Mailbox::address), "{} {}", r.partition, r.vf);
	EXPECT(r.kind == LPAR_VF_NIC && r.ask == LPAR_ASK_VLAN && r.value == 7 && r.seconds < 120 && !r.flags,
	       "kind {} ask {} value {} seconds {} flags {}", r.kind, r.ask, r.value, r.seconds, r.flags);
	const std::uint64_t id = r.id;
	EXPECT_ERRNO(a.next(r, id), 0);
	EXPECT(r.id > id && r.value == 8, "the second is {}", r.id);
	const std::uint64_t last = r.id;
	EXPECT_ERRNO(a.next(r, last), ENOENT);
	EXPECT_ERRNO(a.next(r, ~0ull), ENOENT);
	EXPECT_ERRNO(a.take(last + 1), ENOENT);

	EXPECT_ERRNO(a.end(id), EPERM);
	EXPECT_ERRNO(a.take(id), 0);
	EXPECT_ERRNO(b.take(id), EBUSY);
	EXPECT_ERRNO(a.take(id), EBUSY);
	EXPECT_ERRNO(b.end(id, LPAR_PERM, "not yours"), EPERM);
	EXPECT_ERRNO(b.next(r), 0);
	EXPECT(r.id == id && r.flags == LPAR_MANAGE_TAKEN, "flags {}", r.flags);
	EXPECT(g.fetch(number) == LPAR_BUSY, "an answer of who must not give one");

	// what is refused leaves it in hand
	EXPECT_ERRNO(a.end(id, LPAR_OK, some_text(LPAR_REASON_TEXT + 1)), EMSGSIZE);
	EXPECT_ERRNO(a.end(id, LPAR_OK, some_text(LPAR_MANAGE_TEXT + 1)), EMSGSIZE);
	EXPECT_ERRNO(a.end(id, LPAR_PROTECTION + 1), EINVAL);
	lpar_manage_end bad{sizeof(bad), 0, id, LPAR_OK, 4, 0xffff888000000000};
	EXPECT_ERRNO(a.call(LPAR_MANAGE_END, &bad), EFAULT);
	// too much is not even read
	for (std::uint32_t bytes : {LPAR_MANAGE_TEXT + 1u, ~0u}) {
		bad.bytes = bytes;
		EXPECT_ERRNO(a.call(LPAR_MANAGE_END, &bad), EMSGSIZE);
	}
	EXPECT(g.fetch(number) == LPAR_BUSY, "an answer that was refused");

	Fd event(eventfd(0, EFD_NONBLOCK));
	eventfd_t count = 0;
	EXPECT_ERRNO(g.monitor().vector(LPAR_VECTOR_EVENT, event.get()), 0);
	const std::string why = some_text(LPAR_REASON_TEXT);
	EXPECT_ERRNO(a.end(id, LPAR_IOERR, why), 0);
	EXPECT(!eventfd_read(event.get(), &count) && count, "the client is not told");
	EXPECT_ERRNO(a.end(id), ENOENT);
	EXPECT_ERRNO(b.take(id), ENOENT);
	EXPECT_ERRNO(b.next(r), 0);
	EXPECT(r.id == last, "one that has ended is shown");
	EXPECT(g.fetch(number) == LPAR_OK && g.answer().ret[0] == LPAR_IOERR, "verdict {}", g.answer().ret[0]);
	EXPECT(g.answer().ret[1] == why.size() && g.text() == why, "{} bytes: '{}'", g.answer().ret[1], g.text());
	EXPECT_ERRNO(b.take(last), 0);
	EXPECT_ERRNO(b.end(last), 0);
	EXPECT(g.fetch(second) == LPAR_OK && g.answer().ret[0] == LPAR_OK && !g.answer().ret[1], "verdict {}", g.answer().ret[0]);
}

CASE(polling, "V1 manage: poll tells of what was not seen")
{
	Mailbox mailbox;
	Client g;
	Manager a, b;
	lpar_manage_request r;

	a.expect_none();
	b.expect_none();
	// who sleeps is woken
	std::uint64_t began = now_ms();
	auto sleeper = std::async(std::launch::async, [&] { return a.readable(60000); });
	sleep_ms(100);
	u64 number = g.request(7);
	EXPECT(sleeper.get() && now_ms() - began < 50000, "not woken by a request");
	EXPECT(a.readable() && b.readable(), "not readable with a request");
	EXPECT_ERRNO(a.next(r, 1ull << 60), ENOENT);
	EXPECT(a.readable(), "seen, though it has not looked from the start");
	const std::uint64_t id = a.first();
	EXPECT(!a.readable() && b.readable(), "what one file has seen is not its own matter");

	EXPECT_ERRNO(a.take(id), 0);
	b.first();
	EXPECT(!b.readable(), "readable after a look");
	sleeper = std::async(std::launch::async, [&] { return b.readable(60000); });
	sleep_ms(100);
	began = now_ms();
	a.close();
	EXPECT(sleeper.get() && now_ms() - began < 50000, "not woken when one is given back");
	b.first();
	EXPECT_ERRNO(b.take(id), 0);
	EXPECT_ERRNO(b.end(id), 0);
	EXPECT(b.readable(), "the end of one is not told");
	b.expect_none();
	EXPECT(g.forget(number) == LPAR_OK, "it cannot be forgotten");
}

CASE(closing, "V1 manage: who closes it gives back what he had in hand")
{
	Mailbox mailbox;
	Client g;
	Manager a, b, c;
	lpar_manage_request r;

	g.request(7);
	const std::uint64_t id = a.first();
	EXPECT_ERRNO(a.take(id), 0);
	// as long as somebody has it open
	Fd copy(dup(a.fd()));
	a.close();
	EXPECT_ERRNO(b.take(id), EBUSY);
	copy.reset();
	EXPECT_ERRNO(b.next(r), 0);
	EXPECT(r.id == id && !r.flags, "flags {}", r.flags);
	EXPECT_ERRNO(b.end(id), EPERM);
	EXPECT_ERRNO(b.take(id), 0);
	// who has not got it gives nothing back; who is killed does
	EXPECT_ERRNO(c.take(id), EBUSY);
	c.close();
	EXPECT_ERRNO(b.next(r), 0);
	EXPECT(r.flags == LPAR_MANAGE_TAKEN, "flags {}", r.flags);
	EXPECT_ERRNO(b.end(id), 0);
	u64 number = g.request(9);
	EXPECT(in_child([&] {
		Manager d;
		return d.take(d.first()) ?: raise(SIGKILL);
	}) == 256 + SIGKILL, "the child failed");
	EXPECT_ERRNO(b.take(b.first()), 0);
	EXPECT_ERRNO(b.end(b.first()), 0);
	EXPECT(g.fetch(number) == LPAR_OK, "no answer");
}

// ------------------------------------------------------------------------------------------------ G1

CASE(asking, "G1 ASK for what cannot be, or is refused")
{
	Mailbox mailbox;
	Attribute refuse("policy/rate", "refuse"), limit("policy/mtu", "allow 1000-2000");
	Client g;
	const u64 box = g.mailbox;
	auto expect = [&](u64 function, u64 what, u64 value, std::uint32_t want) {
		std::uint32_t st = g.call(LPAR_OP_ASK, function, what, value);
		EXPECT(st == want, "ASK {:#x} {} {}: status {} instead of {}", function, what, value, st, want);
	};

	expect(box | 1ull << 32, LPAR_ASK_VLAN, 1, LPAR_INVAL);
	for (u64 what : {0ull, u64{LPAR_ASK_RESET} + 1, 64ull, 1ull << 32 | LPAR_ASK_VLAN, ~0ull})
		expect(box, what, 0, LPAR_INVAL);
	for (u64 what : {LPAR_ASK_QUEUES, LPAR_ASK_ATTACH, LPAR_ASK_DETACH})
		expect(box, what, 1, LPAR_NOTSUPP);
	for (u64 vlan : {4095ull, 1ull << 32, ~0ull})
		expect(box, LPAR_ASK_VLAN, vlan, LPAR_RANGE);
	for (u64 mac : {0ull, 0x010000000001ull, 1ull << 48, ~0ull})
		expect(box, LPAR_ASK_MAC, mac, LPAR_RANGE);
	expect(box, LPAR_ASK_MTU, 67, LPAR_RANGE);
	expect(box, LPAR_ASK_RESET, 1, LPAR_RANGE);
	EXPECT(g.ask(LPAR_ASK_RATE, 1) == LPAR_PERM && g.text().find("refuses rate") != g.text().npos, "'{}'", g.text());
	EXPECT(g.ask(LPAR_ASK_MTU, 999) == LPAR_PERM && g.text().find("from 1000 to 2000") != g.text().npos, "'{}'", g.text());
	expect(g.env()->function, LPAR_ASK_VLAN, 1, LPAR_NOTSUPP);
	EXPECT(mailbox.requests() == 0, "a refused request is there");
	// and it is nothing but a mailbox
	for (std::uint32_t op : {LPAR_OP_SET, LPAR_OP_SA_DELETE})
		EXPECT(g.call(op, box, LPAR_CAP_MAC) == LPAR_NOTSUPP, "call {} of a mailbox", op);
	EXPECT(attack_call(g.env(), LPAR_OP_QUEUE_CREATE, box, 1, FakeGuest::base, 16 | 8 << 16, 1) == LPAR_NOENT,
	       "a mailbox with a queue");
	expect(box, LPAR_ASK_MTU, 1000, LPAR_OK);
	Manager m;
	lpar_manage_request r;
	EXPECT_ERRNO(m.next(r), 0);
	EXPECT(r.flags == LPAR_MANAGE_ALLOWED && r.ask == LPAR_ASK_MTU && r.value == 1000, "flags {}", r.flags);
}

CASE(quota, "G1 more requests than a partition may have")
{
	Mailbox mailbox;
	Client g;
	Manager m;
	std::set<u64> numbers;

	for (u64 i = 0; i < LPAR_REQUESTS_MAX; i++)
		numbers.insert(g.request(i));
	EXPECT(numbers.size() == LPAR_REQUESTS_MAX && !numbers.contains(0), "numbers twice, or none");
	auto full = [&](const char *when) {
		for (int i = 0; i < 3; i++) {
			std::uint32_t st = g.ask(LPAR_ASK_VLAN, 1);
			EXPECT(st == LPAR_QUOTA, "one more, {}: status {}", when, st);
		}
		EXPECT(mailbox.requests() == LPAR_REQUESTS_MAX, "{} requests, {}", mailbox.requests(), when);
	};
	full("all wait");
	EXPECT_ERRNO(m.take(m.first()), 0);
	full("one is in hand");
	EXPECT_ERRNO(m.end(m.first()), 0);
	full("one has ended");
	for (u64 number : numbers) {
		EXPECT(g.forget(number) == LPAR_OK && g.forget(number) == LPAR_NOENT, "{} is not forgotten once", number);
		EXPECT(!numbers.contains(g.request(1)), "a number twice");
		full("after one was forgotten");
	}
	g.begin();
}

CASE(answers, "G1 ANSWER too early, behind the text, and of what is not there")
{
	Mailbox mailbox;
	Client g;
	Manager m;
	u64 number = g.request(7);

	auto expect = [&](u64 of, u64 offset, std::uint32_t want) {
		std::uint32_t st = g.fetch(of, offset);
		EXPECT(st == want, "ANSWER {:#x} from {:#x}: status {} instead of {}", of, offset, st, want);
		EXPECT(want == LPAR_OK || !g.answer().len, "{} bytes with an error", g.answer().len);
	};
	for (u64 offset : {u64{0}, u64{1}, LPAR_FORGET - 1})
		expect(number, offset, LPAR_BUSY);
	EXPECT_ERRNO(m.take(m.first()), 0);
	expect(number, 0, LPAR_BUSY);
	EXPECT_ERRNO(m.end(m.first(), LPAR_PERM, "not today"), 0);
	expect(number, 4, LPAR_OK);
	EXPECT(g.text() == "today" && g.answer().ret[1] == 9, "'{}'", g.text());
	expect(number, 9, LPAR_OK);
	EXPECT(!g.answer().len, "{} bytes behind the text", g.answer().len);
	for (u64 offset : {10ull, 255ull, 1ull << 32, (1ull << 32) + 1, 1ull << 63, LPAR_FORGET - 1})
		expect(number, offset, LPAR_RANGE);
	for (u64 other : {u64{0}, number + 1, number | 1ull << 32, ~0ull}) {
		expect(other, 0, LPAR_NOENT);
		expect(other, LPAR_FORGET, LPAR_NOENT);
	}
	EXPECT(mailbox.requests() == 1, "another was forgotten");
	expect(number, LPAR_FORGET, LPAR_OK);
	expect(number, 0, LPAR_NOENT);
	EXPECT(mailbox.requests() == 0, "{} are left", mailbox.requests());
}

CASE(withdrawn, "G1 requests withdrawn while they are in hand")
{
	Mailbox mailbox;
	Client g;
	Manager m;

	// one that is forgotten
	u64 number = g.request(7);
	std::uint64_t id = m.first();
	EXPECT_ERRNO(m.take(id), 0);
	EXPECT(g.forget(number) == LPAR_OK, "it cannot be forgotten");
	EXPECT_ERRNO(m.end(id, LPAR_OK, "done"), ENOENT);
	EXPECT_ERRNO(m.take(id), ENOENT);
	m.expect_none();
	// all of a client that resets, one in hand: there is room for as many afterwards
	for (int round = 0; round < 3; round++) {
		for (u64 i = 0; i < LPAR_REQUESTS_MAX; i++)
			number = g.request(i);
		id = m.first();
		EXPECT_ERRNO(m.take(id), 0);
		EXPECT(!m.readable(), "readable after a look");
		EXPECT_ERRNO(g.monitor().reset(), 0);
		EXPECT(m.readable(), "nobody is told");
		EXPECT_ERRNO(m.end(id), ENOENT);
		m.expect_none();
		EXPECT(mailbox.requests() == 0, "{} are left", mailbox.requests());
		g.begin();
		EXPECT(g.fetch(number) == LPAR_NOENT, "a request of before the reset");
	}
	// of one that ends
	g.request(7);
	g.monitor().close();
	EXPECT(at_baseline(options.partition), "not released");
	EXPECT(m.readable(), "nobody is told");
	m.expect_none();
	EXPECT(mailbox.requests() == 0, "{} are left", mailbox.requests());
}

CASE(removed, "G1 a mailbox that is removed under its requests")
{
	Mailbox mailbox;
	Client g;
	Manager m;
	u64 number = g.request(7), other = g.request(8);
	const std::uint64_t id = m.first();

	EXPECT_ERRNO(m.take(id), 0);
	mailbox.remove();
	EXPECT(m.readable(), "nobody is told");
	EXPECT_ERRNO(m.end(id, LPAR_OK, "done"), ENOENT);
	m.expect_none();
	for (u64 n : {number, other})
		EXPECT(g.fetch(n) == LPAR_NOENT && g.forget(n) == LPAR_NOENT, "request {} is still there", n);
	EXPECT(g.ask(LPAR_ASK_VLAN, 1) == LPAR_NOENT, "asked of a mailbox that is not there");
	g.begin();
}

CASE(texts, "G1 MANAGE: pieces, texts and answers of the wrong length")
{
	Attribute role("role", "management");
	Client g;
	Manager m, other, third;
	lpar_manage_request r;
	const std::string text = some_text(2 * piece + 100);
	auto expect = [&](u64 offset, u64 total, std::uint32_t want) {
		std::uint32_t st = g.manage(text, offset, total);
		EXPECT(st == want, "MANAGE {} of {}: status {} instead of {}", offset, total, st, want);
	};

	for (u64 total : {u64{0}, u64{LPAR_MANAGE_TEXT} + 1, u64{1} << 32, ~0ull})
		expect(0, total, LPAR_INVAL);
	for (u64 offset : {u64{100}, u64{1} << 32, ~0ull})
		expect(offset, 100, LPAR_INVAL);
	expect(1, text.size(), LPAR_STATE);
	expect(0, text.size(), LPAR_OK);
	expect(piece - 1, text.size(), LPAR_STATE);
	expect(2 * piece, text.size(), LPAR_STATE);
	expect(piece, text.size() + 1, LPAR_STATE);
	// forgotten with the channel
	g.begin();
	expect(piece, text.size(), LPAR_STATE);
	m.expect_none();
	// begun twice, and the second time to the end
	expect(0, text.size(), LPAR_OK);
	expect(piece, text.size(), LPAR_OK);
	const u64 number = g.hand_over(text);
	expect(0, text.size(), LPAR_BUSY);

	EXPECT_ERRNO(m.next(r), 0);
	EXPECT(r.flags == LPAR_MANAGE_ALLOWED && !r.vf[0] && !r.kind && !r.ask && r.value == text.size(), "flags {} bytes {}",
	       r.flags, r.value);
	std::string got(text.size() + 1, 0);
	EXPECT_ERRNO(m.take(r.id), EMSGSIZE);
	EXPECT_ERRNO(m.take(r.id, got.data(), text.size() - 1), EMSGSIZE);
	EXPECT_ERRNO(m.take(r.id, nullptr, text.size()), EMSGSIZE);
	EXPECT(got.find_first_not_of('\0') == got.npos, "written, though there is no room");
	EXPECT_ERRNO(other.take(r.id, got.data(), text.size()), 0);
	EXPECT(got == text + '\0', "another text");
	other.close();
	// one that cannot be written is in hand all the same
	EXPECT_ERRNO(third.take(r.id, reinterpret_cast<void *>(0xffff888000000000), text.size()), EFAULT);
	EXPECT_ERRNO(m.take(r.id, got.data(), text.size()), EBUSY);
	third.close();
	EXPECT_ERRNO(m.take(r.id, got.data(), ~0u), 0);
	EXPECT(g.fetch(number) == LPAR_BUSY, "an answer before there is one");
	expect(0, text.size(), LPAR_BUSY);

	const std::string answer = some_text(LPAR_MANAGE_TEXT);
	EXPECT_ERRNO(m.end(r.id, LPAR_OK, answer + "x"), EMSGSIZE);
	EXPECT_ERRNO(m.end(r.id, LPAR_OK, answer), 0);
	std::string back;
	while (back.size() < answer.size() && g.fetch(number, back.size()) == LPAR_OK && g.answer().len)
		back += g.text();
	EXPECT(back == answer, "{} bytes of the answer", back.size());
	EXPECT(g.fetch(number, answer.size()) == LPAR_OK && !g.answer().len, "more than there is");
	EXPECT(g.fetch(number, answer.size() + 1) == LPAR_RANGE, "behind the text");
	expect(0, text.size(), LPAR_BUSY);
	EXPECT(g.forget(number) == LPAR_OK, "it cannot be forgotten");
	EXPECT(g.hand_over(text) != number, "a number twice");
	EXPECT_ERRNO(g.monitor().reset(), 0);
	m.expect_none();
}

CASE(needy, "M1 requests and texts without memory", 300)
{
	Mailbox mailbox;
	Attribute role("role", "management");
	Client g;
	Manager m;
	// of two pieces, and less than a page: for more the kernel has a second way
	const std::string text = some_text(piece + 100);
	std::string got(text.size(), 0);
	std::uint64_t id = 0;
	u64 number = 0;
	auto hand_over = [&] {
		number = g.hand_over(text);
		id = m.first();
	};
	auto take = [&] { return m.take(id, got.data(), got.size()); };

	each("opening", {ENOMEM}, [] {
		Fd fd(open(LPAR_MANAGE_DEVICE, O_RDWR | O_CLOEXEC));
		return fd.get() < 0 ? errno : 0u;
	}, [](unsigned) {}, true);
	each("ASK", {LPAR_NOMEM}, [&] { return g.ask(LPAR_ASK_VLAN, 7); }, [&](unsigned st) {
		EXPECT(mailbox.requests() == !st, "{} requests after status {}", mailbox.requests(), st);
		EXPECT(st || g.forget(g.answer().ret[0]) == LPAR_OK, "it cannot be forgotten");
	}, true);
	each("MANAGE", {LPAR_NOMEM}, [&] {
		std::uint32_t st = g.manage(text, 0, text.size());
		return st ? st : g.manage(text, piece, text.size());
	}, [&](unsigned st) {
		if (st)
			m.expect_none();
		else
			EXPECT(g.forget(g.answer().ret[0]) == LPAR_OK, "it cannot be forgotten");
		EXPECT(g.manage(text, piece, text.size()) == LPAR_STATE, "half a text is left");
	}, true);
	hand_over();
	// what is there needs no memory
	each("TAKE", {}, take, [&](unsigned) {
		EXPECT(got == text, "another text");
		m.close();
		m = Manager();
	});
	EXPECT_ERRNO(take(), 0);
	each("END", {ENOMEM}, [&] { return m.end(id, LPAR_OK, "done"); }, [&](unsigned e) {
		EXPECT(g.fetch(number) == (e ? LPAR_BUSY : LPAR_OK), "error {}, and the client is told otherwise", e);
		if (e)
			return;
		EXPECT(g.text() == "done" && g.forget(number) == LPAR_OK, "another answer");
		hand_over();
		EXPECT_ERRNO(take(), 0);
	}, true);
	EXPECT_ERRNO(m.end(id, LPAR_OK, "done"), 0);
	each("ANSWER", {}, [&] { return g.fetch(number); }, [](unsigned) {});
}

}
