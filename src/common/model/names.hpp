#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace portunus::model {

/// 1..63 of [a-z0-9-], alphanumeric at both ends, no "--" (http-api 2).
bool is_client_name(std::string_view text);
/// [a-z][a-z0-9_-]{0,31}; a leading "_" is reserved (http-api 2).
bool is_user_id(std::string_view text);
/// A reserved id such as _superadmin or _legacy: "_" and 1..31 of [a-z0-9_-].
bool is_reserved_user_id(std::string_view text);
/// Trimmed; nothing unless 1..64 bytes are left.
std::optional<std::string> parse_display_name(std::string_view text);
/// Trimmed bare IP (canonical) or RFC 1123 host (lower case, without its trailing dot): an edge's
/// entry address. Nothing for an URL, a port or anything else.
std::optional<std::string> parse_client_address(std::string_view text);
/// Without white space at both ends.
std::string_view trim(std::string_view text);

}  // namespace portunus::model
