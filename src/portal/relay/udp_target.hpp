#pragma once

#include <boost/asio/ip/udp.hpp>
#include <cstddef>
#include <span>

#include "common/async/task.hpp"
#include "common/base/result.hpp"
#include "common/net/endpoint.hpp"

namespace portunus::portal::relay {

/// A connected UDP socket to a target: the far end of a DATAGRAM or UoT flow (portal 12, 13). One
/// thread; one receive and one send under way at most. ICMP errors come back as errors of either.
class UdpTarget {
 public:
  /// `socket` is connected and non-blocking.
  explicit UdpTarget(boost::asio::ip::udp::socket socket);
  UdpTarget(const UdpTarget&) = delete;
  UdpTarget& operator=(const UdpTarget&) = delete;

  /// The next packet, cut to `into`; an empty packet is 0.
  async::Task<Result<std::size_t>> receive(std::span<std::byte> into);
  /// As receive(), at once; nothing when no packet waits (EAGAIN as an error value).
  Result<std::size_t> try_receive(std::span<std::byte> into);
  /// The whole packet, at once; false when the socket has no room for it now.
  Result<bool> try_send(std::span<const std::byte> packet);
  /// As try_send(), waiting for room.
  async::Task<Result<>> send(std::span<const std::byte> packet);

  /// Closes; what is under way ends with Errc::aborted. Idempotent.
  void close() noexcept;

  net::Endpoint remote_endpoint() const { return remote_; }
  net::Endpoint local_endpoint() const { return local_; }

 private:
  boost::asio::ip::udp::socket socket_;
  net::Endpoint remote_;
  net::Endpoint local_;
};

}  // namespace portunus::portal::relay
