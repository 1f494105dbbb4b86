#include "common/crypto/pinned_tls.hpp"

#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <algorithm>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

#include "common/base/hex.hpp"

namespace portunus::crypto {
namespace {

constexpr unsigned char kAlpn[] = {2, 'h', '2'};

struct ContextDeleter {
  void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
};

/// Hash of a certificate's DER, empty when the library fails.
std::string fingerprint(const X509* certificate) {
  std::uint8_t hash[EVP_MAX_MD_SIZE];
  unsigned length = 0;
  if (certificate == nullptr || X509_digest(certificate, EVP_sha256(), hash, &length) != 1) {
    return {};
  }
  return hex_encode(std::span(hash, length));
}

}  // namespace

int PinnedTls::verify(void* store_context, void* self) {
  auto* store = static_cast<X509_STORE_CTX*>(store_context);
  auto& pinned = *static_cast<PinnedTls*>(self);
  pinned.presented_ = fingerprint(X509_STORE_CTX_get0_cert(store));
  if (pinned.matched()) {
    X509_STORE_CTX_set_error(store, X509_V_OK);
    return 1;
  }
  X509_STORE_CTX_set_error(store, X509_V_ERR_CERT_REJECTED);
  return 0;
}

ssl_ctx_st* PinnedTls::new_context() {
  std::unique_ptr<SSL_CTX, ContextDeleter> context(SSL_CTX_new(TLS_client_method()));
  if (!context || SSL_CTX_set_min_proto_version(context.get(), TLS1_2_VERSION) != 1 ||
      SSL_CTX_set_alpn_protos(context.get(), kAlpn, sizeof kAlpn) != 0) {
    return nullptr;
  }
  SSL_CTX_set_session_cache_mode(context.get(), SSL_SESS_CACHE_OFF);
  SSL_CTX_set_options(context.get(), SSL_OP_NO_TICKET | SSL_OP_NO_RENEGOTIATION);
  SSL_CTX_set_verify(context.get(), SSL_VERIFY_PEER, nullptr);
  SSL_CTX_set_cert_verify_callback(
      context.get(), [](X509_STORE_CTX* store, void* self) { return verify(store, self); }, this);
  return context.release();
}

bool PinnedTls::set_server_name(ssl_st* connection, const std::string& name) {
  return SSL_set_tlsext_host_name(connection, name.c_str()) == 1;
}

bool PinnedTls::selected_http2(ssl_st* connection) {
  const unsigned char* name = nullptr;
  unsigned length = 0;
  SSL_get0_alpn_selected(connection, &name, &length);
  return std::ranges::equal(std::span(name, length), std::string_view("h2"));
}

}  // namespace portunus::crypto
