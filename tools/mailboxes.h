// SPDX-License-Identifier: GPL-2.0
// Both ends of what partitions ask for: /dev/lpar-manage on the host, /dev/lpar-iovN in a guest.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "iov_ask.h"

namespace lpar {

// The host's: requests that have no answer yet. Whoever goes gives back what he has taken.
class Desk {
  public:
    Desk() = default;
    virtual ~Desk() = default;
    Desk(const Desk &) = delete;
    Desk &operator=(const Desk &) = delete;

    virtual std::vector<IovAsked> requests() = 0;
    // Nobody else answers it then. Returns the text that it is about; nothing if it is not to be
    // had (any more). Throws Failure.
    virtual std::optional<std::string> take(const IovAsked &asked) = 0;
    // False: nobody waits for the answer any more. Throws Failure.
    virtual bool end(uint64_t id, uint32_t status, const std::string &text) = 0;
    // Until something has changed since the last look at the requests, or so many seconds.
    virtual void wait(double seconds) = 0;
};

// A guest's: one of its mailboxes
struct Mailbox {
    std::string device; // /dev/lpar-iov0
    uint32_t function = 0;
    std::vector<uint8_t> records; // nobody has checked them
};

struct Verdict {
    uint32_t status = 0; // enum lpar_status
    std::string text;
};

class Mailboxes {
  public:
    Mailboxes() = default;
    virtual ~Mailboxes() = default;
    Mailboxes(const Mailboxes &) = delete;
    Mailboxes &operator=(const Mailboxes &) = delete;

    virtual std::vector<Mailbox> list() = 0;
    // Waits; @seconds: how long, 0: as long as it takes. Throws Failure.
    virtual Verdict ask(const Mailbox &mailbox, uint32_t ask, uint64_t value, uint32_t seconds) = 0;
    // Says something to the management side. Throws Failure.
    virtual Verdict manage(const std::string &text) = 0;
};

// These are what Host opens on a real machine. Throw Failure; the second is nothing where no
// device of lpar is.
std::unique_ptr<Desk> open_desk();
std::unique_ptr<Mailboxes> open_mailboxes();

} // namespace lpar
