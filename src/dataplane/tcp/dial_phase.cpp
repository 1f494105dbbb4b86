#include "dataplane/tcp/dial_phase.hpp"

#include <sys/epoll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <limits>
#include <optional>
#include <system_error>
#include <utility>

#include "dataplane/proxy_protocol/header.hpp"
#include "dataplane/tcp/dialer.hpp"
#include "dataplane/tcp/rule_slice.hpp"
#include "dataplane/tcp/socket_error.hpp"
#include "dataplane/tcp/tcp_rule.hpp"
#include "dataplane/tcp/worker.hpp"

namespace portunus::dataplane::tcp {
namespace {

using failover::DialPlan;

/// A hang-up without an error: the other side took the connection and dropped it at once.
int reason_of_hang_up(int fd) {
  const int error = pending_error(fd);
  return error != 0 ? error : ECONNRESET;
}

/// The connection's own end, where the end user has connected to; nothing when it is gone.
std::optional<net::Endpoint> local_end(int fd) {
  sockaddr_storage address;
  socklen_t size = sizeof address;
  if (::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size) != 0) return std::nullopt;
  return net::Endpoint::from_sockaddr(address);
}

}  // namespace

void DialPhase::begin(RuleSlice& slice, std::uint16_t offset) {
  slice_ = &slice;
  offset_ = offset;
  looked_up_ = 0;
  const rules::LiveRule& rule = slice.rule().live();
  run({plan_.start(rule.targets(), rule.dial_order(), offset), std::nullopt});
}

void DialPhase::end() {
  if (state_ == State::idle) return;
  disarm();
  ++generation_;
  if (plan_.dns_failed()) slice_->shard().dns_failures.add(1);
  plan_ = DialPlan();
  state_ = State::idle;
}

void DialPhase::run(Outcome outcome) {
  while (true) {
    if (outcome.failed) report(*outcome.failed);
    switch (outcome.next) {
      case DialPlan::Step::resolve: {
        auto known = slice_->fresh_addresses(plan_.row());
        if (!known) return ask_resolver();
        outcome = plan_.on_resolved(dns::Answer{std::move(known), dns::Answer::Source::cache});
        break;
      }
      case DialPlan::Step::connect: {
        const int error = connect();
        if (error == 0) return;
        outcome = plan_.on_unreachable(error);
        break;
      }
      case DialPlan::Step::exhausted:
        return give_up(*outcome.failed);
    }
  }
}

int DialPhase::connect() {
  state_ = State::connecting;
  auto socket = begin_dial(plan_.endpoint());
  if (!socket) return socket.error();
  if (!host_.try_upstream(std::move(*socket))) return errno;
  slice_->worker().dial_deadlines.arm(*this);
  return 0;
}

void DialPhase::ask_resolver() {
  state_ = State::resolving;
  Worker& worker = slice_->worker();
  // The sessions of a worker stay in memory as long as it does.
  worker.resolver.resolve(plan_.name(), worker.context.get_executor(),
                          [this, &worker, asked = generation_](const dns::Resolver::Reply& reply) {
                            if (asked != generation_) return;
                            const reactor::Poller::Entry entry(worker.poller);
                            on_answer(reply);
                          });
}

void DialPhase::on_answer(const dns::Resolver::Reply& reply) {
  if (reply && reply->addresses) {
    slice_->remember(plan_.row(), reply->addresses);
    if (reply->source == dns::Answer::Source::lookup) {
      constexpr std::size_t kMost = std::numeric_limits<std::uint16_t>::max();
      looked_up_ = static_cast<std::uint16_t>(std::min(reply->addresses->size(), kMost));
    }
  }
  run(plan_.on_resolved(reply));
}

void DialPhase::on_upstream(std::uint32_t events) {
  const bool broken = (events & (EPOLLERR | EPOLLHUP)) != 0;
  const bool writable = (events & EPOLLOUT) != 0;
  switch (state_) {
    case State::idle:
    case State::resolving:
      return;
    case State::connecting:
      if (broken) return unreachable(reason_of_hang_up(host_.upstream_fd()));
      if (!writable) return;
      disarm();
      if (!plan_.target().proxy) return succeed();
      state_ = State::sending_header;
      header_sent_ = 0;
      return send_header();
    case State::sending_header:
      if (broken) return refused(error_text(reason_of_hang_up(host_.upstream_fd())));
      if (writable) return send_header();
  }
}

void DialPhase::on_deadline() {
  if (state_ == State::sending_header) return refused(error_text(ETIMEDOUT));
  unreachable(ETIMEDOUT);
}

void DialPhase::send_header() {
  const auto local = local_end(host_.downstream_fd());
  if (!local) {
    const std::string error = error_text(errno);
    slice_->rule().log_sni_local_end_failed(listen_port(), host_.peer(), error);
    return refused(error);
  }
  const auto header = proxy_protocol::encode(*plan_.target().proxy, host_.peer(), *local);
  if (!header) return refused("the two ends of the connection are of different families");
  while (header_sent_ < header->size) {
    const auto rest = header->bytes().subspan(header_sent_);
    const ssize_t n = ::send(host_.upstream_fd(), rest.data(), rest.size(), MSG_NOSIGNAL);
    if (n >= 0) {
      header_sent_ = static_cast<std::uint8_t>(header_sent_ + n);
    } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
      if (!reactor::DeadlineHook::is_linked()) slice_->worker().header_deadlines.arm(*this);
      return;
    } else if (errno != EINTR) {
      return refused(error_text(errno));
    }
  }
  succeed();
}

void DialPhase::unreachable(int error) {
  disarm();
  host_.drop_upstream();
  run(plan_.on_unreachable(error));
}

void DialPhase::refused(const std::string& error) {
  disarm();
  slice_->rule().log_header_refused(plan_.row(), error);
  host_.drop_upstream();
  run(plan_.on_refused("PROXY header: " + error));
}

void DialPhase::succeed() {
  TcpRule& rule = slice_->rule();
  const std::size_t row = plan_.row();
  if (rule.spec().multi_target()) {
    rule.live().record_success(row, std::chrono::steady_clock::now());
  }
  if (looked_up_ > 0) rule.log_dns_resolved(row, plan_.endpoint().address(), looked_up_);
  end();
  host_.on_dialed(row);
}

void DialPhase::report(const RowFailure& failure) {
  looked_up_ = 0;
  TcpRule& rule = slice_->rule();
  if (failure.dns) rule.log_dns_failed(failure.row, *failure.dns, failure.error, failure.tried);
  if (!rule.spec().multi_target()) return;
  rule.log_target_failed(failure.row, failure.error);
  if (failure.of_this_host) return;
  rule.live().record_failure(failure.row, std::chrono::steady_clock::now());
}

std::uint16_t DialPhase::listen_port() const {
  return static_cast<std::uint16_t>(slice_->rule().spec().listen_port + offset_);
}

void DialPhase::give_up(const RowFailure& failure) {
  TcpRule& rule = slice_->rule();
  const std::uint16_t port = listen_port();
  rule.log_sni_finished(port, host_.peer(), failure.error);
  if (rule.spec().multi_target()) {
    rule.log_all_targets_failed(port, host_.peer());
  } else if (!failure.dns) {
    const std::string prefix = state_ == State::connecting ? "connect: " : "";
    rule.log_conn_error(port, host_.peer(), prefix + failure.error);
  }
  end();
  host_.on_dial_failed();
}

}  // namespace portunus::dataplane::tcp
