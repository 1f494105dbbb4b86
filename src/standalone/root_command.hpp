#pragma once

namespace portunus::standalone {

/// portunus-standalone: parses, runs and returns the exit code (cli-and-config section 8).
int run(int argc, const char* const* argv);

}  // namespace portunus::standalone
