#include "portal/quic/stream_buffers.hpp"

#include <algorithm>
#include <cstring>
#include <new>
#include <utility>

namespace portunus::portal::quic {

BlockPtr BlockPool::take() {
  if (spare_.empty()) return BlockPtr(new (std::nothrow) Block);
  BlockPtr block = std::move(spare_.back());
  spare_.pop_back();
  return block;
}

void BlockPool::give(BlockPtr block) {
  if (spare_.size() < kKept) spare_.push_back(std::move(block));
}

bool BlockChain::append(std::span<const std::uint8_t> bytes) {
  const std::size_t held = blocks_.size() - first_;
  const std::size_t needed = (head_ + size_ + bytes.size() + Block::kBytes - 1) / Block::kBytes;
  for (std::size_t i = held; i < needed; ++i) {
    BlockPtr block = pool_->take();
    if (block == nullptr) {
      blocks_.resize(first_ + held);
      return false;
    }
    blocks_.push_back(std::move(block));
  }
  std::size_t at = head_ + size_;
  size_ += bytes.size();
  while (!bytes.empty()) {
    const std::size_t offset = at % Block::kBytes;
    const std::size_t n = std::min(bytes.size(), Block::kBytes - offset);
    std::memcpy(block(at / Block::kBytes).data.data() + offset, bytes.data(), n);
    bytes = bytes.subspan(n);
    at += n;
  }
  return true;
}

std::size_t BlockChain::take(std::span<std::uint8_t> into) {
  std::size_t taken = 0;
  while (taken < into.size() && size_ > 0) {
    const std::size_t n = std::min({into.size() - taken, size_, Block::kBytes - head_});
    std::memcpy(into.data() + taken, block(0).data.data() + head_, n);
    taken += n;
    drop(n);
  }
  return taken;
}

void BlockChain::drop(std::size_t bytes) {
  bytes = std::min(bytes, size_);
  size_ -= bytes;
  head_ += bytes;
  while (head_ >= Block::kBytes) {
    pop_block();
    head_ -= Block::kBytes;
  }
  if (size_ == 0) clear();
}

void BlockChain::pop_block() {
  pool_->give(std::move(blocks_[first_++]));
  if (first_ == blocks_.size()) {
    blocks_.clear();
    first_ = 0;
  } else if (first_ >= 64 && first_ * 2 >= blocks_.size()) {
    blocks_.erase(blocks_.begin(), blocks_.begin() + static_cast<std::ptrdiff_t>(first_));
    first_ = 0;
  }
}

std::size_t BlockChain::pieces(std::size_t offset, std::span<std::span<std::uint8_t>> out) const {
  std::size_t count = 0;
  std::size_t left = size_ - std::min(offset, size_);
  std::size_t at = head_ + offset;
  while (left > 0 && count < out.size()) {
    const std::size_t in_block = at % Block::kBytes;
    const std::size_t n = std::min(left, Block::kBytes - in_block);
    out[count++] = std::span(block(at / Block::kBytes).data).subspan(in_block, n);
    left -= n;
    at += n;
  }
  return count;
}

void BlockChain::clear() {
  for (std::size_t i = first_; i < blocks_.size(); ++i) pool_->give(std::move(blocks_[i]));
  blocks_.clear();
  first_ = head_ = size_ = 0;
}

}  // namespace portunus::portal::quic
