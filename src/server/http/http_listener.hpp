#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <cstdint>
#include <list>

#include "common/async/gate.hpp"
#include "common/async/task.hpp"
#include "common/base/result.hpp"
#include "common/net/endpoint.hpp"
#include "server/http/body_budget.hpp"
#include "server/http/http_connection.hpp"
#include "server/http/options.hpp"

namespace portunus::server::http {

/// One listening port and its connections, all on one executor; the handler runs on the domain's.
/// Owned by the composition root, which calls request_stop() and awaits drain() before it goes.
class HttpListener {
 public:
  HttpListener(async::asio::any_io_executor executor, async::asio::any_io_executor domain,
               Handler handler, HttpOptions options = {});

  /// Binds and listens; the bound endpoint, or why not (a system error with the address as detail).
  /// From here on peers can connect; they are served after start().
  Result<net::Endpoint> listen(const net::Endpoint& endpoint);
  /// Starts to accept. From here on the listener must be drained before it goes.
  void start();
  /// Refuses new connections and requests; those in work are answered. Idempotent.
  void request_stop();
  /// Waits for the connections; after `grace` they are closed where they are. True when none was.
  async::Task<bool> drain(std::chrono::steady_clock::duration grace);

  std::size_t connections() const { return connections_.size(); }
  /// Bytes of request bodies that count against HttpOptions::bodies_limit.
  std::uint64_t body_bytes() const { return bodies_.used(); }

 private:
  using Connections = std::list<HttpConnection>;
  async::Task<> accept_loop();
  async::Task<> serve(Connections::iterator connection);
  /// At the bound: ends the longest-connected of those that are least in need of their place, or
  /// waits for a busy one to end.
  async::Task<> wait_for_room();

  BodyBudget bodies_;
  ConnectionContext context_;
  async::asio::any_io_executor executor_;
  async::asio::ip::tcp::acceptor acceptor_;
  async::asio::steady_timer room_;
  Connections connections_;
  async::Gate accepting_;
  async::Gate serving_;
  bool stopping_ = false;
};

}  // namespace portunus::server::http
