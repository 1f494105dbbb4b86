#pragma once

#include <optional>
#include <string_view>

#include "common/model/rule.hpp"
#include "server/rules/errc.hpp"
#include "server/rules/rule_sink.hpp"

namespace portunus::server::rules {

// What a client must be able to do for a rule (http-api 8.3, control-wire 9). A closed gate never
// lets the field reach the client.

/// The first gate that the client's release keeps closed at a push. An empty version is that of a
/// client which is not connected or never named one: lists and SNI pass, the others do not.
std::optional<Errc> closed_for_release(const model::RuleSpec& spec, std::string_view version);
/// The gate of UDP rules, which asks for what the client announced.
std::optional<Errc> closed_for_udp(const model::RuleSpec& spec,
                                   const ClientCapabilities& capabilities);
/// All of them as judged at a replay, where an unknown release passes nothing.
std::optional<Errc> closed_at_replay(const model::RuleSpec& spec,
                                     const ClientCapabilities& capabilities);

}  // namespace portunus::server::rules
