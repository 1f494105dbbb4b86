#pragma once

#include <netinet/in.h>

#include <cstdint>

#include "common/async/task.hpp"
#include "common/net/unique_fd.hpp"
#include "dataplane/forwarder/forwarder.hpp"

// What the programs share that do always the same work through the real engine, for counting
// instructions (callgrind). The engine has one worker; the main thread plays client and target in
// lock step, so that nothing depends on scheduling but how often the engine looks at its sockets.
namespace portunus::bench {

/// Says what failed, with the text of errno, and ends the program.
[[noreturn]] void give_up(const char* what);

sockaddr_in loopback(std::uint16_t port);
/// Binds to a port of the kernel's choice and returns it.
std::uint16_t bind_loopback(const net::UniqueFd& fd);

/// Activates a rule of one target on the first free port of some hundred, and returns it.
async::Task<std::uint16_t> activate(dataplane::Forwarder& engine, model::Protocol protocol,
                                    std::uint16_t target_port);

/// True once the one rule's counters show what was delivered, which may be a moment later.
async::Task<bool> all_counted(dataplane::Forwarder& engine, std::uint64_t bytes_in,
                              std::uint64_t bytes_out);

/// Runs the work, drains the engine, and returns the exit code: 0 when the work was good.
int run_fixed_work(async::Task<bool> (*work)(dataplane::Forwarder&));

}  // namespace portunus::bench
