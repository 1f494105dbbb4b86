// The one file that knows GnuTLS.
#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>
#include <gnutls/x509.h>
#include <ngtcp2/ngtcp2.h>
#include <ngtcp2/ngtcp2_crypto.h>
#include <ngtcp2/ngtcp2_crypto_gnutls.h>

#include <array>
#include <utility>

#include "common/base/hex.hpp"
#include "common/net/endpoint.hpp"
#include "portal/quic/errc.hpp"
#include "portal/quic/quic_tls.hpp"

namespace portunus::portal::quic {

class Credentials {
 public:
  Credentials() { gnutls_certificate_allocate_credentials(&handle_); }
  ~Credentials() {
    if (handle_ != nullptr) gnutls_certificate_free_credentials(handle_);
  }
  Credentials(const Credentials&) = delete;
  Credentials& operator=(const Credentials&) = delete;
  gnutls_certificate_credentials_t handle() const { return handle_; }

 private:
  gnutls_certificate_credentials_t handle_ = nullptr;
};

namespace {

/// TLS 1.3 alone, its three standard AEAD suites, X25519, P-256 and P-384 (portal section 8).
constexpr const char* kPriority =
    "%DISABLE_TLS13_COMPAT_MODE:NORMAL:-VERS-ALL:+VERS-TLS1.3:-CIPHER-ALL:+AES-128-GCM:"
    "+AES-256-GCM:+CHACHA20-POLY1305:-GROUP-ALL:+GROUP-X25519:+GROUP-SECP256R1:+GROUP-SECP384R1";

Error tls_error(Errc errc, int code) {
  return {errc, gnutls_strerror(code)};
}

gnutls_datum_t datum(std::string_view text) {
  return {reinterpret_cast<unsigned char*>(const_cast<char*>(text.data())),
          static_cast<unsigned>(text.size())};
}

class GnutlsSession final : public TlsSession {
 public:
  GnutlsSession(std::shared_ptr<const ServerTls> server, std::shared_ptr<const ClientTls> client)
      : server_(std::move(server)), client_(std::move(client)) {
    reference_.get_conn = [](ngtcp2_crypto_conn_ref* reference) {
      return static_cast<GnutlsSession*>(reference->user_data)->conn_;
    };
    reference_.user_data = this;
  }
  ~GnutlsSession() override {
    if (session_ != nullptr) gnutls_deinit(session_);
  }
  GnutlsSession(const GnutlsSession&) = delete;
  GnutlsSession& operator=(const GnutlsSession&) = delete;

  void attach(ngtcp2_conn* conn) override {
    conn_ = conn;
    ngtcp2_conn_set_tls_native_handle(conn, session_);
  }

  Result<> open_server(const std::string& alpn) {
    if (auto begun = begin(GNUTLS_SERVER | GNUTLS_NO_AUTO_SEND_TICKET,
                           server_->credentials().handle(), alpn);
        !begun) {
      return begun;
    }
    gnutls_certificate_server_set_request(session_, GNUTLS_CERT_IGNORE);
    gnutls_handshake_set_hook_function(session_, GNUTLS_HANDSHAKE_CLIENT_HELLO, GNUTLS_HOOK_POST,
                                       require_alpn);
    if (ngtcp2_crypto_gnutls_configure_server_session(session_) != 0) {
      return fail(Errc::out_of_memory);
    }
    return {};
  }

  Result<> open_client(const std::string& alpn, const std::string& name) {
    if (auto begun = begin(GNUTLS_CLIENT, client_->credentials().handle(), alpn); !begun) {
      return begun;
    }
    // The hook of the message that carries it comes before it has been taken apart.
    gnutls_handshake_set_hook_function(session_, GNUTLS_HANDSHAKE_FINISHED, GNUTLS_HOOK_POST,
                                       require_alpn);
    const bool literal = net::IpAddress::parse(name).has_value();
    if (!name.empty() && !literal) {
      gnutls_server_name_set(session_, GNUTLS_NAME_DNS, name.data(), name.size());
    }
    switch (client_->trust().kind) {
      case Trust::Kind::anybody:
        break;
      case Trust::Kind::pin:
        gnutls_session_set_verify_function(session_, verify_pin);
        break;
      case Trust::Kind::system:
        name_ = name;
        gnutls_session_set_verify_cert(session_, name_.c_str(), 0);
        break;
    }
    if (ngtcp2_crypto_gnutls_configure_client_session(session_) != 0) {
      return fail(Errc::out_of_memory);
    }
    return {};
  }

 private:
  Result<> begin(unsigned flags, gnutls_certificate_credentials_t credentials,
                 const std::string& alpn) {
    if (const int rv = gnutls_init(&session_, flags); rv != 0) {
      session_ = nullptr;
      return fail(tls_error(Errc::out_of_memory, rv));
    }
    if (const int rv = gnutls_priority_set_direct(session_, kPriority, nullptr); rv != 0) {
      return fail(tls_error(Errc::handshake_failed, rv));
    }
    gnutls_session_set_ptr(session_, &reference_);
    gnutls_credentials_set(session_, GNUTLS_CRD_CERTIFICATE, credentials);
    const gnutls_datum_t protocol = datum(alpn);
    if (const int rv = gnutls_alpn_set_protocols(session_, &protocol, 1, GNUTLS_ALPN_MANDATORY);
        rv != 0) {
      return fail(tls_error(Errc::handshake_failed, rv));
    }
    return {};
  }

  /// A peer without the ALPN extension fails like one with another value (portal section 8).
  static int require_alpn(gnutls_session_t session, unsigned, unsigned, unsigned,
                          const gnutls_datum_t*) {
    gnutls_datum_t selected{};
    return gnutls_alpn_get_selected_protocol(session, &selected) == 0
               ? 0
               : GNUTLS_E_NO_APPLICATION_PROTOCOL;
  }

