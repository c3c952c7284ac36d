// SPDX-License-Identifier: GPL-2.0
// For boot tests: who donates to the image "loop", for how many callers at once and in which order,
// as the slot's files say. To be run with two CPUs, of which one belongs to a task of high priority
// whenever Busy is there. Exit status 0: all was as it should be.
#include <atomic>
#include <fstream>
#include <memory>
#include <poll.h>
#include <sched.h>
#include <sys/syscall.h>
#include <thread>
#include <unistd.h>

#include "boot.hh"

namespace {

using namespace std::chrono_literals;

constexpr int cpu_of_thread = 1;
constexpr int realtime = 1, best_effort = 2, idle = 3; // I/O classes; their header is not for C++
constexpr uint32_t at_once = 3, long_one = 4, number = 5; // operations of the image
constexpr uint64_t long_donations = 2001;                 // what long_one takes

std::string folder;

void write_one(const std::string &name, const std::string &value) {
    std::ofstream file(folder + name);
    file << value << std::endl;
    if (!file)
        fail(name + " does not become " + value);
}

template <typename T>
void equal(const std::string &what, const T &got, const T &wanted) {
    if (got != wanted)
        fail(what + ": got " + std::to_string(got) + ", wanted " + std::to_string(wanted));
    ok(what + ": " + std::to_string(got));
}

// Donations that the adjunct ended by itself: how often a quantum ends depends on the machine.
uint64_t donations() {
    return read_one<uint64_t>(folder + "runs") - read_one<uint64_t>(folder + "busy");
}

void pin(pid_t id, int cpu) {
    cpu_set_t cpus;
    CPU_ZERO(&cpus);
    CPU_SET(cpu, &cpus);
    if (::sched_setaffinity(id, sizeof(cpus), &cpus) != 0)
        fail("sched_setaffinity");
}

void first_in_first_out(pid_t id, int priority) {
    sched_param parameters{};
    parameters.sched_priority = priority;
    if (::sched_setscheduler(id, SCHED_FIFO, &parameters) != 0)
        fail("sched_setscheduler");
}

// The CPU of the slot's thread belongs to something else.
class Busy {
  public:
    Busy() : task_([this] { run(); }) {
        wait_for("the busy task begins", [this] { return began_.load(); });
    }
    ~Busy() {
        ended_ = true;
        task_.join();
    }

  private:
    void run() {
        pin(0, cpu_of_thread);
        first_in_first_out(0, 50);
        began_ = true;
        while (!ended_)
            ;
    }
    std::atomic<bool> began_ = false, ended_ = false;
    std::thread task_;
};

// A call in a thread of its own, of a class of its own.
class Caller {
  public:
    Caller(lpar::Adjunct &adjunct, uint32_t op, int io_class = best_effort)
        : task_([this, &adjunct, op, io_class] { run(adjunct, op, io_class); }) {
        wait_for("the caller begins", [this] { return id_ != 0 || ended_; });
    }
    // Until it sleeps in the kernel, with its call made.
    void waits() const {
        wait_for("the caller waits", [this] { return ended_ || state() == 'D'; });
    }
    ~Caller() { end(); }
    bool ended() const { return ended_; }
    void end() {
        if (task_.joinable())
            task_.join();
    }
    int error = -1;
    int answer = -1;

