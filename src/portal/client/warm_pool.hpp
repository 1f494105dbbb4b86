#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "common/base/clock.hpp"

namespace portunus::portal::client {

/// Which connections of a client are authenticated ahead of their use (portal 18, "warm pool"). It
/// owns no connection and does no I/O: it names slots, and its driver opens, keeps and closes what
/// stands behind them. A use that finds nothing idle opens a connection of its own, which is never
/// a slot. One thread.
class WarmPool {
 public:
  using Slot = std::uint64_t;
  static constexpr std::size_t kMostSlots = 9;
  static constexpr std::size_t kUsualSlots = 5;
  /// How many are started after a use, at most.
  static constexpr std::size_t kStartsPerUse = 2;
  /// A slot's whole life, from the start of its connection. The Portal ends an idle one 40 s after
  /// its authentication (section 10), so none is handed out that is about to end.
  static constexpr std::chrono::seconds kLifetime{30};

  /// `size` above kMostSlots counts as kMostSlots; 0 keeps nothing warm.
  explicit WarmPool(std::size_t size);

  /// One new slot when nothing is idle or connecting, to be connected now; otherwise nothing.
  std::optional<Slot> warm_up(SteadyTime now);
  /// After a use: the new slots to be connected now, at most kStartsPerUse and never more than fit.
  std::vector<Slot> used(SteadyTime now);

  /// The slot's connection is authenticated. False when the slot has been retired meanwhile: the
  /// connection is to be closed.
  bool connected(Slot slot);
  /// The slot is gone: its attempt failed or its idle connection was lost. Not replaced; the next
  /// use does that, so a Portal that is down is not hammered. Unknown slots are ignored.
  void lost(Slot slot);

  /// Takes the oldest idle slot that has life left; the caller owns its connection from here on.
  std::optional<Slot> take(SteadyTime now);
  /// Removes and returns the slots whose life is over, idle or connecting. Without replacement.
  std::vector<Slot> retire(SteadyTime now);
  /// When retire() has work next.
  std::optional<SteadyTime> next_retirement() const;

  std::size_t size() const { return size_; }
  std::size_t idle() const;
  std::size_t connecting() const { return slots_.size() - idle(); }

 private:
  struct Entry {
    Slot slot;
    SteadyTime created;
    bool idle;
  };
  Slot start(SteadyTime now);

  const std::size_t size_;
  Slot next_ = 1;
  std::vector<Entry> slots_;  ///< oldest first
};

}  // namespace portunus::portal::client
