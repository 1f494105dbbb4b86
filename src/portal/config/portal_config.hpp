#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "common/base/result.hpp"
#include "common/base/secret.hpp"
#include "common/net/endpoint.hpp"
#include "portal/config/portal_url.hpp"
#include "portal/log/level.hpp"

namespace portunus::portal::config {

enum class TlsMode : std::uint8_t { self_signed = 1, pem_files = 2 };
enum class Net : std::uint8_t { mix, tcp, udp };

/// An address that targets are dialled from, and how it was typed.
struct DialFrom {
  net::IpAddress address;
  std::string text;
};

/// What a Portal is told by its URL (portal 2 and 2.1): the effective, decoded values.
struct PortalConfig {
  Secret key;
  /// Empty, an address (IPv6 without brackets, canonical) or a name.
  std::string host;
  std::uint16_t port = 0;
  TlsMode tls = TlsMode::self_signed;
  std::string spec = "auto";
  std::string alpn = "now/1";
  Net net = Net::mix;
  std::optional<DialFrom> dial;
  std::uint32_t rate_mbps = 0;  ///< uplink; 0 is unlimited
  std::uint32_t etar_mbps = 0;  ///< downlink
  std::string certificate_path;
  std::string key_path;

  bool wants_tcp() const { return net != Net::udp; }
  bool wants_udp() const { return net != Net::tcp; }
};

/// Never fails; the log can be opened before anything else is judged.
log::Level log_level(const PortalUrl& url);

/// The rules of 2 and 2.1 in their order: scheme, port, password, key, spec, alpn, net, tls. PEM
/// files, names and sockets come after it and are the server's.
Result<PortalConfig> read_portal_config(const PortalUrl& url);

}  // namespace portunus::portal::config
