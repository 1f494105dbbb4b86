#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "common/base/result.hpp"
#include "common/net/endpoint.hpp"

namespace portunus::client::agent {

/// Where the server's control port is: a DNS name or an address, and a port.
class ServerAddress {
 public:
  /// `name:port`, `ip:port` or `[ip6]:port`; Errc::bad_endpoint otherwise.
  static Result<ServerAddress> parse(std::string_view text);

  /// The name, or the address without brackets.
  const std::string& host() const { return host_; }
  std::uint16_t port() const { return port_; }
  /// The address to dial when the host is no name. A name is also the TLS server name, an address
  /// never is (control-wire 1.1).
  const std::optional<net::IpAddress>& literal() const { return literal_; }
  /// As given: authority of every request, and what the log shows.
  const std::string& text() const { return text_; }

 private:
  std::string host_;
  std::string text_;
  std::uint16_t port_ = 0;
  std::optional<net::IpAddress> literal_;
};

}  // namespace portunus::client::agent
