#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "common/model/traffic.hpp"

namespace portunus::server::owner_caps {

/// What one owner's caps on one client have refused and held back, as totals that never fall.
struct OwnerNumbers {
  model::LimitTraffic total;
  /// A report has told of it since the caps were made.
  bool reported = false;
};

/// Turns the cumulative counters of the reports into those totals (control-wire 8, D8). Baselines
/// belong to the session and outlive caps that are removed and made anew within it, because the
/// edge's counters do (data-plane RL-12). One thread.
class OwnerTotals {
 public:
  /// Every baseline of the client is 0 again.
  void start_session(std::string_view client_id);
  /// A report of the client has arrived. `seen` is what it says of an owner with caps; nothing when
  /// it leaves him out, because there is nothing but zeros (control-wire 2.5).
  void report(std::string_view client_id, std::string_view owner_id,
              const model::LimitTraffic* seen);
  /// The caps are gone, and the totals with them.
  void remove(std::string_view client_id, std::string_view owner_id);
  /// Nothing is kept of the client any more.
  void forget(std::string_view client_id);

  /// Null while no report has told of it.
  const OwnerNumbers* find(std::string_view client_id, std::string_view owner_id) const;

 private:
  struct Track {
    model::LimitTraffic baseline;
    OwnerNumbers numbers;
  };
  using Owners = std::map<std::string, Track, std::less<>>;

  std::map<std::string, Owners, std::less<>> clients_;
};

}  // namespace portunus::server::owner_caps
