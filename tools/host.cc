// SPDX-License-Identifier: GPL-2.0
#include "host.h"

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <cstdlib>
#include <fcntl.h>
#include <filesystem>
#include <fmt/format.h>
#include <fstream>
#include <iterator>
#include <poll.h>
#include <spawn.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <system_error>
#include <time.h>
#include <unistd.h>

#include "error.h"
#include "lpar/control.h"
#include "mailboxes.h"

namespace lpar {

namespace fs = std::filesystem;

namespace {

// How long a program that is only asked a question may take.
constexpr double run_seconds = 15;

class File {
  public:
    explicit File(int fd) : fd_(fd) {}
    ~File() { reset(); }
    File(const File &) = delete;
    File &operator=(const File &) = delete;
    [[nodiscard]] int get() const { return fd_; }
    void reset() {
        if (fd_ >= 0)
            ::close(fd_);
        fd_ = -1;
    }

  private:
    int fd_;
};

// Reads @fd to its end, or until @deadline (false).
bool drain(int fd, std::string &text, double deadline, const Host &host) {
    char buffer[4096];
    for (;;) {
        double left = deadline - host.now();
        if (left <= 0)
            return false;
        pollfd ready{fd, POLLIN, 0};
        int n = ::poll(&ready, 1, static_cast<int>(left * 1000) + 1);
        if (n < 0 && errno != EINTR)
            return false;
        if (n <= 0)
            continue;
        ssize_t got = ::read(fd, buffer, sizeof(buffer));
        if (got == 0)
            return true;
        if (got < 0 && errno != EINTR)
            return false;
        if (got > 0)
            text.append(buffer, static_cast<size_t>(got));
    }
}

} // namespace

std::string error_text(int error) {
    return std::generic_category().message(error);
}

std::string base_name(std::string_view path) {
    return std::string(path.substr(path.rfind('/') + 1));
}

bool natural_less(std::string_view a, std::string_view b) {
    auto digit = [](char c) { return c >= '0' && c <= '9'; };
    size_t i = 0;
    size_t j = 0;
    while (i < a.size() && j < b.size()) {
        if (!digit(a[i]) || !digit(b[j])) {
            if (a[i] != b[j])
                return a[i] < b[j];
            i++;
            j++;
            continue;
        }
        size_t i_end = i;
        size_t j_end = j;
        while (i_end < a.size() && digit(a[i_end]))
            i_end++;
        while (j_end < b.size() && digit(b[j_end]))
            j_end++;
        while (i + 1 < i_end && a[i] == '0')
            i++;
        while (j + 1 < j_end && b[j] == '0')
            j++;
        if (i_end - i != j_end - j)
            return i_end - i < j_end - j;
        if (int order = a.substr(i, i_end - i).compare(b.substr(j, j_end - j)))
            return order < 0;
        i = i_end;
        j = j_end;
    }
    if (a.size() - i != b.size() - j)
        return a.size() - i < b.size() - j;
    return a < b; // "d01" and "d1": any order, but always the same
}

Host::Host(const std::string &root) {
    std::error_code error;
    fs::path canonical = fs::canonical(root, error);
    if (error)
        throw Failure("LPAR_ROOT=" + root + ": " + error.message());
    if (canonical != "/")
        root_ = canonical.string();
}

std::optional<std::string> Host::read_exact(const std::string &path) const {
    // sysfs answers an unreadable attribute (EIO, ENODEV…) at read time, not at open time.
    std::ifstream file(real_path(path), std::ios::binary);
    if (!file)
        return std::nullopt;
    std::string text;
    try {
        text.assign(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>());
    } catch (const std::ios_base::failure &) { // the C++ library's way to say so
        return std::nullopt;
    }
    if (file.bad())
        return std::nullopt;
    return text;
}

std::optional<std::string> Host::read(const std::string &path) const {
    auto text = read_exact(path);
    if (text)
        text->resize(text->find_last_not_of(" \t\r\n") + 1); // npos + 1 is 0
    return text;
}

std::optional<uint64_t> Host::read_number(const std::string &path) const {
    auto text = read(path);
    if (!text)
        return std::nullopt;
    uint64_t value = 0;
    const char *end = text->data() + text->size();
    auto [stop, error] = std::from_chars(text->data(), end, value);
    if (error != std::errc() || stop != end)
        return std::nullopt;
    return value;
}

bool Host::exists(const std::string &path) const {
    std::error_code error;
    return fs::exists(real_path(path), error);
}

bool Host::is_directory(const std::string &path) const {
    std::error_code error;
    return fs::is_directory(fs::symlink_status(real_path(path), error));
}

std::optional<uint64_t> Host::inode(const std::string &path) const {
    struct stat st {};
    if (::stat(real_path(path).c_str(), &st) != 0)
        return std::nullopt;
    return st.st_ino;
}

std::vector<std::string> Host::list(const std::string &path) const {
    std::vector<std::string> names;
    std::error_code error;
    fs::directory_iterator at(real_path(path), error);
    while (!error && at != fs::directory_iterator()) {
        names.push_back(at->path().filename().string());
        at.increment(error);
    }
    std::sort(names.begin(), names.end(), natural_less);
    return names;
}

std::optional<std::string> Host::resolve(const std::string &path) const {
    std::error_code error;
    std::string found = fs::canonical(real_path(path), error).string();
    if (error || !found.starts_with(root_))
        return std::nullopt;
    return found.substr(root_.size());
}

std::optional<std::string> Host::block_name(const std::string &path) const {
    std::string name;
    if (is_real()) {
        struct stat st {};
        if (::stat(path.c_str(), &st) != 0 || !S_ISBLK(st.st_mode))
            return std::nullopt;
        auto node = resolve("/sys/dev/block/" + std::to_string(major(st.st_rdev)) + ":" +
                            std::to_string(minor(st.st_rdev)));
        if (!node)
            return std::nullopt;
        name = base_name(*node);
    } else {
        // A tree of plain files has no device nodes: the name has to do.
        std::string target = resolve(path).value_or(fs::path(path).lexically_normal().string());
        if (!target.starts_with("/dev/"))
            return std::nullopt;
        name = target.substr(5);
        std::replace(name.begin(), name.end(), '/', '!');
    }
    if (name.empty() || !exists("/sys/class/block/" + name))
        return std::nullopt;
    return name;
}

int Host::write(const std::string &path, const std::string &text) {
    File file(::open(real_path(path).c_str(), O_WRONLY | O_CLOEXEC));
    if (file.get() < 0)
        return errno;
    ssize_t done = ::write(file.get(), text.data(), text.size());
    if (done < 0)
        return errno;
    return static_cast<size_t>(done) == text.size() ? 0 : EIO;
}

int Host::make_directory(const std::string &path) {
    return ::mkdir(real_path(path).c_str(), 0755) == 0 ? 0 : errno;
}

int Host::remove_directory(const std::string &path) {
    return ::rmdir(real_path(path).c_str()) == 0 ? 0 : errno;
}

int Host::probe(lpar_probe &probe) {
    File device(::open(real_path(LPAR_DEVICE).c_str(), O_RDWR | O_CLOEXEC));
    // The device's own absence must not look like an answer about the probed one.
    if (device.get() < 0)
        throw Failure(errno == ENOENT || errno == ENXIO || errno == ENODEV
                          ? std::string(LPAR_DEVICE) + " is not there: modprobe lpar_host"
                          : std::string(LPAR_DEVICE) + ": " + error_text(errno));
    probe.size = sizeof(probe);
    if (::ioctl(device.get(), LPAR_PROBE, &probe) == 0)
        return 0;
    if (errno == ENOTTY)
        throw Failure(std::string(LPAR_DEVICE) +
                      " does not know the question: is the module as new as lparctl?");
    return errno;
}

std::unique_ptr<Desk> Host::open_desk() {
    if (!is_real())
        throw Failure("there are no requests: this is no real machine");
    return lpar::open_desk();
}

std::unique_ptr<Mailboxes> Host::open_mailboxes() {
    return is_real() ? lpar::open_mailboxes() : nullptr;
}

bool Host::is_privileged() const {
    return !is_real() || ::geteuid() == 0;
}

std::optional<std::string> Host::find_program(const std::string &name) const {
    auto executable = [](const std::string &path) {
        struct stat st {};
        return ::stat(path.c_str(), &st) == 0 && S_ISREG(st.st_mode) &&
               ::access(path.c_str(), X_OK) == 0;
    };
    if (name.find('/') != std::string::npos)
        return executable(name) ? std::optional(name) : std::nullopt;
    const char *variable = std::getenv("PATH"); // NOLINT(concurrency-mt-unsafe)
    std::string_view rest = variable != nullptr ? variable : "";
    while (!rest.empty()) {
        auto colon = rest.find(':');
        std::string path = std::string(rest.substr(0, colon)) + "/" + name;
        if (path[0] == '/' && executable(path))
            return path;
        rest = colon == std::string_view::npos ? "" : rest.substr(colon + 1);
    }
    return std::nullopt;
}

namespace {

// They do not outlive @arguments.
std::vector<char *> arguments_of(const std::vector<std::string> &arguments) {
    std::vector<char *> argv;
    argv.reserve(arguments.size() + 1);
    for (const auto &argument : arguments)
        argv.push_back(const_cast<char *>(argument.c_str()));
    argv.push_back(nullptr);
    return argv;
}

} // namespace

int Host::attend(const std::vector<std::string> &arguments) const {
    auto argv = arguments_of(arguments);
    sigset_t terminal;
    sigemptyset(&terminal);
    sigaddset(&terminal, SIGINT);
    sigaddset(&terminal, SIGQUIT);
    posix_spawnattr_t attributes;
    ::posix_spawnattr_init(&attributes);
    ::posix_spawnattr_setsigdefault(&attributes, &terminal);
    ::posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF);
    auto interrupt = std::signal(SIGINT, SIG_IGN);
    auto quit = std::signal(SIGQUIT, SIG_IGN);
    pid_t pid = 0;
    int status = 0;
    int error = ::posix_spawnp(&pid, argv[0], nullptr, &attributes, argv.data(), environ);
    ::posix_spawnattr_destroy(&attributes);
    while (error == 0 && ::waitpid(pid, &status, 0) < 0)
        error = errno == EINTR ? 0 : errno;
    std::signal(SIGINT, interrupt);
    std::signal(SIGQUIT, quit);
    if (error != 0)
        throw Failure(fmt::format("{}: {}", arguments[0], error_text(error)));
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

RunResult Host::run(const std::vector<std::string> &arguments) const {
    RunResult result;
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0)
        return result;
    File in(ends[0]);
    File out(ends[1]);

