#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "common/base/result.hpp"
#include "portal/quic/tls.hpp"

struct ngtcp2_conn;
struct ngtcp2_callbacks;

namespace portunus::portal::quic {

/// The TLS of one connection. Given to the library by attach(); outlives its ngtcp2_conn.
class TlsSession {
 public:
  static Result<std::unique_ptr<TlsSession>> server(std::shared_ptr<const ServerTls> tls,
                                                    const std::string& alpn);
  static Result<std::unique_ptr<TlsSession>> client(std::shared_ptr<const ClientTls> tls,
                                                    const std::string& alpn,
                                                    const std::string& server_name);
  virtual ~TlsSession() = default;

  virtual void attach(ngtcp2_conn* conn) = 0;

 protected:
  TlsSession() = default;
};

/// Keys, packet protection and the handshake: the callbacks that the crypto library has ready.
void set_crypto_callbacks(ngtcp2_callbacks& callbacks, bool server);

}  // namespace portunus::portal::quic
