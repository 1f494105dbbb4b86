#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <chrono>
#include <cstdint>
#include <memory>

#include "common/async/task.hpp"
#include "server/http/body_budget.hpp"
#include "server/http/options.hpp"
#include "server/http/request.hpp"

namespace portunus::server::http {

/// What all connections of a listener have in common; outlives them.
struct ConnectionContext {
  async::asio::any_io_executor domain;  ///< where the handler runs
  Handler handler;
  HttpOptions options;
  BodyBudget& bodies;
};

/// Why a connection is there; the lower, the sooner it makes room for another.
enum class Hold : std::uint8_t {
  idle,        ///< between requests
  unanswered,  ///< no whole header yet, or the end of the connection
  slow,        ///< for HttpOptions::slow_after its peer has neither sent nor taken all it should
  streaming,   ///< its answer has no end of its own, and its peer can come back
  busy,        ///< in work, or lately begun to move
};

/// One accepted connection: requests are read, handled and answered one after the other, so
/// pipelined ones keep their order. Owned by the listener, lives on its socket's executor. A fault
/// of the peer ends the connection and nothing else.
class HttpConnection {
 public:
  HttpConnection(async::asio::ip::tcp::socket socket, const ConnectionContext& context);
  ~HttpConnection();

  /// Serves until the peer, a deadline or stop() ends it. Never throws.
  async::Task<> run();
  Hold hold(std::chrono::steady_clock::time_point now) const;
  /// No further request: an idle connection ends at once, a busy one with its answer, which ends
  /// now if it is a stream. Idempotent.
  void stop();
  /// Closes the socket under whatever is going on. Idempotent.
  void abort();

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace portunus::server::http
