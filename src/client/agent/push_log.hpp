#pragma once

#include <string>

#include "common/base/ids.hpp"
#include "common/wire/rule_wire.hpp"
#include "portunus/v1/rule.pb.h"

namespace portunus::client::agent {

// The lines about a pushed rule before the engine has it (observability section 3); what the engine
// does with it is the engine's to log.

/// A PUSH arrived.
void log_push(const v1::RuleUpdate& update);
/// It is answered FAILED, because of what it says.
void log_refusal(const v1::RuleUpdate& update, const wire::RuleRefusal& refusal);
/// The SNI group of its port did not take it, or no group can.
void log_sni_refusal(const std::string& request_id, RuleId id, const std::string& error);

}  // namespace portunus::client::agent
