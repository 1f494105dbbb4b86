#include "server/store/traffic_history_store.hpp"

#include <string_view>

#include "server/store/connection.hpp"

namespace portunus::server::store {
namespace {

std::string_view samples_of(Bucket bucket) {
  switch (bucket) {
    case Bucket::minute:
      return "SELECT start, bytes_in, bytes_out FROM traffic_samples_1m "
             "WHERE series_id = ? AND start >= ? AND start < ? ORDER BY start";
    case Bucket::hour:
      return "SELECT start, bytes_in, bytes_out FROM traffic_samples_1h "
             "WHERE series_id = ? AND start >= ? AND start < ? ORDER BY start";
  }
  return {};
}

}  // namespace

Result<std::vector<std::int64_t>> find_series(Connection& connection, const SeriesFilter& filter) {
  return guarded([&]() -> Result<std::vector<std::int64_t>> {
    const bool any_client = !filter.client;
    const ClientRef client = filter.client.value_or(ClientRef{});
    // Of a client the id counts, of a bare name the name; see traffic_series.
    Query query(connection,
                "SELECT series_id FROM traffic_series WHERE (?1 IS NULL OR user_id = ?1) AND "
                "(?2 OR (client_id IS ?3 AND (?3 IS NOT NULL OR client_name = ?4))) "
                "ORDER BY series_id",
                filter.user_id, any_client, client.client_id, client.client_name);
    std::vector<std::int64_t> out;
    while (query.step()) out.push_back(query.integer(0));
    return out;
  });
}

Result<> visit_samples(Connection& connection, Bucket bucket, std::int64_t series_id,
                       std::int64_t from, std::int64_t to, const SampleVisitor& visit) {
  return guarded([&]() -> Result<> {
    Query query(connection, samples_of(bucket), series_id, from, to);
    while (query.step()) {
      if (!visit(query.integer(0), query.integer(1), query.integer(2))) break;
    }
    return {};
  });
}

}  // namespace portunus::server::store
