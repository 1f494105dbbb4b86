#include "server/rules/traffic_totals.hpp"

#include <limits>
#include <utility>

namespace portunus::server::rules {
namespace {

constexpr std::string_view kUnknownOwner = "_unknown";

/// What `value` adds to a total over the baseline; a lower value adds nothing. The total stays at
/// its maximum rather than fall.
void advance(std::uint64_t& total, std::uint64_t& baseline, std::uint64_t value) {
  const std::uint64_t delta = value > baseline ? value - baseline : 0;
  baseline = value;
  const std::uint64_t room = std::numeric_limits<std::uint64_t>::max() - total;
  total += delta < room ? delta : room;
}

}  // namespace

void TrafficTotals::add(Track& track, RuleNumbers& numbers, const model::RuleTraffic& traffic) {
  advance(numbers.total_bytes_in, track.bytes_in, traffic.bytes_in);
  advance(numbers.total_bytes_out, track.bytes_out, traffic.bytes_out);
}

TrafficTotals::Track& TrafficTotals::track_of(const store::RuleRow& rule) {
  const auto [it, fresh] = tracks_.try_emplace(rule.spec.id);
  Track& track = it->second;
  if (fresh) track.numbers = totals_.end();
  track.client_id = rule.client_id.value_or("");
  track.client_name = rule.client_name;
  return track;
}

void TrafficTotals::start_session(std::string_view client_id) {
  for (auto& [id, track] : tracks_) {
    if (track.client_id != client_id) continue;
    track.bytes_in = 0;
    track.bytes_out = 0;
  }
}

void TrafficTotals::report(const store::RuleRow& rule, const model::RuleTraffic& traffic,
                           SystemTime now) {
  Track& track = track_of(rule);
  if (track.numbers == totals_.end()) {
    TotalsKey key{rule.client_name, rule.spec.owner_id, rule.spec.id};
    track.numbers = totals_.try_emplace(std::move(key)).first;
  }
  RuleNumbers& numbers = track.numbers->second;
  add(track, numbers, traffic);
  numbers.latest = traffic;
  numbers.updated_at = now;
}

void TrafficTotals::report_late(std::string_view client_id, const model::RuleTraffic& traffic,
                                SystemTime now) {
  const auto it = tracks_.find(traffic.rule);
  if (it == tracks_.end() || !it->second.removed || it->second.client_id != client_id) return;
  Track& track = it->second;
  if (traffic.bytes_in <= track.bytes_in && traffic.bytes_out <= track.bytes_out) {
    track.bytes_in = traffic.bytes_in;
    track.bytes_out = traffic.bytes_out;
    return;
  }
  TotalsKey key{track.client_name, std::string(kUnknownOwner), traffic.rule};
  RuleNumbers& numbers = totals_.try_emplace(std::move(key)).first->second;
  add(track, numbers, traffic);
  numbers.updated_at = now;
  numbers.live = false;
}

void TrafficTotals::remove(const store::RuleRow& rule) {
  Track& track = track_of(rule);
  track.removed = true;
  if (track.numbers == totals_.end()) return;
  RuleNumbers& numbers = track.numbers->second;
  numbers.latest = {};
  numbers.live = false;
  if (numbers.total_bytes_in == 0 && numbers.total_bytes_out == 0) totals_.erase(track.numbers);
  track.numbers = totals_.end();
}

void TrafficTotals::rename(RuleId id, std::string_view client_name) {
  const auto it = tracks_.find(id);
  if (it == tracks_.end() || it->second.removed) return;
  Track& track = it->second;
  track.client_name = client_name;
  if (track.numbers == totals_.end()) return;
  auto node = totals_.extract(track.numbers);
  node.key().client_name = client_name;
  track.numbers = totals_.insert(std::move(node)).position;
}

const RuleNumbers* TrafficTotals::numbers(RuleId id) const {
  const auto it = tracks_.find(id);
  if (it == tracks_.end() || it->second.removed || it->second.numbers == totals_.end()) {
    return nullptr;
  }
  return &it->second.numbers->second;
}

}  // namespace portunus::server::rules
