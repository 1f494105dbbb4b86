#include "server/rules/sni_totals.hpp"

#include <limits>

namespace portunus::server::rules {
namespace {

constexpr std::uint16_t kLastPort = std::numeric_limits<std::uint16_t>::max();

}  // namespace

std::ranges::subrange<SniTotals::Ports::iterator> SniTotals::of(std::string_view client_id) {
  const std::string id(client_id);
  return {ports_.lower_bound({id, 0}), ports_.upper_bound({id, kLastPort})};
}

void SniTotals::start_session(std::string_view client_id) {
  for (auto& [key, numbers] : of(client_id)) numbers.counters.start_session();
}

void SniTotals::report(std::string_view client_id, std::string_view client_name,
                       const model::SniPortTraffic& traffic) {
  SniPortNumbers& numbers = ports_[{std::string(client_id), traffic.listen_port}];
  numbers.client_name = client_name;
  numbers.counters.report(traffic);
}

bool SniTotals::knows(std::string_view client_id, std::uint16_t port) const {
  return ports_.contains({std::string(client_id), port});
}

void SniTotals::rename(std::string_view client_id, std::string_view client_name) {
  for (auto& [key, numbers] : of(client_id)) numbers.client_name = client_name;
}

void SniTotals::forget(std::string_view client_id) {
  const auto ports = of(client_id);
  ports_.erase(ports.begin(), ports.end());
}

}  // namespace portunus::server::rules
