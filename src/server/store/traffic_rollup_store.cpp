#include "server/store/traffic_rollup_store.hpp"

#include <map>

#include "common/base/saturating.hpp"
#include "server/store/connection.hpp"
#include "server/store/traffic_bucket.hpp"

namespace portunus::server::store {
namespace {

struct Sums {
  std::int64_t in = 0;
  std::int64_t out = 0;
};

/// By series. Added here, because SQLite's sum() fails where ours stays at the greatest number.
std::map<std::int64_t, Sums> sums_of(Connection& connection, std::int64_t hour) {
  std::map<std::int64_t, Sums> out;
  Query query(connection,
              "SELECT series_id, bytes_in, bytes_out FROM traffic_samples_1m "
              "WHERE start >= ? AND start < ?",
              hour, hour + kHour);
  while (query.step()) {
    Sums& sums = out[query.integer(0)];
    add_saturating(sums.in, query.integer(1));
    add_saturating(sums.out, query.integer(2));
  }
  return out;
}

}  // namespace

Result<std::int64_t> rollup_mark(Connection& connection) {
  return guarded([&]() -> Result<std::int64_t> {
    Query query(connection, "SELECT last_hour FROM traffic_rollup_mark");
    return query.step() ? query.integer(0) : 0;
  });
}

Result<> roll_up_hour(Connection& connection, std::int64_t hour) {
  return guarded([&]() -> Result<> {
    Query(connection, "DELETE FROM traffic_samples_1h WHERE start = ?", hour).run();
    for (const auto& [series, sums] : sums_of(connection, hour)) {
      Query(connection, "INSERT INTO traffic_samples_1h VALUES (?, ?, ?, ?)", series, hour, sums.in,
            sums.out)
          .run();
    }
    Query(connection, "UPDATE traffic_rollup_mark SET last_hour = max(last_hour, ?)", hour).run();
    return {};
  });
}

Result<std::size_t> expire_minutes(Connection& connection, std::int64_t before, std::size_t limit) {
  return guarded([&]() -> Result<std::size_t> {
    Query change(connection,
                 "DELETE FROM traffic_samples_1m WHERE (series_id, start) IN ("
                 "SELECT series_id, start FROM traffic_samples_1m WHERE start < "
                 "min(?, (SELECT last_hour FROM traffic_rollup_mark) + 3600) "
                 "ORDER BY start LIMIT ?)",
                 before, limit);
    return static_cast<std::size_t>(change.run());
  });
}

Result<std::size_t> expire_hours(Connection& connection, std::int64_t before, std::size_t limit) {
  return guarded([&]() -> Result<std::size_t> {
    Query change(connection,
                 "DELETE FROM traffic_samples_1h WHERE (series_id, start) IN ("
                 "SELECT series_id, start FROM traffic_samples_1h WHERE start < ? "
                 "ORDER BY start LIMIT ?)",
                 before, limit);
    return static_cast<std::size_t>(change.run());
  });
}

Result<> remove_empty_series(Connection& connection) {
  return guarded([&]() -> Result<> {
    Query(connection,
          "DELETE FROM traffic_series WHERE "
          "NOT EXISTS (SELECT 1 FROM traffic_samples_1m m "
          "WHERE m.series_id = traffic_series.series_id) AND "
          "NOT EXISTS (SELECT 1 FROM traffic_samples_1h h "
          "WHERE h.series_id = traffic_series.series_id)")
        .run();
    return {};
  });
}

}  // namespace portunus::server::store
