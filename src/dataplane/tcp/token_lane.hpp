#pragma once

#include <boost/intrusive/list.hpp>
#include <chrono>
#include <cstddef>

#include "common/base/clock.hpp"
#include "dataplane/limits/limiter.hpp"
#include "dataplane/reactor/alarms.hpp"

namespace portunus::dataplane::tcp {

class TokenLane;

/// A direction of a connection that may have to wait for bandwidth. Must have left its lane when it
/// is destroyed.
class TokenWaiter : public boost::intrusive::list_base_hook<> {
 public:
  /// The wait is over: so many tokens are taken, at most what was asked for.
  virtual void on_tokens(std::size_t bytes) = 0;
  bool waiting() const { return lane_ != nullptr; }
  /// Gives up the place in line. Idempotent.
  void leave();

 protected:
  ~TokenWaiter() = default;

 private:
  friend class TokenLane;
  TokenLane* lane_ = nullptr;
  std::size_t wanted_ = 0;
};

/// Where one worker's connections stand in line for the bandwidth of one layer, a rule or an owner,
/// in one direction (RL-7). First come, first served, and only the first asks the bucket: a hundred
/// parked connections cost one alarm and no processor time, and none starves. Lives on the worker's
/// thread, at most as long as the limiter.
///
/// Nobody sleeps longer than 100 ms before the limits in force are looked at again (RL-10), nor
/// less than 1 ms, because the bucket keeps what comes meanwhile and many small waits cost more.
/// The time spent here is counted in the limiter, once per waiter.
class TokenLane final : private reactor::Alarm {
 public:
  TokenLane(limits::Limiter& limiter, limits::Direction direction, reactor::Alarms& alarms)
      : limiter_(limiter), direction_(direction), alarms_(alarms) {}

  /// Tokens for up to `wanted` bytes. 0: `who` has joined the line and on_tokens() will follow.
  std::size_t take(TokenWaiter& who, std::size_t wanted);

  limits::Limiter& limiter() const { return limiter_; }
  limits::Direction direction() const { return direction_; }
  bool shapes() const { return limiter_.shapes(direction_); }
  /// How much to ask for at once: what the bucket can gather while it is asked again in time, never
  /// more than its burst (RL-9).
  std::uint64_t helping() const;

 private:
  friend class TokenWaiter;
  using Line = boost::intrusive::list<TokenWaiter>;

  void on_alarm() override;
  void remove(TokenWaiter& who);
  void park(std::chrono::microseconds wait, SteadyTime now);
  /// Counts the waiting time up to now. Before every change of the line.
  void account(SteadyTime now);

  limits::Limiter& limiter_;
  const limits::Direction direction_;
  reactor::Alarms& alarms_;
  Line line_;
  SteadyTime accounted_until_{};
  /// Waited and not yet a whole microsecond.
  std::chrono::nanoseconds unaccounted_{0};
};

/// Both directions of one layer.
struct TokenLanes {
  TokenLanes(limits::Limiter& limiter, reactor::Alarms& alarms)
      : in(limiter, limits::Direction::in, alarms), out(limiter, limits::Direction::out, alarms) {}
  TokenLane in;
  TokenLane out;
};

}  // namespace portunus::dataplane::tcp
