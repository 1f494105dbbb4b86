#pragma once

#include <sys/socket.h>

#include "common/net/unique_fd.hpp"

namespace portunus::dataplane::tcp {

/// Closes so that the peer sees a reset, whatever is under way (TCP-7, RL-5).
inline void reset_connection(net::UniqueFd socket) {
  const linger now{.l_onoff = 1, .l_linger = 0};
  ::setsockopt(socket.get(), SOL_SOCKET, SO_LINGER, &now, sizeof now);
}

}  // namespace portunus::dataplane::tcp
