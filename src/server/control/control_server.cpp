#include "server/control/control_server.hpp"

#include <utility>

#include "server/control/control_core.hpp"
#include "server/control/service_ports.hpp"

namespace portunus::server::control {
namespace {

HubSettings hub_settings(const ControlOptions& options) {
  HubSettings settings;
  settings.welcome = {.udp_flow_idle_secs = options.udp_flow_idle_secs,
                      .udp_max_flows_per_rule = options.udp_max_flows_per_rule};
  settings.hello_timeout = options.hello_timeout;
  return settings;
}

GrpcSettings grpc_settings(ControlOptions options) {
  return {.listen = options.listen,
          .pair = std::move(options.pair),
          .keepalive_interval = options.keepalive_interval,
          .keepalive_timeout = options.keepalive_timeout};
}

}  // namespace

class ControlServer::Impl {
 public:
  Impl(const boost::asio::any_io_executor& executor, const Domain& domain, const Clock& clock,
       ControlOptions options)
      : ports(domain),
        core(executor, ports, ports, ports, clock, hub_settings(options),
             grpc_settings(std::move(options))) {}

  ServicePorts ports;
  ControlCore core;
};

ControlServer::ControlServer(boost::asio::any_io_executor executor, const Domain& domain,
                             const Clock& clock, ControlOptions options)
    : impl_(std::make_unique<Impl>(executor, domain, clock, std::move(options))) {}

ControlServer::~ControlServer() = default;

Result<net::Endpoint> ControlServer::start() {
  return impl_->core.start();
}

async::Task<> ControlServer::stop(std::chrono::steady_clock::duration grace) {
  return impl_->core.stop(grace);
}

EdgeSinks ControlServer::sinks() {
  SessionHub& hub = impl_->core.hub();
  return {.rules = hub, .quotas = hub, .owner_caps = hub, .sessions = hub, .clients = hub};
}

const std::map<std::string, std::uint64_t>& ControlServer::auth_failures() const {
  return impl_->core.hub().auth_failures();
}

}  // namespace portunus::server::control
