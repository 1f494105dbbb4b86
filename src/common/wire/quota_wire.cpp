#include "common/wire/quota_wire.hpp"

namespace portunus::wire {
namespace {

void state_to_wire(const model::QuotaState& state, v1::TrafficQuotaState& out) {
  out.set_monthly_bytes(state.monthly_bytes);
  out.set_budget_remaining_bytes(state.budget_remaining_bytes);
  out.set_period_started_at_unix_sec(state.period_started_at);
  out.set_period_ends_at_unix_sec(state.period_ends_at);
  out.set_exhausted(state.exhausted);
}

model::QuotaState state_from_wire(const v1::TrafficQuotaState& state) {
  model::QuotaState out;
  out.monthly_bytes = state.monthly_bytes();
  out.budget_remaining_bytes = state.budget_remaining_bytes();
  out.period_started_at = state.period_started_at_unix_sec();
  out.period_ends_at = state.period_ends_at_unix_sec();
  out.exhausted = state.exhausted();
  return out;
}

}  // namespace

void quota_to_wire(const QuotaUpdate& update, v1::TrafficQuotaUpdate& out) {
  out.set_request_id(update.request_id);
  out.set_user_id(update.user_id);
  out.set_client_name(update.client_name);
  out.set_client_id(update.client_id);
  if (!update.state) {
    out.set_action(v1::TRAFFIC_QUOTA_ACTION_REMOVE);
    return;
  }
  out.set_action(v1::TRAFFIC_QUOTA_ACTION_SET);
  state_to_wire(*update.state, *out.mutable_state());
}

std::expected<QuotaUpdate, QuotaFault> quota_from_wire(const v1::TrafficQuotaUpdate& update) {
  QuotaUpdate out;
  out.request_id = update.request_id();
  out.user_id = update.user_id();
  out.client_id = update.client_id();
  out.client_name = update.client_name();
  if (update.action() == v1::TRAFFIC_QUOTA_ACTION_REMOVE) return out;
  if (update.action() != v1::TRAFFIC_QUOTA_ACTION_SET) {
    return std::unexpected(QuotaFault::unspecified_action);
  }
  if (!update.has_state()) return std::unexpected(QuotaFault::set_without_state);
  out.state = state_from_wire(update.state());
  return out;
}

}  // namespace portunus::wire
