#include "portal/protocol/target.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>

#include "common/base/utf8.hpp"
#include "portal/protocol/errc.hpp"

namespace portunus::portal::protocol {
namespace {

/// Digits alone; as many zeros in front as somebody likes.
std::optional<std::uint16_t> decimal_port(std::string_view text) {
  std::uint16_t port = 0;
  if (text.empty() || text.front() == '+' || text.front() == '-') return std::nullopt;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return port;
}

/// IPv6 text as an address, a mapped one as the IPv4 that it stands for.
std::optional<net::IpAddress> parse_v6(std::string_view text) {
  if (const auto address = net::IpAddress::parse(text)) {
    return address->is_v6() ? address : std::nullopt;
  }
  sockaddr_in6 in{};
  in.sin6_family = AF_INET6;
  if (inet_pton(AF_INET6, std::string(text).c_str(), &in.sin6_addr) != 1) return std::nullopt;
  sockaddr_storage storage{};
  *reinterpret_cast<sockaddr_in6*>(&storage) = in;
  const auto endpoint = net::Endpoint::from_sockaddr(storage);
  return endpoint ? std::optional(endpoint->address()) : std::nullopt;
}

}  // namespace

Result<> check_target(std::string_view target) {
  if (target.empty() || target.size() > kMaxTarget) return fail(Errc::bad_target_length);
  if (!is_utf8(target)) return fail(Errc::bad_target);
  std::size_t colon = 0;
  if (target.front() == '[') {
    const std::size_t bracket = target.find(']');
    if (bracket == target.npos) return fail(Errc::bad_target);
    colon = bracket + 1;
    if (colon == target.size() || target[colon] != ':') return fail(Errc::bad_target);
  } else {
    colon = target.find(':');
    if (colon == target.npos || target.find(':', colon + 1) != target.npos) {
      return fail(Errc::bad_target);
    }
  }
  if (colon + 1 == target.size()) return fail(Errc::bad_target);
  return {};
}

Result<DialTarget> parse_dial_target(std::string_view target) {
  if (auto good = check_target(target); !good) return fail(good.error());
  DialTarget out;
  const bool bracketed = target.front() == '[';
  const std::size_t colon = bracketed ? target.find(']') + 1 : target.find(':');
  const auto port = decimal_port(target.substr(colon + 1));
  if (!port) return fail(Errc::bad_dial_port);
  out.port = *port;
  if (bracketed) {
    out.address = parse_v6(target.substr(1, colon - 2));
    if (!out.address) return fail(Errc::bad_dial_host);
    return out;
  }
  const std::string_view host = target.substr(0, colon);
  out.address = net::IpAddress::parse(host);
  if (out.address) return out;
  // No name holds a NUL or a blank, and a resolver would read something else than is written.
  if (host.empty() || std::ranges::any_of(host, [](char c) {
        return static_cast<unsigned char>(c) <= 0x20 || c == 0x7f;
      })) {
    return fail(Errc::bad_dial_host);
  }
  out.name = host;
  return out;
}

}  // namespace portunus::portal::protocol
