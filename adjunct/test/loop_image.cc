// SPDX-License-Identifier: GPL-2.0
// An image for tests. Request 1 never ends; 2 takes a while, and gives the CPU back in between; 4
// takes longer, and answers how often it has been asked; 5 answers that at once.
#include <lpar/service.hh>

static uint8_t asked;

bool lpar::service::initialise() {
    return true;
}

lpar::service::Answer lpar::service::serve(const Request &request) {
    switch (request.op) {
    case 1:
        for (;;)
            asm volatile("pause");
    case 2:
        for (int i = 0; i < 20; i++)
            pause();
        return {LPAR_OK};
    case 4:
        asked++;
        for (int i = 0; i < 2000; i++)
            pause();
        [[fallthrough]];
    case 5:
        asked += request.op == 5;
        if (request.out.empty())
            return {LPAR_INVAL};
        request.out[0] = std::byte{asked};
        return {LPAR_OK, 1};
    default:
        return {LPAR_NOSYS};
    }
}
