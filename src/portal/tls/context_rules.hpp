#pragma once

#include <string>
#include <string_view>

struct ssl_ctx_st;

namespace portunus::portal::tls {

/// What both roles share (portal 8): TLS 1.3 alone, its three AEAD suites, X25519, P-256 and P-384,
/// no resumption; idle connections without record buffers, several records per read of the socket.
/// False when the library refuses.
bool apply_rules(ssl_ctx_st* context);

/// An ALPN list of one value in the wire's form. `value` has 1..255 bytes.
std::string alpn_list(std::string_view value);

}  // namespace portunus::portal::tls
