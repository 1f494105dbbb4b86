#include "dataplane/limits/token_bucket.hpp"

#include <algorithm>
#include <limits>

#include "common/base/assert.hpp"

namespace portunus::dataplane::limits {
namespace {

using Wide = unsigned __int128;

constexpr std::uint64_t kMicros = 1'000'000;
// The clock word: the generation above, microseconds below, enough for 142 years. The generation
// tells a take that the terms have changed although tokens and instant look the same.
constexpr unsigned kStampBits = 52;
constexpr std::uint64_t kStampMax = (std::uint64_t{1} << kStampBits) - 1;

std::uint64_t generation_of(std::uint64_t clock) {
  return clock >> kStampBits;
}

std::uint64_t next_generation(std::uint64_t clock) {
  return (generation_of(clock) + 1) << kStampBits;
}

std::int64_t to_ns(SteadyTime t) {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(t.time_since_epoch()).count();
}

std::uint64_t micros_since(std::int64_t epoch_ns, SteadyTime now) {
  const std::int64_t now_ns = to_ns(now);
  if (now_ns <= epoch_ns) return 0;
  const auto elapsed = static_cast<std::uint64_t>(now_ns) - static_cast<std::uint64_t>(epoch_ns);
  return std::min(elapsed / 1000, kStampMax);
}

/// floor(to * rate / 10^6) - floor(from * rate / 10^6), mostly in 64 bits: only what `from` leaves
/// below one token matters.
Wide tokens_between(std::uint64_t rate, std::uint64_t from, std::uint64_t to) {
  const std::uint64_t left_over = (rate % kMicros) * (from % kMicros) % kMicros;
  const Wide parts = Wide{rate} * (to - from) + left_over;
  if ((parts >> 64) == 0) return static_cast<std::uint64_t>(parts) / kMicros;
  return parts / kMicros;
}

std::chrono::microseconds time_for(std::uint64_t missing, std::uint64_t rate) {
  const Wide micros = (Wide{missing} * kMicros + rate - 1) / rate;
  constexpr auto kMost = std::chrono::microseconds::max();
  if (micros > static_cast<Wide>(kMost.count())) return kMost;
  return std::chrono::microseconds(static_cast<std::int64_t>(micros));
}

}  // namespace

/// A bucket as it stands at some instant, under the terms in force.
struct TokenBucket::Level {
  std::uint64_t rate, burst;
  std::uint64_t tokens;
  std::uint64_t clock;
};

TokenBucket::Terms& TokenBucket::terms_of(std::uint64_t clock) {
  return terms_[generation_of(clock) % terms_.size()];
}

std::uint64_t TokenBucket::burst() const {
  if (rate_.load(std::memory_order_acquire) == 0) return std::numeric_limits<std::uint64_t>::max();
  return const_cast<TokenBucket*>(this)
      ->terms_of(state_.second())
      .burst.load(std::memory_order_relaxed);
}

TokenBucket::Level TokenBucket::level_at(const AtomicPair::Words& words, SteadyTime now) {
  // Acquire: a value of later terms must not be seen without the generation that they replaced
  // being gone, which is what exchange() looks at.
  const Terms& terms = terms_of(words.second);
  Level level{.rate = terms.rate.load(std::memory_order_acquire),
              .burst = terms.burst.load(std::memory_order_acquire),
              .tokens = words.first,
              .clock = words.second};
  const std::uint64_t then = words.second & kStampMax;
  const std::uint64_t at = micros_since(terms.epoch_ns.load(std::memory_order_acquire), now);
  if (at <= then) return level;
  const Wide gain = tokens_between(level.rate, then, at);
  const std::uint64_t room = level.burst - std::min(level.tokens, level.burst);
  level.tokens = gain >= room ? level.burst : level.tokens + static_cast<std::uint64_t>(gain);
  level.clock += at - then;
  return level;
}

void TokenBucket::set(std::uint64_t rate, std::uint64_t burst, SteadyTime now) {
  PORTUNUS_ASSERT(rate > 0 && burst > 0);
  AtomicPair::Words before = state_.peek();
  const Terms& old = terms_of(before.second);
  const bool survives = present();
  if (survives && old.rate.load(std::memory_order_relaxed) == rate &&
      old.burst.load(std::memory_order_relaxed) == burst) {
    return;
  }
  const std::uint64_t clock = next_generation(before.second);
  Terms& terms = terms_of(clock);
  terms.rate.store(rate, std::memory_order_release);
  terms.burst.store(burst, std::memory_order_release);
  terms.epoch_ns.store(to_ns(now), std::memory_order_release);
  std::uint64_t tokens = burst;
  do {
    if (survives) tokens = std::min(level_at(before, now).tokens, burst);
  } while (!state_.exchange(before, {tokens, clock}));
  rate_.store(rate, std::memory_order_release);
}

std::chrono::microseconds TokenBucket::take(std::uint64_t tokens, SteadyTime now) {
  return draw(tokens, false, now);
}

std::chrono::microseconds TokenBucket::take_at_most_burst(std::uint64_t tokens, SteadyTime now) {
  return draw(tokens, true, now);
}

std::chrono::microseconds TokenBucket::draw(std::uint64_t tokens, bool clamp, SteadyTime now) {
  if (rate_.load(std::memory_order_acquire) == 0) return std::chrono::microseconds(0);
  AtomicPair::Words seen = state_.peek();
  while (true) {
    const Level level = level_at(seen, now);
    const std::uint64_t wanted = clamp ? std::min(tokens, level.burst) : tokens;
    const bool enough = level.tokens >= wanted;
    // A short take stores the refill alone: the exchange is what proves its numbers consistent.
    const AtomicPair::Words after{enough ? level.tokens - wanted : level.tokens, level.clock};
    if (!state_.exchange(seen, after)) continue;
    if (enough) return std::chrono::microseconds(0);
    return time_for(wanted - level.tokens, level.rate);
  }
}

}  // namespace portunus::dataplane::limits
