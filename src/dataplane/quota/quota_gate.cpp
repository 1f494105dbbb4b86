#include "dataplane/quota/quota_gate.hpp"

#include <algorithm>
#include <utility>

namespace portunus::dataplane::quota {
namespace {

using Words = AtomicPair::Words;

constexpr std::uint64_t kMetered = 1;
constexpr std::uint64_t kServerFlag = 2;
constexpr unsigned kEpochShift = 32;

bool is_metered(const Words& state) {
  return (state.second & kMetered) != 0;
}

bool is_exhausted(const Words& state) {
  return is_metered(state) && ((state.second & kServerFlag) != 0 || state.first == 0);
}

std::uint32_t epoch_of(const Words& state) {
  return static_cast<std::uint32_t>(state.second >> kEpochShift);
}

}  // namespace

void QuotaGate::set(std::uint64_t remaining, bool exhausted) {
  replace(remaining, kMetered | (exhausted ? kServerFlag : 0));
}

void QuotaGate::remove() {
  // The bytes stay as they are: a reader who meets the change half-way must not see zero of them
  // together with the old flags.
  replace(state_.first(), 0);
}

void QuotaGate::replace(std::uint64_t remaining, std::uint64_t flags) {
  Words before = state_.peek();
  Words after;
  do {
    const std::uint64_t epoch = std::uint64_t{epoch_of(before)} + 1;
    after = {remaining, epoch << kEpochShift | flags};
  } while (!state_.exchange(before, after));
  if (is_exhausted(after) && !is_exhausted(before) && notify_) notify_();
}

bool QuotaGate::metered() const {
  return (state_.second() & kMetered) != 0;
}

bool QuotaGate::exhausted() const {
  // Most owners have no quota; they end here, before the second word is looked at.
  if (!metered()) return false;
  return is_exhausted(state_.peek());
}

std::uint64_t QuotaGate::remaining() const {
  const Words state = state_.peek();
  return is_metered(state) ? state.first : 0;
}

QuotaGate::Grant QuotaGate::take(std::uint64_t n) {
  if (!metered()) return {.bytes = n};
  Words before = state_.peek();
  while (true) {
    if (!is_metered(before)) return {.bytes = n};
    const std::uint64_t bytes = (before.second & kServerFlag) != 0 ? 0 : std::min(n, before.first);
    // With nothing to debit this only proves that both words were read together.
    if (!state_.exchange(before, {before.first - bytes, before.second})) continue;
    if (bytes > 0 && bytes == before.first && notify_) notify_();
    return {.bytes = bytes, .epoch = epoch_of(before), .metered = true};
  }
}

QuotaGate::Grant QuotaGate::take_datagram(std::uint64_t n) {
  return take(n);
}

void QuotaGate::refund(const Grant& grant, std::uint64_t undelivered) {
  const std::uint64_t bytes = std::min(undelivered, grant.bytes);
  if (!grant.metered || bytes == 0) return;
  Words before = state_.peek();
  while (epoch_of(before) == grant.epoch && is_metered(before)) {
    if (state_.exchange(before, {before.first + bytes, before.second})) return;
  }
}

void QuotaGate::on_exhausted(std::function<void()> notify) {
  notify_ = std::move(notify);
}

}  // namespace portunus::dataplane::quota
