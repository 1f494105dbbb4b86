#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "common/async/task.hpp"
#include "common/base/clock.hpp"
#include "common/base/result.hpp"
#include "server/store/store.hpp"
#include "server/traffic/bucket.hpp"

namespace portunus::server::traffic {

/// What a caller wants to see; what is not set is not filtered.
struct HistoryRequest {
  std::optional<std::string> user_id;
  std::optional<std::string> client;  ///< a name or an id (http-api 2)
  std::int64_t from = 0;              ///< Unix seconds, inclusive
  std::int64_t to = 0;                ///< exclusive
  std::optional<std::string> bucket;  ///< as written; by the length of time when not given
};

struct Sample {
  std::int64_t start = 0;  ///< Unix seconds
  std::int64_t bytes_in = 0;
  std::int64_t bytes_out = 0;
  friend bool operator==(const Sample&, const Sample&) = default;
};

struct History {
  Bucket bucket = Bucket::minute;
  std::vector<Sample> samples;  ///< ascending; only where there was traffic
  std::int64_t total_bytes_in = 0;
  std::int64_t total_bytes_out = 0;
};

/// The traffic history as operators read it (http-api 10, store-and-quotas 7). Holds nothing: the
/// rows are read and summed on the store's reader threads, a few series at a time, so that neither
/// the event loop nor another reader waits for a long query. Lives on the domain executor.
class TrafficHistory {
 public:
  /// Most samples of one answer.
  static constexpr std::size_t kMostSamples = 10'000;

  TrafficHistory(store::Store& store, const Clock& clock) : store_(store), clock_(clock) {}

  /// Samples summed over everything that is not filtered; sums stay at the greatest number rather
  /// than pass it. Errors in the order of http-api 10, or the store's.
  async::Task<Result<History>> query(HistoryRequest request);

 private:
  store::Store& store_;
  const Clock& clock_;
};

}  // namespace portunus::server::traffic
