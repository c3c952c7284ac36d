// SPDX-License-Identifier: GPL-2.0
#include "whole_file.h"

#include <cerrno>
#include <cstdlib>
#include <fcntl.h>
#include <filesystem>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include "error.h"
#include "undo.h"

namespace lpar {

namespace fs = std::filesystem;

namespace {

std::string read_all(int fd, const std::string &name) {
    std::string text;
    char buffer[65536];
    for (;;) {
        ssize_t count = ::read(fd, buffer, sizeof(buffer));
        if (count == 0)
            return text;
        if (count < 0 && errno != EINTR)
            throw Failure(fmt::format("{}: {}", name, error_text(errno)));
        if (count > 0)
            text.append(buffer, static_cast<size_t>(count));
    }
}

} // namespace

WholeFile::WholeFile(const std::string &file, const std::string &text, mode_t mode, bool keep)
    : file_(file) {
    struct stat present {};
    bool exists = ::stat(file.c_str(), &present) == 0;
    // another one in the place of a device or a pipe would take that from everybody
    if (exists && !S_ISREG(present.st_mode))
        throw Failure(fmt::format("{}: it is there and no regular file: it stays as it is", file));
    std::error_code error;
    fs::path target = fs::weakly_canonical(file, error); // a link stays one
    if (error)
        target = file;
    fs::create_directories(target.parent_path(), error);
    target_ = target.string();
    std::string temporary = target_ + ".XXXXXX";
    SignalHold hold;
    int fd = ::mkostemp(temporary.data(), O_CLOEXEC);
    if (fd < 0) {
        // why there is no folder says more than that there is none
        int why = errno == ENOENT && error ? error.value() : errno;
        throw Failure(fmt::format("{}: {}", file, error_text(why)));
    }
    bool done = true;
    // the owner first: a change of it may take bits of the mode away
    if (exists && keep) {
        mode = present.st_mode & 07777;
        done = ::fchown(fd, present.st_uid, present.st_gid) == 0;
    }
    done = done && ::fchmod(fd, mode) == 0;
    for (size_t at = 0; done && at < text.size();) {
        ssize_t count = ::write(fd, text.data() + at, text.size() - at);
        done = count > 0;
        at += done ? static_cast<size_t>(count) : 0;
    }
    done = done && ::fsync(fd) == 0;
    int failed = errno;
    ::close(fd);
    if (!done) {
        ::unlink(temporary.c_str());
        throw Failure(fmt::format("{}: {}", file, error_text(failed)));
    }
    temporary_ = temporary;
}

WholeFile::~WholeFile() {
    if (!temporary_.empty())
        ::unlink(temporary_.c_str());
}

void WholeFile::take_place() {
    if (::rename(temporary_.c_str(), target_.c_str()) != 0)
        throw Failure(fmt::format("{}: {}", file_, error_text(errno)));
    temporary_.clear();
}

void write_whole_file(const std::string &file, const std::string &text, mode_t mode) {
    SignalHold hold;
    WholeFile(file, text, mode).take_place();
}

std::string read_whole_file(const std::string &file) {
    int fd = ::open(file.c_str(), O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        throw Failure(fmt::format("{}: {}", file, error_text(errno)));
    try {
        std::string text = read_all(fd, file);
        ::close(fd);
        return text;
    } catch (...) {
        ::close(fd);
        throw;
    }
}

std::string read_input() {
    if (::fcntl(STDIN_FILENO, F_GETFD) < 0)
        throw Failure("standard input is closed: give a file");
    return read_all(STDIN_FILENO, "standard input");
}

} // namespace lpar
