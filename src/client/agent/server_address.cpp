#include "client/agent/server_address.hpp"

#include "client/agent/errc.hpp"
#include "common/net/hostname.hpp"

namespace portunus::client::agent {

Result<ServerAddress> ServerAddress::parse(std::string_view text) {
  const auto parts = net::split_host_port(text);
  const auto port = parts ? net::parse_port(parts->port) : std::nullopt;
  if (!port) return fail({Errc::bad_endpoint, std::string(text)});

  ServerAddress out;
  out.text_ = text;
  out.port_ = *port;
  std::string_view host = parts->host;
  const bool bracketed = host.size() > 2 && host.front() == '[' && host.back() == ']';
  if (bracketed) host = host.substr(1, host.size() - 2);
  out.host_ = host;
  out.literal_ = net::IpAddress::parse(host);
  const bool valid =
      out.literal_ ? out.literal_->is_v6() == bracketed : !bracketed && !net::check_hostname(host);
  if (!valid) return fail({Errc::bad_endpoint, std::string(text)});
  return out;
}

}  // namespace portunus::client::agent
