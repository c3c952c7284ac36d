// SPDX-License-Identifier: GPL-2.0
#include "qmp.h"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <fmt/format.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "error.h"
#include "format.h"

namespace lpar {

namespace {

using Json = nlohmann::json;
using Seconds = std::chrono::duration<double>;

constexpr double slice_seconds = 0.2;
constexpr size_t most_bytes = 1 << 24; // of one message
constexpr auto no_qmp = ": what it says is no QMP";
constexpr unsigned class_bridge = 0x0604;

// Does not wait: with a queue that is full errno is EAGAIN.
int connect_to(const std::string &path) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (path.size() >= sizeof(address.sun_path)) {
        errno = ENAMETOOLONG;
        return -1;
    }
    path.copy(address.sun_path, path.size());
    int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd >= 0 &&
        ::connect(fd, reinterpret_cast<const sockaddr *>(&address), sizeof(address)) != 0) {
        int error = errno;
        ::close(fd);
        errno = error;
        return -1;
    }
    return fd;
}

// The id of a root port that nothing is plugged into
std::string free_port(const Json &buses) {
    for (const auto &bus : buses)
        for (const auto &device : bus.at("devices")) {
            if (device.at("class_info").at("class") != class_bridge ||
                !device.contains("pci_bridge"))
                continue;
            const Json &below = device["pci_bridge"];
            std::string id = device.value("qdev_id", "");
            if (!id.empty() && (!below.contains("devices") || below["devices"].empty()))
                return id;
        }
    return "";
}

} // namespace

std::string qmp_device_id(const std::string &address) {
    std::string id = "vf-" + address;
    std::ranges::replace_if(
        id, [](char c) { return c == ':' || c == '.'; }, '-');
    return id;
}

Qmp::Qmp(const std::string &path) : name_(path), fd_(connect_to(path)) {
    if (fd_ < 0)
        throw Failure(path + ": " +
                      (errno == EAGAIN ? "another program is connected to it" : error_text(errno)));
    greet();
}

Qmp::Qmp(int fd, std::string name, double seconds)
    : name_(std::move(name)), fd_(fd), seconds_(seconds) {
    greet();
}

Qmp::~Qmp() {
    ::close(fd_);
}

bool Qmp::is_gone(const std::string &path) {
    int fd = connect_to(path);
    if (fd < 0)
        return errno == ECONNREFUSED || errno == ENOENT;
    ::close(fd);
    return false;
}

auto Qmp::sane(auto action) {
    try {
        return action();
    } catch (const Json::exception &) {
        throw Failure(name_ + no_qmp);
    }
}

void Qmp::greet() {
    try {
        begun_ = Clock::now();
        auto greeting = next();
        if (!greeting || !greeting->contains("QMP"))
            throw Failure(name_ + ": this is no QMP socket, or another program is connected to it");
        sane([&] { ask("qmp_capabilities", nullptr); });
    } catch (const Failure &) {
        ::close(fd_);
        fd_ = -1;
        throw;
    }
}

std::optional<Json> Qmp::next() {
    for (;;) {
        auto line = buffer_.find('\n');
        if (line != std::string::npos) {
            std::string text = buffer_.substr(0, line);
            buffer_.erase(0, line + 1);
            if (text.find_first_not_of(" \r\t") == std::string::npos)
                continue;
            Json message = Json::parse(text, nullptr, false);
            if (!message.is_object())
                throw Failure(name_ + no_qmp);
            return message;
        }
        double spent = Seconds(Clock::now() - begun_).count();
        if (spent >= seconds_)
            return std::nullopt;
        // not at once: what undoes something for an interruption is answered sooner
        if (stop_ && spent >= slice_seconds && stop_())
            throw Failure(name_ + ": interrupted");
        double slice = std::min(slice_seconds, seconds_ - spent);
        pollfd ready{fd_, POLLIN, 0};
        if (::poll(&ready, 1, static_cast<int>(slice * 1000) + 1) < 0 && errno != EINTR)
            throw Failure(name_ + ": " + error_text(errno));
        if (ready.revents == 0)
            continue;
        char bytes[4096];
        ssize_t got = ::recv(fd_, bytes, sizeof(bytes), MSG_DONTWAIT);
        if (got < 0 && (errno == EAGAIN || errno == EINTR))
            continue;
        if (got <= 0 || buffer_.size() > most_bytes)
            throw Failure(name_ + ": the guest has ended");
        buffer_.append(bytes, static_cast<size_t>(got));
    }
}

