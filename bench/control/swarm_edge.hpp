#pragma once

#include <grpcpp/client_context.h>
#include <grpcpp/completion_queue.h>

#include <chrono>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>

#include "bench/control/swarm_channel.hpp"
#include "bench/control/swarm_counts.hpp"
#include "portunus/v1/control.grpc.pb.h"

namespace portunus::bench {

using Steady = std::chrono::steady_clock;

class SwarmEdge;

/// What an edge asks of the shard it lives on.
class SwarmHost {
 public:
  virtual ~SwarmHost() = default;
  virtual const ServerAddress& server() const = 0;
  virtual grpc::CompletionQueue& events() = 0;
  virtual SwarmCounts& tally() = 0;
  virtual std::chrono::milliseconds report_interval() const = 0;
  /// SwarmEdge::on_timer() at that time.
  virtual void wake_at(SwarmEdge& edge, Steady::time_point time) = 0;
  /// The first attempt of an edge is over, well or not.
  virtual void opened() = 0;
  virtual double random() = 0;  ///< 0..1
};

/// One simulated edge: it connects with its token, takes rules and says they are active, reports
/// growing counters, and comes back when its session ends (control-wire 5 to 8). It binds no port.
/// Lives on its shard's thread.
class SwarmEdge {
 public:
  SwarmEdge(SwarmHost& host, std::string token, std::size_t number);
  ~SwarmEdge();

  /// The tag of one gRPC operation.
  enum class Step : std::uint8_t { start, read, write, finish };
  struct Tag {
    SwarmEdge* edge;
    Step step;
  };

  void start();  ///< connects now, and again whenever the session ends
  void stop();   ///< ends the session and stays away
  void on_event(Step step, bool ok);
  void on_timer(Steady::time_point now);
  bool idle() const { return !session_; }

 private:
  struct Session;
  struct Counters {
    std::uint64_t in = 0;
    std::uint64_t out = 0;
  };
  struct Outgoing {
    v1::ClientMessage message;
    std::optional<Steady::time_point> push_read;
  };

  void connect();
  void on_message();
  void on_update(const v1::RuleUpdate& update);
  void report();
  void send(Outgoing message);
  void write_next();
  void reconcile();
  void opened();
  void finish();
  void on_finished();
  void come_back();

  SwarmHost& host_;
  const std::string token_;
  const std::string instance_id_;
  std::map<std::uint64_t, Counters> rules_;
  std::unique_ptr<Session> session_;
  Tag tags_[4];
  unsigned attempt_ = 0;
  bool opened_ = false;
  bool wanted_ = false;
  std::optional<Steady::time_point> connect_at_;
  std::optional<Steady::time_point> report_at_;
};

}  // namespace portunus::bench
