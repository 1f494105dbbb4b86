#pragma once

#include <netdb.h>

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "common/async/task.hpp"
#include "common/base/result.hpp"
#include "common/net/endpoint.hpp"

namespace portunus::name_lookup {

/// ::getaddrinfo; tests put their own in its place.
using SystemResolver = int (*)(const char* host, const char* service, const addrinfo* hints,
                               addrinfo** found);

/// So many lookups may hang at a time; another one fails at once.
inline constexpr int kMostHangingLookups = 4;

/// The addresses to dial for a host, in the resolver's order; one for an address, which is without
/// brackets and needs no lookup. Details of errors name the host.
///
/// The system resolver cannot be interrupted, and with dead name servers it takes longer than
/// anybody may wait for it. So each lookup has a thread of its own, which nobody joins: one that
/// was given up ends whenever it is answered, and delays neither the next attempt nor the end of
/// the process.
async::Task<Result<std::vector<net::Endpoint>>> look_up(std::string host, std::uint16_t port,
                                                        std::chrono::steady_clock::duration limit,
                                                        SystemResolver resolver = &::getaddrinfo);

}  // namespace portunus::name_lookup
