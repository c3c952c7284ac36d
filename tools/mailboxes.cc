// SPDX-License-Identifier: GPL-2.0
#include "mailboxes.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <fmt/format.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "error.h"
#include "lpar/iov.h"
#include "lpar/manage.h"
#include "lpar/wire.h"
#include "records.h"

namespace lpar {

namespace {

constexpr int ms_per_second = 1000;

int open_device(const std::string &name) {
    int fd = ::open(name.c_str(), O_RDWR | O_CLOEXEC);
    if (fd < 0)
        throw Failure(fmt::format("{}: {}", name, error_text(errno)));
    return fd;
}

uint64_t address(const void *memory) {
    return reinterpret_cast<uintptr_t>(memory);
}

class DeviceDesk : public Desk {
  public:
    DeviceDesk() : fd_(open_device(LPAR_MANAGE_DEVICE)) {}
    ~DeviceDesk() override { ::close(fd_); }

    std::vector<IovAsked> requests() override {
        std::vector<IovAsked> all;
        lpar_manage_request request{};
        for (;;) {
            uint64_t after = request.id;
            request = {};
            request.size = sizeof(request);
            request.id = after;
            if (::ioctl(fd_, LPAR_MANAGE_NEXT, &request) != 0) {
                if (errno == ENOENT)
                    return all;
                fail();
            }
            all.push_back({request.id, bounded_text(request.partition, sizeof(request.partition)),
                           bounded_text(request.vf, sizeof(request.vf)), request.kind, request.ask,
                           request.value, request.seconds,
                           (request.flags & LPAR_MANAGE_ALLOWED) != 0,
                           (request.flags & LPAR_MANAGE_TAKEN) != 0});
        }
    }

    std::optional<std::string> take(const IovAsked &asked) override {
        std::string text(asked.ask == 0 ? asked.value : 0, '\0');
        lpar_manage_take take{};
        take.size = sizeof(take);
        take.id = asked.id;
        take.text = address(text.data());
        take.room = static_cast<uint32_t>(text.size());
        if (::ioctl(fd_, LPAR_MANAGE_TAKE, &take) != 0) {
            if (errno == ENOENT || errno == EBUSY)
                return std::nullopt;
            fail();
        }
        return text;
    }

    bool end(uint64_t id, uint32_t status, const std::string &text) override {
        lpar_manage_end end{};
        end.size = sizeof(end);
        end.id = id;
        end.status = status;
        end.text = address(text.data());
        end.bytes = static_cast<uint32_t>(text.size());
        if (::ioctl(fd_, LPAR_MANAGE_END, &end) == 0)
            return true;
        if (errno != ENOENT)
            fail();
        return false;
    }

    void wait(double seconds) override {
        pollfd look{fd_, POLLIN, 0};
        ::poll(&look, 1, static_cast<int>(seconds * ms_per_second));
    }

  private:
    [[noreturn]] static void fail() {
        throw Failure(fmt::format("{}: {}", LPAR_MANAGE_DEVICE, error_text(errno)));
    }

    int fd_;
};

// A device, open as long as it is asked something.
class IovDevice {
  public:
    explicit IovDevice(std::string name) : name_(std::move(name)), fd_(open_device(name_)) {}
    ~IovDevice() { ::close(fd_); }
    IovDevice(const IovDevice &) = delete;
    IovDevice &operator=(const IovDevice &) = delete;

    // False with ENOENT
    bool call(unsigned long what, void *argument) const {
        if (::ioctl(fd_, what, argument) == 0)
            return true;
        int error = errno;
        if (error == ENOENT)
            return false;
        if (error == ECANCELED)
            throw Failure("the host has dropped the request: the virtual function was taken back, "
                          "or the device reset");
        if (error == ETIMEDOUT)
            throw Failure("no answer in time: the request is withdrawn");
        if (error == EINTR)
            throw Failure("interrupted: the request is withdrawn");
        throw Failure(fmt::format("{}: {}", name_, error_text(error)));
    }

  private:
    std::string name_;
    int fd_;
};

class DeviceMailboxes : public Mailboxes {
  public:
    explicit DeviceMailboxes(std::vector<std::string> devices) : devices_(std::move(devices)) {}

    std::vector<Mailbox> list() override {
        std::vector<Mailbox> all;
        for (const auto &name : devices_) {
            IovDevice device(name);
            lpar_iov_mailbox box{};
            box.size = sizeof(box);
            while (device.call(LPAR_IOV_NEXT, &box)) {
                size_t bytes = std::min<size_t>(box.bytes, sizeof(box.data));
                all.push_back({name, box.function, {box.data, box.data + bytes}});
            }
        }
        return all;
    }

    Verdict ask(const Mailbox &mailbox, uint32_t ask, uint64_t value, uint32_t seconds) override {
        lpar_iov_ask request{};
        request.size = sizeof(request);
        request.function = mailbox.function;
        request.ask = ask;
        request.value = value;
        request.seconds = seconds;
        IovDevice(mailbox.device).call(LPAR_IOV_ASK, &request);
        size_t bytes = std::min<size_t>(request.bytes, sizeof(request.text));
        return {request.status, std::string(request.text, request.text + bytes)};
    }

    Verdict manage(const std::string &text) override {
        std::string answer(LPAR_MANAGE_TEXT, '\0');
        Verdict verdict{LPAR_PERM, ""};
        // a guest may be of several partitions: one of them at most is the right one
        for (const auto &name : devices_) {
            lpar_iov_manage request{};
            request.size = sizeof(request);
            request.text = address(text.data());
            request.bytes = static_cast<uint32_t>(text.size());
            request.answer = address(answer.data());
            request.room = static_cast<uint32_t>(answer.size());
            IovDevice(name).call(LPAR_IOV_MANAGE, &request);
            verdict.status = request.status;
            verdict.text = answer.substr(0, request.bytes);
            if (verdict.status != LPAR_PERM)
                break;
        }
        return verdict;
    }

  private:
    std::vector<std::string> devices_;
};

} // namespace

std::unique_ptr<Desk> open_desk() {
    if (::access(LPAR_MANAGE_DEVICE, F_OK) != 0)
        throw Failure(std::string(LPAR_MANAGE_DEVICE) +
                      " is not there: on the host, modprobe lpar_host; in a guest, modprobe "
                      "lpar_guest");
    return std::make_unique<DeviceDesk>();
}

std::unique_ptr<Mailboxes> open_mailboxes() {
    std::vector<std::string> devices;
    for (int i = 0;; i++) {
        std::string name = LPAR_IOV_DEVICE + std::to_string(i);
        if (::access(name.c_str(), F_OK) != 0)
            break;
        devices.push_back(name);
    }
    return devices.empty() ? nullptr : std::make_unique<DeviceMailboxes>(devices);
}

} // namespace lpar
