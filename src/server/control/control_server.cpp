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

bool ControlServer::connected(std::string_view client_id) const {
  return impl_->core.hub().connected(client_id);
}

const rules::ClientCapabilities* ControlServer::capabilities(std::string_view client_id) const {
  return impl_->core.hub().capabilities(client_id);
}

bool ControlServer::push(std::string_view client_id, std::string_view request_id,
                         const model::RuleSpec& rule) {
  return impl_->core.hub().push(client_id, request_id, rule);
}

bool ControlServer::remove(std::string_view client_id, std::string_view request_id, RuleId rule) {
  return impl_->core.hub().remove(client_id, request_id, rule);
}

std::optional<std::string_view> ControlServer::client_version(std::string_view client_id) const {
  return impl_->core.hub().client_version(client_id);
}

quotas::QuotaSink::Told ControlServer::quota_changed(std::string_view client_id,
                                                     std::string_view user_id) {
  return impl_->core.hub().quota_changed(client_id, user_id);
}

owner_caps::OwnerCapSink::Told ControlServer::owner_caps_changed(std::string_view client_id,
                                                                 std::string_view owner_id) {
  return impl_->core.hub().owner_caps_changed(client_id, owner_id);
}

std::optional<auth::LiveSession> ControlServer::live_session(std::string_view client_id) const {
  return impl_->core.hub().live_session(client_id);
}

bool ControlServer::disconnect(std::string_view client_id, std::string_view reason) {
  return impl_->core.hub().disconnect(client_id, reason);
}

void ControlServer::on_client_changed(std::string_view client_id, std::string_view name) {
  impl_->core.hub().on_client_changed(client_id, name);
}

void ControlServer::on_client_removed(std::string_view client_id) {
  impl_->core.hub().on_client_removed(client_id);
}

const std::map<std::string, std::uint64_t>& ControlServer::auth_failures() const {
  return impl_->core.hub().auth_failures();
}

}  // namespace portunus::server::control
