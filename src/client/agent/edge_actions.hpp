#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "common/base/ids.hpp"
#include "common/model/rate_limit.hpp"
#include "common/model/rule.hpp"
#include "portunus/v1/control.pb.h"

namespace portunus::client::agent {

/// The session stands.
struct Established {
  v1::Welcome welcome;
};
/// Start a rule; answered by EdgeState::on_activated() before another message is fed in.
struct Activate {
  model::RuleSpec rule;
  model::UdpSettings udp;
};
/// Drain a rule; answered by on_removed() whenever that is done, in this session or a later one.
/// `replaced`: the same id is activated next, and its counters go on.
struct Remove {
  RuleId id;
  std::uint64_t ticket;
  bool replaced;
};
/// Other caps for a live rule; nothing = none.
struct LimitRule {
  RuleId id;
  std::optional<model::RateLimit> limit;
};
/// Other UDP settings for a live rule.
struct TuneUdp {
  RuleId id;
  model::UdpSettings udp;
};
/// Other caps for an owner; nothing = none.
struct LimitOwner {
  std::string owner_id;
  std::optional<model::RateLimit> limit;
};
struct SetQuota {
  std::string owner_id;
  std::string client_name;  ///< for the log, like the next one
  std::int64_t monthly_bytes;
  std::uint64_t remaining;
  bool exhausted;
};
struct RemoveQuota {
  std::string owner_id;
  std::string client_name;
};
/// Tell the server.
struct SendStatus {
  v1::RuleStatus status;
};
/// End the attempt and try again.
struct GiveUp {
  std::string error;
};

/// What the protocol decides, to be carried out in order.
using Action = std::variant<Established, Activate, Remove, LimitRule, TuneUdp, LimitOwner, SetQuota,
                            RemoveQuota, SendStatus, GiveUp>;
using Actions = std::vector<Action>;

}  // namespace portunus::client::agent
