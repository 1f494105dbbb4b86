#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/intrusive/list.hpp>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "common/async/task.hpp"
#include "common/base/clock.hpp"
#include "common/base/result.hpp"
#include "common/datagrams/sending.hpp"
#include "common/net/endpoint.hpp"
#include "portal/quic/connection_id.hpp"
#include "portal/quic/datagram_queue.hpp"
#include "portal/quic/errc.hpp"
#include "portal/quic/settings.hpp"
#include "portal/quic/stream.hpp"
#include "portal/quic/wake_up.hpp"

// The library's own types, so that its headers stay inside this library.
struct ngtcp2_conn;
struct ngtcp2_path;
struct ngtcp2_ccerr;

namespace portunus::portal::quic {

class ConnectionCallbacks;
class Endpoint;
class TlsSession;
class UdpSocket;
struct ClosePath;
struct LiveList;
struct SendList;

/// How a connection ended.
struct Ending {
  Errc cause = Errc::closed;
  /// The application or transport code that went over the wire; 0 without one.
  std::uint64_t code = 0;
  std::string reason;
};

using ConnectionHook =
    boost::intrusive::list_base_hook<boost::intrusive::tag<struct DirtyTag>,
                                     boost::intrusive::link_mode<boost::intrusive::auto_unlink>>;

/// One QUIC connection, of either role. Lives on its endpoint's thread; all of its interface
/// belongs there. The endpoint keeps it until nothing more is to be said to the peer; whoever holds
/// it longer finds it ended. Packets leave at the end of the turn that made them, paced, in as few
/// system calls as possible.
class Connection final : public std::enable_shared_from_this<Connection>, public ConnectionHook {
 public:
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  /// Waits for the end of the TLS handshake.
  async::Task<Result<>> handshake();
  bool handshake_completed() const { return handshake_completed_; }

  /// The next stream that the peer opens, in the order of arrival.
  async::Task<Result<std::unique_ptr<Stream>>> accept_stream();
  /// Waits until the peer allows one more.
  async::Task<Result<std::unique_ptr<Stream>>> open_stream();
  /// How many may be opened at once now.
  std::uint64_t stream_credit() const;

  /// After authentication: `streams` of the peer's may be open at once from here on, MAX_STREAMS
  /// advancing as they finish, and the window of all data is Settings::data_window. Once.
  void raise_credit(std::uint64_t streams);

  /// True when one waits; false when the connection has ended or the caller was cancelled.
  async::Task<bool> wait_for_datagram();
  /// The oldest received DATAGRAM, or nothing; valid until pop_datagram() or the next wait.
  std::optional<std::span<const std::uint8_t>> front_datagram() const { return received_.front(); }
  void pop_datagram() { received_.pop(); }

  /// Queues one DATAGRAM of two parts. False when it does not fit the path now (then it is lost),
  /// or the connection has ended. Where the queue is full, the oldest in it is dropped.
  bool send_datagram(std::span<const std::uint8_t> header, std::span<const std::uint8_t> payload);
  /// The largest DATAGRAM that fits now; 0 when the peer takes none.
  std::size_t max_datagram() const;

  /// CONNECTION_CLOSE with an application code; everything that waits fails with Errc::closed.
  /// Idempotent.
  void close(std::uint64_t code, std::string_view reason);
  /// Nothing while it lives.
  const std::optional<Ending>& ending() const { return ending_; }
  /// Waits for the end. False when the caller was cancelled.
  async::Task<bool> ended();

  /// Of the path in use, or the last one that was.
  net::Endpoint remote_endpoint() const;
  net::Endpoint local_endpoint() const;
  const Settings& settings() const { return *settings_; }

 private:
  friend class ConnectionCallbacks;
  friend class Endpoint;
  friend class Stream;
  friend struct StreamCore;

  enum class State : std::uint8_t {
    live,
    closing,   ///< this side has closed: late packets are answered with the same close
    draining,  ///< the peer has closed: late packets are swallowed
    gone,      ///< the endpoint has forgotten it
  };

  Connection(Endpoint& endpoint, std::shared_ptr<const Settings> settings);

