#pragma once

#include <boost/asio/io_context.hpp>
#include <memory>
#include <vector>

#include "common/async/gate.hpp"
#include "common/async/task.hpp"
#include "common/base/clock.hpp"
#include "common/base/result.hpp"
#include "portal/quic/endpoint.hpp"
#include "portal/server/services.hpp"

namespace portunus::portal::server {

/// The QUIC sessions of one core: its endpoint, and who is let in. On its context's thread once
/// that runs; ended by request_stop() and drain(), after which it may be destroyed.
class QuicCore final : public quic::ServerHandler {
 public:
  struct Parts {
    std::vector<quic::BoundSocket> sockets;
    quic::ServerSecrets secrets;
    std::shared_ptr<quic::Cores> cores;
  };
  /// Errors of the certificate.
  static Result<std::unique_ptr<QuicCore>> create(Services& services,
                                                  boost::asio::io_context& context, unsigned index,
                                                  Parts parts);
  ~QuicCore() override;

  /// Begins to receive; before the thread runs, or on it.
  Result<> start() { return endpoint_->start(); }
  /// Ends every session, closing its connection with code 0. Idempotent.
  void request_stop();
  /// Waits for peers to go quiet until `quiet_by`, and for sessions to end until `ended_by`, which
  /// is later: some are just ending. True when all of those have ended.
  async::Task<bool> drain(SteadyTime quiet_by, SteadyTime ended_by);

  const std::shared_ptr<quic::Endpoint>& endpoint() const { return endpoint_; }

 private:
  QuicCore(Services& services, boost::asio::io_context& context, unsigned index);

  std::shared_ptr<void> admit(const net::Endpoint& remote) override;
  std::shared_ptr<const quic::ServerTls> on_client_hello() override;
  void opened(std::shared_ptr<quic::Connection> connection,
              std::shared_ptr<void> admission) override;
  Result<> renew();

  CoreServices services_;
  std::shared_ptr<quic::Endpoint> endpoint_;
  std::shared_ptr<const quic::ServerTls> tls_;
  std::uint64_t generation_ = 0;
  async::Gate gate_;
};

}  // namespace portunus::portal::server
