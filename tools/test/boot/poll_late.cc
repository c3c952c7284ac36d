// SPDX-License-Identifier: GPL-2.0
// poll-late FILE DEPTH: DEPTH reads from FILE by io_uring with IORING_SETUP_IOPOLL, 64 KiB each and
// each to a huge page of its own, which is a window of its own. Nobody looks for their ends before
// standard input has ended. All must have been read in full then (tests/boot/guest/polled).
#include <cerrno>
#include <charconv>
#include <cstdio>
#include <cstring>
#include <fcntl.h>
#include <fmt/format.h>
#include <liburing.h>
#include <string_view>
#include <sys/mman.h>
#include <unistd.h>

namespace {

constexpr unsigned size = 64 << 10;
constexpr size_t huge = 2 << 20;

int failed(std::string_view what, int error) {
    fmt::print(stderr, "poll-late: {}: {}\n", what, std::strerror(error));
    return 1;
}

// Takes the end of one.
bool read_in_full(io_uring *ring) {
    io_uring_cqe *cqe = nullptr;
    if (int r = io_uring_wait_cqe(ring, &cqe); r < 0)
        return !failed("io_uring_wait_cqe", -r);
    if (cqe->res != static_cast<int>(size))
        return !failed("a read", cqe->res < 0 ? -cqe->res : EIO);
    io_uring_cqe_seen(ring, cqe);
    return true;
}

} // namespace

int main(int argc, char **argv) {
    unsigned depth = 0;
    std::string_view number = argc == 3 ? argv[2] : "";
    auto [stop, error] = std::from_chars(number.data(), number.data() + number.size(), depth);
    if (error != std::errc() || stop != number.data() + number.size() || !depth || depth > 64) {
        fmt::print(stderr, "usage: poll-late FILE DEPTH\n");
        return 2;
    }
    int file = open(argv[1], O_RDONLY | O_DIRECT | O_CLOEXEC);
    if (file < 0)
        return failed(argv[1], errno);
    // one more, since the first may begin within a huge page
    size_t bytes = (depth + size_t{1}) * huge;
    void *memory = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED)
        return failed("mmap", errno);
    if (madvise(memory, bytes, MADV_HUGEPAGE))
        return failed("madvise", errno);
    auto *first =
        reinterpret_cast<char *>((reinterpret_cast<uintptr_t>(memory) + huge - 1) & -huge);
    std::memset(first, 0, depth * huge);
    io_uring ring{};
    if (int r = io_uring_queue_init(depth, &ring, IORING_SETUP_IOPOLL); r < 0)
        return failed("io_uring_queue_init", -r);
    auto prepare = [&](unsigned i) {
        io_uring_prep_read(io_uring_get_sqe(&ring), file, first + i * huge, size,
                           uint64_t{i} * size);
    };
    // once with their ends, so that all the windows are there
    for (unsigned i = 0; i < depth; i++) {
        prepare(i);
        if (int r = io_uring_submit_and_wait(&ring, 1); r < 0)
            return failed("io_uring_submit_and_wait", -r);
        if (!read_in_full(&ring))
            return 1;
    }
    // by hand: io_uring_submit() asks the kernel to look for ends as well
    for (unsigned i = 0; i < depth; i++) {
        unsigned slot = ring.sq.sqe_tail & *ring.sq.kring_mask;
        prepare(i);
        ring.sq.array[slot] = slot;
    }
    ring.sq.sqe_head = ring.sq.sqe_tail;
    io_uring_smp_store_release(ring.sq.ktail, ring.sq.sqe_tail);
    int submitted = io_uring_enter(ring.ring_fd, depth, 0, 0, nullptr);
    if (submitted != static_cast<int>(depth))
        return failed("io_uring_enter", submitted < 0 ? -submitted : EAGAIN);
    fmt::print("submitted\n");
    std::fflush(stdout);
    for (char line[64]; read(STDIN_FILENO, line, sizeof(line)) > 0;)
        ;
    for (unsigned i = 0; i < depth; i++)
        if (!read_in_full(&ring))
            return 1;
    io_uring_queue_exit(&ring);
    fmt::print("read {}\n", depth);
    return 0;
}
