#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <vector>

#include "common/async/task.hpp"
#include "server/rules/traffic_totals.hpp"
#include "server/store/rows.hpp"

namespace portunus::server::rules {

/// A rule and its latest report, as they were when it arrived; shared by all who watch the rule.
struct StatsSnapshot {
  store::RuleRow row;
  RuleNumbers numbers;  ///< without the totals
};
using SharedSnapshot = std::shared_ptr<const StatsSnapshot>;

/// What one watcher of a rule has not seen yet: at most kMost snapshots, of which the oldest goes
/// when another one comes, with a warning whenever that begins. So a slow watcher costs nobody else
/// anything. Fed by StatsFeed, read by its owner, who may drop it at any time. Domain executor.
class StatsSubscription {
 public:
  static constexpr std::size_t kMost = 16;

  StatsSubscription(boost::asio::any_io_executor executor, RuleId rule)
      : rule_(rule), wake_(std::move(executor)) {}

  struct News {
    enum class Kind : std::uint8_t { snapshot, silence, end };
    Kind kind = Kind::end;
    SharedSnapshot snapshot = nullptr;  ///< of a snapshot
  };
  /// The oldest snapshot not seen, waited for at most `patience`; the end once the rule is removed
  /// and everything was seen, or after close(). One call at a time.
  async::Task<News> next(std::chrono::steady_clock::duration patience);
  /// Nothing more is wanted; what waits is dropped.
  void close();

  // For the feed:
  void deliver(SharedSnapshot snapshot);
  /// What waits is still to be seen.
  void end();

 private:
  RuleId rule_;
  std::deque<SharedSnapshot> queue_;
  boost::asio::steady_timer wake_;
  bool ended_ = false;
  bool lagging_ = false;  ///< has lost some since the queue was last empty
};

/// Who watches which rule (http-api 9.2). Knows subscriptions only as long as their owners keep
/// them. One thread.
class StatsFeed {
 public:
  explicit StatsFeed(boost::asio::any_io_executor executor) : executor_(std::move(executor)) {}

  /// `first` is to be seen at once; null = nothing yet.
  std::shared_ptr<StatsSubscription> subscribe(RuleId rule, SharedSnapshot first);
  /// False when nobody does: then no snapshot needs to be made.
  bool watched(RuleId rule) const { return watchers_.contains(rule); }
  void publish(RuleId rule, const SharedSnapshot& snapshot);
  /// The rule is gone.
  void end(RuleId rule);
  /// Of all rules, and of every later subscription.
  void end_all();

 private:
  using Watchers = std::vector<std::weak_ptr<StatsSubscription>>;

  boost::asio::any_io_executor executor_;
  std::map<RuleId, Watchers> watchers_;
  bool ended_ = false;
};

}  // namespace portunus::server::rules
