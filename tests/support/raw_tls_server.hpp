#pragma once

#include <atomic>
#include <cstdint>
#include <mutex>
#include <string>
#include <thread>

#include "common/crypto/certificate.hpp"
#include "common/net/unique_fd.hpp"

namespace portunus::test {

/// A TLS server that speaks no HTTP/2: it shakes hands, records what arrives in the clear until the
/// peer closes, and takes the next connection. 127.0.0.1, any port.
class RawTlsServer {
 public:
  struct Options {
    crypto::CertificatePair pair;
    bool tls12_only = false;
    bool select_h2 = true;
    /// Signs with another private key than the certificate's.
    bool forged_key = false;
    /// Accepts connections and says nothing.
    bool mute = false;
  };
  explicit RawTlsServer(Options options);
  ~RawTlsServer();
  RawTlsServer(const RawTlsServer&) = delete;
  RawTlsServer& operator=(const RawTlsServer&) = delete;

  std::uint16_t port() const { return port_; }
  int connections() const { return connections_; }
  /// Connections whose handshake completed on our side.
  int handshakes() const { return handshakes_; }
  /// Connections that have ended.
  int finished() const { return finished_; }
  std::string received() const;
  /// Server name of the last ClientHello; empty when it had none.
  std::string server_name() const;

 private:
  void run();
  void serve(int socket);

  Options options_;
  net::UniqueFd listener_;
  std::uint16_t port_ = 0;
  std::atomic<int> connections_{0};
  std::atomic<int> handshakes_{0};
  std::atomic<int> finished_{0};
  std::atomic<int> current_{-1};
  std::atomic<bool> stopping_{false};
  mutable std::mutex mutex_;
  std::string received_;
  std::string server_name_;
  std::thread thread_;
};

}  // namespace portunus::test
