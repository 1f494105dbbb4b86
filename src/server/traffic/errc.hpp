#pragma once

#include <system_error>

namespace portunus::server::traffic {

/// What the history's queries refuse; each is the contract's code of the same name.
enum class Errc {
  invalid_client_name = 1,
  client_not_found,
  invalid_time_range,             ///< from < 0, or to <= from
  invalid_bucket,                 ///< neither 1m nor 1h
  quota_bucket_out_of_retention,  ///< from is older than the bucket is kept
  traffic_too_many_rows,          ///< over kMostSamples
};

const std::error_category& category();
inline std::error_code make_error_code(Errc e) {
  return {static_cast<int>(e), category()};
}

}  // namespace portunus::server::traffic

template <>
struct std::is_error_code_enum<portunus::server::traffic::Errc> : std::true_type {};
