#include "portal/cli/run_portal.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cstdio>
#include <optional>
#include <string>
#include <string_view>

#include "portal/cli/command_line.hpp"
#include "portal/cli/connect_command.hpp"
#include "portal/cli/help_text.hpp"
#include "portal/cli/serve_command.hpp"

namespace portunus::portal::cli {
namespace {

/// 0 once all of it has left the process.
int print(std::string_view text) {
  const bool whole = std::fwrite(text.data(), 1, text.size(), stdout) == text.size();
  return whole && std::fflush(stdout) == 0 ? 0 : 1;
}

/// Whoever started us may have closed them; the next socket would take a number that the log writes
/// to, and a peer would read our records.
void claim_standard_streams() {
  for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; ++fd) {
    if (::fcntl(fd, F_GETFD) == -1) {
      [[maybe_unused]] const int lowest_free = ::open("/dev/null", O_RDWR);
    }
  }
}

}  // namespace

int run_portal(int argc, char** argv) {
  claim_standard_streams();
  const auto first = argc > 1 ? std::optional<std::string_view>(argv[1]) : std::nullopt;
  switch (choose_action(first)) {
    case Action::help:
      return print(help_text());
    case Action::version:
      return print(version_line() + "\n");
    case Action::connect:
      return run_connect(argc, argv);
    case Action::serve:
      return run_serve(first);
  }
  return 1;
}

}  // namespace portunus::portal::cli
