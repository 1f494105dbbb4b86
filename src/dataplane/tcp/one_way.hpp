#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <utility>

#include "dataplane/tcp/buffer_pool.hpp"
#include "dataplane/tcp/fwd.hpp"
#include "dataplane/tcp/pipe_pool.hpp"

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

/// Takes a pipe for a connection of the rule, and reports one that could not be enlarged.
std::unique_ptr<Pipe> take_pipe(PipePool& pipes, TcpRule& rule);

/// One direction of a connection: takes bytes from one socket and delivers them to the other, in
/// order, until end of stream (data-plane section 5, D11).
///
/// Small messages go through the worker's scratch buffer. When a receive fills it, the direction
/// changes to splice through a pooled pipe, and back when little comes. Bytes that the receiver
/// does not take stay here, in a pooled buffer or the pipe, and nothing more is read until it took
/// them. With nothing in flight this holds neither. The owner calls release() before it drops it.
class OneWay {
 public:
  enum class Step {
    /// Until a socket becomes ready.
    waiting,
    /// There is more to do, but others must have their turn.
    more,
    /// Everything up to the end of the stream is delivered.
    ended,
    /// A socket failed with error().
    failed,
  };

  explicit OneWay(bool may_splice = false) : may_splice_(may_splice) {}

  Step run(RelayTools& tools, TcpRule& rule, Leg& from, Leg& to);

  /// True while delivered bytes lag behind received ones.
  bool blocked() const { return held_ > 0; }
  bool ended() const { return ended_; }
  int error() const { return error_; }
  /// The bytes that the receiving socket accepted since the last call (CNT-1).
  std::uint64_t take_delivered() { return std::exchange(delivered_, 0); }
  /// Gives back what is held; undelivered bytes are lost.
  void release(RelayTools& tools);

 private:
  enum class Flush { clear, blocked, failed };

  Flush flush(RelayTools& tools, Leg& to);
  Flush flush_buffer(RelayTools& tools, Leg& to);
  Flush flush_pipe(Leg& to);
  /// Both return the bytes read and set error_ on failure.
  std::size_t copy(RelayTools& tools, Leg& from, Leg& to);
  std::size_t fill_pipe(RelayTools& tools, TcpRule& rule, Leg& from);
  bool hold_rest(RelayTools& tools, std::span<const std::byte> rest);
  bool have_pipe(RelayTools& tools, TcpRule& rule);
  void source_drained(RelayTools& tools, std::size_t moved);

  std::unique_ptr<Pipe> pipe_;
  BufferPool::Buffer rest_;
  std::uint32_t rest_at_ = 0;
  /// Received and not delivered: in rest_ from rest_at_, or in the pipe.
  std::size_t held_ = 0;
  std::uint64_t delivered_ = 0;
  int error_ = 0;
  bool may_splice_;
  bool bulk_ = false;
  bool spliced_ = false;
  bool eof_ = false;
  bool ended_ = false;
};

}  // namespace portunus::dataplane::tcp
