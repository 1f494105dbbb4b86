// Statistics from the wire: nothing that a report holds is lost or changed on its way out and in.

#include "common/model/traffic.hpp"
#include "common/wire/traffic_wire.hpp"
#include "portunus/v1/stats.pb.h"
#include "tests/fuzz/fuzz_target.hpp"

namespace {

namespace model = portunus::model;
namespace v1 = portunus::v1;

void check_report(const model::TrafficReport& report, const v1::StatsReport& message) {
  FUZZ_CHECK(report.rules.size() == static_cast<std::size_t>(message.stats_size()));
  FUZZ_CHECK(report.sni_ports.size() <=
             static_cast<std::size_t>(message.sni_listener_stats_size()));
  for (const auto& port : report.sni_ports) FUZZ_CHECK(port.listen_port != 0);
  for (const auto& rule : report.rules) {
    for (const auto& port : rule.ports) FUZZ_CHECK(port.listen_port != 0);
  }
}

}  // namespace

PORTUNUS_FUZZ_TARGET(traffic_wire)(portunus::fuzz::Input input) {
  v1::StatsReport message;
  if (!message.ParseFromArray(input.data(), static_cast<int>(input.size()))) return;
  const model::TrafficReport report = portunus::wire::report_from_wire(message);
  check_report(report, message);

  // An owner without anything to say is not sent, and buckets only with peeks.
  model::TrafficReport said = report;
  std::erase_if(said.owners,
                [](const auto& owner) { return owner.limit == model::LimitTraffic{}; });
  for (auto& port : said.sni_ports) {
    if (port.peeks == 0) port.peek_buckets = {};
  }
  v1::StatsReport out;
  portunus::wire::report_to_wire(report, message.sent_at_unix_ms(), out);
  FUZZ_CHECK(out.sent_at_unix_ms() == message.sent_at_unix_ms());
  FUZZ_CHECK(portunus::wire::report_from_wire(out) == said);
}
