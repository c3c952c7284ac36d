// SPDX-License-Identifier: GPL-2.0
// Drives the adjuncts of an lpar device from user space of a guest, without its driver: what they may do, and mostly
// what they may not, and neither may their client. Slot 0 and 1; the image is "probe" (probe.c).
//	client all	the checks; needs two CPUs, an MSI-X vector and quantum_limit_us of a second
//	client spin	be inside an adjunct, for ever
#include <fcntl.h>
#include <fmt/core.h>
#include <lpar/adjunct.h>
#include <pthread.h>
#include <sched.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <string>
#include <thread>

#include "probe.h"

namespace {

constexpr unsigned page = 4096;
constexpr unsigned pages = 12; // donated: more than the image needs
constexpr unsigned vector = 3;

template <typename... Args> [[noreturn]] void fail(fmt::format_string<Args...> what, Args &&...args) {
    fmt::print("not ok - {}\n", fmt::format(what, std::forward<Args>(args)...));
    std::fflush(stdout);
    std::_Exit(1);
}

template <typename... Args> void ok(fmt::format_string<Args...> what, Args &&...args) {
    fmt::print("ok - {}\n", fmt::format(what, std::forward<Args>(args)...));
    std::fflush(stdout);
}

template <typename A, typename B> void equal(const std::string &what, A got, B wanted) {
    if (static_cast<uint64_t>(got) != static_cast<uint64_t>(wanted))
        fail("{}: got {:#x}, wanted {:#x}", what, static_cast<uint64_t>(got), static_cast<uint64_t>(wanted));
}

double now() {
    timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec + t.tv_nsec / 1e9;
}

void stay_on(unsigned cpu) {
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(cpu, &set);
    if (sched_setaffinity(0, sizeof(set), &set))
        fail("no CPU {}", cpu);
}

class Device {
public:
    Device() {
        for (const auto &entry : std::filesystem::directory_iterator("/sys/bus/pci/devices"))
            if (number(entry.path() / "vendor") == LPAR_PCI_VENDOR && number(entry.path() / "device") == LPAR_PCI_DEVICE)
                dir_ = entry.path();
        if (dir_.empty())
            fail("there is no lpar device");
        std::ofstream(dir_ / "enable") << "1";
        config_ = open((dir_ / "config").c_str(), O_RDWR);
        uint16_t command;
        if (pread(config_, &command, 2, 4) != 2)
            fail("config");
        command |= 7; // ports, memory, bus mastering
        if (pwrite(config_, &command, 2, 4) != 2)
            fail("config");
        std::ifstream resources(dir_ / "resource");
        std::string start, end, flags;
        for (unsigned bar = 0; bar < 6 && resources >> start >> end >> flags; bar++)
            base_[bar] = std::stoull(start, nullptr, 16);
        doorbells_ = open((dir_ / "resource0").c_str(), O_RDWR);
        regs = static_cast<volatile uint32_t *>(map(LPAR_BAR_REGS));
        memory = static_cast<volatile uint8_t *>(map(LPAR_BAR_ADJUNCT));
        msix_ = static_cast<volatile uint32_t *>(map(LPAR_BAR_MSIX));
    }

    uint64_t address(unsigned bar) const { return base_[bar]; }

    uint32_t read(unsigned reg) const { return regs[reg / 4]; }
    void write(unsigned reg, uint32_t value) { regs[reg / 4] = value; }

    // MSI-X on, all vectors masked: they become pending
    void mask_vectors() {
        for (unsigned at = config(0x34, 1); at; at = config(at + 1, 1)) {
            if (config(at, 1) != 0x11)
                continue;
            table_ = config(at + 4, 4) & ~7u;
            pending_ = config(at + 8, 4) & ~7u;
            uint16_t control = config(at + 2, 2) | 0xc000;
            if (pwrite(config_, &control, 2, at + 2) != 2)
                fail("config");
            return;
        }
        fail("no MSI-X");
    }
    bool pending(unsigned n) const { return msix_[pending_ / 4 + n / 32] >> n % 32 & 1; }
    // unmasked for a moment, which sends the interrupt (nowhere) and clears the bit
    void clear_pending(unsigned n) {
        volatile uint32_t *entry = &msix_[table_ / 4 + n * 4];
        entry[0] = 0;
        entry[1] = 0;
        entry[2] = 0;
        entry[3] = 0;
        uint16_t on;
        for (unsigned at = config(0x34, 1); at; at = config(at + 1, 1))
            if (config(at, 1) == 0x11) {
                on = config(at + 2, 2) & ~0x4000;
                if (pwrite(config_, &on, 2, at + 2) != 2)
                    fail("config");
                on |= 0x4000;
                if (pwrite(config_, &on, 2, at + 2) != 2)
                    fail("config");
            }
        entry[3] = 1;
    }

