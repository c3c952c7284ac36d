// SPDX-License-Identifier: GPL-2.0
#include "iov_state.h"

#include <algorithm>
#include <cerrno>
#include <fcntl.h>
#include <filesystem>
#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <sys/file.h>
#include <unistd.h>

#include "error.h"
#include "whole_file.h"

namespace lpar {

namespace {

using Json = nlohmann::ordered_json;

// 1 has no settings.
constexpr int state_version = 2;

template <typename T>
void put(Json &json, const char *key, const std::optional<T> &value) {
    if (value)
        json[key] = *value;
}

template <typename T>
void get(const Json &json, const char *key, std::optional<T> &value) {
    if (json.contains(key))
        value = json.at(key).get<T>();
}

Json settings_json(const IovSettings &settings) {
    Json json = Json::object();
    put(json, "queues", settings.queues);
    put(json, "interrupts", settings.interrupts);
    if (!settings.namespaces.empty())
        json["namespaces"] = settings.namespaces;
    put(json, "mac", settings.mac);
    put(json, "vlan", settings.vlan);
    put(json, "max_rate", settings.rate);
    put(json, "trust", settings.trust);
    put(json, "spoofchk", settings.spoofchk);
    return json;
}

IovSettings settings_of(const Json &json) {
    IovSettings settings;
    get(json, "queues", settings.queues);
    get(json, "interrupts", settings.interrupts);
    if (json.contains("namespaces"))
        settings.namespaces = json.at("namespaces").get<std::set<uint32_t>>();
    get(json, "mac", settings.mac);
    get(json, "vlan", settings.vlan);
    get(json, "max_rate", settings.rate);
    get(json, "trust", settings.trust);
    get(json, "spoofchk", settings.spoofchk);
    return settings;
}

} // namespace

std::vector<IovStep> parse_iov_state(std::string_view text) {
    std::vector<IovStep> taken;
    try {
        Json json = Json::parse(text);
        int version = json.at("version").get<int>();
        if (version < 1 || version > state_version)
            throw Failure("it is of another version of lparctl: use that one until the next boot");
        for (const auto &entry : json.at("steps")) {
            auto kind = iov_kind_of(entry.at("kind").get<std::string>());
            if (!kind)
                throw Failure("it has a step of an unknown kind");
            taken.push_back({*kind, entry.at("adapter").get<std::string>(),
                             entry.at("vf").get<std::string>(), entry.at("from").get<std::string>(),
                             entry.at("to").get<std::string>()});
            if (entry.contains("settings"))
                taken.back().settings = settings_of(entry.at("settings"));
        }
    } catch (const Json::exception &error) {
        throw Failure(error.what());
    }
    return taken;
}

std::string format_iov_state(const std::vector<IovStep> &taken) {
    Json steps = Json::array();
    for (const auto &step : taken) {
        steps.push_back({{"kind", iov_kind_name(step.kind)},
                         {"adapter", step.adapter},
                         {"vf", step.vf},
                         {"from", step.from},
                         {"to", step.to}});
        if (step.settings != IovSettings{})
            steps.back()["settings"] = settings_json(step.settings);
    }
    return Json{{"version", state_version}, {"steps", steps}}.dump(1, ' ', false,
                                                                   Json::error_handler_t::replace) +
           "\n";
}

std::vector<IovStep> read_iov_state(const Host &host) {
    auto text = host.read(iov_state_file);
    if (!text)
        return {};
    try {
        return parse_iov_state(*text);
    } catch (const Failure &failure) {
        throw Failure(fmt::format("{}: {}", iov_state_file, failure.what()));
    }
}

IovState::IovState(const Host &host) : file_(host.real_path(iov_state_file)) {
    std::error_code ignored;
    std::filesystem::create_directories(std::filesystem::path(file_).parent_path(), ignored);
    lock_ = ::open((file_ + ".lock").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    int locked = -1;
    do {
        locked = lock_ < 0 ? -1 : ::flock(lock_, LOCK_EX);
    } while (locked < 0 && errno == EINTR);
    if (locked < 0) {
        int error = errno;
        if (lock_ >= 0)
            ::close(lock_);
        throw Failure(fmt::format("{}.lock: {}", iov_state_file, error_text(error)));
    }
    try {
        taken_ = read_iov_state(host);
    } catch (const Failure &) {
        ::close(lock_);
        throw;
    }
}

IovState::~IovState() {
    ::close(lock_);
}

void IovState::add(const IovStep &step) {
    auto taken = taken_;
    taken.push_back(step);
    write(taken);
    taken_ = std::move(taken);
}

void IovState::merge(const IovStep &step) {
    auto taken = taken_;
    // a namespace is a thing of its own
    auto thing = [](const IovStep &one) {
        return one.kind != IovStep::Kind::attach ? "" : one.to.empty() ? one.from : one.to;
    };
    auto found = std::find_if(taken.rbegin(), taken.rend(), [&](const auto &one) {
        return one.kind == step.kind && one.adapter == step.adapter && one.vf == step.vf &&
               thing(one) == thing(step);
    });
    if (found == taken.rend())
        taken.push_back(step);
    else if (found->from == step.to)
        taken.erase(std::next(found).base()); // as if nothing had been
    else
        found->to = step.to;
    write(taken);
    taken_ = std::move(taken);
}

void IovState::remove(const IovStep &step) {
    auto found = std::ranges::find(taken_.rbegin(), taken_.rend(), step);
    if (found == taken_.rend())
        return;
    taken_.erase(std::next(found).base());
    write(taken_);
}

void IovState::write(const std::vector<IovStep> &taken) const {
    write_whole_file(file_, format_iov_state(taken), 0644);
}

} // namespace lpar