Json Qmp::execute(const std::string &command, Json arguments) {
    begun_ = Clock::now();
    return sane([&] { return ask(command, std::move(arguments)); });
}

Json Qmp::ask(const std::string &command, Json arguments) {
    Json request{{"execute", command}, {"id", command}};
    if (!arguments.is_null())
        request["arguments"] = std::move(arguments);
    std::string text = request.dump() + "\n";
    if (::send(fd_, text.data(), text.size(), MSG_NOSIGNAL | MSG_DONTWAIT) !=
        static_cast<ssize_t>(text.size()))
        throw Failure(name_ + ": " + (errno == EPIPE ? "the guest has ended" : error_text(errno)));
    while (auto message = next()) {
        if (message->contains("event")) {
            const Json &event = *message;
            std::string id = event.contains("data") ? event["data"].value("device", "") : "";
            if (!leaving_.empty() && id == leaving_) {
                has_left_ = has_left_ || event["event"] == "DEVICE_DELETED";
                if (event["event"] == "DEVICE_UNPLUG_GUEST_ERROR")
                    refusal_ = "the guest does not let go of it";
            }
            continue;
        }
        if (message->value("id", Json()) != Json(command))
            continue;
        if (message->contains("error"))
            throw Failure(fmt::format("{}: {}: {}", name_, command,
                                      printable((*message)["error"].value("desc", "refused"))));
        return message->value("return", Json());
    }
    throw Failure(fmt::format("{}: {}: no answer", name_, command));
}

uint64_t Qmp::memory() {
    Json summary = execute("query-memory-size-summary");
    return sane([&] {
        return summary.value("base-memory", uint64_t{0}) +
               summary.value("plugged-memory", uint64_t{0});
    });
}

bool Qmp::has_device(const std::string &id) {
    Json devices = execute("qom-list", {{"path", "/machine/peripheral"}});
    return sane([&] {
        return std::ranges::any_of(devices,
                                   [&](const Json &one) { return one.value("name", "") == id; });
    });
}

void Qmp::plug(const std::string &address, const std::string &id) {
    Json buses = execute("query-pci");
    std::string port = sane([&] { return free_port(buses); });
    if (port.empty())
        throw Failure(name_ + ": the guest has no free root port: start it with -device "
                              "pcie-root-port,id=NAME,chassis=NUMBER");
    execute("device_add", {{"driver", "vfio-pci"}, {"host", address}, {"id", id}, {"bus", port}});
}

void Qmp::unplug(const std::string &id, double seconds, const std::function<bool()> &stop) {
    stop_ = stop;
    take_out(id, seconds);
    stop_ = nullptr;
}

void Qmp::take_out(const std::string &id, double seconds) {
    if (!has_device(id))
        return;
    auto end = Clock::now() + Seconds(seconds);
    leaving_ = id;
    has_left_ = false;
    refusal_.clear();
    execute("device_del", {{"id", id}});
    // its event may have been taken for nobody's: ask, too
    while (!has_left_ && has_device(id)) {
        if (!refusal_.empty())
            throw Failure(name_ + ": " + refusal_);
        if (stop_())
            throw Failure(name_ + ": interrupted");
        if (Clock::now() >= end)
            throw Failure(
                fmt::format("{}: the guest has not let go of it within {} s", name_, seconds));
        ::usleep(static_cast<useconds_t>(slice_seconds * 1e6));
    }
    leaving_.clear();
}

} // namespace lpar
