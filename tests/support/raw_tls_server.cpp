#include "tests/support/raw_tls_server.hpp"

#include <arpa/inet.h>
#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <sys/socket.h>

#include <csignal>
#include <cstring>
#include <memory>
#include <utility>

#pragma clang diagnostic ignored "-Wdeprecated-declarations"  // EC_KEY alone can hold a forged key

namespace portunus::test {
namespace {

template <auto Free>
struct Deleter {
  template <class T>
  void operator()(T* p) const {
    Free(p);
  }
};
using Context = std::unique_ptr<SSL_CTX, Deleter<SSL_CTX_free>>;
using Connection = std::unique_ptr<SSL, Deleter<SSL_free>>;
using Key = std::unique_ptr<EVP_PKEY, Deleter<EVP_PKEY_free>>;
using Bio = std::unique_ptr<BIO, Deleter<BIO_free_all>>;

Bio bio(const std::string& text) {
  return Bio(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
}

/// The public half of the pair's key with a private half of its own.
Key forge(EVP_PKEY* genuine) {
  EC_KEY* forged = EC_KEY_dup(EVP_PKEY_get0_EC_KEY(genuine));
  BIGNUM* scalar = BN_new();
  BN_set_word(scalar, 12345);
  EC_KEY_set_private_key(forged, scalar);
  BN_free(scalar);
  Key out(EVP_PKEY_new());
  EVP_PKEY_assign_EC_KEY(out.get(), forged);
  return out;
}

int choose_h2(SSL*, const unsigned char** out, unsigned char* length, const unsigned char* in,
              unsigned in_length, void*) {
  for (unsigned i = 0; i + 1 < in_length; i += in[i] + 1U) {
    if (in[i] == 2 && std::memcmp(in + i + 1, "h2", 2) == 0) {
      *out = in + i + 1;
      *length = 2;
      return SSL_TLSEXT_ERR_OK;
    }
  }
  return SSL_TLSEXT_ERR_ALERT_FATAL;
}

Context make_context(const RawTlsServer::Options& options) {
  Context context(SSL_CTX_new(TLS_server_method()));
  if (options.tls12_only) SSL_CTX_set_max_proto_version(context.get(), TLS1_2_VERSION);
  X509* certificate =
      PEM_read_bio_X509(bio(options.pair.certificate_pem).get(), nullptr, nullptr, nullptr);
  Key key(PEM_read_bio_PrivateKey(bio(options.pair.key_pem).get(), nullptr, nullptr, nullptr));
  SSL_CTX_use_certificate(context.get(), certificate);
  X509_free(certificate);
  if (options.forged_key) key = forge(key.get());
  SSL_CTX_use_PrivateKey(context.get(), key.get());
  if (options.select_h2) SSL_CTX_set_alpn_select_cb(context.get(), choose_h2, nullptr);
  return context;
}

}  // namespace

RawTlsServer::RawTlsServer(Options options) : options_(std::move(options)) {
  std::signal(SIGPIPE, SIG_IGN);  // OpenSSL writes to peers that are gone
  listener_.reset(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  ::bind(listener_.get(), reinterpret_cast<sockaddr*>(&address), sizeof address);
  ::listen(listener_.get(), 16);
  socklen_t length = sizeof address;
  ::getsockname(listener_.get(), reinterpret_cast<sockaddr*>(&address), &length);
  port_ = ntohs(address.sin_port);
  thread_ = std::thread([this] { run(); });
}

RawTlsServer::~RawTlsServer() {
  stopping_ = true;
  ::shutdown(listener_.get(), SHUT_RDWR);
  if (const int socket = current_; socket >= 0) ::shutdown(socket, SHUT_RDWR);
  thread_.join();
}

std::string RawTlsServer::received() const {
  const std::lock_guard lock(mutex_);
  return received_;
}

std::string RawTlsServer::server_name() const {
  const std::lock_guard lock(mutex_);
  return server_name_;
}

void RawTlsServer::run() {
  while (!stopping_) {
    const net::UniqueFd socket(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
    if (!socket) return;
    current_ = socket.get();
    ++connections_;
    serve(socket.get());
    current_ = -1;
    ++finished_;
  }
}

void RawTlsServer::serve(int socket) {
  char buffer[4096];
  if (options_.mute) {
    while (::read(socket, buffer, sizeof buffer) > 0) {
    }
    return;
  }
  const Context context = make_context(options_);
  const Connection connection(SSL_new(context.get()));
  SSL_set_fd(connection.get(), socket);
  const bool shaken = SSL_accept(connection.get()) == 1;
  {
    const std::lock_guard lock(mutex_);
    const char* name = SSL_get_servername(connection.get(), TLSEXT_NAMETYPE_host_name);
    server_name_ = name == nullptr ? "" : name;
  }
  if (!shaken) return;
  ++handshakes_;
  for (;;) {
    const int n = SSL_read(connection.get(), buffer, sizeof buffer);
    if (n <= 0) return;
    const std::lock_guard lock(mutex_);
    received_.append(buffer, static_cast<std::size_t>(n));
  }
}

}  // namespace portunus::test
