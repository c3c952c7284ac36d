// SPDX-License-Identifier: GPL-2.0
// Start-up and yield: what only an image has, and no test.
#include <lpar/service.hh>

namespace {

std::span<volatile uint32_t> registers;

// Give the CPU back, and say why. Everything but rax is kept. True: the device has interrupted.
bool yield(lpar_adjunct_yield why, uint64_t argument = 0) {
    uint64_t rax = why;
    asm volatile("int $0x80" : "+a"(rax) : "D"(argument) : "memory", "cc");
    return rax == LPAR_RESUME_INTERRUPT;
}

// For good: nothing of what the image has computed stays in a register.
[[noreturn]] void end(lpar_adjunct_yield why, uint64_t code) {
    asm volatile("xor %%ebx, %%ebx\n"
                 "xor %%ecx, %%ecx\n"
                 "xor %%edx, %%edx\n"
                 "xor %%esi, %%esi\n"
                 "xor %%ebp, %%ebp\n"
                 "xor %%r8d, %%r8d\n"
                 "xor %%r9d, %%r9d\n"
                 "xor %%r10d, %%r10d\n"
                 "xor %%r11d, %%r11d\n"
                 "xor %%r12d, %%r12d\n"
                 "xor %%r13d, %%r13d\n"
                 "xor %%r14d, %%r14d\n"
                 "xor %%r15d, %%r15d\n"
                 "int $0x80\n"
                 "ud2"
                 :
                 : "a"(uint64_t{why}), "D"(code)
                 : "memory");
    __builtin_unreachable();
}

using Constructor = void (*)();

} // namespace

// The link script's: constructors of what is not constant.
extern "C" Constructor lpar_constructors_begin[];
extern "C" Constructor lpar_constructors_end[];

namespace lpar::service {

bool pause() {
    return yield(LPAR_YIELD_EMPTY);
}

std::span<volatile uint32_t> device() {
    return registers;
}

[[gnu::weak]] void interrupted() {}

} // namespace lpar::service

// The stack pointer is zero at the entry.
asm(".pushsection .text.start, \"ax\"\n"
    ".globl lpar_start\n"
    ".type lpar_start, @function\n"
    "lpar_start:\n"
    "	mov $lpar_stack_end, %esp\n"
    "	xor %ebp, %ebp\n"
    "	call lpar_main\n"
    "	ud2\n"
    ".size lpar_start, . - lpar_start\n"
    ".popsection\n");

extern "C" [[noreturn, gnu::used]] void lpar_main(lpar_adjunct_control *control,
                                                  size_t shared_bytes,
                                                  volatile uint32_t *device_registers,
                                                  size_t device_bytes) {
    using namespace lpar::service;

    for (auto *constructor = lpar_constructors_begin; constructor != lpar_constructors_end;
         constructor++)
        (*constructor)();
    registers = {device_registers, device_bytes / sizeof(uint32_t)};
    if (!initialise())
        end(LPAR_YIELD_READY, 1);
    if (yield(LPAR_YIELD_READY))
        interrupted();
    Loop loop;
    for (;;) {
        switch (loop.serve_all(*control, shared_bytes)) {
        case Loop::Served::nothing:
            if (yield(LPAR_YIELD_EMPTY))
                interrupted();
            break;
        case Loop::Served::something: // more may have come
            break;
        case Loop::Served::broken:
            end(LPAR_YIELD_EXIT, 1);
        }
    }
}
