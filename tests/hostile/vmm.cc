// SPDX-License-Identifier: GPL-2.0
// vmm: attacks on /dev/lpar from user space. See README.md for what it needs; prints TAP.
#include "harness.h"

#include <algorithm>
#include <csignal>
#include <cstring>
#include <fstream>
#include <vector>

#include <fcntl.h>
#include <getopt.h>
#include <grp.h>
#include <linux/capability.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

namespace hostile {

Options options;

namespace {

struct Entry {
	std::string name;
	void (*run)();
	unsigned seconds;
	bool last;
};

std::vector<Entry> &entries()
{
	static std::vector<Entry> all;
	return all;
}

struct Skipped : std::runtime_error {
	using std::runtime_error::runtime_error;
};

bool failed;
unsigned passed_count, failed_count, skipped_count, number;

void verdict(bool ok, const std::string &name)
{
	fmt::print("{}ok {} - {}\n", ok ? "" : "not ", ++number, name);
	std::fflush(stdout);
	(ok ? passed_count : failed_count)++;
}

// What the case prints is its diagnostics and the verdicts of the attacks that it ran.
void relay(std::string &text, bool flush)
{
	std::size_t end;

	while ((end = text.find('\n')) != std::string::npos || (flush && !text.empty())) {
		std::string line = text.substr(0, end);
		text.erase(0, end == std::string::npos ? end : end + 1);
		if (line.starts_with("ok - "))
			verdict(true, line.substr(5));
		else if (line.starts_with("not ok - "))
			verdict(false, line.substr(9));
		else
			fmt::print("{}\n", line);
		std::fflush(stdout);
	}
}

int child_main(const Entry &e)
{
	try {
		e.run();
	} catch (const Skipped &s) {
		fmt::print("# skipped: {}\n", s.what());
		std::fflush(stdout);
		return 77;
	} catch (const std::exception &x) {
		EXPECT(false, "{}", x.what());
	}
	std::fflush(stdout);
	return failed;
}

void run(const Entry &e)
{
	int pipes[2];
	if (pipe2(pipes, O_CLOEXEC))
		throw std::runtime_error("no pipe");
	std::fflush(stdout);
	const unsigned failures = failed_count;
	pid_t pid = fork();
	if (!pid) {
		setpgid(0, 0);
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		dup2(pipes[1], STDOUT_FILENO);
		_exit(child_main(e));
	}
	close(pipes[1]);

	const std::uint64_t end = now_ms() + e.seconds * 1000ull;
	std::string text;
	for (;;) {
		pollfd p{pipes[0], POLLIN, 0};
		char buffer[4096];
		int left = static_cast<int>(end - now_ms());
		if (left <= 0 || poll(&p, 1, left) <= 0)
			break;
		ssize_t n = read(pipes[0], buffer, sizeof(buffer));
		if (n <= 0)
			break;
		text.append(buffer, n);
		relay(text, false);
	}
	relay(text, true);
	int status = wait_for(pid, now_ms() < end ? (end - now_ms()) / 1000 + 1 : 0);
	kill(-pid, SIGKILL);
	close(pipes[0]);

	bool ok = status == 0 || status == 77;
	if (status == -1)
		fmt::print("# {}: hung for {} s, killed\n", e.name, e.seconds);
	else if (status == -2)
		fmt::print("# {}: hung, and cannot be killed\n", e.name);
	else if (status > 256)
		fmt::print("# {}: died of signal {}\n", e.name, status - 256);
	for (const std::string &partition : {options.partition, options.nic}) {
		if (status == -2 || partition.empty() || at_baseline(partition))
			continue;
		for (const char *file : {"attached", "pinned_bytes", "windows", "queues"})
			fmt::print("# {}: left behind: {}: {} = {}\n", e.name, partition, file, partition_value(partition, file));
		ok = false;
	}
	if (ok && status == 77) {
		fmt::print("ok {} - {} # SKIP\n", ++number, e.name);
		std::fflush(stdout);
		skipped_count++;
	} else {
		verdict(ok && failed_count == failures, e.name);
	}
}

}

Case::Case(const char *name, void (*run)(), unsigned seconds, bool last)
{
	entries().push_back({name, run, seconds, last});
}

void expect_at(bool ok, const char *file, int line, const std::string &what)
{
	if (ok)
		return;
	fmt::print("# {}:{}: {}\n", std::strrchr(file, '/') ? std::strrchr(file, '/') + 1 : file, line, what);
	std::fflush(stdout);
	failed = true;
}

void skip(const std::string &why) { throw Skipped(why); }

int wait_for(int pid, unsigned seconds)
{
	const std::uint64_t end = now_ms() + seconds * 1000ull, grace = end + 15000;
	bool killed = false;

	for (;;) {
		int status;
		if (waitpid(pid, &status, WNOHANG) == pid) {
			if (killed)
				return -1;
			return WIFEXITED(status) ? WEXITSTATUS(status) : 256 + WTERMSIG(status);
		}
		if (!killed && now_ms() >= end) {
			kill(pid, SIGKILL);
			killed = true;
		}
		if (now_ms() > grace)
			return -2;
		usleep(2000);
	}
}

int in_child(const std::function<int()> &run, unsigned seconds)
{
	std::fflush(stdout);
	pid_t pid = fork();
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		int status = 99;
		failed = false;
		try {
			status = run();
		} catch (const std::exception &x) {
			fmt::print("# child: {}\n", x.what());
		}
		std::fflush(stdout);
		_exit(status ? status : failed);
	}
	return wait_for(pid, seconds);
}

