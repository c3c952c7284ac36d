// SPDX-License-Identifier: GPL-2.0
// What ends a command early. The texts are whole sentences for the administrator, without the
// "lparctl: <command>: " in front, in the form "<what is wrong>: <the way out>".
#pragma once

#include <stdexcept>
#include <string>

namespace lpar {

// Exit code 1: the command was understood and could not be carried out.
class Failure : public std::runtime_error {
    using std::runtime_error::runtime_error;
};

// Exit code 2: the command line makes no sense.
class UsageError : public std::runtime_error {
    using std::runtime_error::runtime_error;
};

// errno in the words of the C library, without changing it.
std::string error_text(int error);

} // namespace lpar
