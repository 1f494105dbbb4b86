#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "common/async/task.hpp"
#include "common/base/clock.hpp"
#include "common/base/result.hpp"
#include "common/net/endpoint.hpp"
#include "dataplane/dns/resolver.hpp"

namespace portunus::portal::client {

/// Where a Portal can be reached: a literal at once, a name through the resolver, in the order in
/// which the addresses are to be tried. Errc::unreachable, Errc::timed_out at `deadline`, and
/// Errc::stopped when the coroutine is cancelled.
async::Task<Result<std::vector<net::Endpoint>>> portal_addresses(dataplane::dns::Resolver& resolver,
                                                                 std::string host,
                                                                 std::uint16_t port,
                                                                 SteadyTime deadline);

}  // namespace portunus::portal::client
