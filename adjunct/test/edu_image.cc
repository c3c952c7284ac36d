// SPDX-License-Identifier: GPL-2.0
// An image for tests, and an example of a driver: of "edu", the emulator's educational device.
//
//   1  its identification            => 4 bytes
//   2  factorial of 4 bytes          => 4 bytes, when the device has interrupted
//   3  the input, by DMA to the device and back => as many bytes
//   4  how many interrupts came while no request waited for one => 4 bytes
//   5  ask for such an interrupt; it comes when this has been answered
//   6  what the device reads at the address in the input, by DMA => 64 bytes
//   7  ask for an interrupt, and die of a write to nowhere
//   8  like 5, and it takes many quanta to be served
#include <lpar/service.hh>

namespace {

// Registers, as numbers of 32-bit words
constexpr size_t identification = 0, factorial = 2, status = 8, raised = 9, raise = 24,
                 acknowledge = 25, dma_from = 32, dma_to = 34, dma_bytes = 36, dma_command = 38;
constexpr uint32_t interrupt_when_done = 0x80;
constexpr uint32_t factorial_is_done = 1, asked_for = 2, dma_is_done = 0x100;
constexpr uint32_t dma_start = 1, dma_to_memory = 2, dma_interrupt = 4;
constexpr uint32_t buffer = 0x40000, buffer_bytes = 4096;
// Its 28 address lines reach data and stack of an image, and the shared part.

uint32_t unasked;
uint32_t work; // before the next one is acknowledged
alignas(64) std::byte bounce[buffer_bytes];

volatile uint32_t &reg(size_t index) {
    return lpar::service::device()[index];
}

void acknowledge_all() {
    reg(acknowledge) = reg(raised);
}

// Not for what it waits for itself: that is there a moment before the device interrupts.
void wait_for(uint32_t interrupt) {
    while ((reg(raised) & interrupt) == 0)
        lpar::service::pause();
    acknowledge_all();
}

void transfer(uint64_t from, uint64_t to, uint32_t bytes, uint32_t direction) {
    reg(dma_from) = static_cast<uint32_t>(from);
    reg(dma_to) = static_cast<uint32_t>(to);
    reg(dma_bytes) = bytes;
    reg(dma_command) = dma_start | direction | dma_interrupt;
    wait_for(dma_is_done);
}

lpar::service::Answer number(std::span<std::byte> out, uint32_t value) {
    if (out.size() < sizeof(value))
        return {LPAR_NOSPC};
    for (size_t i = 0; i < sizeof(value); i++)
        out[i] = static_cast<std::byte>(value >> (8 * (sizeof(value) - 1 - i)));
    return {LPAR_OK, sizeof(value)};
}

uint64_t number_of(std::span<const std::byte> in) {
    uint64_t value = 0;
    for (std::byte byte : in)
        value = value << 8 | static_cast<uint8_t>(byte);
    return value;
}

lpar::service::Answer copy(uint64_t from, uint32_t bytes, std::span<std::byte> out) {
    if (bytes > buffer_bytes || out.size() < bytes)
        return {LPAR_NOSPC};
    transfer(from, buffer, bytes, 0);
    for (std::byte &byte : bounce)
        byte = {};
    transfer(buffer, reinterpret_cast<uintptr_t>(bounce), bytes, dma_to_memory);
    for (size_t i = 0; i < bytes; i++)
        out[i] = bounce[i];
    return {LPAR_OK, bytes};
}

} // namespace

namespace lpar::service {

// Who had the device may have left an interrupt raised: a reset does not clear this model's.
bool initialise() {
    if (device().size() <= dma_command || (reg(identification) & 0xff) != 0xed)
        return false;
    acknowledge_all();
    return true;
}

void interrupted() {
    for (volatile uint32_t done = 0; done < work;)
        done = done + 1;
    work = 0;
    unasked++;
    acknowledge_all();
}

Answer serve(const Request &request) {
    switch (request.op) {
    case 1:
        return number(request.out, reg(identification));
    case 2:
        reg(status) = interrupt_when_done;
        reg(factorial) = static_cast<uint32_t>(number_of(request.in));
        wait_for(factorial_is_done);
        return number(request.out, reg(factorial));
    case 3: // the device reads what is shared with the client where it is
        return copy(reinterpret_cast<uintptr_t>(request.in.data()),
                    static_cast<uint32_t>(request.in.size()), request.out);
    case 4:
        return number(request.out, unasked);
    case 5:
        reg(raise) = asked_for;
        return {LPAR_OK};
    case 8:
        work = 100'000'000;
        reg(raise) = asked_for;
        return {LPAR_OK};
    case 6:
        return copy(number_of(request.in), 64, request.out);
    case 7:
        reg(raise) = asked_for;
        asm volatile("movl $1, (%0)" : : "r"(0x12345678ul) : "memory");
        return {LPAR_OK};
    default:
        return {LPAR_NOSYS};
    }
}

} // namespace lpar::service