  private:
    void run(lpar::Adjunct &adjunct, uint32_t op, int io_class) {
        pin(0, 0);
        if (::syscall(SYS_ioprio_set, 1, 0, io_class << 13 | 4) != 0)
            fail("ioprio_set");
        id_ = ::gettid();
        error = error_of([&] {
            auto reply = adjunct.call(op, {}, 1);
            if (!reply.out.empty())
                answer = std::to_integer<int>(reply.out[0]);
        });
        ended_ = true;
    }
    char state() const {
        std::ifstream file("/proc/self/task/" + std::to_string(id_) + "/stat");
        std::string id, name;
        char now = 0;
        file >> id >> name >> now;
        return now;
    }
    std::atomic<pid_t> id_ = 0;
    std::atomic<bool> ended_ = false;
    std::thread task_;
};

// The guest's scheduler weighs the slot's thread, whatever its callers are.
void thread_waits(lpar::Adjunct &adjunct) {
    write_one("policy", "thread");
    auto thread = read_one<pid_t>(folder + "thread");
    if (thread <= 0)
        fail("no thread");
    first_in_first_out(thread, 10);
    pin(thread, cpu_of_thread);
    auto before = read_one<uint64_t>(folder + "runs");
    if (adjunct.call(at_once, {}, 0).status != LPAR_NOSYS)
        fail("a call");
    if (read_one<uint64_t>(folder + "runs") <= before)
        fail("the thread does not donate");
    {
        Busy busy;
        before = read_one<uint64_t>(folder + "runs");
        Caller caller(adjunct, at_once);
        caller.waits();
        std::this_thread::sleep_for(1s);
        if (caller.ended())
            fail("a call was served while the thread's CPU was busy");
        equal<uint64_t>("donations while the thread's CPU is busy",
                        read_one<uint64_t>(folder + "runs") - before, 0);
        // inline does not ask: what waits goes on its caller's time
        write_one("policy", "inline");
        caller.end();
        equal("inline: the call that waited", caller.error, 0);
        write_one("policy", "thread");
    }
    equal("the thread has stayed", read_one<pid_t>(folder + "thread"), thread);
    {
        auto busy = std::make_unique<Busy>();
        Caller caller(adjunct, at_once);
        caller.waits();
        if (caller.ended())
            fail("a call was served while the thread's CPU was busy");
        busy.reset();
        caller.end();
        equal("the call, when the thread has its CPU", caller.error, 0);
    }
}

short events(lpar::Adjunct &adjunct, int ms) {
    pollfd wanted{adjunct.file(), POLLIN | POLLPRI, 0};
    if (::poll(&wanted, 1, ms) < 0)
        fail("poll");
    return wanted.revents;
}

// What was submitted is served when poll() says that there is something to do.
void collect(lpar::Adjunct &adjunct) {
    for (;;) {
        auto now = events(adjunct, 5000);
        if ((now & (POLLIN | POLLPRI)) == 0 || (now & (POLLERR | POLLHUP)) != 0)
            fail("poll says " + std::to_string(now));
        if (auto replies = adjunct.poll()) {
            if (replies->size() != 1 || replies->at(0).status != LPAR_OK)
                fail("the answer");
            break;
        }
    }
}

// Who submits waits for no thread, and is told when there is something to decide.
void submit_to_thread(lpar::Adjunct &adjunct) {
    lpar::AdjunctRequest request{2, {}, 0}; // gives way twenty times
    auto before = donations();
    {
        Busy busy;
        adjunct.submit({&request, 1});
        equal<int>("events while the thread's CPU is busy", events(adjunct, 500), 0);
        if (adjunct.poll())
            fail("it was served while the thread's CPU was busy");
        equal<int>("events behind a look", events(adjunct, 500), 0);
        equal<uint64_t>("donations for what was submitted", donations() - before, 0);
    }
    collect(adjunct);
    equal<uint64_t>("donations by the thread", donations() - before, 21);
    // inline, again, where it was asked for and has not run
    Busy busy;
    adjunct.submit({&request, 1});
    equal<int>("events while its CPU is busy again", events(adjunct, 300), 0);
    write_one("policy", "inline");
    if ((events(adjunct, 5000) & POLLPRI) == 0)
        fail("nobody is told that the thread does not donate any more");
    while (!adjunct.poll())
        ;
    ok("inline: what was submitted to the thread");
    write_one("policy", "thread");
}

// Nor does it wait for what the adjunct was given for somebody who has given up.
void submit_behind_what_is_left() {
    lpar::AdjunctOptions options;
    options.timeout = 1s;
    lpar::Adjunct adjunct("loop", options);
    lpar::AdjunctRequest request{2, {}, 0};
    {
        Busy busy;
        Caller late(adjunct, at_once);
        late.end();
        equal("a call that times out while the thread's CPU is busy", late.error,
              static_cast<int>(ETIMEDOUT));
        adjunct.submit({&request, 1});
        equal<int>("events behind what it left", events(adjunct, 300), 0);
        if (adjunct.poll())
            fail("it was served while the thread's CPU was busy");
    }
    collect(adjunct);
    ok("submitted behind what nobody waits for any more");
}

// The end of the adjunct does not wait for the thread.
void destroy_while_asked(lpar::Adjunct &adjunct) {
    Busy busy;
    Caller caller(adjunct, at_once);
    caller.waits();
    auto before = std::chrono::steady_clock::now();
    adjunct.destroy();
    caller.end();
    if (std::chrono::steady_clock::now() - before > 20s)
        fail("it took long");
    equal("a call that waits for the thread when the adjunct is destroyed", caller.error,
          static_cast<int>(ECANCELED));
}

// What waits goes together, the urgent first. @batch: as in the file.
void together(lpar::Adjunct &adjunct, const std::string &policy, unsigned batch, uint64_t wanted,
              bool ordered) {
    write_one("policy", policy);
    write_one("batch", std::to_string(batch));
    auto before = donations();
    Caller first(adjunct, long_one);
    wait_for("the long one is served", [&] { return donations() > before; });
    Caller normal(adjunct, number);
    Caller background(adjunct, number, idle);
    Caller urgent(adjunct, number, realtime);
    for (const auto *caller : {&normal, &background, &urgent})
        caller->waits();
    if (first.ended())
        fail("the long one has ended before all were there");
    for (auto *caller : {&first, &normal, &background, &urgent}) {
        caller->end();
        if (caller->error != 0)
            fail("a call: " + std::generic_category().message(caller->error));
    }
    equal<uint64_t>(policy + ", " + std::to_string(batch) +
                        " at once: donations for three that wait",
                    donations() - before - long_donations, wanted);
    auto answers = std::to_string(urgent.answer) + std::to_string(normal.answer) +
                   std::to_string(background.answer);
    if (ordered && (normal.answer != urgent.answer + 1 || background.answer != normal.answer + 1))
        fail("urgent, normal, background were served as " + answers);
    ok(policy + ": urgent, normal, background were served as " + answers);
}

// Who goes together with a call that never ends is not held up by it, and does not serve it.
void not_held_up(lpar::Adjunct &adjunct) {
    write_one("policy", "batch");
    write_one("batch", "32");
    Caller first(adjunct, long_one);
    std::this_thread::sleep_for(100ms);
    Caller endless(adjunct, 1);
    Caller urgent(adjunct, number, realtime);
    for (const auto *caller : {&endless, &urgent})
        caller->waits();
    if (first.ended())
        fail("the long one has ended before all were there");
    wait_for("the urgent call", [&] { return urgent.ended(); });
    equal("a call before one that does not end", urgent.error, 0);
    std::this_thread::sleep_for(100ms);
    if (endless.ended())
        fail("what never ends has ended");
    adjunct.destroy();
    endless.end();
    equal("the one that does not end", endless.error, static_cast<int>(ECANCELED));
}

} // namespace

int main() {
    try {
        pin(0, 0);
        {
            lpar::Adjunct adjunct("loop", {});
            folder = "/sys/class/misc/lpar-adjunct/adjunct" +
                     std::to_string(adjunct.report().slot) + "/";
            thread_waits(adjunct);
            submit_to_thread(adjunct);
            destroy_while_asked(adjunct);
        }
        submit_behind_what_is_left();
        lpar::Adjunct adjunct("loop", {});
        together(adjunct, "inline", 32, 3, false);
        together(adjunct, "batch", 32, 1, true);
        together(adjunct, "batch", 2, 2, false);
        together(adjunct, "thread", 32, 1, true);
        together(adjunct, "thread", 1, 3, false);
        not_held_up(adjunct);
    } catch (const std::exception &error) {
        fail(error.what());
    }
}
