// SPDX-License-Identifier: GPL-2.0
// lparctl doctor: what is wrong with this host, and how to mend it.
#include <algorithm>
#include <fmt/format.h>
#include <memory>
#include <ostream>

#include "cli.h"
#include "doctor.h"
#include "format.h"

namespace lpar {

namespace {

Colour level_colour(Level level) {
    return level == Level::ok ? Colour::good : level == Level::warn ? Colour::warning : Colour::bad;
}

void doctor(Context &context, const std::string &qemu) {
    auto checks = run_checks(context.host, qemu);
    bool bad = std::any_of(checks.begin(), checks.end(),
                           [](const Check &check) { return check.level == Level::bad; });
    context.status = bad ? 1 : 0;
    if (context.json) {
        Json array = Json::array();
        for (const auto &check : checks)
            array.push_back({{"check", check.name},
                             {"level", level_name(check.level)},
                             {"found", check.found},
                             {"mend", check.mend.empty() ? Json(nullptr) : Json(check.mend)}});
        context.emit({{"ok", !bad}, {"checks", array}});
        return;
    }
    for (const auto &check : checks) {
        std::string level = fmt::format("{:<4}", level_name(check.level));
        context.out << paint(level, level_colour(check.level), context.colour) << "  "
                    << printable(check.name) << ": " << printable(check.found) << '\n';
        if (!check.mend.empty())
            context.out << "      mend: " << printable(check.mend) << '\n';
    }
}

} // namespace

void add_doctor_command(CLI::App &app, Context &context) {
    auto qemu = std::make_shared<std::string>("qemu-system-x86_64");
    auto *leaf =
        add_leaf(app, context, "doctor", "Is this host ready? Exit status 1 if something is bad",
                 "  lparctl doctor\n  lparctl doctor --qemu /opt/qemu/bin/qemu-system-x86_64",
                 [&context, qemu] { doctor(context, *qemu); });
    leaf->add_option("--qemu", *qemu, "The QEMU to ask (default: qemu-system-x86_64 on PATH)");
}

} // namespace lpar
