#include "server/metrics/exposition.hpp"

#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>

#include <initializer_list>
#include <sstream>
#include <utility>

namespace portunus::server::metrics {
namespace {

using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;

/// One family under construction. Prometheus numbers are doubles: counts are exact to 2^53.
class Family {
 public:
  Family(std::string name, std::string help, MetricType type) {
    family_.name = std::move(name);
    family_.help = std::move(help);
    family_.type = type;
  }

  /// `labels` in alphabetical order of their names.
  void add(std::initializer_list<ClientMetric::Label> labels, std::uint64_t value) {
    ClientMetric metric;
    metric.label = labels;
    if (family_.type == MetricType::Counter) {
      metric.counter.value = static_cast<double>(value);
    } else {
      metric.gauge.value = static_cast<double>(value);
    }
    family_.metric.push_back(std::move(metric));
  }
  void append_to(std::vector<MetricFamily>& families) && {
    if (!family_.metric.empty()) families.push_back(std::move(family_));
  }

 private:
  MetricFamily family_;
};

void add_rules(const Snapshot& snapshot, std::vector<MetricFamily>& families) {
  Family active("portunus_rule_active_connections", "Open TCP connections of a rule.",
                MetricType::Gauge);
  Family in("portunus_rule_bytes_in_total", "Payload bytes delivered to targets.",
            MetricType::Counter);
  Family out("portunus_rule_bytes_out_total", "Payload bytes delivered to users.",
             MetricType::Counter);
  for (const Snapshot::Rule& rule : snapshot.rules) {
    const auto labels = {ClientMetric::Label{"client", rule.client},
                         ClientMetric::Label{"owner", rule.owner},
                         ClientMetric::Label{"rule", std::to_string(rule.rule)}};
    if (rule.live) active.add(labels, rule.active_connections);
    if (rule.bytes_in > 0) in.add(labels, rule.bytes_in);
    if (rule.bytes_out > 0) out.add(labels, rule.bytes_out);
  }
  std::move(active).append_to(families);
  std::move(in).append_to(families);
  std::move(out).append_to(families);
}

}  // namespace

std::string render(const Snapshot& snapshot) {
  std::vector<MetricFamily> families;  // in alphabetical order of their names

  Family failures("portunus_auth_failures_total", "Control-plane bearers refused, by reason.",
                  MetricType::Counter);
  for (const auto& [reason, count] : snapshot.auth_failures) {
    failures.add({{"reason", reason}}, count);
  }
  std::move(failures).append_to(families);

  Family clients("portunus_clients_connected", "Whether an enrolled client's stream is up.",
                 MetricType::Gauge);
  for (const Snapshot::Client& client : snapshot.clients) {
    clients.add({{"client", client.name}}, client.connected ? 1 : 0);
  }
  std::move(clients).append_to(families);

  Family requests("portunus_operator_requests_total", "Operator API requests by outcome.",
                  MetricType::Counter);
  for (const auto& [key, count] : snapshot.requests) {
    requests.add({{"outcome", key.first}, {"reason", key.second}}, count);
  }
  std::move(requests).append_to(families);

  add_rules(snapshot, families);

  Family busy("portunus_store_busy_total", "Times the store was busy.", MetricType::Counter);
  busy.add({}, snapshot.store_busy);
  std::move(busy).append_to(families);

  std::ostringstream text;
  prometheus::TextSerializer().Serialize(text, families);
  return std::move(text).str();
}

}  // namespace portunus::server::metrics
