#pragma once

#include <netdb.h>

#include <chrono>
#include <vector>

#include "client/agent/server_address.hpp"
#include "common/async/task.hpp"
#include "common/base/result.hpp"
#include "common/net/endpoint.hpp"

namespace portunus::client::agent {

/// ::getaddrinfo; tests put their own in its place.
using SystemResolver = int (*)(const char* host, const char* service, const addrinfo* hints,
                               addrinfo** found);

/// So many lookups may hang at a time; another one fails at once.
inline constexpr int kMostHangingLookups = 4;

/// The addresses to dial for a server, in the resolver's order; one for a literal, without a
/// lookup. Errc::resolve_failed or Errc::timed_out.
///
/// The system resolver cannot be interrupted, and with dead name servers it takes longer than
/// anybody may wait for it. So each lookup has a thread of its own, which nobody joins: one that
/// was given up ends whenever it is answered, and delays neither the next attempt nor the end of
/// the process.
async::Task<Result<std::vector<net::Endpoint>>> look_up(ServerAddress server,
                                                        std::chrono::steady_clock::duration limit,
                                                        SystemResolver resolver = &::getaddrinfo);

}  // namespace portunus::client::agent
