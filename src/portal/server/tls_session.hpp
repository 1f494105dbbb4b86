#pragma once

#include <boost/asio/ip/tcp.hpp>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "common/async/task.hpp"
#include "common/base/clock.hpp"
#include "common/net/endpoint.hpp"
#include "portal/protocol/tcp_request.hpp"
#include "portal/relay/admission.hpp"
#include "portal/server/services.hpp"
#include "portal/tls/tls_stream.hpp"

namespace portunus::portal::server {

/// One TLS/TCP connection from the accept to its end (portal 9, 10): handshake, authentication,
/// pool, request, then one TCP relay or one UoT flow. Lives on its core's thread, owned by its
/// coroutine, whose cancellation ends it wherever it is. Its failures concern nobody else and are
/// logged.
class TlsSession {
 public:
  /// `slot` was taken at the accept.
  TlsSession(CoreServices& core, tls::ServerContext& context, boost::asio::ip::tcp::socket socket,
             const net::Endpoint& peer, relay::Admission::Slot slot);
  TlsSession(const TlsSession&) = delete;
  TlsSession& operator=(const TlsSession&) = delete;

  static async::Task<void> run(std::unique_ptr<TlsSession> self);

 private:
  async::Task<bool> shake_hands();
  async::Task<bool> authenticate();
  async::Task<Result<>> read_auth_frame();
  /// False when the session is over.
  async::Task<bool> await_request();
  async::Task<Result<>> read_request();
  async::Task<void> serve_tcp();
  async::Task<void> serve_uot();
  async::Task<Result<std::string>> read_uot_setup();

  /// What was read behind the last frame.
  std::span<const std::byte> early() const {
    return std::span(buffer_).subspan(early_at_, filled_ - early_at_);
  }
  /// The same for a relay, which may live long: the room that it came into is given up.
  std::vector<std::byte> take_early();
  void log(log::Level level, std::string_view what, std::string_view detail = {}) const;
  void log(log::Level level, std::string_view what, const Error& error) const;
  /// The four endpoints of a relay's records (portal 3).
  std::string route(const std::optional<net::Endpoint>& target_local,
                    const std::optional<net::Endpoint>& target) const;

  CoreServices& core_;
  const net::Endpoint peer_;
  tls::TlsStream stream_;
  relay::Admission::Slot slot_;
  relay::Counted pooled_;
  protocol::TcpRequestReader request_;
  /// The longest request and what comes in one piece with it.
  std::vector<std::byte> buffer_;
  std::size_t filled_ = 0;
  std::size_t early_at_ = 0;
};

}  // namespace portunus::portal::server
