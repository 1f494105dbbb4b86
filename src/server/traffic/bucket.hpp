#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "server/store/traffic_history_store.hpp"

namespace portunus::server::traffic {

using store::Bucket;

inline constexpr std::int64_t kHour = 3600;  ///< seconds
inline constexpr std::int64_t kDay = 24 * kHour;

/// Start of the hour that holds an instant; both in Unix seconds.
std::int64_t hour_of(std::int64_t instant);

/// "1m", "1h".
std::string_view bucket_name(Bucket bucket);
std::optional<Bucket> parse_bucket(std::string_view name);
/// How long a sample is kept, in seconds (store-and-quotas 7).
std::int64_t retention(Bucket bucket);

}  // namespace portunus::server::traffic