void become(unsigned uid)
{
	if (setgroups(0, nullptr) || setresgid(uid, uid, uid) || setresuid(uid, uid, uid))
		throw std::runtime_error("cannot become another user");
}

void drop_capability(unsigned capability)
{
	__user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
	__user_cap_data_struct data[2];
	if (syscall(SYS_capget, &header, data))
		throw std::runtime_error("capget");
	for (auto *set : {&data[0].effective, &data[0].permitted, &data[0].inheritable})
		*set &= ~(1u << capability);
	if (syscall(SYS_capset, &header, data))
		throw std::runtime_error("capset");
}

Attribute::Attribute(const std::string &name, const std::string &value)
    : path_(fmt::format("{}/{}/{}", options.config, options.partition, name))
{
	std::ifstream(path_) >> old_;
	if (old_.empty())
		skip("no " + path_);
	set(value);
}

Attribute::~Attribute()
{
	at_baseline(options.partition);
	set(old_);
}

void Attribute::set(const std::string &value) { std::ofstream(path_) << value << std::flush; }

bool at_baseline(const std::string &partition)
{
	const std::uint64_t end = now_ms() + 20000;

	for (;;) {
		bool clean = true;
		for (const char *file : {"attached", "pinned_bytes", "windows", "queues"})
			clean = clean && partition_value(partition, file) == 0;
		if (clean || now_ms() > end)
			return clean;
		usleep(5000);
	}
}

}

using namespace hostile;

namespace {

[[noreturn]] void usage(int status)
{
	fmt::print(stderr, "vmm [-p PARTITION] [-P NEIGHBOUR] [-n PARTITION -w NETDEV] [-c CONFIGFS] [-o ONLY] [-s SEED]\n"
			   "    [-f FUZZ] [-F FLIPS] [-S STORMS] [-k KILLS] [-u UID] [-l]: attack /dev/lpar; -l lists the cases\n");
	std::exit(status);
}

}

int main(int argc, char **argv)
{
	auto &all = entries();
	std::stable_sort(all.begin(), all.end(), [](auto &a, auto &b) {
		return std::pair(a.last, a.name) < std::pair(b.last, b.name);
	});
	auto number_of = [](const char *text) { return static_cast<unsigned>(std::stoul(text, nullptr, 0)); };
	for (int o; (o = getopt(argc, argv, "p:P:n:w:c:o:s:f:F:S:k:u:lh")) != -1;) {
		switch (o) {
		case 'p': options.partition = optarg; break;
		case 'P': options.neighbour = optarg; break;
		case 'n': options.nic = optarg; break;
		case 'w': options.wire = optarg; break;
		case 'c': options.config = optarg; break;
		case 'o': options.only = optarg; break;
		case 's': options.seed = number_of(optarg); break;
		case 'f': options.fuzz = number_of(optarg); break;
		case 'F': options.flips = number_of(optarg); break;
		case 'S': options.storms = number_of(optarg); break;
		case 'k': options.kills = number_of(optarg); break;
		case 'u': options.uid = number_of(optarg); break;
		case 'l':
			for (auto &e : all)
				fmt::print("{}\n", e.name);
			return 0;
		default: usage(o == 'h' ? 0 : 2);
		}
	}
	if (partition_value(options.partition, "attached") < 0) {
		fmt::print(stderr, "vmm: no partition {}\n", options.partition);
		return 2;
	}
	fmt::print("TAP version 13\n# seed {}\n", options.seed);
	for (auto &e : all) {
		// those make allocations fail, which the kernel has to be prepared for
		bool special = e.name.starts_with("M1") || e.name.starts_with("IPsec") || e.name.starts_with("crowd");
		bool wanted = options.only.empty() ? !special : e.name.find(options.only) != std::string::npos;
		if (wanted)
			run(e);
	}
	fmt::print("1..{}\n{} passed, {} failed, {} skipped\n", number, passed_count, failed_count, skipped_count);
	return failed_count || !passed_count;
}
