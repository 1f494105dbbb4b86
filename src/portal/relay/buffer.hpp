#pragma once

#include <cstddef>
#include <memory>
#include <new>
#include <span>

namespace portunus::portal::relay {

/// Memory of a size that an operator chose: it may be absurd, so not getting it is an ordinary
/// outcome. Not initialised, so what is never used costs nothing.
class Buffer {
 public:
  explicit Buffer(std::size_t size)
      : bytes_(new(std::nothrow) std::byte[size]), size_(bytes_ ? size : 0) {}

  bool valid() const { return bytes_ != nullptr; }
  std::span<std::byte> span() const { return {bytes_.get(), size_}; }

 private:
  std::unique_ptr<std::byte[]> bytes_;
  std::size_t size_;
};

}  // namespace portunus::portal::relay
