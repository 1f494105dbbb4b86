#include "dataplane/tcp/sni_port.hpp"

#include <sys/ioctl.h>
#include <sys/socket.h>

#include <cerrno>
#include <chrono>
#include <utility>

#include "dataplane/tcp/reset.hpp"
#include "dataplane/tcp/rule_slice.hpp"
#include "dataplane/tcp/worker.hpp"

namespace portunus::dataplane::tcp {
namespace {

using Clock = std::chrono::steady_clock;

std::size_t received(const net::UniqueFd& socket) {
  int bytes = 0;
  ::ioctl(socket.get(), FIONREAD, &bytes);
  return static_cast<std::size_t>(bytes);
}

void count(stats::TrafficShard& shard, sni::RouteTable::Kind kind) {
  switch (kind) {
    case sni::RouteTable::Kind::exact:
      return shard.sni_exact.add(1);
    case sni::RouteTable::Kind::wildcard:
      return shard.sni_wildcard.add(1);
    case sni::RouteTable::Kind::fallback:
      return shard.sni_fallback.add(1);
  }
}

}  // namespace

SniPort::SniPort(Worker& worker, std::shared_ptr<SniGroup> group, ListenPair sockets)
    : worker_(worker),
      sockets_(sockets.v6.valid() ? 2 : 1),
      group_(std::move(group)),
      shard_(group_->counters().shard(worker.index)),
      listeners_(*this, worker.context, worker.poller, group_->listen_port(), 0,
                 std::move(sockets)) {}

bool SniPort::start(std::shared_ptr<const SniRoutes> routes) {
  set_routes(std::move(routes));
  if (!listeners_.start()) return false;
  for (unsigned i = 0; i < sockets_; ++i) group_->log_started();
  return true;
}

void SniPort::set_routes(std::shared_ptr<const SniRoutes> routes) {
  table_ = std::make_shared<const SniTable>(worker_, std::move(routes));
}

void SniPort::close() {
  if (closed_) return;
  listeners_.close();
  for (unsigned i = 0; i < sockets_; ++i) group_->log_stopped();
  closed_ = true;
  table_.reset();
  if (peeking_.empty()) worker_.sni.drop(*this);
}

void SniPort::cancel() {
  while (!peeking_.empty()) peeking_.front().cancel();
}

void SniPort::on_accepted(ListenPort&, net::UniqueFd accepted, const net::Endpoint& peer) {
  if (peeks(peer) >= kMostPeeks) {
    shard_.peek_refusals.add(1);
    group_->log_peek_capacity(peer, kMostPeeks);
    return reset_connection(std::move(accepted));
  }
  Arrival arrival{std::move(accepted), peer, Clock::now()};
  const HelloLook look = look_for_hello(arrival.socket.get(), worker_.tools.scratch);
  if (look.state == HelloLook::State::waiting) return peek(std::move(arrival), look.wanted);
  on_looked(std::move(arrival), *table_, look);
}

void SniPort::on_accept_error(ListenPort&, int error) {
  group_->log_accept_error(error);
}

void SniPort::on_listener_died(ListenPort& port) {
  table_->report_death(listener_role(port));
}

void SniPort::peek(Arrival arrival, std::size_t wanted) {
  HelloPeek* const peek = worker_.peeks.take();
  // Without memory the connection is closed again; there is nobody to tell.
  if (peek == nullptr) return;
  peeking_.push_back(*peek);
  ++peeks(arrival.peer);
  peek->open(*this, std::move(arrival), table_, wanted);
}

void SniPort::on_peek_over(const net::Endpoint& peer) {
  --peeks(peer);
  if (closed_ && peeking_.empty()) worker_.sni.drop(*this);
}

void SniPort::on_looked(Arrival arrival, const SniTable& table, const HelloLook& look) {
  end_peek(arrival);
  switch (look.state) {
    case HelloLook::State::hello:
      return route(std::move(arrival), table, look.server_name);
    case HelloLook::State::not_tls:
      return fail_parse(std::move(arrival), "not_tls");
    case HelloLook::State::malformed:
      return fail_parse(std::move(arrival), "malformed");
    case HelloLook::State::closed:
    case HelloLook::State::waiting:
      return fail_parse(std::move(arrival), "io");
  }
}

void SniPort::on_timeout(Arrival arrival) {
  end_peek(arrival);
  shard_.parse_failures.add(1);
  group_->log_timeout(arrival.peer, received(arrival.socket));
  drop(std::move(arrival.socket));
}

void SniPort::end_peek(const Arrival& arrival) {
  shard_.add_peek(
      std::chrono::duration_cast<std::chrono::microseconds>(Clock::now() - arrival.accepted));
}

void SniPort::route(Arrival arrival, const SniTable& table, std::string_view server_name) {
  const auto route = table.find(server_name);
  if (!route) {
    shard_.misses.add(1);
    if (server_name.empty()) {
      group_->log_no_sni(arrival.peer, false);
    } else {
      group_->log_no_match(arrival.peer, server_name);
    }
    return drop(std::move(arrival.socket));
  }
  count(route->slice.shard(), route->kind);
  if (server_name.empty()) {
    group_->log_no_sni(arrival.peer, true);
  } else {
    route->slice.rule().log_sni_routed(arrival.peer, server_name, route->kind);
  }
  route->slice.admit(0, std::move(arrival.socket), arrival.peer);
}

void SniPort::fail_parse(Arrival arrival, std::string_view error) {
  shard_.parse_failures.add(1);
  group_->log_parse_failed(arrival.peer, error);
  drop(std::move(arrival.socket));
}

/// Closing a socket with bytes in its queue resets the connection; its peer is to see an ordinary
/// end, unless it sends without end.
void SniPort::drop(net::UniqueFd socket) {
  const auto scratch = worker_.tools.scratch;
  ssize_t n;
  do {
    n = ::recv(socket.get(), scratch.data(), scratch.size(), 0);
  } while (n < 0 && errno == EINTR);
}

}  // namespace portunus::dataplane::tcp
