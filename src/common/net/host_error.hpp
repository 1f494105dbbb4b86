#pragma once

#include <cerrno>

namespace portunus::net {

/// Errors of a host that has no descriptor, memory or buffer left. They say nothing of the peer.
constexpr bool is_of_this_host(int error) {
  return error == EMFILE || error == ENFILE || error == ENOMEM || error == ENOBUFS;
}

}  // namespace portunus::net
