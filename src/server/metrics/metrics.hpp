#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>

#include "common/async/task.hpp"
#include "common/base/result.hpp"
#include "server/audit/audit_log.hpp"
#include "server/auth/client_service.hpp"
#include "server/metrics/request_counter.hpp"
#include "server/owner_caps/owner_cap_service.hpp"
#include "server/quotas/quota_service.hpp"
#include "server/rules/rule_service.hpp"
#include "server/store/store.hpp"

namespace portunus::server::metrics {

/// What a scrape reads; all of it outlives the metrics. None of it knows Prometheus.
struct Sources {
  auth::ClientService& clients;
  const rules::RuleService& rules;
  const owner_caps::OwnerCapService& owner_caps;
  const quotas::QuotaService& quotas;
  const store::Store& store;
  std::function<std::map<std::string, std::uint64_t>()> auth_failures;
  const audit::AuditLog& audit;
};

/// The server's numbers, read when somebody asks. Domain executor.
class Metrics {
 public:
  explicit Metrics(Sources sources) : sources_(std::move(sources)) {}

  RequestCounter& requests() { return requests_; }
  /// The exposition text, or a store error.
  async::Task<Result<std::string>> scrape();

 private:
  Sources sources_;
  RequestCounter requests_;
};

}  // namespace portunus::server::metrics
