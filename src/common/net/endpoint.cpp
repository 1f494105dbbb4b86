#include "common/net/endpoint.hpp"

#include <arpa/inet.h>

#include <charconv>
#include <cstring>

namespace portunus::net {

std::optional<IpAddress> IpAddress::parse(std::string_view text) {
  char buffer[INET6_ADDRSTRLEN];
  if (text.empty() || text.size() >= sizeof buffer) return std::nullopt;
  std::memcpy(buffer, text.data(), text.size());
  buffer[text.size()] = '\0';
  if (std::strlen(buffer) != text.size()) return std::nullopt;
  IpAddress out;
  if (::inet_pton(AF_INET, buffer, out.bytes_.data()) == 1) return out;
  if (::inet_pton(AF_INET6, buffer, out.bytes_.data()) != 1) return std::nullopt;
  in6_addr raw;
  std::memcpy(&raw, out.bytes_.data(), sizeof raw);
  if (IN6_IS_ADDR_V4MAPPED(&raw)) return std::nullopt;
  out.v6_ = true;
  return out;
}

IpAddress IpAddress::any_v4() {
  return {};
}

IpAddress IpAddress::any_v6() {
  IpAddress out;
  out.v6_ = true;
  return out;
}

bool IpAddress::is_loopback() const {
  if (!v6_) return bytes_[0] == 127;
  std::array<std::uint8_t, 16> one{};
  one[15] = 1;
  return bytes_ == one;
}

std::string IpAddress::text() const {
  char buffer[INET6_ADDRSTRLEN];
  ::inet_ntop(v6_ ? AF_INET6 : AF_INET, bytes_.data(), buffer, sizeof buffer);
  return buffer;
}

std::optional<Endpoint> Endpoint::parse(std::string_view text) {
  const auto parts = split_host_port(text);
  if (!parts) return std::nullopt;
  std::string_view host = parts->host;
  const bool bracketed = host.size() > 2 && host.front() == '[' && host.back() == ']';
  if (bracketed) host = host.substr(1, host.size() - 2);
  const auto address = IpAddress::parse(host);
  const auto port = parse_port(parts->port, true);
  if (!address || !port || address->is_v6() != bracketed) return std::nullopt;
  return Endpoint(*address, *port);
}

std::optional<Endpoint> Endpoint::from_sockaddr(const sockaddr_storage& storage) {
  Endpoint out;
  if (storage.ss_family == AF_INET) {
    sockaddr_in in;
    std::memcpy(&in, &storage, sizeof in);
    std::memcpy(out.address_.bytes_.data(), &in.sin_addr, 4);
    out.port_ = ntohs(in.sin_port);
    return out;
  }
  if (storage.ss_family == AF_INET6) {
    sockaddr_in6 in;
    std::memcpy(&in, &storage, sizeof in);
    if (IN6_IS_ADDR_V4MAPPED(&in.sin6_addr)) {
      std::memcpy(out.address_.bytes_.data(), in.sin6_addr.s6_addr + 12, 4);
    } else {
      std::memcpy(out.address_.bytes_.data(), in.sin6_addr.s6_addr, 16);
      out.address_.v6_ = true;
    }
    out.port_ = ntohs(in.sin6_port);
    return out;
  }
  return std::nullopt;
}

socklen_t Endpoint::to_sockaddr(sockaddr_storage& storage) const {
  storage = {};
  if (address_.is_v6()) {
    sockaddr_in6 out{};
    out.sin6_family = AF_INET6;
    out.sin6_port = htons(port_);
    std::memcpy(out.sin6_addr.s6_addr, address_.bytes_.data(), 16);
    std::memcpy(&storage, &out, sizeof out);
    return sizeof out;
  }
  sockaddr_in out{};
  out.sin_family = AF_INET;
  out.sin_port = htons(port_);
  std::memcpy(&out.sin_addr, address_.bytes_.data(), 4);
  std::memcpy(&storage, &out, sizeof out);
  return sizeof out;
}

std::string Endpoint::text() const {
  std::string host = address_.text();
  if (address_.is_v6()) host = "[" + host + "]";
  return host + ":" + std::to_string(port_);
}

std::optional<std::uint16_t> parse_port(std::string_view text, bool allow_zero) {
  if (text.empty() || text.size() > 5 || (text.size() > 1 && text[0] == '0')) return std::nullopt;
  unsigned value = 0;
  const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (ec != std::errc{} || end != text.data() + text.size() || value > 65535) return std::nullopt;
  if (value == 0 && !allow_zero) return std::nullopt;
  return static_cast<std::uint16_t>(value);
}

std::optional<HostPort> split_host_port(std::string_view text) {
  const auto colon = text.rfind(':');
  if (colon == std::string_view::npos) return std::nullopt;
  return HostPort{text.substr(0, colon), text.substr(colon + 1)};
}

}  // namespace portunus::net
