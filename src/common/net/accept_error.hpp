#pragma once

#include <cerrno>

namespace portunus::net {

/// Errors of the connection that was to be accepted, not of accepting (accept(2)): the next one is
/// taken at once.
constexpr bool is_of_the_peer(int error) {
  switch (error) {
    case EINTR:
    case ECONNABORTED:
    case EPERM:
    case EPROTO:
    case ENETDOWN:
    case ENOPROTOOPT:
    case EHOSTDOWN:
    case ENONET:
    case EHOSTUNREACH:
    case EOPNOTSUPP:
    case ENETUNREACH:
      return true;
    default:
      return false;
  }
}

}  // namespace portunus::net
