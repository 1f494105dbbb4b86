#pragma once

#include <cstdint>

#include "common/net/endpoint.hpp"
#include "dataplane/tcp/fwd.hpp"

namespace portunus::dataplane::tcp {

/// How a connection came to its rule: by its port, or by the name it asks for (SNI-9).
enum class Arrived : std::uint8_t { at_port, by_name };

/// The gates of a new connection (data-plane section 4, step 2): its owner's quota, then the
/// limits of owner and rule. A refusal is counted and logged; the caller resets the connection
/// (RL-5). What is admitted must limits::leave() whatever becomes of it.
bool admit_connection(TcpRule& rule, Arrived how, std::uint16_t port, const net::Endpoint& peer);

}  // namespace portunus::dataplane::tcp
