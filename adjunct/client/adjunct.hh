// SPDX-License-Identifier: GPL-2.0
// Services in memory and on CPU time that the caller gives, out of the guest's reach: see
// lpar-adjunct(1) and lpar/adjunct_dev.h. Link with -llpar-adjunct.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <system_error>
#include <vector>

#include <lpar/adjunct.h>
#include <lpar/adjunct_dev.h>

namespace lpar {

// One request. What @in refers to is copied before a call returns.
struct AdjunctRequest {
    uint32_t op = 0;
    std::span<const std::byte> in;
    size_t room = 0; // for the output
};

struct AdjunctReply {
    uint32_t status = 0; // enum lpar_status, or what the image makes of it
    std::vector<std::byte> out;
};

struct AdjunctOptions {
    uint32_t pages = 16; // of 4 KiB: text, data and stack of the image have to fit
    // Times are 0 … UINT32_MAX of their unit; others throw EINVAL.
    std::chrono::microseconds quantum{0}; // 0: the host's limit
    std::chrono::milliseconds timeout{0}; // of a call; 0: none
    bool afterwards = false;              // others go first when a quantum has ended
    uint32_t pci = 0;                     // 1 + the index of a PCI device to donate; 0: none
    std::string device = LPAR_ADJUNCT_DEVICE;
};

using AdjunctReport = lpar_adjunct_state_info;

// An image that the host has.
struct AdjunctImage {
    uint32_t pages = 0;  // that have to be donated at least
    bool shared = false; // its text is the host's, the same for all guests, and not donated
};

// A PCI device that the guest has no driver for, and an image may (seed 003, fig. 7).
struct AdjunctDevice {
    uint16_t vendor = 0;
    uint16_t device = 0;
    uint32_t pci_class = 0; // 24 bits
    uint32_t bytes = 0;     // of registers
    bool in_use = false;    // by an adjunct
    bool broken = false;    // not to be had any more
};

// The adjunct is no more; report says why, as far as the host knows.
class AdjunctDied : public std::runtime_error {
  public:
    explicit AdjunctDied(const AdjunctReport &report);
    AdjunctReport report;
};

// An image of the caller's own, which the host does not know.
struct AdjunctBytes {
    std::span<const std::byte> bytes;
};

// One adjunct, from its constructor on to its destructor, which gives the memory back. Any
// number of threads may call; they are served one after the other. Failures are
// std::system_error with the errno of adjunct_dev.h, or AdjunctDied.
class Adjunct {
  public:
    // Donates the memory, and returns when the image is ready.
    explicit Adjunct(const std::string &image, const AdjunctOptions &options = {});
    // For tests: @port is ioctl() in all but the file; it answers 0 or an errno.
    using Port = std::function<int(unsigned long command, void *argument)>;
    Adjunct(const std::string &image, const AdjunctOptions &options, Port port);
    // Likewise with an image of the caller's own, if the partition may bring some.
    explicit Adjunct(AdjunctBytes image, const AdjunctOptions &options = {});
    Adjunct(AdjunctBytes image, const AdjunctOptions &options, Port port);
    ~Adjunct();
    Adjunct(const Adjunct &) = delete;
    Adjunct &operator=(const Adjunct &) = delete;

    AdjunctReply call(const AdjunctRequest &request);
    AdjunctReply call(uint32_t op, std::span<const std::byte> in, size_t room) {
        return call(AdjunctRequest{op, in, room});
    }
    // Served in their order, as many at a time as there is room for.
    std::vector<AdjunctReply> call(std::span<const AdjunctRequest> requests);

    // For one thread: one batch without waiting, at most
    // LPAR_ADJUNCT_BATCH_MAX requests and LPAR_ADJUNCT_ROOM bytes.
    void submit(std::span<const AdjunctRequest> requests);
    // The answers, or nothing yet: then a quantum has been donated. Without a batch it throws
    // ENODATA; if the adjunct's device has interrupted, that has been served before.
    std::optional<std::vector<AdjunctReply>> poll();
    // For poll(2): POLLIN, there are answers; POLLPRI, the quantum ended before, or the device
    // has interrupted. -1 in tests.
    int file() const { return file_; }

    // Could there be an adjunct of this image now? Nothing: the host has none of that name, and
    // the caller does itself what it would have done. Other failures are thrown.
    static std::optional<AdjunctImage> query(const std::string &image,
                                             const std::string &device = LPAR_ADJUNCT_DEVICE);
    static std::optional<AdjunctImage> query(const std::string &image, const Port &port);

    // The devices that could be donated, in the order of their indices.
    static std::vector<AdjunctDevice> devices(const std::string &device = LPAR_ADJUNCT_DEVICE);
    static std::vector<AdjunctDevice> devices(const Port &port);

    AdjunctReport report() const;
    // Ends calls of other threads (ECANCELED) at the end of their quantum.
    void destroy();

  private:
    struct Batch;

    template <typename Image>
    void start(const Image &image, const AdjunctOptions &options);
    void create(const std::string &image, const AdjunctOptions &options);
    void create(AdjunctBytes image, const AdjunctOptions &options);
    int control(unsigned long command, void *argument) const;
    void must(unsigned long command, void *argument, const char *what) const;

    int file_ = -1;
    Port port_;
    std::vector<lpar_adjunct_call> submitted_;
    std::vector<AdjunctReply> replies_;
};

// "an exception: page fault at 0x12345678, rip 0x400123"
std::string describe(const AdjunctReport &report);
// "ok", "not enough room", …
std::string status_name(uint32_t status);

} // namespace lpar
