#include <algorithm>
#include <array>
#include <cstdint>
#include <string>

#include "server/metrics/family.hpp"

namespace portunus::server::metrics {
namespace {

using model::Reject;
using prometheus::MetricType;

// Alphabetical by their words, as the rows of one limiter are written.
constexpr std::array kRuleReasons = {Reject::conn_concurrent, Reject::conn_rate,
                                     Reject::udp_flow_rate};
constexpr std::array kOwnerReasons = {Reject::owner_concurrent, Reject::owner_conn_rate,
                                      Reject::owner_udp_flow_rate};

/// An owner's own rows carry an empty rule.
Labels labels_of(const Snapshot::Limit& limit) {
  return {{"client", limit.client},
          {"owner", limit.owner},
          {"rule", limit.rule ? std::to_string(*limit.rule) : std::string()}};
}

/// No family has a row for it, as for most rules.
bool is_silent(const Snapshot::Limit& limit) {
  const model::LimitTraffic& total = limit.total;
  return !limit.reported && total.throttle_us_in == 0 && total.throttle_us_out == 0 &&
         std::ranges::all_of(total.rejects, [](std::uint64_t count) { return count == 0; });
}

Labels with_direction(Labels labels, const char* direction) {
  labels.insert(labels.begin() + 1, {"direction", direction});
  return labels;
}

Labels with_reason(Labels labels, Reject reason) {
  labels.insert(labels.end() - 1, {"reason", std::string(model::reject_name(reason))});
  return labels;
}

}  // namespace

void add_limit_families(std::span<const Snapshot::Limit> limits, Families& families) {
  Family active("portunus_rate_limit_active_connections", "Connections and flows under a limiter.",
                MetricType::Gauge);
  Family rejects("portunus_rate_limit_reject_total", "Connections and flows refused by a limiter.",
                 MetricType::Counter);
  Family throttle("portunus_rate_limit_throttle_seconds_total",
                  "Time that a bandwidth cap held copying back.", MetricType::Counter);
  constexpr double kMicro = 1e6;
  for (const Snapshot::Limit& limit : limits) {
    if (is_silent(limit)) continue;
    const Labels labels = labels_of(limit);
    if (limit.reported) active.add(labels, std::uint64_t{limit.total.active});
    for (const Reject reason : limit.rule ? kRuleReasons : kOwnerReasons) {
      rejects.add_counted(with_reason(labels, reason),
                          limit.total.rejects[static_cast<std::size_t>(reason)]);
    }
    const auto held_back = [&](const char* direction, std::uint64_t micros) {
      if (micros == 0) return;
      throttle.add(with_direction(labels, direction), static_cast<double>(micros) / kMicro);
    };
    held_back("in", limit.total.throttle_us_in);
    held_back("out", limit.total.throttle_us_out);
  }
  std::move(active).append_to(families);
  std::move(rejects).append_to(families);
  std::move(throttle).append_to(families);
}

}  // namespace portunus::server::metrics
