#include "bench/control/swarm_shard.hpp"

#include <algorithm>
#include <cstdlib>
#include <utility>

namespace portunus::bench {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kTurn{20};  ///< how often commands are looked at
constexpr milliseconds kPublish{100};
constexpr std::chrono::seconds kStopBound{20};

gpr_timespec deadline_of(Steady::time_point at) {
  const auto left = std::chrono::duration_cast<std::chrono::nanoseconds>(at - Steady::now());
  return gpr_time_add(gpr_now(GPR_CLOCK_MONOTONIC),
                      gpr_time_from_nanos(std::max<std::int64_t>(left.count(), 0), GPR_TIMESPAN));
}

}  // namespace

SwarmShard::SwarmShard(SwarmSettings settings, std::vector<std::string> tokens,
                       std::size_t first_number)
    : settings_(std::move(settings)),
      generator_(static_cast<std::uint32_t>(first_number + 1)),
      publish_at_(Steady::now()) {
  for (std::string& token : tokens) {
    const std::size_t number = first_number + edges_.size();
    edges_.push_back(
        std::make_unique<SwarmEdge>(static_cast<SwarmHost&>(*this), std::move(token), number));
  }
  thread_ = std::thread([this] { run(); });
}

SwarmShard::~SwarmShard() {
  stop();
}

void SwarmShard::stop() {
  stopping_ = true;
  if (thread_.joinable()) thread_.join();
}

SwarmCounts SwarmShard::counts() {
  const std::lock_guard lock(mutex_);
  SwarmCounts out = published_;
  published_.close_window();
  return out;
}

void SwarmShard::opened() {
  --opening_;
}

void SwarmShard::run() {
  while (!stopping_) {
    open_more();
    run_timers();
    Steady::time_point until = Steady::now() + kTurn;
    if (!timers_.empty()) until = std::min(until, timers_.top().at);
    void* tag = nullptr;
    bool ok = false;
    while (events_.AsyncNext(&tag, &ok, deadline_of(until)) == grpc::CompletionQueue::GOT_EVENT) {
      const auto* event = static_cast<SwarmEdge::Tag*>(tag);
      event->edge->on_event(event->step, ok);
      if (Steady::now() >= until) break;
    }
    if (Steady::now() >= publish_at_) publish();
  }
  end_all();
}

void SwarmShard::run_timers() {
  const auto now = Steady::now();
  while (!timers_.empty() && timers_.top().at <= now) {
    const Timer timer = timers_.top();
    timers_.pop();
    counts_.late.add(now - timer.at);
    timer.edge->on_timer(now);
  }
}

void SwarmShard::open_more() {
  const std::size_t wanted = std::min(wanted_.load(), edges_.size());
  while (started_ < wanted && opening_ < settings_.opening) {
    ++opening_;
    edges_[started_++]->start();
  }
}

void SwarmShard::publish() {
  publish_at_ = Steady::now() + kPublish;
  const std::lock_guard lock(mutex_);
  // Times that nobody has fetched yet stay.
  counts_.answers.add(published_.answers);
  counts_.late.add(published_.late);
  published_ = std::exchange(counts_, SwarmCounts());
  counts_ = published_;
  counts_.close_window();
}

void SwarmShard::end_all() {
  for (const auto& edge : edges_) edge->stop();
  const auto bound = Steady::now() + kStopBound;
  bool all_gone = false;
  // The queue may be shut down only when no step of an edge can ask for another.
  while (!all_gone && Steady::now() < bound) {
    void* tag = nullptr;
    bool ok = false;
    while (events_.AsyncNext(&tag, &ok, deadline_of(Steady::now() + kTurn)) ==
           grpc::CompletionQueue::GOT_EVENT) {
      const auto* event = static_cast<SwarmEdge::Tag*>(tag);
      event->edge->on_event(event->step, ok);
    }
    all_gone = std::ranges::all_of(edges_, [](const auto& edge) { return edge->idle(); });
  }
  if (!all_gone) std::_Exit(1);  // what gRPC still holds must not be freed
  events_.Shutdown();
  void* tag = nullptr;
  bool ok = false;
  while (events_.Next(&tag, &ok)) {
  }
}

}  // namespace portunus::bench
