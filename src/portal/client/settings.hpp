#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "common/base/result.hpp"
#include "common/base/secret.hpp"
#include "portal/client/warm_pool.hpp"

namespace portunus::portal::client {

/// Whom a client believes (portal 18, "TLS trust").
enum class Trust : std::uint8_t {
  system,    ///< the platform's roots and the name of the URL
  pin,       ///< exactly one certificate
  anything,  ///< the explicit opt-in; whoever answers learns an authentication frame
};

/// What a user says beside the URL.
struct ClientOptions {
  /// SHA-256 of the Portal's certificate, 64 hex digits of either case. Outranks the URL's `pin`.
  std::optional<std::string> pin = {};
  bool insecure = false;
  std::size_t pool = WarmPool::kUsualSlots;
};

/// How a client reaches one Portal: the values of the same URL that the Portal is started with
/// (portal 2), decoded, of which key, host, port, `spec`, `alpn` and `pin` count.
struct ClientSettings {
  Secret key;
  /// A name or an address, IPv6 without brackets.
  std::string host;
  std::uint16_t port = 0;
  std::string spec = "auto";
  std::string alpn = "now/1";
  Trust trust = Trust::system;
  /// 64 lower-case hex digits with Trust::pin.
  std::string pin = {};
  std::size_t pool = WarmPool::kUsualSlots;
  /// For a connection: resolution, every attempt, handshake and authentication frame.
  std::chrono::nanoseconds connect_timeout = std::chrono::seconds(10);
  /// A QUIC connection on which nothing comes for so long is dead; the PINGs after so much silence
  /// keep one that is not (portal 18).
  std::chrono::nanoseconds quic_idle_timeout = std::chrono::seconds(30);
  std::chrono::nanoseconds quic_keep_alive = std::chrono::seconds(10);
  /// Roots in place of the platform's; empty = those. For tests.
  std::string roots_path = {};

  /// `host:port`, an IPv6 host in brackets.
  std::string endpoint_text() const;
};

/// Judges the URL by the Portal's own rules first (config::Errc), then what only a client needs: a
/// host, a port other than 0, a pin that is one, and not both a pin and the opt-in.
Result<ClientSettings> read_client_settings(std::string_view url, const ClientOptions& options);

/// 64 hex digits in lower case; Errc::bad_pin.
Result<std::string> normalize_pin(std::string_view text);

}  // namespace portunus::portal::client
