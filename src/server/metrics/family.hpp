#pragma once

#include <prometheus/metric_family.h>

#include <span>
#include <string>
#include <utility>
#include <vector>

#include "common/model/traffic.hpp"
#include "server/metrics/exposition.hpp"

namespace portunus::server::metrics {

using Families = std::vector<prometheus::MetricFamily>;
/// Labels in alphabetical order of their names.
using Labels = std::vector<prometheus::ClientMetric::Label>;

/// One family under construction. Prometheus numbers are doubles: counts are exact to 2^53.
class Family {
 public:
  Family(std::string name, std::string help, prometheus::MetricType type) {
    family_.name = std::move(name);
    family_.help = std::move(help);
    family_.type = type;
  }

  /// A row of a counter or a gauge.
  void add(Labels labels, double value);
  void add(Labels labels, std::uint64_t value) {
    add(std::move(labels), static_cast<double>(value));
  }
  /// A row of a counter that appears with the first event.
  void add_counted(Labels labels, std::uint64_t value) {
    if (value > 0) add(std::move(labels), value);
  }
  /// A row of a histogram of peek times, in seconds.
  void add_peeks(Labels labels, const model::SniPortTraffic& port);

  /// A family without a row is left out; the rows of one that is there already follow its own.
  void append_to(Families& families) &&;

 private:
  prometheus::MetricFamily family_;
};

// The families of exposition by subject, of a few rows at a time; each file appends its own, in any
// order.
void add_rule_gauges(std::span<const Snapshot::Rule> rules, Families& families);
void add_rule_counters(std::span<const Snapshot::Rule> rules, Families& families);
void add_sni_routes(std::span<const Snapshot::Rule> rules, Families& families);
void add_sni_ports(std::span<const Snapshot::SniPort> ports, Families& families);
void add_sni_gauge(const Snapshot& snapshot, Families& families);
void add_limit_families(std::span<const Snapshot::Limit> limits, Families& families);
void add_quota_families(std::span<const quotas::QuotaNumbers> quotas, Families& families);
void add_audit_families(const Snapshot& snapshot, Families& families);

}  // namespace portunus::server::metrics
