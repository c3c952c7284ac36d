// SPDX-License-Identifier: GPL-2.0
// What a client partition asks to be done to its VFs, and what that means here: values only.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "iov.h"

namespace lpar {

// A request that has no answer yet (struct lpar_manage_request).
struct IovAsked {
    uint64_t id = 0;
    std::string partition;
    std::string vf;    // empty: a text of the management partition
    uint32_t kind = 0; // enum lpar_vf_kind
    uint32_t ask = 0;  // enum lpar_ask; 0: a text
    uint64_t value = 0;
    uint32_t seconds = 0; // since it was made
    bool allowed = false; // by the policy: to be carried out
    bool taken = false;   // somebody does so, or decides
};

// "mac"; empty: there is no such thing
std::string iov_ask_name(uint32_t ask);
// The value as people write it: "52:54:00:12:34:56", "7"
std::string iov_ask_value(uint32_t ask, uint64_t value);
// "mac 52:54:00:12:34:56", "reset"
std::string iov_ask_text(uint32_t ask, uint64_t value);
// "mac=52:54:00:12:34:56", "reset". Throws UsageError.
std::pair<uint32_t, uint64_t> parse_ask(const std::string &text);

// A policy's rule for @ask, as the kernel shows it: "ask", "refuse", "allow 5-9". Throws
// UsageError.
std::string parse_rule(uint32_t ask, const std::string &text);

// The steps that do it; none for a reset. Throws Failure with the reason why it cannot be done: the
// client is told.
std::vector<IovStep> iov_ask_steps(const IovSnapshot &now, const IovAsked &asked);

} // namespace lpar
