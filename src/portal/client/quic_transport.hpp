#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "common/async/backoff.hpp"
#include "common/async/gate.hpp"
#include "common/base/clock.hpp"
#include "dataplane/dns/resolver.hpp"
#include "portal/client/datagram_flows.hpp"
#include "portal/client/settings.hpp"
#include "portal/client/transport.hpp"
#include "portal/protocol/auth_frame.hpp"
#include "portal/protocol/spec.hpp"
#include "portal/protocol/udp_datagram.hpp"
#include "portal/quic/connection.hpp"
#include "portal/quic/endpoint.hpp"
#include "portal/quic/tls.hpp"

namespace portunus::portal::client {

/// The QUIC carrier: one connection, kept up by PINGs and made again when it ends, with a stream
/// for each TCP stream and DATAGRAMs for the UDP flows. A flow outlives the connection: its packets
/// are lost while there is none, and open it anew at the Portal afterwards.
class QuicTransport final : public Transport {
 public:
  /// The resolver is kept by the caller and stopped after drain(). An error says what in the
  /// settings cannot be used.
  static Result<std::unique_ptr<QuicTransport>> create(boost::asio::io_context& context,
                                                       dataplane::dns::Resolver& resolver,
                                                       ClientSettings settings);
  ~QuicTransport() override;

  void start() override;
  /// Waits for the connection and for a stream's credit, ClientSettings::connect_timeout in all.
  async::Task<Result<std::unique_ptr<relay::ByteStream>>> open_tcp(std::string target) override;
  async::Task<Result<std::unique_ptr<UdpFlow>>> open_udp(std::string target,
                                                         UdpReceiver& receiver) override;
  void request_stop() override;
  async::Task<bool> drain(std::chrono::steady_clock::duration grace) override;

  /// The handshake is complete and the authentication frame on its way.
  bool connected() const { return connection_ != nullptr; }

 private:
  class Flow;
  using ConnectionPtr = std::shared_ptr<quic::Connection>;

  QuicTransport(boost::asio::io_context& context, dataplane::dns::Resolver& resolver,
                ClientSettings settings, protocol::Spec spec);

  async::Task<> session_loop();
  /// One connection from its beginning to its end. How it ended.
  async::Task<Error> session();
  async::Task<Result<ConnectionPtr>> connect(SteadyTime deadline);
  static async::Task<Result<>> authenticate(quic::Stream& stream, protocol::Frame frame);
  async::Task<> datagram_loop(ConnectionPtr connection);
  void deliver(std::span<const std::uint8_t> datagram);
  async::Task<Result<ConnectionPtr>> wait_connected(SteadyTime deadline);
  async::Task<bool> wait_changed();
  bool send(quic::Connection& connection, protocol::DatagramType type, DatagramFlows::Id id,
            const std::string& target, std::span<const std::uint8_t> payload) const;

  dataplane::dns::Resolver& resolver_;
  const ClientSettings settings_;
  const protocol::Spec spec_;
  const protocol::AuthKey key_;
  std::shared_ptr<const quic::ClientTls> tls_;
  std::shared_ptr<quic::Endpoint> endpoint_;
  async::Backoff backoff_;
  std::size_t attempts_ = 0;
  ConnectionPtr connection_;  ///< null while there is none
  std::optional<Error> last_error_;
  /// Never expires; cancelled when `connection_` or `stopping_` has changed.
  boost::asio::steady_timer changed_;
  DatagramFlows flows_;
  bool stopping_ = false;
  async::Gate gate_;
};

}  // namespace portunus::portal::client
