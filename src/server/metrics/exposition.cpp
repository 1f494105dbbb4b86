#include "server/metrics/exposition.hpp"

#include <prometheus/text_serializer.h>

#include <algorithm>
#include <array>
#include <span>
#include <sstream>
#include <string>
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

void add_client_families(std::span<const Snapshot::Client> clients, Families& families) {
  Family connected("portunus_clients_connected", "Whether an enrolled client's stream is up.",
                   MetricType::Gauge);
  for (const Snapshot::Client& client : clients) {
    connected.add({{"client", client.name}}, std::uint64_t{client.connected ? 1U : 0U});
  }
  std::move(connected).append_to(families);
}

/// How many rows are looked at or written in one step: well below a millisecond's work.
constexpr std::size_t kRowsPerStep = 128;

/// What makes families out of the snapshot's rows of one kind.
struct Part {
  std::size_t (*rows)(const Snapshot&);
  void (*add)(const Snapshot&, std::size_t first, std::size_t count, Families&);
};

template <auto Rows, auto Add>
constexpr Part of_rows() {
  return {[](const Snapshot& snapshot) { return (snapshot.*Rows).size(); },
          [](const Snapshot& snapshot, std::size_t first, std::size_t count, Families& families) {
            Add(std::span(snapshot.*Rows).subspan(first, count), families);
          }};
}

template <auto Add>
constexpr Part at_once() {
  return {[](const Snapshot&) { return std::size_t{1}; },
          [](const Snapshot& snapshot, std::size_t, std::size_t, Families& families) {
            Add(snapshot, families);
          }};
}

constexpr auto kParts = std::to_array<Part>({
    at_once<add_server_families>(),
    of_rows<&Snapshot::clients, add_client_families>(),
    of_rows<&Snapshot::rules, add_rule_gauges>(),
    of_rows<&Snapshot::rules, add_rule_counters>(),
    of_rows<&Snapshot::rules, add_sni_routes>(),
    of_rows<&Snapshot::sni_ports, add_sni_ports>(),
    at_once<add_sni_gauge>(),
    of_rows<&Snapshot::limits, add_limit_families>(),
    of_rows<&Snapshot::quotas, add_quota_families>(),
    at_once<add_audit_families>(),
});

/// A line, roughly: the text is not copied again and again while it grows.
constexpr std::size_t kBytesPerRow = 100;

}  // namespace

class Exposition::Impl {
 public:
  explicit Impl(Snapshot snapshot) : snapshot_(std::move(snapshot)) {}

  bool step() {
    if (part_ < kParts.size()) {
      make();
      return true;
    }
    if (written_ == families_.size()) return false;
    write();
    return true;
  }
  std::string take() { return std::move(text_); }

 private:
  void make() {
    const Part& part = kParts[part_];
    const std::size_t rows = part.rows(snapshot_);
    const std::size_t count = std::min(kRowsPerStep, rows - row_);
    part.add(snapshot_, row_, count, families_);
    row_ += count;
    if (row_ < rows) return;
    row_ = 0;
    if (++part_ == kParts.size()) arrange();
  }
  void arrange() {
    std::ranges::sort(families_, {}, &prometheus::MetricFamily::name);
    std::size_t rows = 0;
    for (const prometheus::MetricFamily& family : families_) rows += family.metric.size();
    text_.reserve(rows * kBytesPerRow);
  }
  /// The next rows of a family; its HELP and TYPE stand before the first ones.
  void write() {
    prometheus::MetricFamily& family = families_[written_];
    const std::size_t last = std::min(row_ + kRowsPerStep, family.metric.size());
    Families some(1);
    some[0].name = family.name;
    some[0].type = family.type;
    if (row_ == 0) some[0].help = family.help;
    for (std::size_t i = row_; i < last; ++i) {
      some[0].metric.push_back(std::move(family.metric[i]));
    }
    std::ostringstream out;
    prometheus::TextSerializer().Serialize(out, some);
    const std::string lines = std::move(out).str();
    // Without a help there is the line of TYPE alone, which stands above already.
    text_.append(lines, row_ == 0 ? 0 : lines.find('\n') + 1);
    row_ = last;
    if (row_ < family.metric.size()) return;
    family.metric = {};
    row_ = 0;
    ++written_;
  }

  const Snapshot snapshot_;
  Families families_;
  std::string text_;
  std::size_t part_ = 0;     ///< that is being made
  std::size_t written_ = 0;  ///< families
  std::size_t row_ = 0;      ///< of the part or the family at hand
};

Exposition::Exposition(Snapshot snapshot) : impl_(std::make_unique<Impl>(std::move(snapshot))) {}
Exposition::~Exposition() = default;

bool Exposition::step() {
  return impl_->step();
}

std::string Exposition::take() {
  return impl_->take();
}

}  // namespace portunus::server::metrics
