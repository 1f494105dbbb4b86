#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>

#include "common/async/gate.hpp"
#include "common/async/task.hpp"
#include "common/net/endpoint.hpp"
#include "common/net/unique_fd.hpp"
#include "portal/log/log.hpp"
#include "portal/server/listeners.hpp"

namespace portunus::portal::server {

/// Who gets the accepted connections; called on the acceptor's thread.
class AcceptSink {
 public:
  virtual void on_accepted(net::UniqueFd socket, const net::Endpoint& peer) = 0;

 protected:
  ~AcceptSink() = default;
};

/// Accepts on one listening socket, at most ten per wake-up. An accept that fails, be it for lack
/// of descriptors, is logged and tried again after 100 ms (portal 8). Lives on its context's
/// thread; ends when its gate's tasks are cancelled, and must have ended before it is destroyed.
class Acceptor {
 public:
  Acceptor(boost::asio::io_context& context, ListenSocket socket, AcceptSink& sink, log::Log& log);
  Acceptor(const Acceptor&) = delete;
  Acceptor& operator=(const Acceptor&) = delete;

  const net::Endpoint& local() const { return local_; }
  void start(async::Gate& gate) { gate.spawn(run()); }

 private:
  enum class Taken { one, none, failed };

  async::Task<void> run();
  Taken accept_one();

  boost::asio::ip::tcp::acceptor acceptor_;
  const net::Endpoint local_;
  AcceptSink& sink_;
  log::Log& log_;
};

}  // namespace portunus::portal::server
