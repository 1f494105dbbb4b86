#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <utility>

#include "dataplane/quota/quota_gate.hpp"
#include "dataplane/tcp/buffer_pool.hpp"
#include "dataplane/tcp/fwd.hpp"
#include "dataplane/tcp/pipe_pool.hpp"
#include "dataplane/tcp/shaper.hpp"

namespace portunus::dataplane::tcp {

/// What is known of a connected, non-blocking socket in an edge-triggered epoll: the flags hold
/// until a call shows otherwise.
struct Leg {
  int fd = -1;
  bool readable = false;
  bool writable = false;
  /// The peer has sent its FIN: what is in the receive queue is all there will be.
  bool hung_up = false;
  /// The queue has an urgent mark, at which a read stops short and splice stops for good.
  bool urgent = false;
};

/// What every connection of a worker borrows while it moves bytes.
struct RelayTools {
  std::span<std::byte> scratch;
  PipePool& pipes;
  BufferPool& buffers;
};

/// What both directions of a connection that may splice know of it (SPL-3).
struct SpliceUse {
  /// A byte has entered a pipe: there is no way back to copying.
  bool begun = false;
  /// There is no splice for these sockets; they are copied between.
  bool unsupported = false;
};

/// Takes a pipe for a connection of the rule, and reports one that could not be enlarged.
std::unique_ptr<Pipe> take_pipe(PipePool& pipes, TcpRule& rule);

/// One direction of a connection: takes bytes from one socket and delivers them to the other, in
/// order, until end of stream (data-plane section 5, D11).
///
/// Small messages go through the worker's scratch buffer. When a receive fills it, the direction
/// changes to splice through a pooled pipe, and back when little comes. Bytes that the receiver
/// does not take stay here, in a pooled buffer or the pipe, and nothing more is read until it took
/// them. With nothing in flight this holds neither. The owner calls release() before it drops it.
///
/// A quota is debited between receiving and delivering, on every path; what it does not grant is
/// dropped and ends the direction (QUO-3). A shaped direction never splices, receives chunks into a
/// pooled buffer and delivers what its shaper has paid for.
class OneWay {
 public:
  enum class Step {
    /// Until a socket becomes ready.
    waiting,
    /// There is more to do, but others must have their turn.
    more,
    /// Everything up to the end of the stream is delivered.
    ended,
    /// Everything that the quota granted is delivered, and it grants no more; or cut_off() was
    /// called and nothing is held any more.
    cut_off,
    /// A socket failed with error().
    failed,
  };

  /// Each may be null: not to splice, no owner, and not the capped path. Kept by the caller.
  explicit OneWay(SpliceUse* splice = nullptr, quota::QuotaGate* quota = nullptr,
                  Shaper* shaper = nullptr)
      : splice_(shaper == nullptr ? splice : nullptr), quota_(quota), shaper_(shaper) {}

  Step run(RelayTools& tools, TcpRule& rule, Leg& from, Leg& to);

  /// True while delivered bytes lag behind received ones.
  bool blocked() const { return held_ > 0; }
  bool ended() const { return ended_; }
  int error() const { return error_; }
  /// The bytes that the receiving socket accepted since the last call (CNT-1).
  std::uint64_t take_delivered() { return std::exchange(delivered_, 0); }
  /// Receives no more; what is held may go without waiting for bandwidth.
  void cut_off();
  /// Gives back what is held; undelivered bytes are lost, and not debited.
  void release(RelayTools& tools);

 private:
  enum class Flush { clear, blocked, failed };

  Flush flush(RelayTools& tools, Leg& to);
  Flush flush_buffer(RelayTools& tools, Leg& to, std::size_t size);
  Flush flush_shaped(RelayTools& tools, Leg& to);
  Flush flush_pipe(Leg& to);
  /// All return the bytes read and set error_ on failure.
  std::size_t receive_some(RelayTools& tools, TcpRule& rule, Leg& from, Leg& to);
  std::size_t copy(RelayTools& tools, Leg& from, Leg& to);
  std::size_t copy_shaped(RelayTools& tools, Leg& from);
  std::size_t fill_pipe(RelayTools& tools, TcpRule& rule, Leg& from);
  std::size_t receive(Leg& from, std::span<std::byte> space);
  /// How many of the received bytes may be delivered; less than all is the end.
  std::size_t debit(std::size_t received);
  void splice_failed(RelayTools& tools, TcpRule& rule, int error);
  bool hold(RelayTools& tools, std::span<const std::byte> rest);
  bool have_pipe(RelayTools& tools, TcpRule& rule);
  void source_drained(RelayTools& tools, std::size_t moved);

  /// Null when this direction does not splice, or not any more.
  SpliceUse* splice_;
  quota::QuotaGate* quota_;
  Shaper* shaper_;
  std::unique_ptr<Pipe> pipe_;
  BufferPool::Buffer rest_;
  std::uint32_t rest_at_ = 0;
  /// Under which SET the held bytes were debited.
  std::uint32_t quota_epoch_ = 0;
  /// Received, debited and not delivered: in rest_ from rest_at_, or in the pipe.
  std::size_t held_ = 0;
  /// Of those, paid for with tokens.
  std::size_t paid_ = 0;
  std::uint64_t delivered_ = 0;
  int error_ = 0;
  bool bulk_ = false;
  bool eof_ = false;
  bool ended_ = false;
  /// The held bytes are debited from a quota.
  bool metered_ = false;
  /// Nothing is received any more.
  bool cut_ = false;
};

}  // namespace portunus::dataplane::tcp
