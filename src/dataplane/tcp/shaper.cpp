#include "dataplane/tcp/shaper.hpp"

#include <algorithm>
#include <utility>

namespace portunus::dataplane::tcp {

std::size_t Shaper::chunk() const {
  return limits::capped_chunk(owner_ != nullptr ? &owner_->limiter() : nullptr, rule_.limiter(),
                              rule_.direction());
}

std::size_t Shaper::pay(std::size_t held) {
  if (waiting()) return 0;
  if (paid_ > 0) return std::exchange(paid_, 0);
  if (owner_paid_ == 0) {
    owner_paid_ = held;
    if (owner_ != nullptr && owner_->shapes()) {
      const std::uint64_t most = rule_.helping();
      owner_paid_ = owner_->take(*this, most < held ? static_cast<std::size_t>(most) : held);
      if (owner_paid_ == 0) return 0;
    }
  }
  if (!rule_.shapes()) return std::exchange(owner_paid_, 0);
  const std::size_t paid = rule_.take(*this, owner_paid_);
  owner_paid_ -= paid;
  return paid;
}

void Shaper::on_tokens(std::size_t bytes) {
  // Whoever waits with the owner paid stands at the rule.
  if (owner_paid_ == 0) {
    owner_paid_ = bytes;
  } else {
    owner_paid_ -= bytes;
    paid_ = bytes;
  }
  flow_.on_unparked(rule_.direction());
}

}  // namespace portunus::dataplane::tcp
