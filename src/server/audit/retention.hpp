#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <cstdint>

#include "common/async/gate.hpp"
#include "common/async/task.hpp"
#include "common/base/clock.hpp"
#include "common/base/result.hpp"
#include "server/store/store.hpp"

namespace portunus::server::audit {

/// What the sweep leaves (http-api 16, store-and-quotas 5).
inline constexpr std::chrono::hours kKeptFor{24 * 90};
inline constexpr std::int64_t kKeptRows = 50'000;

/// Removes old entries: first those over the age, then the oldest over the number. Lives on the
/// domain executor; owned by the composition root. A sweep that the store refuses is logged and
/// made up for by the next one.
class Retention {
 public:
  /// How often it sweeps.
  static constexpr std::chrono::hours kInterval{1};

  Retention(boost::asio::any_io_executor executor, store::Store& store, const Clock& clock);

  /// Sweeps now and then once per interval.
  void start(std::chrono::steady_clock::duration interval = kInterval);
  /// Ends with the transaction that is under way. Idempotent.
  void request_stop();
  /// True when the sweep has ended within `grace`. Needed before the destructor.
  async::Task<bool> drain(std::chrono::steady_clock::duration grace);

  /// One sweep, which start()'s timer also makes.
  async::Task<> sweep();

 private:
  struct Swept {
    std::int64_t by_age = 0;
    std::int64_t by_count = 0;
  };
  async::Task<> sweep_for_ever(std::chrono::steady_clock::duration interval);
  async::Task<Result<Swept>> remove_all();

  store::Store& store_;
  const Clock& clock_;
  boost::asio::steady_timer tick_;
  async::Gate gate_;
  bool stopping_ = false;
};

}  // namespace portunus::server::audit
