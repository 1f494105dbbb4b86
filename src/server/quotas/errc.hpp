#pragma once

#include <system_error>

namespace portunus::server::quotas {

/// What the quota operations refuse; each is the contract's code of the same name.
enum class Errc {
  invalid_quota_size = 1,
  invalid_client_name,
  client_not_found,
  quota_target_not_found,
  quota_unsupported_by_client,
  invalid_billing_anchor,
  billing_anchor_immutable,
  quota_not_found,
};

const std::error_category& category();
inline std::error_code make_error_code(Errc e) {
  return {static_cast<int>(e), category()};
}

}  // namespace portunus::server::quotas

template <>
struct std::is_error_code_enum<portunus::server::quotas::Errc> : std::true_type {};
