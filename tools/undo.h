// SPDX-License-Identifier: GPL-2.0
// A change of several steps that happens entirely or not at all.
#pragma once

#include <csignal>
#include <functional>
#include <string>
#include <utility>
#include <vector>

namespace lpar {

class Undo {
  public:
    // @what: the step in words, should taking it back fail; @step returns 0 or an errno.
    void add(std::string what, std::function<int()> step) {
        steps_.emplace_back(std::move(what), std::move(step));
    }
    void keep() { steps_.clear(); }

    // Takes everything back, last step first, and goes on after an error. Returns what could
    // not be taken back, as the end of an error message; empty if all is as it was.
    std::string roll_back();

  private:
    std::vector<std::pair<std::string, std::function<int()>>> steps_;
};

// Interrupts wait while this exists, so that Ctrl-C cannot leave half a change behind.
class SignalHold {
  public:
    SignalHold();
    ~SignalHold();
    SignalHold(const SignalHold &) = delete;
    SignalHold &operator=(const SignalHold &) = delete;

  private:
    sigset_t before_{};
};

} // namespace lpar
