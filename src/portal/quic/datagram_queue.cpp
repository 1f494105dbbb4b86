#include "portal/quic/datagram_queue.hpp"

#include <algorithm>
#include <cstring>
#include <new>

namespace portunus::portal::quic {
namespace {

constexpr std::size_t kSmallest = 16 * 1024;

}  // namespace

DatagramQueue::Length DatagramQueue::length_at(std::size_t at) const {
  Length length = 0;
  std::memcpy(&length, ring_.get() + at, sizeof length);
  return length;
}

void DatagramQueue::put_length(std::size_t at, Length length) {
  std::memcpy(ring_.get() + at, &length, sizeof length);
}

bool DatagramQueue::push(std::span<const std::uint8_t> first,
                         std::span<const std::uint8_t> second) {
  const std::size_t size = first.size() + second.size();
  if (size > limit_) return false;
  // Lengths count too, or empty ones would have no bound.
  while (count_ > 0 && payload_ + size + (count_ + 1) * sizeof(Length) > limit_) {
    pop();
    ++dropped_;
  }
  if (!place(sizeof(Length) + size)) return false;
  put_length(tail_, static_cast<Length>(size));
  std::uint8_t* at = ring_.get() + tail_ + sizeof(Length);
  if (!first.empty()) std::memcpy(at, first.data(), first.size());
  if (!second.empty()) std::memcpy(at + first.size(), second.data(), second.size());
  tail_ += sizeof(Length) + size;
  ++count_;
  payload_ += size;
  return true;
}

/// Moves the tail to where `needed` bytes in a row are free.
bool DatagramQueue::place(std::size_t needed) {
  if (count_ == 0) head_ = tail_ = 0;
  if (count_ > 0 && tail_ <= head_) {
    // Already behind the wrap: what is free ends at the head.
    if (head_ - tail_ >= needed && tail_ != head_) return true;
    return grow(needed);
  }
  if (capacity_ - tail_ >= needed) return true;
  if (count_ > 0 && head_ > needed) {
    if (capacity_ - tail_ >= sizeof(Length)) put_length(tail_, kWrap);
    tail_ = 0;
    return true;
  }
  return grow(needed);
}

/// Unrolls what waits into a larger ring.
bool DatagramQueue::grow(std::size_t needed) {
  const std::size_t used = payload_ + count_ * sizeof(Length);
  const std::size_t capacity = std::max({kSmallest, capacity_ * 2, (used + needed) * 2});
  std::unique_ptr<std::uint8_t[]> larger(new (std::nothrow) std::uint8_t[capacity]);
  if (larger == nullptr) return false;
  std::size_t end = 0;
  std::size_t at = head_;
  for (std::size_t i = 0; i < count_; ++i) {
    if (capacity_ - at < sizeof(Length) || length_at(at) == kWrap) at = 0;
    const std::size_t whole = sizeof(Length) + length_at(at);
    std::memcpy(larger.get() + end, ring_.get() + at, whole);
    end += whole;
    at += whole;
  }
  ring_ = std::move(larger);
  capacity_ = capacity;
  head_ = 0;
  tail_ = end;
  return true;
}

std::optional<std::span<const std::uint8_t>> DatagramQueue::front() const {
  if (count_ == 0) return std::nullopt;
  return std::span<const std::uint8_t>(ring_.get() + head_ + sizeof(Length), length_at(head_));
}

void DatagramQueue::pop() {
  if (count_ == 0) return;
  const std::size_t size = length_at(head_);
  head_ += sizeof(Length) + size;
  payload_ -= size;
  if (--count_ == 0) {
    head_ = tail_ = 0;
    // What a burst needed is not kept for a quiet connection.
    if (capacity_ > kSmallest) clear();
    return;
  }
  if (capacity_ - head_ < sizeof(Length) || length_at(head_) == kWrap) head_ = 0;
}

void DatagramQueue::clear() {
  ring_.reset();
  capacity_ = head_ = tail_ = count_ = payload_ = 0;
}

}  // namespace portunus::portal::quic
