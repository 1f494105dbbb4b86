#pragma once

#include <grpcpp/server.h>
#include <grpcpp/server_builder.h>

#include <boost/asio/any_io_executor.hpp>
#include <chrono>
#include <memory>
#include <vector>

#include "common/async/task.hpp"
#include "common/base/result.hpp"
#include "common/crypto/certificate.hpp"
#include "common/net/endpoint.hpp"
#include "server/control/control_listener.hpp"

namespace portunus::server::control {

struct GrpcSettings {
  net::Endpoint listen;
  crypto::CertificatePair pair;
  std::chrono::milliseconds keepalive_interval{20'000};
  std::chrono::milliseconds keepalive_timeout{10'000};
};

/// The gRPC server on our listening socket: TLS, HTTP/2 limits and keepalive (control-wire 1), and
/// an orderly end. Domain executor. A server that took a connection must be shut down before it is
/// destroyed; while the domain executor has not run, none was taken.
class GrpcHost {
 public:
  explicit GrpcHost(boost::asio::any_io_executor domain) : domain_(std::move(domain)) {}
  ~GrpcHost();
  GrpcHost(const GrpcHost&) = delete;
  GrpcHost& operator=(const GrpcHost&) = delete;

  /// Once. `services` outlive this object.
  Result<net::Endpoint> start(const GrpcSettings& settings,
                              const std::vector<grpc::Service*>& services);
  /// Refuses connections, says GOAWAY, waits for the calls under way at most `grace`, then breaks
  /// them; returns when the last has ended. Somebody else must end them. Does nothing when there
  /// is nothing to shut down.
  async::Task<> shutdown(std::chrono::steady_clock::duration grace);

 private:
  boost::asio::any_io_executor domain_;
  std::shared_ptr<ControlListener> listener_;
  std::unique_ptr<grpc::experimental::ExternalConnectionAcceptor> connections_;
  std::unique_ptr<grpc::Server> server_;
};

}  // namespace portunus::server::control
