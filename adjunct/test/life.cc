// SPDX-License-Identifier: GPL-2.0
// For boot tests: what takes two threads of one program, with the image "loop". Exit status 0: all
// was as it should be.
#include <atomic>
#include <fstream>
#include <poll.h>
#include <thread>
#include <unistd.h>

#include "boot.hh"

namespace {

using namespace std::chrono_literals;

// Calls under way and calls that wait end when the adjunct does; the slot can be used again.
void destroy_during_calls(lpar::Adjunct &adjunct) {
    std::atomic<int> errors[3];
    std::thread threads[3];
    for (int i = 0; i < 3; i++)
        threads[i] = std::thread(
            [&, i] { errors[i] = error_of([&] { adjunct.call(i == 0 ? 1 : 3, {}, 0); }); });
    std::this_thread::sleep_for(1s);
    adjunct.destroy();
    for (auto &thread : threads)
        thread.join();
    // the first never ends; another may have been served before it
    for (auto &error : errors)
        if (error != ECANCELED && (error != 0 || &error == errors))
            fail("a call that was cancelled: " + std::generic_category().message(error));
    if (error_of([&] { adjunct.call(3, {}, 0); }) != ENOTCONN)
        fail("a call after that");
    ok("destroyed during calls");
}

// What does not end in a quantum asks for the next one, and does not hold up who asked.
void poll_for_it(lpar::Adjunct &adjunct) {
    lpar::AdjunctRequest request{2, {}, 0}; // gives way twenty times
    adjunct.submit({&request, 1});
    bool asked = false;
    int rounds = 0;
    for (;; rounds++) {
        pollfd wanted{adjunct.file(), POLLIN | POLLPRI, 0};
        if (::poll(&wanted, 1, 5000) != 1)
            fail("poll says nothing");
        asked |= (wanted.revents & POLLPRI) != 0;
        if ((wanted.revents & (POLLERR | POLLHUP)) != 0)
            fail("poll says that it is dead");
        if (auto replies = adjunct.poll()) {
            if (replies->size() != 1 || replies->at(0).status != LPAR_OK)
                fail("the answer");
            break;
        }
    }
    if (!asked || rounds < 15)
        fail("it was not asked for more time");
    pollfd wanted{adjunct.file(), POLLOUT, 0};
    if (::poll(&wanted, 1, 0) != 1 || (wanted.revents & POLLOUT) == 0)
        fail("poll says that nothing can be submitted");
    if (error_of([&] { adjunct.poll(); }) != ENODATA)
        fail("collected twice");
    ok("submitted, and polled for");
}

// A call that comes meanwhile is served behind it.
void call_behind_submit(lpar::Adjunct &adjunct) {
    lpar::AdjunctRequest request{2, {}, 0};
    adjunct.submit({&request, 1});
    if (error_of([&] { adjunct.submit({&request, 1}); }) != EBUSY)
        fail("submitted twice");
    if (adjunct.call(3, {}, 0).status != LPAR_NOSYS)
        fail("a call behind it");
    auto replies = adjunct.poll();
    if (!replies || replies->at(0).status != LPAR_OK)
        fail("what was submitted is there when what came later is");
    ok("a call behind what was submitted");
}

const std::string freezer = "/tmp/freezer/one/"; // of the script

// A call whose thread freezes is served by those who come behind it, and its answer stays its own
// when the adjunct has ended before it thaws.
void destroy_while_frozen(lpar::Adjunct &adjunct) {
    const std::string runs =
        "/sys/class/misc/lpar-adjunct/adjunct" + std::to_string(adjunct.report().slot) + "/runs";
    auto before = read_one<uint64_t>(runs);
    std::atomic<pid_t> id = 0;
    std::atomic<int> error = -1;
    lpar::AdjunctReply reply;
    std::thread caller([&] {
        id = gettid();
        error = error_of([&] { reply = adjunct.call(4, {}, 1); });
    });
    wait_for("the call is not served", [&] { return read_one<uint64_t>(runs) >= before + 10; });
    std::ofstream(freezer + "tasks") << id << std::endl;
    std::ofstream(freezer + "freezer.state") << "FROZEN" << std::endl;
    wait_for("the caller does not freeze",
             [&] { return read_one<std::string>(freezer + "freezer.state") == "FROZEN"; });
    if (error != -1)
        fail("it had ended before");
    if (adjunct.call(3, {}, 0).status != LPAR_NOSYS)
        fail("a call behind that of a frozen thread");
    adjunct.destroy();
    std::ofstream(freezer + "freezer.state") << "THAWED" << std::endl;
    caller.join();
    if (error != 0)
        fail("the call of a frozen thread: " + std::generic_category().message(error));
    if (reply.status != LPAR_OK || reply.out.size() != 1 || reply.out[0] != std::byte{1})
        fail("the answer of a frozen thread");
    ok("destroyed while a caller was frozen that others had served");
}

// How long a call may take includes what it waits for others.
void time_out_in_line() {
    lpar::AdjunctOptions options;
    options.timeout = 3s;
    lpar::Adjunct adjunct("loop", options);
    std::chrono::steady_clock::duration took[2];
    std::thread threads[2];
    for (auto &one : took)
        threads[&one - took] = std::thread([&] {
            auto start = std::chrono::steady_clock::now();
            if (error_of([&] { adjunct.call(1, {}, 0); }) != ETIMEDOUT)
                fail("a call that never ends, or waits for one that does not");
            one = std::chrono::steady_clock::now() - start;
        });
    for (auto &thread : threads)
        thread.join();
    for (auto &one : took)
        if (one < 2900ms || one > 4500ms)
            fail("a time-out of 3 s after " + std::to_string(one / 1ms) + " ms");
    ok("a call that waits behind another times out with it");
}

} // namespace

int main() {
    try {
        lpar::AdjunctOptions options;
        options.quantum = 500us;
        {
            lpar::Adjunct adjunct("loop", options);
            poll_for_it(adjunct);
            call_behind_submit(adjunct);
            destroy_during_calls(adjunct);
        }
        {
            lpar::Adjunct adjunct("loop", options);
            destroy_while_frozen(adjunct);
        }
        time_out_in_line();
        lpar::Adjunct again("loop", options);
        auto report = again.report();
        std::cout << "slot " << report.slot << ", " << report.runs << " runs\n";
    } catch (const std::exception &error) {
        fail(error.what());
    }
}
