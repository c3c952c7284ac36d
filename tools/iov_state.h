// SPDX-License-Identifier: GPL-2.0
// What was done to assign VFs and not taken back yet: in a file that does not outlast a boot, as
// what it tells of does not.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "host.h"
#include "iov.h"

namespace lpar {

inline constexpr auto iov_state_file = "/run/lpar/iov.json";

// Throw Failure with the place of what is wrong.
std::vector<IovStep> parse_iov_state(std::string_view text);
std::string format_iov_state(const std::vector<IovStep> &taken);

// What is recorded now; empty if nothing is.
std::vector<IovStep> read_iov_state(const Host &host);

// While it exists nobody else changes assignments. Every change is in the file at once.
class IovState {
  public:
    explicit IovState(const Host &host);
    ~IovState();
    IovState(const IovState &) = delete;
    IovState &operator=(const IovState &) = delete;

    const std::vector<IovStep> &taken() const { return taken_; }
    // Throws Failure, and then nothing is added; merge() likewise.
    void add(const IovStep &step);
    // A change of what is assigned: with an earlier one of the same thing it makes one
    void merge(const IovStep &step);
    // The last one that is like @step. Throws Failure if only the file has it still: a later change
    // may mend that.
    void remove(const IovStep &step);

  private:
    void write(const std::vector<IovStep> &taken) const;

    std::string file_;
    int lock_;
    std::vector<IovStep> taken_;
};

} // namespace lpar
