#pragma once

#include <prometheus/metric_family.h>

#include <string>
#include <utility>
#include <vector>

#include "common/model/traffic.hpp"

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

  /// A family without a row is left out.
  void append_to(Families& families) && {
    if (!family_.metric.empty()) families.push_back(std::move(family_));
  }

 private:
  prometheus::MetricFamily family_;
};

struct Snapshot;

// The families of exposition by subject; each file appends its own, in any order.
void add_rule_gauges(const Snapshot& snapshot, Families& families);
void add_rule_counters(const Snapshot& snapshot, Families& families);
void add_sni_families(const Snapshot& snapshot, Families& families);
void add_limit_families(const Snapshot& snapshot, Families& families);
void add_quota_families(const Snapshot& snapshot, Families& families);
void add_audit_families(const Snapshot& snapshot, Families& families);

}  // namespace portunus::server::metrics
