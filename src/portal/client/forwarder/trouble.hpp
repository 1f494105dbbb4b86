#pragma once

#include <functional>

#include "common/base/result.hpp"
#include "common/net/endpoint.hpp"

namespace portunus::portal::client::forwarder {

/// Told of connections and flows that came to nothing, broke or were cut, with the local user's
/// address. May be empty.
using OnTrouble = std::function<void(const net::Endpoint& client, const Error& why)>;

}  // namespace portunus::portal::client::forwarder
