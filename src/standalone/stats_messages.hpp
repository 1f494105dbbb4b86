#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "common/base/clock.hpp"
#include "common/model/traffic.hpp"
#include "standalone/process_usage.hpp"
#include "standalone/standalone_config.hpp"

namespace portunus::standalone {

/// What every reader of the stats socket sees of the daemon (cli-and-config 8.2).
struct DaemonInfo {
  SystemTime started_at;
  std::uint64_t refresh_ms = 1000;
};

/// The line that greets a reader, with its newline.
std::string hello_line(const DaemonInfo& daemon, std::span<const StandaloneRule> rules);

struct SnapshotInput {
  std::uint64_t sequence = 1;
  SystemTime now;
  std::chrono::milliseconds uptime{0};
  ProcessUsage process;
  /// Both one entry per rule, in any order; a rule without one counts as zero.
  std::span<const model::RuleTraffic> traffic;
  std::span<const model::LocalTraffic> local;
};
/// One snapshot, rules in the order of the file.
std::string snapshot_line(const SnapshotInput& input, std::span<const StandaloneRule> rules);

}  // namespace portunus::standalone
