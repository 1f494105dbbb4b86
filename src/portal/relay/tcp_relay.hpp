#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "portal/relay/buffer_pool.hpp"
#include "portal/relay/byte_stream.hpp"
#include "portal/relay/counters.hpp"
#include "portal/relay/pacer.hpp"

namespace portunus::portal::relay {

/// What all relays of a core share; kept by its owner.
struct RelayTerms {
  /// For what is on its way. A size of 0 is taken literally: every read is the end.
  BufferPool& buffers;
  /// How long one half may go on after the other's clean end, however busy.
  std::chrono::nanoseconds half_close_grace{};
  Pacers& pacers;
  CoreCounters& counters;
};

struct RelayEnd {
  enum class Cause : std::uint8_t {
    both_ended,     ///< each half ended cleanly
    grace_expired,  ///< a normal end too
    failed,         ///< `error` says in which way
    stopped,        ///< the caller was cancelled
  } cause = Cause::both_ended;
  std::optional<Error> error;
  /// Read from the client; written to the client.
  std::uint64_t uplink = 0;
  std::uint64_t downlink = 0;
};

/// Carries bytes both ways between a client's stream and its target until both halves have ended,
/// one fails or the grace is over (portal 11). `early` are bytes of the client that were read
/// behind its request; they go first. Counts TCPRX and TCPTX, not TCPS. When it returns, nothing of
/// it runs any more, and unless both halves ended cleanly both streams are aborted. Ends soon after
/// its coroutine is cancelled.
///
/// Also the client's relay, with the local user as `client` and the Portal as `target`.
Task<RelayEnd> relay_tcp(ByteStream& client, ByteStream& target, std::span<const std::byte> early,
                         const RelayTerms& terms);

}  // namespace portunus::portal::relay
