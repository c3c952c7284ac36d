// SPDX-License-Identifier: GPL-2.0
#include "cgroups.h"

#include <algorithm>
#include <filesystem>
#include <sstream>
#include <vector>

#include "paths.h"

namespace lpar {

namespace fs = std::filesystem;

namespace {

using Take = std::function<void(uint64_t id, const std::string &path)>;

// Names of the groups in a group, as far as they can be read. The directory says which these are:
// of its many files nothing is asked.
std::vector<std::string> below(const Host &host, const std::string &path, std::error_code &error) {
    std::vector<std::string> names;
    fs::directory_iterator at(host.real_path(cgroup_root + path), error);
    for (; !error && at != fs::directory_iterator(); at.increment(error))
        if (!at->is_symlink(error) && at->is_directory(error))
            names.push_back(at->path().filename().string());
    return names;
}

// A group that goes meanwhile is none that was left out.
bool each_below(const Host &host, const std::string &path, const Take &take) {
    if (auto id = host.inode(cgroup_root + path))
        take(*id, path);
    std::error_code error;
    auto names = below(host, path, error);
    bool all = !error || error == std::errc::no_such_file_or_directory;
    for (const auto &name : names)
        all = each_below(host, path + "/" + name, take) && all;
    return all;
}

std::optional<uint64_t> usage_ns(const Host &host, const std::string &path) {
    constexpr std::string_view key = "usage_usec ";
    std::istringstream lines(host.read(cgroup_root + path + "/cpu.stat").value_or(""));
    for (std::string line; std::getline(lines, line);)
        if (line.starts_with(key))
            return std::stoull(line.substr(key.size())) * 1000;
    return std::nullopt;
}

} // namespace

bool each_group(const Host &host, const Take &take) {
    return each_below(host, "", take);
}

std::optional<uint64_t> own_usage_ns(const Host &host, const std::string &path) {
    if (path.empty() || path == "/")
        return std::nullopt;
    auto usage = usage_ns(host, path);
    if (!usage)
        return std::nullopt;
    std::error_code error;
    for (const auto &name : below(host, path, error))
        if (auto theirs = usage_ns(host, path + "/" + name))
            *usage -= std::min(*usage, *theirs);
    return usage;
}

} // namespace lpar
