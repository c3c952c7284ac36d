// SPDX-License-Identifier: GPL-2.0
// The management side: carrying out what partitions ask for, and speaking with the management
// partition.
#pragma once

#include <iosfwd>
#include <string>

#include "host.h"
#include "mailboxes.h"

namespace lpar {

// Does what @asked asks for, on the adapter. Throws Failure with the reason why not; then all is
// as it was.
void iov_grant(Host &host, const IovAsked &asked);

// One look at the requests: carries out what the policy allows, at most one of each partition, and
// answers texts. Says on @log what was done.
void iov_serve_once(Host &host, Desk &desk, std::ostream &log);

// The management partition's side of it: what lparctl is to be called with, as a text; and its
// answer.
std::string manage_question(const std::vector<std::string> &words);
struct ManageAnswer {
    int status = 1;
    std::string out;
    std::string err;
};
ManageAnswer manage_answer_of(const std::string &text);
// What the host makes of a question: lparctl iov, and nothing else of lparctl
std::string manage(Host &host, const std::string &question);

} // namespace lpar
