// SPDX-License-Identifier: GPL-2.0
// An image for tests. It lives until it is asked for something wrong.
#include <lpar/service.hh>

bool lpar::service::initialise() {
    return true;
}

lpar::service::Answer lpar::service::serve(const Request &request) {
    switch (request.op) {
    case 1: // writes where nothing is
        asm volatile("movl $1, (%0)" : : "r"(0x12345678ul) : "memory");
        return {LPAR_OK};
    case 2: // an instruction that is none, with a number to be found in rbx
        asm volatile("ud2" : : "b"(0x600df00dul));
        return {LPAR_OK};
    case 3: // a vector register
        asm volatile("xorps %xmm0, %xmm0");
        return {LPAR_OK};
    case 4: // ends itself
        asm volatile("int $0x80" : : "a"(LPAR_YIELD_EXIT), "D"(7ul) : "memory");
        return {LPAR_OK};
    case 5: // more output than there is room for
        return {LPAR_OK, static_cast<uint32_t>(request.out.size() + 1)};
    default:
        return {LPAR_NOSYS};
    }
}
