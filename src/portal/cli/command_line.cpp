#include "portal/cli/command_line.hpp"

#include <fmt/format.h>

#include "common/base/version.hpp"
#include "portal/log/record.hpp"

namespace portunus::portal::cli {

Action choose_action(std::optional<std::string_view> first) {
  if (first == "help" || first == "--help" || first == "-h") return Action::help;
  if (first == "version" || first == "--version" || first == "-v") return Action::version;
  if (first == "connect") return Action::connect;
  return Action::serve;
}

std::string version_line() {
  return fmt::format("{}-v{} {}", log::kProgram, kVersion, log::platform());
}

}  // namespace portunus::portal::cli
