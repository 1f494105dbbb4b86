#pragma once

#include <cstddef>
#include <optional>
#include <span>

#include "common/async/task.hpp"
#include "common/base/result.hpp"
#include "common/net/endpoint.hpp"

namespace portunus::portal::relay {

using async::Task;

/// One ordered, two-way stream of bytes whose halves end separately: TLS over TCP, a QUIC stream or
/// a plain socket. Lives on one thread. At most one read and one write (or finish) are under way at
/// a time, by coroutines of that thread, and all have ended before it is destroyed.
///
/// What ends an operation early is abort(); whoever awaits one may not count on the cancellation
/// of his own coroutine reaching it.
class ByteStream {
 public:
  virtual ~ByteStream() = default;

  /// Ends when read_some() has something to do, at once where nobody can tell: for whoever wants
  /// to hold no buffer while he waits. Counts as a read.
  virtual Task<void> readable();

  /// Waits for bytes and takes as many as are there, `into.size()` at most. 0 is the clean end of
  /// the peer's half, and so is an empty `into`. Errc::truncated is an end that the peer did not
  /// announce where it must (TCP closed without close_notify); other errors are of the transport.
  /// What was received before an error is delivered before it; the error stays.
  virtual Task<Result<std::size_t>> read_some(std::span<std::byte> into) = 0;

  /// Ends when all bytes are with the transport, in order, flushed.
  virtual Task<Result<>> write_all(std::span<const std::byte> bytes) = 0;

  /// Ends our half cleanly (close_notify and FIN); reading goes on. Repeated calls do nothing.
  virtual Task<Result<>> finish() = 0;

  /// Ends both halves at once without any further message of the stream's own protocol. What is
  /// under way ends with Errc::aborted, by a post; so does what is asked later. Idempotent.
  virtual void abort() noexcept = 0;

  /// The peer, and our own end; nothing when the transport no longer knows.
  virtual std::optional<net::Endpoint> peer_endpoint() const = 0;
  virtual std::optional<net::Endpoint> local_endpoint() const = 0;
};

/// Fills all of `into` unless the half ends or fails first; the result is what was read.
Task<Result<std::size_t>> read_full(ByteStream& stream, std::span<std::byte> into);

}  // namespace portunus::portal::relay
