#pragma once

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <memory>

namespace portunus::server::http {

/// The one deadline of a connection: once it has passed, the socket's operations end with
/// operation_aborted until it is set anew. One timer for everything the connection waits for.
/// Lives on the socket's executor and no longer than the socket.
class SocketDeadline {
 public:
  explicit SocketDeadline(boost::asio::ip::tcp::socket& socket);
  ~SocketDeadline();
  SocketDeadline(const SocketDeadline&) = delete;
  SocketDeadline& operator=(const SocketDeadline&) = delete;

  void set(std::chrono::steady_clock::duration limit);
  void clear();
  /// True when the last one set has passed.
  bool passed() const;

 private:
  struct State;
  static void watch(const std::shared_ptr<State>& state, std::chrono::steady_clock::duration limit);
  std::shared_ptr<State> state_;
};

}  // namespace portunus::server::http
