#pragma once

#include <cstddef>
#include <span>
#include <utility>
#include <vector>

#include "portal/relay/buffer.hpp"

namespace portunus::portal::relay {

/// Buffers of one size for whoever has bytes in hand: taken when there is something to carry and
/// given back before the next wait, so that a thousand idle connections hold none, and busy ones
/// work in the same warm memory. One thread; outlives its leases.
class BufferPool {
 public:
  /// So many are kept when nobody has them.
  static constexpr std::size_t kKept = 32;

  explicit BufferPool(std::size_t size) : size_(size) { spare_.reserve(kKept); }
  BufferPool(const BufferPool&) = delete;
  BufferPool& operator=(const BufferPool&) = delete;

  class Lease {
   public:
    Lease(BufferPool& pool, Buffer buffer) : pool_(pool), buffer_(std::move(buffer)) {}
    ~Lease() {
      if (valid() && pool_.spare_.size() < kKept) pool_.spare_.push_back(std::move(buffer_));
    }
    Lease(const Lease&) = delete;
    Lease& operator=(const Lease&) = delete;

    /// False without memory.
    bool valid() const { return buffer_.valid(); }
    std::span<std::byte> span() const { return buffer_.span(); }

   private:
    BufferPool& pool_;
    Buffer buffer_;
  };

  Lease take() {
    if (spare_.empty()) return Lease(*this, Buffer(size_));
    Buffer buffer = std::move(spare_.back());
    spare_.pop_back();
    return Lease(*this, std::move(buffer));
  }
  std::size_t size() const { return size_; }
  std::size_t spare() const { return spare_.size(); }

 private:
  const std::size_t size_;
  std::vector<Buffer> spare_;
};

}  // namespace portunus::portal::relay
