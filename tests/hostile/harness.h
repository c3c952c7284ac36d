// SPDX-License-Identifier: GPL-2.0
// Cases run in a process of their own, which may die or hang, and leave nothing behind in the partition.
#pragma once

#include <functional>
#include <initializer_list>
#include <string>

#include <fmt/format.h>

#include "fake_guest.h"

namespace hostile {

struct Options {
	std::string partition = "p1";
	std::string neighbour;		// another partition, to see that it goes on
	std::string nic;		// a partition with NICs on one port
	std::string wire;		// the network device at the other end of that port's cable
	std::string config = "/sys/kernel/config/lpar/partitions";
	std::string only;		// cases whose names contain this
	unsigned seed = 1;
	unsigned fuzz = 20000;
	unsigned flips = 20000;
	unsigned storms = 2000;
	unsigned kills = 30;
	unsigned uid = 1000;
};

extern Options options;

// In a case: note a failure, go on.
void expect_at(bool ok, const char *file, int line, const std::string &what);
#define EXPECT(cond, ...) ::hostile::expect_at((cond), __FILE__, __LINE__, fmt::format(__VA_ARGS__))
// An ioctl's error, by number.
#define EXPECT_ERRNO(expr, want) do {							\
	int got_ = (expr);								\
	EXPECT(got_ == (want), "{}: {} instead of {}", #expr, strerrorname_np(got_), strerrorname_np(want)); \
} while (0)
void skip(const std::string &why);	// ends the case

struct Case {
	Case(const char *name, void (*run)(), unsigned seconds = 120, bool last = false);
};
#define CASE(id, name, ...)							\
	static void id();							\
	static const ::hostile::Case id##_case(name, id, ##__VA_ARGS__);	\
	static void id()

// Run something in a forked child; its exit status, or 256 + signal, or -1 when it did not end in time and was killed,
// or -2 when it could not even be killed.
int in_child(const std::function<int()> &run, unsigned seconds = 20);
// Wait for a child: as above.
int wait_for(int pid, unsigned seconds);

// M1 (alloc.cc): do a step with its first allocation failing, its second, …, until it is through without; each result has
// to be 0 or one of @errors. @between puts things back and sees to it that the step itself still works; it is told the
// step's result. With @must the step has to be refused once, or else nothing has been tested. How many have failed.
unsigned each(const char *what, std::initializer_list<unsigned> errors, const std::function<unsigned()> &step,
	      const std::function<void(unsigned)> &between, bool must = false);

// In a child: be another user; do without a capability.
void become(unsigned uid);
void drop_capability(unsigned capability);

// An attribute of a partition in configfs, set back at the end, when the partition has no client any more.
class Attribute {
public:
	Attribute(const std::string &name, const std::string &value);
	Attribute(const Attribute &) = delete;
	~Attribute();
	void set(const std::string &value);

private:
	std::string path_, old_;
};

// The partition has no client, and nothing is left of the last one; waits a while for it.
bool at_baseline(const std::string &partition);

}
