#pragma once

#include <expected>
#include <string>

namespace portunus::standalone {

/// The terminal viewer of `stats` (cli-and-config 8.2): runs on the alternate screen until the user
/// quits or the daemon ends, and always gives the terminal back as it was. The error is a text for
/// people.
std::expected<void, std::string> run_stats_viewer(const std::string& socket_path);

}  // namespace portunus::standalone
