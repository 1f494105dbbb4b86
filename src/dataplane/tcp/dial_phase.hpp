#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "common/net/endpoint.hpp"
#include "common/net/unique_fd.hpp"
#include "dataplane/dns/resolver.hpp"
#include "dataplane/failover/dial_plan.hpp"
#include "dataplane/reactor/deadlines.hpp"
#include "dataplane/tcp/fwd.hpp"

namespace portunus::dataplane::tcp {

/// The connection for which a dial phase works. It owns both sockets.
class DialHost {
 public:
  /// Takes the socket that is on its way to an upstream and has it watched. False, with errno, when
  /// it cannot be.
  virtual bool try_upstream(net::UniqueFd socket) = 0;
  /// Closes that socket; there may be none.
  virtual void drop_upstream() = 0;
  virtual int upstream_fd() const = 0;
  virtual int downstream_fd() const = 0;
  virtual const net::Endpoint& peer() const = 0;
  /// The upstream of the target in `row` is connected and has taken its PROXY header.
  virtual void on_dialed(std::size_t row) = 0;
  /// There is no upstream to be had, which has been logged.
  virtual void on_dial_failed() = 0;

 protected:
  ~DialHost() = default;
};

/// How one connection gets its upstream (data-plane section 4, step 4): resolve, connect address by
/// address with 3 s each, write the PROXY header within 10 s, target by target until one has taken
/// it. Books and logs what fails on the way. Lives in its session, on the worker's thread; ends by
/// one of the two calls of the host, or by end().
class DialPhase final : private reactor::Deadline {
 public:
  explicit DialPhase(DialHost& host) : host_(host) {}

  /// For a connection of the port at `offset` of the rule's range. May end within the call.
  void begin(RuleSlice& slice, std::uint16_t offset);
  /// What the poller says of the upstream socket.
  void on_upstream(std::uint32_t events);
  /// Nothing follows, a late answer of the resolver included. Idempotent.
  void end();

 private:
  using Outcome = failover::DialPlan::Outcome;
  using RowFailure = failover::DialPlan::RowFailure;
  enum class State : std::uint8_t { idle, resolving, connecting, sending_header };

  void on_deadline() override;

  void run(Outcome outcome);
  /// 0 when the connection is under way, otherwise an errno.
  int connect();
  void ask_resolver();
  void on_answer(const dns::Resolver::Reply& reply);
  void send_header();
  void unreachable(int error);
  void refused(const std::string& error);
  void succeed();
  void report(const RowFailure& failure);
  void give_up(const RowFailure& failure);
  std::uint16_t listen_port() const;

  DialHost& host_;
  RuleSlice* slice_ = nullptr;
  failover::DialPlan plan_;
  /// Grows with every end, so that an answer to an earlier question is recognised.
  std::uint32_t generation_ = 0;
  std::uint16_t offset_ = 0;
  /// Addresses that a lookup made for this connection brought; 0 = there was none.
  std::uint16_t looked_up_ = 0;
  std::uint8_t header_sent_ = 0;
  State state_ = State::idle;
};

}  // namespace portunus::dataplane::tcp
