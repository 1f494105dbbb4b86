#pragma once

#include <chrono>
#include <vector>

#include "client/agent/server_address.hpp"
#include "common/async/task.hpp"
#include "common/base/result.hpp"
#include "common/net/endpoint.hpp"

namespace portunus::client::agent {

/// The addresses to dial for a server, in the resolver's order; one for a literal, without a
/// lookup. Errc::resolve_failed or Errc::timed_out. The system resolver cannot be interrupted: a
/// lookup given up lives on in the executor's resolver thread until it answers.
async::Task<Result<std::vector<net::Endpoint>>> look_up(ServerAddress server,
                                                        std::chrono::steady_clock::duration limit);

}  // namespace portunus::client::agent
