#include "portal/cli/run_portal.hpp"

#include <cstdio>
#include <optional>
#include <string>
#include <string_view>

#include "common/base/standard_streams.hpp"
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
