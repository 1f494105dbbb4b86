#include "portal/quic/connection_id.hpp"

#include <algorithm>

#include "common/crypto/random.hpp"

namespace portunus::portal::quic {

std::optional<ConnectionId> ConnectionId::from(std::span<const std::uint8_t> bytes) {
  if (bytes.size() > kLongest) return std::nullopt;
  ConnectionId id;
  std::ranges::copy(bytes, id.bytes.begin());
  id.size = static_cast<std::uint8_t>(bytes.size());
  return id;
}

ConnectionId ConnectionId::issue(unsigned worker, unsigned workers) {
  ConnectionId id;
  id.size = kIssued;
  crypto::random_bytes(std::span(id.bytes).first<kIssued>());
  // The highest multiple that leaves room for the worker's number, so that the byte stays random.
  const unsigned multiples = kMostWorkers / workers;
  id.bytes[0] = static_cast<std::uint8_t>((id.bytes[0] % multiples) * workers + worker);
  return id;
}

}  // namespace portunus::portal::quic
