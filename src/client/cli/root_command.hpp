#pragma once

namespace portunus::client::cli {

/// portunus-client: parses, runs and returns the exit code (cli-and-config sections 1 and 7).
int run(int argc, const char* const* argv);

}  // namespace portunus::client::cli
