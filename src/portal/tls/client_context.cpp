#include <openssl/x509v3.h>

#include <array>
#include <cstdint>
#include <span>
#include <utility>

#include "common/base/hex.hpp"
#include "common/net/endpoint.hpp"
#include "portal/tls/context_rules.hpp"
#include "portal/tls/errc.hpp"
#include "portal/tls/openssl_ptr.hpp"
#include "portal/tls/tls_context.hpp"

namespace portunus::portal::tls {
namespace {

/// Decides by the leaf alone; the library still checks that the peer has its key.
int check_pin(X509_STORE_CTX* presented, void* settings) {
  const auto& trust = static_cast<const ClientTlsSettings*>(settings)->trust;
  if (trust.kind == ClientTrust::Kind::anything) return 1;
  const X509* leaf = X509_STORE_CTX_get0_cert(presented);
  std::array<std::uint8_t, EVP_MAX_MD_SIZE> hash;
  unsigned size = 0;
  if (leaf != nullptr && X509_digest(leaf, EVP_sha256(), hash.data(), &size) == 1 &&
      hex_encode(std::span(hash).first(size)) == trust.pin) {
    X509_STORE_CTX_set_error(presented, X509_V_OK);
    return 1;
  }
  X509_STORE_CTX_set_error(presented, X509_V_ERR_CERT_REJECTED);
  return 0;
}

}  // namespace

ClientContext::~ClientContext() {
  SSL_CTX_free(context_);
}

Result<std::unique_ptr<ClientContext>> ClientContext::create(ClientTlsSettings settings) {
  std::unique_ptr<ClientContext> self(new ClientContext(std::move(settings)));
  const Result<> ready = self->set_up();
  if (!ready) return fail(ready.error());
  return self;
}

Result<> ClientContext::set_up() {
  ERR_clear_error();
  ContextPtr context(SSL_CTX_new(TLS_client_method()));
  const std::string list = alpn_list(settings_.alpn);
  const auto* bytes = reinterpret_cast<const unsigned char*>(list.data());
  if (!context || !apply_rules(context.get()) ||
      SSL_CTX_set_alpn_protos(context.get(), bytes, static_cast<unsigned>(list.size())) != 0) {
    return fail(Error(Errc::context_failed, last_library_error()));
  }
  SSL_CTX_set_verify(context.get(), SSL_VERIFY_PEER, nullptr);
  if (settings_.trust.kind != ClientTrust::Kind::system) {
    auto* self = const_cast<ClientTlsSettings*>(&settings_);  // NOLINT: the library's signature
    SSL_CTX_set_cert_verify_callback(context.get(), check_pin, self);
  } else {
    const std::string& roots = settings_.trust.roots_path;
    const int loaded = roots.empty() ? SSL_CTX_set_default_verify_paths(context.get())
                                     : SSL_CTX_load_verify_file(context.get(), roots.c_str());
    if (loaded != 1) return fail(Error(Errc::context_failed, last_library_error()));
  }
  context_ = context.release();
  return {};
}

ssl_st* ClientContext::new_connection() {
  SslPtr connection(SSL_new(context_));
  if (!connection) return nullptr;
  SSL_set_connect_state(connection.get());
  const std::string& name = settings_.trust.name;
  if (settings_.trust.kind == ClientTrust::Kind::system) {
    const bool literal = net::IpAddress::parse(name).has_value();
    X509_VERIFY_PARAM* parameters = SSL_get0_param(connection.get());
    const int set = literal ? X509_VERIFY_PARAM_set1_ip_asc(parameters, name.c_str())
                            : SSL_set1_host(connection.get(), name.c_str());
    if (name.empty() || set != 1) return nullptr;
  }
  if (!settings_.server_name.empty() &&
      SSL_set_tlsext_host_name(connection.get(), settings_.server_name.c_str()) != 1) {
    return nullptr;
  }
  return connection.release();
}

}  // namespace portunus::portal::tls
