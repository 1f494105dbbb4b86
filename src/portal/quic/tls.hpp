#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "common/base/result.hpp"

namespace portunus::portal::quic {

class Credentials;  // of the TLS library; quic_tls_gnutls.cpp alone knows it

/// The server's certificate and key as the TLS library holds them: one object per generation of the
/// pair, shared by the connections that began with it. Immutable; any thread.
class ServerTls {
 public:
  /// PEM: the chain with the leaf first, and its key. Errc::bad_certificate.
  static Result<std::shared_ptr<const ServerTls>> from_pem(std::string_view chain,
                                                           std::string_view key);
  explicit ServerTls(std::unique_ptr<Credentials> credentials);
  ~ServerTls();
  const Credentials& credentials() const { return *credentials_; }

 private:
  std::unique_ptr<Credentials> credentials_;
};

/// Whether the TLS library negotiates it: an ALPN name above 31 bytes it does not.
Result<> check_alpn(const std::string& alpn);

/// Whom a client believes (portal section 18).
struct Trust {
  enum class Kind {
    anybody,  ///< explicit opt-in: no check at all
    pin,      ///< the SHA-256 of the leaf decides, and nothing else
    system,   ///< the platform's roots, and the name
  };
  Kind kind = Kind::system;
  /// 64 lower-case hex digits.
  std::string pin = {};
  /// Roots in place of the platform's; empty = those.
  std::string roots_path = {};
};

/// A client's side of TLS: whom to believe. Immutable; any thread.
class ClientTls {
 public:
  static Result<std::shared_ptr<const ClientTls>> make(Trust trust);
  ClientTls(std::unique_ptr<Credentials> credentials, Trust trust);
  ~ClientTls();
  const Credentials& credentials() const { return *credentials_; }
  const Trust& trust() const { return trust_; }

 private:
  std::unique_ptr<Credentials> credentials_;
  Trust trust_;
};

}  // namespace portunus::portal::quic
