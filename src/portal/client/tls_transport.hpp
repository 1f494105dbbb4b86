#pragma once

#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <memory>
#include <string>
#include <unordered_map>

#include "common/async/gate.hpp"
#include "portal/client/settings.hpp"
#include "portal/client/tls_connector.hpp"
#include "portal/client/transport.hpp"
#include "portal/client/warm_pool.hpp"
#include "portal/protocol/spec.hpp"

namespace portunus::portal::client {

/// The TLS/TCP carrier: one connection per TCP stream and per UDP flow (UoT), some of them
/// authenticated ahead (warm_pool.hpp).
class TlsTransport final : public Transport {
 public:
  /// The resolver is kept by the caller and stopped after drain(). An error says what in the
  /// settings cannot be used.
  static Result<std::unique_ptr<TlsTransport>> create(boost::asio::any_io_executor executor,
                                                      dataplane::dns::Resolver& resolver,
                                                      ClientSettings settings);
  ~TlsTransport() override = default;

  void start() override;
  async::Task<Result<std::unique_ptr<relay::ByteStream>>> open_tcp(std::string target) override;
  async::Task<Result<std::unique_ptr<UdpFlow>>> open_udp(std::string target,
                                                         UdpReceiver& receiver) override;
  void request_stop() override;
  async::Task<bool> drain(std::chrono::steady_clock::duration grace) override;

  /// Connections that stand ready.
  std::size_t warm() const { return idle_.size(); }

 private:
  TlsTransport(boost::asio::any_io_executor executor, ClientSettings settings, protocol::Spec spec);

  /// A connection that has sent `request`: a warm one, or else a new one.
  async::Task<Result<std::unique_ptr<relay::ByteStream>>> open(protocol::Frame request);
  TlsConnection take_warm();
  void refill();
  async::Task<> warm_slot(WarmPool::Slot slot);
  async::Task<> retire_loop();

  boost::asio::any_io_executor executor_;
  const ClientSettings settings_;
  const protocol::Spec spec_;
  std::unique_ptr<TlsConnector> connector_;
  WarmPool pool_;
  std::unordered_map<WarmPool::Slot, TlsConnection> idle_;
  boost::asio::steady_timer retirement_;
  bool stopping_ = false;
  async::Gate warming_;
  async::Gate flows_;
};

}  // namespace portunus::portal::client
