#pragma once

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <cstddef>
#include <string>

#include "common/async/gate.hpp"
#include "common/async/task.hpp"
#include "common/base/result.hpp"
#include "common/net/endpoint.hpp"
#include "portal/client/forwarder/trouble.hpp"
#include "portal/client/transport.hpp"
#include "portal/relay/buffer_pool.hpp"
#include "portal/relay/counters.hpp"
#include "portal/relay/pacer.hpp"
#include "portal/relay/tcp_relay.hpp"

namespace portunus::portal::client::forwarder {

struct TcpOptions {
  /// What every connection is led to (portal 6.5).
  std::string target;
  /// At the bound further connections wait in the kernel's queue.
  std::size_t max_connections = 8192;
  /// Per direction and connection.
  std::size_t buffer_bytes = 64 * 1024;
  /// After one side has ended cleanly the other may go on for this long (portal 11.3 and 18, "TLS
  /// half-close").
  std::chrono::nanoseconds half_close_grace = std::chrono::seconds(30);
  /// After an accept failed for want of descriptors or memory.
  std::chrono::milliseconds accept_pause{100};
};

/// A local TCP port whose connections come out at one target behind a Portal. Lives on one
/// executor, the transport's, and must be drained before either is destroyed.
class TcpForwarder {
 public:
  TcpForwarder(boost::asio::any_io_executor executor, Transport& transport, TcpOptions options,
               OnTrouble on_trouble);
  TcpForwarder(const TcpForwarder&) = delete;
  TcpForwarder& operator=(const TcpForwarder&) = delete;

  /// Binds; the endpoint with the port that the system chose for 0.
  Result<net::Endpoint> listen(const net::Endpoint& local);
  /// After listen().
  void start();

  /// Stops accepting; what is relayed goes on. Idempotent.
  void request_stop();
  /// Lets connections end for `grace`, then resets them. True when none had to be.
  async::Task<bool> drain(std::chrono::steady_clock::duration grace);

  std::size_t connections() const { return open_; }

 private:
  async::Task<> accept_loop();
  async::Task<> wait_for_room();
  async::Task<> serve(boost::asio::ip::tcp::socket socket);
  void report(const relay::ByteStream& local, const Error& why) const;

  Transport& transport_;
  const TcpOptions options_;
  const OnTrouble on_trouble_;
  boost::asio::ip::tcp::acceptor acceptor_;
  boost::asio::steady_timer room_;
  bool stopping_ = false;
  std::size_t open_ = 0;
  relay::Pacers no_limits_{relay::Pacer(0), relay::Pacer(0)};
  relay::CoreCounters counters_;
  relay::BufferPool buffers_;
  const relay::RelayTerms terms_;
  async::Gate accepting_;
  async::Gate serving_;
};

}  // namespace portunus::portal::client::forwarder
