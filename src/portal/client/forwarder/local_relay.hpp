#pragma once

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <cstddef>
#include <memory>

#include "common/async/task.hpp"
#include "common/base/result.hpp"
#include "portal/relay/byte_stream.hpp"

namespace portunus::portal::client::forwarder {

struct RelayOptions {
  /// Of each direction, while bytes move.
  std::size_t buffer_bytes = 64 * 1024;
  /// After one side has ended cleanly the other may go on for this long (portal 11.3 and 18, "TLS
  /// half-close"), however busy it is.
  std::chrono::steady_clock::duration half_close_grace = std::chrono::seconds(30);
};

/// One local TCP connection and the stream through the Portal that carries it, owned together. An
/// end on one side becomes an end on the other; an error on either resets both, so that the local
/// program never takes a broken transfer for a complete one. One executor's thread; kept
/// by a shared_ptr until run() has returned.
class LocalRelay : public std::enable_shared_from_this<LocalRelay> {
 public:
  LocalRelay(boost::asio::ip::tcp::socket socket, std::unique_ptr<relay::ByteStream> stream,
             RelayOptions options);
  LocalRelay(const LocalRelay&) = delete;
  LocalRelay& operator=(const LocalRelay&) = delete;

  /// Relays until both directions have ended; the first error of either, otherwise nothing. An
  /// expired grace is no error.
  async::Task<Result<>> run();
  /// Resets both sides at once; run() returns soon after.
  void abort();

 private:
  async::Task<Result<>> uplink();
  async::Task<Result<>> downlink();
  /// One direction is over: cleanly, and the other gets its grace, or not, and both are.
  void ended(const Result<>& how);
  void expire_later();

  boost::asio::ip::tcp::socket socket_;
  std::unique_ptr<relay::ByteStream> stream_;
  const RelayOptions options_;
  boost::asio::steady_timer grace_;
  unsigned running_ = 2;
  bool expired_ = false;
};

/// Makes close() send a reset instead of an end.
void reset_on_close(boost::asio::ip::tcp::socket& socket);

}  // namespace portunus::portal::client::forwarder
