#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "common/base/result.hpp"
#include "common/crypto/certificate.hpp"

namespace portunus::server::auth {

/// Where an advertised endpoint comes from, the first tier first.
enum class EndpointSource : std::uint8_t {
  override_,  ///< stored by an operator
  seed,       ///< flag or environment
  derived,    ///< the host of an operator's request, with the control port
  loopback,
};
/// "override", "seed", "derived", "loopback".
std::string_view endpoint_source_name(EndpointSource source);

struct ResolvedEndpoint {
  std::string endpoint;
  EndpointSource source = EndpointSource::loopback;
};

/// Which endpoint an edge is told to dial (cli-and-config 6, control-wire 10.1, http-api 11).
/// Does not change once the server listens; from then on any thread may ask.
class AdvertisedEndpoint {
 public:
  /// `seed` is the flag or the environment value; empty or host-less (":7443") = none.
  AdvertisedEndpoint(std::optional<std::string> seed, std::uint16_t control_port,
                     crypto::SubjectNames names);

  /// When control_listen has port 0, the bound port is known only after the server listens.
  void set_control_port(std::uint16_t port) { control_port_ = port; }

  /// Tiers: the stored `override` and the seed (hard errors), `request_host` without its port plus
  /// the control port, loopback. endpoint_invalid or endpoint_not_in_cert_san. Logs a derived
  /// endpoint that is not covered, and when nothing is.
  Result<ResolvedEndpoint> resolve(const std::optional<std::string>& override_endpoint,
                                   std::optional<std::string_view> request_host) const;
  /// Whether it could be told to an edge: endpoint_invalid, endpoint_not_in_cert_san.
  Result<> check(std::string_view endpoint) const;

  /// Exactly host:port, an RFC 1123 name or IPv4, port without leading zero, at most 263 bytes.
  static bool well_formed(std::string_view endpoint);
  /// The host of a seed: the text before its last colon; nothing for a host-less one.
  static std::optional<std::string> seed_host(std::string_view seed);

 private:
  std::optional<std::string> seed_;
  std::uint16_t control_port_;
  crypto::SubjectNames names_;
};

}  // namespace portunus::server::auth
