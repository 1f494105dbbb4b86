#pragma once

#include <cstdint>

#include "dataplane/reactor/poller.hpp"
#include "portal/quic/endpoint.hpp"
#include "portal/quic/packet_batch.hpp"
#include "portal/quic/udp_socket.hpp"

namespace portunus::portal::quic {

/// One socket of an endpoint and its place in the endpoint's poller. Paths of connections carry its
/// address, so it lives until none of them is left.
class UdpSocket final : public dataplane::reactor::Pollable, public dataplane::reactor::Deferred {
 public:
  UdpSocket(Endpoint& endpoint, BoundSocket bound, bool connected, unsigned index)
      : endpoint_(endpoint),
        bound_(std::move(bound)),
        address_(SocketAddress::from(bound_.local)),
        index_(index),
        connected_(connected) {}

  /// False with errno on failure.
  [[nodiscard]] bool watch(dataplane::reactor::Poller& poller);
  /// While the socket is full; it ends by itself when it no longer is.
  void watch_for_room(bool wanted = true);
  void close();

  int fd() const { return bound_.fd.get(); }
  unsigned index() const { return index_; }
  bool connected() const { return connected_; }
  const SocketAddress& address() const { return address_; }
  /// A client's socket has one connection, which takes all that comes: a stateless reset names
  /// none.
  Connection* connection() const { return connection_; }
  void set_connection(Connection* connection) { connection_ = connection; }

 private:
  void on_ready(std::uint32_t events) override;
  void run_deferred() override;

  Endpoint& endpoint_;
  BoundSocket bound_;
  const SocketAddress address_;
  const unsigned index_;
  const bool connected_;
  dataplane::reactor::Poller* poller_ = nullptr;
  Connection* connection_ = nullptr;
  bool wants_room_ = false;
};

}  // namespace portunus::portal::quic
