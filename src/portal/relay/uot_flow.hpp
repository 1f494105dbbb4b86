#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "portal/protocol/uot.hpp"
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
/// side ends or nothing complete passes for the idle time. `reader` may hold bytes behind the setup
/// frame. Counts UDPRX and UDPTX, not UDPS. When it returns, nothing of it runs any more; the
/// client's stream is aborted and the target closed, unless the client ended cleanly. Ends soon
/// after its coroutine is cancelled.
Task<UotEnd> relay_uot(ByteStream& client, UdpTarget& target, protocol::UotReader& reader,
                       const UotTerms& terms);

}  // namespace portunus::portal::relay
