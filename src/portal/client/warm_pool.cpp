#include "portal/client/warm_pool.hpp"

#include <algorithm>

namespace portunus::portal::client {

WarmPool::WarmPool(std::size_t size) : size_(std::min(size, kMostSlots)) {
  slots_.reserve(size_);
}

WarmPool::Slot WarmPool::start(SteadyTime now) {
  slots_.push_back({next_, now, false});
  return next_++;
}

std::optional<WarmPool::Slot> WarmPool::warm_up(SteadyTime now) {
  if (size_ == 0 || !slots_.empty()) return std::nullopt;
  return start(now);
}

std::vector<WarmPool::Slot> WarmPool::used(SteadyTime now) {
  std::vector<Slot> started;
  while (started.size() < kStartsPerUse && slots_.size() < size_) started.push_back(start(now));
  return started;
}

bool WarmPool::connected(Slot slot) {
  const auto entry = std::ranges::find(slots_, slot, &Entry::slot);
  if (entry == slots_.end()) return false;
  entry->idle = true;
  return true;
}

void WarmPool::lost(Slot slot) {
  std::erase_if(slots_, [slot](const Entry& entry) { return entry.slot == slot; });
}

std::optional<WarmPool::Slot> WarmPool::take(SteadyTime now) {
  const auto fit = [now](const Entry& entry) {
    return entry.idle && now < entry.created + kLifetime;
  };
  const auto entry = std::ranges::find_if(slots_, fit);
  if (entry == slots_.end()) return std::nullopt;
  const Slot slot = entry->slot;
  slots_.erase(entry);
  return slot;
}

std::vector<WarmPool::Slot> WarmPool::retire(SteadyTime now) {
  std::vector<Slot> over;
  std::erase_if(slots_, [&](const Entry& entry) {
    if (now < entry.created + kLifetime) return false;
    over.push_back(entry.slot);
    return true;
  });
  return over;
}

std::optional<SteadyTime> WarmPool::next_retirement() const {
  if (slots_.empty()) return std::nullopt;
  return slots_.front().created + kLifetime;
}

std::size_t WarmPool::idle() const {
  return static_cast<std::size_t>(std::ranges::count(slots_, true, &Entry::idle));
}

}  // namespace portunus::portal::client
