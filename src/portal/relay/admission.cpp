#include "portal/relay/admission.hpp"

namespace portunus::portal::relay {

std::uint64_t source_prefix(const net::IpAddress& source) {
  std::uint64_t prefix = 0;
  const std::size_t size = source.is_v6() ? 8 : 4;
  for (std::size_t i = 0; i < size; ++i) prefix = prefix << 8 | source.bytes()[i];
  return prefix;
}

std::optional<Admission::Slot> Admission::admit(const net::IpAddress& source) {
  const std::uint64_t prefix = source_prefix(source);
  const std::lock_guard lock(mutex_);
  if (total_ == kTotal) return std::nullopt;
  // Fewer than kTotal wait, so one of the entries is free or not yet used.
  std::size_t free = used_;
  for (std::size_t i = 0; i < used_; ++i) {
    Source& known = sources_[i];
    if (known.waiting == 0) {
      if (free == used_) free = i;
    } else if (known.prefix == prefix && known.v6 == source.is_v6()) {
      if (known.waiting == kPerSource) return std::nullopt;
      ++known.waiting;
      ++total_;
      return Slot(this, static_cast<std::uint16_t>(i));
    }
  }
  if (free == used_) ++used_;
  sources_[free] = {.prefix = prefix, .waiting = 1, .v6 = source.is_v6()};
  ++total_;
  return Slot(this, static_cast<std::uint16_t>(free));
}

std::size_t Admission::pending() const {
  const std::lock_guard lock(mutex_);
  return total_;
}

void Admission::leave(std::uint16_t source) {
  const std::lock_guard lock(mutex_);
  --sources_[source].waiting;
  --total_;
  while (used_ > 0 && sources_[used_ - 1].waiting == 0) --used_;
}

}  // namespace portunus::portal::relay
