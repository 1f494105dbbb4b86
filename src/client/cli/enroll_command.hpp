#pragma once

#include "client/cli/command_line.hpp"

namespace portunus::client::cli {

/// Redeems and prints the path of the bundle; returns the exit code.
int run_enroll_command(const EnrollCommand& command);

}  // namespace portunus::client::cli
