// SPDX-License-Identifier: GPL-2.0
// What people read: aligned tables, sizes, times, a little colour.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace lpar {

enum class Colour { none, good, warning, bad, faint, title };

// @text in @colour, or as it is when colours are off.
std::string paint(std::string_view text, Colour colour, bool on);

// Control characters as '?': text from outside must not reach the terminal as a command.
std::string printable(std::string_view text);
// The same, but lines remain.
std::string printable_lines(std::string_view text);

// How many columns UTF-8 text takes (one for each character).
size_t display_width(std::string_view text);

// "512M", "1.5G", "1000": powers of 1024, at most one decimal.
std::string human_bytes(uint64_t bytes);
// "250ns", "1.5us", "12.0ms", "3.4s"
std::string human_ns(double ns);
// "800us", "1ms", "2s": exact
std::string human_us(uint64_t us);
// "12.3" below 100, then without decimals
std::string human_rate(double value);

class Table {
  public:
    struct Cell {
        Cell(std::string cell_text, Colour cell_colour = Colour::none)
            : text(std::move(cell_text)), colour(cell_colour) {}
        Cell(const char *cell_text) : text(cell_text) {}
        std::string text;
        Colour colour = Colour::none;
    };

    // A title that begins with '>' is that of a column of numbers, aligned to the right.
    explicit Table(const std::vector<std::string> &titles);
    void add(std::vector<Cell> row); // an empty cell shows as "-"
    bool empty() const { return rows_.empty(); }
    std::string text(bool colour) const;

  private:
    std::vector<std::string> titles_;
    std::vector<bool> right_;
    std::vector<std::vector<Cell>> rows_;
};

} // namespace lpar
