#include "tests/portal/support/tls_client.hpp"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>

#include <cerrno>
#include <csignal>

namespace portunus::test {

struct TlsClient::State {
  Socket socket;
  SSL_CTX* context = nullptr;
  SSL* ssl = nullptr;
  End end = End::open;
  int alert = -1;

  ~State() {
    SSL_free(ssl);
    SSL_CTX_free(context);
  }
  void note(int result) {
    const int error = SSL_get_error(ssl, result);
    if (error == SSL_ERROR_ZERO_RETURN) {
      end = End::close_notify;
    } else if (alert >= 0) {
      end = End::alert;
    } else if (error == SSL_ERROR_SYSCALL && errno != 0) {
      end = End::reset;
    } else {
      end = End::eof;
    }
    ERR_clear_error();
  }
};

TlsClient::TlsClient(std::uint16_t port) : TlsClient(port, Options{}) {}

TlsClient::TlsClient(std::uint16_t port, const Options& options)
    : state_(std::make_unique<State>()) {
  std::signal(SIGPIPE, SIG_IGN);
  State& s = *state_;
  s.socket = Socket::connect_v4(port);
  s.context = SSL_CTX_new(TLS_client_method());
  SSL_CTX_set_verify(s.context, SSL_VERIFY_NONE, nullptr);
  if (options.tls12_only) SSL_CTX_set_max_proto_version(s.context, TLS1_2_VERSION);
  if (!options.groups.empty()) SSL_CTX_set1_groups_list(s.context, options.groups.c_str());
  s.ssl = SSL_new(s.context);
  if (options.alpn) {
    std::string list;
    for (const std::string& value : *options.alpn) {
      list += static_cast<char>(value.size());
      list += value;
    }
    SSL_set_alpn_protos(s.ssl, reinterpret_cast<const unsigned char*>(list.data()),
                        static_cast<unsigned>(list.size()));
  }
  SSL_set_app_data(s.ssl, &s);
  SSL_set_info_callback(s.ssl, [](const SSL* ssl, int where, int value) {
    if ((where & SSL_CB_READ_ALERT) != SSL_CB_READ_ALERT || (value & 0xff) == 0) return;
    static_cast<State*>(SSL_get_app_data(ssl))->alert = value & 0xff;
  });
  SSL_set_fd(s.ssl, s.socket.fd());
}

TlsClient::~TlsClient() = default;
TlsClient::TlsClient(TlsClient&&) noexcept = default;
TlsClient& TlsClient::operator=(TlsClient&&) noexcept = default;

bool TlsClient::handshake() {
  errno = 0;
  const int result = SSL_connect(state_->ssl);
  if (result != 1) state_->note(result);
  return result == 1;
}

bool TlsClient::send(const std::string& text) {
  errno = 0;
  return SSL_write(state_->ssl, text.data(), static_cast<int>(text.size())) ==
         static_cast<int>(text.size());
}

std::string TlsClient::receive(std::size_t size) {
  std::string out(size, '\0');
  std::size_t done = 0;
  while (done < size) {
    errno = 0;
    const int n = SSL_read(state_->ssl, out.data() + done, static_cast<int>(size - done));
    if (n <= 0) {
      state_->note(n);
      break;
    }
    done += static_cast<std::size_t>(n);
  }
  out.resize(done);
  return out;
}

std::string TlsClient::receive_all() {
  std::string out;
  while (state_->end == End::open) out += receive(1 << 16);
  return out;
}

TlsClient::End TlsClient::end() const {
  return state_->end;
}

int TlsClient::alert() const {
  return state_->alert;
}

std::string TlsClient::certificate() const {
  X509* leaf = SSL_get1_peer_certificate(state_->ssl);
  BIO* out = BIO_new(BIO_s_mem());
  PEM_write_bio_X509(out, leaf);
  char* data = nullptr;
  const long size = BIO_get_mem_data(out, &data);
  std::string pem(data, static_cast<std::size_t>(size));
  BIO_free(out);
  X509_free(leaf);
  return pem;
}

void TlsClient::send_close_notify() {
  SSL_shutdown(state_->ssl);
}

void TlsClient::half_close() {
  send_close_notify();
  state_->socket.half_close();
}

Socket& TlsClient::socket() {
  return state_->socket;
}

}  // namespace portunus::test
