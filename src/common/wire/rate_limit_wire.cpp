#include "common/wire/rate_limit_wire.hpp"

namespace portunus::wire {

void rate_limit_to_wire(const model::RateLimit& limit, v1::RateLimit& out) {
  if (limit.bandwidth_in_bps) out.set_bandwidth_in_bps(*limit.bandwidth_in_bps);
  if (limit.bandwidth_out_bps) out.set_bandwidth_out_bps(*limit.bandwidth_out_bps);
  if (limit.new_connections_per_sec)
    out.set_new_connections_per_sec(*limit.new_connections_per_sec);
  if (limit.concurrent_connections) out.set_concurrent_connections(*limit.concurrent_connections);
  if (limit.bandwidth_in_burst) out.set_bandwidth_in_burst(*limit.bandwidth_in_burst);
  if (limit.bandwidth_out_burst) out.set_bandwidth_out_burst(*limit.bandwidth_out_burst);
  if (limit.new_connections_burst) out.set_new_connections_burst(*limit.new_connections_burst);
}

std::expected<model::RateLimit, model::RateLimitFault> rate_limit_from_wire(
    const v1::RateLimit& limit) {
  model::RateLimit out;
  if (limit.has_bandwidth_in_bps()) out.bandwidth_in_bps = limit.bandwidth_in_bps();
  if (limit.has_bandwidth_out_bps()) out.bandwidth_out_bps = limit.bandwidth_out_bps();
  if (limit.has_new_connections_per_sec())
    out.new_connections_per_sec = limit.new_connections_per_sec();
  if (limit.has_concurrent_connections())
    out.concurrent_connections = limit.concurrent_connections();
  if (limit.has_bandwidth_in_burst()) out.bandwidth_in_burst = limit.bandwidth_in_burst();
  if (limit.has_bandwidth_out_burst()) out.bandwidth_out_burst = limit.bandwidth_out_burst();
  if (limit.has_new_connections_burst()) out.new_connections_burst = limit.new_connections_burst();
  if (const auto fault = model::check_rate_limit(out)) return std::unexpected(*fault);
  return out;
}

void owner_limit_to_wire(const OwnerLimitUpdate& update, v1::OwnerRateLimitUpdate& out) {
  out.set_client_name(update.client_name);
  out.set_owner_id(update.owner_id);
  out.set_client_id(update.client_id);
  if (update.action == OwnerLimitUpdate::Action::remove) {
    out.set_action(v1::OWNER_RATE_LIMIT_ACTION_REMOVE);
    return;
  }
  out.set_action(v1::OWNER_RATE_LIMIT_ACTION_SET);
  if (update.limit && !update.limit->empty()) {
    rate_limit_to_wire(*update.limit, *out.mutable_rate_limit());
  }
}

std::expected<OwnerLimitUpdate, OwnerLimitFault> owner_limit_from_wire(
    const v1::OwnerRateLimitUpdate& update) {
  OwnerLimitUpdate out;
  out.client_id = update.client_id();
  out.client_name = update.client_name();
  out.owner_id = update.owner_id();
  if (update.action() == v1::OWNER_RATE_LIMIT_ACTION_REMOVE) {
    out.action = OwnerLimitUpdate::Action::remove;
    return out;
  }
  if (update.action() != v1::OWNER_RATE_LIMIT_ACTION_SET) {
    return std::unexpected(OwnerLimitFault::unspecified_action);
  }
  if (!update.has_rate_limit()) return out;
  const auto limit = rate_limit_from_wire(update.rate_limit());
  if (!limit) return std::unexpected(OwnerLimitFault::invalid_caps);
  if (!limit->empty()) out.limit = *limit;
  return out;
}

}  // namespace portunus::wire
