#pragma once

#include <netinet/in.h>
#include <sys/socket.h>

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace portunus::net {

/// An IPv4 or IPv6 address; never an IPv4-mapped one.
class IpAddress {
 public:
  /// Canonical or any inet_pton form, without brackets. Nothing for a mapped one: it would be an
  /// IPv4 address that does not compare equal to itself.
  static std::optional<IpAddress> parse(std::string_view text);
  static IpAddress any_v4();
  static IpAddress any_v6();

  bool is_v6() const { return v6_; }
  bool is_loopback() const;
  /// Canonical text, without brackets.
  std::string text() const;
  const std::array<std::uint8_t, 16>& bytes() const { return bytes_; }
  friend bool operator==(const IpAddress&, const IpAddress&) = default;

 private:
  friend class Endpoint;
  std::array<std::uint8_t, 16> bytes_{};
  bool v6_ = false;
};

/// Address and port, convertible to and from the kernel's form.
class Endpoint {
 public:
  Endpoint() = default;
  Endpoint(IpAddress address, std::uint16_t port) : address_(address), port_(port) {}

  /// `ip:port` or `[ip6]:port`; the port is decimal 0..65535.
  static std::optional<Endpoint> parse(std::string_view text);
  /// Nothing for families other than IPv4 and IPv6. Mapped addresses become IPv4.
  static std::optional<Endpoint> from_sockaddr(const sockaddr_storage& storage);

  const IpAddress& address() const { return address_; }
  std::uint16_t port() const { return port_; }
  int family() const { return address_.is_v6() ? AF_INET6 : AF_INET; }
  /// Fills `storage` and returns its used length.
  socklen_t to_sockaddr(sockaddr_storage& storage) const;
  /// `ip:port` or `[ip6]:port`.
  std::string text() const;
  friend bool operator==(const Endpoint&, const Endpoint&) = default;

 private:
  IpAddress address_;
  std::uint16_t port_ = 0;
};

/// Decimal 1..65535 (or from 0 with `allow_zero`), no sign, no leading zero.
std::optional<std::uint16_t> parse_port(std::string_view text, bool allow_zero = false);

/// "host:port" split at the last colon, neither part checked; nothing without a colon.
struct HostPort {
  std::string_view host;
  std::string_view port;
};
std::optional<HostPort> split_host_port(std::string_view text);

}  // namespace portunus::net
