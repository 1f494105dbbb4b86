#include "server/traffic/traffic_history.hpp"

#include <algorithm>
#include <map>
#include <utility>

#include "common/base/saturating.hpp"
#include "server/store/client_store.hpp"
#include "server/store/traffic_history_store.hpp"
#include "server/traffic/errc.hpp"

namespace portunus::server::traffic {
namespace {

/// Read by one transaction: at most a third of a million minutes, a fraction of a second.
constexpr std::size_t kSeriesPerRead = 32;

/// The part of the history that a request is about.
struct Window {
  Bucket bucket;
  std::int64_t from;
  std::int64_t to;
};

struct Bytes {
  std::int64_t in = 0;
  std::int64_t out = 0;
};
/// By start.
using Sums = std::map<std::int64_t, Bytes>;

Result<Window> judge(const HistoryRequest& request, std::int64_t now) {
  if (request.from < 0 || request.to <= request.from) return fail(Errc::invalid_time_range);
  Bucket bucket = request.to - request.from <= kDay ? Bucket::minute : Bucket::hour;
  if (request.bucket) {
    const auto named = parse_bucket(*request.bucket);
    if (!named) return fail({Errc::invalid_bucket, "\"" + *request.bucket + "\""});
    bucket = *named;
  }
  if (request.from < now - retention(bucket)) {
    return fail({Errc::quota_bucket_out_of_retention, std::string(bucket_name(bucket))});
  }
  return Window{bucket, request.from, request.to};
}

Result<std::vector<std::int64_t>> series_in(store::Connection& connection,
                                            const std::optional<std::string>& user_id,
                                            const std::optional<std::string>& client) {
  store::SeriesFilter filter{.user_id = user_id, .client = std::nullopt};
  if (client) {
    auto ref = store::resolve_client_ref(connection, *client, Errc::client_not_found,
                                         Errc::invalid_client_name);
    if (!ref) return fail(ref.error());
    filter.client = std::move(*ref);
  }
  return store::find_series(connection, filter);
}

Result<Sums> add_series(store::Connection& connection, const Window& window,
                        const std::vector<std::int64_t>& series, Sums sums) {
  const auto add = [&](std::int64_t start, std::int64_t in, std::int64_t out) {
    Bytes& bytes = sums[start];
    add_saturating(bytes.in, in);
    add_saturating(bytes.out, out);
    return sums.size() <= TrafficHistory::kMostSamples;
  };
  for (const std::int64_t id : series) {
    const auto seen =
        store::visit_samples(connection, window.bucket, id, window.from, window.to, add);
    if (!seen) return fail(seen.error());
    if (sums.size() > TrafficHistory::kMostSamples) return fail(Errc::traffic_too_many_rows);
  }
  return sums;
}

History history_of(Bucket bucket, const Sums& sums) {
  History out;
  out.bucket = bucket;
  out.samples.reserve(sums.size());
  for (const auto& [start, bytes] : sums) {
    out.samples.push_back({start, bytes.in, bytes.out});
    add_saturating(out.total_bytes_in, bytes.in);
    add_saturating(out.total_bytes_out, bytes.out);
  }
  return out;
}

}  // namespace

async::Task<Result<History>> TrafficHistory::query(HistoryRequest request) {
  auto find = [user_id = request.user_id, client = request.client](store::Connection& connection) {
    return series_in(connection, user_id, client);
  };
  const Result<std::vector<std::int64_t>> series = co_await store_.read(std::move(find));
  if (!series) co_return fail(series.error());
  const Result<Window> window = judge(request, to_unix_seconds(clock_.now()));
  if (!window) co_return fail(window.error());

  Sums sums;
  for (auto from = series->begin(); from != series->end();) {
    const auto count = std::min<std::ptrdiff_t>(kSeriesPerRead, series->end() - from);
    auto load = [some = std::vector<std::int64_t>(from, from + count), at = *window,
                 sums = std::move(sums)](store::Connection& connection) mutable {
      return add_series(connection, at, some, std::move(sums));
    };
    Result<Sums> loaded = co_await store_.read(std::move(load));
    if (!loaded) co_return fail(loaded.error());
    sums = std::move(*loaded);
    from += count;
  }
  co_return history_of(window->bucket, sums);
}

}  // namespace portunus::server::traffic
