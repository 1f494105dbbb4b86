#pragma once

#include "standalone/standalone_config.hpp"

namespace portunus::standalone {

/// Forwards the rules of the file until a signal ends it or a rule dies; the exit code (cli-and-
/// config 8). Blocks; call once.
int run_daemon(StandaloneConfig config, bool splice);

}  // namespace portunus::standalone
