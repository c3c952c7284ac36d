// SPDX-License-Identifier: GPL-2.0
// The request loop. The client is hostile: each of its words is read once.
#include <lpar/service.hh>

namespace lpar::service {

namespace {

template <typename T>
T read_once(const T &word) {
    return __atomic_load_n(&word, __ATOMIC_RELAXED);
}

template <typename T>
void write_once(T &word, T value) {
    __atomic_store_n(&word, value, __ATOMIC_RELAXED);
}

// Data is behind the control page.
bool is_data(size_t shared_bytes, uint32_t offset, uint32_t bytes) {
    return offset >= LPAR_ADJUNCT_DATA && offset <= shared_bytes && bytes <= shared_bytes - offset;
}

Answer answer(lpar_adjunct_control &control, size_t shared_bytes,
              const lpar_adjunct_request &slot) {
    auto *base = reinterpret_cast<std::byte *>(&control);
    uint32_t in = read_once(slot.in);
    uint32_t in_len = read_once(slot.in_len);
    uint32_t out = read_once(slot.out);
    uint32_t out_len = read_once(slot.out_len);
    if (!is_data(shared_bytes, in, in_len) || !is_data(shared_bytes, out, out_len) ||
        read_once(slot.reserved) != 0)
        return {LPAR_INVAL};
    Answer result = serve({read_once(slot.op), {base + in, in_len}, {base + out, out_len}});
    if (result.bytes > out_len) // the image is wrong, and says so rather than lie
        return {LPAR_IOERR};
    return result;
}

} // namespace

Loop::Served Loop::serve_all(lpar_adjunct_control &control, size_t shared_bytes) {
    // Order the index before the requests. Pairs with the client's release store.
    uint32_t tail = __atomic_load_n(&control.tail, __ATOMIC_ACQUIRE);
    if (tail - head_ > LPAR_ADJUNCT_DEPTH)
        return Served::broken;
    if (tail == head_)
        return Served::nothing;
    while (head_ != tail) {
        lpar_adjunct_request &slot = control.request[head_ % LPAR_ADJUNCT_DEPTH];
        Answer result = answer(control, shared_bytes, slot);
        write_once<uint32_t>(slot.status, result.status);
        write_once<uint32_t>(slot.bytes, result.bytes);
        head_++;
        // Order the answer before the index. Pairs with the client's load of it.
        __atomic_store_n(&control.head, head_, __ATOMIC_RELEASE);
    }
    return Served::something;
}

} // namespace lpar::service
