#include "server/control/edge_link.hpp"

#include <utility>

#include "server/control/session_hub.hpp"

namespace portunus::server::control {
EdgeLink::EdgeLink(SessionHub& hub, std::string remote_addr,
                   std::optional<std::string> authorization)
    : hub_(hub), remote_addr_(std::move(remote_addr)), authorization_(std::move(authorization)) {}

void EdgeLink::open(StreamReactor& reactor) {
  reactor_ = &reactor;
  timer_.emplace(hub_.executor());
  hub_.admit(shared_from_this());
}

void EdgeLink::refuse(grpc::Status status) {
  authorization_.reset();
  close(std::move(status));
}

void EdgeLink::attach(std::shared_ptr<EdgeSession> session) {
  authorization_.reset();
  session_ = std::move(session);
  session_->set_wake([weak = weak_from_this()] {
    if (const auto link = weak.lock()) link->pump();
  });
  arm(hub_.settings().hello_timeout, &EdgeLink::on_hello_timeout);
  pump();
}

void EdgeLink::on_message(v1::ClientMessage message) {
  reading_ = false;
  if (reactor_ == nullptr || closing_with_) return;
  if (!session_->live()) timer_->cancel();  // it came in time
  session_->on_message(std::move(message));
  pump();
}

void EdgeLink::on_read_end() {
  if (session_) session_->on_read_end();
}

void EdgeLink::on_room() {
  pump();
}

void EdgeLink::on_write_failed() {
  if (session_) session_->on_broken("write failed");
}

void EdgeLink::on_cancel() {
  gone_ = true;
  if (session_) session_->on_broken("connection lost or stream reset");
}

void EdgeLink::on_idle() {
  if (reactor_ != nullptr && closing_with_) finish();
}

void EdgeLink::on_done() {
  if (session_) session_->on_done();
  hub_.on_stream_done();
}

void EdgeLink::pump() {
  // The session may want something sent while it hands out a message; the loop below gets to it
  // in its turn.
  if (pumping_ || reactor_ == nullptr || closing_with_) return;
  pumping_ = true;
  while (!session_->verdict() && reactor_->has_room()) {
    std::optional<v1::ServerMessage> message = session_->next();
    if (!message) break;
    reactor_->write(std::move(*message));
  }
  pumping_ = false;
  if (session_->verdict()) return close(*session_->verdict());
  if (!reading_ && session_->wants_message()) {
    reading_ = true;
    reactor_->read();
  }
}

void EdgeLink::close(grpc::Status status) {
  if (session_) hub_.release(*session_);
  timer_->cancel();
  closing_with_ = std::move(status);
  if (reactor_->quiesce()) return finish();
  arm(hub_.settings().close_timeout, &EdgeLink::on_close_timeout);
}

void EdgeLink::finish() {
  timer_->cancel();
  std::exchange(reactor_, nullptr)->finish(std::move(*closing_with_));
}

void EdgeLink::arm(std::chrono::steady_clock::duration limit, void (EdgeLink::*expired)()) {
  timer_->expires_after(limit);
  timer_->async_wait([self = shared_from_this(), expired](boost::system::error_code ec) {
    if (!ec) (self.get()->*expired)();
  });
}

void EdgeLink::on_hello_timeout() {
  if (session_) session_->on_hello_timeout();
}

void EdgeLink::on_close_timeout() {
  if (reactor_ != nullptr && closing_with_) reactor_->cancel();
}

}  // namespace portunus::server::control
