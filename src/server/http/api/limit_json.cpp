#include "server/http/api/limit_json.hpp"

#include <limits>
#include <utility>

#include "server/http/api/json_text.hpp"
#include "server/http/api/object_reader.hpp"
#include "server/http/api/request_json.hpp"
#include "server/http/api/rule_json.hpp"
#include "server/quotas/budget.hpp"

namespace portunus::server::http::api {
namespace {

using Json = AnswerJson;

/// An integer beyond 63 bits is one all the same; that it is out of bounds has a code of its own,
/// which the domain gives to any value that cannot be.
std::optional<std::int64_t> wide_integer(ObjectReader& reader, const char* key,
                                         std::int64_t beyond) {
  if (reader.beyond<std::int64_t>(key)) return beyond;
  return reader.integer<std::int64_t>(key);
}

std::optional<std::int64_t> monthly_bytes(ObjectReader& reader) {
  return wide_integer(reader, "monthly_bytes", -1);
}

}  // namespace

std::string owner_json(const store::OwnerOnClient& owner) {
  return write(Json{{"owner_id", owner.owner_id},
                    {"has_rate_limit", owner.has_limit},
                    {"rule_count", owner.rules}});
}

std::string owner_caps_json(const store::OwnerLimitRow& row) {
  return write(Json{{"client_id", text_or_null(row.client.client_id)},
                    {"client_name", row.client.client_name},
                    {"owner_id", row.owner_id},
                    {"rate_limit", caps_json(row.limit)},
                    {"updated_at_unix_ms", to_unix_millis(row.updated_at)}});
}

std::string quota_json(const store::QuotaRow& quota) {
  const bool exhausted = quota.exhausted_at.has_value();
  return write(Json{
      {"user_id", quota.user_id},
      {"client_id", text_or_null(quota.client.client_id)},
      {"client_name", quota.client.client_name},
      {"monthly_bytes", quota.monthly_bytes},
      {"billing_anchor", quota.billing_anchor},
      {"current_period_started_at", quota.period_started_at},
      {"current_period_ends_at", quotas::period_end(quota)},
      {"current_period_bytes_used", quota.bytes_used},
      {"budget_remaining_bytes", quotas::remaining(quota)},
      {"exhausted_at", exhausted ? Json(*quota.exhausted_at) : Json(nullptr)},
      {"exhausted", exhausted},
      {"created_at", quota.created_at},
      {"updated_at", quota.updated_at},
  });
}

Result<owner_caps::WantedCaps> decode_owner_caps(std::string_view body) {
  ObjectReader reader(body);
  CapsBody caps = decode_caps(reader);
  return reader.finish(owner_caps::WantedCaps{std::move(caps.limit), caps.reserved_key});
}

Result<QuotaBody> decode_quota_put(std::string_view body) {
  ObjectReader reader(body);
  QuotaBody out;
  out.monthly_bytes = reader.required("monthly_bytes", monthly_bytes(reader));
  out.billing_anchor =
      wide_integer(reader, "billing_anchor", std::numeric_limits<std::int64_t>::max());
  return reader.finish(out);
}

Result<QuotaBody> decode_quota_patch(std::string_view body) {
  ObjectReader reader(body);
  QuotaBody out;
  out.monthly_bytes = monthly_bytes(reader);
  out.clear_period_usage = reader.flag("clear_period_usage").value_or(false);
  return reader.finish(out);
}

}  // namespace portunus::server::http::api
