#include "dataplane/tcp/token_lane.hpp"

#include <algorithm>

namespace portunus::dataplane::tcp {
namespace {

using std::chrono::microseconds;
using std::chrono::nanoseconds;

constexpr microseconds kShortestPark(1'000);
/// data-plane section 1.
constexpr microseconds kRefresh(100'000);

/// How many are served before the rest of the worker goes on.
constexpr int kTurns = 32;

SteadyTime clock_now() {
  return std::chrono::steady_clock::now();
}

std::size_t at_most(std::uint64_t bound, std::size_t bytes) {
  return bound < bytes ? static_cast<std::size_t>(bound) : bytes;
}

}  // namespace

std::uint64_t TokenLane::helping() const {
  // Half, so that the bucket is not full, and time lost, when the alarm comes a little late.
  const std::uint64_t burst = limiter_.burst(direction_);
  return burst / 2 + burst % 2;
}

std::size_t TokenLane::take(TokenWaiter& who, std::size_t wanted) {
  const SteadyTime now = clock_now();
  const std::size_t bytes = at_most(helping(), wanted);
  microseconds wait(0);
  if (line_.empty()) {
    wait = limiter_.take(direction_, bytes, now);
    if (wait.count() == 0) return bytes;
  }
  account(now);
  who.wanted_ = bytes;
  who.lane_ = this;
  line_.push_back(who);
  if (!pending()) park(wait, now);
  return 0;
}

void TokenWaiter::leave() {
  if (lane_ == nullptr) return;
  lane_->account(clock_now());
  lane_->remove(*this);
}

void TokenLane::remove(TokenWaiter& who) {
  who.lane_ = nullptr;
  line_.erase(line_.iterator_to(who));
  if (line_.empty()) cancel();
}

void TokenLane::on_alarm() {
  microseconds wait(0);
  for (int turn = 0; turn < kTurns && !line_.empty(); ++turn) {
    const SteadyTime now = clock_now();
    TokenWaiter& first = line_.front();
    // The burst may have become smaller than what was asked for.
    const std::size_t bytes = at_most(limiter_.burst(direction_), first.wanted_);
    wait = limiter_.take(direction_, bytes, now);
    account(now);
    if (wait.count() > 0) break;
    remove(first);
    first.on_tokens(bytes);
  }
  if (!line_.empty()) park(wait, clock_now());
}

void TokenLane::park(microseconds wait, SteadyTime now) {
  // Without a wait there are tokens, but others must have their turn.
  const microseconds time = wait.count() == 0 ? wait : std::clamp(wait, kShortestPark, kRefresh);
  alarms_.set(*this, now + time);
}

void TokenLane::account(SteadyTime now) {
  if (!line_.empty() && now > accounted_until_) {
    unaccounted_ += static_cast<std::int64_t>(line_.size()) * nanoseconds(now - accounted_until_);
    const auto whole = std::chrono::floor<microseconds>(unaccounted_);
    unaccounted_ -= whole;
    limiter_.count_throttle(direction_, whole);
  }
  accounted_until_ = now;
}

}  // namespace portunus::dataplane::tcp
