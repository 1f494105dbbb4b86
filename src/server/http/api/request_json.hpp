#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "common/base/result.hpp"
#include "common/model/rate_limit.hpp"
#include "server/rules/rule_service.hpp"

namespace portunus::server::http::api {

// Request bodies as the contract writes them, decoded and not yet judged. Errc::invalid_json for
// what is no JSON, Errc::invalid_body for a wrong shape, with the key as detail. Unknown keys are
// ignored; null on an optional key is an absent key (http-api 1).

class ObjectReader;

inline constexpr std::int64_t kDefaultTtlSecs = 600;

struct EnrollBody {
  std::string name;
  std::optional<std::string> address;
  std::int64_t ttl_secs = kDefaultTtlSecs;
};
Result<EnrollBody> decode_enroll(std::string_view body);
/// {"ttl_secs": int?}
Result<std::int64_t> decode_ttl(std::string_view body);
/// {"address": str}
Result<std::string> decode_address(std::string_view body);
/// {"client_name": str}
Result<std::string> decode_client_name(std::string_view body);
/// A rule as POST and PUT take it (http-api 8.1).
Result<rules::PushRequest> decode_push(std::string_view body);

/// A rate-limit object (http-api 7.3).
struct CapsBody {
  model::RateLimit limit;
  /// The key that is reserved for later was set, to whatever.
  bool reserved_key = false;
};
CapsBody decode_caps(ObjectReader& reader);

}  // namespace portunus::server::http::api
