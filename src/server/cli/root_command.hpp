#pragma once

#include <string>
#include <vector>

namespace portunus::server::cli {

struct Context;

/// Parses the arguments (without the program's name) and runs the command they name. Returns the
/// exit code (cli-and-config 1, 2); throws nothing.
int run(std::vector<std::string> arguments, Context& context);

/// portunus-server: `run` on the process's streams and environment. Called from main before any
/// thread.
int run_program(int argc, char** argv);

}  // namespace portunus::server::cli
