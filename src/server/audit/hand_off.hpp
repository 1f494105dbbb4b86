#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <mutex>
#include <optional>
#include <vector>

#include "common/base/clock.hpp"
#include "server/store/audit_store.hpp"

namespace portunus::server::audit {

/// An entry on its way, with the time at which its lag began.
struct Handed {
  store::AuditRow row;
  SteadyTime at;
};

/// The bounded queue between those who record and the writer. Any thread; the lock is held for the
/// moving of a few words, and nobody ever waits for room.
class HandOff {
 public:
  HandOff(std::size_t capacity, std::size_t batch) : capacity_(capacity), batch_(batch) {}

  enum class Put : std::uint8_t {
    waiting,  ///< queued; the writer knows already
    wake,     ///< queued, and the writer has a reason to look: the first one, or a whole batch
    full,     ///< dropped
    closed,   ///< dropped: the writer has ended
  };
  Put put(Handed entry);
  /// The oldest entries, at most one batch.
  std::vector<Handed> take();
  /// From now on everything is dropped. Idempotent.
  void close();

  std::size_t size() const;
  /// When the oldest entry came; nothing when empty.
  std::optional<SteadyTime> oldest() const;

 private:
  const std::size_t capacity_;
  const std::size_t batch_;
  mutable std::mutex mutex_;
  std::deque<Handed> entries_;
  bool closed_ = false;
};

}  // namespace portunus::server::audit
