#pragma once

#include <boost/asio/ip/tcp.hpp>
#include <memory>
#include <optional>

#include "portal/relay/byte_stream.hpp"
#include "portal/tls/tls_context.hpp"

namespace portunus::portal::tls {

/// TLS 1.3 over a TCP socket as a stream. The library works on the socket itself: what it decrypts
/// goes straight into the reader's buffer and what it encrypts comes straight from the writer's,
/// and an idle connection keeps no record buffers. Owns the socket. The clean end is close_notify,
/// then FIN; abort() closes the socket without a TLS record.
class TlsStream final : public relay::ByteStream {
 public:
  /// `socket` is connected. The role follows from the context, which is kept by the caller.
  TlsStream(boost::asio::ip::tcp::socket socket, ServerContext& context);
  TlsStream(boost::asio::ip::tcp::socket socket, ClientContext& context);
  ~TlsStream() override;
  TlsStream(const TlsStream&) = delete;
  TlsStream& operator=(const TlsStream&) = delete;

  /// Once, before anything else. Unbounded: the caller aborts.
  relay::Task<Result<>> handshake();

  relay::Task<void> readable() override;
  relay::Task<Result<std::size_t>> read_some(std::span<std::byte> into) override;
  relay::Task<Result<>> write_all(std::span<const std::byte> bytes) override;
  relay::Task<Result<>> finish() override;
  void abort() noexcept override;
  std::optional<net::Endpoint> peer_endpoint() const override { return peer_; }
  std::optional<net::Endpoint> local_endpoint() const override { return local_; }

  /// SO_KEEPALIVE, which an authenticated connection has (portal 9).
  void keep_alive();
  /// Between these two the library's own messages (alerts, answers to key updates) are kept back,
  /// so that a connection that fails to authenticate ends without one (portal 9).
  void hold_output();
  Result<> release_output();

 private:
  struct Connection;
  std::unique_ptr<Connection> connection_;
  std::optional<net::Endpoint> peer_;
  std::optional<net::Endpoint> local_;
};

}  // namespace portunus::portal::tls
