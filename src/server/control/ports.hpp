#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/async/task.hpp"
#include "common/base/result.hpp"
#include "common/model/quota.hpp"
#include "common/model/rate_limit.hpp"
#include "common/model/rule.hpp"
#include "common/model/traffic.hpp"
#include "server/auth/client_service.hpp"
#include "server/rules/rule_service.hpp"

namespace portunus::server::control {

/// Who a bearer belongs to.
struct EdgeIdentity {
  std::string client_id;
  std::string client_name;
};

/// What the control port asks of the identities: auth::ClientService in the server, a script in
/// tests. Domain executor.
class ClientAuthority {
 public:
  virtual ~ClientAuthority() = default;
  virtual async::Task<Result<EdgeIdentity>> authenticate(
      std::optional<std::string> authorization) = 0;
  virtual async::Task<Result<auth::RedeemedBundle>> redeem(std::string code) = 0;
};

/// What a session asks of the rules: rules::RuleService in the server, a script in tests. The
/// calls mean what the methods of that class say. Domain executor.
class RuleFeed {
 public:
  virtual ~RuleFeed() = default;
  virtual std::vector<model::RuleSpec> begin_session(
      std::string_view client_id, const rules::ClientCapabilities& capabilities) = 0;
  virtual const model::RuleSpec* current(RuleId rule) const = 0;
  virtual void expect_status(std::string_view client_id, std::string request_id, RuleId rule) = 0;
  virtual void on_status(std::string_view client_id, std::string_view client_name,
                         std::string_view request_id, RuleId rule, rules::Outcome outcome,
                         std::string reason) = 0;
  virtual void on_report(std::string_view client_id, std::string_view client_name,
                         const model::TrafficReport& report) = 0;
  virtual void end_session(std::string_view client_id) = 0;
};

/// What a session asks of the quotas and of the owner caps: their services in the server, a script
/// in tests. Domain executor.
class LimitFeed {
 public:
  virtual ~LimitFeed() = default;
  /// Users with a quota on this client, and how one stands.
  virtual std::vector<std::string> quota_users(std::string_view client_id) const = 0;
  virtual std::optional<model::QuotaState> quota(std::string_view client_id,
                                                 std::string_view user_id) const = 0;
  /// Owners with caps on this client, and the caps of one.
  virtual std::vector<std::string> capped_owners(std::string_view client_id) const = 0;
  virtual std::optional<model::RateLimit> owner_caps(std::string_view client_id,
                                                     std::string_view owner_id) const = 0;
};

}  // namespace portunus::server::control
