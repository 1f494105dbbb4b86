#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "server/store/traffic_bucket.hpp"

namespace portunus::server::traffic {

using store::Bucket;
using store::hour_of;
using store::kHour;

inline constexpr std::int64_t kDay = 24 * kHour;  ///< seconds

/// "1m", "1h".
std::string_view bucket_name(Bucket bucket);
std::optional<Bucket> parse_bucket(std::string_view name);
/// How long a sample is kept, in seconds (store-and-quotas 7).
std::int64_t retention(Bucket bucket);

}  // namespace portunus::server::traffic
