#include "standalone/terminal.hpp"

// Terminal descriptions, their capabilities and what keys send are the library's business.
#define NCURSES_NOMACROS 1
#include <ncurses.h>
#include <unistd.h>

#include <clocale>
#include <cstdio>
#include <cstdlib>

namespace portunus::standalone {
namespace {

constexpr int kInterrupt = 3;
constexpr int kEscape = 27;
constexpr int kDelete = 127;
/// How long the terminal may take to send the rest of a key that begins with Escape.
constexpr int kEscapeMillis = 25;

enum Pair : short { pair_good = 1, pair_warn, pair_bad, pair_in, pair_out };

int attribute_of(Style style) {
  switch (style) {
    case Style::plain:
      return static_cast<int>(A_NORMAL);
    case Style::bar:
      return static_cast<int>(A_REVERSE);
    case Style::bold:
      return static_cast<int>(A_BOLD);
    case Style::dim:
      return static_cast<int>(A_DIM);
    case Style::selected:
      return static_cast<int>(A_BOLD | A_REVERSE);
    case Style::good:
      return COLOR_PAIR(pair_good);
    case Style::warn:
      return COLOR_PAIR(pair_warn);
    case Style::bad:
      return COLOR_PAIR(pair_bad);
    case Style::in:
      return COLOR_PAIR(pair_in);
    case Style::out:
      return COLOR_PAIR(pair_out);
  }
  return static_cast<int>(A_NORMAL);
}

void start_colours() {
  const char* none = std::getenv("NO_COLOR");
  if (!::has_colors() || (none != nullptr && *none != '\0')) return;
  ::start_color();
  ::use_default_colors();
  ::init_pair(pair_good, COLOR_GREEN, -1);
  ::init_pair(pair_warn, COLOR_YELLOW, -1);
  ::init_pair(pair_bad, COLOR_RED, -1);
  ::init_pair(pair_in, COLOR_CYAN, -1);
  ::init_pair(pair_out, COLOR_MAGENTA, -1);
}

}  // namespace

std::expected<std::unique_ptr<Terminal>, std::string> Terminal::open() {
  if (::isatty(STDIN_FILENO) != 1 || ::isatty(STDOUT_FILENO) != 1) {
    return std::unexpected("standard input and output must be a terminal");
  }
  // The frames and bars are not ASCII.
  if (std::setlocale(LC_CTYPE, "") == nullptr || MB_CUR_MAX == 1) {
    std::setlocale(LC_CTYPE, "C.UTF-8");
  }
  if (::newterm(nullptr, stdout, stdin) == nullptr) {
    const char* name = std::getenv("TERM");
    return std::unexpected("cannot use a terminal of type \"" +
                           std::string(name == nullptr ? "" : name) + "\"");
  }
  ::raw();  // Ctrl-C is a key here, so that the way out is always the same
  ::noecho();
  ::keypad(::stdscr, true);
  ::nodelay(::stdscr, true);
  ::set_escdelay(kEscapeMillis);
  ::curs_set(0);
  start_colours();
  return std::unique_ptr<Terminal>(new Terminal);
}

Terminal::~Terminal() {
  ::endwin();
}

Canvas Terminal::canvas() const {
  return Canvas(::getmaxx(::stdscr), ::getmaxy(::stdscr));
}

void Terminal::show(const Canvas& canvas) {
  ::werase(::stdscr);
  for (int y = 0; y < canvas.height(); ++y) {
    ::wmove(::stdscr, y, 0);
    for (int x = 0; x < canvas.width(); ++x) {
      const Canvas::Cell& cell = canvas.at(x, y);
      ::wattrset(::stdscr, attribute_of(cell.style));
      ::waddstr(::stdscr, cell.text.c_str());
    }
  }
  ::wattrset(::stdscr, static_cast<int>(A_NORMAL));
  ::wrefresh(::stdscr);
}

std::optional<Terminal::Pressed> Terminal::key() {
  const int code = ::wgetch(::stdscr);
  switch (code) {
    case ERR:
    case KEY_RESIZE:
      return std::nullopt;
    case KEY_UP:
      return Pressed{Key::up, '\0', false};
    case KEY_DOWN:
      return Pressed{Key::down, '\0', false};
    case KEY_LEFT:
    case KEY_BTAB:
      return Pressed{Key::left, '\0', false};
    case KEY_RIGHT:
    case '\t':
      return Pressed{Key::right, '\0', false};
    case KEY_ENTER:
    case '\n':
    case '\r':
      return Pressed{Key::enter, '\0', false};
    case KEY_BACKSPACE:
    case '\b':
    case kDelete:
      return Pressed{Key::backspace, '\0', false};
    case kEscape:
      return Pressed{Key::escape, '\0', false};
    case kInterrupt:
      return Pressed{Key::character, '\0', true};
    default:
      break;
  }
  if (code < ' ' || code > '~') return std::nullopt;
  return Pressed{Key::character, static_cast<char>(code), false};
}

}  // namespace portunus::standalone
