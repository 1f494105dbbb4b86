#include "dataplane/tcp/one_way.hpp"

#include <fcntl.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "dataplane/tcp/tcp_rule.hpp"

namespace portunus::dataplane::tcp {
namespace {

/// What one connection may move in one direction before the others of its worker go on.
constexpr std::size_t kShare = std::size_t{1} << 20;
/// What one splice may take: a pipe's slots may carry far more than its nominal size.
constexpr std::size_t kSpliceChunk = std::size_t{1} << 20;
/// A wake-up that moves less than this is served cheaper by copying.
constexpr std::size_t kWorthSplice = kBufferSize / 2;

/// Errors by which a kernel or a sandbox says that it has no splice for this socket (SPL-3).
bool is_unsupported(int error) {
  return error == ENOSYS || error == EINVAL || error == EPERM || error == EOPNOTSUPP;
}

bool would_block(int error) {
  return error == EAGAIN || error == EWOULDBLOCK;
}

ssize_t splice_bytes(int from, int to, std::size_t size) {
  ssize_t n;
  do {
    n = ::splice(from, nullptr, to, nullptr, size, SPLICE_F_MOVE | SPLICE_F_NONBLOCK);
  } while (n < 0 && errno == EINTR);
  return n;
}

ssize_t send_bytes(int to, std::span<const std::byte> bytes, int flags) {
  ssize_t n;
  do {
    n = ::send(to, bytes.data(), bytes.size(), flags | MSG_NOSIGNAL);
  } while (n < 0 && errno == EINTR);
  return n;
}

}  // namespace

std::unique_ptr<Pipe> take_pipe(PipePool& pipes, TcpRule& rule) {
  PipePool::Taken taken = pipes.take();
  if (taken.resize_errno != 0) {
    rule.log_pipe_size(PipePool::kWanted, taken.default_bytes, taken.resize_errno);
  }
  return std::move(taken.pipe);
}

OneWay::Step OneWay::run(RelayTools& tools, TcpRule& rule, Leg& from, Leg& to) {
  std::size_t moved = 0;
  while (true) {
    switch (flush(tools, to)) {
      case Flush::clear:
        break;
      case Flush::blocked:
        return Step::waiting;
      case Flush::failed:
        return Step::failed;
    }
    if (cut_) {
      release(tools);
      return Step::cut_off;
    }
    if (eof_) {
      release(tools);
      ended_ = true;
      return Step::ended;
    }
    if (!from.readable) {
      source_drained(tools, moved);
      return Step::waiting;
    }
    if (moved >= kShare) return Step::more;
    moved += receive_some(tools, rule, from, to);
    if (error_ != 0) return Step::failed;
  }
}

std::size_t OneWay::receive_some(RelayTools& tools, TcpRule& rule, Leg& from, Leg& to) {
  if (bulk_ && !from.urgent && have_pipe(tools, rule)) return fill_pipe(tools, rule, from);
  if (shaper_ != nullptr) return copy_shaped(tools, from);
  return copy(tools, from, to);
}

void OneWay::cut_off() {
  cut_ = true;
  if (shaper_ != nullptr) shaper_->leave();
  shaper_ = nullptr;
}

void OneWay::release(RelayTools& tools) {
  if (metered_ && held_ > 0) {
    quota_->refund({.bytes = held_, .epoch = quota_epoch_, .metered = true}, held_);
    metered_ = false;
  }
  if (rest_) tools.buffers.put(std::move(rest_));
  if (!pipe_) return;
  // What a quota did not grant is still in the pipe (SPL-5).
  if (held_ == 0 && !cut_) {
    tools.pipes.put(std::move(pipe_));
  } else {
    tools.pipes.discard(std::move(pipe_));
  }
}

OneWay::Flush OneWay::flush(RelayTools& tools, Leg& to) {
  if (held_ == 0) return Flush::clear;
  if (shaper_ != nullptr) return flush_shaped(tools, to);
  if (!to.writable) return Flush::blocked;
  return rest_ ? flush_buffer(tools, to, held_) : flush_pipe(to);
}

OneWay::Flush OneWay::flush_shaped(RelayTools& tools, Leg& to) {
  while (held_ > 0) {
    if (paid_ == 0) paid_ = shaper_->pay(held_);
    if (paid_ == 0 || !to.writable) return Flush::blocked;
    const std::size_t before = held_;
    const Flush done = flush_buffer(tools, to, paid_);
    paid_ -= before - held_;
    if (done != Flush::clear) return done;
  }
  return Flush::clear;
}

OneWay::Flush OneWay::flush_buffer(RelayTools& tools, Leg& to, std::size_t size) {
  const ssize_t n = send_bytes(to.fd, {rest_.get() + rest_at_, size}, 0);
  if (n < 0 && !would_block(errno)) {
    error_ = errno;
    return Flush::failed;
  }
  const std::size_t sent = n > 0 ? static_cast<std::size_t>(n) : 0;
  delivered_ += sent;
  held_ -= sent;
  rest_at_ += static_cast<std::uint32_t>(sent);
  if (sent < size) {
    to.writable = false;
    return Flush::blocked;
  }
  if (held_ == 0) tools.buffers.put(std::move(rest_));
  return Flush::clear;
}

OneWay::Flush OneWay::flush_pipe(Leg& to) {
  const ssize_t n = splice_bytes(pipe_->read_end.get(), to.fd, held_);
  if (n < 0 && !would_block(errno)) {
    error_ = errno;
    return Flush::failed;
  }
  const std::size_t sent = n > 0 ? static_cast<std::size_t>(n) : 0;
  delivered_ += sent;
  held_ -= sent;
  if (held_ == 0) return Flush::clear;
  // The kernel goes on until the socket refuses, so a part is as good as a refusal.
  to.writable = false;
  return Flush::blocked;
}

std::size_t OneWay::receive(Leg& from, std::span<std::byte> space) {
  ssize_t n;
  do {
    n = ::recv(from.fd, space.data(), space.size(), 0);
  } while (n < 0 && errno == EINTR);
  if (n <= 0) {
    if (n == 0) {
      eof_ = true;
    } else if (would_block(errno)) {
      from.readable = from.urgent = false;
    } else {
      error_ = errno;
    }
    return 0;
  }
  const auto got = static_cast<std::size_t>(n);
  if (got < space.size() && !from.urgent) {
    // A short read has emptied the queue; the next arrival is a new event, and if the peer has
    // finished there is none.
    from.readable = false;
    eof_ = from.hung_up;
  }
  return got;
}

std::size_t OneWay::debit(std::size_t received) {
  if (quota_ == nullptr || !quota_->metered()) {
    metered_ = false;
    return received;
  }
  const quota::QuotaGate::Grant grant = quota_->take(received);
  metered_ = grant.metered;
  quota_epoch_ = grant.epoch;
  if (grant.bytes < received) cut_ = true;
  return static_cast<std::size_t>(grant.bytes);
}

std::size_t OneWay::copy(RelayTools& tools, Leg& from, Leg& to) {
  const std::size_t got = receive(from, tools.scratch);
  if (got == 0) return 0;
  held_ = debit(got);
  if (held_ == 0) return got;
  // At the end of the stream the FIN that follows at once takes the last bytes along.
  const auto bytes = tools.scratch.first(held_);
  const ssize_t n = send_bytes(to.fd, bytes, eof_ || cut_ ? MSG_MORE : 0);
  if (n < 0 && !would_block(errno)) {
    error_ = errno;
    return 0;
  }
  const std::size_t sent = n > 0 ? static_cast<std::size_t>(n) : 0;
  delivered_ += sent;
  held_ -= sent;
  if (held_ > 0) {
    to.writable = false;
    if (!hold(tools, bytes.subspan(sent))) error_ = ENOMEM;
  }
  if (got == tools.scratch.size()) bulk_ = splice_ != nullptr && !splice_->unsupported;
  return got;
}

std::size_t OneWay::copy_shaped(RelayTools& tools, Leg& from) {
  if (!rest_) rest_ = tools.buffers.take();
  if (!rest_) {
    error_ = ENOMEM;
    return 0;
  }
  const std::size_t got = receive(from, {rest_.get(), shaper_->chunk()});
  rest_at_ = 0;
  held_ = got > 0 ? debit(got) : 0;
  if (held_ == 0) tools.buffers.put(std::move(rest_));
  return got;
}

std::size_t OneWay::fill_pipe(RelayTools& tools, TcpRule& rule, Leg& from) {
  const ssize_t n = splice_bytes(from.fd, pipe_->write_end.get(), kSpliceChunk);
  if (n > 0) {
    splice_->begun = true;
    held_ = debit(static_cast<std::size_t>(n));
    return static_cast<std::size_t>(n);
  }
  if (n == 0) {
    // Perhaps the end; but before an urgent mark splice says so too, so a receive must confirm it.
    bulk_ = false;
  } else if (would_block(errno)) {
    from.readable = false;
  } else {
    splice_failed(tools, rule, errno);
  }
  return 0;
}

void OneWay::splice_failed(RelayTools& tools, TcpRule& rule, int error) {
  if (splice_->begun || !is_unsupported(error)) {
    error_ = error;
    return;
  }
  // The line is of the connection; the other direction may have been about to splice as well.
  if (!splice_->unsupported) rule.log_splice_fallback(error);
  splice_->unsupported = true;
  splice_ = nullptr;
  bulk_ = false;
  release(tools);
}

bool OneWay::hold(RelayTools& tools, std::span<const std::byte> rest) {
  rest_ = tools.buffers.take();
  if (!rest_) return false;
  std::memcpy(rest_.get(), rest.data(), rest.size());
  rest_at_ = 0;
  return true;
}

bool OneWay::have_pipe(RelayTools& tools, TcpRule& rule) {
  if (pipe_) return true;
  pipe_ = take_pipe(tools.pipes, rule);
  // No pipe, or too small a one: this connection goes on by copying (SPL-7).
  if (pipe_) return true;
  splice_ = nullptr;
  bulk_ = false;
  return false;
}

void OneWay::source_drained(RelayTools& tools, std::size_t moved) {
  if (pipe_) tools.pipes.put(std::move(pipe_));
  if (moved < kWorthSplice) bulk_ = false;
}

}  // namespace portunus::dataplane::tcp
