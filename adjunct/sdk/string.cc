// SPDX-License-Identifier: GPL-2.0
// What the compiler calls by itself. rep movsb needs no vector registers and is as fast.
#include <cstddef>

extern "C" {

void *memcpy(void *to, const void *from, size_t bytes) {
    void *at = to;
    asm volatile("rep movsb" : "+D"(at), "+S"(from), "+c"(bytes) : : "memory");
    return to;
}

void *memset(void *to, int value, size_t bytes) {
    void *at = to;
    asm volatile("rep stosb" : "+D"(at), "+c"(bytes) : "a"(value) : "memory");
    return to;
}

void *memmove(void *to, const void *from, size_t bytes) {
    auto *t = static_cast<char *>(to);
    const auto *f = static_cast<const char *>(from);
    if (t <= f || t >= f + bytes)
        return memcpy(to, from, bytes);
    while (bytes-- > 0) {
        t[bytes] = f[bytes];
        asm volatile("" : : : "memory"); // or the loop becomes a call of memmove
    }
    return to;
}

int memcmp(const void *left, const void *right, size_t bytes) {
    const auto *l = static_cast<const unsigned char *>(left);
    const auto *r = static_cast<const unsigned char *>(right);
    for (size_t i = 0; i < bytes; i++) {
        if (l[i] != r[i])
            return l[i] < r[i] ? -1 : 1;
    }
    return 0;
}

// Of pure virtual functions, and of objects that are never destroyed.
[[noreturn]] void __cxa_pure_virtual() {
    __builtin_trap();
}
int __cxa_atexit(void (*)(void *), void *, void *) {
    return 0;
}
void *__dso_handle = nullptr;
}
