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

void write_whole_file(const std::string &file, const std::string &text, mode_t mode) {
    std::error_code error;
    fs::path target = fs::weakly_canonical(file, error); // a link stays one
    if (error)
        target = file;
    fs::create_directories(target.parent_path(), error);
    std::string temporary = target.string() + ".XXXXXX";
    int fd = ::mkostemp(temporary.data(), O_CLOEXEC);
    if (fd < 0)
        throw Failure(fmt::format("{}: {}", file, error_text(errno)));
    SignalHold hold;
    bool done = ::fchmod(fd, mode) == 0;
    for (size_t at = 0; done && at < text.size();) {
        ssize_t count = ::write(fd, text.data() + at, text.size() - at);
        done = count > 0;
        at += done ? static_cast<size_t>(count) : 0;
    }
    done = done && ::fsync(fd) == 0;
    int failed = errno;
    ::close(fd);
    if (done && ::rename(temporary.c_str(), target.c_str()) != 0) {
        failed = errno;
        done = false;
    }
    if (done)
        return;
    ::unlink(temporary.c_str());
    throw Failure(fmt::format("{}: {}", file, error_text(failed)));
}

} // namespace lpar
