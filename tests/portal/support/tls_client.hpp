#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "tests/dataplane/support/sockets.hpp"

namespace portunus::test {

/// A blocking TLS client with OpenSSL's own socket handling, independent of what it tests. Believes
/// every certificate.
class TlsClient {
 public:
  struct Options {
    /// Nothing = no ALPN extension.
    std::optional<std::vector<std::string>> alpn = std::vector<std::string>{"now/1"};
    bool tls12_only = false;
    std::string groups = {};
  };
  /// How the peer's half ended.
  enum class End { open, close_notify, eof, reset, alert };

  explicit TlsClient(std::uint16_t port);
  TlsClient(std::uint16_t port, const Options& options);
  ~TlsClient();
  TlsClient(TlsClient&&) noexcept;
  TlsClient& operator=(TlsClient&&) noexcept;

  bool handshake();
  bool send(const std::string& text);
  /// Exactly `size` bytes, or what came before the end.
  std::string receive(std::size_t size);
  /// Everything up to the end.
  std::string receive_all();
  End end() const;
  /// Description of the last alert received; -1 before.
  int alert() const;
  /// PEM of the certificate that was presented.
  std::string certificate() const;
  /// Ends our half: the record alone, and with a FIN.
  void send_close_notify();
  void half_close();
  Socket& socket();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace portunus::test
