#pragma once

#include <cstdint>

#include "common/net/endpoint.hpp"
#include "dataplane/tcp/fwd.hpp"

namespace portunus::dataplane::tcp {

/// The gates of a new connection (data-plane section 4, step 2; SNI-9): its owner's quota, then the
/// limits of owner and rule. A refusal is counted and logged; the caller resets the connection
/// (RL-5). What is admitted must limits::leave() whatever becomes of it.
bool admit_connection(TcpRule& rule, std::uint16_t port, const net::Endpoint& peer);

}  // namespace portunus::dataplane::tcp
