#pragma once

#include <grpcpp/support/status.h>

#include <boost/asio/steady_timer.hpp>
#include <memory>
#include <optional>
#include <string>

#include "portunus/v1/control.pb.h"
#include "server/control/edge_session.hpp"
#include "server/control/stream_reactor.hpp"

namespace portunus::server::control {

class SessionHub;

/// The domain's half of one Channel stream: carries what the reactor saw to the session and the
/// session's messages to the reactor, and keeps the two time limits, of the first message and of
/// the last write. Shared by the reactor and by what it posted; the hub outlives it. Domain
/// executor, except for the constructor.
class EdgeLink : public std::enable_shared_from_this<EdgeLink> {
 public:
  EdgeLink(SessionHub& hub, std::string remote_addr, std::optional<std::string> authorization);

  /// First of all; the hub decides next.
  void open(StreamReactor& reactor);
  /// The hub's two answers.
  void refuse(grpc::Status status);
  void attach(std::shared_ptr<EdgeSession> session);

  const std::string& remote_addr() const { return remote_addr_; }
  const std::optional<std::string>& authorization() const { return authorization_; }
  /// The edge went away before it was answered.
  bool gone() const { return gone_; }

  // Posted by the reactor.
  void on_message(v1::ClientMessage message);
  void on_read_end();
  void on_room();
  void on_write_failed();
  void on_idle();
  void on_cancel();
  void on_done();

 private:
  void pump();
  void close(grpc::Status status);
  void finish();
  void arm(std::chrono::steady_clock::duration limit, void (EdgeLink::*expired)());
  void on_hello_timeout();
  void on_close_timeout();

  SessionHub& hub_;
  const std::string remote_addr_;
  std::optional<std::string> authorization_;
  StreamReactor* reactor_ = nullptr;  ///< null again from finish() on
  std::shared_ptr<EdgeSession> session_;
  std::optional<boost::asio::steady_timer> timer_;
  std::optional<grpc::Status> closing_with_;
  bool reading_ = false;
  bool pumping_ = false;
  bool gone_ = false;
};

}  // namespace portunus::server::control
