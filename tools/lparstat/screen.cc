// SPDX-License-Identifier: GPL-2.0
// -t: the report on the whole terminal.
#include <algorithm>
#include <clocale>
#include <cmath>
#include <ctime>
#include <curses.h>
#include <fmt/format.h>
#include <string>
#include <unistd.h>

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

void run_pages(Watch &watch, Host &host, const Terminal &terminal, double interval, uint64_t count,
               bool hist) {
    constexpr double early = 1e-3; // a wait may end so much too soon
    constexpr double tick = 0.05;
    Report report;
    terminal.show(title(0) + "looking…\n");
    double deadline = host.now() + interval;
    for (uint64_t i = 0; count == 0 || i < count;) {
        double left = deadline - host.now();
        int key = left > early ? terminal.key(static_cast<int>(std::ceil(left * 1000))) : -1;
        if (key == 'q')
            return;
        if (key == 'h')
            hist = !hist;
        left = deadline - host.now();
        if (key < 0 && left > early) { // the terminal is gone, or a signal came
            host.sleep(std::min(left, tick));
            continue;
        }
        if (left <= early) {
            report = watch.next();
            i++;
            deadline = host.now() + interval;
        }
        if (i != 0)
            terminal.show(title(report.seconds) + report_text(report, false) +
                          (hist ? "\n" + hist_text(report, false) : ""));
    }
}

void run_screen(Watch &watch, Host &host, double interval, uint64_t count, bool hist) {
    if (::isatty(STDIN_FILENO) == 0 || ::isatty(STDOUT_FILENO) == 0)
        throw Failure("-t needs a terminal, for what it shows and for keys: use -i without one");
    Screen screen;
    Terminal terminal{[](int milliseconds) {
                          timeout(milliseconds);
                          return getch();
                      },
                      Screen::show};
    run_pages(watch, host, terminal, interval, count, hist);
}

} // namespace lpar
