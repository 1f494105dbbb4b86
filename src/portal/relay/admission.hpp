#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <optional>
#include <utility>

#include "common/net/endpoint.hpp"

namespace portunus::portal::relay {

/// What an address counts as where clients have a share each (portal 9): a full IPv4 address, or
/// the first 64 bits of an IPv6 one.
std::uint64_t source_prefix(const net::IpAddress& source);

/// How many connections may be waiting for authentication, both carriers together (portal 9): 256
/// in all, 32 per source, which is an IPv4 address or the first 64 bits of an IPv6 one. One per
/// process; any thread. Outlives its slots.
class Admission {
 public:
  static constexpr std::size_t kTotal = 256;
  static constexpr std::uint16_t kPerSource = 32;

  /// A place that is given back with the object, or by release().
  class Slot {
   public:
    Slot() = default;
    Slot(Slot&& other) noexcept
        : owner_(std::exchange(other.owner_, nullptr)), source_(other.source_) {}
    Slot& operator=(Slot&& other) noexcept {
      if (this != &other) {
        release();
        owner_ = std::exchange(other.owner_, nullptr);
        source_ = other.source_;
      }
      return *this;
    }
    ~Slot() { release(); }
    void release() {
      if (owner_ != nullptr) std::exchange(owner_, nullptr)->leave(source_);
    }
    bool held() const { return owner_ != nullptr; }

   private:
    friend class Admission;
    Slot(Admission* owner, std::uint16_t source) : owner_(owner), source_(source) {}
    Admission* owner_ = nullptr;
    std::uint16_t source_ = 0;
  };

  Admission() = default;
  Admission(const Admission&) = delete;
  Admission& operator=(const Admission&) = delete;

  /// Nothing when either bound is reached.
  std::optional<Slot> admit(const net::IpAddress& source);
  std::size_t pending() const;

 private:
  /// A source that waits: as many entries as connections can be enough, so nothing is allocated
  /// and the search is a walk over four kilobytes.
  struct Source {
    std::uint64_t prefix = 0;
    std::uint16_t waiting = 0;
    bool v6 = false;
  };

  void leave(std::uint16_t source);

  /// Held for that walk, once per connection.
  mutable std::mutex mutex_;
  std::array<Source, kTotal> sources_{};
  /// Entries from here on were never used.
  std::size_t used_ = 0;
  std::size_t total_ = 0;
};

}  // namespace portunus::portal::relay
