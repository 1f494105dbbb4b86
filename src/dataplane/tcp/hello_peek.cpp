#include "dataplane/tcp/hello_peek.hpp"

#include <sys/epoll.h>
#include <sys/socket.h>

#include <utility>

#include "dataplane/tcp/hello_look.hpp"
#include "dataplane/tcp/reset.hpp"
#include "dataplane/tcp/sni_port.hpp"
#include "dataplane/tcp/worker.hpp"

namespace portunus::dataplane::tcp {
namespace {

constexpr std::uint32_t kInterest = EPOLLIN | EPOLLRDHUP | EPOLLET;
/// The peer will send nothing more.
constexpr std::uint32_t kOver = EPOLLRDHUP | EPOLLHUP | EPOLLERR;

void set_low_water(int socket, std::size_t bytes) {
  const int value = static_cast<int>(bytes);
  ::setsockopt(socket, SOL_SOCKET, SO_RCVLOWAT, &value, sizeof value);
}

}  // namespace

void HelloPeek::open(SniPort& port, Arrival arrival, std::shared_ptr<const SniTable> table,
                     std::size_t wanted) {
  port_ = &port;
  worker_ = &port.worker();
  arrival_ = std::move(arrival);
  table_ = std::move(table);
  low_water_ = 1;
  state_ = State::waiting;
  worker_->peek_deadlines.arm(*this);
  wait_for(wanted);
  // What has arrived since the look is reported, too.
  if (!worker_->poller.watch(arrival_.socket.get(), *this, kInterest)) on_ready(EPOLLERR);
}

void HelloPeek::on_ready(std::uint32_t events) {
  if (state_ != State::waiting) return;
  HelloLook look = look_for_hello(arrival_.socket.get(), worker_->tools.scratch);
  if (look.state == HelloLook::State::waiting) {
    if (!(events & kOver)) return wait_for(look.wanted);
    look.state = HelloLook::State::closed;
  }
  const auto table = std::move(table_);
  port_->on_looked(leave(), *table, look);
}

void HelloPeek::on_deadline() {
  table_.reset();
  port_->on_timeout(leave());
}

void HelloPeek::cancel() {
  table_.reset();
  reset_connection(leave().socket);
}

void HelloPeek::run_deferred() {
  state_ = State::unused;
  worker_->peeks.put(*this);
}

/// A peer that dribbles its hello is looked at when its first two bytes come, which may end the
/// wait (SNI-5), and then wakes nobody before the record's header is there, and before it is whole.
void HelloPeek::wait_for(std::size_t wanted) {
  if (wanted == low_water_) return;
  low_water_ = wanted;
  set_low_water(arrival_.socket.get(), wanted);
}

Arrival HelloPeek::leave() {
  disarm();
  // Whoever has the socket next watches it for himself.
  worker_->poller.unwatch(arrival_.socket.get());
  if (low_water_ != 1) set_low_water(arrival_.socket.get(), 1);
  state_ = State::closed;
  worker_->poller.run_after_batch(*this);
  PeekHook::unlink();
  port_->on_peek_over(arrival_.peer);
  return std::move(arrival_);
}

}  // namespace portunus::dataplane::tcp
