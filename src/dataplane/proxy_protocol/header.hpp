#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "common/model/rule.hpp"
#include "common/net/endpoint.hpp"

namespace portunus::dataplane::proxy_protocol {

/// The longest header that is written: v1 with two long IPv6 addresses.
inline constexpr std::size_t kMaxHeader = 107;

/// A header ready to be sent; no allocation.
struct Header {
  std::array<std::byte, kMaxHeader> data{};
  std::uint8_t size = 0;
  std::span<const std::byte> bytes() const { return std::span(data).first(size); }
};

/// The PROXY protocol header for a connection (data-plane section 10). Nothing when the families of
/// the two addresses differ (PP-1).
std::optional<Header> encode(model::ProxyVersion version, const net::Endpoint& source,
                             const net::Endpoint& destination);

/// A header at the start of `bytes`, of either version; nothing when there is none or it is not
/// whole. For tests and the fuzzer's round trip.
struct Decoded {
  model::ProxyVersion version;
  net::Endpoint source;
  net::Endpoint destination;
  std::size_t size;
};
std::optional<Decoded> decode(std::span<const std::byte> bytes);

}  // namespace portunus::dataplane::proxy_protocol
