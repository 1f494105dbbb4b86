#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "common/log/event.hpp"
#include "common/model/rule.hpp"
#include "dataplane/rules/live_rule.hpp"
#include "dataplane/udp/udp_rule.hpp"

namespace portunus::dataplane {

// The lines of a rule's life as its owner sees it, for both protocols.

void log_activated(const rules::LiveRule& rule);
/// `port`: where binding failed.
void log_failed(log::Level level, const model::RuleSpec& rule, std::string_view reason,
                std::optional<std::uint16_t> port);
/// A UDP rule has been bound; it has been stopped on request.
void log_udp_started(udp::UdpRule& rule);
void log_deactivated(const rules::LiveRule& rule);
void log_removed(const rules::LiveRule& rule);

}  // namespace portunus::dataplane
