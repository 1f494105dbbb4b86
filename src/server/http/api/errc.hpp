#pragma once

#include <system_error>

namespace portunus::server::http::api {

/// What a request can get wrong before the domain is asked (http-api 1), and what we can; each is
/// the contract's code of the same name.
enum class Errc {
  not_found = 1,
  method_not_allowed,
  unsupported_media_type,
  payload_too_large,
  invalid_json,
  invalid_body,
  invalid_query,
  invalid_path,
  csrf_origin_required,
  csrf_origin_mismatch,
  csrf_header_required,
  csrf_content_type_required,
  password_change_required,  ///< a session may do nothing else first (http-api 3.7)
  internal,                  ///< a route threw, which is no fault of the request
};

const std::error_category& category();
inline std::error_code make_error_code(Errc e) {
  return {static_cast<int>(e), category()};
}

}  // namespace portunus::server::http::api

template <>
struct std::is_error_code_enum<portunus::server::http::api::Errc> : std::true_type {};
