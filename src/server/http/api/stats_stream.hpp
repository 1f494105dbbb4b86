#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <utility>

#include "server/http/body_stream.hpp"
#include "server/rules/stats_feed.hpp"

namespace portunus::server::http::api {

/// A rule's reports as server-sent events (http-api 9.2): one frame per report, a comment after
/// each `keep_alive` of silence. Ends with the subscription. Domain executor.
class StatsStream final : public BodyStream {
 public:
  static constexpr std::chrono::seconds kKeepAlive{30};

  StatsStream(std::shared_ptr<rules::StatsSubscription> subscription, bool per_target,
              std::chrono::steady_clock::duration keep_alive = kKeepAlive)
      : subscription_(std::move(subscription)), per_target_(per_target), keep_alive_(keep_alive) {}

  async::Task<std::string> next() override;
  void close() override { subscription_->close(); }

 private:
  std::shared_ptr<rules::StatsSubscription> subscription_;
  bool per_target_;
  std::chrono::steady_clock::duration keep_alive_;
};

}  // namespace portunus::server::http::api
