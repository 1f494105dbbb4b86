#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "portal/log/log.hpp"
#include "portal/relay/tcp_relay.hpp"
#include "portal/relay/uot_flow.hpp"
#include "portal/server/services.hpp"

// What the records of sessions of either carrier say (portal 3).

namespace portunus::portal::server {

/// "portal::<carrier>: <peer>: <what><detail>", escaped. Texts that cost something are made only
/// when the level is shown.
void record(log::Log& log, log::Level level, std::string_view carrier, const net::Endpoint& peer,
            std::string_view what, std::string_view detail = {});

/// That a connection found every place for those who have not authenticated taken (portal 9). Any
/// peer can cause as many as it likes, so most of a flood is only counted.
void record_refusal(Services& services, std::string_view carrier, const net::Endpoint& peer);

std::string text_of(const std::optional<net::Endpoint>& endpoint);

/// How a relay or a flow ended, behind the endpoints that it was between.
std::string summary(const relay::RelayEnd& end);
std::string summary(const relay::UotEnd& end);

}  // namespace portunus::portal::server
