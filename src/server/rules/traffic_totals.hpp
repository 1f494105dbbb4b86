#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>

#include "common/base/clock.hpp"
#include "common/model/running_total.hpp"
#include "server/store/rows.hpp"

namespace portunus::server::rules {

/// A live rule's numbers. They end with the rule, but for the byte totals.
struct RuleNumbers {
  std::string client_name;
  std::string owner_id;
  /// As last reported, cumulative over this session (http-api 9.1).
  model::RuleTraffic latest;
  SystemTime updated_at;
  /// Totals that never fall while the server lives.
  model::RunningTotal<model::RuleTraffic> counters;
  /// A report has come while the rule had caps.
  bool limited = false;
};

struct ByteTotals {
  std::uint64_t in = 0;
  std::uint64_t out = 0;
};

/// Whose bytes are kept for ever. The owner "_unknown" has what arrives after a rule's removal.
struct BytesKey {
  std::string client_name;
  std::string owner_id;
  RuleId rule;
  auto operator<=>(const BytesKey&) const = default;
};

/// Turns the cumulative counters of the reports into totals that never fall (control-wire 8, D8).
/// A removed rule is remembered with its byte baselines, so that what arrives late is counted once
/// and for the right client: the last kMostGone of each. One thread.
class TrafficTotals {
 public:
  /// An edge tells of a removed rule until its connections have ended; what has so many behind it
  /// has long been told.
  static constexpr std::size_t kMostGone = 4096;

  /// Every baseline of the client is 0 again; `rules` are those it has now.
  void start_session(std::string_view client_id, std::span<const RuleId> rules);
  /// An entry about a live rule of the reporting client; the bytes it adds.
  ByteTotals report(const store::RuleRow& rule, const model::RuleTraffic& traffic, SystemTime now);
  /// An entry about a rule that is not live: counts under "_unknown" when it was this client's.
  void report_late(std::string_view client_id, const model::RuleTraffic& traffic);
  /// The rule is gone: its bytes stay, all else ends.
  void remove(const store::RuleRow& rule);
  void rename(RuleId id, std::string_view client_name);
  /// The client is deleted: none of its rules is reported any more.
  void forget(std::string_view client_id);

  /// Null while no report has arrived, and after the removal.
  const RuleNumbers* find(RuleId id) const;
  const std::map<RuleId, RuleNumbers>& live() const { return live_; }
  /// Of the rules that are gone; at least one byte each.
  const std::map<BytesKey, ByteTotals>& kept() const { return kept_; }
  /// How many rules of the client are remembered for what arrives late.
  std::size_t gone(std::string_view client_id) const;

 private:
  struct Gone {
    std::string client_name;
    ByteTotals baseline;
  };
  struct GoneOfClient {
    std::unordered_map<RuleId, Gone> rules;
    std::deque<RuleId> order;  ///< as they went
  };

  std::map<RuleId, RuleNumbers> live_;
  std::map<std::string, GoneOfClient, std::less<>> gone_;  ///< by client id
  std::map<BytesKey, ByteTotals> kept_;
};

}  // namespace portunus::server::rules
