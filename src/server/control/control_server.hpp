#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <string>

#include "common/async/task.hpp"
#include "common/base/clock.hpp"
#include "common/base/result.hpp"
#include "common/crypto/certificate.hpp"
#include "common/net/endpoint.hpp"
#include "server/auth/client_listener.hpp"
#include "server/auth/client_service.hpp"
#include "server/auth/session_sink.hpp"
#include "server/owner_caps/owner_cap_service.hpp"
#include "server/owner_caps/owner_cap_sink.hpp"
#include "server/quotas/quota_service.hpp"
#include "server/quotas/quota_sink.hpp"
#include "server/rules/rule_service.hpp"
#include "server/rules/rule_sink.hpp"

namespace portunus::server::control {

struct ControlOptions {
  net::Endpoint listen;  ///< port 0 = any free one
  crypto::CertificatePair pair;
  std::uint32_t udp_flow_idle_secs = 60;        ///< told to every client in Welcome
  std::uint32_t udp_max_flows_per_rule = 1024;  ///< ditto
  std::chrono::milliseconds hello_timeout{10'000};
  std::chrono::milliseconds keepalive_interval{20'000};
  std::chrono::milliseconds keepalive_timeout{10'000};
};

/// What stands behind the control port; all of it outlives the server.
struct Domain {
  auth::ClientService& clients;
  rules::RuleService& rules;
  owner_caps::OwnerCapService& owner_caps;
  quotas::QuotaService& quotas;
};

/// The ways of the domain to the edges. Every call is made on the domain executor.
struct EdgeSinks {
  rules::RuleSink& rules;
  quotas::QuotaSink& quotas;
  owner_caps::OwnerCapSink& owner_caps;
  auth::SessionSink& sessions;
  auth::ClientListener& clients;
};

/// The gRPC services on the control port: sessions of the edges and enrollment (control-wire).
/// gRPC's own threads only move messages onto the domain executor, where everything here lives.
/// Owned by the composition root; stop() before the services it uses go away.
class ControlServer {
 public:
  ControlServer(boost::asio::any_io_executor executor, const Domain& domain, const Clock& clock,
                ControlOptions options);
  ~ControlServer();

  /// Binds and serves; the bound endpoint, or why not.
  Result<net::Endpoint> start();
  /// No new streams; every session ends with server_shutdown; hard close after `grace`.
  async::Task<> stop(std::chrono::steady_clock::duration grace);

  /// Live as long as the server does.
  EdgeSinks sinks();

  /// Refused bearers by reason (portunus_auth_failures_total).
  const std::map<std::string, std::uint64_t>& auth_failures() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace portunus::server::control