    // not by outw() here: emulated SVM lets no port instruction at CPL 3 pass
    void ring(unsigned bell, unsigned bytes = 2) {
        uint32_t value = 0;
        if (pwrite(doorbells_, &value, bytes, bell * LPAR_DOORBELL_STRIDE) != bytes)
            fail("doorbell {}", bell);
    }

    void bus_master(bool on) {
        uint16_t command = on ? config(4, 2) | 4 : config(4, 2) & ~4u;
        if (pwrite(config_, &command, 2, 4) != 2)
            fail("config");
    }

    volatile uint32_t *regs;
    volatile uint8_t *memory;

private:
    static uint64_t number(const std::filesystem::path &path) {
        std::string text;
        std::ifstream(path) >> text;
        return text.empty() ? 0 : std::stoull(text, nullptr, 16);
    }
    uint32_t config(unsigned at, unsigned size) const {
        uint32_t value = 0;
        if (pread(config_, &value, size, at) != static_cast<ssize_t>(size))
            fail("config at {}", at);
        return value;
    }
    void *map(unsigned bar) {
        std::string path = dir_ / fmt::format("resource{}", bar);
        int fd = open(path.c_str(), O_RDWR | O_SYNC);
        if (fd < 0)
            fail("no {}", path);
        void *p = mmap(nullptr, std::filesystem::file_size(path), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
        if (p == MAP_FAILED)
            fail("cannot map {}", path);
        close(fd);
        return p;
    }

    std::filesystem::path dir_;
    int config_ = -1, doorbells_ = -1;
    uint64_t base_[6] = {};
    volatile uint32_t *msix_ = nullptr;
    unsigned table_ = 0, pending_ = 0;
};

class Slot {
public:
    Slot(Device &device, unsigned n)
        : device_(device), n_(n), at_(device.memory + n * LPAR_ADJUNCT_SLOT),
          control_(reinterpret_cast<volatile lpar_adjunct_control *>(at_)) {}

    uint32_t get(unsigned reg) const { return device_.read(LPAR_REG_ADJUNCT(n_) + reg); }
    void set(unsigned reg, uint32_t value) { device_.write(LPAR_REG_ADJUNCT(n_) + reg, value); }
    uint32_t state() const { return get(LPAR_ADJUNCT_STATE); }
    uint32_t command(uint32_t what) {
        set(LPAR_ADJUNCT_COMMAND, what);
        return get(LPAR_ADJUNCT_STATUS);
    }
    uint32_t run() { return command(LPAR_ADJUNCT_RUN); }
    uint32_t destroy() { return command(LPAR_ADJUNCT_DESTROY); }

    void name(const char *image) {
        for (unsigned i = 0; i < LPAR_TEXT_MAX; i++)
            control_->image[i] = 0;
        for (unsigned i = 0; image[i]; i++)
            control_->image[i] = image[i];
    }
    uint32_t create(const char *image, unsigned donated) {
        control_->tail = 0;
        control_->head = 0;
        control_->report.reason = 0;
        tail_ = 0;
        name(image);
        set(LPAR_ADJUNCT_PAGES, donated);
        return command(LPAR_ADJUNCT_CREATE);
    }
    // the pages that it takes, or 0 with another status
    uint32_t query(const char *image, uint32_t &status) {
        name(image);
        set(LPAR_ADJUNCT_PAGES, 0);
        status = command(LPAR_ADJUNCT_QUERY);
        return get(LPAR_ADJUNCT_PAGES);
    }
    void start() {
        *word(LPAR_ADJUNCT_DATA) = 0;
        equal("CREATE", create("probe", pages), LPAR_OK);
        equal("state after CREATE", state(), LPAR_ADJUNCT_LOADED);
        set(LPAR_ADJUNCT_QUANTUM, 0);
        equal("first RUN", until_done(), LPAR_OK);
        equal("state after the first RUN", state(), LPAR_ADJUNCT_READY);
    }
    // a quantum may end where nobody expects it
    uint32_t until_done() {
        uint32_t status;
        for (unsigned i = 0; i < 100; i++)
            if ((status = run()) != LPAR_BUSY)
                return status;
        fail("RUN is BUSY for ever");
    }

