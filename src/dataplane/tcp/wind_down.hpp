#pragma once

#include "dataplane/tcp/fwd.hpp"
#include "dataplane/tcp/one_way.hpp"

namespace portunus::dataplane::tcp {

/// The end of a connection whose owner has no quota left (QUO-5): what was taken is delivered, both
/// legs get their FIN, and what still arrives is discarded. Closing at once would not do: a socket
/// with unread bytes is closed by a reset, which takes what is on the way to its peer with it.
///
/// Call it whenever a leg becomes ready, after cut_off() of both directions. True when nothing is
/// left to wait for: both peers have finished, or a socket has failed.
bool wind_down(RelayTools& tools, TcpRule& rule, OneWay& in, OneWay& out, Leg& down, Leg& up);

}  // namespace portunus::dataplane::tcp
