#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/model/traffic.hpp"
#include "server/metrics/request_counter.hpp"
#include "server/quotas/quota_service.hpp"

namespace portunus::server::metrics {

/// The Content-Type of the text exposition.
inline constexpr std::string_view kContentType = "text/plain; version=0.0.4; charset=utf-8";

/// Everything that one scrape shows, as plain numbers.
struct Snapshot {
  struct Client {
    std::string name;
    bool connected = false;
  };
  /// A live rule that was reported, or one that is gone and has bytes alone.
  struct Rule {
    std::string client;
    std::string owner;
    std::uint64_t rule = 0;
    bool live = false;  ///< gauges exist only then
    model::RuleTraffic total = {};
    std::uint32_t active_connections = 0;
    std::uint32_t active_flows = 0;
  };
  /// A rule's limiter, or an owner's over all his rules on one client.
  struct Limit {
    std::string client;
    std::string owner;
    std::optional<std::uint64_t> rule;
    model::LimitTraffic total;  ///< `active` as last reported
    /// A report came while there were caps: the gauge exists.
    bool reported = false;
  };
  struct SniPort {
    std::string client;
    std::uint16_t port = 0;
    model::SniPortTraffic total;
  };
  std::vector<Client> clients;
  std::vector<Rule> rules;
  std::vector<Limit> limits;
  std::vector<SniPort> sni_ports;
  std::size_t sni_routes_active = 0;
  std::vector<quotas::QuotaNumbers> quotas;
  std::map<std::string, std::uint64_t> auth_failures;
  std::map<RequestCounter::Key, std::uint64_t> requests;
  std::uint64_t store_busy = 0;
  std::uint64_t audit_drops = 0;
  double audit_lag_seconds = 0;
};

/// The Prometheus text of a snapshot (observability 8): families by name, each with HELP and TYPE;
/// a family without a row is left out. Made of a few rows at a time, because with thousands of
/// rules it takes a while, and others can have the thread in between.
class Exposition {
 public:
  explicit Exposition(Snapshot snapshot);
  ~Exposition();

  /// Makes the next part; false once there is none left.
  bool step();
  /// All of it, after the last step, once.
  std::string take();

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace portunus::server::metrics
