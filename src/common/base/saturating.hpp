#pragma once

#include <algorithm>
#include <concepts>
#include <limits>

namespace portunus {

/// Adds numbers that are not negative: a sum stays at its greatest value rather than wrap.
template <std::integral T>
constexpr void add_saturating(T& sum, T more) {
  sum += std::min<T>(more, std::numeric_limits<T>::max() - sum);
}

}  // namespace portunus
