#pragma once

#include <expected>

#include "common/net/endpoint.hpp"
#include "common/net/unique_fd.hpp"

namespace portunus::dataplane::tcp {

/// A socket on its way to `target`: writable without an error once it is connected. The error is
/// an errno. Never blocks.
std::expected<net::UniqueFd, int> begin_dial(const net::Endpoint& target);

}  // namespace portunus::dataplane::tcp
