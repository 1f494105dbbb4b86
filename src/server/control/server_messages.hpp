#pragma once

#include <cstdint>
#include <string_view>

#include "common/base/clock.hpp"
#include "common/base/ids.hpp"
#include "common/model/rule.hpp"
#include "common/wire/quota_wire.hpp"
#include "common/wire/rate_limit_wire.hpp"
#include "portunus/v1/control.pb.h"

namespace portunus::server::control {

/// What every Welcome says (control-wire 2.2).
struct WelcomeSettings {
  std::uint32_t udp_flow_idle_secs = 60;
  std::uint32_t udp_max_flows_per_rule = 1024;
};

v1::ServerMessage welcome_message(const WelcomeSettings& settings, SystemTime now);
v1::ServerMessage push_message(std::string_view request_id, const model::RuleSpec& rule);
/// Carries the rule's id only.
v1::ServerMessage remove_message(std::string_view request_id, RuleId rule);
v1::ServerMessage quota_message(const wire::QuotaUpdate& update);
v1::ServerMessage owner_caps_message(const wire::OwnerLimitUpdate& update);
v1::ServerMessage replay_complete_message();

}  // namespace portunus::server::control
