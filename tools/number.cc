// SPDX-License-Identifier: GPL-2.0
#include "number.h"

#include <charconv>
#include <fmt/format.h>
#include <string_view>

#include "format.h"

namespace lpar {

namespace {

constexpr std::string_view digits = "0123456789";

std::string range_text(uint64_t least, uint64_t most) {
    if (most < std::numeric_limits<int32_t>::max()) // no limit of a type
        return fmt::format("{} to {}", least, most);
    return least == 0 ? "" : fmt::format("{} or more", least);
}

std::string wanted_text(const std::string &what, const std::string &range,
                        const std::string &text) {
    return fmt::format("{} is wanted{}{}, not '{}'", what, range.empty() ? "" : ", ", range,
                       printable(text));
}

} // namespace

CLI::Validator whole_number(uint64_t least, uint64_t most) {
    std::string range = range_text(least, most);
    return {[=](std::string &text) -> std::string {
                uint64_t number = 0;
                const char *end = text.data() + text.size();
                auto [stop, error] = std::from_chars(text.data(), end, number);
                if (error != std::errc() || stop != end || number < least || number > most)
                    return wanted_text("a number", range, text);
                text = std::to_string(number); // zeroes in front would make it octal
                return "";
            },
            range};
}

void refuse_empty(const CLI::App &app, const CLI::Option *but) {
    for (const CLI::Option *option : app.get_options())
        for (const auto &word : option->results())
            if (word.empty() && option != but)
                throw CLI::ValidationError(option->get_name(), "a value is wanted, not ''");
    for (const CLI::App *sub : app.get_subcommands())
        refuse_empty(*sub, but);
}

CLI::Validator seconds_between(double least, double most) {
    std::string range = fmt::format("{} to {}", least, most);
    return {[=](std::string &text) -> std::string {
                auto dot = text.find('.');
                std::string both = text;
                if (dot != std::string::npos)
                    both.erase(dot, 1);
                bool good = !both.empty() && both.find_first_not_of(digits) == std::string::npos;
                double number = 0;
                if (good)
                    std::from_chars(text.data(), text.data() + text.size(), number);
                if (!good || !(number >= least && number <= most))
                    return wanted_text("a number of seconds", range, text);
                return "";
            },
            range};
}

} // namespace lpar
