// SPDX-License-Identifier: GPL-2.0
// For tests/bench: how long one small request takes, the CRC of 64 bytes: of the image "checksum",
// from one CPU or from two in turn, and of a server behind a vsock. The same loop runs without
// requests ("none"), so that what is counted meanwhile can be subtracted.
#include <algorithm>
#include <array>
#include <atomic>
#include <filesystem>
#include <functional>
#include <iostream>
#include <linux/vm_sockets.h>
#include <optional>
#include <pthread.h>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "adjunct.hh"
#include "checksum.hh"

namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

struct Options {
    unsigned calls = 1000;
    std::string label = "-";
    std::string mark;
    unsigned cid = VMADDR_CID_HOST;
    unsigned port = 1000;
    unsigned clients = 1;
};

using Request = std::array<std::byte, 64>;
using Answer = std::array<std::byte, 4>;
using Ask = std::function<Answer(const Request &)>;
// So many requests, and how long each of them took
using Loop = std::function<std::vector<Clock::duration>(unsigned, const Ask &)>;

Answer answer_to(const Request &request) {
    uint32_t sum = lpar::checksum::crc32c_of(request);
    Answer answer;
    for (int i = 0; i < 4; i++)
        answer[i] = static_cast<std::byte>(sum >> (24 - 8 * i));
    return answer;
}

const Request request = [] {
    Request bytes;
    for (size_t i = 0; i < bytes.size(); i++)
        bytes[i] = static_cast<std::byte>(7 * i);
    return bytes;
}();
const Answer wanted = answer_to(request);

[[noreturn]] void fail(int error, const char *what) {
    throw std::system_error(error, std::generic_category(), what);
}

void pin(int cpu) {
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(cpu, &set);
    if (int error = pthread_setaffinity_np(pthread_self(), sizeof(set), &set))
        fail(error, "pinning a thread");
}

Clock::duration timed(const Ask &ask) {
    auto start = Clock::now();
    Answer answer = ask(request);
    auto time = Clock::now() - start;
    if (answer != wanted)
        throw std::runtime_error("a wrong answer");
    return time;
}

std::vector<Clock::duration> in_a_row(unsigned calls, const Ask &ask) {
    std::vector<Clock::duration> times(calls);
    for (auto &time : times)
        time = timed(ask);
    return times;
}

// One thread on each of two CPUs; that it is its turn a thread hears while the clock stands. Both
// ask, or only the first: then the other one is there to be waited for.
std::vector<Clock::duration> in_turn(unsigned calls, const Ask &ask, bool both) {
    std::vector<Clock::duration> times(calls);
    std::atomic<unsigned> turn = 0;
    std::exception_ptr failures[2];
    auto run = [&](unsigned me) {
        try {
            pin(static_cast<int>(me));
        } catch (...) {
            failures[me] = std::current_exception();
        }
        unsigned turns = both ? calls : 2 * calls;
        for (unsigned i = me; i < turns; i += 2) {
            for (unsigned now; (now = turn.load()) != i;)
                turn.wait(now);
            try {
                if (!failures[me] && (both || me == 0))
                    times[both ? i : i / 2] = timed(ask);
            } catch (...) {
                failures[me] = std::current_exception();
            }
            turn = i + 1;
            turn.notify_one();
        }
    };
    std::thread other(run, 1);
    std::thread(run, 0).join();
    other.join();
    for (const auto &failure : failures) {
        if (failure)
            std::rethrow_exception(failure);
    }
    return times;
}

// Who reads the counters makes the file when that is done.
void say(const Options &options, const std::string &text) {
    std::cout << text << std::endl;
    if (options.mark.empty())
        return;
    while (!std::filesystem::exists(options.mark))
        std::this_thread::sleep_for(20ms);
    std::filesystem::remove(options.mark);
}

void measure(const Options &options, const Loop &loop, const Ask &ask) {
    auto one = [&](const char *op, const Ask &how) {
        say(options, fmt::format(R"(begin {},"op":"{}")", options.label, op));
        auto times = loop(options.calls, how);
        auto middle = times.begin() + static_cast<std::ptrdiff_t>(times.size() / 2);
        std::nth_element(times.begin(), middle, times.end());
        say(options, fmt::format(R"(end "calls":{},"ns":{})", options.calls,
                                 std::chrono::nanoseconds(*middle).count()));
    };
    loop(100, ask);
    one("none", [](const Request &) { return wanted; });
    one("call", ask);
}

