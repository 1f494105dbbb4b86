#pragma once

#include <string>

#include "common/model/rate_limit.hpp"
#include "server/http/api/json_text.hpp"
#include "server/rules/rule_service.hpp"
#include "server/store/rows.hpp"

namespace portunus::server::http::api {

// The JSON shapes of rules (http-api 7.3, 8, 9), as text.

/// A rate-limit object: only the caps that are set.
AnswerJson caps_json(const model::RateLimit& limit);
/// The answer of a push and of a change.
std::string pushed_json(const store::RuleRow& rule);
/// An element of the list of rules.
std::string rule_json(const rules::RuleView& rule);

struct StatsDetail {
  bool per_port = false;
  bool per_target = false;
};
/// `rule` has numbers.
std::string stats_json(const rules::RuleView& rule, StatsDetail detail);
/// The same as a frame of the stream has it (http-api 9.2): without the protocol and ports, and
/// with targets only where there are some.
std::string stats_frame_json(const rules::RuleView& rule, bool per_target);

}  // namespace portunus::server::http::api
