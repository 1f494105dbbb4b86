#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "portal/relay/byte_stream.hpp"
#include "portal/relay/counters.hpp"
#include "portal/relay/pacer.hpp"
#include "portal/relay/udp_target.hpp"

namespace portunus::portal::relay {

struct UotTerms {
  /// The target's packets are cut to this.
  std::size_t buffer_size = 65536;
  std::chrono::nanoseconds idle_timeout{};
  Pacers& pacers;
  CoreCounters& counters;
};

struct UotEnd {
  enum class Cause : std::uint8_t {
    client_ended,  ///< between two frames
    idle,
    failed,   ///< `error` says in which way
    stopped,  ///< the caller was cancelled
  } cause = Cause::client_ended;
  std::optional<Error> error;
  /// Payload bytes sent to the target; written to the client.
  std::uint64_t uplink = 0;
  std::uint64_t downlink = 0;
};

/// Carries packets between the frames of a UoT connection and its target (portal 13) until either
/// side ends or nothing complete passes for the idle time. `early` are bytes of the client that
/// were read behind its setup frame. Counts UDPRX and UDPTX, not UDPS. When it returns, nothing of
/// it runs any more and the target is closed; the client's stream is aborted unless it ended
/// cleanly and nothing was on its way to it. Ends soon after its coroutine is cancelled.
Task<UotEnd> relay_uot(ByteStream& client, UdpTarget& target, std::span<const std::byte> early,
                       const UotTerms& terms);

}  // namespace portunus::portal::relay
