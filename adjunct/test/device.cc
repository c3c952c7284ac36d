// SPDX-License-Identifier: GPL-2.0
// For boot tests: what takes a program, with the image "edu" and a device. Exit status 0: all was
// as it should be.
#include <poll.h>
#include <thread>

#include "boot.hh"

namespace {

using namespace std::chrono_literals;

uint32_t number_of(const lpar::AdjunctReply &reply) {
    uint32_t value = 0;
    if (reply.status != LPAR_OK || reply.out.size() != 4)
        fail("an answer of " + std::to_string(reply.out.size()) + " bytes, status " +
             lpar::status_name(reply.status));
    for (std::byte byte : reply.out)
        value = value << 8 | std::to_integer<uint32_t>(byte);
    return value;
}

// Does poll(2) say that the adjunct wants time?
bool asks(const lpar::Adjunct &adjunct, int milliseconds) {
    pollfd file{adjunct.file(), POLLPRI, 0};
    return ::poll(&file, 1, milliseconds) == 1 && (file.revents & POLLPRI) != 0;
}

// Nothing waits for time any more; what tells of a quantum's end may have come late.
void drain(lpar::Adjunct &adjunct) {
    for (int i = 0; i < 20; i++) {
        if (!asks(adjunct, 50))
            return;
        error_of([&] { adjunct.poll(); });
    }
    fail("it wants time for nothing");
}

lpar::AdjunctOptions with_device() {
    lpar::AdjunctOptions options;
    options.pci = 1;
    return options;
}

// It is free, and whoever gets it finds nothing of who had it before.
void next_has_it(const std::string &when) {
    if (lpar::Adjunct::devices().at(0).in_use)
        fail(when + ", and the device is still in use");
    lpar::Adjunct next("edu", with_device());
    if (number_of(next.call(4, {}, 4)) != 0)
        fail(when + ", and the next adjunct finds something");
    const std::byte five[] = {std::byte{5}};
    if (number_of(next.call(2, five, 4)) != 120)
        fail(when + ", and the device does not work");
    ok("the next adjunct has the device: " + when);
}

} // namespace

int main() {
    try {
        lpar::Adjunct adjunct("edu", with_device());
        if (!lpar::Adjunct::devices().at(0).in_use)
            fail("the device is not in use");
        if (error_of([] { lpar::Adjunct second("edu", with_device()); }) != EBUSY)
            fail("two adjuncts have the device");
        ok("the device is one adjunct's");

        drain(adjunct);
        adjunct.call(5, {}, 0);
        std::this_thread::sleep_for(200ms);
        if (!asks(adjunct, 10000))
            fail("the device's interrupt is not told");
        if (error_of([&] { adjunct.poll(); }) != ENODATA)
            fail("an answer that nobody asked for");
        drain(adjunct);
        if (adjunct.report().interrupts == 0)
            fail("no PA BUSY");
        if (number_of(adjunct.call(4, {}, 4)) != 1)
            fail("the interrupt was not served");
        ok("an interrupt is PA BUSY, and served by a donation for it");

        drain(adjunct);
        adjunct.call(5, {}, 0);
        std::this_thread::sleep_for(200ms);
        if (number_of(adjunct.call(4, {}, 4)) != 2)
            fail("the interrupt was not served before the request");
        ok("an interrupt is served with the next request");

        // Each POLL is a quantum of what takes many: it wants time until it is through.
        drain(adjunct);
        adjunct.call(8, {}, 0);
        int quanta = 0;
        for (; quanta < 5000 && asks(adjunct, 500); quanta++)
            error_of([&] { adjunct.poll(); });
        const auto busy = adjunct.report().busy;
        if (number_of(adjunct.call(4, {}, 4)) != 3)
            fail("the interrupt that takes long was not served");
        const auto left = adjunct.report().busy - busy;
        if (quanta < 10 || left > 2)
            fail("it asked for " + std::to_string(quanta) + " quanta, and needed " +
                 std::to_string(left) + " more");
        ok("an interrupt that takes " + std::to_string(quanta) + " quanta");

        adjunct.destroy();
        next_has_it("the one before was destroyed");

        // What has died is there still; its device is not its any more.
        lpar::Adjunct dying("edu", with_device());
        if (error_of([&] { dying.call(7, {}, 0); }) != EOWNERDEAD)
            fail("it does not die");
        if (dying.report().dead == 0)
            fail("it is not dead");
        next_has_it("the one before has died");
    } catch (const std::exception &error) {
        fail(error.what());
    }
}
