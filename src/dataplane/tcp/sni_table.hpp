#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "dataplane/sni/route_table.hpp"
#include "dataplane/tcp/fwd.hpp"

namespace portunus::dataplane::tcp {

/// The members of a port in SNI mode and which of them gets a name: one immutable snapshot, made by
/// the owner and published to every worker whenever the membership changes (SNI-3).
struct SniRoutes {
  sni::RouteTable table;
  /// By the table's member number.
  std::vector<std::shared_ptr<TcpRule>> members;
};

/// A snapshot as one worker's connections use it: with the worker's slices of the rules, which it
/// keeps from going while a connection that took it may still become theirs. On the worker's
/// thread.
class SniTable {
 public:
  /// Every member must have a slice on the worker.
  SniTable(Worker& worker, std::shared_ptr<const SniRoutes> routes);
  ~SniTable();
  SniTable(const SniTable&) = delete;
  SniTable& operator=(const SniTable&) = delete;

  struct Route {
    RuleSlice& slice;
    sni::RouteTable::Kind kind;
  };
  /// An empty name matches only the fallback (SNI-6).
  std::optional<Route> find(std::string_view server_name) const;
  /// Tells the owner of every member that the port has lost a part (LIFE-5).
  void report_death(const std::string& role) const;

 private:
  const std::shared_ptr<const SniRoutes> routes_;
  std::vector<std::shared_ptr<RuleSlice>> slices_;
};

}  // namespace portunus::dataplane::tcp
