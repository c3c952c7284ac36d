// SPDX-License-Identifier: GPL-2.0
// -t: the report on the whole terminal.
#include <clocale>
#include <ctime>
#include <curses.h>
#include <fmt/format.h>
#include <string>

#include "error.h"
#include "format.h"
#include "run.h"

namespace lpar {

namespace {

class Screen {
  public:
    Screen() {
        std::setlocale(LC_CTYPE, ""); // NOLINT(concurrency-mt-unsafe)
        // initscr() would end the program.
        screen_ = newterm(nullptr, stdout, stdin);
        if (screen_ == nullptr)
            throw Failure("-t needs a terminal that is known: is TERM right?");
        cbreak();
        noecho();
        curs_set(0);
        keypad(stdscr, TRUE);
    }
    ~Screen() {
        endwin();
        delscreen(screen_);
    }
    Screen(const Screen &) = delete;
    Screen &operator=(const Screen &) = delete;

    static void show(const std::string &text) {
        erase();
        int row = 0;
        for (size_t at = 0; at < text.size() && row < LINES; row++) {
            size_t end = text.find('\n', at);
            mvaddnstr(row, 0, text.c_str() + at,
                      static_cast<int>(std::min<size_t>(end - at, static_cast<size_t>(COLS))));
            at = end + 1;
        }
        refresh();
    }

  private:
    SCREEN *screen_;
};

std::string title(double seconds) {
    char clock[16] = "";
    std::time_t now = std::time(nullptr);
    std::tm local{};
    if (::localtime_r(&now, &local) != nullptr)
        std::strftime(clock, sizeof(clock), "%H:%M:%S", &local);
    return fmt::format("lparstat  {}  over {:.1f} s  (h histograms, q quit)\n\n", clock, seconds);
}

} // namespace

void run_screen(Watch &watch, double interval, uint64_t count, bool hist) {
    Screen screen;
    Report report;
    Screen::show(title(0) + "looking…\n");
    for (uint64_t i = 0; count == 0 || i < count;) {
        timeout(static_cast<int>(interval * 1000));
        int key = getch();
        if (key == 'q')
            return;
        if (key == 'h')
            hist = !hist;
        if (key == ERR) { // nothing was pressed for that long
            report = watch.next();
            i++;
        }
        Screen::show(title(report.seconds) + report_text(report, false) +
                     (hist ? "\n" + hist_text(report, false) : ""));
    }
}

} // namespace lpar
