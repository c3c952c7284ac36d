// SPDX-License-Identifier: GPL-2.0
// What an image is made of: a function that initialises it, and one that answers a request. The
// rest (start-up, request loop, yield) is the SDK's.
//
// An image runs alone: no kernel, no library, no exceptions, no floating point, no vector
// registers, no heap. It has its own pages and the part that it shares with its client, and
// nothing else is mapped; whatever it does wrong ends it, and nobody else.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include <lpar/adjunct.h>

namespace lpar::service {

// One request. Input and output are in memory that the client can write to at any time: what is
// decided by must be copied first.
struct Request {
    uint32_t op;
    std::span<const std::byte> in;
    std::span<std::byte> out;
};

struct Answer {
    lpar_status status = LPAR_OK;
    uint32_t bytes = 0; // of output
};

// The image's own: before the first request. False: it cannot serve.
bool initialise();
// The image's own.
Answer serve(const Request &request);

// Give the CPU back in the middle of a long request; the client comes back when it likes. A
// quantum ends without it, too: this is for those who know a good moment. An image that drives a
// device waits for it like this: the client gives time again when the device has interrupted, or
// a while later. True: it has interrupted since the last time.
bool pause();

// Registers of the device that this image drives; empty if it drives none. The device sees the
// image's data, its stack and the shared part at the addresses that they have here.
std::span<volatile uint32_t> device();
// The image's own, if it has one: the device has interrupted and no request waited for it.
void interrupted();

// The SDK's, and the tests': serves what waits in the shared part.
class Loop {
  public:
    enum class Served { nothing, something, broken };
    Served serve_all(lpar_adjunct_control &control, size_t shared_bytes);

  private:
    // Requests served: the copy in the shared part is the client's to change.
    uint32_t head_ = 0;
};

} // namespace lpar::service
