#include "common/base/atomic_pair.hpp"

#include <cstddef>
#include <cstring>

namespace portunus {
namespace {

using Both [[gnu::may_alias]] = unsigned __int128;

static_assert(sizeof(std::atomic<std::uint64_t>) == sizeof(std::uint64_t));
// Otherwise the compiler would fall back to libatomic, which may take a lock.
static_assert(__atomic_always_lock_free(sizeof(Both), nullptr));

unsigned __int128 to_both(const AtomicPair::Words& words) {
  unsigned __int128 both = 0;
  std::memcpy(&both, &words, sizeof(both));
  return both;
}

}  // namespace

bool AtomicPair::exchange(Words& expected, const Words& desired) {
  static_assert(sizeof(AtomicPair) == sizeof(Both) && alignof(AtomicPair) == alignof(Both));
  unsigned __int128 before = to_both(expected);
  const bool done =
      __atomic_compare_exchange_n(reinterpret_cast<Both*>(this), &before, to_both(desired), false,
                                  __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE);
  if (!done) std::memcpy(&expected, &before, sizeof(before));
  return done;
}

}  // namespace portunus
