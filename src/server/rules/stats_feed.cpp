#include "server/rules/stats_feed.hpp"

#include <string>
#include <utility>

#include "common/log/logger.hpp"

namespace portunus::server::rules {

async::Task<StatsSubscription::News> StatsSubscription::next(
    std::chrono::steady_clock::duration patience) {
  wake_.expires_after(patience);
  while (queue_.empty() && !ended_) {
    const auto [ec] = co_await wake_.async_wait(async::kTuple);
    if (!ec && queue_.empty() && !ended_) co_return News{.kind = News::Kind::silence};
  }
  if (queue_.empty()) co_return News{.kind = News::Kind::end};
  News news{.kind = News::Kind::snapshot, .snapshot = std::move(queue_.front())};
  queue_.pop_front();
  if (queue_.empty()) lagging_ = false;
  co_return news;
}

void StatsSubscription::close() {
  queue_.clear();
  end();
}

void StatsSubscription::deliver(SharedSnapshot snapshot) {
  if (ended_) return;
  if (queue_.size() == kMost) {
    queue_.pop_front();
    if (!std::exchange(lagging_, true)) {
      log::log(log::Event::stats_stream_lagged,
               {{"error", "a slow watcher of rule " + std::to_string(rule_.value) +
                              " loses its oldest snapshots"}});
    }
  }
  queue_.push_back(std::move(snapshot));
  wake_.cancel();
}

void StatsSubscription::end() {
  ended_ = true;
  wake_.cancel();
}

std::shared_ptr<StatsSubscription> StatsFeed::subscribe(RuleId rule, SharedSnapshot first) {
  auto subscription = std::make_shared<StatsSubscription>(executor_, rule);
  if (first) subscription->deliver(std::move(first));
  if (ended_) {
    subscription->end();
    return subscription;
  }
  Watchers& watchers = watchers_[rule];
  std::erase_if(watchers, [](const auto& watcher) { return watcher.expired(); });
  watchers.push_back(subscription);
  return subscription;
}

void StatsFeed::publish(RuleId rule, const SharedSnapshot& snapshot) {
  const auto it = watchers_.find(rule);
  if (it == watchers_.end()) return;
  std::erase_if(it->second, [](const auto& watcher) { return watcher.expired(); });
  for (const auto& watcher : it->second) {
    if (const auto alive = watcher.lock()) alive->deliver(snapshot);
  }
  if (it->second.empty()) watchers_.erase(it);
}

void StatsFeed::end(RuleId rule) {
  const auto it = watchers_.find(rule);
  if (it == watchers_.end()) return;
  for (const auto& watcher : it->second) {
    if (const auto alive = watcher.lock()) alive->end();
  }
  watchers_.erase(it);
}

void StatsFeed::end_all() {
  ended_ = true;
  while (!watchers_.empty()) end(watchers_.begin()->first);
}

}  // namespace portunus::server::rules
