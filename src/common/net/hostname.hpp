#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace portunus::net {

/// Why a text is not an RFC 1123 host name; the API and the command line have a code for each.
enum class HostnameFault { too_long, label_too_long, label_hyphen, other };

/// A name of letters, digits and inner hyphens: labels of 1..63, at most 253 octets in all, not
/// all-numeric, one trailing dot tolerated. Nothing when it is one.
std::optional<HostnameFault> check_hostname(std::string_view text);

/// Lower case, without the trailing dot.
std::string normalize_hostname(std::string_view text);

/// `name` against a certificate name: equal without regard to case, or `*.` for exactly one
/// left-most label over a parent that itself has a dot.
bool matches_certificate_name(std::string_view pattern, std::string_view name);

}  // namespace portunus::net
