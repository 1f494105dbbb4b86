#pragma once

#include <boost/intrusive/list.hpp>
#include <cstdint>
#include <memory>
#include <optional>

#include "common/base/result.hpp"
#include "portal/quic/errc.hpp"
#include "portal/quic/stream_buffers.hpp"
#include "portal/quic/wake_up.hpp"

namespace portunus::portal::quic {

class Connection;

using SendHook =
    boost::intrusive::list_base_hook<boost::intrusive::tag<struct SendTag>,
                                     boost::intrusive::link_mode<boost::intrusive::auto_unlink>>;

using LiveHook =
    boost::intrusive::list_base_hook<boost::intrusive::tag<struct LiveTag>,
                                     boost::intrusive::link_mode<boost::intrusive::auto_unlink>>;

/// A stream as its connection and its user share it. The connection keeps it until the stream is
/// closed on the wire, because the library points into `out` until all of it is acknowledged; the
/// user's Stream keeps it for as long as it likes.
struct StreamCore : SendHook, LiveHook {
  StreamCore(Connection& owner, std::int64_t number, std::shared_ptr<BlockPool> pool,
             const boost::asio::any_io_executor& executor)
      : connection(&owner),
        id(number),
        in(pool),
        out(std::move(pool)),
        readable(executor),
        writable(executor),
        peer_acted(executor) {}

  /// Null when the connection has ended. A stream that is closed on the wire still has it: what is
  /// read of it from then on is credit for others.
  Connection* connection;
  const std::int64_t id;

  /// Received, not yet read.
  BlockChain in;
  bool fin_received = false;
  bool reading_stopped = false;
  std::optional<Error> read_error;

  /// Written, not yet acknowledged; the first `in_flight` bytes were sent.
  BlockChain out;
  std::size_t in_flight = 0;
  bool fin_wanted = false;
  bool fin_sent = false;
  /// The peer's stream credit is used up.
  bool blocked = false;
  std::optional<Error> write_error;

  /// Both halves have ended on the wire; the user has let go of it. Behind both the peer may open
  /// another one in its place.
  bool closed = false;
  bool released = false;

  WakeUp readable;
  WakeUp writable;
  /// When a half ends or fails.
  WakeUp peer_acted;

  /// The peer has reset its half, or ended it and refuses ours.
  bool given_up() const { return read_error || (fin_received && write_error); }

  std::size_t unsent() const { return out.size() - in_flight; }
  bool has_something_to_send() const {
    return !write_error && !fin_sent && !blocked && (unsent() > 0 || fin_wanted);
  }
  void fail_reads(const Error& error) {
    if (!read_error) read_error = error;
    readable.notify();
    peer_acted.notify();
  }
  void fail_writes(const Error& error) {
    if (!write_error) write_error = error;
    writable.notify();
    peer_acted.notify();
  }
};

struct SendList : boost::intrusive::list<StreamCore, boost::intrusive::base_hook<SendHook>,
                                         boost::intrusive::constant_time_size<false>> {};

struct LiveList : boost::intrusive::list<StreamCore, boost::intrusive::base_hook<LiveHook>,
                                         boost::intrusive::constant_time_size<false>> {};

/// How much of a stream may wait to be sent: enough for a window that opens, and too little for one
/// stream to take what the others need.
inline constexpr std::size_t kUnsentPerStream = 256 * 1024;

}  // namespace portunus::portal::quic
