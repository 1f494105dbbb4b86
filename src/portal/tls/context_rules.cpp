#include "portal/tls/context_rules.hpp"

#include "portal/tls/openssl_ptr.hpp"

namespace portunus::portal::tls {
namespace {

/// Four full records: one receive feeds several decryptions. Freed whenever it runs empty.
constexpr std::size_t kReadAhead = std::size_t{66} << 10;

}  // namespace

bool apply_rules(ssl_ctx_st* context) {
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_options(context, SSL_OP_NO_TICKET | SSL_OP_NO_RENEGOTIATION);
  SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS);
  SSL_CTX_set_read_ahead(context, 1);
  SSL_CTX_set_default_read_buffer_len(context, kReadAhead);
  return SSL_CTX_set_min_proto_version(context, TLS1_3_VERSION) == 1 &&
         SSL_CTX_set_max_proto_version(context, TLS1_3_VERSION) == 1 &&
         SSL_CTX_set_ciphersuites(context,
                                  "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:"
                                  "TLS_CHACHA20_POLY1305_SHA256") == 1 &&
         SSL_CTX_set1_groups_list(context, "X25519:P-256:P-384") == 1 &&
         SSL_CTX_set_num_tickets(context, 0) == 1;
}

std::string alpn_list(std::string_view value) {
  std::string list(1, static_cast<char>(value.size()));
  return list.append(value);
}

}  // namespace portunus::portal::tls