void call_adjunct(const Options &options, const Loop &loop) {
    lpar::Adjunct adjunct("checksum");
    measure(options, loop, [&](const Request &bytes) {
        auto reply = adjunct.call(lpar::checksum::crc32c, bytes, sizeof(Answer));
        Answer answer{};
        if (reply.status == LPAR_OK && reply.out.size() == answer.size())
            std::copy(reply.out.begin(), reply.out.end(), answer.begin());
        return answer;
    });
}

class Socket {
  public:
    explicit Socket(int file, const char *what) : file_(file) {
        if (file < 0)
            fail(errno, what);
    }
    ~Socket() { ::close(file_); }
    Socket(const Socket &) = delete;
    Socket &operator=(const Socket &) = delete;

    int file() const { return file_; }
    void write(std::span<const std::byte> bytes) const {
        if (::send(file_, bytes.data(), bytes.size(), MSG_NOSIGNAL) !=
            static_cast<ssize_t>(bytes.size()))
            fail(errno, "sending");
    }
    // Return: false when nothing comes any more.
    bool read(std::span<std::byte> bytes) const {
        ssize_t got = ::recv(file_, bytes.data(), bytes.size(), MSG_WAITALL);
        if (got < 0)
            fail(errno, "receiving");
        return got == static_cast<ssize_t>(bytes.size());
    }

  private:
    int file_;
};

sockaddr_vm address(unsigned cid, unsigned port) {
    sockaddr_vm where{};
    where.svm_family = AF_VSOCK;
    where.svm_cid = cid;
    where.svm_port = port;
    return where;
}

void call_server(const Options &options) {
    auto where = address(options.cid, options.port);
    std::optional<Socket> socket;
    // it may still be booting
    for (int tries = 0;; tries++) {
        socket.emplace(::socket(AF_VSOCK, SOCK_STREAM, 0), "a vsock");
        if (::connect(socket->file(), reinterpret_cast<sockaddr *>(&where), sizeof(where)) == 0)
            break;
        if (tries == 1000)
            fail(errno, "connecting");
        std::this_thread::sleep_for(200ms);
    }
    measure(options, in_a_row, [&](const Request &bytes) {
        Answer answer;
        socket->write(bytes);
        if (!socket->read(answer))
            throw std::runtime_error("the server has gone");
        return answer;
    });
}

void serve(const Options &options) {
    auto where = address(VMADDR_CID_ANY, options.port);
    Socket listener(::socket(AF_VSOCK, SOCK_STREAM, 0), "a vsock");
    if (::bind(listener.file(), reinterpret_cast<sockaddr *>(&where), sizeof(where)) != 0 ||
        ::listen(listener.file(), 1) != 0)
        fail(errno, "listening");
    for (unsigned i = 0; i < options.clients; i++) {
        Socket client(::accept(listener.file(), nullptr, nullptr), "accepting");
        Request bytes;
        while (client.read(bytes))
            client.write(answer_to(bytes));
    }
}

} // namespace

int main(int argc, char **argv) {
    CLI::App app("Measures how long a small request takes.", "pingpong");
    Options options;
    app.require_subcommand(1);
    app.fallthrough();
    app.add_option("--calls", options.calls, "So many requests (default: 1000)")
        ->check(CLI::Range(1, 1000000000));
    app.add_option("--label", options.label, "What is put before all that is said");
    app.add_option("--mark", options.mark,
                   "After each line wait for this file, and remove it (default: do not)");
    app.add_option("--port", options.port, "Of the vsock (default: 1000)");
    auto *row = app.add_subcommand("row", "To an adjunct, from the first CPU");
    auto *turn = app.add_subcommand("turn", "To an adjunct, from two CPUs in turn");
    auto *woken = app.add_subcommand("woken", "To an adjunct, from the first CPU after a wait for "
                                              "the second one");
    auto *vsock = app.add_subcommand("vsock", "To a server behind a vsock, from the first CPU");
    vsock->add_option("CID", options.cid, "Where it is (default: the host)");
    auto *server = app.add_subcommand("serve", "Be that server");
    server->add_option("--clients", options.clients, "For so many connections (default: 1)");
    CLI11_PARSE(app, argc, argv);
    try {
        if (*row || *vsock)
            pin(0);
        if (*row)
            call_adjunct(options, in_a_row);
        for (bool both : {false, true}) {
            if (both ? *turn : *woken)
                call_adjunct(options, [&](unsigned calls, const Ask &ask) {
                    return in_turn(calls, ask, both);
                });
        }
        if (*vsock)
            call_server(options);
        if (*server)
            serve(options);
    } catch (const std::exception &error) {
        std::cerr << "pingpong: " << error.what() << std::endl;
        return 1;
    }
}
