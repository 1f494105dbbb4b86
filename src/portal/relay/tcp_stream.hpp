#pragma once

#include <boost/asio/ip/tcp.hpp>
#include <system_error>

#include "portal/relay/byte_stream.hpp"

namespace portunus::portal::relay {

/// A plain TCP connection as a stream: the target's side of a relay, or a local user's in the
/// client. finish() is a FIN, which is also the clean end; abort() closes.
class TcpStream final : public ByteStream {
 public:
  /// `socket` is connected. Sets TCP_NODELAY.
  explicit TcpStream(boost::asio::ip::tcp::socket socket);

  Task<void> readable() override;
  Task<Result<std::size_t>> read_some(std::span<std::byte> into) override;
  Task<Result<>> write_all(std::span<const std::byte> bytes) override;
  Task<Result<>> finish() override;
  void abort() noexcept override;
  std::optional<net::Endpoint> peer_endpoint() const override { return peer_; }
  std::optional<net::Endpoint> local_endpoint() const override { return local_; }

 private:
  Error failure(const boost::system::error_code& ec) const;

  boost::asio::ip::tcp::socket socket_;
  std::optional<net::Endpoint> peer_;
  std::optional<net::Endpoint> local_;
  bool finished_ = false;
  bool aborted_ = false;
  /// There is probably something to read: the last read filled its buffer, or readable() ended.
  bool busy_ = false;
};

}  // namespace portunus::portal::relay
