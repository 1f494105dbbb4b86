#pragma once

#include <optional>
#include <string>

#include "common/async/task.hpp"
#include "common/base/ids.hpp"
#include "common/base/result.hpp"
#include "server/audit/audit_log.hpp"
#include "server/auth/bearer_auth.hpp"
#include "server/auth/client_service.hpp"
#include "server/auth/endpoint_settings.hpp"
#include "server/http/request.hpp"
#include "server/http/response.hpp"
#include "server/http/router.hpp"
#include "server/http/url.hpp"
#include "server/metrics/metrics.hpp"
#include "server/owner_caps/owner_cap_service.hpp"
#include "server/people/people.hpp"
#include "server/quotas/quota_service.hpp"
#include "server/rules/rule_service.hpp"
#include "server/traffic/traffic_history.hpp"
#include "server/web_auth/web_auth.hpp"

namespace portunus::server::http::api {

/// What the routes call; all of it outlives the API and lives on the domain executor.
struct Services {
  auth::BearerAuth& bearer;
  web_auth::WebAuth& web_auth;
  auth::ClientService& clients;
  rules::RuleService& rules;
  owner_caps::OwnerCapService& owner_caps;
  quotas::QuotaService& quotas;
  people::People& people;
  metrics::Metrics& metrics;
  traffic::TrafficHistory& traffic;
  auth::EndpointSettings& endpoint;
  audit::AuditLog& audit;
};

/// One authenticated request on its way through a route. Lives until the route has answered.
struct Call {
  const Services& services;
  const Request& request;
  const PathParams& params;
  const auth::Identity& who;

  rules::Actor actor() const { return {who.user_id, who.role == store::Role::superadmin}; }
  std::string client() const { return std::string(params.get("client")); }
  std::string owner_id() const { return std::string(params.get("owner_id")); }
  std::string credential_id() const { return std::string(params.get("credential_id")); }
  std::string grant_id() const { return std::string(params.get("grant_id")); }
  std::string user_id() const { return std::string(params.get("user_id")); }
  /// {rule_id}; Errc::invalid_path.
  Result<RuleId> rule_id() const;
  /// Errc::invalid_query.
  Result<Query> query() const;
  async::Task<Result<std::string>> json_body() const;
};

/// The body of a route that needs one: media type, size. Whether it is JSON is the decoder's
/// business. Errc::unsupported_media_type, http::Errc.
async::Task<Result<std::string>> json_body(const Request& request);

using Route = async::Task<Result<Response>> (*)(const Call& call);

/// 200 (or another status) with a JSON text.
Response json_response(std::string body, unsigned status = 200);

}  // namespace portunus::server::http::api
