#include "server/audit/hand_off.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

namespace portunus::server::audit {

HandOff::Put HandOff::put(Handed entry) {
  const std::lock_guard lock(mutex_);
  if (closed_) return Put::closed;
  if (entries_.size() >= capacity_) return Put::full;
  entries_.push_back(std::move(entry));
  const std::size_t size = entries_.size();
  return size == 1 || size == batch_ ? Put::wake : Put::waiting;
}

std::vector<Handed> HandOff::take() {
  const std::lock_guard lock(mutex_);
  const auto end =
      entries_.begin() + static_cast<std::ptrdiff_t>(std::min(entries_.size(), batch_));
  std::vector<Handed> out(std::make_move_iterator(entries_.begin()), std::make_move_iterator(end));
  entries_.erase(entries_.begin(), end);
  return out;
}

void HandOff::close() {
  const std::lock_guard lock(mutex_);
  closed_ = true;
}

std::size_t HandOff::size() const {
  const std::lock_guard lock(mutex_);
  return entries_.size();
}

std::optional<SteadyTime> HandOff::oldest() const {
  const std::lock_guard lock(mutex_);
  if (entries_.empty()) return std::nullopt;
  return entries_.front().at;
}

}  // namespace portunus::server::audit
