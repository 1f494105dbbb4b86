#pragma once

#include <concepts>
#include <cstddef>
#include <type_traits>
#include <utility>
#include <vector>

#include "common/model/traffic.hpp"

namespace portunus::model {

// Arithmetic on all counters of a record at once, so that whoever computes with them names none,
// and a new counter is added here only. Gauges and names take no part. Ports and targets pair by
// what they are, wherever they stand.

template <class Type, class Record>
concept RecordOf = std::same_as<std::remove_const_t<Type>, Record>;

/// The same port, or the same row with the same target.
inline bool is_twin(const PortTraffic& a, const PortTraffic& b) {
  return a.listen_port == b.listen_port;
}
inline bool is_twin(const TargetTraffic& a, const TargetTraffic& b) {
  return a.index == b.index && a.port == b.port && a.host == b.host;
}

/// The twin of `entry`, which stands at `hint` more often than not.
template <class Entry>
const Entry* find_twin(const std::vector<Entry>& among, const Entry& entry, std::size_t hint) {
  if (hint < among.size() && is_twin(among[hint], entry)) return &among[hint];
  for (const Entry& other : among) {
    if (is_twin(other, entry)) return &other;
  }
  return nullptr;
}

/// Calls fn(counter of `mine`, counter of `other`) for every counter.
template <RecordOf<LimitTraffic> Mine, class Fn>
void zip_counters(Mine& mine, const LimitTraffic& other, Fn&& fn) {
  for (std::size_t i = 0; i < kRejects; ++i) fn(mine.rejects[i], other.rejects[i]);
  fn(mine.throttle_us_in, other.throttle_us_in);
  fn(mine.throttle_us_out, other.throttle_us_out);
}

template <RecordOf<PortTraffic> Mine, class Fn>
void zip_counters(Mine& mine, const PortTraffic& other, Fn&& fn) {
  fn(mine.bytes_in, other.bytes_in);
  fn(mine.bytes_out, other.bytes_out);
  fn(mine.datagrams_in, other.datagrams_in);
  fn(mine.datagrams_out, other.datagrams_out);
}

template <RecordOf<TargetTraffic> Mine, class Fn>
void zip_counters(Mine& mine, const TargetTraffic& other, Fn&& fn) {
  fn(mine.bytes_in, other.bytes_in);
  fn(mine.bytes_out, other.bytes_out);
  fn(mine.connections, other.connections);
}

/// Entries of `mine` without a twin are left alone.
template <class Entries, class Entry, class Fn>
void zip_entries(Entries& mine, const std::vector<Entry>& others, Fn&& fn) {
  for (std::size_t i = 0; i < mine.size(); ++i) {
    if (const Entry* twin = find_twin(others, mine[i], i)) zip_counters(mine[i], *twin, fn);
  }
}

template <RecordOf<RuleTraffic> Mine, class Fn>
void zip_counters(Mine& mine, const RuleTraffic& other, Fn&& fn) {
  fn(mine.bytes_in, other.bytes_in);
  fn(mine.bytes_out, other.bytes_out);
  fn(mine.dns_failures, other.dns_failures);
  fn(mine.datagrams_in, other.datagrams_in);
  fn(mine.datagrams_out, other.datagrams_out);
  fn(mine.flows_dropped_overflow, other.flows_dropped_overflow);
  fn(mine.target_failovers, other.target_failovers);
  fn(mine.sni_exact, other.sni_exact);
  fn(mine.sni_wildcard, other.sni_wildcard);
  fn(mine.sni_fallback, other.sni_fallback);
  zip_counters(mine.limit, other.limit, fn);
  zip_entries(mine.ports, other.ports, fn);
  zip_entries(mine.targets, other.targets, fn);
}

template <RecordOf<SniPortTraffic> Mine, class Fn>
void zip_counters(Mine& mine, const SniPortTraffic& other, Fn&& fn) {
  fn(mine.misses, other.misses);
  fn(mine.parse_failures, other.parse_failures);
  for (std::size_t i = 0; i < mine.peek_buckets.size(); ++i) {
    fn(mine.peek_buckets[i], other.peek_buckets[i]);
  }
  fn(mine.peek_sum_micros, other.peek_sum_micros);
  fn(mine.peeks, other.peeks);
}

template <RecordOf<OwnerTraffic> Mine, class Fn>
void zip_counters(Mine& mine, const OwnerTraffic& other, Fn&& fn) {
  zip_counters(mine.limit, other.limit, fn);
}

template <class Record>
void assign_counters(Record& to, const Record& from) {
  zip_counters(to, from, [](auto& mine, auto other) { mine = other; });
}
template <class Record>
void subtract_counters(Record& from, const Record& what) {
  zip_counters(from, what, [](auto& mine, auto other) { mine -= other; });
}
/// True when no counter of `now` lies below its twin in `before`.
template <class Record>
bool covers_counters(const Record& now, const Record& before) {
  bool covers = true;
  zip_counters(now, before, [&covers](auto mine, auto other) { covers = covers && mine >= other; });
  return covers;
}

/// Gives `to` an entry with counters of 0 for every one of `from` that has no twin in it.
template <class Entry>
void add_missing_entries(std::vector<Entry>& to, const std::vector<Entry>& from) {
  for (std::size_t i = 0; i < from.size(); ++i) {
    if (find_twin(to, from[i], i) != nullptr) continue;
    to.push_back(from[i]);
    zip_counters(to.back(), from[i], [](auto& mine, auto) { mine = 0; });
  }
}

/// Adds the counters of `from`, its ports and targets included that `to` did not know.
template <class Record>
void add_counters(Record& to, const Record& from) {
  if constexpr (std::same_as<Record, RuleTraffic>) {
    add_missing_entries(to.ports, from.ports);
    add_missing_entries(to.targets, from.targets);
  }
  zip_counters(to, from, [](auto& mine, auto other) { mine += other; });
}

/// What is momentary falls to 0; health and times of targets stay.
inline void clear_gauges(LimitTraffic& limit) {
  limit.active = 0;
}
inline void clear_gauges(RuleTraffic& rule) {
  rule.active_connections = 0;
  rule.active_flows = 0;
  clear_gauges(rule.limit);
  for (PortTraffic& port : rule.ports) port.active_connections = 0;
}
inline void clear_gauges(SniPortTraffic&) {}
inline void clear_gauges(OwnerTraffic& owner) {
  clear_gauges(owner.limit);
}

}  // namespace portunus::model
