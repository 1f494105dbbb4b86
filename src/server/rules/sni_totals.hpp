#pragma once

#include <cstdint>
#include <map>
#include <ranges>
#include <string>
#include <string_view>
#include <utility>

#include "common/model/running_total.hpp"

namespace portunus::server::rules {

/// One port in SNI mode, with totals that never fall.
struct SniPortNumbers {
  std::string client_name;
  model::RunningTotal<model::SniPortTraffic> counters;
};

/// What the edges report of their SNI ports (control-wire 8). A port is remembered until its client
/// is deleted (observability 8). One thread.
class SniTotals {
 public:
  using Key = std::pair<std::string, std::uint16_t>;  ///< client id, listen port

  /// Every baseline of the client is 0 again.
  void start_session(std::string_view client_id);
  void report(std::string_view client_id, std::string_view client_name,
              const model::SniPortTraffic& traffic);
  bool knows(std::string_view client_id, std::uint16_t port) const;
  void rename(std::string_view client_id, std::string_view client_name);
  void forget(std::string_view client_id);

  using Ports = std::map<Key, SniPortNumbers>;
  const Ports& all() const { return ports_; }

 private:
  std::ranges::subrange<Ports::iterator> of(std::string_view client_id);

  Ports ports_;
};

}  // namespace portunus::server::rules
