// SPDX-License-Identifier: GPL-2.0
// N8: many clients on one port. Only when -o asks for it (tests/boot/hostile-crowd): -n is the
// first of their partitions, c1, and the others are c2, c3, …; each has one NIC, n0, which is
// trusted.
#include "station.h"

#include <atomic>
#include <thread>

#include <sys/mman.h>

using namespace hostile;

namespace {

std::string member(unsigned number) {
    return options.nic.substr(0, options.nic.size() - 1) + std::to_string(number);
}

class Member : public FakeGuest {
  public:
    attack *const a = env();
    u64 mac = 0;

    explicit Member(unsigned number) : FakeGuest(member(number)) {
        // there are many of them, and they need little
        madvise(ram().data(), ram().size(), MADV_DONTNEED);
        attack_begin(a, "one of many");
        begin();
    }
    void begin() {
        lpar_function f{};

        if (!a->open(a) || attack_call(a, LPAR_OP_HELLO, 1 | 1 << 16, 0, 0, 0, 0) ||
            attack_call(a, LPAR_OP_FUNCTIONS, 0, 0, 0, 0, 0))
            throw std::runtime_error("it does not start");
        std::memcpy(&f, a->answer.data, sizeof(f));
        a->function = f.id;
        if (attack_call(a, LPAR_OP_CAPS, f.id, 0, 0, 0, 0))
            throw std::runtime_error("no CAPS");
        mac = attack_value(&a->answer, LPAR_CAP_MAC);
    }
    // A window of its own, where what it sends and receives is.
    void windows() {
        for (unsigned i = 0; i < 2; i++)
            if (map(base + i * LPAR_WINDOW_SIZE, &a->window[i]) != LPAR_OK)
                throw std::runtime_error("no window");
    }
    lpar_blk_sqe submission(u8 op, u32 len) const {
        lpar_net_sqe s{};
        s.op = op, s.len = len, s.nsegs = 1;
        s.seg[0].addr = a->window[1] + ATTACK_DATA - LPAR_WINDOW_SIZE, s.seg[0].len = len;
        if (op == LPAR_NET_SEND) // TCP over IPv4 in parts of 8 bytes
            s.headers = 54, s.flags = LPAR_NET_CSUM, s.csum_start = 34, s.csum_offset = 16,
            s.gso_type = LPAR_GSO_TCP4, s.gso_size = 8;
        return std::bit_cast<lpar_blk_sqe>(s);
    }
};

unsigned members() {
    unsigned n = 0;
    while (std::filesystem::exists(options.config + "/" + member(n + 1)))
        n++;
    return n;
}

// One after the other, since each needs some memory at its beginning.
template <typename Run>
std::vector<std::thread> start(unsigned first, unsigned last, const Run &run) {
    std::vector<std::thread> threads;
    std::atomic<unsigned> begun = 0;

    for (unsigned i = first; i <= last; i++) {
        threads.emplace_back([&, i, run] {
            Member m(i);
            begun++;
            run(m);
        });
        while (begun < threads.size())
            sleep_ms(1);
    }
    return threads;
}

// What a reset takes back has RTNL held as well.
void choose(unsigned crowd) {
    std::atomic<unsigned> rounds = 0, other = 0;
    std::atomic<u64> end = ~u64{0};
    auto threads = start(1, crowd, [&](Member &m) {
        for (; now_ms() < end; rounds++) {
            other += attack_call(m.a, LPAR_OP_SET, m.a->function, LPAR_CAP_PROMISC, 1, 0, 0) !=
                     LPAR_OK;
            m.begin();
        }
    });

    end = now_ms() + 10000;
    for (auto &t : threads)
        t.join();
    fmt::print("# {} rounds\n", rounds.load());
    EXPECT(rounds >= crowd, "{} rounds of {} clients", rounds.load(), crowd);
    EXPECT(!other, "SET is refused {} times", other.load());
}

CASE(crowd_one, "crowd: one client chooses and is reset, again and again", 60) {
    choose(1);
}
CASE(crowd_all, "crowd: all clients do that", 240) {
    choose(members());
}

// Workers make and remove what sysfs shows of queues, and are charged to nobody.
CASE(crowd_queues, "crowd: a queue is made again and again", 60) {
    Member m(1);
    attack_queue q;
    unsigned rounds = 0, other = 0;

    for (const u64 end = now_ms() + 10000; now_ms() < end; rounds++) {
        other += attack_create_as(m.a, &q, 1, 16, 4, LPAR_ROLE_RECEIVE) != LPAR_OK;
        other += attack_destroy(m.a, &q) != LPAR_OK;
    }
    fmt::print("# {} rounds\n", rounds);
    EXPECT(rounds >= 10, "{} rounds", rounds);
    EXPECT(!other, "refused {} times", other);
}

// Nobody's queues wait for a place among those who want RTNL. With more of them than a workqueue
// has workers, or this says nothing.
CASE(crowd_beside, "crowd: queues are made beside all others", 240) {
    const unsigned crowd = members();
    std::atomic<unsigned> rounds = 0;
    std::atomic<bool> end = false;
    attack_queue q;
    Member m(1);
    unsigned most = 0;

    auto threads = start(2, crowd, [&](Member &other) {
        for (; !end; rounds++) {
            attack_call(other.a, LPAR_OP_SET, other.a->function, LPAR_CAP_PROMISC, 1, 0, 0);
            other.begin();
        }
    });
    for (const u64 until = now_ms() + 60000; rounds < crowd && now_ms() < until;)
        sleep_ms(100);
    for (int i = 0; i < 5; i++) {
        const unsigned before = rounds;
        EXPECT(attack_create_as(m.a, &q, 1, 16, 4, LPAR_ROLE_RECEIVE) == LPAR_OK, "no queue");
        EXPECT(attack_destroy(m.a, &q) == LPAR_OK, "not given back");
        most = std::max(most, rounds - before);
    }
    end = true;
    for (auto &t : threads)
        t.join();
    fmt::print("# {} clients, {} rounds; at most {} while a queue was made\n", crowd, rounds.load(),
               most);
    EXPECT(rounds >= crowd, "{} rounds of {} clients", rounds.load(), crowd);
    EXPECT(most <= crowd / 20, "{} rounds while a queue was made", most);
}

struct Shares {
    u64 nics = 0;
    u64 part = 0; // bytes of memory for each
};
// What a NIC's waiting frames may take.
Shares shares() {
    Shares all;
    u64 memory = 0; // KiB
    std::string word;

    std::ifstream("/proc/meminfo") >> word >> memory;
    for (auto &partition : std::filesystem::directory_iterator(options.config))
        for ([[maybe_unused]] auto &nic :
             std::filesystem::directory_iterator(partition.path() / "nics"))
            all.nics++;
    all.part = memory * 1024 / 16 / all.nics;
    return all;
}

// Frames that wait for one that never donates take no more of the host's memory than its part.
CASE(crowd_backlog, "crowd: frames for an idle client", 120) {
    constexpr u32 bytes = 60000, frames = 100;
    Wire wire;
    Member m(1);
    attack_queue rx;
    Mac mac;

    for (int i = 0; i < 6; i++)
        mac[i] = m.mac >> (40 - 8 * i);
    EXPECT(attack_create_as(m.a, &rx, 1, 16, 4, LPAR_ROLE_RECEIVE) == LPAR_OK,
           "no queue to receive");
    for (u32 i = 0; i < frames; i++)
        wire.send(raw_frame(mac, stranger, i, bytes));
    sleep_ms(500);
    const auto [nics, part] = shares();
    const auto kept = frames - static_cast<u32>(partition_value(options.nic, "nics/n0/dropped"));
    fmt::print("# {} NICs, {} of {} frames wait, {} bytes of {}\n", nics, kept, frames,
               kept * u64{bytes}, part);
    EXPECT(part < 64 * bytes, "a part of {} bytes, too large for this", part);
    EXPECT(kept && kept <= frames && kept * u64{bytes} <= part,
           "{} frames wait: more than {} bytes", kept, part);
}

// A frame that is cut waits in many parts, each with the kernel's memory for a frame.
CASE(crowd_parts, "crowd: parts of frames for an idle client", 120) {
    constexpr u32 payload = 4096, bytes = 60000, frames = 100;
    Wire wire;
    Member to(1), from(2);
    attack_queue rx, tx;
    Mac mac;

    for (int i = 0; i < 6; i++)
        mac[i] = to.mac >> (40 - 8 * i);
    const auto before = partition_value(options.nic, "nics/n0/dropped");
    to.windows();
    from.windows();
    EXPECT(attack_create_as(to.a, &rx, 1, 16, 4, LPAR_ROLE_RECEIVE) == LPAR_OK, "no queue to receive");
    EXPECT(attack_create(from.a, &tx, 1, 16, 4) == LPAR_OK, "no queue to send");
    const auto buffer = to.submission(LPAR_NET_RECEIVE, 2048);
    attack_submit(to.a, &rx, &buffer);

    u8 *f = from.a->mem + ATTACK_DATA, *ip = f + 14, *tcp = ip + 20;
    std::memset(f, 0, 54 + payload);
    for (int i = 0; i < 6; i++)
        f[i] = mac[i], f[6 + i] = from.mac >> (40 - 8 * i);
    put16(f + 12, 0x0800);
    ip[0] = 0x45, ip[8] = 64, ip[9] = 6;
    put16(ip + 2, 40 + payload);
    put32(ip + 12, 0x0a4d0001), put32(ip + 16, 0x0a4d0002);
    put16(tcp, 1000), put16(tcp + 2, 1001), tcp[12] = 0x50, tcp[13] = 0x10;
    EXPECT(attack_io(from.a, &tx, from.submission(LPAR_NET_SEND, 54 + payload)) == LPAR_OK,
           "a frame is refused");
    u16 id;
    for (const u64 end = now_ms() + 10000; now_ms() < end;) {
        to.a->ring(to.a, 1);
        if (attack_reap(to.a, &rx, &id) == LPAR_OK)
            break;
        sleep_ms(10);
    }
    EXPECT(partition_value(options.nic, "nics/n0/dropped") == before, "it is dropped");
    for (u32 i = 0; i < frames; i++)
        wire.send(raw_frame(mac, stranger, i, bytes));
    sleep_ms(500);
    const u64 part = shares().part, parts = payload / 8 * u64{512};
    const auto kept = frames - static_cast<u32>(partition_value(options.nic, "nics/n0/dropped") - before);
    fmt::print("# {} of {} frames wait beside {} parts, {} bytes of {}\n", kept, frames, payload / 8,
               kept * u64{bytes} + parts, part);
    EXPECT(part < 64 * bytes && part > parts, "a part of {} bytes, not for this", part);
    EXPECT(kept && kept * u64{bytes} + parts <= part, "{} frames wait beside the parts", kept);
}

// Has the host say in its log that a queue of its is broken.
void break_queue(Member &m) {
    attack_queue q;

    EXPECT(attack_create(m.a, &q, 1, 16, 4) == LPAR_OK, "no queue");
    attack_store(&q.ctrl->sq_tail, q.sq_tail + q.depth + 1);
    m.a->ring(m.a, q.index);
    for (int i = 0; i < 500 && !(attack_load(&q.ctrl->state) & LPAR_QUEUE_BROKEN); i++)
        sleep_ms(10);
    EXPECT(attack_load(&q.ctrl->state) & LPAR_QUEUE_BROKEN, "an index far beyond is taken");
    EXPECT(attack_destroy(m.a, &q) == LPAR_OK, "not given back");
}

// What the log says of each, hostile-crowd looks at.
CASE(crowd_log, "crowd: one has its say in the log, and one has it again and again", 60) {
    Member loud(1), other(2);

    for (int i = 0; i < 30; i++)
        break_queue(loud);
    break_queue(other);
}

} // namespace
