#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>

namespace portunus::portal::quic {

/// DATAGRAMs that wait, in order, of a bounded number of bytes: for a new one the oldest are
/// dropped (portal section 8). One ring of bytes, which grows with what has to wait; a large one is
/// released when nothing waits any more.
class DatagramQueue {
 public:
  /// `limit` counts payloads and four bytes for each; a longer DATAGRAM than that is refused.
  explicit DatagramQueue(std::size_t limit) : limit_(limit) {}

  /// False when it was refused, or there is no memory.
  bool push(std::span<const std::uint8_t> first, std::span<const std::uint8_t> second = {});
  bool empty() const { return count_ == 0; }
  std::size_t size() const { return count_; }
  std::size_t bytes() const { return payload_; }
  std::uint64_t dropped() const { return dropped_; }

  /// Valid until the next push() or pop().
  std::optional<std::span<const std::uint8_t>> front() const;
  void pop();
  void clear();

 private:
  using Length = std::uint32_t;
  /// In place of a length: the next one is at the ring's beginning.
  static constexpr Length kWrap = ~Length{0};

  bool place(std::size_t needed);
  bool grow(std::size_t needed);
  Length length_at(std::size_t at) const;
  void put_length(std::size_t at, Length length);

  const std::size_t limit_;
  std::unique_ptr<std::uint8_t[]> ring_;
  std::size_t capacity_ = 0;
  std::size_t head_ = 0;
  std::size_t tail_ = 0;
  std::size_t count_ = 0;
  std::size_t payload_ = 0;
  std::uint64_t dropped_ = 0;
};

}  // namespace portunus::portal::quic
