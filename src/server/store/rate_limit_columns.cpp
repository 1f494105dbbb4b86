#include "server/store/rate_limit_columns.hpp"

#include <cstdint>

namespace portunus::server::store {
namespace {

template <class Number>
void read(const Query& query, int column, std::optional<Number>& into) {
  if (!query.null(column)) into = static_cast<Number>(query.integer(column));
}

}  // namespace

std::optional<model::RateLimit> read_caps(const Query& query, int first) {
  model::RateLimit limit;
  read(query, first, limit.bandwidth_in_bps);
  read(query, first + 1, limit.bandwidth_out_bps);
  read(query, first + 2, limit.new_connections_per_sec);
  read(query, first + 3, limit.concurrent_connections);
  read(query, first + 4, limit.bandwidth_in_burst);
  read(query, first + 5, limit.bandwidth_out_burst);
  read(query, first + 6, limit.new_connections_burst);
  if (limit.empty()) return std::nullopt;
  return limit;
}

}  // namespace portunus::server::store
