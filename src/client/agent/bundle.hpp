#pragma once

#include <string>
#include <string_view>

#include "client/agent/server_address.hpp"
#include "common/base/result.hpp"
#include "common/base/secret.hpp"

namespace portunus::client::agent {

/// The credentials of one client, checked (control-wire section 11).
struct Bundle {
  std::string client_name;
  /// ULID; empty when the server has none.
  std::string client_id;
  ServerAddress server;
  /// SHA-256 of the server certificate, 64 lower-case hex digits.
  std::string pin;
  /// Empty when not delivered; otherwise it hashes to the pin.
  std::string certificate_pem;
  Secret token;
};

/// Non-blank, at most 255 bytes, no control characters: what any server may send as a name.
bool is_acceptable_client_name(std::string_view name);
/// 64 hex digits of either case, lowered; empty when it is none.
std::string parse_pin(std::string_view text);
/// What may stand in a header: 1..4096 characters of ' '..'~'.
bool is_acceptable_token(std::string_view token);

/// Why a bundle is refused. `got` is the hash of its certificate when that is not the pin
/// `expected` (control.tls_pinned_mismatch).
struct BundleRefusal {
  Error error;
  std::string expected;
  std::string got;
};

std::expected<Bundle, BundleRefusal> parse_bundle(std::string_view json);

/// The file's text: members of section 11, absent ones left out, newline at the end.
std::string bundle_text(const Bundle& bundle);

}  // namespace portunus::client::agent
