#pragma once

#include <atomic>
#include <cstdint>
#include <memory>

#include "common/model/rule.hpp"
#include "common/model/traffic.hpp"

namespace portunus::dataplane::stats {

/// A word that one thread writes and any thread reads: an addition is a plain load and store.
template <class Word>
class Counter {
 public:
  void add(Word delta) { word_.store(get() + delta, std::memory_order_relaxed); }
  void subtract(Word delta) { word_.store(get() - delta, std::memory_order_relaxed); }
  Word get() const { return word_.load(std::memory_order_relaxed); }

 private:
  std::atomic<Word> word_{0};
};
using Count = Counter<std::uint64_t>;
using Gauge = Counter<std::uint32_t>;

/// One port of a range on one worker.
struct PortSlot {
  Count bytes_in, bytes_out, datagrams_in, datagrams_out;
  Gauge active_connections;
};

/// One target of a multi-target rule on one worker.
struct TargetSlot {
  Count bytes_in, bytes_out, connections;
};

/// What one worker moved for one rule; only that worker writes. Two cache lines apart from its
/// neighbours, because the processor prefetches lines in pairs.
struct alignas(128) TrafficShard {
  /// Bytes that the upstream, or the downstream, socket has accepted (CNT-1).
  Count bytes_in, bytes_out;
  Count datagrams_in, datagrams_out;
  Gauge active_connections, active_flows;
  // Below, what happens per connection at most.
  Count connections_total;
  Count dns_failures;
  Count flows_dropped_overflow;
  Count sni_exact, sni_wildcard, sni_fallback;
  // Shown by the standalone program only (model::LocalTraffic).
  Count flows_pending_drops, bandwidth_dropped_in, bandwidth_dropped_out;
  Count send_dropped, icmp_evict, emsgsize, wouldblock, addflow_dropped, upstream_connect_failed;

  /// Null unless the rule has several ports / targets; indexed by port offset / by row.
  std::unique_ptr<PortSlot[]> ports;
  std::unique_ptr<TargetSlot[]> targets;
};

/// Where one connection or flow counts: the shard of its worker, and the slots of its port and its
/// target where the rule has them, all in one call (CNT-5). Three words, copied freely; used on the
/// worker's thread only.
class Meter {
 public:
  Meter() = default;
  explicit Meter(TrafficShard& shard) : shard_(&shard) {}

  /// `offset` of the listen port in the rule's range.
  void set_port(std::uint32_t offset) { port_ = shard_->ports ? &shard_->ports[offset] : nullptr; }
  /// The row of the target that took the connection or flow, which this counts.
  void set_target(std::size_t row) {
    target_ = shard_->targets ? &shard_->targets[row] : nullptr;
    if (target_ != nullptr) target_->connections.add(1);
  }

  void add_in(std::uint64_t bytes) {
    shard_->bytes_in.add(bytes);
    if (port_ != nullptr) port_->bytes_in.add(bytes);
    if (target_ != nullptr) target_->bytes_in.add(bytes);
  }
  void add_out(std::uint64_t bytes) {
    shard_->bytes_out.add(bytes);
    if (port_ != nullptr) port_->bytes_out.add(bytes);
    if (target_ != nullptr) target_->bytes_out.add(bytes);
  }
  void add_datagrams_in(std::uint64_t count, std::uint64_t bytes) {
    add_in(bytes);
    shard_->datagrams_in.add(count);
    if (port_ != nullptr) port_->datagrams_in.add(count);
  }
  void add_datagrams_out(std::uint64_t count, std::uint64_t bytes) {
    add_out(bytes);
    shard_->datagrams_out.add(count);
    if (port_ != nullptr) port_->datagrams_out.add(count);
  }
  void connection_opened() {
    shard_->active_connections.add(1);
    if (port_ != nullptr) port_->active_connections.add(1);
  }
  void connection_closed() {
    shard_->active_connections.subtract(1);
    if (port_ != nullptr) port_->active_connections.subtract(1);
  }

  TrafficShard& shard() const { return *shard_; }

 private:
  TrafficShard* shard_ = nullptr;
  PortSlot* port_ = nullptr;
  TargetSlot* target_ = nullptr;
};

/// The counters of one activation of one rule, a shard per worker.
class RuleCounters {
 public:
  RuleCounters(const model::RuleSpec& rule, unsigned workers);

  TrafficShard& shard(unsigned worker) { return shards_[worker]; }
  /// The sums over all workers, live; counts never fall from one call to the next. Fills the
  /// traffic, `ports` of a range and the counts of `targets` of a multi-target rule; health, limits
  /// and failovers are not the counters'.
  model::RuleTraffic totals() const;
  model::LocalTraffic local() const;

 private:
  void sum_ports(model::RuleTraffic& sum) const;
  void sum_targets(model::RuleTraffic& sum) const;

  const RuleId id_;
  const std::uint16_t first_port_;
  const std::uint32_t port_count_;
  const std::size_t target_count_;
  const std::unique_ptr<TrafficShard[]> shards_;
  const unsigned count_;
};

}  // namespace portunus::dataplane::stats
