#pragma once

#include <boost/asio/io_context.hpp>
#include <chrono>
#include <memory>

#include "common/async/gate.hpp"
#include "common/async/task.hpp"
#include "common/base/result.hpp"
#include "common/net/endpoint.hpp"
#include "common/net/unique_fd.hpp"
#include "portal/relay/admission.hpp"
#include "portal/server/services.hpp"
#include "portal/tls/tls_context.hpp"

namespace portunus::portal::server {

/// The TLS/TCP sessions of one core. On its context's thread once that runs; ended by
/// request_stop() and drain(), after which it may be destroyed.
class TlsCore {
 public:
  static Result<std::unique_ptr<TlsCore>> create(Services& services,
                                                 boost::asio::io_context& context, unsigned index);

  /// A connection from the acceptor with its slot. After request_stop() it is closed.
  void take(net::UniqueFd fd, const net::Endpoint& peer, relay::Admission::Slot slot);

  /// Ends every session, wherever it is. Idempotent.
  void request_stop();
  /// True when all have ended.
  async::Task<bool> drain(std::chrono::steady_clock::duration grace) { return gate_.drain(grace); }

 private:
  TlsCore(Services& services, boost::asio::io_context& context, unsigned index,
          std::unique_ptr<tls::ServerContext> tls);

  CoreServices services_;
  std::unique_ptr<tls::ServerContext> tls_;
  async::Gate gate_;
  bool stopped_ = false;
};

}  // namespace portunus::portal::server
