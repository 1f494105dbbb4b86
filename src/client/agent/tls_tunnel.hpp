#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "client/agent/server_address.hpp"
#include "common/async/gate.hpp"
#include "common/async/task.hpp"
#include "common/base/result.hpp"
#include "common/net/unique_fd.hpp"

namespace portunus::client::agent {

/// A TLS connection to the control port, made and checked by us, whose clear side is a local socket
/// for the gRPC library to speak HTTP/2 on. gRPC's own TLS credentials cannot keep the contract:
/// they send an address literal as server name (which TLS stacks of deployed servers refuse), judge
/// the certificate only after the handshake, and read the system's root store. Here nothing of
/// HTTP/2 exists before the pin matched.
///
/// Lives on one executor. Once started, close() must complete before it is destroyed. A failure of
/// either side closes both; gRPC then sees the end of its transport.
class TlsTunnel {
 public:
  struct Failure {
    Error error;
    /// What the server presented, when that is not the pin; empty for any other failure.
    std::string got;
  };

  /// Resolves, connects and shakes hands within `budget`.
  static async::Task<std::expected<std::unique_ptr<TlsTunnel>, Failure>> open(
      ServerAddress server, std::string pin, std::chrono::steady_clock::duration budget);

  ~TlsTunnel();
  TlsTunnel(const TlsTunnel&) = delete;
  TlsTunnel& operator=(const TlsTunnel&) = delete;

  /// Starts carrying bytes; the result is the clear end, non-blocking. Once.
  Result<net::UniqueFd> start();
  /// Waits until both directions have ended, at most `grace`, and aborts what is left. The clear
  /// end should have been closed by its owner.
  async::Task<> close(std::chrono::steady_clock::duration grace);

 private:
  class Impl;
  explicit TlsTunnel(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace portunus::client::agent
