#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "common/async/gate.hpp"
#include "common/async/task.hpp"
#include "common/base/clock.hpp"
#include "common/base/result.hpp"
#include "server/store/store.hpp"
#include "server/traffic/bucket.hpp"

namespace portunus::server::traffic {

/// Turns minutes of the traffic history into hours one minute after each hour's end, and lets both
/// expire (store-and-quotas 7). What was missed, because the server was down or the store refused,
/// is made up for; an hour is one transaction, so a tick may end anywhere and be repeated. Lives on
/// the domain executor; owned by the composition root, which starts, stops and drains it. A tick
/// that fails is logged and repeated after a minute.
class Rollup {
 public:
  /// How often the wall clock is looked at: the delay after a step of it, and of each tick.
  static constexpr std::chrono::milliseconds kCheckInterval{5'000};
  /// An hour is rolled up so much after its end, in seconds.
  static constexpr std::int64_t kLag = 60;
  /// Most hours of one tick: what the hours are kept.
  static constexpr std::size_t kMostHours = 90 * 24;

  Rollup(boost::asio::any_io_executor executor, store::Store& store, const Clock& clock)
      : store_(store), clock_(clock), gate_(executor), timer_(executor) {}

  /// Catches up now, then ticks once per hour.
  void start(std::chrono::steady_clock::duration interval = kCheckInterval);
  /// Ends after the transaction that is under way. Idempotent.
  void request_stop();
  /// True when all ended within `grace`. Needed before the destructor.
  async::Task<bool> drain(std::chrono::steady_clock::duration grace);

  /// One tick: rolls up, lets expire, logs. For the clockwork, and for tests.
  async::Task<> tick();

 private:
  struct Done {
    std::size_t rolled_up = 0;
    std::size_t deleted_1m = 0;
    std::size_t deleted_1h = 0;
    bool first = false;  ///< of this store: nothing had been missed
    bool worth_a_line() const { return deleted_1m + deleted_1h > 0 || (rolled_up > 0 && !first); }
  };

  async::Task<> run(std::chrono::steady_clock::duration interval);
  /// At a start, when nothing had been missed, there is nothing to log.
  async::Task<> tick(bool at_start);
  async::Task<Result<Done>> work();
  async::Task<Result<std::size_t>> roll_up(std::int64_t mark, std::int64_t until);
  async::Task<Result<std::size_t>> expire(Bucket bucket, std::int64_t before);
  /// The hour that is not over, or for less than kLag.
  std::int64_t current_hour() const;
  bool due() const;

  store::Store& store_;
  const Clock& clock_;
  async::Gate gate_;
  boost::asio::steady_timer timer_;
  /// The current hour of the last tick that succeeded.
  std::optional<std::int64_t> ticked_;
  std::optional<SteadyTime> failed_at_;
  bool stopping_ = false;
};

}  // namespace portunus::server::traffic
