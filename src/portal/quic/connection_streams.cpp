// The connection's bookkeeping of its streams: credit in both directions, buffers, ends.
#include <algorithm>
#include <utility>

#include "portal/quic/connection.hpp"
#include "portal/quic/endpoint.hpp"
#include "portal/quic/library.hpp"
#include "portal/quic/stream_core.hpp"
#include "portal/relay/errc.hpp"

namespace portunus::portal::quic {

async::Task<Result<std::unique_ptr<Stream>>> Connection::accept_stream() {
  while (incoming_.empty()) {
    if (ending_) co_return portunus::fail(Error(ending_->cause, ending_->reason));
    const bool go_on = co_await stream_arrived_.wait();
    if (!go_on) co_return portunus::fail(Errc::cancelled);
  }
  auto stream = std::make_unique<Stream>(std::move(incoming_.front()));
  incoming_.pop_front();
  co_return stream;
}

async::Task<Result<std::unique_ptr<Stream>>> Connection::open_stream() {
  for (;;) {
    if (ending_) co_return portunus::fail(Error(ending_->cause, ending_->reason));
    if (stream_credit() > 0) break;
    const bool go_on = co_await credit_arrived_.wait();
    if (!go_on) co_return portunus::fail(Errc::cancelled);
  }
  std::int64_t id = -1;
  if (ngtcp2_conn_open_bidi_stream(conn_, &id, nullptr) != 0) {
    co_return portunus::fail(Errc::out_of_memory);
  }
  co_return std::make_unique<Stream>(add_stream(id));
}

std::uint64_t Connection::stream_credit() const {
  if (state_ != State::live || !handshake_completed_) return 0;
  return ngtcp2_conn_get_streams_bidi_left(conn_);
}

std::shared_ptr<StreamCore> Connection::add_stream(std::int64_t id) {
  auto stream = std::make_shared<StreamCore>(*this, id, endpoint_.blocks_,
                                             endpoint_.context().get_executor());
  streams_[id] = stream;
  alive_->push_back(*stream);
  ngtcp2_conn_set_stream_user_data(conn_, id, stream.get());
  return stream;
}

/// Both halves have ended on the wire; nothing of the library points into its buffer any more.
void Connection::close_stream(StreamCore& stream) {
  const std::size_t kept = stream.out.size();
  stream.out.clear();
  stream.in_flight = 0;
  released(kept);
  if (!stream.fin_received) stream.fail_reads(Errc::stream_reset);
  if (!stream.fin_sent) stream.fail_writes(Errc::stream_stopped);
  stream.SendHook::unlink();
  stream.closed = true;
  if (stream.released) give_place_back(stream);
  streams_.erase(stream.id);
}

/// What is done for a stream counts until it has ended too: a peer that resets its streams has no
/// more of them served at once than one that does not.
void Connection::release_stream(StreamCore& stream) {
  stream.released = true;
  if (!stream.closed || state_ != State::live) return;
  give_place_back(stream);
  schedule();
}

void Connection::give_place_back(const StreamCore& stream) {
  if (ngtcp2_conn_is_local_stream(conn_, stream.id) != 0) return;
  ++streams_finished_;
  grant_streams();
}

void Connection::raise_credit(std::uint64_t streams) {
  if (raised_ || state_ != State::live) return;
  raised_ = true;
  streams_at_once_ = streams;
  grant_streams();
  if (settings_->data_window > settings_->initial_data) {
    ngtcp2_conn_extend_max_offset(conn_, settings_->data_window - settings_->initial_data);
  }
  schedule();
}

/// Before raise_credit() a finished stream makes no room for another one (portal section 9).
void Connection::grant_streams() {
  if (!raised_) return;
  const std::uint64_t allowed = streams_at_once_ + streams_finished_;
  if (allowed <= streams_granted_) return;
  ngtcp2_conn_extend_max_streams_bidi(conn_, allowed - streams_granted_);
  streams_granted_ = allowed;
}

void Connection::consumed(StreamCore& stream, std::size_t bytes) {
  if (state_ != State::live) return;
  if (!stream.reading_stopped) ngtcp2_conn_extend_max_stream_offset(conn_, stream.id, bytes);
  ngtcp2_conn_extend_max_offset(conn_, bytes);
  schedule();
}

void Connection::want_to_send(StreamCore& stream) {
  if (state_ != State::live || !stream.has_something_to_send()) return;
  if (!stream.SendHook::is_linked()) sending_->push_back(stream);
  schedule();
}

std::size_t Connection::room_for(StreamCore& stream) {
  if (buffered_ >= settings_->unacknowledged) {
    writers_wait_ = true;
    return 0;
  }
  const std::size_t unsent = stream.unsent();
  if (unsent >= kUnsentPerStream) return 0;
  return std::min<std::uint64_t>(kUnsentPerStream - unsent, settings_->unacknowledged - buffered_);
}

bool Connection::append(StreamCore& stream, std::span<const std::uint8_t> bytes) {
  if (!stream.out.append(bytes)) return false;
  buffered_ += bytes.size();
  want_to_send(stream);
  return true;
}

/// Writers that met the connection's bound go on once a quarter of it is free again.
void Connection::released(std::size_t bytes) {
  buffered_ -= bytes;
  if (!writers_wait_ || buffered_ > settings_->unacknowledged / 4 * 3) return;
  writers_wait_ = false;
  for (StreamCore& stream : *alive_) stream.writable.notify();
}

void Connection::reset_stream(StreamCore& stream) {
  stream.fail_writes(relay::Errc::aborted);
  stream.SendHook::unlink();
  if (state_ != State::live) return;
  ngtcp2_conn_shutdown_stream_write(conn_, 0, stream.id, 0);
  schedule();
}

void Connection::stop_stream(StreamCore& stream) {
  stream.reading_stopped = true;
  if (state_ != State::live) return;
  ngtcp2_conn_shutdown_stream_read(conn_, 0, stream.id, 0);
  schedule();
}

}  // namespace portunus::portal::quic
