#include "dataplane/tcp/rule_slice.hpp"

#include <utility>

#include "common/base/clock.hpp"
#include "dataplane/tcp/admission.hpp"
#include "dataplane/tcp/reset.hpp"
#include "dataplane/tcp/worker.hpp"

namespace portunus::dataplane::tcp {

RuleSlice::RuleSlice(Worker& worker, std::shared_ptr<TcpRule> rule, rules::CoreReports reports)
    : worker_(worker),
      rule_(std::move(rule)),
      shard_(rule_->live().counters().shard(worker.index)),
      reports_(std::move(reports)),
      owner_lanes_(worker.owner_lanes(rule_->live())),
      lanes_(rule_->live().limiter(), worker.alarms),
      addresses_(rule_->spec().targets.size()) {}

std::optional<std::uint16_t> RuleSlice::listen(std::vector<ListenPair> sockets) {
  PortSink& sink = *this;
  std::uint16_t offset = 0;
  for (ListenPair& pair : sockets) {
    const auto number = static_cast<std::uint16_t>(rule_->spec().listen_port + offset);
    ports_.emplace_back(sink, worker_.context, worker_.poller, number, offset, std::move(pair));
    if (!ports_.back().start()) return number;
    ++offset;
  }
  return std::nullopt;
}

void RuleSlice::close_listeners() {
  for (ListenPort& port : ports_) port.close();
  closed_ = true;
  on_session_gone();
}

void RuleSlice::cancel_sessions() {
  cancelled_ = true;
  while (!sessions_.empty()) sessions_.front().cancel();
  on_session_gone();
}

void RuleSlice::cut_off_sessions() {
  for (auto it = sessions_.begin(); it != sessions_.end();) {
    // Which may take it out of the list.
    TcpSession& session = *it++;
    session.cut_off();
  }
}

void RuleSlice::let_go() {
  --kept_;
  on_session_gone();
}

void RuleSlice::on_accepted(ListenPort& port, net::UniqueFd accepted, const net::Endpoint& peer) {
  admit(port.offset(), std::move(accepted), peer);
}

void RuleSlice::on_accept_error(ListenPort& port, int error) {
  rule_->log_accept_error(port.number(), error);
}

void RuleSlice::on_listener_died(ListenPort& port) {
  reports_.on_died(listener_role(port));
}

void RuleSlice::admit(std::uint16_t offset, net::UniqueFd accepted, const net::Endpoint& peer) {
  if (cancelled_) return reset_connection(std::move(accepted));
  const auto port = static_cast<std::uint16_t>(rule_->spec().listen_port + offset);
  if (!admit_connection(*rule_, port, peer)) return reset_connection(std::move(accepted));
  TcpSession* session = worker_.sessions.take();
  if (session == nullptr) {
    // Without memory the connection is closed again; there is nobody to tell.
    limits::leave(rule_->live().owner_limiter(), rule_->live().limiter());
    return;
  }
  sessions_.push_back(*session);
  session->open(*this, offset, std::move(accepted), peer);
}

void RuleSlice::on_session_gone() {
  if (!closed_ || dropped_ || !sessions_.empty() || (kept_ > 0 && !cancelled_)) return;
  dropped_ = true;
  worker_.drop(*this);
}

std::shared_ptr<const dns::Addresses> RuleSlice::fresh_addresses(std::size_t row) const {
  const auto& known = addresses_[row];
  if (!known || known->fresh_until <= SystemClock::instance().steady_now()) return nullptr;
  return known;
}

void RuleSlice::remember(std::size_t row, std::shared_ptr<const dns::Addresses> addresses) {
  addresses_[row] = std::move(addresses);
}

}  // namespace portunus::dataplane::tcp
