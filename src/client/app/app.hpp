#pragma once

#include <expected>
#include <string>

#include "client/agent/bundle.hpp"
#include "client/agent/enroll.hpp"
#include "client/agent/options.hpp"

namespace portunus::client::app {

struct AppOptions {
  agent::AgentOptions agent;
  /// False forces the user-space copy path of the engine.
  bool splice = true;
};

/// Builds the engine and the agent, runs them on the calling thread until a stop signal or a final
/// refusal, and takes them down. Returns the exit code of cli-and-config section 7. Call once, from
/// main, before other threads.
int run_agent(agent::Bundle bundle, AppOptions options);

/// agent::enroll() to its end, on the calling thread.
std::expected<void, agent::EnrollFailure> run_enroll(const std::string& uri,
                                                     const std::string& path);

}  // namespace portunus::client::app
