// SPDX-License-Identifier: GPL-2.0
// The command line: what can be said, and what is answered.
#pragma once

#include <CLI/CLI.hpp>
#include <functional>
#include <iosfwd>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "config.h"
#include "host.h"
#include "undo.h"

namespace lpar {

using Json = nlohmann::ordered_json;

// What a command needs; it lives as long as the command line is being carried out.
struct Context {
    Host &host;
    std::ostream &out;
    std::ostream &err;
    std::vector<std::string> words; // as they were given, without the program's name
    bool is_remote = false;         // for the management partition: lparctl iov, and not all of it
    bool colour = false;
    bool json = false;
    std::string label;            // "disk add"
    std::function<void()> action; // of the command that was given; may throw Failure, UsageError
    int status = 0;               // exit code of an action that ends normally
    int trouble = 1;              // of one that fails
    // of one that changes something: who interrupts it hears first what has become of that
    std::optional<SignalHold> hold{};

    void emit(const Json &json_value, bool one_line = false) const;
    void require_privilege() const;
};

// Exit codes: 0 done, 1 failed (diff: 2), 2 not understood. @is_remote: see Context
int run_command_line(int argc, const char *const *argv, Host &host, std::ostream &out,
                     std::ostream &err, bool colour, bool is_remote = false);

// A subcommand that does something: -j, examples below its help, and @action.
CLI::App *add_leaf(CLI::App &group, Context &context, const std::string &name,
                   const std::string &about, const std::string &examples,
                   std::function<void()> action);

void add_adapter_commands(CLI::App &app, Context &context);
void add_partition_commands(CLI::App &app, Context &context);
void add_disk_commands(CLI::App &app, Context &context);
void add_nic_commands(CLI::App &app, Context &context);
void add_image_commands(CLI::App &app, Context &context);
void add_iov_commands(CLI::App &app, Context &context);
void add_mailbox_commands(CLI::App &group, Context &context);
// Has the host do it where this is a guest, if it is the management partition; else @action.
void managed(Context &context, const std::function<void()> &action);
void add_saved_commands(CLI::App &app, Context &context);
void add_stat_command(CLI::App &app, Context &context);
void add_doctor_command(CLI::App &app, Context &context);

Json disk_json(const Disk &disk);
std::string status_text(const Disk &disk);
Json nic_json(const Nic &nic);
std::string status_text(const Nic &nic);
Json partition_json(const Partition &partition);

} // namespace lpar
