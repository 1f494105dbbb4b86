#pragma once

#include "server/app/server.hpp"

namespace portunus::server::app {

/// Runs the control plane on the calling thread until SIGINT or SIGTERM and has it drained. The
/// logger is running. Failures are those before the server listens.
Started<void> serve(ServerOptions options);

}  // namespace portunus::server::app
