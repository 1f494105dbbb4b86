#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>

#include "common/async/task.hpp"
#include "common/base/result.hpp"
#include "common/net/endpoint.hpp"
#include "portal/relay/byte_stream.hpp"

namespace portunus::portal::quic {

struct StreamCore;

/// One end of a bidirectional QUIC stream. Lives on its connection's thread and may outlive the
/// connection: then every call fails with the connection's error. One reader and one writer at a
/// time. Destroying it abandons what is not finished: RESET_STREAM and STOP_SENDING, code 0.
class Stream final : public relay::ByteStream {
 public:
  explicit Stream(std::shared_ptr<StreamCore> core);
  ~Stream() override;
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;

  std::int64_t id() const;

  /// Ends when the peer has given the stream up, so that nothing need be done for it any more: it
  /// has reset its half, or ended it and refuses ours, or the connection has ended.
  async::Task<void> given_up();

  async::Task<void> readable() override;
  /// What is there, at least one byte; 0 = FIN. Credit for the peer grows as bytes are taken.
  /// Errc::stream_reset, or the connection's error.
  async::Task<Result<std::size_t>> read_some(std::span<std::byte> into) override;
  /// Returns when all is taken over; it may still have to be sent. Waits for room: at most 256 KiB
  /// of a stream are unsent, and Settings::unacknowledged of the connection unacknowledged.
  /// Errc::stream_stopped, or the connection's error.
  async::Task<Result<>> write_all(std::span<const std::byte> bytes) override;
  /// FIN behind what was written. Never waits. Idempotent.
  async::Task<Result<>> finish() override;
  /// The same for code that is no coroutine.
  void finish_now();
  /// STOP_SENDING 0: what still comes is not wanted, and is dropped. Nothing after a FIN.
  void stop_reading();
  /// RESET_STREAM and STOP_SENDING, code 0; waiting calls fail with relay::Errc::aborted.
  void abort() noexcept override;

  /// The connection's, of the path in use at the time; nothing once it is gone.
  std::optional<net::Endpoint> peer_endpoint() const override;
  std::optional<net::Endpoint> local_endpoint() const override;

 private:
  void drop_unread();

  std::shared_ptr<StreamCore> core_;
};

}  // namespace portunus::portal::quic
