// SPDX-License-Identifier: GPL-2.0
// An image for tests. Request 1 never ends; 2 takes a while, and gives the CPU back in between.
#include <lpar/service.hh>

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
    default:
        return {LPAR_NOSYS};
    }
}
