#pragma once

#include <chrono>
#include <cstdint>
#include <string>

namespace portunus::client::agent {

/// What an operator can set (cli-and-config section 7), and the fixed numbers of control-wire 1.2,
/// which only tests change.
struct AgentOptions {
  std::chrono::milliseconds reconnect_base{500};
  std::chrono::milliseconds reconnect_cap{30'000};
  std::chrono::milliseconds drain_window{30'000};
  std::chrono::milliseconds stats_interval{5'000};

  std::chrono::milliseconds setup_budget{10'000};
  std::chrono::milliseconds welcome_budget{10'000};
  std::chrono::milliseconds replay_quiet{10'000};
  std::chrono::milliseconds ping_interval{20'000};
  std::chrono::milliseconds ping_timeout{10'000};
  /// How long a session's clean end may take.
  std::chrono::milliseconds goodbye{2'000};

  /// ULID of this process (D8).
  std::string instance_id;
  std::uint64_t jitter_seed = 0;
};

}  // namespace portunus::client::agent
