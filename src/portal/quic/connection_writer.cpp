// What a connection has to say, written into packets.
#include <algorithm>
#include <array>

#include "portal/quic/close_path.hpp"
#include "portal/quic/connection.hpp"
#include "portal/quic/endpoint.hpp"
#include "portal/quic/endpoint_socket.hpp"
#include "portal/quic/library.hpp"
#include "portal/quic/packet_batch.hpp"
#include "portal/quic/stream_core.hpp"

namespace portunus::portal::quic {

namespace {

/// How many streams are asked for something that goes into one packet.
constexpr unsigned kStreamsPerPacket = 16;

}  // namespace

/// One packet in the making. Several frames may come together in it.
struct Connection::Space {
  ngtcp2_path_storage path;
  ngtcp2_pkt_info info{};
  std::span<std::uint8_t> bytes;
  ngtcp2_tstamp now = 0;
};

PacketWay way_of(const ngtcp2_path& path) {
  const auto* socket = static_cast<const UdpSocket*>(path.user_data);
  return {.fd = socket->fd(),
          .connected = socket->connected(),
          .local = address_of(path.local),
          .remote = address_of(path.remote),
          .limit = nullptr};
}

/// As much as pacing allows in one go; the timer brings it back for the rest.
bool Connection::write() {
  if (state_ != State::live) return true;
  const ngtcp2_tstamp now = library_now();
  const std::size_t size = ngtcp2_conn_get_max_tx_udp_payload_size(conn_);
  const std::size_t quantum = std::max(ngtcp2_conn_get_send_quantum(conn_), size);
  std::size_t written = 0;
  while (written + size <= quantum) {
    Space space;
    space.now = now;
    space.bytes = endpoint_.reserve(size);
    if (space.bytes.empty()) return false;
    ngtcp2_path_storage_zero(&space.path);
    const std::int64_t n = write_packet(space);
    if (n < 0) {
      fail(static_cast<int>(n));
      return true;
    }
    if (n == 0) break;
    PacketWay way = way_of(space.path.path);
    way.limit = &segment_limit_;
    endpoint_.batch_->commit(way, static_cast<std::size_t>(n));
    written += static_cast<std::size_t>(n);
  }
  ngtcp2_conn_update_pkt_tx_time(conn_, now);
  arm_timer();
  return true;
}

/// The size of the packet, 0 when nothing may or need be sent now, or the library's error. Streams
/// and DATAGRAMs take turns at being first.
std::int64_t Connection::write_packet(Space& space) {
  const bool datagrams_first = datagrams_first_;
  datagrams_first_ = !datagrams_first_;
  if (datagrams_first) {
    if (const auto n = write_datagram_frames(space)) return *n;
    if (const auto n = write_stream_frames(space)) return *n;
  } else {
    if (const auto n = write_stream_frames(space)) return *n;
    if (const auto n = write_datagram_frames(space)) return *n;
  }
  return ngtcp2_conn_writev_stream(conn_, &space.path.path, &space.info, space.bytes.data(),
                                   space.bytes.size(), nullptr, NGTCP2_WRITE_STREAM_FLAG_NONE, -1,
                                   nullptr, 0, space.now);
}

/// Nothing when the packet has room for more.
std::optional<std::int64_t> Connection::write_datagram_frames(Space& space) {
  if (!handshake_completed_) return std::nullopt;
  while (const auto datagram = unsent_.front()) {
    // The path may have become narrower since it was queued.
    if (datagram->size() > max_datagram()) {
      unsent_.pop();
      continue;
    }
    int accepted = 0;
    ngtcp2_vec piece{const_cast<std::uint8_t*>(datagram->data()), datagram->size()};
    const ngtcp2_ssize n = ngtcp2_conn_writev_datagram(
        conn_, &space.path.path, &space.info, space.bytes.data(), space.bytes.size(), &accepted,
        NGTCP2_WRITE_DATAGRAM_FLAG_MORE, 0, &piece, 1, space.now);
    if (accepted != 0) unsent_.pop();
    if (n == NGTCP2_ERR_WRITE_MORE) continue;
    if (n == NGTCP2_ERR_INVALID_ARGUMENT || n == NGTCP2_ERR_INVALID_STATE) {
      unsent_.pop();
      continue;
    }
    return n;
  }
  return std::nullopt;
}

std::optional<std::int64_t> Connection::write_stream_frames(Space& space) {
  const bool credit = ngtcp2_conn_get_max_data_left(conn_) > 0;
  for (unsigned tries = 0; tries < kStreamsPerPacket && !sending_->empty(); ++tries) {
    StreamCore& stream = sending_->front();
    if (!stream.has_something_to_send()) {
      sending_->pop_front();
      continue;
    }
    if (stream.unsent() > 0 && !credit) {
      // MAX_DATA comes without a callback, so the stream stays in line.
      sending_->splice(sending_->end(), *sending_, sending_->begin());
      continue;
    }
    if (const auto n = write_stream_frame(space, stream)) return n;
  }
  return std::nullopt;
}

std::optional<std::int64_t> Connection::write_stream_frame(Space& space, StreamCore& stream) {
  std::array<std::span<std::uint8_t>, 4> pieces;
  const std::size_t count = stream.out.pieces(stream.in_flight, pieces);
  std::array<ngtcp2_vec, 4> vectors;
  std::size_t offered = 0;
  for (std::size_t i = 0; i < count; ++i) {
    vectors[i] = {pieces[i].data(), pieces[i].size()};
    offered += pieces[i].size();
  }
  const bool last = stream.fin_wanted && offered == stream.unsent();
  const std::uint32_t flags =
      NGTCP2_WRITE_STREAM_FLAG_MORE | (last ? NGTCP2_WRITE_STREAM_FLAG_FIN : 0U);
  ngtcp2_ssize taken = -1;
  const ngtcp2_ssize n = ngtcp2_conn_writev_stream(
      conn_, &space.path.path, &space.info, space.bytes.data(), space.bytes.size(), &taken, flags,
      stream.id, vectors.data(), count, space.now);
  if (taken >= 0) {
    stream.in_flight += static_cast<std::size_t>(taken);
    if (last && static_cast<std::size_t>(taken) == offered) stream.fin_sent = true;
    if (stream.unsent() <= kUnsentPerStream / 2) stream.writable.notify();
  }
  if (n == NGTCP2_ERR_STREAM_DATA_BLOCKED) {
    // Of the connection's credit too, where that ran out within this packet.
    stream.blocked = ngtcp2_conn_get_max_data_left(conn_) > 0;
  } else if (n == NGTCP2_ERR_STREAM_SHUT_WR || n == NGTCP2_ERR_STREAM_NOT_FOUND) {
    stream.fail_writes(Errc::stream_stopped);
  }
  if (stream.has_something_to_send()) {
    sending_->splice(sending_->end(), *sending_, sending_->iterator_to(stream));
  } else {
    stream.SendHook::unlink();
  }
  if (n >= 0) return n;
  const bool go_on = n == NGTCP2_ERR_WRITE_MORE || n == NGTCP2_ERR_STREAM_DATA_BLOCKED ||
                     n == NGTCP2_ERR_STREAM_SHUT_WR || n == NGTCP2_ERR_STREAM_NOT_FOUND;
  if (go_on) return std::nullopt;
  return n;
}

}  // namespace portunus::portal::quic
