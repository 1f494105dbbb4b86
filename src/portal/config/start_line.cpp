#include "portal/config/start_line.hpp"

#include <fmt/format.h>

#include <string_view>

#include "portal/log/record.hpp"

namespace portunus::portal::config {
namespace {

std::string_view net_name(Net net) {
  switch (net) {
    case Net::mix:
      return "mix";
    case Net::tcp:
      return "tcp";
    case Net::udp:
      return "udp";
  }
  return "mix";
}

}  // namespace

std::string start_line(const PortalConfig& config) {
  const bool v6 = config.host.contains(':');
  return fmt::format(
      "portal::run: starting: "
      "portal://{}{}{}:{}?tls={}&spec={}&alpn={}&net={}&dial={}&rate={}&etar={}",
      v6 ? "[" : "", config.host, v6 ? "]" : "", config.port, static_cast<int>(config.tls),
      log::escaped(config.spec), log::escaped(config.alpn), net_name(config.net),
      config.dial ? std::string_view(config.dial->text) : "auto", config.rate_mbps,
      config.etar_mbps);
}

}  // namespace portunus::portal::config
