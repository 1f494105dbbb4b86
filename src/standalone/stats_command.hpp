#pragma once

#include "standalone/command_line.hpp"

namespace portunus::standalone {

/// `portunus-standalone stats`: one snapshot, or the terminal viewer (cli-and-config 8.2). The exit
/// code. Never reads the configuration.
int run_stats_command(const StatsCommand& command);

}  // namespace portunus::standalone
