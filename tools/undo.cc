// SPDX-License-Identifier: GPL-2.0
#include "undo.h"

#include "error.h"

namespace lpar {

std::string Undo::roll_back() {
    std::string left;
    while (!steps_.empty()) {
        auto [what, step] = std::move(steps_.back());
        steps_.pop_back();
        if (int error = step())
            left += "; " + what + " could not be taken back: " + error_text(error);
    }
    return left;
}

SignalHold::SignalHold() {
    sigset_t held;
    sigemptyset(&held);
    for (int signal : {SIGINT, SIGTERM, SIGHUP})
        sigaddset(&held, signal);
    ::sigprocmask(SIG_BLOCK, &held, &before_);
}

SignalHold::~SignalHold() {
    ::sigprocmask(SIG_SETMASK, &before_, nullptr);
}

} // namespace lpar
