#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <map>
#include <utility>

#include "common/async/task.hpp"
#include "common/base/clock.hpp"
#include "common/base/result.hpp"
#include "server/store/rows.hpp"
#include "server/store/store.hpp"

namespace portunus::server::web_auth {

/// Lets the attempts of one key in one after the other, so that many at once cannot get more tries
/// than the lock allows, and keeps count of the failures in the store (http-api 3.5). Owns the
/// lines of those who wait; a line has a bound. Lives on the domain executor; goes when no attempt
/// is under way.
class Throttle {
 public:
  Throttle(boost::asio::any_io_executor executor, store::Store& store, const Clock& clock)
      : executor_(std::move(executor)), store_(store), clock_(clock) {}

  /// The right to make one attempt; lets the next one in when it goes.
  class Turn {
   public:
    Turn(Turn&& other) noexcept
        : throttle_(std::exchange(other.throttle_, nullptr)), key_(std::move(other.key_)) {}
    Turn& operator=(Turn&&) = delete;
    ~Turn() {
      if (throttle_ != nullptr) throttle_->leave(key_);
    }
    const store::AttemptKey& key() const { return key_; }

   private:
    friend class Throttle;
    Turn(Throttle* throttle, store::AttemptKey key) : throttle_(throttle), key_(std::move(key)) {}
    Throttle* throttle_;
    store::AttemptKey key_;
  };

  /// Errc::rate_limited while the key is locked, or when too many wait already.
  async::Task<Result<Turn>> enter(store::AttemptKey key);
  /// One more failure; on disk when this returns. A success deletes the key's row in the same
  /// transaction as what it changes (store::remove_attempts).
  async::Task<Result<>> count_failure(store::AttemptKey key);

 private:
  struct Line {
    explicit Line(const boost::asio::any_io_executor& executor)
        : wake(executor, boost::asio::steady_timer::time_point::max()) {}
    boost::asio::steady_timer wake;  ///< never runs out; each cancel_one() wakes the next in line
    bool busy = false;
    unsigned waiting = 0;
    unsigned handed = 0;  ///< turns that were given to somebody who has not run yet
  };

  async::Task<bool> wait_in_line(store::AttemptKey key);
  void leave(const store::AttemptKey& key);

  boost::asio::any_io_executor executor_;
  store::Store& store_;
  const Clock& clock_;
  std::map<store::AttemptKey, Line> lines_;
};

}  // namespace portunus::server::web_auth
