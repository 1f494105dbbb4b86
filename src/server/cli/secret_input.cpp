#include "server/cli/secret_input.hpp"

#include <fcntl.h>
#include <termios.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <istream>
#include <optional>
#include <utility>

#include "common/base/utf8.hpp"
#include "common/log/logger.hpp"
#include "common/net/unique_fd.hpp"

namespace portunus::server::cli {
namespace {

constexpr auto kNotText = "stream did not contain valid UTF-8";

std::unexpected<std::string> system_fault() {
  return std::unexpected(std::string(std::strerror(errno)));
}

volatile std::sig_atomic_t caught_signal = 0;

void catch_signal(int number) {
  caught_signal = number;
}

/// The terminal without echo for as long as this lives. A signal that would end the process ends
/// the reading instead and takes effect when the terminal is as it was, so that no shell is left
/// blind.
class QuietTerminal {
 public:
  explicit QuietTerminal(int fd) : fd_(fd) {
    caught_signal = 0;
    struct sigaction interrupt{};
    interrupt.sa_handler = catch_signal;  // without SA_RESTART, so that reading stops
    for (std::size_t i = 0; i < kSignals.size(); ++i) {
      ::sigaction(kSignals[i], &interrupt, &handlers_[i]);
    }
    if (::tcgetattr(fd_, &before_) != 0) return;
    termios quiet = before_;
    quiet.c_lflag &= ~static_cast<tcflag_t>(ECHO);
    quiet.c_lflag |= ECHONL;
    changed_ = ::tcsetattr(fd_, TCSAFLUSH, &quiet) == 0;
  }
  ~QuietTerminal() {
    const int fault = errno;
    if (changed_) ::tcsetattr(fd_, TCSADRAIN, &before_);
    for (std::size_t i = 0; i < kSignals.size(); ++i) {
      ::sigaction(kSignals[i], &handlers_[i], nullptr);
    }
    if (caught_signal != 0) ::raise(caught_signal);
    errno = fault;
  }
  QuietTerminal(const QuietTerminal&) = delete;
  QuietTerminal& operator=(const QuietTerminal&) = delete;

  bool quiet() const { return changed_; }

 private:
  static constexpr std::array kSignals = {SIGINT, SIGTERM, SIGHUP, SIGQUIT};
  int fd_;
  termios before_{};
  std::array<struct sigaction, kSignals.size()> handlers_{};
  bool changed_ = false;
};

/// Up to a newline or the end; nothing with errno on a fault or a signal.
std::optional<std::string> read_line(int fd) {
  std::string line;
  while (true) {
    char byte = 0;
    const ssize_t n = ::read(fd, &byte, 1);
    if (n < 0 && errno == EINTR && caught_signal == 0) continue;
    if (n < 0) return std::nullopt;
    if (n == 0 || byte == '\n') return line;
    line.push_back(byte);
  }
}

/// errno says why if there is none.
std::optional<std::string> ask(int fd, std::string_view prompt) {
  const QuietTerminal terminal(fd);
  if (!terminal.quiet()) return std::nullopt;
  // What the command itself writes is collected until its end; a prompt cannot wait.
  if (::write(STDERR_FILENO, prompt.data(), prompt.size()) < 0) return std::nullopt;
  return read_line(fd);
}

SecretInput as_secret(std::string line) {
  while (line.ends_with('\r') || line.ends_with('\n')) line.pop_back();
  if (!is_utf8(line)) return std::unexpected(kNotText);
  return Secret(std::move(line));
}

}  // namespace

SecretInput ask_on_terminal(std::string_view prompt) {
  net::UniqueFd terminal(::open("/dev/tty", O_RDWR | O_CLOEXEC));
  // Without a controlling terminal, stdin may still be one.
  if (!terminal && ::isatty(STDIN_FILENO) != 1) return system_fault();
  log::flush();
  auto line = ask(terminal ? terminal.get() : STDIN_FILENO, prompt);
  if (!line) return system_fault();
  return as_secret(std::move(*line));
}

SecretInput read_secret_line(std::istream* in) {
  std::string line;
  if (in == nullptr || !std::getline(*in, line)) return std::unexpected("no line on stdin");
  return as_secret(std::move(line));
}

}  // namespace portunus::server::cli
