#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "server/metrics/request_counter.hpp"

namespace portunus::server::metrics {

/// The Content-Type of the text exposition.
inline constexpr std::string_view kContentType = "text/plain; version=0.0.4; charset=utf-8";

/// Everything that one scrape shows, as plain numbers.
struct Snapshot {
  struct Client {
    std::string name;
    bool connected = false;
  };
  struct Rule {
    std::string client;
    std::string owner;
    std::uint64_t rule = 0;
    std::uint64_t bytes_in = 0;
    std::uint64_t bytes_out = 0;
    bool live = false;  ///< not removed: gauges exist only then
    std::uint64_t active_connections = 0;
  };
  std::vector<Client> clients;
  std::vector<Rule> rules;
  std::map<std::string, std::uint64_t> auth_failures;
  std::map<RequestCounter::Key, std::uint64_t> requests;
  std::uint64_t store_busy = 0;
};

/// The Prometheus text of a snapshot (observability 8): families by name, each with HELP and TYPE;
/// a family without a row is left out.
std::string render(const Snapshot& snapshot);

}  // namespace portunus::server::metrics
