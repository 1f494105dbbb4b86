#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

namespace portunus::datagrams {

/// One datagram, or several that lie one behind the other: `segment` bytes each, the last possibly
/// shorter, as the kernel joins them (GRO). Does not own the bytes. An empty datagram has no bytes
/// and counts as one.
struct Datagrams {
  const std::byte* data = nullptr;
  std::uint32_t size = 0;
  std::uint32_t segment = 0;
  std::uint32_t count = 0;

  static Datagrams one(const std::byte* data, std::size_t size) {
    const auto bytes = static_cast<std::uint32_t>(size);
    return {data, bytes, bytes, 1};
  }
  /// `segment` > 0.
  static Datagrams joined(const std::byte* data, std::size_t size, std::uint32_t segment) {
    const auto bytes = static_cast<std::uint32_t>(size);
    if (bytes <= segment) return one(data, size);
    return {data, bytes, segment, (bytes + segment - 1) / segment};
  }

  bool empty() const { return count == 0; }
  /// Removes the first `n`, at most all, and returns them.
  Datagrams take(std::uint32_t n) {
    const std::uint32_t taken = std::min(n, count);
    const std::uint32_t bytes = taken == count ? size : taken * segment;
    const Datagrams front{data, bytes, std::min(segment, bytes), taken};
    data += bytes;
    size -= bytes;
    count -= taken;
    segment = std::min(segment, size);
    return front;
  }
  /// All of them are of one size.
  bool even() const { return size == segment * count; }
};

}  // namespace portunus::datagrams
