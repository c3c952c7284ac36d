// SPDX-License-Identifier: GPL-2.0
// A running guest's monitor: QEMU's machine protocol on a socket.
#pragma once

#include <chrono>
#include <functional>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

namespace lpar {

class Qmp {
  public:
    // Throws Failure; is_gone() tells whether nobody listens there.
    explicit Qmp(const std::string &path);
    // An open connection. Each answer may take so long: device_add pins all memory of the guest.
    Qmp(int fd, std::string name, double seconds = 60);
    ~Qmp();
    Qmp(const Qmp &) = delete;
    Qmp &operator=(const Qmp &) = delete;

    static bool is_gone(const std::string &path);

    // What it returns; throws Failure with its description of an error.
    nlohmann::json execute(const std::string &command, nlohmann::json arguments = nullptr);

    // Bytes of RAM that the guest has
    uint64_t memory();
    bool has_device(const std::string &id);
    // Gives the guest the host's PCI function @address, on the first root port that is free.
    void plug(const std::string &address, const std::string &id);
    // Asks the guest to let go, and waits for it: @seconds, or until @stop says so.
    void unplug(const std::string &id, double seconds, const std::function<bool()> &stop);

  private:
    using Clock = std::chrono::steady_clock;

    // The next message, or nothing if too long has passed since the question
    std::optional<nlohmann::json> next();
    nlohmann::json ask(const std::string &command, nlohmann::json arguments);
    // What @action returns; throws Failure, too, for an answer that it can make nothing of
    auto sane(auto action);
    void greet();
    void take_out(const std::string &id, double seconds);

    std::string name_;
    int fd_;
    double seconds_ = 60;
    Clock::time_point begun_;    // of the question
    std::function<bool()> stop_; // ends a wait early
    std::string buffer_;
    bool has_left_ = false; // it was told that a device is gone
    std::string leaving_;
    std::string refusal_;
};

// The id of a VF's device in QEMU
std::string qmp_device_id(const std::string &address);

} // namespace lpar
