#pragma once

#include <optional>

#include "common/net/endpoint.hpp"

namespace portunus::portal::relay {

/// Both ends of a connected socket; nothing once the kernel no longer knows.
std::optional<net::Endpoint> peer_of(int fd);
std::optional<net::Endpoint> local_of(int fd);

}  // namespace portunus::portal::relay
