#pragma once

#include <cstdint>

#include "bench/control/latencies.hpp"

namespace portunus::bench {

/// What the edges of one shard have seen. Totals since the start, but for the gauges and for the
/// times, which are of one window.
struct SwarmCounts {
  std::int64_t connected = 0;  ///< gauge: a Welcome has come
  std::int64_t replayed = 0;   ///< gauge: the replay of the session is whole
  std::int64_t rules = 0;      ///< gauge: rules in force over all edges
  std::uint64_t sessions = 0;
  std::uint64_t lost = 0;     ///< sessions that ended without being asked to
  std::uint64_t refused = 0;  ///< attempts that ended before a Welcome
  std::uint64_t reports = 0;  ///< handed to the transport
  std::uint64_t replays = 0;  ///< PUSH during a replay
  std::uint64_t pushes = 0;   ///< PUSH afterwards
  std::uint64_t removals = 0;
  std::int64_t last_lost_ms = 0;      ///< Unix time, 0 = never
  std::int64_t last_replayed_ms = 0;  ///< Unix time at which the latest replay became whole
  Latencies answers;                  ///< a PUSH read, its status given to the transport
  Latencies late;  ///< by how much the shard's timers came late: is the swarm itself the brake?

  void add(const SwarmCounts& other) {
    connected += other.connected;
    replayed += other.replayed;
    rules += other.rules;
    sessions += other.sessions;
    lost += other.lost;
    refused += other.refused;
    reports += other.reports;
    replays += other.replays;
    pushes += other.pushes;
    removals += other.removals;
    last_lost_ms = std::max(last_lost_ms, other.last_lost_ms);
    last_replayed_ms = std::max(last_replayed_ms, other.last_replayed_ms);
    answers.add(other.answers);
    late.add(other.late);
  }
  void close_window() {
    answers.clear();
    late.clear();
  }
};

}  // namespace portunus::bench
