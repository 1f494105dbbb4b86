#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <utility>
#include <vector>

namespace portunus::portal::quic {

/// A piece of what streams hold.
struct Block {
  static constexpr std::size_t kBytes = 16 * 1024;
  std::array<std::uint8_t, kBytes> data;
};
using BlockPtr = std::unique_ptr<Block>;

/// The spare blocks of one core: traffic takes and returns them without the allocator. Keeps 4 MiB
/// at most.
class BlockPool {
 public:
  static constexpr std::size_t kKept = 256;

  /// Null without memory.
  BlockPtr take();
  void give(BlockPtr block);

 private:
  std::vector<BlockPtr> spare_;
};

/// Bytes in order, from one end to the other, in blocks of a pool. What is not needed holds
/// nothing.
class BlockChain {
 public:
  explicit BlockChain(std::shared_ptr<BlockPool> pool) : pool_(std::move(pool)) {}
  ~BlockChain() { clear(); }
  BlockChain(const BlockChain&) = delete;
  BlockChain& operator=(const BlockChain&) = delete;

  std::size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }

  /// False without memory; then nothing was added.
  bool append(std::span<const std::uint8_t> bytes);
  /// Takes at most `into.size()` bytes off the front.
  std::size_t take(std::span<std::uint8_t> into);
  void drop(std::size_t bytes);
  /// Fills `out` with pieces from `offset` bytes behind the front on; they stay where they are
  /// until dropped. The number of pieces.
  std::size_t pieces(std::size_t offset, std::span<std::span<std::uint8_t>> out) const;
  void clear();

 private:
  /// The first block in use; those before it are gone. Compacted now and then.
  Block& block(std::size_t i) const { return *blocks_[first_ + i]; }
  void pop_block();

  /// Shared, because a stream may be read out when its endpoint is gone.
  std::shared_ptr<BlockPool> pool_;
  std::vector<BlockPtr> blocks_;
  std::size_t first_ = 0;
  /// Of the first block, already dropped.
  std::size_t head_ = 0;
  std::size_t size_ = 0;
};

}  // namespace portunus::portal::quic
