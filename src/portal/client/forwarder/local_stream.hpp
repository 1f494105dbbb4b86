#pragma once

#include <boost/asio/ip/tcp.hpp>

#include "portal/relay/tcp_stream.hpp"

namespace portunus::portal::client::forwarder {

/// The local user's TCP connection. An abort resets it, so that the local program never takes a
/// broken transfer for a complete one; all else is the plain stream's.
class LocalStream final : public relay::ByteStream {
 public:
  /// `socket` is connected.
  explicit LocalStream(boost::asio::ip::tcp::socket socket);

  relay::Task<void> readable() override;
  relay::Task<Result<std::size_t>> read_some(std::span<std::byte> into) override;
  relay::Task<Result<>> write_all(std::span<const std::byte> bytes) override;
  relay::Task<Result<>> finish() override;
  void abort() noexcept override;
  std::optional<net::Endpoint> peer_endpoint() const override { return stream_.peer_endpoint(); }
  std::optional<net::Endpoint> local_endpoint() const override { return stream_.local_endpoint(); }

 private:
  /// The stream's, until it closes it.
  int descriptor_;
  relay::TcpStream stream_;
};

}  // namespace portunus::portal::client::forwarder
