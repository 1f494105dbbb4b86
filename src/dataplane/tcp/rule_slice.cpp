#include "dataplane/tcp/rule_slice.hpp"

#include <utility>

#include "dataplane/tcp/worker.hpp"

namespace portunus::dataplane::tcp {

RuleSlice::RuleSlice(Worker& worker, std::shared_ptr<TcpRule> rule, std::function<void()> on_gone)
    : worker_(worker),
      rule_(std::move(rule)),
      shard_(rule_->counters().shard(worker.index)),
      on_gone_(std::move(on_gone)) {}

bool RuleSlice::listen(ListenPair sockets) {
  for (net::UniqueFd* fd : {&sockets.v6, &sockets.v4}) {
    if (!*fd) continue;
    listeners_.emplace_back(*this, worker_.context, std::move(*fd));
    if (!listeners_.back().start()) return false;
  }
  return true;
}

void RuleSlice::close_listeners() {
  for (TcpListener& listener : listeners_) listener.close();
  closed_ = true;
  on_session_gone();
}

void RuleSlice::cancel_sessions() {
  while (!sessions_.empty()) sessions_.front().cancel();
}

void RuleSlice::admit(net::UniqueFd accepted, const net::Endpoint& peer) {
  TcpSession* session = worker_.sessions.take();
  // Without memory the connection is closed again; there is nobody to tell.
  if (session == nullptr) return;
  sessions_.push_back(*session);
  session->open(*this, std::move(accepted), peer);
}

void RuleSlice::on_session_gone() {
  if (!closed_ || dropped_ || !sessions_.empty()) return;
  dropped_ = true;
  worker_.drop(*this);
}

}  // namespace portunus::dataplane::tcp
