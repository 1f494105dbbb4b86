#pragma once

#include <cstdint>
#include <functional>

#include "common/base/atomic_pair.hpp"

namespace portunus::dataplane::quota {

/// The byte budget of one owner on this edge, shared by all his connections and flows on every core
/// (data-plane section 13). Unmetered until set(). set(), remove() and on_exhausted() are the
/// owner's thread's; everything else may be called from any thread and never blocks.
class QuotaGate {
 public:
  /// SET: installs or overwrites. Resumes service when `remaining` > 0 and the flag is clear,
  /// begins exhaustion otherwise (QUO-8). Grants of before are no longer refunded (QUO-3).
  void set(std::uint64_t remaining, bool exhausted);
  /// REMOVE: unmeters at once.
  void remove();

  /// False for an owner without a quota, who pays nothing but this load.
  bool metered() const;
  /// The server's flag or nothing left; false while unmetered.
  bool exhausted() const;
  /// Nothing while unmetered.
  std::uint64_t remaining() const;

  /// What was debited, and under which SET.
  struct Grant {
    std::uint64_t bytes = 0;
    std::uint32_t epoch = 0;
    bool metered = false;
  };
  /// Pre-debit for a stream: min(n, remaining), 0 while exhausted; all of `n` while unmetered. A
  /// grant of less than `n` is the cut-off (QUO-3).
  Grant take(std::uint64_t n);
  /// Pre-debit for a datagram, which is indivisible: it may go whole while anything remains, and
  /// `bytes` says what it was debited, min(n, remaining) (QUO-6). bytes == 0 with n > 0 means: drop
  /// it. An empty datagram may go unless exhausted; ask exhausted() for it.
  Grant take_datagram(std::uint64_t n);
  /// Gives back what was debited and not delivered, at most the grant, unless a SET came in between
  /// (QUO-3).
  void refund(const Grant& grant, std::uint64_t undelivered);

  /// Called each time exhaustion begins, from whichever thread brings it about, never twice for
  /// one. Set before the gate is shared.
  void on_exhausted(std::function<void()> notify);

 private:
  void replace(std::uint64_t remaining, std::uint64_t flags);

  /// first = what remains; second = epoch, metered, the server's flag. Together, so that a refund
  /// and a SET cannot pass each other.
  alignas(64) AtomicPair state_;
  std::function<void()> notify_;
};

}  // namespace portunus::dataplane::quota
