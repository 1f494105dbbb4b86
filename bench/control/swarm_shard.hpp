#pragma once

#include <grpcpp/completion_queue.h>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <mutex>
#include <queue>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "bench/control/swarm_edge.hpp"

namespace portunus::bench {

struct SwarmSettings {
  ServerAddress server;
  std::chrono::milliseconds report_interval{5'000};
  /// Edges that connect for the first time at once; those that come back are not held up.
  std::size_t opening = 32;
};

/// A share of the edges, their completion queue and the one thread that serves both. The owner
/// calls from another thread: hold(), counts() and stop().
class SwarmShard final : private SwarmHost {
 public:
  SwarmShard(SwarmSettings settings, std::vector<std::string> tokens, std::size_t first_number);
  ~SwarmShard() override;  ///< stops first

  /// The first `count` edges are to be connected, the others not. What is held never shrinks.
  void hold(std::size_t count) { wanted_ = count; }
  /// As of the last tenth of a second; the times since the last call.
  SwarmCounts counts();
  void stop();

 private:
  struct Timer {
    Steady::time_point at;
    SwarmEdge* edge;
    bool operator>(const Timer& other) const { return at > other.at; }
  };

  const ServerAddress& server() const override { return settings_.server; }
  grpc::CompletionQueue& events() override { return events_; }
  SwarmCounts& tally() override { return counts_; }
  std::chrono::milliseconds report_interval() const override { return settings_.report_interval; }
  void wake_at(SwarmEdge& edge, Steady::time_point time) override { timers_.push({time, &edge}); }
  void opened() override;
  double random() override { return std::uniform_real_distribution<double>(0, 1)(generator_); }

  void run();
  void run_timers();
  void open_more();
  void publish();
  void end_all();

  const SwarmSettings settings_;
  std::vector<std::unique_ptr<SwarmEdge>> edges_;
  grpc::CompletionQueue events_;
  std::priority_queue<Timer, std::vector<Timer>, std::greater<>> timers_;
  std::minstd_rand generator_;
  SwarmCounts counts_;
  std::size_t started_ = 0;
  std::size_t opening_ = 0;
  Steady::time_point publish_at_;

  std::atomic<std::size_t> wanted_{0};
  std::atomic<bool> stopping_{false};
  std::mutex mutex_;
  SwarmCounts published_;  ///< under mutex_
  std::thread thread_;
};

}  // namespace portunus::bench
