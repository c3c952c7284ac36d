// SPDX-License-Identifier: GPL-2.0
// Files that are read whole, and written whole or not at all.
#pragma once

#include <string>
#include <sys/types.h>

namespace lpar {

// A file's new text, under another name beside it. It goes unless it takes the file's place.
class WholeFile {
  public:
    // Makes the folder; a link stays one. Throws Failure, also if the file is there and no regular
    // one. @keep: the mode and the owner of the file that is there, if it is, in place of @mode.
    WholeFile(const std::string &file, const std::string &text, mode_t mode, bool keep = false);
    ~WholeFile();
    WholeFile(const WholeFile &) = delete;
    WholeFile &operator=(const WholeFile &) = delete;

    // Throws Failure.
    void take_place();

  private:
    std::string file_;
    std::string target_;
    std::string temporary_; // empty: it is nothing that must go
};

// Also if the power fails now. Throws Failure, as WholeFile does.
void write_whole_file(const std::string &file, const std::string &text, mode_t mode);

// To the byte. Throw Failure, with the file's name or "standard input".
std::string read_whole_file(const std::string &file);
std::string read_input();

} // namespace lpar