  // Endpoint.
  void start(ngtcp2_conn* conn, std::unique_ptr<TlsSession> tls);
  /// One datagram of the wire.
  void read(const ngtcp2_path& path, std::span<const std::uint8_t> packet);
  /// Writes what may be written now. False when the socket takes no more.
  bool write();
  /// Frees the library's state; the endpoint forgets the connection.
  void release();

  // What happened.
  void on_handshake_completed();
  /// An error of the library: the peer is told, unless it is a silent one.
  void fail(int library_error);
  void peer_closed();
  void enter_closing(const ngtcp2_ccerr& error, Ending ending);
  void repeat_close();
  void forget_later();
  void end(Ending ending);
  Ending ending_of_peer() const;

  // Streams.
  std::shared_ptr<StreamCore> add_stream(std::int64_t id);
  void remove_stream(std::int64_t id);
  void close_stream(StreamCore& stream);
  void release_stream(StreamCore& stream);
  /// Of a stream that is closed and released.
  void give_place_back(const StreamCore& stream);
  void consumed(StreamCore& stream, std::size_t bytes);
  void want_to_send(StreamCore& stream);
  /// How much the stream may take over now; 0 = its writer is woken when that changes.
  std::size_t room_for(StreamCore& stream);
  bool append(StreamCore& stream, std::span<const std::uint8_t> bytes);
  /// RESET_STREAM 0 unless all was sent; what it held is dropped.
  void reset_stream(StreamCore& stream);
  /// STOP_SENDING 0.
  void stop_stream(StreamCore& stream);
  /// Bytes of a stream are no longer kept.
  void released(std::size_t bytes);
  void grant_streams();

  // Writing (connection_writer.cpp).
  struct Space;
  std::int64_t write_packet(Space& space);
  std::optional<std::int64_t> write_datagram_frames(Space& space);
  std::optional<std::int64_t> write_stream_frames(Space& space);
  std::optional<std::int64_t> write_stream_frame(Space& space, StreamCore& stream);
  void schedule();

  // Time.
  void arm_timer();
  void arm_timer_at(SteadyTime when);
  void on_timer();

  Endpoint& endpoint_;
  const std::shared_ptr<const Settings> settings_;
  std::unique_ptr<TlsSession> tls_;
  ngtcp2_conn* conn_ = nullptr;
  /// A client's; the endpoint owns it and drops it with the connection.
  UdpSocket* own_socket_ = nullptr;
  State state_ = State::live;
  /// All that the endpoint's table knows it by.
  std::vector<ConnectionId> ids_;
  net::Endpoint remote_;
  net::Endpoint local_;

  bool handshake_completed_ = false;
  bool stateless_reset_ = false;
  std::optional<Ending> ending_;
  /// The last packet of a closing connection, and how many have come since.
  std::vector<std::uint8_t> close_packet_;
  std::unique_ptr<ClosePath> close_path_;
  std::uint64_t late_packets_ = 0;

  std::unordered_map<std::int64_t, std::shared_ptr<StreamCore>> streams_;
  std::deque<std::shared_ptr<StreamCore>> incoming_;
  /// All that anybody still holds.
  std::unique_ptr<LiveList> alive_;
  /// Those that have something to send, in turn.
  std::unique_ptr<SendList> sending_;
  std::uint64_t buffered_ = 0;
  bool writers_wait_ = false;
  /// Of the peer's streams: how many may be open at once, how many it was ever allowed, how many of
  /// them are finished.
  std::uint64_t streams_at_once_ = 0;
  std::uint64_t streams_granted_ = 0;
  std::uint64_t streams_finished_ = 0;
  bool raised_ = false;
  /// Whose turn it is to be first in a packet.
  bool datagrams_first_ = true;

  /// Of its packets, by what the kernel took so far.
  datagrams::SegmentLimit segment_limit_;
  DatagramQueue received_;
  DatagramQueue unsent_;

  boost::asio::steady_timer timer_;
  bool timer_armed_ = false;
  SteadyTime timer_at_{};
  SteadyTime forget_at_{};

  WakeUp changed_;
  WakeUp stream_arrived_;
  WakeUp credit_arrived_;
  WakeUp datagram_arrived_;
};

}  // namespace portunus::portal::quic
