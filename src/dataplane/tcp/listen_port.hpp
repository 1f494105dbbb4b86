#pragma once

#include <boost/asio/io_context.hpp>
#include <cstdint>
#include <string>

#include "common/net/endpoint.hpp"
#include "common/net/unique_fd.hpp"
#include "dataplane/reactor/poller.hpp"
#include "dataplane/tcp/fwd.hpp"
#include "dataplane/tcp/listen_sockets.hpp"
#include "dataplane/tcp/tcp_listener.hpp"

namespace portunus::dataplane::tcp {

/// What the connections of a listening port are given to: the rule that the port belongs to.
class PortSink {
 public:
  virtual void on_accepted(ListenPort& port, net::UniqueFd accepted, const net::Endpoint& peer) = 0;
  virtual void on_accept_error(ListenPort& port, int error) = 0;
  /// A socket of the port will never accept again.
  virtual void on_listener_died(ListenPort& port) = 0;

 protected:
  ~PortSink() = default;
};

/// One listening port on one worker: a socket for each family. Lives on the worker's thread; its
/// owner, which is its sink or belongs to it, keeps it until the batch in which it was closed is
/// over. A port that cannot accept goes on trying and disturbs nobody (TCP-4).
class ListenPort {
 public:
  /// `offset` in the rule's range.
  ListenPort(PortSink& sink, boost::asio::io_context& context, reactor::Poller& poller,
             std::uint16_t number, std::uint16_t offset, ListenPair sockets);
  ListenPort(const ListenPort&) = delete;
  ListenPort& operator=(const ListenPort&) = delete;

  /// False, with errno, when the poller refuses a socket.
  bool start();
  /// Takes the connections that are already complete, then closes. Idempotent.
  void close();

  std::uint16_t number() const { return number_; }
  std::uint16_t offset() const { return offset_; }

  PortSink& sink() { return sink_; }
  reactor::Poller& poller() { return poller_; }

 private:
  PortSink& sink_;
  reactor::Poller& poller_;
  const std::uint16_t number_;
  const std::uint16_t offset_;
  TcpListener v6_;
  TcpListener v4_;
};

/// The role of the port's listeners in unexpected_task_exit (data-plane section 2).
std::string listener_role(const ListenPort& port);

}  // namespace portunus::dataplane::tcp