  static int verify_pin(gnutls_session_t session) {
    const auto* reference =
        static_cast<const ngtcp2_crypto_conn_ref*>(gnutls_session_get_ptr(session));
    const auto* self = static_cast<const GnutlsSession*>(reference->user_data);
    unsigned count = 0;
    const gnutls_datum_t* peers = gnutls_certificate_get_peers(session, &count);
    if (peers == nullptr || count == 0) return GNUTLS_E_CERTIFICATE_ERROR;
    std::array<std::uint8_t, 32> hash{};
    std::size_t size = hash.size();
    if (gnutls_fingerprint(GNUTLS_DIG_SHA256, &peers[0], hash.data(), &size) != 0) {
      return GNUTLS_E_CERTIFICATE_ERROR;
    }
    return hex_encode(hash) == self->client_->trust().pin ? 0 : GNUTLS_E_CERTIFICATE_ERROR;
  }

  std::shared_ptr<const ServerTls> server_;
  std::shared_ptr<const ClientTls> client_;
  std::string name_;
  gnutls_session_t session_ = nullptr;
  ngtcp2_conn* conn_ = nullptr;
  ngtcp2_crypto_conn_ref reference_{};
};

}  // namespace

Result<std::shared_ptr<const ServerTls>> ServerTls::from_pem(std::string_view chain,
                                                             std::string_view key) {
  auto credentials = std::make_unique<Credentials>();
  if (credentials->handle() == nullptr) return fail(Errc::out_of_memory);
  const gnutls_datum_t chain_pem = datum(chain);
  const gnutls_datum_t key_pem = datum(key);
  const int rv = gnutls_certificate_set_x509_key_mem(credentials->handle(), &chain_pem, &key_pem,
                                                     GNUTLS_X509_FMT_PEM);
  if (rv < 0) return fail(tls_error(Errc::bad_certificate, rv));
  return std::make_shared<const ServerTls>(std::move(credentials));
}

Result<> check_alpn(const std::string& alpn) {
  gnutls_session_t session = nullptr;
  int rv = gnutls_init(&session, GNUTLS_SERVER);
  if (rv != 0) return fail(tls_error(Errc::out_of_memory, rv));
  const gnutls_datum_t protocol = datum(alpn);
  rv = gnutls_alpn_set_protocols(session, &protocol, 1, GNUTLS_ALPN_MANDATORY);
  gnutls_deinit(session);
  if (rv != 0) return fail(tls_error(Errc::handshake_failed, rv));
  return {};
}

ServerTls::ServerTls(std::unique_ptr<Credentials> credentials)
    : credentials_(std::move(credentials)) {}
ServerTls::~ServerTls() = default;

Result<std::shared_ptr<const ClientTls>> ClientTls::make(Trust trust) {
  auto credentials = std::make_unique<Credentials>();
  if (credentials->handle() == nullptr) return fail(Errc::out_of_memory);
  if (trust.kind == Trust::Kind::system) {
    const int rv = trust.roots_path.empty()
                       ? gnutls_certificate_set_x509_system_trust(credentials->handle())
                       : gnutls_certificate_set_x509_trust_file(
                             credentials->handle(), trust.roots_path.c_str(), GNUTLS_X509_FMT_PEM);
    if (rv < 0) return fail(tls_error(Errc::bad_certificate, rv));
  }
  return std::make_shared<const ClientTls>(std::move(credentials), std::move(trust));
}

ClientTls::ClientTls(std::unique_ptr<Credentials> credentials, Trust trust)
    : credentials_(std::move(credentials)), trust_(std::move(trust)) {}
ClientTls::~ClientTls() = default;

Result<std::unique_ptr<TlsSession>> TlsSession::server(std::shared_ptr<const ServerTls> tls,
                                                       const std::string& alpn) {
  auto session = std::make_unique<GnutlsSession>(std::move(tls), nullptr);
  if (auto opened = session->open_server(alpn); !opened) {
    return std::unexpected(opened.error());
  }
  return session;
}

Result<std::unique_ptr<TlsSession>> TlsSession::client(std::shared_ptr<const ClientTls> tls,
                                                       const std::string& alpn,
                                                       const std::string& server_name) {
  auto session = std::make_unique<GnutlsSession>(nullptr, std::move(tls));
  if (auto opened = session->open_client(alpn, server_name); !opened) {
    return std::unexpected(opened.error());
  }
  return session;
}

void set_crypto_callbacks(ngtcp2_callbacks& callbacks, bool server) {
  if (server) {
    callbacks.recv_client_initial = ngtcp2_crypto_recv_client_initial_cb;
  } else {
    callbacks.client_initial = ngtcp2_crypto_client_initial_cb;
    callbacks.recv_retry = ngtcp2_crypto_recv_retry_cb;
  }
  callbacks.recv_crypto_data = ngtcp2_crypto_recv_crypto_data_cb;
  callbacks.encrypt = ngtcp2_crypto_encrypt_cb;
  callbacks.decrypt = ngtcp2_crypto_decrypt_cb;
  callbacks.hp_mask = ngtcp2_crypto_hp_mask_cb;
  callbacks.update_key = ngtcp2_crypto_update_key_cb;
  callbacks.delete_crypto_aead_ctx = ngtcp2_crypto_delete_crypto_aead_ctx_cb;
  callbacks.delete_crypto_cipher_ctx = ngtcp2_crypto_delete_crypto_cipher_ctx_cb;
  callbacks.get_path_challenge_data = ngtcp2_crypto_get_path_challenge_data_cb;
  callbacks.version_negotiation = ngtcp2_crypto_version_negotiation_cb;
}

}  // namespace portunus::portal::quic
