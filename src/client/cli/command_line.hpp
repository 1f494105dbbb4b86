#pragma once

#include <cstdint>
#include <iosfwd>
#include <optional>
#include <string>
#include <variant>

namespace portunus::client::cli {

/// `portunus-client [flags]`.
struct RunCommand {
  std::optional<std::string> bundle;
  std::uint64_t reconnect_initial_delay_ms = 500;
  std::uint64_t reconnect_max_delay_secs = 30;
  std::uint64_t shutdown_drain_timeout_secs = 30;
  std::uint64_t stats_report_interval_secs = 5;
};

/// `portunus-client enroll <uri> [--out <path>]`.
struct EnrollCommand {
  std::string uri;
  std::optional<std::string> out;
};

/// Nothing to run: help or version was printed (0), or the usage was wrong (2).
struct Done {
  int exit_code;
};

/// Help and version go to `out`, errors to `err`.
std::variant<RunCommand, EnrollCommand, Done> parse_command_line(int argc, const char* const* argv,
                                                                 std::ostream& out,
                                                                 std::ostream& err);

}  // namespace portunus::client::cli
