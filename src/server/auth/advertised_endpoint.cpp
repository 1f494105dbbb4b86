#include "server/auth/advertised_endpoint.hpp"

#include <utility>

#include "common/log/logger.hpp"
#include "common/net/endpoint.hpp"
#include "common/net/hostname.hpp"
#include "server/auth/errc.hpp"

namespace portunus::server::auth {
namespace {

constexpr std::size_t kMaxBytes = 263;

/// An RFC 1123 name, written without a trailing dot, or an IPv4 literal.
bool is_host(std::string_view text) {
  if (const auto address = net::IpAddress::parse(text)) return !address->is_v6();
  return !text.ends_with('.') && !net::check_hostname(text);
}

std::string_view host_of(std::string_view endpoint) {
  return endpoint.substr(0, endpoint.rfind(':'));
}

/// The host of a request's Host header, whose port is optional.
std::string_view without_port(std::string_view host) {
  const auto colon = host.rfind(':');
  return colon == std::string_view::npos ? host : host.substr(0, colon);
}

}  // namespace

std::string_view endpoint_source_name(EndpointSource source) {
  switch (source) {
    case EndpointSource::override_:
      return "override";
    case EndpointSource::seed:
      return "seed";
    case EndpointSource::derived:
      return "derived";
    case EndpointSource::loopback:
      return "loopback";
  }
  return {};
}

AdvertisedEndpoint::AdvertisedEndpoint(std::optional<std::string> seed, std::uint16_t control_port,
                                       crypto::SubjectNames names)
    : control_port_(control_port), names_(std::move(names)) {
  if (seed && !seed->empty() && seed->rfind(':') != 0) seed_ = std::move(seed);
}

Result<> AdvertisedEndpoint::check(std::string_view endpoint) const {
  if (!well_formed(endpoint)) return fail({Errc::endpoint_invalid, std::string(endpoint)});
  if (!names_.cover(host_of(endpoint))) {
    return fail({Errc::endpoint_not_in_cert_san, std::string(endpoint)});
  }
  return {};
}

Result<ResolvedEndpoint> AdvertisedEndpoint::resolve(
    const std::optional<std::string>& override_endpoint,
    std::optional<std::string_view> request_host) const {
  const std::optional<std::string>& named = override_endpoint ? override_endpoint : seed_;
  if (named) {
    if (const auto good = check(*named); !good) return fail(good.error());
    return ResolvedEndpoint{*named,
                            override_endpoint ? EndpointSource::override_ : EndpointSource::seed};
  }
  const std::string port = ":" + std::to_string(control_port_);
  if (request_host) {
    const std::string_view host = without_port(*request_host);
    std::string derived = std::string(host) + port;
    if (check(derived)) return ResolvedEndpoint{std::move(derived), EndpointSource::derived};
    log::log(log::Event::advertised_derive_uncovered, {{"host", host}});
  }
  std::string loopback = "127.0.0.1" + port;
  if (check(loopback)) return ResolvedEndpoint{std::move(loopback), EndpointSource::loopback};
  log::log(log::Event::advertised_no_covered_candidate);
  return fail({Errc::endpoint_not_in_cert_san, std::move(loopback)});
}

bool AdvertisedEndpoint::well_formed(std::string_view endpoint) {
  if (endpoint.size() > kMaxBytes) return false;
  const auto parts = net::split_host_port(endpoint);
  return parts && is_host(parts->host) && net::parse_port(parts->port);
}

std::optional<std::string> AdvertisedEndpoint::seed_host(std::string_view seed) {
  const auto parts = net::split_host_port(seed);
  if (!parts || parts->host.empty()) return std::nullopt;
  return std::string(parts->host);
}

}  // namespace portunus::server::auth
