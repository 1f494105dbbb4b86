#include <cstring>
#include <utility>

#include "portal/tls/context_rules.hpp"
#include "portal/tls/errc.hpp"
#include "portal/tls/openssl_ptr.hpp"
#include "portal/tls/tls_context.hpp"

namespace portunus::portal::tls {
namespace {

/// The pair was read and matched before; the library may still dislike it, such as for its size.
bool use_pair(SSL_CTX* context, const credentials::Pair& pair) {
  const BioPtr certificates(BIO_new_mem_buf(pair.certificates_pem.data(),
                                            static_cast<int>(pair.certificates_pem.size())));
  const X509Ptr leaf(PEM_read_bio_X509(certificates.get(), nullptr, nullptr, nullptr));
  if (!leaf || SSL_CTX_use_certificate(context, leaf.get()) != 1) return false;
  while (X509Ptr next{PEM_read_bio_X509(certificates.get(), nullptr, nullptr, nullptr)}) {
    if (SSL_CTX_add1_chain_cert(context, next.get()) != 1) return false;
  }
  ERR_clear_error();  // the end of the text is an error to the library
  const BioPtr text(BIO_new_mem_buf(pair.key_pem.data(), static_cast<int>(pair.key_pem.size())));
  const KeyPtr key(PEM_read_bio_PrivateKey(text.get(), nullptr, nullptr, nullptr));
  return key && SSL_CTX_use_PrivateKey(context, key.get()) == 1 &&
         SSL_CTX_check_private_key(context) == 1;
}

Result<ContextPtr> make_context(const credentials::Pair& pair) {
  ERR_clear_error();
  ContextPtr context(SSL_CTX_new(TLS_server_method()));
  if (!context || !apply_rules(context.get()) || !use_pair(context.get(), pair)) {
    return fail(Error(Errc::context_failed, last_library_error()));
  }
  return context;
}

}  // namespace

ServerContext::ServerContext(credentials::CredentialStore& store, std::string alpn)
    : store_(store), alpn_(alpn_list(alpn)) {}

ServerContext::~ServerContext() {
  SSL_CTX_free(context_);
}

Result<std::unique_ptr<ServerContext>> ServerContext::create(credentials::CredentialStore& store,
                                                             std::string alpn) {
  std::unique_ptr<ServerContext> self(new ServerContext(store, std::move(alpn)));
  const auto pair = store.current();
  Result<ssl_ctx_st*> built = self->build(*pair);
  if (!built) return fail(built.error());
  self->context_ = *built;
  self->generation_ = pair->generation;
  return self;
}

Result<> ServerContext::check(const credentials::Pair& pair) {
  const Result<ContextPtr> made = make_context(pair);
  if (!made) return fail(made.error());
  return {};
}

Result<ssl_ctx_st*> ServerContext::build(const credentials::Pair& pair) {
  Result<ContextPtr> made = make_context(pair);
  if (!made) return fail(made.error());
  SSL_CTX* context = made->release();
  SSL_CTX_set_verify(context, SSL_VERIFY_NONE, nullptr);
  SSL_CTX_set_client_hello_cb(context, on_client_hello, this);
  SSL_CTX_set_alpn_select_cb(context, on_alpn, this);
  return context;
}

ssl_st* ServerContext::new_connection() {
  SslPtr connection(SSL_new(context_));
  if (connection) SSL_set_accept_state(connection.get());
  return connection.release();
}

int ServerContext::on_client_hello(ssl_st* connection, int*, void* self) {
  auto& me = *static_cast<ServerContext*>(self);
  me.store_.on_client_hello(std::chrono::steady_clock::now());
  if (me.store_.generation() != me.generation_) me.renew();
  // The connection was made before its hello came, perhaps from an older pair.
  if (SSL_get_SSL_CTX(connection) != me.context_) SSL_set_SSL_CTX(connection, me.context_);
  return SSL_CLIENT_HELLO_SUCCESS;
}

void ServerContext::renew() {
  const auto pair = store_.current();
  // The store had it checked, so what is left to fail is memory. Whatever comes of it, it is not
  // tried again for this pair.
  generation_ = pair->generation;
  Result<ssl_ctx_st*> built = build(*pair);
  if (!built) return;
  SSL_CTX_free(std::exchange(context_, *built));
}

int ServerContext::on_alpn(ssl_st*, const unsigned char** out, unsigned char* out_size,
                           const unsigned char* in, unsigned in_size, void* self) {
  const std::string& wanted = static_cast<ServerContext*>(self)->alpn_;
  for (unsigned at = 0; at < in_size;) {
    const unsigned size = 1U + in[at];
    if (size > in_size - at) break;
    if (size == wanted.size() && std::memcmp(in + at, wanted.data(), size) == 0) {
      *out = in + at + 1;
      *out_size = in[at];
      return SSL_TLSEXT_ERR_OK;
    }
    at += size;
  }
  return SSL_TLSEXT_ERR_ALERT_FATAL;
}

}  // namespace portunus::portal::tls
