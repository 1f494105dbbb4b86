#pragma once

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <cstddef>
#include <functional>
#include <list>
#include <memory>
#include <string>

#include "common/async/gate.hpp"
#include "common/async/task.hpp"
#include "common/base/result.hpp"
#include "common/net/endpoint.hpp"
#include "portal/client/forwarder/local_relay.hpp"
#include "portal/client/transport.hpp"

namespace portunus::portal::client::forwarder {

struct TcpOptions {
  /// What every connection is led to (portal 6.5).
  std::string target;
  /// At the bound further connections wait in the kernel's queue.
  std::size_t max_connections = 8192;
  RelayOptions relay = {};
  /// After an accept failed for want of descriptors or memory.
  std::chrono::milliseconds accept_pause{100};
};

/// Told of connections that came to nothing, were cut or broke. May be empty.
using OnTrouble = std::function<void(const net::Endpoint& client, const Error& why)>;

/// A local TCP port whose connections come out at one target behind a Portal. Lives on one executor,
/// the transport's, and must be drained before either is destroyed.
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
  using Relays = std::list<std::shared_ptr<LocalRelay>>;

  async::Task<> accept_loop();
  async::Task<> wait_for_room();
  async::Task<> serve(boost::asio::ip::tcp::socket socket);
  void report(const net::Endpoint& client, const Error& why) const;

  Transport& transport_;
  const TcpOptions options_;
  const OnTrouble on_trouble_;
  boost::asio::ip::tcp::acceptor acceptor_;
  boost::asio::steady_timer room_;
  bool stopping_ = false;
  std::size_t open_ = 0;
  Relays relays_;
  async::Gate accepting_;
  async::Gate serving_;
};

}  // namespace portunus::portal::client::forwarder
