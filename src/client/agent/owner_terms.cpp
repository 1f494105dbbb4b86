#include "client/agent/owner_terms.hpp"

#include <algorithm>
#include <cstdint>
#include <utility>

#include "common/log/logger.hpp"
#include "common/wire/quota_wire.hpp"
#include "common/wire/rate_limit_wire.hpp"

namespace portunus::client::agent {
namespace {

using log::Event;

void drop_limit(const std::string& owner, const std::string& client_name, Actions& out) {
  log::log(Event::owner_rate_limit_remove, {{"client_name", client_name}, {"owner_id", owner}});
  out.emplace_back(LimitOwner{owner, std::nullopt});
}

void drop_quota(const std::string& owner, const std::string& client_name, Actions& out) {
  out.emplace_back(RemoveQuota{owner, client_name});
}

void log_ignored(const v1::OwnerRateLimitUpdate& update, wire::OwnerLimitFault fault) {
  const Event event = fault == wire::OwnerLimitFault::unspecified_action
                          ? Event::owner_rate_limit_unspecified_action
                          : Event::owner_rate_limit_invalid;
  log::log(event, {{"client_name", update.client_name()}, {"owner_id", update.owner_id()}});
}

void log_ignored(const v1::TrafficQuotaUpdate& update, wire::QuotaFault fault) {
  const Event event = fault == wire::QuotaFault::unspecified_action
                          ? Event::traffic_quota_unspecified_action
                          : Event::traffic_quota_set_without_state;
  log::log(event, {{"request_id", update.request_id()},
                   {"user", update.user_id()},
                   {"client", update.client_name()}});
}

}  // namespace

void log_applied(const SetQuota& quota) {
  log::log(Event::traffic_quota_applied_set,
           {{"user", quota.owner_id},
            {"client", quota.client_name},
            {"monthly_bytes", quota.monthly_bytes},
            {"remaining", quota.remaining},
            {"exhausted", quota.exhausted || quota.remaining == 0}});
}

void log_applied(const RemoveQuota& quota) {
  log::log(Event::traffic_quota_applied_remove,
           {{"user", quota.owner_id}, {"client", quota.client_name}});
}

void OwnerTerms::begin_session() {
  for (InForce* terms : {&limits_, &quotas_}) {
    for (auto& [owner, stated] : *terms) stated.confirmed = false;
  }
}

void OwnerTerms::on_limit(const v1::OwnerRateLimitUpdate& message, Actions& out) {
  const auto update = wire::owner_limit_from_wire(message);
  if (!update) {
    log_ignored(message, update.error());
    return;
  }
  if (update->action == wire::OwnerLimitUpdate::Action::remove) {
    limits_.erase(update->owner_id);
    drop_limit(update->owner_id, update->client_name, out);
    return;
  }
  log::log(Event::owner_rate_limit_set, {{"client_name", update->client_name},
                                         {"owner_id", update->owner_id},
                                         {"has_caps", update->limit.has_value()}});
  if (update->limit) {
    limits_[update->owner_id] = {update->client_name, true};
  } else {
    limits_.erase(update->owner_id);
  }
  out.emplace_back(LimitOwner{update->owner_id, update->limit});
}

void OwnerTerms::on_quota(const v1::TrafficQuotaUpdate& message, Actions& out) {
  const auto update = wire::quota_from_wire(message);
  if (!update) {
    log_ignored(message, update.error());
    return;
  }
  if (!update->state) {
    quotas_.erase(update->user_id);
    drop_quota(update->user_id, update->client_name, out);
    return;
  }
  const auto remaining =
      static_cast<std::uint64_t>(std::max<std::int64_t>(0, update->state->budget_remaining_bytes));
  quotas_[update->user_id] = {update->client_name, true};
  out.emplace_back(SetQuota{update->user_id, update->client_name, update->state->monthly_bytes,
                            remaining, update->state->exhausted});
}

void OwnerTerms::end_replay(Actions& out) {
  std::erase_if(limits_, [&out](const auto& entry) {
    if (!entry.second.confirmed) drop_limit(entry.first, entry.second.client_name, out);
    return !entry.second.confirmed;
  });
  std::erase_if(quotas_, [&out](const auto& entry) {
    if (!entry.second.confirmed) drop_quota(entry.first, entry.second.client_name, out);
    return !entry.second.confirmed;
  });
}

}  // namespace portunus::client::agent