    void ask(uint32_t op, uint64_t argument, uint32_t bytes = 8) {
        volatile lpar_adjunct_request *r = &control_->request[tail_ % LPAR_ADJUNCT_DEPTH];
        *word(LPAR_ADJUNCT_DATA) = argument;
        r->op = op;
        r->in = LPAR_ADJUNCT_DATA;
        r->in_len = bytes;
        r->out = LPAR_ADJUNCT_DATA + page;
        r->out_len = bytes;
        r->status = ~0u;
        r->bytes = ~0u;
        std::atomic_thread_fence(std::memory_order_release);
        control_->tail = ++tail_;
    }
    const volatile lpar_adjunct_request &last() const { return control_->request[(tail_ - 1) % LPAR_ADJUNCT_DEPTH]; }
    volatile lpar_adjunct_control &control() const { return *control_; }
    volatile uint64_t *word(unsigned offset) const { return reinterpret_cast<volatile uint64_t *>(at_ + offset); }
    uint64_t output() const { return *word(LPAR_ADJUNCT_DATA + page); }
    uint32_t tail() const { return tail_; }
    uint64_t address(unsigned offset) const {
        return device_.address(LPAR_BAR_ADJUNCT) + n_ * LPAR_ADJUNCT_SLOT + offset;
    }

private:
    Device &device_;
    unsigned n_;
    volatile uint8_t *at_;
    volatile lpar_adjunct_control *control_;
    uint32_t tail_ = 0;
};

constexpr unsigned donated = LPAR_ADJUNCT_SHARED;
constexpr unsigned left = LPAR_ADJUNCT_SHARED + pages * page;
constexpr uint64_t pattern = 0x5a5a5a5a5a5a5a5a;

void check_refusals(Device &device, Slot &slot) {
    equal("slots", device.read(LPAR_REG_ADJUNCTS), 2);
    equal("state of a slot that is not there", device.read(LPAR_REG_ADJUNCT(2) + LPAR_ADJUNCT_PAGES), 0);
    device.write(LPAR_REG_ADJUNCT(2) + LPAR_ADJUNCT_PAGES, 7);
    equal("pages of a slot that is not there", device.read(LPAR_REG_ADJUNCT(2) + LPAR_ADJUNCT_PAGES), 0);
    equal("state", slot.state(), LPAR_ADJUNCT_EMPTY);
    equal("RUN of nothing", slot.run(), LPAR_STATE);
    equal("DESTROY of nothing", slot.destroy(), LPAR_OK);
    equal("an unknown command", slot.command(99), LPAR_INVAL);
    equal("no pages", slot.create("probe", 0), LPAR_INVAL);
    equal("too many pages", slot.create("probe", LPAR_ADJUNCT_PAGES_MAX + 1), LPAR_INVAL);
    equal("pages that wrap", slot.create("probe", 0xffffffff), LPAR_INVAL);
    uint32_t status;
    uint32_t least = slot.query("probe", status);
    equal("QUERY", status, LPAR_OK);
    if (least < 2 || least > pages)
        fail("QUERY says {} pages", least);
    equal("QUERY of an image that there is none of", slot.query("nonsense", status), 0);
    equal("status of that", status, LPAR_NOENT);
    equal("QUERY of an image of its own", slot.query("", status), 0);
    equal("status of that, which the partition may not have", status, LPAR_PERM);
    equal("state after QUERY", slot.state(), LPAR_ADJUNCT_EMPTY);
    equal("fewer pages than the image needs", slot.create("probe", least - 1), LPAR_INVAL);
    equal("as many as it needs", slot.create("probe", least), LPAR_OK);
    equal("QUERY of a slot in use", slot.command(LPAR_ADJUNCT_QUERY), LPAR_STATE);
    equal("DESTROY", slot.destroy(), LPAR_OK);
    equal("an image that there is none of", slot.create("nonsense", pages), LPAR_NOENT);
    equal("an image that is not enabled", slot.create("disabled", pages), LPAR_NOENT);
    equal("an image of its own, which it may not bring", slot.create("", pages), LPAR_PERM);
    for (unsigned i = 0; i < LPAR_TEXT_MAX; i++)
        slot.control().image[i] = 'a';
    equal("a name without end", slot.command(LPAR_ADJUNCT_CREATE), LPAR_NOENT);
    equal("state after all that", slot.state(), LPAR_ADJUNCT_EMPTY);
    slot.set(LPAR_ADJUNCT_VECTOR, 4000);
    equal("a vector that there is none of", slot.get(LPAR_ADJUNCT_VECTOR), 0);
    ok("what is refused");
}

// Whatever ends it but a fault: no register of its in the report, nor what was there before.
void no_registers(const std::string &what, volatile lpar_adjunct_report &r) {
    equal(what + ": address in the report", r.address, 0);
    equal(what + ": rip in the report", r.rip, 0);
    equal(what + ": rflags in the report", r.rflags, 0);
    for (unsigned i = 0; i < std::size(r.gpr); i++)
        equal(fmt::format("{}: register {} in the report", what, i), r.gpr[i], 0);
}

void check_donation(Slot &slot) {
    for (unsigned offset = donated; offset < LPAR_ADJUNCT_SLOT; offset += page / 2)
        *slot.word(offset) = pattern;
    slot.start();
    equal("CREATE twice", slot.create("probe", pages), LPAR_STATE);
    for (unsigned offset = donated; offset < left; offset += 8) {
        uint64_t got = *slot.word(offset);
        if (got != 0 && got != ~0ull)
            fail("the client reads {:#x} in donated memory", got);
        *slot.word(offset) = pattern;
    }
    for (unsigned offset = left; offset < LPAR_ADJUNCT_SLOT; offset += page / 2)
        equal("what has not been donated", *slot.word(offset), pattern);
    slot.ask(PROBE_ECHO, 0x0706050403020100);
    equal("RUN after stores to donated memory", slot.until_done(), LPAR_OK);
    equal("request: status", slot.last().status, LPAR_OK);
    equal("request: bytes", slot.last().bytes, 8);
    equal("request: output", slot.output(), 0x0807060504030201);
    equal("requests served", slot.control().head, slot.tail());
    slot.ask(PROBE_FILL, 0);
    equal("RUN", slot.until_done(), LPAR_OK);
    equal("DESTROY", slot.destroy(), LPAR_OK);
    equal("state after DESTROY", slot.state(), LPAR_ADJUNCT_EMPTY);
    for (unsigned offset = donated; offset < left; offset += 8)
        equal("a page that came back", *slot.word(offset), 0);
    *slot.word(donated) = pattern;
    equal("memory that came back", *slot.word(donated), pattern);
    ok("what is donated is out of reach, and comes back empty");
    // its initialisation looks whether its memory is zero
    slot.start();
    equal("DESTROY", slot.destroy(), LPAR_OK);
    *slot.word(LPAR_ADJUNCT_DATA) = PROBE_REFUSE;
    equal("CREATE", slot.create("probe", LPAR_ADJUNCT_PAGES_MAX), LPAR_OK);
    for (unsigned offset = donated; offset < LPAR_ADJUNCT_SLOT; offset += page)
        if (uint64_t got = *slot.word(offset); got != 0 && got != ~0ull)
            fail("the client reads {:#x} when all is donated", got);
    for (unsigned i = 0; i < 16; i++)
        slot.control().report.gpr[i] = pattern;
    equal("RUN of one that refuses", slot.until_done(), LPAR_TARGET);
    equal("state", slot.state(), LPAR_ADJUNCT_DEAD);
    equal("report", slot.control().report.reason, LPAR_ADJUNCT_REFUSED);
    equal("report: code", slot.control().report.error, 3);
    no_registers("one that refuses", slot.control().report);
    equal("DESTROY", slot.destroy(), LPAR_OK);
    ok("a new one finds its memory empty; one that refuses is dead");
}

void check_quantum(Device &device, Slot &slot) {
    device.mask_vectors();
    slot.start();
    slot.set(LPAR_ADJUNCT_VECTOR, vector);
    device.clear_pending(vector);
    equal("pending before", device.pending(vector), 0);
    slot.set(LPAR_ADJUNCT_QUANTUM, 20000);
    slot.ask(PROBE_SPIN, 0);
    *slot.word(LPAR_ADJUNCT_DATA + page) = 0;
    uint64_t before = 0;
    for (unsigned i = 0; i < 5; i++) {
        double began = now();
        equal("RUN of one that loops", slot.run(), LPAR_BUSY);
        double took = now() - began;
        if (took > 1)
            fail("a quantum of 20 ms took {} s", took);
        uint64_t count = slot.output();
        if (count <= before)
            fail("it does not go on: {} after {}", count, before);
        before = count;
        fmt::print("# quantum {}: {:.1f} ms, count {}\n", i, took * 1e3, count);
    }
    double end = now() + 10;
    while (!device.pending(vector))
        if (now() > end)
            fail("PA BUSY was not raised");
    equal("state", slot.state(), LPAR_ADJUNCT_READY);
    equal("another vector", device.pending(vector - 1), 0);
    // the other slot works meanwhile
    Slot other(device, 1);
    other.start();
    other.ask(PROBE_ECHO, 5);
    equal("RUN of another", other.until_done(), LPAR_OK);
    equal("its output", other.output(), 0x0101010101010106);
    equal("DESTROY of the other", other.destroy(), LPAR_OK);
    equal("DESTROY of one that loops", slot.destroy(), LPAR_OK);
    ok("one that loops is stopped at the quantum, goes on, and PA BUSY is raised");
}

void dies(Slot &slot, const std::string &what, uint32_t op, uint64_t argument, uint32_t reason, uint32_t exception,
          uint64_t address = 0) {
    slot.start();
    slot.ask(op, argument);
    equal(what + ": RUN", slot.until_done(), LPAR_TARGET);
    equal(what + ": state", slot.state(), LPAR_ADJUNCT_DEAD);
    volatile lpar_adjunct_report &r = slot.control().report;
    if (r.reason != reason || r.vector != exception)
        fail("{}: reason {} vector {} error {:#x} at {:#x}, wanted reason {} vector {}", what, r.reason, r.vector, r.error,
             r.rip, reason, exception);
    if (exception == 14)
        equal(what + ": address", r.address, address);
    if (reason == LPAR_ADJUNCT_FAULT && op != PROBE_JUMP &&
        (r.rip < LPAR_ADJUNCT_VA_TEXT || r.rip >= LPAR_ADJUNCT_VA_TEXT + page))
        fail("{}: rip {:#x}", what, r.rip);
    if (reason == LPAR_ADJUNCT_FAULT) {
        equal(what + ": r12 in the report", r.gpr[12], PROBE_MARK);
        if (r.gpr[4] < LPAR_ADJUNCT_VA_STACK - 2 * page || r.gpr[4] > LPAR_ADJUNCT_VA_STACK)
            fail("{}: rsp {:#x}", what, r.gpr[4]);
    } else {
        no_registers(what, r);
    }
    equal(what + ": RUN of a dead one", slot.run(), LPAR_STATE);
    equal(what + ": DESTROY", slot.destroy(), LPAR_OK);
}

void check_isolation(Device &device, Slot &slot) {
    struct {
        const char *what;
        uint32_t op, exception;
    } acts[] = {
        {"x87", PROBE_X87, 7},       {"MMX", PROBE_MMX, 6},         {"SSE", PROBE_SSE, 6}, {"AVX", PROBE_AVX, 6},
        {"fxsave", PROBE_FXSAVE, 7}, {"mov cr3", PROBE_CR3, 13},    {"hlt", PROBE_HLT, 13}, {"in", PROBE_PORT, 13},
        {"cli", PROBE_CLI, 13},      {"rdmsr", PROBE_RDMSR, 13},    {"int 0x7f", PROBE_INT, 13},
        {"syscall", PROBE_SYSCALL, 6}, {"single step", PROBE_TRAP, 1},
    };
    for (const auto &act : acts)
        dies(slot, act.what, act.op, 0, LPAR_ADJUNCT_FAULT, act.exception);
    ok("no FPU, no vectors, no privileged instruction");
    // stub, its stack and the tables, gaps between its own parts, what is behind them, its client's memory
    uint64_t shared_end = LPAR_ADJUNCT_VA_SHARED + LPAR_ADJUNCT_SHARED;
    for (uint64_t address :
         {0x0ul, 0x1000ul, 0x8ff8ul, 0x10000ul, 0x11400ul, 0x100000ul, 0x3ffff8ul, 0x401000ul, 0x7ffff8ul, 0x810000ul,
          0xffd000ul - 8, 0x1000000ul, 0x1fffff8ul, shared_end, 0x7fffffffe000ul, slot.address(0),
          slot.address(donated), 0xffff8000001000ul << 8})
        for (uint32_t op : {PROBE_READ, PROBE_WRITE})
            dies(slot, fmt::format("{:#x}", address), op, address, LPAR_ADJUNCT_FAULT, 14, address);
    dies(slot, "no address", PROBE_READ, 1ull << 62, LPAR_ADJUNCT_FAULT, 13);
    dies(slot, "a write to the text", PROBE_WRITE, LPAR_ADJUNCT_VA_TEXT + 64, LPAR_ADJUNCT_FAULT, 14,
         LPAR_ADJUNCT_VA_TEXT + 64);
    for (uint64_t address : {static_cast<uint64_t>(LPAR_ADJUNCT_VA_DATA), static_cast<uint64_t>(LPAR_ADJUNCT_VA_SHARED),
                             static_cast<uint64_t>(LPAR_ADJUNCT_VA_STACK) - 64, uint64_t{0x11400}})
        dies(slot, fmt::format("a jump to {:#x}", address), PROBE_JUMP, address, LPAR_ADJUNCT_FAULT, 14, address);
    ok("no memory but its own");
    slot.start();
    slot.ask(PROBE_STACK, 0);
    equal("stack: RUN", slot.until_done(), LPAR_TARGET);
    equal("stack: vector", slot.control().report.vector, 14);
    equal("stack: address", slot.control().report.address, LPAR_ADJUNCT_VA_STACK - 2 * page - 8);
    equal("stack: DESTROY", slot.destroy(), LPAR_OK);
    dies(slot, "exit", PROBE_EXIT, 42, LPAR_ADJUNCT_EXIT, 0);
    equal("exit: code", slot.control().report.error, 42);
    dies(slot, "an unknown yield", PROBE_YIELD, 77, LPAR_ADJUNCT_BROKEN, 0);
    ok("exit, and what it has too little of");
    // the client goes on
    slot.start();
    slot.ask(PROBE_YIELD, LPAR_YIELD_EMPTY);
    equal("a yield in a request", slot.until_done(), LPAR_OK);
    equal("not served yet", slot.control().head, 0);
    equal("the rest of it", slot.until_done(), LPAR_OK);
    equal("what int 0x80 returns", slot.last().status, LPAR_OK);
    equal("DESTROY", slot.destroy(), LPAR_OK);
    (void)device;
    ok("a yield keeps where it was");
}

// No page that was donated is memory for the partition manager either; windows go with it.
// STATUS afterwards
uint32_t enable(Device &device, uint64_t at) {
    device.write(LPAR_REG_CALL_LO, at & 0xffffffff);
    device.write(LPAR_REG_CALL_HI, at >> 32);
    device.write(LPAR_REG_CONTROL, LPAR_CONTROL_ENABLE);
    return device.read(LPAR_REG_STATUS);
}

uint32_t refused(int error) {
    return LPAR_STATUS_FAILED | error << LPAR_STATUS_ERRNO_SHIFT;
}

// Without bus mastering there is no channel, and adjuncts stay.
void check_enable(Device &device, Slot &slot) {
    Slot other(device, 1);
    uint64_t block = other.address(donated);
    auto *call = reinterpret_cast<volatile lpar_call *>(device.memory + LPAR_ADJUNCT_SLOT + donated);
    device.write(LPAR_REG_CONTROL, LPAR_CONTROL_RESET);
    memset(const_cast<lpar_call *>(call), 0, sizeof(*call));
    slot.start();
    device.bus_master(false);
    equal("ENABLE without bus mastering", enable(device, block), refused(EPERM));
    device.bus_master(true);
    equal("ENABLE with half a page", enable(device, block + page / 2), refused(EINVAL));
    equal("ENABLE with no memory", enable(device, 1ull << 50), refused(EFAULT));
    equal("ENABLE", enable(device, block), LPAR_STATUS_ENABLED);
    equal("ENABLE again", enable(device, block), LPAR_STATUS_ENABLED | refused(EBUSY));
    call->op = LPAR_OP_HELLO;
    call->arg[0] = 1 | 1 << 16;
    call->seq = 1;
    for (unsigned bytes : {1, 4}) {
        device.ring(LPAR_DOORBELL_CALL, bytes);
        usleep(200000);
        equal("done, after a doorbell of another size", call->done, 0);
    }
    device.ring(LPAR_DOORBELL_CALL);
    for (double end = now() + 60; call->done != 1;)
        if (now() > end)
            fail("HELLO is not answered");
    device.bus_master(false);
    equal("enabled without bus mastering", device.read(LPAR_REG_STATUS) & LPAR_STATUS_ENABLED, 0);
    slot.ask(PROBE_ECHO, 1);
    equal("RUN without bus mastering", slot.until_done(), LPAR_OK);
    device.bus_master(true);
    equal("enabled with it again", device.read(LPAR_REG_STATUS) & LPAR_STATUS_ENABLED, 0);
    equal("ENABLE with it again", enable(device, block), LPAR_STATUS_ENABLED);
    device.write(LPAR_REG_CONTROL, LPAR_CONTROL_RESET);
    equal("state after RESET", slot.state(), LPAR_ADJUNCT_EMPTY);
    ok("the channel goes with bus mastering");
}

void check_channel(Device &device, Slot &slot) {
    auto *call = reinterpret_cast<volatile lpar_call *>(device.memory + LPAR_ADJUNCT_SLOT + donated);
    Slot other(device, 1);
    uint32_t seq = 0;
    auto ask = [&](uint32_t op, uint64_t arg) {
        call->op = op;
        for (auto &a : call->arg)
            a = 0;
        call->arg[0] = arg;
        call->seq = ++seq;
        device.ring(LPAR_DOORBELL_CALL);
        double end = now() + 60;
        while (call->done != seq)
            if (now() > end)
                fail("call {} is not answered", op);
        return call->status;
    };
    device.write(LPAR_REG_CONTROL, LPAR_CONTROL_RESET);
    memset(const_cast<lpar_call *>(call), 0, sizeof(*call));
    slot.start();
    equal("ENABLE with a donated call block", enable(device, slot.address(donated)), refused(EFAULT));
    equal("ENABLE", enable(device, other.address(donated)), LPAR_STATUS_ENABLED);
    equal("HELLO", ask(LPAR_OP_HELLO, 1 | 1 << 16), LPAR_OK);
    equal("DESTROY", slot.destroy(), LPAR_OK);
    equal("MAP", ask(LPAR_OP_MAP, slot.address(donated)), LPAR_OK);
    uint64_t window = call->ret[0];
    fmt::print("step: mapped\n");
    std::fflush(stdout);
    sleep(3);
    equal("CREATE in a window", slot.create("probe", pages), LPAR_OK);
    // the host took it: its number stays taken until it is given back
    fmt::print("step: donated\n");
    std::fflush(stdout);
    sleep(3);
    equal("UNMAP", ask(LPAR_OP_UNMAP, window), LPAR_OK);
    equal("UNMAP again", ask(LPAR_OP_UNMAP, window), LPAR_NOENT);
    equal("RUN", slot.until_done(), LPAR_OK);
    // a call block that becomes the adjunct's
    equal("CREATE over the call block", other.create("probe", pages), LPAR_OK);
    other.set(LPAR_ADJUNCT_QUANTUM, 0);
    equal("RUN over the call block", other.until_done(), LPAR_OK);
    device.ring(LPAR_DOORBELL_CALL);
    other.ask(PROBE_ECHO, 1);
    equal("RUN", other.until_done(), LPAR_OK);
    device.write(LPAR_REG_CONTROL, LPAR_CONTROL_RESET);
    equal("state after RESET", slot.state(), LPAR_ADJUNCT_EMPTY);
    equal("state of the other", other.state(), LPAR_ADJUNCT_EMPTY);
    equal("memory after RESET", *slot.word(donated), 0);
    *slot.word(donated) = pattern;
    equal("memory after RESET", *slot.word(donated), pattern);
    ok("windows and call block go with what is donated; RESET gives it back");
}

void check_vcpus(Device &device, Slot &slot) {
    slot.start();
    for (unsigned i = 0; i < 20; i++) {
        stay_on(i % 2);
        slot.ask(PROBE_ECHO, i);
        equal("RUN on alternating CPUs", slot.until_done(), LPAR_OK);
        equal("output", slot.output() & 0xff, i + 1);
    }
    // in the middle of a request, too
    slot.set(LPAR_ADJUNCT_QUANTUM, 3000);
    slot.ask(PROBE_SPIN, 0);
    *slot.word(LPAR_ADJUNCT_DATA + page) = 0;
    uint64_t before = 0;
    for (unsigned i = 0; i < 10; i++) {
        stay_on(i % 2);
        for (unsigned tries = 0; slot.output() == before; tries++) {
            equal("RUN of one that loops", slot.run(), LPAR_BUSY);
            if (tries == 10)
                fail("it does not go on on CPU {}", i % 2);
        }
        before = slot.output();
    }
    ok("it runs where it is run");

    stay_on(0);
    slot.set(LPAR_ADJUNCT_QUANTUM, 0);
    for (unsigned i = 0; i < 3; i++) {
        std::atomic<bool> over{false};
        uint32_t status = 0;
        before = slot.output();
        std::thread runner([&] {
            stay_on(1);
            slot.set(LPAR_ADJUNCT_COMMAND, LPAR_ADJUNCT_RUN);
            status = slot.get(LPAR_ADJUNCT_STATUS);
            over = true;
        });
        double end = now() + 30;
        while (slot.output() == before && !over)
            if (now() > end)
                fail("the other CPU does not run it");
        if (!over && i == 0) {
            uint32_t refused = slot.run();
            if (!over)
                equal("RUN while it runs", refused, LPAR_STATE);
        }
        double began = now();
        uint32_t first = over ? LPAR_BUSY + 0u : slot.destroy();
        if (first != LPAR_BUSY && first != LPAR_OK)
            fail("DESTROY while it runs: {}", first);
        while (slot.destroy() != LPAR_OK)
            if (now() > began + 30)
                fail("DESTROY is BUSY for ever");
        runner.join();
        fmt::print("# DESTROY while it runs: {} first, took {:.1f} ms\n", first, (now() - began) * 1e3);
        equal("memory", *slot.word(donated), 0);
        slot.start();
        slot.ask(PROBE_SPIN, 0);
        *slot.word(LPAR_ADJUNCT_DATA + page) = 0;
    }
    // RESET does not wait, and who ran it finds it gone
    std::thread runner([&] {
        stay_on(1);
        slot.set(LPAR_ADJUNCT_COMMAND, LPAR_ADJUNCT_RUN);
    });
    double end = now() + 30;
    while (slot.output() == 0)
        if (now() > end)
            fail("the other CPU does not run it");
    device.write(LPAR_REG_CONTROL, LPAR_CONTROL_RESET);
    equal("state after RESET", slot.state(), LPAR_ADJUNCT_EMPTY);
    runner.join();
    equal("state after RESET", slot.state(), LPAR_ADJUNCT_EMPTY);
    slot.start();
    equal("DESTROY", slot.destroy(), LPAR_OK);
    ok("DESTROY and RESET while it runs on another CPU");
}

void check_noise(Device &device, Slot &slot) {
    std::mt19937 random(1);
    Slot other(device, 1);
    uint32_t statuses[64] = {};
    for (unsigned i = 0; i < 400; i++) {
        Slot &at = random() % 2 ? slot : other;
        unsigned reg = random() % 16 * 4;
        uint32_t value = random() % 4 ? random() % 8 : random();
        if (random() % 3 == 0)
            at.name("probe");
        if (random() % 3 == 0)
            at.set(LPAR_ADJUNCT_PAGES, pages + random() % 8);
        at.set(LPAR_ADJUNCT_QUANTUM, 1000 + random() % 4000);
        *at.word(random() % 8192 * 8) = random();
        at.set(random() % 2 ? LPAR_ADJUNCT_COMMAND : reg, value);
        uint32_t status = at.get(LPAR_ADJUNCT_STATUS);
        if (status < 64)
            statuses[status]++;
        else
            fail("status {:#x}", status);
    }
    fmt::print("# noise: OK {} INVAL {} STATE {} NOENT {} BUSY {} TARGET {}\n", statuses[LPAR_OK], statuses[LPAR_INVAL],
               statuses[LPAR_STATE], statuses[LPAR_NOENT], statuses[LPAR_BUSY], statuses[LPAR_TARGET]);
    for (auto status : {LPAR_OK, LPAR_INVAL, LPAR_STATE})
        if (statuses[status] == 0)
            fail("no noise ended with {}", static_cast<uint32_t>(status));
    device.write(LPAR_REG_CONTROL, LPAR_CONTROL_RESET);
    slot.start();
    equal("DESTROY", slot.destroy(), LPAR_OK);
    ok("noise in registers and in the shared part");
}

} // namespace

int main(int argc, char **argv) {
    std::string what = argc > 1 ? argv[1] : "all";
    Device device;
    Slot slot(device, 0);
    device.write(LPAR_REG_CONTROL, LPAR_CONTROL_RESET);
    stay_on(0);
    if (what == "spin") {
        slot.start();
        slot.ask(PROBE_SPIN, 0);
        for (;;) {
            fmt::print("step: spins\n");
            std::fflush(stdout);
            slot.run();
        }
    }
    check_refusals(device, slot);
    check_donation(slot);
    check_quantum(device, slot);
    check_isolation(device, slot);
    check_enable(device, slot);
    check_channel(device, slot);
    check_vcpus(device, slot);
    check_noise(device, slot);
    // one is left, for the host to look at
    slot.start();
    slot.ask(PROBE_EXIT, 1);
    equal("the last one", slot.until_done(), LPAR_TARGET);
    ok("client done");
}
