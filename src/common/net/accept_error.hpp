#pragma once

#include <cerrno>

namespace portunus::net {

/// Errors of the connection that was to be accepted, not of accepting (accept(2)): the next one is
/// taken at once. EPERM is not among them, though a firewall may say it of one: where a filter of
/// system calls does, it says so for ever, and whoever tries again at once spins.
constexpr bool is_of_the_peer(int error) {
  switch (error) {
    case EINTR:
    case ECONNABORTED:
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
