#pragma once

#include <cstddef>
#include <memory>
#include <new>
#include <utility>
#include <vector>

namespace portunus::dataplane::tcp {

/// 64 KiB: the copy buffer of data-plane section 1.
inline constexpr std::size_t kBufferSize = std::size_t{64} << 10;

/// One worker's buffers for bytes that a receiver would not take at once. A connection holds one
/// only while it is blocked so.
class BufferPool {
 public:
  using Buffer = std::unique_ptr<std::byte[]>;
  static constexpr std::size_t kIdleMax = 16;

  BufferPool() { idle_.reserve(kIdleMax); }

  /// kBufferSize bytes, uninitialised; nothing when memory is out.
  Buffer take() {
    if (idle_.empty()) return Buffer(new (std::nothrow) std::byte[kBufferSize]);
    Buffer buffer = std::move(idle_.back());
    idle_.pop_back();
    return buffer;
  }
  void put(Buffer buffer) {
    if (idle_.size() < kIdleMax) idle_.push_back(std::move(buffer));
  }
  std::size_t idle() const { return idle_.size(); }

 private:
  std::vector<Buffer> idle_;
};

}  // namespace portunus::dataplane::tcp
