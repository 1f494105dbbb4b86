// Owner limits and quotas from the wire. The first byte says which.

#include "common/model/rate_limit.hpp"
#include "common/wire/quota_wire.hpp"
#include "common/wire/rate_limit_wire.hpp"
#include "portunus/v1/quota.pb.h"
#include "tests/fuzz/fuzz_target.hpp"

namespace {

namespace wire = portunus::wire;
namespace v1 = portunus::v1;
using portunus::fuzz::Input;

template <class Message>
bool parse(Message& message, Input input) {
  return message.ParseFromArray(input.data(), static_cast<int>(input.size()));
}

void check_owner_limit(Input input) {
  v1::OwnerRateLimitUpdate message;
  if (!parse(message, input)) return;
  const auto update = wire::owner_limit_from_wire(message);
  if (!update) return;
  const bool set = update->action == wire::OwnerLimitUpdate::Action::set;
  FUZZ_CHECK(set || !update->limit);
  if (update->limit) {
    FUZZ_CHECK(!update->limit->empty() && !portunus::model::check_rate_limit(*update->limit));
  }
  v1::OwnerRateLimitUpdate out;
  wire::owner_limit_to_wire(*update, out);
  const auto again = wire::owner_limit_from_wire(out);
  FUZZ_CHECK(again && again->action == update->action && again->limit == update->limit);
  FUZZ_CHECK(again->client_id == update->client_id && again->client_name == update->client_name);
  FUZZ_CHECK(again->owner_id == update->owner_id);
}

void check_quota(Input input) {
  v1::TrafficQuotaUpdate message;
  if (!parse(message, input)) return;
  const auto update = wire::quota_from_wire(message);
  if (!update) return;
  FUZZ_CHECK(update->state.has_value() == (message.action() == v1::TRAFFIC_QUOTA_ACTION_SET));
  v1::TrafficQuotaUpdate out;
  wire::quota_to_wire(*update, out);
  const auto again = wire::quota_from_wire(out);
  FUZZ_CHECK(again && again->state == update->state && again->request_id == update->request_id);
  FUZZ_CHECK(again->user_id == update->user_id && again->client_id == update->client_id);
  FUZZ_CHECK(again->client_name == update->client_name);
}

void check_rate_limit(Input input) {
  v1::RateLimit message;
  if (!parse(message, input)) return;
  const auto limit = wire::rate_limit_from_wire(message);
  if (!limit) return;
  v1::RateLimit out;
  wire::rate_limit_to_wire(*limit, out);
  FUZZ_CHECK(wire::rate_limit_from_wire(out) == *limit);
}

}  // namespace

PORTUNUS_FUZZ_TARGET(limits_wire)(Input input) {
  if (input.empty()) return;
  const auto kind = std::to_integer<unsigned>(input.front()) % 3;
  const Input message = input.subspan(1);
  if (kind == 0) check_owner_limit(message);
  if (kind == 1) check_quota(message);
  if (kind == 2) check_rate_limit(message);
}
