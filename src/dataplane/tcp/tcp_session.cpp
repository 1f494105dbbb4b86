#include "dataplane/tcp/tcp_session.hpp"

#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include <cerrno>
#include <new>
#include <string>
#include <system_error>

#include "dataplane/tcp/rule_slice.hpp"
#include "dataplane/tcp/socket_error.hpp"
#include "dataplane/tcp/tcp_rule.hpp"
#include "dataplane/tcp/wind_down.hpp"
#include "dataplane/tcp/worker.hpp"

namespace portunus::dataplane::tcp {
namespace {

constexpr std::uint32_t kInterest = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLPRI | EPOLLET;

void note(Leg& leg, std::uint32_t events) {
  if (events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLPRI)) leg.readable = true;
  if (events & (EPOLLRDHUP | EPOLLHUP)) leg.hung_up = true;
  if (events & EPOLLPRI) leg.urgent = true;
  if (events & EPOLLOUT) leg.writable = true;
}

void close_leg(Leg& leg, bool reset) {
  if (leg.fd < 0) return;
  if (reset) {
    const linger now{.l_onoff = 1, .l_linger = 0};
    ::setsockopt(leg.fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
  }
  ::close(leg.fd);
  leg = Leg{};
}

// An idle connection may cost 4 KiB in all; most of that is to stay unused.
static_assert(sizeof(TcpSession) <= 512);

}  // namespace

void TcpSession::open(RuleSlice& slice, std::uint16_t offset, net::UniqueFd accepted,
                      const net::Endpoint& peer) {
  slice_ = &slice;
  worker_ = &slice.worker();
  offset_ = offset;
  peer_ = peer;
  meter_ = stats::Meter(slice.shard());
  meter_.set_port(offset);
  slice.shard().connections_total.add(1);
  bytes_in_ = bytes_out_ = 0;
  in_ = OneWay();
  out_ = OneWay();
  down_.leg = Leg{.fd = accepted.release()};
  state_ = State::dialing;
  if (!watch(down_)) return fail(End::close, error_text(errno));
  dial_.begin(slice, offset);
}

bool TcpSession::watch(Side& side) {
  return worker_->poller.watch(side.leg.fd, side, kInterest);
}

bool TcpSession::try_upstream(net::UniqueFd socket) {
  up_.leg = Leg{.fd = socket.release()};
  if (watch(up_)) return true;
  const int error = errno;
  drop_upstream();
  errno = error;
  return false;
}

void TcpSession::drop_upstream() {
  close_leg(up_.leg, false);
}

void TcpSession::cancel() {
  fail(End::reset, "proxy_cancelled");
}

void TcpSession::cut_off() {
  if (state_ == State::dialing) return finish();
  if (state_ != State::relaying) return;
  state_ = State::cutting;
  in_.cut_off();
  out_.cut_off();
  worker_->cut_deadlines.arm(*this);
  go_on_cutting();
}

void TcpSession::go_on_cutting() {
  const bool over = wind_down(worker_->tools, slice_->rule(), in_, out_, down_.leg, up_.leg);
  book_in();
  book_out();
  if (over) finish();
}

void TcpSession::on_deadline() {
  finish();
}

void TcpSession::on_unparked(limits::Direction direction) {
  if (state_ != State::relaying) return;
  if (direction == limits::Direction::in) {
    relay_in();
  } else {
    relay_out();
  }
}

void TcpSession::on_side(Side& side, std::uint32_t events) {
  switch (state_) {
    case State::unused:
    case State::closed:
      return;
    case State::dialing:
      note(side.leg, events);
      if (&side == &up_) return dial_.on_upstream(events);
      if (events & EPOLLERR) fail(End::close, error_text(pending_error(side.leg.fd)));
      return;
    case State::cutting:
      note(side.leg, events);
      return go_on_cutting();
    case State::relaying:
      break;
  }
  if (events & EPOLLERR) return fail(End::reset, error_text(pending_error(side.leg.fd)));
  note(side.leg, events);
  const bool from_down = &side == &down_;
  const bool reads = side.leg.readable;
  const bool writes = (from_down ? out_ : in_).blocked() && side.leg.writable;
  if (from_down) {
    if (reads && !relay_in()) return;
    if (writes) relay_out();
  } else {
    if (reads && !relay_out()) return;
    if (writes) relay_in();
  }
}

void TcpSession::on_dialed(std::size_t row) {
  state_ = State::relaying;
  meter_.set_target(row);
  meter_.connection_opened();
  if (!choose_path(row)) return fail(End::close, error_text(ENOMEM));
  relay_readable();
}

bool TcpSession::choose_path(std::size_t row) {
  // Once and for all (data-plane section 5): caps that come or go later leave the path alone.
  TcpRule& rule = slice_->rule();
  rules::LiveRule& live = rule.live();
  const limits::Limiter* owner = live.owner_limiter();
  if (live.limiter().shapes() || (owner != nullptr && owner->shapes())) {
    shapers_.reset(new (std::nothrow) Shapers(*this, slice_->owner_lanes(), slice_->lanes()));
    if (!shapers_) return false;
    in_ = OneWay(nullptr, live.quota(), &shapers_->in);
    out_ = OneWay(nullptr, live.quota(), &shapers_->out);
    return true;
  }
  splice_ = SpliceUse();
  SpliceUse* const splice = rule.splice() ? &splice_ : nullptr;
  in_ = OneWay(splice, live.quota());
  out_ = OneWay(splice, live.quota());
  if (rule.splice() && rule.first_splice()) announce_splice(row);
  return true;
}

void TcpSession::on_dial_failed() {
  release(End::close);
}

void TcpSession::announce_splice(std::size_t row) {
  TcpRule& rule = slice_->rule();
  auto pipe = take_pipe(worker_->pipes, rule);
  rule.log_splice_selected(pipe ? pipe->capacity : PipePool::kUsable,
                           rule.spec().targets[row].proxy.has_value());
  if (pipe) worker_->pipes.put(std::move(pipe));
}

bool TcpSession::relay_in() {
  if (in_.ended()) return true;
  const auto step = in_.run(worker_->tools, slice_->rule(), down_.leg, up_.leg);
  book_in();
  return after_step(step, in_, out_, up_.leg);
}

bool TcpSession::relay_out() {
  if (out_.ended()) return true;
  const auto step = out_.run(worker_->tools, slice_->rule(), up_.leg, down_.leg);
  book_out();
  return after_step(step, out_, in_, down_.leg);
}

void TcpSession::book_in() {
  if (const std::uint64_t n = in_.take_delivered(); n > 0) {
    meter_.add_in(n);
    bytes_in_ += n;
  }
}

void TcpSession::book_out() {
  if (const std::uint64_t n = out_.take_delivered(); n > 0) {
    meter_.add_out(n);
    bytes_out_ += n;
  }
}

bool TcpSession::after_step(OneWay::Step step, OneWay& way, const OneWay& other, Leg& to) {
  switch (step) {
    case OneWay::Step::waiting:
      return true;
    case OneWay::Step::more:
      if (!Deferred::is_linked()) worker_->poller.run_next_round(*this);
      return true;
    case OneWay::Step::ended:
      // Closing says what a shutdown of the last direction would (TCP-6).
      if (other.ended()) {
        finish();
        return false;
      }
      ::shutdown(to.fd, SHUT_WR);
      return true;
    case OneWay::Step::cut_off:
      cut_off();
      return false;
    case OneWay::Step::failed:
      fail(End::reset, error_text(way.error()));
      return false;
  }
  return true;
}

void TcpSession::run_deferred() {
  if (state_ == State::closed) {
    state_ = State::unused;
    worker_->sessions.put(*this);
    return;
  }
  if (state_ == State::cutting) return go_on_cutting();
  relay_readable();
}

void TcpSession::relay_readable() {
  if (down_.leg.readable && !relay_in()) return;
  if (up_.leg.readable) relay_out();
}

std::uint16_t TcpSession::listen_port() const {
  return static_cast<std::uint16_t>(slice_->rule().spec().listen_port + offset_);
}

void TcpSession::fail(End end, std::string_view error) {
  slice_->rule().log_conn_error(listen_port(), peer_, error);
  slice_->rule().log_sni_finished(listen_port(), peer_, error);
  release(end);
}

void TcpSession::finish() {
  slice_->rule().log_conn_closed(listen_port(), peer_, bytes_in_, bytes_out_);
  release(End::close);
}

void TcpSession::release(End end) {
  dial_.end();
  in_.release(worker_->tools);
  out_.release(worker_->tools);
  shapers_.reset();
  close_leg(down_.leg, end == End::reset);
  close_leg(up_.leg, end == End::reset);
  Deadline::disarm();
  if (state_ == State::relaying || state_ == State::cutting) meter_.connection_closed();
  state_ = State::closed;
  rules::LiveRule& live = slice_->rule().live();
  limits::leave(live.owner_limiter(), live.limiter());
  worker_->poller.run_after_batch(*this);
  SessionHook::unlink();
  slice_->on_session_gone();
}

}  // namespace portunus::dataplane::tcp
