#pragma once

#include "client/cli/command_line.hpp"

namespace portunus::client::cli {

/// The agent, from its credentials to its end; returns the exit code.
int run_agent_command(const RunCommand& command);

}  // namespace portunus::client::cli
