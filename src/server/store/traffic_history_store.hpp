#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "common/base/result.hpp"
#include "server/store/rows.hpp"
#include "server/store/traffic_bucket.hpp"

namespace portunus::server::store {

class Connection;

/// Reading the traffic history (store-and-quotas 7). Functions of one transaction.

/// Whose samples; what is not set is not filtered.
struct SeriesFilter {
  std::optional<std::string> user_id;
  std::optional<ClientRef> client;
};
/// The ids of the series, ascending.
Result<std::vector<std::int64_t>> find_series(Connection& connection, const SeriesFilter& filter);

/// Sees one sample: start in Unix seconds, bytes in, bytes out. False ends the visit.
using SampleVisitor = std::function<bool(std::int64_t, std::int64_t, std::int64_t)>;
/// The samples of a series that start in [from, to), ascending.
Result<> visit_samples(Connection& connection, Bucket bucket, std::int64_t series_id,
                       std::int64_t from, std::int64_t to, const SampleVisitor& visit);

}  // namespace portunus::server::store
