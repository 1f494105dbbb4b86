#include "server/store/traffic_sample_store.hpp"

#include <algorithm>
#include <limits>
#include <optional>
#include <utility>
#include <vector>

#include "server/store/connection.hpp"
#include "server/store/traffic_bucket.hpp"

namespace portunus::server::store {
namespace {

// Written out in the statements below, which know no constants.
static_assert(std::numeric_limits<std::int64_t>::max() == 9223372036854775807);

std::int64_t clamped(std::uint64_t bytes) {
  constexpr std::uint64_t kMost = std::numeric_limits<std::int64_t>::max();
  return static_cast<std::int64_t>(std::min(bytes, kMost));
}

std::optional<std::int64_t> find_series(Connection& connection, const ClientRef& client,
                                        std::string_view user_id) {
  Query query(connection,
              "SELECT series_id FROM traffic_series "
              "WHERE client_id IS ?1 AND user_id = ?3 AND (?1 IS NOT NULL OR client_name = ?2)",
              client.client_id, client.client_name, user_id);
  if (!query.step()) return std::nullopt;
  return query.integer(0);
}

std::int64_t series_of(Connection& connection, const ClientRef& client, std::string_view user_id) {
  if (const auto known = find_series(connection, client, user_id)) return *known;
  Query(connection, "INSERT INTO traffic_series (user_id, client_id, client_name) VALUES (?, ?, ?)",
        user_id, client.client_id, client.client_name)
      .run();
  return connection.last_insert_id();
}

/// Moves every sample of one series to another, adding where both have one, and ends the first.
void merge_series(Connection& connection, std::int64_t from, std::int64_t into) {
  Query(connection,
        "INSERT INTO traffic_samples_1m SELECT ?2, start, bytes_in, bytes_out "
        "FROM traffic_samples_1m WHERE series_id = ?1 ON CONFLICT DO UPDATE SET "
        "bytes_in = bytes_in + min(excluded.bytes_in, 9223372036854775807 - bytes_in), "
        "bytes_out = bytes_out + min(excluded.bytes_out, 9223372036854775807 - bytes_out)",
        from, into)
      .run();
  Query(connection, "DELETE FROM traffic_samples_1m WHERE series_id = ?", from).run();
  Query(connection,
        "INSERT INTO traffic_samples_1h SELECT ?2, start, bytes_in, bytes_out "
        "FROM traffic_samples_1h WHERE series_id = ?1 ON CONFLICT DO UPDATE SET "
        "bytes_in = bytes_in + min(excluded.bytes_in, 9223372036854775807 - bytes_in), "
        "bytes_out = bytes_out + min(excluded.bytes_out, 9223372036854775807 - bytes_out)",
        from, into)
      .run();
  Query(connection, "DELETE FROM traffic_samples_1h WHERE series_id = ?", from).run();
  Query(connection, "DELETE FROM traffic_series WHERE series_id = ?", from).run();
}

/// Pairs of series of one user: under the bare name, and of the client.
std::vector<std::pair<std::int64_t, std::int64_t>> twins(Connection& connection,
                                                         std::string_view client_id,
                                                         std::string_view name) {
  std::vector<std::pair<std::int64_t, std::int64_t>> out;
  Query query(connection,
              "SELECT bare.series_id, bound.series_id FROM traffic_series bare "
              "JOIN traffic_series bound ON bound.user_id = bare.user_id AND bound.client_id = ? "
              "WHERE bare.client_id IS NULL AND bare.client_name = ?",
              client_id, name);
  while (query.step()) out.emplace_back(query.integer(0), query.integer(1));
  return out;
}

}  // namespace

Result<> add_minute_sample(Connection& connection, const ClientRef& client,
                           std::string_view user_id, std::int64_t start, std::uint64_t bytes_in,
                           std::uint64_t bytes_out) {
  return guarded([&]() -> Result<> {
    const std::int64_t series = series_of(connection, client, user_id);
    const std::int64_t in = clamped(bytes_in);
    const std::int64_t out = clamped(bytes_out);
    Query(connection,
          "INSERT INTO traffic_samples_1m VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET "
          "bytes_in = bytes_in + min(excluded.bytes_in, 9223372036854775807 - bytes_in), "
          "bytes_out = bytes_out + min(excluded.bytes_out, 9223372036854775807 - bytes_out)",
          series, start, in, out)
        .run();
    // No roll-up comes by again for an hour that has been rolled up.
    Query(connection,
          "INSERT INTO traffic_samples_1h SELECT ?1, ?2, ?3, ?4 FROM traffic_rollup_mark "
          "WHERE last_hour >= ?2 ON CONFLICT DO UPDATE SET "
          "bytes_in = bytes_in + min(excluded.bytes_in, 9223372036854775807 - bytes_in), "
          "bytes_out = bytes_out + min(excluded.bytes_out, 9223372036854775807 - bytes_out)",
          series, hour_of(start), in, out)
        .run();
    return {};
  });
}

Result<> bind_series(Connection& connection, std::string_view name, std::string_view client_id) {
  return guarded([&]() -> Result<> {
    Query(connection,
          "UPDATE traffic_series SET client_id = ? WHERE client_id IS NULL AND client_name = ?",
          client_id, name)
        .run();
    return {};
  });
}

Result<> rename_series(Connection& connection, std::string_view client_id, std::string_view name) {
  return guarded([&]() -> Result<> {
    Query(connection, "UPDATE traffic_series SET client_name = ? WHERE client_id = ?", name,
          client_id)
        .run();
    return {};
  });
}

Result<> unbind_series(Connection& connection, std::string_view client_id, std::string_view name) {
  return guarded([&]() -> Result<> {
    for (const auto& [bare, bound] : twins(connection, client_id, name)) {
      merge_series(connection, bare, bound);
    }
    Query(connection, "UPDATE traffic_series SET client_id = NULL WHERE client_id = ?", client_id)
        .run();
    return {};
  });
}

}  // namespace portunus::server::store
