#pragma once

#include <memory>
#include <string>

#include "common/base/result.hpp"
#include "portal/credentials/credential_store.hpp"

// OpenSSL's own types, so that its headers stay inside this library.
struct ssl_ctx_st;
struct ssl_st;

namespace portunus::portal::tls {

/// The Portal's side of TLS/TCP (portal 8): version 1.3 alone, the three groups, one ALPN value, no
/// client certificates, no early data, no tickets. Builds the library's object once per generation
/// of the credentials and gives it to each connection when its ClientHello is there. One per core;
/// outlives its connections.
class ServerContext {
 public:
  static Result<std::unique_ptr<ServerContext>> create(credentials::CredentialStore& store,
                                                       std::string alpn);
  /// Whether the library takes the pair, which it may not for the size of its key.
  static Result<> check(const credentials::Pair& pair);
  ~ServerContext();
  ServerContext(const ServerContext&) = delete;
  ServerContext& operator=(const ServerContext&) = delete;

  /// For a new connection; null without memory. The caller owns it.
  ssl_st* new_connection();

 private:
  ServerContext(credentials::CredentialStore& store, std::string alpn);
  Result<ssl_ctx_st*> build(const credentials::Pair& pair);
  static int on_client_hello(ssl_st* connection, int* alert, void* self);
  static int on_alpn(ssl_st* connection, const unsigned char** out, unsigned char* out_size,
                     const unsigned char* in, unsigned in_size, void* self);
  void renew();

  credentials::CredentialStore& store_;
  /// In the wire's form: a length and the value.
  const std::string alpn_;
  ssl_ctx_st* context_ = nullptr;
  std::uint64_t generation_ = 0;
};

/// Whom a client believes (portal 18).
struct ClientTrust {
  enum class Kind {
    system,    ///< the platform's roots, and `name` must be the certificate's
    pin,       ///< exactly the leaf with this SHA-256; chain, names and dates are not looked at
    anything,  ///< the explicit opt-in: whoever holds the key of what he presents
  } kind = Kind::system;
  /// 64 lower-case hex digits.
  std::string pin = {};
  /// A host name or an address literal.
  std::string name = {};
  /// Roots in place of the platform's; empty = those.
  std::string roots_path = {};
};

struct ClientTlsSettings {
  /// Exactly this is offered, and the server must select it.
  std::string alpn = "now/1";
  ClientTrust trust = {};
  /// Sent when not empty; means nothing to the Portal. Never an address literal.
  std::string server_name = {};
};

/// The client's side. Immutable after creation; one thread at a time. Outlives its connections.
class ClientContext {
 public:
  static Result<std::unique_ptr<ClientContext>> create(ClientTlsSettings settings);
  ~ClientContext();
  ClientContext(const ClientContext&) = delete;
  ClientContext& operator=(const ClientContext&) = delete;

  ssl_st* new_connection();
  const ClientTlsSettings& settings() const { return settings_; }

 private:
  explicit ClientContext(ClientTlsSettings settings) : settings_(std::move(settings)) {}
  Result<> set_up();

  const ClientTlsSettings settings_;
  ssl_ctx_st* context_ = nullptr;
};

}  // namespace portunus::portal::tls
