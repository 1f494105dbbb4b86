#include "common/model/rule.hpp"

namespace portunus::model {

std::string_view protocol_name(Protocol protocol) {
  switch (protocol) {
    case Protocol::tcp:
      return "tcp";
    case Protocol::udp:
      return "udp";
  }
  return "";
}

std::optional<net::Endpoint> Target::literal() const {
  std::string_view text = host;
  if (text.starts_with('[')) text = text.substr(1, text.size() - 2);
  const auto address = net::IpAddress::parse(text);
  if (!address) return std::nullopt;
  return net::Endpoint(*address, port);
}

std::expected<std::string, net::HostnameFault> parse_target_host(std::string_view text) {
  if (text.size() > 2 && text.front() == '[' && text.back() == ']') {
    const auto address = net::IpAddress::parse(text.substr(1, text.size() - 2));
    if (!address || !address->is_v6()) return std::unexpected(net::HostnameFault::other);
    return "[" + address->text() + "]";
  }
  if (const auto address = net::IpAddress::parse(text); address && !address->is_v6()) {
    return address->text();
  }
  if (const auto fault = net::check_hostname(text)) return std::unexpected(*fault);
  return net::normalize_hostname(text);
}

}  // namespace portunus::model
