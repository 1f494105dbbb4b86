#include "server/owner_caps/owner_totals.hpp"

#include "common/base/saturating.hpp"
#include "common/model/running_total.hpp"

namespace portunus::server::owner_caps {
namespace {

void advance(std::uint64_t& total, std::uint64_t& baseline, std::uint64_t value) {
  add_saturating(total, model::rise(baseline, value));
  baseline = value;
}

}  // namespace

void OwnerTotals::start_session(std::string_view client_id) {
  const auto client = clients_.find(client_id);
  if (client == clients_.end()) return;
  for (auto& [owner, track] : client->second) track.baseline = {};
  std::erase_if(client->second, [](const auto& item) { return !item.second.numbers.reported; });
  if (client->second.empty()) clients_.erase(client);
}

void OwnerTotals::report(std::string_view client_id, std::string_view owner_id,
                         const model::LimitTraffic* seen) {
  Track& track = clients_[std::string(client_id)][std::string(owner_id)];
  track.numbers.reported = true;
  model::LimitTraffic& total = track.numbers.total;
  total.active = seen == nullptr ? 0 : seen->active;
  if (seen == nullptr) return;
  // Only the owner's reasons: those of rules are told with the rules (RL-6).
  for (const auto reason : {model::Reject::owner_concurrent, model::Reject::owner_conn_rate,
                            model::Reject::owner_udp_flow_rate}) {
    const auto i = static_cast<std::size_t>(reason);
    advance(total.rejects[i], track.baseline.rejects[i], seen->rejects[i]);
  }
  advance(total.throttle_us_in, track.baseline.throttle_us_in, seen->throttle_us_in);
  advance(total.throttle_us_out, track.baseline.throttle_us_out, seen->throttle_us_out);
}

void OwnerTotals::remove(std::string_view client_id, std::string_view owner_id) {
  const auto client = clients_.find(client_id);
  if (client == clients_.end()) return;
  const auto owner = client->second.find(owner_id);
  if (owner != client->second.end()) owner->second.numbers = {};
}

void OwnerTotals::forget(std::string_view client_id) {
  if (const auto client = clients_.find(client_id); client != clients_.end()) {
    clients_.erase(client);
  }
}

const OwnerNumbers* OwnerTotals::find(std::string_view client_id, std::string_view owner_id) const {
  const auto client = clients_.find(client_id);
  if (client == clients_.end()) return nullptr;
  const auto owner = client->second.find(owner_id);
  if (owner == client->second.end() || !owner->second.numbers.reported) return nullptr;
  return &owner->second.numbers;
}

}  // namespace portunus::server::owner_caps
