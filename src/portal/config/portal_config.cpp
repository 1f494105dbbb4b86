#include "portal/config/portal_config.hpp"

#include <arpa/inet.h>

#include <charconv>
#include <cstring>
#include <string_view>
#include <utility>

#include "common/base/utf8.hpp"
#include "portal/config/decimal.hpp"
#include "portal/config/errc.hpp"

namespace portunus::portal::config {
namespace {

constexpr std::size_t kMaxText = 255;

Result<> read_port(const PortalUrl& url, PortalConfig& config) {
  const auto& port = url.port();
  if (!port || port->empty()) return fail(Errc::missing_port);
  std::from_chars(port->data(), port->data() + port->size(), config.port);  // checked with the URL
  return {};
}

/// The key ends at the first colon, a password starts there (portal 2).
Result<> read_key(const PortalUrl& url, PortalConfig& config) {
  const std::string_view userinfo = url.userinfo();
  const std::size_t colon = userinfo.find(':');
  if (colon != userinfo.npos && colon + 1 < userinfo.size()) return fail(Errc::password_given);
  std::string key = percent_decode(userinfo.substr(0, colon));
  if (key.empty() || key.size() > kMaxText || !is_utf8(key)) return fail(Errc::bad_key);
  config.key = Secret(std::move(key));
  return {};
}

/// `spec` and `alpn`: an empty one is the default that `value` holds.
Result<> read_text(const PortalUrl& url, std::string_view name, Errc bad, std::string& value) {
  auto given = url.strict(name);
  if (!given) return fail(Error(bad, "not UTF-8"));
  if (!*given || (*given)->empty()) return {};
  if ((*given)->size() > kMaxText) return fail(Error(bad, "longer than 255 bytes"));
  value = std::move(**given);
  return {};
}

Result<> read_net(const PortalUrl& url, PortalConfig& config) {
  const std::string net = url.form("net").value_or("");
  if (net.empty() || net == "mix") {
    config.net = Net::mix;
  } else if (net == "tcp") {
    config.net = Net::tcp;
  } else if (net == "udp") {
    config.net = Net::udp;
  } else {
    return fail(Error(Errc::bad_net, net));
  }
  return {};
}

Result<> read_tls(const PortalUrl& url, PortalConfig& config) {
  const std::string tls = url.form("tls").value_or("");
  if (tls.empty() || tls == "1") {
    config.tls = TlsMode::self_signed;
    return {};
  }
  if (tls != "2") {
    return fail(Error(Errc::bad_tls, tls == "0" ? "tls=0 is not supported" : tls));
  }
  config.tls = TlsMode::pem_files;
  config.certificate_path = url.form("crt").value_or("");
  config.key_path = url.form("key").value_or("");
  return {};
}

/// Whatever is no rate is no limit.
std::uint32_t read_rate(const PortalUrl& url, std::string_view name) {
  const auto rate = parse_i32(url.form(name).value_or(""));
  return rate && *rate > 0 ? static_cast<std::uint32_t>(*rate) : 0;
}

/// An IPv4-mapped literal is an IPv6 one that stands for its IPv4 address, from which it dials.
std::optional<net::IpAddress> parse_literal(const std::string& text) {
  if (const auto address = net::IpAddress::parse(text)) return address;
  sockaddr_in6 mapped{};
  mapped.sin6_family = AF_INET6;
  const bool literal = ::inet_pton(AF_INET6, text.c_str(), &mapped.sin6_addr) == 1;
  if (!literal || text.contains('\0')) return std::nullopt;
  sockaddr_storage storage{};
  std::memcpy(&storage, &mapped, sizeof mapped);
  const auto endpoint = net::Endpoint::from_sockaddr(storage);
  if (!endpoint) return std::nullopt;
  return endpoint->address();
}

std::optional<DialFrom> read_dial(const PortalUrl& url) {
  std::string text = url.form("dial").value_or("");
  const auto address = parse_literal(text);
  if (!address) return std::nullopt;
  return DialFrom{.address = *address, .text = std::move(text)};
}

}  // namespace

log::Level log_level(const PortalUrl& url) {
  return log::parse_level(url.form("log").value_or(""));
}

Result<PortalConfig> read_portal_config(const PortalUrl& url) {
  if (url.scheme() != "portal") return fail(Error(Errc::bad_scheme, url.scheme()));
  PortalConfig config;
  config.host = url.host();
  // The order is the contract's (portal 2.1): of several faults the first one here is reported.
  if (auto read = read_port(url, config); !read) return fail(read.error());
  if (auto read = read_key(url, config); !read) return fail(read.error());
  if (auto read = read_text(url, "spec", Errc::bad_spec, config.spec); !read) {
    return fail(read.error());
  }
  if (auto read = read_text(url, "alpn", Errc::bad_alpn, config.alpn); !read) {
    return fail(read.error());
  }
  if (auto read = read_net(url, config); !read) return fail(read.error());
  if (auto read = read_tls(url, config); !read) return fail(read.error());
  config.dial = read_dial(url);
  config.rate_mbps = read_rate(url, "rate");
  config.etar_mbps = read_rate(url, "etar");
  return config;
}

}  // namespace portunus::portal::config
