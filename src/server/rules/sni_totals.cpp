#include "server/rules/sni_totals.hpp"

namespace portunus::server::rules {

void SniTotals::start_session(std::string_view client_id) {
  for (auto& [key, numbers] : ports_) {
    if (key.first == client_id) numbers.counters.start_session();
  }
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
  for (auto& [key, numbers] : ports_) {
    if (key.first == client_id) numbers.client_name = client_name;
  }
}

void SniTotals::forget(std::string_view client_id) {
  std::erase_if(ports_, [&](const auto& item) { return item.first.first == client_id; });
}

}  // namespace portunus::server::rules
