// SPDX-License-Identifier: GPL-2.0
// For boot tests: what takes two threads of one program, with the image "loop". Exit status 0: all
// was as it should be.
#include <atomic>
#include <cstring>
#include <fcntl.h>
#include <fstream>
#include <poll.h>
#include <sys/ioctl.h>
#include <thread>
#include <unistd.h>

#include "boot.hh"

namespace {

using namespace std::chrono_literals;

// What the library never asks for, and what comes at the wrong time.
void refusals() {
    int file = ::open(LPAR_ADJUNCT_DEVICE, O_RDWR | O_CLOEXEC);
    if (file < 0)
        fail("no " LPAR_ADJUNCT_DEVICE);
    auto refused = [&](const char *what, int error, unsigned long request, auto *wish) {
        int got = ::ioctl(file, request, wish) < 0 ? errno : 0;
        if (got != error)
            fail(std::string(what) + ": " + std::generic_category().message(got));
    };
    lpar_adjunct_call call{}, calls[2]{};
    lpar_adjunct_batch batch{reinterpret_cast<uintptr_t>(calls), 1, 0};
    lpar_adjunct_create create{};
    std::strcpy(create.image, "loop");
    create.pages = 16;
    lpar_adjunct_state_info info{};
    auto before_and_after = [&] {
        refused("CALL before CREATE", ENOTCONN, LPAR_ADJUNCT_IOC_CALL, &call);
        refused("BATCH before CREATE", ENOTCONN, LPAR_ADJUNCT_IOC_BATCH, &batch);
        refused("SUBMIT before CREATE", ENOTCONN, LPAR_ADJUNCT_IOC_SUBMIT, &batch);
        refused("DESTROY before CREATE", ENOTCONN, LPAR_ADJUNCT_IOC_DESTROY, &info);
        pollfd wanted{file, POLLIN, 0};
        if (::poll(&wanted, 1, 0) != 1 || (wanted.revents & POLLERR) == 0)
            fail("poll before CREATE");
    };
    before_and_after();
    refused("an unknown request", ENOTTY, _IO(LPAR_ADJUNCT_IOC, 99), &info);
    refused("CREATE without memory", EFAULT, LPAR_ADJUNCT_IOC_CREATE, (void *)16);
    auto wrong = [&](const char *what, auto lpar_adjunct_create::*field, auto value) {
        auto other = create;
        other.*field = value;
        refused(what, EINVAL, LPAR_ADJUNCT_IOC_CREATE, &other);
    };
    wrong("no pages", &lpar_adjunct_create::pages, 0);
    wrong("too many pages", &lpar_adjunct_create::pages, 241);
    wrong("an unknown policy", &lpar_adjunct_create::policy, 2);
    wrong("a name and an image", &lpar_adjunct_create::own, 4096);
    wrong("a name and the size of an image", &lpar_adjunct_create::own_bytes, 64);
    wrong("a device that cannot be", &lpar_adjunct_create::device, 0xffffffff);
    auto endless = create;
    std::memset(endless.image, 'x', sizeof(endless.image));
    refused("a name without end", EINVAL, LPAR_ADJUNCT_IOC_CREATE, &endless);
    lpar_adjunct_query query{};
    std::strcpy(query.image, "loop");
    query.reserved[1] = 1;
    refused("QUERY with a reserved field", EINVAL, LPAR_ADJUNCT_IOC_QUERY, &query);
    query.reserved[1] = 0;
    refused("QUERY", 0, LPAR_ADJUNCT_IOC_QUERY, &query);
    refused("QUERY with what it has answered", EINVAL, LPAR_ADJUNCT_IOC_QUERY, &query);
    lpar_adjunct_device device{};
    device.reserved[2] = 1;
    refused("DEVICE with a reserved field", EINVAL, LPAR_ADJUNCT_IOC_DEVICE, &device);
    device.reserved[2] = 0;
    device.index = 0xffffffff;
    refused("DEVICE that is not there", ENXIO, LPAR_ADJUNCT_IOC_DEVICE, &device);

    refused("CREATE", 0, LPAR_ADJUNCT_IOC_CREATE, &create);
    refused("CREATE again", EEXIST, LPAR_ADJUNCT_IOC_CREATE, &create);
    query.pages = query.flags = 0;
    refused("QUERY beside it", EEXIST, LPAR_ADJUNCT_IOC_QUERY, &query);
    refused("POLL for nothing", ENODATA, LPAR_ADJUNCT_IOC_POLL, &info);
    call.reserved = 1;
    refused("CALL with a reserved field", EINVAL, LPAR_ADJUNCT_IOC_CALL, &call);
    call = {3, 1, 0, 0, 0, 0, 16, 0};
    refused("CALL with input that is not there", EFAULT, LPAR_ADJUNCT_IOC_CALL, &call);
    call = {3, 0, LPAR_ADJUNCT_ROOM + 1, 0, 0, 0, 0, 0};
    refused("CALL for too much", E2BIG, LPAR_ADJUNCT_IOC_CALL, &call);
    call.out_len = 0xffffffff;
    refused("CALL for all there is", E2BIG, LPAR_ADJUNCT_IOC_CALL, &call);
    batch.reserved = 1;
    refused("BATCH with a reserved field", EINVAL, LPAR_ADJUNCT_IOC_BATCH, &batch);
    batch.reserved = 0;
    for (uint32_t count : {0u, LPAR_ADJUNCT_BATCH_MAX + 1u, 0xffffffffu}) {
        batch.count = count;
        refused("a count", EINVAL, LPAR_ADJUNCT_IOC_BATCH, &batch);
    }
    batch.count = 2;
    calls[1].out_len = LPAR_ADJUNCT_ROOM;
    calls[0].out_len = 1;
    refused("BATCH for too much", E2BIG, LPAR_ADJUNCT_IOC_BATCH, &batch);
    batch.calls = 16;
    refused("BATCH that is not there", EFAULT, LPAR_ADJUNCT_IOC_BATCH, &batch);
    call = {3, 0, 0, 0, 0, 0, 0, 0};
    refused("CALL after all that", 0, LPAR_ADJUNCT_IOC_CALL, &call);
    if (call.status != LPAR_NOSYS)
        fail("the answer after all that");
    refused("REPORT", 0, LPAR_ADJUNCT_IOC_REPORT, &info);
    refused("DESTROY", 0, LPAR_ADJUNCT_IOC_DESTROY, &info);
    calls[0] = calls[1] = {};
    batch = {reinterpret_cast<uintptr_t>(calls), 1, 0};
    before_and_after();
    ::close(file);
    ok("what is refused, and leaves nothing behind");
}

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
        refusals();
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
