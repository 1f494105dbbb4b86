#include "server/metrics/exposition.hpp"

#include <prometheus/text_serializer.h>

#include <algorithm>
#include <array>
#include <sstream>
#include <utility>

#include "server/metrics/family.hpp"

namespace portunus::server::metrics {
namespace {

using prometheus::MetricType;

void add_server_families(const Snapshot& snapshot, Families& families) {
  Family failures("portunus_auth_failures_total", "Control-plane bearers refused, by reason.",
                  MetricType::Counter);
  for (const auto& [reason, count] : snapshot.auth_failures) {
    failures.add({{"reason", reason}}, count);
  }
  std::move(failures).append_to(families);

  Family clients("portunus_clients_connected", "Whether an enrolled client's stream is up.",
                 MetricType::Gauge);
  for (const Snapshot::Client& client : snapshot.clients) {
    clients.add({{"client", client.name}}, std::uint64_t{client.connected ? 1U : 0U});
  }
  std::move(clients).append_to(families);

  Family requests("portunus_operator_requests_total", "Operator API requests by outcome.",
                  MetricType::Counter);
  for (const auto& [key, count] : snapshot.requests) {
    requests.add({{"outcome", key.first}, {"reason", key.second}}, count);
  }
  std::move(requests).append_to(families);

  Family busy("portunus_store_busy_total", "Times the store was busy.", MetricType::Counter);
  busy.add({}, snapshot.store_busy);
  std::move(busy).append_to(families);
}

using Part = void (*)(const Snapshot&, Families&);
constexpr std::array<Part, 7> kParts = {add_server_families, add_rule_gauges,    add_rule_counters,
                                        add_sni_families,    add_limit_families, add_quota_families,
                                        add_audit_families};

}  // namespace

class Exposition::Impl {
 public:
  explicit Impl(Snapshot snapshot) : snapshot_(std::move(snapshot)) {}

  bool step() {
    if (made_ < kParts.size()) {
      kParts[made_++](snapshot_, families_);
      if (made_ == kParts.size()) {
        std::ranges::sort(families_, {}, &prometheus::MetricFamily::name);
      }
      return true;
    }
    if (written_ == families_.size()) return false;
    Families one;
    one.push_back(std::move(families_[written_++]));
    prometheus::TextSerializer().Serialize(text_, one);
    return true;
  }
  std::string text() const { return text_.str(); }

 private:
  const Snapshot snapshot_;
  Families families_;
  std::ostringstream text_;
  std::size_t made_ = 0;
  std::size_t written_ = 0;
};

Exposition::Exposition(Snapshot snapshot) : impl_(std::make_unique<Impl>(std::move(snapshot))) {}
Exposition::~Exposition() = default;

bool Exposition::step() {
  return impl_->step();
}

std::string Exposition::text() const {
  return impl_->text();
}

}  // namespace portunus::server::metrics
