#pragma once

#include <atomic>
#include <cstddef>
#include <memory>
#include <vector>

#include "common/net/unique_fd.hpp"

namespace portunus::dataplane::tcp {

/// A kernel buffer between two splice calls.
struct Pipe {
  net::UniqueFd read_end;
  net::UniqueFd write_end;
  /// Bytes, as the kernel reports them.
  std::size_t capacity = 0;
};

/// How much pipe memory this process may take before the kernel would hand out useless pipes
/// (SPL-7). Shared by all workers; touched only when a pipe is made or closed.
class PipeBudget {
 public:
  /// Half of /proc/sys/fs/pipe-user-pages-soft; no bound where that is 0.
  static PipeBudget from_host();
  explicit PipeBudget(std::size_t bytes) : limit_(bytes) {}
  PipeBudget(PipeBudget&& other) noexcept : limit_(other.limit_) {}

  /// False when `bytes` more would exceed the budget.
  bool reserve(std::size_t bytes);
  void force(std::size_t bytes) { used_.fetch_add(bytes, std::memory_order_relaxed); }
  void release(std::size_t bytes) { used_.fetch_sub(bytes, std::memory_order_relaxed); }
  std::size_t used() const { return used_.load(std::memory_order_relaxed); }

 private:
  std::size_t limit_;
  std::atomic<std::size_t> used_{0};
};

/// One worker's pipes. A connection has one only while bytes are in flight (D11).
class PipePool {
 public:
  static constexpr std::size_t kWanted = std::size_t{1} << 20;
  static constexpr std::size_t kUsable = std::size_t{64} << 10;
  static constexpr std::size_t kIdleMax = 16;

  explicit PipePool(PipeBudget& budget) : budget_(budget) { idle_.reserve(kIdleMax); }
  ~PipePool();
  PipePool(const PipePool&) = delete;
  PipePool& operator=(const PipePool&) = delete;

  struct Taken {
    /// Empty of bytes; null when none can be had or it would be smaller than kUsable.
    std::unique_ptr<Pipe> pipe;
    /// Why the kernel refused to enlarge this new pipe, else 0; and the size it has instead.
    int resize_errno = 0;
    std::size_t default_bytes = 0;
  };
  Taken take();
  /// Takes back an empty pipe for the next one who needs it.
  void put(std::unique_ptr<Pipe> pipe);
  /// For a pipe that may hold bytes: they must never reach another connection (SPL-5).
  void discard(std::unique_ptr<Pipe> pipe);

  std::size_t idle() const { return idle_.size(); }

 private:
  Taken make();

  PipeBudget& budget_;
  std::vector<std::unique_ptr<Pipe>> idle_;
};

}  // namespace portunus::dataplane::tcp
