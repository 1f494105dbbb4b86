#include "server/metrics/family.hpp"

#include <algorithm>
#include <iterator>

namespace portunus::server::metrics {
namespace {

using prometheus::ClientMetric;
using prometheus::MetricType;

constexpr double kMicro = 1e6;

}  // namespace

void Family::add(Labels labels, double value) {
  ClientMetric metric;
  metric.label = std::move(labels);
  if (family_.type == MetricType::Counter) {
    metric.counter.value = value;
  } else {
    metric.gauge.value = value;
  }
  family_.metric.push_back(std::move(metric));
}

void Family::add_peeks(Labels labels, const model::SniPortTraffic& port) {
  ClientMetric metric;
  metric.label = std::move(labels);
  metric.histogram.sample_count = port.peeks;
  metric.histogram.sample_sum = static_cast<double>(port.peek_sum_micros) / kMicro;
  for (std::size_t i = 0; i < model::kPeekBoundsMicros.size(); ++i) {
    const double bound = static_cast<double>(model::kPeekBoundsMicros[i]) / kMicro;
    metric.histogram.bucket.push_back({port.peek_buckets[i], bound});
  }
  family_.metric.push_back(std::move(metric));
}

void Family::append_to(Families& families) && {
  if (family_.metric.empty()) return;
  const auto known = std::ranges::find(families, family_.name, &prometheus::MetricFamily::name);
  if (known == families.end()) {
    families.push_back(std::move(family_));
  } else {
    std::ranges::move(family_.metric, std::back_inserter(known->metric));
  }
}

}  // namespace portunus::server::metrics
