#pragma once

#include <string>

// OpenSSL's own types, so that its headers stay inside this library.
struct ssl_ctx_st;
struct ssl_st;

namespace portunus::crypto {

/// The client side of one TLS handshake that trusts exactly one certificate (control-wire 1.1): the
/// SHA-256 of the first certificate the server presents decides, during the handshake, so that a
/// stranger never completes one. The signature of the handshake is still verified with that
/// certificate's key; chain, names and dates are not looked at, and no root store is loaded.
/// Must outlive every context made from it. One thread.
class PinnedTls {
 public:
  /// `pin`: 64 lower-case hex digits.
  explicit PinnedTls(std::string pin) : pin_(std::move(pin)) {}
  PinnedTls(const PinnedTls&) = delete;
  PinnedTls& operator=(const PinnedTls&) = delete;

  /// TLS 1.2 and 1.3, ALPN `h2`, no resumption. The caller owns the result; null when the library
  /// has no memory.
  ssl_ctx_st* new_context();

  /// The hash of what the server presented, empty before; and whether it is the pin.
  const std::string& presented() const { return presented_; }
  bool matched() const { return presented_ == pin_; }

  /// The SNI of a connection before its handshake.
  static bool set_server_name(ssl_st* connection, const std::string& name);
  /// Whether the server selected HTTP/2.
  static bool selected_http2(ssl_st* connection);

 private:
  static int verify(void* store_context, void* self);

  std::string pin_;
  std::string presented_;
};

}  // namespace portunus::crypto
