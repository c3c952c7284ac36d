// SPDX-License-Identifier: GPL-2.0
#include "cli.h"

#include <ostream>

#include "error.h"
#include "format.h"
#include "number.h"
#include "version.h"

namespace lpar {

namespace {

constexpr int exit_usage = 2;

constexpr auto about =
    "Shares this host's disks and NICs with KVM guests: configures partitions, shows "
    "what they do.";

constexpr auto footer = R"(Examples:
  lparctl doctor                              is this host ready?
  lparctl adapter list                        what could be shared?
  lparctl partition create web --memory 2G    a partition for the guest "web"
  lparctl disk add web /dev/nvme0n1p3         a disk for it
  lparctl nic add web --adapter eth0          a NIC for it
  lparctl stat web -i 1                       what it does, every second
  lparctl save                                … and the same after the next boot

Sizes: bytes, or K M G T P E (powers of 1024). Exit status: 0 done, 1 failed,
2 not understood; of diff 0 the same, 1 different, 2 failed.
LPAR_ROOT is put in front of /sys, /proc, /dev, /boot, /lib/modules and /run (for tests).
The keys of --json are described in lparctl(8).)";

// The names of the subcommands as far as the command line got.
std::string parsed_label(const CLI::App &app) {
    std::string label;
    const CLI::App *at = &app;
    while (!at->get_subcommands().empty()) {
        at = at->get_subcommands().front();
        label += (label.empty() ? "" : " ") + at->get_name();
    }
    return label;
}

void add_json_flag(CLI::App &app, Context &context) {
    app.add_flag("-j,--json", context.json, "Answer in JSON");
}

} // namespace

void Context::emit(const Json &json_value, bool one_line) const {
    // Text from devices need not be UTF-8.
    out << json_value.dump(one_line ? -1 : 2, ' ', false, Json::error_handler_t::replace)
        << std::endl;
}

void Context::require_privilege() const {
    if (!host.is_privileged())
        throw Failure("this needs root: sudo lparctl " + label);
}

CLI::App *add_leaf(CLI::App &group, Context &context, const std::string &name,
                   const std::string &about_leaf, const std::string &examples,
                   std::function<void()> action) {
    CLI::App *leaf = group.add_subcommand(name, about_leaf);
    add_json_flag(*leaf, context);
    leaf->footer("Examples:\n" + examples);
    leaf->callback([&context, action = std::move(action)] { context.action = action; });
    return leaf;
}

int run_command_line(int argc, const char *const *argv, Host &host, std::ostream &out,
                     std::ostream &err, bool colour, bool is_remote) {
    CLI::App app(about, "lparctl");
    Context context{host, out, err, {argv + 1, argv + argc}, is_remote, colour, false, "", {}};
    app.footer(footer);
    app.set_version_flag("-V,--version", std::string("lparctl ") + tool_version);
    add_json_flag(app, context);
    app.require_subcommand(1);
    app.fallthrough();
    app.get_formatter()->column_width(36);
    add_iov_commands(app, context);
    if (!is_remote) {
        add_adapter_commands(app, context);
        add_partition_commands(app, context);
        add_disk_commands(app, context);
        add_nic_commands(app, context);
        add_image_commands(app, context);
        add_saved_commands(app, context);
        add_stat_command(app, context);
        add_doctor_command(app, context);
    }

    auto complain = [&](const std::string &text) {
        err << "lparctl: " << (context.label.empty() ? "" : context.label + ": ")
            << printable_lines(text) << std::endl;
    };
    try {
        app.parse(argc, argv);
        refuse_empty(app);
        context.label = parsed_label(app);
        context.action();
        out.flush();
        if (!out) {
            complain("the answer could not be written");
            return context.trouble;
        }
        return context.status;
    } catch (const CLI::Success &help) { // --help, --version
        app.exit(help, out, err);
        return 0;
    } catch (const CLI::ParseError &error) {
        context.label = parsed_label(app);
        std::string command = context.label.empty() ? "" : " " + context.label;
        complain(std::string(error.what()) + ": see lparctl" + command + " --help");
        return exit_usage;
    } catch (const UsageError &error) {
        complain(error.what());
        return exit_usage;
    } catch (const Failure &failure) {
        complain(failure.what());
        return context.trouble;
    } catch (const std::exception &error) { // the C++ library's
        complain(error.what());
        return context.trouble;
    }
}

} // namespace lpar
