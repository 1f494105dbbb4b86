#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <chrono>

#include "common/async/task.hpp"
#include "common/base/clock.hpp"
#include "common/base/result.hpp"
#include "common/net/endpoint.hpp"
#include "server/control/control_services.hpp"
#include "server/control/grpc_host.hpp"
#include "server/control/ports.hpp"
#include "server/control/session_hub.hpp"

namespace portunus::server::control {

/// The control port on whatever stands behind its ports: the hub, the gRPC services on it and the
/// server that carries them, started and stopped in the right order. Domain executor.
class ControlCore {
 public:
  ControlCore(const boost::asio::any_io_executor& domain, ClientAuthority& clients, RuleFeed& rules,
              const LimitFeed& limits, const Clock& clock, HubSettings hub, GrpcSettings grpc);

  /// Once.
  Result<net::Endpoint> start() { return host_.start(settings_, {&control_, &enrollment_}); }
  /// See ControlServer::stop. Idempotent, one caller at a time.
  async::Task<> stop(std::chrono::steady_clock::duration grace);

  SessionHub& hub() { return hub_; }
  const SessionHub& hub() const { return hub_; }

 private:
  GrpcSettings settings_;
  SessionHub hub_;
  ControlService control_;
  EnrollmentService enrollment_;
  GrpcHost host_;
};

}  // namespace portunus::server::control