    auto argv = arguments_of(arguments);
    posix_spawn_file_actions_t actions;
    ::posix_spawn_file_actions_init(&actions);
    ::posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    ::posix_spawn_file_actions_adddup2(&actions, out.get(), STDOUT_FILENO);
    ::posix_spawn_file_actions_adddup2(&actions, out.get(), STDERR_FILENO);
    pid_t pid = 0;
    int error = ::posix_spawnp(&pid, argv[0], &actions, nullptr, argv.data(), environ);
    ::posix_spawn_file_actions_destroy(&actions);
    out.reset();
    if (error != 0)
        return result;

    bool ended = drain(in.get(), result.output, now() + run_seconds, *this);
    if (!ended)
        ::kill(pid, SIGKILL);
    int status = 0;
    while (::waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    if (ended && WIFEXITED(status))
        result.status = WEXITSTATUS(status);
    return result;
}

double Host::now() const {
    timespec time{};
    ::clock_gettime(CLOCK_MONOTONIC, &time);
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) / 1e9;
}

void Host::sleep(double seconds) {
    timespec left{};
    left.tv_sec = static_cast<time_t>(seconds);
    left.tv_nsec = static_cast<long>((seconds - static_cast<double>(left.tv_sec)) * 1e9);
    while (::nanosleep(&left, &left) != 0 && errno == EINTR)
        ;
}

} // namespace lpar
