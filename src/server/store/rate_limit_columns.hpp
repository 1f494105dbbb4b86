#pragma once

#include <optional>

#include "common/model/rate_limit.hpp"
#include "server/store/connection.hpp"

namespace portunus::server::store {

/// Reads the seven caps, which are the columns from `first` on in the order of model::RateLimit;
/// nothing when none is set. The upper half of 64 unsigned bits stands in a table as a negative
/// number.
std::optional<model::RateLimit> read_caps(const Query& query, int first);

}  // namespace portunus::server::store
