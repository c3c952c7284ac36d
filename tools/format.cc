// SPDX-License-Identifier: GPL-2.0
#include "format.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>

namespace lpar {

std::string paint(std::string_view text, Colour colour, bool on) {
    static constexpr std::array codes = {"", "32", "33", "31", "2", "1"};
    if (!on || colour == Colour::none)
        return std::string(text);
    return fmt::format("\x1b[{}m{}\x1b[0m", codes.at(static_cast<size_t>(colour)), text);
}

// How many bytes its first character has: 0 if it does not begin with one in UTF-8.
static size_t utf8_length(std::string_view text) {
    auto lead = static_cast<unsigned char>(text[0]);
    size_t length = lead < 0x80   ? 1
                    : lead < 0xc2 ? 0
                    : lead < 0xe0 ? 2
                    : lead < 0xf0 ? 3
                    : lead < 0xf5 ? 4
                                  : 0;
    if (length > text.size() || !std::ranges::all_of(text.substr(1, length - (length > 0)),
                                                     [](char c) { return (c & 0xc0) == 0x80; }))
        return 0;
    return length;
}

std::string printable(std::string_view text) {
    std::string result;
    while (!text.empty()) {
        auto length = utf8_length(text);
        auto one = text.substr(0, std::max<size_t>(length, 1));
        bool control = length == 1 ? one[0] < ' ' || one[0] == 0x7f
                                   : length == 2 && one[0] == '\xc2' && (one[1] & 0xe0) == 0x80;
        if (length == 0 || control)
            result += '?';
        else
            result += one;
        text.remove_prefix(one.size());
    }
    return result;
}

std::string printable_lines(std::string_view text) {
    std::string result;
    for (;;) {
        auto end = text.find('\n');
        result += printable(text.substr(0, end));
        if (end == std::string_view::npos)
            return result;
        result += '\n';
        text.remove_prefix(end + 1);
    }
}

size_t display_width(std::string_view text) {
    return static_cast<size_t>(
        std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xc0) != 0x80; }));
}

std::string human_bytes(uint64_t bytes) {
    static constexpr std::string_view suffixes = "KMGTPE";
    if (bytes < 1024)
        return std::to_string(bytes);
    size_t power = 0;
    while (power + 1 < suffixes.size() && (bytes >> (10 * (power + 2))) != 0)
        power++;
    uint64_t unit = 1ull << (10 * (power + 1));
    if (bytes % unit == 0)
        return fmt::format("{}{}", bytes / unit, suffixes[power]);
    // Down, not to the nearest: 1023.96M must not become 1024.0M.
    uint64_t tenths = bytes / unit * 10 + bytes % unit * 10 / unit; // fits: 10 EiB
    return fmt::format("{}.{}{}", tenths / 10, tenths % 10, suffixes[power]);
}

std::string human_ns(double ns) {
    if (ns < 1e3)
        return fmt::format("{:.0f}ns", ns);
    if (ns < 1e6)
        return fmt::format("{:.1f}us", ns / 1e3);
    if (ns < 1e9)
        return fmt::format("{:.1f}ms", ns / 1e6);
    return fmt::format("{:.1f}s", ns / 1e9);
}

std::string human_us(uint64_t us) {
    if (us != 0 && us % 1000000 == 0)
        return fmt::format("{}s", us / 1000000);
    if (us != 0 && us % 1000 == 0)
        return fmt::format("{}ms", us / 1000);
    return fmt::format("{}us", us);
}

std::string human_rate(double value) {
    if (value == 0)
        return "0";
    return fmt::format("{:.{}f}", value, value < 99.95 ? 1 : 0);
}

Table::Table(const std::vector<std::string> &titles) {
    for (const auto &title : titles) {
        bool right = title.starts_with('>');
        right_.push_back(right);
        titles_.push_back(right ? title.substr(1) : title);
    }
}

void Table::add(std::vector<Cell> row) {
    row.resize(titles_.size(), Cell(""));
    for (auto &cell : row)
        cell.text = cell.text.empty() ? "-" : printable(cell.text);
    rows_.push_back(std::move(row));
}

std::string Table::text(bool colour) const {
    std::vector<size_t> widths;
    for (size_t i = 0; i < titles_.size(); i++) {
        size_t width = display_width(titles_[i]);
        for (const auto &row : rows_)
            width = std::max(width, display_width(row[i].text));
        widths.push_back(width);
    }

    std::string result;
    auto put = [&](size_t column, const std::string &text, Colour paint_as) {
        size_t fill = widths[column] - display_width(text);
        bool last = column + 1 == titles_.size();
        if (right_[column])
            result.append(fill, ' ');
        result += paint(text, paint_as, colour);
        if (!last)
            result.append((right_[column] ? 0 : fill) + 2, ' ');
    };
    for (size_t i = 0; i < titles_.size(); i++)
        put(i, titles_[i], Colour::title);
    result += '\n';
    for (const auto &row : rows_) {
        for (size_t i = 0; i < row.size(); i++)
            put(i, row[i].text, row[i].colour);
        result += '\n';
    }
    return result;
}

} // namespace lpar
