#include "server/control/stream_reactor.hpp"

#include <grpcpp/server_context.h>

#include <boost/asio/post.hpp>
#include <utility>

#include "server/control/edge_link.hpp"

namespace portunus::server::control {

StreamReactor::StreamReactor(boost::asio::any_io_executor domain, std::shared_ptr<EdgeLink> link,
                             grpc::CallbackServerContext& context)
    : domain_(std::move(domain)), link_(std::move(link)), context_(context) {}

template <class... Args>
void StreamReactor::tell(void (EdgeLink::*event)(Args...), Args... args) {
  boost::asio::post(domain_, [link = link_, event, ... args = std::move(args)]() mutable {
    (link.get()->*event)(std::move(args)...);
  });
}

void StreamReactor::read() {
  StartRead(&incoming_);
}

void StreamReactor::write(v1::ServerMessage message) {
  if (const auto* now = queue_.push(std::move(message))) StartWrite(now);
}

void StreamReactor::cancel() {
  context_.TryCancel();
}

void StreamReactor::finish(grpc::Status status) {
  Finish(std::move(status));
}

void StreamReactor::OnReadDone(bool ok) {
  if (ok) {
    tell(&EdgeLink::on_message, std::move(incoming_));
  } else {
    tell(&EdgeLink::on_read_end);
  }
}

void StreamReactor::OnWriteDone(bool ok) {
  const WriteQueue::Next next = queue_.written(ok);
  if (next.message != nullptr) StartWrite(next.message);
  if (next.room) tell(&EdgeLink::on_room);
  if (!ok) tell(&EdgeLink::on_write_failed);
  if (next.idle) tell(&EdgeLink::on_idle);
}

void StreamReactor::OnCancel() {
  tell(&EdgeLink::on_cancel);
}

void StreamReactor::OnDone() {
  // With the last reference of this side: what the link owns goes where it lived.
  boost::asio::post(domain_, [link = std::move(link_)] { link->on_done(); });
  delete this;
}

}  // namespace portunus::server::control
