#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "common/base/result.hpp"
#include "server/owner_caps/owner_cap_service.hpp"
#include "server/store/owner_limit_store.hpp"
#include "server/store/rows.hpp"

namespace portunus::server::http::api {

// The JSON shapes of owner caps and quotas (http-api 7.3, 10): answers as text, bodies decoded and
// not yet judged.

std::string owner_json(const store::OwnerOnClient& owner);
std::string owner_caps_json(const store::OwnerLimitRow& row);
std::string quota_json(const store::QuotaRow& quota);

/// A bare rate-limit object.
Result<owner_caps::WantedCaps> decode_owner_caps(std::string_view body);

/// Of PUT and PATCH.
struct QuotaBody {
  std::optional<std::int64_t> monthly_bytes;
  std::optional<std::int64_t> billing_anchor;
  bool clear_period_usage = false;
};
/// `monthly_bytes` is required.
Result<QuotaBody> decode_quota_put(std::string_view body);
Result<QuotaBody> decode_quota_patch(std::string_view body);

}  // namespace portunus::server::http::api
