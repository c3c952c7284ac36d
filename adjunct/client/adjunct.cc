// SPDX-License-Identifier: GPL-2.0
#include "adjunct.hh"

#include <array>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <string_view>
#include <sys/ioctl.h>
#include <unistd.h>
#include <utility>

namespace lpar {

namespace {

size_t rounded(size_t bytes) {
    return (bytes + LPAR_ADJUNCT_ALIGN - 1) / LPAR_ADJUNCT_ALIGN * LPAR_ADJUNCT_ALIGN;
}

// How many of @requests go into one batch; at least one, which the kernel may refuse.
size_t fitting(std::span<const AdjunctRequest> requests) {
    size_t used = 0;
    size_t count = 0;
    for (const auto &request : requests) {
        if (request.in.size() > LPAR_ADJUNCT_ROOM || request.room > LPAR_ADJUNCT_ROOM)
            break;
        used += rounded(request.in.size()) + rounded(request.room);
        if (used > LPAR_ADJUNCT_ROOM || count == LPAR_ADJUNCT_BATCH_MAX)
            break;
        count++;
    }
    return count == 0 ? 1 : count;
}

lpar_adjunct_call prepare(const AdjunctRequest &request, AdjunctReply &reply) {
    constexpr size_t most = UINT32_MAX;
    if (request.in.size() > most || request.room > LPAR_ADJUNCT_ROOM)
        throw std::system_error(E2BIG, std::generic_category(), "calling the adjunct");
    reply.out.resize(request.room);
    lpar_adjunct_call call{};
    call.op = request.op;
    call.in_len = static_cast<uint32_t>(request.in.size());
    call.out_len = static_cast<uint32_t>(request.room);
    call.in = reinterpret_cast<uintptr_t>(request.in.data());
    call.out = reinterpret_cast<uintptr_t>(reply.out.data());
    return call;
}

void finish(const lpar_adjunct_call &call, AdjunctReply &reply) {
    reply.status = call.status;
    reply.out.resize(std::min<size_t>(call.bytes, reply.out.size()));
}

int open_device(const std::string &device) {
    int file = ::open(device.c_str(), O_RDWR | O_CLOEXEC);
    if (file < 0)
        throw std::system_error(errno, std::generic_category(), device);
    return file;
}

void put_name(const std::string &image, char (&name)[LPAR_ADJUNCT_IMAGE_MAX]) {
    if (image.empty() || image.size() >= sizeof(name))
        throw std::system_error(ENOENT, std::generic_category(), "image \"" + image + "\"");
    std::memcpy(name, image.data(), image.size());
}

uint32_t count_of(int64_t time, const char *what) {
    if (!std::in_range<uint32_t>(time))
        throw std::system_error(EINVAL, std::generic_category(), what);
    return static_cast<uint32_t>(time);
}

lpar_adjunct_create wish_of(const AdjunctOptions &options) {
    lpar_adjunct_create wish{};
    wish.pages = options.pages;
    wish.quantum_us = count_of(options.quantum.count(), "quantum");
    wish.timeout_ms = count_of(options.timeout.count(), "timeout");
    wish.device = options.pci;
    wish.policy = options.afterwards ? LPAR_ADJUNCT_AFTERWARDS : LPAR_ADJUNCT_AT_ONCE;
    return wish;
}

std::string hex(uint64_t value) {
    std::array<char, 20> text{};
    std::snprintf(text.data(), text.size(), "%#llx", static_cast<unsigned long long>(value));
    return text.data();
}

std::string_view exception_name(uint32_t vector) {
    constexpr std::array<std::string_view, 20> names = {"divide error",
                                                        "debug",
                                                        "NMI",
                                                        "breakpoint",
                                                        "overflow",
                                                        "bound range",
                                                        "invalid opcode",
                                                        "no coprocessor",
                                                        "double fault",
                                                        "overrun",
                                                        "invalid TSS",
                                                        "segment not present",
                                                        "stack fault",
                                                        "general protection",
                                                        "page fault",
                                                        "exception 15",
                                                        "x87 error",
                                                        "alignment check",
                                                        "machine check",
                                                        "SIMD error"};
    return vector < names.size() ? names[vector] : "unknown exception";
}

} // namespace

std::string describe(const AdjunctReport &report) {
    switch (report.reason) {
    case LPAR_ADJUNCT_FAULT: {
        std::string text = std::string(exception_name(report.vector));
        if (report.vector == 14)
            text += " at " + hex(report.address);
        return text + ", error code " + hex(report.error) + ", rip " + hex(report.rip);
    }
    case LPAR_ADJUNCT_EXIT:
        return "it ended itself with code " + std::to_string(report.error);
    case LPAR_ADJUNCT_REFUSED:
        return "its initialisation failed";
    case LPAR_ADJUNCT_BROKEN:
        return "the host could not run it";
    default:
        return "it broke the rules";
    }
}

std::string status_name(uint32_t status) {
    switch (status) {
    case LPAR_OK:
        return "ok";
    case LPAR_INVAL:
        return "invalid";
    case LPAR_NOSYS:
        return "no such operation";
    case LPAR_NOENT:
        return "no such thing";
    case LPAR_NOSPC:
        return "not enough room for the output";
    case LPAR_IOERR:
        return "it failed";
    default:
        return "status " + std::to_string(status);
    }
}

AdjunctDied::AdjunctDied(const AdjunctReport &the_report)
    : std::runtime_error("the adjunct has died: " + describe(the_report)), report(the_report) {}

template <typename Image>
void Adjunct::start(const Image &image, const AdjunctOptions &options) {
    file_ = open_device(options.device);
    try {
        create(image, options);
    } catch (...) {
        ::close(file_);
        throw;
    }
}

Adjunct::Adjunct(const std::string &image, const AdjunctOptions &options) {
    start(image, options);
}

Adjunct::Adjunct(const std::string &image, const AdjunctOptions &options, Port port)
    : port_(std::move(port)) {
    create(image, options);
}

Adjunct::Adjunct(AdjunctBytes image, const AdjunctOptions &options) {
    start(image, options);
}

Adjunct::Adjunct(AdjunctBytes image, const AdjunctOptions &options, Port port)
    : port_(std::move(port)) {
    create(image, options);
}

Adjunct::~Adjunct() {
    if (file_ >= 0)
        ::close(file_);
    else
        control(LPAR_ADJUNCT_IOC_DESTROY, nullptr);
}

void Adjunct::create(const std::string &image, const AdjunctOptions &options) {
    lpar_adjunct_create wish = wish_of(options);
    put_name(image, wish.image);
    must(LPAR_ADJUNCT_IOC_CREATE, &wish, ("image \"" + image + "\"").c_str());
}

void Adjunct::create(AdjunctBytes image, const AdjunctOptions &options) {
    lpar_adjunct_create wish = wish_of(options);
    if (image.bytes.empty() || image.bytes.size() > UINT32_MAX)
        throw std::system_error(EINVAL, std::generic_category(), "an image of our own");
    wish.own = reinterpret_cast<uintptr_t>(image.bytes.data());
    wish.own_bytes = static_cast<uint32_t>(image.bytes.size());
    must(LPAR_ADJUNCT_IOC_CREATE, &wish, "an image of our own");
}

std::optional<AdjunctImage> Adjunct::query(const std::string &image, const Port &port) {
    lpar_adjunct_query question{};
    put_name(image, question.image);
    int error = port(LPAR_ADJUNCT_IOC_QUERY, &question);
    if (error == ENOENT)
        return std::nullopt;
    if (error != 0)
        throw std::system_error(error, std::generic_category(),
                                "asking for image \"" + image + "\"");
    return AdjunctImage{question.pages, (question.flags & LPAR_ADJUNCT_SHARES) != 0};
}

// What @ask makes of the device's ioctl(), as a Port
template <typename Ask>
static auto with_device(const std::string &device, Ask ask) {
    struct File {
        int number;
        ~File() { ::close(number); }
    } file{open_device(device)};
    return ask([&file](unsigned long command, void *argument) {
        return ::ioctl(file.number, command, argument) < 0 ? errno : 0;
    });
}

std::optional<AdjunctImage> Adjunct::query(const std::string &image, const std::string &device) {
    return with_device(device, [&](const Port &port) { return query(image, port); });
}

std::vector<AdjunctDevice> Adjunct::devices(const std::string &device) {
    return with_device(device, [](const Port &port) { return devices(port); });
}

std::vector<AdjunctDevice> Adjunct::devices(const Port &port) {
    std::vector<AdjunctDevice> found;
    for (uint32_t index = 0; index < LPAR_DEVICES_MAX; index++) {
        lpar_adjunct_device d{};
        d.index = index;
        int error = port(LPAR_ADJUNCT_IOC_DEVICE, &d);
        if (error == ENXIO)
            break;
        if (error != 0)
            throw std::system_error(error, std::generic_category(), "asking for devices");
        found.push_back({static_cast<uint16_t>(d.id), static_cast<uint16_t>(d.id >> 16),
                         d.pci_class & 0xffffff, d.bytes, (d.flags & LPAR_DEVICE_IN_USE) != 0,
                         (d.flags & LPAR_DEVICE_BROKEN) != 0});
    }
    return found;
}

// 0 or an errno
int Adjunct::control(unsigned long command, void *argument) const {
    if (port_)
        return port_(command, argument);
    return ::ioctl(file_, command, argument) < 0 ? errno : 0;
}

void Adjunct::must(unsigned long command, void *argument, const char *what) const {
    int error = control(command, argument);
    if (error == EOWNERDEAD)
        throw AdjunctDied(report());
    if (error != 0)
        throw std::system_error(error, std::generic_category(), what);
}

AdjunctReply Adjunct::call(const AdjunctRequest &request) {
    AdjunctReply reply;
    lpar_adjunct_call call = prepare(request, reply);
    must(LPAR_ADJUNCT_IOC_CALL, &call, "calling the adjunct");
    finish(call, reply);
    return reply;
}

std::vector<AdjunctReply> Adjunct::call(std::span<const AdjunctRequest> requests) {
    std::vector<AdjunctReply> replies(requests.size());
    std::vector<lpar_adjunct_call> calls;
    for (size_t done = 0; done < requests.size(); done += calls.size()) {
        size_t count = fitting(requests.subspan(done));
        calls.clear();
        for (size_t i = 0; i < count; i++)
            calls.push_back(prepare(requests[done + i], replies[done + i]));
        lpar_adjunct_batch batch{};
        batch.calls = reinterpret_cast<uintptr_t>(calls.data());
        batch.count = static_cast<uint32_t>(count);
        must(LPAR_ADJUNCT_IOC_BATCH, &batch, "calling the adjunct");
        for (size_t i = 0; i < count; i++)
            finish(calls[i], replies[done + i]);
    }
    return replies;
}

void Adjunct::submit(std::span<const AdjunctRequest> requests) {
    // The kernel writes the last ones' answers into them until they have been collected.
    if (!submitted_.empty())
        throw std::system_error(EBUSY, std::generic_category(), "submitting to the adjunct");
    std::vector<AdjunctReply> replies(requests.size());
    std::vector<lpar_adjunct_call> calls;
    for (size_t i = 0; i < requests.size(); i++)
        calls.push_back(prepare(requests[i], replies[i]));
    lpar_adjunct_batch batch{};
    batch.calls = reinterpret_cast<uintptr_t>(calls.data());
    batch.count = static_cast<uint32_t>(calls.size());
    must(LPAR_ADJUNCT_IOC_SUBMIT, &batch, "submitting to the adjunct");
    // What they point to stays where it is.
    submitted_ = std::move(calls);
    replies_ = std::move(replies);
}

std::optional<std::vector<AdjunctReply>> Adjunct::poll() {
    int error = control(LPAR_ADJUNCT_IOC_POLL, nullptr);
    if (error == EAGAIN)
        return std::nullopt;
    // The kernel still has them, and will write to them.
    if (error == EINTR || error == ECANCELED || error == ENOMEM)
        throw std::system_error(error, std::generic_category(), "polling the adjunct");
    auto calls = std::exchange(submitted_, {});
    auto replies = std::exchange(replies_, {});
    if (error == EOWNERDEAD)
        throw AdjunctDied(report());
    if (error != 0)
        throw std::system_error(error, std::generic_category(), "polling the adjunct");
    for (size_t i = 0; i < calls.size(); i++)
        finish(calls[i], replies[i]);
    return replies;
}

AdjunctReport Adjunct::report() const {
    AdjunctReport report{};
    int error = control(LPAR_ADJUNCT_IOC_REPORT, &report);
    if (error != 0)
        throw std::system_error(error, std::generic_category(), "asking for the report");
    return report;
}

void Adjunct::destroy() {
    must(LPAR_ADJUNCT_IOC_DESTROY, nullptr, "ending the adjunct");
    submitted_.clear();
    replies_.clear();
}

} // namespace lpar
