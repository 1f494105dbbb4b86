#pragma once

#include <iosfwd>
#include <optional>
#include <string>
#include <variant>

namespace portunus::standalone {

/// `portunus-standalone [flags]`.
struct DaemonCommand {
  std::optional<std::string> config;
  bool check = false;
  std::optional<std::string> log_level;
  std::optional<std::string> log_format;
  bool no_stats = false;
  std::optional<std::string> stats_socket;
};

/// `portunus-standalone stats [--socket <path>] [--once]`.
struct StatsCommand {
  std::optional<std::string> socket;
  bool once = false;
};

/// Nothing to run: help or version was printed (0), or the usage was wrong (2).
struct Done {
  int exit_code;
};

/// Help and version go to `out`, errors to `err` (cli-and-config 8).
std::variant<DaemonCommand, StatsCommand, Done> parse_command_line(int argc,
                                                                   const char* const* argv,
                                                                   std::ostream& out,
                                                                   std::ostream& err);

}  // namespace portunus::standalone
