#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <functional>
#include <memory>

#include "common/base/result.hpp"
#include "common/net/endpoint.hpp"
#include "common/net/unique_fd.hpp"

namespace portunus::server::control {

/// The listening socket of the control port. It is ours and not gRPC's, because gRPC turns a
/// wildcard address into a dual-stack one, shares a busy port, and keeps the cause of a failed bind
/// to itself. Lives on one executor and accepts nothing before that runs; its waits hold it alive,
/// so the owner closes it and lets go.
class ControlListener : public std::enable_shared_from_this<ControlListener> {
 public:
  using Handover = std::function<void(net::UniqueFd connection)>;

  /// Bound and listening on exactly `endpoint`, or the system's error with the endpoint as detail.
  static Result<std::shared_ptr<ControlListener>> open(boost::asio::any_io_executor executor,
                                                       const net::Endpoint& endpoint);

  const net::Endpoint& endpoint() const { return endpoint_; }
  /// Hands over every connection, non-blocking and without Nagle's delay, until close().
  void start(Handover handover);
  /// New connections are refused and nothing is handed over from here on. Idempotent.
  void close();

 private:
  ControlListener(boost::asio::any_io_executor executor, net::Endpoint endpoint);
  void wait_for_connections();
  void wait_for_descriptors();
  /// The connections that wait, a few at a time; false when the process is out of descriptors.
  bool accept_some();

  boost::asio::ip::tcp::acceptor acceptor_;
  boost::asio::steady_timer pause_;
  net::Endpoint endpoint_;
  Handover handover_;
};

}  // namespace portunus::server::control
